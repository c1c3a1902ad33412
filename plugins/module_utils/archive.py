# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a verified archive, and how does it become a tree of files? Nothing escapes, nothing explodes.

Hosts unpack with it; the controller looks at members and reads the headers of programs. Formats: tar (see tar.py), zip
(PKWARE APPNOTE 6.3, stored and deflated; wheels are such), one compressed program, the bare program.

Three rules make an archive harmless, whatever it says. Names are held to what is plain everywhere, so that the same
archive is accepted or refused on every system. Files are written while no symbolic link exists: links come last, after
all of them were followed through and seen to stay inside. Whatever an archive announces is measured before it is taken.
"""

import contextlib
import io
import os
import posixpath
import re
import tempfile
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.decompress import MAGIC, decompress
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.file_errors import file_error
from ansible_collections.pinned.release.plugins.module_utils.member_names import MemberNames, refused, shown
from ansible_collections.pinned.release.plugins.module_utils.staged_tree import StagedTree
from ansible_collections.pinned.release.plugins.module_utils.tar import FILE, HARDLINK, Entry, read_tar
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked
from ansible_collections.pinned.release.plugins.module_utils.zip import read_zip

FORMATS = ("tar.gz", "tar.xz", "tar.bz2", "tar.zst", "tar", "zip", "gz", "xz", "bz2", "zst", "bare")

#: Files that are left out (AppleDouble) may hold this much together.
MAX_SKIPPED_BYTES = 64 * 1024 * 1024
#: For those who only look at an archive, and have no locked size to hold it to.
MAX_TOTAL_BYTES = 8 * 1024 * 1024 * 1024

#: The size of a member that only reading it tells.
UNKNOWN_SIZE = -1

_SUFFIXES = (
    (".tar.gz", "tar.gz"),
    (".tgz", "tar.gz"),
    (".tar.xz", "tar.xz"),
    (".txz", "tar.xz"),
    (".tar.bz2", "tar.bz2"),
    (".tbz2", "tar.bz2"),
    (".tbz", "tar.bz2"),
    (".tar.zst", "tar.zst"),
    (".tzst", "tar.zst"),
    (".tar", "tar"),
    (".zip", "zip"),
    (".whl", "zip"),
    (".gz", "gz"),
    (".xz", "xz"),
    (".bz2", "bz2"),
    (".zst", "zst"),
)
_KINDS_OF_FILE = {"gz": "gzip", "xz": "xz", "bz2": "bzip2", "zst": "zstd", "zip": "zip", "tar": "tar"}
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_WEB_PAGE = re.compile(rb"\s*<(!doctype|html|head|\?xml|body)", re.IGNORECASE)
#: Binary distribution format: what lies here is executable, though the wheel's zip often does not say so.
_WHEEL_SCRIPT = re.compile(r"[^/]+\.data/scripts/[^/]+\Z")
_BUFFER_BYTES = 256 * 1024
_HEAD_BYTES = 512


class Member(t.NamedTuple):
    """One file or link of an archive.

    path           relative, with forward slashes, safe to join to a directory
    size           in bytes; 0 for a link; UNKNOWN_SIZE where only reading tells
    is_executable  as the archive marks it
    kind           ``file`` or ``link`` (a symbolic one)
    link_target    for a link, the path inside the tree that it leads to in the end; for a file that is a hard link, the
                   earlier member whose content it shares; else None
    """

    path: str
    size: int
    is_executable: bool
    kind: str
    link_target: t.Optional[str]


class TooLargeError(ReleaseError):
    """An archive unpacks to more bytes than whoever opens it allows."""


def format_of(name: str) -> str:
    """Return the one of FORMATS that a file's *name* promises; ``bare`` where it promises none."""
    lowered = name.lower()
    for suffix, archive_format in _SUFFIXES:
        if lowered.endswith(suffix):
            return archive_format
    return "bare"


def check_format(head: bytes, archive_format: str, name: str) -> None:
    """Raise ReleaseError if a file whose first 512 bytes are *head* is not of *archive_format*. *name* is its name."""
    outer = archive_format.split(".")[-1]
    if outer in MAGIC:
        is_right = head.startswith(MAGIC[outer])
    elif outer == "zip":
        is_right = head.startswith(_ZIP_MAGIC)
    elif outer == "tar":
        # Archives from before POSIX have no magic; their header's checksum is checked when it is read.
        is_right = len(head) == _HEAD_BYTES and _kind_of(head) in ("tar", None) and not _WEB_PAGE.match(head)
    else:
        is_right = bool(head) and not _WEB_PAGE.match(head)
    if is_right:
        return
    kind = _KINDS_OF_FILE.get(outer)
    raise ReleaseError(
        "{0} is not a {1} file".format(name, kind) if kind else "{0} is not a program".format(name),
        found=_described(head),
        fix="check what is published at the asset's URL",
    )


