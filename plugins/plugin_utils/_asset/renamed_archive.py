# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does an asset become under another file name, when names inside of it repeat that? Runs on the controller.

Many publishers put everything into one folder that is called like the archive: ``uv-aarch64-unknown-linux-musl/uv`` in
``uv-aarch64-unknown-linux-musl.tar.gz``. Others repeat only the platform: ``vector-x86_64-unknown-linux-musl/`` in
``vector-0.42.0-x86_64-unknown-linux-musl.tar.gz``, ``linux-amd64/`` in ``helm-v3.18.0-linux-amd64.tar.gz``. Whoever
asks for another name looks for that folder. The files' own bytes stay as they are. The archive is written anew, stored,
so that it has the same bytes from every controller. Where no name inside repeats that of the asset, the asset's own
bytes are the answer.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.archive import Archive, Member, format_of, open_archive
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import folders_of, link_text
from ansible_collections.pinned.release.plugins.plugin_utils._asset import tar_writer, zip_writer
from ansible_collections.pinned.release.plugins.plugin_utils._asset.stored_streams import PACKERS
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.file_kinds import without_suffix
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.name_words import platform_in

_CHUNK_BYTES = 1 << 20
#: Formats that hold several files; of the others, the name inside is not the publisher's.
ARCHIVES = ("tar", "zip")


