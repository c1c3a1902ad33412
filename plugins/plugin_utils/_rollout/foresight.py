# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop a host from carrying out its orders? Known before anything is downloaded. Pure; on the controller."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils import capabilities
from ansible_collections.pinned.release.plugins.module_utils.accounts import cannot_check_as, cannot_give, unknown
from ansible_collections.pinned.release.plugins.module_utils.decompress import undecodable
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import nested
from ansible_collections.pinned.release.plugins.module_utils.orders import COPY, ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Room, State
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset

#: File systems of Linux that keep no attribute security.capability.
_WITHOUT_CAPABILITIES = frozenset(("vfat", "msdos", "exfat", "nfs", "nfs4", "cifs", "smb3", "ramfs", "hfsplus"))
_MEBIBYTE = 1024 * 1024
#: The folders of root that hold nothing but what runs put there.
_KEPT = ("asked", "current", "modulefiles", "seals", "staging", "store", "tool_cache")
#: The number of Linux's capability CAP_CHOWN.
_CHOWN = 0


def refuse_hopeless(orders: Sequence[ToolOrder], state: State, starts_here: bool = True) -> None:
    """Raise ReleaseError where a host in *state* cannot carry out *orders*: in check mode and in the real run alike.

    *starts_here*: whether the programs are for this host.
    """
    if not orders:
        return
    _refuse_without_python(state)
    for option, folder in (("root", state.root), ("bin_dir", state.bin_dir)):
        if option in state.rooms and not state.rooms[option].is_writable:
            raise _unwritable(folder, state.rooms[option].folder, option)
    for order in orders:
        if order.tool in state.barred:
            raise state.barred[order.tool]
        _refuse_closed(order, state)
        _refuse_undecodable(order, state)
    if "root" in state.rooms and any(order.tree for order in orders):
        if starts_here:
            _refuse_noexec(state.root, state.rooms["root"], "root")
        _refuse_without_room(needed_bytes(orders), state.root, state.rooms["root"], "root")
    copies = [order for order in orders if order.tree and order.bin == COPY]
    if "bin_dir" in state.rooms and copies:
        if starts_here:
            _refuse_noexec(state.bin_dir, state.rooms["bin_dir"], "bin_dir")
        _refuse_without_room(copied_bytes(copies), state.bin_dir, state.rooms["bin_dir"], "bin_dir")


def refuse_powerless(orders: Sequence[ToolOrder], state: State, host: Host, owner: str) -> None:
    """Raise ReleaseError where who runs cannot give files to the group of *orders*, or run their checks as *owner*.

    What nobody can tell stops nothing: other systems than Linux give files the group of their folder.
    """
    if orders and owner and state.lacks_owner:
        raise unknown("user", owner)
    if state.user is None:
        return
    can_give = host.os != "linux" or state.user.gives_group or (state.rights or 0) >> _CHOWN & 1
    for order in orders:
        if order.check and not state.user.is_owner:
            raise cannot_check_as(owner, state.user.uid)
        if state.gid is not None and not can_give and order.tree and not _has_group(order, state):
            raise cannot_give(state.user.uid, state.gid)


def refuse_among_the_kept(state: State) -> None:
    """Raise ReleaseError where bin_dir lies in a folder of root in which a run takes away what it does not know."""
    inside = os.path.relpath(state.bin_dir, state.root).partition("/")[0]
    if inside in _KEPT:
        raise ReleaseError(
            f"bin_dir lies in {state.root}/{inside}, where only what pinned.release keeps may be",
            found=state.bin_dir,
            fix=f"choose another bin_dir, such as {state.root}/bin",
        )


def _has_group(order: ToolOrder, state: State) -> bool:
    """Tell whether all that is known of a tree that *order* goes back to has the group that was asked for."""
    kept = state.described.get((order.tool, order.reuse or ""))
    return kept is not None and all(program.gid == state.gid for program in kept.programs.values())


def refuse_incapable(orders: Sequence[ToolOrder], state: State, host: Host) -> None:
    """Raise ReleaseError where *orders* set capabilities, and *host* cannot. What nobody can tell stops nothing."""
    if not any(order.capabilities for order in orders):
        return
    room = state.rooms.get("root")
    if host.os != "linux":
        raise capabilities.refusal(state.root, capabilities.NOT_LINUX)
    if state.rights is not None and not state.rights >> capabilities.SETFCAP & 1:
        raise capabilities.refusal(state.root, capabilities.NO_RIGHT)
    if room and not room.raises_rights:
        raise capabilities.refusal(state.root, capabilities.NOSUID)
    if room and room.file_system in _WITHOUT_CAPABILITIES:
        raise capabilities.refusal(state.root, capabilities.NO_ATTRIBUTES)


