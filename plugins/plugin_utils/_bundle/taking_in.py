# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a bundle become a mirror and a filled cache, where no network is? Verified whole; runs on the controller.

Everything is verified before anything is written: each byte against the bundle's sums, the assets against the lock
files, the proofs in these against what is kept beside them, and, where the user demands it, the lock files' signatures.
An asset that the bundle leaves out must be here already, in the cache or in the mirror. Nobody is asked.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import layout
from ansible_collections.pinned.release.plugins.plugin_utils._bundle.reading import Bundle
from ansible_collections.pinned.release.plugins.plugin_utils._lock import components_file, signers, verification
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verification import Verification
from ansible_collections.pinned.release.plugins.plugin_utils._mirror import folder as folders
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.given_locks import read_lock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.plan import Plan
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import (
    Publication,
    beside_lock,
    publication,
)
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publish import Mirror
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache, Progress
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Source
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: What lies beside lock files and is none.
_NO_LOCKS = (".sig", ".minisig", components_file.ENDING)
_ANOTHER = "get the bundle again; do not use this one"


@dataclass(frozen=True)
class Taken:
    """What is taken in of a bundle.

    cached  the assets that were not in the cache, ``tool version: name``
    """

    wanted: Publication
    todo: Plan
    cached: tuple[str, ...]
    lockfiles: tuple[str, ...]
    proofs: tuple[Verification, ...]
    notes: tuple[str, ...]

    @property
    def cache_notes(self) -> tuple[str, ...]:
        """What to tell of the cache: it may be all that changed."""
        count = len(self.cached)
        return (f"put {count} asset{'' if count == 1 else 's'} into the controller's cache",) if count else ()


