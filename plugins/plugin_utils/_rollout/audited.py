# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the tools on a host, by all that it keeps about them itself? Pure; runs on the controller.

A rollout asks less: it repairs what it needs. An audit also tells of what came beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State, Tree
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import drift
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.drift import RECEIPT
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt

#: Modes of programs that a task can order: readable and executable by the owner, written by nobody else, no set-id.
_WRONG_MODE_BITS, _NEEDED_MODE_BITS = 0o7022, 0o500


def of_tool(name: str, state: State, mode: int | None) -> tuple[Finding, ...]:
    """Return how the active version of the tool *name*, and what leads to it, are not as it was installed.

    *mode* is the one that its programs were given, None where any harmless one will do. Raises ReleaseError where
    nobody could look.
    """
    active = state.active.get(name, "")
    switch = f"{state.root}/current/{name}"
    tree = state.described.get((name, active))
    if tree is None and active:
        return (Finding("missing", "its files are missing", f"{state.root}/store/{name}/{active}"),)
    if tree is None:
        return (Finding("link", f"current/{name} leads to no tree of it", switch),)
    receipt = tree.receipt
    return (
        *drift.of_receipt(name, tree),
        *_of_name(tree),
        *_outside(name, tree, state),
        *(_wrong_modes(tree) if mode is None else _not_of_mode(mode, tree, name, state)),
        *drift.expected_group(state.gid, tree),
        *(drift.of_layouts(name, receipt.layouts, state.trees.get(name, ()), state) if receipt else ()),
        *_hard_links(tree),
        *_groups(tree),
        *_shadows(name, state),
        *_unseen(tree, state),
    )


def of_kept(name: str, trees: Iterable[str], state: State) -> tuple[Finding, ...]:
    """Return how the other *trees* of the tool *name* are not as they were installed, if the host looked into them."""
    described = [tree for kept in trees if (tree := state.described.get((name, kept)))]
    return tuple(_of_version(finding, tree) for tree in described for finding in _of_kept(name, tree))


def of_root(state: State) -> tuple[Finding, ...]:
    """Return what lies below root, and is of no tool: what nobody put there in our name.

    bin_dir, and the folders of files that are linked beside it, may lie there, too: others may use these.
    """
    outside = [state.bin_dir, *(state.place_of(path) for path in _linked_files(state))]
    return tuple(
        Finding("added", f"{path} was added", path)
        for path in state.strays
        if not any(f"{place}/".startswith(f"{path}/") for place in outside)
    )


def _linked_files(state: State) -> Iterator[str]:
    for tree in state.described.values():
        if tree.receipt is not None:
            yield from tree.receipt.files


def notes(state: State) -> tuple[str, ...]:
    """Return what people should know of a host, and what is not wrong."""
    if state.is_on_path or not state.active:
        return ()
    return (f"{state.bin_dir} is not on PATH",)


def _of_kept(name: str, tree: Tree) -> Iterator[Finding]:
    # An upgrade takes the capabilities from the version before (module_utils/file_capabilities.py).
    if tree.receipt is not None:
        tree = replace(tree, receipt=replace(tree.receipt, capabilities={}))
    # The group that the task names is that of the active version. The version before may have had another.
    yield from (finding for finding in drift.of_receipt(name, tree) if finding.kind != "group")
    yield from _of_name(tree)
    yield from _hard_links(tree)
    yield from _groups(tree)


def _of_version(finding: Finding, tree: Tree) -> Finding:
    place = f"{tree.name}/{finding.path}" if finding.path else tree.name
    return replace(finding, text=f"kept version {tree.name}: {finding.text}", path=place)


def _of_name(tree: Tree) -> tuple[Finding, ...]:
    """Return whether the receipt is of another version or asset than the one that the tree's folder is called after."""
    receipt = tree.receipt
    if receipt is None or _is_called_after(tree.name, receipt):
        return ()
    said = f"{receipt.version}-{receipt.sha256[:12]}"
    return (Finding("receipt", f"its receipt is that of {said}", RECEIPT, tree.name, said),)


def _is_called_after(name: str, receipt: Receipt) -> bool:
    begin = f"{receipt.version}-{receipt.sha256[:12]}"
    return name == begin or (name.startswith(f"{begin}.") and name[len(begin) + 1 :].isdigit())


def _outside(name: str, tree: Tree, state: State) -> tuple[Finding, ...]:
    """Return what is wrong with links and copies, where the question looks, or else where the receipt says they are."""
    if tree.receipt is None:
        return ()  # nobody knows what should be there
    there = drift.of_outside(name, tree.receipt, state.where_linked(name))
    # What was moved as a whole has a receipt that still names the old folder.
    is_moved = name in state.elsewhere and not drift.of_outside(name, tree.receipt, state)
    return () if is_moved else there


def _wrong_modes(tree: Tree) -> tuple[Finding, ...]:
    """Return programs with a mode that no task can have ordered; with another, the user may have ordered it.

    Where the listing tells already that the file has another mode, that is not told again.
    """
    told = {finding.path for finding in tree.damage if finding.kind == "mode"}
    files = tree.receipt.executables if tree.receipt else {}
    return tuple(
        Finding("mode", f"{name} has mode {program.mode:04o}", f"bin/{name}", found=f"{program.mode:04o}")
        for name, program in sorted(tree.programs.items())
        if program.mode & _WRONG_MODE_BITS or program.mode & _NEEDED_MODE_BITS != _NEEDED_MODE_BITS
        if name not in files or f"libexec/{files[name].path}" not in told
    )


def _not_of_mode(mode: int, tree: Tree, name: str, state: State) -> tuple[Finding, ...]:
    copies = drift.expected_of_copies(mode, tree.receipt, state.where_linked(name)) if tree.receipt else ()
    return (*drift.expected_mode(mode, tree, tree.programs), *copies)


def _hard_links(tree: Tree) -> tuple[Finding, ...]:
    return tuple(
        Finding("hard_link", f"{path} has another name elsewhere, by a hard link", path) for path in tree.hard_links
    )


def _groups(tree: Tree) -> tuple[Finding, ...]:
    return tuple(
        Finding("group", f"{path} belongs to group {gid}, the version to another", path, found=str(gid))
        for path, gid in tree.other_groups.items()
    )


def _shadows(name: str, state: State) -> tuple[Finding, ...]:
    return tuple(
        Finding("shadowed", f"{place} comes before {ours} on PATH", place, ours, place)
        for (tool, program), place in sorted(state.shadows.items())
        if tool == name
        for ours in [state.place_of(program)]
    )


def _unseen(tree: Tree, state: State) -> Iterator[Finding]:
    if not state.sees_rights:
        yield Finding("unverified", "capabilities cannot be read: install getcap or Python on the host")
    # Where everybody may do what the group may, a list adds nothing: its mask is what the mode says of the group.
    hides_lists = any(program.mode >> 3 & 7 & ~program.mode for program in tree.programs.values())
    if hides_lists and not state.sees_lists:
        yield Finding("unverified", "access control lists cannot be read: install getfacl or Python on the host")
