# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a file of a mirror, and where do its bytes come from? The value types. Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Alias,
    LockedAsset,
    LockedTool,
    LockFile,
)

#: What a file is. A blob is an asset at an address that does not end in its name.
Kind: TypeAlias = Literal["asset", "blob", "alias", "evidence", "lock", "sums"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Entry:
    """One file of a mirror: what it is, the digest of its bytes, and how many these are."""

    kind: Kind
    sha256: str
    size: int


@dataclass(frozen=True)
class GivenLock:
    """A lock file as it is on disk, and what lies beside it.

    text        its bytes
    evidence    what its proofs were made of, by SHA-256
    signatures  the files that sign it, by name
    components  the file of what is inside its programs; empty where there is none
    """

    path: Path
    lock: LockFile
    text: bytes
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    signatures: Mapping[str, bytes] = field(default_factory=dict)
    components: bytes = b""


@dataclass(frozen=True)
class AssetOrigin:
    """The bytes of an *asset* of the tool *name*, or what an *alias* makes of them. *lock* is where it is pinned."""

    lock: Path
    name: str
    tool: LockedTool
    asset: LockedAsset
    alias: Alias | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.tool.version} of {self.lock}"


#: Where the bytes of a file come from; evidence and lock files are at hand.
Origin: TypeAlias = AssetOrigin | bytes


@dataclass(frozen=True)
class File:
    """A file that a mirror is to have."""

    entry: Entry
    origin: Origin
