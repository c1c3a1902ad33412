# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What entries does a tar stream hold? Read in one pass and bounded memory, on hosts and on the controller.

Follows POSIX.1-2017, pax (ustar and extended headers), and GNU tar's long names. It decides nothing about safety: names
and links are as written. The standard library's tarfile is not used, because it keeps every header, reads extended
headers and sparse maps of whatever length they announce into memory, and hangs on some damaged archives in the versions
that old hosts have.
"""

import io
import re
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

FILE, DIRECTORY, SYMLINK, HARDLINK = "file", "directory", "symlink", "hardlink"

#: A path and a link target of the greatest length, and room for what tools add (times, extended attributes).
MAX_EXTENSION_BYTES = 1024 * 1024
MAX_EXTENSIONS_TOTAL_BYTES = 64 * 1024 * 1024
MAX_PADDING_BYTES = 16 * 1024 * 1024

_BLOCK_BYTES = 512
_SKIP_BYTES = 256 * 1024
_KINDS = {b"0": FILE, b"\0": FILE, b"7": FILE, b"1": HARDLINK, b"2": SYMLINK, b"5": DIRECTORY}
_REFUSED_KINDS = {b"3": "a device", b"4": "a device", b"6": "a FIFO", b"S": "a sparse file"}
_OCTAL = re.compile(rb"[0-7]*\Z")
_PAX_LENGTH = re.compile(rb"([1-9][0-9]{0,6}) ")
_PAX_SIZE = re.compile(r"[0-9]{1,18}\Z")


class Entry(t.NamedTuple):
    """One entry as written; *kind* is FILE, DIRECTORY, SYMLINK or HARDLINK, *mode* the permission bits."""

    name: str
    kind: str
    size: int
    mode: int
    link_name: str


def read_tar(
    stream: t.BinaryIO, archive: str, is_end_marked: bool
) -> t.Iterator[t.Tuple[Entry, t.Optional[t.BinaryIO]]]:
    """Yield each entry, files with their content: a stream that can be read until the next entry is asked for.

    *archive* is what errors call the archive. With *is_end_marked* an archive that just stops is refused as cut short;
    without, the caller's *stream* is trusted to notice that, since some publishers' tools write no end marker. Raises
    ReleaseError for a damaged archive.
    """
    return _Reader(stream, archive, is_end_marked).entries()


class _Content(io.RawIOBase):
    """The bytes of one file, exactly as many as its header says."""

    def __init__(self, stream: t.BinaryIO, size: int, reader: "_Reader") -> None:
        super().__init__()
        self._stream = stream
        self._left = size
        self._reader = reader

    def readable(self) -> bool:
        """Always: io.RawIOBase says False unless told otherwise."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Fill *buffer* with the file's bytes, 0 at its end.

        Raises ReleaseError if the archive ends before the file does.
        """
        data = self._stream.read(min(len(buffer), self._left))
        if not data and self._left and len(buffer):
            raise self._reader.cut_short()
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def skip(self) -> None:
        """Go to the content's end, whatever its reader did with it. Raises ReleaseError if the archive ends before."""
        while self._left:
            data = self._stream.read(min(_SKIP_BYTES, self._left))
            if not data:
                raise self._reader.cut_short()
            self._left -= len(data)


