# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs does an asset hold, if it was opened before? Opening it anew is most of a lock's time; controller.

What an asset holds depends on its bytes, on the code that reads them, and on the tool's name where the format holds
none. So it is kept under the digests of these, and never grows old: another version of any reader finds nothing.

A note is as private as the cached bytes, and says nothing about which bytes are right: those are hashed anew, and a
host refuses an asset that unpacks to anything else than the lock file lists.

Notes only save work, so nothing about them is an error: one that is missing, damaged, of another user or about another
asset is ignored, and the asset is opened. So is an asset that unpacks to more than is allowed now, which refuses it in
the same words as ever. What the bytes did not cause, such as an error of the disk, is not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.typed_json import as_json, read_typed

FOLDER = "contents"
KEPT_DAYS = 30
#: An archive has at most 50,000 members, with 8 MiB of names; a note of more is not kept.
LIMIT_BYTES = 64 * 1024**2
DAY_S = 24 * 60 * 60
#: Whose code decides what is found in an asset, below ``plugins``.
READERS = ("module_utils", "plugin_utils/_asset", "plugin_utils/_program", "plugin_utils/_values")


@dataclass(frozen=True)
class _Asked:
    """All that the answer depends on. *readers* is the digest of the code."""

    sha256: str
    format: str
    tool: str
    readers: str

    @property
    def key(self) -> str:
        """The name of the note."""
        return hashlib.sha256(json.dumps(as_json(self)).encode()).hexdigest()


def look_into(cached: CachedFile, name: str, tool: str, allowance: Allowance, cache_root: Path) -> Contents:
    """Return the programs of the asset *name*, whose bytes are *cached*, and all that it becomes on a host.

    *tool* names the one program of formats that hold no name. *allowance* is what may be unpacked: a remembered asset
    takes as much of it as one that is opened. Raises ReleaseError for what must not be unpacked.
    """
    asked = _Asked(cached.sha256, format_of(name), tool, readers())
    known = _recall(cache_root, asked)
    if known is not None and known.unpacked_size <= allowance.maximum_bytes:
        allowance.take(known.unpacked_size, ascii(name)[1:-1])
        return known
    found = contents.look_into(cached.path, asked.format, tool, name, allowance)
    _keep(cache_root, asked, found)
    return found


@cache
def readers() -> str:
    """Return a digest of the source of all readers, and of the Python that runs them; "" if it cannot be read."""
    plugins = Path(__file__).parents[2]
    made = hashlib.sha256(platform.python_version().encode())
    try:
        for path in sorted(path for folder in READERS for path in (plugins / folder).rglob("*.py")):
            content = path.read_bytes()
            made.update(f"\n{path.relative_to(plugins)} {len(content)}\n".encode() + content)
    except OSError:
        return ""
    return made.hexdigest()


def _recall(cache_root: Path, asked: _Asked) -> Contents | None:
    """Return what is kept about *asked*, None where that is nothing, or not what was kept."""
    if not asked.readers:
        return None
    try:
        folder = folders.private_folder(cache_root, FOLDER, create=False)
        with folders.open_to_read(folder / asked.key) as file:
            digest, body = file.readline(LIMIT_BYTES).rstrip(b"\n"), file.read(LIMIT_BYTES + 1)
            _note_use(file.fileno())
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        about, found = read_json(body.decode("ascii"))
        return read_typed(Contents, found) if read_typed(_Asked, about) == asked else None
    except (ReleaseError, OSError, ValueError, TypeError):
        return None


def _keep(cache_root: Path, asked: _Asked, found: Contents) -> None:
    if not asked.readers or not _is_lasting(found):
        return
    body = json.dumps([as_json(asked), as_json(found)], separators=(",", ":")).encode("ascii")
    if len(body) > LIMIT_BYTES:
        return
    with contextlib.suppress(ReleaseError, OSError):
        folder = folders.private_folder(cache_root, FOLDER)
        folders.forget_unused(folder, KEPT_DAYS)
        folders.write_atomically(folder / asked.key, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def _is_lasting(found: Contents) -> bool:
    """Tell whether the asset's bytes alone made *found*: a program that the disk failed to read is readable again."""
    return not any(isinstance(error.__cause__, OSError) for error in found.unreadable.values())


def _note_use(descriptor: int) -> None:
    """Let what is in use not be forgotten; once a day is enough to know."""
    if os.fstat(descriptor).st_mtime < time.time() - DAY_S:
        os.utime(descriptor)
