# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what is locked still the answer to what the manifest asks, and which of its assets are? Pure; controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    answers,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import (
    serves,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    LockedAsset,
    LockedTool,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform

#: What is locked may still answer another question about these.
_HARMLESS = frozenset({"constraint", "platforms", "require", "accepted", "purpose", "owner", "purls", "catalogued"})


def is_answered(locked: LockedTool, wanted: WantedTool) -> bool:
    """Return whether the manifest still asks what is *locked*, and the answer is still allowed.

    A platform that joins is asked about even where what is locked serves it: it may have better builds.
    """
    is_same_question = set(answers.changes(locked, wanted)) <= _HARMLESS
    is_proven = all(asset.evidence.proves(wanted.verify) for asset in locked.assets)
    is_for_these = {str(platform) for platform in wanted.platforms} <= set(locked.platforms)
    is_served = is_for_these and not unserved(locked.assets, wanted.platforms)
    left = {asset.name for asset in narrowed(locked, wanted.platforms).assets}
    is_served = is_served and all(alias.of in left for alias in locked.aliases)
    return is_same_question and is_proven and is_served and wanted.allows(locked.version)


def as_kept(locked: LockedTool, wanted: WantedTool) -> LockedTool:
    """Return what is *locked* as the answer to what is *wanted* now."""
    return replace(
        narrowed(locked, wanted.platforms),
        constraint=wanted.constraint,
        platforms=names(wanted.platforms),
        require=wanted.require,
        accepted=wanted.accepted,
        purpose=wanted.purpose,
        owner=wanted.owner,
        purls=wanted.purls,
        catalogued=wanted.catalogued,
    )


def names(platforms: Sequence[Platform]) -> tuple[str, ...]:
    """Return the names of *platforms* in order, as a lock file has them."""
    return tuple(sorted(map(str, platforms)))


def narrowed(locked: LockedTool, platforms: Sequence[Platform]) -> LockedTool:
    """Return *locked* without the assets that serve none of *platforms*."""
    serving = [asset for asset in locked.assets if any(serves(asset.requires, platform) for platform in platforms)]
    return replace(locked, assets=tuple(serving))


def unserved(assets: Sequence[LockedAsset], platforms: Sequence[Platform]) -> list[Platform]:
    """Return those of *platforms* that none of *assets* serves."""
    return [platform for platform in platforms if not any(serves(asset.requires, platform) for asset in assets)]
