# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be done so that a host has what was pinned? Lock file + host + its state → plan. Pure; on the controller.

Check mode, diff, result and orders are views of the one plan, so that what is announced is what happens.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Download, Orders, Program, ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils import drift, probe, target
from ansible_collections.pinned.release.plugins.plugin_utils.choice import Choice, choose_assuming
from ansible_collections.pinned.release.plugins.plugin_utils.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import LockedAsset, LockedTool, LockFile

RECEIPT_VERSION = 1
#: Where the links of an installation lead to, whatever its root.
LINK_OF_SOME_ROOT = re.compile(r"(/.+)/current/[^/]+/bin/[^/]+\Z")


@dataclass(frozen=True)
class Wanted:
    """The state that the user asks for: the options of the tools action, and the lock file they speak of.

    lock_digest   sha256 of the lock file's bytes, for receipts
    names         the tools it is about; None means all of the lock file
    """

    lock: LockFile
    lock_digest: str = ""
    names: tuple[str, ...] | None = None
    is_present: bool = True
    exact: bool = False
    root: str = ""
    bin_dir: str = ""
    owner: str | None = None
    group: str | None = None
    mode: int = 0o755
    keep: int = 1
    integrity: str = "quick"
    prefer: str = "native"
    assume: Mapping[str, Any] = field(default_factory=dict)
    adopt: bool = False
    checks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(sorted(self.lock.tools)) if self.names is None else self.names


@dataclass(frozen=True)
class ToolPlan:
    """What becomes of one tool on one host.

    action     none, install, upgrade, downgrade, switch (same version, another asset), repair, prune, remove
    version    after the plan is carried out; None when the tool is removed
    previous   before; None when it was not there
    reason     why this asset, or why this action
    """

    tool: str
    action: str
    version: str | None
    previous: str | None
    reason: str
    asset: LockedAsset | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    order: ToolOrder | None = None


@dataclass(frozen=True)
class Plan:
    """What becomes of all tools on one host. *intact* are other tools there, found as they were installed."""

    wanted: Wanted
    root: str
    bin_dir: str
    tools: tuple[ToolPlan, ...]
    intact: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        return any(tool.action != "none" for tool in self.tools)


def wanted_digest(wanted: Wanted) -> str:
    """Return the digest of all that decides the state of a host: equal digests ask for equal states."""
    assets = {
        name: sorted(json.dumps(asdict(asset), sort_keys=True) for asset in wanted.lock.tools[name].assets)
        for name in wanted.tools
        if wanted.is_present
    }
    decides = [wanted.is_present, wanted.exact, wanted.root, wanted.bin_dir, wanted.owner, wanted.group]
    decides += [wanted.mode, wanted.keep, wanted.prefer, dict(wanted.assume), wanted.tools, assets]
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def question(wanted: Wanted) -> probe.Question:
    """Return what to ask a host in order to plan for *wanted*. Raises ReleaseError for tools the lock lacks."""
    tools = _locked_tools(wanted)
    assets = [asset for tool in tools.values() for asset in tool.assets]
    return probe.Question(
        ask="state",
        root=wanted.root,
        bin_dir=wanted.bin_dir,
        wanted=wanted_digest(wanted),
        integrity=wanted.integrity,
        candidates=_unique(f"{name}/{tool.version}" for name, tool in tools.items()),
        names=_unique(program for asset in assets for program in asset.executables),
        needs=_unique(need for asset in assets for need in target.needs(asset.requires)),
    )


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _locked_tools(wanted: Wanted) -> dict[str, LockedTool]:
    if not wanted.is_present:
        return {}
    unknown = sorted({*wanted.tools, *wanted.checks} - set(wanted.lock.tools))
    if unknown:
        raise ReleaseError(
            f"the lock file has no tool named {', '.join(unknown)}",
            expected=f"one of {', '.join(sorted(wanted.lock.tools)) or 'none: it is empty'}",
            fix="mend the name, or add the tool to the manifest and lock again",
        )
    _refuse_shared_programs(wanted)
    return {name: wanted.lock.tools[name] for name in wanted.tools}


def _refuse_shared_programs(wanted: Wanted) -> None:
    owners: dict[str, str] = {}
    for name in wanted.tools:
        for program in {program for asset in wanted.lock.tools[name].assets for program in asset.executables}:
            if owners.setdefault(program, name) != name:
                raise ReleaseError(
                    f"two tools, {owners[program]} and {name}, both have a program {program}",
                    fix="name the programs you want of one of them in the manifest (executables: [...]), lock again",
                )


