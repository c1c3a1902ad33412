# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where may the controller keep what it fetched, so that nobody else can have put it there? Runs on the controller.

Follows the XDG Base Directory Specification, after ``PINNED_RELEASE_CACHE``.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError


def default_cache_root() -> Path:
    """Return ``$PINNED_RELEASE_CACHE``, or ``pinned.release`` in the user's cache folder. Raises ReleaseError."""
    chosen = os.environ.get("PINNED_RELEASE_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        # The specification says that a relative path is to be ignored.
        return (Path(shared) if os.path.isabs(shared) else Path("~/.cache").expanduser()) / "pinned.release"
    except RuntimeError:  # a container may run as a user that nothing knows
        raise ReleaseError(
            "this user has no home folder to keep a cache in", fix="name a folder in PINNED_RELEASE_CACHE"
        ) from None


def make_private(folder: Path) -> None:
    """Create *folder*, and those above it that are missing, for this user alone. Raises OSError."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)


def is_private(folder: Path) -> bool:
    """Tell whether nobody but this user and root could have put anything into *folder*. Raises OSError."""
    found = folder.stat()
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def write_atomically(path: Path, content: bytes, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Write *content* to *path* so that a reader, or a power cut, sees all of it or none. Raises OSError.

    *owner* is the user and group that the file is given to, if this process may: root may.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), *(owner or (-1, -1)))
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
