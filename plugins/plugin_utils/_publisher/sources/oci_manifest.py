# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files does an artifact in a registry have, and for which platforms? Pure; runs on the controller.

Follows the OCI image-spec 1.1 ("manifest", "image-index", "descriptor", "annotations"), and Docker's names for the same
types. A file is a layer with the annotation ``org.opencontainers.image.title``, as ORAS writes it; layers of container
images have none. An index leads to a manifest for each platform.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.file_kinds import without_suffix
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import shown

MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
#: More platforms than anybody builds for. A client must accept manifests of 4 MiB (distribution-spec).
PARTS_LIMIT = 100
LAYERS_LIMIT = 2000
LONGEST_WORD = 64
_TITLE = "org.opencontainers.image.title"
_CREATED, _VERSION = "org.opencontainers.image.created", "org.opencontainers.image.version"
#: How the types of layers end in which clients pack a folder, and how such a file is called; its title is the folder's.
_PACKED = {".tar+gzip": ".tar.gz", ".tar+zstd": ".tar.zst"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_WORD = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_WORD}}}")


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says of other content: its type, digest (``sha256:…``), size in bytes, and what it is.

    platform  ``os``, ``architecture`` and ``variant``, as far as they are stated
    """

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A manifest, which has *layers*, or an index, which has *parts*: the manifest of each platform.

    *created* is the moment (RFC 3339) that the publisher wrote into it, as text, and *version* the version; None where
    there is none.
    """

    parts: tuple[Descriptor, ...] = ()
    layers: tuple[Descriptor, ...] = ()
    created: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class File:
    """A file of an artifact. *platform* is that of the index, if one leads to it."""

    name: str
    digest: str
    size: int
    platform: Mapping[str, str] = field(default_factory=dict)


def read_manifest(document: Any, content_type: str) -> Manifest:
    """Return what the *document*, served as *content_type*, says.

    Raises ValueError, or what a value of another type leads to, if it is no such document. A document that could
    be read as either type is none: two readers must not see two things (CVE-2021-41190).
    """
    kind = document.get("mediaType", content_type)
    is_index, is_manifest = kind in INDEXES, kind in MANIFESTS
    if not (is_index or is_manifest) or ("manifests" in document) is not is_index or ("layers" in document) is is_index:
        raise ValueError(f"a manifest of the type {kind}")
    listed = document["manifests" if is_index else "layers"]
    limit = PARTS_LIMIT if is_index else LAYERS_LIMIT
    if len(listed) > limit:
        raise ValueError(f"{len(listed)} descriptors; at most {limit} can be honest")
    found = tuple(map(_descriptor, listed))
    said = _texts(document.get("annotations"))
    created, version = said.get(_CREATED), said.get(_VERSION)
    if is_index:
        return Manifest(tuple(part for part in found if _is_of_a_platform(part)), (), created, version)
    return Manifest((), found, created, version)


def refuse_other_bytes(body: bytes, digest: str, what: str) -> None:
    """Raise ReleaseError unless *body*, which is *what* for people, has the *digest* under which it was asked for."""
    algorithm, _colon, expected = digest.partition(":")
    if not _DIGEST.fullmatch(digest):
        raise ReleaseError(
            f"the registry gives a digest of {what} that cannot be compared",
            expected="sha256:… or sha512:…",
            found=shown(digest),
        )
    found = hashlib.new(algorithm, body).hexdigest()
    if found != expected:
        raise ReleaseError(
            f"the registry does not serve {what} as it is listed",
            expected=f"{algorithm} {expected}",
            found=f"{algorithm} {found}",
            fix="do not use it: it was damaged on its way, or somebody exchanged it; ask its publisher",
        )


def files_of(layers: Iterable[Descriptor], platform: Mapping[str, str]) -> Iterator[File]:
    """Yield the files among the *layers* of a manifest that is for *platform*.

    Raises ValueError for a title that leads out of the folder that it is in.
    """
    for layer in layers:
        title = layer.annotations.get(_TITLE)
        if title:
            yield File(_file_name(title, layer), layer.digest, layer.size, platform)


def told_apart(files: Iterable[File]) -> list[File]:
    """Return *files* with names of their own: those of one name for several platforms get the platform's words.

    One file that serves several platforms is returned once, without a platform. Raises ReleaseError where different
    files of one name remain.
    """
    by_name: dict[str, dict[str, list[File]]] = {}
    for file in files:
        by_name.setdefault(file.name, {}).setdefault(file.digest, []).append(file)
    found: dict[str, File] = {}
    for name, by_digest in by_name.items():
        for same in by_digest.values():
            one = same[0] if len(same) == 1 else File(name, same[0].digest, same[0].size)
            one = _with_platform_in_name(one) if len(by_digest) > 1 else one
            if found.setdefault(one.name, one) is not one:
                raise ReleaseError(
                    f"two files of one artifact are called {shown(name)}",
                    found=f"{found[one.name].digest} and {one.digest}",
                    fix="ask its publisher to give each a title of its own, or to say the platform of each",
                )
    return list(found.values())


def metadata(platform: Mapping[str, str]) -> dict[str, str]:
    """Return *platform* in the keys of Asset.platform: ``os`` and ``cpu``, as far as they say something."""
    keys = {"os": platform.get("os"), "cpu": platform.get("architecture")}
    return {key: value for key, value in keys.items() if value}


def _descriptor(item: Any) -> Descriptor:
    digest, size = item["digest"], item["size"]
    if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise ValueError("a digest other than sha256:… or sha512:…")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 2**53:
        raise ValueError("a size that is none")
    platform = _texts(item.get("platform"))
    words = {key: platform[key] for key in ("os", "architecture", "variant") if platform.get(key)}
    if not all(map(_WORD.fullmatch, words.values())):
        raise ValueError("a platform that is none")
    return Descriptor(str(item["mediaType"]), digest, size, _texts(item.get("annotations")), words)


def _texts(mapping: Any) -> dict[str, str]:
    """Return what *mapping* maps to texts; nothing for null, which some writers leave. Other values mean nothing."""
    return {key: value for key, value in (mapping or {}).items() if isinstance(value, str)}


def _is_of_a_platform(part: Descriptor) -> bool:
    """Tell whether a part of an index is a manifest of files, and not one about another, as attestations of images."""
    return part.media_type in MANIFESTS and part.platform.get("os") != "unknown"


def _file_name(title: str, layer: Descriptor) -> str:
    """Return the name of the file with this *title*, whose folders become words of it: ``linux-amd64/tool``."""
    steps = [step for step in title.split("/") if step not in ("", ".")]
    if ".." in steps:
        raise ValueError("a title that leads out of its folder")
    name = "-".join(steps)
    is_bare = without_suffix(name)[1] == "bare"
    return name + next((end for kind, end in _PACKED.items() if is_bare and layer.media_type.endswith(kind)), "")


def _with_platform_in_name(file: File) -> File:
    """Return *file* with its platform before the endings of its name: ``tool-linux-armv7.tar.gz``."""
    stem = without_suffix(file.name)[0].removesuffix(".exe")
    variant = file.platform.get("variant", "")
    arch = file.platform.get("architecture", "")
    arch = f"arm{variant}" if arch == "arm" and variant else arch
    words = "-".join(filter(None, (stem, file.platform.get("os"), arch)))
    return File(words + file.name[len(stem) :], file.digest, file.size, file.platform)
