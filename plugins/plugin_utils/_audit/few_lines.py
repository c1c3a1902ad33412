# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a report in few lines? Hosts with one outcome share a line, what differs first. Pure; controller.

So do the tools of which the same is told on the same hosts.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple, get_args

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    AdvisoryFindings,
    Coverage,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import read_purl
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet, FleetHost, HostStatus, HostTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

#: So many hosts and tools of one outcome are named, and so many outcomes are told. The report has all of them.
NAMED, NAMED_TOOLS = 3, 10
MOST_LINES = 30
#: Of an advisory, whose texts are a stranger's, in characters.
LONGEST_LINE = 300
_WORDS = {"unreachable": "unreachable", "failed": "failed", "not_asked": "not asked"}
#: What comes first; what nobody knows of comes after what is known to differ.
_ORDER = ("differs", "never_converged", "unreachable", "failed", "not_asked")


class _Outcome(NamedTuple):
    """What is told of a tool, or of a host where *tool* is "": the words after one name, and after several."""

    tool: str
    one: str
    several: str


def lines(fleet: Fleet) -> list[str]:
    """Return what is not as pinned, a line for each outcome, and at the end how many hosts are as pinned."""
    told = outcomes(fleet)
    if len(told) > MOST_LINES:
        told = [*told[:MOST_LINES], f"and {len(told) - MOST_LINES} more lines of this kind: see the report"]
    return [*told, _good(fleet)]


def text(fleet: Fleet) -> str:
    """Return all outcomes, with all of their tools, as a text that shows what changed between two reports."""
    return "".join(f"{line}\n" for line in (*outcomes(fleet, named_tools=sys.maxsize), _good(fleet)))


def outcomes(fleet: Fleet, named_tools: int = NAMED_TOOLS) -> list[str]:
    """Return what is not as pinned, a line for each outcome with the first hosts that have it."""
    hosts: dict[tuple[int, _Outcome], list[str]] = {}
    for host in fleet.hosts:
        for outcome in dict.fromkeys(_outcomes(host)):
            hosts.setdefault((_ORDER.index(host.status), outcome), []).append(host.name)
    tools: dict[tuple[int, tuple[str, ...], str, str], list[str]] = {}
    for (order, outcome), names in hosts.items():
        tools.setdefault((order, tuple(names), outcome.one, outcome.several), []).append(outcome.tool)
    told = [
        (order, -len(names), listed(sorted(of), named_tools) + (one if len(of) == 1 else several), names)
        for (order, names, one, several), of in tools.items()
    ]
    return [f"{listed(names, NAMED)}: {words}" for _order, _count, words, names in sorted(told)]


def of_advisories(found: AdvisoryFindings | None) -> list[str]:
    """Return what advisories say of the pinned tools, and of each what they were asked about; none if None.

    An advisory counts once, in however many programs and packages of a tool it was found.
    """
    if found is None:
        return []
    return [*(line for one in found.coverage for line in _of_advisories(found, one)), *_unread(found)]


def _of_advisories(found: AdvisoryFindings, coverage: Coverage) -> Iterator[str]:
    own = [one for one in found.findings if one.subject.tool == coverage.tool]
    affecting: dict[str, list[AdvisoryFinding]] = {}
    for one in own:
        if one.status == "affected":
            affecting.setdefault(one.advisory, []).append(one)
    yield from (_affected(coverage.tool, id, affecting[id]) for id in list(affecting)[:NAMED])
    if len(affecting) > NAMED:
        yield f"{coverage.tool}: {len(affecting) - NAMED} more advisories affect it: see the report"
    statuses = Counter(status for _advisory, status in {(one.advisory, one.status) for one in own})
    told = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in sorted(statuses.items()))
    yield f"advisories on {coverage.tool}: {told or 'no record concerns it'} ({coverage.words})"


def _affected(tool: str, advisory: str, findings: Sequence[AdvisoryFinding]) -> str:
    """Return what *advisory* affects in *tool*: ``uv: RUSTSEC-… affects tokio 1.53.2 in uv, uvx; fixed in 1.99.0``."""
    packages = dict.fromkeys(f"{read_purl(one.subject.purl).package[1]} {one.subject.version}" for one in findings)
    programs = dict.fromkeys(PurePosixPath(one.subject.where).name for one in findings if one.subject.where)
    fixes = dict.fromkeys(version for one in findings for version in one.fixed_in)
    kind = findings[0].informational
    parts = (
        f"{tool}: {advisory} affects {listed(map(str.strip, packages), NAMED)}",
        f" in {listed(programs, NAMED)}" if programs else "",
        f" ({kind})" if kind else "",
        f"; fixed in {listed(fixes, NAMED)}" if fixes else "",
    )
    return shortened("".join(parts), LONGEST_LINE)


def _unread(found: AdvisoryFindings) -> Iterator[str]:
    if found.damaged_count:
        yield f"{found.damaged_count} records of advisories could not be read: {found.damaged[0].file}"
    yield from found.unmatched_vex[:NAMED]


def by_status(fleet: Fleet) -> dict[str, list[str]]:
    """Return the names of the hosts of each status, without those that are as pinned."""
    return {
        status: [host.name for host in fleet.hosts if host.status == status]
        for status in get_args(HostStatus)
        if status != "as_pinned"
    }


def _good(fleet: Fleet) -> str:
    good = sum(host.status == "as_pinned" for host in fleet.hosts)
    return (
        f"{good} of {len(fleet.hosts)} {'host is' if len(fleet.hosts) == 1 else 'hosts are'} as {fleet.lock.name} pins"
    )


def _outcomes(host: FleetHost) -> Iterator[_Outcome]:
    if host.status in _WORDS:
        yield _of_host(f"{_WORDS[host.status]}: {host.why}")
    elif host.status == "never_converged":
        yield _of_host("nothing of the lock file is installed, and the log knows of no installation")
    elif host.status == "differs":
        yield from (_of_host(finding.text) for finding in host.findings)
        for tool in host.tools:
            yield from _of_tool(tool)


def _of_host(words: str) -> _Outcome:
    return _Outcome("", words, words)


def _of_tool(tool: HostTool) -> Iterator[_Outcome]:
    if tool.status == "missing":
        yield _Outcome(tool.tool, " is missing", " are missing")
    elif tool.status == "refused":
        yield _Outcome(tool.tool, f" does not run here: {tool.reason}", f" do not run here: {tool.reason}")
    elif tool.status == "unpinned":
        one = " is installed, and the lock file does not name it"
        yield _Outcome(tool.tool, one, " are installed, and the lock file does not name them")
    yield from (_Outcome(tool.tool, f": {finding.text}", f": {finding.text}") for finding in tool.findings)
