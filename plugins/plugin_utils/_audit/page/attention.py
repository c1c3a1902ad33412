# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must somebody look at, and in which order? Fleet → groups of things that are not as they should be. Pure.

Runs on the controller. What is the same on many hosts is one row, so that 300 hosts with one old version are a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    Finding,
    Fleet,
    FleetHost,
    HostStatus,
    HostTool,
    ToolStatus,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page import words

#: The groups, in the order of the page: statuses of tools, and of hosts of which nothing, or not all, is known.
ORDER: tuple[tuple[str, ToolStatus | HostStatus], ...] = (
    ("tool", "deviates"),
    ("tool", "drifted"),
    ("host", "differs"),
    ("host", "unreachable"),
    ("host", "failed"),
    ("host", "never_converged"),
    ("tool", "missing"),
    ("tool", "unpinned"),
    ("tool", "refused"),
    ("host", "not_asked"),
)


@dataclass(frozen=True)
class Row:
    """One thing that holds for all of *hosts*. *tool* is "" where it is about the hosts themselves."""

    tool: str
    text: str
    expected: str
    found: str
    hosts: tuple[str, ...]

    @property
    def has_more(self) -> bool:
        """Whether expected and found say something that the text does not."""
        return any(value not in self.text for value in (self.expected, self.found))


@dataclass(frozen=True)
class Group:
    """All rows of one status; *hosts* is on how many hosts these are."""

    status: str
    shown: words.Status
    rows: tuple[Row, ...]
    hosts: int


def groups(fleet: Fleet) -> tuple[Group, ...]:
    """Return what is not as it should be, what matters most first; empty where all is as pinned."""
    made = (_group(fleet, subject, status) for subject, status in ORDER)
    return tuple(group for group in made if group.rows)


def _group(fleet: Fleet, subject: str, status: str) -> Group:
    if subject == "host":
        rows = _joined(one for host in fleet.hosts if host.status == status for one in _of_host(host))
        shown = words.OF_HOSTS[status]  # type: ignore[index]
    else:
        rows = _joined(_of_tools(fleet.hosts, status))
        shown = words.OF_TOOLS[status]  # type: ignore[index]
    return Group(status, shown, rows, len({host for row in rows for host in row.hosts}))


def _of_host(host: FleetHost) -> Iterator[tuple[Finding, str, str]]:
    """Yield what holds for *host* itself: where it differs, what was found of no tool."""
    findings = host.findings
    if host.status != "differs" or not (findings or any(tool.status != "as_pinned" for tool in host.tools)):
        findings = (Finding(host.status, host.why),)
    yield from ((finding, "", host.name) for finding in findings)


def _of_tools(hosts: Iterable[FleetHost], status: str) -> Iterator[tuple[Finding, str, str]]:
    """Yield the findings of each tool with *status*. A host that never converged is told of once, not by tool."""
    for host in hosts:
        for tool in host.tools:
            if tool.status == status and host.status != "never_converged":
                yield from ((finding, tool.tool, host.name) for finding in tool.findings or (_bare(tool),))


def _bare(tool: HostTool) -> Finding:
    return Finding(tool.status, tool.reason if tool.status == "refused" else "")


def _joined(found: Iterable[tuple[Finding, str, str]]) -> tuple[Row, ...]:
    """Return a row for each thing that was found, with all hosts that have it: those of most hosts first."""
    hosts: dict[tuple[str, str, str, str], list[str]] = {}
    for finding, tool, host in found:
        key = (words.line(tool), words.line(finding.text), words.line(finding.expected), words.line(finding.found))
        hosts.setdefault(key, []).append(words.line(host))
    rows = [Row(*key, tuple(dict.fromkeys(names))) for key, names in hosts.items()]
    return tuple(sorted(rows, key=lambda row: (-len(row.hosts), row.tool, row.text, row.expected, row.found)))
