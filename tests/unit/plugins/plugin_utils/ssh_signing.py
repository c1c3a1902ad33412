# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of SSH for tests, which sign as ssh-keygen and hardware do, and, if they are told to, as these never would."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def string(content: bytes) -> bytes:
    """Return a string as SSH writes it (RFC 4251, section 5)."""
    return len(content).to_bytes(4, "big") + content


def number(value: int) -> bytes:
    """Return a positive number as SSH writes it."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def armored(blob: bytes) -> bytes:
    """Return a signature file."""
    return b"-----BEGIN SSH SIGNATURE-----\n" + base64.encodebytes(blob) + b"-----END SSH SIGNATURE-----\n"


class SshKey:
    """A key of Ed25519. Equal seeds are equal keys. With *is_hardware* it signs as a FIDO token does."""

    def __init__(self, seed: str, is_hardware: bool = False) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
        self.name = "sk-ssh-ed25519@openssh.com" if is_hardware else "ssh-ed25519"
        self.is_hardware = is_hardware

    @property
    def blob(self) -> bytes:
        """The public key."""
        application = string(b"ssh:") if self.is_hardware else b""
        return string(self.name.encode()) + string(self._private.public_key().public_bytes_raw()) + application

    @property
    def public(self) -> str:
        """The first two words of the public key's file."""
        return f"{self.name} {base64.b64encode(self.blob).decode()}"

    def made(self, message: bytes) -> bytes:
        """Return what the signature of a *message* looks like to SSH."""
        if not self.is_hardware:
            return string(self.name.encode()) + string(self._private.sign(message))
        device = b"\1" + (7).to_bytes(4, "big")
        asked = hashlib.sha256(b"ssh:").digest() + device + hashlib.sha256(message).digest()
        return string(self.name.encode()) + string(self._private.sign(asked)) + device

    def sign(
        self,
        content: bytes,
        namespace: bytes = b"file",
        hash_name: str = "sha512",
        version: int = 1,
        key: SshKey | None = None,
    ) -> bytes:
        """Return the signature file of *content*; it names the public key of another *key* if that is given."""
        digest = hashlib.new(hash_name, content).digest()
        words = string(namespace) + string(b"") + string(hash_name.encode())
        made = self.made(b"SSHSIG" + words + string(digest))
        blob = b"SSHSIG" + version.to_bytes(4, "big") + string((key or self).blob) + words + string(made)
        return armored(blob)


class SshTokenKey(SshKey):
    """A key of ECDSA that lives in hardware: the older kind of token."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed, is_hardware=True)
        secret = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big") >> 1
        self._curve_key = ec.derive_private_key(secret, ec.SECP256R1())
        self.name = "sk-ecdsa-sha2-nistp256@openssh.com"

    @property
    def blob(self) -> bytes:
        """The public key."""
        point = self._curve_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return b"".join(map(string, (self.name.encode(), b"nistp256", point, b"ssh:")))

    def made(self, message: bytes) -> bytes:
        """Return what the signature of a *message* looks like to SSH."""
        device = b"\1" + (7).to_bytes(4, "big")
        asked = hashlib.sha256(b"ssh:").digest() + device + hashlib.sha256(message).digest()
        first, second = utils.decode_dss_signature(self._curve_key.sign(asked, ec.ECDSA(hashes.SHA256())))
        return string(self.name.encode()) + string(number(first) + number(second)) + device
