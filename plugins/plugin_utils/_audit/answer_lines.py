# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is an answer told to people? A table that fits a terminal, and what nobody knows. Pure; controller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.pinned.release.plugins.plugin_utils._audit.questions import UNHEARD, Answer
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

#: The JSON has all rows, and whole texts.
MOST_ROWS = 200
WIDEST = 44
#: So many hosts of a row are named, and so many of those of which nothing is known.
NAMED, NAMED_UNKNOWN = 3, 20


def lines(answer: Answer) -> list[str]:
    """Return what to tell of *answer*: what was found, in a table, then what else to know, then the sources."""
    return [
        f"{answer.question}: {_found(answer)}",
        *_table(answer),
        *answer.remarks,
        *_unknown(answer),
        *(f"not judged: {line}" for line in answer.not_compared[:MOST_ROWS]),
        *(f"looked at {line}" for line in answer.looked_at),
    ]


def _found(answer: Answer) -> str:
    """Return the answer in a few words. It is never "nobody" where a host is unknown, or something was not judged."""
    count = len(answer.hosts)
    if count:
        return f"{count} host{'s' * (count != 1)}"
    if any(remark.startswith(UNHEARD) for remark in answer.remarks):
        return "not known"
    if answer.unknown or answer.not_compared:
        return "none of those that are known"
    return "none"


def _table(answer: Answer) -> Iterator[str]:
    """Yield the rows. Hosts that have the same share one; what is empty has no column."""
    grouped = _grouped(answer)
    table = [answer.columns, *grouped[:MOST_ROWS]]
    used = [place for place in range(len(answer.columns)) if any(row[place] for row in grouped)]
    widths = {place: max(len(row[place]) for row in table) for place in used}
    if grouped:
        yield from ("  ".join(row[place].ljust(widths[place]) for place in used).rstrip() for row in table)
    if len(grouped) > MOST_ROWS:
        yield f"and {len(grouped) - MOST_ROWS} more rows"


def _grouped(answer: Answer) -> list[tuple[str, ...]]:
    """Return the rows of the table. A host whose date nobody knows is in no row that has one."""
    hosts: dict[tuple[bool, tuple[str, ...]], dict[str, None]] = {}
    since: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for row in answer.rows:
        when = row.get("since", "")
        key = bool(when), tuple(row[column] for column in answer.columns if column not in ("host", "since"))
        hosts.setdefault(key, {})[row["host"]] = None
        since.setdefault(key, []).append(when)
    return [_cells(answer.columns, key[1], listed(hosts[key], NAMED), _span(since[key])) for key in hosts]


def _span(moments: Sequence[str]) -> str:
    """Return the first and the last of *moments*, or the one that all of them are."""
    first, last = min(moments), max(moments)
    return first if first == last else f"{first} to {last}"


def _cells(columns: Sequence[str], key: Sequence[str], hosts: str, since: str) -> tuple[str, ...]:
    """Return a row of the table; *since* is when the *hosts* came to have it."""
    rest = iter(key)
    cells = (hosts if column == "host" else since if column == "since" else next(rest) for column in columns)
    return tuple(shortened(cell, WIDEST) for cell in cells)


def _unknown(answer: Answer) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for host, why in answer.unknown.items():
        reasons.setdefault(why.partition(":")[0], []).append(host)
    for why, hosts in reasons.items():
        yield f"unknown, because {why}: {listed(hosts, NAMED_UNKNOWN)}"
