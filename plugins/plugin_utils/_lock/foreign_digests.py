# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digests does another tool's lock file state of an asset, and does it have them? Runs on the controller.

Such a digest is a claim like any other: it was true for whoever locked there. The bytes are compared with it, and a
disagreement refuses. SHA-256, SHA-384 and SHA-512 become evidence. All others are compared as well, and then count for
nothing: MD5 and SHA-1 can be forged, and for BLAKE3 not every controller has a library, but a lock file must not depend
on who makes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.sums import ALGORITHMS
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile, hash_all
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

BLAKE3 = "blake3"
_STRONG = frozenset(ALGORITHMS.values())


class _File(Protocol):
    """An asset, locked or not yet."""

    @property
    def name(self) -> str:
        """Return its file name."""

    @property
    def url(self) -> str:
        """Return its address."""


@dataclass(frozen=True)
class Statement:
    """What *origin* states of one file of a tool: its *digests*, by algorithm.

    *source* is where the tool is published: the kind of source, and the project. *name* is the file's, and *size* its
    size in bytes, None if it is not stated.
    """

    origin: str
    tool: str
    version: str
    source: tuple[str, str]
    name: str
    url: str
    digests: tuple[tuple[str, str], ...]
    size: int | None = None

    def is_about(self, tool: str, source: Mapping[str, object], version: str, file: _File) -> bool:
        """Tell whether it is about *file* of a release: the same address, or the same file of the same release."""
        if self.url == file.url:
            return True
        is_same_release = self.version == version and (self.tool == tool or self.is_from(source))
        return is_same_release and self.name == file.name

    def is_from(self, source: Mapping[str, object]) -> bool:
        """Tell whether *source* is of the same kind, and has the same project."""
        kind, project = self.source
        return str(source.get(kind, "")).lower() == project.lower()

    def claims(self) -> tuple[Claim, ...]:
        """Return those of its digests that count as evidence."""
        return tuple(Claim(name, value, self.origin) for name, value in self.digests if name in _STRONG)


@dataclass(frozen=True)
class ForeignDigests:
    """All that lock files of other tools state."""

    statements: tuple[Statement, ...] = ()

    def about(self, tool: str, source: Mapping[str, object], version: str, file: _File) -> tuple[Statement, ...]:
        """Return what is stated of *file*, of the release *version* of *tool*."""
        return tuple(one for one in self.statements if one.is_about(tool, source, version, file))

    def is_recorded(self, name: str, tool: LockedTool) -> bool:
        """Tell whether the evidence of the locked *tool* already has all that is stated of its assets."""
        for asset in tool.assets:
            for statement in self.about(name, tool.source, tool.version, asset):
                if len(statement.claims()) < len(statement.digests):
                    return False
                if not set(statement.claims()) <= set(asset.evidence.claims):
                    return False
        return True

    def notes(self, lock: LockFile) -> Iterator[str]:
        """Yield what to tell of the digests, now that *lock* is made: how many agree, why others were not compared."""
        by_tool: dict[str, list[Statement]] = {}
        for statement in self.statements:
            if statement.digests:
                by_tool.setdefault(_locked_as(statement, lock) or "", []).append(statement)
        compared = 0
        for name, statements in sorted(by_tool.items()):
            if name:
                agreed, told = _compared(name, lock.tools[name], statements)
                compared += agreed
                yield from told
        for tool, origin in dict.fromkeys((one.tool, one.origin) for one in by_tool.get("", ())):
            yield f"{tool}: the manifest does not have it, so no digest that {origin} states of it was compared"
        if compared:
            origins = listed(dict.fromkeys(one.origin for one in self.statements))
            said = "1 digest" if compared == 1 else f"{compared} digests"
            yield f"{said} of {origins} compared with the bytes, without a difference"


def _locked_as(statement: Statement, lock: LockFile) -> str | None:
    """Return the name of the locked tool that a statement is about, None if there is none."""
    if statement.tool in lock.tools:
        return statement.tool
    return next((name for name, tool in sorted(lock.tools.items()) if statement.is_from(tool.source)), None)


