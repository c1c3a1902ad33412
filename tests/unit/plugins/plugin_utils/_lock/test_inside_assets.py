# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what is inside every locked asset recorded, once, without a look at what is known?"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    components_file,
    inside_assets,
    lock_diff,
    manifest,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.inside_assets import Recording
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import SILENT
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import NOW, Publisher
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf, go_build_info

WANTED = manifest.parse("platforms: [linux/x86_64, linux/aarch64]\ntools: {tool: {source: {pypi: tool}}}")


def rust(machine: int = 62, crates: Sequence[str] = ("serde", "tokio")) -> bytes:
    packages = [{"name": name, "version": "1.0.0", "source": "crates.io"} for name in crates]
    record = zlib.compress(json.dumps({"packages": packages}).encode())
    return elf(machine=machine, sections=[(".dep-v0", 1, record)])


GO = elf(machine=183, sections=[(".go.buildinfo", 1, go_build_info())])
DAMAGED = elf(machine=183, sections=[(".dep-v0", 1, b"junk")])


class Locking:
    """A controller that locks the tool of *publisher* and records what is inside."""

    def __init__(self, publisher: Publisher, cache: Path) -> None:
        self.publisher = publisher
        self.cache = cache
        self.lock = LockFile()

    def record(self, known: components_file.Recorded | None = None, wanted: manifest.Manifest = WANTED) -> Recording:
        resolver = Resolver(lambda tool: self.publisher, Cache(self.cache), NOW, ProgressReport(lambda line: None))
        self.lock = resolver.resolve(wanted, self.lock).lock
        return inside_assets.record(resolver, wanted, self.lock, known or {})


@pytest.fixture
def locking(publisher: Publisher, tmp_path: Path) -> Locking:
    return Locking(publisher, tmp_path / "cache")


def new_tools(locking: Locking, found: Recording) -> str:
    return lock_diff.text(lock_diff.Seen(LockFile(), {}), lock_diff.Seen(locking.lock, found.recorded))


def purls(recording: Recording) -> list[list[str]]:
    return [
        [one.purl for one in inside.components]
        for programs in recording.recorded["tool"].values()
        for inside in programs.values()
    ]


def test_every_asset_is_recorded_and_told_in_few_words(locking):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=GO)
    found = locking.record()
    assert {asset.sha256 for asset in locking.lock.tools["tool"].assets} == found.recorded["tool"].keys()
    assert sorted(purls(found)) == [
        ["pkg:cargo/serde@1.0.0", "pkg:cargo/tokio@1.0.0"],
        ["pkg:golang/example.org/tool@v1.2.3", "pkg:golang/stdlib@1.26.5"],
    ]
    assert sorted(found.notes[0].removeprefix("tool: its programs are made of ").split(" or ")) == [
        "2 Rust crates",
        "go1.26.5",
    ]
    assert new_tools(locking, found).endswith(", go1.26.5 or 2 Rust crates\n")


def test_a_program_of_which_nothing_is_recorded_is_recorded_as_that_and_not_told(locking):
    locking.publisher.publish("1.0", linux__x86_64=elf(), linux__aarch64=elf(machine=183))
    found = locking.record()
    assert [list(programs.values()) for programs in found.recorded["tool"].values()] == [[SILENT], [SILENT]]
    assert found.notes == ()
    assert new_tools(locking, found) == new_tools(locking, Recording({}))


def test_a_damaged_record_stops_no_lock_and_is_told(locking):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=DAMAGED)
    assert locking.record().notes[1:] == (
        "tool: what is inside cannot be told, or not all of it: tool (its record of crates cannot be decompressed)",
    )


def test_all_programs_of_an_archive_count_and_scripts_do_not(locking):
    archive = made.zipped(
        made.file("tool-1.0/bin/tool", rust(), 0o755),
        made.file("tool-1.0/libexec/helper", rust(crates=["helper-lib"]), 0o755),
        made.file("tool-1.0/bin/tool.sh", b"#!/bin/sh\n", 0o755),
        made.file("tool-1.0/README", b"tool", 0o644),
    )
    locking.publisher.publish_files("1.0", {"tool-1.0-linux-x86_64.zip": archive})
    (programs,) = (
        locking.record(wanted=manifest.parse("platforms: [linux/x86_64]\ntools: {tool: {source: {pypi: tool}}}"))
        .recorded["tool"]
        .values()
    )
    assert sorted(programs) == ["tool-1.0/bin/tool", "tool-1.0/libexec/helper"]


def test_nothing_that_is_known_is_read_again(locking, monkeypatch):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=GO)
    first = locking.record()
    shutil.rmtree(locking.cache)
    shutil.rmtree(locking.publisher.folder)
    monkeypatch.setattr(contents, "look_into", None)
    assert locking.record(first.recorded) == replace(first, notes=())
    assert not locking.cache.exists()


def test_of_a_new_version_only_the_new_assets_are_read(locking):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=GO)
    first = locking.record().recorded
    locking.lock = LockFile()
    locking.publisher.publish("2.0", linux__x86_64=rust(crates=["serde"]), linux__aarch64=GO)
    second = locking.record(first)
    assert second.notes == ("tool: its programs are made of 1 Rust crate",)
    assert second.recorded["tool"].keys() == {asset.sha256 for asset in locking.lock.tools["tool"].assets}
    assert second.recorded["tool"].keys() & first["tool"].keys() == {
        asset.sha256 for asset in locking.lock.tools["tool"].assets if asset.target.startswith("aarch64")
    }


def test_a_lost_file_is_made_again_of_what_the_cache_remembers(locking, monkeypatch):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=GO)
    first = locking.record()
    shutil.rmtree(locking.publisher.folder)  # nothing can be fetched
    monkeypatch.setattr(contents, "look_into", None)  # nothing is opened
    again = locking.record()
    assert components_file.emit(again.recorded) == components_file.emit(first.recorded)


def test_with_and_without_a_cache_the_file_is_the_same(locking):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=GO)
    first = locking.record()
    shutil.rmtree(locking.cache)
    again = locking.record()
    assert components_file.emit(again.recorded) == components_file.emit(first.recorded)


def test_what_cannot_be_had_stops_no_lock_and_is_looked_for_again(locking):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=GO)
    first = locking.record()
    shutil.rmtree(locking.cache)
    away = locking.publisher.folder.rename(locking.publisher.folder.with_name("away"))
    found = locking.record()
    assert found.recorded == {"tool": {}}
    (note,) = found.notes
    assert note.startswith("tool: what is inside is not recorded yet, the next run looks again: ")
    away.rename(locking.publisher.folder)
    assert locking.record(found.recorded).recorded == first.recorded


def test_a_tool_that_is_no_longer_locked_is_forgotten(locking):
    locking.publisher.publish("1.0", linux__x86_64=rust(), linux__aarch64=GO)
    first = locking.record()
    other = manifest.parse(
        "platforms: [linux/x86_64]\ntools: {other: {source: {pypi: tool}, executables: {other: '*'}}}"
    )
    assert list(locking.record(first.recorded, other).recorded) == ["other"]
