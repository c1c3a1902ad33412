# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the lock files of a mirror say, and what lies beside them? Read from disk; runs on the controller."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    components_file,
    local_folders,
    lock_reader,
    signers,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.evidence_folder import EvidenceFolder, kept_of
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import GivenLock


def read_lock(path: Path, required: signers.Signers | None = None) -> GivenLock:
    """Return the lock file at *path* with its evidence, its signatures, and the file of what is inside its programs.

    Raises ReleaseError if it cannot be read, is not signed by those who are *required*, or lacks evidence, or if the
    file of components is none.
    """
    lock, text = lock_reader.read_with_text(path, required)
    lock = local_folders.as_found(lock, path.absolute().parent)
    folder = EvidenceFolder(path)
    evidence = {kept: folder.read(kept) for kept in sorted(kept_of(lock))}
    components = components_file.read_text(path) or ""
    if components:
        components_file.parse(components, str(components_file.path_beside(path)))
    return GivenLock(path, lock, text.encode(), evidence, signers.files(path), components.encode())
