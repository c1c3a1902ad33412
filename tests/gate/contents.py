# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sections does the guide have, and by which links are they reached?

``make map`` writes the contents into docs/guide.md; a unit test compares the two. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide.md"
BEGINS, ENDS = "<!-- Contents: written by `make map`. -->", "<!-- The contents end. -->"
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(##+) (.+)$", re.MULTILINE)
#: What a forge leaves out of a heading when it makes its link.
_NOT_IN_LINKS = re.compile(r"[^\w\- ]")


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the level and the words of each heading in the Markdown *text*, but for the title."""
    for mark, words in _HEADING.findall(_FENCED.sub("", text)):
        yield len(mark), words


def link_of(heading: str) -> str:
    """Return the link by which a forge and most renderers of Markdown lead to *heading*."""
    return "#" + _NOT_IN_LINKS.sub("", heading.lower()).replace(" ", "-")


def contents(text: str) -> str:
    """Return a list of the sections in *text*, each in a line with what is in it."""
    lines: list[str] = []
    for level, words in headings(text):
        link = f"[{words}]({link_of(words)})"
        if level == 2:
            lines.append(f"- {link}")
        elif level == 3 and lines:
            lines[-1] += f" · {link}"
    return "\n".join(lines)


def with_contents(text: str) -> str:
    """Return *text*, that of the guide, with its contents as they are now. Raises ValueError: it lacks the marks."""
    before, _mark, rest = text.partition(BEGINS)
    _contents, mark, after = rest.partition(ENDS)
    if not mark:
        raise ValueError(f"{GUIDE.name} has no place for its contents: {BEGINS} … {ENDS}")
    return f"{before}{BEGINS}\n{contents(after)}\n{ENDS}{after}"


def write_contents() -> None:
    """Write the contents into the guide."""
    GUIDE.write_text(with_contents(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