def tree_name(version: str, asset: LockedAsset) -> str:
    """Return the name of the tree that *asset* becomes on a host."""
    return f"{version}-{asset.sha256[:12]}"


def make_plan(wanted: Wanted, host: Host, state: probe.State) -> Plan:
    """Return what to do on *host*, which is in *state*. Raises ReleaseError when it cannot all be done."""
    locked = _locked_tools(wanted)
    choices = {name: choose_assuming(name, tool, host, wanted.prefer, wanted.assume) for name, tool in locked.items()}
    kept = set(locked) if wanted.is_present else set()
    doomed = set() if wanted.is_present else set(wanted.tools)
    if wanted.exact:
        doomed = (set(state.trees) | set(state.active)) - kept
    plans = [_plan_removal(name, state) for name in sorted(doomed)]
    plans += [_plan_tool(name, locked[name], choices[name], wanted, state, doomed) for name in locked]
    return Plan(wanted, state.root, state.bin_dir, tuple(sorted(plans, key=lambda plan: plan.tool)), _intact(state))


def _intact(state: probe.State) -> tuple[str, ...]:
    active = ((name, state.described.get((name, tree))) for name, tree in sorted(state.active.items()))
    return tuple(name for name, tree in active if tree and tree.verified_by and not drift.of_receipt(name, tree))


def _plan_removal(name: str, state: probe.State) -> ToolPlan:
    trees = state.trees.get(name, ())
    active = state.active.get(name)
    links = drift.links_of(name, state)
    if not trees and active is None and not links:
        return ToolPlan(name, "none", None, None, "is not installed")
    before = installed(name, state)
    order = ToolOrder(tool=name, expects=active, unlink=list(links), prune=list(trees), receipt={}, programs={})
    previous = before.get("version") or (trees[0].rpartition("-")[0] if trees else None)
    return ToolPlan(name, "remove", None, previous, "is no longer wanted", before=before, order=order)


def _plan_tool(
    name: str, tool: LockedTool, choice: Choice, wanted: Wanted, state: probe.State, doomed: set[str]
) -> ToolPlan:
    asset = choice.asset
    _refuse_foreign(name, asset, wanted, state, doomed)
    whole, damaged = _trees_of(name, tool, asset, state)
    active = state.active.get(name)
    before = installed(name, state)
    after = _described(tool.version, asset, state.bin_dir)
    damage = damaged.get(active or "", ())
    if active is not None and active in whole:
        damage = _misfits(name, active, asset, wanted, state)
    reuse = active if active in whole else next(iter(whole), None)
    prune = _surplus(name, reuse, damaged, wanted, state)
    action, reason = _action(tool.version, before, active, whole, damaged, damage, prune, choice)
    if action == "none":
        return ToolPlan(name, action, tool.version, before.get("version"), reason, asset, before, before)
    programs = {
        program: Program(executable.path, executable.sha256, executable.size)
        for program, executable in asset.executables.items()
    }
    order = ToolOrder(
        tool=name,
        expects=active,
        tree=tree_name(tool.version, asset),
        reuse=reuse,
        asset=_download(asset),
        programs=programs,
        adopt=[program for program in sorted(programs) if _is_foreign(program, state)],
        unlink=[program for program in drift.links_of(name, state) if program not in programs],
        check=list(wanted.checks.get(name, ())),
        receipt=_receipt(name, tool, choice, wanted),
        prune=prune,
    )
    if action in ("repair", "prune"):
        before = {**before, "state": "; ".join(damage) or f"keeps {', '.join(prune)}"}
    return ToolPlan(name, action, tool.version, before.get("version"), reason, asset, before, after, order)


def _action(
    version: str,
    before: Mapping[str, Any],
    active: str | None,
    whole: Sequence[str],
    damaged: Mapping[str, Any],
    damage: Sequence[str],
    prune: Sequence[str],
    choice: Choice,
) -> tuple[str, str]:
    if active is None:
        return "install", choice.reason
    if active in whole or active in damaged:
        if damage:
            return "repair", "; ".join(damage)
        return (
            ("prune", f"keeps more old versions than asked for: {', '.join(prune)}")
            if prune
            else ("none", choice.reason)
        )
    previous = before.get("version")
    if previous is None:
        return "repair", "its receipt is missing or unreadable"
    if previous == version:
        return "switch", choice.reason
    return ("upgrade" if _is_newer(version, previous) else "downgrade"), choice.reason


