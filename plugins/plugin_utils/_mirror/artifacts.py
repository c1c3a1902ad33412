# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which artifacts does a registry have for lock files? Pure; runs on the controller.

Follows the OCI image-spec 1.1 ("Guidelines for Artifact Usage"). Each asset is an artifact of one layer, and so is each
signature and signed sums file whose published name is known. An index for each version of a tool, which is tagged with
the version, leads to them and names their platforms. What the lock file knows of an asset is in annotations of both, as
Homebrew has it for its bottles, so that a reader of the index can choose without any further question.

Nothing in them depends on when or where they were made: one lock file leads to the same digests from every controller.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.lockfile import emit_requirement
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import (
    AssetOrigin,
    Entry,
    GivenLock,
    Origin,
)
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import published_name, refuse_none
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import oci_place
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_manifest import (
    INDEXES,
    MANIFESTS,
    PARTS_LIMIT,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

MANIFEST, INDEX = MANIFESTS[0], INDEXES[0]
TOOL_TYPE, ASSET_TYPE, EVIDENCE_TYPE = (
    f"application/vnd.pinned.release.{kind}.v1" for kind in ("tool", "asset", "evidence")
)
TITLE, TARGET = "org.opencontainers.image.title", "pinned.release.target"
#: What stands for a config that says nothing (image-spec, "Guidance for an Empty Descriptor").
EMPTY = b"{}"
_EMPTY = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": f"sha256:{hashlib.sha256(EMPTY).hexdigest()}",
    "size": len(EMPTY),
}
#: The words of Go for operating systems and architectures, which the image-spec prescribes, where they are others.
_OS = {"macos": "darwin"}
_ARCHITECTURE = {
    "x86_64": "amd64",
    "i686": "386",
    "aarch64": "arm64",
    "powerpc": "ppc",
    "powerpc64": "ppc64",
    "powerpc64le": "ppc64le",
    "loongarch64": "loong64",
    "mipsel": "mipsle",
    "mips64el": "mips64le",
}
_VARIANT = {"armv5te": "v5", "armv6": "v6", "armv7": "v7", "armv8": "v8"}


