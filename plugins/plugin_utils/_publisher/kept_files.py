# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the cache hold under this digest? It is hashed whenever it is asked for. Runs on the controller.

Nothing here speaks HTTP, and no library for it is loaded: of a thousand hosts that get the same asset, only one needs
it fetched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice

CHUNK_BYTES = 1024 * 1024
_FIXED_LENGTH = frozenset(hashlib.algorithms_guaranteed) - {"shake_128", "shake_256"}


@dataclass(frozen=True)
class CachedFile:
    """An asset's bytes on the controller. *digests* holds every algorithm that was compared, and SHA-256."""

    path: Path
    sha256: str
    size: int
    digests: Mapping[str, str]


def kept(root: Path, sha256: str) -> CachedFile | None:
    """Return the whole file with this digest in the cache below *root*; None if there is none.

    Raises ReleaseError on a disk that cannot be read.
    """
    try:
        found = look(root, sha256)
    except OSError as error:
        raise disk_failure(error, root) from error
    return found if found and found.sha256 == sha256 else None


def is_there(root: Path, sha256: str) -> bool:
    """Tell whether the cache below *root* has something under this digest, which is not read.

    Raises ReleaseError where another user could change the cache, or the disk cannot be read.
    """
    try:
        return (folders.private_folder(root, "sha256", sha256[:2], create=False) / sha256).exists()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise disk_failure(error, root) from error


def look(root: Path, sha256: str, algorithms: tuple[str, ...] = ("sha256",)) -> CachedFile | None:
    """Return what lies under *sha256* in the cache below *root*, hashed; None if nothing does.

    What was damaged has another digest than that. *algorithms* must contain SHA-256. Raises OSError if the disk
    cannot be read.
    """
    if not is_digest("sha256", sha256):
        return None
    made = hashes(algorithms)
    try:
        path = folders.private_folder(root, "sha256", sha256[:2], create=False) / sha256
        with folders.open_to_read(path) as file:
            size = hash_all(file, made)
    except FileNotFoundError:
        return None
    digests = {algorithm: one.hexdigest() for algorithm, one in made.items()}
    return CachedFile(path, digests["sha256"], size, digests)


def is_digest(algorithm: str, value: str) -> bool:
    """Tell whether *value*, a stranger's text that becomes part of a path, is a digest by *algorithm*."""
    if algorithm not in _FIXED_LENGTH:
        return False
    digits = hashlib.new(algorithm, usedforsecurity=False).digest_size * 2
    return re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", value) is not None


def hashes(algorithms: tuple[str, ...]) -> dict[str, hashlib._Hash]:
    """Return a new hash for each of *algorithms*."""
    return {algorithm: hashlib.new(algorithm, usedforsecurity=False) for algorithm in algorithms}


def hash_all(file: BinaryIO, made: Mapping[str, hashlib._Hash]) -> int:
    """Feed all of *file* to the hashes that were *made*; return how many bytes that was."""
    size = 0
    while chunk := file.read(CHUNK_BYTES):
        size += len(chunk)
        for one in made.values():
            one.update(chunk)
    return size


def disk_failure(error: OSError, root: Path) -> ReleaseError:
    """Return the error for a cache folder that the operating system will not let us use."""
    where = error.filename or root
    return ReleaseError(
        f"the cache could not be used at {where}",
        found=error.strerror or str(error),
        fix=advice(error.errno or 0, "name another folder in PINNED_RELEASE_CACHE"),
    )
