# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do an asset's programs need of a host: each, and all of them together? Pure; on the controller."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TypeVar

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.bundle import bundled
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents, Found
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    ARM_VERSIONS,
    SILENT_ARM_PROGRAM,
    X86_64_LEVELS,
    dotted_numbers,
    fpu_level,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

Word = TypeVar("Word", bound=str)


def of_the_host(chosen: Mapping[str, Found], contents: Contents) -> dict[str, Found]:
    """Return the *chosen* programs with what they need of a host, which is less the more their asset brings.

    A script beside native programs most likely starts them, so the asset is for their platforms, not for any.
    Raises ReleaseError if no one host has what a program and the libraries that it brings need.
    """
    native = [found for found in contents.programs if not found.is_script]
    if not native or not all(found.is_script for found in chosen.values()):
        return {name: _of_one(found, contents) for name, found in chosen.items()}
    # Empty if it brings programs for several platforms, and starts the right one itself.
    requires = merged_requirements(_of_one(found, contents, is_anywhere=True) for found in native)
    return {name: replace(found, requires=requires or found.requires) for name, found in chosen.items()}


def _of_one(program: Found, contents: Contents, is_anywhere: bool = False) -> Found:
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


def merged_requirements(programs: Iterable[Found]) -> tuple[Requirement, ...]:
    """Return what all *programs* together need: one Requirement for each system and architecture that all of them have.

    Scripts beside native programs fit each platform. Raises ReleaseError if no one host has what all of them need.
    """
    found = list(programs)
    native = [one for one in found if not one.is_script]
    by_platform = [_least_demanding(one.requires) for one in native or found]
    if not by_platform:
        return ()
    common = [platform for platform in by_platform[0] if all(platform in one for one in by_platform)]
    return tuple(_merged([one[platform] for one in by_platform], listed(found)) for platform in common)


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
    interpreters = _interpreters(dynamic)
    highest = {family: _highest([dict(part.versions).get(family) for part in parts]) for family in families}
    return replace(
        parts[0],
        abi=_one([part.abi for part in dynamic], "ABI", shown) if dynamic else _abi_of_static(parts),
        libc=_one([part.libc for part in dynamic], "C library", shown) if dynamic else "static",
        libc_min=_highest([part.libc_min for part in parts]),
        interpreter=next(iter(interpreters), None) if parts[0].is_script else _one(interpreters, "loader", shown),
        more_interpreters=tuple(interpreters[1:]) if parts[0].is_script else (),
        os_min=_highest([part.os_min for part in parts]),
        libraries=tuple(sorted({name for part in parts for name in part.libraries})),
        versions=tuple(sorted((family, version) for family, version in highest.items() if version)),
        cpu=_processor(parts),
        fpu=max((part.fpu for part in parts), key=fpu_level),
        page_size=min((part.page_size for part in parts if part.page_size), default=None),
    )


def _processor(parts: Sequence[Requirement]) -> str | None:
    """Return the newest processor needed; beside a program that says one, another's silence may mean more."""
    if not any(part.cpu for part in parts):
        return None
    silent = SILENT_ARM_PROGRAM if parts[0].arch == "arm" else ""
    return max((part.cpu or silent for part in parts), key=_level)


def _one(values: Iterable[Word | None], what: str, shown: str) -> Word | None:
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


def _interpreters(parts: Iterable[Requirement]) -> list[str]:
    """Return what must be there to start *parts*, in order; every system with any other has /bin/sh."""
    named = sorted({name for part in parts for name in (part.interpreter, *part.more_interpreters) if name})
    return [name for name in named if name != "/bin/sh"] or named


def _highest(versions: Iterable[str | None]) -> str | None:
    return max((version for version in versions if version), key=dotted_numbers, default=None)


def _level(cpu: str) -> int:
    order = ("", *ARM_VERSIONS, *(level for level, _flags in X86_64_LEVELS))
    return order.index(cpu) if cpu in order else len(order)
