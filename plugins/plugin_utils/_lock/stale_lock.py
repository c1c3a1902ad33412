# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the lock file older than what its manifest asks, and what are people told then? Runs on the controller.

A rollout looks at the manifest that lies beside the lock file under the same name: releases.yml, releases.lock.json.
To take it apart costs as much as to ask several hosts. So one host of a run does that for all, and none does it for two
files of which the cache notes that one answers the other: ``lock`` leaves that note, and so does a rollout.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, user_files
from ansible_collections.pinned.release.plugins.plugin_utils._lock.answers import Difference
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

ENDING = ".lock.json"
MANIFESTS = (".yml", ".yaml")
#: The folder of the cache with a note for each lock file.
NOTES = "answers"
#: Of differences, and of tools that have the same one, so many are shown.
MOST_SHOWN = 10
_PLAIN = re.compile(r"[A-Za-z0-9_@%+:,./-]+\Z")


def refusal(found: Sequence[Difference], lock_path: Path, manifest_path: Path) -> ReleaseError:
    """Return the error for a lock file that does not answer its manifest, with what was *found* to differ."""
    return ReleaseError(
        f"{lock_path} does not answer {manifest_path}: {listed(dict.fromkeys(one.subject for one in found))}",
        expected=_told(found, lambda one: one.asked),
        found=_told(found, lambda one: one.locked),
        fix=f"lock anew, and commit the lock file: {command(lock_path, manifest_path)}",
    )


def warning(
    lock_path: Path, lock: LockFile, lock_sha256: str, run_folder: Path, goes_on: str = "What is locked is rolled out."
) -> str | None:
    """Return what to tell of a *lock* that does not answer the manifest beside it; None if there is nothing to tell.

    *lock_sha256* is the digest of the lock file's text. *run_folder* belongs to this run alone: what was looked at once
    is noted there, and not looked at again. A manifest that cannot be read is told, too: no rollout needs it. *goes_on*
    says what is done all the same.
    """
    manifest_path = _beside(lock_path)
    if manifest_path is None:
        return None
    try:
        text = user_files.read(manifest_path, user_files.MANIFEST)
        if not _is_first(run_folder, lock_path, _pair(lock_sha256, text)) or _is_noted(lock_path, lock_sha256, text):
            return None
        found = _differences(lock, text, manifest_path)
    except ReleaseError as error:
        return f"cannot tell whether {lock_path} answers the manifest beside it: {' '.join(str(error).split())}"
    if not found:
        note_answer(lock_path, lock_sha256, text)
        return None
    told = _told(found, lambda one: f"asked {one.asked}, locked {one.locked}")
    return (
        f"{lock_path} does not answer {manifest_path}: {told}. {goes_on} "
        f"To lock anew: {command(lock_path, manifest_path)}"
    )


def note_answer(lock_path: Path, lock_sha256: str, manifest_text: str) -> None:
    """Note in the cache that the lock file *lock_path* with the digest *lock_sha256* answers *manifest_text*.

    It only saves work later. Where it cannot be written, nothing is said.
    """
    with contextlib.suppress(ReleaseError, OSError):
        folder = folders.private_folder(folders.default_cache_root(), NOTES)
        folders.write_atomically(folder / _digest(str(lock_path)), _pair(lock_sha256, manifest_text).encode())


def _is_noted(lock_path: Path, lock_sha256: str, manifest_text: str) -> bool:
    try:
        folder = folders.private_folder(folders.default_cache_root(), NOTES, create=False)
        with folders.open_to_read(folder / _digest(str(lock_path))) as file:
            return file.read(1024) == _pair(lock_sha256, manifest_text).encode()
    except (ReleaseError, OSError):
        return False


def _pair(lock_sha256: str, manifest_text: str) -> str:
    return f"{lock_sha256} {_digest(manifest_text)}\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def command(lock_path: Path, manifest_path: Path) -> str:
    """Return the line of shell that makes *lock_path* anew from *manifest_path*, as short as it can be typed here."""
    names = {}
    if manifest_path != Path.cwd() / "releases.yml":
        names["manifest"] = _shortest(manifest_path)
    if lock_path != manifest_path.with_suffix(ENDING):
        names["lockfile"] = _shortest(lock_path)
    return " ".join(["ansible-playbook pinned.release.lock", *(_extra(name, value) for name, value in names.items())])


def _extra(name: str, value: str) -> str:
    plain = f"{name}={value}"
    return f"-e {plain if _PLAIN.match(value) else shlex.quote(json.dumps({name: value}))}"


def _shortest(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _beside(lock_path: Path) -> Path | None:
    """Return the manifest of the same name in the folder of the lock file, None if there is none."""
    if not lock_path.name.endswith(ENDING):
        return None
    stem = lock_path.name.removesuffix(ENDING)
    possible = (lock_path.with_name(f"{stem}{ending}") for ending in MANIFESTS)
    return next((path for path in possible if path.exists()), None)


def _is_first(run_folder: Path, lock_path: Path, pair: str) -> bool:
    """Tell whether nobody in this run looked at these two files yet. Whoever is first notes it for all others."""
    note = run_folder / f"pinned.release-{_digest(f'{lock_path} {pair}')}"
    try:
        os.close(os.open(note, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    except OSError:
        pass  # Then it is looked at by each host, and said once anyway: Ansible drops what it has said before.
    return True


def _differences(lock: LockFile, text: str, manifest_path: Path) -> Sequence[Difference]:
    # Its module brings the libraries for all sources, which no run waits for that finds its manifest looked at.
    from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest

    return answers.differences(lock, manifest.parse(text, str(manifest_path), manifest_path.parent, lock))


def _told(found: Sequence[Difference], told: Callable[[Difference], str]) -> str:
    """Return what *told* says of each difference, with all that it is said of before it, on one line."""
    subjects: dict[str, list[str]] = {}
    for one in found:
        subjects.setdefault(told(one), []).append(one.subject)
    parts = [f"{listed(names, MOST_SHOWN)}: {words}" for words, names in subjects.items()]
    more = [f"and {len(parts) - MOST_SHOWN} more"] if len(parts) > MOST_SHOWN else []
    return "; ".join(parts[:MOST_SHOWN] + more)
