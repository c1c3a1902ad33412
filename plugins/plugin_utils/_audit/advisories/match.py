# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which advisories concern what is pinned, and what do people say of them? Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.coverage import coverage
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.database import Database
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    AdvisoryFindings,
    Subject,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import Package, Purl, read_purl
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.ranges import verdict
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.record import Record
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.statement import Statement, about, latest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.subjects import packages_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

#: What is told of the versions that have a fix: a record is a stranger's, and may name millions.
MOST_FIXES, VERSION_LENGTH = 20, 100


def findings(
    database: Database,
    subjects: Iterable[Subject],
    statements: Sequence[Statement] = (),
    unread: Collection[str] = (),
) -> AdvisoryFindings:
    """Return what the records of *database* say of *subjects*, with what the VEX *statements* say of that.

    *unread* are the tools of which not all components are known that could be.
    """
    asked = sorted(set(subjects))
    own = _own_purls(asked)
    used: set[Statement] = set()
    found = []
    for finding in (one for subject in asked for one in _about(database, subject)):
        ids = (finding.advisory, *finding.aliases)
        stated = about(statements, ids, read_purl(finding.subject.purl), own.get(finding.subject.tool, ()))
        used.update(stated)
        found.append(_as_stated(finding, latest(stated)) if stated else finding)
    return AdvisoryFindings(
        findings=tuple(found),
        coverage=coverage(database, asked, unread),
        records=database.records_count,
        withdrawn=database.withdrawn,
        damaged=database.damaged,
        damaged_count=database.damaged_count,
        unmatched_vex=tuple(_unmatched(one) for one in statements if one not in used),
    )


def _own_purls(subjects: Iterable[Subject]) -> Mapping[str, Sequence[Purl]]:
    own: dict[str, list[Purl]] = {}
    for subject in subjects:
        if not subject.where:
            own.setdefault(subject.tool, []).append(read_purl(subject.purl))
    return own


def _about(database: Database, subject: Subject) -> Iterator[AdvisoryFinding]:
    """Yield what is found of one *subject*, each advisory once, in the order of their ids."""
    found: dict[str, AdvisoryFinding] = {}
    for package in packages_of(subject):
        for record in database.records.get(package, ()):
            finding = _finding(record, subject, package)
            known = found.get(record.id)
            if finding and (known is None or known.status == "cannot_compare"):
                found[record.id] = finding
    yield from (found[id] for id in sorted(found))


def _finding(record: Record, subject: Subject, package: Package) -> AdvisoryFinding | None:
    told = verdict(record.affected, package, subject.version)
    if told.outcome == "not_affected":
        return None
    parts = [one for one in record.affected if package in one.packages]
    severity = tuple(dict.fromkeys(score for one in parts for score in one.severity))
    return AdvisoryFinding(
        subject=subject,
        advisory=record.id,
        aliases=tuple(sorted(set(record.aliases))),
        summary=record.summary,
        severity=tuple(sorted(severity or record.severity)),
        level=record.level,
        fixed_in=tuple(shortened(version, VERSION_LENGTH) for version in told.fixed_in[:MOST_FIXES]),
        status=told.outcome,
        reason=told.reason,
        informational=next((one.informational for one in parts if one.informational), ""),
    )


def _as_stated(finding: AdvisoryFinding, stated: Statement) -> AdvisoryFinding:
    return replace(finding, status=stated.status, justification=stated.why, stated_by=stated.file)


def _unmatched(statement: Statement) -> str:
    said = f"{statement.file}: {statement.place} ({statement.status} by {listed(sorted(statement.ids), 3)})"
    return shortened(f"{said} speaks of nothing that was found", 300)
