# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of messages names messages that the code has, or that Ansible or a system says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
PAGE = (TOP / "docs/guide/troubleshooting.md").read_text(encoding="utf-8")
#: The messages in the first column, without what stands for a name.
PARTS = [
    part.strip()
    for row in re.findall(r"^\| (.*?) \| ", PAGE, re.MULTILINE)
    for message in re.findall(r"`([^`]+)`", row)
    for part in message.split("…")
    if len(part.strip()) > 4
]
OF_OTHERS = {"UNREACHABLE", "404 Not Found", "Permission denied", ": Permission denied", "No space left on device"}


def texts() -> str:
    """Return all texts of the plugins, each in one piece, with … where a value is put in."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((TOP / "plugins").rglob("*.py")))
    return re.sub(r"\{[^{}\n]*\}", "…", re.sub(r'"\s*\n\s*f?"', "", code))


TEXTS = texts()


def test_there_are_many() -> None:
    assert len(PARTS) > 30


@pytest.mark.parametrize("part", [part for part in PARTS if part not in OF_OTHERS])
def test_message_is_one_of_ours(part: str) -> None:
    assert part in TEXTS
