# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Was this certificate issued by an authority of the trust root, at that time, and logged? Pure; controller.

Fulcio issues certificates that are good for ten minutes (sigstore/fulcio, "docs/certificate-specification.md"), so all
turns on the time of signing. Where the trust root has certificate transparency logs, the certificate has to carry the
promise of one of them (RFC 6962, section 3.2). The chain is built and verified by cryptography.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import keys
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.roots import (
    Authority,
    TrustRoot,
    TrustRoots,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import (
    UnprovenError,
    reading,
    refused,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from cryptography.x509.certificate_transparency import SignedCertificateTimestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PRECERTIFICATE = 1


def read_certificate(content: bytes) -> Certificate:
    """Return the certificate in *content*, DER. Raises ReleaseError if it is none."""
    with reading("the signer's certificate"):
        certificate = libraries.cryptography.x509.load_der_x509_certificate(content)
        tuple(certificate.extensions)  # They are read when they are first asked for.
        certificate.issuer.rfc4514_string()
        certificate.subject.rfc4514_string()
    return certificate


def key_of(certificate: Certificate) -> keys.PublicKey:
    """Return the public key of *certificate*. Raises ReleaseError if sigstore uses no keys of its kind."""
    with reading("the signer's certificate"):
        return keys.supported(certificate.public_key())


def roots_for(certificate: Certificate, roots: TrustRoots) -> list[TrustRoot]:
    """Return the roots whose authorities may have issued *certificate*. Raises UnprovenError if there is none."""
    if found := [root for root in roots.roots if root.may_have_issued(certificate)]:
        return found
    raise UnprovenError(
        "trust root",
        "the signer's certificate is from an authority that no trust root here knows",
        expected="an authority of " + (", ".join(_names(roots)) or "a trust root; none was given"),
        found=shown(certificate.issuer.rfc4514_string()),
        fix="give the trust root of that authority as trust_root (GitHub's: gh attestation trusted-root)",
    )


def verify_certificate(certificate: Certificate, root: TrustRoot, times: list[datetime]) -> Authority:
    """Return the authority of *root* that issued *certificate*, which was good at all *times* of signing.

    Raises ReleaseError if there is none, if the certificate is not for signing, or if it was not logged as *root* asks.
    """
    _refuse_other_use(certificate)
    for time in times:
        if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
            period = f"{certificate.not_valid_before_utc.isoformat()} to {certificate.not_valid_after_utc.isoformat()}"
            raise refused("the signer's certificate was not valid when the signature was made", period, str(time))
    with reading("the signer's certificate"):
        issuers = [_issuer(certificate, root, time) for time in times]
    authority, chain = issuers[0]
    if root.ct_logs:
        _verify_transparency(certificate, chain[1], root)
    return authority


def _names(roots: TrustRoots) -> list[str]:
    return sorted({authority.anchor_name for root in roots.roots for authority in root.authorities})


def _refuse_other_use(certificate: Certificate) -> None:
    x509 = libraries.cryptography.x509
    extensions = certificate.extensions
    with reading("the signer's certificate"):
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    if not usage.digital_signature or x509.oid.ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise refused("the signer's certificate is not one for signing code")


def _issuer(certificate: Certificate, root: TrustRoot, time: datetime) -> tuple[Authority, list[Certificate]]:
    """Return the authority that issued *certificate* and was good at that *time*, and the chain that shows it."""
    refusals = []
    for authority in root.authorities:
        if not authority.period.covers(time):
            continue
        try:
            return authority, _chain(certificate, authority, time)
        except libraries.cryptography.x509.verification.VerificationError as error:
            refusals.append(str(error))
    raise refused(
        "no authority of the trust root issued the signer's certificate",
        expected=f"one that was good on {time.isoformat()}",
        found=shown(refusals[0]) if refusals else "no authority was good then",
    )


def _chain(certificate: Certificate, authority: Authority, time: datetime) -> list[Certificate]:
    """Return the chain from *certificate* to the authority's anchor. Raises cryptography's VerificationError."""
    x509 = libraries.cryptography.x509
    *intermediates, anchor = authority.certificates
    verifier = _policy().store(x509.verification.Store([anchor])).time(time).build_client_verifier()
    try:
        return list(verifier.verify(certificate, intermediates).chain)
    except x509.UnsupportedGeneralNameType as error:
        raise refused("the signer's certificate names its holder in a way that is not known") from error


def _policy() -> Any:
    """Return the rules of the web for chains, without the purpose of clients: ours is asked for above."""
    x509 = libraries.cryptography.x509
    policy, anything = x509.verification.ExtensionPolicy, x509.verification.Criticality.NON_CRITICAL
    purpose = (x509.ExtendedKeyUsage, anything, None)
    return x509.verification.PolicyBuilder().extension_policies(
        ca_policy=policy.webpki_defaults_ca().may_be_present(*purpose),
        ee_policy=policy.webpki_defaults_ee().may_be_present(*purpose),
    )


def _verify_transparency(certificate: Certificate, issuer: Certificate, root: TrustRoot) -> None:
    """Raise ReleaseError unless a certificate transparency log of *root* promised to take the certificate."""
    x509 = libraries.cryptography.x509
    with reading("the signer's certificate"):
        extensions = certificate.extensions
        promises = list(extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value)
        if not any(_is_promised(promise, certificate, issuer, root) for promise in promises):
            raise refused(
                "the signer's certificate is in no certificate transparency log that the trust root knows",
                expected="a signed certificate timestamp by one of them",
            )


def _is_promised(
    promise: SignedCertificateTimestamp, certificate: Certificate, issuer: Certificate, root: TrustRoot
) -> bool:
    made = promise.timestamp.replace(tzinfo=timezone.utc)
    entry = certificate.tbs_precertificate_bytes
    signed = struct.pack(
        f"!BBQH32s3s{len(entry)}sH",
        promise.version.value,
        0,  # certificate_timestamp
        (made - _EPOCH) // timedelta(milliseconds=1),
        _PRECERTIFICATE,
        hashlib.sha256(keys.spki(keys.supported(issuer.public_key()))).digest(),
        len(entry).to_bytes(3, "big"),
        entry,
        len(promise.extension_bytes),
    )
    return any(
        log.log_id == promise.log_id
        and log.period.covers(made)
        and keys.is_signed(log.key, promise.signature, signed + promise.extension_bytes)
        for log in root.ct_logs
    )
