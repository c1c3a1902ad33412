# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a task register for a host? Ansible's variables → its result, as it is. Runs on the controller."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: A result is at most so large, as JSON. One with 50 tools in order has 4 kB.
MOST_CHARACTERS = 8 * 2**20
NO_RESULT = "it has no result: it was left out of the play, or failed before it was asked"


def registered(hostvars: Any, variable: str, name: str) -> object:
    """Return what a task registered as *variable* for the host *name*, which the inventory has; None where none did.

    A fact of that name is what the host says of itself: it may be an old one, from the cache, that no task asked for.
    In its place a text is returned, which is nobody's result.
    """
    variables = hostvars.raw_get(name)
    found, facts = variables.get(variable), variables.get("ansible_facts")
    is_fact = isinstance(facts, Mapping) and variable in facts and facts[variable] == found
    return f"the fact {variable} of the host" if is_fact else found


def refuse_odd_names(names: Iterable[str]) -> None:
    """Raise ReleaseError for a host's name that could not be read back from a report or a log."""
    for name in names:
        if not forms.LINE.pattern.match(name):
            raise ReleaseError(
                "the inventory has a host whose name is not a line of text",
                expected="a name without control characters and line breaks",
                found=shown(name),
                fix="correct the inventory, or leave the host out with the option hosts",
            )


def plain(result: object) -> Any:
    """Return *result* as plain values, without Ansible's tags and templates; None for what is no JSON, or too large."""
    try:
        text = json.dumps(result, default=_no_value)
        return read_json(text) if len(text) <= MOST_CHARACTERS else None
    except (TypeError, ValueError, RecursionError):
        return None


def _no_value(value: object) -> None:
    """Return null for an error or a warning, of which Ansible 2.19 keeps its own records beside the words of a result.

    Raises TypeError for whatever else is no JSON.
    """
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        raise TypeError(type(value).__name__)
