# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files does an allow-list name, by what is pinned, and how do other programs read that? Pure; controller.

Two formats:

    /opt/pinned.release/store/uv/0.9.9-1a2b3c4d5e6f/libexec/uv 31337 9f86…     fapolicyd.trust(5): path, size, SHA-256
    sha256:9f86… /opt/pinned.release/store/uv/0.9.9-1a2b3c4d5e6f/libexec/uv    the fields d-ng and n-ng of the kernel's
                                                                               template ima-ng (IMA-templates)

Nothing that a host says of a file's bytes is allowed: digests and sizes are those of the lock file, or of an asset that
unpacks to the tree whose digest the lock file pins. A host only says where its files lie.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import tree_listing
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import FOLDER, TREE
from ansible_collections.pinned.release.plugins.module_utils.orders import COPY
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile

_SPACE = re.compile(r"\s")
#: Returns all that an asset of a tool becomes; None where only its programs shall be told.
Unpacking = Callable[[str, LockedAsset], "Unpacked | None"]


@dataclass(frozen=True, order=True)
class AllowedFile:
    """A file that may be started or loaded: its real path on hosts, size in bytes, digest."""

    path: str
    size: int
    sha256: str


def files_of(result: Mapping[str, Any], lock: LockFile, unpacking: Unpacking) -> tuple[AllowedFile, ...]:
    """Return the files of one host that *lock* pins, by the *result* of tools_info there: a whole one (brief.whole()).

    Active versions of pinned assets only: what else is there, is nobody's word. Raises ReleaseError where *unpacking*
    returns anything else than what *lock* pins.
    """
    found: set[AllowedFile] = set()
    for tool, asset, place in _active(result, lock):
        found.update(_of_asset(tool, asset, place, unpacking(tool, asset)))
        receipt = result["tools"][tool]["receipt"]
        folder = receipt.get("bin_dir", "")
        if receipt.get("bin") == COPY and _is_folder(folder):
            copies = asset.executables.items()
            found.update(AllowedFile(f"{folder}/{name}", one.size, one.sha256) for name, one in copies)
    return tuple(sorted(found))


def fapolicyd(files: Iterable[AllowedFile]) -> str:
    """Return the text of a file in ``/etc/fapolicyd/trust.d`` for *files*: each once, in order.

    A space ends a column there, and not all versions can escape it: paths with one are left out, and a comment says so.
    """
    ordered = sorted(set(files))
    lines = [f"{file.path} {file.size} {file.sha256}" for file in ordered if not _SPACE.search(file.path)]
    left = len(ordered) - len(lines)
    head = [f"# {left} files are left out: there is white space in their paths."] if left else []
    return _text([*head, *lines])


def ima(files: Iterable[AllowedFile]) -> str:
    """Return the digests of *files*, each once, as in the kernel's list of measurements by the template ima-ng."""
    return _text(f"sha256:{file.sha256} {file.path}" for file in sorted(set(files)))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _active(result: Mapping[str, Any], lock: LockFile) -> Iterator[tuple[str, LockedAsset, str]]:
    """Yield the tools of a host with their pinned assets, as their receipts say, and the folders of their files."""
    for name, tool in result["tools"].items():
        assets = lock.tools[name].assets if name in lock.tools else ()
        asset = next((asset for asset in assets if asset.sha256 == tool["receipt"].get("sha256")), None)
        if asset and _is_folder(result["root"]) and TREE.match(tool["active"]):
            yield name, asset, f"{result['root']}/store/{name}/{tool['active']}/libexec"


def _of_asset(tool: str, asset: LockedAsset, place: str, unpacked: Unpacked | None) -> Iterator[AllowedFile]:
    if unpacked is None:
        for program in asset.executables.values():
            yield AllowedFile(f"{place}/{program.path}", program.size, program.sha256)
        return
    programs = {name: program.path for name, program in asset.executables.items()}
    found = tree_listing.digest(tree_listing.listing(unpacked, programs, asset.files))
    if found != asset.tree_sha256:
        raise ReleaseError(
            f"{tool}: {asset.name} does not unpack to what the lock file pins",
            expected=f"a tree with the digest {asset.tree_sha256}",
            found=found,
            fix="lock again with this version of the collection",
        )
    for file in unpacked.files:
        yield AllowedFile(f"{place}/{file.path}", file.size, file.sha256)


def _is_folder(path: object) -> bool:
    return isinstance(path, str) and bool(FOLDER.match(path))
