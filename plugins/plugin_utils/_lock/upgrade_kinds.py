# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tools may move to which releases, by the option upgrade? Pure; runs on the controller.

``all`` and names of tools move without a bound. ``patch`` and ``minor`` move every tool, but no further than their
word says; ``uv:patch`` moves one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import MOVES, Move, move_of

ALL = "all"
#: The widest move: every release is within it.
ANY: Move = MOVES[-1]


def moves(upgrade: Sequence[str], tools: Collection[str]) -> dict[str, Move]:
    """Return how far each tool that *upgrade* names, of all *tools*, may move.

    What is said of one tool counts, not what is said of all; of several words for the same, the widest does.

    Raises ReleaseError for a tool that is not there, for a word that is no kind of move, and where a tool has the name
    of one.
    """
    of_all: list[Move] = []
    of_one: dict[str, list[Move]] = {}
    unknown = []
    for word in upgrade:
        name, move = _parts(word, tools)
        if name == ALL:
            of_all.append(move)
        elif name in tools:
            of_one.setdefault(name, []).append(move)
        else:
            unknown.append(name)
    if unknown:
        near = [meant for name in unknown if (meant := nearest(name, [ALL, *MOVES, *tools]))]
        question = f", did you mean {', '.join(near)}?" if near else ""
        raise ReleaseError(
            f"cannot upgrade {', '.join(sorted(set(unknown)))}: the manifest has no such tool{question}",
            expected=f"all, patch, minor, or some of {', '.join(tools) or 'none: it is empty'}",
        )
    said = {name: of_one.get(name, of_all) for name in tools}
    return {name: max(kinds, key=MOVES.index) for name, kinds in said.items() if kinds}


def within(
    releases: Sequence[Release], move: Move | None, wanted: WantedTool, locked: LockedTool | None
) -> Sequence[Release]:
    """Return the *releases* that the tool *wanted* may get by a *move* from what is *locked*.

    Those are all where nothing is locked, where no move is asked, and where the manifest no longer allows what is
    locked. Raises ReleaseError if there are none.
    """
    if locked is None or move in (None, ANY) or not wanted.allows(locked.version):
        return releases
    near = [one for one in releases if MOVES.index(move_of(locked.version, one.version)) <= MOVES.index(move or ANY)]
    if not near:
        raise ReleaseError(
            f"{wanted.name}: no release is within a {move} move of {locked.version}, which is locked",
            fix=f"allow more with upgrade: [{wanted.name}], or leave it out of upgrade",
        )
    return near


def _parts(word: str, tools: Collection[str]) -> tuple[str, Move]:
    """Return the tool, or ALL, and the move that *word* names. Raises ReleaseError where it could be either."""
    name, colon, kind = word.partition(":")
    if not colon and word in MOVES[:-1]:
        if word in tools:
            raise ReleaseError(
                f"upgrade: {word} is a kind of move, and a tool of the manifest",
                fix=f"write all:{word} for the kind, {word}:{ANY} for the tool",
            )
        name, kind = ALL, word
    move = next((one for one in MOVES if one == (kind or ANY)), None)
    if move is None:
        raise ReleaseError(
            f"upgrade: {word} names no kind of move", expected=f"{name}:{' or '.join(MOVES)}", found=kind
        )
    return name, move
