# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of its libraries does an ELF program find in its own asset? Those need a host, too. Pure; on the controller.

A library that lies beside a program serves it only if the program says where: by DT_RUNPATH, which holds for its own
needs, or DT_RPATH, which holds for those of its libraries as well; both relative to $ORIGIN, the folder of the file
that says it (System V gABI, "Shared Object Dependencies"; ld.so(8)). What is loaded once under a name, or as what calls
itself so (DT_SONAME), serves all who need that name. A script that starts the program may say more, in LD_LIBRARY_PATH:
then *is_anywhere* looks in all folders.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.elf import Linkage

ORIGIN = re.compile(r"\$(ORIGIN|\{ORIGIN\})(?=/|\Z)")
MAX_FOLDERS = 32
#: Links of folders may lie one in the other.
MAX_LINKS = 8


@dataclass(frozen=True)
class Bundle:
    """What an asset holds for the loader, by paths in it: ELF files, and where symbolic links lead to in the end."""

    linked: Mapping[str, Linkage]
    links: Mapping[str, str]

    def at(self, path: str) -> Linkage | None:
        """Return the ELF file at *path*, which may lead over symbolic links, of folders, too."""
        end = self.end_of(path)
        return self.linked.get(end) if end is not None else None

    def end_of(self, path: str) -> str | None:
        """Return where *path* leads to over symbolic links, of folders, too; None if there are too many of them."""
        for _number in range(MAX_LINKS):
            ends = [match.start() for match in re.finditer("/", path)] + [len(path)]
            link = next((path[:end] for end in ends if path[:end] in self.links), None)
            if link is None:
                return path
            path = self.links[link] + path[len(link) :]
        return None


def bundled(program: str, bundle: Bundle, is_anywhere: bool = False) -> dict[str, Linkage]:
    """Return the libraries that the loader finds in the asset for the file at *program*, by the names needed."""
    first = bundle.linked.get(program)
    found: dict[str, Linkage] = {}
    everywhere = sorted({posixpath.dirname(path) for path in (*bundle.linked, *bundle.links)}) if is_anywhere else []
    waiting = deque([(program, first, tuple(everywhere))] if first else [])
    while waiting:
        path, linked, inherited = waiting.popleft()
        own = tuple(_folders(path, linked))
        folders = own if linked.is_runpath and not is_anywhere else own + inherited
        handed_on = inherited if linked.is_runpath else own + inherited
        for name in linked.requires.libraries:
            if name in found or "/" in name:
                continue
            for folder in folders:
                place = posixpath.join(folder, name)
                library = bundle.at(place)
                if library and _fits(library, linked):
                    found[name] = library
                    if library.soname:
                        found.setdefault(library.soname, library)
                    waiting.append((place, library, handed_on))
                    break
    return found


def _folders(path: str, linked: Linkage) -> Iterator[str]:
    """Yield the folders of the asset in which the file at *path* looks for what it needs."""
    for folder in linked.search[:MAX_FOLDERS]:
        match = ORIGIN.match(folder)
        if match:
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), "." + folder[match.end() :]))
            if place.split("/")[0] != "..":
                yield "" if place == "." else place


def _fits(library: Linkage, user: Linkage) -> bool:
    """The loader passes by what is for another machine."""
    one, other = library.requires, user.requires
    return (one.os, one.arch) == (other.os, other.arch) and (one.abi or other.abi) == (other.abi or one.abi)
