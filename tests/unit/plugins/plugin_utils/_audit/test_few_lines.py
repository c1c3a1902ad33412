# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report is told in few lines: what differs first, hosts with one outcome together, and how many are as pinned."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.pinned.release.plugins.plugin_utils._audit import few_lines
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    AdvisoryFindings,
    Coverage,
    Subject,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Finding,
    Fleet,
    FleetHost,
    HostTool,
)
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

CHANGED = HostTool("uv", "drifted", findings=(Finding("changed", "libexec/uv is changed"),))


def fleet(*hosts: FleetHost) -> Fleet:
    return Fleet(ComparedLock("releases.lock.json", "a" * 64), "", {}, {}, hosts)


def test_what_differs_comes_first_and_hosts_with_one_outcome_share_a_line() -> None:
    told = few_lines.lines(
        fleet(
            FleetHost("a", "unreachable", why="timed out"),
            *(FleetHost(f"h{number}", "differs", tools=(CHANGED,)) for number in range(5)),
            FleetHost("m", "differs", tools=(HostTool("jq", "missing"), HostTool("x", "unpinned"))),
            FleetHost("n", "never_converged", tools=(HostTool("jq", "missing"),)),
            FleetHost("o", "not_asked", why="left out"),
            FleetHost("p", "as_pinned"),
            FleetHost("r", "differs", tools=(HostTool("old", "refused", reason="needs glibc 2.39"),)),
            FleetHost("s", "differs", findings=(Finding("added", "store/x is of no tool"),)),
        )
    )
    assert told == [
        "h0, h1, h2 and 2 more: uv: libexec/uv is changed",
        "m: jq is missing",
        "r: old does not run here: needs glibc 2.39",
        "s: store/x is of no tool",
        "m: x is installed, and the lock file does not name it",
        "n: nothing of the lock file is installed, and the log knows of no installation",
        "a: unreachable: timed out",
        "o: not asked: left out",
        "1 of 12 hosts are as releases.lock.json pins",
    ]


def test_tools_of_which_the_same_is_told_on_the_same_hosts_share_a_line() -> None:
    unlisted = Finding("unlisted", "its listing is missing")
    both = tuple(HostTool(f"tool{number:02}", "unpinned") for number in range(1, 31))
    many = fleet(
        FleetHost("h1", "differs", tools=(*both, HostTool("uv", "missing"), HostTool("jq", "missing"))),
        FleetHost("h2", "differs", tools=(*both, HostTool("yq", "missing"))),
        FleetHost("h3", "differs", tools=tuple(HostTool(name, "refused", reason="no build") for name in "ab")),
        FleetHost("h4", "differs", tools=tuple(HostTool(name, "drifted", findings=(unlisted,)) for name in "ab")),
    )
    told = few_lines.outcomes(many)
    ten = ", ".join(one.tool for one in both[:10])
    assert told == [
        f"h1, h2: {ten} and 20 more are installed, and the lock file does not name them",
        "h3: a, b do not run here: no build",
        "h4: a, b: its listing is missing",
        "h1: jq, uv are missing",
        "h2: yq is missing",
    ]
    # What changed between two reports may be any of them.
    assert f"{ten}, tool11, " in few_lines.text(many)


def test_one_host_alone_is_told_in_the_singular() -> None:
    assert few_lines.lines(fleet(FleetHost("a", "as_pinned"))) == ["1 of 1 host is as releases.lock.json pins"]


def test_an_advisory_is_told_by_name_and_once_in_however_many_programs_it_is() -> None:
    tokio = Subject("uv", "pkg:cargo/tokio@1.53.2", "1.53.2", where="uv.data/scripts/uv")
    one = AdvisoryFinding(tokio, "RUSTSEC-1", (), "", (), "", ("1.99.0",), "affected")
    two = replace(one, subject=replace(tokio, where="uv.data/scripts/uvx"))
    unclear = replace(one, advisory="RUSTSEC-2", status="cannot_compare")
    found = AdvisoryFindings((one, two, unclear), (Coverage("uv", (), ()),))
    assert few_lines.of_advisories(found) == [
        "uv: RUSTSEC-1 affects tokio 1.53.2 in uv, uvx; fixed in 1.99.0",
        "advisories on uv: 1 affected, 1 cannot compare (not covered)",
    ]


def test_of_many_advisories_the_first_are_named() -> None:
    own = Subject("uv", "pkg:pypi/uv@0.9.30", "0.9.30")
    many = tuple(AdvisoryFinding(own, f"GHSA-{n}", (), "", (), "", (), "affected") for n in range(5))
    told = few_lines.of_advisories(AdvisoryFindings(many, (Coverage("uv", (), ()),)))
    assert told == [
        *(f"uv: GHSA-{n} affects uv 0.9.30" for n in range(few_lines.NAMED)),
        "uv: 2 more advisories affect it: see the report",
        "advisories on uv: 5 affected (not covered)",
    ]


def test_of_a_large_fleet_no_more_than_a_screen_is_told() -> None:
    told = few_lines.lines(simulated_fleet(1000, 50))
    assert len(told) == few_lines.MOST_LINES + 2
    assert "more lines of this kind" in told[-2]


def test_every_host_that_is_not_as_pinned_is_named_by_its_status() -> None:
    simulated = simulated_fleet(100, 5)
    named = few_lines.by_status(simulated)
    found = {name: status for status, names in named.items() for name in names}
    assert found == {host.name: host.status for host in simulated.hosts if host.status != "as_pinned"}
