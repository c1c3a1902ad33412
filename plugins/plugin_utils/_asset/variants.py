# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For which platforms does one asset hold programs, and which are those of each? Pure; on the controller.

Some archives hold the same programs for several platforms, in a folder for each: ``bin/linux/tool``,
``bin/darwin/tool``. Folders have any name, so the programs' own headers tell which belong together: those for one
system and processor. Where these are several builds (one for glibc, one for musl), each build has all of the programs.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.common_pattern import common_pattern
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents, Found
from ansible_collections.pinned.release.plugins.plugin_utils._asset.lasting_pattern import lasting_pattern, written
from ansible_collections.pinned.release.plugins.plugin_utils._asset.programs import (
    SeveralProgramsError,
    choose_programs,
)
from ansible_collections.pinned.release.plugins.plugin_utils._asset.requirements import merged_requirements
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

#: What programs that belong together have in common.
_Key: TypeAlias = Callable[[Requirement], tuple[object, ...]]


@dataclass(frozen=True)
class Variant:
    """The programs of an asset by the name of their link, and what all of them together need of a host."""

    programs: Mapping[str, Found]
    requires: Requirement


@dataclass(frozen=True)
class Asked:
    """What is to be found: the programs of a *tool*'s *version*, in an *asset*, for hosts that *serves* knows.

    wanted  the manifest's ``executables``
    """

    tool: str
    version: str
    asset: str
    wanted: Mapping[str, str]
    serves: Callable[[Requirement], bool]


def variants(contents: Contents, asked: Asked) -> list[Variant]:
    """Return the programs of *contents* to install for each platform that they serve; of an asset for one, these.

    *asked* is the tool as the manifest describes it, and tells which requirements a platform of the manifest serves.
    Raises ReleaseError where it cannot be told which of the programs for an asked platform are meant.
    """
    try:
        return _of(contents, asked)
    except ReleaseError:
        platforms = _keys(contents, asked, _platform)
        try:
            found = [variant for platform in platforms for variant in _of_platform(contents, asked, platform)]
        except SeveralProgramsError as error:
            raise error.fixed_by(_fix_for_all(contents, asked, platforms, error)) from None
        if not found:
            raise
        return found


def _of(contents: Contents, asked: Asked) -> list[Variant]:
    programs = choose_programs(contents, asked.tool, asked.version, asked.wanted, asked.asset)
    requirements = merged_requirements(programs.values())
    if not requirements:
        raise _several_platforms(asked, programs)
    return [Variant(programs, requirement) for requirement in requirements]


def _of_platform(contents: Contents, asked: Asked, platform: tuple[object, ...]) -> list[Variant]:
    own = _narrowed(contents, _platform, platform)
    try:
        return _of(own, asked)
    except ReleaseError:
        keys = _keys(own, asked, _build)
        if len(keys) < 2:
            raise
        found = [variant for key in keys for variant in _of(_narrowed(own, _build, key), asked)]
        if len({frozenset(variant.programs) for variant in found}) > 1:
            raise  # they are no builds of the same programs
        return found


def _fix_for_all(
    contents: Contents, asked: Asked, platforms: Sequence[tuple[object, ...]], error: SeveralProgramsError
) -> str:
    """Return what to write into the manifest so that one program is meant on each of the *platforms*."""
    if len(platforms) < 2:
        return error.fix or ""
    paths = [_paths(contents, platform, error.path) for platform in platforms]
    is_right = partial(_means_one_on_each, contents, asked, platforms, error.name)
    pattern = common_pattern(paths, is_right)
    if pattern:
        line = written(lasting_pattern(pattern, contents.root, is_right))
        return f"name the paths in the manifest: tools.{asked.tool}.executables: {{{error.name}: {line}}}"
    tools = (
        f"{{platforms: [{'/'.join(map(str, platform))}], executables: {{{error.name}: {line}}}}}"
        for platform, own in zip(platforms, paths, strict=True)
        if own
        for line in [_line(contents, asked, platform, error.name, own[0])]
    )
    return (
        "no pattern means one of them on each platform; write a tool for each platform into the manifest: "
        + " and ".join(tools)
    )


def _means_one_on_each(
    contents: Contents, asked: Asked, platforms: Sequence[tuple[object, ...]], name: str, pattern: str
) -> bool:
    named = replace(asked, wanted={**asked.wanted, name: pattern})
    try:
        return all(_of_platform(contents, named, platform) for platform in platforms)
    except ReleaseError:
        return False


def _line(contents: Contents, asked: Asked, platform: tuple[object, ...], name: str, path: str) -> str:
    """Return what to write into the manifest for the program at *path* of one *platform*."""
    return written(lasting_pattern(path, contents.root, partial(_means_one_on_each, contents, asked, [platform], name)))


def _paths(contents: Contents, platform: tuple[object, ...], path: str) -> list[str]:
    """Return the paths of the native programs for *platform*: first *path* itself, and those of the same file name."""
    own = _narrowed(contents, _platform, platform).programs
    paths = [found.path for found in own if not found.is_script]
    return sorted(paths, key=lambda one: (one != path, posixpath.basename(one) != posixpath.basename(path)))


def _keys(contents: Contents, asked: Asked, key: _Key) -> Sequence[tuple[object, ...]]:
    """Return the different keys of the native programs that serve an asked platform, in the order of the archive."""
    native = (requirement for found in contents.programs for requirement in found.requires if not found.is_script)
    return list(dict.fromkeys(key(requirement) for requirement in native if asked.serves(requirement)))


def _platform(requirement: Requirement) -> tuple[object, ...]:
    return requirement.os, requirement.arch


def _build(requirement: Requirement) -> tuple[object, ...]:
    """Return what tells builds for one platform apart, as their triples do: a static program is one for musl."""
    libc = "musl" if requirement.libc == "static" else requirement.libc
    return libc, requirement.abi, requirement.cpu if requirement.arch == "arm" else None


def _narrowed(contents: Contents, key: _Key, value: tuple[object, ...]) -> Contents:
    """Return *contents* with the native programs, and the parts of each, whose *key* is *value*; and all scripts."""
    own = (
        found if found.is_script else replace(found, requires=tuple(one for one in found.requires if key(one) == value))
        for found in contents.programs
    )
    return replace(contents, programs=tuple(found for found in own if found.requires))


def _several_platforms(asked: Asked, programs: Mapping[str, Found]) -> ReleaseError:
    shown = [f"{found.path}: {found.requires[0].os} {found.requires[0].arch}" for found in programs.values()]
    return ReleaseError(
        f"{asked.tool}: the programs of {asked.asset} are for different platforms",
        found=", ".join(shown[:10]),
        fix=f"name those to install in the manifest: tools.{asked.tool}.executables: [...]",
    )
