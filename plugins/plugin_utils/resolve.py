# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release satisfies the manifest, and what exactly is it? Manifest + what was locked → lock; on the controller.

What still satisfies the manifest stays as it is, without a look at the network.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import contents, matching, target
from ansible_collections.pinned.release.plugins.plugin_utils.cache import Cache, CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils.evidence import Evidence, agreed_digests
from ansible_collections.pinned.release.plugins.plugin_utils.evidence.sums import digests_of
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils.manifest import Manifest, WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils.matching import Label, Platform, Proposal
from ansible_collections.pinned.release.plugins.plugin_utils.progress import MEGABYTE, Progress
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release, Source
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import (
    ARCHITECTURES,
    OPERATING_SYSTEMS,
    Requirement,
)

PARALLEL_DOWNLOADS = 6


@dataclass(frozen=True)
class Outcome:
    """What became of one tool, and notes.

    action  ``kept``, ``added``, ``upgraded``, ``downgraded``, ``relocked`` (same version, other assets), ``removed``
    """

    action: str
    version: str | None
    previous: str | None
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolution:
    """The new lock, and what became of each tool."""

    lock: LockFile
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True)
class Resolver:
    """Where everything comes from: releases by *open_source*, bytes through *cache*, *now* in UTC."""

    open_source: Callable[[WantedTool], Source]
    cache: Cache
    now: datetime
    progress: Progress

    def resolve(self, manifest: Manifest, locked: LockFile, upgrade: Sequence[str] = ()) -> Resolution:
        """Return the lock for *manifest*, starting from what was *locked*. *upgrade* are tools, or ``all``.

        Raises ReleaseError, naming the tool; then nothing was decided.
        """
        _refuse_unknown(upgrade, manifest)
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            pending = {
                name: pool.submit(
                    self._tool, wanted, manifest, locked.tools.get(name), name in upgrade or "all" in upgrade
                )
                for name, wanted in manifest.tools.items()
            }
            tools = {name: future.result() for name, future in pending.items()}
        platforms = {str(platform) for wanted in manifest.tools.values() for platform in wanted.platforms}
        lock = LockFile(tuple(sorted(platforms)), tools)
        names = sorted({*tools, *locked.tools})
        return Resolution(lock, {name: _outcome(locked.tools.get(name), tools.get(name)) for name in names})

    def _tool(self, wanted: WantedTool, manifest: Manifest, locked: LockedTool | None, is_upgrade: bool) -> LockedTool:
        if locked and not is_upgrade and _still_satisfies(locked, wanted, wanted.platforms):
            return _narrowed(locked, wanted.platforms)
        try:
            return self._resolved(wanted, manifest, locked, is_upgrade)
        except ReleaseError as error:
            raise error.about(wanted.name) from error

    def _resolved(
        self, wanted: WantedTool, manifest: Manifest, locked: LockedTool | None, is_upgrade: bool
    ) -> LockedTool:
        source = self.open_source(wanted)
        pinned = locked.version if locked and not is_upgrade and wanted.allows(locked.version) else None
        release = choose_release(wanted, manifest, source, self.now, pinned)
        proposals = self._proposals(wanted, release, wanted.platforms)
        self.progress.expect(len(proposals))
        assets = self._locked_assets(wanted, release, source, proposals, wanted.platforms)
        tool = LockedTool(release.version, dict(wanted.source), assets, _utc(release.published))
        _refuse_unserved(wanted, tool, wanted.platforms)
        _refuse_republished(wanted.name, locked, tool)
        self.progress.tell(f"{wanted.name} {tool.version}: {_summary(tool)}, from {source.describe()}")
        return tool

    def _proposals(self, wanted: WantedTool, release: Release, platforms: Iterable[Platform]) -> dict[str, Proposal]:
        proposals: dict[str, Proposal] = {}
        for platform in platforms:
            found = matching.propose(release.assets, wanted.name, release.version, platform, wanted.asset)
            if not found:
                raise matching.nothing_for(release.assets, wanted.name, release.version, platform)
            proposals.update((proposal.name, proposal) for proposal in found)
        return proposals

    def _locked_assets(
        self,
        wanted: WantedTool,
        release: Release,
        source: Source,
        proposals: Mapping[str, Proposal],
        platforms: Sequence[Platform],
    ) -> tuple[LockedAsset, ...]:
        by_name = {asset.name: asset for asset in release.assets}
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            pending: list[Future[list[LockedAsset]]] = [
                pool.submit(self._locked_asset, wanted, release, source, by_name[name], proposal)
                for name, proposal in sorted(proposals.items())
            ]
            locked = [asset for future in pending for asset in future.result()]
        return tuple(asset for asset in locked if any(serves(asset.requires, platform) for platform in platforms))

    def _locked_asset(
        self, wanted: WantedTool, release: Release, source: Source, asset: Asset, proposal: Proposal
    ) -> list[LockedAsset]:
        evidence = digests_of(asset, release, self.cache.reader(source.session))
        known = replace(asset, digests={**asset.digests, **agreed_digests(asset.name, evidence)})
        cached = self.cache.fetch(known, source.session, progress=partial(self.progress.receive, asset.name))
        self.progress.finish(asset.name)
        found = contents.look_into(cached.path, format_of(asset.name), wanted.name, asset.name)
        programs = contents.choose(found, wanted.name, wanted.executables, asset.name)
        requirements = contents.merge(programs.values(), found.files)
        if not requirements:
            raise _several_platforms(wanted, asset, programs)
        for requirement in requirements[:1]:
            _refuse_contradiction(wanted, asset, proposal.label, requirement)
        needs = [_where_its_name_says(requirement, proposal.label) for requirement in requirements]
        return [_as_locked(asset, cached, found, programs, requirement, evidence) for requirement in needs]


