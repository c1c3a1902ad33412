# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release satisfies the manifest, and what exactly is it? Manifest + what was locked → lock; on the controller.

What still satisfies the manifest stays as it is, without a look at the network.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, TypeVar

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    alarms,
    aliases,
    answers,
    catalogue_moves,
    floors,
    local_folders,
    policy_check,
    upgrade_kinds,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.answered import as_kept, is_answered
from ansible_collections.pinned.release.plugins.plugin_utils._lock.changes import Outcome, outcome
from ansible_collections.pinned.release.plugins.plugin_utils._lock.earlier_proofs import notes_of
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest, WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.means import Means, about
from ansible_collections.pinned.release.plugins.plugin_utils._lock.release_search import (
    Asked,
    Chosen,
    choose,
    next_release,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.shared_programs import refuse_shared_programs
from ansible_collections.pinned.release.plugins.plugin_utils._lock.tool_lock import (
    Opened,
    locked_tool,
    opened_asset,
    passed_over_notes,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verified_bytes import Job, refuse_uncovered
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Stated
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.shared_errors import together
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

LOG = logging.getLogger("pinned.release")
PARALLEL_REQUESTS = 6

T = TypeVar("T")
#: The assets of a release, as they arrive.
_Pending: TypeAlias = list[Future[Opened]]


@dataclass(frozen=True)
class Resolution:
    """The new lock, what became of each tool, and notes on what holds for all of them.

    *kept* holds what the proofs that are new were made of, by its SHA-256.
    """

    lock: LockFile
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kept: Mapping[str, bytes] = field(default_factory=dict)


class Resolver(Means):
    """Makes a lock of a manifest and of what was locked before."""

    def resolve(self, manifest: Manifest, locked: LockFile, upgrade: Sequence[str] = ()) -> Resolution:
        """Return the lock for *manifest*, starting from what was *locked*. *upgrade* is as in upgrade_kinds.py.

        First every tool gets its release, then every asset is fetched: what people mistype is told before anything
        large is downloaded. Raises ReleaseError that names each tool in the way of a lock; then nothing was decided.
        """
        moving = upgrade_kinds.moves(upgrade, manifest.tools)
        kept = {
            name: as_kept(locked.tools[name], wanted)
            for name, wanted in manifest.tools.items()
            if name in locked.tools and name not in moving and self._still_satisfies(locked, wanted, manifest.policy)
        }
        before = {
            name: None if name in moving else locked.tools.get(name) for name in manifest.tools if name not in kept
        }
        for name, tool in kept.items():
            LOG.debug("%s: %s stays, it still is what the manifest asks for", name, tool.version)
        made, notes, contents_of_proofs = self._made(Asked(manifest, moving, locked), before)
        tools = {**kept, **made}
        refuse_shared_programs(tools, manifest)
        confirmed = policy_check.confirmed_on(manifest.policy, locked, self.now)
        lock = LockFile(answers.platforms_of(manifest), tools, manifest.policy, confirmed)
        origins = {
            name: tuple(catalogue_moves.notes(manifest, name, locked.tools.get(name), tool))
            for name, tool in tools.items()
        }
        outcomes = _outcomes(locked, tools, manifest, (notes, origins))
        notes_of_all = [*(answers.policy_notes(locked, manifest) if locked.tools else ())]
        notes_of_all += catalogue_moves.trouble(manifest)
        notes_of_all += policy_check.confirmation_notes(manifest.policy, locked, confirmed)
        return Resolution(lock, outcomes, tuple(notes_of_all), contents_of_proofs)

    def _still_satisfies(self, lock: LockFile, wanted: WantedTool, policy: Policy) -> bool:
        """Return whether the answer of the *lock* is one to what is *wanted* now, under the *policy* of now."""
        locked = lock.tools[wanted.name]
        is_kept = all(self.has_kept(sha256) for asset in locked.assets for sha256 in asset.evidence.kept())
        is_recorded = self.elsewhere.is_recorded(wanted.name, locked)
        if not is_kept or not is_recorded or not is_answered(locked, wanted):
            return False
        return not policy_check.of_tool(policy, wanted.name, as_kept(locked, wanted), self.now)

    def _made(
        self, asked: Asked, pinned: Mapping[str, LockedTool | None]
    ) -> tuple[dict[str, LockedTool], dict[str, tuple[str, ...]], dict[str, bytes]]:
        """Return the tools that *pinned* names, locked anew, in that version where there is one, and notes on each.

        The third is what their proofs were made of, by its SHA-256.
        """
        manifest, locked = asked.manifest, asked.locked
        allowance = Allowance(manifest.policy.maximum_unpacked_bytes)
        chosen_for = partial(choose, self, asked, allowance)
        pool = ThreadPoolExecutor(PARALLEL_REQUESTS)
        try:
            chosen = _all(pool.submit(chosen_for, manifest.tools[name], tool) for name, tool in pinned.items())
            stating = [
                {proposal.name: pool.submit(self._stated, one.job, proposal.name) for proposal in one.proposals}
                for one in chosen
            ]
            stated = _all(partial(_covered, one.job, pending) for one, pending in zip(chosen, stating, strict=True))
            self.progress.expect(*(size for one in chosen for size in _sizes(one)))
            fetching = [self._fetching(pool, one, said) for one, said in zip(chosen, stated, strict=True)]
            made = _all(
                partial(self._serving, pool, one, (said, assets), locked.tools.get(one.job.wanted.name))
                for one, said, assets in zip(chosen, stated, fetching, strict=True)
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        tools = {one.job.wanted.name: tool for one, tool, _kept in made}
        place = local_folders.note(tools)
        if place:
            self.progress.tell(place)
        changed = {name for name, tool in tools.items() if tool != locked.tools.get(name)}
        notes = {
            one.job.wanted.name: (*one.notes, *_notes_on_access(one.job, tool, changed)) for one, tool, _kept in made
        }
        return tools, notes, {sha256: content for _one, _tool, kept in made for sha256, content in kept.items()}

    def _fetching(self, pool: ThreadPoolExecutor, chosen: Chosen, stated: Mapping[str, Stated]) -> _Pending:
        return [
            pool.submit(opened_asset, self, chosen.job, proposal, stated[proposal.name])
            for proposal in chosen.proposals
        ]

    def _serving(
        self,
        pool: ThreadPoolExecutor,
        chosen: Chosen,
        begun: tuple[Mapping[str, Stated], _Pending],
        locked: LockedTool | None,
    ) -> tuple[Chosen, LockedTool, Mapping[str, bytes]]:
        """Return the newest release that serves all platforms, *chosen* or an older one; and the tool locked from it.

        The third is what its proofs were made of. *begun* is what is stated of the assets of *chosen*, and these as
        they arrive.
        """
        while True:
            try:
                tool = locked_tool(self, chosen.job, *begun, locked)
                tool = aliases.with_aliases(self, chosen.job, chosen.search.offered, tool)
                alarms.refuse_downgrade(chosen.job.wanted, tool.version, locked, chosen.search.offered)
                opened = [future.result() for future in begun[1]]
                proofs = [one.proofs for one in opened]
                told = (*notes_of(proofs), *passed_over_notes(opened), *aliases.notes(locked, tool))
                chosen = replace(chosen, notes=(*chosen.notes, *told))
                return chosen, tool, {sha256: content for one in proofs for sha256, content in one.kept.items()}
            except floors.BelowFloorError as error:
                chosen = next_release(self, chosen, error)
            pending = {one.name: pool.submit(self._stated, chosen.job, one.name) for one in chosen.proposals}
            stated = _covered(chosen.job, pending)
            self.progress.expect(*_sizes(chosen))
            begun = stated, self._fetching(pool, chosen, stated)

    @staticmethod
    def _stated(job: Job, name: str) -> Stated:
        with about(job.wanted):
            return job.stated(name)


def _sizes(chosen: Chosen) -> list[int | None]:
    return [chosen.job.asset(proposal.name).size for proposal in chosen.proposals]


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
        raise ReleaseError(together(errors, f"{len(errors)} tools cannot be locked")) from errors[0]
    if errors:
        raise errors[0]
    return answers


def _notes_on_access(job: Job, tool: LockedTool, changed: Collection[str]) -> Iterator[str]:
    """Yield what to tell where the *tool* is among those that *changed*, and hosts cannot download its assets."""
    private = sorted({asset.name for asset in tool.assets if asset.private_url})
    if job.wanted.name in changed and private:
        yield (
            f"{listed(private)} {'is' if len(private) == 1 else 'are'} private ({job.source.describe()}). Hosts have "
            "no credentials, so the controller downloads what they need with its own, and sends it to them"
        )


def _outcomes(
    locked: LockFile,
    tools: Mapping[str, LockedTool],
    manifest: Manifest,
    notes: Sequence[Mapping[str, tuple[str, ...]]],
) -> dict[str, Outcome]:
    """Return what became of each tool, with its *notes*: on the choice of a release, on where it is from."""
    outcomes = {}
    for name in sorted({*tools, *locked.tools}):
        platforms = manifest.tools[name].platforms if name in manifest.tools else ()
        became = outcome(locked.tools.get(name), tools.get(name), platforms)
        outcomes[name] = replace(became, notes=(*became.notes, *(note for one in notes for note in one.get(name, ()))))
    return outcomes
