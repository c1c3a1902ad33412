# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which locked asset a host or a target gets, outside of converging."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice.locked_asset import (
    described,
    for_host,
    for_target,
    needs_of,
    tool_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host, Known
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import triple

GNU = Requirement(
    os="linux",
    arch="x86_64",
    libc="glibc",
    libc_min="2.28",
    interpreter="/lib64/ld-linux-x86-64.so.2",
    libraries=("libc.so.6", "libgcc_s.so.1"),
)
STATIC = Requirement(os="linux", arch="x86_64", libc="static")
MUSL = Requirement(os="linux", arch="x86_64", libc="musl", interpreter="/lib/ld-musl-x86_64.so.1")
SCRIPT = Requirement(os="any", arch="any", interpreter="/bin/sh")
MAC_SCRIPT = Requirement(os="macos", arch="aarch64", interpreter="/bin/sh")
GATHERED = Known(
    Host("linux", "x86_64", libc="glibc", libc_version="2.36", kernel_arch="x86_64"), ("loaders", "libraries")
)
PROBED = Known(
    replace(GATHERED.host, loaders=("/lib64/ld-linux-x86-64.so.2",), libraries=frozenset(["libgcc_s.so.1"])), ()
)


def tool(*requirements: Requirement) -> LockedTool:
    assets = [
        LockedAsset(
            name=f"uv-{number}.tar.gz",
            url=f"https://example.org/uv-{number}.tar.gz",
            size=1000 + number,
            sha256=f"{number}" * 64,
            format="tar.gz",
            target=triple(requires),
            requires=requires,
            executables={"uv": Executable("bin/uv", "f" * 64, 500)},
            evidence=Evidence(),
            unpacked_size=500,
            tree_sha256="e" * 64,
        )
        for number, requires in enumerate(requirements)
    ]
    return LockedTool("0.9.7", {"directory": "/releases"}, tuple(assets))


@pytest.mark.parametrize(
    ("known", "prefer", "chosen", "reason"),
    [
        (PROBED, "native", GNU, "gnu build needs glibc 2.28, host has 2.36"),
        (PROBED, "static", STATIC, "static x86_64 build, needs no libc"),
        (
            GATHERED,
            "native",
            STATIC,
            f"gnu build needs the loader {GNU.interpreter}, the host's loaders are unknown → static musl build",
        ),
    ],
)
def test_a_host_gets_what_surely_starts_there(known: Known, prefer: str, chosen: Requirement, reason: str) -> None:
    choice = for_host("uv", tool(STATIC, GNU, MUSL), known, prefer)
    assert (choice.asset.requires, choice.reason) == (chosen, reason)


def test_where_facts_do_not_suffice_the_error_says_what_is_unknown_and_how_to_know_it() -> None:
    with pytest.raises(ReleaseError) as error:
        for_host("uv", tool(GNU), GATHERED, "native")
    assert error.value.found == "unknown of the host: loaders, libraries"
    assert "pinned.release.target_facts" in str(error.value.fix)


def test_where_all_is_known_the_error_is_that_of_the_plan() -> None:
    with pytest.raises(ReleaseError, match=r"name linux/x86_64/\S* in the manifest's platforms"):
        for_host("uv", tool(MUSL), PROBED, "native")


