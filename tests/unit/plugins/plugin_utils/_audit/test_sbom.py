# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bill of materials is valid by the official schemas, has all that is installed, and claims not to be complete."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    Severity,
    Subject,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.cyclonedx import sbom
from ansible_collections.pinned.release.plugins.plugin_utils._audit.cyclonedx.components import InsideAssets
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside, component
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

FLEET = simulated_fleet(hosts=60, tools=4)
TOOL = next(asset for asset in FLEET.assets.values() if asset.is_pinned and asset.target.endswith("linux-gnu"))
PROGRAM = next(iter(TOOL.programs))
YAML = component("golang", "gopkg.in/yaml.v2", "v2.2.0")
INSIDE: InsideAssets = {TOOL.sha256: {PROGRAM: Inside("go", "go1.26.8", (YAML,))}}
FOUND = AdvisoryFinding(
    subject=Subject(TOOL.tool, YAML.purl, "v2.2.0", where=PROGRAM),
    advisory="GO-2020-0036",
    aliases=("CVE-2019-11254",),
    summary="Excessive resource consumption",
    severity=(Severity("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H"),),
    level="MODERATE",
    fixed_in=("2.2.8",),
    status="affected",
)


def bill(
    fleet: Fleet = FLEET,
    inside: InsideAssets | None = None,
    findings: tuple[AdvisoryFinding, ...] = (FOUND,),
) -> dict[str, Any]:
    given = INSIDE if inside is None else inside
    document: dict[str, Any] = json.loads(sbom.of_fleet(fleet, given, findings, "1.7", "0.1.0"))
    return document


def is_valid(text: str, spec: sbom.Spec) -> bool:
    return JsonStrictValidator(SchemaVersion.from_version(spec)).validate_str(text) is None


def component_of(document: dict[str, Any], tool: str, digest: str) -> dict[str, Any]:
    [found] = [one for one in document["components"] if one["bom-ref"].endswith(digest) and one["name"] == tool]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("spec", sbom.SPECS)
@pytest.mark.parametrize("inside", [INSIDE, {}])
def test_bill_of_a_fleet_is_valid_by_the_official_schema(spec: sbom.Spec, inside: InsideAssets) -> None:
    text = sbom.of_fleet(FLEET, inside, (FOUND,), spec, "0.1.0")
    assert is_valid(text, spec)
    assert json.loads(text)["specVersion"] == spec


@pytest.mark.parametrize("spec", sbom.SPECS)
def test_bill_of_every_host_is_valid_and_has_only_its_own(spec: sbom.Spec) -> None:
    for host in FLEET.hosts[:6]:
        text = sbom.of_host(FLEET, host, INSIDE, (FOUND,), spec, "0.1.0")
        assert is_valid(text, spec)
        document = json.loads(text)
        tools = [one for one in document.get("components", ()) if one["type"] == "application"]
        assert {one["hashes"][0]["content"] for one in tools} == {tool.sha256 for tool in host.tools if tool.sha256}
        assert document["metadata"]["component"]["name"] == host.name


def test_the_official_schema_refuses_a_wrong_bill() -> None:
    """The tests above prove nothing with a validator that takes all."""
    document = bill()
    document["compositions"][0]["aggregate"] = "all of it"
    assert not is_valid(json.dumps(document), "1.7")


def test_same_facts_give_the_same_bytes_in_whatever_order() -> None:
    turned = replace(
        FLEET,
        hosts=tuple(replace(host, tools=tuple(reversed(host.tools))) for host in reversed(FLEET.hosts)),
        assets=dict(reversed(FLEET.assets.items())),
    )
    first, second = (sbom.of_fleet(fleet, INSIDE, (FOUND,), "1.7", "0.1.0") for fleet in (FLEET, turned))
    assert first == second


def test_other_facts_give_another_serial_number() -> None:
    assert bill()["serialNumber"] != bill(findings=())["serialNumber"]


def test_bill_has_the_time_of_asking_and_none_where_nobody_answered() -> None:
    assert bill()["metadata"]["timestamp"] == "2026-11-29T18:33:02+00:00"
    assert "timestamp" not in bill(replace(FLEET, asked="", hosts=()), {}, ())["metadata"]


def test_component_says_what_it_is_where_from_and_on_which_hosts() -> None:
    found = component_of(bill(), TOOL.tool, TOOL.sha256)
    assert (found["version"], found["purl"]) == (TOOL.version, TOOL.purl)
    assert found["hashes"] == [{"alg": "SHA-256", "content": TOOL.sha256}]
    [distribution] = [one for one in found["externalReferences"] if one["type"] == "distribution"]
    assert (distribution["url"], distribution["hashes"]) == (TOOL.url, found["hashes"])
    assert [one["name"] for one in found["components"]] == [PROGRAM]
    having = {host.name for host in FLEET.hosts for tool in host.tools if tool.sha256 == TOOL.sha256}
    assert {one["location"].partition(":")[0] for one in found["evidence"]["occurrences"]} == having
    assert len(having) > 5


