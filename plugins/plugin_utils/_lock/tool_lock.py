# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exactly is the release that was chosen? Its assets are fetched, verified and opened. Runs on the controller."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial

from ansible_collections.pinned.release.plugins.module_utils import tree_listing
from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents, variants
from ansible_collections.pinned.release.plugins.plugin_utils._asset.files import choose_files
from ansible_collections.pinned.release.plugins.plugin_utils._asset.meant_programs import passed_over
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    alarms,
    floors,
    policy_check,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.answered import names, narrowed, unserved
from ansible_collections.pinned.release.plugins.plugin_utils._lock.earlier_proofs import Proofs
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.means import Means, about
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import (
    completed_by_name,
    refuse_broken,
    serves,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.republished import refuse_republished
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verified_bytes import Job
from ansible_collections.pinned.release.plugins.plugin_utils._naming import matching
from ansible_collections.pinned.release.plugins.plugin_utils._naming.builds import Proposal
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Stated
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._values import triples
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import amount, listed

LOG = logging.getLogger("pinned.release")


@dataclass(frozen=True)
class _Inside:
    """What was found inside an asset, and what of it is linked: programs by name, other files by path."""

    found: contents.Contents
    programs: Mapping[str, contents.Found]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Opened:
    """One asset as it is locked: once for each architecture its programs are for; and its *proofs*.

    *passed_over* are the scripts in its bin/ that nobody named and that are not linked.
    """

    assets: tuple[LockedAsset, ...]
    proofs: Proofs
    passed_over: Sequence[str] = ()


def opened_asset(means: Means, job: Job, proposal: Proposal, stated: Stated) -> Opened:
    """Fetch, verify and open the proposed asset."""
    wanted = job.wanted
    with about(wanted):
        asset = job.asset(proposal.name)
        cached = means.fetched(job, asset.name, stated)
        private_url = job.private_url(asset.name, cached)
        proofs = job.prove(asset.name, cached)
        evidence = Evidence(job.claims(asset.name, stated), proofs.proofs)
        found, complete = programs_of(job, asset.name, proposal.label, cached)
        for one in complete:
            made_for = triples.triple(one.requires)
            LOG.debug("%s: %s holds %s, made for %s", wanted.name, asset.name, ", ".join(one.programs), made_for)
        files = choose_files(found.unpacked, wanted.files, asset.name)
        return Opened(
            tuple(
                replace(
                    _as_locked(asset, cached, _Inside(found, one.programs, files), one.requires, evidence),
                    private_url=private_url,
                )
                for one in complete
            ),
            proofs,
            () if wanted.executables else passed_over(found, (p for one in complete for p in one.programs.values())),
        )


def passed_over_notes(opened: Iterable[Opened]) -> Iterator[str]:
    """Yield what to tell of the scripts in a bin/ that are not linked, though people may want them."""
    names = sorted({name for one in opened for name in one.passed_over})
    if names:
        fix = "to link one, name all that you want: executables: [...]"
        yield f"scripts in bin/ are not linked: {listed(names)}; {fix}"


def programs_of(
    job: Job, name: str, label: Label, cached: CachedFile
) -> tuple[contents.Contents, list[variants.Variant]]:
    """Open the asset *name*; return what it holds, and its programs for each platform, with what these need.

    Raises ReleaseError for what must not be unpacked, and if the programs are not what its *label* says.
    """
    wanted = job.wanted
    found = job.look_into(name, cached)
    asked = variants.Asked(wanted.name, job.release.version, name, wanted.executables, partial(_is_asked, wanted))
    of_platforms = variants.variants(found, asked)
    refuse_broken(name, label, [one.requires for one in of_platforms])
    return found, [replace(one, requires=completed_by_name(one.requires, label)) for one in of_platforms]


def locked_tool(
    means: Means,
    job: Job,
    stated: Mapping[str, Stated],
    pending: Iterable[Future[Opened]],
    locked: LockedTool | None,
) -> LockedTool:
    """Return the tool that the *pending* assets make, of which digests are *stated*; *locked* is what it was before.

    Raises ReleaseError if an asset cannot be had or verified, if they do not serve all platforms, and if something
    became worse than it was.
    """
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
        purpose=wanted.purpose,
        owner=wanted.owner,
        purls=wanted.purls,
        catalogued=wanted.catalogued,
        constraint=wanted.constraint,
        platforms=names(wanted.platforms),
    )
    tool = narrowed(tool, wanted.platforms)
    alarms.refuse_weaker(wanted, release, tool, locked)
    policy_check.refuse_tool(job.policy, wanted.name, tool, means.now)
    means.progress.tell(f"{wanted.name} {tool.version}: {_summary(tool, stated)}, from {job.source.describe()}")
    return tool


def _is_asked(wanted: WantedTool, requirement: Requirement) -> bool:
    return any(serves(requirement, platform.base) for platform in wanted.platforms)


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
    without = unserved(assets, wanted.platforms)
    if without:
        raise ReleaseError(
            f"{wanted.name} {release.version}: no asset's programs run on {', '.join(map(str, without))}",
            found=", ".join(f"{asset.name}: {asset.target}" for asset in assets),
            fix=matching.without(wanted.name, [one for one in wanted.platforms if one not in without])
            + "choose a version that serves them",
        )


def _summary(tool: LockedTool, stated: Mapping[str, Stated]) -> str:
    """Return in words how much a tool is, and on what grounds its bytes are believed."""
    assets = {asset.sha256: asset for asset in tool.assets}.values()
    word = f"{len(assets)} asset{'' if len(assets) == 1 else 's'}, {amount(sum(asset.size for asset in assets))}"
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
