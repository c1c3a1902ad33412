# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be done so that a host has what was pinned? Wanted + host + its state → plan. Pure; on the controller.

Check mode, diff, result and orders are views of the one plan (views.py), so that what is announced is what happens.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import COPY, Download, Program, ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils._choice.choice import (
    Choice,
    UnsupportedError,
    together,
)
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import texts
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import Answer
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Sealed, State, Tree
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import (
    drift,
    ordered_capabilities,
    ordered_layouts,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.appearance import (
    Appearance,
    as_installed,
    as_pinned,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.foresight import (
    refuse_among_the_kept,
    refuse_dependent,
    refuse_hopeless,
    refuse_incapable,
    refuse_powerless,
    refuse_shared_links,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.shared_tree import (
    refuse_another_platform,
    refuse_apart,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import (
    Asked,
    Wanted,
    choice_for,
    locked_tools,
    reader_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool, found_at
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_newer
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Action

#: none: as pinned. switch: the same version, another asset. prune: only old versions go.
#: Where the links of an installation lead to, whatever its root.
LINK_OF_SOME_ROOT = re.compile(r"(/.+)/current/[^/]+/(?:bin|files)/.+\Z")

#: What lets a host have the tools that run on it, where others do not.
SKIP = "unsupported: skip, or tools_unsupported=skip"
#: What the mode of a program is if nobody asked for another one.
PROGRAM_MODE = 0o755

#: How alike two names are, from 0 to 1, when one of them seems to be a slip: ruff and rufff are, uv and uvx are not.
NEAR = 0.81


@dataclass(frozen=True)
class ToolPlan:
    """What becomes of one tool on one host.

    version    after the plan is carried out; None when the tool is removed
    previous   before; None when it was not there
    reason     why this asset, or why this action
    is_plain   whether the action needs no reason, because the asset is the one that anybody would expect
    changes_program  whether a service that runs the program must restart: not for old versions, receipts and layouts
    """

    tool: str
    action: Action
    version: str | None
    previous: str | None
    reason: str
    asset: LockedAsset | None = None
    before: Appearance | None = None
    after: Appearance | None = None
    order: ToolOrder | None = None
    is_plain: bool = False
    changes_program: bool = False


@dataclass(frozen=True)
class Plan:
    """What becomes of all tools on one host.

    layouts   by what else the tools are found below root (layouts.py)
    intact    other tools there, found as they were installed
    unpinned  tools there that stay and that the lock file does not name, with their versions
    unsupported  tools that do not run there and are left as they are, with the reasons
    is_on_path   whether bin_dir is on the PATH of who runs, or among the system's usual folders
    """

    wanted: Wanted
    root: str
    bin_dir: str
    tools: tuple[ToolPlan, ...]
    layouts: tuple[str, ...] = ()
    intact: tuple[str, ...] = ()
    unpinned: Mapping[str, str] = field(default_factory=dict)
    unsupported: Mapping[str, str] = field(default_factory=dict)
    is_on_path: bool = True

    @property
    def is_changed(self) -> bool:
        """Whether anything that a user sees changes."""
        return any(tool.action != "none" for tool in self.tools)


@dataclass(frozen=True)
class _Misfits:
    """What is wrong with an active tree, or around it, and whether a program that runs from it is none the worse."""

    texts: tuple[str, ...] = ()
    is_beside_program: bool = False


@dataclass(frozen=True)
class _Found:
    """What there is of one tool: its active tree, and those of the asset that is wanted: whole ones, damaged ones."""

    active: str | None
    whole: tuple[str, ...]
    damaged: Mapping[str, tuple[str, ...]]
    misfits: _Misfits

    @property
    def reuse(self) -> str | None:
        """The tree to keep or to go back to, if there is a whole one."""
        return self.active if self.active in self.whole else next(iter(self.whole), None)


def make_plan(wanted: Wanted, host: Host, state: State) -> Plan:
    """Return what to do on *host*, which is in *state*. Raises ReleaseError when it cannot all be done."""
    locked = locked_tools(wanted)
    refuse_among_the_kept(state)
    reader = reader_of(wanted, host)
    if wanted.platform:
        refuse_apart(state.root, state.bin_dir)
        if wanted.is_present:
            receipts = [tree.receipt for _name, tree in sorted(state.described.items()) if tree.receipt]
            refuse_another_platform(wanted.platform, state.root, receipts)
    choices, unsupported = _choices(locked, wanted, host)
    layouts = ordered_layouts.of_host(wanted.layouts, reader) if wanted.is_present else ()
    trees = {name: locked[name].tree_of(choice.asset) for name, choice in choices.items()}
    ordered_layouts.refuse_unfit(layouts, trees, state)
    refuse_shared_links({name: choice.asset for name, choice in choices.items()})
    if wanted.is_present:
        refuse_unknown_group(wanted, state)
    else:
        _refuse_misspelt(wanted, state)
    doomed = _doomed(wanted, state)
    plans = [_plan_removal(name, wanted, state) for name in sorted(doomed)]
    plans += [_plan_tool(name, locked[name], choice, wanted, layouts, state) for name, choice in choices.items()]
    plans += [_plan_unsupported(name, reason, state) for name, reason in unsupported.items()]
    orders = [plan.order for plan in plans if plan.order]
    refuse_hopeless(orders, state, starts_here=wanted.platform is None)
    refuse_powerless(orders, state, host, (wanted.is_present and wanted.owner) or "")
    refuse_incapable(orders, state, host)
    return Plan(
        wanted=wanted,
        root=state.root,
        bin_dir=state.bin_dir,
        tools=tuple(sorted(plans, key=lambda plan: plan.tool)),
        layouts=layouts,
        intact=_intact(state),
        unpinned=_unpinned(wanted, {name: tree for name, tree in state.active.items() if name not in doomed}),
        unsupported=unsupported,
        is_on_path=state.is_on_path or wanted.platform is not None,
    )


def _choices(locked: Mapping[str, LockedTool], wanted: Wanted, host: Host) -> tuple[dict[str, Choice], dict[str, str]]:
    """Return the choice of each *locked* tool for *host*, and why there is none of the others.

    Raises ReleaseError that names all of the latter, unless they are to be skipped.
    """
    choices: dict[str, Choice] = {}
    refusals: dict[str, UnsupportedError] = {}
    for name, tool in locked.items():
        try:
            choices[name] = choice_for(name, tool, wanted, host)
        except UnsupportedError as error:
            refusals[name] = error
    if refusals and not wanted.skips_unsupported:
        refused = together(list(refusals.values()))
        raise ReleaseError(refused.what, refused.expected, fix=f"{refused.fix}; or leave it out here: {SKIP}")
    return choices, {name: error.reason for name, error in refusals.items()}


def receipt_for(name: str, tool: LockedTool, choice: Choice, lock_digest: str, bin_dir: str) -> Receipt:
    """Return the receipt of *tool* where a host gets *choice* of it; the host adds when it was installed."""
    asset = choice.asset
    return Receipt(
        tool=name,
        version=tool.version,
        target=asset.target,
        reason=choice.reason,
        asset=asset.name,
        sha256=asset.sha256,
        tree_sha256=asset.tree_sha256,
        source_url=asset.url,
        source=dict(tool.source),
        evidence=asset.evidence,
        executables=asset.executables,
        lock_sha256=lock_digest,
        bin_dir=bin_dir,
        files=asset.files,
    )


def _doomed(wanted: Wanted, state: State) -> set[str]:
    if not wanted.is_present:
        return set(wanted.tools)
    there = {*state.trees, *state.active, *state.astray}
    return there - set(wanted.tools) if wanted.exact else set()


def _unpinned(wanted: Wanted, active: Mapping[str, str]) -> dict[str, str]:
    """Return the tools of *active* (name to tree) that a task about the whole lock file leaves where they are."""
    if not wanted.is_present or wanted.names is not None:
        return {}
    return {name: tree.rpartition("-")[0] for name, tree in sorted(active.items()) if name not in wanted.lock.tools}


def _refuse_misspelt(wanted: Wanted, state: State) -> None:
    """What is not there is absent already, unless it only seems to be: then a tool that must go would stay."""
    known = sorted({*state.trees, *state.active, *state.astray, *wanted.lock.tools})
    owners = {
        program: tool
        for (tool, _tree), tree in state.described.items()
        if tree.receipt
        for program in tree.receipt.executables
    }
    for name in wanted.tools:
        if name not in known and name in owners:
            raise ReleaseError(
                f"there is no tool {name} to remove: it is a program of {owners[name]}", fix=f"name {owners[name]}"
            )
        near = difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
        if name not in known and near:
            raise ReleaseError(
                f"there is no tool {name} to remove, neither installed here nor in the lock file",
                expected=f"one of {', '.join(known)}",
                fix=f"did you mean {near[0]}?",
            )


def refuse_unknown_group(wanted: Wanted, state: State) -> None:
    """Raise ReleaseError where the host has no such group, or owner, as *wanted* asks for."""
    if state.gid is None and (wanted.group or wanted.owner):
        missing = f"group {wanted.group}" if wanted.group else f"user {wanted.owner}"
        raise ReleaseError(f"this host has no {missing}", fix="create it first, or correct the option")


def _intact(state: State) -> tuple[str, ...]:
    active = ((name, state.described.get((name, tree))) for name, tree in sorted(state.active.items()))
    return tuple(name for name, tree in active if tree and tree.verified_by and not drift.of_receipt(name, tree))


def _plan_removal(name: str, wanted: Wanted, state: State) -> ToolPlan:
    trees = state.trees.get(name, ())
    active = state.active.get(name)
    links = drift.links_of(name, state)
    if not trees and active is None and not links and name not in state.astray:
        return ToolPlan(name, "none", None, None, "is not installed")
    _refuse_left_over(name, wanted, state)
    before = as_installed(name, state)
    order = ToolOrder(tool=name, expects=active, unlink=list(links), prune=list(trees), receipt={}, programs={})
    previous = (before and before.version) or (trees[0].rpartition("-")[0] if trees else None)
    reason = "is no longer wanted" if wanted.is_present else "as asked"
    return ToolPlan(name, "remove", None, previous, reason, before=before, order=order, changes_program=True)


def _refuse_left_over(name: str, wanted: Wanted, state: State) -> None:
    """Raise ReleaseError if links or copies of a tool that goes are in a folder that this task does not change."""
    there = state.where_linked(name)
    if there is state or not drift.links_of(name, there):
        return
    absent = f"tools: [{name}], state: absent" if wanted.is_present else "state: absent"
    raise ReleaseError(
        f"{name} is to be removed, and its programs would stay in {there.bin_dir}",
        found=f"bin_dir: {state.bin_dir}",
        fix=f"remove it with {absent}, bin_dir: {there.bin_dir}",
    )


def _plan_unsupported(name: str, reason: str, state: State) -> ToolPlan:
    before = as_installed(name, state)
    version = before.version if before else None
    return ToolPlan(name, "none", version, version, f"does not run on this host: {reason}", before=before, after=before)


def _plan_tool(
    name: str, tool: LockedTool, choice: Choice, wanted: Wanted, layouts: tuple[str, ...], state: State
) -> ToolPlan:
    asset = choice.asset
    _refuse_foreign(name, asset, wanted, state)
    if wanted.bin == COPY:
        refuse_dependent(name, asset)
    capabilities = ordered_capabilities.of_asset(name, asset, wanted.capabilities)
    receipt = receipt_for(name, tool, choice, wanted.lock_digest, state.bin_dir)
    receipt = replace(receipt, bin=wanted.bin, capabilities=capabilities, layouts=layouts)
    found = _find(name, receipt, wanted, state)
    prune = _surplus(name, found, wanted, state)
    before = as_installed(name, state)
    action, reason = _action(name, found, prune, receipt, state)
    is_plain = action not in ("repair", "prune") and not choice.is_surprising
    previous = before.version if before else None
    plan = ToolPlan(name, action, tool.version, previous, reason, asset, before, before, is_plain=is_plain)
    if action == "none":
        return plan
    if before and action in ("repair", "prune"):
        before = replace(before, state="; ".join(found.misfits.texts) or f"keeps {', '.join(prune)}")
    order = ToolOrder(
        tool=name,
        expects=found.active,
        tree=tool.tree_of(asset),
        reuse=found.reuse,
        asset=None if found.reuse else _download(asset, wanted),
        programs={one: Program(file.path, file.sha256, file.size) for one, file in asset.executables.items()},
        tree_sha256=asset.tree_sha256,
        files=dict(asset.files),
        bin=wanted.bin,
        wrapped=list(asset.wrapped),
        adopt=[link for link in asset.links if _is_foreign(link, state)],
        unlink=[link for link in drift.links_of(name, state) if link not in asset.links],
        check=list(wanted.checks.get(name, ())),
        capabilities=capabilities,
        receipt=receipt.to_json(),
        prune=prune,
    )
    changes_program = action != "prune" and not found.misfits.is_beside_program
    after = as_pinned(tool.version, asset, state, capabilities)
    return replace(plan, before=before, after=after, order=order, changes_program=changes_program)


def _action(name: str, found: _Found, prune: Sequence[str], receipt: Receipt, state: State) -> tuple[Action, str]:
    if name in state.astray:
        return "repair", f"{state.root}/current/{name} leads to no tree of {name}"
    if found.active is None:
        return "install", receipt.reason
    if found.misfits.texts:
        return "repair", "; ".join(found.misfits.texts)
    if found.active in found.whole:
        surplus = f"keeps more old versions than asked for: {', '.join(prune)}"
        return ("prune", surplus) if prune else ("none", receipt.reason)
    before = state.described.get((name, found.active))
    if before is None or before.receipt is None:
        return "repair", "its receipt is missing or unreadable"
    previous = before.receipt.version
    if previous == receipt.version:
        return "switch", receipt.reason
    return ("upgrade" if is_newer(receipt.version, previous) else "downgrade"), receipt.reason


def _find(name: str, receipt: Receipt, wanted: Wanted, state: State) -> _Found:
    """Return the host's trees of the asset that *receipt* names, and what is wrong with the active one."""
    whole: list[str] = []
    damaged: dict[str, tuple[str, ...]] = {}
    asset_tree = f"{receipt.version}-{receipt.sha256[:12]}"
    for tree in state.trees_of(name):
        if not _is_of_asset(tree.name, asset_tree):
            continue
        damage = (*_differences(name, tree, receipt), *texts(drift.of_other_files(tree, receipt)))
        if damage:
            damaged[tree.name] = damage
        else:
            whole.append(tree.name)
    active = state.active.get(name)
    misfits = _Misfits(damaged.get(active or "", ()))
    if active in whole:
        misfits = _misfits(name, state.described[name, str(active)], receipt, wanted, state)
    return _Found(active, tuple(whole), damaged, misfits)


def _is_of_asset(tree: str, asset_tree: str) -> bool:
    """Tell whether *tree* is called *asset_tree*, or so with the number that a host adds where that name is taken."""
    number = tree.removeprefix(f"{asset_tree}.")
    return tree == asset_tree or (number != tree and number.isdecimal())


def _differences(name: str, tree: Tree, receipt: Receipt) -> tuple[str, ...]:
    """Return how *tree* differs from the one that *receipt* names, in the manifest's words if that is all."""
    found = drift.of_tree(name, tree, receipt.tree_sha256)
    if found and tree.receipt and not drift.of_tree(name, tree, tree.receipt.tree_sha256):
        return drift.relinked(tree, receipt) or texts(found)
    return texts(found)


def _misfits(name: str, tree: Tree, receipt: Receipt, wanted: Wanted, state: State) -> _Misfits:
    """Return what is wrong around a whole tree: the links to it, mode and group of its programs, its receipt."""
    of_capabilities = drift.of_capabilities(tree, receipt)
    of_layouts = drift.of_layouts(name, receipt.layouts, state.trees.get(name, ()), state)
    of_program = (
        *drift.expected_of_copies(wanted.mode, receipt, state),
        *drift.expected_mode(wanted.mode, tree, receipt.executables),
        *drift.expected_group(state.gid, tree),
        *of_capabilities,
    )
    outside = drift.of_outside(name, receipt, state)
    told = texts((*outside, *of_layouts, *of_program))
    if tree.receipt is None:
        return _Misfits((*told, "its receipt is missing or unreadable"))
    deviations = list(drift.deviations(tree.receipt, receipt))
    if of_capabilities and "capabilities" in deviations:
        deviations.remove("capabilities")
    if deviations:
        told = (*told, f"its receipt does not say what the lock file says: {', '.join(deviations)}")
    is_beside_program = not outside and not of_program and drift.OF_ORIGIN.issuperset(deviations)
    return _Misfits(told, bool(told) and is_beside_program)


def _surplus(name: str, found: _Found, wanted: Wanted, state: State) -> list[str]:
    """Return the trees to delete: damaged ones, and old ones beyond what is kept. The probe lists the newest first."""
    old = [tree for tree in state.trees.get(name, ()) if tree != found.reuse and tree not in found.damaged]
    if found.active in old:
        old.remove(found.active)
        old.insert(0, found.active)
    return sorted([*old[wanted.keep :], *found.damaged])


def _refuse_foreign(name: str, asset: LockedAsset, wanted: Wanted, state: State) -> None:
    doomed = _doomed(wanted, state)
    for link in asset.links:
        _refuse_in_bin_dir(name, link, state)
        other = state.owner(link)
        if other and other != name and other not in doomed:
            still_has = wanted.lock.tools.get(other)
            if still_has is None or any(link in theirs.links for theirs in still_has.assets):
                kind = "files" if "/" in link else "executables"
                raise ReleaseError(
                    f"{name}: {state.place_of(link)} belongs to another installed tool, {other}",
                    fix=f"remove {other} (state: absent, or exact: true), or choose other {kind} in the manifest",
                )
        if _is_foreign(link, state) and not wanted.adopt:
            raise _in_the_way(name, link, state)


def _refuse_in_bin_dir(tool: str, link: str, state: State) -> None:
    """What lies in bin_dir is a program, whatever the folder is called: one place cannot have two names."""
    if state.place_of(link).rpartition("/")[0] == state.bin_dir and "/" in link:
        raise ReleaseError(
            f"{tool}: the file {link} would lie in bin_dir, {state.bin_dir}",
            fix="name it in the manifest's executables if it is a program, else choose another path or bin_dir",
        )


def _in_the_way(name: str, path: str, state: State) -> ReleaseError:
    link = state.links.get(path)
    # Where root and bin_dir lie in one tree, the link is relative.
    target = posixpath.normpath(posixpath.join(posixpath.dirname(state.place_of(path)), link or ""))
    other = LINK_OF_SOME_ROOT.match(target)
    whose = "it belongs to another root" if other else "pinned.release did not put it there"
    choose_folder = f"set root: {other[1]}, or another bin_dir; else " if other else ""
    return ReleaseError(
        f"{name}: {state.place_of(path)} is there already, and {whose}",
        found=f"a link to {link}" if link else "a file",
        fix=f"{choose_folder}remove it, or set adopt: true to keep a backup of it and take its place",
    )


def _is_foreign(name: str, state: State) -> bool:
    return name in state.foreign or (name in state.links and state.owner(name) is None)


def _download(asset: LockedAsset, wanted: Wanted) -> Download:
    """Return where a host gets *asset*. Raises ReleaseError where it may not ask anybody."""
    places = wanted.mirrors.addresses(found_at(asset.url, wanted.lock_folder))
    return Download(
        name=asset.name,
        urls=[place.url for place in places],
        size=asset.size,
        sha256=asset.sha256,
        format=asset.format,
        unpacked_size=asset.unpacked_size,
        headers={place.url: dict(place.headers) for place in places if place.headers},
    )


def settled_plan(wanted: Wanted, asked: Asked, answer: Answer) -> Plan | None:
    """Return the plan of a host that *answer*s that nothing has changed; None where it must be asked for all there is.

    *asked* is what it was asked for *wanted*. Raises ReleaseError where the answer contradicts the lock file.
    """
    if answer.sealed is not None:
        return sealed_plan(wanted, asked, answer.sealed)
    return compared_plan(wanted, answer.state) if answer.state is not None and answer.host is None else None


def sealed_plan(wanted: Wanted, asked: Asked, sealed: Sealed) -> Plan:
    """Return the plan of a host that answered *sealed*: nothing to do for what is *wanted*, by the lock file alone.

    Raises ReleaseError where the active trees are not those that the lock file asks for.
    """
    plans = [_sealed_tool(name, asked, sealed.trees.get(name, "")) for name in wanted.tools]
    return Plan(wanted, sealed.root, wanted.bin_dir, tuple(plans), unpinned=_unpinned(wanted, sealed.strays))


def _sealed_tool(name: str, asked: Asked, tree: str) -> ToolPlan:
    if name not in asked.trees:
        return ToolPlan(name, "none", None, None, "is not installed")
    version, trees = asked.trees[name]
    if not tree.startswith(trees):
        raise ReleaseError(
            f"the host says that all is as sealed, but its {name} is not of the version that is pinned",
            expected=f"a tree of {name} {version}",
            found=tree or "none",
            fix="somebody changed its seal or its shell: look at the host before you trust it",
        )
    return ToolPlan(name, "none", version, version, "is as pinned, and unchanged since it was sealed")


def _asset_of(tree: str, tool: LockedTool) -> LockedAsset | None:
    """Return the asset of *tool* that became *tree*, by its name; None for a tree of another version."""
    return next((asset for asset in tool.assets if tree.startswith(tool.tree_of(asset))), None)


def compared_plan(wanted: Wanted, state: State) -> Plan | None:
    """Return the plan of a host whose seals fit and whose every byte was compared: nothing to do for what is *wanted*.

    Which assets were chosen for it, the seals tell; all else is held against the lock file as in make_plan(). None
    where anything is not as pinned: what to do then, only an answer tells that describes the machine, too.
    """
    # In a listing, programs have that mode: where no other one is told, they have it.
    if not wanted.is_present or wanted.mode != PROGRAM_MODE or wanted.layouts or _doomed(wanted, state):
        return None
    plans = []
    try:
        refuse_unknown_group(wanted, state)
        for name, tool in locked_tools(wanted).items():
            asset = _asset_of(state.active.get(name, ""), tool)
            if asset is None:
                return None
            choice = Choice(asset, "is as pinned, down to each byte")
            planned = _plan_tool(name, tool, choice, wanted, (), state)
            if planned.action != "none":
                return None
            plans.append(ToolPlan(name, "none", tool.version, tool.version, planned.reason))
    except ReleaseError:
        return None
    return Plan(wanted, state.root, state.bin_dir, tuple(plans), unpinned=_unpinned(wanted, state.active))
