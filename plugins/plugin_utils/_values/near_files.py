# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file or folder did a person mean whose path is missing? Looks at the names beside it; on the controller."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import question

#: So many files of a folder are compared with the name that was given.
MOST_BESIDE = 1000


def beside(path: Path) -> str:
    """Return what asks for the file beside the missing *path* whose name is nearest to that; "" where none is near.

    Where its folder is missing, that is what may be misspelled.
    """
    if not path.parent.exists():
        return beside(path.parent)
    with contextlib.suppress(OSError):
        # The lock file is not meant by its manifest, whose name begins in the same way. An ending may be left out.
        ends = ("", path.suffix[:2]) if path.suffix else None
        all_names = (one.name for one in path.parent.iterdir() if one != path)
        names = (name for name in all_names if ends is None or Path(name).suffix[:2] in ends)
        return question(path.name, sorted(itertools.islice(names, MOST_BESIDE)))
    return ""


def beside_one(path: Path, places: Sequence[str]) -> str:
    """Return the same of the first of *places* that has a near name beside it; of *path* where no folder is there."""
    there = [Path(place) for place in places if Path(place).parent.is_dir()]
    return next(filter(None, map(beside, there or [path])), "")
