# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of keyless signature: one that holds, and those that must not. Made by a little sigstore of our own."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import sys
from datetime import timedelta

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import (
    TrustRoots,
    UnprovenError,
    second_opinion,
    shapes,
    verify,
    verify_each,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    CONTENT,
    DIGESTS,
    PROVENANCE,
    SIGNED_AT,
    WORKFLOW,
    LittleSigstore,
    again,
    as_api_answer,
    as_cosign,
    as_pep740,
    b64,
    bundle,
    der,
    hashedrekord,
    key,
    logged,
    pem,
    public_pem,
    signed_envelope,
    statement,
)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

OURS = LittleSigstore()
ROOTS = TrustRoots.of(OURS.trusted_root())
LOG_KINDS = ("dsse 0.0.1", "dsse 0.0.2", "hashedrekord 0.0.2", "intoto 0.0.1", "intoto 0.0.2")
OTHER = {"sha256": hashlib.sha256(b"other").hexdigest()}


def verified(document, digests=DIGESTS, roots=ROOTS, **named):
    return verify(json.dumps(document).encode(), roots, digests, **named)


def refusal(document, digests=DIGESTS, roots=ROOTS, **named):
    """Return why *document* is refused: neither verified, nor merely unproven."""
    with pytest.raises(ReleaseError) as caught:
        verified(document, digests, roots, **named)
    error = caught.value
    assert not isinstance(error, UnprovenError), error
    assert error.fix
    assert str(error).replace("\n", "").isprintable()
    return error


def unproven(document, **named):
    with pytest.raises(UnprovenError) as caught:
        verified(document, **named)
    assert caught.value.fix
    return caught.value


def changed(document, *way, to):
    """Return *document* with another value at the end of *way*; None removes it."""
    document = copy.deepcopy(document)
    *steps, last = way
    place = document
    for step in steps:
        place = place[step]
    if to is None:
        del place[last]
    else:
        place[last] = to(place[last]) if callable(to) else to
    return document


def flipped(text):
    """Return bytes in base64 with one bit of the last one changed."""
    content = base64.b64decode(text)
    return b64(content[:-1] + bytes([content[-1] ^ 1]))


SHAPES = {
    "bundle of a file": OURS.signed_file(),
    "cosign's older bundle": as_cosign(OURS.signed_file()),
    "PEP 740": as_pep740(OURS.signed_statement()),
    **{f"statement, {kind}": OURS.signed_statement(kind=kind) for kind in LOG_KINDS if "0.0.2" not in kind},
    "statement, intoto 0.0.2": OURS.signed_statement(kind="intoto 0.0.2"),
}


@pytest.mark.parametrize("document", SHAPES.values(), ids=SHAPES)
def test_a_signature_that_holds_says_who_signed_what_and_when(document):
    certified = verified(document)
    assert certified.san == WORKFLOW
    assert certified.issuer == "https://token.actions.githubusercontent.com"
    assert (certified.repository, certified.workflow) == ("owner/tool", ".github/workflows/release.yml")
    assert (certified.ref, certified.commit) == ("refs/tags/v1.0", "c0" * 20)
    assert certified.signed_at == SIGNED_AT
    assert certified.root_sha256 == hashlib.sha256(OURS.trusted_root()).hexdigest()
    is_statement = "base64Signature" not in document and "messageSignature" not in document
    assert (certified.statement == statement()) == is_statement
    assert certified.predicate_type == (PROVENANCE if is_statement else "")


@pytest.mark.parametrize("document", SHAPES.values(), ids=SHAPES)
def test_a_signature_of_another_file_is_refused(document):
    assert re.search("another file|other files|other bytes", refusal(document, OTHER).what)


@pytest.mark.parametrize("document", SHAPES.values(), ids=SHAPES)
def test_another_sigstore_proves_nothing(document):
    """Its authority has the name of ours, and that is all."""
    other = TrustRoots.of(LittleSigstore("other").trusted_root())
    assert unproven(document, roots=other).lacks == "trust root"
    assert "none was given" in unproven(document, roots=TrustRoots(())).expected


