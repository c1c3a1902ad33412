# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what is installed on a host, what drifted, and whether it is what the lock file says.

Options and results are documented in modules/tools_info.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, signers
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import (
    brief,
    ordered_capabilities,
    role_variables,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, question, unsealed
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile

OPTIONS = verb.reader(options.TOOLS_INFO)


class ActionModule(verb.Verb):
    """One shell exec; nothing is written."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return what is installed and what differs. Raises ReleaseError if the host gives no usable answer."""
        arguments = role_variables.options_of_task(
            self._task.args, task_vars, self._templar.template, options.TOOLS_INFO
        )
        is_brief = bool(arguments.pop(verb.BRIEF, False))
        given = verb.options(self, OPTIONS, arguments)
        wanted = self._wanted(given)
        asked = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        # What is there must be told, sealed or not.
        answer = verb.ask(self, replace(unsealed(question(wanted)), audit=True, task_path=self._path()))
        state = verb.required(answer.state)
        names = None if given["tools"] is None else tuple(given["tools"])
        mode = None if given["mode"] is None else verb.mode(given["mode"])
        found = inspect(state, verb.required(answer.host), wanted, names, mode)
        result = {
            "changed": False,
            "asked": asked,
            "integrity": wanted.integrity,
            "root": state.root,
            "bin_dir": state.bin_dir,
            **found.to_json(),
        }
        return brief.reduced(result, wanted.lock) if is_brief else result

    def _path(self) -> str:
        """Return the PATH that the task's keyword environment sets; "" where it sets none."""
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        return str(environment.get("PATH") or "")

    def _wanted(self, given: Mapping[str, Any]) -> Wanted:
        """Return what the host is compared with; the empty lock file where none is given."""
        lockfile = given["lockfile"]
        required = signers.read(given["lock_signers"])
        lock, digest = LockFile(), ""
        if lockfile:
            lock, digest = lock_reader.read_for_hosts(verb.found_file(self, lockfile), required)
        return Wanted(
            lock=lock,
            lock_digest=digest,
            **verb.place(given),
            owner=given["owner"],
            group=given["group"],
            integrity=given["integrity"],
            prefer=given["prefer"],
            assume=verb.assumed(given["assume"]),
            capabilities=ordered_capabilities.read(given["capabilities"]),
        )
