# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pages has the web site, in which order, and how do links between them change? Pure; standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Pages about the product as a whole that come first in the side bar.
FACTS = ("catalogue", "threat-model", "signatures", "audit", "reality", "connections", "fleet", "scale")
#: What the page of a schema is called, if not as the schema, and which schemas come first.
SCHEMAS = {
    "releases": "manifest",
    "releases.lock": "lock-file",
    "releases.components": "components-file",
    "report": "report-file",
    "rollout": "log-of-rollouts",
    "audit": "log-of-audits",
}
_GROUP = re.compile(r"^## (.+)$", re.MULTILINE)
_PAGE = re.compile(r"^- \[.*?\]\(([a-z0-9-]+)\.md\)", re.MULTILINE)
#: A link to an index of pages, which is called README.md where a forge shows it.
_TO_INDEX = re.compile(r"\]\(((?:[\w.-]+/)*)README\.md")


def on_the_site(text: str, depth: int) -> str:
    """Return the *text* of a page with its links as the site has them; a page in the folder docs has the *depth* 1.

    What a link out of that folder leads to is not on the site: its words stay.
    """
    outward = re.compile(rf"\[([^\]]*)\]\((?:\.\./){{{depth}}}[^)]*\)")
    return _TO_INDEX.sub(r"](\1index.md", outward.sub(r"\1", text))


def schema_pages(schemas: Iterable[str]) -> dict[str, str]:
    """Return the name of the page of each of *schemas*, in the order of the side bar."""
    return {name: SCHEMAS.get(name, name) for name in in_order(schemas, SCHEMAS)}


def in_order(names: Iterable[str], first: Iterable[str]) -> list[str]:
    """Return *names*, those that are in *first* in its order, then the others."""
    places = list(first)
    return sorted(names, key=lambda name: (places.index(name) if name in places else len(places), name))


def side_bar(index: str, facts: Iterable[str], schemas: Iterable[str]) -> str:
    """Return what the front page ends with: all pages in their order, for the side bar alone.

    *index* is that of the guide, *facts* are the pages beside the front page, *schemas* the names of all schemas.
    """
    _before, *parts = _GROUP.split(index)
    parted = zip(parts[::2], parts[1::2], strict=True)
    groups = {title: [f"guide/{name}" for name in _PAGE.findall(body)] for title, body in parted}
    named = {name.replace("-", " ").capitalize(): name for name in ("playbooks", *schema_pages(schemas).values())}
    reference = ["reference/collection/index", *(f"{title} <reference/{name}>" for title, name in named.items())]
    groups = {**groups, "Reference": reference, "Facts": in_order(facts, FACTS)}
    first = next(iter(groups))
    groups[first] = ["guide/index", *groups[first]]
    return "".join(toctree(title, pages) for title, pages in groups.items())


def toctree(title: str, pages: list[str]) -> str:
    """Return the directive by which Sphinx puts *pages* into the side bar under *title*."""
    return "\n".join(["\n```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```\n"])
