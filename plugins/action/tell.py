# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells people some lines as they are. Options and results are documented in modules/tell.py. On the controller."""

from __future__ import annotations

import sys
from typing import Any

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import folded

OPTIONS = verb.reader(options.TELL)
#: What prints for people, beside whose words others may stand. Whatever else prints may be for machines.
FOR_PEOPLE = ("default", "ansible.builtin.default")
#: Whether somebody reads along. Elsewhere lines stay whole, to be searched. Workers have no terminal, so it is asked
#: where this is imported, for all hosts.
HAS_TERMINAL = sys.stdout.isatty()
#: Longer lines are hard to read, however wide a terminal is.
WIDEST = 120


class ActionModule(verb.Verb):
    """Runs on the controller alone."""

    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Show the lines, or leave it to the callback that prints results. Raises ReleaseError for wrong options."""
        lines = verb.options(self, OPTIONS)["lines"]
        if constants.DEFAULT_STDOUT_CALLBACK not in FOR_PEOPLE:
            return {"changed": False, "lines": lines, "_ansible_verbose_always": True}
        display = Display()
        for line in map(verb.fit, lines):
            for part in folded(line, min(display.columns, WIDEST)) if HAS_TERMINAL else [line]:
                display.display(part)
        return {"changed": False, "lines": lines, "_ansible_verbose_override": True}
