# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a survey told to people? Lines that fit a terminal, what is most first. Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from ansible_collections.pinned.release.plugins.plugin_utils._audit.survey import (
    Kind,
    Outcome,
    Refused,
    Silent,
    Survey,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.surveyed import Asked, Machine
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import dotted_numbers
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import folded, listed, shortened

T = TypeVar("T")
WIDTH = 79
#: So many groups of each sort are told, so many hosts of each are named, and reasons have so many characters.
MOST_GROUPS, MOST_NAMED, LONGEST_REASON = 12, 8, 230
#: Of those who did not answer, more are named: somebody must look at each.
MOST_SILENT = 40
#: So many names of tools are told of each group of hosts, though they have been told before.
MOST_REPEATED = 3
_HEADER = ("hosts", "platform", "libc", "processor", "distribution")
_WORDS: dict[Asked, str] = {
    "answered": "answered",
    "unreachable": "unreachable",
    "failed": "failed",
    "not_asked": "not asked",
}


def lines(survey: Survey, is_verbose: bool = False) -> list[str]:
    """Return the *survey* in lines of at most WIDTH characters, unless a word is longer.

    With *is_verbose*, every reason is told, every group, and every host is named.
    """
    return [line.rstrip() for line in _Teller(survey, is_verbose).lines()]


class _Teller:
    """Tells one *survey*."""

    def __init__(self, survey: Survey, is_verbose: bool) -> None:
        self._survey = survey
        self._is_verbose = is_verbose

    def lines(self) -> Iterator[str]:
        """Yield the lines: what the hosts are, what they would get, what would be refused, and who did not answer."""
        yield self._counts()
        yield from self._kinds()
        yield from self._platforms()
        yield from self._pythons()
        yield from self._outcomes()
        refused = self._survey.refused
        yield from self._refused("A rollout would be refused on", [one for one in refused if one.is_final])
        yield from self._refused("It would leave out a tool on", [one for one in refused if not one.is_final])
        yield from self._silent()

    def _counts(self) -> str:
        counts = dict.fromkeys(_WORDS, 0) | {"answered": sum(len(kind.hosts) for kind in self._survey.kinds)}
        for silent in self._survey.silent:
            counts[silent.asked] += len(silent.hosts)
        told = ", ".join(f"{counts[asked]} {word}" for asked, word in _WORDS.items() if counts[asked])
        return f"{_hosts(self._survey.hosts)} in the inventory: {told}"

    def _kinds(self) -> Iterator[str]:
        shown, more = self._first(self._survey.kinds)
        if shown:
            yield ""
            yield from _table([_HEADER, *map(_row, shown)])
            yield from more

    def _platforms(self) -> Iterator[str]:
        survey = self._survey
        if survey.platforms:
            yield from ("", "A manifest serves all of them with")
            names = ", ".join(map(str, survey.platforms))
            yield from _wrapped(f"platforms: [{names}]", "", more=" " * len("platforms: ["))
        if survey.unplaced:
            yield from self._told(survey.unplaced, "no platform of a manifest is known for this")

    def _pythons(self) -> Iterator[str]:
        """Where a rollout would be refused for it, it is told there."""
        refused = {(host, group.refusal.what) for group in self._survey.refused for host in group.hosts}
        for group in self._survey.pythons:
            hosts = [host for host in group.hosts if (host, group.refusal.what) not in refused]
            if hosts:
                yield from ("", *self._told(hosts, f"no Python that could install anything: {group.refusal.found}"))

    def _outcomes(self) -> Iterator[str]:
        survey = self._survey
        if survey.lock is None:
            # Where no host answered, none would get anything, and one may have been named in vain.
            if survey.kinds:
                yield from ("", "Name a lock file (-e lockfile=FILE) to see what hosts would get.")
            return
        yield ""
        shown, more = self._first(survey.outcomes)
        versions = {name: got.version for outcome in survey.outcomes for name, got in outcome.tools.items()}
        tools = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        yield from _wrapped(f"By {survey.lock.name}, {f'hosts get {tools}' if tools else 'no host gets anything'}", "")
        for outcome in shown:
            yield from _wrapped(f"{_hosts(outcome.hosts)}: {_machines(outcome.machines)}", "  ")
            yield from _builds(outcome, survey.lock.tools)
            for name, got in outcome.tools.items():
                for reason in got.reasons if self._is_verbose else got.surprises:
                    yield from _wrapped(f"{name}: {reason}", "      ")
        yield from more

    def _refused(self, title: str, groups: Sequence[Refused]) -> Iterator[str]:
        shown, more = self._first(groups)
        if shown:
            yield from ("", title)
        for group in shown:
            why = group.refusal
            yield from self._told(group.hosts, _short(": ".join(filter(None, (why.what, why.found)))), "  ")
            if why.fix:
                yield from _wrapped(f"to fix: {_short(why.fix)}", "    ")
        yield from more

    def _silent(self) -> Iterator[str]:
        shown, more = self._first(_by_status(self._survey.silent))
        if shown:
            yield ""
        for group in shown:
            why = f": {_short(group.why)}" if group.why else ""
            yield from self._told(group.hosts, f"{_WORDS[group.asked]}{why}", most=MOST_SILENT)
            if group.fix:
                yield from _wrapped(f"to fix: {_short(group.fix)}", "  ")
        yield from more

    def _told(self, hosts: Sequence[str], text: str, indent: str = "", most: int = MOST_NAMED) -> Iterator[str]:
        names = listed(hosts, len(hosts) if self._is_verbose else most)
        return _wrapped(f"{names if len(hosts) == 1 else f'{len(hosts)} hosts ({names})'}: {text}", indent)

    def _first(self, groups: Sequence[T]) -> tuple[Sequence[T], list[str]]:
        """Return the *groups* that are told, and the line that tells how many are not."""
        most = len(groups) if self._is_verbose else MOST_GROUPS
        left = len(groups) - most
        return groups[:most], [f"  and {left} more groups: see them with -v"] if left > 0 else []


