# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a tree of files written as a tar archive, the same on every controller? Pure; runs on the controller.

Follows POSIX.1-2017, pax: ustar headers, with extended ones for long names. The standard library's tarfile is not used,
because its headers changed with its versions. Owners are 0, times are the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FILE, HARDLINK, SYMLINK, FOLDER = b"0", b"1", b"2", b"5"
_PAX = b"x"
BLOCK_BYTES = 512
_MOST_NAME, _MOST_SIZE = 100, 8**11
#: 1 January 1980, the earliest that all formats of archives know. Of earlier ones GNU tar warns.
TIME = 315532800


def header(kind: bytes, path: str, *, mode: int = 0o644, size: int = 0, link: str = "") -> bytes:
    """Return what stands before the *size* bytes of an entry; *link* is where a link leads. *path* is relative."""
    name, target = path.encode(), link.encode()
    extended = b""
    if len(name) > _MOST_NAME or len(target) > _MOST_NAME or size >= _MOST_SIZE:
        records = _record("path", name) + (_record("linkpath", target) if target else b"")
        records += _record("size", str(size).encode()) if size >= _MOST_SIZE else b""
        extended = _block(_PAX, b"pax", 0o644, len(records), b"") + records + padding(len(records))
    return extended + _block(kind, name[:_MOST_NAME], mode, size if size < _MOST_SIZE else 0, target[:_MOST_NAME])


def padding(size: int) -> bytes:
    """Return what stands after *size* bytes."""
    return bytes(-size % BLOCK_BYTES)


def end(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *chunks*, whole entries, and the end of the archive after them."""
    yield from chunks
    yield bytes(2 * BLOCK_BYTES)


def _record(key: str, value: bytes) -> bytes:
    """Return ``LENGTH KEY=VALUE``, of which the length counts itself."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while length != len(str(length)) + len(rest):
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def _block(kind: bytes, name: bytes, mode: int, size: int, link: bytes) -> bytes:
    fields = [
        name.ljust(100, b"\0"),
        b"%07o\0" % mode,
        b"%07o\0" % 0,
        b"%07o\0" % 0,
        b"%011o\0" % size,
        b"%011o\0" % TIME,
        b" " * 8,
        kind,
        link.ljust(100, b"\0"),
        b"ustar\0" + b"00",
    ]
    block = b"".join(fields).ljust(BLOCK_BYTES, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]
