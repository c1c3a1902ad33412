# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digests do the manifests of build tools, among the files of a release, state of an asset? On the controller.

cargo-dist publishes ``dist-manifest.json`` (its book, "dist-manifest.json": ``artifacts``, by file name, have
``checksums``). GoReleaser writes ``artifacts.json`` (goreleaser.com, "Artifacts": ``extra.Checksum``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Stated, sums
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release

CARGO_DIST, GORELEASER = "dist-manifest.json", "artifacts.json"
#: That of uv, which has some fifty artifacts, has 80 kB.
LIMIT_BYTES = 4 * 1024 * 1024
_DIGITS = {algorithm: digits for digits, algorithm in sums.ALGORITHMS.items()}


def stated(asset: Asset, release: Release, fetch: Fetch) -> Stated:
    """Return the digests that manifests of build tools in *release* state of *asset*; *fetch* reads a file of it.

    One that states digests of other files only is a gap. Raises ReleaseError where such a file cannot be fetched.
    """
    claims: list[Claim] = []
    gaps: list[str] = []
    for file in release.assets:
        if file.name not in (CARGO_DIST, GORELEASER) or asset.name == file.name or (file.size or 0) > LIMIT_BYTES:
            continue
        found = _digests(_document(fetch(file)))
        claims += [Claim(algorithm, value, file.url) for name, algorithm, value in sorted(found) if name == asset.name]
        if found and not any(name == asset.name for name, _algorithm, _value in found):
            gaps.append(f"{file.name} states no digest of it")
    return Stated(tuple(claims), tuple(gaps))


def _document(content: bytes) -> Any:
    """Return what the JSON in *content* is, None where it is none: these files are known by their names alone."""
    try:
        return read_json(content[: LIMIT_BYTES + 1].decode())
    except ValueError:
        return None


def _digests(document: Any) -> set[tuple[str, str, str]]:
    """Return each strong digest that a *document* of either form states: name of a file, algorithm, value."""
    stated: list[tuple[object, object, object]] = []
    for name, artifact in _mapping(_mapping(document).get("artifacts")).items():
        checksums = _mapping(_mapping(artifact).get("checksums"))
        stated += [(name, algorithm, value) for algorithm, value in checksums.items()]
    for artifact in document if isinstance(document, list) else []:
        checksum = _mapping(_mapping(artifact).get("extra")).get("Checksum")
        algorithm, _colon, value = str(checksum).partition(":")
        stated.append((_mapping(artifact).get("name"), algorithm, value))
    return {
        (name, algorithm.lower(), value.lower())
        for name, algorithm, value in stated
        if isinstance(name, str) and isinstance(algorithm, str) and isinstance(value, str)
        if re.fullmatch(rf"[0-9A-Fa-f]{{{_DIGITS.get(algorithm.lower(), 0)}}}", value) and value
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
