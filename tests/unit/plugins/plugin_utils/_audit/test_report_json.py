# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.json is a fleet, whole: it satisfies its schema, and comes back as it was, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import report_json
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    AdvisoryFindings,
    Coverage,
    Covered,
    Damaged,
    Severity,
    Subject,
    to_json,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Finding,
    Fleet,
    FleetHost,
    HostTool,
    KnownAsset,
)
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

SCHEMA = json.loads((Path(__file__).parents[5] / "docs/schema/report.schema.json").read_text(encoding="utf-8"))
FLEET = simulated_fleet(80, 9, seed=7)
#: A fleet with something in every field.
FULL = replace(
    FLEET,
    hosts=(
        *FLEET.hosts,
        FleetHost(
            "z1",
            "differs",
            "2026-11-29T18:33:02Z",
            "why",
            {"platform": "linux/x86_64"},
            "2026-11-22T02:00:11Z",
            "/opt/pinned.release",
            "/usr/local/bin",
            (HostTool("jq", "missing", reason="static", kept=("1.7-0123abcd",)),),
            (Finding("added", "store/x is unknown", "store/x", "nothing", "a file", "lock"),),
            ("a note",),
            {"old": "2026-08-02T11:04:00Z"},
        ),
    ),
)


def normal(fleet: Fleet) -> Fleet:
    """Return *fleet* without words that say nothing, which the simulated one has."""
    about = {name: {word: text for word, text in words.items() if text} for name, words in fleet.about.items()}
    return replace(fleet, about={name: words for name, words in about.items() if words})


def places(value: object, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield way
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*way, key))
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, (*way, index))


def test_a_fleet_comes_back_as_it_was() -> None:
    assert report_json.read(report_json.emit(FULL)) == normal(FULL)


def test_a_fleet_of_nobody_comes_back_and_is_not_as_pinned() -> None:
    fleet = Fleet(ComparedLock("releases.lock.json", "a" * 64), "", {}, {}, ())
    assert report_json.read(report_json.emit(fleet)) == fleet
    assert json.loads(report_json.emit(fleet))["compliant"] is False


def test_the_same_fleet_is_the_same_bytes() -> None:
    assert report_json.emit(FLEET) == report_json.emit(simulated_fleet(80, 9, seed=7))


def test_each_tool_of_each_host_has_a_line_of_its_own() -> None:
    lines = report_json.emit(FLEET).split("\n")
    assert sum(line.startswith('      "') for line in lines) == sum(len(host.tools) for host in FLEET.hosts)


def test_a_report_satisfies_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(report_json.emit(FULL)), SCHEMA)


def test_a_report_with_advisories_satisfies_its_schema_and_is_read_back_without_them() -> None:
    subject = Subject("uv", "pkg:golang/stdlib@1.26.7", "1.26.7", where="bin/uv")
    finding = AdvisoryFinding(
        subject, "GO-1", ("CVE-1",), "panics", (Severity("CVSS_V3", "CVSS:3.1/AV:N"),), "HIGH", ("1.26.8",), "affected",
        "why", "unmaintained", "not used", "a.vex.json",
    )  # fmt: skip
    coverage = Coverage("uv", (Covered("Go", 3, 1),), ("the tool itself: no database here has it",))
    found = AdvisoryFindings((finding,), (coverage,), 3, 1, (Damaged("x.json", "no JSON"),), 1, ("a statement",))
    text = report_json.emit(FULL, to_json(found))
    jsonschema.validate(json.loads(text), SCHEMA)
    assert report_json.read(text) == normal(FULL)


def test_the_schema_has_a_description_for_every_field_and_knows_no_others() -> None:
    objects = [SCHEMA, *SCHEMA["$defs"].values()]
    described = {name: field for one in objects for name, field in one.get("properties", {}).items()}
    assert [name for name, field in described.items() if "description" not in field] == []
    assert all(one["additionalProperties"] is False for one in objects if "properties" in one)
    kinds = {"host": FleetHost, "asset": KnownAsset, "finding": Finding, "host_tool": HostTool}
    for name, kind in kinds.items():
        own = {field.name for field in fields(kind)} - {
            "name" if name == "host" else "sha256" if name == "asset" else ""
        }
        assert set(SCHEMA["$defs"][name]["properties"]) == own - ({"tool"} if name == "host_tool" else set())


def test_most_hosts_as_pinned_are_no_fleet_as_pinned() -> None:
    hosts = (FleetHost("h1", "as_pinned"), FleetHost("h2", "as_pinned"))
    fleet = Fleet(ComparedLock("l", "a" * 64), "", {}, {}, hosts)
    assert report_json.summary(fleet)["compliant"] is True
    for status in ("unreachable", "failed", "not_asked", "differs", "never_converged"):
        more = replace(fleet, hosts=(*hosts, FleetHost("h3", status)))
        assert report_json.summary(more)["compliant"] is False


@pytest.mark.parametrize("planted", [None, True, 7, -1, "", "\x1b[2J", [], {}, [[]], {"x": {}}, "x" * 5000])
def test_whatever_stands_in_a_report_it_is_read_or_refused(planted: object) -> None:
    document = json.loads(report_json.emit(replace(FULL, hosts=(*FULL.hosts[:3], FULL.hosts[-1]))))
    refused = 0
    for way in places(document):
        text = json.dumps(_with(document, way, planted))
        try:
            fleet = report_json.read(text, "report.json")
        except ReleaseError:
            refused += 1
        else:
            report_json.emit(fleet)
    assert refused > 100


def _with(value: Any, way: tuple[Any, ...], planted: object) -> Any:
    if not way:
        return planted
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = _with(value[way[0]], way[1:], planted)
    return copy


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(compliant=True),
        lambda document: document["counts"]["hosts"].update(as_pinned=80),
        lambda document: document["hosts"].popitem(),
        lambda document: document["assets"].popitem(),
        lambda document: document.update(report_version=2),
        lambda document: document.update(new={}),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(change: Any) -> None:
    document = json.loads(report_json.emit(FLEET))
    used = {tool.sha256 for host in FLEET.hosts for tool in host.tools}
    document["assets"] = {key: value for key, value in document["assets"].items() if key in used or value["is_pinned"]}
    change(document)
    with pytest.raises(ReleaseError, match=r"report\.json"):
        report_json.read(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[", "[]", "7", "{}", '{"report_version": 1, "report_version": 1}', "[" * 10000])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match=r"report\.json"):
        report_json.read(text)
