# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of real questions become a fleet; whatever else was registered is told, and is never as pinned."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit import (
    host_result,
    recording,
    report_json,
    statements,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock, Fleet, FleetHost
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History
from ansible_collections.pinned.release.plugins.plugin_utils._audit.results import fleet_of
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import brief
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import LONGEST_LINE
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine

ASKED = "2026-11-29T18:33:02Z"


def result_of(machine: Machine, wanted: Wanted, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return what the action registers."""
    answer = machine.ask(replace(wanted, integrity="full"), audit=True)
    assert answer.state is not None
    assert answer.host is not None
    place = {"root": answer.state.root, "bin_dir": answer.state.bin_dir}
    whole = {"changed": False, "asked": ASKED, "integrity": "full", **place}
    whole.update(inspect(answer.state, answer.host, wanted, names).to_json())
    return json.loads(json.dumps(brief.reduced(whole, wanted.lock)))


def read(wanted: Wanted, result: object, lock: LockFile | None = None) -> FleetHost:
    return host_result.read("h1", result, lock or wanted.lock, wanted.lock_digest).host


def fleet(wanted: Wanted, **results: object) -> Fleet:
    compared = ComparedLock("releases.lock.json", wanted.lock_digest)
    return fleet_of(wanted.lock, compared, results, results.get)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def wanted(machine: Machine, tmp_path: Path) -> Wanted:
    return machine.wanted(Released(tmp_path))


def test_a_host_that_has_what_is_pinned_is_as_pinned_and_was_compared_in_full(machine: Machine, wanted: Wanted) -> None:
    machine.converge(wanted)
    told = fleet(wanted, h1=result_of(machine, wanted))
    [host] = told.hosts
    [tool] = host.tools
    assert (host.status, host.asked, host.last_full, told.asked) == ("as_pinned", ASKED, ASKED, ASKED)
    assert (tool.status, tool.sha256, tool.lock_sha256) == ("as_pinned", tool.wanted_sha256, wanted.lock_digest)
    assert tool.reason
    assert host.platform["platform"].startswith("linux/") or host.platform["platform"]
    asset = told.assets[tool.sha256]
    assert (asset.is_pinned, asset.tool, asset.size) == (True, "hello", wanted.lock.tools["hello"].assets[0].size)
    assert report_json.read(report_json.emit(told)) == told


def test_a_whole_result_says_the_same_as_a_brief_one(machine: Machine, wanted: Wanted) -> None:
    machine.converge(wanted)
    short = result_of(machine, wanted)
    assert read(wanted, brief.whole(short, wanted.lock)) == read(wanted, short)


def test_a_host_on_which_nothing_was_ever_installed_is_told_of_with_what_lacks(
    machine: Machine, wanted: Wanted
) -> None:
    host = read(wanted, result_of(machine, wanted))
    assert (host.status, [tool.status for tool in host.tools]) == ("never_converged", ["missing"])
    assert host.tools[0].wanted_sha256 == wanted.lock.tools["hello"].assets[0].sha256


def test_a_changed_program_is_a_finding_of_its_tool_and_the_host_differs(machine: Machine, wanted: Wanted) -> None:
    machine.converge(wanted)
    machine.program_file("hello", "hello").write_text("#!/bin/sh\n")
    host = read(wanted, result_of(machine, wanted))
    assert (host.status, host.tools[0].status) == ("differs", "drifted")
    assert "changed" in {finding.kind for finding in host.tools[0].findings}


def test_a_tool_that_nobody_pins_is_told_of_by_its_receipt(machine: Machine, tmp_path: Path) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one, two))
    wanted = machine.wanted(one)
    told = fleet(wanted, h1=result_of(machine, wanted))
    [host] = told.hosts
    assert {tool.tool: tool.status for tool in host.tools} == {"one": "as_pinned", "two": "unpinned"}
    asset = told.assets[next(tool.sha256 for tool in host.tools if tool.tool == "two")]
    assert (asset.is_pinned, asset.size, asset.tool) == (False, None, "two")


def test_a_tool_without_a_receipt_that_can_be_read_is_not_as_pinned(machine: Machine, wanted: Wanted) -> None:
    machine.converge(wanted)
    (machine.root / "current/hello/receipt.json").unlink()
    host = read(wanted, result_of(machine, wanted))
    assert (host.status, host.tools[0].status, host.tools[0].sha256) == ("differs", "drifted", "")


@pytest.mark.parametrize(("name", "kind"), [("receipt.json", "receipt"), ("listing", "missing")])
def test_what_is_missing_is_told_once_and_not_again_as_other_than_the_lock_file_says(
    machine: Machine, wanted: Wanted, name: str, kind: str
) -> None:
    machine.converge(wanted)
    (machine.root / "current/hello" / name).unlink()
    [tool] = read(wanted, result_of(machine, wanted)).tools
    assert tool.status == "drifted"
    assert [(finding.kind, finding.path, finding.against) for finding in tool.findings] == [(kind, name, "installed")]


def test_a_kept_version_may_have_any_name_that_a_version_can_have(machine: Machine, wanted: Wanted) -> None:
    machine.converge(wanted)
    result = result_of(machine, wanted)
    result["tools"]["hello"]["kept"] = ["2!1.0~rc1-0123456789ab", "1" * 128 + "-0123456789ab.2"]
    told = fleet(wanted, h1=result)
    assert told.hosts[0].tools[0].kept == tuple(result["tools"]["hello"]["kept"])
    assert report_json.read(report_json.emit(told)) == told


def test_a_receipt_that_tells_no_source_is_in_the_report_too(machine: Machine, tmp_path: Path) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one, two))
    wanted = machine.wanted(one)
    result = result_of(machine, wanted)
    result["tools"]["two"]["receipt"]["source"] = {}
    told = fleet(wanted, h1=result)
    assert [asset.source for asset in told.assets.values() if not asset.is_pinned] == [""]
    assert report_json.read(report_json.emit(told)) == told


def test_only_tools_that_the_inventory_names_are_expected_and_the_others_are_told(
    machine: Machine, tmp_path: Path
) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one))
    wanted = machine.wanted(one, two)
    host = read(wanted, result_of(machine, wanted, ("one",)))
    assert host.status == "as_pinned"
    assert "not asked about, as the inventory says (tools_names): two" in host.notes
    host = read(wanted, result_of(machine, wanted, ("one", "three")))
    assert {tool.tool: tool.status for tool in host.tools} == {"one": "as_pinned", "three": "missing"}


def test_the_reason_is_told_without_what_ansible_puts_before_it(wanted: Wanted) -> None:
    result = {"unreachable": True, "msg": "Task failed: Failed to connect"}
    assert read(wanted, result).why == "Failed to connect"


@pytest.mark.parametrize(
    ("result", "status", "why"),
    [
        (None, "not_asked", "no result"),
        ({"skipped": True}, "not_asked", "skipped"),
        ({"unreachable": True, "msg": "timed out\nafter 10 s"}, "unreachable", "timed out after 10 s"),
        ({"failed": True, "msg": "h1: long", "diff": {"error": {"what": "the short one"}}}, "failed", "the short one"),
        ({"failed": True}, "failed", "no reason"),
        ({"failed": True, "msg": "\x1b[2J https://user:secret@example.org " + "x" * 5000}, "failed", "?[2J https://"),
        ({"ping": "pong", "changed": False}, "failed", "no result of pinned.release.tools_info"),
        ({"censored": "hidden"}, "failed", "no result of pinned.release.tools_info"),
        ({"results": []}, "failed", "no result of pinned.release.tools_info"),
        ("as pinned", "failed", "no result of pinned.release.tools_info"),
        ([], "failed", "no result of pinned.release.tools_info"),
        (True, "failed", "no result of pinned.release.tools_info"),
        ({"tools": {"x" * 9_000_000: {}}}, "failed", "no result of pinned.release.tools_info"),
        ({"tools": object()}, "failed", "no result of pinned.release.tools_info"),
        (float("nan"), "failed", "no result of pinned.release.tools_info"),
    ],
)
def test_a_host_of_which_nothing_is_known_is_in_the_report_with_the_reason(
    wanted: Wanted, result: object, status: str, why: str
) -> None:
    host = read(wanted, result)
    assert (host.name, host.status, host.tools) == ("h1", status, ())
    assert why in host.why
    assert "secret" not in host.why
    assert len(host.why) <= LONGEST_LINE


NO_FINDING = {"kind": "fine", "against": "lock", "text": "x", "path": "", "expected": "", "found": ""}


def forged(result: dict[str, Any], **fields: object) -> None:
    result["tools"]["hello"].update(fields)


STATED = {"version": "1.0", "reason": "it runs", "lock_sha256": "0" * 64, "installed": ASKED}
CONTRADICTIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another lock file": lambda result: result.update(lock_sha256="0" * 64),
    "no lock file": lambda result: result.pop("lock_sha256"),
    "compliant": lambda result: result.update(compliant=False),
    "a truth that is a number": lambda result: result.update(compliant=1),
    "a version that is not pinned": lambda result: result["wanted"]["hello"].update(version="9"),
    "an asset that is not pinned": lambda result: result["wanted"]["hello"].update(sha256="0" * 64),
    "a tool that is not pinned": lambda result: result["wanted"].update(other=result["wanted"]["hello"]),
    "a finding of no kind": lambda result: result["findings"].append(NO_FINDING),
    "no moment": lambda result: result.update(asked="today"),
    "a tool by a path": lambda result: result["tools"].update({"../x": result["tools"]["hello"]}),
    "thousands of tools": lambda result: result["tools"].update(
        {f"t{number}": result["tools"]["hello"] for number in range(3000)}
    ),
    "no receipt, but evidence": lambda result: forged(result, receipt={"sha256": "0" * 64, "evidence": {"claims": []}}),
    "verified by nobody knows what": lambda result: forged(result, verified_by="eye"),
    "a receipt without a digest": lambda result: result["wanted"]["hello"].pop("sha256"),
    "an asset that is not the one wanted": lambda result: forged(
        result, receipt={**STATED, "sha256": "0" * 64, "evidence": {}}
    ),
    "an asset that only a part of a receipt tells of": lambda result: forged(
        result, receipt={**STATED, "sha256": "0" * 64}
    ),
    "a tree that is not pinned": lambda result: result["tools"]["hello"]["receipt"].update(tree_sha256="0" * 64),
    "nothing was verified": lambda result: forged(result, verified_by=""),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_a_result_that_contradicts_itself_or_the_lock_file_has_failed(
    machine: Machine, wanted: Wanted, kind: str
) -> None:
    machine.converge(wanted)
    result = result_of(machine, wanted)
    assert read(wanted, result).status == "as_pinned"
    CONTRADICTIONS[kind](result)
    host = read(wanted, result)
    assert (host.status, host.tools) == ("failed", ())
    assert "no result of pinned.release.tools_info" in host.why


def places(value: object, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield way
    if isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*way, key))


def with_planted(value: Any, way: tuple[Any, ...], planted: object) -> Any:
    if not way:
        return planted
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = with_planted(value[way[0]], way[1:], planted)
    return copy


def recorded(told: Fleet) -> statements.Told:
    """Return what the log gives back of an audit."""
    statement = recording.audit(told, "report.json", "d" * 64, History())
    statement["predicate"]["log"] = {"entry": 1, "previous": "0" * 64}
    return statements.read(json.loads(json.dumps(statement)), "entry 1")


@pytest.mark.parametrize("planted", [None, True, -1, 1.5, "", "x", "\x1b[2J\n=1+1", "a" * 64, [], {}, [[]], {"x": {}}])
def test_whatever_stands_in_a_result_report_and_log_are_written_and_read_back(
    machine: Machine, wanted: Wanted, planted: object
) -> None:
    machine.converge(wanted)
    machine.program_file("hello", "hello").write_text("#!/bin/sh\n")
    result = result_of(machine, wanted)
    for way in places(result):
        told = fleet(wanted, h1=with_planted(result, way, planted))
        assert report_json.read(report_json.emit(told)) == told
        assert recorded(told).hosts["h1"].seen == told.hosts[0].status
        # The program is changed, and says so in more than one place.
        assert told.hosts[0].status != "as_pinned"


@pytest.mark.parametrize("planted", [None, "", "x", "\x1b[2J\n=1+1", "a" * 64, [], {}])
def test_whatever_stands_in_the_receipt_of_an_unpinned_tool_all_is_read_back(
    machine: Machine, tmp_path: Path, planted: object
) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one, two))
    wanted = machine.wanted(one)
    result = result_of(machine, wanted)
    for way in places(result["tools"]["two"]["receipt"]):
        told = fleet(wanted, h1=with_planted(result, ("tools", "two", "receipt", *way), planted))
        assert report_json.read(report_json.emit(told)) == told
        assert recorded(told).hosts["h1"].seen == told.hosts[0].status != "as_pinned"


def test_of_thousands_of_findings_the_first_are_kept_and_the_others_counted(machine: Machine, wanted: Wanted) -> None:
    machine.converge(wanted)
    machine.program_file("hello", "hello").write_text("#!/bin/sh\n")
    result = result_of(machine, wanted)
    result["tools"]["hello"]["findings"] *= 5000
    host = read(wanted, result)
    assert len(host.tools[0].findings) == host_result.MOST_FINDINGS
    assert any("more findings are not in the report" in note for note in host.notes)


def test_the_order_of_hosts_and_results_does_not_matter(machine: Machine, wanted: Wanted) -> None:
    machine.converge(wanted)
    result = result_of(machine, wanted)
    one = fleet(wanted, b=result, a=None, c={"unreachable": True})
    other = fleet(wanted, c={"unreachable": True}, a=None, b=dict(reversed(result.items())))
    assert [host.name for host in one.hosts] == ["a", "b", "c"]
    assert report_json.emit(one) == report_json.emit(other)


def test_what_a_tool_is_for_and_who_answers_for_it_is_told_once(wanted: Wanted) -> None:
    tool = replace(wanted.lock.tools["hello"], purpose="greets", owner="")
    told = fleet_of(LockFile((), {"hello": tool}), ComparedLock("l", "a" * 64), ["h1"], lambda _name: None)
    assert told.about == {"hello": {"purpose": "greets"}}
