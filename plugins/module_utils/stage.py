# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does an asset, or a kept version, become a complete, checked tree? Runs on hosts, while ROOT/lock is held.

Nothing that a user sees changes here. What was unpacked lies in libexec, since that is where SELinux policies expect
programs below /opt. The tree belongs to the user who runs; its listing has the digest that the lock file pins.
"""

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import time
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import durable, file_capabilities, tree_listing
from ansible_collections.pinned.release.plugins.module_utils.accounts import Access, cannot_give
from ansible_collections.pinned.release.plugins.module_utils.archive import unpack
from ansible_collections.pinned.release.plugins.module_utils.check_command import check
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError, StaleError
from ansible_collections.pinned.release.plugins.module_utils.kept_tree import refuse_changed
from ansible_collections.pinned.release.plugins.module_utils.labels import set_labels
from ansible_collections.pinned.release.plugins.module_utils.mirrors import Fetched, Fetcher
from ansible_collections.pinned.release.plugins.module_utils.orders import Download, Orders, ToolOrder
from ansible_collections.pinned.release.plugins.module_utils.place import Place
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked

#: A real one has a few hundred bytes for each program and each piece of evidence.
MAX_RECEIPT_BYTES = 64 * 1024


class Staged(t.NamedTuple):
    """A complete tree in the store: its name, and how its asset came, None where a kept tree is used again."""

    tree: str
    fetched: t.Optional[Fetched]


def stage_all(orders: Orders, place: Place, access: Access, pushed: Pushed) -> t.Dict[str, Staged]:
    """Stage every tool of *orders* that has a tree, or none: what was staged before a failure is taken away again.

    Raises ReleaseError, and StaleError where a kept tree is no longer whole.
    """
    durable.empty(place.staging)
    wanted = [order for order in orders.tools if order.tree]
    if wanted and not orders.shared:
        _refuse_noexec(place)
    made = []  # type: t.List[str]
    staged = {}  # type: t.Dict[str, Staged]
    fetcher = Fetcher(pushed)
    try:
        for order in wanted:
            with _tool_named(order.tool):
                if order.reuse:
                    staged[order.tool] = _reused(order, order.reuse, place, access)
                else:
                    staged[order.tool] = _new(order, place, access, made, fetcher)
    except BaseException:
        durable.empty(place.staging)
        for folder in made:
            durable.delete(folder)
        raise
    reused = [place.tree(order.tool, order.reuse) for order in wanted if order.reuse]
    set_labels(sorted(made + reused))
    return staged


@contextlib.contextmanager
def _tool_named(tool: str) -> t.Iterator[None]:
    """Let an error say which of the many tools it is about: a download knows an address only."""
    try:
        yield
    except StaleError:
        raise
    except ReleaseError as error:
        raise error.about(tool) from error


def _refuse_noexec(place: Place) -> None:
    """Raise ReleaseError where nothing can be started, however well it suits the host. Only Linux tells."""
    if os.statvfs(place.staging).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise ReleaseError(
            "no program can be started below {0}".format(place.root),
            expected="a file system that lets programs start",
            found="one that is mounted noexec",
            fix="choose another root, or mount it without noexec",
        )


def _reused(order: ToolOrder, name: str, place: Place, access: Access) -> Staged:
    """Return the kept tree *name*, every entry of which was compared with what *order* pins."""
    tree = place.tree(order.tool, name)
    refuse_changed(tree, order)
    _write_receipt(tree, order, place.staging)
    _give(tree, order, access)
    file_capabilities.give(tree, order, place.root)
    check(order, tree, access.account)
    return Staged(name, None)


def _new(order: ToolOrder, place: Place, access: Access, made: t.List[str], fetcher: Fetcher) -> Staged:
    """Return a new tree, unpacked from the asset. What must go again if another tool fails is added to *made*."""
    if order.asset is None:
        raise StaleError("{0}: there is nothing to download or to go back to".format(order.tool), fix="run again")
    folder = tempfile.mkdtemp(prefix=order.tool + ".", dir=place.staging)
    # Also for the account of the check. What is in it is no secret: soon it lies in the store.
    os.chmod(folder, 0o755)
    tree = os.path.join(folder, "tree")
    for made_folder in (tree, os.path.join(tree, "libexec"), os.path.join(tree, "bin")):
        durable.make_folder(made_folder)
    asset = os.path.join(folder, "asset")
    fetched = fetcher.fetch(order.asset, asset)
    unpacked = _unpack(order, order.asset, asset, os.path.join(tree, "libexec"))
    _link(tree, order, unpacked)
    _write_listing(tree, order, unpacked, folder)
    _write_receipt(tree, order, folder)
    _give(tree, order, access)
    file_capabilities.give(tree, order, place.root)
    check(order, tree, access.account)
    durable.sync_folders(tree)
    return Staged(_moved(order, tree, place, made), fetched)


def _link(tree: str, order: ToolOrder, unpacked: Unpacked) -> None:
    """Make the links in *tree* that all links from outside lead to: they have the same names in every version."""
    for name, program in order.programs.items():
        os.symlink(tree_listing.program_link(program.path), os.path.join(tree, "bin", name))
    os.symlink(tree_listing.top_link(unpacked).encode("utf-8"), os.path.join(os.fsencode(tree), tree_listing.TOP))
    folders = [os.path.join("files", folder) for folder in tree_listing.folders_of(order.files)]
    for folder in ["files", *folders] if order.files else []:
        durable.make_folder(os.path.join(tree, folder))
    there = {file.path for file in unpacked.files}
    for path, inner_path in order.files.items():
        if inner_path not in there:
            raise ReleaseError(
                "{0}: {1} is no file of the asset that was locked".format(order.tool, inner_path),
                fix="make the lock file again with pinned.release.lock",
            )
        text = tree_listing.file_link(path, inner_path)
        os.symlink(text.encode("utf-8"), os.fsencode(os.path.join(tree, "files", path)))


def _unpack(order: ToolOrder, asset: Download, path: str, content: str) -> Unpacked:
    """Unpack the *asset* at *path* into the folder *content*, and remove it; return what it became."""
    single = min(program.path for program in order.programs.values())
    executables = {program.path for program in order.programs.values()}
    unpacked = unpack(
        path, asset.format, single, content, asset.unpacked_size, executables=executables, name=asset.name
    )
    os.unlink(path)
    digests = {file.path: file.sha256 for file in unpacked.files if file.path in executables}
    for program in sorted(order.programs.values()):
        if digests.get(program.path) != program.sha256:
            raise ReleaseError(
                "{0}: {1} of {2} is not the program that was locked".format(order.tool, program.path, asset.name),
                expected="sha256 {0}".format(program.sha256),
                found="sha256 {0}".format(digests[program.path]) if program.path in digests else "no such file",
                fix="make the lock file again with pinned.release.lock",
            )
    return unpacked


def _write_listing(tree: str, order: ToolOrder, unpacked: Unpacked, staging: str) -> None:
    """Write what was really unpacked and linked, if that is what was locked."""
    programs = {name: program.path for name, program in order.programs.items()}
    lines = tree_listing.listing(unpacked, programs, order.files)
    found = hashlib.sha256()
    durable.write(os.path.join(tree, "listing"), tree_listing.hashed(lines, found), staging)
    if found.hexdigest() != order.tree_sha256:
        raise ReleaseError(
            "{0}: what was unpacked is not the tree that was locked".format(order.tool),
            expected="a listing with the digest {0}".format(order.tree_sha256),
            found=found.hexdigest(),
            fix="make the lock file again with pinned.release.lock",
        )


def _write_receipt(tree: str, order: ToolOrder, staging: str) -> None:
    installed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    receipt = (json.dumps(dict(order.receipt, installed=installed), sort_keys=True) + "\n").encode("ascii")
    if len(receipt) > MAX_RECEIPT_BYTES:
        raise ReleaseError(
            "{0}: its receipt is larger than any real one".format(order.tool),
            expected="at most {0} bytes".format(MAX_RECEIPT_BYTES),
            found="{0} bytes".format(len(receipt)),
            fix="name fewer programs in the manifest (executables: [...]), and lock again",
        )
    durable.write(os.path.join(tree, "receipt.json"), [receipt], staging)


def _give(tree: str, order: ToolOrder, access: Access) -> None:
    """Give *tree* the group, and its programs the mode, that were asked for. It belongs to us, and stays so."""
    if access.gid is not None:
        for _folder, folders, files, inside in os.fwalk(tree):
            for name in [".", *folders, *files]:
                _give_to_group(name, inside, access.gid)
    # After chown(2), which may clear bits of the mode.
    for program in order.programs.values():
        path = os.path.join(tree, "libexec", program.path)
        if stat.S_IMODE(os.lstat(path).st_mode) != access.mode:
            os.chmod(path, access.mode)


def _give_to_group(name: str, inside: int, gid: int) -> None:
    if os.stat(name, dir_fd=inside, follow_symlinks=False).st_gid == gid:
        return
    try:
        os.chown(name, -1, gid, dir_fd=inside, follow_symlinks=False)
    except PermissionError:
        raise cannot_give(os.geteuid(), gid)


def _moved(order: ToolOrder, tree: str, place: Place, made: t.List[str]) -> str:
    """Move the complete *tree* into the store; return its name there. One that it replaces stays until the switch."""
    versions = place.versions(order.tool)
    if not os.path.isdir(versions):
        os.mkdir(versions, 0o755)
        made.append(versions)
    name = str(order.tree)
    count = 0
    while os.path.lexists(os.path.join(versions, name)):
        count += 1
        name = "{0}.{1}".format(order.tree, count)
    os.rename(tree, os.path.join(versions, name))
    if versions not in made:
        made.append(os.path.join(versions, name))
    durable.sync(versions)
    return name
