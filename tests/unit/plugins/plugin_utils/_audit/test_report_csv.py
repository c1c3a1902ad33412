# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.csv has a line for each tool of each host, and one for each host without; no cell is a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit import report_csv
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Finding,
    Fleet,
    FleetHost,
    HostTool,
)
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

EMPTY = Fleet(ComparedLock("releases.lock.json", "a" * 64), "", {}, {}, ())


def rows(fleet: Fleet) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv.emit(fleet), newline="")))


def test_each_tool_of_each_host_and_each_host_without_tools_has_one_line() -> None:
    fleet = simulated_fleet(60, 7, seed=3)
    found = [(row["host"], row["tool"], row["host_status"], row["status"]) for row in rows(fleet)]
    expected = [
        (host.name, tool.tool if tool else "", host.status, tool.status if tool else "")
        for host in fleet.hosts
        for tool in host.tools or (None,)
    ]
    assert found == expected
    assert {line[2] for line in found} >= {
        "unreachable",
        "failed",
        "not_asked",
        "never_converged",
    }


def test_the_same_fleet_is_the_same_bytes_with_the_line_ends_of_the_rfc() -> None:
    fleet = simulated_fleet(20, 5)
    assert report_csv.emit(fleet) == report_csv.emit(simulated_fleet(20, 5))
    assert all(line.endswith("\r") for line in report_csv.emit(fleet).split("\n")[:-1])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", "\uff0d1"])
def test_no_cell_is_a_formula_whatever_a_file_on_a_host_is_called(text: str) -> None:
    tool = HostTool("uv", "drifted", findings=(Finding("added", text),))
    host = FleetHost("h1", "differs", platform={"distribution": text}, tools=(tool,))
    [row] = rows(replace(EMPTY, hosts=(host,)))
    assert (row["findings"], row["distribution"]) == ("'" + text, "'" + text)


def test_a_cell_with_quotes_commas_and_line_ends_is_one_cell() -> None:
    why = 'a "word", and\r\nmore'
    [row] = rows(replace(EMPTY, hosts=(FleetHost("h1", "failed", why=why),)))
    assert row["why"] == why


def test_who_vouched_is_told_in_words() -> None:
    words = {row["vouched_by"] for row in rows(simulated_fleet(100, 20)) if row["sha256"]}
    assert "nobody" in words
    assert any(word.startswith("minisign: ") for word in words)
    assert "digest in the release listing" in words


def test_what_a_host_says_of_proofs_vouches_for_nothing() -> None:
    fleet = simulated_fleet(100, 20)
    [proven, *_others] = [one for one in fleet.assets.values() if one.is_pinned and one.evidence.proofs]
    stated = replace(fleet, assets={**fleet.assets, proven.sha256: replace(proven, is_pinned=False)})
    assert {row["vouched_by"] for row in rows(stated) if row["sha256"] == proven.sha256} == {"nobody"}


def test_what_was_found_of_no_tool_is_told_beside_the_tools_of_the_host() -> None:
    stray = Finding("added", "/opt/pinned.release/extra was added")
    host = FleetHost("h1", "differs", tools=(HostTool("uv", "as_pinned"),), findings=(stray,))
    [row] = rows(replace(EMPTY, hosts=(host,)))
    assert (row["host_findings"], row["findings"]) == (stray.text, "")
