# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a source's releases does the manifest mean, and why not the others? Pure; runs on the controller.

Pre-releases follow PEP 440, releases that were withdrawn PEP 592 (packaging.python.org/specifications).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import constraint
from ansible_collections.pinned.release.plugins.plugin_utils._lock.answers import versions_said
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import Order, order_of

LOG = logging.getLogger("pinned.release")
MOST_SHOWN = 5
#: A release has one part a platform, so that the one that somebody needs is among them.
MOST_MISSING_SHOWN = 20


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
    *,
    pinned: str | None = None,
) -> Release:
    """Return the newest of *releases* that *wanted* allows and that is old enough at *now*; *pinned* if given.

    *source* is the name of where they are published. Raises ReleaseError with the nearest ones and what is wrong with
    them.
    """
    in_range = [release for release in releases if _is_meant(release, wanted, pinned)]
    obstacles = []
    for release in sorted(in_range, key=_order, reverse=True):
        obstacle = _obstacle(release, wanted, minimum_age, now, pinned)
        if obstacle is None:
            LOG.debug("%s: %s is taken from %s", wanted.name, release.version, source)
            return release
        LOG.debug("%s: %s is not taken: %s", wanted.name, release.version, obstacle.why)
        obstacles.append((f"{release.version}, {obstacle.why}", obstacle.fix))
    if obstacles:
        more = [f"{len(obstacles) - MOST_SHOWN} older ones"] if len(obstacles) > MOST_SHOWN else []
        found = "; ".join([why for why, _fix in obstacles[:MOST_SHOWN]] + more)
        fix = obstacles[0][1]
    else:
        found = _nearest(releases, pinned or wanted.constraint)
        fix = _line_of_family(wanted, releases) or f"choose another version for tools.{wanted.name} in the manifest"
    version = f"{pinned}, which is locked" if pinned else versions_said(wanted.constraint)
    old_enough = f", at least {described(minimum_age)} old" if minimum_age else ""
    raise ReleaseError(
        f"{wanted.name}: no release of {source} satisfies the manifest",
        expected=f"version {version}{old_enough}",
        found=found,
        fix=f"move to another version with upgrade: [{wanted.name}]" if pinned and not obstacles else fix,
    )


def family_note(wanted: WantedTool, release: Release, releases: Sequence[Release]) -> str | None:
    """Return what to tell whoever named one version where they may have meant its newest: ``0.9`` when 0.9.30 is there.

    None if the constraint names no such version, or *release*, which was chosen, is the newest of *releases* so named.
    """
    newest = max(_family(wanted, releases), key=_order, default=None)
    if newest is None or _order(newest) <= _order(release):
        return None
    return (
        f'locked as the manifest names it, version "{wanted.exact}", though {newest.version} is there; '
        f"{_line_of_family(wanted, releases)}"
    )


def _line_of_family(wanted: WantedTool, releases: Sequence[Release]) -> str | None:
    """Return the line of manifest for the newest of what the one named version begins; None if there is nothing."""
    if not _family(wanted, releases):
        return None
    return f'for the newest of that family, write into tools.{wanted.name}: version: "{wanted.exact}.*"'


def _family(wanted: WantedTool, releases: Sequence[Release]) -> list[Release]:
    """Return the releases whose versions go on with a number where the one that *wanted* names ends."""
    if wanted.exact is None:
        return []
    longer = re.compile(rf"[vV]?{re.escape(wanted.exact)}\.[0-9]")
    return [
        release
        for release in releases
        if longer.match(release.version)
        and constraint.allows(f"=={wanted.exact}.*", release.version)
        and not (release.is_prerelease or release.is_yanked)
    ]


def what_is_missing(release: Release) -> str:
    """Return in words what the *release* names and its publisher does not have; "" if there is nothing."""
    missing = listed(release.missing, MOST_MISSING_SHOWN)
    return f"its publisher does not have {missing}, which the release names" if missing else ""


def missing_notes(release: Release, releases: Sequence[Release]) -> list[str]:
    """Return what to tell of parts that are missing: of *release*, which was chosen, and of the newest of *releases*.

    A release that is there in part is not taken, so that hosts would get an older one without a word.
    """
    notes = [f"{release.version}: {what_is_missing(release)}"] if release.missing else []
    newer = [
        one
        for one in releases
        if one.is_partial and not (one.is_prerelease or one.is_yanked) and _order(one) > _order(release)
    ]
    notes += [f"{one.version} is newer, but {what_is_missing(one)}" for one in sorted(newer, key=_order)[-1:]]
    return notes


def described(time: timedelta) -> str:
    """Return *time* as people say it: ``3 days``, ``12 hours``."""
    minutes = int(time.total_seconds() // 60)
    lengths = {"day": 24 * 60, "hour": 60, "minute": 1}
    unit = next(unit for unit, length in lengths.items() if minutes % length == 0)
    number = minutes // lengths[unit]
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _order(release: Release) -> Order:
    return order_of(release.version)


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
    as_named = f'to use it anyway, name it in the manifest: version: "{release.version}"'
    if release.is_partial:
        return _Obstacle(
            f"of which its publisher does not have {listed(release.missing, MOST_MISSING_SHOWN)}", as_named
        )
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


def _nearest(releases: Sequence[Release], meant: str) -> str:
    """Return the versions that a person may have *meant*: those around the constraint's numbers, else the newest."""
    if not releases:
        return "no release at all"
    number = meant.strip("=<>~!* ").split(",")[0].rstrip(".*")
    stem = number.rpartition(".")[0]
    newest = [release.version for release in sorted(releases, key=_order, reverse=True)]
    near = [version for version in newest if stem and version.startswith(stem + ".")]
    return "the nearest are " + ", ".join(dict.fromkeys([*near[:MOST_SHOWN], *newest[:3]]))
