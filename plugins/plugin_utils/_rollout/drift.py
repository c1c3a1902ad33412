# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a tool on a host still what was installed, and is that what the lock file says? Pure; runs on the controller.

*Drift*: the host's files no longer match their listing or receipt. *Deviation*: the receipt no longer matches the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from ansible_collections.pinned.release.plugins.module_utils import layouts
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import COPY
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import ACCESS_LIST, State, Tree
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Executable
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FindingKind

#: Of a tree.
LISTING, RECEIPT = "listing", "receipt.json"
#: What a receipt says of the run that wrote it, which no lock file can know.
_OF_THE_RUN = frozenset(("reason", "lock_sha256", "bin_dir", "bin", "layouts", "installed"))
#: What a receipt says of where the asset came from, and by which proofs: nothing that a program would notice.
OF_ORIGIN = frozenset(("asset", "source_url", "source", "evidence"))


def of_tree(tool: str, tree: Tree, tree_sha256: str) -> tuple[Finding, ...]:
    """Return how the files of *tree* differ from those with the tree digest *tree_sha256*, but for capabilities.

    Raises ReleaseError where nobody could look: a tree that cannot be verified is never taken for a good one.
    """
    if not tree.verified_by:
        raise ReleaseError(
            f"{tool}: what is installed cannot be verified",
            expected="a command that computes SHA-256 on the host: sha256sum, shasum, sha256 or openssl",
            found="none of them in its system folders",
            fix="install one of them on the host",
        )
    if tree.verified_by == "size":
        return (Finding("unverified", "its files are larger than what is pinned, and were not read"),)
    if tree.verified_by == "seal":
        # Sealed means: as it was when the module compared it with the digest that its receipt names.
        is_same = tree.receipt is not None and tree.receipt.tree_sha256 == tree_sha256
        other = Finding("listing", "it was made from another listing than the one that is pinned", LISTING, tree_sha256)
        return () if is_same else (other,)
    if not tree.listing:
        return (*tree.damage, Finding("missing", "its listing is missing", LISTING))
    if tree.listing == tree_sha256:
        return tree.damage
    other = Finding("listing", "its listing is not the one that is pinned", LISTING, tree_sha256, tree.listing)
    return (*tree.damage, other)


def relinked(tree: Tree, expected: Receipt) -> tuple[str, ...]:
    """Return what was linked when *tree* was installed and what *expected* names, if that is all that differs."""
    found = tree.receipt
    if found is None or found.sha256 != expected.sha256:
        return ()
    links = (
        ("programs", {name: one.path for name, one in found.executables.items()}, expected.executables),
        ("files", dict(found.files), expected.files),
    )
    told = []
    for what, before, pinned in links:
        now = {name: one if isinstance(one, str) else one.path for name, one in pinned.items()}
        if before != now:
            said = [_linked(one, other) for one, other in ((before, now), (now, before))]
            told.append(f"it was installed with the {what} {said[0]}, and the lock file names {said[1]}")
    return tuple(told)


def _linked(links: Mapping[str, str], others: Mapping[str, str]) -> str:
    """Return the names of *links*; or, if *others* have the same, those that lead elsewhere, and where."""
    if links.keys() != others.keys():
        return listed(sorted(links)) or "none"
    return listed(f"{name}: {path}" for name, path in sorted(links.items()) if others[name] != path)


def of_receipt(tool: str, tree: Tree) -> tuple[Finding, ...]:
    """Return how *tree* differs from what its own receipt says. Raises ReleaseError where nobody could look."""
    if tree.receipt is None:
        return (Finding("receipt", "receipt.json is missing or unreadable", RECEIPT), *tree.damage)
    return (*of_tree(tool, tree, tree.receipt.tree_sha256), *of_capabilities(tree, tree.receipt))


def of_capabilities(tree: Tree, receipt: Receipt) -> tuple[Finding, ...]:
    """Return which files of *tree* have other capabilities than *receipt* says; nothing of one that nobody could read.

    Of a sealed tree, its own receipt tells: it was so when somebody looked.
    """
    if not tree.listing and tree.verified_by != "seal":
        return ()
    expected = _by_path(receipt)
    found = tree.capabilities
    if tree.verified_by == "seal":
        found = _by_path(tree.receipt) if tree.receipt else {}
    told = []
    for path in sorted({*expected, *found}):
        has, ordered = found.get(path), expected.get(path)
        if has and not ordered:
            told.append(_not_ordered(path, has))
        elif ordered and has != ordered:
            text = f"{path} has the capabilities {has}, not {ordered}" if has else f"{path} lacks {ordered}"
            told.append(Finding("capability", text, path, ordered, has or ""))
    return tuple(told)


def of_other_files(tree: Tree, receipt: Receipt) -> tuple[Finding, ...]:
    """Return which files of *tree* that are no programs of *receipt* have capabilities: these are never ordered."""
    programs = {f"libexec/{program.path}" for program in receipt.executables.values()}
    others = sorted(path for path in tree.capabilities if path not in programs)
    return tuple(_not_ordered(path, tree.capabilities[path]) for path in others)


def _not_ordered(path: str, text: str) -> Finding:
    return Finding("capability", f"{path} has the capabilities {text}, which were not ordered", path, found=text)


def _by_path(receipt: Receipt) -> dict[str, str]:
    programs = receipt.executables
    return {f"libexec/{programs[name].path}": text for name, text in receipt.capabilities.items() if name in programs}


