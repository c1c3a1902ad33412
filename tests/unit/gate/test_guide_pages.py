# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide's index has every page, and every link between pages, or from one to a file, leads there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests.gate import contents

TOP = Path(__file__).parents[3]
GUIDE = contents.read_pages()
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").rglob("*.md")), *TOP.glob("roles/*/*.md")]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(#[^)\s]*)?\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def sections(path: Path) -> list[str]:
    return [contents.link_of(words) for _level, words in contents.headings(path.read_text(encoding="utf-8"))]


def test_index_has_each_page_once_as_it_is() -> None:
    index = contents.INDEX.read_text(encoding="utf-8")
    assert contents.with_contents(index, GUIDE) == index, "run `make map`"
    assert [index.count(f"]({name})") for name in GUIDE] == [1] * len(GUIDE)
    assert "- [Locking](locking.md): [Policy](locking.md#policy) · " in index


@pytest.mark.parametrize("name", GUIDE)
def test_page_has_one_title_and_is_short(name: str) -> None:
    assert [level for level, _words in contents.headings(GUIDE[name])].count(1) == 1
    assert GUIDE[name].startswith("# ")
    assert GUIDE[name].count("\n") <= 300


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(TOP)) for page in PAGES])
def test_no_two_sections_of_a_page_have_one_link(page: Path) -> None:
    assert len(sections(page)) == len(set(sections(page)))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(TOP)) for page in PAGES])
def test_every_link_leads_to_a_file_and_a_section_of_it(page: Path) -> None:
    for target, anchor in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in sections(there), f"{target}{anchor}"


def test_code_is_no_heading_and_marks_are_not_in_links() -> None:
    assert list(contents.headings("# T\n## A `b.yml`: c\n```\n## no\n```\n### D\n")) == [
        (1, "T"),
        (2, "A `b.yml`: c"),
        (3, "D"),
    ]
    assert contents.link_of("A `b.yml`: c-d") == "#a-byml-c-d"


def test_new_page_comes_last_and_one_that_is_gone_goes() -> None:
    index = "# Guide\n\n- [Old](a.md): [x](a.md#x)\n- [Gone](gone.md)\n"
    pages = {"b.md": "# B\n", "a.md": "# A\n## One\n### Deep\n## Two\n"}
    assert contents.with_contents(index, pages) == (
        "# Guide\n\n- [A](a.md): [One](a.md#one) · [Two](a.md#two)\n- [B](b.md)\n"
    )