@pytest.mark.parametrize(
    ("locked", "target", "chosen", "reason"),
    [
        ((STATIC, GNU), "x86_64-unknown-linux-gnu", GNU, "is locked for x86_64-unknown-linux-gnu"),
        ((STATIC, GNU), "x86_64-unknown-linux-musl", STATIC, "is locked for x86_64-unknown-linux-musl"),
        (
            (STATIC,),
            "x86_64-unknown-linux-gnu",
            STATIC,
            "nothing is locked for x86_64-unknown-linux-gnu → static musl build, needs no libc",
        ),
        ((SCRIPT,), "aarch64-apple-darwin", SCRIPT, "nothing is locked for aarch64-apple-darwin → script"),
        (
            (MAC_SCRIPT, SCRIPT),
            "x86_64-unknown-linux-gnu",
            SCRIPT,
            "nothing is locked for x86_64-unknown-linux-gnu → script",
        ),
        ((MAC_SCRIPT,), "aarch64-apple-darwin", MAC_SCRIPT, "nothing is locked for aarch64-apple-darwin → script"),
        (
            (replace(GNU, libc_min="2.34"), GNU, replace(GNU, libc_min=None, cpu="x86-64-v3")),
            "x86_64-unknown-linux-gnu",
            GNU,
            "is locked for x86_64-unknown-linux-gnu",
        ),
        (
            (replace(GNU, cpu="x86-64-v2"), replace(GNU, libc_min="2.34")),
            "x86_64-unknown-linux-gnu",
            replace(GNU, libc_min="2.34"),
            "is locked for x86_64-unknown-linux-gnu",
        ),
        (
            (replace(GNU, libc_min="2.34"), replace(GNU, cpu="x86-64-v1")),
            "x86_64-unknown-linux-gnu",
            replace(GNU, cpu="x86-64-v1"),
            "is locked for x86_64-unknown-linux-gnu",
        ),
    ],
)
def test_a_target_gets_its_asset_or_what_surely_runs_there(
    locked: tuple[Requirement, ...], target: str, chosen: Requirement, reason: str
) -> None:
    choice = for_target("uv", tool(*locked), target)
    assert (choice.asset.requires, choice.reason) == (chosen, reason)


@pytest.mark.parametrize(
    ("locked", "target"),
    [
        (GNU, "x86_64-unknown-linux-musl"),
        (MUSL, "x86_64-unknown-linux-gnu"),
        (STATIC, "aarch64-unknown-linux-gnu"),
        (STATIC, "x86_64"),
        (MAC_SCRIPT, "aarch64-unknown-linux-gnu"),
        (MAC_SCRIPT, "x86_64-apple-darwin"),
    ],
)
def test_a_target_never_gets_what_is_for_another(locked: Requirement, target: str) -> None:
    with pytest.raises(ReleaseError) as error:
        for_target("uv", tool(locked), target)
    assert error.value.expected == f"one of {triple(locked)}"


def test_everything_a_task_needs_is_told() -> None:
    locked = tool(STATIC)
    assert described("uv", locked, for_target("uv", locked, "x86_64-unknown-linux-musl")) == {
        "tool": "uv",
        "version": "0.9.7",
        "name": "uv-0.tar.gz",
        "url": "https://example.org/uv-0.tar.gz",
        "size": 1000,
        "sha256": "0" * 64,
        "checksum": "sha256:" + "0" * 64,
        "format": "tar.gz",
        "target": "x86_64-unknown-linux-musl",
        "executables": {"uv": {"path": "bin/uv", "sha256": "f" * 64, "size": 500}},
        "reason": "is locked for x86_64-unknown-linux-musl",
    }


def test_what_all_tools_need_is_looked_for_at_once() -> None:
    lock = LockFile(("linux/x86_64",), {"uv": tool(GNU, STATIC), "sh": tool(SCRIPT)})
    assert needs_of(lock) == ("/bin/sh", "libgcc_s.so.1")


def test_an_unknown_tool_is_answered_with_those_there_are() -> None:
    with pytest.raises(ReleaseError, match="one of ruff, uv"):
        tool_of(LockFile((), {"uv": tool(STATIC), "ruff": tool(STATIC)}), "kubectl")


def test_an_unknown_tool_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(ReleaseError, match=r"did you mean uv\?"):
        tool_of(LockFile((), {"uv": tool(STATIC), "ruff": tool(STATIC)}), "vu")


def test_a_lock_file_on_disk_is_read_with_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "releases.lock.json"
    lock = LockFile(("linux/x86_64",), {"uv": tool(STATIC)})
    path.write_text(lockfile.emit(lock), encoding="utf-8")
    assert lock_reader.read(path)[0] == lock
    assert len(lock_reader.read(path)[1]) == 64


@pytest.mark.parametrize(("content", "found"), [(None, "No such file or directory"), (b"\xff", "'utf-8' codec")])
def test_a_lock_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, found: str) -> None:
    path = tmp_path / "releases.lock.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReleaseError, match="cannot read the lock file") as error:
        lock_reader.read(path)
    assert str(error.value.found).startswith(found)
    assert str(path) in error.value.what
