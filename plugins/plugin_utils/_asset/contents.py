# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs does this asset hold, and what do they need? Opens it and reads every header; on the controller."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.archive import Member, open_archive
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import (
    Unpacked,
    UnpackedFile,
    link_text,
    top_folder,
)
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.alone import Sought, sought
from ansible_collections.pinned.release.plugins.plugin_utils._asset.bundle import Bundle
from ansible_collections.pinned.release.plugins.plugin_utils._program import components, executable
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import SILENT, Inside
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

#: Where archives keep what is meant to be started, below the one folder that all may lie in: in bin/, and where wheels
#: keep scripts (PyPA binary distribution format, "The .data directory").
BIN = re.compile(r"s?bin/\Z|[^/]+\.data/scripts/\Z")
#: Where else archives keep what is meant to be started: at the top, or in a bin/ further down.
TOP, DEEPER = re.compile(r"\Z"), re.compile(r".+/s?bin/\Z")
#: ELF, scripts, PE, Mach-O in both byte orders, thin and universal: whatever else lies in an archive is only counted.
BEGINNINGS_OF_PROGRAMS = tuple(
    bytes.fromhex(digits)
    for digits in ("7f454c46", "2321", "4d5a", "cafeba", "bebafeca", "feedface", "feedfacf", "cefaedfe", "cffaedfe")
)
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Found:
    """One program inside an asset, with one Requirement for each architecture that it holds.

    link    the path of the link in a bin/ that leads to it, if it is called by that; else ""
    beside  that it looks for other files of the asset beside itself
    inside  what its compiler recorded of what it is made of
    """

    path: str
    sha256: str
    size: int
    requires: tuple[Requirement, ...]
    link: str = ""
    beside: Sought | None = None
    inside: Inside = SILENT

    @property
    def place(self) -> str:
        """The path by which it is called."""
        return self.link or self.path

    @property
    def is_wrapped(self) -> bool:
        """Whether it would not find its files through a link."""
        return self.beside is not None and not self.beside.works_through_links

    @property
    def is_script(self) -> bool:
        """Whether an interpreter runs it. A script's requirement is the only one: it holds no architectures."""
        return self.requires[0].is_script

    def __str__(self) -> str:
        """Return the program as errors show it: ``bin/uv (linux x86_64)``."""
        platforms = "script" if self.is_script else ", ".join(f"{one.os} {one.arch}" for one in self.requires)
        return f"{self.place} ({platforms})"


@dataclass(frozen=True)
class Contents:
    """All programs of an asset, and the sum of its files' sizes in bytes.

    files       the names of all files and links, without their folders
    unpacked    all that it becomes on a host
    bundle      what is there for the loader
    root        the one folder that everything lies in, with its slash; "" where there is none
    unreadable  programs of which nobody can tell what they need, with the reason
    """

    programs: tuple[Found, ...]
    unpacked_size: int
    files: frozenset[str]
    unpacked: Unpacked
    root: str = ""
    unreadable: Mapping[str, ReleaseError] = field(default_factory=dict)
    bundle: Bundle = field(default_factory=lambda: Bundle({}, {}))


def look_into(
    path: Path, archive_format: str, tool: str, name: str | None = None, allowance: Allowance | None = None
) -> Contents:
    """Return the programs of the asset at *path*, which errors call *name*, and all that it becomes on a host.

    *tool* names the one program of formats that hold no name. *allowance* is what may be unpacked. Raises ReleaseError
    for what must not be unpacked.
    """
    allowance = allowance or Allowance()
    # The file of a bare program can be read in any order as it is.
    seen = _Seen(allowance, path if archive_format == "bare" else None)
    with open_archive(str(path), archive_format, tool, allowance.maximum_bytes, name) as archive:
        for member, stream in allowance.walk(archive):
            if member.kind != "file":
                seen.link(member.path, member.link_target or "")
            elif stream is None:
                seen.hard_link(member)
            else:
                seen.file(member, stream)
        return seen.contents(archive.directories)


class _Seen:
    """What was seen of an asset while it was walked through."""

    def __init__(self, allowance: Allowance, bare: Path | None) -> None:
        self._allowance = allowance
        self._bare = bare
        self.files: dict[str, UnpackedFile] = {}
        self.links: dict[str, str] = {}
        self.programs: dict[str, Found] = {}
        self.unreadable: dict[str, ReleaseError] = {}
        self.linked: dict[str, executable.Linkage] = {}

    def link(self, path: str, target: str) -> None:
        """Note the symbolic link at *path* with its *target* as the archive says it."""
        self.links[path] = target

    def hard_link(self, member: Member) -> None:
        """Its bytes are those of an earlier member, but they are written once more."""
        original = member.link_target or ""
        self.files[member.path] = self.files[original]._replace(path=member.path, is_executable=member.is_executable)
        if original in self.programs:
            self.programs[member.path] = replace(self.programs[original], path=member.path)
        if original in self.linked:
            self.linked[member.path] = self.linked[original]

    def file(self, member: Member, stream: BinaryIO) -> None:
        """Note the file, and read what it needs if it begins as a program does.

        An unreadable program raises nothing here. It is kept with the reason, since the tool may not need it.
        """
        beginning = _beginning(stream)
        if not beginning.startswith(BEGINNINGS_OF_PROGRAMS):
            self._keep(member, *_digest(stream, beginning))
            return
        copy = self._allowance.copied(member.size, stream, beginning)
        with self._bare.open("rb") if self._bare else copy as content:
            digest, size = _digest(content)
            self._keep(member, digest, size)
            try:
                requires = _requirements(content, member.path)
                loaded = executable.linkage(content, member.path)
                beside = sought(content) if requires else None
                inside = components.inside(content, member.path) if requires else SILENT
            except ReleaseError as error:
                self.unreadable[member.path] = error
                return
        if loaded:
            self.linked[member.path] = loaded
        if requires:
            self.programs[member.path] = Found(member.path, digest, size, requires, beside=beside, inside=inside)

    def _keep(self, member: Member, digest: str, size: int) -> None:
        self.files[member.path] = UnpackedFile(member.path, digest, size, member.is_executable)

    def contents(self, folders: list[str]) -> Contents:
        """Return what was seen as a value; *folders* are those that the archive names or implies."""
        paths = [*self.files, *self.links]
        return Contents(
            programs=tuple(_without_idle_search(found, paths) for found in self.programs.values()),
            unpacked_size=sum(file.size for file in self.files.values()),
            files=frozenset(map(posixpath.basename, paths)),
            unpacked=Unpacked(
                list(self.files.values()), folders, {path: link_text(path, to) for path, to in self.links.items()}
            ),
            root=f"{top}/" if (top := top_folder(paths)) else "",
            unreadable=self.unreadable,
            bundle=Bundle(self.linked, self.links),
        )


def _without_idle_search(found: Found, paths: Sequence[str]) -> Found:
    """Return *found* as a program that looks for nothing beside itself, if *paths* hold nothing that it could find."""
    is_idle = found.beside is not None and not found.beside.is_among(path for path in paths if path != found.path)
    return replace(found, beside=None) if is_idle else found


def _beginning(content: BinaryIO) -> bytes:
    """Return the first four bytes, read from a stream that may give fewer at a time."""
    read = b""
    while len(read) < 4 and (more := content.read(4 - len(read))):
        read += more
    return read


def _digest(content: BinaryIO, beginning: bytes = b"") -> tuple[str, int]:
    """Return the SHA-256 and the size of *beginning*, which was read before, and the rest of *content*."""
    digest = hashlib.sha256(beginning)
    size = len(beginning)
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
