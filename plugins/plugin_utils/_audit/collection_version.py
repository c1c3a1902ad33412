# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of this collection is it? What was installed says, or the clone; runs on the controller."""

from __future__ import annotations

import json
import re
from pathlib import Path

_TOP = Path(__file__).parents[3]


def collection_version(top: Path = _TOP) -> str:
    """Return the version of the collection in the folder *top*; "" if it does not say."""
    try:
        if (top / "MANIFEST.json").is_file():
            return str(json.loads((top / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
        found = re.search(r"^version: *(\S+)$", (top / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
        return found[1] if found else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
