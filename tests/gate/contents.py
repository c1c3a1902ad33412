# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pages does the guide have, what is in each, and by which links are they reached?

``make map`` writes the sections of each page into docs/guide/README.md, the index; a unit test compares the two. People
write the order of the pages there, and what stands between them. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide"
INDEX = GUIDE / "README.md"
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
#: The line of the index that has a page. The file names of pages are lower case: README.md is none of them.
_ENTRY = re.compile(r"^- \[[^\n]*?\]\(([a-z0-9-]+\.md)\)[^\n]*$", re.MULTILINE)
#: What a forge leaves out of a heading when it makes its link.
_NOT_IN_LINKS = re.compile(r"[^\w\- ]")


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the level and the words of each heading in the Markdown *text*; that of its title is 1."""
    for mark, words in _HEADING.findall(_FENCED.sub("", text)):
        yield len(mark), words


def link_of(heading: str) -> str:
    """Return the link by which a forge and most renderers of Markdown lead to *heading*."""
    return "#" + _NOT_IN_LINKS.sub("", heading.lower()).replace(" ", "-")


def entry(name: str, text: str) -> str:
    """Return the line of the index for the page that is called *name*: its title, and its sections."""
    (_level, title), *sections = headings(text)
    links = [f"[{words}]({name}{link_of(words)})" for level, words in sections if level == 2]
    return f"- [{title}]({name})" + (": " + " · ".join(links) if links else "")


def with_contents(index: str, pages: Mapping[str, str]) -> str:
    """Return the *index* with the line of each page as it is now. A missing page comes last."""
    listed = _ENTRY.findall(index)
    index = _ENTRY.sub(lambda found: entry(found[1], pages[found[1]]) if found[1] in pages else "", index)
    missing = [entry(name, text) for name, text in pages.items() if name not in listed]
    return "\n".join([index.rstrip("\n"), *missing]) + "\n"


def read_pages() -> dict[str, str]:
    """Return the text of each page of the guide, by file name, in the order of the index."""
    index = INDEX.read_text(encoding="utf-8")
    names = sorted(path.name for path in GUIDE.glob("*.md") if path != INDEX)
    listed = [name for name in _ENTRY.findall(index) if name in names]
    in_order = [*listed, *(name for name in names if name not in listed)]
    return {name: (GUIDE / name).read_text(encoding="utf-8") for name in in_order}


def write_contents() -> None:
    """Write the sections of all pages into the index."""
    INDEX.write_text(with_contents(INDEX.read_text(encoding="utf-8"), read_pages()), encoding="utf-8")