def _by_status(groups: Sequence[Silent]) -> list[Silent]:
    """Return the *groups* without an answer, the unreachable ones as one: each reason has an address of its own."""
    unreachable, failed, not_asked = (
        [group for group in groups if group.asked == asked] for asked in ("unreachable", "failed", "not_asked")
    )
    reasons = "; ".join(group.why for group in unreachable[:2]) + (" …" if len(unreachable) > 2 else "")
    return [*_as_one(unreachable, reasons), *failed, *_as_one(not_asked, "")]


def _as_one(groups: Sequence[Silent], why: str) -> list[Silent]:
    hosts = tuple(host for group in groups for host in group.hosts)
    return [Silent(groups[0].asked, why, "", hosts)] if groups else []


def _builds(outcome: Outcome, locked: int) -> Iterator[str]:
    """Yield which tools the hosts of *outcome* get for which target. Of one that most are for, only their number."""
    by_target: dict[str, list[str]] = {}
    for name, got in outcome.tools.items():
        by_target.setdefault(got.target, []).append(name)
    for target, names in sorted(by_target.items(), key=lambda pair: (len(pair[1]), pair[0])):
        is_most = len(outcome.tools) == locked and len(names) > max(MOST_REPEATED, locked // 2)
        rest = "all of them" if len(by_target) == 1 else f"the other {len(names)}"
        yield from _wrapped(f"{target}: {rest if is_most else ', '.join(names)}", "    ")


def _short(text: str) -> str:
    return shortened(text, LONGEST_REASON)


def _row(kind: Kind) -> tuple[str, ...]:
    machine = kind.machine
    return (str(len(kind.hosts)), _platform(machine), _libc(machine), machine.cpu, machine.distribution)


def _platform(machine: Machine) -> str:
    if machine.platform:
        return str(machine.platform.base)
    return f"{machine.os or 'unknown'}/{machine.arch or 'unknown'}"


def _libc(machine: Machine) -> str:
    return "" if machine.libc == "system" else f"{machine.libc or 'unknown'} {machine.libc_version}".strip()


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *others in rows:
        cells = [first.rjust(widths[0]), *(text.ljust(width) for text, width in zip(others, widths[1:], strict=True))]
        yield shortened("  ".join(cells).rstrip(), WIDTH)


def _machines(machines: Iterable[Machine]) -> str:
    """Return what the *machines* are: ``linux/x86_64 glibc 2.31, 2.36; macos/aarch64``."""
    versions: dict[str, set[str]] = {}
    for machine in machines:
        libc = "" if machine.libc == "system" else machine.libc
        versions.setdefault(f"{_platform(machine)} {libc}".strip(), set()).add(machine.libc_version)
    return "; ".join(
        f"{name} {', '.join(sorted(found, key=lambda text: (dotted_numbers(text), text)))}".strip()
        for name, found in versions.items()
    )


def _hosts(hosts: Sequence[str] | int) -> str:
    number = hosts if isinstance(hosts, int) else len(hosts)
    return "1 host" if number == 1 else f"{number} hosts"


def _wrapped(text: str, indent: str, more: str = "  ") -> Iterator[str]:
    """Yield *text* in lines that begin with *indent*, and all but the first with *more* spaces behind that."""
    yield from folded(indent + text, WIDTH, indent + more)
