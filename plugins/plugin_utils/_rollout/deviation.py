# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the lock file have for a host, and in what does a tool there differ from that? Pure; on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice.choice import Choice
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Tree
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import drift, ordered_capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.drift import LISTING, RECEIPT
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import receipt_for
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, choice_for
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FindingKind


@dataclass(frozen=True)
class WantedTool:
    """What the lock file has of one tool for a host: its *choice*, or the *error* why not, in short *refused*."""

    version: str
    choice: Choice | None = None
    refused: str = ""
    error: ReleaseError | None = None

    def to_json(self) -> dict[str, str]:
        """Return it as the result of a task shows it."""
        if self.choice is None:
            return {"version": self.version, "refused": self.refused}
        asset = self.choice.asset
        chosen = {"target": asset.target, "reason": self.choice.reason, "sha256": asset.sha256}
        return {"version": self.version, **chosen}


def wanted_tool(name: str, host: Host, wanted: Wanted) -> WantedTool:
    """Return what the lock file of *wanted* has of the tool *name*, which it pins, for *host*."""
    tool = wanted.lock.tools[name]
    try:
        choice = choice_for(name, tool, wanted, host)
    except ReleaseError as error:
        return WantedTool(tool.version, refused=error.what, error=error)
    return WantedTool(tool.version, choice)


def of_tool(name: str, tree: Tree, wanted: Wanted, pinned: WantedTool) -> tuple[Finding, ...]:
    """Return how the *tree* of the tool *name*, and its receipt, differ from what is *pinned* for the host."""
    if pinned.choice is None:
        return (_finding("refused", pinned.refused),)
    if tree.receipt is None:
        return (_finding("receipt", "it has no receipt that can be compared with the lock file", RECEIPT),)
    found = tree.receipt
    expected = receipt_for(name, wanted.lock.tools[name], pinned.choice, wanted.lock_digest, found.bin_dir)
    ordered = ordered_capabilities.of_asset(name, pinned.choice.asset, wanted.capabilities)
    told = [*_of_capabilities(found, ordered), *_of_receipt(found, replace(expected, capabilities=found.capabilities))]
    if tree.verified_by == "hash" and tree.listing != expected.tree_sha256:
        text = "its listing is not the one that the lock file pins"
        told.append(_finding("listing", text, LISTING, expected.tree_sha256, tree.listing))
    return tuple(told)


def _of_capabilities(found: Receipt, ordered: Mapping[str, str]) -> list[Finding]:
    if found.capabilities == ordered:
        return []
    said, expected = (_capabilities(given) for given in (found.capabilities, ordered))
    return [_finding("capability", f"its receipt says {said}, ordered are {expected}", RECEIPT, expected, said)]


def _of_receipt(found: Receipt, expected: Receipt) -> list[Finding]:
    told = []
    for field in drift.deviations(found, expected):
        said, locked = (_in_short(getattr(receipt, field)) for receipt in (found, expected))
        text = f"its receipt says {field} {said}, the lock file {locked}"
        if said == locked:
            text = f"its receipt does not say the {field} of the lock file"
        told.append(_finding("version" if field == "version" else "receipt", text, RECEIPT, locked, said))
    return told


def _finding(kind: FindingKind, text: str, path: str = "", expected: str = "", found: str = "") -> Finding:
    return Finding(kind, text, path, expected, found, against="lock")


def _capabilities(given: Mapping[str, str]) -> str:
    words = "; ".join(f"{name} {text}" for name, text in sorted(given.items()))
    return shortened(f"the capabilities {words}" if words else "no capabilities", 200)


def _in_short(value: object) -> str:
    if isinstance(value, Mapping):
        value = listed(sorted(value)) or "none"
    return shortened(value if isinstance(value, str) else "something else", 100)
