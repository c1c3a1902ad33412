# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sigstore of our own for tests: authority, certificate transparency log, transparency log, and who signs with them.

Keys are made from seeds and signatures from keys alone, so that every run makes the same. sigstore-python takes it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

SIGNED_AT = datetime(2025, 5, 5, 12, 0, 0, tzinfo=timezone.utc)
CONTENT = b"the bytes of a program"
DIGESTS = MappingProxyType(
    {"sha256": hashlib.sha256(CONTENT).hexdigest(), "sha512": hashlib.sha512(CONTENT).hexdigest()}
)
ACTIONS = "https://token.actions.githubusercontent.com"
WORKFLOW = "https://github.com/owner/tool/.github/workflows/release.yml@refs/tags/v1.0"
#: What Fulcio's extensions say, by their number: issuer, repository, commit, ref.
GITHUB = MappingProxyType({8: ACTIONS, 12: "https://github.com/owner/tool", 13: "c0" * 20, 14: "refs/tags/v1.0"})
PROVENANCE = "https://slsa.dev/provenance/v1"
#: Of the curve P-256.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SCT = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


class LittleSigstore:
    """All services of a sigstore. Another *name* is another sigstore, and *anchor* is who its authority is."""

    def __init__(self, name: str = "little", anchor: tuple[str, str] = ("root", "little sigstore")) -> None:
        self.root_key, self.issuer_key, self.log_key, self.ct_key = (
            key(f"{name} {role}") for role in ("root", "issuer", "log", "ct")
        )
        self.ct_log = log_id(self.ct_key)
        self.root = _certificate(_name(*anchor), _name(*anchor), self.root_key, self.root_key, authority=1)
        issuer = _name("intermediate", "little sigstore")
        self.issuer = _certificate(issuer, self.root.subject, self.issuer_key, self.root_key, authority=0)

    def trusted_root(self, end: datetime | None = None, **changed: Any) -> bytes:
        """Return the trust root, with an *end* to all periods, and *changed* keys."""
        period = {"start": "2020-01-01T00:00:00Z", **({"end": _moment(end)} if end else {})}
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self.log_key, period)],
            "ctlogs": [_log(self.ct_key, period)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "little sigstore", "commonName": "root"},
                    "uri": "https://fulcio.example",
                    "certChain": {"certificates": [{"rawBytes": b64(der(c))} for c in (self.issuer, self.root)]},
                    "validFor": period,
                }
            ],
            "timestampAuthorities": [],
        }
        return json.dumps({**document, **changed}).encode()

    def certificate(
        self,
        san: str = WORKFLOW,
        said: Mapping[int, str] = GITHUB,
        signer: ec.EllipticCurvePrivateKey | None = None,
        issued_at: datetime = SIGNED_AT,
        logged: bool = True,
        purpose: ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
    ) -> x509.Certificate:
        """Return a certificate of ten minutes for *san*, with what the extensions have *said*."""
        names = [_general_name(name) for name in san.split()]
        extensions = [
            (x509.SubjectAlternativeName(names), True),
            (x509.ExtendedKeyUsage([purpose]), False),
            *((_said(number, value), False) for number, value in said.items()),
        ]
        subject, public = x509.Name([]), signer or key("signer")
        bare = _certificate(subject, self.issuer.subject, public, self.issuer_key, extensions, issued_at)
        if not logged:
            return bare
        promise = self._promise(bare, issued_at)
        extensions.append((x509.UnrecognizedExtension(_SCT, promise), False))
        return _certificate(subject, self.issuer.subject, public, self.issuer_key, extensions, issued_at)

    def _promise(self, bare: x509.Certificate, issued_at: datetime) -> bytes:
        made, tbs = int(issued_at.timestamp() * 1000), bare.tbs_certificate_bytes
        issuer = hashlib.sha256(spki(self.issuer_key)).digest()
        signed = struct.pack("!BBQH32s", 0, 0, made, 1, issuer) + len(tbs).to_bytes(3, "big") + tbs + b"\0\0"
        signature = _signed(self.ct_key, signed)
        sct = struct.pack("!B32sQHBBH", 0, self.ct_log, made, 0, 4, 3, len(signature)) + signature
        octets = struct.pack("!HH", len(sct) + 2, len(sct)) + sct
        return b"\x04" + _der_length(octets) + octets

    def entry(self, body: bytes, taken_at: datetime = SIGNED_AT, promise: bool = True) -> dict[str, Any]:
        """Return the entry of the transparency log with *body*, which is the second of three, as a bundle has it."""
        top, leaf = json.loads(body), hashlib.sha256(b"\0" + body).digest()
        first, third = (hashlib.sha256(b"\0" + other).digest() for other in (b"first", b"third"))
        root = _node(_node(first, leaf), third)
        note = f"log.example - 1\n3\n{b64(root)}\n"
        hinted = log_id(self.log_key)[:4] + _signed(self.log_key, note.encode())
        seconds = int(taken_at.timestamp())
        promised = {"body": b64(body), "integratedTime": seconds, "logID": log_id(self.log_key).hex(), "logIndex": 7}
        canonical = json.dumps(promised, sort_keys=True, separators=(",", ":")).encode()
        promised_by_log = {"inclusionPromise": {"signedEntryTimestamp": b64(_signed(self.log_key, canonical))}}
        return {
            "logIndex": "7",
            "logId": {"keyId": b64(log_id(self.log_key))},
            "kindVersion": {"kind": top["kind"], "version": top["apiVersion"]},
            "integratedTime": str(seconds),
            **(promised_by_log if promise else {}),
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": b64(root),
                "treeSize": "3",
                "hashes": [b64(first), b64(third)],
                "checkpoint": {"envelope": f"{note}\n— log.example {b64(hinted)}\n"},
            },
            "canonicalizedBody": b64(body),
        }

    def signed_file(self, content: bytes = CONTENT, **certificate: Any) -> dict[str, Any]:
        """Return the bundle of a signature of *content*, whose *certificate* may differ from the usual one."""
        signature = _signed(key("signer"), content)
        issued = self.certificate(**certificate)
        body = hashedrekord(content, signature, pem(issued))
        message = {
            "messageDigest": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(content).digest())},
            "signature": b64(signature),
        }
        return bundle(der(issued), [self.entry(body)], messageSignature=message)

    def signed_statement(
        self, document: Mapping[str, Any] | None = None, kind: str = "dsse 0.0.1", **certificate: Any
    ) -> dict[str, Any]:
        """Return the bundle of a signed statement, which is in the log as an entry of that *kind*."""
        envelope, issued = signed_envelope(document or statement()), self.certificate(**certificate)
        return bundle(der(issued), [self.entry(logged(envelope, pem(issued), kind))], dsseEnvelope=envelope)


