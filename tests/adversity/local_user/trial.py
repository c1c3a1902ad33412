# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is one attack tried by one role? Install, give the rights, let them act, run, judge, and run once more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any, Literal, TypeAlias

from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import BinKind
from ansible_collections.pinned.release.tests.adversity.local_user import judge, roles, stops
from ansible_collections.pinned.release.tests.adversity.local_user.attack import TABLE, Attack
from ansible_collections.pinned.release.tests.adversity.local_user.attacker import Attacker
from ansible_collections.pinned.release.tests.adversity.local_user.attacks import (
    beside,
    contents,
    files,
    places,
    words,
)
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host, Moments, Outcome, fresh_host
from ansible_collections.pinned.release.tests.adversity.local_user.people import as_user, staying

#: Importing them has filled the table.
KINDS_OF_ATTACKS = (words, places, contents, beside, files)
ACT_TIMEOUT_S = 20
#: At so many places is a step stopped by each role, when everything is tried.
STOPS = 6
KINDS: tuple[BinKind, ...] = ("link", "copy")
#: The question starts about as many programs; where it is stopped, one of them has just been started.
PROGRAMS_OF_QUESTION = 40
#: How the attacked run ended: they could not do it; error to act on; as pinned, really.
End: TypeAlias = Literal["prevented", "refused", "converged"]


@dataclass(frozen=True)
class Trial:
    """*attack* by *role*; *at* is how far through a step it is stopped, from 0 to 1, where the attack is amid one.

    *kind* is how programs stand in bin_dir.
    """

    attack: Attack
    role: roles.Role
    at: float = 0
    kind: BinKind = "link"

    @property
    def name(self) -> str:
        at = f" at {self.at:.0%}" if self.attack.moment in ("ask", "obey") else ""
        return f"{self.attack.name}{at}, by {self.role.name}{', at copies' if self.kind == 'copy' else ''}"


@dataclass(frozen=True)
class Verdict:
    end: End
    holes: tuple[str, ...]
    text: str


def sample() -> Iterator[Trial]:
    """Yield trials of every attack at each of its moments, by roles in turn.

    Another variant is tried by a former owner, who is no longer held off by what they may not change now. Every third
    of them is at copies of programs in bin_dir, the others at links.
    """
    turns: Counter[str] = Counter()
    for _attack, variants in groupby(TABLE, key=lambda attack: (attack.act, attack.moment)):
        first, *others = variants
        for attack, among in ((first, roles.ROLES), ([first, *others][-1], roles.FORMER)):
            able = _able(attack, among)
            if able:
                turns[attack.needs] += 1
                turn = turns[attack.needs]
                yield Trial(attack, able[turn % len(able)], turn * 0.37 % 1, "link" if turn % 3 else "copy")


def every() -> Iterator[Trial]:
    """Yield all trials: every variant by every role that can do it, at links and at copies."""
    for attack in TABLE:
        points = [number / STOPS for number in range(STOPS)] if attack.moment in ("ask", "obey") else [0.0]
        for role in _able(attack, (*roles.FORMER, roles.ALONE, *roles.ROLES)):
            yield from (Trial(attack, role, at, kind) for at in points for kind in KINDS)


def _able(attack: Attack, among: Sequence[roles.Role]) -> list[roles.Role]:
    """Return the roles that have the rights that *attack* needs, when it needs them."""
    able = [role for role in among if attack.needs in role.rights]
    if attack.moment == "before" and attack.lasts:
        return able
    return [role for role in able if role.settled is roles.leave]


def carry_out(trial: Trial) -> Verdict:
    """Try the attack on a fresh host. Raises AssertionError where the host could not be made for it."""
    with fresh_host() as host:
        return _carry_out(trial, host)


