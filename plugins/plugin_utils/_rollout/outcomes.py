# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a fleet, told so that one reads it at once? Hosts with one outcome share a line. Pure; controller.

What is well comes first, so that what failed stands next to what Ansible itself says at the end.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import error_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import one_line
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: So many hosts are named. Somebody has to look at each that failed.
NAMED, NAMED_OF_FAILED = 3, 10
#: Of one kind of failure, so many different findings are told.
MOST_FINDINGS = 3
#: Up to so many characters, what went wrong and what was found are one line.
SHORT = 110
#: What Ansible writes before the reason why a host is unreachable.
_ANSIBLE_SAYS = "Failed to connect to the host via ssh: "
NOT_RUN = "the task was not run"
LATER = "not yet, in a later batch"
SKIPPED = "the task was skipped"
_DONE = {
    "install": "installed",
    "upgrade": "upgraded",
    "downgrade": "downgraded",
    "switch": "switched",
    "repair": "repaired",
    "prune": "pruned",
    "remove": "removed",
}
#: A note about a tool, as views.py writes it: ``uv: upgrade 0.9.8 → 0.9.9``.
_CHANGE = re.compile(rf"(?P<tool>[^ :]+): (?P<action>{'|'.join(_DONE)}) (?P<rest>.+)")


class Kind(NamedTuple):
    """What failures have in common that are told once. What was found may differ from host to host."""

    is_unreachable: bool
    what: str
    expected: str
    fix: str


@dataclass
class _Fleet:
    """The hosts of each outcome; of failures with what was found, of which a loop may have several on one host."""

    changes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    as_they_were: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[Kind, dict[tuple[str, str], None]] = field(default_factory=dict)


def lines(
    results: Iterable[tuple[str, Any]],
    *,
    is_check: bool = False,
    is_verbose: bool = False,
    batch: Container[str] | None = None,
) -> list[str]:
    """Return what became of the hosts of *results*: names, and what a task of pinned.release.tools registered there.

    In check mode, it is what would become of them. A verbose answer names every host, and says all of each failure.
    After a *batch*, other hosts that nothing was done on are in a later one.
    """
    fleet = _Fleet()
    for host, result in results:
        if result is None and batch is not None and host not in batch:
            fleet.as_they_were.setdefault(LATER, []).append(host)
        else:
            _note(fleet, host, result, is_check)
    return [
        *_changed(fleet.changes, is_verbose),
        *_unchanged(fleet.as_they_were, is_verbose),
        *_failed(fleet.failures, is_verbose),
    ]


def _note(fleet: _Fleet, host: str, result: Any, is_check: bool) -> None:
    """Note what became of *host*, by each item of a *result* of a loop. What changed nothing is told if nothing did."""
    of_loop = result.get("results") if isinstance(result, Mapping) else None
    items = of_loop if isinstance(of_loop, list) and of_loop else [result]
    states = [_noted(fleet, host, item, is_check) for item in items]
    said = dict.fromkeys(state for state in states if state is not None)
    if None not in states:
        for state in [state for state in said if state != SKIPPED] or said:
            fleet.as_they_were.setdefault(state, []).append(host)


def _noted(fleet: _Fleet, host: str, result: Any, is_check: bool) -> str | None:
    """Note what a *result* says that became of *host*, or return that it is as it was, in words.

    Much of it is the host's own word, of which no line may seem another host's.
    """
    if not isinstance(result, Mapping):
        return NOT_RUN
    if result.get("unreachable"):
        found = one_line(error_of(result).what.removeprefix(_ANSIBLE_SAYS))
        fleet.failures.setdefault(Kind(True, "unreachable", "", ""), {})[host, found] = None
    elif result.get("failed"):
        error = error_of(result)
        what, expected, found, fix = (
            one_line(part or "") for part in (error.what, error.expected, error.found, error.fix)
        )
        fleet.failures.setdefault(Kind(False, f"failed: {what}", expected, fix), {})[host, found] = None
    elif isinstance(result.get("notes"), list) and result["notes"]:
        for note in result["notes"]:
            hosts = fleet.changes.setdefault(_change(one_line(str(note)), is_check), [])
            if hosts[-1:] != [host]:
                hosts.append(host)
    else:
        return one_line(str(result.get("summary", SKIPPED)))
    return None


def _change(note: str, is_check: bool) -> tuple[str, str]:
    """Return a *note* as what was done and to what, ``upgraded`` and ``uv 0.9.8 → 0.9.9``; another note as it is."""
    change = _CHANGE.match(note)
    if not change:
        return "", note
    return f"would {change['action']}" if is_check else _DONE[change["action"]], f"{change['tool']} {change['rest']}"


def _changed(changes: Mapping[tuple[str, str], Sequence[str]], is_verbose: bool) -> Iterator[str]:
    """Yield the changes that the same hosts have in common in one line, those of the most hosts first."""
    together: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for (done, what), hosts in changes.items():
        together.setdefault(tuple(hosts), {}).setdefault(done, []).append(what)
    for hosts in sorted(together, key=lambda hosts: (-len(hosts), hosts)):
        # A note that is no change is a sentence, which may have commas of its own.
        parts = (f"{done} {', '.join(what)}" if done else "; ".join(what) for done, what in together[hosts].items())
        yield f"{_named(hosts, NAMED, is_verbose)}: {'; '.join(parts)}"


def _unchanged(as_they_were: Mapping[str, Sequence[str]], is_verbose: bool) -> Iterator[str]:
    for state, hosts in sorted(as_they_were.items(), key=_place_among_unchanged):
        named = ", ".join(hosts) if len(hosts) <= NAMED or is_verbose else f"{len(hosts)} hosts"
        yield f"{named}: {state}"


def _place_among_unchanged(item: tuple[str, Sequence[str]]) -> tuple[bool, int, str]:
    state, hosts = item
    return state in (NOT_RUN, LATER), -len(hosts), state


def _failed(failures: Mapping[Kind, Collection[tuple[str, str]]], is_verbose: bool) -> Iterator[str]:
    """Yield each kind of failure once: its hosts, what went wrong, and what to do. Unreachable hosts are the last."""
    for kind, failed in sorted(failures.items(), key=lambda item: (item[0].is_unreachable, -len(item[1]), item[0])):
        hosts = list(dict.fromkeys(host for host, _finding in failed))
        findings = [finding for finding in dict.fromkeys(finding for _host, finding in failed) if finding]
        found = listed(findings, len(findings) if is_verbose else MOST_FINDINGS, "; ")
        named = f"{_named(hosts, NAMED_OF_FAILED, is_verbose)}: {kind.what}"
        if kind.is_unreachable:
            yield f"{named}: {found}"
            continue
        is_short = not is_verbose and found and len(f"{named} (found: {found})") <= SHORT
        yield f"{named} (found: {found})" if is_short else named
        if kind.expected and is_verbose:
            yield f"  expected: {kind.expected}"
        if found and not is_short:
            yield f"  found: {found}"
        if kind.fix:
            yield f"  to fix: {kind.fix}"


def _named(hosts: Sequence[str], most: int, is_verbose: bool) -> str:
    """Return who *hosts* are: ``web1, web2`` or ``40 hosts (web1, web2, web3 and 37 more)``."""
    if is_verbose or len(hosts) <= most:
        return ", ".join(hosts)
    return f"{len(hosts)} hosts ({listed(hosts, most)})"
