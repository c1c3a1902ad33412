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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.archive import open_archive, spool
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import executable
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils.target import ARM_VERSIONS, X86_64_LEVELS, version_key

#: Where archives keep what is meant to be started: at the top, below one folder of the release's name, in bin/ and
#: where wheels keep scripts (PyPA binary distribution format, "The .data directory").
PROGRAM_FOLDER = re.compile(r"([^/]+/)?\Z|(.+/)?s?bin/\Z|[^/]+\.data/scripts/\Z")
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Found:
    """One program inside an asset, with one Requirement for each architecture that it holds."""

    path: str
    sha256: str
    size: int
    requires: tuple[Requirement, ...]

    @property
    def is_script(self) -> bool:
        return self.requires[0].os == "any"


@dataclass(frozen=True)
class Contents:
    """All programs of an asset, and the sum of its files' sizes in bytes. *files* are the names of all files."""

    programs: tuple[Found, ...]
    unpacked_size: int
    files: frozenset[str]


def look_into(path: Path, archive_format: str, tool: str, name: str | None = None) -> Contents:
    """Return the programs of the asset at *path*, which errors call *name*.

    *tool* names the one program of formats that hold no name.
    """
    programs: list[Found] = []
    files: set[str] = set()
    unpacked_size = 0
    with open_archive(str(path), archive_format, tool, name=name) as archive:
        for member, stream in archive.walk():
            if member.kind != "file":
                continue
            files.add(posixpath.basename(member.path))
            if stream is None:
                # A hard link: its bytes are those of an earlier member, but they are written once more.
                unpacked_size += member.size
                continue
            with spool(stream) as content:
                digest, size = _digest(content)
                unpacked_size += size
                requires = _requirements(content, member.path)
            if requires:
                programs.append(Found(member.path, digest, size, requires))
    return Contents(tuple(programs), unpacked_size, frozenset(files))


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
    beginning = content.read(4)
    content.seek(0)
    if not beginning.startswith((b"\x7fELF", b"#!", b"MZ", b"\xca\xfe\xba", b"\xbe\xba\xfe\xca")) and beginning not in (
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
    ):
        return ()
    try:
        return executable.read(content, path)
    except executable.NotAProgram:
        return ()


def choose(contents: Contents, tool: str, wanted: Mapping[str, str], asset: str) -> dict[str, Found]:
    """Return the programs to install, by the name of their link.

    *wanted* is the manifest's ``executables``: name → glob on the path. Without it: the programs where archives keep
    programs, or all there are; scripts only where there is nothing else. Raises ReleaseError where that is no answer.
    """
    if wanted:
        return {name: _matching(contents, name, glob, asset) for name, glob in wanted.items()}
    native = [found for found in contents.programs if not found.is_script]
    usable = native or [found for found in contents.programs if posixpath.isabs(found.requires[0].interpreter or "")]
    usual = [found for found in usable if PROGRAM_FOLDER.match(found.path[: found.path.rfind("/") + 1])]
    chosen = usual or usable
    if not chosen:
        raise ReleaseError(
            f"{tool}: {asset} holds no program",
            expected="at least one file that an operating system can start",
            found=", ".join(sorted(contents.files)[:10]) or "an empty archive",
            fix=f'name the asset to take in the manifest: tools.{tool}.asset: "<pattern>"',
        )
    names = [_link_name(found.path, tool, is_only=len(chosen) == 1) for found in chosen]
    if len(set(names)) != len(names):
        raise ReleaseError(
            f"{tool}: {asset} holds several programs of one name",
            found=", ".join(found.path for found in chosen),
            fix=f"name the paths in the manifest: tools.{tool}.executables: {{{names[0]}: {chosen[0].path}}}",
        )
    return dict(zip(names, chosen, strict=True))


def _matching(contents: Contents, name: str, glob: str, asset: str) -> Found:
    matches = [
        found
        for found in contents.programs
        if fnmatchcase(_without_suffix(found.path), glob) or fnmatchcase("/" + _without_suffix(found.path), glob)
    ]
    if len(matches) == 1:
        return matches[0]
    raise ReleaseError(
        f"{asset}: {glob} of the manifest's executables is not one program",
        expected="a path, or a glob on it, that fits exactly one of the programs in the asset",
        found=", ".join(found.path for found in matches or contents.programs) or "no program at all",
        fix=f"write executables: {{{name}: <path>}}",
    )


def _link_name(path: str, tool: str, is_only: bool) -> str:
    """Return the name that users type: the file's, or the tool's where the one file carries version or platform."""
    name = _without_suffix(posixpath.basename(path))
    return tool if is_only and re.match(re.escape(tool) + r"[-_.]", name) else name


def _without_suffix(path: str) -> str:
    return path[:-4] if path.lower().endswith(".exe") else path


def merge(programs: Iterable[Found], bundled: frozenset[str]) -> tuple[Requirement, ...]:
    """Return what all *programs* together need: one Requirement for each system and architecture that all of them have.

    *bundled* are the names of the asset's own files: a library among them is not asked of the host.
    """
    by_platform: dict[tuple[str, str], list[Requirement]] = {}
    count = 0
    for found in programs:
        count += 1
        for requirement in found.requires:
            by_platform.setdefault((requirement.os, requirement.arch), []).append(requirement)
    return tuple(_merged(parts, bundled) for parts in by_platform.values() if len(parts) == count)


def _merged(parts: Sequence[Requirement], bundled: frozenset[str]) -> Requirement:
    dynamic = [part for part in parts if part.libc not in (None, "static")]
    first = (dynamic or list(parts))[0]
    libraries = {library for part in parts for library in part.libraries if library not in bundled}
    families = {family for part in parts for family, _version in part.versions}
    highest = {family: _highest([dict(part.versions).get(family) for part in parts]) for family in families}
    return replace(
        first,
        libc_min=_highest([part.libc_min for part in parts]),
        os_min=_highest([part.os_min for part in parts]),
        libraries=tuple(sorted(libraries)),
        versions=tuple(sorted((family, version) for family, version in highest.items() if version)),
        cpu=max((part.cpu for part in parts if part.cpu), key=_level, default=None),
        page_size=min((part.page_size for part in parts if part.page_size), default=None),
    )


def _highest(versions: Iterable[str | None]) -> str | None:
    return max((version for version in versions if version), key=version_key, default=None)


def _level(cpu: str) -> int:
    order = ARM_VERSIONS + tuple(level for level, _flags in X86_64_LEVELS)
    return order.index(cpu) if cpu in order else -1
