# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a sigstore bundle hold? Its value types, and the reader of the format. Pure; controller.

sigstore/protobuf-specs, "sigstore_bundle.proto": versions 0.1 to 0.3. What other formats carry becomes such a bundle
in wrappers.py. Nothing is verified here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import (
    items,
    octets,
    reading,
    refused,
    text,
    whole,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: mediaType → the version of the format.
VERSIONS = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "0.3",
}
#: As sigstore-go has it; one is usual.
MOST_ENTRIES = 32
MOST_TIMESTAMPS = 32
MOST_CERTIFICATES = 10
#: A log of 2^64 entries has a proof of 64 hashes.
_MOST_HASHES = 64


@dataclass(frozen=True)
class InclusionProof:
    """That the entry at *index* is in the log's tree of *tree_size* entries, whose root the *checkpoint* signs."""

    index: int
    tree_size: int
    root_hash: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True)
class LogEntry:
    """An entry of a transparency log.

    log_id      which log
    index       where it stands in it
    time        when the log took it, in seconds since 1970; None if the log states no time
    promise     the log's signature of all that, b"" if there is none (the signed entry timestamp)
    proof       that it is in the log
    body        the entry itself, as the log holds it
    kind        of body: ``dsse 0.0.1``; "" where that is not stated
    """

    log_id: bytes
    index: int
    time: int | None
    promise: bytes
    proof: InclusionProof | None
    body: bytes
    kind: str = ""


@dataclass(frozen=True)
class Envelope:
    """A signed statement (secure-systems-lab/dsse, "envelope.md"). *digest* is that of its JSON, where it is known."""

    payload_type: str
    payload: bytes
    signature: bytes
    sha256: str = ""

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is made of: the pre-authentication encoding of the protocol."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


@dataclass(frozen=True)
class MessageSignature:
    """A signature of a file, and its SHA-256 as the bundle states it, b"" where it does not."""

    signature: bytes
    stated_sha256: bytes = b""


@dataclass(frozen=True)
class Bundle:
    """A signature of something with all that is needed to verify it.

    format        in words, for people: ``sigstore bundle 0.3``
    version       of the bundle, which decides what it must have
    certificate   the signer's, in DER; b"" where a key signed
    key_hint      which key signed, where that is said
    signed        what was signed: a statement, or a file
    """

    format: str
    version: str
    certificate: bytes
    key_hint: str
    signed: Envelope | MessageSignature
    entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = ()


def read_bundle(place: Place) -> Bundle:
    """Return the sigstore bundle at *place*. Raises ReleaseError if there is none, or of an unknown version."""
    media_type = text(place.required("mediaType"))
    if media_type not in VERSIONS:
        raise refused(
            "the bundle is of a version that is not known",
            expected="a sigstore bundle of version 0.1, 0.2 or 0.3",
            found=shown(media_type),
            fix="ask the publisher for one of these, or look for a newer version of this collection",
        )
    version, material = VERSIONS[media_type], place.required("verificationMaterial")
    timestamps = material.optional("timestampVerificationData")
    rfc3161 = items(timestamps.optional("rfc3161Timestamps") if timestamps else None, MOST_TIMESTAMPS)
    hint = material.optional("publicKey")
    key_hint = hint.optional("hint") if hint else None
    return Bundle(
        format=f"sigstore bundle {version}",
        version=version,
        certificate=_read_certificate(material),
        key_hint=text(key_hint) if key_hint else "",
        signed=_read_signed(place),
        entries=tuple(map(read_entry, items(material.optional("tlogEntries"), MOST_ENTRIES))),
        timestamps=tuple(octets(timestamp.required("signedTimestamp")) for timestamp in rfc3161),
    )


def _read_certificate(material: Place) -> bytes:
    """Return the signer's certificate, b"" where a key signed.

    The others of a chain are not used: the trust root has them. npm's bundles of before 2024 hold the root, too, though
    they should not. So that is no reason to refuse one, but the chain has to be one.

    Raises ReleaseError if there is neither a certificate nor a word about a key.
    """
    certificate, chain = material.optional("certificate"), material.optional("x509CertificateChain")
    kinds = [place for place in (certificate, chain, material.optional("publicKey")) if place]
    if len(kinds) != 1:
        raise material.misfit("one of certificate, x509CertificateChain and publicKey")
    if chain:
        certificates = items(chain.required("certificates"), MOST_CERTIFICATES)
        if not certificates:
            raise chain.misfit("at least one certificate")
        _refuse_disorder(chain, [octets(place.required("rawBytes")) for place in certificates])
        certificate = certificates[0]
    return octets(certificate.required("rawBytes")) if certificate else b""


def _refuse_disorder(place: Place, chain: list[bytes]) -> None:
    """Raise ReleaseError unless each certificate of the *chain* names the next one as its issuer."""
    with reading("a certificate of the bundle"):
        certificates = [libraries.cryptography.x509.load_der_x509_certificate(content) for content in chain]
    for issued, issuer in pairwise(certificates):
        if issued.issuer != issuer.subject:
            issued_by = issued.issuer.rfc4514_string()
            raise place.misfit(f"the certificate of {shown(issued_by)}", shown(issuer.subject.rfc4514_string()))


def _read_signed(place: Place) -> Envelope | MessageSignature:
    envelope, message = place.optional("dsseEnvelope"), place.optional("messageSignature")
    if (envelope is None) == (message is None):
        raise place.misfit("one of dsseEnvelope and messageSignature")
    if envelope:
        return read_envelope(envelope)
    message = place.required("messageSignature")
    digest = message.optional("messageDigest")
    is_sha256 = digest is not None and text(digest.required("algorithm")) == "SHA2_256"
    stated = octets(message.required("messageDigest", "digest")) if is_sha256 else b""
    return MessageSignature(octets(message.required("signature")), stated)


def read_envelope(place: Place) -> Envelope:
    """Return the DSSE envelope at *place*. Raises ReleaseError if it is none, or has several signatures."""
    signatures = items(place.required("signatures"), 1)
    if not signatures:
        raise place.misfit("one signature")
    return Envelope(
        text(place.required("payloadType")), octets(place.required("payload")), octets(signatures[0].required("sig"))
    )


def read_entry(place: Place) -> LogEntry:
    """Return the entry of a transparency log at *place*. Raises ReleaseError if it is none."""
    kind, time = place.optional("kindVersion"), place.optional("integratedTime")
    promise, proof = place.optional("inclusionPromise"), place.optional("inclusionProof")
    index = place.optional("logIndex")
    return LogEntry(
        log_id=octets(place.required("logId", "keyId")),
        index=whole(index) if index else 0,
        time=(whole(time) or None) if time else None,
        promise=octets(promise.required("signedEntryTimestamp")) if promise else b"",
        proof=_read_proof(proof) if proof and proof.value else None,
        body=octets(place.required("canonicalizedBody")),
        kind=f"{text(kind.required('kind'))} {text(kind.required('version'))}" if kind else "",
    )


def _read_proof(place: Place) -> InclusionProof | None:
    """Return the proof, None if it has no checkpoint, without which it proves nothing."""
    checkpoint = place.optional("checkpoint")
    if checkpoint is None:
        return None
    index = place.optional("logIndex")
    return InclusionProof(
        index=whole(index) if index else 0,
        tree_size=whole(place.required("treeSize")),
        root_hash=octets(place.required("rootHash")),
        hashes=tuple(map(octets, items(place.optional("hashes"), _MOST_HASHES))),
        checkpoint=text(checkpoint.required("envelope")),
    )
