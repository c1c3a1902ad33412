# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisories in the published format of OSV, and folders of them: for tests."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import database
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.database import Database
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.match import findings
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.record import Affected, parse

MODIFIED = "2026-01-02T03:04:05Z"


def events(text: str) -> list[dict[str, str]]:
    """Return the events that *text* names: ``introduced 0 fixed 1.2``."""
    words = text.split()
    return [{what: version} for what, version in zip(words[::2], words[1::2], strict=True)]


def affected(
    ecosystem: str, name: str, timeline: str = "", versions: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    kind = "ECOSYSTEM" if ecosystem == "PyPI" else "SEMVER"
    ranges = [{"type": kind, "events": events(timeline)}] if timeline else []
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, "versions": list(versions), **more}


def from_git(repo: str, tags: Sequence[str] = (), timeline: str = "introduced 0 fixed " + "a" * 40) -> dict[str, Any]:
    return {"ranges": [{"type": "GIT", "repo": repo, "events": events(timeline)}], "versions": list(tags)}


def record(id: str, *parts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id, "modified": MODIFIED, "affected": list(parts), **more}


def read_affected(*parts: Mapping[str, Any]) -> tuple[Affected, ...]:
    return parse(json.dumps(record("X-1", *parts)).encode(), "a record").affected


def write(folder: Path, *records: Mapping[str, Any] | bytes) -> Path:
    """Write each of *records* into a file of its own below *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(records):
        content = one if isinstance(one, bytes) else json.dumps(one).encode()
        (folder / f"{number}.json").write_bytes(content)
    return folder


def write_zip(path: Path, *records: Mapping[str, Any] | bytes) -> Path:
    """Write a dump of *records*, as databases publish it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number, one in enumerate(records):
            file.writestr(f"{number}.json", one if isinstance(one, bytes) else json.dumps(one))
    return path


def read(folder: Path, *subjects: Subject) -> Database:
    return database.read(folder, subjects)


def found(folder: Path, *subjects: Subject) -> list[tuple[str, str]]:
    """Return the advisory and the status of everything that the records in *folder* say of *subjects*."""
    told = findings(read(folder, *subjects), subjects)
    return [(one.advisory, one.status) for one in told.findings]