def open_archive(
    path: str,
    archive_format: str,
    program_name: str,
    max_total_bytes: int = MAX_TOTAL_BYTES,
    name: t.Optional[str] = None,
) -> "Archive":
    """Open the archive at *path*; use it in a ``with`` statement.

    *program_name* is the name of the one member of formats that hold no name (gz, xz, bz2, zst, bare). *name* is what
    errors call the archive: by default its file's name. Raises ReleaseError if the file cannot be read, or is not of
    the format.
    """
    if archive_format not in FORMATS:
        raise ReleaseError(
            "{0} is no known format of archive".format(ascii(archive_format)), expected=", ".join(FORMATS)
        )
    try:
        file = _File(path, "rb")
    except OSError as error:
        raise file_error("read", path, error) from error
    archive = Archive(file, name or os.path.basename(path), archive_format, program_name, max_total_bytes)
    try:
        archive.check_format()
    except BaseException:
        archive.close()
        raise
    return archive


def unpack(
    path: str,
    archive_format: str,
    program_name: str,
    destination: str,
    max_total_bytes: int,
    *,
    executables: t.Collection[str] = (),
    name: t.Optional[str] = None,
) -> Unpacked:
    """Unpack the archive at *path* into *destination*, an empty directory that the caller made; return what it became.

    Files get the mode 0755 where the archive, or *executables* (paths), says they are programs, else 0644; directories
    0755. On return everything is on disk. After an error the caller removes *destination*: all that was written lies
    below it. Raises ReleaseError for what must not be unpacked, and if the file system refuses.
    """
    with open_archive(path, archive_format, program_name, max_total_bytes, name) as archive:
        tree = StagedTree(destination, archive.name, executables)
        try:
            for member, content in archive.walk():
                if member.kind == "link":
                    tree.link(member.path, member.link_target or "")
                elif content is None:
                    tree.copy(member.path, member.link_target or "", member.is_executable)
                else:
                    tree.write(member.path, content, member.is_executable)
            for directory in archive.directories:
                tree.make_directory(directory)
            tree.sync()
            return tree.unpacked()
        except OSError as error:
            raise file_error("unpack into", destination, error) from error
        finally:
            tree.close()


def spool(content: t.BinaryIO, beginning: bytes = b"") -> t.BinaryIO:
    """Return a seekable copy of *content* in an unnamed temporary file, which the caller closes.

    *beginning* is what was read of it before. Raises ReleaseError if it cannot be written.
    """
    try:
        with contextlib.ExitStack() as on_error:
            copy = on_error.enter_context(tempfile.TemporaryFile())
            copy.write(beginning)
            for data in iter(lambda: content.read(_BUFFER_BYTES), b""):
                copy.write(data)
            copy.seek(0)
            on_error.pop_all()
            return t.cast(t.BinaryIO, copy)
    except OSError as error:
        raise file_error("write to", tempfile.gettempdir(), error) from error


class Archive:
    """An open archive. *name* is its file name; *directories*, after a walk, all that its members lie in."""

    def __init__(
        self, file: io.FileIO, name: str, archive_format: str, program_name: str, max_total_bytes: int
    ) -> None:
        self.name = ascii(name)[1:-1]
        self.directories = []  # type: t.List[str]
        self._file = file
        self._format = archive_format
        self._program_name = program_name
        self._max_total_bytes = max_total_bytes

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_exception: t.Any) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive's file."""
        self._file.close()

    def check_format(self) -> None:
        """Raise ReleaseError if the file is not of its format."""
        self._file.seek(0)
        check_format(self._file.read(_HEAD_BYTES), self._format, self.name)

    def walk(self) -> t.Iterator[t.Tuple[Member, t.Optional[t.BinaryIO]]]:
        """Yield each member once, files first with their content, then links, in one pass over the archive.

        The content is a stream to read, until b"", before the next member is asked for; a hard link has none. Raises
        ReleaseError for what must not be unpacked, at the latest before the first link is yielded. One walk at a time.
        """
        self.directories = []
        if self._format in ("bare", *MAGIC):
            yield from self._single_program()
            return
        names = MemberNames(self.name)
        budget = _Budget(self.name, self._max_total_bytes)
        files = {}  # type: t.Dict[str, Member]
        for entry, content in self._entries():
            path = names.checked(entry.name)
            if _is_apple_double(path):
                budget.skip(entry.size)
                continue
            names.claim(path, entry)
            if entry.kind not in (FILE, HARDLINK):
                continue
            member = self._file_member(path, entry)
            if entry.kind == HARDLINK:
                member = self._hard_link(path, names.checked(entry.link_name), files)
            budget.spend(member.size, path)
            if self._format != "zip":
                files[path] = member
            yield member, content
        self.directories = names.directories()
        for link, target in names.resolved_links():
            yield Member(link, 0, False, "link", target), None

    def _single_program(self) -> t.Iterator[t.Tuple[Member, t.BinaryIO]]:
        path = MemberNames(self.name).checked(self._program_name)
        if not path or "/" in path:
            raise refused(self.name, self._program_name, "is no name for a program")
        budget = _Budget(self.name, self._max_total_bytes)
        self._file.seek(0)
        if self._format == "bare":
            size = os.fstat(self._file.fileno()).st_size
            budget.spend(size, path)
            yield Member(path, size, True, "file", None), _capped(self._file, _Budget(self.name, size), path)
            return
        with decompress(self._file, self._format, self.name) as stream:
            yield Member(path, UNKNOWN_SIZE, True, "file", None), _capped(stream, budget, path)

    def _file_member(self, path: str, entry: Entry) -> Member:
        is_wheel_script = self._format == "zip" and bool(_WHEEL_SCRIPT.match(path))
        return Member(path, entry.size, bool(entry.mode & 0o111) or is_wheel_script, "file", None)

    def _hard_link(self, path: str, target: str, files: t.Dict[str, Member]) -> Member:
        if target not in files:
            raise refused(self.name, path, "is a hard link to {0}, which is no earlier file".format(shown(target)))
        original = files[target]
        return original._replace(path=path, link_target=original.link_target or target)

    def _entries(self) -> t.Iterator[t.Tuple[Entry, t.Optional[t.BinaryIO]]]:
        """Yield what the archive lists, names and links unchecked."""
        self._file.seek(0)
        if self._format == "zip":
            yield from read_zip(self._file, self.name)
        elif self._format == "tar":
            yield from read_tar(t.cast(t.BinaryIO, self._file), self.name, is_end_marked=True)
        else:
            with decompress(self._file, self._format.split(".")[-1], self.name) as stream:
                yield from read_tar(stream, self.name, is_end_marked=False)