FIELDS = {
    "signature of a file": (OURS.signed_file(), ("messageSignature", "signature"), flipped),
    "digest of a file": (OURS.signed_file(), ("messageSignature", "messageDigest", "digest"), flipped),
    "payload": (OURS.signed_statement(), ("dsseEnvelope", "payload"), lambda text: b64(base64.b64decode(text) + b" ")),
    "type of payload": (OURS.signed_statement(), ("dsseEnvelope", "payloadType"), "application/json"),
    "signature of a statement": (OURS.signed_statement(), ("dsseEnvelope", "signatures", 0, "sig"), flipped),
    "certificate": (OURS.signed_file(), ("verificationMaterial", "certificate", "rawBytes"), flipped),
    **{
        f"{'.'.join(map(str, way))} of the log, {kind}": (
            OURS.signed_statement(kind=kind),
            ("verificationMaterial", "tlogEntries", 0, *way),
            to,
        )
        for kind in ("dsse 0.0.1", "intoto 0.0.2")
        for way, to in (
            (("logIndex",), "8"),
            (("integratedTime",), lambda text: str(int(text) + 1)),
            (("logId", "keyId"), flipped),
            (("kindVersion", "version"), "0.0.3"),
            (("kindVersion", "kind"), "ds\x1b[31m"),
            (("inclusionPromise", "signedEntryTimestamp"), flipped),
            (("inclusionProof", "hashes", 0), flipped),
            (("inclusionProof", "hashes"), []),
            (("inclusionProof", "logIndex"), "0"),
            (("inclusionProof", "treeSize"), "4"),
            (("inclusionProof", "rootHash"), flipped),
            (
                ("inclusionProof", "checkpoint", "envelope"),
                lambda text: text.replace("log.example - 1", "log.example - 2"),
            ),
            (("inclusionProof", "checkpoint", "envelope"), lambda text: text.replace("\n3\n", "\n4\n")),
            (("inclusionProof",), None),
            (("canonicalizedBody",), lambda text: b64(base64.b64decode(text) + b" ")),
        )
    },
}


@pytest.mark.parametrize(("document", "way", "to"), FIELDS.values(), ids=FIELDS)
def test_one_changed_field_is_refused(document, way, to):
    assert verified(document)
    refusal(changed(document, *way, to=to))


@pytest.mark.parametrize("kind", LOG_KINDS)
def test_an_entry_of_the_log_about_another_signature_is_refused(kind):
    """The entry is in the log. It is by the same signer, and about the same statement, but signed another time."""
    envelope, certificate = signed_envelope(statement()), OURS.certificate()
    entry = OURS.entry(logged(envelope, pem(certificate), kind))
    assert verified(bundle(der(certificate), [entry], dsseEnvelope=envelope))
    other = signed_envelope(statement(predicate={"by": "somebody"}))
    assert "about another signature" in refusal(bundle(der(certificate), [entry], dsseEnvelope=other)).what


@pytest.mark.parametrize("kind", LOG_KINDS)
def test_an_entry_of_the_log_by_another_signer_is_refused(kind):
    envelope, certificate = signed_envelope(statement()), OURS.certificate()
    other = OURS.certificate("https://github.com/owner/other/.github/workflows/release.yml@refs/tags/v1.0")
    entry = OURS.entry(logged(envelope, pem(other), kind))
    assert "about another signature" in refusal(bundle(der(certificate), [entry], dsseEnvelope=envelope)).what


@pytest.mark.parametrize("kind", ["dsse 0.0.1", "dsse 0.0.2", "hashedrekord 0.0.2", "intoto 0.0.2"])
def test_an_entry_of_the_log_about_an_equal_statement_signed_again_is_refused(kind):
    envelope, certificate = signed_envelope(statement()), OURS.certificate()
    second = changed(envelope, "signatures", 0, "sig", to=lambda text: b64(again(base64.b64decode(text))))
    entry = OURS.entry(logged(second, pem(certificate), kind))
    assert verified(bundle(der(certificate), [entry], dsseEnvelope=second))
    assert "about another signature" in refusal(bundle(der(certificate), [entry], dsseEnvelope=envelope)).what


