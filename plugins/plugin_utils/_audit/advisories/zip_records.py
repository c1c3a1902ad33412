# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records does a zip file of advisories hold? Read in bounded memory and time, never unpacked; on the controller.

The databases' dumps (google.github.io/osv.dev/data, ``ECOSYSTEM/all.zip``) have up to some hundred thousand small
members. The standard library reads their directory, and each member's bytes are read here: it takes ten times as long
to open one. Stored and deflated members only, as the dumps have them; the length and CRC-32 of each must be right.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: The largest real records, of a repository with all its tags, have one or two MB. Taken apart, it is 200 MB at most.
LONGEST_RECORD_BYTES = 8 * 1024 * 1024
#: Of one file. What is known of a million members takes about 600 MB.
MOST_MEMBERS = 1_000_000
_DIRECTORY_BYTES = 256 * 1024 * 1024
#: All of one file, inflated: reading that much takes less than a minute.
MOST_BYTES = 16 * 1024 * 1024 * 1024
_MEMBER_MAGIC, _HEADER = b"PK\x01\x02", struct.Struct("<4s22xHH")
_ENCRYPTED = 0x1 | 0x40 | 0x2000
#: What zipfile raises for damaged files, on one Python or another.
_ERRORS = (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, ValueError, struct.error)


def read_records(path: Path) -> Iterator[tuple[str, bytes | ReleaseError]]:
    """Yield the name and the content of each record in the zip file at *path*, or why a member cannot be read.

    Raises ReleaseError for a file that is no whole zip file, or far larger than any database.
    """
    try:
        with _Source(path) as file:
            members = zipfile.ZipFile(file).infolist()
            file.is_opening = False
            _refuse_bomb(members, file, path)
            for info in members:
                if info.filename.endswith(".json"):
                    yield info.filename, _content(file, info)
    except _ERRORS as error:
        raise ReleaseError(
            f"{path} is damaged: not a whole zip file", found=shown(str(error)), fix="download it again"
        ) from error


class _Source(io.FileIO):
    """A zip file whose directory, which zipfile takes into memory whole, is measured before that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._path = path
        self.is_opening = True

    def read(self, size: int | None = -1) -> bytes:
        """Return at most *size* bytes. Raises ReleaseError, while zipfile opens, for a directory beyond the limits."""
        if self.is_opening and size and size > _DIRECTORY_BYTES:
            raise _refused(self._path, f"a directory of {size} bytes")
        data = super().read(size) or b""
        if self.is_opening and data.count(_MEMBER_MAGIC) > MOST_MEMBERS:
            raise _refused(self._path, f"more than {MOST_MEMBERS} members")
        return data


def _refuse_bomb(members: Sequence[zipfile.ZipInfo], file: io.FileIO, path: Path) -> None:
    """Refuse members that share bytes, and those that together say to be larger than any database."""
    if sum(info.compress_size for info in members) > os.fstat(file.fileno()).st_size:
        raise _refused(path, "members that share their bytes")
    size = sum(info.file_size for info in members)
    if size > MOST_BYTES:
        raise _refused(path, f"{size} bytes when it is unpacked")


def _content(file: io.FileIO, info: zipfile.ZipInfo) -> bytes | ReleaseError:
    """Return the bytes of a member, exactly as many as its entry says."""
    if info.file_size > LONGEST_RECORD_BYTES:
        return ReleaseError(f"is larger than any record: {info.file_size} bytes")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return ReleaseError("is encrypted, or compressed otherwise than by deflate")
    header = os.pread(file.fileno(), _HEADER.size, info.header_offset)
    if len(header) < _HEADER.size:
        return ReleaseError("is cut off")
    _magic, name_size, extra_size = _HEADER.unpack(header)
    content = os.pread(file.fileno(), info.compress_size, info.header_offset + len(header) + name_size + extra_size)
    if info.compress_type == zipfile.ZIP_DEFLATED:
        try:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, info.file_size + 1)
        except zlib.error as error:
            return ReleaseError(f"cannot be inflated: {error}")
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        return ReleaseError("has other bytes than its zip file says")
    return content


def _refused(path: Path, found: str) -> ReleaseError:
    return ReleaseError(
        f"{path} is no database of advisories", found=found, fix="download it again, or take it out of the folder"
    )
