# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a survey told to people? Lines that fit a terminal, what is most first. Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TypeVar

from ansible_collections.pinned.release.plugins.plugin_utils._audit.survey import (
    Got,
    Kind,
    Outcome,
    Refused,
    Silent,
    Survey,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.surveyed import Asked, Machine
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import dotted_numbers
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

T = TypeVar("T")
WIDTH = 79
#: So many groups of each sort are told, so many hosts of each are named, and reasons have so many characters.
MOST_GROUPS, MOST_NAMED, LONGEST_REASON = 12, 8, 230
#: What a reason has that nobody would expect of a host: another build than its own, or not of its own architecture.
_SURPRISES = (" → ", " emulated on ", " beside ", ", assuming ")
_HEADER = ("hosts", "platform", "libc", "processor", "distribution")
_WORDS: dict[Asked, str] = {
    "answered": "answered",
    "unreachable": "unreachable",
    "failed": "failed",
    "not_asked": "not asked",
}


def lines(survey: Survey, is_verbose: bool = False) -> list[str]:
    """Return the *survey* in lines of at most WIDTH characters.

    With *is_verbose*, every reason is told, every group, and every host is named.
    """
    limits = (None, None) if is_verbose else (MOST_GROUPS, MOST_NAMED)
    return [line.rstrip() for line in _Teller(survey, is_verbose, *limits).lines()]


class _Teller:
    """Tells one *survey*; *most* groups of each sort, *named* hosts of each; None for all of them."""

    def __init__(self, survey: Survey, is_verbose: bool, most: int | None, named: int | None) -> None:
        self._survey = survey
        self._is_verbose = is_verbose
        self._most = most
        self._named = named

    def lines(self) -> Iterator[str]:
        """Yield the lines: what the hosts are, what they would get, what would be refused, and who did not answer."""
        yield self._counts()
        yield from self._kinds()
        yield from self._platforms()
        yield from self._pythons()
        yield from self._outcomes()
        yield from self._refused()
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
            yield from self._list("no platform is known for ", survey.unplaced)

    def _pythons(self) -> Iterator[str]:
        for group in self._survey.pythons:
            yield from ("", *_wrapped(f"{_hosts(group.hosts)} without a Python that could install anything:", ""))
            yield from self._list("  ", group.hosts)
            yield from _wrapped(f"found: {group.refusal.found}", "  ")

    def _outcomes(self) -> Iterator[str]:
        survey = self._survey
        if survey.lock is None:
            yield from ("", "There is no lock file: name one with -e lockfile=FILE to see what hosts would get.")
            return
        shown, more = self._first(survey.outcomes)
        tools = f"{survey.lock.tools} tool{'' if survey.lock.tools == 1 else 's'}"
        yield from ("", f"A rollout of {survey.lock.name}, {tools}, would bring {'' if shown else 'nothing'}".rstrip())
        for outcome in shown:
            yield from _wrapped(f"{_hosts(outcome.hosts)}: {_machines(outcome.machines)}", "  ")
            yield from self._tools(outcome)
        yield from more

    def _tools(self, outcome: Outcome) -> Iterator[str]:
        by_target: dict[str, list[str]] = {}
        for name, got in outcome.tools.items():
            by_target.setdefault(got.target, []).append(f"{name} {got.version}")
        for target, tools in sorted(by_target.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            yield from _wrapped(f"{target}: {', '.join(tools)}", "    ")
        for name, got in outcome.tools.items():
            yield from self._reasons(name, got)

    def _reasons(self, name: str, got: Got) -> Iterator[str]:
        for reason in got.reasons:
            if self._is_verbose or any(surprise in reason for surprise in _SURPRISES):
                yield from _wrapped(f"{name}: {reason}", "      ")

    def _refused(self) -> Iterator[str]:
        shown, more = self._first(self._survey.refused)
        if shown:
            yield from ("", "It would be refused on")
        for group in shown:
            yield from self._refusal(group)
        yield from more

    def _refusal(self, group: Refused) -> Iterator[str]:
        yield from self._list(f"  {_hosts(group.hosts)}: ", group.hosts)
        why = group.refusal
        yield from _wrapped(shortened(": ".join(filter(None, (why.what, why.found))), LONGEST_REASON), "    ")
        if why.fix:
            yield from _wrapped(f"to fix: {shortened(why.fix, LONGEST_REASON)}", "    ")

    def _silent(self) -> Iterator[str]:
        shown, more = self._first(self._survey.silent)
        if shown:
            yield ""
        for group in shown:
            yield from self._without_answer(group)
        yield from more

    def _without_answer(self, group: Silent) -> Iterator[str]:
        yield from self._list(f"{_WORDS[group.asked]}: ", group.hosts)
        if group.asked != "not_asked":
            yield from _wrapped(shortened(group.why, LONGEST_REASON), "  ")

    def _list(self, before: str, hosts: Sequence[str]) -> Iterator[str]:
        return _wrapped(before.lstrip() + listed(hosts, self._named or len(hosts)), before[: -len(before.lstrip())])

    def _first(self, groups: Sequence[T]) -> tuple[Sequence[T], list[str]]:
        """Return the *groups* that are told, and the line that tells how many are not."""
        left = len(groups) - (self._most or len(groups))
        return groups[: self._most], [f"  and {left} more groups: see them with -v"] if left > 0 else []


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
    yield from wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + more, break_on_hyphens=False)
