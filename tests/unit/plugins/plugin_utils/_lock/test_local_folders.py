# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of a folder on the controller, in a lock file that moves with its manifest."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._choice.choice import Choice
from ansible_collections.pinned.release.plugins.plugin_utils._lock import local_folders, lock_reader, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, wanted_digest
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf
from hypothesis import given
from hypothesis import strategies as st

SHA256 = 64 * "a"
NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


def lock_of(directory: str, path: Path) -> LockFile:
    asset = LockedAsset(
        name="demo",
        url=path.as_uri(),
        size=1,
        sha256=SHA256,
        format="bare",
        target="x86_64-unknown-linux-musl",
        requires=Requirement("linux", "x86_64", libc="static"),
        executables={"demo": Executable("demo", SHA256, 1)},
        evidence=Evidence((Claim("sha256", SHA256, path.with_name("SHA256SUMS").as_uri()),)),
        unpacked_size=1,
        tree_sha256=SHA256,
    )
    return LockFile(("linux/x86_64",), {"demo": LockedTool("1.0", {"directory": directory}, (asset,))})


def written(directory: str, path: str, place: str = "/checkout") -> LockFile:
    return local_folders.as_written(lock_of(directory, Path(path)), Path("/checkout"), Path(place))


def test_a_relative_folder_is_relative_in_the_lock_file_with_all_that_is_said_of_it():
    [asset] = written("rel", "/checkout/rel/1.0/demo").tools["demo"].assets
    assert asset.url == "file:rel/1.0/demo"
    assert asset.evidence.claims[0].origin == "file:rel/1.0/SHA256SUMS"


def test_another_checkout_finds_its_own_folder():
    text = lockfile.emit(written("rel", "/checkout/rel/1.0/demo"))
    found = local_folders.as_found(lockfile.parse(text), Path("/elsewhere"))
    assert found == lock_of("rel", Path("/elsewhere/rel/1.0/demo"))


def test_a_lock_file_in_another_folder_leads_to_the_manifests():
    [asset] = written("rel", "/checkout/rel/1.0/demo", place="/checkout/locks").tools["demo"].assets
    assert asset.url == "file:../rel/1.0/demo"


@pytest.mark.parametrize("place", ["/checkout", "/checkout/rings/dev", "/locks"])
def test_a_folder_beside_the_manifests_is_relative_and_stays_so(place):
    lock = written("../../rel", "/checkout/../../rel/1.0/demo", place=place)
    assert lock.tools["demo"].assets[0].url == f"file:{os.path.relpath('/rel/1.0/demo', place)}"
    assert local_folders.as_written(local_folders.as_found(lock, Path(place)), Path("/checkout"), Path(place)) == lock


def test_what_stays_locked_keeps_its_address_in_a_lock_file_in_another_folder():
    place = Path("/checkout/rings/dev")
    lock = written("rel", "/checkout/rel/1.0/demo", place=str(place))
    again = local_folders.as_written(local_folders.as_found(lock, place), Path("/checkout"), place)
    assert again == lock
    promoted = local_folders.as_found(lock, Path("/checkout/rings/production"))
    assert promoted == lock_of("rel", Path("/checkout/rel/1.0/demo"))


@pytest.mark.parametrize("directory", ["/checkout/rel", "~/rel", "https://example.org/rel"])
def test_an_absolute_place_stays_as_it_is(directory):
    lock = lock_of(directory, Path("/checkout/rel/1.0/demo"))
    assert local_folders.as_written(lock, Path("/checkout"), Path("/checkout")) == lock
    assert local_folders.as_found(lock, Path("/elsewhere")) == lock


@given(st.lists(NAMES, min_size=1, max_size=3), NAMES, NAMES)
def test_whatever_the_names_are_the_same_file_is_found(names, folder, base):
    lock = lock_of(folder, Path("/", base, folder, *names))
    place = Path("/", base)
    text = lockfile.emit(local_folders.as_written(lock, place, place))
    assert local_folders.as_found(lockfile.parse(text), place) == lock


def test_tools_from_folders_of_the_controller_are_told_together_in_a_line_of_a_terminal():
    local, web = (lock_of(place, Path("/r")).tools["demo"] for place in ("rel", "https://example.org/rel"))
    told = local_folders.note({"uv": local, "just": web, "ruff": local}) or ""
    assert told.startswith("uv, ruff: in folders on this controller")
    assert len(told) <= 80
    assert local_folders.note({"just": web}) is None


def test_checkouts_ask_a_host_for_the_same_and_fetch_from_their_own_folder(tmp_path):
    text = lockfile.emit(written("rel", "/checkout/rel/1.0/demo"))
    wanted = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "releases.lock.json").write_text(text)
        lock, digest = lock_reader.read_for_hosts(tmp_path / name / "releases.lock.json")
        wanted.append(Wanted(lock, digest, lock_folder=tmp_path / name))
    assert wanted_digest(wanted[0]) == wanted_digest(wanted[1])
    tools = [one.lock.tools["demo"] for one in wanted]
    receipts = [plan.receipt_for("demo", tool, Choice(tool.assets[0], ""), "", "/bin") for tool in tools]
    assert receipts[0] == receipts[1]
    assert receipts[0].source_url == "file:rel/1.0/demo"
    urls = [plan._download(one.lock.tools["demo"].assets[0], one).urls for one in wanted]
    assert urls == [[(tmp_path / name / "rel/1.0/demo").as_uri()] for name in ("a", "b")]


def test_that_line_is_told_of_what_is_locked_anew_alone(tmp_path):
    cache = Cache(tmp_path / "cache")

    def opened(tool):
        return open_source(
            tool.source, base=tmp_path, cache_root=cache.root, exact=tool.exact, is_wanted=tool.allows, token=None
        )

    def lock(tools, locked):
        """Return the lock file of *tools*, each in a folder of the controller, and the lines about such folders."""
        for name in tools:
            program = tmp_path / name / "1.0" / f"{name}-x86_64-linux"
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_bytes(elf())
            sums = f"{hashlib.sha256(elf()).hexdigest()}  {program.name}\n"
            program.with_name("SHA256SUMS").write_text(sums, encoding="utf-8")
        entries = [f"  {name}: {{source: {{directory: {tmp_path / name}}}}}" for name in tools]
        wanted = manifest.parse("\n".join(["platforms: [linux/x86_64]", "tools:", *entries]), folder=tmp_path)
        told = []
        resolver = Resolver(opened, cache, datetime.now(timezone.utc), ProgressReport(told.append))
        lock = resolver.resolve(wanted, locked, ()).lock
        return lock, [line.partition(":")[0] for line in told if "folders on this controller" in line]

    first, told = lock(["demo"], LockFile())
    assert told == ["demo"]
    both, told = lock(["demo", "other"], first)
    assert told == ["other"]
    assert lock(["demo", "other"], both) == (both, [])
