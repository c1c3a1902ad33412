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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.archive import Archive, Member, format_of, open_archive
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import folders_of, link_text
from ansible_collections.pinned.release.plugins.plugin_utils._asset import tar_writer
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
    if pack is None:
        raise ReleaseError(
            f"{name} cannot be renamed to {other}: names inside of it repeat its own, and a {archive_format} file has "
            "not the same bytes from every controller",
            expected="tar, tar.gz, tar.xz or tar.zst",
            found=archive_format,
            fix=f"leave the alias {other} out of the manifest",
        )
    if len(set(map(rename, paths))) < len(paths):
        raise ReleaseError(
            f"{name} cannot be renamed to {other}: two names inside of it would become one",
            fix=f"leave the alias {other} out of the manifest",
        )
    with open_archive(str(path), archive_format, name, most_bytes, name) as archive:
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
