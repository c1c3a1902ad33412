# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release satisfies the manifest, and what exactly is it? Manifest + what was locked → lock; on the controller.

What still satisfies the manifest stays as it is, without a look at the network.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import ambiguity, contents, matching, target
from ansible_collections.pinned.release.plugins.plugin_utils.cache import Cache, CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils.changes import Outcome, outcome
from ansible_collections.pinned.release.plugins.plugin_utils.evidence import Evidence, agreed_digests, kinds
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils.manifest import Manifest, WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils.matching import Proposal
from ansible_collections.pinned.release.plugins.plugin_utils.naming import Product
from ansible_collections.pinned.release.plugins.plugin_utils.needs import merged_needs
from ansible_collections.pinned.release.plugins.plugin_utils.newest import choose_release
from ansible_collections.pinned.release.plugins.plugin_utils.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils.programs import choose_programs
from ansible_collections.pinned.release.plugins.plugin_utils.progress import MEGABYTE, Progress
from ansible_collections.pinned.release.plugins.plugin_utils.promises import completed_by_name, refuse_broken, serves
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release, Source
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement

PARALLEL_REQUESTS = 6
#: Of tools that cannot be locked, so many are shown.
MOST_SHOWN = 10

T = TypeVar("T")


@dataclass(frozen=True)
class Resolution:
    """The new lock, and what became of each tool."""

    lock: LockFile
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True)
class _Chosen:
    """The release that a tool gets, and those of its assets that may serve a platform."""

    wanted: WantedTool
    source: Source
    release: Release
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True)
class Resolver:
    """Where everything comes from: releases by *open_source*, bytes through *cache*, *now* in UTC."""

    open_source: Callable[[WantedTool], Source]
    cache: Cache
    now: datetime
    progress: Progress

    def resolve(self, manifest: Manifest, locked: LockFile, upgrade: Sequence[str] = ()) -> Resolution:
        """Return the lock for *manifest*, starting from what was *locked*. *upgrade* are tools, or ``all``.

        First every tool gets its release, then every asset is fetched: what people mistype is told before anything
        large is downloaded. Raises ReleaseError that names each tool in the way of a lock; then nothing was decided.
        """
        _refuse_unknown(upgrade, manifest)
        moving = set(manifest.tools if "all" in upgrade else upgrade)
        kept = {
            name: _narrowed(locked.tools[name], wanted.platforms)
            for name, wanted in manifest.tools.items()
            if name in locked.tools and name not in moving and _still_satisfies(locked, wanted)
        }
        open_questions = {name: wanted for name, wanted in manifest.tools.items() if name not in kept}
        pool = ThreadPoolExecutor(PARALLEL_REQUESTS)
        try:
            chosen = _all(
                pool.submit(self._choose, wanted, manifest, None if name in moving else locked.tools.get(name))
                for name, wanted in open_questions.items()
            )
            self.progress.expect(sum(len(one.proposals) for one in chosen))
            fetched = [
                [pool.submit(self._locked_assets, one, proposal) for proposal in one.proposals] for one in chosen
            ]
            made = _all(
                partial(self._locked_tool, one, assets, locked.tools.get(one.wanted.name))
                for one, assets in zip(chosen, fetched, strict=True)
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        tools = {**kept, **{one.wanted.name: tool for one, tool in zip(chosen, made, strict=True)}}
        platforms = {str(platform) for wanted in manifest.tools.values() for platform in wanted.platforms}
        return Resolution(LockFile(tuple(sorted(platforms)), tools), _outcomes(locked, tools, manifest))

    def _choose(self, wanted: WantedTool, manifest: Manifest, locked: LockedTool | None) -> _Chosen:
        """Return the release to lock: the *locked* version if the manifest still allows it, else the newest."""
        with _about(wanted):
            source = self.open_source(wanted)
            pinned = locked.version if locked and wanted.allows(locked.version) else None
            releases = source.releases()
            release = choose_release(wanted, manifest.minimum_age, source.describe(), releases, self.now, pinned)
            return _Chosen(wanted, source, release, self._proposals(wanted, source, release))

    def _proposals(self, wanted: WantedTool, source: Source, release: Release) -> tuple[Proposal, ...]:
        """Return each build that may serve a platform, once. Raises ReleaseError naming all platforms without one."""
        of_platforms: dict[Platform, tuple[Proposal, ...]] = {}
        meant: Product | None = None
        propose = partial(matching.propose, release.assets, wanted.name, release.version, pattern=wanted.asset)
        for platform in wanted.platforms:
            try:
                of_platforms[platform] = propose(platform, meant=meant)
            except matching.Ambiguous as question:
                fetch = partial(self._fetched_alone, wanted, source, release)
                meant = ambiguity.settle(question, platform, wanted.name, wanted.executables, fetch)
                of_platforms = {one: propose(one, meant=meant) for one in (*of_platforms, platform)}
        missing = [platform for platform, found in of_platforms.items() if not found]
        if missing:
            served = [platform for platform, found in of_platforms.items() if found]
            raise matching.nothing_for(release.assets, wanted.name, release.version, missing, served, wanted.asset)
        proposals = {proposal.name: proposal for found in of_platforms.values() for proposal in found}
        return tuple(proposals[name] for name in sorted(proposals))

    def _fetched_alone(self, wanted: WantedTool, source: Source, release: Release, name: str) -> Path:
        self.progress.expect(1)
        return self._fetched(wanted, source, release, name)[0].path

    def _fetched(
        self, wanted: WantedTool, source: Source, release: Release, name: str
    ) -> tuple[CachedFile, tuple[Evidence, ...]]:
        """Fetch an asset, compared with everything its publisher says of its bytes."""
        asset = next(asset for asset in release.assets if asset.name == name)
        read_small = self.cache.reader(source.session)
        evidence = tuple(one for collect in kinds().values() for one in collect(asset, release, read_small))
        known = replace(asset, digests={**asset.digests, **agreed_digests(asset.name, evidence)})
        receive = partial(self.progress.receive, f"{wanted.name}/{asset.name}")
        cached = self.cache.fetch(known, source.session, progress=receive)
        self.progress.finish(f"{wanted.name}/{asset.name}")
        return cached, evidence

    def _locked_assets(self, chosen: _Chosen, proposal: Proposal) -> list[LockedAsset]:
        """Fetch the proposed asset, open it, and return it once for each architecture that its programs are for."""
        wanted, release = chosen.wanted, chosen.release
        with _about(wanted):
            asset = next(asset for asset in release.assets if asset.name == proposal.name)
            cached, evidence = self._fetched(wanted, chosen.source, release, asset.name)
            found = contents.look_into(cached.path, format_of(asset.name), wanted.name, asset.name)
            programs = choose_programs(found, wanted.name, wanted.executables, asset.name)
            requirements = merged_needs(programs.values())
            if not requirements:
                raise _several_platforms(wanted, asset, programs)
            refuse_broken(asset.name, proposal.label, requirements)
            needs = [completed_by_name(requirement, proposal.label) for requirement in requirements]
            return [_as_locked(asset, cached, found, programs, requirement, evidence) for requirement in needs]

    def _locked_tool(
        self, chosen: _Chosen, pending: Iterable[Future[list[LockedAsset]]], locked: LockedTool | None
    ) -> LockedTool:
        wanted, release = chosen.wanted, chosen.release
        assets = [asset for future in pending for asset in future.result()]
        _refuse_unserved(wanted, release, assets)
        _refuse_republished(wanted, release, assets, locked)
        tool = LockedTool(
            version=release.version,
            source=wanted.source,
            assets=tuple(assets),
            published=_utc(release.published),
            asset=wanted.asset,
            executables=wanted.executables,
        )
        tool = _narrowed(tool, wanted.platforms)
        self.progress.tell(f"{wanted.name} {tool.version}: {_summary(tool)}, from {chosen.source.describe()}")
        return tool


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
        raise ReleaseError("\n".join(shown))
    if errors:
        raise errors[0]
    return answers


@contextlib.contextmanager
def _about(wanted: WantedTool) -> Iterator[None]:
    try:
        yield
    except ReleaseError as error:
        raise error.about(wanted.name) from error


def _refuse_unknown(upgrade: Sequence[str], manifest: Manifest) -> None:
    unknown = sorted(set(upgrade) - set(manifest.tools) - {"all"})
    if unknown:
        raise ReleaseError(
            f"cannot upgrade {', '.join(unknown)}: the manifest has no such tool",
            expected=f"all, or some of {', '.join(manifest.tools) or 'none: it is empty'}",
        )


def _still_satisfies(lock: LockFile, wanted: WantedTool) -> bool:
    """Return whether the manifest still asks what the *lock* answers, and the answer is still allowed.

    A platform that is new to the lock is asked about even where what is locked serves it: it may have better builds.
    """
    locked = lock.tools[wanted.name]
    asked = (locked.source, locked.asset, locked.executables)
    is_same_question = asked == (wanted.source, wanted.asset, wanted.executables)
    is_for_these = {str(platform) for platform in wanted.platforms} <= set(lock.platforms)
    is_served = is_for_these and not _unserved(locked.assets, wanted.platforms)
    return is_same_question and is_served and wanted.allows(locked.version)


def _narrowed(locked: LockedTool, platforms: Sequence[Platform]) -> LockedTool:
    """Return *locked* without the assets that serve none of *platforms*."""
    serving = [asset for asset in locked.assets if any(serves(asset.requires, platform) for platform in platforms)]
    return replace(locked, assets=tuple(serving))


def _unserved(assets: Sequence[LockedAsset], platforms: Sequence[Platform]) -> list[Platform]:
    return [platform for platform in platforms if not any(serves(asset.requires, platform) for asset in assets)]


def _several_platforms(wanted: WantedTool, asset: Asset, programs: Mapping[str, contents.Found]) -> ReleaseError:
    shown = [f"{found.path}: {found.requires[0].os} {found.requires[0].arch}" for found in programs.values()]
    return ReleaseError(
        f"{wanted.name}: the programs of {asset.name} are for different platforms",
        found=", ".join(shown[:10]),
        fix=f"name those to install in the manifest: tools.{wanted.name}.executables: [...]",
    )


def _as_locked(
    asset: Asset,
    cached: CachedFile,
    found: contents.Contents,
    programs: Mapping[str, contents.Found],
    requirement: Requirement,
    evidence: tuple[Evidence, ...],
) -> LockedAsset:
    return LockedAsset(
        name=asset.name,
        url=asset.url,
        size=cached.size,
        sha256=cached.sha256,
        format=format_of(asset.name),
        target=target.triple(requirement),
        requires=requirement,
        executables={name: Executable(p.path, p.sha256, p.size) for name, p in programs.items()},
        evidence=evidence,
        unpacked_size=found.unpacked_size,
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


def _refuse_republished(
    wanted: WantedTool, release: Release, assets: Iterable[LockedAsset], locked: LockedTool | None
) -> None:
    """A digest that changed under the same version is an alarm, never an update, wherever the bytes come from now."""
    if locked is None or locked.version != release.version:
        return
    before = {asset.name: asset.sha256 for asset in locked.assets}
    for asset in assets:
        if before.get(asset.name, asset.sha256) != asset.sha256:
            raise ReleaseError(
                f"{wanted.name} {release.version}: {asset.name} was changed after it was locked",
                expected=f"sha256 {before[asset.name]}, as the lock file says",
                found=f"sha256 {asset.sha256} at {urlsplit(asset.url).hostname or asset.url}",
                fix="do not install it before its publisher has said why; if that is well, take the tool out of the "
                "manifest, lock, and add it again",
            )


def _outcomes(locked: LockFile, tools: Mapping[str, LockedTool], manifest: Manifest) -> dict[str, Outcome]:
    return {
        name: outcome(
            locked.tools.get(name), tools.get(name), manifest.tools[name].platforms if name in manifest.tools else ()
        )
        for name in sorted({*tools, *locked.tools})
    }


def _summary(tool: LockedTool) -> str:
    assets = {asset.sha256: asset for asset in tool.assets}.values()
    megabytes = sum(asset.size for asset in assets) / MEGABYTE
    word = f"{len(assets)} asset{'' if len(assets) == 1 else 's'}, {megabytes:.1f} MB"
    unvouched = sum(not asset.evidence for asset in assets)
    if not unvouched:
        return f"{word}, as published"
    which = "whose" if unvouched == len(assets) else f"of {unvouched} of which the"
    return f"{word}, {which} publisher offers no digest: pinned as downloaded"


def _utc(moment: datetime | None) -> str | None:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
