# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a folder become the mirror of lock files? Look, plan, fetch, write; runs on the controller.

Everything is fetched before anything is written. The record names what a run will write before it does, and what it
removes until that is gone, so that after a run that was killed the next one knows which files are the mirror's.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._mirror import folder as folders
from ansible_collections.pinned.release.plugins.plugin_utils._mirror import listings, record
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.addresses import INDEX, STATE
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, Entry, File
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.folder import MirrorFolder
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.plan import Found, Plan, plan
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import Publication

_RECORD = f"{STATE}/{record.NAME}"


@dataclass(frozen=True)
class Mirror:
    """The mirror in the folder *dest*, with what it is to have; with *prune*, nothing else that earlier runs wrote."""

    dest: Path
    wanted: Publication
    prune: bool = False

    def foreseen(self) -> Plan:
        """Return what publish() would do. Nothing is written. Raises ReleaseError as it does, short of fetching."""
        with folders.opened(self.dest) as folder:
            if folder is None:
                return plan(self.wanted.files, {}, {}, None, prune=self.prune)
            return self._plan(folder)[0]

    def publish(self, assets: AssetBytes) -> Plan:
        """Make the folder the mirror, and return what was done.

        Raises ReleaseError if an asset cannot be had, a foreign file is in the way, or the system refuses.
        """
        with folders.held(self.dest) as folder:
            todo, recorded = self._plan(folder)
            files = self.wanted.files
            origins = [files[path].origin for path in todo.write if path in files]
            assets.fetch(origin for origin in origins if isinstance(origin, AssetOrigin))
            try:
                _keep(folder, {**recorded, **todo.files}, recorded)
                _write(folder, todo, files, assets)
                for path in todo.remove:
                    folder.remove(path)
                _keep(folder, todo.files, {**recorded, **todo.files})
            except OSError as error:
                raise folders.failure(error, self.dest) from error
            return todo

    def _plan(self, folder: MirrorFolder) -> tuple[Plan, Mapping[str, Entry]]:
        try:
            text = folder.text(_RECORD)
            recorded = {} if text is None else record.parse(text, f"{self.dest}/{_RECORD}")
            found: dict[str, Found] = dict.fromkeys(folder.places(), ("", 0))
            sums = listings.sums_files({path: file.entry for path, file in self.wanted.files.items()})
            for path in {*recorded, *self.wanted.files, *sums} & found.keys():
                found[path] = folder.digest(path) or ("", 0)
            return plan(self.wanted.files, recorded, found, folder.text(INDEX), prune=self.prune), recorded
        except OSError as error:
            raise folders.failure(error, self.dest) from error


def _write(folder: MirrorFolder, todo: Plan, files: Mapping[str, File], assets: AssetBytes) -> None:
    """Write what is to be written. Bytes that are there under another path get a second name."""
    if todo.interim is not None:
        _write_text(folder, INDEX, todo.interim.encode())
    for path in todo.withdraw:
        folder.remove(path)
    waiting = set(todo.write)
    there = {entry.sha256: path for path, entry in todo.files.items() if path not in waiting}
    for path in todo.write:
        content = todo.made.get(path)
        if content is not None:
            _write_text(folder, path, content)
            continue
        entry = todo.files[path]
        if not _linked(folder, path, there.get(entry.sha256)):
            folder.write(path, assets.chunks(files[path].origin), (entry.sha256, entry.size))
        there[entry.sha256] = path


def _linked(folder: MirrorFolder, path: str, other: str | None) -> bool:
    if other is not None:
        with contextlib.suppress(OSError):
            folder.link(path, other)
            return True
    return False


def _keep(folder: MirrorFolder, files: Mapping[str, Entry], before: Mapping[str, Entry]) -> None:
    """Write the record of *files* if it is another than *before*."""
    if files != before:
        _write_text(folder, _RECORD, record.emit(files).encode())


def _write_text(folder: MirrorFolder, path: str, text: bytes) -> None:
    folder.write(path, [text], (hashlib.sha256(text).hexdigest(), len(text)))
