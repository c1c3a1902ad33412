# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people say of vulnerabilities in their products is laid beside what was found, and hides nothing."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import vex
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    AdvisoryFindings,
    Subject,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.match import findings
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.guide_examples import GUIDE
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.osv import affected, read, record, write
from hypothesis import given
from hypothesis import strategies as st

OWN = Subject("caddy", "pkg:github/caddyserver/caddy@v2.7.0", "v2.7.0", "https://github.com/caddyserver/caddy")
NET = Subject("caddy", "pkg:golang/golang.org/x/net@v0.20.0", "v0.20.0", where="caddy")
FLOOD = record("GO-2099-0001", affected("Go", "golang.org/x/net", "introduced 0"), aliases=["CVE-2099-1"])
UNREACHED = "vulnerable_code_not_in_execute_path"


def openvex(*statements: dict[str, Any], **more: Any) -> bytes:
    """Return a document of github.com/openvex/spec, version 0.2.0."""
    top = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "x", "version": 1}
    return json.dumps(top | {"timestamp": "2026-01-01T00:00:00Z", "statements": statements} | more).encode()


def says(status: str, *products: Any, name: str = "CVE-2099-1", **more: Any) -> dict[str, Any]:
    justified = {"justification": UNREACHED} if status == "not_affected" else {}
    made = [{"@id": one} if isinstance(one, str) else one for one in products]
    return {"vulnerability": {"name": name}, "products": made, "status": status} | justified | more


def cyclonedx(*vulnerabilities: dict[str, Any], **more: Any) -> bytes:
    """Return a document of cyclonedx.org with what somebody has analysed."""
    top = {"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": vulnerabilities}
    return json.dumps(top | more).encode()


def analysed(state: str, *affects: Any, id: str = "CVE-2099-1", **analysis: Any) -> dict[str, Any]:
    made = [{"ref": one} if isinstance(one, str) else one for one in affects]
    return {"id": id, "analysis": {"state": state} | analysis, "affects": made}


def laid(folder: Path, *documents: bytes) -> AdvisoryFindings:
    statements = [one for number, content in enumerate(documents) for one in vex.parse(content, f"{number}.json")]
    return findings(read(write(folder, FLOOD), OWN, NET), [OWN, NET], statements)


def one(folder: Path, *documents: bytes) -> AdvisoryFinding:
    [finding] = laid(folder, *documents).findings
    return finding


NET_PURL, CADDY = "pkg:golang/golang.org/x/net@v0.20.0", "pkg:github/caddyserver/caddy@v2.7.0"
SPEAKS_OF_IT = {
    "the component": NET_PURL,
    "the component in any version": "pkg:golang/golang.org/x/net",
    "the component, its version without v": "pkg:golang/golang.org/x/net@0.20.0",
    "all in the tool": CADDY,
    "all in the tool in any version": "pkg:github/caddyserver/caddy",
    "the component in the tool": {"@id": CADDY, "subcomponents": [{"@id": "pkg:golang/golang.org/x/net"}]},
    "by identifiers": {"@id": "https://example.org/caddy", "identifiers": {"purl": CADDY}},
}
SPEAKS_OF_OTHERS = {
    "another version": "pkg:golang/golang.org/x/net@v0.21.0",
    "another tool": "pkg:github/caddyserver/xcaddy",
    "another component": {"@id": CADDY, "subcomponents": [{"@id": "pkg:golang/golang.org/x/text"}]},
    "the component in another tool": {"@id": "pkg:github/o/r", "subcomponents": [{"@id": NET_PURL}]},
    "one form of the tool": "pkg:github/caddyserver/caddy@v2.7.0?arch=arm64",
    "no package": "https://example.org/caddy",
    "components that are no packages": {"@id": CADDY, "subcomponents": [{"@id": "https://example.org/net"}]},
}


@pytest.mark.parametrize("product", SPEAKS_OF_IT)
def test_a_statement_counts_for_what_it_speaks_of(tmp_path: Path, product: str) -> None:
    found = laid(tmp_path, openvex(says("not_affected", SPEAKS_OF_IT[product])))
    [finding] = found.findings
    assert (finding.status, finding.justification, finding.stated_by) == ("not_affected", UNREACHED, "0.json")
    assert found.unmatched_vex == ()


@pytest.mark.parametrize("product", SPEAKS_OF_OTHERS)
def test_a_statement_about_something_else_does_not_count_and_is_told(tmp_path: Path, product: str) -> None:
    found = laid(tmp_path, openvex(says("not_affected", SPEAKS_OF_OTHERS[product])))
    assert [finding.status for finding in found.findings] == ["affected"]
    expected = "0.json: statements[0] (not_affected by CVE-2099-1) speaks of nothing that was found"
    assert found.unmatched_vex == (expected,)


