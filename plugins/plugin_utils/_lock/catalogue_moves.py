# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the catalogue say otherwise now than when a tool was locked, and who takes it over? On the controller.

What is locked stays: an edit of a catalogue, or a new release of this collection, moves no tool. ``upgrade`` takes what
the catalogue says now, for the tools that it moves without a bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf

import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Entry, own
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.tool_keys import ToolKeys
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, upgrade_kinds
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest, WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import CATALOGUED, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed


def taken(manifest: Manifest, upgrade: Sequence[str]) -> Manifest:
    """Return the *manifest* with what the catalogue says now of the tools that *upgrade* moves without a bound.

    What the catalogue no longer has stays. Raises ReleaseError as upgrade_kinds.moves() does, and for a catalogue that
    cannot be read.
    """
    moves = upgrade_kinds.moves(upgrade, manifest.tools)
    anew = {name: _now(manifest, name) for name, move in moves.items() if move == upgrade_kinds.ANY}
    return replace(manifest, tools={**manifest.tools, **{name: tool for name, tool in anew.items() if tool}})


def trouble(manifest: Manifest) -> Iterator[str]:
    """Yield what to tell where nobody can say what the catalogue says now. What is locked needs no catalogue."""
    if not any(wanted.catalogued for wanted in manifest.tools.values()):
        return
    try:
        _entries = manifest.catalogue.entries
    except ReleaseError as error:
        yield f"cannot tell whether the catalogue now says something else: {error.what}. What is locked stays"


def moves(manifest: Manifest, locked: Mapping[str, LockedTool]) -> Iterator[str]:
    """Yield what the catalogue says otherwise now of the tools that are *locked* by it, or why nobody can tell."""
    yield from trouble(manifest)
    for name in sorted(locked.keys() & manifest.tools.keys()):
        yield from (f"{name}: {note}" for note in notes(manifest, name, locked[name], locked[name]))


def notes(manifest: Manifest, name: str, locked: LockedTool | None, tool: LockedTool) -> Iterator[str]:
    """Yield what to tell of where the tool *name*, which was *locked* and is now *tool*, is from.

    Nothing is told of one where the catalogue cannot be read: trouble() tells that of all.
    """
    wanted = manifest.tools[name]
    if not wanted.catalogued or any(trouble(manifest)):
        return
    entry = manifest.catalogue.get(name)
    if entry is None:
        add = f"add to this tool in the manifest, beside its version: {_written(wanted)}"
        yield f"the catalogue no longer has it. What is locked stays; {add}"
        return
    if locked is None or locked.source != tool.source:
        yield from _first_notes(entry)
    if said := _said_otherwise(manifest, name):
        yield f"the catalogue now says {said}; what is locked stays, -e upgrade={name} takes it"


def with_hint(error: ReleaseError, manifest: Manifest) -> ReleaseError:
    """Return the *error* that keeps the *manifest* from being locked; with a hint where the catalogue may help.

    A publisher who renames assets or moves elsewhere is often why the catalogue says something else.
    """
    if any(trouble(manifest)):
        return error
    lines = error.what.splitlines()
    names = [name for name in manifest.tools if any(line.startswith((f"{name}:", f"{name} ")) for line in lines)]
    changed = [name for name in names if _said_otherwise(manifest, name)]
    if not changed:
        return error
    hint = f"the catalogue now says something else of {listed(changed)}: -e upgrade={','.join(changed)} takes it"
    return ReleaseError(error.what, error.expected, error.found, f"{error.fix}; or: {hint}" if error.fix else hint)


def _said_otherwise(manifest: Manifest, name: str) -> str:
    """Return what the catalogue says otherwise now of the tool *name*; "" where that is nothing."""
    wanted = manifest.tools[name]
    changed = answers.changes(wanted, _now(manifest, name) or wanted)
    said = [(key, *changed[field]) for key, field in CATALOGUED.items() if field in changed]
    return "; ".join(f"{key} {now} instead of {before}" for key, now, before in said)


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


def _written(wanted: WantedTool) -> str:
    """Return what the catalogue said of a tool as it stands beside the tool's other keys, on one line."""
    said: dict[str, object] = {key: getattr(wanted, CATALOGUED[key]) for key in wanted.catalogued}
    if "verify" in said:
        said["verify"] = {kind: _identities(*identities) for kind, identities in wanted.verify.items()}
    line: str = yaml.safe_dump(said, default_flow_style=True, allow_unicode=True, width=inf, sort_keys=False)
    return line.strip()[1:-1]


def _identities(first: Identity, *successors: Identity) -> dict[str, object]:
    more = {"successors": [identity.as_dict() for identity in successors]} if successors else {}
    return {**first.as_dict(), **more}


def _first_notes(entry: Entry) -> Iterator[str]:
    """Yield what to know of a tool's *entry* when it is locked from there for the first time."""
    if entry.file is not None:
        instead = ", in place of the collection's own entry" if entry.name in own() else ""
        yield f"from {entry.file.name}{instead}"
    if entry.repackaged:
        yield f"its package is not its publisher's own: repackaged {entry.repackaged}"
