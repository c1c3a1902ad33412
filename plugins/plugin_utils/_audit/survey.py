# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a fleet made of, and what would a rollout do there? Answers of hosts → groups of hosts. Pure; controller."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from ansible_collections.pinned.release.plugins.plugin_utils._audit.surveyed import (
    Asked,
    Machine,
    Refusal,
    SurveyedHost,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import dotted_numbers
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: Hosts of one refusal that found different things: so many of these are told.
MOST_FOUND = 3
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Kind:
    """Hosts that are the same kind of machine."""

    machine: Machine
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Got:
    """What hosts would get of a tool. The *reasons* differ where the hosts do; *surprises* are those worth telling."""

    version: str
    target: str
    reasons: tuple[str, ...]
    surprises: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """Hosts that would get the same build of each tool. *machines* are the kinds that they are of."""

    tools: Mapping[str, Got]
    machines: tuple[Machine, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """Hosts on which something is refused for one reason.

    tool      the one that it is about; "" if it is about all
    is_final  whether a rollout would fail there; else it would go on without the tool
    """

    tool: str
    refusal: Refusal
    hosts: tuple[str, ...]
    is_final: bool = True


#: A refusal on one host: the tool, the name of the host, why, and whether a rollout would fail there.
_One: TypeAlias = tuple[str, str, Refusal, bool]


@dataclass(frozen=True)
class Silent:
    """Hosts without an answer, for one reason."""

    asked: Asked
    why: str
    fix: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class SurveyedLock:
    """The lock file that hosts were compared with, and how many tools it pins."""

    name: str
    sha256: str
    tools: int


@dataclass(frozen=True)
class Survey:
    """What a fleet is made of. Groups with the most hosts come first.

    platforms  those of a manifest that serves every host that answered, but for those of *unplaced*
    unplaced   hosts for which no manifest can name a platform
    pythons    hosts without a Python that could install anything
    """

    hosts: int
    kinds: tuple[Kind, ...]
    platforms: tuple[Platform, ...]
    unplaced: tuple[str, ...]
    pythons: tuple[Refused, ...]
    lock: SurveyedLock | None
    outcomes: tuple[Outcome, ...]
    refused: tuple[Refused, ...]
    silent: tuple[Silent, ...]


def survey_of(hosts: Sequence[SurveyedHost], lock: SurveyedLock | None) -> Survey:
    """Return what the *hosts* of an inventory say together, compared with the *lock* file if there is one."""
    answered = [(host, host.machine) for host in hosts if host.machine]
    silent = [host for host in hosts if not host.machine]
    going = [(host, machine) for host, machine in answered if host.tools and not host.refused]
    return Survey(
        hosts=len(hosts),
        kinds=tuple(Kind(kind, _names(same)) for kind, same in _grouped(answered, lambda pair: pair[1])),
        platforms=platforms_of(machine.platform for _host, machine in answered),
        unplaced=tuple(host.name for host, machine in answered if machine.platform is None),
        pythons=_refused(("", host.name, host.python, True) for host, _machine in answered if host.python),
        lock=lock,
        outcomes=tuple(_outcome(same) for _builds, same in _grouped(going, lambda pair: _builds_of(pair[0]))),
        refused=_refused(refusal for host, _machine in answered for refusal in _refusals(host)),
        silent=tuple(
            Silent(asked, why, fix, tuple(host.name for host in same))
            for (asked, why, fix), same in _grouped(silent, lambda host: (host.asked, host.why, host.fix))
        ),
    )


def platforms_of(found: Iterable[Platform | None]) -> tuple[Platform, ...]:
    """Return the fewest platforms that describe all hosts of those *found*: of each libc the oldest version there.

    A platform that some host has without a known floor stands there without one as well: nothing is promised of it.
    """
    lowest: dict[tuple[Platform, str], Platform] = {}
    for platform in found:
        if platform is None:
            continue
        key = (platform.base, platform.floor.libc if platform.floor else "")
        if key not in lowest or _floor_of(platform) < _floor_of(lowest[key]):
            lowest[key] = platform
    return tuple(sorted(lowest.values(), key=lambda one: (str(one.base), str(one))))


def _floor_of(platform: Platform) -> tuple[int, ...]:
    return dotted_numbers((platform.floor and platform.floor.version) or "")


def _grouped(values: Iterable[V], key: Callable[[V], K]) -> list[tuple[K, list[V]]]:
    """Return the *values* that have the same *key* together, the largest group first."""
    groups: dict[K, list[V]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _names(same: Iterable[tuple[SurveyedHost, Machine]]) -> tuple[str, ...]:
    return tuple(host.name for host, _machine in same)


def _builds_of(host: SurveyedHost) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, tool.version, tool.target) for name, tool in sorted(host.tools.items()) if not tool.refused)


def _outcome(same: Sequence[tuple[SurveyedHost, Machine]]) -> Outcome:
    tools = {}
    for name, version, target in _builds_of(same[0][0]):
        got = [host.tools[name] for host, _machine in same]
        reasons = dict.fromkeys(tool.reason for tool in got)
        surprises = dict.fromkeys(tool.reason for tool in got if tool.is_surprising)
        tools[name] = Got(version, target, tuple(reasons), tuple(surprises))
    return Outcome(tools, tuple(dict.fromkeys(machine for _host, machine in same)), _names(same))


def _refusals(host: SurveyedHost) -> Iterator[_One]:
    """Yield what would be refused on *host*: each tool that has no build for it, or else what stops all of them."""
    is_final = host.refused is not None
    of_tools = [(name, host.name, tool.refused, is_final) for name, tool in sorted(host.tools.items()) if tool.refused]
    yield from of_tools
    if host.refused and not of_tools:
        yield "", host.name, host.refused, True


def _refused(found: Iterable[_One]) -> tuple[Refused, ...]:
    """Return the refusals that were *found* with their hosts. Those that differ only in what a host has are one."""
    groups = _grouped(found, lambda one: (one[0], one[2].what, one[2].fix, one[3]))
    return tuple(
        Refused(tool, _together([why for _tool, _host, why, _final in same]), tuple(one[1] for one in same), is_final)
        for (tool, _what, _fix, is_final), same in groups
    )


def _together(refusals: Sequence[Refusal]) -> Refusal:
    expected, found = (
        listed(dict.fromkeys(getattr(one, part) for one in refusals if getattr(one, part)), MOST_FOUND, "; ")
        for part in ("expected", "found")
    )
    return replace(refusals[0], expected=expected, found=found)