def _refuse_unknown(upgrade: Sequence[str], manifest: Manifest) -> None:
    unknown = sorted(set(upgrade) - set(manifest.tools) - {"all"})
    if unknown:
        raise ReleaseError(
            f"cannot upgrade {', '.join(unknown)}: the manifest has no such tool",
            expected=f"all, or some of {', '.join(manifest.tools) or 'none: it is empty'}",
        )


def _still_satisfies(locked: LockedTool, wanted: WantedTool, platforms: Sequence[Platform]) -> bool:
    return (
        dict(locked.source) == dict(wanted.source)
        and wanted.allows(locked.version)
        and all(any(serves(asset.requires, platform) for asset in locked.assets) for platform in platforms)
        and all(not wanted.executables or set(asset.executables) == set(wanted.executables) for asset in locked.assets)
        and (not wanted.asset or _are_those_meant(locked, wanted, platforms))
    )


def _narrowed(locked: LockedTool, platforms: Sequence[Platform]) -> LockedTool:
    """Return *locked* without the assets that serve none of *platforms*: as a first lock would have it."""
    serving = [asset for asset in locked.assets if any(serves(asset.requires, platform) for platform in platforms)]
    return replace(locked, assets=tuple(serving))


def _are_those_meant(locked: LockedTool, wanted: WantedTool, platforms: Sequence[Platform]) -> bool:
    """Return whether the manifest's pattern still admits every locked asset."""
    assets = [Asset(asset.name, asset.url) for asset in locked.assets]
    proposed = {
        proposal.name
        for platform in platforms
        for proposal in matching.propose(assets, wanted.name, locked.version, platform, wanted.asset)
    }
    return proposed == {asset.name for asset in assets}


