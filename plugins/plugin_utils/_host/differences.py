# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what does a tree on a host differ from its listing? From what contents.sh prints. Pure; controller."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.pinned.release.plugins.module_utils import capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._host.answer_lines import MODE
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding

#: state.sh prints no more of what differs in one tree, in bytes.
MOST_DIFFERENCES_BYTES = 16384
MOST_LINES = 300
MOST_DAMAGE_SHOWN = 50
_OWNED = re.compile(r"[0-9A-Fa-f]{4} (-|[0-9]+) ([0-9]+) (.*)", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}  ")
#: As getcap prints it, in its older and newer form.
_GETCAP = re.compile(r"(.*?) (?:= )?((?:cap_|=).*)")


def damage(differences: bytes) -> tuple[Finding, ...]:
    """Return what state.sh found to differ: lines of the tree, and after a tab, lines of its listing."""
    head = b"\n".join(differences.split(b"\n", MOST_LINES)[:MOST_LINES])
    lines = head.decode("utf-8", "replace").splitlines()
    is_cut = len(differences) >= MOST_DIFFERENCES_BYTES or len(head) < len(differences.rstrip(b"\n"))
    whole = [line for line in (lines[:-1] if is_cut else lines) if line]
    found = [_read(line) for line in whole if not line.startswith(("\t", "capability ", "names "))]
    listed: dict[str, dict[str, str]] = {}
    for line in (_read(line[1:]) for line in lines if line.startswith("\t")):
        listed.setdefault(line.path, {})[line.what] = line.value
    told: dict[str, Finding] = {}
    for line in found:
        finding = _finding(line, listed.get(line.path))
        # Of a file that became a link, two lines tell that it changed: one of its type, one with the link's text.
        if finding.text not in told or not told[finding.text].found:
            told[finding.text] = finding
    paths_found = {line.path for line in found}
    for path in listed:
        if path not in paths_found:
            told[path] = Finding("missing", f"{path} is missing", path)
    findings = list(told.values())
    more = [Finding("changed", "and more")] if is_cut or len(findings) > MOST_DAMAGE_SHOWN else []
    return tuple(findings[:MOST_DAMAGE_SHOWN] + more)


class _Line(NamedTuple):
    """A line of a listing, or one that contents.sh made like one.

    what   ``mode`` (with the type, in hexadecimal), ``owner`` (a mode, and user and group that are not as ordered),
           ``sha256``, ``link`` (its text), ``acl``, or ``entry`` for what lies beside the parts of a tree
    """

    what: str
    path: str
    value: str = ""


def _read(line: str) -> _Line:
    first, _space, rest = line.partition(" ")
    owned = _OWNED.match(line)
    if first == "acl":
        return _Line("acl", rest)
    if owned:
        return _Line("owner", _plain(owned[3]), f"{owned[1]}:{owned[2]}")
    if MODE.match(first):
        return _Line("mode", _plain(rest), first)
    if _DIGEST.match(line):
        return _Line("sha256", _plain(line[66:]), line[:64])
    if line.startswith("./"):
        return _Line("entry", line[2:])
    path, _arrow, text = line.partition(" -> ")
    return _Line("link", path, text)


def _plain(path: str) -> str:
    return path.split(" -> ")[0]


def _finding(line: _Line, listed: Mapping[str, str] | None) -> Finding:
    path, value = line.path, line.value
    if line.what == "acl":
        return Finding("acl", f"{path} has an access control list, which was not ordered", path)
    if listed is None:
        return Finding("added", f"{path} was added", path)
    if line.what == "owner":
        return _of_others(path, *value.split(":"))
    before = listed.get(line.what, "")
    if line.what == "mode" and value[:1] == before[:1] and value[:1] in "48":
        expected, mode = (f"{int(digits, 16) & 0o7777:04o}" for digits in (before, value))
        return Finding("mode", f"{path} has mode {mode}", path, expected, mode)
    shown = (before, value) if line.what in ("sha256", "link") else ("", "")
    return Finding("changed", f"{path} is changed", path, *shown)


def _of_others(path: str, uid: str, gid: str) -> Finding:
    """Return what is said of a file of *uid*, ``-`` for one of ours, and *gid*."""
    if uid == "-":
        return Finding("group", f"{path} belongs to another group ({gid})", path, found=gid)
    owner = f"{uid}:{gid}"
    return Finding("owner", f"{path} belongs to another user or group ({owner})", path, found=owner)


def capabilities_of(differences: bytes) -> dict[str, str]:
    """Return what contents.sh tells of files that have some: ``capability libexec/uv cap_net_raw=ep``."""
    lines = differences.decode("utf-8", "replace").splitlines()[:MOST_LINES]
    return dict(_capability(line.partition(" ")[2]) for line in lines if line.startswith("capability "))


def hard_links_of(differences: bytes) -> tuple[str, ...]:
    """Return the files of which contents.sh tells that they have more names than one: ``names libexec/uv``."""
    lines = differences.decode("utf-8", "replace").splitlines()[:MOST_LINES]
    return tuple(dict.fromkeys(line.partition(" ")[2] for line in lines if line.startswith("names ")))


def _capability(said: str) -> tuple[str, str]:
    path, mark, digits = said.rpartition(" 0x")
    if mark:
        return path, capabilities.shown("0x" + digits)
    by_getcap = _GETCAP.match(said)
    return (by_getcap[1], capabilities.shown(by_getcap[2])) if by_getcap else (said, "unknown")
