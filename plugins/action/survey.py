# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what a fleet is made of, and what a rollout would do there. Options and results: modules/survey.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import telling, verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import (
    compared_lock,
    report_folder,
    survey_json,
    survey_lines,
    surveyed,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.registered import refuse_odd_names, registered
from ansible_collections.pinned.release.plugins.plugin_utils._audit.survey import SurveyedLock, survey_of
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, signers

OPTIONS = verb.reader(options.SURVEY)


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Tell what the hosts' tasks registered, and write it as JSON if that is asked for.

        Raises ReleaseError for a lock file that cannot be read, and for a file that cannot be written.
        """
        given = verb.options(self, OPTIONS)
        names = list(map(str, task_vars["groups"]["all"]))
        refuse_odd_names(names)
        results = {name: registered(task_vars["hostvars"], given["result"], name) for name in names}
        lock = self._lock(given, results)
        hosts = [surveyed.read(name, result, lock.sha256 if lock else "") for name, result in results.items()]
        survey = survey_of(hosts, lock)
        is_changed = self._written(given["to"], survey_json.text_of(survey))
        lines = telling.as_lines(survey_lines.lines(survey, is_verbose=Display().verbosity > 0))
        result = {"changed": is_changed, **survey_json.as_json(survey), "lines": lines}
        # With -v, the lines say more: whoever wants the rest of the result has it in the file.
        return {**result, "_ansible_verbose_override": True} if telling.shows(lines) else result

    def _lock(self, given: Mapping[str, Any], results: Mapping[str, object]) -> SurveyedLock | None:
        """Return the lock file that is named, else the one that most hosts were asked about, if there is any."""
        name = given["lockfile"] or surveyed.lockfile_of_most(results.values())
        if not name:
            return None
        path = verb.found_file(self, name)
        lock, text = lock_reader.read_with_text(path, signers.read(given["lock_signers"]))
        return SurveyedLock(path.name, compared_lock.of_file(path, text).sha256, len(lock.tools))

    def _written(self, to: str | None, text: str) -> bool:
        """Write *text* to the file *to*, if one is named, and return whether it changed."""
        if not to:
            return False
        path = Path(self._loader.path_dwim(to))
        file = report_folder.ReportFile(path.name, text.encode())
        elsewhere = "name another file in the option to"
        return any(report_folder.write(path.parent, [file], self._task.check_mode, elsewhere).values())
