# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did the holder of a pinned key of cosign's sign these bytes? Runs on the controller.

``cosign sign-blob --key`` writes the signature in base64 and nothing else: ECDSA on P-256 over the SHA-256 of the file,
which is what ``cosign generate-key-pair`` makes, RSA (PKCS #1 v1.5) over the same, or Ed25519 of the file itself
(sigstore's architecture-docs, "Signature Algorithms"). There is no date in it, and no name of a file or key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer, refusals
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

if TYPE_CHECKING:
    _Public = (
        libraries.cryptography.hazmat.primitives.asymmetric.ec.EllipticCurvePublicKey
        | libraries.cryptography.hazmat.primitives.asymmetric.ed25519.Ed25519PublicKey
        | libraries.cryptography.hazmat.primitives.asymmetric.rsa.RSAPublicKey
    )

#: RFC 7468 is laxer about white space; cosign, openssl and their friends all write it like this.
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\n(?:[A-Za-z0-9+/]{1,76}={0,2}\n){1,80}-----END PUBLIC KEY-----\n?\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}\s*\Z")
_KIND = "a signature of cosign sign-blob"
_RSA_BITS = range(2048, 16384 + 1)
#: Ed25519 hashes the file twice, so all of it is read at once.
ED25519_LIMIT_BYTES = 1024**3


def check_key(text: str) -> None:
    """Raise ReleaseError unless *text* is a public key as cosign writes it: a PEM block, ``BEGIN PUBLIC KEY``."""
    _key(text)


def verify(signed: Signed, key: str) -> Signer:
    """Return who signed the file: the SHA-256 of the pinned *key*. Raises ReleaseError unless that key signed it."""
    public = _key(key)
    name = _name(public)
    refusals.refuse_large(signed, _KIND)
    try:
        if not _BASE64.match(signed.signature):
            raise ValueError(shown(signed.signature[:200].decode(errors="replace").partition("\n")[0]))
        signature = base64.b64decode(signed.signature.strip(), validate=True)
    except ValueError as error:  # also that of base64
        raise refusals.malformed(signed, _KIND, "one line of base64", str(error)) from error
    if not refusals.is_signed(partial(_check, public, signed, signature), "the key's algorithm"):
        raise refusals.other_bytes(signed, f"the key {name}")
    return Signer(name)


def _key(text: str) -> _Public:
    """Return the public key that *text* is. Raises ReleaseError for any other text, and for unusual or weak keys."""
    cryptography = libraries.cryptography
    asymmetric = cryptography.hazmat.primitives.asymmetric
    if not _PEM.match(text):
        raise _not_usable(text, "it is no such block")
    try:
        public = cryptography.hazmat.primitives.serialization.load_pem_public_key(text.encode())
    except ReleaseError:  # The library is absent, and then so are its exceptions.
        raise
    except (ValueError, cryptography.exceptions.UnsupportedAlgorithm) as error:
        raise _not_usable(text, "its content is no key") from error
    if isinstance(public, asymmetric.ed25519.Ed25519PublicKey):
        return public
    if isinstance(public, asymmetric.ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1":
        return public
    if isinstance(public, asymmetric.rsa.RSAPublicKey) and public.key_size in _RSA_BITS:
        return public
    raise _not_usable(text, f"it is another kind of key, of {getattr(public, 'key_size', 'unknown')} bits")


def _not_usable(text: str, why: str) -> ReleaseError:
    return ReleaseError(
        f"this is not a usable public key of cosign: {why}",
        expected="the content of cosign.pub, from BEGIN PUBLIC KEY to END PUBLIC KEY: P-256, Ed25519, or RSA of 2048 "
        "bits or more",
        found=shown(text),
        fix="copy it from where its publisher shows it, other than in a release; in YAML, write it after |",
    )


def _name(public: _Public) -> str:
    """Return the SHA-256 of a key in DER, as a name for it: cosign has none."""
    serialization = libraries.cryptography.hazmat.primitives.serialization
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return f"sha256:{hashlib.sha256(public.public_bytes(encoding, form)).hexdigest()}"


def _check(public: _Public, signed: Signed, signature: bytes) -> None:
    """Raise InvalidSignature of cryptography unless *signature* is one of the file by a key that _key returned."""
    primitives = libraries.cryptography.hazmat.primitives
    asymmetric, digest = primitives.asymmetric, signed.digest("sha256")
    prehashed = asymmetric.utils.Prehashed(primitives.hashes.SHA256())
    if isinstance(public, asymmetric.ec.EllipticCurvePublicKey):
        public.verify(signature, digest, asymmetric.ec.ECDSA(prehashed))
    elif isinstance(public, asymmetric.rsa.RSAPublicKey):
        public.verify(signature, digest, asymmetric.padding.PKCS1v15(), prehashed)
    elif isinstance(public, asymmetric.ed25519.Ed25519PublicKey):
        public.verify(signature, _content(signed))


def _content(signed: Signed) -> bytes:
    """Return all bytes of the file. Raises ReleaseError where they are too many for that."""
    content = signed.content(ED25519_LIMIT_BYTES)
    if content is None:
        raise ReleaseError(
            f"{signed.name} is too large for a signature by an Ed25519 key",
            expected=f"at most {ED25519_LIMIT_BYTES} bytes",
            fix="ask the publisher to sign its sums file, or with a key of another kind",
        )
    return content
