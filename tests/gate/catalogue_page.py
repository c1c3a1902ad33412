# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tools does the catalogue have? ``make catalogue`` writes docs/catalogue.md; a unit test compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._catalogue import catalogue, search
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Entry

PAGE = Path(__file__).resolve().parents[2] / "docs/catalogue.md"
_HEAD = """\
# The tools of the catalogue

A manifest needs only a version for each of these {count} tools: `uv: "0.9.*"`. *Published at* is the source that is
locked: a kind of source and what is published there, or the server. *Proven by* is what is verified of every asset when
it is locked, against the identity that the catalogue pins; for the other tools, digests that their publishers state are
compared, and `verify` in a manifest asks for more. *Offered* is what their publishers were seen to offer, by the names
of the files of a release, or as aqua's registry says; nothing there means that nothing is known. The names lead to
where all of this was seen.

[The guide](guide/catalogue.md) says how to use the catalogue, and how to keep one of your own. To look for a tool:
`ansible-playbook pinned.release.search -e tool=node`. This page is written by `make catalogue`.

| tool | what it is | published at | proven by | offered |
| --- | --- | --- | --- | --- |
"""


def page(entries: Mapping[str, Entry]) -> str:
    """Return the page as Markdown: a row for each of the *entries*."""
    return _HEAD.format(count=len(entries)) + "".join(_row(entry) for entry in entries.values())


def _row(entry: Entry) -> str:
    name = f"[{entry.name}]({entry.seen[0]})" if entry.seen else entry.name
    also = f" (also: {', '.join(entry.also)})" if entry.also else ""
    told = f"{entry.description}{also}" + (f"; package made {entry.repackaged}" if entry.repackaged else "")
    proof = ", ".join(entry.keys.verify)
    cells = (name, told, f"`{search.place(entry)}`", proof, entry.offers)
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|\n"


if __name__ == "__main__":
    PAGE.write_text(page(catalogue.own()), encoding="utf-8")
    print(f"{PAGE.name}: {len(catalogue.own())} tools")
