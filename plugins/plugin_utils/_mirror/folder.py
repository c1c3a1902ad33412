# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are the files of a mirror looked at, written and removed while it is served? Runs on the controller.

Readers never see half of a file: it is written in a folder of our own, brought to the disk, and renamed. No link is
followed below the mirror's folder, so nothing is read or written elsewhere, whoever may write there. Two runs wait for
each other.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.addresses import STATE
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice, shortened

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CHUNK_BYTES = 1 << 20
#: What the operating system answers where a folder should be, and a file or a link is.
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP)
#: Our own files: while one is written, and what two runs wait for.
_INCOMING, _LOCK = "incoming", "lock"
READABLE_FILE, READABLE_FOLDER, OWN_FOLDER = 0o644, 0o755, 0o700


class InTheWayError(ReleaseError):
    """Something that is no plain file, or no folder, is where one of the mirror must be."""


class MirrorFolder:
    """The folder of a mirror. Use opened()."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def digest(self, place: str) -> tuple[str, int] | None:
        """Return the SHA-256 and the size of the file at *place*, None where there is none.

        Raises ReleaseError for what is no plain file, OSError if it cannot be read.
        """
        with contextlib.suppress(FileNotFoundError), self._opened(place) as file:
            digest, size = hashlib.sha256(), 0
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
            return digest.hexdigest(), size
        return None

    def text(self, place: str) -> str | None:
        """Return the text of the file at *place*, None where there is none; what is no text is shown as such.

        Raises ReleaseError for what is no plain file, OSError if it cannot be read.
        """
        with contextlib.suppress(FileNotFoundError), self._opened(place) as file:
            return file.read().decode(errors="replace")
        return None

    def chunks(self, place: str) -> Iterator[bytes]:
        """Yield the bytes of the file at *place*. Raises ReleaseError if it is no plain file, OSError if it is gone."""
        with self._opened(place) as file:
            yield from iter(lambda: file.read(_CHUNK_BYTES), b"")

    def write(self, place: str, content: Iterable[bytes], expected: tuple[str, int]) -> None:
        """Put *content* at *place*, whole or not at all; *expected* are its SHA-256 and its size.

        Raises ReleaseError if it is other bytes, or something is in the way; OSError if the system refuses.
        """
        with self._folder(STATE) as own, self._incoming(own) as file:
            digest, size = hashlib.sha256(), 0
            for chunk in content:
                digest.update(chunk)
                size += len(chunk)
                if size > expected[1]:
                    break
                file.write(chunk)
            if (digest.hexdigest(), size) != expected:
                raise ReleaseError(
                    f"{place} would have other bytes than the lock file pins",
                    expected=f"sha256 {expected[0]}, {expected[1]} bytes",
                    found=f"sha256 {digest.hexdigest()}, {size} bytes or more",
                    fix="run again; if it stays so, lock the tool again (upgrade) with this version of the collection",
                )
            file.flush()
            os.fchmod(file.fileno(), READABLE_FILE)
            os.fsync(file.fileno())
            self._publish(own, place)

    def link(self, place: str, other: str) -> None:
        """Put the file that is at *other* at *place*, too: a second name, so that it is on the disk once.

        Raises ReleaseError if something is in the way, OSError where the file system knows no second names.
        """
        above, _slash, name = other.rpartition("/")
        with self._folder(STATE) as own, self._folder(above) as folder:
            self._forget_incoming(own)
            os.link(name, _INCOMING, src_dir_fd=folder, dst_dir_fd=own, follow_symlinks=False)
            self._publish(own, place)
            self._forget_incoming(own)

    def remove(self, place: str) -> None:
        """Remove the file at *place*, and each folder that is empty then. Raises OSError if the system refuses."""
        steps = place.split("/")
        with contextlib.suppress(FileNotFoundError), self._folder("/".join(steps[:-1])) as folder:
            os.unlink(steps[-1], dir_fd=folder)
        for end in range(len(steps) - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError), self._folder("/".join(steps[: end - 1])) as folder:
                try:
                    os.rmdir(steps[end - 1], dir_fd=folder)
                except OSError:
                    return

    def places(self) -> Iterator[str]:
        """Yield the path of everything below the folder that is no folder, our own files left out.

        So it yields a folder that cannot be read, such as lost+found: nothing of the mirror is in that.
        """
        unreadable: list[str] = []
        for above, folders, names in os.walk(self.path, onerror=lambda error: unreadable.append(str(error.filename))):
            inside = os.path.relpath(above, self.path)
            prefix = "" if inside == "." else f"{inside}/"
            if not prefix:
                folders[:] = [name for name in folders if name != STATE]
            links = [name for name in folders if os.path.islink(os.path.join(above, name))]
            yield from (prefix + name for name in sorted([*names, *links]))
        yield from sorted(os.path.relpath(folder, self.path) for folder in unreadable)

    def _publish(self, own: int, place: str) -> None:
        """Give what was written the name *place*, in folders that are made where they are missing."""
        above, _slash, name = place.rpartition("/")
        with self._folder(above, create=True) as folder:
            try:
                os.rename(_INCOMING, name, src_dir_fd=own, dst_dir_fd=folder)
            except IsADirectoryError:
                raise self._in_the_way(place, "a file") from None
            os.fsync(folder)

    @contextlib.contextmanager
    def _incoming(self, own: int) -> Iterator[BinaryIO]:
        self._forget_incoming(own)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(_INCOMING, flags, 0o600, dir_fd=own), "wb") as file:
                yield file
        finally:
            self._forget_incoming(own)

    @staticmethod
    def _forget_incoming(own: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_INCOMING, dir_fd=own)

    @contextlib.contextmanager
    def _opened(self, place: str) -> Iterator[BinaryIO]:
        above, _slash, name = place.rpartition("/")
        with self._folder(above) as folder:
            try:
                descriptor = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENXIO):
                    raise
                raise self._in_the_way(place, "a file") from None
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise self._in_the_way(place, "a file")
            yield file

    @contextlib.contextmanager
    def _folder(self, place: str, create: bool = False) -> Iterator[int]:
        """Open the folder at *place* step by step, no link followed. Raises FileNotFoundError where it is missing."""
        descriptor = os.dup(self._descriptor)
        try:
            for end, step in enumerate(place.split("/") if place else []):
                is_new = create and _made(step, descriptor)
                try:
                    below = os.open(step, _FOLDER, dir_fd=descriptor)
                except OSError as error:
                    if error.errno not in _NO_FOLDER:
                        raise
                    raise self._in_the_way("/".join(place.split("/")[: end + 1]), "a folder") from None
                os.close(descriptor)
                descriptor = below
                if is_new:
                    os.fchmod(descriptor, READABLE_FOLDER)
            yield descriptor
        finally:
            os.close(descriptor)

    def _in_the_way(self, place: str, expected: str) -> InTheWayError:
        return InTheWayError(
            f"{self.path}/{shortened(place, 200)} is in the way of the mirror",
            expected=f"{expected}, or nothing; no link is followed below {self.path}",
            fix="move it away, or name another folder in the option dest",
        )


def _made(step: str, above: int) -> bool:
    """Make the folder *step* in the folder that the descriptor *above* is of; tell whether it was missing."""
    try:
        os.mkdir(step, OWN_FOLDER, dir_fd=above)
    except FileExistsError:
        return False
    return True


@contextlib.contextmanager
def opened(path: Path) -> Iterator[MirrorFolder | None]:
    """Give the folder of a mirror to look at; None where there is none yet. Raises ReleaseError if it is no folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise failure(error, path) from error
    try:
        yield MirrorFolder(path, descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held(path: Path) -> Iterator[MirrorFolder]:
    """Give the folder of a mirror to change, made where it is missing, after every other run has let it go.

    Raises ReleaseError if the system refuses.
    """
    try:
        for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
            # Servers must come through what leads there, too.
            missing.mkdir()
            missing.chmod(READABLE_FOLDER)
        (path / STATE).mkdir(mode=OWN_FOLDER, exist_ok=True)
    except OSError as error:
        raise failure(error, path) from error
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(opened(path))
        if folder is None:
            raise failure(OSError(errno.ENOENT, os.strerror(errno.ENOENT)), path)
        try:
            own = stack.enter_context(folder._folder(STATE))
            flags = os.O_RDWR | os.O_CREAT | _FILE
            lock = stack.enter_context(open(os.open(_LOCK, flags, 0o600, dir_fd=own), "r+b"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise failure(error, path) from error
        yield folder


def failure(error: OSError, path: Path) -> ReleaseError:
    """Return what to say of the operating system's refusal to read or write the mirror at *path*."""
    return ReleaseError(
        f"cannot keep a mirror in {path}",
        found=error.strerror or str(error),
        fix=advice(error.errno or 0, "name another folder in the option dest"),
    )
