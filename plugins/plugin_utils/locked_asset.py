# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which locked asset is meant, and what does a playbook get to know of it? For the lookup; pure, on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import choice, naming, target
from ansible_collections.pinned.release.plugins.plugin_utils.choice import Choice
from ansible_collections.pinned.release.plugins.plugin_utils.facts import Known
from ansible_collections.pinned.release.plugins.plugin_utils.host import PROCESSORS, version_key
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import LockedAsset, LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils.names.platform_words import Label


def tool_of(lock: LockFile, name: str) -> LockedTool:
    """Return the locked tool *name*. Raises ReleaseError with the names that there are."""
    if name in lock.tools:
        return lock.tools[name]
    raise ReleaseError(
        f"the lock file has no tool named {name}",
        expected=f"one of {', '.join(sorted(lock.tools)) or 'none: it is empty'}",
        fix="mend the name, or add the tool to the manifest and lock again",
    )


def needs_of(lock: LockFile) -> tuple[str, ...]:
    """Return what must be looked for on a host in order to choose among the assets of *lock*."""
    assets = (asset for tool in lock.tools.values() for asset in tool.assets)
    return tuple(sorted({need for asset in assets for need in target.needs(asset.requires)}))


def for_host(name: str, tool: LockedTool, known: Known, prefer: str) -> Choice:
    """Return the asset that a host gets of which so much is *known*, and why that one. Raises ReleaseError.

    What is unknown refuses, so facts alone mostly choose static builds.
    """
    try:
        return choice.choose(name, tool, known.host, prefer)
    except ReleaseError as error:
        if not known.unknown:
            raise
        raise ReleaseError(
            error.what,
            error.expected,
            f"{error.found} (unknown of the host: {', '.join(known.unknown)})",
            "run pinned.release.target_facts with the option lockfile before, which asks the host; or name the target",
        ) from error


def for_target(name: str, tool: LockedTool, triple: str) -> Choice:
    """Return the asset for *triple*, of several the least demanding. Raises ReleaseError with the targets there are.

    Where it is a gnu target and none is locked, the static build of the same platform serves; so does a script.
    """
    exact = [asset for asset in tool.assets if asset.target == triple]
    musl = triple.replace("-linux-gnu", "-linux-musl")
    static = [asset for asset in tool.assets if asset.target == musl and asset.requires.libc == "static"]
    scripts = [
        asset for asset in tool.assets if asset.requires.is_script and _is_for(asset, naming.label(triple, name))
    ]
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
        fix="mend the target, or add its platform to the manifest and lock again",
    )


def _is_for(script: LockedAsset, platform: Label) -> bool:
    return script.requires.os in (platform.os, "any") and script.requires.arch in (platform.arch, "any")


def _demands(asset: LockedAsset) -> tuple[int, tuple[int, ...], str]:
    order = PROCESSORS.get(asset.requires.arch, ())
    level = order.index(asset.requires.cpu) if asset.requires.cpu in order else 0
    return level, version_key(asset.requires.libc_min or ""), asset.name


def described(name: str, tool: LockedTool, choice: Choice) -> dict[str, Any]:
    """Return what a playbook gets to know of the chosen asset."""
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
