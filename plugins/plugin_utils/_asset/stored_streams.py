# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are bytes packed so that every controller makes the same of them? Stored, not compressed; pure, controller.

What compression makes of bytes depends on the library and its version (zlib, zlib-ng, liblzma). The formats have blocks
that hold bytes as they are: RFC 1952 with RFC 1951, section 3.2.4 (gzip), the .xz file format 1.2 with the uncompressed
chunks of LZMA2, RFC 8878, section 3.1.1.2 (raw blocks of Zstandard). Every decoder reads them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

_GZIP_BLOCK, _XZ_CHUNK, _ZSTD_BLOCK = 65535, 65536, 128 * 1024
#: No name, no time; made on an unknown system.
_GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")
#: A stream whose check is CRC32.
_XZ_FLAGS = bytes.fromhex("0001")
#: One filter, LZMA2 with a dictionary of 64 KiB, padded to 8 bytes.
_XZ_BLOCK_HEADER = bytes.fromhex("0200210108000000")
#: No content size, no checksum, a window of 128 KiB.
_ZSTD_HEADER = bytes.fromhex("28b52ffd0038")


def gzip(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *content* as a gzip file."""
    yield _GZIP_HEADER
    crc = size = 0
    for block, is_last in _blocks(content, _GZIP_BLOCK):
        crc, size = zlib.crc32(block, crc), size + len(block)
        yield struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block
    yield struct.pack("<II", crc, size & 0xFFFFFFFF)


def xz(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *content* as an xz file."""
    yield b"\xfd7zXZ\0" + _with_crc(_XZ_FLAGS)
    header = _with_crc(_XZ_BLOCK_HEADER)
    yield header
    crc = size = 0
    packed = len(header)
    for block, _is_last in _blocks(content, _XZ_CHUNK):
        if block:
            crc = zlib.crc32(block, crc)
            # The first chunk says that nothing before it is referred to.
            yield struct.pack(">BH", 2 if size else 1, len(block) - 1) + block
            size, packed = size + len(block), packed + 3 + len(block)
    packed += 1
    yield b"\0" + bytes(-packed % 4) + struct.pack("<I", crc)
    index = b"\0\x01" + _number(packed + 4) + _number(size)
    index += bytes(-len(index) % 4)
    yield _with_crc(index)
    footer = struct.pack("<I", (len(index) + 4) // 4 - 1) + _XZ_FLAGS
    yield struct.pack("<I", zlib.crc32(footer)) + footer + b"YZ"


def zst(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *content* as a Zstandard file."""
    yield _ZSTD_HEADER
    for block, is_last in _blocks(content, _ZSTD_BLOCK):
        yield struct.pack("<I", len(block) << 3 | is_last)[:3] + block


#: The compression of an archive's format → what packs bytes so.
PACKERS: Mapping[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {"gz": gzip, "xz": xz, "zst": zst, "tar": iter}


def _blocks(content: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield *content* in blocks of *size* bytes, each with whether it is the last; the last may be shorter or empty."""
    waiting = bytearray()
    for chunk in content:
        waiting += chunk
        # What fills a block exactly may be the last.
        whole = (len(waiting) - 1) // size * size if waiting else 0
        for start in range(0, whole, size):
            yield bytes(waiting[start : start + size]), False
        del waiting[:whole]
    yield bytes(waiting), True


def _with_crc(part: bytes) -> bytes:
    return part + struct.pack("<I", zlib.crc32(part))


def _number(value: int) -> bytes:
    """Return a number of an xz index: seven bits a byte, the lowest first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