class _File(io.FileIO):
    """A file whose errors the user can read."""

    def read(self, size: t.Optional[int] = -1) -> bytes:
        """Return at most *size* bytes, all that are left for -1. Raises ReleaseError if the system cannot read them."""
        try:
            return super().read(size) or b""
        except OSError as error:
            raise file_error("read", str(self.name), error) from error


class _Budget:
    """How many bytes an archive may still become."""

    def __init__(self, archive: str, max_total_bytes: int) -> None:
        self._archive = archive
        self._max_total_bytes = max_total_bytes
        self._left = max_total_bytes
        self._left_to_skip = MAX_SKIPPED_BYTES

    def spend(self, size: int, path: str) -> None:
        """Count *size* bytes of the member *path*. Raises TooLargeError once all members together exceed the limit."""
        self._left -= size
        if self._left < 0:
            raise TooLargeError(
                "{0} unpacks to more than it may".format(self._archive),
                expected="at most {0} bytes".format(self._max_total_bytes),
                found="more, at the member {0}".format(shown(path)),
            )

    def skip(self, size: int) -> None:
        """Count a skipped member of *size* bytes, with its header. Raises ReleaseError beyond MAX_SKIPPED_BYTES."""
        self._left_to_skip -= size + _HEAD_BYTES
        if self._left_to_skip < 0:
            raise ReleaseError("{0} holds more macOS metadata than any real archive".format(self._archive))


class _Capped(io.RawIOBase):
    """Bytes whose number only reading tells, counted on the way."""

    def __init__(self, content: t.Any, budget: _Budget, path: str) -> None:
        super().__init__()
        self._content = content
        self._budget = budget
        self._path = path

    def readable(self) -> bool:
        """Always: io.RawIOBase says False unless told otherwise."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Fill *buffer* and return how many bytes came, 0 at the end. Raises TooLargeError beyond the budget."""
        data = self._content.read(len(buffer))
        self._budget.spend(len(data), self._path)
        buffer[: len(data)] = data
        return len(data)


def _capped(content: t.Any, budget: _Budget, path: str) -> t.BinaryIO:
    return t.cast(t.BinaryIO, _Capped(content, budget, path))


def _is_apple_double(path: str) -> bool:
    """Tell whether *path* holds what macOS adds to archives, and no other system reads."""
    return path.split("/")[0] == "__MACOSX" or posixpath.basename(path).startswith("._")


def _described(head: bytes) -> str:
    if not head:
        return "an empty file"
    start = ascii(head[:24])[1:]
    if _WEB_PAGE.match(head):
        return "it starts with {0}: the server sent a web page".format(start)
    kind = _kind_of(head)
    return "it starts with {0}: a {1} file".format(start, kind) if kind else "it starts with {0}".format(start)


def _kind_of(head: bytes) -> t.Optional[str]:
    magic = dict(MAGIC, zip=_ZIP_MAGIC)
    found = [_KINDS_OF_FILE[kind] for kind in sorted(magic) if head.startswith(magic[kind])]
    if not found and head[257:262] == b"ustar":
        return "tar"
    return found[0] if found else None
