# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs assets hold: over real little archives of hand-made programs."""

from __future__ import annotations

import gzip
import hashlib
import random

import pytest
from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import look_into
from ansible_collections.pinned.release.plugins.plugin_utils._asset.programs import choose_programs
from ansible_collections.pinned.release.plugins.plugin_utils._asset.requirements import merged_requirements
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import (
    AARCH64,
    BROKEN,
    ENV_SCRIPT,
    GNU,
    LIBRARY,
    MUSL,
    OTHER,
    PACKED,
    SCRIPT,
    STATIC,
    X86_64,
    choose,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import (
    macho,
    pe,
    universal,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.xz", "tar.bz2", "tar", "zip", "whl"])
def test_programs_of_archives_are_found_and_all_files_counted(look, suffix):
    found = look({"tool-1.0/tool": STATIC, "tool-1.0/README": b"read me\n"}, f"tool-1.0.{suffix}")
    [program] = found.programs
    assert (program.path, program.size) == ("tool-1.0/tool", len(STATIC))
    assert program.sha256 == hashlib.sha256(STATIC).hexdigest()
    assert program.requires == (Requirement("linux", "x86_64", libc="static", page_size=4096),)
    assert found.unpacked_size == len(STATIC) + 8
    assert found.files == {"tool", "README"}
    assert found.root == "tool-1.0/"


@pytest.mark.parametrize(("name", "pack"), [("tool-linux-amd64.gz", gzip.compress), ("tool-linux-amd64", bytes)])
def test_the_one_program_of_a_file_without_names_is_called_as_the_tool(look, name, pack):
    found = look(pack(GNU), name)
    assert choose(found) == {"tool": "tool"}
    assert found.unpacked_size == len(GNU)


def test_of_what_is_no_program_nothing_is_kept_but_the_size(look, monkeypatch):
    def refuse(*_content: object) -> None:
        raise AssertionError("it is written to the disk")

    monkeypatch.setattr(allowance, "spool", refuse)
    found = look({"data": bytes(3_000_000), "tiny": b"MZ"[:1], "empty": b""})
    assert (found.programs, found.unpacked_size) == ((), 3_000_001)
    with pytest.raises(AssertionError, match="written to the disk"):
        look({"bin/tool": STATIC})


def test_a_hard_link_to_a_program_is_a_program(look):
    found = look(
        {
            "bin/tool": STATIC,
            "link": made.hard_link("bin/again", "bin/tool"),
            "other": made.hard_link("more", "bin/tool"),
        }
    )
    assert [program.path for program in found.programs] == ["bin/tool", "bin/again", "more"]
    assert {program.sha256 for program in found.programs} == {hashlib.sha256(STATIC).hexdigest()}
    assert found.unpacked_size == 3 * len(STATIC)


def test_directories_and_symbolic_links_are_no_programs(look):
    found = look({"d": made.directory("bin"), "bin/tool": STATIC, "s": made.link("alias", "bin/tool")})
    assert choose(found) == {"tool": "bin/tool"}
    assert found.unpacked_size == len(STATIC)


# Whatever is inside.

NAMES = st.sampled_from(
    [
        "bin/tool",
        "tool",
        "x/tool",
        "bin/two",
        "a.data/scripts/t",
        "lib/libz.so.1",
        "my tool",
        "é",
        "..",
        "/x",
        "x",
        "a/b/c",
    ]
)
PROGRAMS = st.sampled_from(
    [
        STATIC,
        OTHER,
        GNU,
        MUSL,
        AARCH64,
        LIBRARY,
        SCRIPT,
        ENV_SCRIPT,
        BROKEN,
        PACKED,
        pe(),
        macho(),
        universal(macho(), macho(cpu=X86_64)),
    ]
)
WANTED = st.dictionaries(
    st.sampled_from(["tool", "two"]), st.sampled_from(["**/tool", "*", "bin/*", "[z-a]", "[!", "x"]), max_size=2
)


@st.composite
def damaged(draw, original: bytes) -> bytes:
    content = bytearray(original)
    for position, value in draw(
        st.lists(st.tuples(st.integers(0, max(len(content) - 1, 0)), st.integers(0, 255)), max_size=4)
    ):
        if content:
            content[position] = value
    return bytes(content[: draw(st.integers(0, len(content)) | st.just(len(content)))])


@st.composite
def archives(draw) -> tuple[str, bytes]:
    archive_format = draw(st.sampled_from([name for name in FORMATS if "zst" not in name]))
    content = PROGRAMS.flatmap(damaged) | PROGRAMS | st.binary(max_size=40)
    if archive_format in ("gz", "xz", "bz2", "bare"):
        packed = made.COMPRESSORS.get(archive_format, bytes)(draw(content))
    else:
        files = [made.file(name, draw(content)) for name in draw(st.lists(NAMES, max_size=4))]
        files += [
            made.link(name, "tool", kind)
            for name, kind in draw(st.lists(st.tuples(NAMES, st.sampled_from([b"1", b"2"])), max_size=2))
        ]
        packed = made.archive(archive_format, *files)
    return archive_format, draw(st.just(packed) | damaged(packed) | st.binary(max_size=600))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(archives(), WANTED)
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
def test_no_archive_ends_in_anything_but_an_answer_or_a_clear_error(tmp_path, archive, wanted):
    archive_format, packed = archive
    path = tmp_path / "asset"
    path.write_bytes(packed)
    try:
        found = look_into(path, archive_format, "tool", "tool-1.0.tar.gz")
        chosen = choose_programs(found, "tool", "1.2.3", wanted, "tool-1.0.tar.gz")
        requirements = merged_requirements(chosen.values())
    except ReleaseError:
        return
    assert chosen
    assert set(chosen) == set(wanted or chosen)
    platforms = {(one.os, one.arch) for program in chosen.values() for one in program.requires}
    assert {(one.os, one.arch) for one in requirements} <= platforms


@given(st.lists(PROGRAMS, min_size=1, max_size=4), st.randoms())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_in_an_archive_changes_neither_choice_nor_needs(tmp_path, programs, shuffle: random.Random):
    files = [made.file(f"bin/p{number}", content) for number, content in enumerate(programs)]
    shuffled = shuffle.sample(files, len(files))
    answers = []
    for order in (files, shuffled):
        path = tmp_path / "asset"
        path.write_bytes(made.archive("tar", *order))
        try:
            found = look_into(path, "tar", "tool", "tool-1.0.tar.gz")
            chosen = choose_programs(found, "tool", "1.2.3", {}, "tool-1.0.tar.gz")
            answers.append((sorted(chosen.items()), set(merged_requirements(chosen.values()))))
        except ReleaseError as error:
            answers.append((error.what, set()))
    assert answers[0] == answers[1]