@dataclass(frozen=True)
class BundleIntake:
    """Takes a *bundle* in: into the *cache*, and into the mirror in the folder *dest*."""

    bundle: Bundle
    dest: Path
    cache: Cache
    required: signers.Signers | None = None

    def foreseen(self, now: datetime) -> Taken:
        """Return what take_in() would do. Nothing is written. Raises ReleaseError as it does."""
        return self._verified(now)[0]

    def take_in(self, now: datetime) -> Taken:
        """Fill the cache and make the mirror; return what was done. *now* is for the dates of trust roots.

        Raises ReleaseError for a bundle that is not what it should be, before anything is written; if an asset is
        nowhere; and if the system refuses.
        """
        taken, lacking = self._verified(now)
        with folders.opened(self.dest) as mirror:
            for origin, place in lacking:
                asset = _asset(origin.asset)
                if place is None:
                    self.cache.keep(asset, self.bundle.chunks(layout.asset_path(origin.asset.sha256)))
                elif mirror is not None:
                    self.cache.keep(asset, mirror.chunks(place))
        todo = Mirror(self.dest, taken.wanted).publish(_Kept(self.cache, _nobody))
        return replace(taken, todo=todo)

    def _verified(self, now: datetime) -> tuple[Taken, list[tuple[AssetOrigin, str | None]]]:
        """Return what is to be done, and which assets the cache lacks, each with its path in the mirror or None."""
        locks = self._locks()
        wanted = publication(locks)
        assets = {origin.asset.sha256: origin for lock in locks for origin in _assets(lock)}
        self._refuse_others(locks, assets)
        proofs, notes = self._proven(locks, now)
        lacking = self._lacking(wanted, assets)
        cached = tuple(f"{origin.name} {origin.tool.version}: {origin.asset.name}" for origin, _place in lacking)
        todo = Mirror(self.dest, wanted).foreseen()
        lockfiles = tuple(str(self.dest / layout.LOCKS / lock.path.name) for lock in locks)
        return Taken(wanted, todo, cached, lockfiles, proofs, notes), lacking

    def _locks(self) -> list[GivenLock]:
        """Return the lock files in the bundle. Raises ReleaseError if they are not signed, or lack evidence."""
        paths = [path for path in self.bundle.parts if path.startswith(layout.LOCKS)]
        with tempfile.TemporaryDirectory() as folder:
            for path in paths:
                place = Path(folder) / path
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as file:
                    file.writelines(self.bundle.chunks(path))
            names = [path for path in paths if path.count("/") == 1 and not path.endswith(_NO_LOCKS)]
            locks = [self._lock(Path(folder), name) for name in names]
        if not locks:
            raise ReleaseError(f"{self.bundle.path} has no lock file", fix=_ANOTHER)
        return locks

    def _lock(self, folder: Path, name: str) -> GivenLock:
        try:
            given = read_lock(folder / name, self.required)
        except ReleaseError as error:
            parts = [part and part.replace(f"{folder}/", "") for part in (error.what, error.expected, error.found)]
            raise ReleaseError(f"{self.bundle.path}: {parts[0]}", parts[1], parts[2], _ANOTHER) from error
        return replace(given, path=self.bundle.path / name)

    def _refuse_others(self, locks: Sequence[GivenLock], assets: Mapping[str, AssetOrigin]) -> None:
        """Raise ReleaseError if the bundle has what its lock files do not name, or other sizes than they pin."""
        named = {layout.LOCKS + name for lock in locks for name in beside_lock(lock)}
        others = {path for path in self.bundle.parts if path.startswith(layout.LOCKS)} - named
        others |= {layout.asset_path(one) for one in layout.asset_digests(self.bundle.parts) - assets.keys()}
        if others:
            raise ReleaseError(
                f"{self.bundle.path} has what none of its lock files names", found=listed(sorted(others)), fix=_ANOTHER
            )
        for sha256, origin in assets.items():
            part = self.bundle.parts.get(layout.asset_path(sha256))
            if part is not None and part.size != origin.asset.size:
                raise ReleaseError(
                    f"{origin.name}: the lock file gives {origin.asset.name} a size that its bytes do not have",
                    expected=f"{origin.asset.size} bytes",
                    found=f"{part.size} bytes",
                    fix=_ANOTHER,
                )

    def _proven(self, locks: Sequence[GivenLock], now: datetime) -> tuple[tuple[Verification, ...], tuple[str, ...]]:
        """Return what became of every proof. Raises ReleaseError if one does not hold."""
        proofs: list[Verification] = []
        notes: list[str] = []
        for lock in locks:
            found = verification.verify(lock.lock, lock.evidence.__getitem__, self._open)
            verification.refuse_failed(found)
            proofs += found
            notes += verification.notes(found) if found else []
            notes += verification.root_notes(lock.lock, lock.evidence.__getitem__, now)
        return tuple(proofs), tuple(dict.fromkeys(notes))

    def _open(self, sha256: str) -> BinaryIO | None:
        return self.bundle.open_asset(sha256) or self.cache.open_kept(sha256)

    def _lacking(self, wanted: Publication, assets: Mapping[str, AssetOrigin]) -> list[tuple[AssetOrigin, str | None]]:
        """Return which *assets* the cache lacks. Raises ReleaseError for those that are nowhere."""
        lacking: list[tuple[AssetOrigin, str | None]] = []
        nowhere = []
        with folders.opened(self.dest) as mirror:
            for sha256, origin in assets.items():
                if self.cache.find(_asset(origin.asset)) is not None:
                    continue
                if layout.asset_path(sha256) in self.bundle.parts:
                    lacking.append((origin, None))
                    continue
                place = _place(mirror, wanted, origin.asset)
                lacking.append((origin, place))
                if place is None:
                    nowhere.append(f"{origin.name} {origin.tool.version}: {origin.asset.name}")
        if nowhere:
            raise ReleaseError(
                f"{self.bundle.path} leaves out assets that are not here either",
                expected=f"them in the bundle, in the cache {self.cache.root}, or in {self.dest}",
                found=listed(nowhere),
                fix="make the bundle with a lock file in since that was rolled out here, or without since",
            )
        return lacking


class _Kept(AssetBytes):
    """The bytes of assets that are in the cache; nobody is asked for others."""

    def cached(self, origin: AssetOrigin, progress: Progress = lambda received: None) -> CachedFile:
        """Return the bytes of an asset as they are pinned. Raises ReleaseError if they are not in the cache."""
        return self.cache.find(_asset(origin.asset)) or _raise_gone(origin)


def _raise_gone(origin: AssetOrigin) -> CachedFile:
    raise ReleaseError(f"{origin.name}: {origin.asset.name} was removed from the cache meanwhile", fix="run again")


def _nobody(origin: AssetOrigin) -> Source:
    return _raise_gone(origin)  # type: ignore[return-value]


def _assets(lock: GivenLock) -> Iterator[AssetOrigin]:
    for name, tool in lock.lock.tools.items():
        for asset in tool.assets:
            yield AssetOrigin(lock.path, name, tool, asset)


def _asset(locked: LockedAsset) -> Asset:
    return Asset(locked.name, locked.url, locked.size, {"sha256": locked.sha256})


def _place(mirror: folders.MirrorFolder | None, wanted: Publication, asset: LockedAsset) -> str | None:
    """Return the path at which the *mirror* has the bytes of the asset, None where it has not."""
    expected = (asset.sha256, asset.size)
    for path, file in wanted.files.items():
        if mirror is not None and (file.entry.sha256, file.entry.size) == expected:
            with contextlib.suppress(ReleaseError, OSError):
                if mirror.digest(path) == expected:
                    return path
    return None
