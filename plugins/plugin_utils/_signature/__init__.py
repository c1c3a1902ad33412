# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a signature valid, of these bytes, and by whom?

Each file verifies one format, from bytes that it is given: it asks no server and knows of no publisher. So the same
code verifies when a lock is made, and years later from what was kept. This file has what the formats have in common.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Signed:
    """A file of a release, and the signature that is said to be of it.

    name       its name; the *version* of the release may be a part of it
    sha256     the digest of its bytes, which *open_file* opens to be read
    tag        of the release, where the signature must be about that; "" if it is not known
    digests    other digests of its bytes that are known, by algorithm
    """

    name: str
    version: str
    sha256: str
    open_file: Callable[[], BinaryIO]
    signature_name: str
    signature: bytes
    tag: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)

    def digest(self, algorithm: str) -> bytes:
        """Return the digest of its bytes by an *algorithm* of hashlib's; they are read if it is not known yet."""
        known = {**self.digests, "sha256": self.sha256}
        if algorithm in known:
            return bytes.fromhex(known[algorithm])
        made = hashlib.new(algorithm)
        with self.open_file() as file:
            while chunk := file.read(CHUNK_BYTES):
                made.update(chunk)
        return made.digest()

    def content(self, limit_bytes: int) -> bytes | None:
        """Return all bytes of the file; None where they are more than *limit_bytes*, and then not all are read."""
        with self.open_file() as file:
            content = file.read(limit_bytes + 1)
        return content if len(content) <= limit_bytes else None


@dataclass(frozen=True)
class Signer:
    """Who made a signature that holds, by the name that the format has for that, and what is stated under it.

    *root* is the trust root that certified the signer, if the format has such.
    """

    name: str
    statement: str = ""
    root: bytes = b""
