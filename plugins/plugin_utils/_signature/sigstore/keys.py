# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does this public key verify this signature? The algorithms that sigstore uses, and no others. Pure; controller.

Which hash goes with which key: sigstore/protobuf-specs, "algorithm-registry.md". Older programs hash with SHA-256
whatever the curve, so that is tried as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import reading, refused
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

#: Curve → the hashes that a signature with it may be of, the registered one first.
_HASHES_OF_CURVE = {
    "secp256r1": ("sha256",),
    "secp384r1": ("sha384", "sha256"),
    "secp521r1": ("sha512", "sha256"),
}
_LEAST_RSA_BITS = 2048


class UnknownKeyError(ReleaseError):
    """A key of a kind that is not verified here."""


def public_key(content: bytes) -> PublicKey:
    """Return the public key in *content*: PEM, or the DER of its SubjectPublicKeyInfo.

    Raises ReleaseError if it is none, UnknownKeyError if it is of a kind that sigstore does not use.
    """
    serialization = libraries.cryptography.hazmat.primitives.serialization
    with reading("the public key"):
        is_pem = content.lstrip().startswith(b"-----BEGIN")
        key = (serialization.load_pem_public_key if is_pem else serialization.load_der_public_key)(content)
    return supported(key)


def supported(key: Any) -> PublicKey:
    """Return *key* if sigstore uses keys of its kind. Raises UnknownKeyError if not."""
    asymmetric = libraries.cryptography.hazmat.primitives.asymmetric
    is_supported = (
        (isinstance(key, asymmetric.ec.EllipticCurvePublicKey) and key.curve.name in _HASHES_OF_CURVE)
        or isinstance(key, asymmetric.ed25519.Ed25519PublicKey)
        or (isinstance(key, asymmetric.rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS)
    )
    if not is_supported:
        raise UnknownKeyError(
            "the signature is of a kind of key that is not verified here",
            expected="ECDSA with P-256, P-384 or P-521, Ed25519, or RSA of at least 2048 bits",
            found=type(key).__name__,
            fix="ask the publisher to sign with one of these",
        )
    return key  # type: ignore[no-any-return]


def spki(key: PublicKey) -> bytes:
    """Return the DER of the key's SubjectPublicKeyInfo, by which keys are compared."""
    serialization = libraries.cryptography.hazmat.primitives.serialization
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def is_signed(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Return whether *signature* is one of *message* by the holder of *key*."""
    asymmetric = libraries.cryptography.hazmat.primitives.asymmetric
    if isinstance(key, asymmetric.ed25519.Ed25519PublicKey):
        return _holds(key.verify, signature, message)
    digests = {name: hashlib.new(name, message).hexdigest() for name in _hashes(key)}
    return is_signed_digest(key, signature, digests)


def is_signed_digest(key: PublicKey, signature: bytes, digests: Mapping[str, str]) -> bool:
    """Return whether *signature* is one by *key* of the bytes with these *digests*, in hexadecimal by algorithm.

    Raises ReleaseError if the key's kind signs a digest that is not among them, as Ed25519 signs the bytes themselves.
    """
    asymmetric = libraries.cryptography.hazmat.primitives.asymmetric
    known = [name for name in _hashes(key) if name in digests]
    if not known:
        expected = " or ".join(_hashes(key)) or "none: such keys sign the bytes themselves"
        raise refused(
            "the signature cannot be verified by the digests of the file that are known here",
            expected=expected,
            found=", ".join(sorted(digests)),
            fix="ask the publisher to sign with an ECDSA key over P-256",
        )
    for name in known:
        algorithm = getattr(libraries.cryptography.hazmat.primitives.hashes, name.upper())()
        prehashed, digest = asymmetric.utils.Prehashed(algorithm), bytes.fromhex(digests[name])
        if isinstance(key, asymmetric.ec.EllipticCurvePublicKey):
            arguments: tuple[Any, ...] = (asymmetric.ec.ECDSA(prehashed),)
        else:
            arguments = (asymmetric.padding.PKCS1v15(), prehashed)
        if _holds(key.verify, signature, digest, *arguments):
            return True
    return False


def _hashes(key: PublicKey) -> tuple[str, ...]:
    asymmetric = libraries.cryptography.hazmat.primitives.asymmetric
    if isinstance(key, asymmetric.ec.EllipticCurvePublicKey):
        return _HASHES_OF_CURVE[key.curve.name]
    return ("sha256",) if isinstance(key, asymmetric.rsa.RSAPublicKey) else ()


def _holds(verify: Any, *arguments: Any) -> bool:
    invalid = libraries.cryptography.exceptions.InvalidSignature
    with reading("the signature"):
        try:
            verify(*arguments)
        except invalid:
            return False
    return True