def _carry_out(trial: Trial, host: Host) -> Verdict:
    attack, role = trial.attack, trial.role
    host.options["bin"] = trial.kind
    prepare(host, attack, role)
    role.after(host)
    wanted = host.wanted(attack.wants, **attack.options)
    me = Attacker(host, wanted, attack.twin)
    with _begun(attack, host, me) as is_prevented:
        role.settled(host)
        before = judge.snapshot(host, is_witness_only=attack.moment != "before" or attack.stays)
        outcome = host.run(wanted, _moments(trial, host, me))
        found = _judged(host, before, wanted, outcome, role)
        later = [host.look(_fully(wanted)), host.audit(wanted), host.run(wanted)]
        for ended in later:
            found += [f"then: {hole}" for hole in _judged(host, before, wanted, ended, role)]
    end: End = "prevented" if is_prevented else "refused" if outcome.kind == "refused" else "converged"
    return Verdict(end, tuple(dict.fromkeys(found)), outcome.text)


def prepare(host: Host, attack: Attack, role: roles.Role) -> None:
    host.make()
    host.options["keep"] = 0
    attack.host(host)
    role.before(host)
    for version in attack.installed:
        outcome = host.run(host.wanted(version, keep=1))
        assert outcome.kind == "changed", outcome.text


def _fully(wanted: Wanted) -> Wanted:
    return replace(wanted, integrity="full")


def _judged(host: Host, before: judge.Snapshot, wanted: Wanted, outcome: Outcome, role: roles.Role) -> list[str]:
    found = judge.holes(host, before, wanted, outcome)
    if role.must_converge and outcome.kind == "refused":
        found.append(f"stopped by somebody without any right there: {outcome.text.strip()[-400:]}")
    return found


def _begun(attack: Attack, host: Host, me: Attacker) -> AbstractContextManager[bool]:
    """Let the attacker act before the run; the context tells whether the operating system let them not."""
    if attack.moment != "before":
        return nullcontext(False)
    if attack.stays:
        return _Staying(attack, host, me)
    return nullcontext(not _acted(attack, host, me))


class _Staying(AbstractContextManager[bool]):
    def __init__(self, attack: Attack, host: Host, me: Attacker) -> None:
        self._process = staying(host.attacker, lambda: attack.act(me))
        self._is_there = False

    def __enter__(self) -> bool:
        try:
            self._process.__enter__()
        except PermissionError:
            return True
        self._is_there = True
        return False

    def __exit__(self, *error: Any) -> None:
        if self._is_there:
            self._process.__exit__(None, None, None)


def _acted(attack: Attack, host: Host, me: Attacker) -> bool:
    try:
        as_user(host.attacker, lambda: attack.act(me) and None, ACT_TIMEOUT_S)
    except PermissionError:
        return False
    return True


def _moments(trial: Trial, host: Host, me: Attacker) -> Moments:
    attack = trial.attack

    def act() -> None:
        # Amid a run, an attack may come too early or too late.
        with suppress(OSError):
            as_user(host.attacker, lambda: attack.act(me) and None, ACT_TIMEOUT_S)

    if attack.moment == "between":
        return Moments(between=act)
    if attack.moment == "ask":
        return Moments(during_ask=stops.Stop("execve", 1, act, int(trial.at * PROGRAMS_OF_QUESTION) + 1))
    if attack.moment == "obey":
        calls = _calls(_key(attack), trial.kind)
        call, when = calls[int(trial.at * len(calls))]
        return Moments(during_obey=stops.Stop(call, when, act))
    return Moments()


@cache
def _calls(key: str, kind: BinKind) -> list[tuple[str, int]]:
    """Return the system calls of the step that carries out orders, on a host that nobody attacks."""
    attack = next(attack for attack in TABLE if _key(attack) == key)
    with fresh_host() as host:
        host.options["bin"] = kind
        prepare(host, attack, roles.IN_SHARED if attack.needs == "place" else roles.PLAIN)
        return host.calls(host.wanted(attack.wants, **attack.options))


def _key(attack: Attack) -> str:
    return repr((attack.installed, attack.wants, attack.options, attack.needs == "place", attack.host.__name__))
