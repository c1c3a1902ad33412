# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints a run as one JSON document, as callbacks for machines do. Nothing else may be on the standard output then."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: for_machines
type: stdout
short_description: Prints a run as one JSON document
description: For tests.
"""


class CallbackModule(CallbackBase):
    """Collects what became of each task on each host, and prints it at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "for_machines"

    def __init__(self) -> None:
        super().__init__()
        self._done: list[dict[str, Any]] = []

    def _note(self, result: Any, *_more: Any, **_named: Any) -> None:
        document = json.loads(self._dump_results(result._result))
        self._done.append({"task": result._task.get_name(), "host": result._host.get_name(), "result": document})

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = v2_runner_on_skipped = _note

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print all of it."""
        print(json.dumps({"done": self._done, "hosts": sorted(stats.processed)}))