def renamed(path: Path, name: str, other: str, most_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of the asset at *path*, called *name*, as it is under the name *other*.

    It may unpack to *most_bytes*: what the lock file says of the asset. Raises ReleaseError for what must not be
    unpacked, for a format that cannot be written so, and for a name that would lead out of the folder.
    """
    if _stem(other) in (".", ".."):
        raise ReleaseError(
            f"{name} cannot be renamed to {other}: names inside of it would lead elsewhere",
            expected="a name with more than dots before its ending",
            fix=f"leave the alias {other} out of the manifest",
        )
    rename = renaming(name, other)
    archive_format = format_of(name)
    paths = _paths(path, name, most_bytes) if archive_format.startswith(ARCHIVES) else set()
    if all(rename(one) == one for one in paths):
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
        return
    pack = PACKERS.get(archive_format.rpartition(".")[2])
    if pack is None and archive_format != "zip":
        raise ReleaseError(
            f"{name} cannot be renamed to {other}: names inside of it repeat its own, and a {archive_format} file has "
            "not the same bytes from every controller",
            expected="tar, tar.gz, tar.xz, tar.zst or zip",
            found=archive_format,
            fix=f"leave the alias {other} out of the manifest",
        )
    if len(set(map(rename, paths))) < len(paths):
        raise ReleaseError(
            f"{name} cannot be renamed to {other}: two names inside of it would become one",
            fix=f"leave the alias {other} out of the manifest",
        )
    with open_archive(str(path), archive_format, name, most_bytes, name) as archive:
        if pack is None:
            yield from zip_writer.zipped(_zip_entries(archive, rename))
        else:
            yield from pack(tar_writer.end(_entries(archive, rename)))


def renaming(name: str, other: str) -> Callable[[str], str]:
    """Return what tells the path of a file in the archive *name* as it is in the one called *other*."""
    stem, other_stem = _stem(name), _stem(other)
    return _Renaming(stem, other_stem, platform_in(stem), platform_in(other_stem))


@dataclass(frozen=True)
class _Renaming:
    """What names inside are called: each step that is *old*, or that and an ending, is called *new* instead.

    At the top, the platform of the one name becomes that of the other, where both have one. Further down it may be a
    name of the program's own, such as ``rustlib/x86_64-unknown-linux-musl``.
    """

    old: str
    new: str
    old_platform: str
    new_platform: str

    def __call__(self, path: str) -> str:
        top, *others = path.split("/")
        return "/".join([self._top(top), *map(self._step, others)])

    def _top(self, step: str) -> str:
        renamed_step = self._step(step)
        if renamed_step != step or not (self.old_platform and self.new_platform):
            return renamed_step
        repeated = rf"(?<![^-_.]){re.escape(self.old_platform)}(?![^-_.])"
        return re.sub(repeated, lambda _found: self.new_platform, step)

    def _step(self, step: str) -> str:
        is_meant = step == self.old or step.startswith(f"{self.old}.")
        return self.new + step.removeprefix(self.old) if is_meant else step


def _stem(name: str) -> str:
    return without_suffix(name)[0]


def _paths(path: Path, name: str, most_bytes: int) -> set[str]:
    """Return the path of everything in the archive."""
    with open_archive(str(path), format_of(name), name, most_bytes, name) as archive:
        return {*(member.path for member, _content in archive.walk()), *archive.directories}


def _entries(archive: Archive, rename: Callable[[str], str]) -> Iterator[bytes]:
    """Yield the archive's entries under their new names, each folder before what lies in it."""
    folders: set[str] = set()
    for member, content in archive.walk():
        yield from _folders(folders_of([rename(member.path)]), folders)
        yield from _entry(member, content, rename)
    yield from _folders(map(rename, archive.directories), folders)


def _folders(paths: Iterator[str] | list[str], known: set[str]) -> Iterator[bytes]:
    for path in paths:
        if path not in known:
            known.add(path)
            yield tar_writer.header(tar_writer.FOLDER, f"{path}/", mode=0o755)


def _entry(member: Member, content: BinaryIO | None, rename: Callable[[str], str]) -> Iterator[bytes]:
    path, target = rename(member.path), rename(member.link_target or "")
    mode = 0o755 if member.is_executable else 0o644
    if member.kind == "link":
        yield tar_writer.header(tar_writer.SYMLINK, path, mode=0o777, link=link_text(path, target))
    elif content is None:
        yield tar_writer.header(tar_writer.HARDLINK, path, mode=mode, link=target)
    else:
        yield tar_writer.header(tar_writer.FILE, path, mode=mode, size=member.size)
        yield from iter(partial(content.read, _CHUNK_BYTES), b"")
        yield tar_writer.padding(member.size)


def _zip_entries(archive: Archive, rename: Callable[[str], str]) -> Iterator[tuple[zip_writer.Entry, Iterable[bytes]]]:
    """Yield what _entries() yields of a tar archive. It is read twice, since checksums stand before what they are of.

    Raises ReleaseError for one that is too large.
    """
    known = {member.path: _zip_entry(member, content, rename) for member, content in archive.walk()}
    folders = {rename(folder) for folder in archive.directories}
    paths = [*(entry.path for entry in known.values()), *folders]
    if not zip_writer.fits((entry.size for entry in known.values()), paths):
        raise ReleaseError(
            f"{archive.name} is too large to be renamed",
            expected=f"at most {zip_writer.MOST_BYTES} bytes of {zip_writer.MOST_MEMBERS} files",
            fix="leave its aliases out of the manifest",
        )
    for folder in sorted(folders):
        yield zip_writer.Entry(zip_writer.FOLDER, f"{folder}/", 0o755), ()
    for member, content in archive.walk():
        yield known[member.path], _bytes_of(member, content, rename)


def _zip_entry(member: Member, content: BinaryIO | None, rename: Callable[[str], str]) -> zip_writer.Entry:
    size = crc32 = 0
    for chunk in _bytes_of(member, content, rename):
        size, crc32 = size + len(chunk), zlib.crc32(chunk, crc32)
    kind = zip_writer.SYMLINK if member.kind == "link" else zip_writer.FILE
    mode = 0o777 if member.kind == "link" else 0o755 if member.is_executable else 0o644
    return zip_writer.Entry(kind, rename(member.path), mode, size, crc32)


def _bytes_of(member: Member, content: BinaryIO | None, rename: Callable[[str], str]) -> Iterator[bytes]:
    """Yield what a zip file holds of *member*: of a link, where it leads."""
    if content is None:
        yield link_text(rename(member.path), rename(member.link_target or "")).encode()
    else:
        yield from iter(partial(content.read, _CHUNK_BYTES), b"")