@dataclass(frozen=True)
class Artifact:
    """One file of a version of a tool, for one *target*; "" for evidence.

    manifest  the bytes that describe it
    origin    where its own bytes come from
    part      what an index says of it
    """

    name: str
    target: str
    entry: Entry
    origin: Origin
    manifest: bytes
    part: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The digest of the manifest, by which it is asked for."""
        return digest_of(self.manifest)


@dataclass(frozen=True)
class ToolVersion:
    """A version of a tool: what its tag leads to. *annotations* are those of the index."""

    tool: str
    tag: str
    artifacts: tuple[Artifact, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.tool}:{self.tag}"

    def index(self, others: Sequence[Mapping[str, Any]]) -> bytes:
        """Return the index of the artifacts, and of what *others* say, which are parts of it from earlier runs.

        Raises ReleaseError if it would have more parts than source oci reads.
        """
        parts = sorted((*(one.part for one in self.artifacts), *others), key=part_key)
        if len(parts) > PARTS_LIMIT:
            raise ReleaseError(
                f"{self} would have too many files for one index",
                expected=f"at most {PARTS_LIMIT}",
                found=str(len(parts)),
                fix="choose the assets that are locked in the manifest (asset: …), and lock again",
            )
        return _document(INDEX, TOOL_TYPE, manifests=parts, annotations=dict(self.annotations))


@dataclass(frozen=True)
class Artifacts:
    """All that a registry is to have for lock files, and what people are told about it."""

    versions: tuple[ToolVersion, ...]
    notes: tuple[str, ...] = ()


def artifacts(locks: Sequence[GivenLock]) -> Artifacts:
    """Return what a registry has for *locks*.

    Raises ReleaseError where there are none, where two of them pin other bytes under one name, and for what cannot be
    called so there.
    """
    refuse_none(locks)
    found: dict[tuple[str, str], dict[tuple[str, str], Artifact]] = {}
    tools: dict[tuple[str, str], LockedTool] = {}
    for lock, (name, tool) in ((given, one) for given in locks for one in given.lock.tools.items()):
        key = (name, _tag_of(name, tool.version, lock))
        if tools.setdefault(key, tool).version != tool.version:
            raise ReleaseError(
                f"{name} {tool.version} and {tools[key].version} would have one tag", found=":".join(key)
            )
        named = found.setdefault(key, {})
        for one in _of_tool(lock, name, tool):
            _refuse_two_contents(named.values(), one)
            named.setdefault((one.name, one.target), one)
    versions = []
    for key, named in sorted(found.items()):
        assets = {one.name for one in named.values() if one.target}
        own = tuple(one for _key, one in sorted(named.items()) if one.target or one.name not in assets)
        versions.append(ToolVersion(*key, own, _annotations_of_index(key[0], tools[key])))
    return Artifacts(tuple(versions), tuple(_notes(locks)))


def digest_of(content: bytes) -> str:
    """Return the digest of *content* as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def part_key(part: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name and the target of the artifact that a *part* of an index of ours leads to."""
    annotations = part.get("annotations") or {}
    return str(annotations.get(TITLE, "")), str(annotations.get(TARGET, ""))


def _of_tool(lock: GivenLock, name: str, tool: LockedTool) -> Iterator[Artifact]:
    for asset in tool.assets:
        entry = Entry("asset", asset.sha256, asset.size)
        annotations = _annotations_of_asset(tool, asset)
        origin = AssetOrigin(lock.path, name, tool, asset)
        yield _artifact(asset.name, entry, origin, annotations, _platform(asset.requires))
    # The first of two with one name is kept: a publisher may have signed again.
    for evidence, content in dict(reversed(list(_evidence(lock, tool)))).items():
        entry = Entry("evidence", hashlib.sha256(content).hexdigest(), len(content))
        yield _artifact(evidence, entry, content, {TITLE: evidence}, {})


def _evidence(lock: GivenLock, tool: LockedTool) -> Iterator[tuple[str, bytes]]:
    """Yield what is known by name of the evidence about a tool."""
    for asset in tool.assets:
        for proof in asset.evidence.proofs:
            for part, sha256 in proof.kept:
                name = published_name(proof, part, asset)
                if name and sha256 in lock.evidence:
                    yield name, lock.evidence[sha256]


def _artifact(
    name: str, entry: Entry, origin: Origin, annotations: Mapping[str, str], platform: Mapping[str, str]
) -> Artifact:
    kind = ASSET_TYPE if entry.kind == "asset" else EVIDENCE_TYPE
    layer = {
        "mediaType": "application/octet-stream",
        "digest": f"sha256:{entry.sha256}",
        "size": entry.size,
        "annotations": {TITLE: name},
    }
    manifest = _document(MANIFEST, kind, config=_EMPTY, layers=[layer], annotations=dict(annotations))
    part = {
        "mediaType": MANIFEST,
        "artifactType": kind,
        "digest": digest_of(manifest),
        "size": len(manifest),
        "annotations": dict(annotations),
        **({"platform": dict(platform)} if platform else {}),
    }
    return Artifact(name, annotations.get(TARGET, ""), entry, origin, manifest, part)


def _document(kind: str, artifact_type: str, **more: Any) -> bytes:
    document = {"schemaVersion": 2, "mediaType": kind, "artifactType": artifact_type, **more}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _annotations_of_asset(tool: LockedTool, asset: LockedAsset) -> dict[str, str]:
    requires = json.dumps(emit_requirement(asset.requires), sort_keys=True, separators=(",", ":"))
    return {
        TITLE: asset.name,
        TARGET: asset.target,
        "pinned.release.requires": requires,
        "pinned.release.sha256": asset.sha256,
        "pinned.release.tree_sha256": asset.tree_sha256,
        **_annotations_of_version(tool),
    }


def _annotations_of_index(name: str, tool: LockedTool) -> dict[str, str]:
    return {TITLE: name, **_annotations_of_version(tool)}


def _annotations_of_version(tool: LockedTool) -> dict[str, str]:
    created = {"org.opencontainers.image.created": tool.published} if tool.published else {}
    return {"org.opencontainers.image.version": tool.version, **created}


def _platform(requires: Requirement) -> dict[str, str]:
    """Return which platform an asset is for (image-spec, "Image Index Property Descriptions"); nothing for any."""
    if "any" in (requires.os, requires.arch):
        return {}
    variant = _VARIANT.get(requires.cpu or "") if requires.arch == "arm" else None
    return {
        "os": _OS.get(requires.os, requires.os),
        "architecture": _ARCHITECTURE.get(requires.arch, requires.arch),
        **({"variant": variant} if variant else {}),
    }


def _tag_of(name: str, version: str, lock: GivenLock) -> str:
    """Return the tag of a version. A ``+`` is in no tag, and becomes ``_``, as with Helm."""
    tag = version.replace("+", "_")
    if not oci_place.STEP.fullmatch(name):
        raise ReleaseError(
            f"{name} of {lock.path}: no repository of a registry can be called so",
            expected="lower-case letters and digits, with single . _ - between them",
            fix="give the tool such a name in the manifest, and lock again",
        )
    if not oci_place.TAG.fullmatch(tag):
        raise ReleaseError(
            f"{name} {version} of {lock.path}: no tag of a registry can be called so",
            expected="letters, digits and . _ -",
            fix="leave the tool out of the lock file that is pushed",
        )
    return tag


def _refuse_two_contents(known: Iterable[Artifact], one: Artifact) -> None:
    for other in known:
        if other.name != one.name or other.entry == one.entry:
            continue
        if isinstance(one.origin, AssetOrigin) and isinstance(other.origin, AssetOrigin):
            raise ReleaseError(
                f"{one.name} would have two contents in one registry",
                expected=f"sha256 {other.entry.sha256}, for {other.origin}",
                found=f"sha256 {one.entry.sha256}, for {one.origin}",
                fix="lock the older of both again, or give each lock file a repository (to) of its own",
            )


def _notes(locks: Sequence[GivenLock]) -> Iterator[str]:
    aliases = {
        (name, alias.name)
        for lock in locks
        for name, tool in lock.lock.tools.items()
        for alias in tool.aliases
        if alias.name != alias.of
    }
    for name, alias in sorted(aliases):
        yield f"{name}: the alias {alias} is not in the registry: nobody reads names there"
