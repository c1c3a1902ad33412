# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a plan look to the host, to a playbook and to people? Orders, results, notes, diff. Pure; controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.orders import Orders
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import fingerprint
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import ordered_capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.appearance import Appearance
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import Plan, ToolPlan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import terms_digest, wanted_digest
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed


def orders(plan: Plan) -> Orders:
    """Return the exact orders that carry out *plan*."""
    return Orders(
        root=plan.root,
        bin_dir=plan.bin_dir,
        wanted=wanted_digest(plan.wanted),
        fingerprint=fingerprint(),
        terms=terms_digest(plan.wanted),
        # What goes is given to nobody, who may be gone as well.
        owner=plan.wanted.owner if plan.wanted.is_present else None,
        group=plan.wanted.group if plan.wanted.is_present else None,
        mode=plan.wanted.mode,
        asked=list(plan.wanted.tools) if plan.wanted.is_present else [],
        absent=[] if plan.wanted.is_present else list(plan.wanted.tools),
        exact=plan.wanted.exact,
        layouts=list(plan.layouts),
        shared=plan.wanted.platform is not None,
        # A question that a tool was left out of is not sealed: the host may be able to run it tomorrow.
        sealed=sorted(({tool.tool for tool in plan.tools} | set(plan.intact)) - set(plan.unsupported)),
        tools=[tool.order for tool in plan.tools if tool.order],
    )


def results(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the result of each tool, as the user sees it; the same in check mode and after the real run."""
    return {tool.tool: _result(tool, plan) for tool in plan.tools}


def _result(tool: ToolPlan, plan: Plan) -> dict[str, Any]:
    """Return the result of *tool*. One that stays as it is tells no more than that: controllers keep every result."""
    result: dict[str, Any] = {"action": tool.action, "version": tool.version}
    if tool.tool in plan.unsupported:
        return {**result, "reason": tool.reason}
    if tool.action == "none":
        return result
    result["previous"] = tool.previous
    result["reason"] = tool.reason
    if tool.asset and tool.version:
        result["target"] = tool.asset.target
        result["sha256"] = tool.asset.sha256
        result["source_url"] = tool.asset.url
        result["evidence"] = tool.asset.evidence.as_dict()
        result["programs"] = sorted(tool.asset.executables)
        result["files"] = sorted(tool.asset.files)
        capabilities = ordered_capabilities.of_asset(tool.tool, tool.asset, plan.wanted.capabilities)
        if capabilities:
            result["capabilities"] = capabilities
    return result


def brief(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the *result* of a host without what tells nothing: tools that stay as they are, and what else is empty."""
    tools = {name: result["tools"][name] for name in result["changed_tools"]}
    told = {name: value for name, value in result.items() if value}
    return {**told, "changed": result["changed"], "tools": tools}


def notes(plan: Plan, *, is_verbose: bool = False) -> list[str]:
    """Return what changes, a line each: ``uv: upgrade 0.9.8 → 0.9.9``.

    Where the reason is no plain one, and where *is_verbose*, it stands behind: ``, TARGET (REASON)``.
    """
    told = [_note(tool, is_verbose) for tool in plan.tools if tool.action != "none"]
    told += [
        f"{tool.tool}: takes the place of {place}, which is kept beside it as {place.rpartition('/')[2]}.PID.TIME~"
        for tool in plan.tools
        for place in _adopted(tool, plan)
    ]
    told += [
        f"{tool.tool}: {plan.wanted.lock.tools[tool.tool].version} skipped, it {tool.reason}"
        for tool in plan.tools
        if tool.tool in plan.unsupported
    ]
    if not plan.is_on_path and any(tool.action == "install" for tool in plan.tools):
        told.append(f"{plan.bin_dir} is not on PATH")
    return told


def _adopted(tool: ToolPlan, plan: Plan) -> list[str]:
    """Return the paths of the foreign files whose place *tool* takes."""
    beside = plan.bin_dir.rpartition("/")[0]
    return [f"{beside if '/' in link else plan.bin_dir}/{link}" for link in (tool.order.adopt if tool.order else ())]


def _note(tool: ToolPlan, is_verbose: bool) -> str:
    versions = " → ".join(dict.fromkeys(version for version in (tool.previous, tool.version) if version))
    what = f"{tool.tool}: {tool.action} {versions}".rstrip()
    if tool.is_plain and not is_verbose:
        return what
    target_of_it = f", {tool.asset.target}" if tool.asset and tool.version else ""
    return f"{what}{target_of_it} ({tool.reason})"


def summary(plan: Plan) -> str:
    """Return in one line what became of the host, for people. The result names all tools, this line only the first."""
    changed = [tool.tool for tool in plan.tools if tool.action != "none"]
    unchanged = "nothing to change" if plan.unsupported else "as pinned"
    if not plan.wanted.is_present:
        names = listed(plan.wanted.tools)
        unchanged = f"nothing to remove: {names} not here" if names else "nothing to remove"
    done = f"changed: {listed(changed)}" if changed else unchanged
    if plan.unsupported:
        done += f"; skipped, not for this host: {listed(sorted(plan.unsupported))}"
    if not plan.unpinned:
        return done
    strays = listed(f"{name} {version}" for name, version in plan.unpinned.items())
    them = "it" if len(plan.unpinned) == 1 else "them"
    return f"{done}; also here but not pinned: {strays} (exact: true, or tools_exact=true, removes {them})"


def diff(plan: Plan) -> dict[str, str]:
    """Return the plan's changes as Ansible shows them with --diff."""
    changed = [tool for tool in plan.tools if tool.action != "none"]
    return {
        "before_header": f"{plan.root} (as it is)",
        "after_header": f"{plan.root} (as pinned)",
        "before": "".join(_lines(tool.tool, tool.before) for tool in changed),
        "after": "".join(_lines(tool.tool, tool.after) for tool in changed),
    }


def _lines(tool: str, appearance: Appearance | None) -> str:
    return "".join([f"{tool}:\n", *(f"  {line}\n" for line in appearance.lines())]) if appearance else ""
