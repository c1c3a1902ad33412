# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a diff show of a tool, as it is on a host and as it will be? Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset


@dataclass(frozen=True)
class Appearance:
    """What a user sees of a tool that is on a host. What a receipt that cannot be read would tell is None.

    programs, files  paths of the links, or of what stands for them
    capabilities     ``ping cap_net_raw=ep``, by the names of programs
    state            what is wrong with the tool, or too much of it; "" where nothing is
    """

    version: str | None
    target: str | None
    sha256: str | None
    programs: tuple[str, ...]
    files: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    state: str = ""

    def lines(self) -> list[str]:
        """Return a line for each field, in their order; none for what only some tools have and this one has not."""
        lines = [f"version: {self.version}", f"target: {self.target}", f"sha256: {self.sha256}"]
        lines.append(f"programs: {' '.join(self.programs)}")
        if self.files:
            lines.append(f"files: {' '.join(self.files)}")
        if self.capabilities:
            lines.append(f"capabilities: {' '.join(self.capabilities)}")
        return [*lines, f"state: {self.state}"] if self.state else lines


def as_installed(name: str, state: State) -> Appearance | None:
    """Return how the tool *name* appears on the host; None where no tree of it is active, or could be looked into."""
    tree = state.described.get((name, state.active.get(name, "")))
    if tree is None:
        return None
    receipt = tree.receipt
    return Appearance(
        version=receipt.version if receipt else None,
        target=receipt.target if receipt else None,
        sha256=receipt.sha256 if receipt else None,
        programs=_places(tree.programs, state),
        files=_places(receipt.files if receipt else (), state),
        capabilities=_words(receipt.capabilities if receipt else {}),
    )


def as_pinned(version: str, asset: LockedAsset, state: State, capabilities: Mapping[str, str]) -> Appearance:
    """Return how a tool appears once *asset* of its *version* is installed with the *capabilities* that are ordered."""
    return Appearance(
        version=version,
        target=asset.target,
        sha256=asset.sha256,
        programs=_places(asset.executables, state),
        files=_places(asset.files, state),
        capabilities=_words(capabilities),
    )


def _places(names: Iterable[str], state: State) -> tuple[str, ...]:
    return tuple(state.place_of(name) for name in sorted(names))


def _words(capabilities: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name} {text}" for name, text in sorted(capabilities.items()))
