# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did anything change under a version that was locked? Pure; runs on the controller.

An asset is compared with the locked one of its name, and with those that served the same platforms: whoever exchanges
a file can also rename it, pack it otherwise, or lay a second one beside it that is preferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import serves
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release


@dataclass(frozen=True)
class _Exchange:
    """What was locked, what would be locked now, and what of the tool that is: an asset's name, or a platform."""

    what: str
    before: LockedAsset
    after: LockedAsset


def refuse_republished(
    wanted: WantedTool, release: Release, assets: Sequence[LockedAsset], locked: LockedTool | None
) -> None:
    """Raise ReleaseError if *assets* of *release* differ from those that were *locked* of the same version.

    That is an alarm, never an update, wherever the bytes come from now. Builds that join others are none, nor are files
    that the manifest chooses now by another ``asset:`` or ``executables:`` while those of before are still published,
    nor bytes that the user accepts by their digest (``_values/accepted.py``).
    """
    if locked is None or locked.version != release.version:
        return
    exchanges = [*_same_name(assets, locked)]
    if not _is_the_users_choice(wanted, release, assets, locked):
        exchanges += [*_same_build(assets, locked), *_same_platform(wanted, assets, locked)]
    accepted = wanted.accepted.get("republished", ())
    for exchange in exchanges:
        if f"{release.version} {exchange.after.sha256}" not in accepted:
            raise _alarm(wanted, release, exchange)


def _same_name(assets: Sequence[LockedAsset], locked: LockedTool) -> Iterator[_Exchange]:
    before = {asset.name: asset for asset in locked.assets}
    for asset in assets:
        if asset.name in before and before[asset.name].sha256 != asset.sha256:
            yield _Exchange(asset.name, before[asset.name], asset)


def _same_build(assets: Sequence[LockedAsset], locked: LockedTool) -> Iterator[_Exchange]:
    """Yield each asset that has other bytes for the target and processor that another was locked for."""
    before: dict[tuple[str, str | None], list[LockedAsset]] = {}
    for asset in locked.assets:
        before.setdefault((asset.target, asset.requires.cpu), []).append(asset)
    for asset in assets:
        of_build = before.get((asset.target, asset.requires.cpu), [])
        if of_build and asset.sha256 not in {other.sha256 for other in of_build}:
            yield _Exchange(f"what is for {asset.target}", of_build[0], asset)


def _same_platform(wanted: WantedTool, assets: Sequence[LockedAsset], locked: LockedTool) -> Iterator[_Exchange]:
    """Yield each platform that has lost an asset, and has other bytes instead."""
    for platform in wanted.platforms:
        before = [asset for asset in locked.assets if serves(asset.requires, platform)]
        after = [asset for asset in assets if serves(asset.requires, platform)]
        lost = _beyond(before, after)
        joined = _beyond(after, before)
        if lost:
            yield from (_Exchange(f"what serves {platform}", lost[0], other) for other in joined)


def _beyond(assets: Sequence[LockedAsset], others: Sequence[LockedAsset]) -> list[LockedAsset]:
    """Return those of *assets* whose bytes none of *others* has."""
    known = {other.sha256 for other in others}
    return [asset for asset in assets if asset.sha256 not in known]


def _is_the_users_choice(
    wanted: WantedTool, release: Release, assets: Sequence[LockedAsset], locked: LockedTool
) -> bool:
    """Return whether the manifest asks for other files of the same source, and those of before are still there."""
    is_asked_otherwise = (wanted.asset, wanted.executables) != (locked.asset, locked.executables)
    published = {asset.name for asset in release.assets}
    is_all_there = all(asset.name in published for asset in _beyond(locked.assets, assets))
    return is_asked_otherwise and wanted.source == locked.source and is_all_there


def _alarm(wanted: WantedTool, release: Release, exchange: _Exchange) -> ReleaseError:
    before, after = exchange.before, exchange.after
    return ReleaseError(
        f"{wanted.name} {release.version}: {exchange.what} was changed after it was locked",
        expected=f"sha256 {before.sha256}, as the lock file says of {before.name}",
        found=f"sha256 {after.sha256} of {after.name} at {urlsplit(after.url).hostname or after.url}",
        fix="do not install it before its publisher has said why; to use it anyway, write into "
        f'tools.{wanted.name}: accept: {{republished: ["{release.version} {after.sha256}"]}}',
    )
