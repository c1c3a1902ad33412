# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the results of all hosts say of a fleet? Results of tools_info + lock file → Fleet. Pure; controller.

They are read one after another, so that of each only what a report tells is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._audit import host_result
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Fleet,
    FleetHost,
    KnownAsset,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.package_url import package_url
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt
from ansible_collections.pinned.release.plugins.plugin_utils._values.source_name import source_name


def fleet_of(
    lock: LockFile,
    compared: ComparedLock,
    names: Iterable[str],
    result_of: Callable[[str], object],
    take: Callable[[Mapping[str, Any]], None] | None = None,
) -> Fleet:
    """Return what is known of the hosts *names*, which were compared with *lock*.

    *result_of* returns what the task of tools_info registered for a host, None where it registered nothing. Never
    raises for what that is. *take* is given the whole result of each host that answered.
    """
    hosts: list[FleetHost] = []
    stated: dict[str, KnownAsset] = {}
    for name in sorted(set(names)):
        answer = host_result.read(name, result_of(name), lock, compared.sha256)
        hosts.append(answer.host)
        if take is not None and answer.whole:
            take(answer.whole)
        for receipt in answer.receipts:
            # Of what nobody pinned, several hosts may say different things. The first by name is told.
            stated.setdefault(receipt.sha256, _stated(receipt))
    used = {sha256 for host in hosts for tool in host.tools for sha256 in (tool.sha256, tool.wanted_sha256)}
    return Fleet(
        lock=compared,
        asked=max((host.asked for host in hosts), default=""),
        tools={name: tool.version for name, tool in sorted(lock.tools.items())},
        assets=dict(sorted({**stated, **dict(_pinned(lock, used))}.items())),
        hosts=tuple(hosts),
        about={name: about for name, about in _about(lock) if about},
    )


def _about(lock: LockFile) -> Iterator[tuple[str, dict[str, str]]]:
    for name, tool in sorted(lock.tools.items()):
        words = {"purpose": tool.purpose, "owner": tool.owner}
        yield name, {word: text for word, text in words.items() if text}


def _pinned(lock: LockFile, used: set[str]) -> Iterator[tuple[str, KnownAsset]]:
    """Yield each asset of the *lock* that is *used*, by its digest; of a digest that two tools have, the first one."""
    for name, tool in sorted(lock.tools.items(), reverse=True):
        for asset in reversed(tool.assets):
            if asset.sha256 in used:
                yield asset.sha256, _of_lock(name, tool, asset)


def _of_lock(name: str, tool: LockedTool, asset: LockedAsset) -> KnownAsset:
    targets = sorted({one.target for one in tool.assets if one.sha256 == asset.sha256})
    return KnownAsset(
        tool=name,
        version=tool.version,
        target=", ".join(targets),
        name=asset.name,
        url=asset.url,
        sha256=asset.sha256,
        tree_sha256=asset.tree_sha256,
        source=_words(tool.source),
        purl=_purl(name, tool.version, tool.source, asset.url, asset.sha256),
        size=asset.size,
        evidence=asset.evidence,
        is_pinned=True,
        programs={program.path: program.sha256 for _name, program in sorted(asset.executables.items())},
    )


def _stated(receipt: Receipt) -> KnownAsset:
    return KnownAsset(
        tool=receipt.tool,
        version=receipt.version,
        target=receipt.target,
        name=receipt.asset,
        url=receipt.source_url,
        sha256=receipt.sha256,
        tree_sha256=receipt.tree_sha256,
        source=_words(receipt.source),
        purl=_purl(receipt.tool, receipt.version, receipt.source, receipt.source_url, receipt.sha256),
        size=None,
        evidence=receipt.evidence,
        is_pinned=False,
        programs={program.path: program.sha256 for _name, program in sorted(receipt.executables.items())},
    )


def _words(source: DeclaredSource) -> str:
    """Return where a tool is published, in words: ``pypi: uv``."""
    name = source_name(source) or "; ".join(f"{key}:{value}" for key, value in sorted(source.items()))
    return name.replace(":", ": ", 1)


def _purl(tool: str, version: str, source: DeclaredSource, url: str, sha256: str) -> str:
    """Return the package URL, "" where there can be none; also where the library is missing, which only locking needs.

    What a receipt says may be any text.
    """
    if not libraries.is_installed("packageurl"):
        return ""
    try:
        return package_url(tool, version, source, url, sha256)
    except ValueError:
        return ""
