# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which asset may be published under a name that its publisher dropped, and what are its bytes then? On the controller.

An asset stands in for another only if its programs start on every host on which the other's did: by what those needed
in the last release that has the name, or else by the platform in the name. A mirror publishes the copy.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.renamed_archive import ARCHIVES, renamed, renaming
from ansible_collections.pinned.release.plugins.plugin_utils._asset.variants import Variant
from ansible_collections.pinned.release.plugins.plugin_utils._choice.stand_in import least_host, promised, stands_in
from ansible_collections.pinned.release.plugins.plugin_utils._choice.target import preference
from ansible_collections.pinned.release.plugins.plugin_utils._lock.means import Means, about
from ansible_collections.pinned.release.plugins.plugin_utils._lock.tool_lock import programs_of
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verified_bytes import Job
from ansible_collections.pinned.release.plugins.plugin_utils._naming import naming
from ansible_collections.pinned.release.plugins.plugin_utils._values import triples
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Alias, LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_newer, order_of

LOG = logging.getLogger("pinned.release")


@dataclass(frozen=True)
class _Dropped:
    """What programs under a dropped *name* needed of a host, and how that is *known*, in words.

    programs  where consumers knew the programs in it, by their names; empty where nobody knows
    """

    name: str
    requires: tuple[Requirement, ...]
    known: str
    programs: Mapping[str, str] = field(default_factory=dict)


def with_aliases(means: Means, job: Job, offered: Sequence[Release], tool: LockedTool) -> LockedTool:
    """Return *tool* with the aliases that the manifest asks for; *offered* are all releases of its publisher.

    Raises ReleaseError, which says why, if nothing may be published under one of them.
    """
    with about(job.wanted):
        made = tuple(_alias(means, job, offered, tool, asked) for asked in job.wanted.aliases)
    return replace(tool, aliases=made)


def _alias(means: Means, job: Job, offered: Sequence[Release], tool: LockedTool, asked: str) -> Alias:
    name = name_of(asked, tool.version)
    own = next((asset for asset in tool.assets if asset.name == name), None)
    if own is not None:
        return Alias(asked, name, name, own.sha256, own.size)
    if job.release.file(name) is not None:
        raise ReleaseError(
            f"{name} is no alias: release {tool.version} has it, and none of the platforms needs it",
            fix="add its platform to platforms, and it is locked and published as it is; or leave the alias out",
        )
    dropped = _dropped(means, job, offered, name, asked)
    asset = _stand_in(job, tool, dropped)
    LOG.debug("%s: %s stands in for %s, %s", job.wanted.name, asset.name, name, dropped.known)
    digest, size = hashlib.sha256(), 0
    known = Asset(asset.name, asset.url, asset.size, {"sha256": asset.sha256})
    path = means.cache.fetch(known, job.source.session).path
    for chunk in renamed(path, asset.name, name, asset.unpacked_size):
        digest.update(chunk)
        size += len(chunk)
    _tell_moved(job, asset, dropped)
    return Alias(asked, name, asset.name, digest.hexdigest(), size)


def _tell_moved(job: Job, asset: LockedAsset, dropped: _Dropped) -> None:
    """Tell of programs that are not where whoever knows only what was *dropped* looks for them."""
    if not asset.format.startswith(ARCHIVES):
        return
    rename = renaming(asset.name, dropped.name)
    for program, place in sorted(dropped.programs.items()):
        own = asset.executables.get(program)
        now = rename(own.path) if own else None
        if now != place:
            LOG.warning(
                "%s: %s would %s the copy %s, and was at %s in %s: its consumers may not find it",
                *(job.wanted.name, program, f"be at {now} in" if now else "not be in", dropped.name, place),
                dropped.known.removeprefix("by "),
            )


def name_of(asked: str, version: str) -> str:
    """Return the name that the manifest *asked* for in *version*."""
    return asked.replace("{version}", naming.release_number(version))


