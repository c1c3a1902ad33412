# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do bytes that the controller pushed become a verified file? In bounded memory. Runs on hosts.

They come through standard input, or lie in a temporary file that the user who logged in may change at any time. So each
is copied into a folder of ours, hashed on the way, and is there only if it is what was locked.
"""

import contextlib
import hashlib
import io
import os
import signal
import stat
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.file_errors import file_error

#: How long a connection may bring nothing at all, while others wait for the lock that this run holds.
TIMEOUT_S = 120

_BUFFER_BYTES = 64 * 1024


class Pushed:
    """The files that came with the orders, one after the other as they are asked for; *size* is of all, in bytes."""

    def __init__(self, stream: t.Optional[t.BinaryIO] = None, size: int = 0) -> None:
        self._stream = stream or io.BytesIO()
        self._left = size

    def take(self, path: str, sha256: str, size: int, name: str) -> None:
        """Make the next *size* bytes the new file *path*; it is there afterwards only if they have the *sha256*.

        Raises ReleaseError, which calls the file *name*, and leaves nothing behind.
        """
        if size > self._left:
            raise ReleaseError(
                "the controller pushed less than it ordered: {0} is missing".format(name),
                expected="{0} bytes".format(size),
                found="{0} bytes".format(self._left),
                fix="nothing was changed; report it as a bug",
            )
        found = hashlib.sha256()
        with _new_file(path) as file:
            for data in self._pieces(size, name):
                file.write(data)
                found.update(data)
            if found.hexdigest() != sha256:
                raise ReleaseError(
                    "{0}: what the controller pushed is not the file that was locked".format(name),
                    expected="sha256 {0}".format(sha256),
                    found="sha256 {0}".format(found.hexdigest()),
                    fix="run again; if it stays so, see who changes files in Ansible's remote_tmp on this host, and "
                    "what the controller has in its cache",
                )

    def drain(self) -> None:
        """Read what is left: while the controller still sends, a closed pipe would look like a host that is lost."""
        with contextlib.suppress(ReleaseError, OSError):
            for _data in self._pieces(self._left, "the rest"):
                pass

    def _pieces(self, size: int, name: str) -> t.Iterator[bytes]:
        """Yield *size* bytes. Raises ReleaseError if they end before, and if nothing comes for TIMEOUT_S."""
        end = self._left - size
        while self._left > end:
            with _in_time(name):
                data = self._stream.read(min(_BUFFER_BYTES, self._left - end))
            if not data:
                raise ReleaseError(
                    "{0}: what the controller pushed ends too early".format(name),
                    expected="{0} bytes more".format(self._left - end),
                    fix="run again: the connection was lost, or the disk of Ansible's remote_tmp is full",
                )
            self._left -= len(data)
            yield data


def pushed_file(path: str, size: int) -> Pushed:
    """Return what lies in the file *path*, whoever may change it. Raises ReleaseError if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise file_error("read", path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ReleaseError("{0} is no regular file".format(ascii(path)[1:-1]), fix="see who changes files there")
    return Pushed(t.cast(t.BinaryIO, io.FileIO(descriptor, "rb")), size)


@contextlib.contextmanager
def _in_time(name: str) -> t.Iterator[None]:
    """Interrupt a read that takes longer than TIMEOUT_S. Raises ReleaseError then."""

    def give_up(_signal: int, _frame: t.Any) -> None:
        """End the read that a signal interrupts. Raises ReleaseError, always."""
        raise ReleaseError(
            "{0}: nothing more came from the controller for {1} seconds".format(name, TIMEOUT_S),
            fix="see whether the connection still stands, and run again",
        )

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TIMEOUT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _new_file(path: str) -> t.Iterator[t.BinaryIO]:
    """Make the file *path*, readable by us alone, where nothing is; take it away again if the block fails."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                yield file
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
    except OSError as error:
        raise file_error("write", path, error) from error
