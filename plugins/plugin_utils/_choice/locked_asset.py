# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which locked asset does a lookup mean, and what does it return? Pure; runs on the controller."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import choice, target
from ansible_collections.pinned.release.plugins.plugin_utils._choice.choice import Choice
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import PROCESSORS, dotted_numbers
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Known
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    LockedAsset,
    LockedTool,
    LockFile,
    no_such_tool,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import platform_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Architecture, OperatingSystem, Prefer


def tool_of(lock: LockFile, name: str) -> LockedTool:
    """Return the locked tool *name*. Raises ReleaseError with the known names if there is none."""
    if name in lock.tools:
        return lock.tools[name]
    raise no_such_tool(lock, [name])


def needs_of(lock: LockFile) -> tuple[str, ...]:
    """Return what must be looked for on a host in order to choose among the assets of *lock*."""
    assets = (asset for tool in lock.tools.values() for asset in tool.assets)
    return tuple(sorted({need for asset in assets for need in target.needs(asset.requires)}))


def for_host(name: str, tool: LockedTool, known: Known, prefer: Prefer) -> Choice:
    """Return the asset for a host of which *known* is known, and the reason. Raises ReleaseError if none surely runs.

    What is unknown counts as missing, so that facts alone mostly lead to static builds.
    """
    try:
        return choice.choose(name, tool, known.host, prefer)
    except ReleaseError as error:
        if not known.unknown:
            raise
        raise ReleaseError(
            error.what,
            error.expected,
            f"unknown of the host: {', '.join(known.unknown)}",
            "run pinned.release.target_facts with the option lockfile before, which asks the host; or name the target",
        ) from error


def for_target(name: str, tool: LockedTool, triple: str) -> Choice:
    """Return the asset for *triple*, of several the one that needs least. Raises ReleaseError with the locked targets.

    If nothing is locked for a gnu target, the static build for the same platform is returned, or else a script.
    """
    exact = [asset for asset in tool.assets if asset.target == triple]
    musl = triple.replace("-linux-gnu", "-linux-musl")
    static = [asset for asset in tool.assets if asset.target == musl and asset.requires.libc == "static"]
    platform = platform_of(triple)
    scripts = [asset for asset in tool.assets if platform and asset.requires.is_script and _is_for(asset, *platform)]
    for assets, reason in (
        (exact, f"is locked for {triple}"),
        (static, f"nothing is locked for {triple} → static musl build, needs no libc"),
        (scripts, f"nothing is locked for {triple} → script"),
    ):
        if assets:
            return Choice(min(assets, key=_demands), reason)
    raise ReleaseError(
        f"{name} {tool.version}: no asset is locked for {triple}",
        expected=f"one of {', '.join(sorted({asset.target for asset in tool.assets})) or 'none: it has no assets'}",
        fix="correct the target, or add its platform to the manifest and lock again",
    )


def _is_for(script: LockedAsset, os: OperatingSystem, arch: Architecture) -> bool:
    return script.requires.os in (os, "any") and script.requires.arch in (arch, "any")


def _demands(asset: LockedAsset) -> tuple[int, tuple[int, ...], str]:
    order = PROCESSORS.get(asset.requires.arch, ())
    level = order.index(asset.requires.cpu) if asset.requires.cpu in order else 0
    return level, dotted_numbers(asset.requires.libc_min or ""), asset.name


def described(name: str, tool: LockedTool, choice: Choice) -> dict[str, Any]:
    """Return what the lookup tells about the *choice* of *tool*, which the lock file calls *name*."""
    asset = choice.asset
    return {
        "tool": name,
        "version": tool.version,
        "name": asset.name,
        "url": asset.url,
        "size": asset.size,
        "sha256": asset.sha256,
        "checksum": f"sha256:{asset.sha256}",
        "format": asset.format,
        "target": asset.target,
        "executables": {program: asdict(executable) for program, executable in sorted(asset.executables.items())},
        "reason": choice.reason,
    }
