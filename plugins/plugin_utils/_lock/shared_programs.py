# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do two locked tools have a program of one name, so that no host can have both? Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import serves
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform

#: Of pairs of tools, so many are shown.
MOST_SHOWN = 5


def refuse_shared_programs(tools: Mapping[str, LockedTool], manifest: Manifest) -> None:
    """Raise ReleaseError if two of *tools* have a program of one name on a platform that both are to serve.

    Tools that have no platform in common may: a task installs those that its option ``tools`` names.
    """
    pairs = list(_pairs(tools, manifest))
    if not pairs:
        return
    found = [f"{one} and {other}: {', '.join(sorted(programs))}" for one, other, programs in pairs[:MOST_SHOWN]]
    more = [f"and {len(pairs) - MOST_SHOWN} more pairs"] if len(pairs) > MOST_SHOWN else []
    one, other, programs = pairs[0]
    renamed = one if other in programs else other
    line = _renaming(renamed, tools[renamed], programs)
    raise ReleaseError(
        f"two tools, {one} and {other}, both have a program {min(programs)}",
        expected="each program in one tool: a host can have only one of a name",
        found="; ".join(found + more),
        fix=f"leave out a tool, or give its programs other names: write into tools.{renamed}: {line}",
    )


def _pairs(tools: Mapping[str, LockedTool], manifest: Manifest) -> Iterator[tuple[str, str, set[str]]]:
    """Yield each pair of tools, with the names of the programs that both have on one platform."""
    programs = {
        name: {platform.base: _programs(tools[name], platform.base) for platform in wanted.platforms}
        for name, wanted in sorted(manifest.tools.items())
    }
    for one, other in combinations(programs, 2):
        common = set(programs[one]) & set(programs[other])
        shared: set[str] = set().union(*(programs[one][platform] & programs[other][platform] for platform in common))
        if shared:
            yield one, other, shared


def _programs(tool: LockedTool, platform: Platform) -> set[str]:
    return {program for asset in tool.assets if serves(asset.requires, platform) for program in asset.executables}


def _renaming(name: str, tool: LockedTool, shared: set[str]) -> str:
    """Return the line of manifest that gives the *shared* programs of the tool names that begin with its own."""
    programs = sorted({program for asset in tool.assets for program in asset.executables})
    pairs = []
    for program in programs:
        other = name if shared == {program} and name != program else f"{name}-{program}"
        pairs.append(f'{other if program in shared else program}: "{_glob(program, tool.assets)}"')
    return f"executables: {{{', '.join(pairs)}}}"


def _glob(program: str, assets: tuple[LockedAsset, ...]) -> str:
    """Return a pattern on the path of the program that fits in each of the *assets* that have it."""
    paths = [asset.executables[program].path for asset in assets if program in asset.executables]
    names = {path.rpartition("/")[2].removesuffix(".exe") for path in paths}
    if names == {program}:
        return f"**/{program}"
    return f"**/{program}*" if all(name.startswith(program) for name in names) else f"**/{min(names)}"
