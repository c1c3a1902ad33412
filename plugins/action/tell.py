# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells people some lines as they are. Options and results are documented in modules/tell.py. On the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import telling, verb

OPTIONS = verb.reader(options.TELL)


class ActionModule(verb.Verb):
    """Runs on the controller alone."""

    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Show the lines, or leave it to the callback that prints results. Raises ReleaseError for wrong options."""
        lines = telling.as_lines(verb.options(self, OPTIONS)["lines"])
        # What is shown need not be printed again as a result; what is not, is always.
        word = "_ansible_verbose_override" if telling.shows(lines) else "_ansible_verbose_always"
        return {"changed": False, "lines": lines, word: True}
