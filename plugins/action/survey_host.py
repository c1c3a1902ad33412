# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what a host is, and what a rollout would do there. Options and results: modules/survey_host.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import carry, task_options, verb
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import Question
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import role_variables
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.foreseen import (
    Foreseen,
    foresee,
    foresee_distrusted,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, question, unsealed
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile

OPTIONS = verb.reader(options.SURVEY_HOST)
#: All that the variables of the role say.
OF_ROLLOUT = verb.reader(options.TOOLS)


class ActionModule(verb.Verb):
    """One shell exec, and another only where the first was refused; nothing is written."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return what the host is and what is foreseen, or why it gave no usable answer.

        Raises ReleaseError for options and a lock file that a rollout could not be made of.
        """
        arguments = {name: value for name, value in self._task.args.items() if name != verb.BRIEF}
        named = {name: value for name, value in verb.options(self, OPTIONS, arguments).items() if value is not None}
        given = verb.options(self, OF_ROLLOUT, self._of_rollout(named, task_vars))
        wanted = self._asked_for(given, carry.named_python(self, task_vars))
        asked = question(wanted)
        path = str(verb.found_file(self, given["lockfile"])) if given["lockfile"] else ""
        told = {"changed": False, "lockfile": path, "lock_sha256": wanted.lock_digest}
        try:
            return {**told, **self._foreseen(wanted, asked).to_json()}
        except ReleaseError as error:
            return {"changed": False, "unanswered": error.as_dict()}

    def _of_rollout(self, named: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the options that a rollout would have on this host: those *named*, and its variables."""
        asked = {**named, role_variables.ASKED_FOR: True}
        return role_variables.options_of_task(asked, task_vars, self._templar.template, options.TOOLS)

    def _asked_for(self, given: dict[str, Any], python: str) -> Wanted:
        """Return what a rollout would bring to the host; nothing where there is no lock file."""
        if given["lockfile"]:
            return task_options.wanted(self, given, python)
        return Wanted(lock=LockFile(), python=python, **verb.place(given))

    def _foreseen(self, wanted: Wanted, asked: Question) -> Foreseen:
        """Ask the host, and return what is foreseen. Raises ReleaseError if it gives no usable answer."""
        # The machine is told, sealed or not. Its files need not be read for that.
        asked = replace(unsealed(asked), integrity="quick")
        try:
            answer = verb.ask(self, asked)
            host, state = verb.required(answer.host), verb.required(answer.state)
        except ReleaseError as refused:
            # A folder that cannot be trusted hides what is installed there, not what machine it is.
            answer = verb.ask(self, replace(asked, ask="host"))
            return foresee_distrusted(wanted, verb.required(answer.host), refused)
        return foresee(wanted, host, state)