def deviations(found: Receipt, expected: Receipt) -> tuple[str, ...]:
    """Return the fields in which the receipt *found* on a host is not the one *expected* from the lock file."""
    names = [field.name for field in fields(Receipt) if field.name not in _OF_THE_RUN]
    return tuple(name for name in names if getattr(found, name) != getattr(expected, name))


def expected_mode(mode: int, tree: Tree, programs: Iterable[str]) -> tuple[Finding, ...]:
    """Return which *programs* of *tree* do not have *mode*."""
    return tuple(
        _of_mode(name, f"bin/{name}", tree.programs[name].mode, mode)
        for name in sorted(programs)
        if name in tree.programs and tree.programs[name].mode != mode
    )


def expected_group(gid: int | None, tree: Tree) -> tuple[Finding, ...]:
    """Return which programs of *tree* do not belong to the group *gid*; none where no group was asked for."""
    others = [(name, program.gid) for name, program in sorted(tree.programs.items()) if program.gid != gid]
    return tuple(_of_group(name, f"bin/{name}", found, gid) for name, found in others if gid is not None)


def _of_mode(shown: str, path: str, found: int, expected: int) -> Finding:
    digits = (f"{expected:04o}", f"{found:04o}")
    return Finding("mode", f"{shown} has mode {digits[1]}, not {digits[0]}", path, *digits)


def _of_group(shown: str, path: str, found: int, expected: int) -> Finding:
    return Finding("group", f"{shown} belongs to group {found}, not {expected}", path, str(expected), str(found))


def of_links(tool: str, names: Iterable[str], state: State, copies: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return which of *tool*'s links, *names*, do not lead to it, and what is left over from earlier ones.

    *copies* are names at which it has copies instead (see of_copies).
    """
    wanted = sorted(names)
    lost = [_lost_link(name, state) for name in wanted if not state.has_link(tool, name)]
    known = {*wanted, *copies}
    left_over = [state.place_of(name) for name in links_of(tool, state) if name not in known]
    return (*lost, *(Finding("added", f"{place} is left over", place) for place in left_over))


def _lost_link(name: str, state: State) -> Finding:
    place = state.place_of(name)
    if name in state.links or name in state.copies or name in state.foreign:
        return Finding("link", f"{place} does not lead to it", place, found=state.links.get(name, "a file"))
    return Finding("missing", f"{place} is missing", place)


def of_copies(tool: str, copies: Mapping[str, Executable], state: State) -> tuple[Finding, ...]:
    """Return which files in bin_dir are not the *copies* of *tool*'s programs that they should be."""
    found = (_of_copy(tool, name, copies[name].sha256, state) for name in sorted(copies))
    return tuple(finding for finding in found if finding)


def of_outside(tool: str, receipt: Receipt, state: State) -> tuple[Finding, ...]:
    """Return what of *tool* stands outside of root and is not as *receipt* says: links, copies, left-overs of both."""
    copies = receipt.executables if receipt.bin == COPY else {}
    links = {*receipt.executables, *receipt.files} - set(copies)
    return of_links(tool, links, state, copies) + of_copies(tool, copies, state)


def of_layouts(tool: str, ordered: Iterable[str], trees: Iterable[str], state: State) -> tuple[Finding, ...]:
    """Return how the places where other tools look for *tool*'s *trees* differ from the layouts that are *ordered*."""
    wanted = layouts.entries(ordered, tool, trees, state.active.get(tool))
    wrong = [path for path, entry in wanted.items() if state.layouts.get(path) not in entry.looks]
    left_over = [
        path
        for path, look in state.layouts.items()
        if path not in wanted and path.split("/")[1] == tool and layouts.is_ours(path, look)
    ]
    told = [(f"{state.root}/{path}", "is not as ordered") for path in sorted(wrong)]
    told += [(f"{state.root}/{path}", "is left over") for path in sorted(left_over)]
    return tuple(Finding("layout", f"{place} {what}", place) for place, what in told)


def expected_of_copies(mode: int, receipt: Receipt, state: State) -> tuple[Finding, ...]:
    """Return which copies of *receipt*'s programs do not have *mode*, or the group that was asked for."""
    found = []
    for name in sorted(receipt.executables if receipt.bin == COPY else ()):
        copy, place = state.copies.get(name), state.place_of(name)
        if copy and copy.mode != mode:
            found.append(_of_mode(place, place, copy.mode, mode))
        if copy and state.gid is not None and copy.gid != state.gid:
            found.append(_of_group(place, place, copy.gid, state.gid))
    return tuple(found)


def links_of(tool: str, state: State) -> tuple[str, ...]:
    """Return the names of the links and copies that belong to *tool*: in bin_dir, and paths beside it."""
    return state.links_by_tool.get(tool, ())


def _of_copy(tool: str, name: str, sha256: str, state: State) -> Finding | None:
    """Return how the copy *name* differs from a program with *sha256*, None where it does not."""
    place = state.place_of(name)
    copy = state.copies.get(name)
    if copy is None or state.placed.get(name) != tool:
        return Finding("link" if copy or name in state.links else "missing", f"{place} is no copy of it", place)
    if not copy.sha256:
        return Finding("unverified", f"{place} cannot be verified", place)
    if copy.sha256 != sha256:
        return Finding("changed", f"{place} is changed", place, sha256, copy.sha256)
    if not copy.is_ours:
        return Finding("owner", f"{place} belongs to another user", place)
    kind: FindingKind = "acl" if copy.extra == ACCESS_LIST else "capability"
    return Finding(kind, f"{place} has {copy.extra}, which was not ordered", place) if copy.extra else None
