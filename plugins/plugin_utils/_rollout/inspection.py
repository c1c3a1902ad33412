# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what a host has what was installed there, and what the lock file says? State + lock file → inspection. Pure.

Without a lock file only the host's own listings and receipts can be compared with its files: whoever may write there
can forge all three together. With a lock file they are compared with what was pinned. Runs on the controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding, texts
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State, lasting_tree
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import audited, deviation
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.deviation import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import refuse_unknown_group
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt


@dataclass(frozen=True)
class InspectedTool:
    """One tool on a host.

    findings   how its files differ from its listing and receipt, its links from what they should be, and its receipt or
               tree from what the lock file says this host should have
    active     the folder of its active version, below store/TOOL; "" where there is none
    kept       those of other versions there
    tree       the path of its files that is the same in all versions
    """

    receipt: Receipt | None
    findings: tuple[Finding, ...]
    verified_by: str
    active: str
    kept: tuple[str, ...]
    tree: str

    @property
    def drift(self) -> tuple[str, ...]:
        """What differs from what was installed, in words."""
        return texts(finding for finding in self.findings if finding.against == "installed")

    @property
    def deviation(self) -> tuple[str, ...]:
        """What differs from the lock file, in words."""
        return texts(finding for finding in self.findings if finding.against == "lock")

    def to_json(self) -> dict[str, Any]:
        """Return it as the result of a task shows it."""
        return {
            "receipt": self.receipt.to_json() if self.receipt else {},
            "drift": list(self.drift),
            "deviation": list(self.deviation),
            "findings": [finding.to_json() for finding in self.findings],
            "verified_by": self.verified_by,
            "active": self.active,
            "kept": list(self.kept),
            "tree": self.tree,
        }


@dataclass(frozen=True)
class Inspection:
    """What was found on one host.

    host       what it is, as far as people ask
    wanted     what the lock file has for it, by tool: an asset and why this one, or why none
    findings   what is wrong below root and belongs to no tool
    notes      what people should know, and is not wrong
    missing    tools that were asked for, or are in the lock file, and are not installed
    unpinned   tools that are installed, and are not in the lock file
    lock_sha256  of the lock file that it was compared with; "" without one
    """

    host: Host
    tools: Mapping[str, InspectedTool] = field(default_factory=dict)
    wanted: Mapping[str, WantedTool] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unpinned: tuple[str, ...] = ()
    lock_sha256: str = ""

    @property
    def drifted(self) -> tuple[str, ...]:
        """The tools that are no longer what was installed."""
        return tuple(name for name, tool in self.tools.items() if tool.drift)

    @property
    def deviating(self) -> tuple[str, ...]:
        """The tools that are not what the lock file says."""
        return tuple(name for name, tool in self.tools.items() if tool.deviation)

    @property
    def is_compliant(self) -> bool:
        """Whether the host has exactly what the lock file says, unchanged. Never without a lock file."""
        wrong = (self.missing, self.unpinned, self.drifted, self.deviating, self.findings)
        return bool(self.lock_sha256) and not any(wrong)

    def to_json(self) -> dict[str, Any]:
        """Return it as the result of a task shows it. What only a lock file can tell is left out without one."""
        found: dict[str, Any] = {
            "host": _host_json(self.host),
            "tools": {name: tool.to_json() for name, tool in self.tools.items()},
            "findings": [finding.to_json() for finding in self.findings],
            "notes": list(self.notes),
            "drifted": list(self.drifted),
            "missing": list(self.missing),
        }
        if self.lock_sha256:
            found["lock_sha256"] = self.lock_sha256
            found["wanted"] = {name: wanted.to_json() for name, wanted in self.wanted.items()}
            found["unpinned"], found["deviating"] = list(self.unpinned), list(self.deviating)
            found["compliant"] = self.is_compliant
        return found


def inspect(
    state: State, host: Host, wanted: Wanted, names: tuple[str, ...] | None, mode: int | None = None
) -> Inspection:
    """Return what is found of the tools *names*, by default all, compared with the lock file of *wanted* if it has one.

    *mode* is the one that programs were given; None where any harmless one will do. Raises ReleaseError where the host
    cannot compute digests, or has no such group as was asked for.
    """
    refuse_unknown_group(wanted, state)
    there = sorted({*state.active, *state.astray})
    pinned = set(wanted.lock.tools)
    asked = sorted({*there, *pinned}) if names is None else sorted(set(names))
    chosen = {name: deviation.wanted_tool(name, host, wanted) for name in asked if name in pinned}
    tools = {name: _tool(name, state, wanted, chosen.get(name), mode) for name in asked if name in there}
    return Inspection(
        host=host,
        tools=tools,
        wanted=chosen,
        findings=audited.of_root(state) if names is None else (),
        notes=audited.notes(state),
        missing=tuple(name for name in asked if name not in there),
        unpinned=tuple(name for name in tools if name not in pinned) if wanted.lock_digest else (),
        lock_sha256=wanted.lock_digest,
    )


def _host_json(host: Host) -> dict[str, str | None]:
    platform = floor.platform_of(host)
    return {
        "platform": str(platform) if platform else None,
        "libc": host.libc,
        "libc_version": host.libc_version,
        "distribution": host.distribution,
        "cpu": host.cpu,
    }


def _tool(name: str, state: State, wanted: Wanted, pinned: WantedTool | None, mode: int | None) -> InspectedTool:
    active = state.active.get(name, "")
    tree = state.described.get((name, active))
    kept = tuple(kept for kept in state.trees.get(name, ()) if kept != active)
    found = (*audited.of_tool(name, state, mode), *audited.of_kept(name, kept, state))
    if tree is not None and pinned is not None:
        found += deviation.of_tool(name, tree, wanted, pinned)
    verified_by = tree.verified_by if tree else ""
    return InspectedTool(
        tree.receipt if tree else None, found, verified_by, active, kept, lasting_tree(name, state.root)
    )
