# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs does this asset hold, and what do they need? Opens it and reads every header; on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.archive import length_of, open_archive, spool
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import executable
from ansible_collections.pinned.release.plugins.plugin_utils.bundle import Bundle
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement

#: Where archives keep what is meant to be started, below the one folder that all may lie in: in bin/, and where wheels
#: keep scripts (PyPA binary distribution format, "The .data directory").
BIN = re.compile(r"s?bin/\Z|[^/]+\.data/scripts/\Z")
#: ELF, scripts, PE, Mach-O in both byte orders, thin and universal: whatever else lies in an archive is only counted.
BEGINNINGS_OF_PROGRAMS = tuple(
    bytes.fromhex(digits)
    for digits in ("7f454c46", "2321", "4d5a", "cafeba", "bebafeca", "feedface", "feedfacf", "cefaedfe", "cffaedfe")
)
CHUNK_BYTES = 1 << 20
MOST_SHOWN = 10


@dataclass(frozen=True)
class Found:
    """One program inside an asset, with one Requirement for each architecture that it holds."""

    path: str
    sha256: str
    size: int
    requires: tuple[Requirement, ...]

    @property
    def is_script(self) -> bool:
        return self.requires[0].is_script

    def __str__(self) -> str:
        """Return the program as errors show it: ``bin/uv (linux x86_64)``."""
        platforms = "script" if self.is_script else ", ".join(f"{one.os} {one.arch}" for one in self.requires)
        return f"{self.path} ({platforms})"


@dataclass(frozen=True)
class Contents:
    """All programs of an asset, and the sum of its files' sizes in bytes.

    files       the names of all files and links, without their folders
    bundle      what is there for the loader
    root        the one folder that everything lies in, with its slash; "" where there is none
    unreadable  programs of which nobody can tell what they need, with the reason
    """

    programs: tuple[Found, ...]
    unpacked_size: int
    files: frozenset[str]
    root: str = ""
    unreadable: Mapping[str, ReleaseError] = field(default_factory=dict)
    bundle: Bundle = field(default_factory=lambda: Bundle({}, {}))


def look_into(path: Path, archive_format: str, tool: str, name: str | None = None) -> Contents:
    """Return the programs of the asset at *path*, which errors call *name*.

    *tool* names the one program of formats that hold no name.
    """
    programs: dict[str, Found] = {}
    unreadable: dict[str, ReleaseError] = {}
    linked: dict[str, executable.Linkage] = {}
    links: dict[str, str] = {}
    paths: list[str] = []
    unpacked_size = 0
    with open_archive(str(path), archive_format, tool, name=name) as archive:
        for member, stream in archive.walk():
            paths.append(member.path)
            if member.kind != "file":
                if member.link_target:
                    links[member.path] = member.link_target
                continue
            if stream is None:
                # A hard link: its bytes are those of an earlier member, but they are written once more.
                unpacked_size += member.size
                original = programs.get(member.link_target or "")
                if original:
                    programs[member.path] = replace(original, path=member.path)
                if member.link_target in linked:
                    linked[member.path] = linked[member.link_target]
                continue
            beginning = _beginning(stream)
            if not beginning.startswith(BEGINNINGS_OF_PROGRAMS):
                unpacked_size += len(beginning) + length_of(stream)
                continue
            with spool(stream, beginning) as content:
                digest, size = _digest(content)
                unpacked_size += size
                try:
                    requires = _requirements(content, member.path)
                    loaded = executable.linkage(content, member.path)
                except ReleaseError as error:
                    unreadable[member.path] = error
                    continue
            if loaded:
                linked[member.path] = loaded
            if requires:
                programs[member.path] = Found(member.path, digest, size, requires)
    files = frozenset(map(posixpath.basename, paths))
    bundle = Bundle(linked, links)
    return Contents(tuple(programs.values()), unpacked_size, files, _root(paths), unreadable, bundle)


def _root(paths: Iterable[str]) -> str:
    first = {path[: path.find("/") + 1] for path in paths}
    root = first.pop() if len(first) == 1 else ""
    return "" if BIN.match(root) or root.endswith(".data/") else root


def _beginning(content: BinaryIO) -> bytes:
    """Return the first four bytes, read from a stream that may give fewer at a time."""
    read = b""
    while len(read) < 4 and (more := content.read(4 - len(read))):
        read += more
    return read


def _digest(content: BinaryIO) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    for chunk in iter(lambda: content.read(CHUNK_BYTES), b""):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _requirements(content: BinaryIO, path: str) -> tuple[Requirement, ...]:
    """Return what a member needs if it is a program; whatever is not meant to be started needs nothing."""
    content.seek(0)
    try:
        return executable.read(content, path)
    except executable.NotAProgram:
        return ()


def listed(words: Iterable[object]) -> str:
    """Return *words* for people: the first ones."""
    known = list(map(str, words))
    return ", ".join(known[:MOST_SHOWN]) + (f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else "")
