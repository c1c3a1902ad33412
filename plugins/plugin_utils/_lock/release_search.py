# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release does a tool get, and which of its assets may serve a platform? Runs on the controller."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    alarms,
    ambiguity,
    floors,
    policy_check,
    upgrade_kinds,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.earlier_proofs import Before
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest, WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.means import Means, about
from ansible_collections.pinned.release.plugins.plugin_utils._lock.release_choice import (
    choose_release,
    family_note,
    missing_notes,
    what_is_missing,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verified_bytes import Job
from ansible_collections.pinned.release.plugins.plugin_utils._naming import matching
from ansible_collections.pinned.release.plugins.plugin_utils._naming.builds import Proposal
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import Product
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release, Source
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import Move

LOG = logging.getLogger("pinned.release")


@dataclass(frozen=True)
class Asked:
    """The manifest, how far tools may move that are to be upgraded, and what was locked before."""

    manifest: Manifest
    moves: Mapping[str, Move]
    locked: LockFile


@dataclass(frozen=True)
class Search:
    """The releases of a *wanted* tool, and what the one to take is held to. *offered* are all that there are.

    *before* is what was locked of it.
    """

    wanted: WantedTool
    source: Source
    offered: Sequence[Release]
    releases: Sequence[Release]
    policy: Policy
    allowance: Allowance
    before: LockedTool | None


@dataclass(frozen=True)
class Chosen:
    """The release that a tool gets, those of its assets that may serve a platform, and what to tell of the choice.

    *passed* are the releases of the *search* that do not serve the floors of platforms.
    """

    job: Job
    proposals: tuple[Proposal, ...]
    search: Search
    passed: tuple[floors.Passed, ...] = ()
    notes: tuple[str, ...] = ()


def choose(means: Means, asked: Asked, allowance: Allowance, wanted: WantedTool, locked: LockedTool | None) -> Chosen:
    """Return the release to lock: the *locked* version if the manifest still allows it, else the newest."""
    policy, before = asked.manifest.policy, asked.locked.tools.get(wanted.name)
    with about(wanted):
        policy_check.refuse_source(policy, wanted.name, wanted.source)
        source = means.open_source(wanted)
        pinned = locked.version if locked and wanted.allows(locked.version) else None
        offered = source.releases()
        near = upgrade_kinds.within(offered, asked.moves.get(wanted.name), wanted, before)
        search = Search(wanted, source, offered, near, policy, allowance, before)
        release = _newest(means, search, near, pinned)
        alarms.refuse_downgrade(wanted, release.version, before, offered)
        return _proposed(means, search, release)


def next_release(means: Means, chosen: Chosen, error: floors.BelowFloorError) -> Chosen:
    """Return the release to try after *chosen*, which needs more than a floor. Raises ReleaseError if none is."""
    search, wanted = chosen.search, chosen.search.wanted
    if wanted.exact is not None:
        raise floors.refusal_of_one(wanted, error, search.releases) from error
    passed = (*chosen.passed, floors.passed_over(error, chosen.proposals))
    while not floors.is_enough(passed):
        LOG.debug("%s: %s is passed over: %s", wanted.name, passed[-1].version, passed[-1].why)
        try:
            release = _newest(means, search, floors.left(search.releases, passed))
        except ReleaseError:
            break
        try:
            found = _proposed(means, search, release)
        except matching.NothingForError as nothing:
            passed = (*passed, floors.Passed(release.version, lacking=nothing.missing, is_opened=False))
            continue
        told = floors.passed_by_name(passed, release.version, found.proposals)
        if told is None:
            return replace(found, passed=passed, notes=(*found.notes, floors.note(passed, release.version)))
        passed = (*passed, told)
    raise floors.refusal(wanted, passed, search.releases) from error


def _newest(means: Means, search: Search, releases: Sequence[Release], pinned: str | None = None) -> Release:
    place = search.source.describe()
    return choose_release(search.wanted, search.policy.minimum_age, place, releases, means.now, pinned=pinned)


def _proposed(means: Means, search: Search, release: Release) -> Chosen:
    """Return the *release* as the one to lock. Raises ReleaseError if it has nothing for a platform."""
    wanted, releases = search.wanted, search.offered
    release = release.completed()
    job = Job(
        *(wanted, search.source, release, means.cache, search.allowance, means.folder),
        elsewhere=means.elsewhere,
        policy=search.policy,
        authorities=means.authorities,
        before=Before(search.before, means.has_kept),
    )
    with _naming_what_is_missing(release):
        proposals = _proposals(means, job)
    note = family_note(wanted, release, releases)
    notes = (*((note,) if note else ()), *missing_notes(release, releases))
    return Chosen(job, proposals, search, notes=notes)


def _proposals(means: Means, job: Job) -> tuple[Proposal, ...]:
    """Return each build that may serve a platform, once. Raises ReleaseError naming all platforms without one."""
    wanted, release = job.wanted, job.release
    of_platforms: dict[Platform, tuple[Proposal, ...]] = {}
    meant: Product | None = None
    opened: str | None = None
    propose = partial(matching.propose, release.assets, wanted.name, release.version, asked=wanted.platforms)
    propose = partial(propose, pattern=wanted.asset)
    for platform in wanted.platforms:
        try:
            of_platforms[platform] = propose(platform, meant=meant)
        except matching.Ambiguous as question:
            fetch = partial(_fetched_alone, means, job)
            meant = ambiguity.settle(question, platform, wanted, release.version, fetch)
            opened = question.products[meant][0].name
            of_platforms = {one: propose(one, meant=meant) for one in (*of_platforms, platform)}
    _tell_proposals(job, of_platforms)
    missing = [platform for platform, found in of_platforms.items() if not found]
    if missing:
        served = [platform for platform, found in of_platforms.items() if found]
        nothing_for = partial(matching.nothing_for, served=served, pattern=wanted.asset, opened=opened)
        raise nothing_for(release.assets, wanted.name, release.version, missing)
    proposals = {proposal.name: proposal for found in of_platforms.values() for proposal in found}
    return tuple(proposals[name] for name in sorted(proposals))


def _fetched_alone(means: Means, job: Job, name: str) -> Callable[[], contents.Contents]:
    """Fetch an asset, and return what opens it. It may not be the tool, so nothing is demanded of it."""
    means.progress.expect(job.asset(name).size)
    return partial(job.look_into, name, means.fetched(job, name, job.stated(name)))


def _tell_proposals(job: Job, of_platforms: Mapping[Platform, Sequence[Proposal]]) -> None:
    """Tell whoever debugs which assets may serve each platform, best first, and why: by what their names say."""
    pattern = f" and matches {job.wanted.asset}" if job.wanted.asset else ""
    for platform, found in of_platforms.items():
        told = [f"{proposal.name}, whose name says {proposal.label}{pattern}" for proposal in found]
        LOG.debug(
            "%s %s for %s: %s of %d assets proposed: %s",
            *(job.wanted.name, job.release.version, platform, len(found), len(job.release.assets)),
            "; ".join(told) or "none",
        )


@contextlib.contextmanager
def _naming_what_is_missing(release: Release) -> Iterator[None]:
    """Add to an error about the files of the *release* what its publisher should have, and does not."""
    try:
        yield
    except ReleaseError as error:
        if not release.missing:
            raise
        found = "; ".join(filter(None, (error.found, what_is_missing(release))))
        raise ReleaseError(error.what, error.expected, found, error.fix) from error