def test_a_statement_about_another_vulnerability_does_not_count(tmp_path: Path) -> None:
    assert one(tmp_path, openvex(says("fixed", NET_PURL, name="CVE-2099-2"))).status == "affected"


def test_a_vulnerability_is_known_by_any_of_its_ids(tmp_path: Path) -> None:
    by_alias = says("fixed", NET_PURL, name="GHSA-xxxx") | {
        "vulnerability": {"name": "A-1", "aliases": ["GO-2099-0001"]}
    }
    assert one(tmp_path / "a", openvex(by_alias)).status == "fixed"
    assert one(tmp_path / "b", openvex(says("fixed", NET_PURL, name="GO-2099-0001"))).status == "fixed"


@pytest.mark.parametrize("status", ["not_affected", "affected", "fixed", "under_investigation"])
def test_every_status_of_openvex_is_taken_over(tmp_path: Path, status: str) -> None:
    assert one(tmp_path, openvex(says(status, NET_PURL))).status == status


def test_the_latest_statement_counts_whatever_the_order_and_offset(tmp_path: Path) -> None:
    late = says("fixed", NET_PURL, timestamp="2026-01-01T23:30:00.5-02:00")
    early = says("not_affected", NET_PURL, timestamp="2026-01-02T01:00:00+00:00")
    inherited = says("under_investigation", NET_PURL)
    assert one(tmp_path / "a", openvex(late, early, inherited)).status == "fixed"
    assert one(tmp_path / "b", openvex(inherited, early), openvex(late)).status == "fixed"


def test_of_two_statements_of_one_time_the_later_in_the_files_counts(tmp_path: Path) -> None:
    first, second = openvex(says("fixed", NET_PURL)), openvex(says("affected", NET_PURL))
    assert one(tmp_path / "a", first, second).status == "affected"
    assert one(tmp_path / "b", second, first).status == "fixed"


def test_what_is_said_beside_the_status_is_kept_on_one_line(tmp_path: Path) -> None:
    stated = says("not_affected", NET_PURL, impact_statement="Not\nreached.")
    assert one(tmp_path, openvex(stated)).justification == f"{UNREACHED}: Not reached."


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("resolved", "fixed"),
        ("resolved_with_pedigree", "fixed"),
        ("exploitable", "affected"),
        ("in_triage", "under_investigation"),
        ("false_positive", "not_affected"),
        ("not_affected", "not_affected"),
    ],
)
def test_every_state_of_cyclonedx_is_taken_over(tmp_path: Path, state: str, status: str) -> None:
    finding = one(tmp_path, cyclonedx(analysed(state, NET_PURL, justification="code_not_reachable", detail="See x.")))
    assert (finding.status, finding.justification) == (status, "code_not_reachable: See x.")


def test_cyclonedx_names_packages_by_references_to_its_components(tmp_path: Path) -> None:
    inner = {"type": "library", "name": "net", "bom-ref": "n", "purl": NET_PURL}
    outer = {"type": "application", "name": "caddy", "bom-ref": "c", "components": [inner]}
    assert one(tmp_path / "a", cyclonedx(analysed("resolved", "n"), components=[outer])).status == "fixed"
    main = {"component": {"type": "application", "name": "caddy", "bom-ref": "c", "purl": CADDY}}
    assert one(tmp_path / "b", cyclonedx(analysed("resolved", "c"), metadata=main)).status == "fixed"
    assert laid(tmp_path / "c", cyclonedx(analysed("resolved", "x"))).unmatched_vex


def test_cyclonedx_that_names_versions_counts_for_these(tmp_path: Path) -> None:
    ref = "pkg:golang/golang.org/x/net"
    for version, status in (("v0.20.0", "fixed"), ("v0.19.0", "affected")):
        affects = {"ref": ref, "versions": [{"version": version}, {"range": "vers:golang/>=0"}]}
        assert one(tmp_path / version, cyclonedx(analysed("resolved", affects))).status == status


def test_cyclonedx_that_contradicts_itself_about_the_version_counts_for_none(tmp_path: Path) -> None:
    affects = {"ref": "pkg:golang/golang.org/x/net@v0.19.0", "versions": [{"version": "v0.20.0"}]}
    assert one(tmp_path, cyclonedx(analysed("resolved", affects))).status == "affected"


