# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did advisories say of what is pinned, and what could they not say? The value types, and their JSON. Pure.

Runs on the controller. Nothing in here is ever called free of vulnerabilities: a database knows what was reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

#: ``affected``             the version is in a range or list of the advisory
#: ``cannot_compare``       the advisory is about this package, and the versions cannot be compared: see reason
#: ``under_investigation``  a VEX statement says that it is being looked into
#: ``not_affected``, ``fixed``  a VEX statement says so, of what would else be one of the first two
Status = Literal["affected", "cannot_compare", "under_investigation", "not_affected", "fixed"]


@dataclass(frozen=True, order=True)
class Subject:
    """A package that advisories are asked about: a tool itself, or a component inside one of its programs.

    tool     its name in the lock file
    purl     the package URL, with the version where that is known
    version  as its ecosystem has it, of a repository the tag; "" where nobody knows it
    repo     the address of the repository that it is released from, "" if that is not known
    where    the path of the program that it is a component of; "" for the tool itself
    """

    tool: str
    purl: str
    version: str
    repo: str = ""
    where: str = ""


@dataclass(frozen=True, order=True)
class Severity:
    """How bad an advisory says it is: the *kind* of score (``CVSS_V3``), and the *score*: of CVSS, the vector."""

    kind: str
    score: str


@dataclass(frozen=True)
class AdvisoryFinding:
    """An advisory about a subject.

    advisory       its id, such as GO-2021-0069; aliases are other ids of the same vulnerability
    summary        in a line, as the advisory has it
    severity       as the advisory has it, nothing is computed
    level          the word that the database has for it, such as HIGH; "" for none
    fixed_in       the next versions that have the fix, as far as the advisory names them
    reason         why the version cannot be compared, or "" where it was
    informational  what the advisory tells of beside vulnerabilities, such as ``unmaintained``; "" for a vulnerability
    justification  what a VEX statement says for its status, and stated_by: the file that it is in; "" without one
    """

    subject: Subject
    advisory: str
    aliases: tuple[str, ...]
    summary: str
    severity: tuple[Severity, ...]
    level: str
    fixed_in: tuple[str, ...]
    status: Status
    reason: str = ""
    informational: str = ""
    justification: str = ""
    stated_by: str = ""


@dataclass(frozen=True)
class Covered:
    """One database that has been asked about a tool: how many of its packages, and of how many it has any record."""

    database: str
    packages: int
    known: int

    @property
    def words(self) -> str:
        """For people: ``Go (147 packages, records of 12)``."""
        packages = "1 package" if self.packages == 1 else f"{self.packages} packages"
        return f"{self.database} ({packages}, records of {self.known or 'none'})"


@dataclass(frozen=True)
class Coverage:
    """Which databases were asked about a *tool*, and what of it could not be asked, with the reasons."""

    tool: str
    covered_by: tuple[Covered, ...]
    not_covered: tuple[str, ...]

    @property
    def words(self) -> str:
        """For people, on one line."""
        covered = " and ".join(one.words for one in self.covered_by)
        return "; ".join([f"covered by {covered}" if covered else "not covered", *self.not_covered])


@dataclass(frozen=True)
class Damaged:
    """A record that could not be read: the *file* that it is in, with its name there, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class AdvisoryFindings:
    """All that advisories say of what is pinned.

    records        how many were looked at; withdrawn: how many of those about our packages their publishers took back
    damaged        the first of those that could not be read, and damaged_count all of them
    unmatched_vex  a line for each VEX statement that speaks of nothing that was found
    """

    findings: tuple[AdvisoryFinding, ...]
    coverage: tuple[Coverage, ...]
    records: int = 0
    withdrawn: int = 0
    damaged: tuple[Damaged, ...] = ()
    damaged_count: int = 0
    unmatched_vex: tuple[str, ...] = ()


def by_program(findings: Iterable[AdvisoryFinding]) -> dict[AdvisoryFinding, tuple[str, ...]]:
    """Return what was found of each package once, without the program, and the paths of the programs that it is in."""
    programs: dict[AdvisoryFinding, list[str]] = {}
    for one in findings:
        bare = replace(one, subject=replace(one.subject, where=""))
        programs.setdefault(bare, []).extend([one.subject.where] if one.subject.where else [])
    return {finding: tuple(paths) for finding, paths in programs.items()}


def to_json(found: AdvisoryFindings) -> dict[str, Any]:
    """Return what a JSON report has of what was *found*: the same findings give the same document."""
    return {
        "findings": [_finding(one) for one in found.findings],
        "coverage": [_coverage(one) for one in found.coverage],
        "records": found.records,
        "withdrawn": found.withdrawn,
        "damaged": [{"file": one.file, "reason": one.reason} for one in found.damaged],
        "damaged_count": found.damaged_count,
        "unmatched_vex": list(found.unmatched_vex),
    }


def _finding(finding: AdvisoryFinding) -> dict[str, Any]:
    subject = finding.subject
    emitted: dict[str, Any] = {
        "tool": subject.tool,
        "purl": subject.purl,
        "version": subject.version,
        "where": subject.where,
        "advisory": finding.advisory,
        "aliases": list(finding.aliases),
        "summary": finding.summary,
        "severity": [{"kind": one.kind, "score": one.score} for one in finding.severity],
        "level": finding.level,
        "fixed_in": list(finding.fixed_in),
        "status": finding.status,
        "reason": finding.reason,
        "informational": finding.informational,
        "justification": finding.justification,
        "stated_by": finding.stated_by,
    }
    always = ("tool", "purl", "version", "advisory", "status")
    return {key: value for key, value in emitted.items() if value or key in always}


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "tool": coverage.tool,
        "covered_by": [
            {"database": one.database, "packages": one.packages, "known": one.known} for one in coverage.covered_by
        ],
        "not_covered": list(coverage.not_covered),
        "words": coverage.words,
    }
