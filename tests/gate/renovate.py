# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tools of the catalogue does Renovate find, and where? Written into docs/ci/renovate.json5.

Renovate reads releases.yml alone. Of ``uv: "0.9.*"`` the catalogue knows where it is published, so the configuration
repeats that. ``python3 tests/gate/renovate.py`` writes it, which needs PyYAML; a unit test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).resolve().parents[2]
CATALOGUE = TOP / "plugins/plugin_utils/_catalogue/tools.yml"
CONFIGURATION = TOP / "docs/ci/renovate.json5"
#: What Renovate has a datasource for; the query in the configuration names them.
KINDS = ("pypi", "npm", "github", "gitlab", "gitea", "oci")
#: What of a source says where versions are.
_KEPT = (*KINDS, "api_url", "index", "registry", "tag")
_TABLE = re.compile(
    r"(?P<before> +\$catalogue := \{ \\\n).*?(?P<after> +\}; \\\n +/\* The catalogue ends\. \*/)", re.DOTALL
)


def known(entry: Mapping[str, Any]) -> dict[str, str] | None:
    """Return where the versions of a catalogue's *entry* are found. None: Renovate has no datasource for it."""
    source = entry["source"]
    if isinstance(source.get("versions"), Mapping):
        source = source["versions"]
    if not any(kind in source for kind in KINDS):
        return None
    return {key: source[key] for key in _KEPT if key in source}


def with_catalogue(configuration: str, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return *configuration* with the table of the catalogue's *entries*. Raises ValueError: it lacks the marks."""
    found = {name: where for name, entry in sorted(entries.items()) if (where := known(entry))}
    lines = [f"            {json.dumps(name)}: {json.dumps(where)}" for name, where in found.items()]
    table = ", \\\n".join(lines) + " \\\n" if lines else ""
    if "'" in table or "\\u" in table:
        raise ValueError("the catalogue has a character that ends the query in the configuration")
    if not _TABLE.search(configuration):
        raise ValueError(f"{CONFIGURATION.name} has no place for the catalogue")
    return _TABLE.sub(lambda marks: marks["before"] + table + marks["after"], configuration)


def entries() -> dict[str, Any]:
    """Return the tools of the catalogue."""
    document: dict[str, Any] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    tools: dict[str, Any] = document["tools"]
    return tools


if __name__ == "__main__":
    CONFIGURATION.write_text(with_catalogue(CONFIGURATION.read_text(encoding="utf-8"), entries()), encoding="utf-8")