def test_a_vulnerability_that_nobody_analysed_says_nothing(tmp_path: Path) -> None:
    found = laid(tmp_path, cyclonedx({"id": "CVE-2099-1", "affects": [{"ref": NET_PURL}]}))
    assert [finding.status for finding in found.findings] == ["affected"]
    assert found.unmatched_vex == ()


def test_formats_are_compared_by_time(tmp_path: Path) -> None:
    older = cyclonedx(analysed("exploitable", NET_PURL, lastUpdated="2025-01-01T00:00:00Z"))
    assert one(tmp_path, openvex(says("fixed", NET_PURL)), older).status == "fixed"


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(openvex(says("fixed", NET_PURL)))
    (tmp_path / "b.json").write_bytes(cyclonedx(analysed("in_triage", NET_PURL)))
    read_both = vex.read([tmp_path / "b.json", tmp_path / "a.json"], tmp_path)
    assert [(one.status, one.file) for one in read_both] == [
        ("under_investigation", "b.json"),
        ("fixed", "a.json"),
    ]


def test_the_statement_in_the_guide_counts_for_what_it_speaks_of(tmp_path: Path) -> None:
    blocks = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    [block] = [one for one in blocks if "openvex" in one]
    write(tmp_path, FLOOD | {"aliases": ["CVE-2023-45288"]})
    found = findings(read(tmp_path, OWN, NET), [OWN, NET], vex.parse(block.encode(), "guide.json"))
    assert [(finding.status, finding.justification) for finding in found.findings] == [("not_affected", UNREACHED)]
    assert found.unmatched_vex == ()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be read"):
        vex.read([tmp_path / "absent.json"], tmp_path)


def test_files_are_named_alike_in_every_checkout(tmp_path: Path) -> None:
    checkouts = (tmp_path / "one", tmp_path / "two")
    for checkout in checkouts:
        (checkout / "vex").mkdir(parents=True)
        (checkout / "vex/ours.json").write_bytes(openvex(says("fixed", NET_PURL)))
        [inside] = vex.read([checkout / "vex/ours.json"], checkout)
        [outside] = vex.read([checkout / "vex/ours.json"], checkout / "lock")
        assert (inside.file, outside.file) == ("vex/ours.json", "ours.json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"@context": "https://openvex.dev/ns/v0.1.0", "statements": []}',
        b'{"@context": "https://openvex.dev/ns/v0.2.0"}',
        openvex(says("perhaps", NET_PURL)),
        openvex({"products": [], "status": "fixed"}),
        openvex(says("not_affected", NET_PURL) | {"justification": None}),
        openvex(says("not_affected", NET_PURL) | {"justification": "because"}),
        openvex(says("not_affected", NET_PURL) | {"justification": "", "impact_statement": "Not reached."}),
        openvex(says("fixed", NET_PURL, timestamp="yesterday")),
        openvex(says("fixed", NET_PURL, timestamp="2026-01-01T00:00:00")),
        openvex(says("fixed", NET_PURL), timestamp=None),
        openvex(says("fixed", "pkg:nothing")),
        cyclonedx(analysed("fine", NET_PURL)),
        cyclonedx(analysed("not_affected", NET_PURL, justification="because")),
        cyclonedx(analysed("resolved", "pkg:")),
        cyclonedx({"analysis": {"state": "resolved"}}),
        cyclonedx(analysed("resolved", NET_PURL, lastUpdated="0000-00-00T00:00:00Z")),
        b'{"bomFormat": "CycloneDX", "components": ' + b"[" * 100_000,
    ],
)
def test_a_file_that_does_not_keep_to_its_format_is_refused_with_its_name(content: bytes) -> None:
    with pytest.raises(ReleaseError, match=r"said\.json"):
        vex.parse(content, "said.json")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "said.json")
    with pytest.raises(ReleaseError, match=r"said\.json is no file"):
        vex.read([tmp_path / "said.json"], tmp_path)


keys = st.sampled_from(["@context", "statements", "bomFormat", "vulnerabilities", "analysis", "state", "affects", "id"])
values = st.recursive(
    st.none() | st.sampled_from(["https://openvex.dev/ns/v0.2.0", "CycloneDX", "resolved", "pkg:a/b", 1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keys, values), st.sampled_from([{}, json.loads(openvex()), json.loads(cyclonedx())]))
def test_no_document_raises_anything_else(fields: dict[str, object], known: dict[str, object]) -> None:
    with contextlib.suppress(ReleaseError):
        vex.parse(json.dumps(known | fields).encode(), "said.json")
