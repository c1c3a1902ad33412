# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a report tell of hosts, and what should it, in lines that can be compared? For audit.yml."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_DIGEST = re.compile(r"(?<=\d)-[0-9a-f]{12}(?=/|$)")


def told(report: Mapping[str, Any]) -> list[str]:
    """Return a line for each host, for each tool that is not as pinned, and for each finding."""
    return sorted(line for name, host in report["hosts"].items() for line in _told_of_host(name, host))


def planted(
    kinds: Mapping[str, str],
    faults: Mapping[str, Mapping[str, Any]],
    forgery_told: Sequence[str],
    wrong_hosts: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Return the same lines of what faults.yml plants on hosts, whose *kinds* are given by their names."""
    wrong = {said["host"]: {"status": status, **said} for status, said in wrong_hosts.items()}
    pinned = [*(tool for tool, fault in faults.items() if fault["told"] != ["unpinned"]), "caddy"]
    lines = []
    for name, kind in kinds.items():
        copy = name[len(kind) + 1 :]
        if name in wrong:
            tools = {tool: wrong[name].get("each_tool", ()) for tool in pinned}
        elif copy == "2":
            lines.append(f"{name} added /opt/pinned.release/store/more")
            tools = {tool: fault["told"] for tool, fault in faults.items()}
        else:
            tools = {"caddy": forgery_told} if copy == "3" else {}
        status = wrong[name]["status"] if name in wrong else "differs" if tools else "as_pinned"
        lines += [f"{name} {status}", *(f"{name} {tool} {line}" for tool, said in tools.items() for line in said)]
    return sorted(lines)


def without(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return *lines* without *others*, each as often as it is there."""
    return list((Counter(lines) - Counter(others)).elements())


def published(tool: str, version: str) -> dict[str, Any]:
    """Return what a manifest says of a tool that was published beside it."""
    return {"source": {"directory": f"releases/{tool}"}, "version": version}


def _told_of_host(name: str, host: Mapping[str, Any]) -> Iterator[str]:
    yield f"{name} {host['status']}"
    yield from _findings(name, host)
    for tool, said in host.get("tools", {}).items():
        if said["status"] != "as_pinned":
            yield f"{name} {tool} {said['status']}"
        yield from _findings(f"{name} {tool}", said)


def _findings(subject: str, said: Mapping[str, Any]) -> Iterator[str]:
    for finding in said.get("findings", ()):
        yield f"{subject} {finding['kind']} {_DIGEST.sub('', finding.get('path', ''))}".rstrip()


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        return {"told": told, "planted": planted, "without": without, "published": published}