def refuse_shared_links(assets: Mapping[str, LockedAsset]) -> None:
    """Raise ReleaseError where two of the tools whose *assets* one host gets would have a link at one place."""
    owners: dict[str, str] = {}
    for name, asset in assets.items():
        for link in asset.links:
            if owners.setdefault(link, name) != name:
                kind = "file" if "/" in link else "program"
                key = "files: {...}" if "/" in link else "executables: [...]"
                raise ReleaseError(
                    f"two tools, {owners[link]} and {name}, both have a {kind} {link}",
                    fix=f"name the {kind}s you want of one of them in the manifest ({key}), lock again",
                )
    folder = nested(owners)
    if folder:
        raise ReleaseError(
            f"{owners[folder]} has a file {folder}, where another tool has a folder",
            fix="choose other files in the manifest, and lock again",
        )


def refuse_dependent(tool: str, asset: LockedAsset) -> None:
    """Raise ReleaseError if a program of *tool*'s *asset* would not start as a copy: it needs what lies beside it."""
    for name, words in sorted(asset.looks_beside.items()):
        raise ReleaseError(
            f"{tool}: {name} would not start as a copy: it looks for other files beside itself",
            expected="a program that is one file, for bin: copy",
            found=words,
            fix=f"install {tool} in a task of its own with bin: link, or name other executables in the manifest",
        )


def no_python(state: State) -> ReleaseError:
    """Return the error for a host whose *state* names no Python that can carry out orders."""
    return ReleaseError(
        "the host has no usable Python: installing needs one, 3.6 or newer, with its standard library",
        found="; ".join(f"{path} {why}" for path, why in state.no_pythons)
        or "none in the system's folders (/usr/bin, /usr/local/bin, /usr/libexec and the like)",
        fix="install the host's package python3, or name another Python in ansible_python_interpreter",
    )


def needed_bytes(orders: Sequence[ToolOrder]) -> int:
    """Return how many bytes *orders* need below root: every new tree, and the largest asset beside them."""
    assets = [order.asset for order in orders if order.asset and order.tree and not order.reuse]
    return sum(asset.unpacked_size for asset in assets) + max((asset.size for asset in assets), default=0)


def copied_bytes(orders: Sequence[ToolOrder]) -> int:
    """Return how many bytes *orders* need in bin_dir at most while they copy programs into it."""
    sizes = [program.size for order in orders for program in order.programs.values()]
    return sum(sizes) + max(sizes, default=0)


def _refuse_without_python(state: State) -> None:
    if not state.python:
        raise no_python(state)


def _unwritable(folder: str, there: str, option: str) -> ReleaseError:
    """Return the error for a *folder* of *option* in which nothing can be made, since *there* nothing can be."""
    return ReleaseError(
        f"nothing can be written in {folder}",
        expected=f"a folder that this user may write, for {option}",
        found=f"no right to write in {there}, or a file system that is mounted read-only",
        fix=f"run with become, as a user who may write there, or choose another {option}",
    )


def _refuse_closed(order: ToolOrder, state: State) -> None:
    """A link that is to stay as it is needs no room."""
    needed = [name for name in order.files if not state.has_link(order.tool, name)]
    closed = sorted(name for name in [*needed, *order.unlink] if name in state.closed)
    if closed:
        folder = os.path.dirname(os.path.join(os.path.dirname(state.bin_dir), closed[0]))
        raise _unwritable(folder, state.closed[closed[0]], "bin_dir")


def _refuse_undecodable(order: ToolOrder, state: State) -> None:
    if order.asset and order.tree and not order.reuse:
        compression = order.asset.format.rpartition(".")[2]
        if compression in state.undecoded:
            raise undecodable(order.asset.name, compression)


def _refuse_noexec(folder: str, room: Room, option: str) -> None:
    if not room.starts_programs:
        raise ReleaseError(
            f"no program can be started below {folder}",
            expected="a file system that lets programs start",
            found=f"{room.folder} is on one that is mounted noexec",
            fix=f"choose another {option}, or mount it without noexec",
        )


def _refuse_without_room(needed: int, folder: str, room: Room, option: str) -> None:
    if room.free_bytes is not None and room.free_bytes < needed:
        raise ReleaseError(
            f"there is too little space in {folder}",
            # Not in what went wrong, by which hosts are told together: each has another amount.
            found=f"{room.free_bytes // _MEBIBYTE} MiB free, {-(-needed // _MEBIBYTE)} MiB needed",
            fix=f"make room on its file system, or choose another {option}: what is new is unpacked beside what is old",
        )