def statement(predicate_type: str = PROVENANCE, predicate: Any = None, **subject: Any) -> dict[str, Any]:
    """Return a statement about CONTENT, or the *subject* that is given instead."""
    about = subject or {"name": "tool-linux", "digest": {"sha256": DIGESTS["sha256"]}}
    top = {"_type": "https://in-toto.io/Statement/v1", "subject": [about]}
    return {**top, "predicateType": predicate_type, "predicate": predicate or {}}


def signed_envelope(document: Mapping[str, Any], signer: ec.EllipticCurvePrivateKey | None = None) -> dict[str, Any]:
    """Return *document* as a signed statement (DSSE)."""
    payload, kind = json.dumps(document).encode(), "application/vnd.in-toto+json"
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    signature = _signed(signer or key("signer"), signed)
    return {"payload": b64(payload), "payloadType": kind, "signatures": [{"sig": b64(signature), "keyid": ""}]}


def bundle(certificate: bytes, entries: list[dict[str, Any]], **signed: Any) -> dict[str, Any]:
    """Return a sigstore bundle of version 0.3."""
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": b64(certificate)}, "tlogEntries": entries},
        **signed,
    }


def hashedrekord(content: bytes, signature: bytes, signer: str) -> bytes:
    """Return the body of a log entry about a signature of *content*; *signer* is PEM."""
    digest = {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}
    signed = {"content": b64(signature), "publicKey": {"content": b64(signer.encode())}}
    return _body("hashedrekord", "0.0.1", {"data": {"hash": digest}, "signature": signed})


def logged(envelope: Mapping[str, Any], signer: str, kind: str) -> bytes:
    """Return the body of a log entry of that *kind* about a signed statement; *signer* is PEM."""
    name, version = kind.split()
    signature, made_by = envelope["signatures"][0]["sig"], b64(signer.encode())
    payload = base64.b64decode(envelope["payload"])
    payload_hash = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
    of_envelope = {"algorithm": "sha256", "value": hashlib.sha256(json.dumps(envelope).encode()).hexdigest()}
    certificate = b64(der(x509.load_pem_x509_certificate(signer.encode()))) if "CERTIFICATE" in signer else ""
    verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": certificate}}
    both = {"content": signature, "verifier": verifier}
    signed = f"DSSEv1 28 application/vnd.in-toto+json {len(payload)} ".encode() + payload
    specs: dict[str, dict[str, Any]] = {
        "dsse 0.0.1": {
            "envelopeHash": of_envelope,
            "payloadHash": payload_hash,
            "signatures": [{"signature": signature, "verifier": made_by}],
        },
        "intoto 0.0.1": {"content": {"hash": of_envelope, "payloadHash": payload_hash}, "publicKey": made_by},
        "intoto 0.0.2": {
            "content": {
                "envelope": {
                    "payloadType": envelope["payloadType"],
                    "signatures": [{"sig": b64(signature.encode()), "publicKey": made_by}],
                },
                "hash": of_envelope,
                "payloadHash": payload_hash,
            }
        },
        "dsse 0.0.2": {
            "dsseV002": {
                "payloadHash": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(payload).digest())},
                "signatures": [both],
            }
        },
        "hashedrekord 0.0.2": {
            "hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(signed).digest())},
                "signature": both,
            }
        },
    }
    return _body(name, version, specs[kind])


