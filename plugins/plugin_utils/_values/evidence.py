# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a reason to believe the bytes of an asset? The value types. Pure; controller.

A claim is known before the bytes are here, and the bytes are compared with it. A proof is about bytes that are here.
A claim says nothing of who made it; whoever can replace an asset can usually replace the file that states its digest.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place


@dataclass(frozen=True, order=True)
class Claim:
    """A digest that somebody states of an asset's bytes.

    algorithm  as in hashlib: ``sha256``
    value      the digest in lower-case hexadecimal
    origin     who states it: ``listing`` (the publisher's release listing), or the URL of the file that states it
    """

    algorithm: str
    value: str
    origin: str


@dataclass(frozen=True, order=True)
class Proof:
    """What was verified about the bytes of an asset, or of the sums file whose claim covers it.

    kind       a name in the table of kinds of proof: ``minisign``
    identity   what the manifest pins, and the proof was checked against: a public key
    signer     who made it, by the name that the kind has for that: the id of a key
    file       the name of the file whose bytes were verified: the asset's, or its sums file's
    sha256     the digest of that file
    origin     the URL of the file that holds the signature
    statement  what the signer states beside the bytes, under the same signature; "" where that is nothing
    """

    kind: str
    identity: str
    signer: str
    file: str
    sha256: str
    origin: str
    statement: str = ""


@dataclass(frozen=True)
class Evidence:
    """The claims and the proofs of one asset."""

    claims: tuple[Claim, ...] = ()
    proofs: tuple[Proof, ...] = ()

    def __post_init__(self) -> None:
        """Put both in order, so that equal evidence is equal whoever found what first."""
        object.__setattr__(self, "claims", tuple(sorted(set(self.claims))))
        object.__setattr__(self, "proofs", tuple(sorted(set(self.proofs))))

    def proves(self, kind: str, identity: str) -> bool:
        """Return whether there is a proof of this *kind*, checked against this *identity*."""
        return any((proof.kind, proof.identity) == (kind, identity) for proof in self.proofs)

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Return the evidence as lock file, receipt and results have it. An empty statement is not written."""
        proofs = [{key: value for key, value in asdict(proof).items() if value} for proof in self.proofs]
        return {"claims": [asdict(claim) for claim in self.claims], "proofs": proofs}


def read_evidence(place: Place) -> Evidence:
    """Return the evidence that stands at *place* of a lock file or receipt. Raises MisfitError for any other form."""
    fields = place.fields("claims proofs")
    return Evidence(fields["claims"].items(_read_claim), fields["proofs"].items(_read_proof))


def _read_claim(place: Place) -> Claim:
    fields = place.fields("algorithm value origin")
    return Claim(fields["algorithm"].text(forms.WORD), fields["value"].text(forms.HEXADECIMAL), fields["origin"].text())


def _read_proof(place: Place) -> Proof:
    fields = place.fields("kind identity signer file sha256 origin", "statement")
    return Proof(
        kind=fields["kind"].text(forms.WORD),
        identity=fields["identity"].text(),
        signer=fields["signer"].text(),
        file=fields["file"].text(forms.FILE_NAME),
        sha256=fields["sha256"].text(forms.SHA256),
        origin=fields["origin"].text(),
        statement=fields["statement"].text() if "statement" in fields else "",
    )
