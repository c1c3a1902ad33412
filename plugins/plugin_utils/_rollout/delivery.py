# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which assets that a plan needs does the controller bring to the host, and which does the host download? Pure.

Only what the host lacks is brought: nothing where a kept tree is reused. Runs on the controller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import Plan, ToolPlan
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, found_at
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FetchFrom

#: What a host says of a name (http_get.py). What its C library says of it has other words in each library.
CANNOT_RESOLVE = re.compile(r"cannot resolve the name \S+")


@dataclass(frozen=True)
class Way:
    """How assets come to one host.

    fetch_from    what the user says
    shares_files  whether the host is the controller, and may read its cache
    unanswered    why the host got no answer when it tried to download, if it did
    """

    fetch_from: FetchFrom = "auto"
    shares_files: bool = False
    unanswered: ReleaseError | None = None


@dataclass(frozen=True)
class Delivery:
    """An asset that the controller brings, to the tool of a plan.

    is_offer  whether that is only done if the bytes are in the cache already: the host can download them as well
    """

    tool: str
    version: str
    asset: LockedAsset
    source: DeclaredSource
    is_offer: bool = False


def deliveries(plan: Plan, way: Way) -> tuple[Delivery, ...]:
    """Return what the controller brings of what *plan* needs, in the order of its tools.

    Raises ReleaseError where hosts must download everything by themselves, and cannot.
    """
    return tuple(found for tool in plan.tools if _lacks_bytes(tool) and (found := _delivery(plan, tool, way)))


def read_in_place(plan: Plan, way: Way) -> tuple[Delivery, ...]:
    """Return what nobody brings, nor offers, since the host is the controller and shall read it in a folder itself."""
    if way.fetch_from != "host" or not way.shares_files:
        return ()
    files = {tool.tool: tool.asset for tool in plan.tools if _lacks_bytes(tool) and tool.asset and _is_file(tool.asset)}
    return tuple(_whole(plan, tool, asset) for tool, asset in files.items())


def with_files(plan: Plan, files: Mapping[str, CachedFile], way: Way) -> Plan:
    """Return *plan* with orders that take the bytes of a tool from its one of the *files*, if there is one."""
    return replace(plan, tools=tuple(_with_file(tool, files.get(tool.tool), way) for tool in plan.tools))


def pushed(plan: Plan, files: Mapping[str, CachedFile]) -> tuple[CachedFile, ...]:
    """Return those of *files* whose bytes go with the orders of *plan*, in the order in which the host needs them."""
    orders = (tool.order for tool in plan.tools if tool.order)
    return tuple(files[order.tool] for order in orders if order.asset and order.asset.pushed)


def notes(brought: Sequence[Delivery], way: Way) -> list[str]:
    """Return what to tell of those *brought* assets that only came so because the host got no answer."""
    if way.unanswered is None:
        return []
    tools = ", ".join(one.tool for one in brought if not _is_out_of_reach(one.asset, way))
    unresolved = CANNOT_RESOLVE.search(way.unanswered.what)
    why = unresolved[0] if unresolved else f"gets no answer ({way.unanswered.found or 'none'})"
    return [f"sent by the controller, as the host {why}: {tools}"]


def _lacks_bytes(tool: ToolPlan) -> bool:
    return tool.order is not None and tool.order.tree is not None and tool.order.reuse is None


def _delivery(plan: Plan, tool: ToolPlan, way: Way) -> Delivery | None:
    """Return how the controller brings what *tool* needs; None where the host downloads it."""
    if tool.asset is None:
        return None
    delivery = _whole(plan, tool.tool, tool.asset)
    if way.fetch_from == "host":
        _refuse_private(tool.tool, tool.asset)
        return None
    if way.fetch_from == "controller" or way.unanswered or _is_out_of_reach(tool.asset, way):
        return delivery
    return replace(delivery, is_offer=True) if way.shares_files else None


def _whole(plan: Plan, tool: str, asset: LockedAsset) -> Delivery:
    locked = plan.wanted.lock.tools[tool]
    found = replace(asset, url=found_at(asset.url, plan.wanted.lock_folder))
    return Delivery(tool, locked.version, found, locked.source)


def _is_out_of_reach(asset: LockedAsset, way: Way) -> bool:
    """Return whether the host cannot have *asset* by itself, whatever network it has."""
    return bool(asset.private_url) or (_is_file(asset) and not way.shares_files)


def _is_file(asset: LockedAsset) -> bool:
    return asset.url.startswith("file:")


def _refuse_private(tool: str, asset: LockedAsset) -> None:
    if asset.private_url:
        raise ReleaseError(
            f"{tool}: {asset.name} is private, and hosts have no credentials to download it",
            found="fetch_from: host",
            fix="leave out fetch_from, so that the controller downloads it with its credentials and sends it",
        )


def _with_file(tool: ToolPlan, file: CachedFile | None, way: Way) -> ToolPlan:
    if not _lacks_bytes(tool) or tool.order is None or tool.order.asset is None:
        return tool
    if file is None:
        # Files of the host's own are not asked for over a network.
        is_pushable = way.fetch_from == "auto" and not any(url.startswith("file:") for url in tool.order.asset.urls)
        return replace(tool, order=_with_asset(tool.order, pushable=is_pushable))
    if way.shares_files:
        return replace(tool, order=_with_asset(tool.order, urls=[Path(file.path).as_uri()], headers={}))
    return replace(tool, order=_with_asset(tool.order, pushed=True, headers={}))


def _with_asset(order: ToolOrder, **changes: Any) -> ToolOrder:
    return order._replace(asset=order.asset._replace(**changes)) if order.asset else order
