# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what each kind of task cost, what follows the colon in its name: one line of JSON for each task.

Time is from the start of a task to its last result; processor time is of the controller's processes and of their
children, so over the local connection of the hosts as well; operations are what connections were asked to do.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import connection_loader

DOCUMENTATION = r"""
name: costs
type: stdout
short_description: Writes what tasks cost
description: Appends a line of JSON for each task to the file that the variable COSTS of the environment names.
"""

#: All that ansible-core asks of a connection plugin once it is connected.
OPERATIONS = ("exec_command", "put_file", "fetch_file")
CONNECTIONS = ("ssh", "local")
FIRST_OF_A_ROUND = "Begin a round"


class CallbackModule(CallbackBase):
    """Measures from outside: forks inherit the connection plugins that count."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "costs"

    def __init__(self) -> None:
        super().__init__()
        self._costs = os.environ["COSTS"]
        self._counter = os.open(f"{self._costs}.operations", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for name in CONNECTIONS:
            plugin = connection_loader.get(name, class_only=True)
            for operation in OPERATIONS:
                setattr(plugin, operation, self._counting(getattr(plugin, operation)))
        self._round = 0
        self._task: dict[str, Any] = {}

    def _counting(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            os.write(self._counter, b".")
            return operation(*args, **kwargs)

        return counted

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._end()
        name = task.get_name()
        self._round += FIRST_OF_A_ROUND in name
        _step, colon, kind = name.rpartition(": ")
        if colon:
            now_s = time.monotonic()
            self._task = {
                "kind": kind,
                "round": self._round,
                "started_s": now_s,
                "ended_s": now_s,
                "processor_s": _processor_s(),
                "operations": os.fstat(self._counter).st_size,
                "changed_hosts": 0,
            }

    def v2_runner_on_ok(self, result: Any) -> None:
        if self._task:
            self._task["ended_s"] = time.monotonic()
            self._task["changed_hosts"] += result.is_changed()

    v2_runner_on_skipped = v2_runner_on_ok

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._display.error(
            f"{result._task.get_name()}: {result._result.get('msg')} {result._result.get('stderr', '')}"
        )
        self.v2_runner_on_ok(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._display.error(f"unreachable: {result._result.get('msg')}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end()

    def _end(self) -> None:
        """Write what the last task cost, once its forks have ended: only then is their time known."""
        if not self._task:
            return
        deadline_s = time.monotonic() + 5
        while multiprocessing.active_children() and time.monotonic() < deadline_s:
            time.sleep(0.005)
        self._task["processor_s"] = _processor_s() - self._task["processor_s"]
        self._task["operations"] = os.fstat(self._counter).st_size - self._task["operations"]
        with open(self._costs, "a", encoding="utf-8") as file:
            file.write(json.dumps(self._task) + "\n")
        self._task = {}


def _processor_s() -> float:
    """Return the processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