def test_what_only_hosts_state_is_not_called_known_by_its_digest() -> None:
    there = {tool.sha256 for host in FLEET.hosts for tool in host.tools}
    stranger = next(one for one in FLEET.assets.values() if not one.is_pinned and one.sha256 in there)
    found = component_of(bill(), stranger.tool, stranger.sha256)
    assert "identity" not in found["evidence"]
    assert {"name": "pinned.release:pinned", "value": "no: hosts state this of what they have"} in found["properties"]


def test_what_is_inside_stands_once_and_the_graph_says_where() -> None:
    document = bill()
    assert [one["purl"] for one in document["components"] if one["type"] == "library"] == [YAML.purl]
    [holder] = [one for one in document["dependencies"] if YAML.purl in one.get("dependsOn", ())]
    assert holder["ref"].endswith(TOOL.sha256)


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        (Inside(), f"inside:{PROGRAM}", "nothing recorded by its compiler"),
        (Inside(gap="it is cut off"), f"inside:{PROGRAM}", "the record cannot be read: it is cut off"),
        (Inside("go", "go1.26.8"), f"toolchain:{PROGRAM}", "go1.26.8"),
    ],
)
def test_what_the_compiler_did_not_record_is_said(record: Inside, name: str, value: str) -> None:
    found = component_of(bill(inside={TOOL.sha256: {PROGRAM: record}}, findings=()), TOOL.tool, TOOL.sha256)
    assert {"name": "pinned.release:" + name, "value": value} in found["properties"]


def test_bill_of_a_fleet_with_silent_hosts_is_not_called_complete() -> None:
    document = bill()
    unknown = {host.name for host in FLEET.hosts if host.status in ("unreachable", "failed", "not_asked")}
    told = {one["name"].rpartition(":")[2] for one in document["metadata"]["properties"] if ":unknown:" in one["name"]}
    assert told == unknown
    assert unknown
    assert document["compositions"][0] == {"aggregate": "incomplete", "assemblies": ["fleet"]}
    answered = replace(FLEET, hosts=tuple(host for host in FLEET.hosts if host.name not in unknown))
    assert bill(answered)["compositions"][0] == {"aggregate": "complete", "assemblies": ["fleet"]}


def test_what_programs_are_made_of_is_never_called_complete() -> None:
    compositions = bill()["compositions"][1:]
    assert {one["aggregate"] for one in compositions} == {"incomplete", "unknown"}


def test_advisory_about_a_component_names_it() -> None:
    [told] = bill()["vulnerabilities"]
    assert told["id"] == "GO-2020-0036"
    assert told["affects"] == [{"ref": YAML.purl}]
    assert told["recommendation"] == "Fixed in 2.2.8."
    assert {"severity": "medium"} in told["ratings"]
    assert "analysis" not in told, "nobody assessed it"


def test_advisory_about_the_tool_itself_names_every_asset_of_it_that_is_installed() -> None:
    own = replace(FOUND, subject=Subject(TOOL.tool, TOOL.purl, TOOL.version))
    [told] = bill(findings=(own,))["vulnerabilities"]
    refs = {one["ref"] for one in told["affects"]}
    assert len(refs) > 1
    assert all(ref.startswith(f"{TOOL.tool}@{TOOL.version}#") for ref in refs)


def test_advisory_about_what_is_installed_nowhere_is_left_out() -> None:
    other = replace(FOUND, subject=Subject("nobody-has-it", "pkg:pypi/nobody-has-it@1", "1"))
    assert "vulnerabilities" not in bill(findings=(other,))


@pytest.mark.parametrize(
    ("status", "reason", "justification", "expected"),
    [
        ("cannot_compare", "a range of commits", "", {"state": "in_triage", "detail": "a range of commits"}),
        (
            "not_affected",
            "",
            "vulnerable_code_not_in_execute_path",
            {"state": "not_affected", "justification": "code_not_reachable", "detail": "stated in ours.vex.json"},
        ),
        (
            "not_affected",
            "",
            "vulnerable_code_cannot_be_controlled_by_adversary",
            {
                "state": "not_affected",
                "detail": "vulnerable_code_cannot_be_controlled_by_adversary; stated in ours.vex.json",
            },
        ),
        ("fixed", "", "", {"state": "resolved", "detail": "stated in ours.vex.json"}),
        ("under_investigation", "", "", {"state": "in_triage", "detail": "stated in ours.vex.json"}),
    ],
)
def test_assessment_is_said_in_the_words_of_the_format(
    status: Any, reason: str, justification: str, expected: dict[str, str]
) -> None:
    by = "" if status == "cannot_compare" else "ours.vex.json"
    one = replace(FOUND, status=status, reason=reason, justification=justification, stated_by=by)
    document = bill(findings=(one,))
    assert document["vulnerabilities"][0]["analysis"] == expected
    assert is_valid(json.dumps(document), "1.7")


def test_what_a_host_says_of_proofs_is_no_evidence_in_the_bill() -> None:
    [proven, *_others] = [one for one in FLEET.assets.values() if one.is_pinned and one.evidence.proofs]
    stated = replace(FLEET, assets={**FLEET.assets, proven.sha256: replace(proven, is_pinned=False)})
    references = component_of(bill(stated), proven.tool, proven.sha256)["externalReferences"]
    assert [one["type"] for one in references] == ["distribution"]
