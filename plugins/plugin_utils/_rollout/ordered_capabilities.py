# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which capabilities shall the programs of a tool have, as the user names them? Pure; runs on the controller.

A key of the option is the name of a program, or that of a tool with one program.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from ansible_collections.pinned.release.plugins.module_utils import capabilities
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown


def read(given: Mapping[object, object]) -> dict[str, str]:
    """Return the option *given*, its texts in one form. Raises ReleaseError where one is no text of capabilities."""
    ordered = {}
    for name, text in given.items():
        try:
            ordered[str(name)] = capabilities.canonical(text if isinstance(text, str) else shown(text))
        except ReleaseError as error:
            raise error.about(str(name)) from error
    return ordered


def of_asset(tool: str, asset: LockedAsset, ordered: Mapping[str, str]) -> dict[str, str]:
    """Return the capabilities of each program of *asset* that shall have some.

    Raises ReleaseError where one file has two names, for which different ones are *ordered*.
    """
    programs = asset.executables
    if tool in ordered and tool not in programs and len(programs) == 1:
        found = {name: ordered.get(name, ordered[tool]) for name in programs}
    else:
        found = {name: ordered[name] for name in programs if name in ordered}
    by_path: dict[str, str] = {}
    for name, text in sorted(found.items()):
        if by_path.setdefault(programs[name].path, text) != text:
            raise ReleaseError(
                f"{tool}: one file cannot have two sets of capabilities",
                expected=f"the same ones for all names of {programs[name].path}",
                found=f"{by_path[programs[name].path]}, and {text} for {name}",
            )
    return found


def refuse_unknown(tools: Mapping[str, LockedTool], ordered: Mapping[str, str]) -> None:
    """Raise ReleaseError, with the nearest name, for a name in *ordered* that no program of *tools* has."""
    known = {name for tool in tools.values() for asset in tool.assets for name in asset.executables}
    known |= {
        name
        for name, tool in tools.items()
        if tool.assets and all(len(asset.executables) == 1 for asset in tool.assets)
    }
    for name in sorted(set(ordered) - known):
        near = difflib.get_close_matches(name, sorted(known), n=1)
        raise ReleaseError(
            f"capabilities are ordered for {name}, which is no program of the lock file",
            expected=f"one of {listed(sorted(known))}" if known else "a lock file with programs",
            fix=f"did you mean {near[0]}?" if near else "name a program, or a tool that has one program only",
        )
