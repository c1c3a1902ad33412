# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a host told to do, and what does it answer? Value types that cross the wire as JSON; used on both sides.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

import typing as t


class Program(t.NamedTuple):
    """One program of an asset: its path inside, the digest of its bytes, its size in bytes."""

    path: str
    sha256: str
    size: int


class Download(t.NamedTuple):
    """One asset to fetch and unpack; sizes in bytes."""

    name: str
    url: str
    size: int
    sha256: str
    format: str
    unpacked_size: int


class ToolOrder(t.NamedTuple):
    """What to do with one tool.

    tool      its name
    expects   the tree that was active when the host was asked, None if none was: else the order is stale
    tree      name for the new tree in the store; None removes the tool
    reuse     the kept tree to go back to instead of downloading
    asset     what to download where nothing is reused
    programs  the links to have, by name
    adopt     those of the links at whose place a foreign file may be set aside
    unlink    links to take away, once the new tree is active
    check     command that must succeed from staging
    receipt   what the tree's receipt shall say; the host adds when
    prune     trees to delete at the end
    """

    tool: str
    expects: t.Optional[str] = None
    tree: t.Optional[str] = None
    reuse: t.Optional[str] = None
    asset: t.Optional[Download] = None
    programs: t.Dict[str, Program] = {}
    adopt: t.List[str] = []
    unlink: t.List[str] = []
    check: t.List[str] = []
    receipt: t.Dict[str, t.Any] = {}
    prune: t.List[str] = []


class Orders(t.NamedTuple):
    """All that a host is told in one run.

    root, bin_dir   absolute paths
    wanted          digest of the state asked for, which the seal will carry
    fingerprint     shell text that prints the fingerprint of all that is active; the same that the probe runs
    owner, group    for what is installed; None leaves it to the user who runs
    mode            of the programs
    sealed          tools that are, or will be, as they were installed: only of these the seal may speak
    """

    root: str
    bin_dir: str
    wanted: str
    fingerprint: str
    owner: t.Optional[str] = None
    group: t.Optional[str] = None
    mode: int = 0o755
    sealed: t.List[str] = []
    tools: t.List[ToolOrder] = []


def to_json(orders: Orders) -> t.Dict[str, t.Any]:
    """Return *orders* as plain dictionaries and lists."""
    document = orders._asdict()  # type: t.Dict[str, t.Any]
    document["tools"] = [_tool_to_json(order) for order in orders.tools]
    return dict(document)


def from_json(document: t.Dict[str, t.Any]) -> Orders:
    """Return the orders that to_json wrote."""
    return Orders(**dict(document, tools=[_tool_from_json(order) for order in document["tools"]]))


def _tool_to_json(order: ToolOrder) -> t.Dict[str, t.Any]:
    document = dict(order._asdict())
    document["asset"] = dict(order.asset._asdict()) if order.asset else None
    document["programs"] = {name: dict(program._asdict()) for name, program in order.programs.items()}
    return document


def _tool_from_json(document: t.Dict[str, t.Any]) -> ToolOrder:
    asset = Download(**document["asset"]) if document["asset"] else None
    programs = {name: Program(**program) for name, program in document["programs"].items()}
    return ToolOrder(**dict(document, asset=asset, programs=programs))
