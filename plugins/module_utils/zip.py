# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What entries does a zip file hold? Read in bounded memory, on hosts and on the controller.

Follows PKWARE's APPNOTE 6.3 as the standard library's zipfile does, zip64 included; stored and deflated members only,
as wheels and publishers have them. It decides nothing about safety of names and links, which are as written.
"""

import contextlib
import io
import os
import stat
import struct
import typing as t
import zipfile

from ansible_collections.pinned.release.plugins.module_utils.decompress import codec_module
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.member_names import (
    MAX_MEMBERS,
    MAX_NAMES_BYTES,
    MAX_PATH_BYTES,
    refused,
    shown,
)
from ansible_collections.pinned.release.plugins.module_utils.tar import DIRECTORY, FILE, SYMLINK, Entry

try:
    import zlib

    _ZLIB_ERRORS = (zlib.error,)  # type: t.Tuple[t.Type[Exception], ...]
except ImportError:
    _ZLIB_ERRORS = ()

_MAX_DIRECTORY_BYTES = MAX_NAMES_BYTES
_DIRECTORY_MAGIC = b"PK\x01\x02"
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 0x1 | 0x40 | 0x2000
#: What zipfile raises for damaged archives, on one Python or another.
_ERRORS = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
    struct.error,
    *_ZLIB_ERRORS,
)  # type: t.Tuple[t.Type[Exception], ...]


def read_zip(file: io.FileIO, archive: str) -> t.Iterator[t.Tuple[Entry, t.Optional[t.BinaryIO]]]:
    """Yield each entry with its content: a stream that can be read until the next entry is asked for.

    *archive* is what errors call the archive. Raises ReleaseError for a damaged archive, and for what cannot be read.
    """
    with _damage_told(archive), _Source(os.dup(file.fileno()), archive) as source:
        zip_file = zipfile.ZipFile(t.cast(t.IO[bytes], source))
        source.is_opening = False
        members = zip_file.infolist()
        _refuse_overlaps(members, zip_file.start_dir, archive)
        # What zipfile knows of a member is forgotten with it: it would double the memory that many members take.
        zip_file.NameToInfo.clear()
        members.reverse()
        while members:
            info = members.pop()
            content = t.cast(t.BinaryIO, _Content(zip_file, info, archive))
            yield _entry(info, content, archive), content


class _Source(io.FileIO):
    """A zip file whose directory, which zipfile takes into memory whole, is measured before that."""

    def __init__(self, descriptor: int, archive: str) -> None:
        super().__init__(descriptor, "rb")
        self._archive = archive
        self.is_opening = True

    def read(self, size: t.Optional[int] = -1) -> bytes:
        """Return at most *size* bytes. Raises ReleaseError, while zipfile opens, for a directory beyond the limits."""
        if not self.is_opening:
            return super().read(size) or b""
        if size and size > _MAX_DIRECTORY_BYTES:
            raise ReleaseError("{0} has a directory larger than any real zip file's".format(self._archive))
        data = super().read(size) or b""
        if data.count(_DIRECTORY_MAGIC) > MAX_MEMBERS:
            raise ReleaseError("{0} has more members than any real archive of programs".format(self._archive))
        return data


class _Content(io.RawIOBase):
    """The bytes of one member of a zip file, exactly as many as announced; opened when first read."""

    def __init__(self, file: zipfile.ZipFile, info: zipfile.ZipInfo, archive: str) -> None:
        super().__init__()
        self._file = file
        self._info = info
        self._archive = archive
        self._left = info.file_size
        self._stream = None  # type: t.Optional[t.IO[bytes]]

    def readable(self) -> bool:
        """Always: io.RawIOBase says False unless told otherwise."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Fill *buffer* with the member's bytes, 0 at its end.

        Raises ReleaseError for a damaged or shortened member.
        """
        with _damage_told(self._archive):
            if self._stream is None:
                self._stream = self._file.open(self._info)
            data = self._stream.read(min(len(buffer), self._left))
            if not data and self._left and len(buffer):
                raise EOFError("{0} ends early".format(shown(self._info.filename)))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


def _entry(info: zipfile.ZipInfo, content: t.BinaryIO, archive: str) -> Entry:
    # Not filename, which zipfile cuts at a NUL.
    name = info.orig_filename
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        raise refused(archive, name, "is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refused(archive, name, "is compressed by zip's method {0}, not deflated".format(info.compress_type))
    if info.compress_type == zipfile.ZIP_DEFLATED:
        codec_module("deflate", archive)
    if name.endswith("/"):
        if info.file_size:
            raise refused(archive, name, "is a directory with content")
        return Entry(name, DIRECTORY, 0, 0, "")
    if stat.S_ISLNK(mode):
        if info.file_size > MAX_PATH_BYTES:
            raise refused(archive, name, "links to a path of more than {0} bytes".format(MAX_PATH_BYTES))
        return Entry(name, SYMLINK, 0, 0, content.read().decode("utf-8"))
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise refused(archive, name, "is no file, directory or link")
    return Entry(name, FILE, info.file_size, mode, "")


def _refuse_overlaps(members: t.List[zipfile.ZipInfo], directory_offset: int, archive: str) -> None:
    """Refuse members that share bytes: how a small zip file becomes an endless one."""
    ordered = sorted(members, key=lambda info: info.header_offset)
    end = directory_offset
    for info in reversed(ordered):
        least = _LOCAL_HEADER_BYTES + len(info.orig_filename) + info.compress_size
        if info.header_offset + least > end:
            raise refused(archive, info.orig_filename, "shares its bytes with another member")
        end = info.header_offset


@contextlib.contextmanager
def _damage_told(archive: str) -> t.Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise ReleaseError("{0} is damaged: not a whole zip file".format(archive), found=shown(str(error))) from error
