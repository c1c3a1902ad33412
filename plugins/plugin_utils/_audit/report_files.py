# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files does a report have, and what is in each? Fleet → files, one after another. Pure; on the controller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ansible_collections.pinned.release.plugins.plugin_utils._audit import allow_lists, report_csv, report_json
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import to_json
from ansible_collections.pinned.release.plugins.plugin_utils._audit.beside import Beside
from ansible_collections.pinned.release.plugins.plugin_utils._audit.cyclonedx import sbom
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.document import page
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.extras_of import extras_of
from ansible_collections.pinned.release.plugins.plugin_utils._audit.report_folder import ReportFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile

JSON, CSV, HTML = "report.json", "report.csv", "report.html"
#: Below it, each host has a file of its own.
HOSTS = "hosts"


def report(fleet: Fleet, beside: Beside) -> Iterator[ReportFile]:
    """Yield the report of *fleet*: for people, programs and spreadsheets."""
    advisories = to_json(beside.found) if beside.found else None
    yield ReportFile(HTML, page(fleet, extras_of(fleet, beside.recorded, beside.found)).encode())
    yield ReportFile(JSON, report_json.emit(fleet, advisories).encode())
    yield ReportFile(CSV, report_csv.emit(fleet).encode())


def bills(
    fleet: Fleet, beside: Beside, specs: Sequence[sbom.Spec], has_hosts: bool, version: str
) -> Iterator[ReportFile]:
    """Yield the bill of materials of *fleet*, by each of *specs*, and that of each host if it *has_hosts*.

    *version* is that of this collection. Raises ReleaseError if the library that writes them is missing.
    """
    inside = {sha256: programs for assets in beside.recorded.values() for sha256, programs in assets.items()}
    findings = beside.found.findings if beside.found else ()
    for spec in specs:
        text = sbom.of_fleet(fleet, inside, findings, spec, version)
        yield ReportFile(f"fleet-{spec}.cdx.json", text.encode())
        for host in fleet.hosts if has_hosts else ():
            text = sbom.of_host(fleet, host, inside, findings, spec, version)
            # A name of the inventory may be any text.
            yield ReportFile(f"{HOSTS}/{quote(host.name, safe='')}-{spec}.cdx.json", text.encode())


class AllowLists:
    """Gathers the files that hosts have of the *lock* file, by what its assets unpack to: *unpacking*."""

    def __init__(self, lock: LockFile, unpacking: allow_lists.Unpacking) -> None:
        self._lock = lock
        self._unpacking = unpacking
        self._files: set[allow_lists.AllowedFile] = set()

    def take(self, result: Mapping[str, Any]) -> None:
        """Add the files of one host, by its whole *result*. Raises ReleaseError if an asset cannot be opened."""
        self._files.update(allow_lists.files_of(result, self._lock, self._unpacking))

    def files(self) -> Iterator[ReportFile]:
        """Yield the lists for fapolicyd and for IMA."""
        yield ReportFile("fapolicyd.trust", allow_lists.fapolicyd(self._files).encode())
        yield ReportFile("ima.digests", allow_lists.ima(self._files).encode())
