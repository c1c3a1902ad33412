# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a public key of SSH, and does a signature by it hold? Pure; runs on the controller.

Follows RFC 4251 (values), RFC 4253, 5656, 8332 and 8709 (keys and their signatures) and OpenSSH's PROTOCOL.u2f (keys
that live in hardware).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

_LINE = re.compile(r"(?P<kind>[a-z0-9@.-]{1,64}) (?P<blob>[A-Za-z0-9+/]{1,4096}={0,2})\Z")
#: Shorter RSA keys can be factored. Longer ones cost nothing to whoever names them, but time to whoever verifies.
_RSA_BITS = range(2048, 16384 + 1)
#: What a curve is called by SSH → by cryptography, and the hash that RFC 5656 (6.2.1) has for it.
_CURVES = {
    "nistp256": ("SECP256R1", "SHA256"),
    "nistp384": ("SECP384R1", "SHA384"),
    "nistp521": ("SECP521R1", "SHA512"),
}
#: Curve → the bytes of a point on it that is written in full (SEC 1, 2.3.3), as OpenSSH does: one key has one form.
_POINT_BYTES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
_RSA_HASHES = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}


@dataclass(frozen=True)
class _Kind:
    """A kind of key: its mathematics, the curve of ECDSA, and whether it lives in hardware."""

    family: Literal["ed25519", "ecdsa", "rsa"]
    curve: str = ""
    is_hardware: bool = False


_KINDS: Mapping[str, _Kind] = {
    "ssh-ed25519": _Kind("ed25519"),
    "ecdsa-sha2-nistp256": _Kind("ecdsa", "nistp256"),
    "ecdsa-sha2-nistp384": _Kind("ecdsa", "nistp384"),
    "ecdsa-sha2-nistp521": _Kind("ecdsa", "nistp521"),
    "ssh-rsa": _Kind("rsa"),
    "sk-ssh-ed25519@openssh.com": _Kind("ed25519", is_hardware=True),
    "sk-ecdsa-sha2-nistp256@openssh.com": _Kind("ecdsa", "nistp256", is_hardware=True),
}


class Wire:
    """Reads the values of which SSH makes its messages (RFC 4251, section 5). Raises ValueError where they end."""

    def __init__(self, content: bytes) -> None:
        """Take the *content* of a message."""
        self._rest = content

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes. Raises ValueError where there are fewer."""
        if len(self._rest) < size:
            raise ValueError("it ends too early")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def string(self) -> bytes:
        """Return the next string. Raises ValueError where it ends too early."""
        return self.take(int.from_bytes(self.take(4), "big"))

    def word(self) -> str:
        """Return the next string, a name in ASCII. Raises ValueError for any other."""
        return self.string().decode("ascii")

    def number(self) -> int:
        """Return the next number of any size. Raises ValueError where it is negative."""
        content = self.string()
        if content[:1] >= b"\x80":
            raise ValueError("a number in it is negative")
        return int.from_bytes(content, "big")

    def end(self) -> None:
        """Raise ValueError if there is more."""
        if self._rest:
            raise ValueError("there is more after its end")


@dataclass(frozen=True)
class Key:
    """A public key.

    name         of its kind: ssh-ed25519
    blob         all of it, as the second word of its line has it in base64
    numbers      of RSA: the exponent and the modulus
    point        of Ed25519 and ECDSA: where it lies on the curve
    application  of a key in hardware: what it was made for
    """

    name: str
    blob: bytes
    kind: _Kind
    numbers: tuple[int, int] = (0, 0)
    point: bytes = b""
    application: bytes = b""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The names of the signatures that it makes. Those of RSA over SHA-1 are not among them."""
        return tuple(_RSA_HASHES) if self.kind.family == "rsa" else (self.name,)

    def __str__(self) -> str:
        return f"the key {fingerprint(self.blob)} ({self.name})"