def _dropped(means: Means, job: Job, offered: Sequence[Release], name: str, asked: str) -> _Dropped:
    """Return what is known of the programs that were published under a name like *name*."""
    label = _label(job, name, job.release.version)
    older = [one for one in offered if is_newer(job.release.version, one.version)]
    for release in sorted(older, key=lambda one: order_of(one.version), reverse=True):
        before = name_of(asked, release.version)
        if any(asset.name == before for asset in release.assets):
            last = _variants(means, replace(job, release=release.completed()), before)
            programs = _places(last, release.version, job.release.version)
            requires = tuple(each.requires for each in last)
            return _Dropped(name, requires, f"by {before} of release {release.version}", programs)
    least = promised(label)
    if least is None:
        raise ReleaseError(
            f"nobody can tell for which hosts the alias {name} is",
            expected="a name that a release of the publisher has, or one with a platform in it",
            found=f"{label}, and no older release among {len(offered)} has such a name",
            fix=f"correct the alias in tools.{job.wanted.name}.aliases, or leave it out",
        )
    return _Dropped(name, (least,), "by the platform in its name, since no older release that is listed has it")


def _places(last: Sequence[Variant], older: str, version: str) -> dict[str, str]:
    """Return where the programs of an *older* release would lie in *version*, by their names."""
    before, now = map(naming.release_number, (older, version))
    number = re.compile(rf"(?<![0-9.]){re.escape(before)}(?![0-9])")
    paths = {program: found.path for each in last for program, found in each.programs.items()}
    return {program: number.sub(lambda _found: now, path) for program, path in paths.items()}


def _label(job: Job, name: str, version: str) -> Label:
    return naming.read(Asset(name, ""), (job.wanted.name,), version).label


def _variants(means: Means, job: Job, name: str) -> list[Variant]:
    """Return the programs of the asset *name* of an older release. It is compared with what is stated of it.

    Its signature is not asked for: nothing of it is published.
    """
    stated = job.stated(name)
    means.progress.expect(job.asset(name).size)
    cached = means.fetched(job, name, stated)
    return programs_of(job, name, _label(job, name, job.release.version), cached)[1]


def _stand_in(job: Job, tool: LockedTool, dropped: _Dropped) -> LockedAsset:
    """Return the asset that starts wherever what was *dropped* did. Raises ReleaseError with the reason for each."""
    host = least_host(dropped.requires[0])
    reasons = []
    able = []
    for asset in tool.assets:
        reason = _obstacle(tool, asset, dropped)
        if reason is None:
            able.append(asset)
        else:
            reasons.append(f"{asset.name}: {reason}")
    if not able:
        raise ReleaseError(
            f"{job.wanted.name} {tool.version}: no locked asset starts on every host on which {dropped.name} did",
            expected=f"{_needs(dropped)}, {dropped.known}",
            found=listed(dict.fromkeys(reasons), 5),
            fix="add the platform of the alias to platforms if it is not there, or leave the alias out: its consumers "
            "would get a program that does not start",
        )
    return min(able, key=lambda asset: (preference(asset.requires, host, "static"), asset.name))


def _obstacle(tool: LockedTool, asset: LockedAsset, dropped: _Dropped) -> str | None:
    """Return why *asset* cannot stand in for what was *dropped*; None if it can."""
    if format_of(asset.name) != format_of(dropped.name):
        return f"is {format_of(asset.name)}, not {format_of(dropped.name)}"
    of_file = [one for one in tool.assets if one.name == asset.name]
    for needed in dropped.requires:
        verdicts = [stands_in(one.requires, needed) for one in of_file]
        if not any(verdict.is_admissible for verdict in verdicts):
            return verdicts[0].reason
    return None


def _needs(dropped: _Dropped) -> str:
    """Return for people what the programs that were dropped needed."""
    one = dropped.requires[0]
    libc = "" if one.libc == "system" else " ".join(filter(None, (one.libc, one.libc_min)))
    return f"a program for hosts that start one for {triples.triple(one)}" + (f" ({libc})" if libc else "")


def notes(before: LockedTool | None, tool: LockedTool) -> tuple[str, ...]:
    """Return what to tell of the aliases of *tool* that were not there *before*."""
    known = before.aliases if before else ()
    return tuple(
        f"a mirror publishes {alias.name} as a copy of {alias.of}"
        for alias in tool.aliases
        if alias not in known and alias.of != alias.name
    )
