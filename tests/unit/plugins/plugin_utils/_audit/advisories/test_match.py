# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisories about what is pinned are found, and what could not be asked is told: nothing is called free of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import subjects
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFindings,
    Severity,
    Subject,
    to_json,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.match import VERSION_LENGTH, findings
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.osv import (
    affected,
    found,
    from_git,
    read,
    record,
    write,
    write_zip,
)

#: Modules as Go's compiler records them in a program.
MODULES = ("pkg:golang/golang.org/x/net@v0.20.0", "pkg:golang/github.com/klauspost/compress@v1.17.4")
INSIDE = subjects.of_components("caddy", "caddy", MODULES, "go1.20.3")
OWN = Subject("caddy", "pkg:github/caddyserver/caddy@v2.7.0", "v2.7.0", "https://github.com/caddyserver/caddy")
NET = record("GO-2099-0001", affected("Go", "golang.org/x/net", "introduced 0 fixed 0.23.0"))


def asked(folder: Path, *asked_about: Subject) -> AdvisoryFindings:
    return findings(read(folder, *asked_about), asked_about)


def coverage_of(folder: Path, *asked_about: Subject) -> list[str]:
    return [one.words for one in asked(folder, *asked_about).coverage]


def test_an_advisory_is_found_through_a_go_module_inside_a_program(tmp_path: Path) -> None:
    write_zip(tmp_path / "Go/all.zip", NET)
    [finding] = asked(tmp_path, OWN, *INSIDE).findings
    assert (finding.subject.tool, finding.subject.where, finding.subject.purl) == ("caddy", "caddy", MODULES[0])
    assert (finding.advisory, finding.status, finding.fixed_in) == ("GO-2099-0001", "affected", ("0.23.0",))


def test_an_advisory_is_found_through_gos_standard_library(tmp_path: Path) -> None:
    timeline = "introduced 0 fixed 1.19.9 introduced 1.20.0-0 fixed 1.20.4"
    write(tmp_path, record("GO-2099-0002", affected("Go", "stdlib", timeline)))
    [finding] = asked(tmp_path, *INSIDE).findings
    assert (finding.subject.purl, finding.fixed_in) == ("pkg:golang/stdlib@1.20.3", ("1.20.4",))


def test_long_names_of_fixed_versions_are_told_in_short(tmp_path: Path) -> None:
    timeline = f"introduced 0 fixed 1.20.4-{'a' * 200}"
    write(tmp_path, record("GO-2099-0003", affected("Go", "stdlib", timeline)))
    [finding] = asked(tmp_path, *INSIDE).findings
    assert [len(version) for version in finding.fixed_in] == [VERSION_LENGTH]


def test_a_toolchain_between_releases_cannot_be_compared(tmp_path: Path) -> None:
    write(tmp_path, record("GO-2099-0002", affected("Go", "stdlib", "introduced 0 fixed 1.20.4")))
    inside = subjects.of_components("caddy", "caddy", [], "go1.21-devel_0123abc")
    [finding] = asked(tmp_path, *inside).findings
    assert (finding.status, finding.reason) == ("cannot_compare", "the version is not known")


def test_a_component_without_a_version_cannot_be_compared(tmp_path: Path) -> None:
    inside = subjects.of_components("caddy", "caddy", ["pkg:golang/golang.org/x/net"])
    [finding] = asked(write(tmp_path, NET), *inside).findings
    assert finding.status == "cannot_compare"


def test_a_crate_inside_is_found(tmp_path: Path) -> None:
    part = affected("crates.io", "tar", "introduced 0.0.0-0 fixed 0.4.45", database_specific={"informational": None})
    inside = subjects.of_components("uv", "uv", ["pkg:cargo/tar@0.4.44"])
    assert found(write(tmp_path, record("RUSTSEC-2099-0001", part)), *inside) == [("RUSTSEC-2099-0001", "affected")]


def test_a_tool_is_found_by_its_repository_and_tag(tmp_path: Path) -> None:
    part = from_git("https://github.com/caddyserver/caddy", ["v2.6.4", "v2.7.0"])
    assert found(write(tmp_path, record("CVE-2099-1", part)), OWN) == [("CVE-2099-1", "affected")]


