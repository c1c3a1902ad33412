# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do the layouts of layouts.py come to be below root, and go again? Runs on hosts, while ROOT/lock is held.

All that lies in ROOT/modulefiles/TOOL is ours, but for other files whose names begin with a dot. In ROOT/tool_cache,
only links into the store are ours: a runner may keep there what it fetched itself.
"""

import contextlib
import os
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import chain, durable, layouts
from ansible_collections.pinned.release.plugins.module_utils.layouts import MODULEFILES, TOOL_CACHE, Entry
from ansible_collections.pinned.release.plugins.module_utils.names import TREE
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders, ToolOrder
from ansible_collections.pinned.release.plugins.module_utils.place import Place


def refuse_changed_by_others(orders: Orders, place: Place) -> None:
    """Raise ReleaseError where somebody else could change a folder of a layout of a tool of *orders*."""
    for order in orders.tools:
        for folder in _folders(order, place):
            chain.refuse_if_changed_by_others(folder, "root")


def arrange(orders: Orders, order: ToolOrder, place: Place) -> t.List[str]:
    """Bring the layouts of *order*'s tool to what *orders* say, without the trees that go next; return what was made.

    Raises ReleaseError where somebody else could change one of the folders.
    """
    versions = place.versions(order.tool)
    there = os.listdir(versions) if os.path.isdir(versions) else []
    trees = [tree for tree in there if TREE.match(tree) and tree not in order.prune]
    wanted = layouts.entries(orders.layouts, order.tool, trees, place.active(order.tool))
    # What marks a folder as complete goes before the folder, and comes after it.
    for path in sorted(_ours(order, place) - set(wanted), reverse=True):
        os.unlink(os.path.join(place.root, path))
    made = [path for path, entry in sorted(wanted.items()) if _put(path, entry, place)]
    for folder in reversed(_folders(order, place)):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    for folder in _folders(order, place):
        durable.sync(folder)
    return [os.path.join(place.root, path) for path in made]


def _folders(order: ToolOrder, place: Place) -> t.List[str]:
    """Return the folders of *order*'s tool in both layouts, as far as they are there; those above come first."""
    found = []
    for kind in (MODULEFILES, TOOL_CACHE):
        found += [os.path.join(place.root, kind), os.path.join(place.root, kind, order.tool)]
    cached = os.path.join(place.root, TOOL_CACHE, order.tool)
    if os.path.isdir(cached):
        found += [os.path.join(cached, name) for name in sorted(os.listdir(cached))]
    return [folder for folder in found if os.path.isdir(folder)]


def _ours(order: ToolOrder, place: Place) -> t.Set[str]:
    """Return the paths below root of all that is ours in the layouts of *order*'s tool."""
    found = set()
    for folder in _folders(order, place):
        path = os.path.relpath(folder, place.root)
        names = os.listdir(folder)
        if path == "{0}/{1}".format(MODULEFILES, order.tool):
            found |= {"{0}/{1}".format(path, name) for name in names if name == ".version" or name[0] != "."}
        elif path.startswith("{0}/{1}/".format(TOOL_CACHE, order.tool)):
            found |= {"{0}/{1}".format(path, name) for name in names if _is_ours(path, os.path.join(folder, name))}
    return found


def _is_ours(path: str, place: str) -> bool:
    return os.path.islink(place) and layouts.is_ours(path, "link " + os.readlink(place))


def _put(path: str, entry: Entry, place: Place) -> bool:
    """Put *entry* at *path*, in folders that are made where they are missing; tell whether something changed."""
    target = os.path.join(place.root, path)
    chain.established(os.path.dirname(target), "root")
    if not entry.is_link:
        durable.write(target, [entry.texts[0].encode("ascii")], place.staging)
        return True
    text = _text(entry, os.path.dirname(target))
    if os.path.islink(target) and os.readlink(target) == text:
        return False
    durable.replace_link(text, target)
    return True


def _text(entry: Entry, folder: str) -> str:
    """Return the first text of *entry*; but the second where what the first leads to has no folder ``bin``.

    What has one is shown as its publisher made it, as actions for Node.js, Go or a JDK expect it. Of anything else they
    expect the programs at the top.
    """
    first = entry.texts[0]
    has_bin = os.path.isdir(os.path.join(folder, first, "bin"))
    return first if has_bin or len(entry.texts) == 1 else entry.texts[1]
