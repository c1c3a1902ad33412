# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reasons are there to believe an asset's bytes? Claims before they are here, proofs after. On the controller.

A new kind of claim is one file here and one line in the table of claims.py. A new kind of proof is one file here and
one line in the table of proofs.py. This file has what the kinds are given and what they return.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release

#: Reads one of a release's own small files, a sums file for example: the asset → its bytes. Raises ReleaseError.
Fetch = Callable[[Asset], bytes]


@dataclass(frozen=True)
class Stated:
    """What one kind of claim found for an asset.

    claims  the digests that are stated of it
    gaps    why other statements of the publisher do not cover it, a line each: ``SHA256SUMS does not name it``
    """

    claims: tuple[Claim, ...] = ()
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Authorities:
    """Who is asked about signers, when a lock is made. Nobody is when a proof is verified again.

    trust_roots  returns more trust roots than the public one. Raises ReleaseError if they cannot be had
    log_entries  returns what the transparency log has about a file, by its SHA-256: the answer of its API. Raises
                 ReleaseError if it does not answer
    """

    trust_roots: Callable[[], tuple[bytes, ...]] = lambda: ()
    log_entries: Callable[[str], bytes] = lambda sha256: b"[]"


@dataclass(frozen=True)
class Held:
    """An asset whose bytes are here, at *path*, and their *digests*: SHA-256, and all that were claimed of them.

    *folder* is the manifest's, from which the paths of keys start.
    """

    asset: Asset
    release: Release
    path: Path
    digests: Mapping[str, str]
    folder: Path = Path()
    authorities: Authorities = Authorities()


@dataclass(frozen=True)
class Proven:
    """A proof, and the bytes of each part that is kept of it: ``signature``, ``sums``, ``key``, ``root``."""

    proof: Proof
    parts: Mapping[str, bytes]

    def contents(self) -> dict[str, bytes]:
        """Return the bytes of each part by their SHA-256, as the folder of evidence keeps them."""
        return {hashlib.sha256(content).hexdigest(): content for content in self.parts.values()}


#: Raises ReleaseError unless the signature is of these bytes, and by the identity. The bytes are what the kind needs
#: beside the signature, by the names in Proof.kept: ``key``, ``root``.
Verify = Callable[[Signed, Identity, Mapping[str, bytes]], Signer]


@dataclass(frozen=True)
class Kind:
    """One kind of proof.

    parts     the parts that an identity of this kind may have; the first is what a text alone means
    check     raises ReleaseError unless this kind can check against an identity
    prove     returns the proofs of the bytes that are held, checked against an identity. Raises ReleaseError where
              there is none, and for any that does not hold
    verify    verifies one of them again, from the parts that were kept of it
    """

    parts: tuple[str, ...]
    check: Callable[[Identity], None]
    prove: Callable[[Held, Identity, Fetch], tuple[Proven, ...]]
    verify: Verify
