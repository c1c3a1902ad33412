# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry has for lock files depends on them alone, and contradictions are told before anything is pushed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.artifacts import Artifacts, artifacts
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Alias, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import STATIC, asset, given, tool


def lock(folder: Path, name: str = "a.lock.json", **tools: LockedTool) -> GivenLock:
    return given(folder / name, tools)


def platform(requires: Requirement, folder: Path) -> object:
    pinned = tool(replace(asset("https://h/t.gz", b"x"), requires=requires))
    [version] = artifacts([lock(folder, t=pinned)]).versions
    return version.artifacts[0].part.get("platform")


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (STATIC, {"os": "linux", "architecture": "amd64"}),
        (Requirement("macos", "aarch64", libc="system"), {"os": "darwin", "architecture": "arm64"}),
        (
            Requirement("linux", "arm", cpu="armv7", abi="eabihf", libc="glibc"),
            {"os": "linux", "architecture": "arm", "variant": "v7"},
        ),
        (Requirement("any", "any", interpreter="/bin/sh"), None),
    ],
)
def test_platform_has_the_words_of_the_image_spec(tmp_path: Path, requires: Requirement, expected: object) -> None:
    assert platform(requires, tmp_path) == expected


def test_order_of_lock_files_means_nothing(tmp_path: Path) -> None:
    one = lock(tmp_path, "a.lock.json", t=tool(asset("https://h/a.gz", b"a")), u=tool(asset("https://h/u.gz", b"u")))
    other = lock(tmp_path, "b.lock.json", t=tool(asset("https://h/b.gz", b"b")))
    assert indexes(artifacts([one, other])) == indexes(artifacts([other, one]))


def indexes(found: Artifacts) -> list[tuple[str, bytes]]:
    return [(str(version), version.index([])) for version in found.versions]


def test_universal_asset_is_in_the_index_once_for_each_target(tmp_path: Path) -> None:
    one = asset("https://h/t.gz", b"x")
    other = replace(one, target="aarch64-unknown-linux-musl", requires=Requirement("linux", "aarch64", libc="static"))
    [version] = artifacts([lock(tmp_path, t=tool(one, other))]).versions
    assert len(version.artifacts) == 2
    assert len({artifact.entry for artifact in version.artifacts}) == 1


def test_two_contents_of_one_name_are_refused_with_both_lock_files(tmp_path: Path) -> None:
    one = lock(tmp_path, "a.lock.json", t=tool(asset("https://h/t.gz", b"x")))
    other = lock(tmp_path, "b.lock.json", t=tool(asset("https://h/t.gz", b"y")))
    with pytest.raises(ReleaseError, match=r"t\.gz would have two contents in one registry") as refused:
        artifacts([one, other])
    assert "a.lock.json" in str(refused.value)
    assert "b.lock.json" in str(refused.value)


def test_two_versions_of_one_tag_are_refused(tmp_path: Path) -> None:
    one = lock(tmp_path, "a.lock.json", t=tool(asset("https://h/t.gz", b"x"), version="1+1"))
    other = lock(tmp_path, "b.lock.json", t=tool(asset("https://h/t.gz", b"x"), version="1_1"))
    with pytest.raises(ReleaseError, match="would have one tag"):
        artifacts([one, other])


@pytest.mark.parametrize(("name", "version"), [("Tool", "1.0"), ("g++", "1.0"), ("tool", "1.0~rc1")])
def test_name_that_no_registry_takes_is_refused(tmp_path: Path, name: str, version: str) -> None:
    with pytest.raises(ReleaseError, match="can be called so"):
        artifacts([lock(tmp_path, **{name: tool(asset("https://h/t.gz", b"x"), version=version)})])


def test_more_files_than_are_read_are_refused(tmp_path: Path) -> None:
    assets = [asset(f"https://h/{number}.gz", b"x") for number in range(101)]
    [version] = artifacts([lock(tmp_path, t=tool(*assets))]).versions
    with pytest.raises(ReleaseError, match="too many files"):
        version.index([])


def test_alias_is_told_not_to_be_there(tmp_path: Path) -> None:
    alias = Alias("gnu.gz", "gnu.gz", "t.gz", "0" * 64, 5)
    found = artifacts([lock(tmp_path, t=tool(asset("https://h/t.gz", b"x"), aliases=[alias]))])
    assert found.notes == ("t: the alias gnu.gz is not in the registry: nobody reads names there",)


def test_no_lock_file_is_refused() -> None:
    with pytest.raises(ReleaseError, match="lockfile names no lock file"):
        artifacts([])
