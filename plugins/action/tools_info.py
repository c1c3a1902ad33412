# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what is installed on a host, and what drifted. Options and results are documented in modules/tools_info.py."""

from __future__ import annotations

from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import asking, drift, probe


class ActionModule(asking.Verb):
    """One shell exec; nothing is written."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        given = asking.options(self, options.TOOLS_INFO)
        question = probe.Question(
            ask="state",
            root=asking.folder(given["root"], "root"),
            bin_dir=asking.folder(given["bin_dir"], "bin_dir"),
            integrity=given["integrity"],
        )
        state = asking.told(asking.ask(self, question).state)
        names = sorted(state.active) if given["tools"] is None else given["tools"]
        tools = {name: _tool(name, state) for name in names if name in state.active}
        return {
            "changed": False,
            "root": state.root,
            "bin_dir": state.bin_dir,
            "tools": tools,
            "drifted": [name for name, tool in tools.items() if tool["drift"]],
            "missing": [name for name in names if name not in tools],
        }


def _tool(name: str, state: probe.State) -> dict[str, Any]:
    active = state.active[name]
    tree = state.described.get(
        (name, active), probe.Tree(active, verified_by="seal", damage=("its files are missing",))
    )
    found = drift.of_receipt(name, tree) + drift.of_links(name, drift.receipted(tree), state)
    kept = [kept for kept in state.trees.get(name, ()) if kept != active]
    return {"receipt": dict(tree.receipt), "drift": list(found), "verified_by": tree.verified_by, "kept": kept}
