# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what does a tree on a host differ from its listing, in words? From what contents.sh prints. Pure; controller."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.pinned.release.plugins.module_utils import capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._host.answer_lines import MODE

#: state.sh prints no more of what differs in one tree, in bytes.
MOST_DIFFERENCES_BYTES = 16384
MOST_LINES = 300
MOST_DAMAGE_SHOWN = 50
#: As getcap prints it, in its older and newer form.
_GETCAP = re.compile(r"(.*?) (?:= )?((?:cap_|=).*)")


def damage(differences: bytes) -> tuple[str, ...]:
    """Return in words what state.sh found to differ: lines of the tree, and after a tab, lines of its listing."""
    head = b"\n".join(differences.split(b"\n", MOST_LINES)[:MOST_LINES])
    lines = head.decode("utf-8", "replace").splitlines()
    is_cut = len(differences) >= MOST_DIFFERENCES_BYTES or len(head) < len(differences.rstrip(b"\n"))
    whole = [line for line in (lines[:-1] if is_cut else lines) if line]
    found = [line for line in whole if not line.startswith(("\t", "capability "))]
    listed = [line[1:] for line in lines if line.startswith("\t")]
    paths_found, paths_listed = (dict.fromkeys(map(_path, side)) for side in (found, listed))
    told: dict[str, None] = {}
    for line in found:
        told[_in_words(line, paths_listed)] = None
    for path in paths_listed:
        if path not in paths_found:
            told[f"{path} is missing"] = None
    words = list(told)
    more = ["and more"] if is_cut or len(words) > MOST_DAMAGE_SHOWN else []
    return tuple(words[:MOST_DAMAGE_SHOWN] + more)


def _in_words(line: str, listed: Mapping[str, None]) -> str:
    first = line.partition(" ")[0]
    path = _path(line)
    if first == "acl":
        return f"{path} has an access control list, which was not ordered"
    owned = re.match(r"([0-9A-Fa-f]{4}) ([0-9]+) ([0-9]+) ", line)
    if owned and path in listed:
        return f"{path} belongs to another user or group ({owned[2]}:{owned[3]})"
    if path not in listed:
        return f"{path} was added"
    is_mode = MODE.match(first) and first[:1] == "8"
    return f"{path} has mode {int(first, 16) & 0o7777:04o}" if is_mode else f"{path} is changed"


def _path(line: str) -> str:
    """Return the path in a line of a listing, or in one that state.sh made like one."""
    line = re.sub(r"\A(?:[0-9a-f]{64}  |[0-9A-Fa-f]{4} (?:[0-9]+ [0-9]+ )?|acl )", "", line)
    if line.startswith("./"):
        return line[2:]
    return line.split(" -> ")[0]


def capabilities_of(differences: bytes) -> dict[str, str]:
    """Return what contents.sh tells of files that have some: ``capability libexec/uv cap_net_raw=ep``."""
    lines = differences.decode("utf-8", "replace").splitlines()[:MOST_LINES]
    return dict(_capability(line.partition(" ")[2]) for line in lines if line.startswith("capability "))


def _capability(said: str) -> tuple[str, str]:
    path, mark, digits = said.rpartition(" 0x")
    if mark:
        return path, capabilities.shown("0x" + digits)
    by_getcap = _GETCAP.match(said)
    return (by_getcap[1], capabilities.shown(by_getcap[2])) if by_getcap else (said, "unknown")
