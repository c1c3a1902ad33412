# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a file a whole bundle, and what is in it? Every byte is hashed before any is believed; runs on the controller.

A bundle is a stranger's: whoever carried it may have changed it. Names, kinds and digests of its members are held to
its sums, and nothing is unpacked here. That these are the sums that were meant, its own digest or a signature tells.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.member_names import MemberNames
from ansible_collections.pinned.release.plugins.module_utils.tar import FILE, Entry, read_tar
from ansible_collections.pinned.release.plugins.plugin_utils._asset import tar_writer
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import layout
from ansible_collections.pinned.release.plugins.plugin_utils._values.near_files import beside
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

_CHUNK_BYTES = 1 << 20
_AGAIN = "get the bundle again; do not use this one"


class NoBundleError(ReleaseError):
    """The file does not begin as a bundle does, or cannot be read."""


@dataclass(frozen=True)
class Part:
    """A member: the digest of its bytes, how many these are, and where they begin in the bundle."""

    sha256: str
    size: int
    offset: int


@dataclass(frozen=True)
class Bundle:
    """A whole bundle. Use opened().

    sha256  the digest of the file itself
    parts   its members by path, SHA256SUMS left out
    """

    path: Path
    sha256: str
    sums: str
    parts: Mapping[str, Part]
    _descriptor: int

    def open(self, member: str) -> BinaryIO:
        """Return the bytes of a *member*, opened. What was read before may be another thing now: compare digests."""
        return io.BufferedReader(_Window(self._descriptor, self.parts[member]), _CHUNK_BYTES)

    def chunks(self, member: str) -> Iterator[bytes]:
        """Yield the bytes of a *member*."""
        with self.open(member) as file:
            yield from iter(lambda: file.read(_CHUNK_BYTES), b"")

    def open_asset(self, sha256: str) -> BinaryIO | None:
        """Return the bytes of an asset, opened; None if it is not in the bundle."""
        path = layout.asset_path(sha256)
        return self.open(path) if path in self.parts else None


