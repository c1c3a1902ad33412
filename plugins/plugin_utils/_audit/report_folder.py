# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a folder come to have the files of a report? Written beside, then renamed; runs on the controller.

All files are whole on the disk before the first takes its name, so that a full disk leaves the last report as it was.
What is the same already is not written. A new file has the mode that the umask gives; one that is replaced keeps its.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice


@dataclass(frozen=True)
class ReportFile:
    """A file of a report: its path below the folder, of steps without ``..``, and what is in it."""

    path: str
    content: bytes


def write(dest: Path, files: Iterable[ReportFile], is_check: bool) -> dict[Path, bool]:
    """Let the folder *dest* have the *files*, and return their paths and whether each changed; only tell if *is_check*.

    Raises ReleaseError where the system refuses; no file has changed then, unless the renaming itself was refused.
    """
    staged: dict[Path, str] = {}
    changed: dict[Path, bool] = {}
    try:
        for file in files:
            path = dest / file.path
            changed[path] = not _is_same(path, file.content)
            if changed[path] and not is_check:
                staged[path] = _beside(path, file.content)
        for path in list(staged):
            os.replace(staged[path], path)
            del staged[path]
    except OSError as error:
        fix = advice(error.errno or errno.EIO, "name another folder in the option dest")
        what = f"cannot write the report {error.filename2 or error.filename or dest}"
        raise ReleaseError(what, found=os.strerror(error.errno or errno.EIO), fix=fix) from error
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    return changed


def _is_same(path: Path, content: bytes) -> bool:
    """Return whether *path* is a regular file with this *content*. Raises OSError for a folder or a device there."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return stat.S_ISREG(found.st_mode) and found.st_size == len(content) and path.read_bytes() == content


def _beside(path: Path, content: bytes) -> str:
    """Write *content* to a new file in the folder of *path*, and return its path. Raises OSError if that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), _mode(path))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary


def _mode(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):
            return stat.S_IMODE(found.st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