def _is_newer(version: str, previous: str) -> bool:
    try:
        return bool(packaging.version.Version(version) > packaging.version.Version(previous))
    except packaging.version.InvalidVersion:
        return version > previous


def _trees_of(
    name: str, tool: LockedTool, asset: LockedAsset, state: probe.State
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the trees on the host that are *asset*: those that are whole, and the damage of the others."""
    whole: list[str] = []
    damaged: dict[str, tuple[str, ...]] = {}
    is_of_asset = re.compile(re.escape(tree_name(tool.version, asset)) + r"(\.\d+)?\Z")
    for (owner, tree_of_host), tree in sorted(state.described.items()):
        if owner != name or not is_of_asset.match(tree_of_host):
            continue
        damage = drift.of_tree(name, tree, asset.executables, asset.sha256)
        if damage:
            damaged[tree_of_host] = damage
        else:
            whole.append(tree_of_host)
    return tuple(whole), damaged


def _misfits(name: str, active: str, asset: LockedAsset, wanted: Wanted, state: probe.State) -> tuple[str, ...]:
    """Return what is wrong around a whole tree: links in bin_dir, owner, group and mode of its programs."""
    misfits = list(drift.of_links(name, asset.executables, state))
    for program in sorted(asset.executables):
        attributes = state.described[name, active].programs[program]
        if int(attributes.mode, 8) != wanted.mode:
            misfits.append(f"{program} has mode {attributes.mode.zfill(4)}, not {wanted.mode:04o}")
        if wanted.owner and wanted.owner not in (attributes.user, attributes.uid):
            misfits.append(f"{program} belongs to {attributes.user}, not {wanted.owner}")
        if wanted.group and wanted.group not in (attributes.group, attributes.gid):
            misfits.append(f"{program} belongs to group {attributes.group}, not {wanted.group}")
    return tuple(misfits)


def _surplus(
    name: str, becomes: str | None, damaged: Mapping[str, Any], wanted: Wanted, state: probe.State
) -> list[str]:
    """Return the trees to delete: damaged ones, and old ones beyond what is kept. The probe lists the newest first."""
    active = state.active.get(name)
    old = [tree for tree in state.trees.get(name, ()) if tree != becomes and tree not in damaged]
    if active in old:
        old.remove(active)
        old.insert(0, str(active))
    return sorted([*old[wanted.keep :], *damaged])


def _refuse_foreign(name: str, asset: LockedAsset, wanted: Wanted, state: probe.State, doomed: set[str]) -> None:
    for program in sorted(asset.executables):
        other = drift.owner(program, state)
        if other and other != name and other not in doomed:
            still_has = wanted.lock.tools.get(other)
            if still_has is None or any(program in theirs.executables for theirs in still_has.assets):
                raise ReleaseError(
                    f"{name}: {state.bin_dir}/{program} belongs to another installed tool, {other}",
                    fix=f"remove {other} (state: absent, or exact: true), or choose other executables in the manifest",
                )
        if _is_foreign(program, state) and not wanted.adopt:
            raise _in_the_way(name, program, state)


def _in_the_way(name: str, program: str, state: probe.State) -> ReleaseError:
    link = state.links.get(program)
    other = LINK_OF_SOME_ROOT.match(link or "")
    whose = "it belongs to another root" if other else "pinned.release did not put it there"
    choose_folder = f"set root: {other[1]}, or another bin_dir; else " if other else ""
    return ReleaseError(
        f"{name}: {state.bin_dir}/{program} is there already, and {whose}",
        found=f"a link to {link}" if link else "a file",
        fix=f"{choose_folder}remove it, or set adopt: true to keep a backup of it and take its place",
    )


def _is_foreign(program: str, state: probe.State) -> bool:
    return program in state.foreign or (program in state.links and drift.owner(program, state) is None)


def installed(name: str, state: probe.State) -> dict[str, Any]:
    """Return what a diff shows of the tool as it is on the host."""
    tree = state.described.get((name, state.active.get(name, "")))
    if tree is None:
        return {}
    known = {key: tree.receipt.get(key) for key in ("version", "target", "sha256")}
    return {**known, "programs": [f"{state.bin_dir}/{program}" for program in sorted(tree.programs)]}


def _described(version: str, asset: LockedAsset, bin_dir: str) -> dict[str, Any]:
    programs = [f"{bin_dir}/{program}" for program in sorted(asset.executables)]
    return {"version": version, "target": asset.target, "sha256": asset.sha256, "programs": programs}


def _download(asset: LockedAsset) -> Download:
    return Download(asset.name, asset.url, asset.size, asset.sha256, asset.format, asset.unpacked_size)


def _receipt(name: str, tool: LockedTool, choice: Choice, wanted: Wanted) -> dict[str, Any]:
    asset = choice.asset
    return {
        "receipt_version": RECEIPT_VERSION,
        "tool": name,
        "version": tool.version,
        "target": asset.target,
        "reason": choice.reason,
        "asset": asset.name,
        "sha256": asset.sha256,
        "source_url": asset.url,
        "source": dict(tool.source),
        "evidence": [asdict(evidence) for evidence in asset.evidence],
        "executables": {name: asdict(program) for name, program in asset.executables.items()},
        "lock_sha256": wanted.lock_digest,
    }


def sealed_plan(wanted: Wanted, trees: Mapping[str, str]) -> Plan:
    """Return the plan of a host that answered "all as sealed": nothing to do, told from the lock file alone."""
    plans = [_sealed_tool(name, wanted, trees.get(name, "")) for name in wanted.tools]
    return Plan(wanted, wanted.root, wanted.bin_dir, tuple(plans))


def _sealed_tool(name: str, wanted: Wanted, tree: str) -> ToolPlan:
    if not wanted.is_present:
        return ToolPlan(name, "none", None, None, "is not installed")
    tool = wanted.lock.tools[name]
    asset = next((asset for asset in tool.assets if tree.startswith(tree_name(tool.version, asset))), None)
    return ToolPlan(name, "none", tool.version, tool.version, "is as pinned, and unchanged since it was sealed", asset)


def orders(plan: Plan) -> Orders:
    """Return the exact orders that carry out *plan*."""
    return Orders(
        root=plan.root,
        bin_dir=plan.bin_dir,
        wanted=wanted_digest(plan.wanted),
        fingerprint=probe.fingerprint(),
        owner=plan.wanted.owner,
        group=plan.wanted.group,
        mode=plan.wanted.mode,
        sealed=sorted({tool.tool for tool in plan.tools} | set(plan.intact)),
        tools=[tool.order for tool in plan.tools if tool.order],
    )


def results(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the result of each tool, as the user sees it; the same in check mode and after the real run."""
    return {tool.tool: _result(tool) for tool in plan.tools}


def _result(tool: ToolPlan) -> dict[str, Any]:
    result: dict[str, Any] = {"action": tool.action, "version": tool.version, "previous": tool.previous}
    result["reason"] = tool.reason
    if tool.asset and tool.version:
        result["target"] = tool.asset.target
        result["sha256"] = tool.asset.sha256
        result["source_url"] = tool.asset.url
        result["evidence"] = [asdict(evidence) for evidence in tool.asset.evidence]
        result["programs"] = sorted(tool.asset.executables)
    return result


def notes(plan: Plan) -> list[str]:
    """Return what changes, a line each: ``uv: upgrade 0.9.8 → 0.9.9, TARGET (REASON)``."""
    return [_note(tool) for tool in plan.tools if tool.action != "none"]


def _note(tool: ToolPlan) -> str:
    versions = " → ".join(dict.fromkeys(version for version in (tool.previous, tool.version) if version))
    target_of_it = f", {tool.asset.target}" if tool.asset and tool.version else ""
    return f"{tool.tool}: {tool.action} {versions}{target_of_it} ({tool.reason})"


def diff(plan: Plan) -> dict[str, str]:
    """Return the plan's changes as Ansible shows them with --diff."""
    changed = [tool for tool in plan.tools if tool.action != "none"]
    return {
        "before_header": f"{plan.root} (as it is)",
        "after_header": f"{plan.root} (as pinned)",
        "before": "".join(_lines(tool.tool, tool.before) for tool in changed),
        "after": "".join(_lines(tool.tool, tool.after) for tool in changed),
    }


def _lines(tool: str, known: Mapping[str, Any]) -> str:
    if not known:
        return ""
    lines = [f"{tool}:"]
    for key, value in known.items():
        lines.append(f"  {key}: {' '.join(value) if isinstance(value, list) else value}")
    return "\n".join(lines) + "\n"
