# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the lock file on disk say? Read whole, and its digest with it; runs on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils import user_files
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import LockFile, parse


def read(path: Path) -> tuple[LockFile, str]:
    """Return the lock file at *path* and the SHA-256 of its text. Raises ReleaseError that names the file."""
    text = user_files.read(path, user_files.LOCK_FILE, if_missing="make it with pinned.release.lock")
    return parse(text, str(path)), hashlib.sha256(text.encode()).hexdigest()
