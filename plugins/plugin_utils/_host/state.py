# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed on a host, and whose is a link there? The values that an answer is read into. Pure; controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from typing import Literal

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.link_texts import is_wrapper, leads_to, owner_of_link
from ansible_collections.pinned.release.plugins.module_utils.orders import FORBIDDEN_MODE
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt

#: What gives somebody more than a copy's mode says.
ACCESS_LIST, CAPABILITY = "an access control list", "a capability"


@dataclass(frozen=True)
class InstalledProgram:
    """What a tree's link to a program leads to: its mode without the type, owner and group."""

    mode: int
    uid: int
    gid: int


@dataclass(frozen=True)
class User:
    """Who runs: whether they may give files to the group that was asked for, and whether they are the owner."""

    uid: int
    gives_group: bool
    is_owner: bool


@dataclass(frozen=True)
class Room:
    """What can be made in a folder, or in the nearest one above that is there.

    free_bytes      of its file system; None where nothing tells
    starts_programs  whether it is mounted without noexec
    raises_rights    whether it is mounted without nosuid, so that capabilities count; *file_system* is its kind
    """

    folder: str
    is_writable: bool
    free_bytes: int | None
    starts_programs: bool
    raises_rights: bool = True
    file_system: str = ""


@dataclass(frozen=True)
class Tree:
    """One version of a tool on a host, with what is known of its state.

    receipt      None where it cannot be read
    verified_by  ``hash`` (every file was hashed), ``seal`` (nothing changed since it was sealed), ``size`` (it is
                 too large for what is pinned, and was not hashed), or "" (could not)
    listing      SHA-256 of the listing that it was compared with; "" where there is none, or a seal stands in for it
    damage       what differs from that listing
    capabilities  of files that were compared, by path: ``cap_net_raw=ep``
    hard_links   files that have more names than the one in the tree
    other_groups  what belongs to another group than the tree itself, by path
    """

    name: str
    receipt: Receipt | None = None
    verified_by: Literal["hash", "seal", "size", ""] = ""
    listing: str = ""
    damage: tuple[Finding, ...] = ()
    programs: Mapping[str, InstalledProgram] = field(default_factory=dict)
    capabilities: Mapping[str, str] = field(default_factory=dict)
    hard_links: tuple[str, ...] = ()
    other_groups: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Copy:
    """A file in bin_dir where we put a copy of a program: its digest, "" where nobody could read it, mode and group.

    is_ours    whether it belongs to root or to the user who runs
    extra      what gives more people more rights than its mode says, ACCESS_LIST or CAPABILITY; "" where nothing does
    """

    sha256: str
    mode: int
    gid: int
    is_ours: bool = True
    extra: str = ""


