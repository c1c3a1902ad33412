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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import mode_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice

_ELSEWHERE = "name another folder in the option dest"


@dataclass(frozen=True)
class ReportFile:
    """A file of a report: its path below the folder, of steps without ``..``, and what is in it."""

    path: str
    content: bytes


class Staged:
    """The files of a report, whole on the disk under other names: which of them *changed*, by their paths."""

    def __init__(self, elsewhere: str) -> None:
        self.changed: dict[Path, bool] = {}
        self._temporary: dict[Path, str] = {}
        self._elsewhere = elsewhere

    def take(self, dest: Path, files: Iterable[ReportFile], is_check: bool) -> None:
        """Write each of the *files* that is new beside its place in *dest*; only compare it if *is_check*."""
        with self._refused(dest):
            for file in files:
                path = dest / file.path
                self.changed[path] = not _is_same(path, file.content)
                if self.changed[path] and not is_check:
                    self._temporary[path] = _beside(path, file.content)

    def put(self) -> None:
        """Let each file take its name. Raises ReleaseError where the system refuses."""
        for path in list(self._temporary):
            with self._refused(path):
                os.replace(self._temporary[path], path)
            del self._temporary[path]

    def drop(self) -> None:
        """Remove what has not taken its name."""
        for temporary in self._temporary.values():
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    @contextlib.contextmanager
    def _refused(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            number = error.errno or errno.EIO
            what = f"cannot write {error.filename2 or error.filename or path}"
            raise ReleaseError(what, found=os.strerror(number), fix=advice(number, self._elsewhere)) from error


@contextlib.contextmanager
def staged(dest: Path, files: Iterable[ReportFile], is_check: bool, elsewhere: str = _ELSEWHERE) -> Iterator[Staged]:
    """Yield the *files*, which take their names in the folder *dest* when they are put there, and not before.

    *elsewhere* is what else the user can do where the system refuses. Raises ReleaseError then; no file has changed.
    """
    files_beside = Staged(elsewhere)
    try:
        files_beside.take(dest, files, is_check)
        yield files_beside
    finally:
        files_beside.drop()


def write(dest: Path, files: Iterable[ReportFile], is_check: bool, elsewhere: str = _ELSEWHERE) -> dict[Path, bool]:
    """Let the folder *dest* have the *files*, and return their paths and whether each changed; only tell if *is_check*.

    Raises ReleaseError where the system refuses; no file has changed then, unless the renaming itself was refused.
    """
    with staged(dest, files, is_check, elsewhere) as files_beside:
        files_beside.put()
    return files_beside.changed


def refuse_no_folder(dest: Path) -> None:
    """Raise ReleaseError if what is no folder is at *dest*, where the files of a report would be, or above it."""
    there = next((path for path in (dest, *dest.absolute().parents) if os.path.exists(path)), dest)
    if os.path.exists(there) and not os.path.isdir(there):
        fix = advice(errno.ENOTDIR, _ELSEWHERE)
        raise ReleaseError(f"cannot write the report to {dest}", found=os.strerror(errno.ENOTDIR), fix=fix)


def refuse_unwritable(dest: Path) -> None:
    """Raise ReleaseError if this user may not write in the folder *dest*, or make it where it is missing."""
    there = next(path for path in (dest, *dest.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        fix = f"let this user write there, or {_ELSEWHERE}"
        raise ReleaseError(f"cannot write the report to {dest}", found=f"no right to write in {there}", fix=fix)


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
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    except OSError as error:
        error.filename = str(path)  # whoever reads of it knows no temporary file
        raise
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode_of(path))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary
