# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the page tell of each tool what advisories and compilers say, and no more than that?"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    AdvisoryFindings,
    Coverage,
    Covered,
    Severity,
    Subject,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.extras_of import extras_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import SILENT, Inside, component
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

FLEET = simulated_fleet(3, 2)
TOOL, OTHER = sorted(FLEET.tools)
ASSETS = [sha256 for sha256, asset in FLEET.assets.items() if asset.tool == TOOL and asset.is_pinned]
TARGETS = sorted(FLEET.assets[sha256].target for sha256 in ASSETS)
GO = Inside(
    "go",
    "go1.26.8",
    (component("golang", "example.org/main", None, is_main=True), component("golang", "stdlib", "1.26.8")),
)
STDLIB = Subject(TOOL, "pkg:golang/stdlib@1.26.8", "1.26.8", where="bin/tool")


def found(*findings: AdvisoryFinding) -> AdvisoryFindings:
    return AdvisoryFindings(findings, (Coverage(TOOL, (Covered("Go", 2, 1),), ()), Coverage(OTHER, (), ("no purl",))))


def test_same_record_of_all_targets_is_told_once_and_without_the_program_itself() -> None:
    [program] = extras_of(FLEET, {TOOL: {sha256: {"bin/tool": GO} for sha256 in ASSETS}}, None)[TOOL].programs
    assert program.components == ("stdlib 1.26.8",)
    assert program.target == ", ".join(TARGETS)
    assert program.recorded == "recorded by go, go1.26.8"


def test_what_no_compiler_recorded_is_said() -> None:
    [program] = extras_of(FLEET, {TOOL: {ASSETS[0]: {"bin/tool": SILENT}}}, None)[TOOL].programs
    assert (program.recorded, program.components) == ("nothing recorded by its compiler", ())


def test_record_that_could_not_be_read_whole_says_so() -> None:
    gap = Inside("go", None, (), "its table ends too early")
    [program] = extras_of(FLEET, {TOOL: {ASSETS[0]: {"bin/tool": gap}}}, None)[TOOL].programs
    assert program.recorded == "recorded by go, not all could be read: its table ends too early"


def test_record_of_bytes_that_are_pinned_no_more_is_left_out() -> None:
    assert extras_of(FLEET, {TOOL: {"0" * 64: {"bin/tool": GO}}}, None)[TOOL].programs == ()


def test_coverage_is_told_of_every_tool_and_of_none_where_nothing_was_asked() -> None:
    told = extras_of(FLEET, {}, found())
    assert told[TOOL].coverage == "covered by Go (2 packages, records of 1)"
    assert told[OTHER].coverage == "not covered; no purl"
    assert {extra.coverage for extra in extras_of(FLEET, {}, None).values()} == {""}


def test_advisory_names_component_program_and_fix() -> None:
    severity = (Severity("CVSS_V3", "CVSS:3.1/AV:N"),)
    finding = AdvisoryFinding(STDLIB, "GO-1", ("CVE-1",), "It breaks", severity, "", ("1.26.9", "1.25.11"), "affected")
    [advisory] = extras_of(FLEET, {}, found(finding))[TOOL].advisories
    assert (advisory.name, advisory.status, advisory.level) == ("GO-1", "affected", "CVSS:3.1/AV:N")
    assert advisory.subject == "pkg:golang/stdlib@1.26.8 in bin/tool"
    assert advisory.text == "It breaks; also known as CVE-1"
    assert advisory.fixed == "1.26.9, 1.25.11"
    assert extras_of(FLEET, {}, found(finding))[OTHER].advisories == ()


def test_advisory_on_what_is_in_two_programs_is_told_once() -> None:
    one = AdvisoryFinding(STDLIB, "GO-1", (), "It breaks", (), "", (), "affected")
    two = replace(one, subject=replace(STDLIB, where="bin/toolx"))
    [advisory] = extras_of(FLEET, {}, found(one, two))[TOOL].advisories
    assert advisory.subject == "pkg:golang/stdlib@1.26.8 in bin/tool, bin/toolx"


def test_statement_of_somebody_is_told_with_who_made_it() -> None:
    finding = AdvisoryFinding(
        STDLIB, "GO-1", (), "It breaks", (), "", (), "not_affected", "", "", "the code is not reached", "vex/ours.json"
    )
    [advisory] = extras_of(FLEET, {}, found(finding))[TOOL].advisories
    assert advisory.status == "not affected"
    assert advisory.text == "It breaks; vex/ours.json says: the code is not reached"


def test_version_that_cannot_be_compared_says_why() -> None:
    finding = AdvisoryFinding(STDLIB, "GO-1", (), "", (), "", (), "cannot_compare", "only commits are named")
    [advisory] = extras_of(FLEET, {}, found(finding))[TOOL].advisories
    assert (advisory.status, advisory.text) == ("cannot compare", "only commits are named")
