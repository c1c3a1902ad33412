# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree digest that a lock file pins is that of what a host really unpacks: compared with a real file system."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils import decompress, tree_listing
from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS, unpack
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import look_into
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import walked
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import SCRIPT, STATIC
from hypothesis import given, settings
from hypothesis import strategies as st

NAMED_FORMATS = [name for name in FORMATS if "tar" in name or name == "zip"]
MEMBERS = (
    made.directory("tool-1/empty"),
    made.file("tool-1/bin/tool", STATIC, 0o755),
    made.file("tool-1/bin/unmarked", SCRIPT, 0o644),
    made.file("tool-1/README", b"read me"),
    made.file('tool-1/Grüße \'n "$x"', b"", 0o600),
    made.file("tool-1/setuid", b"data", 0o6711),
    made.file("__MACOSX/tool-1/._tool", b"left out"),
    made.link("tool-1/latest", "bin/tool"),
    made.link("tool-1/up", "../tool-1/bin"),
    made.link("tool-1/empty/over", "../latest"),
    made.link("here", "."),
)


@pytest.fixture(autouse=True, scope="module")
def a_zstd(tmp_path_factory):
    folders = decompress.PROGRAM_FOLDERS
    decompress.PROGRAM_FOLDERS = (*folders, made.zstd_program(tmp_path_factory.mktemp("bin")))
    yield
    decompress.PROGRAM_FOLDERS = folders


def digests(folder: Path, data: bytes, archive_format: str, programs: dict[str, str]) -> tuple[str, str]:
    """Return the digest made at lock time, and that of what a host makes of the same asset."""
    asset = folder / "asset"
    asset.write_bytes(data)
    locked = tree_listing.digest(tree_listing.listing(look_into(asset, archive_format, "tool").unpacked, programs))
    tree = folder / "tree"
    for part in ("libexec", "bin"):
        (tree / part).mkdir(parents=True)
        (tree / part).chmod(0o755)
    unpacked = unpack(
        str(asset), archive_format, "tool", str(tree / "libexec"), 1 << 20, executables=set(programs.values())
    )
    os.symlink(tree_listing.top_link(unpacked), tree / "tree")
    for name, path in programs.items():
        os.symlink(f"../libexec/{path}", tree / "bin" / name)
    return locked, walked.digest(tree)


@pytest.mark.parametrize("archive_format", NAMED_FORMATS)
def test_what_is_locked_is_what_a_host_unpacks(tmp_path, archive_format):
    hard_links = () if archive_format == "zip" else (made.hard_link("tool-1/again", "tool-1/bin/tool"),)
    data = made.archive(archive_format, *MEMBERS, *hard_links)
    programs = {"tool": "tool-1/bin/tool", "other": "tool-1/bin/unmarked"}
    locked, installed = digests(tmp_path, data, archive_format, programs)
    assert locked == installed


@pytest.mark.parametrize("archive_format", [name for name in FORMATS if name not in NAMED_FORMATS])
def test_the_one_program_of_a_format_without_names_is_locked_as_a_host_writes_it(tmp_path, archive_format):
    data = made.COMPRESSORS.get(archive_format, bytes)(STATIC)
    locked, installed = digests(tmp_path, data, archive_format, {"renamed": "tool"})
    assert locked == installed


def test_scripts_of_a_wheel_are_locked_as_programs(tmp_path):
    members = (made.file("uv-1.data/scripts/uv", STATIC, 0o644), made.file("uv/__init__.py", b"", 0o644))
    locked, installed = digests(tmp_path, made.zipped(*members), "zip", {})
    assert locked == installed
    assert b"81ed libexec/uv-1.data/scripts/uv\n" in walked.listing(tmp_path / "tree")


@pytest.mark.parametrize(
    "changed",
    [
        {"content": b"other"},
        {"mode": 0o755},
        {"name": "tool-1/README.md"},
    ],
)
def test_other_bytes_another_mode_or_name_is_another_digest(tmp_path, changed):
    def locked(name="tool-1/README", content=b"read me", mode=0o644):
        (tmp_path / "asset").write_bytes(made.tar(made.file(name, content, mode)))
        return tree_listing.digest(tree_listing.listing(look_into(tmp_path / "asset", "tar", "tool").unpacked, {}))

    assert locked() == locked()
    assert locked(**changed) != locked()


STEPS = st.text(st.sampled_from("ab .-~é"), min_size=1, max_size=3)
PATHS = st.lists(STEPS, min_size=1, max_size=3).map("/".join)
ENTRIES = st.lists(
    st.tuples(st.sampled_from("fpdlh"), PATHS, st.one_of(PATHS, st.sampled_from(["..", ".", "../a", "a/../b"]))),
    min_size=1,
    max_size=7,
)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=200)
@given(ENTRIES, st.sampled_from(["tar", "tar.gz", "tar.xz", "zip"]), st.booleans())
def test_any_archive_that_can_be_locked_is_unpacked_as_it_was_locked(entries, archive_format, is_linked):
    make = {
        "f": lambda name, target: made.file(name, target.encode()),
        "p": lambda name, target: made.file(name, SCRIPT + target.encode(), 0o755),
        "d": lambda name, _target: made.directory(name),
        "l": made.link,
        "h": lambda name, target: made.file(name) if archive_format == "zip" else made.hard_link(name, target),
    }
    data = made.archive(archive_format, *(make[kind](name, target) for kind, name, target in entries))
    plain = [name for kind, name, _target in entries if kind in "fp" and ".." not in name.split("/")]
    programs = {"linked": os.path.normpath(plain[0])} if is_linked and plain else {}
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(ReleaseError):
        locked, installed = digests(Path(folder), data, archive_format, programs)
        assert locked == installed
