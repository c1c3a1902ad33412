# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the entry of the transparency log about this very signature, by this very signer? Pure; controller.

The log holds a digest of what was signed, the signature, and who made it, in a form of its own for each kind of entry:
hashedrekord and dsse of Rekor v1 and v2, intoto (sigstore/rekor, "pkg/types"; rekor-tiles, "docs"). Without this
comparison, any entry of the log would do for any signature (CVE-2022-36056).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import keys
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.bundle import Envelope, LogEntry
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import (
    hexadecimal,
    items,
    octets,
    read_document,
    reading,
    refused,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: The entry of an ``intoto 0.0.1`` may hold the whole statement.
LIMIT_BYTES = 8 * 1024 * 1024
_HASH_OF_LOG = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


@dataclass(frozen=True)
class Signature:
    """A signature as the log should hold it.

    certificate  the signer's, in DER, b"" if the pinned key signed
    spki         the signer's public key
    digests      of what was signed, if it is a file
    envelope     what was signed, if it is a statement
    """

    signature: bytes
    certificate: bytes
    spki: bytes
    digests: Mapping[str, str]
    envelope: Envelope | None


def kind_of(entry: LogEntry) -> str:
    """Return the kind of the entry, by its body: ``intoto 0.0.2``. Raises ReleaseError if it says none."""
    top = _read(entry.body)
    return f"{text(top.required('kind'))} {text(top.required('apiVersion'))}"


def certificate_of(entry: LogEntry) -> bytes:
    """Return the signer's certificate that *entry* holds, in DER; b"" if it holds a key, or is not of a statement."""
    spec = _read(entry.body).optional("spec") or _read(b"{}")
    nodes = [spec.optional("publicKey"), spec.optional("content"), spec.optional("signatures")]
    holders = [*items(nodes[2], 1)]
    envelope = nodes[1].optional("envelope") if nodes[1] else None
    holders += items(envelope.optional("signatures"), 1) if envelope else ()
    found = [nodes[0], *(holder.optional(key) for holder in holders for key in ("publicKey", "verifier"))]
    pem = next((octets(place) for place in found if place), b"")
    if not pem.startswith(b"-----BEGIN CERTIFICATE"):
        return b""
    cryptography = libraries.cryptography
    with reading("the certificate in the entry of the transparency log"):
        certificate = cryptography.x509.load_pem_x509_certificate(pem)
        return bytes(certificate.public_bytes(cryptography.hazmat.primitives.serialization.Encoding.DER))


def refuse_other_signature(entry: LogEntry, signature: Signature) -> None:
    """Raise ReleaseError unless *entry* is about *signature*, or if its kind is not known."""
    kind, top = kind_of(entry), _read(entry.body)
    if entry.kind not in ("", kind):
        stated = shown(entry.kind)
        raise refused("the entry of the transparency log is of another kind than stated", stated, shown(kind))
    known = _ABOUT_STATEMENTS if signature.envelope else _ABOUT_FILES
    if kind not in known:
        what = "a statement" if signature.envelope else "a file"
        raise refused(
            f"the entry of the transparency log is not of a kind that tells of {what}",
            expected=" or ".join(known),
            found=shown(kind),
        )
    try:
        is_about = known[kind](top.required("spec"), signature)
    except ReleaseError as error:
        raise refused("the entry of the transparency log cannot be read", found=error.what) from error
    if not is_about:
        raise refused(
            "the entry of the transparency log is about another signature",
            expected="an entry with this signature, its signer, and the digest of what was signed",
            found=f"another {kind}",
        )


def _read(body: bytes) -> Place:
    return read_document(body, "the entry of the transparency log", LIMIT_BYTES)


def _is_hashedrekord_1(spec: Place, signature: Signature) -> bool:
    digest = spec.required("data", "hash")
    return (
        text(digest.required("value")) == signature.digests.get(text(digest.required("algorithm")))
        and octets(spec.required("signature", "content")) == signature.signature
        and _is_signer(octets(spec.required("signature", "publicKey", "content")), signature)
    )


def _is_hashedrekord_2(spec: Place, signature: Signature) -> bool:
    """Rekor v2. Of a statement, it holds the digest of what the signature is made of."""
    spec = spec.required("hashedRekordV002")
    algorithm = _HASH_OF_LOG.get(text(spec.required("data", "algorithm")), "")
    digests = signature.digests
    if signature.envelope and algorithm:
        digests = {algorithm: hashlib.new(algorithm, signature.envelope.signed_bytes).hexdigest()}
    return octets(spec.required("data", "digest")).hex() == digests.get(algorithm) and _is_verifier(
        spec.required("signature"), signature
    )


def _is_dsse_1(spec: Place, signature: Signature) -> bool:
    signatures = items(spec.required("signatures"), 1)
    return (
        _is_payload(spec.required("payloadHash"), signature)
        and len(signatures) == 1
        and octets(signatures[0].required("signature")) == signature.signature
        and _is_signer(octets(signatures[0].required("verifier")), signature)
    )


def _is_dsse_2(spec: Place, signature: Signature) -> bool:
    """Rekor v2, as its first releases kept statements."""
    spec = spec.required("dsseV002")
    signatures = items(spec.required("signatures"), 1)
    payload = signature.envelope.payload if signature.envelope else b""
    return (
        text(spec.required("payloadHash", "algorithm")) == "SHA2_256"
        and octets(spec.required("payloadHash", "digest")) == hashlib.sha256(payload).digest()
        and len(signatures) == 1
        and _is_verifier(signatures[0], signature)
    )


def _is_intoto_1(spec: Place, signature: Signature) -> bool:
    """The first kind for statements: of the signature, it has only the digest of the envelope that was sent."""
    payload_hash = spec.optional("content")
    payload_hash = payload_hash.optional("payloadHash") if payload_hash else None
    if payload_hash:
        is_about = _is_payload(payload_hash, signature)
    else:
        envelope = signature.envelope.sha256 if signature.envelope else ""
        is_about = bool(envelope) and hexadecimal(spec.required("content", "hash", "value")).hex() == envelope
    return is_about and _is_signer(octets(spec.required("publicKey")), signature)


def _is_intoto_2(spec: Place, signature: Signature) -> bool:
    """The kind that npm, Maven and Gradle used until 2024. It holds the signature in base64 of base64."""
    signatures = items(spec.required("content", "envelope", "signatures"), 1)
    envelope_type = spec.required("content", "envelope", "payloadType")
    if len(signatures) != 1 or signature.envelope is None:
        return False
    try:
        logged = base64.b64decode(octets(signatures[0].required("sig")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise signatures[0].misfit("a signature in base64 of base64") from error
    return (
        _is_payload(spec.required("content", "payloadHash"), signature)
        and text(envelope_type) == signature.envelope.payload_type
        and logged == signature.signature
        and _is_signer(octets(signatures[0].required("publicKey")), signature)
    )


def _is_payload(place: Place, signature: Signature) -> bool:
    payload = signature.envelope.payload if signature.envelope else b""
    is_sha256 = text(place.required("algorithm")) == "sha256"
    return is_sha256 and hexadecimal(place.required("value")) == hashlib.sha256(payload).digest()


def _is_verifier(place: Place, signature: Signature) -> bool:
    """Return whether a signature of Rekor v2 is ours: its bytes, and who made it."""
    certificate = place.required("verifier").optional("x509Certificate")
    signer = octets((certificate or place.required("verifier", "publicKey")).required("rawBytes"))
    ours = signature.certificate if certificate else signature.spki
    return signer == ours and octets(place.required("content")) == signature.signature


def _is_signer(pem: bytes, signature: Signature) -> bool:
    """Return whether *pem* is the certificate, or where there is none, the public key that made our signature."""
    cryptography = libraries.cryptography
    if not signature.certificate:
        return keys.spki(keys.public_key(pem)) == signature.spki
    with reading("the certificate in the entry of the transparency log"):
        certificate = cryptography.x509.load_pem_x509_certificate(pem)
        return certificate.public_bytes(cryptography.hazmat.primitives.serialization.Encoding.DER) == (
            signature.certificate
        )


_ABOUT_FILES: dict[str, Callable[[Place, Signature], bool]] = {
    "hashedrekord 0.0.1": _is_hashedrekord_1,
    "hashedrekord 0.0.2": _is_hashedrekord_2,
}
_ABOUT_STATEMENTS: dict[str, Callable[[Place, Signature], bool]] = {
    "dsse 0.0.1": _is_dsse_1,
    "dsse 0.0.2": _is_dsse_2,
    "hashedrekord 0.0.2": _is_hashedrekord_2,
    "intoto 0.0.1": _is_intoto_1,
    "intoto 0.0.2": _is_intoto_2,
}
