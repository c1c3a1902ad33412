# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long is a manifest beside those of mise and aqua? Counts three files and writes the table into the guide.

The files in tests/bench/short_manifest_files pin the same seven tools, by their digests, for the same two platforms.
Their forms are documented at mise.jdx.dev/configuration.html, mise.jdx.dev/cli/lock.html, and in
aquaproj.github.io/docs/reference/config with config/checksum. A decision is a value that somebody has to find out and
write: a platform, a version, the name of a package where it is not the tool's own name, a switch. Empty lines do not
count.

Usage: python tests/bench/short_manifests.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.pinned.release.plugins.plugin_utils._values.toml_text import read_toml

FILES = Path(__file__).with_name("short_manifest_files")
PAGE = Path(__file__).resolve().parents[2] / "docs/guide/catalogue.md"
BEGINS, ENDS = "<!-- Counted by tests/bench/short_manifests.py. -->", "<!-- The count ends. -->"


@dataclass(frozen=True)
class Count:
    """How long one file is."""

    name: str
    lines: int
    size_bytes: int
    decisions: int


def counts() -> list[Count]:
    """Return the count of each file, ours first."""
    return [_count(FILES / name) for name in ("releases.yml", "mise.toml", "aqua.yaml")]


def with_table(text: str) -> str:
    """Return *text*, that of the page, with the table as it is now. Raises ValueError: it has no place for it."""
    before, _mark, rest = text.partition(BEGINS)
    _table, mark, after = rest.partition(ENDS)
    if not mark:
        raise ValueError(f"{PAGE.name} has no place for the table: {BEGINS} … {ENDS}")
    rows = "".join(f"| `{one.name}` | {one.lines} | {one.size_bytes} | {one.decisions} |\n" for one in counts())
    return f"{before}{BEGINS}\n| file | lines | bytes | decisions |\n| --- | --- | --- | --- |\n{rows}{ENDS}{after}"


def _count(path: Path) -> Count:
    text = path.read_text(encoding="utf-8")
    document = read_toml(text, path.name).value if path.suffix == ".toml" else yaml.safe_load(text)
    lines = sum(bool(line.strip()) for line in text.splitlines())
    return Count(path.name, lines, len(text.encode()), sum(1 for _value in _values(document)))


def _values(document: object, key: str = "") -> Iterator[object]:
    """Yield every value in *document*; of aqua's ``name: owner/name@version``, both."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _values(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value)
    else:
        yield from str(document).split("@") if key == "name" else [document]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for one in counts():
        print(f"{one.name}: {one.lines} lines, {one.size_bytes} bytes, {one.decisions} decisions")
