# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of minisign for tests, which sign as the program does, and, if they are told to, as it never would."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class SigningKey:
    """A pair of keys. Equal seeds are equal keys; the id can be that of another key, as a forger would have it."""

    def __init__(self, seed: str, key_id: bytes | None = None) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
        self.key_id = key_id or hashlib.sha256(f"id of {seed}".encode()).digest()[:8]

    @property
    def public(self) -> str:
        """The second line of the public key's file."""
        return _base64(b"Ed" + self.key_id + self._private.public_key().public_bytes_raw())

    def sign(self, content: bytes, comment: bytes = b"trusted", algorithm: bytes = b"ED") -> bytes:
        """Return the signature file of *content*."""
        message = hashlib.blake2b(content).digest() if algorithm == b"ED" else content
        of_file = self._private.sign(message)
        lines = (
            "untrusted comment: made by a test",
            _base64(algorithm + self.key_id + of_file),
            b"trusted comment: " + comment,
            _base64(self._private.sign(of_file + comment)),
        )
        return b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
