# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a run do to a mirror? The result of the task; pure, runs on the controller."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._mirror.addresses import INDEX
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.artifacts import (
    Artifacts,
    ToolVersion,
    part_key,
)
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.plan import Plan
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import Publication
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.push import VersionPlan
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import amount, listed


def result(dest: Path, wanted: Publication, todo: Plan) -> dict[str, Any]:
    """Return the result of a task that did what was *todo* so that *dest* has the *wanted* files, or would do it."""
    index = str(dest / INDEX)
    is_other = todo.before != todo.after
    diff = {"before_header": index, "after_header": index, "before": todo.before, "after": todo.after}
    return {
        "changed": todo.is_changed,
        "dest": str(dest),
        "tools": _tools(wanted),
        "published": list(todo.write),
        "removed": list(todo.remove),
        "foreign": list(todo.foreign),
        "notes": [*wanted.notes, *_notes(todo)],
        "diff": diff if is_other else {},
    }


def pushed(to: str, wanted: Artifacts, todo: Sequence[VersionPlan]) -> dict[str, Any]:
    """Return the result of a task that did what was *todo* so that *to* has the *wanted* artifacts, or would do it."""
    references = [reference for plan in todo for reference in plan.pushed]
    bytes_sent = sum({(plan.version.tool, one.sha256): one.size for plan in todo for one in plan.blobs}.values())
    many = "1 manifest" if len(references) == 1 else f"{len(references)} manifests"
    notes = [f"pushed {many}, and {amount(bytes_sent)} of files"] if references else []
    before = "".join(_listing(plan.version, plan.before.parts) for plan in todo if plan.before)
    after = "".join(_listing(plan.version, json.loads(plan.index)["manifests"]) for plan in todo)
    diff = {"before_header": to, "after_header": to, "before": before, "after": after}
    tools: dict[str, dict[str, list[str]]] = {}
    for version in wanted.versions:
        for one in version.artifacts:
            if one.target:
                names = tools.setdefault(version.tool, {})
                names.setdefault(one.name, []).append(f"{version.tool}@{one.digest}")
    return {
        "changed": bool(references),
        "to": to,
        "tools": tools,
        "published": references,
        "notes": [*wanted.notes, *notes],
        "diff": diff if before != after else {},
    }


def _listing(version: ToolVersion, parts: Iterable[Mapping[str, Any]]) -> str:
    """Return what a tag leads to, for people: a line for each part."""
    lines = sorted(f"{version} {' '.join(filter(None, part_key(part)))} {part['digest']}" for part in parts)
    return "".join(f"{shown(line)}\n" for line in lines)


def _tools(wanted: Publication) -> dict[str, dict[str, list[str]]]:
    """Return where the files of each tool are: tool → name → paths below the mirror's folder."""
    tools: dict[str, dict[str, list[str]]] = {}
    for path, file in sorted(wanted.files.items()):
        if isinstance(file.origin, AssetOrigin):
            name = file.origin.alias.name if file.origin.alias else file.origin.asset.name
            tools.setdefault(file.origin.name, {}).setdefault(name, []).append(path)
    return tools


def _notes(todo: Plan) -> Iterator[str]:
    if todo.write:
        yield f"published {len(todo.write)} file{'' if len(todo.write) == 1 else 's'}, {amount(todo.written_bytes)}"
    gone = [path for path in todo.remove if path not in todo.damaged]
    if gone:
        yield f"removed what no lock file names: {listed(gone)}"
    if todo.damaged:
        yield f"removed what was damaged, and no given lock file names: {listed(todo.damaged)}"
    if todo.foreign:
        yield f"left alone what no run of mirror wrote: {listed(todo.foreign)}"
