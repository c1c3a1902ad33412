# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a tool's locked assets does a host get, and why that one? Pure; on the controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor, target
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed, Host, assuming
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Prefer

#: So many reasons are named why a tool does not run on a host.
MOST_REASONS = 3


@dataclass(frozen=True)
class Choice:
    """The asset of one tool that one host gets, and the reason in one line.

    is_surprising  whether somebody who knows the host would expect another: its own build does not run there, or this
                   one is emulated, or depends on what the user assumes
    """

    asset: LockedAsset
    reason: str
    is_surprising: bool = False


class UnsupportedError(ReleaseError):
    """No locked asset of a tool starts on a host. *tool* is its name and version, *reason* why none does."""

    def __init__(self, tool: str, reason: str, expected: str, fix: str) -> None:
        """Take the *tool*, the *reason*, what was *expected*, and what would *fix* it."""
        super().__init__(f"{tool} does not run on this host: {reason}", expected, fix=fix)
        self.tool = tool
        self.reason = reason


def together(refusals: Sequence[UnsupportedError]) -> ReleaseError:
    """Return the one error for all *refusals* of one host, so that nobody has to try again for each of them."""
    first = refusals[0]
    if len(refusals) == 1:
        return first
    told = "; ".join(f"{error.tool} ({error.reason})" for error in refusals)
    return ReleaseError(f"{len(refusals)} tools do not run on this host: {told}", first.expected, fix=first.fix)


def choose(name: str, tool: LockedTool, host: Host, prefer: Prefer = "native") -> Choice:
    """Return the best of *tool*'s assets that starts on *host*. Raises ReleaseError with all reasons if none does."""
    verdicts = [(asset, target.admissible(asset.requires, host)) for asset in tool.assets]
    ranked = sorted(verdicts, key=lambda pair: (target.preference(pair[0].requires, host, prefer), pair[0].name))
    admitted = [(asset, verdict) for asset, verdict in ranked if verdict.is_admissible]
    if not admitted:
        raise _unsupported(name, tool, ranked, host)
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


def _unsupported(
    name: str, tool: LockedTool, refused: Sequence[tuple[LockedAsset, target.Verdict]], host: Host
) -> UnsupportedError:
    """Return the error for a *tool* all of whose assets were *refused*: with the reasons of those for its platform."""
    near = [pair for pair in refused if _is_native(pair[0], host)]
    reasons = dict.fromkeys(verdict.reason for _asset, verdict in near or refused)
    reason = listed(reasons, MOST_REASONS) or "the lock file has no asset of it"
    fix = _fix([asset for asset, _verdict in near], tool, host)
    return UnsupportedError(f"{name} {tool.version}", reason, f"a program for {_describe(host)}", fix)


def _fix(near: Sequence[LockedAsset], tool: LockedTool, host: Host) -> str:
    """Return what helps where the assets *near* of the *tool*, for the *host*'s system and processor, do not run."""
    platform = floor.platform_of(host)
    name_it = f"name {platform} in the manifest's platforms and lock again"
    if platform and not near:
        return name_it
    if platform and not any(floor.is_met(asset.requires, platform.floor) for asset in near):
        widen = f"allow other versions than {tool.version} in the manifest, " if _is_exact(tool.constraint) else ""
        return f"{widen}{name_it}: lock then takes the newest release that runs there"
    return "choose a version, or an asset, that needs less, and lock again"


def _is_exact(constraint: str) -> bool:
    """Tell whether the *constraint* of a manifest names one version, beside which lock can take no other."""
    return constraint.removeprefix("==")[:1].isdigit() and "*" not in constraint


def _is_native(asset: LockedAsset, host: Host) -> bool:
    return (asset.requires.os, asset.requires.arch) == (host.os, host.arch)


def _build(asset: LockedAsset) -> str:
    if asset.requires.is_script:
        return "script" if asset.target == "any" else f"script for {asset.target}"
    names = {"static": "static musl build", "glibc": "gnu build", "musl": "musl build"}
    return names.get(asset.requires.libc or "", f"{asset.target} build")


def _describe(host: Host) -> str:
    """Return *host* as a person would name it: ``linux x86_64, glibc 2.36 (Debian GNU/Linux 12 (bookworm))``."""
    arch = " ".join(part for part in (host.arch or "of unknown architecture", host.abi) if part)
    libc = f", {host.libc} {host.libc_version or 'of unknown version'}" if host.libc not in (None, "system") else ""
    return f"{host.os or 'an unknown system'} {arch}{libc}" + (f" ({host.distribution})" if host.distribution else "")
