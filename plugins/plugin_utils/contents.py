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
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.archive import length_of, open_archive, spool
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import executable
from ansible_collections.pinned.release.plugins.plugin_utils.bundle import Bundle, bundled
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import NAME
from ansible_collections.pinned.release.plugins.plugin_utils.names.name_words import is_platform_word
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils.target import (
    ARM_VERSIONS,
    SILENT_ARM_PROGRAM,
    X86_64_LEVELS,
    version_key,
)

#: Where archives keep what is meant to be started, below the one folder that all may lie in: in bin/, and where wheels
#: keep scripts (PyPA binary distribution format, "The .data directory"); at the top; or in a bin/ further down.
BIN, TOP, DEEPER = (re.compile(form) for form in (r"s?bin/\Z|[^/]+\.data/scripts/\Z", r"\Z", r".+/s?bin/\Z"))
#: Glibc's own library and loader can be started, but nobody means to.
LIBRARY = re.compile(r"(.*\.so(\.[0-9]+)*|ld-[^/]*)\Z")
#: Scripts that are no program's front door: helpers have a suffix, installers a telling name.
NO_STARTER = re.compile(r".*\.|(un)?install|setup|configure|bootstrap|(pre|post)(inst|rm)", re.IGNORECASE)
#: What every wheel holds (PyPA binary distribution format).
WHEEL_FILES = frozenset(["METADATA", "RECORD", "WHEEL"])
#: Where these lie and nothing is built, scripts build it: it is an archive of sources.
BUILD_FILES = frozenset(
    "configure configure.ac Makefile Makefile.am Makefile.in CMakeLists.txt meson.build build.zig Cargo.toml go.mod "
    "setup.py pyproject.toml build.gradle pom.xml".split()
)
VERSION_WORD = re.compile(r"v?[0-9][0-9A-Za-z]*\Z")
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


def choose(contents: Contents, tool: str, wanted: Mapping[str, str], asset: str) -> dict[str, Found]:
    """Return the programs to install, by the name of their link.

    *wanted* is the manifest's ``executables``: name → glob on the path. Without it: the programs where archives keep
    programs, or all there are; scripts only where there is nothing else, or where they start what lies elsewhere.
    Raises ReleaseError where that is no answer.
    """
    if wanted:
        chosen = {name: _matching(contents, name, glob, asset) for name, glob in wanted.items()}
    else:
        found = _meant(contents, tool)
        _refuse_unreadable(contents, tool, asset, is_all=all(one.is_script for one in found))
        if not found:
            raise _no_program(contents, tool, asset)
        chosen = _by_link_name(found, tool, asset)
    return _with_what_they_start(chosen, contents)


def _meant(contents: Contents, tool: str) -> Sequence[Found]:
    """Return the programs that a release's users are meant to start."""
    native = [found for found in contents.programs if not found.is_script]
    scripts = [found for found in contents.programs if found.is_script]

    def within(programs: Sequence[Found], *places: re.Pattern[str]) -> Sequence[Found]:
        return [found for found in programs if any(place.match(_folder(contents, found.path)) for place in places)]

    def named(programs: Sequence[Found]) -> Sequence[Found]:
        return [found for found in programs if _plain_name(found.path) == tool]

    if not native and contents.files >= WHEEL_FILES:
        return within(scripts, BIN)  # others are modules, and Python's installers make the commands that use them
    starters = [found for found in scripts if not NO_STARTER.match(_plain_name(found.path))]
    if not native:
        surely = within(scripts, BIN) or named(within(scripts, TOP))
        return surely or ([] if _is_source(contents) else within(starters, TOP, DEEPER) or starters)
    programs = [found for found in native if not LIBRARY.match(_plain_name(found.path))] or native
    above = [found for found in starters if _lies_above(found, programs)]
    usual = within(programs, BIN, TOP) or within(programs, DEEPER)
    front_doors = within(starters, BIN, TOP, DEEPER) or above
    return usual or named(front_doors) or named(programs) or front_doors or programs


def _is_source(contents: Contents) -> bool:
    return not contents.files.isdisjoint(BUILD_FILES)


def _lies_above(script: Found, programs: Iterable[Found]) -> bool:
    folder = script.path[: script.path.rfind("/") + 1]
    return all(program.path.startswith(folder) for program in programs)


def _folder(contents: Contents, path: str) -> str:
    """Return the folder of *path* with its slash, below the one that everything lies in."""
    return path[len(contents.root) : path.rfind("/") + 1]


def _refuse_unreadable(contents: Contents, tool: str, asset: str, is_all: bool) -> None:
    """A program of which nobody can tell anything may be the very one that is meant, or that a script starts."""
    for path, error in sorted(contents.unreadable.items()):
        folder = _folder(contents, path)
        if is_all or BIN.match(folder) or TOP.match(folder):
            others = f"to do without it, name those to take: tools.{tool}.executables: [...]"
            fix = f"{error.fix}; {others}" if error.fix else others
            raise ReleaseError(f"{tool}: {asset}: {error.what}", error.expected, error.found, fix)


