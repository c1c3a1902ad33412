# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands outside of ROOT for a program or another file of a tool, and which of it did we put there? Runs on hosts.

A link, or, of a program that is ordered as a file, a *copy*. In place of a link to a script that looks for files
beside ``$0``, there is a *wrapper*: a script that starts it by its own path.

A copy or wrapper cannot be told from anybody's file. So ROOT/copies names those that we put there, a line each:
TOOL NAME FOLDER. It is written before the first of them is in its place, and again after the last has gone. FOLDER is
relative to ROOT where both lie in one tree (see link_texts.py). Whatever file or link stands at such a place is one of
ours that was changed. What stands at any other place is foreign.
"""

import os
import posixpath
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import durable, notes
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.link_texts import link_to, owner_of_link, wrapper
from ansible_collections.pinned.release.plugins.module_utils.names import NAME
from ansible_collections.pinned.release.plugins.module_utils.orders import COPY, Orders, ToolOrder
from ansible_collections.pinned.release.plugins.module_utils.place import Place


def owner(name: str, place: Place) -> t.Optional[str]:
    """Return the tool whose link or copy stands at *name*; None where nothing stands, or something foreign."""
    path = place.link(name)
    if os.path.islink(path):
        tool = owner_of_link(os.readlink(path), place.named_root, os.path.dirname(place.named_link(name)))
        return tool or copied(place).get(name)
    return copied(place).get(name) if os.path.isfile(path) else None


def is_foreign(name: str, place: Place) -> bool:
    """Tell whether something stands at *name* that we did not put there."""
    return os.path.lexists(place.link(name)) and owner(name, place) is None


def is_copy(order: ToolOrder, name: str) -> bool:
    """Tell whether *order* wants a copy at *name*, and not a link."""
    return order.bin == COPY and name in order.programs


def is_wrapper(order: ToolOrder, name: str) -> bool:
    """Tell whether *order* wants a wrapper at *name*, and not a link."""
    return order.bin != COPY and name in order.wrapped


def put(order: ToolOrder, tree: str, name: str, place: Place) -> None:
    """Put what *order* wants at *name* there, by one rename(2). A copy is made of the program in *tree*."""
    path = place.link(name)
    program = order.programs[name].path if name in order.programs else ""
    source = os.path.join(place.tree(order.tool, tree), "libexec", program)
    if is_copy(order, name):
        durable.replace_copy(source, path)
        return
    folder = os.path.dirname(place.named_link(name))
    text = _text(order.tool, name, place)
    if is_wrapper(order, name):
        script = wrapper(place.named_root, folder, order.tool, name, is_relative=not text.startswith("/"))
        durable.replace_copy(source, path, script.encode("utf-8", "surrogateescape"))
        return
    if not os.path.islink(path) or os.readlink(path) != text:
        durable.replace_link(text, path)


def refuse_absolute(orders: Orders, place: Place) -> None:
    """Raise ReleaseError where a link of *orders* would not be relative: a tree that others mount may be anywhere."""
    for order in orders.tools:
        for name in order.links:
            if not is_copy(order, name) and _text(order.tool, name, place).startswith("/"):
                raise ReleaseError(
                    "{0}: the link {1} would lead outside of the shared tree".format(order.tool, place.link(name)),
                    expected="folders in one tree with root",
                    found=os.path.realpath(os.path.dirname(place.link(name))),
                    fix="replace the symbolic link on the way by a folder",
                )


def _text(tool: str, name: str, place: Place) -> str:
    folder = os.path.dirname(place.named_link(name))
    is_plain = os.path.realpath(folder) == folder
    return link_to(place.named_root, folder if is_plain else "/", tool, name)


def take_away(tool: str, name: str, place: Place) -> None:
    """Delete *tool*'s link or copy at *name*, if one stands there."""
    if owner(name, place) == tool:
        os.unlink(place.link(name))


def copied(place: Place) -> t.Dict[str, str]:
    """Return the names of our copies in bin_dir, with their tools."""
    here = _folder(place)
    return {name: tool for tool, name, folder in _records(place) if folder == here}


def remember(tool: str, names: t.Iterable[str], place: Place) -> None:
    """Write down that *names*, and no others, are *tool*'s copies in bin_dir."""
    here = _folder(place)
    names = set(names)
    before = _records(place)
    kept = [record for record in before if record[2] != here or (record[0] != tool and record[1] not in names)]
    records = sorted([*kept, *((tool, name, here) for name in names)])
    if records != before:
        text = "".join("{0} {1} {2}\n".format(*record) for record in records)
        durable.write(_path(place), [text.encode("utf-8", "surrogateescape")], place.staging)
        durable.sync(place.root)


def _records(place: Place) -> t.List[t.Tuple[str, str, str]]:
    text = notes.read(_path(place)).decode("utf-8", "surrogateescape")
    lines = [line.split(" ", 2) for line in text.split("\n")]
    return sorted((line[0], line[1], line[2]) for line in lines if len(line) == 3 and all(map(NAME.match, line[:2])))


def _folder(place: Place) -> str:
    is_one_tree = posixpath.commonpath([place.named_root, place.named_bin_dir]) != "/"
    return posixpath.relpath(place.named_bin_dir, place.named_root) if is_one_tree else place.named_bin_dir


def _path(place: Place) -> str:
    return os.path.join(place.root, "copies")