def _compared(name: str, tool: LockedTool, statements: Iterable[Statement]) -> tuple[int, list[str]]:
    """Return how many digests were compared, and a line for each reason why others were not."""
    agreed, blake3, unlocked = 0, [], []
    others: dict[tuple[str, str], None] = {}
    origin = ""
    for statement in statements:
        origin = statement.origin
        if not any(statement.is_about(name, tool.source, tool.version, asset) for asset in tool.assets):
            if statement.version == tool.version:
                unlocked.append(statement.name)
            else:
                others[(origin, statement.version)] = None
            continue
        can = [algorithm for algorithm, _value in statement.digests if can_compute(algorithm)]
        agreed += len(can)
        blake3 += [statement.name] * (len(can) < len(statement.digests))
    told = [
        f"{name}: {origin} pins {version}, and {tool.version} is locked: none of its digests was compared"
        for origin, version in others
    ]
    if blake3:
        told.append(
            f"{name}: the BLAKE3 digests that {origin} states of {listed(blake3)} were not compared, because the "
            "library blake3 is not installed; their SHA-256 is pinned as it was downloaded. To compare them, install "
            "it and lock again: python3 -m pip install blake3"
        )
    if unlocked:
        told.append(f"{name}: not compared, because none of its platforms needs them: {listed(unlocked)}")
    return agreed, told


def refuse_disagreement(name: str, said: Iterable[Claim], statements: Iterable[Statement]) -> None:
    """Raise ReleaseError if *statements* about the asset *name* differ from what its publisher *said*, or each other.

    Nothing needs to be downloaded for that.
    """
    known: dict[str, tuple[str, str]] = {claim.algorithm: (claim.value, claim.origin) for claim in said}
    for statement in statements:
        for algorithm, value in statement.digests:
            other, whose = known.setdefault(algorithm, (value, statement.origin))
            if other != value:
                found = f"{algorithm} {other} (from {whose})"
                raise _disagreement(name, statement.origin, f"{algorithm} {value}", found)


def compare(name: str, cached: CachedFile, statements: Collection[Statement]) -> None:
    """Raise ReleaseError if the bytes of the asset *name* do not have a digest or size that *statements* give."""
    stated = [
        (statement.origin, algorithm, value)
        for statement in statements
        for algorithm, value in statement.digests
        if can_compute(algorithm)
    ]
    computed = {**cached.digests, "sha256": cached.sha256}
    computed.update(_computed(cached, {algorithm for _origin, algorithm, _value in stated} - computed.keys()))
    for origin, algorithm, value in stated:
        if computed[algorithm] != value:
            found = f"{algorithm} {computed[algorithm]} of what is published"
            raise _disagreement(name, origin, f"{algorithm} {value}", found)
    for statement in statements:
        if statement.size not in (None, cached.size):
            found = f"{cached.size} bytes of what is published"
            raise _disagreement(name, statement.origin, f"{statement.size} bytes", found)


def can_compute(algorithm: str) -> bool:
    """Tell whether this controller can compute digests by *algorithm*."""
    return algorithm != BLAKE3 or libraries.is_installed(BLAKE3)


def _computed(cached: CachedFile, algorithms: Iterable[str]) -> dict[str, str]:
    """Return the digests of the bytes by *algorithms*, read once."""
    hashes = {
        name: libraries.blake3.blake3() if name == BLAKE3 else hashlib.new(name, usedforsecurity=False)
        for name in algorithms
    }
    if hashes:
        with cached.path.open("rb") as file:
            hash_all(file, hashes)
    return {name: made.hexdigest() for name, made in hashes.items()}


def _disagreement(name: str, origin: str, stated: str, found: str) -> ReleaseError:
    return ReleaseError(
        f"{name} is not what {origin} pins",
        expected=f"{stated} (from {origin})",
        found=found,
        fix="do not use it before you know why: the file was exchanged after it was pinned there, or the entry there "
        f"is wrong. Ask its publisher; if what is published is right, correct {origin}",
    )