def as_api_answer(entry: Mapping[str, Any]) -> bytes:
    """Return an entry of a bundle as the transparency log's API answers it."""
    proof = entry["inclusionProof"]
    unpacked = {
        "body": entry["canonicalizedBody"],
        "integratedTime": int(entry["integratedTime"]),
        "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        "logIndex": int(entry["logIndex"]),
        "verification": {
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": [base64.b64decode(sibling).hex() for sibling in proof["hashes"]],
                "logIndex": int(proof["logIndex"]),
                "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                "treeSize": int(proof["treeSize"]),
            },
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        },
    }
    return json.dumps([{"24296fb2": unpacked}]).encode()


def as_cosign(signed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bundle of a signed file in the shape that cosign gave it before version 3."""
    material = signed["verificationMaterial"]
    certificate = material.get("certificate") or material["x509CertificateChain"]["certificates"][0]
    [entry] = material["tlogEntries"]
    loaded = x509.load_der_x509_certificate(base64.b64decode(certificate["rawBytes"]))
    return {
        "base64Signature": signed["messageSignature"]["signature"],
        "cert": b64(pem(loaded).encode()),
        "rekorBundle": {
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": int(entry["integratedTime"]),
                "logIndex": int(entry["logIndex"]),
                "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
            },
        },
    }


def as_pep740(signed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bundle of a signed statement as a Python package index has it."""
    material, envelope = signed["verificationMaterial"], signed["dsseEnvelope"]
    return {
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"],
            "transparency_entries": material["tlogEntries"],
        },
        "envelope": {"statement": envelope["payload"], "signature": envelope["signatures"][0]["sig"]},
    }


def key(seed: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """Return the private key of that *seed*."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big") >> 1
    return ec.derive_private_key(number, curve or ec.SECP256R1())


def again(signature: bytes) -> bytes:
    """Return another signature that is as valid as that one: of (r, s) that is (r, -s), by the mathematics of ECDSA."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, _ORDER - s)


def spki(of: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key in DER."""
    return of.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_pem(of: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key in PEM."""
    return of.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def der(certificate: x509.Certificate) -> bytes:
    """Return *certificate* in DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    """Return *certificate* in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def b64(content: bytes) -> str:
    """Return *content* in base64."""
    return base64.b64encode(content).decode()


def log_id(of: ec.EllipticCurvePrivateKey) -> bytes:
    """Return by which name entries know the log with that key."""
    return hashlib.sha256(spki(of)).digest()


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    holder: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: Any = (),
    issued_at: datetime | None = None,
    authority: int | None = None,
) -> x509.Certificate:
    begins = issued_at or SIGNED_AT - timedelta(days=365)
    ends = begins + (timedelta(minutes=10) if issued_at else timedelta(days=3650))
    is_authority = authority is not None
    usage = dict.fromkeys(
        "content_commitment key_encipherment data_encipherment key_agreement encipher_only decipher_only".split(), False
    )
    builder = x509.CertificateBuilder(issuer, subject, holder.public_key(), 1234, begins, ends)
    builder = builder.add_extension(x509.BasicConstraints(is_authority, authority), True)
    usage |= {"digital_signature": not is_authority, "key_cert_sign": is_authority, "crl_sign": is_authority}
    builder = builder.add_extension(x509.KeyUsage(**usage), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(holder.public_key()), False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True)


def _signed(by: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    return by.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def _general_name(name: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(name) if "://" in name else x509.RFC822Name(name)


def _name(common: str, organization: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _log(of: ec.EllipticCurvePrivateKey, period: Mapping[str, str]) -> dict[str, Any]:
    details = {"rawBytes": b64(spki(of)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": period}
    return {
        "baseUrl": "https://log.example",
        "hashAlgorithm": "SHA2_256",
        "publicKey": details,
        "logId": {"keyId": b64(log_id(of))},
    }


def _said(number: int, value: str) -> x509.UnrecognizedExtension:
    """Return an extension of Fulcio's: bare text up to the seventh, a UTF8String in DER from the eighth on."""
    encoded = value.encode() if number < 8 else b"\x0c" + _der_length(value.encode()) + value.encode()
    return x509.UnrecognizedExtension(ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}"), encoded)


def _der_length(content: bytes) -> bytes:
    size = len(content)
    return bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _body(kind: str, version: str, spec: Mapping[str, Any]) -> bytes:
    document = {"apiVersion": version, "kind": kind, "spec": spec}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
