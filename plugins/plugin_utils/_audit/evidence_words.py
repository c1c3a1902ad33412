# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who vouched for an asset, in words for somebody who reads no lock files? Evidence → lines. Pure; controller.

What is said is what was verified, and no more: that somebody signed bytes says nothing of what the bytes do.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING, Claim, Evidence, Proof

#: Kind of proof → what was verified: {signer} as the lock file names it, {file} what was signed.
_PROVEN = {
    "minisign": "The holder of the minisign key {signer} signed {file}",
    "ssh": "The holder of the SSH key {signer} signed {file}",
    "gpg": "The holder of the OpenPGP key {signer} signed {file}",
    "cosign": "The holder of the cosign key {signer} signed {file}",
    "sigstore": "{signer} signed {file}, with a certificate of Sigstore",
    "provenance": "{signer} states, with a certificate of Sigstore, that {file} was made there",
    "release": "GitHub states, signed, that {file} belongs to the release {tag} of {signer}",
}
_NOBODY = "Nobody vouches for it: its digest was computed when the lock file was made, from what was downloaded then."
_UNPINNED = "No lock file vouches for it: the receipt on the host names it, and nothing else is known of it."


def lines(evidence: Evidence, name: str, is_pinned: bool = True) -> tuple[str, ...]:
    """Return sentences that say what is known of the asset called *name*: the strongest evidence first, never none."""
    if not is_pinned:
        return (_UNPINNED,)
    if not evidence.claims and not evidence.proofs:
        return (_NOBODY,)
    return (*(_proven(proof, name) for proof in evidence.proofs), *_claimed(evidence))


def vouched_by(evidence: Evidence, is_pinned: bool = True) -> str:
    """Return in a few words, for a table, by whom the asset is vouched for: ``minisign, provenance``; ``nobody``."""
    if not is_pinned or not (evidence.claims or evidence.proofs):
        return "nobody"
    if evidence.proofs:
        return ", ".join(sorted({proof.kind for proof in evidence.proofs}))
    return "digest by its publisher, unsigned" if evidence.by_publisher else "another tool's lock file"


def _proven(proof: Proof, name: str) -> str:
    file = "it" if proof.file == name else f"{proof.file}, which states its digest"
    said = _PROVEN.get(proof.kind, f"{{signer}} vouches for {{file}} ({proof.kind})")
    return f"{said.format(signer=proof.signer, file=file, tag=proof.tag)}; verified when the lock file was made."


def _claimed(evidence: Evidence) -> Iterator[str]:
    unsigned = "" if evidence.proofs else "; nobody signed that"
    for claim in sorted(evidence.claims, key=lambda one: (not one.is_by_publisher, one)):
        yield f"{_who(claim)} {_digest_name(claim)}{unsigned if claim.is_by_publisher else ''}."


def _who(claim: Claim) -> str:
    if claim.origin == LISTING:
        return "The publisher's release listing states its"
    if claim.is_by_publisher:
        return f"The publisher's file {claim.origin} states its"
    return f"{claim.origin}, the lock file of another tool, has the same"


def _digest_name(claim: Claim) -> str:
    return claim.algorithm.upper().replace("SHA", "SHA-") if claim.algorithm.startswith("sha") else claim.algorithm
