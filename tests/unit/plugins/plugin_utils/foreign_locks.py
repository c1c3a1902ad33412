# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock files of other tools, in short, with real tools in them: for tests of what becomes of them."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "fixtures" / "importers"
#: A file of DotSlash has no ending. Its first line is none that a file of ours may have.
_ENDING, _FIRST_LINE = ".dotslash", "#!/usr/bin/env dotslash\n"
NAMES = sorted(path.name.removesuffix(_ENDING) for path in FOLDER.iterdir())


def text(name: str) -> str:
    """Return the text of the lock file *name*."""
    path = FOLDER / name
    if path.exists():
        return path.read_text(encoding="utf-8")
    return _FIRST_LINE + path.with_suffix(_ENDING).read_text(encoding="utf-8")


def texts(*names: str) -> dict[str, str]:
    """Return the texts of the lock files *names*, by name."""
    return {name: text(name) for name in names}
