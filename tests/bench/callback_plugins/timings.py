# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints how long each kind of task took, what follows the colon in its name: medians, and ratios to the first kind."""

from __future__ import annotations

import statistics
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: timings
type: stdout
short_description: Prints medians of task durations and their ratios
description: Sums the tasks of one kind within a round, takes the median over rounds. The first round warms up.
"""

FIRST_OF_A_ROUND = "Begin a round"


class CallbackModule(CallbackBase):
    """Counts only what happens between the start of a task and the last of its results."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "timings"

    def __init__(self) -> None:
        super().__init__()
        self._started_at = 0.0
        self._before = 0.0
        self._rounds: list[dict[str, float]] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._started_at = time.perf_counter()
        if FIRST_OF_A_ROUND in task.get_name():
            self._rounds.append({})
        self._before = self._rounds[-1].get(_kind(task), 0.0) if self._rounds else 0.0

    def v2_runner_on_ok(self, result: Any) -> None:
        kind = _kind(result._task)
        if kind and self._rounds:
            self._rounds[-1][kind] = self._before + time.perf_counter() - self._started_at

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._display.error(f"{result._task.get_name()}: {result._result.get('msg')}")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._display.error(f"unreachable: {result._result.get('msg')}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        counted = self._rounds[1:]
        kinds = list(dict.fromkeys(kind for one in counted for kind in one))
        medians = {kind: statistics.median(one[kind] for one in counted if kind in one) for kind in kinds}
        first = kinds[0] if kinds else ""
        self._display.display(f"{'':44}  median   / {first}   ({len(counted)} rounds)")
        for kind, median in medians.items():
            self._display.display(f"{kind:44} {median * 1000:7.0f} ms {median / medians[first]:7.2f}")


def _kind(task: Any) -> str:
    _step, colon, kind = task.get_name().rpartition(": ")
    return kind if colon else ""
