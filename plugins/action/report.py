# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what every host of the inventory has, beside what a lock file pins. Options and results: modules/report.py."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansible import constants
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import (
    compared_lock,
    few_lines,
    history,
    log,
    recording,
    report_files,
    report_folder,
    report_json,
    signing,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.beside import (
    Beside,
    ask_advisories,
    note,
    refuse_unreadable,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.collection_version import collection_version
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock, Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._audit.registered import refuse_odd_names, registered
from ansible_collections.pinned.release.plugins.plugin_utils._audit.remembered import with_past
from ansible_collections.pinned.release.plugins.plugin_utils._audit.report_folder import ReportFile
from ansible_collections.pinned.release.plugins.plugin_utils._audit.results import fleet_of
from ansible_collections.pinned.release.plugins.plugin_utils._audit.unpacked_assets import UnpackedAssets
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    components_file,
    lock_reader,
    signers,
    stale_lock,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

OPTIONS = verb.reader(options.REPORT)
LOG = "log.jsonl"
#: Told by the playbook that audits a fleet: then options are checked, before any host is asked.
BEFOREHAND = "_beforehand"


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write the report of what the hosts' tasks registered, record that, and return what it tells in short.

        Raises ReleaseError for a lock file or a log that cannot be read, hosts that nobody knows, a key that cannot
        sign, and a folder that cannot be written.
        """
        arguments = dict(self._task.args)
        is_beforehand = bool(arguments.pop(BEFOREHAND, False))
        given = verb.options(self, OPTIONS, arguments)
        _refuse_combinations(given)
        dest = Path(self._loader.path_dwim(given["dest"]))
        report_folder.refuse_no_folder(dest)
        log_path = Path(self._loader.path_dwim(given["log"])) if given["log"] else dest / LOG
        sign = signing.of_option(given["log_key"], self._loader.path_dwim)
        path, lock, compared = self._lock(given)
        past = history.known(log_path)
        if is_beforehand:
            self._refuse_unusable(dest, given)
            return {"changed": False}
        names = _names(given["hosts"], task_vars)
        result_of = partial(registered, task_vars["hostvars"], given["result"])
        allowed = report_files.AllowLists(lock, UnpackedAssets(path, lock)) if given["allow_lists"] else None
        hosts = fleet_of(lock, compared, names, result_of, allowed.take if allowed else None)
        fleet, beside = with_past(hosts, past), self._beside(given, path, lock)
        before = _last(dest / report_files.JSON) if self._task.diff else ""
        doubts = _doubts(dest / report_files.JSON, past)
        digests: dict[str, str] = {}
        files = _hashed(_files(fleet, beside, given, allowed), digests)
        # The entry comes first: a report that the log knows nothing of would look as if somebody had changed it.
        with report_folder.staged(dest, files, self._task.check_mode) as staged:
            statement = recording.audit(fleet, report_files.JSON, digests[report_files.JSON], past)
            head = log.foreseen(log_path, sign) if self._task.check_mode else log.append(log_path, statement, sign)
            staged.put()
        return {
            "changed": True,
            "dest": str(dest),
            "files": list(map(str, staged.changed)),
            "log": str(log_path),
            "head": log.shown_head(head),
            **report_json.summary(fleet),
            "hosts": few_lines.by_status(fleet),
            "notes": [
                *doubts,
                *few_lines.lines(fleet),
                *note(lock, path, beside.recorded),
                *few_lines.of_advisories(beside.found),
            ],
            **({"diff": _diff(dest, before, few_lines.text(fleet))} if self._task.diff else {}),
        }

    def _lock(self, given: Mapping[str, Any]) -> tuple[Path, LockFile, ComparedLock]:
        path = verb.found_file(self, given["lockfile"])
        lock, text = lock_reader.read_with_text(path, signers.read(given["lock_signers"]))
        compared = compared_lock.of_file(path, text)
        goes_on = "Hosts are compared with what is locked."
        warning = stale_lock.warning(path, lock, compared.sha256, Path(constants.DEFAULT_LOCAL_TMP), goes_on)
        if warning is not None:
            verb.LOG.warning("%s", warning)
        return path, lock, compared

    def _beside(self, given: Mapping[str, Any], path: Path, lock: LockFile) -> Beside:
        recorded = components_file.read(path)
        if not given["advisories"]:
            return Beside(recorded)
        folder, *statements = self._paths(given["advisories"], *given["vex"])
        return Beside(recorded, ask_advisories(lock, path, recorded, folder, statements))

    def _refuse_unusable(self, dest: Path, given: Mapping[str, Any]) -> None:
        """Raise ReleaseError for a folder that cannot be written, and for advisories that cannot be read."""
        if not self._task.check_mode:
            report_folder.refuse_unwritable(dest)
        if given["advisories"]:
            advisories, *statements = self._paths(given["advisories"], *given["vex"])
            refuse_unreadable(advisories, statements)

    def _paths(self, *names: str) -> Iterator[Path]:
        return (Path(self._loader.path_dwim(name)) for name in names)


def _refuse_combinations(given: Mapping[str, Any]) -> None:
    if given["sbom_per_host"] and not given["sbom"]:
        fix = 'add, for example, sbom: ["1.6"], which is -e sbom=1.6 for the playbook'
        raise ReleaseError("sbom_per_host needs a version of CycloneDX", fix=fix)
    if given["vex"] and not given["advisories"]:
        raise ReleaseError("vex is about advisories, and none are given", fix="give the option advisories")


def _files(
    fleet: Fleet, beside: Beside, given: Mapping[str, Any], allowed: report_files.AllowLists | None
) -> Iterator[ReportFile]:
    yield from report_files.report(fleet, beside)
    specs = sorted(set(given["sbom"]))
    yield from report_files.bills(fleet, beside, specs, given["sbom_per_host"], collection_version())
    if allowed is not None:
        yield from allowed.files()


def _hashed(files: Iterable[ReportFile], digests: dict[str, str]) -> Iterator[ReportFile]:
    """Yield *files*, and keep the SHA-256 of each by its path."""
    for file in files:
        digests[file.path] = hashlib.sha256(file.content).hexdigest()
        yield file


def _names(hosts: Sequence[str] | None, task_vars: Mapping[str, Any]) -> list[str]:
    """Return the names of the hosts to tell of, by default all of the inventory, whatever the play left out.

    Raises ReleaseError for those that the inventory does not have, and for names that are no line of text.
    """
    everybody = list(map(str, task_vars["groups"]["all"]))
    unknown = sorted(set(hosts or ()) - {*everybody, "localhost"})
    if unknown:
        raise ReleaseError(
            f"the inventory has no {listed(unknown)}",
            expected="names of hosts in the option hosts",
            fix="give names of hosts, such as groups['web']; without the option, all are told of",
        )
    names = everybody if hosts is None else list(hosts)
    refuse_odd_names(names)
    return names


def _last(path: Path) -> str:
    """Return what the report at *path* tells in few lines, "" where there is none that can be read."""
    try:
        return few_lines.text(report_json.read(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, ReleaseError):
        return ""


def _doubts(path: Path, past: history.History) -> list[str]:
    """Return a line if a report is at *path*, which is to be replaced, and the log does not have it as it is."""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return []
    return [] if sha256 in past.reports else [f"{history.unrecorded(path)}; this report takes its place"]


def _diff(dest: Path, before: str, after: str) -> dict[str, str]:
    header = f"what {dest} tells"
    return {"before_header": header, "after_header": header, "before": before, "after": after}