def _no_program(contents: Contents, tool: str, asset: str) -> ReleaseError:
    fix = f'name the asset to take in the manifest: tools.{tool}.asset: "<pattern>"'
    if contents.files >= WHEEL_FILES:
        fix = "this is Python code, for pip to install; programs may be in another project, or have another source"
    return ReleaseError(
        f"{tool}: {asset} holds {'sources, ' if _is_source(contents) else ''}no program",
        expected="at least one file that an operating system can start",
        found=_listed(sorted(contents.files)) or "an empty archive",
        fix=fix,
    )


def _listed(words: Iterable[object]) -> str:
    """Return *words* for people: the first ones."""
    known = list(map(str, words))
    return ", ".join(known[:MOST_SHOWN]) + (f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else "")


def _by_link_name(chosen: Sequence[Found], tool: str, asset: str) -> dict[str, Found]:
    names = [_link_name(found.path, tool, is_only=len(chosen) == 1) for found in chosen]
    if len(set(names)) != len(names):
        names = [_plain_name(found.path) for found in chosen]
    links: dict[str, Found] = {}
    for name, found in zip(names, chosen, strict=True):
        if not NAME.match(name):
            raise ReleaseError(
                f"{tool}: {found.path} of {asset} has a name that cannot be that of a link",
                expected="a name of letters, digits and . _ + -",
                fix=f"name it in the manifest: tools.{tool}.executables: {{<name>: {found.path!r}}}",
            )
        if links.setdefault(name, found).sha256 != found.sha256:
            raise ReleaseError(
                f"{tool}: {asset} holds several programs of one name",
                found=_listed(chosen),
                fix=f"name the paths in the manifest: tools.{tool}.executables: {{{name}: {links[name].path}}}",
            )
    return links


def _matching(contents: Contents, name: str, glob: str, asset: str) -> Found:
    fitting = {found.sha256: found for found in reversed(contents.programs) if _fits(found.path, glob)}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    for path, error in contents.unreadable.items():
        if not fitting and _fits(path, glob):
            raise error.about(asset)
    some = [found for found in contents.programs if _fits(found.path, glob)] or contents.programs
    raise ReleaseError(
        f"{asset}: {glob} of the manifest's executables is not one program",
        expected="a path, or a glob on it, that fits exactly one of the programs in the asset",
        found=_listed(some) or "no program at all",
        fix=f"write executables: {{{name}: {some[0].path if some else '<path>'}}}",
    )


def _fits(path: str, glob: str) -> bool:
    plain = path[: path.rfind("/") + 1] + _plain_name(path)
    return any(fnmatchcase(form, glob) for form in (plain, f"/{plain}", path, f"/{path}"))


def _link_name(path: str, tool: str, is_only: bool) -> str:
    """Return the name that users type: the file's, without the version and platform that some carry behind the tool's.

    ``tool-v1.2-linux-amd64`` is ``tool``, and ``tool-server-linux-amd64`` is ``tool-server``.
    """
    name = _plain_name(path)
    if name.lower().startswith(tool.lower()):
        is_tool = name[len(tool) : len(tool) + 1] in tuple("-_.")
        for word in re.finditer(r"[-_.]([^-_.]+)", name):
            is_version = is_tool and VERSION_WORD.match(word[1])
            if word.start() >= len(tool) and (is_version or is_platform_word(word[1])):
                return tool if word.start() == len(tool) else name[: word.start()]
        return name
    words = re.split(r"[-_.]", name)
    says_nothing = all(is_platform_word(word) or VERSION_WORD.match(word) for word in words)
    return tool if is_only and (says_nothing or not NAME.match(name)) else name


def _plain_name(path: str) -> str:
    """Return the file's name, without the ending that only Windows wants."""
    name = posixpath.basename(path)
    return name[:-4] if name.lower().endswith(".exe") else name


def _with_what_they_start(chosen: Mapping[str, Found], contents: Contents) -> dict[str, Found]:
    """A script beside native programs most likely starts them, so the asset is for their platforms, not for any."""
    native = [found for found in contents.programs if not found.is_script]
    if not native or not all(found.is_script for found in chosen.values()):
        return {name: _of_the_host(found, contents) for name, found in chosen.items()}
    # Empty if it brings programs for several platforms, and starts the right one itself.
    requires = merge(_of_the_host(found, contents, is_anywhere=True) for found in native)
    return {name: replace(found, requires=requires or found.requires) for name, found in chosen.items()}


