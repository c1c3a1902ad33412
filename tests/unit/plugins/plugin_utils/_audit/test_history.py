# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is recorded of rollouts and audits, and what the records say later of each host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import envelope, history, log, recording, statements
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Fleet,
    FleetHost,
    HostStatus,
    HostTool,
    KnownAsset,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History
from ansible_collections.pinned.release.plugins.plugin_utils._audit.statements import Build
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

LOCK = ComparedLock("releases.lock.json", "0" * 64, "c" * 40)
TOP = Path(__file__).resolve().parents[5]


def sha256(version: str) -> str:
    return version.replace(".", "").ljust(64, "a")


def at(day: int, hour: int = 12) -> str:
    return f"2026-11-{day:02}T{hour:02}:00:00Z"


def fleet(moment: str, tools: Mapping[str, str], installed: str = "", /, **host: Any) -> Fleet:
    """Return what an audit of one host h1 finds at this *moment*: its *tools* and their versions."""
    assets = {
        sha256(version): KnownAsset(
            tool=tool,
            version=version,
            target="x86_64-unknown-linux-musl",
            name=f"{tool}.tar.gz",
            url=f"https://example.org/{tool}.tar.gz",
            sha256=sha256(version),
            tree_sha256="0" * 64,
            source=f"github: example/{tool}",
            purl="",
            size=None,
            evidence=Evidence(),
            is_pinned=True,
        )
        for tool, version in tools.items()
    }
    on_host = tuple(
        HostTool(tool, "as_pinned", sha256(version), installed=installed) for tool, version in tools.items()
    )
    known: dict[str, Any] = {"status": "as_pinned", "asked": moment, "tools": on_host, **host}
    return Fleet(LOCK, moment, dict(tools), assets, (FleetHost("h1", **known),))


def told(*documents: Mapping[str, Any]) -> History:
    """Return the history of statements that were written to a log and read from it."""
    return history.fold((statements.read(in_log(document), "entry") for document in documents), seen_of="h1")


def in_log(document: Mapping[str, Any]) -> Mapping[str, Any]:
    placed = {**document, "predicate": {**document["predicate"], "log": {"entry": 1, "previous": log.NOTHING}}}
    read: dict[str, Any] = json.loads(envelope.canonical(placed))
    return read


def audits(*fleets: Fleet) -> History:
    """Return the history of audits one after another, each compared with those before."""
    documents: list[Mapping[str, Any]] = []
    for one in fleets:
        documents.append(recording.audit(one, "report.json", "b" * 64, told(*documents)))
    return told(*documents)