def test_an_entry_of_the_log_about_the_same_file_signed_again_is_refused():
    document = as_cosign(OURS.signed_file())
    second = changed(document, "base64Signature", to=lambda text: b64(again(base64.b64decode(text))))
    assert "about another signature" in refusal(second).what


def test_an_entry_of_the_log_about_another_type_of_payload_is_refused():
    envelope, certificate = signed_envelope(statement()), OURS.certificate()
    body = json.loads(logged(envelope, pem(certificate), "intoto 0.0.2"))
    body = changed(body, "spec", "content", "envelope", "payloadType", to="application/json")
    entry = OURS.entry(json.dumps(body).encode())
    assert "about another signature" in refusal(bundle(der(certificate), [entry], dsseEnvelope=envelope)).what


def test_a_checkpoint_of_another_tree_is_refused():
    """The log has signed it, and it is as large, but the entry is not in that tree."""
    entry = ("verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint")
    document, other = (OURS.signed_statement(statement(predicate=to), kind="intoto 0.0.2") for to in ({}, {"a": 1}))
    checkpoint = other["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]
    assert "of another tree than the proof" in refusal(changed(document, *entry, to=checkpoint)).what


def test_an_entry_of_the_log_about_another_file_is_refused():
    document, other = OURS.signed_file(), OURS.signed_file(b"other")
    entries = other["verificationMaterial"]["tlogEntries"]
    assert (
        "about another signature" in refusal(changed(document, "verificationMaterial", "tlogEntries", to=entries)).what
    )


def test_an_entry_of_the_log_of_an_unknown_kind_is_refused():
    document = OURS.signed_statement()
    body = json.loads(base64.b64decode(document["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]))
    entry = OURS.entry(json.dumps({**body, "kind": "rekord"}).encode())
    error = refusal(changed(document, "verificationMaterial", "tlogEntries", to=[entry]))
    assert "not of a kind that tells of a statement" in error.what
    assert "intoto 0.0.2" in error.expected


def signed_later(after, **certificate):
    """Return a bundle that the log took so long *after* the certificate was issued."""
    document = OURS.signed_file(**certificate)
    body = base64.b64decode(document["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"])
    return changed(document, "verificationMaterial", "tlogEntries", to=[OURS.entry(body, SIGNED_AT + after)])


def test_a_signature_made_with_an_expired_certificate_is_refused():
    assert verified(signed_later(timedelta(minutes=10)))
    assert "was not valid when the signature was made" in refusal(signed_later(timedelta(minutes=10, seconds=1))).what
    assert "was not valid when the signature was made" in refusal(signed_later(timedelta(seconds=-1))).what


def test_what_was_signed_when_authority_and_log_were_trusted_stays_verifiable():
    assert verified(OURS.signed_file(), roots=TrustRoots.of(OURS.trusted_root(end=SIGNED_AT)))
    before = TrustRoots.of(OURS.trusted_root(end=SIGNED_AT - timedelta(seconds=1)))
    assert "not trusted when it took the entry" in refusal(OURS.signed_file(), roots=before).what


def test_a_certificate_that_was_not_logged_is_refused():
    error = refusal(OURS.signed_file(logged=False))
    assert "no certificate transparency log" in error.what or "cannot be read" in error.what


def test_a_certificate_that_another_log_promised_to_take_is_refused():
    root = json.loads(OURS.trusted_root())
    root["ctlogs"] = json.loads(LittleSigstore("other").trusted_root())["ctlogs"]
    error = refusal(OURS.signed_file(), roots=TrustRoots.of(json.dumps(root).encode()))
    assert "no certificate transparency log that the trust root knows" in error.what


def test_a_promise_that_the_transparency_log_did_not_sign_is_refused():
    forger = LittleSigstore()
    forger.ct_key = key("forger")
    error = refusal(forger.signed_statement(kind="intoto 0.0.2"))
    assert "no certificate transparency log that the trust root knows" in error.what


def test_a_promise_of_a_transparency_log_that_was_not_trusted_then_is_refused():
    root = json.loads(OURS.trusted_root())
    root["ctlogs"][0]["publicKey"]["validFor"]["end"] = (SIGNED_AT - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    error = refusal(OURS.signed_file(), roots=TrustRoots.of(json.dumps(root).encode()))
    assert "no certificate transparency log that the trust root knows" in error.what


def test_a_certificate_for_another_purpose_is_refused():
    error = refusal(OURS.signed_statement(kind="intoto 0.0.2", purpose=ExtendedKeyUsageOID.SERVER_AUTH))
    assert error.what == "the signer's certificate is not one for signing code"


def test_a_certificate_with_two_names_is_refused():
    error = refusal(OURS.signed_statement(kind="intoto 0.0.2", san=f"{WORKFLOW} https://github.com/owner/other"))
    assert "has not exactly one name" in error.what


def test_an_entry_that_the_log_has_not_promised_to_take_is_refused_in_the_oldest_bundles():
    document = as_cosign(OURS.signed_file())
    error = refusal(changed(document, "rekorBundle", "SignedEntryTimestamp", to=""))
    assert "is not signed by the log" in error.what


def test_an_entry_without_a_time_and_without_a_timestamp_proves_no_time():
    document = OURS.signed_statement(kind="hashedrekord 0.0.2")
    body = base64.b64decode(document["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"])
    entry = {**OURS.entry(body, promise=False), "integratedTime": None}
    error = refusal(changed(document, "verificationMaterial", "tlogEntries", to=[entry]))
    assert error.what == "nothing that holds states when the signature was made"


def test_a_time_that_the_log_did_not_sign_is_not_believed():
    document = OURS.signed_file()
    entry = ("verificationMaterial", "tlogEntries", 0, "inclusionPromise")
    assert "nothing that holds states when" in refusal(changed(document, *entry, to=None)).what


# Found, not verified.


def test_without_the_library_of_sigstore_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sigstore", None)
    unseen = LittleSigstore("whose verifier is not kept yet")
    with pytest.raises(ReleaseError, match="the Python library sigstore is missing on the controller") as caught:
        verified(unseen.signed_file(), roots=TrustRoots.of(unseen.trusted_root()))
    assert "pip install sigstore" in caught.value.fix


def test_a_bundle_without_an_entry_of_the_log_is_unproven():
    error = unproven(changed(OURS.signed_file(), "verificationMaterial", "tlogEntries", to=[]))
    assert error.lacks == "log entry"


def test_an_unproven_signature_that_does_not_hold_is_refused():
    """What is only found must at least be a signature of this file."""
    document = changed(OURS.signed_file(), "verificationMaterial", "tlogEntries", to=[])
    assert "does not hold" in refusal(changed(document, "messageSignature", "signature", to=flipped)).what
    assert "another file" in refusal(document, OTHER).what


@pytest.mark.parametrize("kind", ["intoto 0.0.1", "intoto 0.0.2", "dsse 0.0.1"])
@pytest.mark.parametrize("has_certificate", [True, False])
def test_a_bare_statement_is_proven_by_its_entry_of_the_log(kind, has_certificate):
    envelope, certificate = signed_envelope(statement()), OURS.certificate()
    entry = OURS.entry(logged(envelope, pem(certificate), kind))
    if has_certificate:
        envelope["signatures"][0]["cert"] = pem(certificate)
    assert unproven(envelope).lacks == ("log entry" if has_certificate else "key")
    certified = verified(envelope, log_entry=as_api_answer(entry))
    assert (certified.san, certified.signed_at) == (WORKFLOW, SIGNED_AT)
    assert certified.format == "signed statement with its log entry"


def test_the_entry_of_another_statement_proves_nothing():
    envelope, certificate = signed_envelope(statement()), OURS.certificate()
    other = signed_envelope(statement(predicate={"by": "somebody"}))
    entry = OURS.entry(logged(other, pem(certificate), "dsse 0.0.1"))
    assert unproven(envelope, log_entry=as_api_answer(entry)).lacks == "key"


def test_a_looked_up_entry_that_no_log_signed_is_refused():
    envelope, certificate = signed_envelope(statement()), OURS.certificate()
    entry = OURS.entry(logged(envelope, pem(certificate), "dsse 0.0.1"))
    forged = changed(entry, "inclusionPromise", "signedEntryTimestamp", to=flipped)
    assert "under the entry and its time" in refusal(envelope, log_entry=as_api_answer(forged)).what


# A pinned key.


def signed_by_key(entries=True, **signed):
    signature = b64(base64.b64decode(OURS.signed_file()["messageSignature"]["signature"]))
    body = hashedrekord(CONTENT, base64.b64decode(signature), public_pem(key("signer")).decode())
    material = {"publicKey": {"hint": "the key"}, "tlogEntries": [OURS.entry(body)] if entries else []}
    return {**bundle(b"", [], messageSignature={"signature": signature}), "verificationMaterial": material}


def test_a_pinned_key_needs_no_certificate():
    certified = verified(signed_by_key(), key=public_pem(key("signer")))
    assert (certified.san, certified.issuer, certified.repository) == ("", "", "")
    assert len(certified.key) == 64
    assert certified.signed_at == SIGNED_AT
    assert verified(signed_by_key(entries=False), key=public_pem(key("signer"))).signed_at is None


def test_another_key_than_the_pinned_one_is_refused():
    assert "does not hold" in refusal(signed_by_key(), key=public_pem(key("somebody"))).what


def test_a_signature_by_a_key_that_is_not_pinned_is_unproven():
    error = unproven(signed_by_key())
    assert error.lacks == "key"
    assert '"the key"' in error.found


def test_a_log_that_knows_another_key_for_the_signature_is_refused():
    document = signed_by_key()
    body = hashedrekord(
        CONTENT,
        base64.b64decode(document["messageSignature"]["signature"]),
        public_pem(key("somebody")).decode(),
    )
    entries = [OURS.entry(body)]
    document = changed(document, "verificationMaterial", "tlogEntries", to=entries)
    assert "about another signature" in refusal(document, key=public_pem(key("signer"))).what


def a_key(kind):
    """Return a private key, and how it signs bytes."""
    if kind == "Ed25519":
        private = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
        return private, private.sign
    if kind.startswith("RSA"):
        private = rsa.generate_private_key(65537, int(kind.partition(" ")[2]))
        return private, lambda content: private.sign(content, padding.PKCS1v15(), hashes.SHA256())
    curve, algorithm = {
        "P-384 with SHA-384": (ec.SECP384R1(), hashes.SHA384()),
        "P-384 with SHA-256": (ec.SECP384R1(), hashes.SHA256()),
        "P-521 with SHA-512": (ec.SECP521R1(), hashes.SHA512()),
        "secp256k1": (ec.SECP256K1(), hashes.SHA256()),
    }[kind]
    private = key(kind, curve)
    return private, lambda content: private.sign(content, ec.ECDSA(algorithm))


def by_key_of(kind):
    """Return a signed file and a signed statement by a key of that *kind*, and the public key."""
    private, sign = a_key(kind)
    payload = json.dumps(statement()).encode()
    signature = sign(f"DSSEv1 28 application/vnd.in-toto+json {len(payload)} ".encode() + payload)
    envelope = {"payload": b64(payload), "payloadType": "application/vnd.in-toto+json"}
    return (
        {"base64Signature": b64(sign(CONTENT)), "cert": ""},
        {**envelope, "signatures": [{"sig": b64(signature)}]},
        public_pem(private),
    )


@pytest.mark.parametrize(
    "kind", ["P-384 with SHA-384", "P-384 with SHA-256", "P-521 with SHA-512", "RSA 2048", "Ed25519"]
)
def test_keys_of_all_usual_kinds_are_verified(kind):
    file, signed_statement, pinned = by_key_of(kind)
    digests = {**DIGESTS, "sha384": hashlib.sha384(CONTENT).hexdigest()}
    assert verified(signed_statement, digests, key=pinned).statement == statement()
    if kind == "Ed25519":
        assert "such keys sign the bytes themselves" in refusal(file, digests, key=pinned).expected
    else:
        assert verified(file, digests, key=pinned).key


@pytest.mark.parametrize("kind", ["RSA 1024", "secp256k1"])
def test_keys_that_are_weak_or_unusual_are_refused(kind):
    file, _statement, pinned = by_key_of(kind)
    assert "a kind of key that is not verified here" in refusal(file, key=pinned).what


def test_what_is_no_key_is_said_to_be_none():
    assert "the public key cannot be read" in refusal(signed_by_key(), key=b"-----BEGIN nothing").what


# Several signatures in one file.


def test_the_signatures_of_a_file_that_are_of_other_files_are_passed_over():
    other = OURS.signed_statement(statement(name="other", digest=OTHER))
    lines = "\n".join(json.dumps(document) for document in (other, OURS.signed_statement())).encode()
    [certified] = verify_each(lines, ROOTS, DIGESTS)
    assert certified.subjects == (("tool-linux", {"sha256": DIGESTS["sha256"]}),)
    with pytest.raises(ReleaseError, match="about other files than this one") as caught:
        verify_each(lines, ROOTS, {"sha256": hashlib.sha256(b"neither").hexdigest()})
    assert '"other"' in caught.value.found


def test_one_forged_signature_makes_the_whole_file_refused():
    good = OURS.signed_statement()
    forged = changed(good, "dsseEnvelope", "signatures", 0, "sig", to=flipped)
    assert "does not hold" in refusal([good, forged]).what


def test_an_unproven_signature_beside_a_proven_one_is_passed_over():
    [certified] = verify_each(
        json.dumps([signed_envelope(statement()), OURS.signed_statement()]).encode(), ROOTS, DIGESTS
    )
    assert certified.format == "sigstore bundle 0.3"


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda document: {"attestations": [{"predicateType": PROVENANCE, "bundle": document}]},
        lambda document: {"attestations": [{"repository_id": 1, "bundle_url": "https://x", "bundle": document}]},
        lambda document: {
            "attestation_bundles": [{"publisher": {}, "attestations": [as_pep740(document)]}],
            "version": 1,
        },
        lambda document: [document],
    ],
    ids=["npm", "GitHub", "package index", "list"],
)
def test_what_an_api_answers_holds_the_same_signatures(wrapped):
    assert verified(wrapped(OURS.signed_statement())).san == WORKFLOW


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_all_versions_of_the_bundle_are_read(version):
    document = OURS.signed_file()
    document["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    if version != "0.3":
        chain = {"certificates": [document["verificationMaterial"].pop("certificate")]}
        document["verificationMaterial"]["x509CertificateChain"] = chain
    assert verified(document).format == f"sigstore bundle {version}"
    without = changed(document, "verificationMaterial", "tlogEntries", 0, "inclusionProof", to=None)
    if version == "0.1":
        assert verified(without)
    else:
        assert "lacks the proof" in refusal(without).what


def test_a_later_version_of_the_bundle_is_refused_with_what_it_is():
    later = "application/vnd.dev.sigstore.bundle.v0.4+json"
    error = refusal({**OURS.signed_file(), "mediaType": later})
    assert later in error.found


def test_certificates_that_are_no_chain_are_refused():
    document = OURS.signed_file()
    certificates = [document["verificationMaterial"].pop("certificate")]
    certificates += [{"rawBytes": b64(der(certificate))} for certificate in (OURS.root, OURS.issuer)]
    document["verificationMaterial"]["x509CertificateChain"] = {"certificates": certificates}
    document["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    refusal(document)
    certificates[1:] = reversed(certificates[1:])
    assert verified(document)


# A second opinion.


def test_what_sigstore_python_takes_is_verified_by_it_too(monkeypatch):
    root = ROOTS.roots[0]
    taken = {
        name: second_opinion.is_for_library(shapes.read_bundles(json.dumps(document).encode())[0], root)
        for name, document in SHAPES.items()
    }
    assert [name for name in taken if taken[name]] == ["bundle of a file", "PEP 740", "statement, dsse 0.0.1"]

    def refuse(*arguments, **named):
        raise libraries.sigstore.errors.VerificationError("no")

    monkeypatch.setattr(libraries.sigstore.verify.Verifier, "verify_artifact", refuse)
    monkeypatch.setattr(libraries.sigstore.verify.Verifier, "verify_dsse", refuse)
    for name, document in SHAPES.items():
        if taken[name]:
            assert "does not hold for sigstore-python" in refusal(document).what
        else:
            assert verified(document)
