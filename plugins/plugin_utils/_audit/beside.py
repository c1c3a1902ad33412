# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is inside the pinned programs, and which advisories tell of it? Read from files; runs on the controller.

Advisories are asked about what the lock file pins. A host that has another version is told of as one that differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import database, match, subjects, vex
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import AdvisoryFindings, Subject
from ansible_collections.pinned.release.plugins.plugin_utils._lock import components_file
from ansible_collections.pinned.release.plugins.plugin_utils._lock.components_file import Recorded
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: So many tools are named in a note.
MOST_NAMED = 3


@dataclass(frozen=True)
class Beside:
    """What is *recorded* inside the programs, and what advisories say, *found*: None where nobody asked them."""

    recorded: Recorded
    found: AdvisoryFindings | None = None


def ask_advisories(
    lock: LockFile, lock_path: Path, recorded: Recorded, folder: Path, statements: Sequence[Path]
) -> AdvisoryFindings:
    """Return what the advisories in *folder* say of all that *lock* pins, and of what is *recorded* inside.

    *statements* are files of VEX, named from the folder of *lock_path* on.
    Raises ReleaseError for a folder or a file that cannot be read.
    """
    wanted = (*subjects.of_lock(lock), *_inside(lock, recorded))
    stated = vex.read(statements, lock_path.parent)
    return match.findings(database.read(folder, wanted), wanted, stated, unread(lock, recorded))


def unread(lock: LockFile, recorded: Recorded) -> tuple[str, ...]:
    """Return the names of the tools of *lock* of which not all assets are in what is *recorded*."""
    return tuple(
        name
        for name, tool in sorted(lock.tools.items())
        if any(asset.sha256 not in recorded.get(name, {}) for asset in tool.assets)
    )


def note(lock: LockFile, lock_path: Path, recorded: Recorded) -> Iterator[str]:
    """Yield a note if *recorded*, from the file beside *lock_path*, lacks assets of *lock*; else nothing."""
    names = [f"{name} {lock.tools[name].version}" for name in unread(lock, recorded)]
    if names:
        yield (
            f"{components_file.path_beside(lock_path).name} does not say what is inside {listed(names, MOST_NAMED)}: "
            "run pinned.release.lock, or restore the file that belongs to the lock file"
        )


def refuse_unreadable(folder: Path, statements: Sequence[Path]) -> None:
    """Raise ReleaseError as ask_advisories() would, before anything is asked, and without reading all records."""
    database.refuse_empty(folder)
    vex.read(statements, folder)


def _inside(lock: LockFile, recorded: Recorded) -> Iterator[Subject]:
    for name, tool in sorted(lock.tools.items()):
        # Several targets may have the same asset, and several assets a program of the same path with the same parts.
        seen: set[Subject] = set()
        for sha256 in sorted({asset.sha256 for asset in tool.assets}):
            for path, inside in sorted(recorded.get(name, {}).get(sha256, {}).items()):
                purls = [part.purl for part in inside.components if not part.is_main]
                seen.update(subjects.of_components(name, path, purls, inside.toolchain or ""))
        yield from sorted(seen)
