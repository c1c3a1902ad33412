# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are a program's bytes read without trusting them? Bounded random access for the header readers; controller.

No number in a header is trusted. Wherever a header leads, at most MAX_BYTES_READ bytes are read, each once; at most
MAX_BYTES_LOOKED_AT are returned, counting repetitions; and a place outside the file is one clear error. Only code may
be searched at length: MAX_BYTES_PAGED of it.

A *head* is the first bytes of a longer file that is elsewhere (a host's shell). What lies beyond it is not wrong, but
unknown: ``at`` and ``text_at`` then return None. For a whole file they never do, so the same readers serve both.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

#: Real programs need less than a tenth of it: their tables are at the beginning and the end.
MAX_BYTES_READ = 4 * 1024 * 1024
MAX_BYTES_LOOKED_AT = 16 * 1024 * 1024
#: Of code that is searched, which takes a second.
MAX_BYTES_PAGED = 64 * 1024 * 1024
BLOCK_SIZE = 4096
#: PATH_MAX of every known system; no name in a header is longer.
MAX_NAME_LENGTH = 4096


class NotAProgram(ReleaseError):  # noqa: N818 (its name is what the user reads)
    """The bytes are not a program but data, a library or an object file. A broken program is a plain ReleaseError."""


class ProgramBytes:
    """The bytes of one file, which errors call *name*; only its first bytes if *is_head*.

    Raises ReleaseError if the file cannot be read.
    """

    def __init__(self, file: BinaryIO, name: str, is_head: bool = False) -> None:
        self.name = name
        self.is_head = is_head
        self._file = file
        self._blocks: dict[int, bytes] = {}
        self._looked_at = 0
        try:
            self.size = file.seek(0, io.SEEK_END)
        except OSError as error:
            raise self._unreadable(error) from error

    def has(self, offset: int, size: int) -> bool:
        """Tell whether *size* bytes from *offset* are there."""
        return offset + size <= self.size

    def at(self, offset: int, size: int) -> bytes | None:
        """Return *size* bytes from *offset*; None if a head ends before them.

        Raises ReleaseError if a whole file ends before them, or if the limits are reached.
        """
        if not self.has(offset, size):
            if self.is_head:
                return None
            raise self.broken(f"it refers to bytes up to {offset + size}, the file has {self.size}")
        self._looked_at += size
        if self._looked_at > MAX_BYTES_LOOKED_AT:
            raise self.broken("its tables refer to the same bytes again and again")
        first = offset // BLOCK_SIZE
        after_last = -(-(offset + size) // BLOCK_SIZE)
        joined = b"".join(self._block(number) for number in range(first, after_last))
        start = offset - first * BLOCK_SIZE
        return joined[start : start + size]

    def pages(self, areas: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """Yield the bytes of *areas*, each an offset and a size, block by block, without keeping them.

        If they have more than MAX_BYTES_PAGED, yield blocks that are spread over them. Raises ReleaseError if the file
        cannot be read.
        """
        step = BLOCK_SIZE * max(1, -(-sum(size for _offset, size in areas) // MAX_BYTES_PAGED))
        for offset, size in areas:
            for start in range(0, size, step):
                try:
                    self._file.seek(offset + start)
                    yield self._file.read(min(BLOCK_SIZE, size - start))
                except OSError as error:
                    raise self._unreadable(error) from error

    def must(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset*. Raises ReleaseError if a head, too, ends before them."""
        found = self.at(offset, size)
        if found is None:
            raise self.broken(f"only its first {self.size} bytes are known")
        return found

    def text_at(self, offset: int, end: int) -> str | None:
        """Return the NUL-terminated name at *offset* that ends before *end*; None if a head ends before it.

        Raises ReleaseError if it does not end there, or is not text.
        """
        found = b""
        while b"\0" not in found:
            position = offset + len(found)
            size = min(BLOCK_SIZE - position % BLOCK_SIZE, end - position, max(self.size - position, 1))
            if size <= 0 or len(found) > MAX_NAME_LENGTH:
                raise self.broken("a name without an end")
            piece = self.at(position, size)
            if piece is None:
                return None
            found += piece
        return self.text(found.partition(b"\0")[0])

    def text(self, name: bytes) -> str:
        """Return *name* as text. Raises ReleaseError for control characters: names go into lock files and errors."""
        try:
            decoded = name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.broken(f"a name that is not text: {name[:40]!r}") from error
        if not decoded.isprintable():
            raise self.broken(f"a name that is not text: {name[:40]!r}")
        return decoded

    def broken(self, found: str) -> ReleaseError:
        """Return the error for a header that contradicts itself or the file."""
        return ReleaseError(
            f"the program header of {self.name} is broken",
            found=found,
            fix="fetch the file again; if it is the same at its publisher, report it there: no system can start it",
        )

    def foreign(self, found: str) -> ReleaseError:
        """Return the error for a program for a system or processor for which Requirement has no word."""
        return ReleaseError(
            f"{self.name} is a program for a machine that this collection does not know",
            found=found,
            fix="choose another asset of the release, with `asset:` in the manifest",
        )

    def no_program(self, found: str) -> NotAProgram:
        """Return the error for something that is not meant to be started."""
        return NotAProgram(
            f"{self.name} is not a program",
            expected="an ELF, Mach-O or Windows program, or a script that begins with #!",
            found=found,
        )

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            return self._blocks[number]
        if len(self._blocks) * BLOCK_SIZE >= MAX_BYTES_READ:
            raise self.broken(f"its tables are spread over more than {MAX_BYTES_READ} bytes")
        start = number * BLOCK_SIZE
        wanted = min(BLOCK_SIZE, self.size - start)
        try:
            self._file.seek(start)
            block = b""
            while len(block) < wanted and (more := self._file.read(wanted - len(block))):
                block += more
        except OSError as error:
            raise self._unreadable(error) from error
        if len(block) < wanted:
            raise self.broken("it became shorter while it was read")
        self._blocks[number] = block
        return block

    def _unreadable(self, error: OSError) -> ReleaseError:
        return ReleaseError(f"cannot read {self.name}", found=str(error))
