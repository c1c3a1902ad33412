# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is an answer told to people? A table that fits a terminal, and what nobody knows. Pure; controller."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.pinned.release.plugins.plugin_utils._audit.questions import Answer
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

#: The JSON has all rows, and whole texts.
MOST_ROWS = 200
WIDEST = 40
_NAMED = 20


def lines(answer: Answer) -> list[str]:
    """Return what to tell of *answer*: what was found, in a table, then what is not known, then the sources."""
    return [
        f"{answer.question}: {_found(answer)}",
        *_table(answer),
        *_unknown(answer),
        *(f"not judged: {line}" for line in answer.not_compared[:MOST_ROWS]),
        *(f"looked at {line}" for line in answer.looked_at),
    ]


def _found(answer: Answer) -> str:
    """Return the answer in a few words. It is never "nobody" where a host is unknown, or something was not judged."""
    count = len(answer.hosts)
    if count:
        return f"{count} host{'s' * (count != 1)}"
    if answer.unknown or answer.not_compared:
        return "none of those that are known"
    return "none"


def _table(answer: Answer) -> Iterator[str]:
    rows = [[shortened(row.get(column, ""), WIDEST) for column in answer.columns] for row in answer.rows[:MOST_ROWS]]
    if not rows:
        return
    used = [index for index in range(len(answer.columns)) if any(row[index] for row in rows)]
    table = [[answer.columns[index] for index in used], *([row[index] for index in used] for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(used))]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if len(answer.rows) > MOST_ROWS:
        yield f"and {len(answer.rows) - MOST_ROWS} more rows"


def _unknown(answer: Answer) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for host, why in answer.unknown.items():
        reasons.setdefault(shortened(why, 80), []).append(host)
    for why, hosts in reasons.items():
        yield f"unknown: {listed(hosts, _NAMED)} ({why})"
