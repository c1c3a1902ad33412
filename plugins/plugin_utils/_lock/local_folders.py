# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which assets lie in a folder of the controller, and where is that in another checkout? Pure; runs on the controller.

A relative ``directory:`` of the manifest moves with it, from one checkout to another. So its assets' addresses stand in
the lock file as ``file:`` and a path from the lock file's own folder, which is a relative reference in the sense of RFC
3986, section 4.2, below a scheme. A host is told, and remembers, what the lock file says, so that it is as pinned from
any checkout. Everywhere else, addresses are absolute.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource, text_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    LOCAL,
    LockedAsset,
    LockedTool,
    LockFile,
    found_at,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed


def is_local(source: DeclaredSource) -> bool:
    """Tell whether *source* is a folder of the controller, rather than a server."""
    return "directory" in source and "://" not in text_of(source, "directory")


def as_written(lock: LockFile, base: Path, place: Path) -> LockFile:
    """Return *lock* as the lock file in the folder *place* says it: what is relative to the manifest's folder, *base*.

    Both folders are absolute.
    """
    tools = {
        name: _with(tool, _relative(base / _above(tool), place)) if _is_relative(tool) else tool
        for name, tool in lock.tools.items()
    }
    return replace(lock, tools=tools)


def _above(tool: LockedTool) -> str:
    """Return how far the folder of *tool* leads out of the manifest's: ``../..`` of ``../../releases``."""
    parts = os.path.normpath(text_of(tool.source, "directory")).split("/")
    return "/".join(part for part in parts if part == "..")


def _relative(top: Path, place: Path) -> Callable[[str], str]:
    """Return what makes addresses of files below *top* relative to *place*, and leaves all others as they are."""
    below = os.path.join(os.path.normpath(top), "")

    def address(url: str) -> str:
        """Return *url* relative to *place* if it is that of a file below *top*, unchanged otherwise."""
        if not url.startswith(f"{LOCAL}///"):
            return url
        path = os.path.normpath(unquote(url[len(f"{LOCAL}//") :]))
        return LOCAL + quote(os.path.relpath(path, place)) if path.startswith(below) else url

    return address


def as_found(lock: LockFile, place: Path) -> LockFile:
    """Return *lock*, which a lock file in the folder *place* says, with absolute addresses. *place* is absolute."""

    def address(url: str) -> str:
        """Return *url* with the lock file's folder before a relative path, unchanged otherwise."""
        return found_at(url, place)

    tools = {name: _with(tool, address) if _is_relative(tool) else tool for name, tool in lock.tools.items()}
    return replace(lock, tools=tools)


def note(tools: Mapping[str, LockedTool]) -> str | None:
    """Return what to know about those of *tools* whose assets lie on the controller; None where none do."""
    local = [name for name, tool in tools.items() if is_local(tool.source)]
    if not local:
        return None
    return f"{listed(local)}: in folders on this controller; other controllers need the same files"


def _is_relative(tool: LockedTool) -> bool:
    return is_local(tool.source) and not text_of(tool.source, "directory").startswith(("/", "~"))


def _with(tool: LockedTool, address: Callable[[str], str]) -> LockedTool:
    return replace(tool, assets=tuple(_asset_with(asset, address) for asset in tool.assets))


def _asset_with(asset: LockedAsset, address: Callable[[str], str]) -> LockedAsset:
    claims = tuple(replace(claim, origin=address(claim.origin)) for claim in asset.evidence.claims)
    proofs = tuple(replace(proof, origin=address(proof.origin)) for proof in asset.evidence.proofs)
    evidence = replace(asset.evidence, claims=claims, proofs=proofs)
    return replace(asset, url=address(asset.url), evidence=evidence)
