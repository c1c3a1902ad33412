# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher on loopback, lock files that pin what it has, and their mirror. For tests of mirrors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests
from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.given_locks import read_lock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.plan import Plan
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import publication
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publish import Mirror
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Alias,
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

STATIC = Requirement("linux", "x86_64", libc="static")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def asset(url: str, content: bytes, name: str | None = None, proofs: Sequence[Proof] = ()) -> LockedAsset:
    name = name or url.rpartition("/")[2]
    return LockedAsset(
        name=name,
        url=url,
        size=len(content),
        sha256=sha256(content),
        format=format_of(name),
        target="x86_64-unknown-linux-musl",
        requires=STATIC,
        executables={"tool": Executable("tool", sha256(content), len(content))},
        evidence=Evidence((), tuple(proofs)),
        unpacked_size=len(content),
        tree_sha256=sha256(b"tree" + content),
    )


def tool(*assets: LockedAsset, version: str = "1.0", aliases: Sequence[Alias] = ()) -> LockedTool:
    return LockedTool(version, {"http": "https://h/{version}"}, assets, aliases=tuple(aliases))


def given(path: Path, tools: Mapping[str, LockedTool]) -> GivenLock:
    """Return the lock file that is written to *path*, as it is read again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lockfile.emit(LockFile(("linux/x86_64",), tools)))
    return read_lock(path)


@dataclass
class Publisher:
    """A source without any list: it only has a session."""

    session: requests.Session = field(default_factory=transport.session)

    def describe(self) -> str:
        return "the publisher"

    def releases(self) -> Sequence[Release]:
        return ()


@dataclass(frozen=True)
class Site:
    """A folder with a mirror, and the cache of the controller that keeps it."""

    folder: Path

    @property
    def dest(self) -> Path:
        return self.folder / "mirror"

    @property
    def assets(self) -> AssetBytes:
        def publisher(origin: AssetOrigin) -> Publisher:
            return Publisher()

        return AssetBytes(Cache(self.folder / "cache"), publisher)

    def mirror(self, *locks: GivenLock, prune: bool = False) -> Plan:
        return Mirror(self.dest, publication(locks), prune).publish(self.assets)

    def foreseen(self, *locks: GivenLock, prune: bool = False) -> Plan:
        return Mirror(self.dest, publication(locks), prune).foreseen()

    def files(self) -> dict[str, bytes]:
        """Return what readers find: every file of the mirror, less what is our own."""
        return {
            path: (self.dest / path).read_bytes()
            for path in sorted(str(file.relative_to(self.dest)) for file in self.dest.rglob("*") if file.is_file())
            if not path.startswith(".pinned.release/")
        }

    def read(self, path: str) -> str:
        return (self.dest / path).read_text()
