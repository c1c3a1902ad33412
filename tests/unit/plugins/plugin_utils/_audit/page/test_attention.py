# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what must be looked at come first, once, and completely?"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    Finding,
    Fleet,
    FleetHost,
    HostStatus,
    HostTool,
    ToolStatus,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page import attention, words
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

FLEET = simulated_fleet(300, 20, seed=2)
OLD = Finding("version", "1.0 is installed, and the lock file pins 2.0", expected="2.0", found="1.0")


def fleet(*hosts: FleetHost) -> Fleet:
    return replace(FLEET, hosts=hosts)


def test_every_status_has_words_and_all_but_the_good_one_a_place() -> None:
    assert set(words.OF_HOSTS) == set(get_args(HostStatus))
    assert set(words.OF_TOOLS) == set(get_args(ToolStatus))
    placed = set(attention.ORDER)
    assert placed >= {("host", status) for status in words.OF_HOSTS if status != "as_pinned"}
    assert placed >= {("tool", status) for status in words.OF_TOOLS if status != "as_pinned"}


def test_marks_of_tools_differ() -> None:
    assert len({status.mark for status in words.OF_TOOLS.values()}) == len(words.OF_TOOLS)


def test_deviations_and_drift_come_before_hosts_of_which_nothing_is_known() -> None:
    found = [group.status for group in attention.groups(FLEET)]
    assert found[:2] == ["deviates", "drifted"]
    assert found.index("unreachable") < found.index("never_converged") < found.index("missing")


def test_every_finding_of_every_host_is_there() -> None:
    told = {(row.tool, row.text, host) for group in attention.groups(FLEET) for row in group.rows for host in row.hosts}
    expected = {
        (tool.tool, finding.text, host.name) for host in FLEET.hosts for tool in host.tools for finding in tool.findings
    } | {("", finding.text, host.name) for host in FLEET.hosts for finding in host.findings}
    assert expected - told == set()
    assert len(expected) > 20


def test_what_many_hosts_have_is_one_row() -> None:
    hosts = [FleetHost(f"h{n}", "differs", tools=(HostTool("jq", "deviates", findings=(OLD,)),)) for n in range(300)]
    [group] = attention.groups(fleet(*hosts))
    assert [(row.tool, row.text, len(row.hosts)) for row in group.rows] == [("jq", OLD.text, 300)]
    assert group.hosts == 300


def test_host_that_never_converged_is_one_row_and_not_one_for_each_tool() -> None:
    host = FleetHost("h1", "never_converged", tools=tuple(HostTool(name, "missing") for name in ("jq", "uv")))
    [group] = attention.groups(fleet(host))
    assert (group.status, [row.hosts for row in group.rows]) == ("never_converged", [("h1",)])


def test_refused_tool_says_why() -> None:
    reason = "the gnu build needs glibc 2.39, host has 2.36"
    [group] = attention.groups(fleet(FleetHost("h1", "differs", tools=(HostTool("jq", "refused", reason=reason),))))
    assert group.rows[0].text == reason


def test_fleet_as_pinned_has_nothing_to_look_at() -> None:
    assert attention.groups(fleet(FleetHost("h1", "as_pinned", tools=(HostTool("jq", "as_pinned"),)))) == ()


def test_expected_and_found_are_left_out_where_the_text_has_them() -> None:
    digests = Finding("changed", "libexec/jq is changed", "libexec/jq", "aa", "bb")
    tools = (HostTool("jq", "drifted", findings=(OLD, digests)),)
    [group] = attention.groups(fleet(FleetHost("h1", "differs", tools=tools)))
    assert {row.text: row.has_more for row in group.rows} == {OLD.text: False, digests.text: True}


def test_host_that_differs_is_told_though_nobody_said_in_what() -> None:
    [group] = attention.groups(fleet(FleetHost("h1", "differs")))
    assert [row.hosts for row in group.rows] == [("h1",)]
