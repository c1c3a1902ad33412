# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts does a person mean by a target, and are there any? Ansible succeeds with none. Pure; controller.

Names that the inventory lacks are refused where nobody is left, and where one is nearly a name that it has: the group
of ``web:!maintenance`` may have no host today, that of ``web:!maintenence`` is a slip that would change hosts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown

#: How much of two names must be the same for one to be meant by the other: where nobody is left, and else.
ALIKE_NOBODY, ALIKE = 0.6, 0.75
#: So many pairs of names are compared at most, which takes a second or so: a fleet has thousands of names.
MOST_COMPARED = 20_000
#: So many groups are named where none is near.
MOST_NAMED = 12
NO_HOSTS = "the inventory has no hosts: give -i INVENTORY"
_SUBSCRIPT = re.compile(r"\[-?\d*:?-?\d*\]\Z")
_DIGITS = re.compile(r"\d+")
_HAS_WILDCARDS = re.compile(r"[*?\[~]")

Groups = Mapping[str, Sequence[str]]


def refuse_unknown(target: str, parts: Sequence[str], groups: Groups, matched: Sequence[str]) -> None:
    """Raise ReleaseError where the *target*, whose *parts* Ansible split, names what the inventory's *groups* lack.

    *matched* are the hosts that it means nevertheless.
    """
    if not groups.get("all") and not matched:
        raise ReleaseError(NO_HOSTS)
    # Ansible knows localhost without an inventory.
    names = dict.fromkeys([*groups, *groups.get("all", ()), *matched])
    unknown = list(dict.fromkeys(name for name in map(_name, parts) if name and name not in names))
    near = _nearest(unknown, list(names), ALIKE if matched else ALIKE_NOBODY)
    known = f"a host, or a group: {listed(sorted(set(groups) - {'ungrouped'}), MOST_NAMED)}"
    if near:
        told = "; ".join(f"{shown(name)[1:-1]}, did you mean {meant}?" for name, meant in near.items())
        what = f"target={target}: the inventory has no group or host {told}"
        raise ReleaseError(what, expected=None if matched else known)
    if not matched:
        raise ReleaseError(f"target={target} matches no host of the inventory", expected=known)


def refuse_disjoint(target: str, limit: str, matched: Sequence[str], left: Sequence[str]) -> None:
    """Raise ReleaseError where none of the hosts that the *target* *matched* is *left* by ``--limit``."""
    if not set(matched) & set(left):
        raise ReleaseError(
            f"--limit {limit} leaves none of the {len(matched)} hosts of target={target}: nothing would be done",
            fix="give a --limit that names some of these hosts, or another target",
        )


def _nearest(unknown: Sequence[str], names: Sequence[str], alike: float) -> dict[str, str]:
    """Return which of *names* each of the *unknown* is nearly. The groups come first: they are compared the longest."""
    compared = names[: MOST_COMPARED // max(len(unknown), 1)]
    return {name: meant for name in unknown if (meant := _near(name, compared, alike))}


def _near(name: str, names: Sequence[str], alike: float) -> str | None:
    """Return which of *names* is meant by *name*. One with another number is another host, and no slip."""
    near = difflib.get_close_matches(name, names, 1, alike)
    return near[0] if near and _DIGITS.sub("", near[0]) != _DIGITS.sub("", name) else None


def _name(part: str) -> str:
    """Return the name that a *part* of a pattern is, "" for one that may match several: ``!web[0:2]`` is ``web``."""
    name = _SUBSCRIPT.sub("", part.lstrip("!&"))
    return "" if _HAS_WILDCARDS.search(name) else name
