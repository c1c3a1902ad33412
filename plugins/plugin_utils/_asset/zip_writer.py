# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a tree of files written as a zip file, the same on every controller? Pure; runs on the controller.

Follows PKWARE's APPNOTE 6.3, without zip64: members are stored, each after a header that says its size and checksum, so
that readers of streams take it as well. The standard library's zipfile is not used, because its headers changed with
its versions. Times are the same for all.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FILE, SYMLINK, FOLDER = stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR
MOST_MEMBERS, MOST_BYTES = 2**16 - 2, 2**32 - 2
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
#: Version 2.0 of the format, written on Unix, and names in UTF-8.
_NEEDED, _MADE_BY, _FLAGS = 20, 3 << 8 | 20, 0x800
#: 1980-01-01, the first day of the format.
_TIME, _DATE = 0, 0x21
_IS_FOLDER = 0x10


@dataclass(frozen=True)
class Entry:
    """What stands before a member's bytes: what it is, its *path*, and of its bytes how many and their CRC-32."""

    kind: int
    path: str
    mode: int
    size: int = 0
    crc32: int = 0


def fits(sizes: Iterable[int], paths: Iterable[str]) -> bool:
    """Tell whether members with these *sizes* and *paths* can be in a file without zip64."""
    names = [len(path.encode()) + 1 for path in paths]
    return len(names) <= MOST_MEMBERS and sum(sizes) + sum(76 + 2 * name for name in names) <= MOST_BYTES


def zipped(entries: Iterable[tuple[Entry, Iterable[bytes]]]) -> Iterator[bytes]:
    """Yield the file of *entries*, each with its bytes. They must be as they were announced, and fit."""
    directory, at, count = bytearray(), 0, 0
    for entry, content in entries:
        name = entry.path.encode()
        common = struct.pack("<HHHHH", _NEEDED, _FLAGS, 0, _TIME, _DATE)
        common += struct.pack("<IIIHH", entry.crc32, entry.size, entry.size, len(name), 0)
        attributes = (entry.kind | entry.mode) << 16 | (_IS_FOLDER if entry.kind == FOLDER else 0)
        directory += _CENTRAL + struct.pack("<H", _MADE_BY) + common
        directory += struct.pack("<HHHII", 0, 0, 0, attributes, at) + name
        yield _LOCAL + common + name
        yield from content
        at, count = at + 30 + len(name) + entry.size, count + 1
    yield bytes(directory)
    yield _END + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), at, 0)
