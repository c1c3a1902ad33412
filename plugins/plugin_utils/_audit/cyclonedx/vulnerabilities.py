# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a bill of materials tell what advisories said? Findings → CycloneDX vulnerabilities. Pure; controller.

Follows CycloneDX 1.7, "Vulnerability". What nobody assessed has no analysis. What cannot be compared is "in triage",
with the reason, so that it is not taken for "not affected". OpenVEX's justifications become those of CycloneDX that say
the same; where none does, the words are kept in the detail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import AdvisoryFinding, Subject
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

if TYPE_CHECKING:
    from cyclonedx.model.vulnerability import (
        Vulnerability,
        VulnerabilityAnalysis,
        VulnerabilityRating,
        VulnerabilityReference,
        VulnerabilitySource,
    )

#: Status of a finding → state of an analysis; ``affected`` alone was assessed by nobody.
_STATES = {
    "cannot_compare": "in_triage",
    "under_investigation": "in_triage",
    "not_affected": "not_affected",
    "fixed": "resolved",
}
#: Justification of OpenVEX 0.2 → of CycloneDX.
_JUSTIFICATIONS = {
    "component_not_present": "code_not_present",
    "vulnerable_code_not_present": "code_not_present",
    "vulnerable_code_not_in_execute_path": "code_not_reachable",
    "inline_mitigations_already_exist": "protected_by_mitigating_control",
}
#: Kind of a score in OSV → method of a rating, by how its vector begins.
_METHODS = (("CVSS:4", "CVSS_V4"), ("CVSS:3.1", "CVSS_V3_1"), ("CVSS:3", "CVSS_V3"), ("AV:", "CVSS_V2"))
_LEVELS = {
    "CRITICAL": "critical",
    "HIGH": "high",
    "MODERATE": "medium",
    "MEDIUM": "medium",
    "LOW": "low",
    "NONE": "none",
}


def vulnerabilities(
    findings: Iterable[AdvisoryFinding], references: Callable[[Subject], Iterable[str]]
) -> list[Vulnerability]:
    """Return what the document says of *findings*; *references* tells which of its components a subject is.

    A finding about what is no component of the document is left out.
    """
    same: dict[tuple[object, ...], tuple[AdvisoryFinding, set[str]]] = {}
    for finding in findings:
        key = (finding.advisory, finding.status, finding.reason, finding.justification, finding.stated_by)
        same.setdefault(key, (finding, set()))[1].update(references(finding.subject))
    return [_vulnerability(finding, refs) for finding, refs in same.values() if refs]


def _vulnerability(finding: AdvisoryFinding, refs: set[str]) -> Vulnerability:
    vulnerability = libraries.cyclonedx.model.vulnerability
    fixed = f"Fixed in {', '.join(finding.fixed_in)}." if finding.fixed_in else None
    return vulnerability.Vulnerability(
        bom_ref=f"{finding.advisory}:{finding.status}:{min(refs)}",
        id=finding.advisory,
        source=_source(finding.advisory),
        references=[_reference(alias) for alias in finding.aliases],
        ratings=list(_ratings(finding)),
        description=finding.summary or None,
        recommendation=fixed,
        affects=[vulnerability.BomTarget(ref=ref) for ref in sorted(refs)],
        analysis=_analysis(finding),
    )


def _source(advisory: str) -> VulnerabilitySource:
    url = libraries.cyclonedx.model.XsUri(f"https://osv.dev/vulnerability/{advisory}")
    return libraries.cyclonedx.model.vulnerability.VulnerabilitySource(name="OSV", url=url)


def _reference(alias: str) -> VulnerabilityReference:
    return libraries.cyclonedx.model.vulnerability.VulnerabilityReference(id=alias, source=_source(alias))


def _ratings(finding: AdvisoryFinding) -> Iterable[VulnerabilityRating]:
    """Yield a rating for each vector, and one for the word that the database has: nothing is computed."""
    vulnerability = libraries.cyclonedx.model.vulnerability
    for severity in finding.severity:
        method = next((name for begin, name in _METHODS if severity.score.startswith(begin)), "OTHER")
        yield vulnerability.VulnerabilityRating(
            vector=severity.score, method=getattr(vulnerability.VulnerabilityScoreSource, method)
        )
    level = _LEVELS.get(finding.level.upper())
    if level:
        yield vulnerability.VulnerabilityRating(severity=vulnerability.VulnerabilitySeverity(level))


def _analysis(finding: AdvisoryFinding) -> VulnerabilityAnalysis | None:
    state = _STATES.get(finding.status)
    if state is None:
        return None
    impact = libraries.cyclonedx.model.impact_analysis
    justification = _JUSTIFICATIONS.get(finding.justification)
    told = (finding.reason, "" if justification else finding.justification, _stated(finding))
    return libraries.cyclonedx.model.vulnerability.VulnerabilityAnalysis(
        state=impact.ImpactAnalysisState(state),
        justification=impact.ImpactAnalysisJustification(justification) if justification else None,
        detail="; ".join(text for text in told if text) or None,
    )


def _stated(finding: AdvisoryFinding) -> str:
    return f"stated in {finding.stated_by}" if finding.stated_by else ""
