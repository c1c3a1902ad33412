# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are an archive's files written so that nothing lands outside of the tree? Runs on hosts.

Every path is taken relative to the directory that was opened at the start (openat(2)), created and never followed or
overwritten, and has a mode without set-id, sticky or group-writable bits.
"""

import collections
import concurrent.futures
import errno
import hashlib
import io
import os
import posixpath
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.file_errors import file_error
from ansible_collections.pinned.release.plugins.module_utils.member_names import refused, shown
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked, UnpackedFile, link_text

_BUFFER_BYTES = 256 * 1024
_SYNCS_AT_ONCE = 8
_MOST_UNSYNCED_FILES = 64
_SAFE_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | _SAFE_FLAGS


class StagedTree:
    """The tree being written below *destination*, an existing, empty directory; *executables* become programs."""

    def __init__(self, destination: str, archive: str, executables: t.Collection[str]) -> None:
        self._archive = archive
        self._executables = frozenset(executables)
        self._files = {}  # type: t.Dict[str, UnpackedFile]
        self._directories = {"": None}  # type: t.Dict[str, None]
        self._links = {}  # type: t.Dict[str, str]
        self._syncs = collections.deque()  # type: t.Deque[concurrent.futures.Future[None]]
        try:
            self._root = os.open(destination, _DIRECTORY_FLAGS)
        except OSError as error:
            raise file_error("unpack into", destination, error) from error
        if os.listdir(self._root):
            os.close(self._root)
            raise ReleaseError("cannot unpack into {0}: it is not empty".format(shown(destination)))
        # A disk is waited for by several at once, and while more is unpacked: a journaling file system commits once for
        # all that wait. One by one, thousands of small files take many times as long.
        self._pool = concurrent.futures.ThreadPoolExecutor(_SYNCS_AT_ONCE)

    def close(self) -> None:
        """Wait for all syncs, and close the directory."""
        self._pool.shutdown()
        os.close(self._root)

    def unpacked(self) -> Unpacked:
        """Return all that was written."""
        return Unpacked(list(self._files.values()), [path for path in self._directories if path], self._links)

    def write(self, path: str, content: t.BinaryIO, is_executable: bool) -> None:
        """Write *content*, read until b"", as the file *path*. Raises ReleaseError if *path* is taken, or OSError."""
        self.make_directory(posixpath.dirname(path))
        is_executable = is_executable or path in self._executables
        digest = hashlib.sha256()
        size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE_FLAGS
        descriptor = self._made(path, lambda name: os.open(name, flags, 0o600, dir_fd=self._root))
        with io.FileIO(descriptor, "wb") as file:
            for data in iter(lambda: content.read(_BUFFER_BYTES), b""):
                digest.update(data)
                size += len(data)
                _write_all(file, data)
            # Not left to open(2), whose mode the umask of whoever runs us narrows.
            os.fchmod(descriptor, 0o755 if is_executable else 0o644)
        self._files[path] = UnpackedFile(path, digest.hexdigest(), size, is_executable)
        self._syncs.append(self._pool.submit(self._sync, path, os.O_RDONLY | _SAFE_FLAGS))
        self._finish_syncs(_MOST_UNSYNCED_FILES)

    def copy(self, path: str, original: str, is_executable: bool) -> None:
        """Write the content of *original*, written before, as *path* too. Raises ReleaseError or OSError as write()."""
        with io.FileIO(self._open(original, os.O_RDONLY | _SAFE_FLAGS), "rb") as file:
            self.write(path, t.cast(t.BinaryIO, file), is_executable)

    def link(self, path: str, target: str) -> None:
        """Make *path* a symbolic link to *target*, a path in this tree. No file may be written after the first link.

        Raises ReleaseError if *path* is taken, or OSError.
        """
        self.make_directory(posixpath.dirname(path))
        text = link_text(path, target)
        self._made(path, lambda name: os.symlink(text.encode("utf-8"), name, dir_fd=self._root))
        self._links[path] = text

    def make_directory(self, path: str) -> None:
        """Make the directory *path* and its parents, unless they were made before. Raises ReleaseError, or OSError."""
        missing = []
        while path not in self._directories:
            missing.append(path)
            path = posixpath.dirname(path)
        for path in reversed(missing):
            self._made(path, lambda name: os.mkdir(name, 0o755, dir_fd=self._root))
            os.chmod(path.encode("utf-8"), 0o755, dir_fd=self._root)
            self._directories[path] = None

    def sync(self) -> None:
        """Bring all that was written to disk, directories after what is in them."""
        self._finish_syncs(0)
        for path in self._directories:
            self._syncs.append(self._pool.submit(self._sync, path or ".", _DIRECTORY_FLAGS))
            self._finish_syncs(_MOST_UNSYNCED_FILES)
        self._finish_syncs(0)

    def _made(self, path: str, make: t.Callable[[bytes], t.Any]) -> t.Any:
        """Make *path*, as bytes: a host's locale may not know its characters."""
        try:
            return make(path.encode("utf-8"))
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
            raise refused(self._archive, path, "is another member's name to this file system") from error

    def _open(self, path: str, flags: int) -> int:
        return os.open(path.encode("utf-8"), flags, dir_fd=self._root)

    def _finish_syncs(self, most: int) -> None:
        """Wait until no more than *most* are left, and raise what one of them raised in its thread."""
        while len(self._syncs) > most:
            self._syncs.popleft().result()

    def _sync(self, path: str, flags: int) -> None:
        descriptor = self._open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_all(file: io.FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]
