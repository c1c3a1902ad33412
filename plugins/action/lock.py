# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a manifest into a lock file. Options and results are documented in modules/lock.py."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import asking, lockfile, manifest, user_files
from ansible_collections.pinned.release.plugins.plugin_utils.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils.changes import Outcome
from ansible_collections.pinned.release.plugins.plugin_utils.progress import Progress
from ansible_collections.pinned.release.plugins.plugin_utils.release import Source
from ansible_collections.pinned.release.plugins.plugin_utils.resolve import Resolution, Resolver
from ansible_collections.pinned.release.plugins.plugin_utils.sources import open_source, refuse_token_for_several


class ActionModule(asking.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        given = asking.options(self, options.LOCK)
        wanted_path = Path(self._loader.path_dwim(given["manifest"]))
        lock_path = self._lock_path(given["lockfile"], wanted_path)
        text = user_files.read(wanted_path, user_files.MANIFEST, if_missing="write one")
        wanted = manifest.parse(text, str(wanted_path))
        before = user_files.read_if_there(lock_path, user_files.LOCK_FILE)
        if before is None:
            user_files.refuse_hopeless_place(lock_path)
            before = ""
        locked = lockfile.parse(before, str(lock_path)) if before else lockfile.LockFile()
        refuse_token_for_several((tool.source for tool in wanted.tools.values()), given["token"])
        cache = Cache()
        resolver = Resolver(
            open_source=partial(self._open, token=given["token"], base=wanted_path.parent, cache_root=cache.root),
            cache=cache,
            now=datetime.now(timezone.utc),
            progress=Progress(Display().display),
        )
        resolution = resolver.resolve(wanted, locked, given["upgrade"])
        after = lockfile.emit(resolution.lock)
        if after != before and not self._task.check_mode:
            user_files.write_lock(lock_path, after)
        return _result(lock_path, before, after, resolution)

    @staticmethod
    def _open(wanted: manifest.WantedTool, **how: Any) -> Source:
        return open_source(wanted.source, exact=wanted.exact, is_wanted=wanted.allows, **how)

    def _lock_path(self, given: str | None, wanted_path: Path) -> Path:
        if given is None:
            return wanted_path.with_suffix(".lock.json")
        return Path(self._loader.path_dwim(given))


def _result(path: Path, before: str, after: str, resolution: Resolution) -> dict[str, Any]:
    headers = {"before_header": str(path), "after_header": str(path)}
    return {
        "changed": before != after,
        "lockfile": str(path),
        "tools": {name: asdict(outcome) for name, outcome in resolution.outcomes.items()},
        "notes": [f"{name}: {line}" for name, outcome in resolution.outcomes.items() for line in _story(outcome)],
        "diff": {**headers, "before": before, "after": after} if before != after else {},
    }


def _story(outcome: Outcome) -> list[str]:
    versions = " → ".join(dict.fromkeys(version for version in (outcome.previous, outcome.version) if version))
    return [f"{outcome.action} {versions}", *outcome.notes] if outcome.action != "kept" else []