@dataclass(frozen=True)
class State:
    """What is installed below *root*, and what stands in *bin_dir* under the names that matter.

    active       the active tree of each tool
    astray       tools whose ``current`` leads to no tree of theirs
    barred       tools that nothing can be done to, with why: a folder of theirs is none, or others could change it
    described    active trees, and kept ones that would serve, looked into
    trees        names of all trees, by tool, the newest first
    links        symbolic links: name to target. A name without a slash is one in bin_dir, a path one beside it
    placed       names in bin_dir at which we put copies, with their tools: whatever stands there is ours
    copies       those of them at which there is a file
    foreign      names and paths at which something else stands
    closed       paths in whose folder, or the nearest one that is there, this user cannot write, with that folder
    gid          number of the group that was asked for; None where the host has no such group, or none was asked for
    lacks_owner  whether the host has no such user as was asked for, who need not have the group
    user         who runs, where that is not root and an owner or a group was asked for
    rights       the capabilities of the user who runs, a bit each; None where nothing tells
    sees_rights  whether capabilities of files can be read there, *sees_lists* whether access control lists can be
    elsewhere    tools whose receipt names another bin_dir, with that; *links_elsewhere* are its links, by tool,
                 and *copies_elsewhere* its copies
    rooms        what can be made in ``root`` and ``bin_dir``
    python       the one that can carry out orders; empty where there is none, or none was asked for
    undecoded    compressions that cannot be decoded there: ``bz2``, ``xz``, ``zst``
    no_pythons   those that cannot: path and reason
    layouts      what stands where other tools look (layouts.py), by paths below root: ``link TEXT``, ``file SHA256``,
                  or ``other`` for what is none of ours
    strays       of an audit: what lies below root and is of no tool
    shadows      of an audit: programs of others that come before ours on PATH, by tool and name
    is_on_path   whether bin_dir is on the PATH of the question or among the system's usual folders
    remembered   whether the seals of this very question are there and fit, so that no run has to write them
    """

    root: str
    bin_dir: str
    active: Mapping[str, str] = field(default_factory=dict)
    astray: frozenset[str] = frozenset()
    barred: Mapping[str, ReleaseError] = field(default_factory=dict)
    described: Mapping[tuple[str, str], Tree] = field(default_factory=dict)
    trees: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    placed: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, Copy] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    closed: Mapping[str, str] = field(default_factory=dict)
    gid: int | None = None
    lacks_owner: bool = False
    user: User | None = None
    rights: int | None = None
    sees_rights: bool = True
    sees_lists: bool = True
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    links_elsewhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    copies_elsewhere: Mapping[str, Mapping[str, Copy]] = field(default_factory=dict)
    rooms: Mapping[str, Room] = field(default_factory=dict)
    python: str = ""
    undecoded: frozenset[str] = frozenset()
    no_pythons: tuple[tuple[str, str], ...] = ()
    layouts: Mapping[str, str] = field(default_factory=dict)
    strays: tuple[str, ...] = ()
    shadows: Mapping[tuple[str, str], str] = field(default_factory=dict)
    is_on_path: bool = True
    remembered: bool = False

    def place_of(self, name: str) -> str:
        """Return where the link *name* is: in bin_dir, or, of a path, below the folder that bin_dir lies in."""
        return f"{self.bin_dir.rpartition('/')[0] if '/' in name else self.bin_dir}/{name}"

    def has_link(self, tool: str, name: str) -> bool:
        """Tell whether *tool*'s link *name* is there and leads to it, or the wrapper that stands for one."""
        folder = self.place_of(name).rpartition("/")[0]
        copy = self.copies.get(name)
        if copy and self.placed.get(name) == tool and copy.is_ours and not (copy.extra or copy.mode & FORBIDDEN_MODE):
            return is_wrapper(copy.sha256, self.root, folder, tool, name)
        return name in self.links and leads_to(self.links[name], self.root, folder, tool, name)

    def owner(self, name: str) -> str | None:
        """Return the tool whose link or copy stands at *name*, None if nothing of ours does."""
        if name in self.links:
            folder = self.place_of(name).rpartition("/")[0]
            return owner_of_link(self.links[name], self.root, folder) or self.placed.get(name)
        return self.placed.get(name) if name in self.copies else None

    def where_linked(self, tool: str) -> State:
        """Return this state with the bin_dir that *tool*'s receipt names, and the links that are there."""
        if tool not in self.elsewhere:
            return self
        links, copies = self.links_elsewhere.get(tool, {}), self.copies_elsewhere.get(tool, {})
        placed = dict.fromkeys(copies, tool)
        return replace(self, bin_dir=self.elsewhere[tool], links=links, copies=copies, placed=placed)

    def trees_of(self, tool: str) -> tuple[Tree, ...]:
        """Return the trees of *tool* that were looked into, by their names."""
        return self._described_by_tool.get(tool, ())

    @cached_property
    def _described_by_tool(self) -> Mapping[str, tuple[Tree, ...]]:
        found: dict[str, list[Tree]] = {}
        for (tool, _name), tree in sorted(self.described.items(), key=itemgetter(0)):
            found.setdefault(tool, []).append(tree)
        return {tool: tuple(trees) for tool, trees in found.items()}

    @cached_property
    def links_by_tool(self) -> Mapping[str, tuple[str, ...]]:
        """The names whose links and copies belong to each tool, in order."""
        found: dict[str, list[str]] = {}
        for name in sorted({*self.links, *self.copies}):
            tool = self.owner(name)
            if tool is not None:
                found.setdefault(tool, []).append(name)
        return {tool: tuple(names) for tool, names in found.items()}


@dataclass(frozen=True)
class Sealed:
    """What nobody changed since the question was answered: the active tree of each tool, and of tools not asked for.

    *root* is where they are.
    """

    root: str
    trees: Mapping[str, str]
    strays: Mapping[str, str] = field(default_factory=dict)


def lasting_tree(tool: str, root: str) -> str:
    """Return the path of *tool*'s files below *root* that outlives upgrades: for JAVA_HOME, for example."""
    return f"{root}/current/{tool}/tree"
