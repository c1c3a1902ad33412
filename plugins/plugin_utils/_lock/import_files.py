# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of other tools does ``lock`` read and write, and when did one change? Runs on the controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.programs import NoProgramError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import importers, manifest, user_files
from ansible_collections.pinned.release.plugins.plugin_utils._lock.foreign_digests import ForeignDigests, can_compute
from ansible_collections.pinned.release.plugins.plugin_utils._lock.import_texts import read_all
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.takeover import Entry, TakenOver, take_over
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml


@dataclass(frozen=True)
class Export:
    """One file beside the lock file: where it lies, what is there (None: nothing), what will be, and what it lacks."""

    path: Path
    before: str | None
    after: str
    left: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether it has to be written."""
        return self.before != self.after

    def notes(self) -> Iterator[str]:
        """Yield that the file is written, if it is, and a line for each thing that the format cannot hold."""
        if self.is_changed:
            yield f"{self.path.name}: {'written' if self.before is None else 'written anew'}"
        yield from (f"not in {self.path.name}: {line}" for line in self.left)

    def diff(self) -> dict[str, str]:
        """Return the change as Ansible shows it."""
        headers = {"before_header": str(self.path), "after_header": str(self.path)}
        return {**headers, "before": self.before or "", "after": self.after}


@dataclass(frozen=True)
class Asked:
    """The manifest at *path*, what was *taken* over from other tools (None: nothing), and whether that made it."""

    path: Path
    text: str
    taken: TakenOver | None = None
    is_new: bool = False

    @property
    def digests(self) -> ForeignDigests:
        """What other tools' lock files state."""
        return self.taken.digests if self.taken else ForeignDigests()

    def refuse_broken_text(self) -> None:
        """Raise ReleaseError where the text is not YAML: before the lock file is looked at, which was made of it."""
        read_yaml(self.text, str(self.path))

    def wanted(self, locked: LockFile) -> Manifest:
        """Return what the manifest wants; *locked* is the last answer to it. Raises ReleaseError as parse() does."""
        return manifest.parse(self.text, str(self.path), self.path.parent, locked)

    def notes(self, wanted: Manifest, lock: LockFile) -> list[str]:
        """Return what to tell of what was taken over, now that *lock* is made of what is *wanted*."""
        return [*self.taken.notes(wanted), *self.taken.digests.notes(lock)] if self.taken else []

    def new_files(self) -> tuple[Export, ...]:
        """Return the manifest, if it was made of what was taken over."""
        return (Export(self.path, None, self.text),) if self.is_new else ()


def take_over_files(paths: Sequence[Path]) -> TakenOver:
    """Return what becomes of the lock files of other tools at *paths*.

    Raises ReleaseError where one cannot be read, is of no known format, or where nothing in them can be taken over.
    """
    found = read_all(paths)
    return take_over(importers.read(found.texts), found.left)


def settled(asked: Asked, wanted: Manifest, resolve: Callable[[Manifest], object]) -> Asked:
    """Return *asked* without what another tool unpacks over a tool and what holds no program: here it is no tool.

    Only bytes tell that. A manifest that was there before stays as it is. Any other error is left to whoever locks all
    that is *wanted*.
    """
    taken = asked.taken
    if taken is None or not asked.is_new:
        return asked
    before = asked.text.removesuffix(taken.text)
    for entry in taken.entries:
        if entry.foreign.over:
            with suppress(ReleaseError):
                try:
                    resolve(replace(wanted, tools={entry.name: wanted.tools[entry.name]}))
                except NoProgramError:
                    taken = taken.without(entry, _why_no_tool(entry))
    return replace(asked, text=before + taken.text, taken=taken)


def _why_no_tool(entry: Entry) -> str:
    why = f"{entry.origin} has it unpacked over {entry.foreign.over}, and it holds no program"
    algorithms = [algorithm for file in entry.foreign.files for algorithm in file.digests]
    is_compared = bool(algorithms) and all(map(can_compute, algorithms))
    return f"{why}; its bytes have the digest that is stated" if is_compared else why


def exports(lock: LockFile, paths: Mapping[str, Path]) -> tuple[Export, ...]:
    """Return the files to write for the tools that *paths* names. Raises ReleaseError if an older one is unreadable."""
    found = []
    for kind, path in sorted(paths.items()):
        written = importers.WRITERS[kind](lock)
        found.append(Export(path, user_files.read_if_there(path, user_files.EXPORT), written.text, written.left))
    return tuple(found)
