# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints how long each kind of task took, what follows the colon in its name: medians, and ratios to ping."""

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

FIRST_OF_A_ROUND = "Take the tool away"


class CallbackModule(CallbackBase):
    """Counts only what happens between the start of a task and its result on the one host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "timings"

    def __init__(self) -> None:
        super().__init__()
        self._started_at = 0.0
        self._rounds: list[dict[str, float]] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._started_at = time.perf_counter()
        if task.get_name().endswith(FIRST_OF_A_ROUND):
            self._rounds.append({})

    def v2_runner_on_ok(self, result: Any) -> None:
        _step, colon, kind = result._task.get_name().rpartition(": ")
        if colon and self._rounds:
            spent = time.perf_counter() - self._started_at
            self._rounds[-1][kind] = self._rounds[-1].get(kind, 0.0) + spent

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._display.error(f"{result._task.get_name()}: {result._result.get('msg')}")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._display.error(f"unreachable: {result._result.get('msg')}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        counted = self._rounds[1:]
        kinds = list(dict.fromkeys(kind for one in counted for kind in one))
        medians = {kind: statistics.median(one[kind] for one in counted if kind in one) for kind in kinds}
        ping = medians.get("ping")
        self._display.display(f"{'':44}  median    / ping    ({len(counted)} rounds)")
        for kind, median in medians.items():
            ratio = f"{median / ping:7.2f}" if ping else ""
            self._display.display(f"{kind:44} {median * 1000:7.0f} ms {ratio}")
