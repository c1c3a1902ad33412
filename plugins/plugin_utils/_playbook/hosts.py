# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts does a person mean by a target, and are there any? Ansible succeeds with none. Pure; controller.

Ansible only warns of a name that the inventory lacks, and goes on with the rest. Here it is refused. One that is left
out may be lacking, unless it is nearly one of the inventory: the group of ``web:!maintenance`` may have no host today,
that of ``web:!maintenence`` is a slip that would change hosts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import slip
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown

#: How much of two names must be the same for one to be meant by the other: of what is refused in any case, and else.
ALIKE_REFUSED, ALIKE = 0.6, 0.75
#: So many pairs of names are compared at most, which takes a second or so: a fleet has thousands of names.
MOST_COMPARED = 20_000
#: So many groups are named where none is near.
MOST_NAMED = 12
#: Ansible knows them without an inventory.
_LOCALHOSTS = ("localhost", "127.0.0.1", "::1")
#: The group that Ansible makes of hosts without one. Nobody means it by another name.
_UNNAMED = "ungrouped"
NO_HOSTS = "the inventory has no hosts: give -i INVENTORY"
_SUBSCRIPT = re.compile(r"\[-?\d*:?-?\d*\]\Z")
_DIGITS = re.compile(r"\d+")
_HAS_WILDCARDS = re.compile(r"[*?\[~]")

Groups = Mapping[str, Sequence[str]]


def pattern(target: object) -> str:
    """Return the pattern that a person gave as *target*, or made a list of. Raises ReleaseError if it is none.

    Of what is empty, Ansible makes nobody, an error of its own, or all hosts.
    """
    parts = list(target) if isinstance(target, (list, tuple)) else [target]
    named = [part for part in parts if isinstance(part, str) and part.strip(" ,:")]
    if not parts or len(named) < len(parts):
        raise ReleaseError(
            f"target names no hosts: {next((shown(part) for part in parts if part not in named), 'an empty list')}",
            expected="a host, a group, a pattern of Ansible, or a list of these",
            fix="name some; for all hosts, leave target out",
        )
    return ",".join(named)


def refuse_unknown(target: str, parts: Sequence[str], groups: Groups, matched: Sequence[str]) -> None:
    """Raise ReleaseError where the *target*, whose *parts* Ansible split, names what the inventory's *groups* lack.

    *matched* are the hosts that it means nevertheless.
    """
    if not groups.get("all") and not matched:
        raise ReleaseError(NO_HOSTS)
    names = dict.fromkeys([*groups, *groups.get("all", ()), *_LOCALHOSTS])
    unknown = {name: part for part in parts if (name := _name(part)) and name not in names}
    alike = {name: ALIKE if part[0] == "!" else ALIKE_REFUSED for name, part in unknown.items()}
    near = _nearest(alike, [name for name in names if name != _UNNAMED])
    refused = [name for name, part in unknown.items() if part[0] != "!" or name in near]
    known = f"a host, or a group: {listed(sorted(set(groups) - {_UNNAMED}), MOST_NAMED)}"
    if refused:
        told = "; ".join(_told(name, near.get(name)) for name in refused)
        what = f"target={target}: the inventory has no group or host {told}"
        raise ReleaseError(what, expected=None if matched and len(near) == len(refused) else known)
    if not matched:
        raise ReleaseError(f"target={target} matches no host of the inventory", expected=known)


def refuse_disjoint(target: str, limit: str, matched: Sequence[str], left: Sequence[str]) -> None:
    """Raise ReleaseError where none of the hosts that the *target* *matched* is *left* by ``--limit``."""
    if not set(matched) & set(left):
        raise ReleaseError(
            f"--limit {limit} leaves none of the {len(matched)} hosts of target={target}: nothing would be done",
            fix="give a --limit that names some of these hosts, or another target",
        )


def _told(name: str, meant: str | None) -> str:
    return shown(name)[1:-1] + (f", did you mean {meant}?" if meant else "")


def _nearest(unknown: Mapping[str, float], names: Sequence[str]) -> dict[str, str]:
    """Return which of *names* each *unknown* name is nearly, so much alike.

    The groups come first: they are compared the longest.
    """
    compared = names[: MOST_COMPARED // max(len(unknown), 1)]
    return {name: meant for name, alike in unknown.items() if (meant := _near(name, compared, alike))}


def _near(name: str, names: Sequence[str], alike: float) -> str | None:
    """Return which of *names* is meant by *name*. One with another number is another host, and no slip."""
    near = slip(name, names, alike)
    return near if near and _DIGITS.sub("", near) != _DIGITS.sub("", name) else None


def _name(part: str) -> str:
    """Return the name that a *part* of a pattern is, "" for one that may match several: ``!web[0:2]`` is ``web``."""
    name = _SUBSCRIPT.sub("", part.lstrip("!&"))
    return "" if _HAS_WILDCARDS.search(name) else name
