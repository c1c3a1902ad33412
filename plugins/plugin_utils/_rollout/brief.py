# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a result of tools_info do the lock file and the result itself not say already? Pure; runs on the controller.

Reports hold the results of thousands of hosts at once. What evidence an asset has, for example, the lock file says once
for all of them: from a receipt of a pinned asset only OF_HOST is kept, and of that only what is not as expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile

#: The fields of a receipt that differ between hosts, or tell which asset it is.
OF_HOST = tuple(
    "version target reason asset sha256 tree_sha256 installed lock_sha256 bin_dir bin source_url".split(),
)
#: Always there, so that a receipt of which nothing else is kept is no missing one.
_ALWAYS = ("version", "installed")
#: Of a tool: left out while empty.
_WHILE_EMPTY = ("drift", "deviation", "findings", "kept")


def reduced(result: Mapping[str, Any], lock: LockFile) -> dict[str, Any]:
    """Return *result*, of tools_info, without what *lock* and the rest of it say. whole() puts that back."""
    return {**result, "tools": {name: _reduced(name, tool, result, lock) for name, tool in result["tools"].items()}}


def whole(result: Mapping[str, Any], lock: LockFile) -> dict[str, Any]:
    """Return the brief *result* with what was left out; of a receipt of a pinned asset, only the fields OF_HOST."""
    return {**result, "tools": {name: _whole(name, tool, result, lock) for name, tool in result["tools"].items()}}


def _reduced(name: str, tool: Mapping[str, Any], result: Mapping[str, Any], lock: LockFile) -> dict[str, Any]:
    left = {key: value for key, value in tool.items() if key != "tree" and (value or key not in _WHILE_EMPTY)}
    if tool["active"] == _usual_folder(tool["receipt"]):
        del left["active"]
    said = _said(name, tool["receipt"].get("sha256"), result, lock)
    if said is None:
        return left
    receipt = {
        key: value
        for key, value in tool["receipt"].items()
        if key in OF_HOST and (key in _ALWAYS or value != said.get(key))
    }
    return {**left, "receipt": receipt}


def _whole(name: str, tool: Mapping[str, Any], result: Mapping[str, Any], lock: LockFile) -> dict[str, Any]:
    receipt = tool["receipt"]
    digest = receipt.get("sha256", result.get("wanted", {}).get(name, {}).get("sha256")) if receipt else None
    said = _said(name, digest, result, lock)
    if said is not None:
        both = {**said, **receipt}
        receipt = {key: both[key] for key in OF_HOST if key in both}
    return {
        **{key: [] for key in _WHILE_EMPTY},
        "active": _usual_folder(receipt),
        **tool,
        "receipt": receipt,
        "tree": f"{result['root']}/current/{name}/tree",
    }


def _usual_folder(receipt: Mapping[str, Any]) -> str:
    return f"{receipt['version']}-{receipt['sha256'][:12]}" if receipt else ""


def _said(name: str, digest: str | None, result: Mapping[str, Any], lock: LockFile) -> dict[str, Any] | None:
    """Return what a receipt of the asset with *digest* would say on this host; None where the lock file has no such."""
    asset = _asset(name, digest, lock)
    if asset is None:
        return None
    of_asset = {
        "version": lock.tools[name].version,
        "target": asset.target,
        "asset": asset.name,
        "tree_sha256": asset.tree_sha256,
        "source_url": asset.url,
    }
    of_result = {"lock_sha256": result.get("lock_sha256"), "bin_dir": result["bin_dir"]}
    wanted = result.get("wanted", {}).get(name, {})
    return {**of_asset, **of_result, **{key: wanted[key] for key in ("reason", "sha256") if key in wanted}}


def _asset(name: str, digest: str | None, lock: LockFile) -> LockedAsset | None:
    assets = lock.tools[name].assets if name in lock.tools else ()
    return next((asset for asset in assets if asset.sha256 == digest), None)
