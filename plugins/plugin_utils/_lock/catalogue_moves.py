# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the catalogue say otherwise now than when a tool was locked, and who takes it over? On the controller.

What is locked stays: an edit of a catalogue, or a new release of this collection, moves no tool. ``upgrade`` takes what
the catalogue says now, for the tools that it moves without a bound.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Entry, own
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.tool_keys import ToolKeys
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, upgrade_kinds
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest, WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import CATALOGUED, LockedTool


def taken(manifest: Manifest, upgrade: Sequence[str]) -> Manifest:
    """Return the *manifest* with what the catalogue says now of the tools that *upgrade* moves without a bound.

    What the catalogue no longer has stays. Raises ReleaseError as upgrade_kinds.moves() does, and for a catalogue that
    cannot be read.
    """
    moves = upgrade_kinds.moves(upgrade, manifest.tools)
    anew = {name: _now(manifest, name) for name, move in moves.items() if move == upgrade_kinds.ANY}
    return replace(manifest, tools={**manifest.tools, **{name: tool for name, tool in anew.items() if tool}})


def notes(manifest: Manifest, name: str, locked: LockedTool | None, tool: LockedTool) -> Iterator[str]:
    """Yield what to tell of where the tool *name*, which was *locked* and is now *tool*, is from."""
    wanted = manifest.tools[name]
    if not wanted.catalogued:
        return
    entry = manifest.catalogue.get(name)
    if entry is None:
        source = json.dumps(dict(wanted.source), ensure_ascii=False)
        yield f"the catalogue no longer has it. What is locked stays; write into the manifest  source: {source}"
        return
    if locked is None or locked.source != tool.source:
        yield from _first_notes(entry)
    now = _now(manifest, name) or wanted
    changed = answers.changes(wanted, now)
    said = "; ".join(
        f"{key} {changed[field][0]} instead of {changed[field][1]}"
        for key, field in CATALOGUED.items()
        if field in changed
    )
    if said:
        yield f"the catalogue now says {said}; what is locked stays, -e upgrade={name} takes it"


def _now(manifest: Manifest, name: str) -> WantedTool | None:
    """Return the tool *name* as the catalogue has it now; None where it is not from there, or there no longer."""
    wanted = manifest.tools[name]
    entry = manifest.catalogue.get(name) if wanted.catalogued else None
    if entry is None:
        return None
    said = ToolKeys(**{field: getattr(wanted, field) for field in CATALOGUED.values()})
    of_manifest = said.only(said.said - set(wanted.catalogued))
    keys = entry.keys.below(of_manifest)
    fields = {field: getattr(keys, field) for field in CATALOGUED.values()}
    return replace(wanted, **fields, catalogued=tuple(sorted(keys.said - of_manifest.said)))


def _first_notes(entry: Entry) -> Iterator[str]:
    """Yield what to know of a tool's *entry* when it is locked from there for the first time."""
    if entry.file is not None:
        instead = ", in place of the collection's own entry" if entry.name in own() else ""
        yield f"from {entry.file.name}{instead}"
    if entry.repackaged:
        yield f"its package is not its publisher's own: repackaged {entry.repackaged}"
