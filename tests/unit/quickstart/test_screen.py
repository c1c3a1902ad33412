# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the picture of the quickstart's screen of this quickstart? ``make pictures`` draws it anew."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[3] / "docs/quickstart"
STORY = (QUICKSTART / "run.sh").read_text(encoding="utf-8")
SCREEN = (QUICKSTART / "screen.svg").read_text(encoding="utf-8")
SHOWN = html.unescape(re.sub(r"<[^>]+>", "\n", SCREEN)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("step", re.findall(r'^say "([1-4]\. .*)"$', STORY, re.MULTILINE))
def test_each_of_the_first_steps_is_on_the_picture_as_it_is_told(step: str) -> None:
    assert step in SHOWN


def test_manifest_on_the_picture_is_that_of_the_story() -> None:
    (manifest,) = re.findall(r"cat >releases.yml <<END\n(.*?)\nEND\n", STORY, re.DOTALL)
    tools = manifest.partition("tools:\n")[2].splitlines()
    assert len(tools) >= 3
    assert [line for line in tools if line.rstrip() not in SHOWN] == []


def test_picture_is_whole_in_itself() -> None:
    """A forge shows it without asking anybody else for a font."""
    assert set(re.findall(r"https?://[^\s\"<)]+", SCREEN)) <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }
    assert "@font-face" not in SCREEN
