# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what every host of the inventory has, beside what a lock file pins. Options and results: modules/report.py."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import (
    few_lines,
    report_csv,
    report_folder,
    report_json,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock, Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._audit.git_commit import commit_of
from ansible_collections.pinned.release.plugins.plugin_utils._audit.report_folder import ReportFile
from ansible_collections.pinned.release.plugins.plugin_utils._audit.results import fleet_of
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, signers
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

OPTIONS = verb.reader(options.REPORT)
_JSON = "report.json"


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write the report of what the hosts' tasks registered, and return where it is and what it tells in short.

        Raises ReleaseError for a lock file that cannot be read, hosts that nobody knows, and a folder that cannot be
        written.
        """
        given = verb.options(self, OPTIONS)
        dest = Path(self._loader.path_dwim(given["dest"]))
        fleet = self._fleet(given, task_vars)
        before = _last(dest / _JSON) if self._task.diff else ""
        written = report_folder.write(dest, _files(fleet), self._task.check_mode)
        return {
            "changed": any(written.values()),
            "dest": str(dest),
            "files": list(map(str, written)),
            **report_json.summary(fleet),
            "hosts": few_lines.by_status(fleet),
            "notes": few_lines.lines(fleet),
            **({"diff": _diff(dest, before, few_lines.text(fleet))} if self._task.diff else {}),
        }

    def _fleet(self, given: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Fleet:
        path = verb.found_file(self, given["lockfile"])
        lock, text = lock_reader.read_with_text(path, signers.read(given["lock_signers"]))
        content = text.encode()
        compared = ComparedLock(path.name, hashlib.sha256(content).hexdigest(), commit_of(path, content))
        names = _names(given["hosts"], task_vars)
        return fleet_of(lock, compared, names, partial(_registered, task_vars["hostvars"], given["result"]))


def _names(hosts: Sequence[str] | None, task_vars: Mapping[str, Any]) -> list[str]:
    """Return the names of the hosts to tell of, by default all of the inventory, whatever the play left out.

    Raises ReleaseError for those that the inventory does not have.
    """
    everybody = list(map(str, task_vars["groups"]["all"]))
    unknown = sorted(set(hosts or ()) - {*everybody, "localhost"})
    if unknown:
        raise ReleaseError(
            f"the inventory has no {listed(unknown)}",
            expected="names of hosts in the option hosts",
            fix="give names of hosts, such as groups['web']; without the option, all are told of",
        )
    return everybody if hosts is None else list(hosts)


def _registered(hostvars: Any, variable: str, name: str) -> object:
    """Return what a task registered as *variable* for the host *name*, as it is; None where none did.

    A fact of that name is what the host says of itself: it may be an old one, from the cache, that no task asked for.
    """
    variables = hostvars.raw_get(name)
    found, facts = variables.get(variable), variables.get("ansible_facts")
    is_fact = isinstance(facts, Mapping) and variable in facts and facts[variable] == found
    return f"the fact {variable} of the host" if is_fact else found


def _files(fleet: Fleet) -> Iterator[ReportFile]:
    yield ReportFile(_JSON, report_json.emit(fleet).encode())
    yield ReportFile("report.csv", report_csv.emit(fleet).encode())


def _last(path: Path) -> str:
    """Return what the report at *path* tells in few lines, "" where there is none that can be read."""
    try:
        return few_lines.text(report_json.read(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, ReleaseError):
        return ""


def _diff(dest: Path, before: str, after: str) -> dict[str, str]:
    header = f"what {dest} tells"
    return {"before_header": header, "after_header": header, "before": before, "after": after}
