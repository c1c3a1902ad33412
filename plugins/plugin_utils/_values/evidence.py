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
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity, Pins, read_identity

#: The origin of what a publisher's release listing states.
LISTING = "listing"


@dataclass(frozen=True, order=True)
class Claim:
    """A digest that somebody states of an asset's bytes.

    algorithm  as in hashlib: ``sha256``
    value      the digest in lower-case hexadecimal
    origin     who states it: ``listing`` (the publisher's release listing), the URL of the file that states it, or the
               name of another tool's lock file
    """

    algorithm: str
    value: str
    origin: str

    @property
    def is_by_publisher(self) -> bool:
        """Whether its publisher states it. Whoever locked with another tool only saw these bytes, too."""
        return self.origin == LISTING or ":" in self.origin


@dataclass(frozen=True, order=True)
class Proof:
    """What was verified about the bytes of an asset, or of the sums file whose claim covers it.

    kind       a name in the table of kinds of proof: ``minisign``
    identity   what the manifest pins, and the proof was checked against: a public key
    signer     who made it, by the name that the kind has for that: the id of a key
    file       the name of the file whose bytes were verified: the asset's, or its sums file's
    sha256     the digest of that file
    origin     where the signature was found: the URL of the file that holds it, or the question that it answers
    kept       what is kept of it, so that it can be verified again: part → SHA-256 of its bytes, sorted. The parts are
               ``signature``, ``sums`` (the signed sums file), ``key`` and ``root`` (what the signature is checked with)
    statement  what the signer states beside the bytes, under the same signature; "" where that is nothing
    tag        of the release, if the proof is about that and its source knows of tags; else ""
    """

    kind: str
    identity: Identity
    signer: str
    file: str
    sha256: str
    origin: str
    kept: tuple[tuple[str, str], ...]
    statement: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Evidence:
    """The claims and the proofs of one asset."""

    claims: tuple[Claim, ...] = ()
    proofs: tuple[Proof, ...] = ()

    def __post_init__(self) -> None:
        """Put both in order, so that equal evidence is equal whoever found what first."""
        object.__setattr__(self, "claims", tuple(sorted(set(self.claims))))
        object.__setattr__(self, "proofs", tuple(sorted(set(self.proofs))))

    @property
    def by_publisher(self) -> tuple[Claim, ...]:
        """The claims of the publisher, without those of other tools' lock files."""
        return tuple(claim for claim in self.claims if claim.is_by_publisher)

    def proves(self, pins: Pins) -> bool:
        """Return whether there is a proof of each kind in *pins*, checked against one of the identities there."""
        proven = {(proof.kind, proof.identity) for proof in self.proofs}
        return all(any((kind, one) in proven for one in identities) for kind, identities in pins.items())

    def kept(self) -> set[str]:
        """Return the SHA-256 digests of all that is kept so that the proofs can be verified again."""
        return {sha256 for proof in self.proofs for _part, sha256 in proof.kept}

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Return the evidence as lock file, receipt and results have it. What is empty is not written."""
        return {"claims": [asdict(claim) for claim in self.claims], "proofs": list(map(_emit_proof, self.proofs))}


def _emit_proof(proof: Proof) -> dict[str, Any]:
    emitted = {**asdict(proof), "identity": proof.identity.as_dict(), "kept": dict(proof.kept)}
    return {key: value for key, value in emitted.items() if value}


def read_evidence(place: Place) -> Evidence:
    """Return the evidence that stands at *place* of a lock file or receipt. Raises MisfitError for any other form."""
    fields = place.fields("claims proofs")
    return Evidence(fields["claims"].items(_read_claim), fields["proofs"].items(_read_proof))


def _read_claim(place: Place) -> Claim:
    fields = place.fields("algorithm value origin")
    return Claim(fields["algorithm"].text(forms.WORD), fields["value"].text(forms.HEXADECIMAL), fields["origin"].text())


def _read_proof(place: Place) -> Proof:
    fields = place.fields("kind identity signer file sha256 origin kept", "statement tag")
    return Proof(
        kind=fields["kind"].text(forms.WORD),
        identity=read_identity(fields["identity"]),
        signer=fields["signer"].text(),
        file=fields["file"].text(forms.FILE_NAME),
        sha256=fields["sha256"].text(forms.SHA256),
        origin=fields["origin"].text(),
        kept=_read_kept(fields["kept"]),
        statement=fields["statement"].text() if "statement" in fields else "",
        tag=fields["tag"].text() if "tag" in fields else "",
    )


def _read_kept(place: Place) -> tuple[tuple[str, str], ...]:
    kept = place.mapping(lambda part: part.text(forms.SHA256), least=1, keys=forms.WORD)
    return tuple(sorted(kept.items()))
