# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide begins with its contents, and every link to one of its sections leads there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests.gate import contents

TOP = Path(__file__).parents[3]
GUIDE = (TOP / "docs/guide.md").read_text(encoding="utf-8")
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]


def test_guide_has_its_contents_as_they_are() -> None:
    assert contents.with_contents(GUIDE) == GUIDE, "run `make map`"
    assert "- [Locking](#locking) · [Policy](#policy)" in GUIDE


def test_no_two_sections_have_one_link() -> None:
    links = [contents.link_of(words) for _level, words in contents.headings(GUIDE)]
    assert len(links) == len(set(links)) > 40


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_to_a_section_leads_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([\w/.-]*)(#[\w-]+)\)", text):
        there = (page.parent / target).read_text(encoding="utf-8") if target else text
        assert anchor in [contents.link_of(words) for _level, words in contents.headings(there)], f"{target}{anchor}"


def test_code_is_no_heading_and_marks_are_not_in_links() -> None:
    assert list(contents.headings("# T\n## A `b.yml`: c\n```\n## no\n```\n### D\n")) == [(2, "A `b.yml`: c"), (3, "D")]
    assert contents.link_of("A `b.yml`: c-d") == "#a-byml-c-d"


def test_guide_without_a_place_for_its_contents_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for its contents"):
        contents.with_contents("# Guide")
