# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a source's releases does the manifest mean, and why not the others? Pure; runs on the controller.

Order and pre-releases follow PEP 440, releases that were withdrawn PEP 592 (packaging.python.org/specifications).

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils.release import Release

MOST_SHOWN = 5


@dataclass(frozen=True)
class _Obstacle:
    """Why a release in the range of the constraint is not taken, and what would change that."""

    why: str
    fix: str


def choose_release(
    wanted: WantedTool,
    minimum_age: timedelta,
    source: str,
    releases: Sequence[Release],
    now: datetime,
    pinned: str | None = None,
) -> Release:
    """Return the newest of *releases* that *wanted* allows and that is old enough at *now*; *pinned* if given.

    *source* is the name of where they are published. Raises ReleaseError with the nearest ones and what is wrong with
    them.
    """
    in_range = [release for release in releases if _is_meant(release, wanted, pinned)]
    obstacles = []
    for release in sorted(in_range, key=newness, reverse=True):
        obstacle = _obstacle(release, wanted, minimum_age, now, pinned)
        if obstacle is None:
            return release
        obstacles.append((f"{release.version}, {obstacle.why}", obstacle.fix))
    if obstacles:
        more = [f"{len(obstacles) - MOST_SHOWN} older ones"] if len(obstacles) > MOST_SHOWN else []
        found = "; ".join([why for why, _fix in obstacles[:MOST_SHOWN]] + more)
        fix = obstacles[0][1]
    else:
        found = _nearest(releases, pinned or wanted.constraint)
        fix = f"choose another version for tools.{wanted.name} in the manifest"
    version = f"{pinned}, which is locked" if pinned else wanted.constraint or "any"
    old_enough = f", at least {described(minimum_age)} old" if minimum_age else ""
    raise ReleaseError(
        f"{wanted.name}: no release of {source} satisfies the manifest",
        expected=f"version {version}{old_enough}",
        found=found,
        fix=f"move to another version with upgrade: [{wanted.name}]" if pinned and not obstacles else fix,
    )


def newness(release: Release) -> tuple[bool, Any]:
    """Return a key by which releases sort. Versions that PEP 440 does not know are older than all that it knows."""
    try:
        return True, packaging.version.Version(release.version)
    except packaging.version.InvalidVersion:
        return False, release.version


def described(time: timedelta) -> str:
    """Return *time* as people say it: ``3 days``, ``12 hours``."""
    minutes = int(time.total_seconds() // 60)
    lengths = {"day": 24 * 60, "hour": 60, "minute": 1}
    unit = next(unit for unit, length in lengths.items() if minutes % length == 0)
    number = minutes // lengths[unit]
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _is_meant(release: Release, wanted: WantedTool, pinned: str | None) -> bool:
    if pinned:
        return release.version == pinned
    return wanted.allows(release.version, with_prereleases=True)


def _obstacle(
    release: Release, wanted: WantedTool, minimum_age: timedelta, now: datetime, pinned: str | None
) -> _Obstacle | None:
    """Return what keeps a release in range from being taken.

    Yanked releases only serve an exact pin, and so do those that merely their publisher calls pre-releases. One whose
    version says so also serves a constraint that names a pre-release. The age is asked of what is locked, too: an
    asset may have joined its release since.
    """
    is_exact = pinned is not None or wanted.exact is not None
    as_named = f'to take it all the same, name it in the manifest: version: "{release.version}"'
    if release.is_yanked and not is_exact:
        return _Obstacle("withdrawn by its publisher", as_named)
    if release.is_prerelease and not (is_exact or wanted.names_prerelease):
        return _Obstacle("a pre-release", as_named)
    if not minimum_age:
        return None
    if release.published is None:
        return _Obstacle(
            "of unknown age",
            "its source does not tell when it was published, so policy.minimum_age cannot be kept: put the tool into "
            "a manifest of its own, without that policy",
        )
    taken_from = release.published + minimum_age
    if now < taken_from:
        return _Obstacle(
            f"too young until {taken_from:%Y-%m-%d %H:%M} UTC",
            "wait until then, allow an older version, or lower policy.minimum_age",
        )
    return None


def _nearest(releases: Sequence[Release], constraint: str) -> str:
    """Return the versions that a person may have meant: those around the *constraint*'s numbers, else the newest."""
    if not releases:
        return "no release at all"
    number = constraint.strip("=<>~!* ").split(",")[0].rstrip(".*")
    stem = number.rpartition(".")[0]
    newest = [release.version for release in sorted(releases, key=newness, reverse=True)]
    near = [version for version in newest if stem and version.startswith(stem + ".")]
    return "the nearest are " + ", ".join(dict.fromkeys([*near[:MOST_SHOWN], *newest[:3]]))
