# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a dist-manifest.json of cargo-dist state? Runs on the controller; pure.

Format: axodotdev.github.io/cargo-dist, cargo-dist-schema. A publisher's own list: of each app, its version, its
artifacts, their digests, and where they are hosted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    Left,
    bounded,
    digest,
    file_at,
    fit_name,
    named,
    platform_of,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform

_PROGRAMS = "executable-zip"


def is_it(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of a dist-manifest.json."""
    return isinstance(document.get("artifacts"), dict) and isinstance(document.get("releases"), list)


def read(place: Place) -> Imported:
    """Return what the dist-manifest.json at *place* states. Raises MisfitError where it is not one."""
    artifacts = named(place.required("artifacts"), lambda artifact: artifact)
    tools: list[ForeignTool] = []
    left: list[Left] = []
    for release in place.required("releases").items(lambda release: release):
        name, version = text(release.required("app_name")), text(release.required("app_version"))
        base = _base(release)
        files = bounded(_files(release, artifacts, base), release) if base is not None else ()
        if files:
            tools.append(ForeignTool(fit_name(name), version, files))
        else:
            why = "it has no archive of programs" if base is not None else "it is not said where it is hosted"
            left.append(Left(f"{name} {version}", why))
    return Imported(place.document.name, bounded(tools, place), tuple(left))


def _base(release: Place) -> Place | None:
    """Return the address that a *release*'s artifacts lie below; None if none is said."""
    hosting = release.optional("hosting")
    if hosting is None:
        return None
    for host in named(hosting, lambda host: host).values():
        if not isinstance(host.value, dict):
            continue
        whole, base, path = (
            host.optional(key) for key in ("artifact_download_url", "artifact_base_url", "artifact_download_path")
        )
        if whole is not None:
            return whole
        if base is not None and path is not None:
            return base._replace(value=text(base).rstrip("/") + "/" + text(path).lstrip("/"))
    return None


def _files(release: Place, artifacts: Mapping[str, Place], base: Place) -> Iterator[ForeignFile]:
    for name in release.required("artifacts").items(text):
        artifact = artifacts.get(name)
        kind = artifact.optional("kind") if artifact is not None else None
        if artifact is None or kind is None or text(kind) != _PROGRAMS:
            continue
        url = base._replace(value=f"{text(base).rstrip('/')}/{name}")
        yield file_at(url, _digests(artifact), _platform(artifact))


def _digests(artifact: Place) -> dict[str, str]:
    stated = artifact.optional("checksums")
    if stated is None:
        return {}
    found: dict[str, str] = {}
    for algorithm, value in named(stated, lambda value: value).items():
        found.update(digest(value, text(value), algorithm))
    return found


def _platform(artifact: Place) -> Platform | None:
    """Return the platform of the first target triple that is one of ours: ``aarch64-apple-darwin``."""
    triples = artifact.optional("target_triples")
    for triple in triples.items(text) if triples is not None else ():
        arch, _vendor, system, *_abi = (*triple.split("-", 3), "", "")
        found = platform_of(f"{system}-{arch}")
        if found is not None:
            return found
    return None
