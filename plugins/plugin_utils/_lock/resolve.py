# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release satisfies the manifest, and what exactly is it? Manifest + what was locked → lock; on the controller.

What still satisfies the manifest stays as it is, without a look at the network.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from ansible_collections.pinned.release.plugins.module_utils import tree_listing
from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents, variants
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.files import choose_files
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    alarms,
    ambiguity,
    answers,
    floors,
    local_folders,
    policy_check,
    upgrade_kinds,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.changes import Outcome, outcome
from ansible_collections.pinned.release.plugins.plugin_utils._lock.foreign_digests import ForeignDigests
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest, WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import (
    completed_by_name,
    refuse_broken,
    serves,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.progress import MEGABYTE, ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._lock.release_choice import (
    choose_release,
    family_note,
    missing_notes,
    what_is_missing,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.republished import refuse_republished
from ansible_collections.pinned.release.plugins.plugin_utils._lock.shared_programs import refuse_shared_programs
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verified_bytes import Job, refuse_uncovered
from ansible_collections.pinned.release.plugins.plugin_utils._naming import matching
from ansible_collections.pinned.release.plugins.plugin_utils._naming.builds import Proposal
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import Product
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache, CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Stated
from ansible_collections.pinned.release.plugins.plugin_utils._values import triples
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release, Source
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import Move

LOG = logging.getLogger("pinned.release")
PARALLEL_REQUESTS = 6
#: Of tools that cannot be locked, so many are shown.
MOST_SHOWN = 10

T = TypeVar("T")
#: The assets of a release, as they arrive.
_Pending: TypeAlias = "list[Future[_Opened]]"


@dataclass(frozen=True)
class Resolution:
    """The new lock, what became of each tool, and notes on what holds for all of them.

    *kept* holds what the proofs that are new were made of, by its SHA-256.
    """

    lock: LockFile
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kept: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Asked:
    """The manifest, how far tools may move that are to be upgraded, and what was locked before."""

    manifest: Manifest
    moves: Mapping[str, Move]
    locked: LockFile


@dataclass(frozen=True)
class _Search:
    """The releases of a *wanted* tool, and what the one to take is held to. *offered* are all that there are."""

    wanted: WantedTool
    source: Source
    offered: Sequence[Release]
    releases: Sequence[Release]
    policy: Policy
    allowance: Allowance


@dataclass(frozen=True)
class _Chosen:
    """The release that a tool gets, those of its assets that may serve a platform, and what to tell of the choice.

    *passed* are the releases of the *search* that do not serve the floors of platforms.
    """

    job: Job
    proposals: tuple[Proposal, ...]
    search: _Search
    passed: tuple[floors.Passed, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Inside:
    """What was found inside an asset, and what of it is linked: programs by name, other files by path."""

    found: contents.Contents
    programs: Mapping[str, contents.Found]
    files: Mapping[str, str]


@dataclass(frozen=True)
class _Opened:
    """One asset as it is locked: once for each architecture its programs are for. *kept* is what its proofs are of."""

    assets: tuple[LockedAsset, ...]
    kept: Mapping[str, bytes]


@dataclass(frozen=True)
class Resolver:
    """Where everything comes from: releases by *open_source*, bytes through *cache*, *now* in UTC.

    folder     the manifest's, from which paths in it start
    has_kept   tells whether what a proof was made of, by its SHA-256, is still in the folder of evidence
    elsewhere  what other tools' lock files state of assets: it is compared, and recorded
    """

    open_source: Callable[[WantedTool], Source]
    cache: Cache
    now: datetime
    progress: ProgressReport
    folder: Path = Path()
    has_kept: Callable[[str], bool] = lambda sha256: True
    elsewhere: ForeignDigests = field(default=ForeignDigests(), kw_only=True)

    def resolve(self, manifest: Manifest, locked: LockFile, upgrade: Sequence[str] = ()) -> Resolution:
        """Return the lock for *manifest*, starting from what was *locked*. *upgrade* is as in upgrade_kinds.py.

        First every tool gets its release, then every asset is fetched: what people mistype is told before anything
        large is downloaded. Raises ReleaseError that names each tool in the way of a lock; then nothing was decided.
        """
        moving = upgrade_kinds.moves(upgrade, manifest.tools)
        kept = {
            name: _kept(locked.tools[name], wanted)
            for name, wanted in manifest.tools.items()
            if name in locked.tools and name not in moving and self._still_satisfies(locked, wanted, manifest.policy)
        }
        before = {
            name: None if name in moving else locked.tools.get(name) for name in manifest.tools if name not in kept
        }
        for name, tool in kept.items():
            LOG.debug("%s: %s stays, it still is what the manifest asks for", name, tool.version)
        made, notes, contents_of_proofs = self._made(_Asked(manifest, moving, locked), before)
        tools = {**kept, **made}
        refuse_shared_programs(tools, manifest)
        confirmed = policy_check.confirmed_on(manifest.policy, locked, self.now)
        lock = LockFile(answers.platforms_of(manifest), tools, manifest.policy, confirmed)
        outcomes = _outcomes(locked, tools, manifest, notes)
        notes_of_all = [*(answers.policy_notes(locked, manifest) if locked.tools else ())]
        notes_of_all += policy_check.confirmation_notes(manifest.policy, locked, confirmed)
        return Resolution(lock, outcomes, tuple(notes_of_all), contents_of_proofs)

    def _still_satisfies(self, lock: LockFile, wanted: WantedTool, policy: Policy) -> bool:
        """Return whether the answer of the *lock* is one to what is *wanted* now, under the *policy* of now."""
        locked = lock.tools[wanted.name]
        is_kept = all(self.has_kept(sha256) for asset in locked.assets for sha256 in asset.evidence.kept())
        is_recorded = self.elsewhere.is_recorded(wanted.name, locked)
        if not is_kept or not is_recorded or not _is_answered(locked, wanted):
            return False
        return not policy_check.of_tool(policy, wanted.name, _kept(locked, wanted), self.now)

    def _made(
        self, asked: _Asked, pinned: Mapping[str, LockedTool | None]
    ) -> tuple[dict[str, LockedTool], dict[str, tuple[str, ...]], dict[str, bytes]]:
        """Return the tools that *pinned* names, locked anew, in that version where there is one, and notes on each.

        The third is what their proofs were made of, by its SHA-256.
        """
        manifest, locked = asked.manifest, asked.locked
        allowance = Allowance(manifest.policy.maximum_unpacked_bytes)
        choose = partial(self._choose, asked, allowance)
        pool = ThreadPoolExecutor(PARALLEL_REQUESTS)
        try:
            chosen = _all(pool.submit(choose, manifest.tools[name], tool) for name, tool in pinned.items())
            stating = [
                {proposal.name: pool.submit(self._stated, one.job, proposal.name) for proposal in one.proposals}
                for one in chosen
            ]
            stated = _all(partial(_covered, one.job, pending) for one, pending in zip(chosen, stating, strict=True))
            self.progress.expect(sum(len(one.proposals) for one in chosen))
            fetching = [self._fetching(pool, one, said) for one, said in zip(chosen, stated, strict=True)]
            made = _all(
                partial(self._serving, pool, one, (said, assets), locked.tools.get(one.job.wanted.name))
                for one, said, assets in zip(chosen, stated, fetching, strict=True)
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        tools = {one.job.wanted.name: tool for one, tool, _kept in made}
        changed = {name for name, tool in tools.items() if tool != locked.tools.get(name)}
        notes = {one.job.wanted.name: (*one.notes, *_notes_on_access(one.job, changed)) for one, _tool, _kept in made}
        return tools, notes, {sha256: content for _one, _tool, kept in made for sha256, content in kept.items()}

    def _fetching(self, pool: ThreadPoolExecutor, chosen: _Chosen, stated: Mapping[str, Stated]) -> _Pending:
        return [
            pool.submit(self._locked_assets, chosen.job, proposal, stated[proposal.name])
            for proposal in chosen.proposals
        ]

    def _serving(
        self,
        pool: ThreadPoolExecutor,
        chosen: _Chosen,
        begun: tuple[Mapping[str, Stated], _Pending],
        locked: LockedTool | None,
    ) -> tuple[_Chosen, LockedTool, Mapping[str, bytes]]:
        """Return the newest release that serves all platforms, *chosen* or an older one; and the tool locked from it.

        The third is what its proofs were made of. *begun* is what is stated of the assets of *chosen*, and these as
        they arrive.
        """
        while True:
            try:
                tool = self._locked_tool(chosen.job, *begun, locked)
                alarms.refuse_downgrade(chosen.job.wanted, tool.version, locked, chosen.search.offered)
                opened = [future.result() for future in begun[1]]
                return chosen, tool, {sha256: content for one in opened for sha256, content in one.kept.items()}
            except floors.BelowFloorError as error:
                chosen = self._next(chosen, error)
            pending = {one.name: pool.submit(self._stated, chosen.job, one.name) for one in chosen.proposals}
            stated = _covered(chosen.job, pending)
            self.progress.expect(len(chosen.proposals))
            begun = stated, self._fetching(pool, chosen, stated)

    def _next(self, chosen: _Chosen, error: floors.BelowFloorError) -> _Chosen:
        """Return the release to try after *chosen*, which needs more than a floor. Raises ReleaseError if none is."""
        search, wanted = chosen.search, chosen.search.wanted
        if wanted.exact is not None:
            raise floors.refusal_of_one(wanted, error, search.releases) from error
        passed = (*chosen.passed, floors.passed_over(error, chosen.proposals))
        while not floors.is_enough(passed):
            LOG.debug("%s: %s is passed over: %s", wanted.name, passed[-1].version, passed[-1].why)
            try:
                release = self._newest(search, floors.left(search.releases, passed))
            except ReleaseError:
                break
            try:
                found = self._proposed(search, release)
            except matching.NothingForError as nothing:
                passed = (*passed, floors.Passed(release.version, lacking=nothing.missing, is_opened=False))
                continue
            told = floors.passed_by_name(passed, release.version, found.proposals)
            if told is None:
                return replace(found, passed=passed, notes=(*found.notes, floors.note(passed, release.version)))
            passed = (*passed, told)
        raise floors.refusal(wanted, passed, search.releases) from error

    def _choose(self, asked: _Asked, allowance: Allowance, wanted: WantedTool, locked: LockedTool | None) -> _Chosen:
        """Return the release to lock: the *locked* version if the manifest still allows it, else the newest."""
        policy, before = asked.manifest.policy, asked.locked.tools.get(wanted.name)
        with _about(wanted):
            policy_check.refuse_source(policy, wanted.name, wanted.source)
            source = self.open_source(wanted)
            pinned = locked.version if locked and wanted.allows(locked.version) else None
            offered = source.releases()
            near = upgrade_kinds.within(offered, asked.moves.get(wanted.name), wanted, before)
            search = _Search(wanted, source, offered, near, policy, allowance)
            release = self._newest(search, near, pinned)
            alarms.refuse_downgrade(wanted, release.version, before, offered)
            return self._proposed(search, release)

    def _newest(self, search: _Search, releases: Sequence[Release], pinned: str | None = None) -> Release:
        place = search.source.describe()
        return choose_release(search.wanted, search.policy.minimum_age, place, releases, self.now, pinned=pinned)

    def _proposed(self, search: _Search, release: Release) -> _Chosen:
        """Return the *release* as the one to lock. Raises ReleaseError if it has nothing for a platform."""
        wanted, releases = search.wanted, search.offered
        release = release.completed()
        job = Job(
            *(wanted, search.source, release, self.cache, search.allowance, self.folder),
            elsewhere=self.elsewhere,
            policy=search.policy,
        )
        with _naming_what_is_missing(release):
            proposals = self._proposals(job)
        note = family_note(wanted, release, releases)
        notes = (*((note,) if note else ()), *missing_notes(release, releases))
        return _Chosen(job, proposals, search, notes=notes)

    def _proposals(self, job: Job) -> tuple[Proposal, ...]:
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
                fetch = partial(self._fetched_alone, job)
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

    def _fetched_alone(self, job: Job, name: str) -> Callable[[], contents.Contents]:
        """Fetch an asset, and return what opens it. It may not be the tool, so nothing is demanded of it."""
        self.progress.expect(1)
        return partial(job.look_into, name, self._fetched(job, name, job.stated(name)))

    def _fetched(self, job: Job, name: str, stated: Stated) -> CachedFile:
        line = f"{job.wanted.name}/{name}"
        cached = job.fetch(name, stated.claims, partial(self.progress.receive, line))
        self.progress.finish(line)
        return cached

    @staticmethod
    def _stated(job: Job, name: str) -> Stated:
        with _about(job.wanted):
            return job.stated(name)

    def _locked_assets(self, job: Job, proposal: Proposal, stated: Stated) -> _Opened:
        """Fetch, verify and open the proposed asset."""
        wanted = job.wanted
        with _about(wanted):
            asset = job.asset(proposal.name)
            cached = self._fetched(job, asset.name, stated)
            proven = job.prove(asset.name, cached)
            evidence = Evidence(job.claims(asset.name, stated), tuple(one.proof for one in proven))
            found = job.look_into(asset.name, cached)
            version = job.release.version
            asked = variants.Asked(wanted.name, version, asset.name, wanted.executables, partial(_is_asked, wanted))
            of_platforms = variants.variants(found, asked)
            refuse_broken(asset.name, proposal.label, [one.requires for one in of_platforms])
            complete = [replace(one, requires=completed_by_name(one.requires, proposal.label)) for one in of_platforms]
            for one in complete:
                made_for = triples.triple(one.requires)
                LOG.debug("%s: %s holds %s, made for %s", wanted.name, asset.name, ", ".join(one.programs), made_for)
            files = choose_files(found.unpacked, wanted.files, asset.name)
            return _Opened(
                tuple(
                    _as_locked(asset, cached, _Inside(found, one.programs, files), one.requires, evidence)
                    for one in complete
                ),
                {sha256: content for one in proven for sha256, content in one.contents().items()},
            )

    def _locked_tool(
        self,
        job: Job,
        stated: Mapping[str, Stated],
        pending: Iterable[Future[_Opened]],
        locked: LockedTool | None,
    ) -> LockedTool:
        wanted, release = job.wanted, job.release
        assets = [asset for future in pending for asset in future.result().assets]
        floors.refuse_below(wanted, release.version, [asset.requires for asset in assets])
        _refuse_unserved(wanted, release, assets)
        refuse_republished(wanted, release, assets, locked)
        tool = LockedTool(
            version=release.version,
            source=wanted.source,
            assets=tuple(assets),
            published=_utc(release.published),
            asset=wanted.asset,
            executables=wanted.executables,
            files=wanted.files,
            verify=wanted.verify,
            without_digest=wanted.without_digest,
            require=wanted.require,
            accepted=wanted.accepted,
            constraint=wanted.constraint,
            platforms=_names(wanted.platforms),
        )
        tool = _narrowed(tool, wanted.platforms)
        alarms.refuse_weaker(wanted, release, tool, locked)
        policy_check.refuse_tool(job.policy, wanted.name, tool, self.now)
        self.progress.tell(f"{wanted.name} {tool.version}: {_summary(tool, stated)}, from {job.source.describe()}")
        place = local_folders.note(tool)
        if place:
            self.progress.tell(f"{wanted.name}: {place}")
        return tool


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


def _covered(job: Job, pending: Mapping[str, Future[Stated]]) -> dict[str, Stated]:
    """Return what is stated of each asset. Raises ReleaseError if digests are, and none of one that is needed."""
    stated = {name: future.result() for name, future in pending.items()}
    refuse_uncovered(job, stated)
    has_digest = {name: bool(found.claims) for name, found in stated.items()}
    policy_check.refuse_without_digest(job.policy, job.wanted, job.release.version, has_digest)
    return stated


def _all(questions: Iterable[Callable[[], T] | Future[T]]) -> list[T]:
    """Return all answers, or raise ReleaseError with every one that failed."""
    answers, errors = [], []
    for question in list(questions):
        try:
            answers.append(question.result() if isinstance(question, Future) else question())
        except ReleaseError as error:
            errors.append(error)
    if len(errors) > 1:
        more = [f"and {len(errors) - MOST_SHOWN} more"] if len(errors) > MOST_SHOWN else []
        shown = [f"{len(errors)} tools cannot be locked:", *map(str, errors[:MOST_SHOWN]), *more]
        raise ReleaseError("\n".join(shown)) from errors[0]
    if errors:
        raise errors[0]
    return answers


@contextlib.contextmanager
def _about(wanted: WantedTool) -> Iterator[None]:
    try:
        yield
    except ReleaseError as error:
        raise error.about(wanted.name) from error


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


def _notes_on_access(job: Job, changed: Collection[str]) -> Iterator[str]:
    """Yield what to tell where the tool is among those that *changed*, and hosts cannot download its assets."""
    if job.wanted.name in changed and job.release.is_private():
        yield (
            f"{job.source.describe()} is private, and hosts have no token: they cannot download these assets. Put them "
            "into a folder that hosts can reach, and name that as the source"
        )


def _is_answered(locked: LockedTool, wanted: WantedTool) -> bool:
    """Return whether the manifest still asks what is *locked*, and the answer is still allowed.

    A platform that joins is asked about even where what is locked serves it: it may have better builds.
    """
    is_same_question = set(answers.changes(locked, wanted)) <= {"constraint", "platforms", "require", "accepted"}
    is_proven = all(asset.evidence.proves(wanted.verify) for asset in locked.assets)
    is_for_these = {str(platform) for platform in wanted.platforms} <= set(locked.platforms)
    is_served = is_for_these and not _unserved(locked.assets, wanted.platforms)
    return is_same_question and is_proven and is_served and wanted.allows(locked.version)


def _kept(locked: LockedTool, wanted: WantedTool) -> LockedTool:
    """Return what is *locked* as the answer to what is *wanted* now."""
    return replace(
        _narrowed(locked, wanted.platforms),
        constraint=wanted.constraint,
        platforms=_names(wanted.platforms),
        require=wanted.require,
        accepted=wanted.accepted,
    )


def _names(platforms: Sequence[Platform]) -> tuple[str, ...]:
    return tuple(sorted(map(str, platforms)))


def _narrowed(locked: LockedTool, platforms: Sequence[Platform]) -> LockedTool:
    """Return *locked* without the assets that serve none of *platforms*."""
    serving = [asset for asset in locked.assets if any(serves(asset.requires, platform) for platform in platforms)]
    return replace(locked, assets=tuple(serving))


def _is_asked(wanted: WantedTool, requirement: Requirement) -> bool:
    return any(serves(requirement, platform.base) for platform in wanted.platforms)


def _unserved(assets: Sequence[LockedAsset], platforms: Sequence[Platform]) -> list[Platform]:
    return [platform for platform in platforms if not any(serves(asset.requires, platform) for asset in assets)]


def _as_locked(
    asset: Asset,
    cached: CachedFile,
    inside: _Inside,
    requirement: Requirement,
    evidence: Evidence,
) -> LockedAsset:
    found, programs = inside.found, {name: program.path for name, program in inside.programs.items()}
    return LockedAsset(
        name=asset.name,
        url=asset.url,
        size=cached.size,
        sha256=cached.sha256,
        format=format_of(asset.name),
        target=triples.triple(requirement),
        requires=requirement,
        executables={name: Executable(p.path, p.sha256, p.size) for name, p in inside.programs.items()},
        evidence=evidence,
        unpacked_size=found.unpacked_size,
        tree_sha256=tree_listing.digest(tree_listing.listing(found.unpacked, programs, inside.files)),
        files=inside.files,
        looks_beside={name: program.beside.words for name, program in inside.programs.items() if program.beside},
        wrapped=tuple(sorted(name for name, program in inside.programs.items() if program.is_wrapped)),
    )


def _refuse_unserved(wanted: WantedTool, release: Release, assets: Sequence[LockedAsset]) -> None:
    """Names promised something for every platform; the bytes may not have kept it."""
    unserved = _unserved(assets, wanted.platforms)
    if unserved:
        raise ReleaseError(
            f"{wanted.name} {release.version}: no asset's programs run on {', '.join(map(str, unserved))}",
            found=", ".join(f"{asset.name}: {asset.target}" for asset in assets),
            fix=matching.without(wanted.name, [one for one in wanted.platforms if one not in unserved])
            + "choose a version that serves them",
        )


def _outcomes(
    locked: LockFile,
    tools: Mapping[str, LockedTool],
    manifest: Manifest,
    notes: Mapping[str, tuple[str, ...]],
) -> dict[str, Outcome]:
    """Return what became of each tool, with its *notes* on the choice of a release."""
    outcomes = {}
    for name in sorted({*tools, *locked.tools}):
        platforms = manifest.tools[name].platforms if name in manifest.tools else ()
        became = outcome(locked.tools.get(name), tools.get(name), platforms)
        outcomes[name] = replace(became, notes=(*became.notes, *notes.get(name, ())))
    return outcomes


def _summary(tool: LockedTool, stated: Mapping[str, Stated]) -> str:
    """Return in words how much a tool is, and on what grounds its bytes are believed."""
    assets = {asset.sha256: asset for asset in tool.assets}.values()
    megabytes = sum(asset.size for asset in assets) / MEGABYTE
    word = f"{len(assets)} asset{'' if len(assets) == 1 else 's'}, {megabytes:.1f} MB"
    proven = f", verified by {' and '.join(sorted(tool.verify))}" if tool.verify else ""
    unstated = [asset for asset in assets if not stated[asset.name].claims]
    if not unstated:
        return f"{word}, as published{proven}"
    if all(asset.evidence.claims for asset in unstated):
        return f"{word}, {len(unstated)} of them as only another tool's lock file states{proven}"
    if any(stated[asset.name].gaps for asset in unstated):
        return f"{word}, {len(unstated)} of them without a digest, as the manifest accepts{proven}"
    return f"{word}, whose publisher offers no digest: pinned as downloaded{proven}"


def _utc(moment: datetime | None) -> str | None:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
