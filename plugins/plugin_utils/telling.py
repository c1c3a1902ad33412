# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does an action show lines to people, and where does it leave that to Ansible's callback? On the controller."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import folded

#: What prints for people, beside whose words others may stand. Whatever else prints may be for machines.
FOR_PEOPLE = ("default", "ansible.builtin.default")
#: Whether somebody reads along. Elsewhere lines stay whole, to be searched. Workers have no terminal, so it is asked
#: where this is imported, for all hosts.
HAS_TERMINAL = sys.stdout.isatty()
#: Longer lines are hard to read, however wide a terminal is.
WIDEST = 120


def as_lines(texts: Iterable[str]) -> list[str]:
    """Return *texts*, parts of which others than the user may have said, a line each and fit for terminals."""
    return [verb.fit(" ".join(text.splitlines())) for text in texts]


def shows(lines: Iterable[str]) -> bool:
    """Show *lines* if what prints is for people, folded to a terminal, and return whether it is."""
    if constants.DEFAULT_STDOUT_CALLBACK not in FOR_PEOPLE:
        return False
    display = Display()
    for line in lines:
        for part in folded(line, min(display.columns, WIDEST)) if HAS_TERMINAL else [line]:
            display.display(part)
    return True
