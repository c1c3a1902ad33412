# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a pull request say that brings a new lock file? Pure; runs on the controller.

The text is Markdown. Its first line is a title. What publishers wrote stands in a block of code, where nothing is
formatted, linked or mentioned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.pinned.release.plugins.plugin_utils._lock import policy_check
from ansible_collections.pinned.release.plugins.plugin_utils._lock.changes import Outcome
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import PROOF
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, printable

NOTHING = "Nothing changes in the lock file"
_VERBS = {
    "added": "Add",
    "upgraded": "Upgrade",
    "downgraded": "Downgrade",
    "relocked": "Lock anew",
    "removed": "Remove",
}
#: Of tools, so many are named in the title.
MOST_NAMED = 3


def summary(lock: LockFile, outcomes: Mapping[str, Outcome], notes: tuple[str, ...] = ()) -> str:
    """Return what became of the tools, whose *outcomes* led to *lock*, and *notes* that hold for all of them."""
    changed = {name: became for name, became in sorted(outcomes.items()) if became.action != "kept"}
    lines = [_title(changed)]
    if changed:
        lines += ["", "| tool | before | now | move | evidence |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(name, became, lock.tools.get(name)) for name, became in changed.items()]
    told = [*notes, *(f"{name}: {note}" for name, became in sorted(outcomes.items()) for note in became.notes)]
    if told:
        lines += ["", *(f"    {printable(line)}" for line in told)]
    return "\n".join(lines) + "\n"


def _title(changed: Mapping[str, Outcome]) -> str:
    if not changed:
        return NOTHING
    if len(changed) > 1:
        return f"Change {len(changed)} tools: {listed(changed, MOST_NAMED)}"
    [(name, became)] = changed.items()
    versions = dict.fromkeys(filter(None, (became.previous, became.version)))
    return f"{_VERBS[became.action]} {name} {' → '.join(versions)}"


def _row(name: str, became: Outcome, tool: LockedTool | None) -> str:
    evidence = ", ".join(_evidence(tool)) or "none" if tool else ""
    move = became.kind or became.action
    cells = (name, became.previous or "", became.version or "", move, evidence)
    return f"| {' | '.join(cells)} |"


def _evidence(tool: LockedTool) -> Iterator[str]:
    """Yield the kinds of evidence that every asset of the *tool* has."""
    kinds = set.intersection(*(policy_check.kinds_of(asset) for asset in tool.assets))
    yield from sorted(kinds - {PROOF})
