# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report is the same files with the same bytes for the same facts, and has what advisories and compilers say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import few_lines, report_files
from ansible_collections.pinned.release.plugins.plugin_utils._audit.beside import Beside, ask_advisories, note
from ansible_collections.pinned.release.plugins.plugin_utils._audit.collection_version import collection_version
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._audit.report_folder import ReportFile, write
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside, component
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine

ADVISORY = {
    "schema_version": "1.6.0",
    "id": "GO-2026-0001",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "a parser panics",
    "affected": [
        {
            "package": {"ecosystem": "Go", "name": "example.org/parser"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.5.0"}]}],
        }
    ],
}


PATH = Path("releases.lock.json")


@pytest.fixture
def lock(tmp_path: Path) -> LockFile:
    return Machine(tmp_path).wanted(Released(tmp_path)).lock


def recorded(lock: LockFile) -> dict[str, dict[str, dict[str, Inside]]]:
    inside = Inside("go", toolchain="go1.26.8", components=(component("golang", "example.org/parser", "v1.4.2"),))
    return {"hello": {asset.sha256: {"bin/hello": inside} for asset in lock.tools["hello"].assets}}


def test_the_same_facts_are_the_same_files() -> None:
    beside = Beside({})
    files = [
        {file.path: file.content for made in (report_files.report, bills) for file in made(fleet, beside)}
        for fleet in (simulated_fleet(30, 6), simulated_fleet(30, 6))
    ]
    assert files[0] == files[1]
    assert {"report.json", "report.csv", "report.html", "fleet-1.6.cdx.json", "fleet-1.7.cdx.json"} < set(files[0])


def bills(fleet: Fleet, beside: Beside) -> Iterator[ReportFile]:
    return report_files.bills(fleet, beside, ("1.6", "1.7"), has_hosts=True, version="0.1.0")


def test_each_host_has_a_bill_of_its_own_whatever_it_is_called(tmp_path: Path) -> None:
    fleet = simulated_fleet(3, 2)
    names = ("../../etc", "[::1]:22", "h1")
    fleet = replace(fleet, hosts=tuple(replace(host, name=name) for host, name in zip(fleet.hosts, names, strict=True)))
    written = write(tmp_path, report_files.bills(fleet, Beside({}), ("1.6",), True, "0.1.0"), is_check=False)
    assert {path.parent for path in written} == {tmp_path, tmp_path / "hosts"}
    assert len(list((tmp_path / "hosts").iterdir())) == 3


def test_an_advisory_is_found_through_a_module_inside_a_program(tmp_path: Path, lock: LockFile) -> None:
    folder = tmp_path / "osv"
    folder.mkdir()
    (folder / "GO-2026-0001.json").write_text(json.dumps(ADVISORY))
    found = ask_advisories(lock, PATH, recorded(lock), folder, ())
    assert [(one.advisory, one.status, one.subject.where) for one in found.findings] == [
        ("GO-2026-0001", "affected", "bin/hello")
    ]
    affected, line = few_lines.of_advisories(found)
    assert affected == "hello: GO-2026-0001 affects example.org/parser v1.4.2 in hello; fixed in 1.5.0"
    assert line.startswith("advisories on hello: 1 affected (covered by Go (2 packages, records of 1)")
    fleet = simulated_fleet(5, 2)
    files = {file.path: file.content for file in report_files.report(fleet, Beside(recorded(lock), found))}
    assert json.loads(files["report.json"])["advisories"]["findings"][0]["advisory"] == "GO-2026-0001"


def test_a_tool_without_findings_is_told_with_what_was_asked_and_never_called_clean(
    tmp_path: Path, lock: LockFile
) -> None:
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv/GO-2026-0001.json").write_text(json.dumps(ADVISORY))
    [line] = few_lines.of_advisories(ask_advisories(lock, PATH, {}, tmp_path / "osv", ()))
    assert line.startswith("advisories on hello: no record concerns it (not covered")
    assert few_lines.of_advisories(None) == []


def test_a_file_of_components_that_lacks_a_pinned_asset_is_told(lock: LockFile) -> None:
    assert list(note(lock, PATH, recorded(lock))) == []
    assert list(note(lock, PATH, {"hello": {asset.sha256: {} for asset in lock.tools["hello"].assets}})) == []
    for lacking in ({}, {"hello": {"0" * 64: {}}}):
        [line] = note(lock, PATH, lacking)
        assert line.startswith(
            "releases.components.json does not say what is inside hello 1.0: run pinned.release.lock"
        )


def test_a_folder_of_advisories_that_is_not_there_is_refused(tmp_path: Path, lock: LockFile) -> None:
    with pytest.raises(ReleaseError):
        ask_advisories(lock, PATH, {}, tmp_path / "nowhere", ())


def test_the_version_of_the_collection_is_that_of_the_clone_or_of_what_was_installed(tmp_path: Path) -> None:
    assert collection_version().count(".") == 2
    assert collection_version(tmp_path) == ""
    (tmp_path / "galaxy.yml").write_text("namespace: x\nversion: 1.2.3\n")
    assert collection_version(tmp_path) == "1.2.3"
    (tmp_path / "MANIFEST.json").write_text('{"collection_info": {"version": "1.2.4"}}')
    assert collection_version(tmp_path) == "1.2.4"
