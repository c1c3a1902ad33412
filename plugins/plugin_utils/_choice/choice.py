# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a tool's locked assets does a host get, and why that one? Pure; on the controller."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor, target
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed, Host, assuming
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Prefer


@dataclass(frozen=True)
class Choice:
    """The asset of one tool that one host gets, and the reason in one line.

    is_surprising  whether somebody who knows the host would expect another: its own build does not run there, or this
                   one is emulated, or depends on what the user assumes
    """

    asset: LockedAsset
    reason: str
    is_surprising: bool = False


def choose(name: str, tool: LockedTool, host: Host, prefer: Prefer = "native") -> Choice:
    """Return the best of *tool*'s assets that starts on *host*. Raises ReleaseError with all reasons if none does."""
    verdicts = [(asset, target.admissible(asset.requires, host)) for asset in tool.assets]
    ranked = sorted(verdicts, key=lambda pair: (target.preference(pair[0].requires, host, prefer), pair[0].name))
    admitted = [(asset, verdict) for asset, verdict in ranked if verdict.is_admissible]
    if not admitted:
        near = [pair for pair in ranked if _is_native(pair[0], host)]
        raise ReleaseError(
            f"{name} {tool.version}: no locked asset runs on this host",
            expected=f"a program for {_describe(host)}",
            found="; ".join(f"{asset.name}: {verdict.reason}" for asset, verdict in (near or ranked)) or "no asset",
            fix=f"add the host's platform to the manifest{_with_floor(host)}, or choose a version that supports it, "
            "and lock again",
        )
    chosen, verdict = admitted[0]
    better = [refused.reason for asset, refused in ranked[: ranked.index(admitted[0])] if _is_native(asset, host)]
    if better:
        return Choice(chosen, f"{better[0]} → {_build(chosen)}{target.beside(chosen.requires, host)}", True)
    is_foreign = (chosen.requires.libc, host.libc) == ("musl", "glibc")
    return Choice(chosen, verdict.reason, is_foreign or bool(target.beside(chosen.requires, host)))


def choose_assuming(name: str, tool: LockedTool, host: Host, prefer: Prefer, assume: Assumed) -> Choice:
    """Return the choice for *host* with what the user *assume*s of it. If it depends on that, its reason says so.

    Raises ReleaseError with all reasons if no asset starts there.
    """
    choice = choose(name, tool, assuming(host, assume), prefer)
    if target.admissible(choice.asset.requires, host).is_admissible:
        return choice
    told = {key: value if isinstance(value, tuple) else (value,) for key, value in assume.said().items() if value}
    assumed = ", ".join(f"{key} {' '.join(map(str, values))}" for key, values in told.items())
    return replace(choice, reason=f"{choice.reason}, assuming {assumed}", is_surprising=True)


def _is_native(asset: LockedAsset, host: Host) -> bool:
    return (asset.requires.os, asset.requires.arch) == (host.os, host.arch)


def _build(asset: LockedAsset) -> str:
    if asset.requires.is_script:
        return "script" if asset.target == "any" else f"script for {asset.target}"
    names = {"static": "static musl build", "glibc": "gnu build", "musl": "musl build"}
    return names.get(asset.requires.libc or "", f"{asset.target} build")


def _with_floor(host: Host) -> str:
    """Return what to add to a fix: the platform for which lock takes a release that runs on *host*, if there is one."""
    platform = floor.platform_of(host)
    return f", with what it has: {platform}" if platform else ""


def _describe(host: Host) -> str:
    """Return *host* as a person would name it: ``linux x86_64, glibc 2.36 (Debian GNU/Linux 12 (bookworm))``."""
    arch = " ".join(part for part in (host.arch or "of unknown architecture", host.abi) if part)
    libc = f", {host.libc} {host.libc_version or 'of unknown version'}" if host.libc not in (None, "system") else ""
    return f"{host.os or 'an unknown system'} {arch}{libc}" + (f" ({host.distribution})" if host.distribution else "")
