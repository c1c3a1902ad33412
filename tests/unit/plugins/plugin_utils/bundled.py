# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of an air gap: a site that writes bundles, and one that takes them in. For tests of bundles."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.tar import read_tar
from ansible_collections.pinned.release.plugins.plugin_utils._asset import tar_writer
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import layout, reading, writing
from ansible_collections.pinned.release.plugins.plugin_utils._bundle.taking_in import BundleIntake, Taken
from ansible_collections.pinned.release.plugins.plugin_utils._lock.signers import Signers
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import Site

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Sender(Site):
    """The side with a network."""

    @property
    def bundle(self) -> Path:
        return self.folder / "releases.bundle.tar"

    def _file(self, locks: Iterable[GivenLock], since: Iterable[LockFile], controller: bool) -> writing.BundleFile:
        return writing.BundleFile(self.bundle, writing.pinned(list(locks), list(since)), controller)

    def write(self, *locks: GivenLock, since: Iterable[LockFile] = (), controller: bool = False) -> writing.Written:
        return self._file(locks, since, controller).write(self.assets)

    def would_write(self, *locks: GivenLock, controller: bool = False) -> writing.Written:
        return self._file(locks, (), controller).foreseen()


@dataclass(frozen=True)
class Receiver(Site):
    """The side without one: it has no publisher to ask."""

    @property
    def cache(self) -> Cache:
        return Cache(self.folder / "cache")

    def take_in(self, bundle: Path, required: Signers | None = None) -> Taken:
        with reading.opened(bundle) as opened:
            return BundleIntake(opened, self.dest, self.cache, required).take_in(NOW)

    def foreseen(self, bundle: Path) -> Taken:  # type: ignore[override]
        with reading.opened(bundle) as opened:
            return BundleIntake(opened, self.dest, self.cache).foreseen(NOW)

    def is_untouched(self) -> bool:
        return not self.dest.exists() and not (self.folder / "cache").exists()


def members(path: Path) -> dict[str, bytes]:
    """Return the members of a bundle in their order, whatever it holds."""
    with path.open("rb") as file:
        return {entry.name: content.read() for entry, content in read_tar(file, path.name, True) if content}


def tarred(contents: Mapping[str, bytes]) -> bytes:
    """Return an archive of *contents* in their order."""
    entries = (
        tar_writer.header(tar_writer.FILE, name, size=len(content)) + content + tar_writer.padding(len(content))
        for name, content in contents.items()
    )
    return b"".join(tar_writer.end(entries))


def forged(path: Path, changed: Mapping[str, bytes | None]) -> None:
    """Write a bundle anew with *changed* members, None for those that are gone, and sums that fit them."""
    contents = {name: content for name, content in {**members(path), **changed}.items() if content is not None}
    contents.pop(layout.SUMS)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    path.write_bytes(tarred({layout.SUMS: sums.encode(), **contents}))


def wheel(folder: Path, name: str, version: str = "1.0", needs: str = "") -> Path:
    """Return a wheel without any code, which pip takes (PEP 427)."""
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    about += f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{stem}.dist-info/METADATA", about)
        file.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{stem}.dist-info/RECORD", "")
    return path