def fingerprint(blob: bytes) -> str:
    """Return how ssh-keygen -l prints a public key: ``SHA256:`` and its digest in base64."""
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def read(text: str) -> Key:
    """Return the public key that *text* is: the first two words of its file, ``ssh-ed25519 AAAA…``.

    Raises ReleaseError for other texts, for certificates, and for keys that are too weak.
    """
    found = _LINE.match(text)
    kind = _KINDS.get(found["kind"]) if found else None
    if found is None or kind is None:
        raise ReleaseError(
            "this is not a public key of SSH",
            expected=f"the first two words of the .pub file, and no third: one of {', '.join(_KINDS)}, and the key",
            found=shown(text),
            fix="copy it from where its owner shows it, other than in a release",
        )
    try:
        return _key(found["kind"], kind, base64.b64decode(found["blob"], validate=True))
    except ValueError as error:  # also that of base64
        raise ReleaseError(
            f"this is not a usable {found['kind']} key of SSH: {error}",
            found=shown(text),
            fix="copy the whole second word of its file, or use another key",
        ) from error


def _key(name: str, kind: _Kind, blob: bytes) -> Key:
    """Return the key that a *blob* holds. Raises ValueError if it holds another, or one that is too weak."""
    wire = Wire(blob)
    if wire.word() != name or (kind.curve and wire.word() != kind.curve):
        raise ValueError("it holds a key of another kind")
    if kind.family == "rsa":
        numbers = (wire.number(), wire.number())
        wire.end()
        if numbers[1].bit_length() not in _RSA_BITS:
            raise ValueError(f"it has {numbers[1].bit_length()} bits, not {_RSA_BITS.start} to {_RSA_BITS.stop - 1}")
        return Key(name, blob, kind, numbers=numbers)
    point = wire.string()
    application = wire.string() if kind.is_hardware else b""
    wire.end()
    if kind.family == "ed25519" and len(point) != 32:
        raise ValueError(f"it has {len(point)} bytes, not 32")
    if kind.family == "ecdsa" and (point[:1] != b"\4" or len(point) != _POINT_BYTES[kind.curve]):
        raise ValueError("its point is not written in full")
    return Key(name, blob, kind, point=point, application=application)


def check(key: Key, signature: bytes, message: bytes) -> None:
    """Raise InvalidSignature of cryptography unless *signature*, all of its bytes, is one of *message* by *key*.

    Raises ValueError if it is no signature that such a key makes, or the key has no such point.
    """
    wire = Wire(signature)
    algorithm = wire.word()
    if algorithm not in key.algorithms:
        raise ValueError(f"it was made with {shown(algorithm)}, not with {' or '.join(key.algorithms)}")
    made = Wire(wire.string()) if key.kind.family == "ecdsa" else wire.string()
    if key.kind.is_hardware:
        # The device signs what it was asked to, and what it says about the person who touched it.
        message = hashlib.sha256(key.application).digest() + wire.take(5) + hashlib.sha256(message).digest()
    wire.end()
    if isinstance(made, Wire):
        _check_ecdsa(key, made, message)
    elif key.kind.family == "rsa":
        _check_rsa(key, made, message, _RSA_HASHES[algorithm])
    else:
        ed25519 = libraries.cryptography.hazmat.primitives.asymmetric.ed25519
        ed25519.Ed25519PublicKey.from_public_bytes(key.point).verify(made, message)


def _check_ecdsa(key: Key, made: Wire, message: bytes) -> None:
    primitives = libraries.cryptography.hazmat.primitives
    ec = primitives.asymmetric.ec
    numbers = (made.number(), made.number())
    made.end()
    curve, hash_name = _CURVES[key.kind.curve]
    public = ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, curve)(), key.point)
    encoded = primitives.asymmetric.utils.encode_dss_signature(*numbers)
    public.verify(encoded, message, ec.ECDSA(getattr(primitives.hashes, hash_name)()))


def _check_rsa(key: Key, made: bytes, message: bytes, hash_name: str) -> None:
    primitives = libraries.cryptography.hazmat.primitives
    exponent, modulus = key.numbers
    public = primitives.asymmetric.rsa.RSAPublicNumbers(exponent, modulus).public_key()
    # As in OpenSSH, zeros at the beginning may be missing.
    padded = made.rjust((modulus.bit_length() + 7) // 8, b"\0")
    public.verify(padded, message, primitives.asymmetric.padding.PKCS1v15(), getattr(primitives.hashes, hash_name)())
