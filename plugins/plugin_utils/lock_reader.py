# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the lock file on disk say? Read whole, and its digest with it; runs on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import LockFile, parse


def read(path: Path) -> tuple[LockFile, str]:
    """Return the lock file at *path* and the SHA-256 of its bytes. Raises ReleaseError that names the file."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(
            f"cannot read the lock file {path}",
            found=getattr(error, "strerror", None) or str(error),
            fix="make it with pinned.release.lock, or mend the option lockfile",
        ) from error
    return parse(text, str(path)), hashlib.sha256(content).hexdigest()