class _Reader:
    """One pass over one archive. What extended headers say of the next entry is held in ``_next``."""

    def __init__(self, stream: t.BinaryIO, archive: str, is_end_marked: bool) -> None:
        self._stream = stream
        self._archive = archive
        self._is_end_marked = is_end_marked
        self._extensions_bytes = 0
        self._next = {}  # type: t.Dict[str, str]

    def entries(self) -> t.Iterator[t.Tuple[Entry, t.Optional[t.BinaryIO]]]:
        """Yield the entries in the archive's order; what a reader leaves of a file is skipped.

        Raises ReleaseError for damage.
        """
        while True:
            header = self._header()
            if header is None:
                self._finish()
                return
            kind = header[156:157]
            if kind in (b"x", b"g", b"L", b"K"):
                self._extend(kind, header)
                continue
            entry = self._entry(header)
            self._next = {}
            if entry.kind != FILE:
                yield entry, None
                continue
            content = _Content(self._stream, entry.size, self)
            yield entry, t.cast(t.BinaryIO, content)
            content.skip()
            self._skip_padding(entry.size)

    def cut_short(self) -> ReleaseError:
        """Return the error for an archive that ends where a header or a file's bytes should be."""
        return ReleaseError("{0} is damaged: the tar archive in it ends in the middle".format(self._archive))

    def _header(self) -> t.Optional[bytes]:
        header = self._stream.read(_BLOCK_BYTES)
        if header == bytes(_BLOCK_BYTES):
            return None
        if not header and not self._is_end_marked and not self._next:
            return None
        if len(header) < _BLOCK_BYTES:
            raise self.cut_short()
        expected = self._number(header[148:156], "a checksum")
        # Some old programs summed signed characters.
        unsigned = sum(header) - sum(header[148:156]) + 8 * ord(" ")
        signed = unsigned - 256 * sum(1 for byte in header[:148] + header[156:] if byte > 127)
        if expected not in (unsigned, signed):
            raise self._damaged("what stands where a tar header should be is none")
        return header

    def _finish(self) -> None:
        """Read on to the end of the stream, which only then can tell whether it is whole."""
        for _read in range(0, MAX_PADDING_BYTES, _SKIP_BYTES):
            if not self._stream.read(_SKIP_BYTES):
                return
        raise self._damaged("more follows the end of the tar archive than any padding")

    def _entry(self, header: bytes) -> Entry:
        raw_kind = header[156:157]
        name = self._next.get("path", self._header_name(header))
        if raw_kind not in _KINDS or any(key.startswith("GNU.sparse.") for key in self._next):
            what = _REFUSED_KINDS.get(raw_kind, "of a kind unknown here ({0})".format(ascii(raw_kind)[1:]))
            if raw_kind in _KINDS:
                what = _REFUSED_KINDS[b"S"]
            raise ReleaseError(
                "{0}: the member {1} is {2}".format(self._archive, ascii(name[:200]), what),
                expected="files, directories and links",
            )
        kind = _KINDS[raw_kind]
        size = self._size(header) if kind == FILE else 0
        if kind == FILE and name.endswith("/") and size == 0:
            # How archives from before POSIX mark directories.
            kind = DIRECTORY
        mode = self._number(header[100:108], "a mode")
        return Entry(name, kind, size, mode, self._next.get("linkpath", self._text(header[157:257])))

    def _header_name(self, header: bytes) -> str:
        name = self._text(header[0:100])
        prefix = self._text(header[345:500]) if header[257:263] == b"ustar\0" else ""
        return "{0}/{1}".format(prefix, name) if prefix else name

    def _size(self, header: bytes) -> int:
        if "size" not in self._next:
            return self._number(header[124:136], "a size")
        if not _PAX_SIZE.match(self._next["size"]):
            raise self._damaged("an extended header gives a size that is no number")
        return int(self._next["size"])

    def _extend(self, kind: bytes, header: bytes) -> None:
        """Take what an extended header says of the next entry, or, a global one, of all that follow."""
        size = self._number(header[124:136], "a size")
        self._extensions_bytes += size
        if size > MAX_EXTENSION_BYTES or self._extensions_bytes > MAX_EXTENSIONS_TOTAL_BYTES:
            raise self._damaged("its extended headers are larger than any real archive's")
        data = self._stream.read(size)
        if len(data) < size:
            raise self.cut_short()
        self._skip_padding(size)
        if kind in (b"L", b"K"):
            self._next["path" if kind == b"L" else "linkpath"] = self._text(data)
            return
        records = self._pax_records(data)
        if kind == b"x":
            self._next.update(records)
        elif any(key in ("path", "linkpath", "size") or key.startswith("GNU.sparse.") for key in records):
            raise self._damaged("a global header gives every member the same name, size or target")

    def _pax_records(self, data: bytes) -> t.Dict[str, str]:
        """Return the records ``length key=value newline`` that matter here."""
        records = {}
        position = 0
        while position < len(data):
            length = _PAX_LENGTH.match(data, position)
            end = position + int(length.group(1)) if length else 0
            if not length or data[end - 1 : end] != b"\n":
                raise self._damaged("an extended header does not follow its format")
            key, separator, value = data[length.end() : end - 1].partition(b"=")
            if not separator:
                raise self._damaged("an extended header does not follow its format")
            if key in (b"path", b"linkpath", b"size") or key.startswith(b"GNU.sparse."):
                records[self._decoded(key)] = self._decoded(value)
            position = end
        return records

    def _number(self, field: bytes, what: str) -> int:
        """Return a header's number: octal digits, or GNU tar's base 256."""
        if field[0] == 0x80:
            return int.from_bytes(field[1:], "big")
        digits = field.split(b"\0", 1)[0].strip(b" ")
        if not _OCTAL.match(digits):
            raise self._damaged("a header's field holds no number where {0} should be".format(what))
        return int(digits or b"0", 8)

    def _text(self, field: bytes) -> str:
        return self._decoded(field.split(b"\0", 1)[0])

    def _decoded(self, field: bytes) -> str:
        try:
            return field.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ReleaseError(
                "{0}: the member {1} has a name that is not UTF-8".format(self._archive, ascii(field[:200])[1:])
            ) from error

    def _skip_padding(self, size: int) -> None:
        padding = -size % _BLOCK_BYTES
        if len(self._stream.read(padding)) < padding:
            raise self.cut_short()

    def _damaged(self, reason: str) -> ReleaseError:
        return ReleaseError("{0} is damaged: {1}".format(self._archive, reason))
