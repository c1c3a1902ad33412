# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a registry come to have what lock files pin? Look, plan, fetch, push; runs on the controller.

Each tool has a repository below one that is given. Everything is fetched before anything is pushed, and everything is
pushed before a tag leads to it, so that readers find the old version of a tag or the new one, whole, whatever ends the
run. What is there already is not pushed again. Registries have no locks: what a tag leads to is read anew right before
it moves, so that what another run pushed while this one fetched and pushed stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.artifacts import (
    EMPTY,
    INDEX,
    MANIFEST,
    TOOL_TYPE,
    Artifact,
    Artifacts,
    ToolVersion,
    digest_of,
    part_key,
)
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, Entry, Origin
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.registry import Index, Repository, repository
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import oci_place
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_place import RegistryPlace

PARALLEL_REQUESTS = 6
_TO = re.compile(rf"oci(?P<plain>\+http)?://(?P<rest>{oci_place.HOST}/{oci_place.REPOSITORY})")
#: Room for the name of a tool.
_LONGEST_TO = oci_place.LONGEST_NAME - 128
_EMPTY = Entry("evidence", digest_of(EMPTY).partition(":")[2], len(EMPTY))

Item = TypeVar("Item")
Done = TypeVar("Done")


@dataclass(frozen=True)
class VersionPlan:
    """What must be pushed so that a version of a tool is in the registry.

    blobs      the bytes that lack, each once
    artifacts  those whose manifests lack
    index      what the tag is to lead to
    before     what it leads to, None if there is no such tag
    """

    version: ToolVersion
    blobs: Mapping[Entry, Origin]
    artifacts: tuple[Artifact, ...]
    index: bytes
    before: Index | None

    @property
    def is_tagged(self) -> bool:
        """Whether the tag leads to the index already."""
        return self.before is not None and self.before.body == self.index

    @property
    def pushed(self) -> tuple[str, ...]:
        """What is pushed, below the repository given, in that order: ``TOOL@DIGEST`` and ``TOOL:TAG``."""
        tool = self.version.tool
        manifests = [f"{tool}@{one.digest}" for one in self.artifacts]
        tag = [] if self.is_tagged and not (self.artifacts or self.blobs) else [str(self.version)]
        return (*manifests, *tag)


@dataclass(frozen=True)
class RegistryMirror:
    """What is to be below the repository *to*, as given: ``oci://registry.example.org/platform/tools``."""

    to: str
    wanted: Artifacts
    _repositories: dict[str, Repository] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare to ask the registry. Raises ReleaseError if *to* is not the address of a repository."""
        place = _place(self.to)
        for version in self.wanted.versions:
            if version.tool not in self._repositories:
                below = replace(place, repository=f"{place.repository}/{version.tool}")
                self._repositories[version.tool] = repository(below)

    def foreseen(self) -> tuple[VersionPlan, ...]:
        """Return what publish() would do. Nothing is pushed. Raises ReleaseError as it does, short of fetching."""
        return tuple(_in_parallel(self._plan, self.wanted.versions))

    def publish(self, assets: AssetBytes) -> tuple[VersionPlan, ...]:
        """Push what lacks, and return what was done.

        Raises ReleaseError if an asset cannot be had, a tag is somebody else's, or the registry refuses.
        """
        todo = self.foreseen()
        blobs = {(one.version.tool, entry): origin for one in todo for entry, origin in one.blobs.items()}
        assets.fetch(origin for origin in blobs.values() if isinstance(origin, AssetOrigin))

        def blob(item: tuple[tuple[str, Entry], Origin]) -> None:
            """Push one blob. Raises ReleaseError if its bytes cannot be had, or the registry does not take it."""
            (tool, entry), origin = item
            content: bytes | Path = origin if isinstance(origin, bytes) else assets.cached(origin).path
            self._repositories[tool].push_blob(content, entry)

        def manifest(item: tuple[str, Artifact]) -> None:
            """Push the manifest of one artifact. Raises ReleaseError if the registry does not take it."""
            tool, one = item
            self._repositories[tool].push_manifest(one.manifest, one.digest, MANIFEST)

        _in_parallel(blob, blobs.items())
        _in_parallel(manifest, [(plan.version.tool, one) for plan in todo for one in plan.artifacts])
        return tuple(_in_parallel(self._tagged, todo))

    def _tagged(self, plan: VersionPlan) -> VersionPlan:
        """Lead the tag to what was pushed, if anything was, and return the plan with the index that it leads to.

        Raises ReleaseError if the tag became somebody else's.
        """
        if not plan.pushed:
            return plan
        own, version = self._repositories[plan.version.tool], plan.version
        index = version.index(_others(version, self._index(version), own))
        own.push_manifest(index, version.tag, INDEX)
        return replace(plan, index=index)

    def _index(self, version: ToolVersion) -> Index | None:
        """Return what the tag of *version* leads to. Raises ReleaseError if no run of ours pushed that."""
        own = self._repositories[version.tool]
        found = own.index(version.tag)
        if found and found.artifact_type != TOOL_TYPE:
            raise ReleaseError(
                f"{own}:{version.tag} is something that no run of mirror pushed",
                expected=f"an index of the type {TOOL_TYPE}",
                found=shown(found.artifact_type),
                fix="give the mirror a repository (to) of its own, or remove the tag",
            )
        return found

    def _plan(self, version: ToolVersion) -> VersionPlan:
        own = self._repositories[version.tool]
        before = self._index(version)
        blobs: dict[Entry, Origin] = {_EMPTY: EMPTY, **{one.entry: one.origin for one in version.artifacts}}
        return VersionPlan(
            version,
            {entry: origin for entry, origin in blobs.items() if not own.has_blob(entry)},
            tuple(one for one in version.artifacts if not own.has_manifest(one.digest, len(one.manifest))),
            version.index(_others(version, before, own)),
            before,
        )


def _others(version: ToolVersion, before: Index | None, own: Repository) -> list[Mapping[str, Any]]:
    """Return the parts of the index *before* that are still there, and of files that *version* says nothing of.

    Another lock file's platforms are such, so that two controllers do not undo what the other did.
    """
    names = {one.name for one in version.artifacts}
    others = [part for part in (before.parts if before else ()) if part_key(part)[0] not in names]
    return [part for part in others if own.has_manifest(part["digest"], part["size"])]


def _in_parallel(do: Callable[[Item], Done], items: Iterable[Item]) -> list[Done]:
    """Return what *do* returns for each item, in their order. After an error nothing more is begun."""
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        pending = [pool.submit(do, item) for item in items]
        try:
            return [one.result() for one in pending]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _place(to: str) -> RegistryPlace:
    matched = _TO.fullmatch(to)
    if not matched or len(matched["rest"]) > _LONGEST_TO:
        raise ReleaseError(
            "to is not the address of a repository",
            expected="oci://registry.example.org/platform/tools, or oci+http://… for a registry without TLS",
            found=redacted(to),
        )
    return oci_place.place_of(("http://" if matched["plain"] else "https://") + matched["rest"])
