# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher of one tool, whose assets lie in a folder, and a controller that locks it. For tests of locking."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import requests
from ansible_collections.pinned.release.plugins.plugin_utils._lock import catalogue_moves, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution, Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Authorities
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release, Source
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import tiny_programs

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)
X86_64, AARCH64 = 62, 183
LOADER = "/lib64/ld-linux-x86-64.so.2"
STATIC = tiny_programs.elf(machine=X86_64)
GNU = tiny_programs.elf(machine=X86_64, interpreter=LOADER, needed=("libc.so.6",), versions=("GLIBC_2.39",))
ARM = tiny_programs.elf(machine=AARCH64)


def name_of(version: str, name: str) -> str:
    """Return the name of an asset: __ stands for a dash."""
    return f"tool-{version}-{name.replace('__', '-')}"


class Publisher:
    """A source of one tool's releases, whose assets lie in a folder; counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = requests.Session()
        self.asked = 0
        self._releases: list[Release] = []

    def publish(self, version: str, *, days_old: int = 30, is_prerelease: bool = False, **programs: bytes) -> None:
        """Publish programs, as tool-VERSION-NAME, with their digests in the listing."""
        assets = [self._asset(name_of(version, name), content) for name, content in programs.items()]
        published = NOW - timedelta(days=days_old)
        self._releases.append(Release(version, tuple(assets), published, is_prerelease))

    def publish_files(self, version: str, files: Mapping[str, bytes]) -> None:
        """Publish files of these names, of which the listing has no digests, in place of what the version had."""
        assets = tuple(replace(self._asset(name, content), digests={}) for name, content in files.items())
        self._releases = [release for release in self._releases if release.version != version]
        self._releases.append(Release(version, assets, NOW - timedelta(days=30)))

    def _asset(self, name: str, content: bytes) -> Asset:
        path = self.folder / name
        path.write_bytes(content)
        return Asset(name, path.as_uri(), len(content), {"sha256": hashlib.sha256(content).hexdigest()})

    def republish(self, *releases: Release) -> None:
        self._releases = list(releases)

    def describe(self) -> str:
        return "the publisher"

    def releases(self) -> Sequence[Release]:
        self.asked += 1
        return self._releases


class Controller:
    """Resolves manifests about the one tool of *publisher*."""

    def __init__(self, publisher: Publisher, cache: Path) -> None:
        self.publisher = publisher
        self.cache = cache
        self.folder = Path()
        self.told: list[str] = []
        self.has_kept: Callable[[str], bool] = lambda sha256: True
        self.authorities = Authorities()

    def resolve(
        self,
        version: str = "*",
        locked: LockFile | None = None,
        platforms: str = "linux/x86_64",
        upgrade: Sequence[str] = (),
        more: str = "",
        age: str = "0d",
    ) -> Resolution:
        text = f"""
            platforms: [{platforms}]
            policy: {{minimum_age: {age}}}
            tools: {{tool: {{source: {{pypi: tool}}, version: "{version}"{more}}}}}
        """
        return self.resolve_text(text, locked, upgrade)

    def resolve_text(self, text: str, locked: LockFile | None = None, upgrade: Sequence[str] = ()) -> Resolution:
        progress = ProgressReport(self.told.append)
        resolver = Resolver(
            *(self._open, Cache(self.cache), NOW, progress), has_kept=self.has_kept, authorities=self.authorities
        )
        wanted = catalogue_moves.taken(manifest.parse(text, folder=self.folder, locked=locked), upgrade)
        return resolver.resolve(wanted, locked or LockFile(), upgrade)

    def _open(self, wanted: WantedTool) -> Source:
        return self.publisher