def changes(document: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return each change as tool, action, versions before and after, and its hosts."""
    return [
        (
            change["tool"],
            change["action"],
            change.get("from", {}).get("version"),
            change.get("to", {}).get("version"),
            list(change["hosts"]),
        )
        for change in document["predicate"]["changes"]
    ]


def rollout(results: Mapping[str, Any], past: History = History()) -> dict[str, Any]:  # noqa: B008
    return recording.rollout(results.items(), LOCK, at(5), at(5, 11), past)


def result(**tools: Any) -> dict[str, Any]:
    return {"changed": True, "tools": tools, "notes": [], "lock_sha256": LOCK.sha256}


UPGRADE = {"action": "upgrade", "version": "0.2", "previous": "0.1", "sha256": sha256("0.2"), "reason": "newer"}
INSTALL = {"action": "install", "version": "0.1", "previous": None, "sha256": sha256("0.1"), "reason": "absent"}
NONE = {"action": "none", "version": "0.1"}
REMOVE = {"action": "remove", "version": None, "previous": "0.2", "reason": "not pinned"}


# Audits.


def test_first_audit_finds_every_tool_new():
    document = recording.audit(fleet(at(3), {"uv": "0.1"}), "report.json", "b" * 64, History())
    assert changes(document) == [("uv", "install", None, "0.1", ["h1"])]
    assert [subject["name"] for subject in document["subject"]] == ["releases.lock.json", "report.json"]


def test_audit_that_finds_nothing_new_tells_no_change():
    past = audits(fleet(at(3), {"uv": "0.1"}))
    document = recording.audit(fleet(at(4), {"uv": "0.1"}), "report.json", "b" * 64, past)
    assert changes(document) == []
    assert document["predicate"]["hosts"] == [{"status": "as_pinned", "hosts": {"h1": at(4)}}]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"uv": "0.1"}, {"uv": "0.2"}, ("uv", "upgrade", "0.1", "0.2", ["h1"])),
        ({"uv": "0.10"}, {"uv": "0.9"}, ("uv", "downgrade", "0.10", "0.9", ["h1"])),
        ({"uv": "0.1"}, {}, ("uv", "remove", "0.1", None, ["h1"])),
        ({}, {"uv": "0.1"}, ("uv", "install", None, "0.1", ["h1"])),
    ],
)
def test_change_between_two_audits_is_told(before, after, change):
    past = audits(fleet(at(3), before))
    assert changes(recording.audit(fleet(at(4), after), "report.json", "b" * 64, past)) == [change]


def test_other_asset_of_the_same_version_is_a_switch():
    past = audits(fleet(at(3), {"uv": "0.1"}))
    now = fleet(at(4), {"uv": "0.1"})
    digest = "f" * 64
    asset = replace(now.assets[sha256("0.1")], sha256=digest)
    host = replace(now.hosts[0], tools=(HostTool("uv", "deviates", digest),))
    document = recording.audit(replace(now, assets={digest: asset}, hosts=(host,)), "report.json", "b" * 64, past)
    assert changes(document) == [("uv", "switch", "0.1", "0.1", ["h1"])]


@pytest.mark.parametrize("status", ["unreachable", "failed", "not_asked"])
def test_nothing_is_concluded_of_a_host_that_gave_no_answer(status: HostStatus):
    past = audits(fleet(at(3), {"uv": "0.1"}))
    silent = fleet(at(4), {}, status=status, asked="", why="no route to host")
    assert changes(recording.audit(silent, "report.json", "b" * 64, past)) == []
    later = audits(fleet(at(3), {"uv": "0.1"}), silent)
    assert later.of("h1").current == {"uv": Build("0.1", sha256("0.1"))}
    assert later.of("h1").removed == {}


def test_time_of_a_change_is_that_of_the_receipt_if_it_is_possible():
    def noticed(installed: str) -> str:
        past = audits(fleet(at(3), {"uv": "0.1"}), fleet(at(9), {"uv": "0.2"}, installed))
        return past.of("h1").events[-1].when

    assert noticed(at(6)) == at(6)
    assert noticed("") == at(9)
    # Before, another version was seen; later is not yet.
    assert noticed(at(1)) == at(3)
    assert noticed(at(20)) == at(9)


def test_large_fleet_shares_what_its_hosts_have_in_common():
    many = simulated_fleet(hosts=200, tools=20)
    document = recording.audit(many, "report.json", "b" * 64, History())
    assert len(envelope.canonical(document)) < 400 * 1024
    past = told(document)
    answered = {host.name: host for host in many.hosts if host.status in statements.ANSWERED}
    for name, host in answered.items():
        assert {tool: build.sha256 for tool, build in past.of(name).current.items()} == {
            tool.tool: tool.sha256 for tool in host.tools if tool.sha256
        }
    assert changes(recording.audit(many, "report.json", "b" * 64, past)) == []


# Rollouts.


def test_rollout_tells_what_became_of_each_host():
    document = rollout(
        {
            "changed": result(uv=UPGRADE, jq=NONE),
            "same": result(uv=NONE),
            "failed": {"failed": True, "msg": "h: disk\nfull", "diff": {"error": {"what": "no room in /opt"}}},
            "odd": {"failed": True, "msg": "it\nbroke"},
            "gone": {"unreachable": True, "msg": "Task failed: no route"},
            "skipped": {"skipped": True},
            "absent": None,
            "foreign": {"ping": "pong"},
            "hostile": result(uv={"action": "upgrade", "version": "../../etc", "sha256": "x"}),
        }
    )
    foreign = "not a result of pinned.release.tools"
    assert document["predicate"]["hosts"] == [
        {"outcome": "as_pinned", "hosts": ["same"]},
        {"outcome": "changed", "hosts": ["changed"]},
        {"outcome": "failed", "why": "it broke", "hosts": ["odd"]},
        {"outcome": "failed", "why": "no room in /opt", "hosts": ["failed"]},
        {"outcome": "failed", "why": foreign, "hosts": ["foreign", "hostile"]},
        {"outcome": "not_run", "hosts": ["absent", "skipped"]},
        {"outcome": "unreachable", "why": "no route", "hosts": ["gone"]},
    ]
    assert changes(document) == [("uv", "upgrade", "0.1", "0.2", ["changed"])]
    assert document["predicate"]["lock"] == {"name": LOCK.name, "sha256": LOCK.sha256, "commit": LOCK.commit}
    assert (document["predicate"]["started"], document["predicate"]["finished"]) == (at(5, 11), at(5))
    assert document["subject"] == [{"name": "releases.lock.json", "digest": {"sha256": "0" * 64}}]


def test_a_host_that_was_brought_to_another_lock_file_is_not_recorded_as_one_of_this():
    other = "another lock file was rolled out there"
    ours, theirs = ({"lock_sha256": digest} for digest in (LOCK.sha256, "1" * 64))
    results = {
        "ours": {**result(uv=UPGRADE), **ours},
        "theirs": {**result(uv=UPGRADE), **theirs},
        "same": {**result(uv=NONE), **theirs},
    }
    document = rollout(results)
    assert document["predicate"]["hosts"] == [
        {"outcome": "changed", "hosts": ["ours"]},
        {"outcome": "not_run", "why": other, "hosts": ["same", "theirs"]},
    ]
    assert changes(document) == [("uv", "upgrade", "0.1", "0.2", ["ours"])]
    assert {name: bool(told(document).of(name).converged) for name in results} == {
        "ours": True,
        "theirs": False,
        "same": False,
    }


def test_a_host_where_tools_were_removed_is_not_recorded_as_one_that_has_what_is_pinned():
    removal = {"action": "remove", "version": None, "previous": "0.1", "reason": "as asked"}
    removed = {"changed": True, "tools": {"uv": removal}, "notes": []}
    document = rollout({"bare": {**removed, "tools": {"uv": NONE}}, "had": removed})
    assert [(group["outcome"], group["hosts"]) for group in document["predicate"]["hosts"]] == [
        ("incomplete", ["bare", "had"])
    ]
    assert changes(document) == [("uv", "remove", "0.1", None, ["had"])]
    assert not told(document).of("bare").converged


def test_results_of_a_loop_are_not_recorded_as_failures():
    with pytest.raises(ReleaseError, match="h1: what the task registered are the results of a loop"):
        rollout({"h1": {"results": [result(uv=UPGRADE), result(uv=NONE)], "changed": True}})


def test_a_host_on_which_a_tool_was_skipped_is_not_recorded_as_one_that_has_all():
    skipped = {**result(uv=NONE, rg=NONE), "unsupported": {"rg": "gnu build needs glibc 2.39, host has 2.36"}}
    moved = {**skipped, **result(uv=UPGRADE, rg=NONE)}
    document = rollout({"old": skipped, "moved": moved, "new": result(uv=NONE, rg=NONE)})
    left_out = "not for this host: rg (gnu build needs glibc 2.39, host has 2.36)"
    assert document["predicate"]["hosts"] == [
        {"outcome": "as_pinned", "hosts": ["new"]},
        {"outcome": "incomplete", "why": left_out, "hosts": ["moved", "old"]},
    ]
    past = told(document)
    assert {host: bool(past.of(host).converged) for host in ("old", "moved", "new")} == {
        "old": False,
        "moved": False,
        "new": True,
    }
    assert changes(document) == [("uv", "upgrade", "0.1", "0.2", ["moved"])]
    assert past.of("old").last_answer == at(5)


def test_a_host_whose_skipped_tools_are_no_mapping_gave_no_result_of_ours():
    [group] = rollout({"odd": {**result(uv=NONE), "unsupported": ["rg"]}})["predicate"]["hosts"]
    assert group["outcome"] == "failed"


def test_hosts_with_the_same_change_share_it():
    document = rollout({"b": result(uv=UPGRADE), "a": result(uv=UPGRADE), "c": result(uv=INSTALL)})
    assert changes(document) == [
        ("uv", "install", None, "0.1", ["c"]),
        ("uv", "upgrade", "0.1", "0.2", ["a", "b"]),
    ]


def test_rollout_tells_the_digest_of_what_it_replaced_where_the_log_knows_it():
    past = told(rollout({"h1": result(uv=INSTALL)}))
    [change] = rollout({"h1": result(uv=UPGRADE)}, past)["predicate"]["changes"]
    assert change["from"] == {"version": "0.1", "sha256": sha256("0.1")}


# History.


def test_first_installation_survives_upgrades_and_removals():
    past = audits(
        fleet(at(1), {"uv": "0.1"}),
        fleet(at(2), {"uv": "0.2"}),
        fleet(at(3), {}),
        fleet(at(4), {"uv": "0.3"}),
    )
    assert past.of("h1").first["uv"] == at(1)
    assert past.of("h1").removed == {}
    assert past.of("h1").current == {"uv": Build("0.3", sha256("0.3"))}


def test_removal_is_known_until_it_is_installed_again():
    past = audits(fleet(at(1), {"uv": "0.1", "jq": "1.7"}), fleet(at(2), {"jq": "1.7"}))
    assert past.of("h1").removed == {"uv": at(2)}
    assert past.of("h1").first["uv"] == at(1)
    assert past.of("h1").first.get("rg", "") == ""
    assert past.of("h2").first.get("uv", "") == ""


def test_rollout_and_audit_are_one_history():
    first = rollout({"h1": result(uv=INSTALL)})
    second = recording.audit(fleet(at(9), {"uv": "0.1"}, at(5)), "report.json", "b" * 64, told(first))
    assert changes(second) == []
    third = recording.rollout([("h1", result(uv=REMOVE))], LOCK, at(10), "", told(first, second))
    assert told(first, second, third).of("h1").removed == {"uv": at(10)}


def test_last_full_comparison_is_known():
    past = audits(
        fleet(at(1), {"uv": "0.1"}, last_full=at(1)),
        fleet(at(2), {"uv": "0.1"}, last_full=at(1)),
        fleet(at(3), {}, status="unreachable", asked="", last_full=at(1)),
    )
    assert past.of("h1").last_full == at(1)
    assert past.of("h2").last_full == ""


def test_host_on_a_day_has_what_it_had_at_its_end():
    past = audits(fleet(at(2), {"uv": "0.1"}), fleet(at(6), {"uv": "0.2"}, at(4)), fleet(at(8), {}))
    assert past.on_day("h1", "2026-11-01").tools == {}
    assert past.on_day("h1", "2026-11-01").seen is None
    assert past.on_day("h1", "2026-11-02").tools == {"uv": (Build("0.1", sha256("0.1")), at(2))}
    third = past.on_day("h1", "2026-11-03")
    assert third.tools == {"uv": (Build("0.1", sha256("0.1")), at(2))}
    assert third.seen is not None
    assert third.next is not None
    assert (third.seen.when, third.next.when) == (at(2), at(6))
    assert past.on_day("h1", "2026-11-04").tools == {"uv": (Build("0.2", sha256("0.2")), at(4))}
    assert past.on_day("h1", "2026-11-08").tools == {}
    assert past.on_day("h1", "2026-11-08").next is None


# The log as it is on the disk.


def test_history_is_read_from_a_log(tmp_path):
    path = tmp_path / "log.jsonl"
    assert history.known(path) == History()
    log.append(path, rollout({"h1": result(uv=INSTALL)}), None)
    head = log.append(path, recording.audit(fleet(at(9), {}), "report.json", "b" * 64, history.known(path)), None)
    past = history.known(path)
    assert past.head == head
    assert past.of("h1").removed == {"uv": at(9)}


def test_log_that_is_not_what_was_written_has_no_history(tmp_path):
    path = tmp_path / "log.jsonl"
    for _time in range(3):
        log.append(path, rollout({"h1": result(uv=INSTALL)}), None)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(ReleaseError, match="is not what was written"):
        history.known(path)


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1"),
        (("predicateType",), "https://slsa.dev/provenance/v1"),
        (("subject",), []),
        (("predicate", "finished"), "yesterday"),
        (("predicate", "hosts", 0, "outcome"), "fine"),
        (("predicate", "hosts", 0, "more"), "fine"),
        (("predicate", "hosts", 0, "full"), True),
        (("predicate", "hosts", 0, "hosts"), ["h\n1"]),
        (("predicate", "hosts", 0, "hosts"), []),
        (("predicate", "hosts", 0, "hosts"), {"h1": "yesterday"}),
        (("predicate", "hosts"), [{"outcome": "changed", "hosts": ["h1"]}, {"outcome": "failed", "hosts": ["h1"]}]),
        (("predicate", "lock", "sha256"), "0" * 63),
        (("predicate", "changes"), [{"tool": "../uv", "action": "install", "hosts": {"h1": at(1)}}]),
        (("predicate", "changes"), [{"tool": "uv", "action": "none", "hosts": {"h1": at(1)}}]),
        (("predicate", "changes"), [{"tool": "uv", "action": "install", "hosts": {}}]),
    ],
)
def test_what_is_no_statement_of_ours_is_refused(tmp_path, way, value):
    document = json.loads(envelope.canonical(rollout({"h1": result(uv=INSTALL)})))
    inside = document
    for step in way[:-1]:
        inside = inside[step]
    inside[way[-1]] = value
    log.append(tmp_path / "log.jsonl", document, None)
    with pytest.raises(ReleaseError, match="entry 1"):
        history.known(tmp_path / "log.jsonl")


@pytest.mark.parametrize("name", ["rollout", "audit"])
def test_predicates_are_as_their_schemas_say(name):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((TOP / "docs" / "schema" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    many = simulated_fleet(hosts=60, tools=5)
    made = {
        "rollout": rollout({"h1": result(uv=UPGRADE), "h2": {"failed": True, "msg": "x"}}),
        "audit": recording.audit(many, "report.json", "b" * 64, History()),
    }[name]
    jsonschema.validate(in_log(made)["predicate"], schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**in_log(made)["predicate"], "more": 1}, schema)
