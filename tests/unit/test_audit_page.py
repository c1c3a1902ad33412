# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page for auditors names fields that report.json has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/schema/report.schema.json").read_text(encoding="utf-8"))
FIELD = re.compile(r"`((?:hosts|assets|tools|advisories|lock)\.[a-z_.*0-9]+|compliant|asked)`")


def has(way: list[str], schema: dict[str, Any]) -> bool:
    """Return whether *schema* describes the field that *way* leads to; ``*`` stands for any key."""
    schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if not way:
        return True
    inner = schema.get("additionalProperties") if way[0] == "*" else schema.get("properties", {}).get(way[0])
    return isinstance(inner, dict) and has(way[1:], inner)


def test_every_field_that_is_named_is_one_of_the_schema() -> None:
    named = set(FIELD.findall(PAGE))
    assert len(named) > 15
    assert [field for field in sorted(named) if not has(field.split("."), SCHEMA)] == []
