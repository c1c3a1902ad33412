# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records what a rollout did. Options and results are documented in modules/record.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import (
    compared_lock,
    history,
    log,
    recording,
    signing,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.registered import refuse_odd_names, registered
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, signers
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

OPTIONS = verb.reader(options.RECORD)


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Append the statement of a rollout to the log, and return the log's new head.

        Raises ReleaseError for a lock file that cannot be read, a log that is not what was written, and a key that
        cannot sign.
        """
        given = verb.options(self, OPTIONS)
        started = given["started"] or ""
        if started and not forms.MOMENT.pattern.match(started):
            raise ReleaseError("started is no such time", expected=forms.MOMENT.words, found=started)
        found = verb.found_file(self, given["lockfile"])
        _lock, text = lock_reader.read_with_text(found, signers.read(given["lock_signers"]))
        lock = compared_lock.of_file(found, text)
        path = Path(self._loader.path_dwim(given["log"]))
        sign = signing.of_option(given["log_key"], self._loader.path_dwim)
        past = history.known(path)
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        results = verb.fit(dict(_results(given, task_vars)))
        statement = recording.rollout(results.items(), lock, now, started, past)
        head = log.foreseen(path, sign) if self._task.check_mode else log.append(path, statement, sign)
        return {
            "changed": True,
            "log": str(path),
            "head": log.shown_head(head),
            "notes": _notes(statement["predicate"]["hosts"], path, self._task.check_mode),
        }


def _results(given: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the hosts and what the task registered there; None where it was not run."""
    hostvars = task_vars["hostvars"]
    names = given["hosts"] if given["hosts"] is not None else task_vars.get("ansible_play_hosts_all", [])
    refuse_odd_names(names)
    for name in sorted(set(names)):
        if name not in hostvars:
            raise ReleaseError(f"{name} is no host of the inventory", fix="correct the option hosts")
        yield name, registered(hostvars, given["result"], name)


def _notes(groups: Sequence[Mapping[str, Any]], path: Path, is_check: bool) -> list[str]:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group["outcome"]] = counts.get(group["outcome"], 0) + len(group["hosts"])
    told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in counts.items()) or "no host"
    others = [name for group in groups if group.get("why") == recording.ANOTHER_LOCK for name in group["hosts"]]
    of_others = f"{listed(others)}: {recording.ANOTHER_LOCK}, which is not recorded: record each by itself"
    return [f"{'would be ' if is_check else ''}recorded in {path}: {told}", *([of_others] if others else [])]
