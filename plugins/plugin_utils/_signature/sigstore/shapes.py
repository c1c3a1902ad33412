# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which shapes do publishers give signatures, and which bundles are in them? Pure; controller.

A file may be a sigstore bundle; what npm's and GitHub's APIs answer, a list of such; cosign's own bundle of before
2025 (sigstore/cosign, "cosign/bundle"); an attestation of a Python package index or all of a file's (PEP 740); a bare
signed statement, with its certificate or without (secure-systems-lab/dsse, slsa-framework/slsa-github-generator). It
may be JSON, or one JSON document a line. A look-up in the transparency log answers entries, which bare statements lack.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.bundle import (
    Bundle,
    Envelope,
    InclusionProof,
    LogEntry,
    MessageSignature,
    read_bundle,
    read_entry,
    read_envelope,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import (
    hexadecimal,
    items,
    octets,
    read_document,
    reading,
    refused,
    text,
    whole,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: GitHub's API takes attestations of up to 16 MB; the largest of 1,200 real files in our tests has 80 KB.
LIMIT_BYTES = 8 * 1024 * 1024
MOST_BUNDLES = 256
#: PEP 740 has an object with a list of objects with a list of attestations.
_MOST_NESTED = 8
_IN_TOTO = "application/vnd.in-toto+json"


def read_bundles(content: bytes) -> tuple[Bundle, ...]:
    """Return the bundles in a file, at least one. Raises ReleaseError if its shape is not known."""
    bundles = tuple(bundle for place in _documents(content) for bundle in _bundles_at(place, _MOST_NESTED))
    if not bundles:
        raise refused("the file of signatures holds none")
    if len(bundles) > MOST_BUNDLES:
        raise refused("the file of signatures holds too many", f"at most {MOST_BUNDLES}", str(len(bundles)))
    return bundles


def read_log_entries(content: bytes) -> tuple[LogEntry, ...]:
    """Return the entries that the transparency log's API answered: an object of them, or a list of such objects.

    Raises ReleaseError if it is neither (sigstore/rekor, "openapi.yaml": LogEntry).
    """
    top = read_document(content, "the answer of the transparency log", LIMIT_BYTES)
    answers = items(top, MOST_BUNDLES) if isinstance(top.value, list) else (top,)
    found = []
    for answer in answers:
        if not isinstance(answer.value, dict) or len(answer.value) > MOST_BUNDLES:
            raise answer.misfit("an object with the entries of the log by their identifiers")
        found += [_api_entry(answer.at(key)) for key in answer.value]
        if len(found) > MOST_BUNDLES:
            raise top.misfit(f"at most {MOST_BUNDLES} entries")
    return tuple(found)


def _documents(content: bytes) -> list[Place]:
    """Return the JSON documents in a file: it as a whole, or else each of its lines."""
    try:
        return [read_document(content, "the bundle", LIMIT_BYTES)]
    except ReleaseError:
        lines = [line for line in content[:LIMIT_BYTES].splitlines() if line.strip()]
        if len(content) > LIMIT_BYTES or not 1 < len(lines) <= MOST_BUNDLES:
            raise
        return [read_document(line, "a line of the bundle", LIMIT_BYTES) for line in lines]


def _bundles_at(place: Place, deep: int) -> list[Bundle]:
    """Return the bundles in *place*, which may be in lists in objects, at most so *deep*."""
    if isinstance(place.value, list) and deep:
        return [bundle for item in items(place, MOST_BUNDLES) for bundle in _bundles_at(item, deep - 1)]
    if not isinstance(place.value, dict) or not deep:
        raise place.misfit("an object")
    for key in ("attestation_bundles", "attestations"):
        if isinstance(place.value.get(key), list):
            return _bundles_at(place.at(key), deep - 1)
    for key, read in _SHAPES.items():
        if key in place.value:
            return [read(place)]
    if isinstance(place.value.get("bundle"), dict):
        return _bundles_at(place.at("bundle"), deep - 1)
    raise refused(
        "the file is no signature of a form that is known",
        expected="a sigstore bundle, cosign's bundle, an attestation of PEP 740, or a signed statement (DSSE)",
        found=shown(place.value),
        fix="ask the publisher for a sigstore bundle",
    )


def _dsse(place: Place) -> Bundle:
    """A bare signed statement; its signature may have the certificate beside it."""
    envelope = read_envelope(place)
    certificate = place.at("signatures").at(0).optional("cert")
    with reading("the signed statement"):  # JSON may hold halves of characters, which no bytes can be made of
        whole_text = json.dumps(place.value, separators=(",", ":"), ensure_ascii=False).encode()
    return Bundle(
        format="signed statement",
        version="0.1",
        certificate=certificate_in(text(certificate).encode()) if certificate else b"",
        key_hint="",
        signed=replace(envelope, sha256=hashlib.sha256(whole_text).hexdigest()),
    )


def _pep740(place: Place) -> Bundle:
    """An attestation of a Python package index (packaging.python.org, "Index hosted attestations")."""
    if place.value.get("version") != 1:
        raise refused("the attestation is of a version that is not known", "1", shown(place.value.get("version")))
    material, envelope = place.required("verification_material"), place.required("envelope")
    return Bundle(
        format="PEP 740 attestation",
        version="0.3",
        certificate=octets(material.required("certificate")),
        key_hint="",
        signed=Envelope(_IN_TOTO, octets(envelope.required("statement")), octets(envelope.required("signature"))),
        entries=tuple(read_entry(entry) for entry in items(material.required("transparency_entries"), MOST_BUNDLES)),
    )


def _cosign(place: Place) -> Bundle:
    """The bundle that cosign wrote by default before its version 3. It signs a file, or holds a whole statement."""
    signature, rekor = octets(place.required("base64Signature")), place.optional("rekorBundle")
    certificate = place.optional("cert")
    signed: Envelope | MessageSignature = MessageSignature(signature)
    if signature.lstrip().startswith(b"{"):
        signed = read_envelope(read_document(signature, "the signed statement", LIMIT_BYTES))
    return Bundle(
        format="cosign bundle",
        version="0.1",
        certificate=certificate_in(text(certificate).encode()) if certificate and certificate.value else b"",
        key_hint="",
        signed=signed,
        entries=(_cosign_entry(rekor),) if rekor else (),
    )


def _cosign_entry(place: Place) -> LogEntry:
    payload = place.required("Payload")
    return LogEntry(
        log_id=hexadecimal(payload.required("logID")),
        index=whole(payload.required("logIndex")),
        time=whole(payload.required("integratedTime")) or None,
        promise=octets(place.required("SignedEntryTimestamp")),
        proof=None,
        body=octets(payload.required("body")),
    )


def _api_entry(place: Place) -> LogEntry:
    verification = place.required("verification")
    proof = verification.optional("inclusionProof")
    return LogEntry(
        log_id=hexadecimal(place.required("logID")),
        index=whole(place.required("logIndex")),
        time=whole(place.required("integratedTime")) or None,
        promise=octets(verification.required("signedEntryTimestamp")),
        proof=_api_proof(proof) if proof and proof.value else None,
        body=octets(place.required("body")),
    )


def _api_proof(place: Place) -> InclusionProof:
    return InclusionProof(
        index=whole(place.required("logIndex")),
        tree_size=whole(place.required("treeSize")),
        root_hash=hexadecimal(place.required("rootHash")),
        hashes=tuple(map(hexadecimal, items(place.required("hashes"), 64))),
        checkpoint=text(place.required("checkpoint")),
    )


def certificate_in(content: bytes) -> bytes:
    """Return the first certificate in *content* as DER: it is PEM, or PEM in base64 as cosign writes it.

    A public key in its place is b"": then the key has to be pinned. Raises ReleaseError if it is neither.
    """
    cryptography = libraries.cryptography
    with reading("the signer's certificate"):
        if not content.lstrip().startswith(b"-----BEGIN"):
            content = base64.b64decode(content, validate=True)
        if content.lstrip().startswith(b"-----BEGIN PUBLIC KEY"):
            return b""
        certificate = cryptography.x509.load_pem_x509_certificate(content)
        return bytes(certificate.public_bytes(cryptography.hazmat.primitives.serialization.Encoding.DER))


#: The key that tells a shape → its reader.
_SHAPES = {
    "verificationMaterial": read_bundle,
    "verification_material": _pep740,
    "payloadType": _dsse,
    "base64Signature": _cosign,
    "mediaType": read_bundle,
}
