# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the lock file on disk say, and is it signed? Read whole, and its digest with it; runs on the controller."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    found_before,
    local_folders,
    signers,
    user_files,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.lockfile import parse
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile


def read(path: Path, required: signers.Signers | None = None) -> tuple[LockFile, str]:
    """Return the lock file at *path*, with absolute addresses, and the SHA-256 of its text.

    Nothing in it is read before enough of the *required* signers are found to have signed it. Raises ReleaseError that
    names the file.
    """
    lock, text = read_with_text(path, required)
    return local_folders.as_found(lock, path.absolute().parent), _digest(text)


def read_with_text(path: Path, required: signers.Signers | None = None) -> tuple[LockFile, str]:
    """Return the lock file at *path* with addresses as it says them, the same in each checkout, and its text.

    Raises ReleaseError as read() does.
    """
    text = user_files.read(path, user_files.LOCK_FILE)
    return _parsed(path, text, required), text


def read_for_hosts(
    path: Path,
    required: signers.Signers | None = None,
    run_folder: Path | None = None,
    check: Callable[[LockFile], None] | None = None,
) -> tuple[LockFile, str]:
    """Return the lock file at *path* with addresses as it says them, and the SHA-256 of its text.

    *check* raises ReleaseError for a lock file that is not to be used. With *run_folder*, which belongs to this run
    alone, the same text is taken apart, its signatures are looked at and it is checked once for all hosts.
    """
    text = user_files.read(path, user_files.LOCK_FILE)
    digest = _digest(text)
    read_it = partial(_checked, path, text, required, check)
    lock = found_before.lock_once(run_folder, read_it, str(path.absolute()), digest, required, check is not None)
    return lock, digest


def _checked(
    path: Path, text: str, required: signers.Signers | None, check: Callable[[LockFile], None] | None
) -> LockFile:
    lock = _parsed(path, text, required)
    if check:
        check(lock)
    return lock


def _parsed(path: Path, text: str, required: signers.Signers | None) -> LockFile:
    if required is not None:
        signers.require(required, path, text)
    return parse(text, str(path))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
