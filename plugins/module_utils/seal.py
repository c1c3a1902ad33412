# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a host remember of a finished run, so that the same question has a one-word answer? Runs on hosts.

    ROOT/seals/TOOL     what the files of its tree looked like when a run had looked into all of them
    ROOT/asked/DIGEST   what one question was answered with, then what its tools and the links to them looked like,
                        then the paths to ask for: the format is sealed.sh's, which reads it

Each tool and each question is remembered by itself, so that tasks about different tools or folders do not disturb each
other. The looks are the lines of fingerprint.sh, which the probe runs as well. All this only saves work: sealed.sh
believes it in folders that nobody else can change, and nowhere else.
"""

import contextlib
import os
import re
import subprocess
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import chain, durable, notes
from ansible_collections.pinned.release.plugins.module_utils.names import NAME
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders
from ansible_collections.pinned.release.plugins.module_utils.place import Place

VERSION = "6"
#: What stands between a path and what it looks like: no path has two slashes together.
SEPARATOR = b" // "
#: The paths that one command takes on any system, in bytes: the least that one of today's allows is 256 kB.
MOST_BYTES_OF_PATHS = 100000
#: Questions that nobody asks any more are forgotten: the latest so many stay.
MOST_QUESTIONS = 100
_TOOL_OF_LINE = re.compile(rb"(?:\.\./(?:store|modulefiles|tool_cache)/)?([^ /]+)[ /]")


def seal(orders: Orders, place: Place) -> None:
    """Write down what the tools that *orders* call sound look like now, and that its question is answered so.

    Raises OSError if it cannot be written; the old seals are then as they were, or no longer fit and mean "ask fully".
    """
    active = {name: tree for name, tree in _active(place).items() if name in orders.sealed}
    looks, links = _looks(orders, place, active)
    seals, asked = (_own_folder(place, name) for name in ("seals", "asked"))
    for tool in active:
        durable.write(os.path.join(seals, tool), looks.get(tool, ()), place.staging)
    if set(orders.asked) <= set(active):
        trees = _trees({tool: active[tool] for tool in orders.asked})
        words = trees + ["-" + tool for tool in sorted(orders.absent)]
        words += ["=exact"] * orders.exact + ["~" + orders.terms]
        files = [line for tool in sorted(orders.asked) for line in looks.get(tool, ())]
        lines, paths = _to_ask(trees, links + files, place)
        head = " ".join([VERSION, str(len(lines)), *words]).encode("ascii") + b"\n"
        durable.write(os.path.join(asked, orders.wanted), [head, *lines, *paths], place.staging)
    _forget(orders, place, seals, asked)


def _active(place: Place) -> t.Dict[str, str]:
    """Return the active tree of each tool."""
    names = sorted(name for name in os.listdir(place.current) if NAME.match(name))
    trees = {name: place.active(name) for name in names}
    return {name: tree for name, tree in trees.items() if tree}


def _trees(active: t.Dict[str, str]) -> t.List[str]:
    return ["{0}/{1}".format(tool, tree) for tool, tree in sorted(active.items())]


def _looks(
    orders: Orders, place: Place, active: t.Dict[str, str]
) -> t.Tuple[t.Dict[str, t.List[bytes]], t.List[bytes]]:
    """Return the lines of each tool's tree, and those of the links to what *orders* asks for."""
    seen = subprocess.run(  # pylint: disable=ansible-bad-function
        ["/bin/sh", "-c", orders.fingerprint, "seal", place.named_root, place.named_bin_dir, *_trees(active)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    ).stdout
    programs = {name for tool in orders.asked for name in _programs(place, tool)}
    files = {path for tool in orders.asked for path in _files(place, tool)}
    bin_dir = os.fsencode(place.named_bin_dir)
    asked_for = ((bin_dir + b"/", programs), (bin_dir.rpartition(b"/")[0] + b"/", files))
    looks = {}  # type: t.Dict[str, t.List[bytes]]
    links = []
    for line in seen.splitlines(True):
        tool = _TOOL_OF_LINE.match(line)
        if tool:
            looks.setdefault(tool.group(1).decode("ascii", "replace"), []).append(line)
        elif any(_is_about(line, begin, names) for begin, names in asked_for):
            links.append(line)
    return looks, links


def _to_ask(trees: t.List[str], lines: t.List[bytes], place: Place) -> t.Tuple[t.List[bytes], t.List[bytes]]:
    """Return *lines* in the order in which the probe asks for them by their paths, and the paths that it is to know.

    These are lines, too: none where the probe is to walk through all of it.
    """
    of_paths = {line.partition(SEPARATOR)[0]: line for line in lines}
    has_layouts = any(os.path.lexists(os.path.join(place.root, folder)) for folder in ("modulefiles", "tool_cache"))
    # A line break in a name makes a line without a separator.
    if has_layouts or sum(map(len, of_paths)) > MOST_BYTES_OF_PATHS or not all(SEPARATOR in line for line in lines):
        return lines, []
    tops = [os.fsencode(top) for tree in trees for top in (tree.split("/")[0], "../store/" + tree)]
    others = [path for path in of_paths if path not in tops]
    return [of_paths[path] for path in tops + others if path in of_paths], [path + b"\n" for path in others]


def _is_about(line: bytes, begin: bytes, names: t.Set[str]) -> bool:
    """Tell whether *line* is that of a link whose path is *begin* and one of *names*, which hold no spaces."""
    return line.startswith(begin) and line[len(begin) :].split(b" ")[0].decode("ascii", "replace") in names


def _programs(place: Place, tool: str) -> t.List[str]:
    with contextlib.suppress(OSError):
        return os.listdir(os.path.join(place.switch(tool), "bin"))
    return []


def _files(place: Place, tool: str) -> t.List[str]:
    top = os.path.join(place.switch(tool), "files")
    return [
        os.path.relpath(os.path.join(folder, name), top) for folder, _folders, names in os.walk(top) for name in names
    ]


def _own_folder(place: Place, name: str) -> str:
    folder = os.path.join(place.root, name)
    with contextlib.suppress(FileExistsError):
        durable.make_folder(folder)
    chain.refuse_if_changed_by_others(folder, "root")
    return folder


def _forget(orders: Orders, place: Place, seals: str, asked: str) -> None:
    """Delete what no question can be answered with any more, and the oldest questions beyond a number.

    Of a tool that was changed, those with other terms are: its tree may be the same, but not its looks.
    """
    changed = {order.tool for order in orders.tools}
    active = _active(place)
    for tool in set(os.listdir(seals)) - set(active):
        durable.delete(os.path.join(seals, tool))
    trees = set(_trees(active))
    living = []
    for name in os.listdir(asked):
        path = os.path.join(asked, name)
        if _is_answered(path, trees, changed, "~" + orders.terms):
            living.append((os.lstat(path).st_mtime, path))
        else:
            durable.delete(path)
    for _time, path in sorted(living)[:-MOST_QUESTIONS]:
        durable.delete(path)


def _is_answered(path: str, trees: t.Set[str], changed: t.Set[str], terms: str) -> bool:
    """Tell whether the question of *path* can still be answered as it was.

    That is so while the same *trees* are active, and it is of none of the tools *changed*, or has the same *terms*.
    """
    words = notes.first_line(path).decode("ascii", "replace").split()
    asked = {word for word in words[2:] if word[:1] not in ("-", "=", "~")}
    is_same = terms in words or not changed & {word.split("/")[0] for word in asked}
    return words[:1] == [VERSION] and asked <= trees and is_same
