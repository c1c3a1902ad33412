# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a survey say as JSON? Survey → values that JSON can hold, for results and files. Pure; controller."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._audit.survey import Kind, Outcome, Refused, Survey


def as_json(survey: Survey) -> dict[str, Any]:
    """Return the *survey* in the words of the result of pinned.release.survey."""
    return {
        "hosts": survey.hosts,
        "kinds": list(map(_kind, survey.kinds)),
        "platforms": list(map(str, survey.platforms)),
        "unplaced": list(survey.unplaced),
        "without_python": list(map(_refused, survey.pythons)),
        "lock": asdict(survey.lock) if survey.lock else None,
        "outcomes": list(map(_outcome, survey.outcomes)),
        "refused": [{"tool": one.tool, "final": one.is_final, **_refused(one)} for one in survey.refused],
        "unanswered": [
            {"status": one.asked, "why": one.why, "fix": one.fix, "hosts": list(one.hosts)} for one in survey.silent
        ],
    }


def text_of(survey: Survey) -> str:
    """Return the *survey* as a file has it: the same text for the same survey."""
    return json.dumps(as_json(survey), indent=2, sort_keys=True) + "\n"


def _kind(kind: Kind) -> dict[str, Any]:
    return {**_machine(vars(kind.machine)), "hosts": list(kind.hosts)}


def _machine(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value or "") for name, value in fields.items()}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    tools = {
        name: {"version": got.version, "target": got.target, "reasons": list(got.reasons)}
        for name, got in outcome.tools.items()
    }
    return {"hosts": list(outcome.hosts), "platforms": _platforms(outcome), "tools": tools}


def _platforms(outcome: Outcome) -> list[str]:
    return _unique(str(machine.platform or "") for machine in outcome.machines)


def _unique(texts: Iterable[str]) -> list[str]:
    return sorted(set(texts))


def _refused(group: Refused) -> dict[str, Any]:
    return {**asdict(group.refusal), "hosts": list(group.hosts)}