def _of_the_host(program: Found, contents: Contents, is_anywhere: bool = False) -> Found:
    """Return *program* with what it needs of a host: not the libraries it finds in the asset, but what these need."""
    libraries = bundled(program.path, contents.bundle, is_anywhere)
    needs = [replace(library.requires, interpreter=None) for library in libraries.values()]
    requires = tuple(
        _without(_merged([one, *needs], str(program)), set(libraries) | _beside(one, contents.files))
        for one in program.requires
    )
    return replace(program, requires=requires)


def _without(requirement: Requirement, libraries: AbstractSet[str]) -> Requirement:
    return replace(requirement, libraries=tuple(name for name in requirement.libraries if name not in libraries))


def _beside(requirement: Requirement, files: AbstractSet[str]) -> set[str]:
    """Return the libraries that macOS and Windows find where the program is, by names that start from there."""
    is_elf = requirement.os not in ("macos", "windows")
    names = () if is_elf else (name for name in requirement.libraries if not name.startswith("/"))
    return {name for name in names if posixpath.basename(name) in files}


def merge(programs: Iterable[Found]) -> tuple[Requirement, ...]:
    """Return what all *programs* together need: one Requirement for each system and architecture that all of them have.

    Scripts beside native programs fit each platform. Raises ReleaseError if no one host has what all of them need.
    """
    found = list(programs)
    native = [one for one in found if not one.is_script]
    by_platform = [_least_demanding(one.requires) for one in native or found]
    if not by_platform:
        return ()
    common = [platform for platform in by_platform[0] if all(platform in one for one in by_platform)]
    return tuple(_merged([one[platform] for one in by_platform], _listed(found)) for platform in common)


def _least_demanding(requirements: Iterable[Requirement]) -> dict[tuple[str, str], Requirement]:
    """Return one Requirement for each platform: a universal program may hold two slices for it, arm64 and arm64e."""
    least: dict[tuple[str, str], Requirement] = {}
    for requirement in requirements:
        known = least.setdefault((requirement.os, requirement.arch), requirement)
        if _demands(requirement) < _demands(known):
            least[requirement.os, requirement.arch] = requirement
    return least


def _demands(requirement: Requirement) -> tuple[bool, int]:
    return requirement.abi is not None, _level(requirement.cpu or "")


def _merged(parts: Sequence[Requirement], shown: str) -> Requirement:
    dynamic = [part for part in parts if part.libc != "static"]
    families = {family for part in parts for family, _version in part.versions}
    highest = {family: _highest([dict(part.versions).get(family) for part in parts]) for family in families}
    return replace(
        parts[0],
        abi=_one([part.abi for part in dynamic], "ABI", shown) if dynamic else _abi_of_static(parts),
        libc=_one([part.libc for part in dynamic], "C library", shown) if dynamic else "static",
        libc_min=_highest([part.libc_min for part in parts]),
        interpreter=_one(_interpreters(dynamic), "loader or interpreter", shown),
        os_min=_highest([part.os_min for part in parts]),
        libraries=tuple(sorted({name for part in parts for name in part.libraries})),
        versions=tuple(sorted((family, version) for family, version in highest.items() if version)),
        cpu=_processor(parts),
        page_size=min((part.page_size for part in parts if part.page_size), default=None),
    )


def _processor(parts: Sequence[Requirement]) -> str | None:
    """Return the newest processor needed; beside a program that says one, another's silence may mean more."""
    if not any(part.cpu for part in parts):
        return None
    silent = SILENT_ARM_PROGRAM if parts[0].arch == "arm" else ""
    return max((part.cpu or silent for part in parts), key=_level)


def _one(values: Iterable[str | None], what: str, shown: str) -> str | None:
    different = sorted({value for value in values if value})
    if len(different) > 1:
        raise ReleaseError(
            f"programs of one asset need more than one {what}: {' and '.join(different)}",
            found=shown,
            fix="name those to install in the manifest: executables: [...]",
        )
    return different[0] if different else None


def _abi_of_static(parts: Iterable[Requirement]) -> str | None:
    """Static programs share nothing but the processor: the ABI that asks most of it is that of all."""
    return max((part.abi for part in parts), key=lambda abi: (abi != "eabi", abi or ""))


def _interpreters(parts: Iterable[Requirement]) -> list[str | None]:
    """Return what must be there to start *parts*; every system with any other has /bin/sh."""
    named = {part.interpreter for part in parts}
    return [name for name in named if name != "/bin/sh"] or list(named)


def _highest(versions: Iterable[str | None]) -> str | None:
    return max((version for version in versions if version), key=version_key, default=None)


def _level(cpu: str) -> int:
    order = ("", *ARM_VERSIONS, *(level for level, _flags in X86_64_LEVELS))
    return order.index(cpu) if cpu in order else len(order)
