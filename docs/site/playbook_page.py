# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which playbooks are there, how is each called, and what does it do? Playbooks → a page of Markdown, from their heads.

Runs where the web site is built. Standard library only.
"""

from __future__ import annotations

import re
from pathlib import Path

_PLAY = re.compile(r"^- name: (.+)$", re.MULTILINE)


def page(folder: Path) -> str:
    """Return the page of the playbooks in *folder*."""
    lines = ["# Playbooks", "", "Call each as `ansible-playbook pinned.release.NAME`."]
    lines += ["A variable in brackets may be left out."]
    for path in sorted(folder.glob("*.yml")):
        lines += ["", *section(path.stem, path.read_text(encoding="utf-8"))]
    return "\n".join(lines) + "\n"


def section(name: str, text: str) -> list[str]:
    """Return what is told of the playbook called *name*: its head, and what its plays do."""
    steps = [f"{number}. {play}" for number, play in enumerate(_PLAY.findall(text), 1)]
    usage = [line for line in head(text) if line.startswith(("ansible-playbook ", " "))]
    prose = [line for line in head(text) if line not in usage]
    # In the file, brackets stand below each other, far to the right.
    usage = [re.sub("^ {4,}", "    ", line) for line in usage]
    return [f"## {name}", "", "```text", *usage, "```", "", *prose, "", "It does this:", "", *steps]


def head(text: str) -> list[str]:
    """Return the lines of the comment that a playbook begins with."""
    lines = text.removeprefix("---\n").split("\n")
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return [line.removeprefix("#").removeprefix(" ") for line in lines[:end]]
