# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lock file did another process of this run read whole, and find right? Runs on the controller.

Ansible forks a process for each host, and each of them would take the same text apart: on a host with nothing to do,
that is most of its work. The first to do so keeps what it read in the folder of the run, which Ansible makes for this
user alone and removes at the end. What lies there is believed as the run itself is, and only there: it is a pickle.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import stat
from operator import attrgetter
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile

_NAME = "pinned.release-lock-"


def find(run_folder: Path, *read_as: object) -> LockFile | None:
    """Return what keep() kept in *run_folder* of the lock file that was *read_as* this; None if there is nothing."""
    with contextlib.suppress(OSError):
        if _is_ours_alone(run_folder):
            with folders.open_to_read(_path(run_folder, read_as)) as file:
                found = pickle.load(file)
                return found if isinstance(found, LockFile) else None
    return None


def keep(run_folder: Path, lock: LockFile, *read_as: object) -> None:
    """Keep *lock* for the other processes of the run. It saves work: where it cannot be kept, nothing is said.

    *read_as* is all that its being right depends on: text, place, who must have signed it, whether it was checked.
    The digests that each host is asked about are kept with it.
    """
    list(map(attrgetter("assets_sha256"), lock.tools.values()))
    with contextlib.suppress(OSError):
        if _is_ours_alone(run_folder):
            folders.write_atomically(_path(run_folder, read_as), pickle.dumps(lock))


def _path(run_folder: Path, read_as: tuple[object, ...]) -> Path:
    return run_folder / (_NAME + hashlib.sha256(repr(read_as).encode(errors="surrogateescape")).hexdigest())


def _is_ours_alone(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
