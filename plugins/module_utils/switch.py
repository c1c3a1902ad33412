# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a tool change from one version to another for everyone at once? Runs on hosts, while ROOT/lock is held.

What a tool has outside of ROOT are links over ROOT/current/TOOL; replacing that one link switches them together.
Copies of programs, where they are ordered (see outside.py), follow one by one. What others put at their places is
theirs: it is refused, or set aside where the user said so.
"""

import contextlib
import errno
import os
import tempfile
import time
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import durable, outside
from ansible_collections.pinned.release.plugins.module_utils.errors import StaleError
from ansible_collections.pinned.release.plugins.module_utils.orders import ToolOrder
from ansible_collections.pinned.release.plugins.module_utils.place import Place


def refuse_stale(order: ToolOrder, place: Place) -> None:
    """Raise StaleError if the host is no longer as it was when *order* was planned."""
    active = place.active(order.tool)
    if active != order.expects:
        raise StaleError(
            "{0} changed on the host while this run was planned".format(order.tool),
            expected=order.expects or "no active version",
            found=active or "no active version",
            fix="run again",
        )
    for name in order.links:
        if name not in order.adopt and outside.is_foreign(name, place):
            kind = "file" if "/" in name else "program"
            raise StaleError(
                "{0} is in the way of {1}'s {2} {3}".format(place.link(name), order.tool, kind, name),
                found="a file that pinned.release did not install",
                fix="remove it, or set adopt: true to keep a backup of it and take its place",
            )


def activate(order: ToolOrder, tree: str, place: Place) -> t.Dict[str, str]:
    """Switch *order*'s tool to *tree*, and return the foreign files that were set aside, with their backups.

    Links to what is new, and wrappers, come before the switch, so that all appear with it. Copies come after it: until
    then, the old ones are what the active version's receipt says.
    """
    copies = {name for name in order.links if outside.is_copy(order, name)}
    wrappers = {name for name in order.links if outside.is_wrapper(order, name)}
    ours = {name for name, tool in outside.copied(place).items() if tool == order.tool}
    outside.remember(order.tool, ours | wrappers - set(order.adopt), place)
    for name in sorted(set(order.links) - set(order.adopt) - copies):
        outside.put(order, tree, name, place)
    durable.replace_link(os.path.join("..", "store", order.tool, tree), place.switch(order.tool))
    durable.sync(place.current)
    backups = {place.link(name): backup for name, backup in _set_aside(order.adopt, place)}
    outside.remember(order.tool, ours | copies | wrappers, place)
    for name in sorted(copies | set(order.adopt)):
        outside.put(order, tree, name, place)
    for name in order.unlink:
        outside.take_away(order.tool, name, place)
    _sync(order, place)
    outside.remember(order.tool, copies | wrappers, place)
    return backups


def remove(order: ToolOrder, place: Place) -> None:
    """Take *order*'s tool away: one unlink(2) stops all its programs, the rest is tidying."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.switch(order.tool))
    durable.sync(place.current)
    for name in order.unlink:
        outside.take_away(order.tool, name, place)
    _sync(order, place)
    outside.remember(order.tool, [], place)


def prune(order: ToolOrder, place: Place) -> None:
    """Delete the trees that *order* names, but no active one, and the tool's folder if that was the last of it.

    Raises ReleaseError for a tree too deep to delete, OSError for what the system refuses.
    """
    versions = place.versions(order.tool)
    for tree in order.prune:
        doomed = place.tree(order.tool, tree)
        if os.path.lexists(doomed) and place.active(order.tool) != tree:
            _take_out(doomed, place)
    if order.tree is None and os.path.isdir(versions) and not os.listdir(versions):
        os.rmdir(versions)
    durable.empty(place.staging)


def _take_out(tree: str, place: Place) -> None:
    """Take *tree* out of the store, in one step if possible: half deleted, it must not look like a kept version."""
    try:
        os.rename(tree, os.path.join(tempfile.mkdtemp(dir=place.staging), "tree"))
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A folder of a lower layer of an overlay file system. Without its listing, no tree is whole.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(tree, "listing"))
        durable.sync(tree)
        durable.delete(tree)


def links(orders: t.Sequence[ToolOrder], place: Place) -> t.List[str]:
    """Return where the links and copies of *orders*' tools are, once all of them are as ordered."""
    tools = [order for order in orders if order.tree]
    outside = [place.link(name) for order in tools for name in order.links]
    return [place.switch(order.tool) for order in tools] + outside


def _sync(order: ToolOrder, place: Place) -> None:
    """Bring to disk what stands in the folders of *order*'s links. One may be named over a link of root's."""
    folders = {os.path.dirname(place.link(name)) for name in [*order.links, *order.unlink]}
    for folder in sorted({place.bin_dir} | folders):
        if os.path.isdir(folder):
            durable.sync(os.path.realpath(folder))


def _set_aside(names: t.Iterable[str], place: Place) -> t.Iterator[t.Tuple[str, str]]:
    """Keep backups of what is foreign at *names*, and yield both; it stays itself until ours replaces it."""
    for name in sorted(names):
        if outside.is_foreign(name, place):
            yield name, _backed_up(place.link(name))


def _backed_up(path: str) -> str:
    backup = "{0}.{1}.{2}~".format(path, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S"))
    while os.path.lexists(backup):
        backup += "~"
    if os.path.islink(path):
        os.symlink(os.readlink(path), backup)
        return backup
    try:
        os.link(path, backup)
    except OSError:
        # A folder, somebody else's file, or no hard links here: then its place is empty for a moment.
        os.rename(path, backup)
    return backup
