# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers what an incident asks, without asking any host. Options and results are documented in modules/ask.py."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import (
    answer_lines,
    history,
    log,
    questions,
    report_folder,
    report_json,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.questions import Answer, Known
from ansible_collections.pinned.release.plugins.plugin_utils._lock import components_file, user_files
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form

#: One of these is asked.
_QUESTIONS = ("digest", "tool", "source", "component", "never_converged", "host", "installed")
OPTIONS = verb.reader(options.ASK, required_by={"day": ["host"]})
#: People have digests as answers and reports show them: shortened.
_DIGEST = re.compile(r"(?:sha256:)?(?:([0-9a-f]{64})|([0-9a-f]{12,63})(?:…|\.\.\.)?)\Z")


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one question, and write it as JSON if that is asked for.

        Raises ReleaseError for what is no question, and for reports, a log or components that cannot be read.
        """
        given = verb.options(self, OPTIONS)
        kind = _kind(given)
        answer = _answer(kind, given, self._known(kind, given))
        written: dict[Path, bool] = {}
        if given["to"]:
            path = Path(self._loader.path_dwim(given["to"]))
            content = (json.dumps(asdict(answer), indent=2, sort_keys=True) + "\n").encode()
            file = report_folder.ReportFile(path.name, content)
            elsewhere = "name another file in the option to"
            written = report_folder.write(path.parent, [file], self._task.check_mode, elsewhere)
        notes = answer_lines.lines(answer)
        return {**asdict(answer), "changed": any(written.values()), "hosts": list(answer.hosts), "notes": notes}

    def _known(self, kind: str, given: Mapping[str, Any]) -> Known:
        """Return what the question is answered from. Raises ReleaseError for what cannot be read."""
        reports, digests = {}, {}
        for name in given["reports"]:
            path = verb.found_file(self, name, user_files.REPORT)
            text = user_files.read(path, user_files.REPORT)
            reports[str(path)] = report_json.read(text, str(path))
            digests[str(path)] = hashlib.sha256(text.encode()).hexdigest()
        past = self._past(given) if given["log"] else history.History()
        inside = components_file.read(verb.found_file(self, given["lockfile"])) if kind == "component" else {}
        changed = [name for name, sha256 in digests.items() if past.head and sha256 not in past.reports]
        return Known(reports, past, inside, tuple(changed))

    def _past(self, given: Mapping[str, Any]) -> history.History:
        """Return what the log says. Raises ReleaseError where there is none: it would know of nothing."""
        path = Path(self._loader.path_dwim(given["log"]))
        log.refuse_missing(path)
        return history.known(path, seen_of=given["host"] or "")


def _kind(given: Mapping[str, Any]) -> str:
    """Return which question is asked. Raises ReleaseError unless it is one, with what belongs to it."""
    asked = [name for name in _QUESTIONS if given[name]]
    if len(asked) != 1:
        expected = f"one of {', '.join(_QUESTIONS)}"
        raise ReleaseError("one question can be asked at a time", expected, ", ".join(asked) or "no question")
    if given["below"] and asked[0] not in ("tool", "component"):
        raise ReleaseError(f"below cannot be combined with {asked[0]}", "below with tool or component")
    if given["below"] and not questions.is_comparable(given["below"]):
        raise ReleaseError("below is no version that others can be older than", "such as 0.9.9", given["below"])
    if given["below"] and questions.version_in(given["component"] or ""):
        raise ReleaseError("below cannot be combined with a component that has a version", found=given["component"])
    if given["day"] and not given["log"]:
        raise ReleaseError("what a host had on a day is in the log alone", fix="give its path in log")
    return asked[0]


def _answer(kind: str, given: Mapping[str, Any], known: Known) -> Answer:
    if kind == "digest":
        return questions.with_digest(known, _digest(given["digest"]))
    if kind == "tool":
        return questions.with_tool(known, _text(given, "tool", forms.NAME), given["below"] or "")
    if kind == "source":
        return questions.from_source(known, given["source"])
    if kind == "component":
        return questions.with_component(known, given["component"], given["below"] or "")
    if kind == "never_converged":
        return questions.never_converged(known)
    if kind == "installed":
        return questions.installed(known, _text(given, "installed", forms.NAME))
    if given["day"]:
        return questions.on_day(known, given["host"], _text(given, "day", forms.DAY))
    return questions.of_host(known, given["host"])


def _text(given: Mapping[str, Any], name: str, form: Form) -> str:
    text: str = given[name]
    if not form.pattern.match(text):
        raise ReleaseError(f"{name} is not valid", expected=form.words, found=text)
    return text


def _digest(text: str) -> str:
    match = _DIGEST.match(text.lower())
    if match is None:
        expected = f"{forms.SHA256.words}, or the first of them, 12 or more"
        raise ReleaseError("digest is not valid", expected=expected, found=text)
    return match[1] or match[2]
