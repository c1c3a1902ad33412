# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do advisories, and what is inside programs, come onto the page? All that is known → extras. Pure; controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import (
    AdvisoryFinding,
    AdvisoryFindings,
    by_program,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.extras import Advisory, Extras, Program
from ansible_collections.pinned.release.plugins.plugin_utils._lock.components_file import NOTHING, Recorded
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside


def extras_of(fleet: Fleet, recorded: Recorded, found: AdvisoryFindings | None) -> dict[str, Extras]:
    """Return what the page tells of each pinned tool: what is *recorded* inside it, and what was *found* of it.

    *found* is None where no advisories were asked.
    """
    coverage = {one.tool: one.words for one in found.coverage} if found else {}
    known = by_program(found.findings) if found else {}
    return {
        tool: Extras(
            coverage.get(tool, ""),
            tuple(_advisory(one, programs) for one, programs in known.items() if one.subject.tool == tool),
            _programs(fleet, tool, recorded),
        )
        for tool in sorted(fleet.tools)
    }


def _advisory(finding: AdvisoryFinding, programs: Sequence[str]) -> Advisory:
    purl = finding.subject.purl
    beside = (
        f"also known as {', '.join(finding.aliases)}" if finding.aliases else "",
        finding.reason,
        f"{finding.stated_by} says: {finding.justification or finding.status}" if finding.stated_by else "",
    )
    level = finding.informational or finding.level or ", ".join(score.score for score in finding.severity)
    return Advisory(
        name=finding.advisory,
        status=finding.status.replace("_", " "),
        level=level,
        subject=f"{purl} in {', '.join(programs)}" if programs else purl,
        text="; ".join(filter(None, (finding.summary, *beside))),
        fixed=", ".join(finding.fixed_in),
    )


def _programs(fleet: Fleet, tool: str, recorded: Recorded) -> tuple[Program, ...]:
    """Return the programs of the pinned assets of *tool*: those of which the same is recorded are one."""
    targets: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for sha256, programs in _of_pinned(fleet, tool, recorded).items():
        for path, inside in sorted(programs.items()):
            components = tuple(
                f"{one.name} {one.version or ''}".rstrip() for one in inside.components if not one.is_main
            )
            targets.setdefault((path, _recorded(inside), components), []).append(fleet.assets[sha256].target)
    return tuple(
        Program(path, ", ".join(sorted(which)), words, components)
        for (path, words, components), which in sorted(targets.items())
    )


def _of_pinned(fleet: Fleet, tool: str, recorded: Recorded) -> Mapping[str, Mapping[str, Inside]]:
    return {sha256: programs for sha256, programs in recorded.get(tool, {}).items() if sha256 in fleet.assets}


def _recorded(inside: Inside) -> str:
    """Return by whom it is recorded what is inside, or that nothing is."""
    if inside.is_silent:
        return NOTHING
    by = f"recorded by {inside.recorded_by}" if inside.recorded_by else ""
    return ", ".join(filter(None, (by, inside.toolchain, f"not all could be read: {inside.gap}" if inside.gap else "")))
