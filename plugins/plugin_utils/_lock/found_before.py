# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did another process of this run find out already? Runs on the controller.

Ansible forks a process for each host, and each of them would take the same lock file apart, and make the same question
of it: on a host with nothing to do, that is most of its work. The first to do so keeps what it found out in the folder
of the run, which Ansible makes for this user alone and removes at the end. What lies there is believed as the run
itself is, and only there: these are pickles.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile

Found = TypeVar("Found")


def once(run_folder: Path | None, kind: type, find_out: Callable[[], Found], *about: object) -> Found:
    """Return what *find_out* returns, of that *kind*; in *run_folder*, which belongs to one run, it is called once.

    *about* is all that it depends on. Where it returns None, it is called again. Raises what *find_out* raises.
    """
    kept: Found | None = _load(run_folder, kind, about) if run_folder else None
    if kept is not None:
        return kept
    found = find_out()
    if run_folder and found is not None:
        _keep(run_folder, found, kind, about)
    return found


def lock_once(run_folder: Path | None, read: Callable[[], LockFile], *about: object) -> LockFile:
    """Return the lock file that *read* returns, as once() does; its tools only when one of them is looked at.

    The digests that each host is asked about are kept with them.
    """
    kept = _load(run_folder, LockFile, about) if run_folder else None
    if kept is not None:
        return kept
    lock = read()
    list(map(attrgetter("assets_sha256"), lock.tools.values()))
    if run_folder and _keep(run_folder, dict(lock.tools), dict, about):
        names = replace(lock, tools=_ToolsOfRun(run_folder, about, tuple(lock.tools)))
        _keep(run_folder, names, LockFile, about)
    return lock


@dataclass(frozen=True, eq=False)
class _ToolsOfRun(Mapping[str, LockedTool]):
    """The tools of a lock file, which most hosts need no more of than the *names*."""

    run_folder: Path
    about: tuple[object, ...]
    names: tuple[str, ...]

    def __getitem__(self, name: str) -> LockedTool:
        """Return the tool *name*. Raises KeyError, and ReleaseError if another program took the run's files away."""
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self.names)

    def __len__(self) -> int:
        """Return how many tools there are."""
        return len(self.names)

    @cached_property
    def _read(self) -> dict[str, LockedTool]:
        found = _load(self.run_folder, dict, self.about)
        if found is None:
            raise ReleaseError(
                f"what this run keeps in {self.run_folder} is gone",
                fix="start it again, and see what deletes files there while it runs",
            )
        return found


def _load(run_folder: Path, kind: type[Found], about: tuple[object, ...]) -> Found | None:
    with contextlib.suppress(OSError):
        if _is_ours_alone(run_folder):
            with folders.open_to_read(_path(run_folder, kind, about)) as file:
                found = pickle.load(file)
                return found if isinstance(found, kind) else None
    return None


def _keep(run_folder: Path, found: object, kind: type, about: tuple[object, ...]) -> bool:
    """Keep what was *found*, and return whether it is kept. It saves work: where it cannot be, nothing is said."""
    with contextlib.suppress(OSError):
        if _is_ours_alone(run_folder):
            folders.write_atomically(_path(run_folder, kind, about), pickle.dumps(found))
            return True
    return False


def _path(run_folder: Path, kind: type, about: tuple[object, ...]) -> Path:
    digest = hashlib.sha256(repr(about).encode(errors="surrogateescape")).hexdigest()
    return run_folder / f"pinned.release-{kind.__name__}-{digest}"


def _is_ours_alone(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
