# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what was changed in a log, or cut off. Options and results are documented in modules/verify_log.py."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import known_keys, log, report_json
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import LogHead
from ansible_collections.pinned.release.plugins.plugin_utils._lock import user_files
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import failed_result
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

OPTIONS = verb.reader(options.VERIFY_LOG)


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return how far the log goes and who signed it; fail, and tell everything, if it is not what was written.

        Raises ReleaseError for options that cannot be read, and where there is no log.
        """
        given = verb.options(self, OPTIONS)
        path = Path(self._loader.path_dwim(given["log"]))
        heads = list(map(log.read_head, given["heads"]))
        files: dict[str, str] = {}
        for name, text, head in self._reports(given["reports"]):
            files[hashlib.sha256(text.encode()).hexdigest()] = name
            heads += [head] if head else []
        verified = log.verify(path, heads, known_keys.known_keys(given["signers"]), files)
        result = {
            "changed": False,
            "log": str(path),
            "head": log.shown_head(verified.head),
            "entries": verified.head.entries if verified.head else 0,
            "signers": list(verified.signers),
            "findings": list(map(asdict, verified.found)),
            "notes": _told(verified) or _notes(verified, heads, given),
        }
        if verified.found:
            return {**result, **failed_result(_refusal(path, verified))}
        return result

    def _reports(self, names: list[str]) -> Iterator[tuple[str, str, LogHead | None]]:
        """Yield the path and text of each report, and the head of the log that it kept, if there was one.

        Raises ReleaseError for what is no report.
        """
        for name in names:
            path = verb.found_file(self, name, user_files.REPORT)
            text = user_files.read(path, user_files.REPORT)
            yield str(path), text, report_json.read(text, str(path)).log


def _refusal(path: Path, verified: log.Verified) -> ReleaseError:
    is_whole = {one.kind for one in verified.found} == {"unknown"}
    return ReleaseError(
        f"{path} and the reports do not belong together" if is_whole else f"{path} is not what was written",
        found="\n    ".join(_told(verified)),
        fix=verified.repair
        or (
            "compare log and reports with copies; find out who could write to them"
            if is_whole
            else "compare it with a copy; find out who could write to it"
        ),
    )


def _told(verified: log.Verified) -> list[str]:
    more = [f"and {verified.untold} more findings"] if verified.untold else []
    return [one.text for one in verified.found] + more


def _notes(verified: log.Verified, heads: list[LogHead], given: Mapping[str, Any]) -> list[str]:
    """Return what holds, and what nobody can know without more."""
    entries = verified.head.entries if verified.head else 0
    notes = ["1 entry" if entries == 1 else f"{entries} entries, each of them after the one before it"]
    if given["signers"]:
        notes.append(f"every entry is signed by {listed(verified.signers)}" if entries else "nothing is signed")
    else:
        notes.append("signatures were not verified: name those who may sign in signers")
    if given["reports"]:
        notes.append("it has the entry of each report, which is as it was written")
    if heads:
        most = max(head.entries for head in heads)
        had = "the entry" if most == 1 else f"all {most} entries"
        notes.append(f"it still has {had} that it is known to have had")
    elif not given["reports"]:
        notes.append("whether entries were cut off at the end is not known: give a head, or a report that keeps one")
    return notes
