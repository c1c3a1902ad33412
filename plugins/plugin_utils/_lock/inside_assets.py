# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is inside the programs that a lock pins? Known of each asset, or read from its bytes; runs on the controller.

Of assets that the file of components knows, nothing is read or fetched. A new asset was fetched and opened a moment
before, so it is in the cache and remembered. Only if the file was lost, and the cache too, an asset is fetched anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import remembered
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents
from ansible_collections.pinned.release.plugins.plugin_utils._lock.components_file import Recorded
from ansible_collections.pinned.release.plugins.plugin_utils._lock.inside_words import in_words
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.means import Means
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside, gap_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile, to_fetch
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

PARALLEL_REQUESTS = 6
#: Of programs with gaps, and of assets that differ, so many are shown.
MOST_SHOWN = 3
#: What is inside the programs of an asset, by their paths.
Programs: TypeAlias = Mapping[str, Inside]


@dataclass(frozen=True)
class Recording:
    """What is recorded of all assets of a lock, and what to tell people of those that were not known before."""

    recorded: Recorded
    notes: tuple[str, ...] = ()


def record(means: Means, wanted: Manifest, lock: LockFile, known: Recorded) -> Recording:
    """Return what is inside the programs of *lock*, starting from what is *known* of its assets.

    An asset that cannot be had now stays unknown, with a note: the lock pins it whatever is inside.
    """
    recorded: dict[str, dict[str, Programs]] = {}
    notes: list[str] = []
    reader = _Reader(means, wanted)
    for name, tool in sorted(lock.tools.items()):
        assets = {asset.sha256: asset for asset in tool.assets}
        recorded[name] = {sha256: known[name][sha256] for sha256 in assets if sha256 in known.get(name, {})}
        new = reader.programs(name, [asset for sha256, asset in assets.items() if sha256 not in recorded[name]])
        recorded[name].update(new.by_sha256)
        notes += [f"{name}: {line}" for line in new.notes()]
    return Recording(recorded, tuple(notes))


@dataclass(frozen=True)
class _New:
    """What was read of a tool's assets: their programs by the asset's SHA-256, and errors of those that failed."""

    by_sha256: Mapping[str, Programs]
    errors: Sequence[ReleaseError] = ()

    def notes(self) -> Iterator[str]:
        """Yield a line for what was found, for programs with gaps, and for what could not be read."""
        found = dict.fromkeys(filter(None, (in_words(programs.values()) for programs in self.by_sha256.values())))
        if found:
            yield f"its programs are made of {' or '.join(list(found)[:MOST_SHOWN])}"
        gaps = dict.fromkeys(
            f"{path} ({inside.gap})"
            for programs in self.by_sha256.values()
            for path, inside in sorted(programs.items())
            if inside.gap
        )
        if gaps:
            yield f"what is inside cannot be told, or not all of it: {listed(gaps, MOST_SHOWN)}"
        if self.errors:
            yield f"what is inside is not recorded yet, the next run looks again: {self.errors[0].what}"


class _Reader:
    """Reads assets of a lock, several at a time."""

    def __init__(self, means: Means, wanted: Manifest) -> None:
        self._means = means
        self._wanted = wanted
        self._allowance = Allowance(wanted.policy.maximum_unpacked_bytes)

    def programs(self, name: str, assets: Sequence[LockedAsset]) -> _New:
        """Return what is inside the programs of the *assets* of the tool of this *name*."""
        if not assets:
            return _New({})
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            found = list(pool.map(partial(self._of_asset, name), assets))
        pairs = list(zip(assets, found, strict=True))
        return _New(
            {asset.sha256: one for asset, one in pairs if not isinstance(one, ReleaseError)},
            [one for one in found if isinstance(one, ReleaseError)],
        )

    def _of_asset(self, name: str, asset: LockedAsset) -> Programs | ReleaseError:
        cache, pinned = self._means.cache, to_fetch(asset)
        try:
            cached = cache.find(pinned)
            if cached is None:
                cached = cache.fetch(pinned, self._means.open_source(self._wanted.tools[name]).session)
            return _programs(remembered.look_into(cached, asset.name, name, self._allowance, cache.root))
        except ReleaseError as error:
            return error


def _programs(contents: Contents) -> Programs:
    """Return what is inside each program that a compiler made: a script is only what it says itself."""
    unreadable = {path: Inside(gap=gap_of(error.found or error.what)) for path, error in contents.unreadable.items()}
    return {**unreadable, **{one.path: one.inside for one in contents.programs if not one.is_script}}
