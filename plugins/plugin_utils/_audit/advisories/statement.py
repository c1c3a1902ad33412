# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do people say of a vulnerability in their products, and of which packages do they speak? Pure; controller.

The value type of all formats of VEX (Vulnerability Exploitability eXchange), and how a statement is laid against what
advisories found. A statement that is narrower than what was found does not count for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import Purl

StatementStatus = Literal["not_affected", "affected", "fixed", "under_investigation"]


@dataclass(frozen=True)
class Product:
    """What a statement is about: a package, and if *inside* is not empty, only these components of it."""

    purl: Purl
    inside: tuple[Purl, ...] = ()


@dataclass(frozen=True)
class Statement:
    """What somebody says of one vulnerability.

    file        that it stands in, and place: where in there
    ids         all ids of the vulnerability
    products    packages that it holds for
    when        as written, in UTC and in one form, so that later is greater
    why         the justification, and what is said beside it
    """

    file: str
    place: str
    ids: frozenset[str]
    products: tuple[Product, ...]
    status: StatementStatus
    when: str
    why: str


def about(statements: Iterable[Statement], ids: Iterable[str], subject: Purl, tool: Sequence[Purl]) -> list[Statement]:
    """Return those of *statements* about one of *ids* in *subject*, which is a component of *tool*, or the tool itself.

    *tool* are all package URLs of the tool.
    """
    wanted = frozenset(ids)
    return [one for one in statements if one.ids & wanted and _speaks_of(one, subject, tool)]


def latest(statements: Sequence[Statement]) -> Statement:
    """Return the last of *statements*. Of two that were made at the same time, the one that was read later counts."""
    return max(reversed(statements), key=lambda one: one.when)


def _speaks_of(statement: Statement, subject: Purl, tool: Sequence[Purl]) -> bool:
    for product in statement.products:
        is_of_tool = any(_covers(product.purl, one) for one in tool)
        if product.inside and is_of_tool and any(_covers(one, subject) for one in product.inside):
            return True
        if not product.inside and (is_of_tool or _covers(product.purl, subject)):
            return True
    return False


def _covers(stated: Purl, found: Purl) -> bool:
    """Return whether *stated* means *found*: the same package, and version and qualifiers wherever they are stated."""
    is_version = not stated.version or _plain(stated.version) == _plain(found.version)
    return stated.package == found.package and is_version and stated.qualifiers <= found.qualifiers


def _plain(version: str) -> str:
    return version.removeprefix("v")
