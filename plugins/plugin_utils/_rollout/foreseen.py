# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a host, and what would a rollout do there? Wanted + host + its state → what is foreseen. Pure; controller.

Every answer is the plan's own (plan.py): what is refused here is what a rollout refuses, in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.deviation import WantedTool, wanted_tool
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.foresight import no_python
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import make_plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, locked_tools
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host


@dataclass(frozen=True)
class Foreseen:
    """What one host is, and what would become of it.

    tools    what the lock file has for it, by tool
    refused  why a rollout would fail there; None where it would not
    python   why no Python there can carry out orders; None where one can
    """

    host: Host
    tools: Mapping[str, WantedTool]
    refused: ReleaseError | None = None
    python: ReleaseError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the result of a task shows it."""
        platform = floor.whole_platform_of(self.host)
        words = "os arch abi libc libc_version os_version cpu distribution".split()
        return {
            "host": {"platform": str(platform or ""), **{word: getattr(self.host, word) for word in words}},
            "tools": {name: _tool(tool) for name, tool in sorted(self.tools.items())},
            "refused": self.refused.as_dict() if self.refused else None,
            "python": self.python.as_dict() if self.python else None,
        }


def foresee(wanted: Wanted, host: Host, state: State) -> Foreseen:
    """Return what a rollout of *wanted* would do on *host*, which is in *state*."""
    refused = None
    try:
        make_plan(wanted, host, state)
    except ReleaseError as error:
        refused = error
    return Foreseen(host, _tools(wanted, host), refused, None if state.python else no_python(state))


def foresee_distrusted(wanted: Wanted, host: Host, refused: ReleaseError) -> Foreseen:
    """Return what is known of a *host* where nothing can be installed, because of what it answered: *refused*."""
    return Foreseen(host, _tools(wanted, host), refused)


def _tools(wanted: Wanted, host: Host) -> dict[str, WantedTool]:
    return {name: wanted_tool(name, host, wanted) for name in locked_tools(wanted)}


def _tool(tool: WantedTool) -> dict[str, Any]:
    if tool.choice is None:
        return {"version": tool.version, "refused": tool.error.as_dict() if tool.error else {"what": tool.refused}}
    return {
        "version": tool.version,
        "target": tool.choice.asset.target,
        "reason": tool.choice.reason,
        "surprising": tool.choice.is_surprising,
    }
