# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An asset is opened once. What is kept of it is believed only if it is exactly what was kept."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents, remembered
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance, RunTooLargeError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.typed_json import as_json, read_typed
from ansible_collections.pinned.release.tests.gate import house
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import (
    BROKEN,
    ENV_SCRIPT,
    GNU,
    LIBRARY,
    STATIC,
    members,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import macho, pe, universal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FILES = {
    "tool-1.0/bin/tool": GNU,
    "tool-1.0/bin/script": b"#!/bin/sh\n. $(dirname $0)/../lib/common.sh\n",
    "tool-1.0/bin/python": ENV_SCRIPT,
    "tool-1.0/lib/libtool.so.1": LIBRARY,
    "tool-1.0/lib/common.sh": b"true\n",
    "tool-1.0/broken": BROKEN,
    "tool-1.0/tool.exe": pe(),
    "tool-1.0/for-macs": universal(macho(cpu=0x01000007), macho(cpu=0x0100000C)),
    "tool-1.0/käse": b"text",
}
ARCHIVES = ("tar.gz", "tar.xz", "tar.bz2", "tar", "zip")
MIB = 1024**2


class Controller:
    """A cache with assets, and how often one of them was opened."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "cache"
        self.root.mkdir(mode=0o700)
        self.opened = 0
        self._look_into = contents.look_into
        monkeypatch.setattr(contents, "look_into", self._counted)

    def _counted(self, *arguments: Any) -> Contents:
        self.opened += 1
        return self._look_into(*arguments)

    def hold(self, content: bytes) -> CachedFile:
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.root / sha256
        path.write_bytes(content)
        return CachedFile(path, sha256, len(content), {"sha256": sha256})

    def look(
        self, cached: CachedFile, name: str = "tool-1.0.tar.gz", tool: str = "tool", allowance: Allowance | None = None
    ) -> Contents:
        return remembered.look_into(cached, name, tool, allowance or Allowance(), self.root)

    @property
    def note(self) -> Path:
        [path] = (self.root / remembered.FOLDER).iterdir()
        return path


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    return Controller(tmp_path, monkeypatch)


def archive(archive_format: str = "tar.gz") -> bytes:
    links = [made.link("tool-1.0/bin/alias", "tool")]
    if archive_format != "zip":
        links.append(made.hard_link("tool-1.0/bin/twin", "tool-1.0/bin/tool"))
    return made.archive(archive_format, *members(FILES), *links)


def all_said(found: Contents) -> Any:
    """Return *found* so that equal ones compare as such: errors are equal if they say the same."""
    said = {path: error.as_dict() for path, error in found.unreadable.items()}
    return dataclasses.replace(found, unreadable=said)


def refusal(look: Any) -> dict[str, str | None]:
    with pytest.raises(ReleaseError) as failure:
        look()
    return failure.value.as_dict()


@pytest.mark.parametrize("archive_format", ARCHIVES)
def test_an_asset_is_opened_once_and_then_known_in_full(controller, archive_format):
    cached = controller.hold(archive(archive_format))
    name = f"tool-1.0.{archive_format}"
    first = controller.look(cached, name)
    assert all((first.unreadable, first.bundle.linked, first.unpacked.links, len(first.programs) > 4))
    cached.path.unlink()
    again = controller.look(cached, name)
    assert all_said(again) == all_said(first)
    assert [list(again.unpacked.links), list(again.bundle.links)] == [
        list(first.unpacked.links),
        list(first.bundle.links),
    ]
    assert controller.opened == 1


@pytest.mark.parametrize(
    ("name", "content"), [("tool-linux-amd64", STATIC), ("tool-linux-amd64.gz", gzip.compress(STATIC, mtime=0))]
)
def test_a_program_without_a_name_of_its_own_is_known_by_the_tool_that_it_is(controller, name, content):
    cached = controller.hold(content)
    for tool in ("tool", "other", "tool"):
        assert [found.path for found in controller.look(cached, name, tool).programs] == [tool]
    assert controller.opened == 2


def test_the_same_bytes_in_another_format_are_another_question(controller):
    cached = controller.hold(gzip.compress(STATIC))
    controller.look(cached, "tool-linux-amd64.gz")
    assert controller.look(cached, "tool-linux-amd64").programs == ()
    assert controller.opened == 2


def test_real_programs_of_this_machine_come_back_as_they_were_read(controller):
    names = ("sh", "env", "tar", "ldd", "ls", "sed")
    real = [Path(path).resolve() for path in (*map(shutil.which, names), sys.executable) if path]
    held = [made.file(f"bin/{number}-{path.name}", path.read_bytes(), 0o755) for number, path in enumerate(real)]
    cached = controller.hold(made.archive("tar", *held))
    first = controller.look(cached, "tools.tar")
    assert len(first.programs) == len(real) > 3
    assert all_said(controller.look(cached, "tools.tar")) == all_said(first)
    assert controller.opened == 1


CONTENTS = st.builds(
    Contents,
    programs=st.lists(st.from_type(contents.Found), max_size=3).map(tuple),
    unpacked_size=st.integers(0, 2**63),
    files=st.frozensets(st.text(), max_size=3),
    unpacked=st.from_type(contents.Unpacked),
    root=st.text(),
    unreadable=st.dictionaries(st.text(), st.builds(ReleaseError, st.text(), st.none() | st.text()), max_size=3),
    bundle=st.from_type(contents.Bundle),
)


@given(CONTENTS)
def test_whatever_an_asset_may_hold_comes_back_equal(found):
    assert all_said(read_typed(Contents, json.loads(json.dumps(as_json(found))))) == all_said(found)


def test_a_change_of_any_reader_forgets_all(controller, monkeypatch, tmp_path):
    cached = controller.hold(archive())
    controller.look(cached)
    monkeypatch.setattr(remembered, "readers", lambda: "another version")
    controller.look(cached)
    assert controller.opened == 2


def test_the_code_that_decides_what_is_found_is_known_whole():
    """Everything that contents.py imports, or what it imports, changes the digest of the readers."""
    imports = house.imports_of()
    reached, waiting = set(), ["plugin_utils._asset.contents"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += imports[module]
    folders = tuple(folder.replace("/", ".") for folder in remembered.READERS)
    assert len(reached) > 20
    assert [module for module in reached if not module.startswith(folders)] == []


def test_another_source_of_a_reader_is_another_digest(monkeypatch, tmp_path):
    def digest() -> str:
        return remembered.readers.__wrapped__()

    plugins = Path(remembered.__file__).parents[2]
    for folder in remembered.READERS:
        shutil.copytree(plugins / folder, tmp_path / folder)
    monkeypatch.setattr(remembered, "__file__", str(tmp_path / "plugin_utils/_asset/remembered.py"))
    assert digest() == remembered.readers()
    with (tmp_path / "plugin_utils/_program/headers/elf.py").open("a") as file:
        file.write("# changed\n")
    assert digest() != remembered.readers()


def _cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _flipped(body: bytes) -> bytes:
    return body.replace(b"bin/tool", b"bin/fool", 1)


@pytest.mark.parametrize("damage", [_cut, _flipped, lambda body: b"", lambda body: b"\xff" * len(body)])
def test_a_damaged_note_is_as_none(controller, damage):
    cached = controller.hold(archive())
    first = controller.look(cached)
    controller.note.write_bytes(damage(controller.note.read_bytes()))
    for _time in range(2):
        assert all_said(controller.look(cached)) == all_said(first)
    assert controller.opened == 2


def test_a_note_about_another_asset_is_as_none(controller):
    cached, other = controller.hold(archive()), controller.hold(archive("tar"))
    first = controller.look(cached)
    note = controller.note
    foreign = note.read_bytes()
    note.unlink()
    controller.look(other, "tool-1.0.tar")
    controller.note.write_bytes(foreign)
    assert all_said(controller.look(other, "tool-1.0.tar")) == all_said(first)
    assert controller.opened == 3


def test_a_note_that_others_could_have_written_is_as_none(controller):
    cached = controller.hold(archive())
    controller.look(cached)
    controller.note.parent.chmod(0o777)
    controller.look(cached)
    controller.note.parent.chmod(0o700)
    kept = controller.note.read_bytes()
    elsewhere = controller.root / "elsewhere"
    elsewhere.write_bytes(kept)
    name = controller.note
    name.unlink()
    name.symlink_to(elsewhere)
    controller.look(cached)
    assert controller.opened == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_note_of_another_user_is_as_none(controller):
    cached = controller.hold(archive())
    controller.look(cached)
    os.chown(controller.note, 65534, 65534)
    controller.look(cached)
    assert controller.opened == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ).map(lambda value: json.dumps(value).encode())
    | st.just(b"[" * 100_000)
)
def test_no_note_raises_an_error_or_changes_what_is_found(controller, body):
    """Its checksum may be right, and still it must be about the asset and of the form."""
    cached = controller.hold(archive("tar"))
    first = controller.look(cached, "tool-1.0.tar")
    asked = json.loads(controller.note.read_bytes().partition(b"\n")[2])[0]
    for forged in (body, b"[" + json.dumps(asked).encode() + b"," + body + b"]"):
        controller.note.write_bytes(hashlib.sha256(forged).hexdigest().encode() + b"\n" + forged)
        assert all_said(controller.look(cached, "tool-1.0.tar")) == all_said(first)


@pytest.mark.parametrize(("name", "pack"), [("tool.tar.gz", None), ("tool.gz", gzip.compress), ("tool", bytes)])
def test_a_known_asset_is_refused_under_a_smaller_maximum_exactly_as_a_new_one(controller, name, pack):
    large = STATIC + bytes(3 * MIB)
    content = pack(large) if pack else made.archive("tar.gz", made.file("a/tool", large), made.file("a/more", large))
    cached = controller.hold(content)
    small = 4 * MIB if pack is None else 2 * MIB
    unknown = refusal(lambda: controller.look(cached, name, allowance=Allowance(small)))
    assert controller.look(cached, name, allowance=Allowance(8 * MIB)).programs
    assert refusal(lambda: controller.look(cached, name, allowance=Allowance(small))) == unknown
    assert "unpacks to more than an asset may" in unknown["what"]


@pytest.mark.parametrize("archive_format", ARCHIVES)
def test_a_known_asset_takes_as_much_of_what_a_run_may_unpack_as_a_new_one(controller, archive_format):
    name = f"täst-1.0.{archive_format}"
    cached = controller.hold(archive(archive_format))
    size = controller.look(cached, name).unpacked_size
    refusals = []
    for forget in (True, False):
        allowance = Allowance(size)
        for _look in range(32):
            controller.note.unlink() if forget else None
            controller.look(cached, name, allowance=allowance)
        controller.note.unlink() if forget else None
        with pytest.raises(RunTooLargeError) as failure:
            controller.look(cached, name, allowance=allowance)
        refusals.append(failure.value.as_dict())
        controller.look(cached, name)
    assert refusals[0] == refusals[1]


def test_a_program_that_the_disk_failed_to_read_is_not_kept_as_unreadable(controller, monkeypatch):
    def fail(*_arguments: object) -> None:
        try:
            raise OSError(5, "Input/output error")
        except OSError as error:
            raise ReleaseError("tool cannot be read") from error

    cached = controller.hold(archive())
    with monkeypatch.context() as patched:
        patched.setattr(contents.executable, "read", fail)
        assert "tool-1.0/bin/tool" in controller.look(cached).unreadable
    assert "tool-1.0/bin/tool" not in controller.look(cached).unreadable


def test_what_was_not_used_for_weeks_is_forgotten_and_what_is_in_use_stays(controller):
    used, unused = controller.hold(archive()), controller.hold(archive("tar"))
    controller.look(used)
    in_use = controller.note
    controller.look(unused, "tool-1.0.tar")
    long_ago = time.time() - (remembered.KEPT_DAYS + 1) * remembered.DAY_S
    for note in (controller.root / remembered.FOLDER).iterdir():
        os.utime(note, (long_ago, long_ago))
    controller.look(used)
    new = controller.hold(archive("tar.xz"))
    controller.look(new, "tool-1.0.tar.xz")
    kept = set((controller.root / remembered.FOLDER).iterdir())
    assert in_use in kept
    assert len(kept) == 2


def test_without_a_place_to_keep_notes_assets_are_opened_as_ever(controller):
    cached = controller.hold(archive())
    (controller.root / remembered.FOLDER).write_text("a file")
    assert all_said(controller.look(cached)) == all_said(controller.look(cached))
    assert controller.opened == 2