class _Window(io.RawIOBase):
    """The bytes of one member, read where they are in the bundle."""

    def __init__(self, descriptor: int, part: Part) -> None:
        super().__init__()
        self._descriptor, self._at, self._end = descriptor, part.offset, part.offset + part.size

    def readable(self) -> bool:
        """Always: io.RawIOBase says False unless told otherwise."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill *buffer* with the member's bytes, 0 at its end."""
        data = os.pread(self._descriptor, min(len(buffer), self._end - self._at), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Hashed(io.RawIOBase):
    """The bytes of a file from its beginning on, hashed while they are read."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self.position = 0
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Return the next *size* bytes, fewer at the end."""
        data = self._file.read(size)
        self.digest.update(data)
        self.position += len(data)
        return data


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """Give the bundle at *path* after every byte of it was compared with its sums.

    Raises FileNotFoundError where none is, NoBundleError for another file, ReleaseError for a bundle that is not whole.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "rb", opener=_without_waiting))
            bundle = _read(path, file)
        except (FileNotFoundError, NoBundleError):
            raise
        except OSError as error:
            raise unreadable(path, error) from error
        except ReleaseError as error:
            # What reads archives advises about those of publishers.
            raise ReleaseError(error.what, error.expected, error.found, _AGAIN) from error
        yield bundle


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; of a pipe, the reader must not wait for who writes."""
    return os.open(path, flags | os.O_NONBLOCK)


def unreadable(path: Path, error: OSError) -> NoBundleError:
    """Return what to say of the operating system's refusal to read the bundle at *path*."""
    found = f"{error.strerror}{beside(path) if isinstance(error, FileNotFoundError) else ''}"
    return NoBundleError(f"cannot read the bundle {path}", found=found, fix="correct the option bundle")


def _read(path: Path, file: BinaryIO) -> Bundle:
    stream = _Hashed(file)
    names = MemberNames(str(path))
    members = read_tar(stream, str(path), is_end_marked=True)  # type: ignore[arg-type]
    sums = _first(path, members, names)
    expected = layout.sums_of(sums, str(path))
    length = len(sums.encode())
    first = Part(hashlib.sha256(sums.encode()).hexdigest(), length, stream.position - length)
    parts: dict[str, Part] = {}
    for entry, content in members:
        member = _name(path, entry, names)
        if content is None or member not in expected:
            raise ReleaseError(
                f"{path} has a member that its {layout.SUMS} does not name",
                found=shortened(member, 200),
            )
        offset, digest = stream.position, hashlib.sha256()
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
        if digest.hexdigest() != expected[member]:
            raise ReleaseError(
                f"{shortened(member, 200)} in {path} was changed",
                expected=f"sha256 {expected[member]}",
                found=f"sha256 {digest.hexdigest()}",
            )
        parts[member] = Part(expected[member], entry.size, offset)
    missing = expected.keys() - parts.keys()
    if missing:
        raise ReleaseError(f"{path} lacks members that its {layout.SUMS} names", found=listed(sorted(missing)))
    _refuse_stowaways(path, file.fileno(), {layout.SUMS: first, **parts})
    return Bundle(path, stream.digest.hexdigest(), sums, parts, file.fileno())


def _refuse_stowaways(path: Path, descriptor: int, parts: Mapping[str, Part]) -> None:
    """Raise ReleaseError if what stands before and between *parts*, or after them, is not what our writer puts there.

    No sum speaks of headers and of what fills blocks, and nobody is to bring anything over an air gap in them.
    """
    at = filling = 0
    for member, part in parts.items():
        between = bytes(filling) + tar_writer.header(tar_writer.FILE, member, size=part.size)
        if part.offset != at + len(between) or os.pread(descriptor, len(between), at) != between:
            raise _with_stowaways(path, f"something else before {shortened(member, 200)}")
        at, filling = part.offset + part.size, len(tar_writer.padding(part.size))
    while chunk := os.pread(descriptor, _CHUNK_BYTES, at):
        if any(chunk):
            raise _with_stowaways(path, ascii(chunk.strip(b"\0")[:24]))
        at += len(chunk)


def _with_stowaways(path: Path, found: str) -> ReleaseError:
    return ReleaseError(
        f"{path} was changed: bytes between its members, or after them, are not what mirror wrote",
        expected="the file as mirror wrote it: of one that was unpacked and packed again, the headers differ",
        found=found,
    )


def _first(path: Path, members: Iterator[tuple[Entry, BinaryIO | None]], names: MemberNames) -> str:
    """Return the text of SHA256SUMS, which every bundle begins with. Raises NoBundleError for anything else."""
    try:
        entry, content = next(members, (None, None))
    except ReleaseError as error:
        raise _no_bundle(path, error.what) from error
    if entry is None or content is None or entry.name != layout.SUMS:
        raise _no_bundle(path, "an archive that begins otherwise" if entry else "an empty archive")
    names.claim(entry.name, entry)
    if entry.size > layout.SUMS_LIMIT_BYTES:
        raise _no_bundle(path, f"{entry.size} bytes of {layout.SUMS}")
    try:
        return content.read().decode()
    except UnicodeDecodeError as error:
        raise _no_bundle(path, f"{layout.SUMS} that is no text") from error


def _name(path: Path, entry: Entry, names: MemberNames) -> str:
    """Return the name of a member. Raises ReleaseError for what is no plain file, and for names that lead away."""
    member = names.checked(entry.name)
    names.claim(member, entry)
    if entry.kind != FILE:
        raise ReleaseError(
            f"{shortened(member, 200)} in {path} is no plain file", expected="files only", found=entry.kind
        )
    return member


def _no_bundle(path: Path, found: str) -> NoBundleError:
    return NoBundleError(
        f"{path} is no bundle of pinned.release",
        expected=f"a tar archive whose first member is {layout.SUMS}",
        found=found,
        fix="name a file that pinned.release.mirror wrote in the option bundle",
    )
