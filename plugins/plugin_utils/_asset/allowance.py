# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much may assets unpack to, each, all of a run, and on the disk at one time? Runs on the controller.

A few megabytes can become any number of gigabytes. So every size is known, and taken from an allowance, before a byte
of it is written: an archive announces the sizes of its members and is held to them, and what announces none is
unpacked once to nowhere. Only programs are written, to be looked at, and each is deleted before the next.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.archive import (
    UNKNOWN_SIZE,
    Archive,
    Member,
    TooLargeError,
    spool,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy

GIB = 1024**3
_BUFFER_BYTES = 256 * 1024
MAXIMUM_BYTES = Policy().maximum_unpacked_bytes
#: All assets of a run may unpack to this many times as much.
ASSETS_OF_A_RUN = 32


class RunTooLargeError(TooLargeError):
    """All assets of a run together unpack to more than they may."""


class Allowance:
    """What one run may unpack. Any number of threads may share it."""

    def __init__(self, maximum_bytes: int = MAXIMUM_BYTES) -> None:
        """Allow *maximum_bytes* for one asset and on the disk at one time, ASSETS_OF_A_RUN times it for all assets."""
        self.maximum_bytes = maximum_bytes
        self._left = ASSETS_OF_A_RUN * maximum_bytes
        self._room = maximum_bytes
        self._changed = threading.Condition()

    def walk(self, archive: Archive) -> Iterator[tuple[Member, BinaryIO | None]]:
        """Yield what *archive* holds, as its own walk does, each size known and taken before its content is read.

        Raises ReleaseError where the asset, or the run, unpacks to more than is allowed.
        """
        try:
            for member, content in archive.walk():
                if member.size != UNKNOWN_SIZE or content is None:
                    self.take(member.size, archive.name)
                    yield member, content
                    continue
                size = _length_of(content)
                self.take(size, archive.name)
                yield from ((again._replace(size=size), plain) for again, plain in archive.walk())
        except RunTooLargeError:
            raise
        except TooLargeError as error:
            raise TooLargeError(
                f"{archive.name} unpacks to more than an asset may",
                expected=f"at most {shown(self.maximum_bytes)}",
                found=error.found,
                fix=f"if that is right for it, allow more in the manifest: {self._raised()}",
            ) from error

    @contextlib.contextmanager
    def copied(self, size: int, content: BinaryIO, beginning: bytes) -> Iterator[BinaryIO]:
        """Give a seekable copy on the disk of *content*, after waiting until its *size* is free of what may be used.

        *beginning* is what was read of it before. Raises ReleaseError if the disk is full.
        """
        with self._changed:
            self._changed.wait_for(lambda: size <= self._room)
            self._room -= size
        try:
            with spool(content, beginning) as copy:
                yield copy
        finally:
            with self._changed:
                self._room += size
                self._changed.notify_all()

    def take(self, size: int, name: str) -> None:
        """Count that the asset *name*, or a member of it, unpacks to *size* bytes. Raises ReleaseError for too many."""
        with self._changed:
            self._left -= size
            if self._left >= 0:
                return
        raise RunTooLargeError(
            f"the assets of this run unpack to more than they may together, at {name}",
            expected=f"at most {shown(ASSETS_OF_A_RUN * self.maximum_bytes)}",
            found="more",
            fix=f"lock fewer tools at a time (upgrade: [...]), or allow more in the manifest: {self._raised()}",
        )

    def _raised(self) -> str:
        return f"policy: {{maximum_unpacked_size: {shown(2 * self.maximum_bytes)}}}"


def _length_of(content: BinaryIO) -> int:
    """Read *content* to its end and return how many bytes that was."""
    return sum(len(data) for data in iter(lambda: content.read(_BUFFER_BYTES), b""))


def shown(size: int) -> str:
    """Return *size* as the manifest writes it: ``4GiB``."""
    unit, name = next((unit, name) for unit, name in ((GIB, "GiB"), (1024**2, "MiB"), (1, "")) if size % unit == 0)
    return f"{size // unit}{name}"
