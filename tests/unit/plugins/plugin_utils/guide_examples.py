# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources that the guide shows, so that tests lock what users copy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

_PAGES = (Path(__file__).resolve().parents[4] / "docs" / "guide").glob("*.md")
GUIDE = "\n".join(page.read_text(encoding="utf-8") for page in sorted(_PAGES))


def declared(tool: str, kind: str) -> dict[str, Any]:
    """Return the source of the *kind* that the guide has for the *tool*."""
    blocks = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
    manifests = [block for block in blocks if isinstance(block, dict) and tool in block.get("tools", {})]
    entries = [one["tools"][tool] for one in manifests if isinstance(one["tools"][tool], dict)]
    [found] = [entry["source"] for entry in entries if kind in entry.get("source", ())]
    return dict(found)
