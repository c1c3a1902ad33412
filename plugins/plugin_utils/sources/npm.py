# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a tool on an npm registry have, whose programs lie in packages of their own? On the controller.

Such a tool is a main package that names, in exact versions, one package a platform as optional dependencies, with
``os``, ``cpu`` and ``libc`` fields; those packages are the assets. ``packages: "@esbuild/*"`` picks them by name, among
the plain dependencies as well. A package that has those fields itself is its own asset.

Follows the registry's API (github.com/npm/registry, "package-metadata") and Subresource Integrity for digests. Registry
and credentials are the machine's (npmrc.py), or ``registry: https://…``. Where a registry holds some releases whole and
others in part, as a mirror that lags behind does, only whole ones count; if none is whole, what there is of them does.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import base64
import fnmatch
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import transport
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils.sources.declared import (
    Declaration,
    is_file_name,
    listed,
    require_name,
    web_address,
)
from ansible_collections.pinned.release.plugins.plugin_utils.sources.npmrc import read_npm_config

PARALLEL_REQUESTS = 8
#: Platform packages of one tool, all versions together; more are none.
PACKAGES_LIMIT = 300
_NAME = r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[A-Za-z0-9~_-][A-Za-z0-9._~-]*"
_EXACT = re.compile(r"=?v?(?P<version>[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)")
_ALIAS = re.compile(rf"npm:(?P<name>{_NAME})@(?P<rest>.+)")
_SRI_BITS = {"sha256": 256, "sha384": 384, "sha512": 512}

#: A package's document, as the registry gives it.
Document = Mapping[str, Any]


@dataclass(frozen=True)
class _Needed:
    """One package that a version of the tool names: the exact version of it."""

    name: str
    version: str