def choose_release(
    wanted: WantedTool, manifest: Manifest, source: Source, now: datetime, pinned: str | None = None
) -> Release:
    """Return the newest release of *source* that *wanted* allows and that is old enough at *now*; *pinned* if given."""
    releases = source.releases()
    if pinned:
        releases = [release for release in releases if release.version == pinned]
    allowed = [release for release in releases if wanted.allows(release.version) and _is_plain(release, wanted)]
    old_enough = [release for release in allowed if _age_allows(release, manifest, now)]
    if old_enough:
        return max(old_enough, key=_newness)
    listed = sorted(releases, key=_newness, reverse=True)
    too_young = sorted({release.version for release in allowed})
    raise ReleaseError(
        f"{wanted.name}: no release of {source.describe()} satisfies the manifest",
        expected=f"version {wanted.constraint or 'any'}"
        + (f", at least {manifest.minimum_age} old" if manifest.minimum_age else ""),
        found=(f"{', '.join(too_young)}, too young" if too_young else _nearest(listed, wanted)),
        fix=f"choose another version for tools.{wanted.name} in the manifest",
    )


def _is_plain(release: Release, wanted: WantedTool) -> bool:
    """Yanked releases only serve an exact pin (PEP 592); pre-releases only a constraint that names one (PEP 440)."""
    is_exact = wanted.constraint.removeprefix("==") == release.version
    return is_exact or not (release.is_yanked or (release.is_prerelease and not _names_prerelease(wanted.constraint)))


def _names_prerelease(constraint: str) -> bool:
    try:
        return bool(packaging.specifiers.SpecifierSet(constraint).prereleases)
    except packaging.specifiers.InvalidSpecifier:
        return False


def _age_allows(release: Release, manifest: Manifest, now: datetime) -> bool:
    if not manifest.minimum_age:
        return True
    return release.published is not None and now - release.published >= manifest.minimum_age


def _newness(release: Release) -> tuple[bool, Any]:
    """Versions that PEP 440 does not know count as older than all that it knows."""
    try:
        return True, packaging.version.Version(release.version)
    except packaging.version.InvalidVersion:
        return False, release.version


def _nearest(releases: Sequence[Release], wanted: WantedTool) -> str:
    """Return the versions that a person may have meant: those around the constraint's numbers, else the newest."""
    if not releases:
        return "no release at all"
    number = wanted.constraint.strip("=<>~!* ").split(",")[0].rstrip(".*")
    stem = number.rpartition(".")[0]
    near = [release.version for release in releases if stem and release.version.startswith(stem + ".")]
    newest = [release.version for release in releases]
    return "the nearest are " + ", ".join(dict.fromkeys([*near[:5], *newest[:3]]))


def serves(requirement: Requirement, platform: Platform) -> bool:
    """Return whether a program that needs *requirement* can serve hosts of *platform*."""
    is_for_os = requirement.os in (platform.os, "any") and not (requirement.is_script and platform.os == "windows")
    if not is_for_os or requirement.arch not in (platform.arch, "any"):
        return False
    if requirement.arch != "arm":
        return True
    order = target.ARM_VERSIONS
    is_new_enough = requirement.cpu not in order or order.index(requirement.cpu) <= order.index(platform.cpu or "armv7")
    is_dynamic = requirement.libc != "static"
    return is_new_enough and not (is_dynamic and platform.abi and requirement.abi and requirement.abi != platform.abi)


def _where_its_name_says(requirement: Requirement, label: Label) -> Requirement:
    """Return what a script needs: its bytes tell no platform, but what lies beside it may be for one only."""
    if not requirement.is_script:
        return requirement
    os = label.os if label.os in OPERATING_SYSTEMS else "any"
    arch = label.arch if label.arch in ARCHITECTURES else "any"
    return replace(requirement, os=os, arch=arch, abi=label.abi, cpu=label.cpu)


def _refuse_contradiction(wanted: WantedTool, asset: Asset, label: Label, requirement: Requirement) -> None:
    """An asset that says one thing and is another is a publisher's mistake, or an attack."""
    claims = {"os": label.os, "arch": label.arch, "libc": label.libc if label.libc == "musl" else None}
    is_static = requirement.libc == "static"
    truth = {
        "os": requirement.os,
        "arch": requirement.arch,
        "libc": "musl" if is_static else requirement.libc,
    }
    for key, claimed in claims.items():
        if claimed is not None and not requirement.is_script and claimed != truth[key]:
            raise ReleaseError(
                f"{wanted.name}: {asset.name} is not what its name says",
                expected=f"{key} {claimed}, as its name or its publisher's metadata says",
                found=f"{key} {truth[key]}, as the bytes of its programs say",
                fix=f"tell the publisher; to pin another asset, set tools.{wanted.name}.asset in the manifest",
            )


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
        executables={name: Executable(p.path, p.sha256, p.size) for name, p in sorted(programs.items())},
        evidence=tuple(sorted(evidence, key=lambda item: (item.kind, item.origin, item.algorithm))),
        unpacked_size=found.unpacked_size,
    )


