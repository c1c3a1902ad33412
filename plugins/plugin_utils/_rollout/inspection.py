# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what a host has what was installed there, and what the lock file says? State + lock file → inspection. Pure.

Without a lock file only the host's own listings and receipts can be compared with its files: whoever may write there
can forge all three together. With a lock file they are compared with what was pinned. Runs on the controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State, Tree, lasting_tree
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import drift, ordered_capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import receipt_for
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, choice_for
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

#: Modes of programs that a task can order: readable and executable by the owner, written by nobody else, no set-id.
_WRONG_MODE_BITS, _NEEDED_MODE_BITS = 0o7022, 0o500


@dataclass(frozen=True)
class InspectedTool:
    """One tool on a host.

    drift      how its files differ from its listing and receipt, its links from what they should be
    deviation  how its receipt or tree differs from what the lock file says this host should have
    kept       other versions of it there
    tree       the path of its files that is the same in all versions
    """

    receipt: Receipt | None
    drift: tuple[str, ...]
    deviation: tuple[str, ...]
    verified_by: str
    kept: tuple[str, ...]
    tree: str

    def to_json(self) -> dict[str, Any]:
        """Return it as the result of a task shows it."""
        return {
            "receipt": self.receipt.to_json() if self.receipt else {},
            "drift": list(self.drift),
            "deviation": list(self.deviation),
            "verified_by": self.verified_by,
            "kept": list(self.kept),
            "tree": self.tree,
        }


@dataclass(frozen=True)
class Inspection:
    """What was found on one host.

    missing    tools that were asked for, or are in the lock file, and are not installed
    unpinned   tools that are installed, and are not in the lock file
    has_lock   whether it was compared with a lock file
    """

    tools: Mapping[str, InspectedTool] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unpinned: tuple[str, ...] = ()
    has_lock: bool = False

    @property
    def drifted(self) -> tuple[str, ...]:
        """The tools that are no longer what was installed."""
        return tuple(name for name, tool in self.tools.items() if tool.drift)

    @property
    def deviating(self) -> tuple[str, ...]:
        """The tools that are not what the lock file says."""
        return tuple(name for name, tool in self.tools.items() if tool.deviation)

    @property
    def is_compliant(self) -> bool:
        """Whether the host has exactly what the lock file says, unchanged. Never without a lock file."""
        return self.has_lock and not (self.missing or self.unpinned or self.drifted or self.deviating)

    def to_json(self) -> dict[str, Any]:
        """Return it as the result of a task shows it. What only a lock file can tell is left out without one."""
        found: dict[str, Any] = {
            "tools": {name: tool.to_json() for name, tool in self.tools.items()},
            "drifted": list(self.drifted),
            "missing": list(self.missing),
        }
        if self.has_lock:
            found["unpinned"], found["deviating"] = list(self.unpinned), list(self.deviating)
            found["compliant"] = self.is_compliant
        return found


def inspect(state: State, host: Host, wanted: Wanted, names: tuple[str, ...] | None) -> Inspection:
    """Return what is found of the tools *names*, by default all, compared with the lock file of *wanted* if it has one.

    Raises ReleaseError where the host cannot compute digests.
    """
    has_lock = bool(wanted.lock_digest)
    there = sorted({*state.active, *state.astray})
    pinned = set(wanted.lock.tools)
    asked = sorted({*there, *pinned}) if names is None else sorted(set(names))
    tools = {name: _tool(name, state, host, wanted) for name in asked if name in there}
    return Inspection(
        tools=tools,
        missing=tuple(name for name in asked if name not in there),
        unpinned=tuple(name for name in tools if name not in pinned) if has_lock else (),
        has_lock=has_lock,
    )


def _tool(name: str, state: State, host: Host, wanted: Wanted) -> InspectedTool:
    active = state.active.get(name, "")
    tree = state.described.get((name, active))
    lasting = lasting_tree(name, state.root)
    kept = tuple(kept for kept in state.trees.get(name, ()) if kept != active)
    if tree is None:
        found = ("its files are missing",) if active else (f"current/{name} leads to no tree of it",)
        return InspectedTool(None, found, (), "", kept, lasting)
    found = (
        *drift.of_receipt(name, tree),
        *_outside(name, tree, state),
        *_wrong_modes(tree),
        *(drift.of_layouts(name, tree.receipt.layouts, state.trees.get(name, ()), state) if tree.receipt else ()),
        *(() if state.sees_rights else ("capabilities cannot be read: install getcap or Python on the host",)),
    )
    deviation = _deviation(name, tree, host, wanted) if name in wanted.lock.tools else ()
    return InspectedTool(tree.receipt, tuple(dict.fromkeys(found)), deviation, tree.verified_by, kept, lasting)


def _outside(name: str, tree: Tree, state: State) -> tuple[str, ...]:
    """Return what is wrong with links and copies, where the question looks, or else where the receipt says they are."""
    if tree.receipt is None:
        return drift.of_links(name, (), state.where_linked(name))
    there = drift.of_outside(name, tree.receipt, state.where_linked(name))
    # What was moved as a whole has a receipt that still names the old folder.
    is_moved = name in state.elsewhere and not drift.of_outside(name, tree.receipt, state)
    return () if is_moved else there


def _wrong_modes(tree: Tree) -> tuple[str, ...]:
    """Return programs with a mode that no task can have ordered; with another, the user may have ordered it."""
    return tuple(
        f"{name} has mode {program.mode:04o}"
        for name, program in sorted(tree.programs.items())
        if program.mode & _WRONG_MODE_BITS or program.mode & _NEEDED_MODE_BITS != _NEEDED_MODE_BITS
    )


def _deviation(tool_name: str, tree: Tree, host: Host, wanted: Wanted) -> tuple[str, ...]:
    tool = wanted.lock.tools[tool_name]
    try:
        choice = choice_for(tool_name, tool, wanted, host)
    except ReleaseError as error:
        return (error.what,)
    if tree.receipt is None:
        return ("it has no receipt that can be compared with the lock file",)
    expected = receipt_for(tool_name, tool, choice, wanted.lock_digest, tree.receipt.bin_dir)
    ordered = ordered_capabilities.of_asset(tool_name, choice.asset, wanted.capabilities)
    found = []
    if tree.receipt.capabilities != ordered:
        told = [_capabilities(given) for given in (tree.receipt.capabilities, ordered)]
        found.append(f"its receipt says {told[0]}, ordered are {told[1]}")
    for name in drift.deviations(tree.receipt, replace(expected, capabilities=tree.receipt.capabilities)):
        said, pinned = (_in_short(getattr(receipt, name)) for receipt in (tree.receipt, expected))
        differs = f"its receipt says {name} {said}, the lock file {pinned}"
        found.append(differs if said != pinned else f"its receipt does not say the {name} of the lock file")
    if tree.verified_by == "hash" and tree.listing != expected.tree_sha256:
        found.append("its listing is not the one that the lock file pins")
    return tuple(found)


def _capabilities(given: Mapping[str, str]) -> str:
    words = "; ".join(f"{name} {text}" for name, text in sorted(given.items()))
    return shortened(f"the capabilities {words}" if words else "no capabilities", 200)


def _in_short(value: object) -> str:
    if isinstance(value, Mapping):
        value = listed(sorted(value)) or "none"
    return shortened(value if isinstance(value, str) else "something else", 100)
