# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proofs of the last lock stay when a service does not answer? Those of the same bytes. Pure; controller.

A service that is down has not said that a file is not signed. What was proven about the same bytes, by an identity that
the manifest pins now, stays true, and can be verified again while what it was made of is kept. So it stays, and that is
said. Where there is no such proof, there is no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Proven
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import UnreachableError
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Pins
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool


@dataclass(frozen=True)
class Proofs:
    """The proofs of an asset, what those that are new were made of, by its SHA-256, and a *note*, "" for none."""

    proofs: tuple[Proof, ...]
    kept: Mapping[str, bytes]
    note: str = ""


def made(proven: Sequence[Proven]) -> Proofs:
    """Return what was *proven* now."""
    contents = {sha256: content for one in proven for sha256, content in one.contents().items()}
    return Proofs(tuple(one.proof for one in proven), contents)


def notes_of(found: Iterable[Proofs]) -> tuple[str, ...]:
    """Return what to tell of the proofs that were *found*, each note once."""
    return tuple(dict.fromkeys(one.note for one in found if one.note))


@dataclass(frozen=True)
class Before:
    """What was locked of a tool before, None if it was not, and whether what a proof was made of is still kept."""

    locked: LockedTool | None = None
    has_kept: Callable[[str], bool] = lambda sha256: True

    def asset(self, name: str, sha256: str) -> LockedAsset | None:
        """Return what was locked of the asset *name* with this digest, None if nothing was."""
        assets = self.locked.assets if self.locked else ()
        return next((asset for asset in assets if (asset.name, asset.sha256) == (name, sha256)), None)

    def proofs(self, name: str, sha256: str, pins: Pins, down: UnreachableError) -> Proofs:
        """Return the earlier proofs of the asset *name* with this digest, since a service is *down*.

        Raises UnreachableError, that one, unless they are all that *pins* demand now, and can still be verified.
        """
        asset = self.asset(name, sha256)
        if asset is not None:
            pinned = tuple(one for one in asset.evidence.proofs if one.identity in pins.get(one.kind, ()))
            evidence = Evidence((), pinned)
            if evidence.proves(pins) and all(map(self.has_kept, evidence.kept())):
                word = "proof of the last lock stays" if len(pinned) == 1 else "proofs of the last lock stay"
                return Proofs(pinned, {}, f"{down.service} does not answer; the {word}")
        raise down
