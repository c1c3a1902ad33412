# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a fleet, so that a person reads it at once? Hosts with one outcome share a line. Pure; controller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: So many hosts are named; of more, their number is told.
NAMED = 3
#: The order of the lines: what is well first, so that what failed is next to what Ansible itself says at the end.
_CHANGED, _AS_IT_WAS, _WITHOUT_RESULT, _FAILED = range(4)


def lines(results: Iterable[tuple[str, Any]]) -> list[str]:
    """Return what became of the hosts of *results*: names, and what a task of pinned.release.tools registered there."""
    hosts: dict[tuple[int, str], list[str]] = {}
    for host, result in results:
        for outcome in _outcomes(result):
            hosts.setdefault(outcome, []).append(host)
    ordered = sorted(hosts, key=lambda outcome: (outcome[0], -len(hosts[outcome]), outcome[1]))
    return [f"{_named(hosts[outcome])}: {outcome[1]}" for outcome in ordered]


def _outcomes(result: Any) -> Iterator[tuple[int, str]]:
    if not isinstance(result, Mapping):
        yield _WITHOUT_RESULT, "the task was not run"
    elif result.get("unreachable"):
        yield _FAILED, "unreachable"
    elif result.get("failed"):
        error = result.get("error")
        what = error.get("what") if isinstance(error, Mapping) else result.get("msg")
        yield _FAILED, f"failed: {what}"
    elif result.get("notes"):
        yield from ((_CHANGED, str(note)) for note in result["notes"])
    else:
        yield _AS_IT_WAS, str(result.get("summary", "the task was skipped"))


def _named(hosts: list[str]) -> str:
    return ", ".join(hosts) if len(hosts) <= NAMED else f"{len(hosts)} hosts"