class NpmSource:
    """A tool on an npm registry."""

    OPTIONS = frozenset({"packages", "registry"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the registry. Raises ReleaseError if the name cannot be right or no registry is known."""
        self._name = require_name(declaration, _NAME, "@biomejs/biome")
        self._pattern = declaration.options.get("packages")
        self._is_wanted = declaration.is_wanted
        self._exact = declaration.exact
        self._config = read_npm_config(os.environ)
        self._declared = declaration.options.get("registry")
        self._registry_of(self._name)
        self.session = transport.session(credentials=self._config.credentials(), cache_root=declaration.cache_root)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        return f"npm package {self._name} at {transport.redacted(self._registry_of(self._name))}"

    def releases(self) -> Sequence[Release]:
        """Return every version that has programs, in the registry's order, then those not wanted, by name alone.

        Raises ReleaseError.
        """
        document = self._document(self._name)
        if document is None:
            raise ReleaseError(
                f"{self.describe()} does not exist", fix="check the spelling, and the registry if it is a private one"
            )
        with transport.understood(self.describe(), "a package document of the npm registry API"):
            needed = {
                version: self._needed(manifest)
                for version, manifest in document["versions"].items()
                if self._is_wanted(version) and self._exact in (None, version)
            }
            names = sorted({one.name for of_version in needed.values() for one in of_version} - {self._name})
            documents = {self._name: document, **self._documents(names)}
            found = {version: _found(of_version, documents) for version, of_version in needed.items()}
            whole = {
                version for version, packages in found.items() if packages and len(packages) == len(needed[version])
            }
            counting = [version for version, packages in found.items() if version in whole or (packages and not whole)]
            made = [_release(version, document, found[version], documents) for version in counting]
            releases = [release for release in made if release.assets]
            # An error can then tell what there is.
            unwanted = [Release(version, ()) for version in document["versions"] if version not in needed]
        if needed and not releases:
            raise self._without_programs(needed, documents)
        return [*releases, *unwanted]

    def _needed(self, manifest: Mapping[str, Any]) -> Sequence[_Needed]:
        """Return the packages that may hold the programs of the version with this *manifest*."""
        if _is_for_a_platform(manifest):
            return [_Needed(self._name, manifest["version"])]
        named = dict(manifest.get("optionalDependencies") or {})
        if self._pattern is not None:
            named = {**(manifest.get("dependencies") or {}), **named}
            named = {name: version for name, version in named.items() if fnmatch.fnmatchcase(name, self._pattern)}
        return [one for one in (_exact(name, wanted) for name, wanted in named.items()) if one is not None]

    def _documents(self, names: Sequence[str]) -> dict[str, Document | None]:
        if len(names) > PACKAGES_LIMIT:
            raise ReleaseError(
                f"{self.describe()} names {len(names)} packages, too many to ask for",
                fix='say which hold programs:  packages: "@scope/prefix-*"',
            )
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            return dict(zip(names, pool.map(self._document, names), strict=True))

    def _document(self, name: str) -> Document | None:
        """Return the document of a package, None where the registry has none. Raises ReleaseError."""
        response = self.session.get(
            self._registry_of(name) + quote(name, safe="@"), headers={"Accept": "application/json"}
        )
        if response.status_code == 404:
            return None
        if not response.ok:
            raise transport.refused(response)
        with transport.understood(transport.redacted(response.url), "a package document of the npm registry API"):
            document: Document = response.json()
            if not isinstance(document["versions"], dict):
                raise TypeError("versions is no mapping")
        return document

    def _registry_of(self, name: str) -> str:
        if self._declared is not None:
            return web_address(self._declared, "registry").rstrip("/") + "/"
        return self._config.registry_of(name)

    def _without_programs(
        self, needed: Mapping[str, Sequence[_Needed]], documents: Mapping[str, Document | None]
    ) -> ReleaseError:
        """Return the error for a tool of which no wanted version has a program here, by the example of the newest."""
        newest = max(needed, key=versions.order_of)
        missing = [f"{one.name} {one.version} (has {_newest_of(documents.get(one.name))})" for one in needed[newest]]
        if not missing:
            return ReleaseError(
                f"{self.describe()} {newest} has no packages of its own for platforms",
                fix='if it has, say which:  packages: "@scope/prefix-*"; otherwise take the tool from another source',
            )
        return ReleaseError(
            f"{self.describe()} {newest} is not whole: the registry lacks the packages with its programs",
            found=listed(missing),
            fix="choose a version whose packages are there, or ask another registry (registry: https://…)",
        )


def _exact(name: str, wanted: object) -> _Needed | None:
    """Return the package and version that a dependency names; None for ranges and addresses, which pin nothing."""
    if not isinstance(wanted, str):
        return None
    alias = _ALIAS.fullmatch(wanted)
    match = _EXACT.fullmatch(alias["rest"] if alias else wanted)
    real_name = alias["name"] if alias else name
    return _Needed(real_name, match["version"]) if match and re.fullmatch(_NAME, real_name) else None


def _is_for_a_platform(manifest: Mapping[str, Any]) -> bool:
    return bool(manifest.get("os")) and bool(manifest.get("cpu"))


def _found(needed: Iterable[_Needed], documents: Mapping[str, Document | None]) -> list[_Needed]:
    """Return those of the *needed* packages that the registry holds."""
    return [one for one in needed if one.version in (documents.get(one.name) or {"versions": {}})["versions"]]


def _release(
    version: str, main: Document, packages: Sequence[_Needed], documents: Mapping[str, Document | None]
) -> Release:
    """Return the release that *packages* make. Its moment is that of its newest package; deprecated is yanked."""
    manifests = [(one, (documents[one.name] or {})["versions"][one.version]) for one in packages]
    times = [(main.get("time") or {}).get(version)]
    times += [((documents[one.name] or {}).get("time") or {}).get(one.version) for one in packages]
    moments = [versions.moment_of(time) for time in times if time]
    is_deprecated = bool(main["versions"][version].get("deprecated"))
    is_all_deprecated = all(manifest.get("deprecated") for manifest in main["versions"].values())
    return Release(
        version=version,
        assets=tuple(_asset(one, manifest) for one, manifest in manifests if _is_for_a_platform(manifest)),
        published=max(moments) if moments else None,
        is_prerelease=versions.is_prerelease(version) or "-" in version.partition("+")[0],
        is_yanked=is_deprecated and not is_all_deprecated,
    )


def _asset(package: _Needed, manifest: Mapping[str, Any]) -> Asset:
    """Return the package as an asset, named as ``npm pack`` names it: names of different scopes stay apart."""
    name = f"{package.name.lstrip('@').replace('/', '-')}-{package.version}.tgz"
    if not is_file_name(name):
        raise ValueError("a name that is no file name")
    platform = {key: ",".join(map(str, manifest[key])) for key in ("os", "cpu", "libc") if manifest.get(key)}
    return Asset(name, web_address(manifest["dist"]["tarball"], name), None, _digests(manifest["dist"]), None, platform)


def _digests(dist: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of a package's integrity, else its SHA-1, which is compared though it proves nothing.

    An algorithm that appears twice offers a choice of bytes, and is left out.
    """
    found: dict[str, list[str]] = {}
    for word in str(dist.get("integrity") or "").split():
        algorithm, _dash, value = word.partition("?")[0].partition("-")
        if algorithm in _SRI_BITS:
            digest = base64.b64decode(value, validate=True)
            if len(digest) * 8 != _SRI_BITS[algorithm]:
                raise ValueError(f"an integrity that is no {algorithm}")
            found.setdefault(algorithm, []).append(digest.hex())
    digests = {algorithm: values[0] for algorithm, values in found.items() if len(set(values)) == 1}
    if not digests and dist.get("shasum"):
        return {"sha1": str(dist["shasum"])}
    return digests


def _newest_of(document: Document | None) -> str:
    names = list(document["versions"]) if document else []
    return max(names, key=versions.order_of) if names else "none"