def test_severity_of_the_package_counts_before_that_of_the_record(tmp_path: Path) -> None:
    part = affected("Go", "golang.org/x/net", "introduced 0", severity=[{"type": "CVSS_V4", "score": "CVSS:4.0/x"}])
    more = {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/x"}], "database_specific": {"severity": "HIGH"}}
    write(
        tmp_path, record("A-1", part, **more), record("A-2", affected("Go", "golang.org/x/net", "introduced 0"), **more)
    )
    first, second = asked(tmp_path, *INSIDE).findings
    assert (first.severity, first.level) == ((Severity("CVSS_V4", "CVSS:4.0/x"),), "HIGH")
    assert second.severity == (Severity("CVSS_V3", "CVSS:3.1/x"),)


def test_an_advisory_that_two_names_lead_to_is_told_once(tmp_path: Path) -> None:
    both = [affected("Go", "github.com/o/r", "introduced 0"), from_git("https://github.com/o/r")]
    subject = Subject("r", "pkg:golang/github.com/o/r@v1.0.0", "v1.0.0", "https://github.com/o/r")
    assert found(write(tmp_path, record("A-1", *both)), subject) == [("A-1", "affected")]


def test_of_two_names_the_one_that_can_be_compared_counts(tmp_path: Path) -> None:
    both = [affected("Go", "github.com/o/r", "introduced 0"), from_git("https://github.com/o/r", ["r1"])]
    subject = Subject("r", "pkg:golang/github.com/o/r@r1", "r1", "https://github.com/o/r")
    assert found(write(tmp_path, record("A-1", *both)), subject) == [("A-1", "affected")]


def test_the_same_input_gives_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    records = [NET, record("A-1", affected("Go", "github.com/klauspost/compress", "introduced 0"))]
    write_zip(tmp_path / "a/all.zip", *records)
    write(tmp_path / "b", *reversed(records))
    one = to_json(asked(tmp_path / "a", OWN, *INSIDE))
    other = to_json(asked(tmp_path / "b", *reversed(INSIDE), OWN, *INSIDE))
    assert json.dumps(one) == json.dumps(other)
    assert [finding["advisory"] for finding in one["findings"]] == ["A-1", "GO-2099-0001"]


def test_coverage_tells_databases_and_how_many_packages_they_know(tmp_path: Path) -> None:
    write(tmp_path, NET, record("A-1", from_git("https://github.com/caddyserver/caddy", ["v1.0"])))
    assert coverage_of(tmp_path, OWN, *INSIDE) == [
        "covered by GIT (1 package, records of 1) and Go (3 packages, records of 1)"
    ]


def test_coverage_tells_what_could_not_be_asked(tmp_path: Path) -> None:
    write(tmp_path, NET)
    inside = subjects.of_components("uv", "uv", ["pkg:cargo/tar@0.4.44", "pkg:cargo/serde@1.0.0", "pkg:generic/x@1"])
    own = Subject("uv", "pkg:pypi/uv@0.9.0", "0.9.0")
    assert coverage_of(tmp_path, own, *inside) == [
        "not covered; no record here names the tool itself; "
        "no database of PyPI is here (1 package); no database of crates.io is here (2 packages); "
        "components of the type generic are in no kind of database that is read (1 package)"
    ]


def test_coverage_tells_that_nothing_is_known_of_the_inside(tmp_path: Path) -> None:
    own = Subject("tool", "pkg:generic/tool@1.0", "1.0")
    assert coverage_of(write(tmp_path, NET), own) == [
        "not covered; no record here names the tool itself; "
        "its compilers recorded nothing of what its programs are built of"
    ]


def test_coverage_tells_that_the_inside_was_never_read_in_other_words(tmp_path: Path) -> None:
    own = Subject("tool", "pkg:generic/tool@1.0", "1.0")
    [told] = findings(read(write(tmp_path, NET), own), [own], unread=["tool"]).coverage
    assert told.not_covered[-1].startswith("the file of components does not say of all assets what is inside")


def test_no_words_say_that_anything_is_free_of_vulnerabilities(tmp_path: Path) -> None:
    write(tmp_path, record("A-1", affected("Go", "golang.org/x/net", "introduced 0 fixed 0.1.0")))
    told = json.dumps(to_json(asked(tmp_path, OWN, *INSIDE))).lower()
    assert '"findings": []' in told
    assert not [word for word in ("clean", "safe", "secure", "no vulnerab", "not vulnerab") if word in told]


@pytest.mark.parametrize("count", [1, 300])
def test_counts_of_a_database_are_told(tmp_path: Path, count: int) -> None:
    records: list[Any] = [
        record(f"A-{number}", affected("npm", f"p{number}", "introduced 0")) for number in range(count)
    ]
    write_zip(tmp_path / "npm/all.zip", *records, NET | {"withdrawn": "2026-01-01"}, b"{")
    told = to_json(asked(tmp_path, *INSIDE))
    assert (told["records"], told["withdrawn"], told["damaged_count"]) == (count + 2, 1, 1)
    assert told["damaged"] == [{"file": f"npm/all.zip/{count + 1}.json", "reason": "is no JSON object, or cut off"}]
