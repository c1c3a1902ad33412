# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What state of a host does a task ask for, and what must the host be asked? Pure; runs on the controller."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import platform_host, target
from ansible_collections.pinned.release.plugins.plugin_utils._choice.choice import (
    Choice,
    UnsupportedError,
    choose_assuming,
)
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import LARGEST_KB, Question
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import ordered_capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed, Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile, no_such_tool
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import FLOORS, Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import BinKind, Integrity, Layout, Prefer


@dataclass(frozen=True)
class Wanted:
    """The state that the user asks for: the options of a task, and the lock file that they speak of.

    lock          with addresses as the lock file says them, so that each checkout asks for the same
    lock_digest   sha256 of the lock file's bytes, for receipts
    lock_folder   the absolute folder from which relative addresses start
    names         the tools it is about; None means all of the lock file
    python        the command of the Python that the user names; ``auto`` if the host is to find one, empty if none is
                  needed
    capabilities  of programs, by the name of a program or of a tool with one; the others shall have none
    owner         account that the programs are for: its group becomes theirs, and checks run as it
    mirrors       where bytes are fetched; that does not decide the state of a host
    layouts       by what else the tools are found below root: modulefiles, tool_cache
    skips_unsupported  whether tools that do not run on a host are left as they are there
    platform      that of the hosts that the programs are for, if it is not the one that writes them
    """

    lock: LockFile
    lock_digest: str = ""
    lock_folder: Path = Path()
    names: tuple[str, ...] | None = None
    is_present: bool = True
    exact: bool = False
    root: str = ""
    bin_dir: str = ""
    owner: str | None = None
    group: str | None = None
    mode: int = 0o755
    keep: int = 1
    integrity: Integrity = "quick"
    prefer: Prefer = "native"
    assume: Assumed = field(default_factory=Assumed)
    adopt: bool = False
    bin: BinKind = "link"
    checks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    python: str = ""
    capabilities: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mirrors = field(default_factory=Mirrors)
    layouts: tuple[Layout, ...] = ()
    skips_unsupported: bool = False
    platform: Platform | None = None

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that this is about."""
        return tuple(sorted(self.lock.tools)) if self.names is None else self.names


@dataclass(frozen=True)
class Asked:
    """What a host is asked for a state, and what it may answer without having to do anything.

    trees   the trees of each tool of which one is active then, by its version; whatever follows such a name
    """

    question: Question
    trees: Mapping[str, tuple[str, tuple[str, ...]]]


def wanted_digest(wanted: Wanted) -> str:
    """Return the SHA-256 of all that decides the state of a host: equal digests ask for equal states."""
    assets = {name: wanted.lock.tools[name].assets_sha256 for name in wanted.tools if wanted.is_present}
    decides = [wanted.is_present, wanted.exact, wanted.root, wanted.bin_dir, wanted.bin, terms_digest(wanted)]
    decides += [wanted.prefer, wanted.assume.said(), wanted.tools, assets, str(wanted.platform or "")]
    decides += ["unsupported: skip"] * wanted.skips_unsupported
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def terms_digest(wanted: Wanted) -> str:
    """Return the SHA-256 of what decides how trees look, whatever is in them and wherever they are linked."""
    capabilities = dict(wanted.capabilities) if wanted.is_present else {}
    terms = [wanted.owner, wanted.group, wanted.mode, wanted.keep, capabilities, wanted.layouts]
    return hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()


def reader_of(wanted: Wanted, host: Host) -> Host:
    """Return the host that programs are chosen for: *host*, which was asked, or any of the platform that is named."""
    return platform_host.host_of(wanted.platform) if wanted.platform else host


def choice_for(name: str, tool: LockedTool, wanted: Wanted, host: Host) -> Choice:
    """Return which asset of *tool* is for *host*, or those of the platform. Raises ReleaseError where none starts."""
    try:
        return choose_assuming(name, tool, reader_of(wanted, host), wanted.prefer, wanted.assume)
    except UnsupportedError as error:
        if wanted.platform is None:
            raise
        what = f"{name} {tool.version}: no locked asset runs on every host of {wanted.platform}"
        fix = _for_other_readers(tool, wanted.platform)
        raise ReleaseError(what, error.expected, error.reason, fix) from error


def _for_other_readers(tool: LockedTool, platform: Platform) -> str:
    """Return what to do where no asset of *tool* runs on all hosts of *platform*: mostly, little is said of them."""
    again = "choose a version that supports it, and lock again"
    if any((one.requires.os, one.requires.arch) == (platform.os, platform.arch) for one in tool.assets):
        return f"if all of them have that, say so, by a floor (platform: {FLOORS}) or in assume; or {again}"
    return f"add {platform} to the manifest's platforms, or {again}"


def ask_for(wanted: Wanted) -> Asked:
    """Return what to ask a host for *wanted*, and how it may answer.

    Raises ReleaseError for tools that the lock lacks.
    """
    trees = {name: (tool.version, tuple(map(tool.tree_of, tool.assets))) for name, tool in locked_tools(wanted).items()}
    return Asked(question(wanted), trees)


def question(wanted: Wanted) -> Question:
    """Return what to ask a host first: has anything changed since *wanted* was found there, down to each byte if full?

    Raises ReleaseError for tools that the lock lacks.
    """
    tools = locked_tools(wanted)
    assets = [asset for tool in tools.values() for asset in tool.assets]
    return Question(
        ask="seal" if wanted.integrity == "quick" else "state",
        root=wanted.root,
        bin_dir=wanted.bin_dir,
        wanted=wanted_digest(wanted),
        whole=wanted.is_present and wanted.names is None,
        integrity=wanted.integrity,
        largest=max([LARGEST_KB, *(2 * asset.unpacked_size // 1000 for asset in assets)]),
        owner=wanted.owner or "",
        group=wanted.group or "",
        python=wanted.python,
        candidates=_unique(f"{name}/{tool.version}" for name, tool in tools.items()),
        names=_unique(link for asset in assets for link in asset.links),
        needs=() if wanted.platform else _unique(need for asset in assets for need in target.needs(asset.requires)),
    )


def unsealed(asked: Question) -> Question:
    """Return the question *asked*, to be answered in full, sealed or not: nobody seals the empty digest."""
    return replace(asked, ask="state", wanted="")


def locked_tools(wanted: Wanted) -> dict[str, LockedTool]:
    """Return what the lock says of the tools that are to be present.

    Raises ReleaseError for a tool that the lock lacks.
    """
    if not wanted.is_present:
        return {}
    unknown = sorted({*wanted.tools, *wanted.checks} - set(wanted.lock.tools))
    if unknown:
        raise no_such_tool(wanted.lock, unknown)
    ordered_capabilities.refuse_unknown(wanted.lock.tools, wanted.capabilities)
    return {name: wanted.lock.tools[name] for name in wanted.tools}


def refuse_unknown_notifiers(wanted: Wanted, tools: Iterable[str]) -> None:
    """Raise ReleaseError where handlers are to be notified of *tools* that the lock lacks: nothing would notify them.

    One that goes, as it is to be absent or by ``exact``, may be in no lock any more, unless it seems to be a slip.
    """
    unknown = set(tools) - set(wanted.lock.tools) if wanted.is_present else set()
    if wanted.exact:
        unknown = {name for name in unknown if nearest(name, wanted.lock.tools)}
    if unknown:
        raise no_such_tool(wanted.lock, unknown).about("notify")


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))