def _refuse_unserved(wanted: WantedTool, tool: LockedTool, platforms: Iterable[Platform]) -> None:
    for platform in platforms:
        if not any(serves(asset.requires, platform) for asset in tool.assets):
            raise ReleaseError(
                f"{wanted.name} {tool.version}: no asset's programs run on {platform}",
                found=", ".join(f"{asset.name}: {asset.target}" for asset in tool.assets) or "none",
                fix="take the platform out of the manifest, or choose a version that still serves it",
            )


def _refuse_republished(name: str, locked: LockedTool | None, tool: LockedTool) -> None:
    """A digest that changed under the same version is an alarm, never an update."""
    if locked is None or locked.version != tool.version or dict(locked.source) != dict(tool.source):
        return
    before = {asset.name: asset.sha256 for asset in locked.assets}
    for asset in tool.assets:
        if before.get(asset.name, asset.sha256) != asset.sha256:
            raise ReleaseError(
                f"{name} {tool.version}: {asset.name} was changed after it was locked",
                expected=f"sha256 {before[asset.name]}, as the lock file says",
                found=f"sha256 {asset.sha256} at {urlsplit(asset.url).hostname or asset.url}",
                fix="do not install it before its publisher has said why; then take the tool out of the lock file",
            )


def _outcome(before: LockedTool | None, after: LockedTool | None) -> Outcome:
    if after is None:
        return Outcome("removed", None, before.version if before else None)
    targets = tuple(sorted({asset.target for asset in after.assets}))
    if before is None:
        return Outcome("added", after.version, None, targets)
    if before == after:
        return Outcome("kept", after.version, before.version, targets)
    if before.version == after.version:
        return Outcome("relocked", after.version, before.version, targets, _moved(before, after))
    is_up = _newness(Release(after.version, ())) > _newness(Release(before.version, ()))
    return Outcome("upgraded" if is_up else "downgraded", after.version, before.version, targets, _moved(before, after))


def _moved(before: LockedTool, after: LockedTool) -> tuple[str, ...]:
    """Return one line for each target that disappeared, with what serves its hosts now, or that is new."""
    old = {asset.target: asset for asset in before.assets}
    new = {asset.target: asset for asset in after.assets}
    notes = []
    for name in sorted(set(old) - set(new)):
        requires = old[name].requires
        heirs = [heir for heir in new.values() if _is_heir(heir.requires, requires)]
        if not heirs:
            notes.append(f"{name} disappeared → nothing serves its hosts now")
            continue
        heir = heirs[0]
        runs = "static, runs everywhere the old one did" if heir.requires.libc == "static" else "needs another libc"
        notes.append(f"{name} disappeared → {heir.target}, {runs}")
    notes += [f"{name} is new" for name in sorted(set(new) - set(old))]
    return tuple(notes)


def _is_heir(heir: Requirement, old: Requirement) -> bool:
    return (heir.os, heir.arch) == (old.os, old.arch)


def _summary(tool: LockedTool) -> str:
    assets = {asset.sha256: asset for asset in tool.assets}.values()
    megabytes = sum(asset.size for asset in assets) / MEGABYTE
    voices = {(evidence.algorithm, evidence.origin) for asset in assets for evidence in asset.evidence}
    word = f"{len(assets)} asset{'s' if len(assets) > 1 else ''}, {megabytes:.1f} MB"
    return f"{word}, as published" if voices else f"{word}, whose publisher offers no digest: pinned as downloaded"


def _utc(moment: datetime | None) -> str | None:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
