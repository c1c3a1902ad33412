# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a tool on an npm registry have, whose programs lie in packages of their own? On the controller.

Such a tool is a main package that names, in exact versions, one package a platform as optional dependencies, with
``os``, ``cpu`` and ``libc`` fields; those packages are the assets. ``packages: "@esbuild/*"`` picks them by name, among
the plain dependencies as well. A package that has those fields itself is its own asset, unless it names such packages:
then its own archive holds placeholders, as that of ``bun`` does.

Follows the registry's API (github.com/npm/registry, "package-metadata") and Subresource Integrity for digests. Registry
and credentials are the machine's (npmrc.py), or ``registry: https://…``. Where a registry holds some releases whole and
others in part, as a mirror that lags behind does, only whole ones are taken; if none is whole, what there is of them.
A package of which the registry has no version at all keeps no release back: it may never have been published. Whatever
a release lacks is named.
"""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import (
    documents,
    failures,
    redaction,
    transport,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    LONGEST_ADDRESS,
    Declaration,
    asset_address,
    is_file_name,
    listed,
    refuse_too_many,
    require_name,
    web_address,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.integrity import NPM
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.npmrc import read_npm_config
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_prerelease, order_of

if TYPE_CHECKING:
    import requests

PARALLEL_REQUESTS = 8
#: Platform packages of one tool, all versions together; more are none.
PACKAGES_LIMIT = 300
LONGEST_LIST_OF_WORDS = 256
#: In hexadecimal digits; one that is cut short is none, and compares as such.
LONGEST_DIGEST = 128
_NAME = r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[A-Za-z0-9~_-][A-Za-z0-9._~-]*"
_EXACT = re.compile(r"=?v?(?P<version>[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)")
_ALIAS = re.compile(rf"npm:(?P<name>{_NAME})@(?P<rest>.+)")
_SRI_BITS = {"sha256": 256, "sha384": 384, "sha512": 512}
_HEADERS = {"Accept": "application/json"}
_DOCUMENT = "a package document of the npm registry API"

#: A package's document, or one version's manifest in it, as the registry gives it.
Document = Mapping[str, Any]


@dataclass(frozen=True)
class _Needed:
    """One package that a version of the tool names: the exact version of it."""

    name: str
    version: str


@dataclass(frozen=True)
class _Built:
    """One version of a package: its tarball, None where it is not for a platform, and when it was published.

    *attestations* is where the registry has statements about the tarball, "" if it has none.
    """

    asset: Asset | None
    published: datetime | None
    attestations: str = ""


@dataclass(frozen=True)
class _Package:
    """What the document of a package says of the versions that are needed. *newest* is that of all."""

    built: Mapping[str, _Built]
    newest: str


@dataclass(frozen=True)
class _Found:
    """What the registry holds of a version of the tool, and what it lacks of what that version names.

    It is whole if the registry lacks no more than packages of which it has no version at all.
    """

    built: tuple[_Built, ...]
    lacking: tuple[str, ...]
    is_whole: bool


@dataclass(frozen=True)
class _Main:
    """What the document of the tool's own package says.

    versions    all of them, in the registry's order
    needed      wanted version → the other packages that may hold its programs
    times       wanted version → when it was published
    deprecated  versions that their publisher withdrew; none where all are
    own         what the document says of the wanted versions themselves
    wanting     wanted versions that do not start without other packages, as npm would install them beside
    """

    versions: tuple[str, ...]
    needed: Mapping[str, tuple[_Needed, ...]]
    times: Mapping[str, datetime | None]
    deprecated: frozenset[str]
    own: _Package
    wanting: frozenset[str]


class NpmSource:
    """A tool on an npm registry."""

    OPTIONS = frozenset({"packages", "registry"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the registry. Raises ReleaseError if the name is not valid or no registry is known."""
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
        return f"npm package {self._name} at {redaction.redacted(self._registry_of(self._name))}"

    def releases(self) -> Sequence[Release]:
        """Return every version that has programs, in the registry's order, then those not wanted, by name alone.

        Those that are in part there, beside others that are whole, are marked as such. Raises ReleaseError if the
        registry does not answer or has no such package, or if no wanted version has a program.
        """
        answer = self._ask(self._name)
        if answer is None:
            raise ReleaseError(
                f"{self.describe()} does not exist", fix="check the spelling, and the registry if it is a private one"
            )
        main = documents.json_of(answer, _DOCUMENT, self._main)
        packages = self._packages(main.needed, is_main_as_kept=transport.is_as_kept(answer))
        found = {version: _found(version, main, packages) for version in main.needed}
        made = [self._release(version, main, one) for version, one in found.items()]
        releases = [release for release in made if release.assets]
        if any(found[release.version].is_whole for release in releases):
            releases = [replace(release, is_partial=not found[release.version].is_whole) for release in releases]
        if found and not releases:
            raise self._without_programs(main.needed, packages)
        # An error can then tell what there is.
        unwanted = [Release(version, ()) for version in main.versions if version not in main.needed]
        return [*releases, *unwanted]

    def _release(self, version: str, main: _Main, found: _Found) -> Release:
        release = _release(version, main, found)
        stated = {one.asset.name: one.attestations for one in found.built if one.asset and one.attestations}
        return replace(
            release,
            attestations=partial(self._attestations, stated),
        )

    def _attestations(
        self, stated: Mapping[str, str], asset: Asset, _digests: Mapping[str, str]
    ) -> Sequence[Attestation]:
        """Return what the registry has about an *asset*, if its document has *stated* where, by its name."""
        return NPM.attestations(stated[asset.name], self.session) if asset.name in stated else ()

    def _main(self, document: Document) -> _Main:
        manifests = document["versions"]
        needed = {
            version: tuple(self._needed(manifest))
            for version, manifest in manifests.items()
            if self._is_wanted(version) and self._exact in (None, version)
        }
        refuse_too_many(sum(map(len, needed.values())), self.describe())
        deprecated = frozenset(version for version, manifest in manifests.items() if manifest.get("deprecated"))
        return _Main(
            versions=tuple(manifests),
            needed=needed,
            times={version: _moment(document, version) for version in needed},
            deprecated=deprecated if len(deprecated) < len(manifests) else frozenset(),
            own=_package(self._name, document, needed),
            wanting=frozenset(version for version in needed if manifests[version].get("dependencies")),
        )

    def _needed(self, manifest: Document) -> Iterator[_Needed]:
        """Yield the other packages that may hold the programs of the version with this *manifest*."""
        named = dict(manifest.get("optionalDependencies") or {})
        if self._pattern is not None:
            named = {**(manifest.get("dependencies") or {}), **named}
            named = {name: version for name, version in named.items() if fnmatch.fnmatchcase(name, self._pattern)}
        yield from filter(None, (_exact(name, wanted) for name, wanted in named.items()))

    def _packages(
        self, needed: Mapping[str, Sequence[_Needed]], *, is_main_as_kept: bool
    ) -> dict[str, _Package | None]:
        """Return all packages that are *needed*, by name; None for those that the registry does not have.

        They are named in exact versions, which a registry never gives other bytes. So while the document of the tool's
        own package is as it was, those that were read before are not asked for again.
        """
        versions_of: dict[str, set[str]] = {}
        for one in chain.from_iterable(needed.values()):
            versions_of.setdefault(one.name, set()).add(one.version)
        if len(versions_of) > PACKAGES_LIMIT:
            raise ReleaseError(
                f"{self.describe()} names {len(versions_of)} packages, too many to ask for",
                fix='name those that contain programs:  packages: "@scope/prefix-*"',
            )

        def read(name: str) -> _Package | None:
            """Return the package *name*, of its document only the versions that are needed."""
            take = partial(_package, name, needed=versions_of[name])
            known = self._known(name, take) if is_main_as_kept else None
            if known and known.built.keys() == versions_of[name]:
                return known
            answer = self._ask(name)
            return documents.json_of(answer, _DOCUMENT, take) if answer else None

        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            return dict(zip(versions_of, pool.map(read, versions_of), strict=True))

    def _known(self, name: str, take: Callable[[Document], _Package]) -> _Package | None:
        """Return what *take* takes of the document of a package that was read before, None if there is none."""
        answer = transport.kept_answer(self.session, self._address(name), _HEADERS)
        with contextlib.suppress(ReleaseError):
            return documents.json_of(answer, _DOCUMENT, take) if answer else None
        return None

    def _ask(self, name: str) -> requests.Response | None:
        """Return the registry's answer about a package, None where it has none. Raises ReleaseError if it refuses."""
        response = self.session.get(self._address(name), headers=_HEADERS)
        if response.status_code == 404:
            return None
        if not response.ok:
            raise failures.refused(response, self.session)
        return response

    def _address(self, name: str) -> str:
        return self._registry_of(name) + quote(name, safe="@")

    def _registry_of(self, name: str) -> str:
        if self._declared is not None:
            return web_address(self._declared, "registry").rstrip("/") + "/"
        return self._config.registry_of(name)

    def _without_programs(
        self, needed: Mapping[str, Sequence[_Needed]], packages: Mapping[str, _Package | None]
    ) -> ReleaseError:
        """Return the error for a tool of which no wanted version has a program here, by the example of the newest."""
        newest = max(needed, key=order_of)
        found = [(one, packages[one.name]) for one in needed[newest]]
        missing = [
            f"{one.name} {one.version} (has {package.newest if package else 'none'})"
            for one, package in found
            if not (package and one.version in package.built)
        ]
        if not missing:
            return ReleaseError(
                f"{self.describe()} {newest} has no packages of its own for platforms",
                fix='if it has any, name them:  packages: "@scope/prefix-*"; else take the tool from another source',
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


def _is_for_a_platform(manifest: Document) -> bool:
    """Tell whether the fields name a system or a processor. One is enough: the bytes tell the other."""
    return any(_names_some(manifest.get(key)) for key in ("os", "cpu"))


def _names_some(value: Any) -> bool:
    """Tell whether a field of npm's names any value, rather than all (``any``), or all but some (``!win32``)."""
    return any(word not in ("", "any") and not word.startswith("!") for word in _words(value or ()).split(","))


def _package(name: str, document: Document, needed: Collection[str]) -> _Package:
    """Return what a package's *document* says of the versions that are *needed*."""
    manifests = document["versions"]
    built = {
        version: _Built(
            _asset(name, version, manifests[version]), _moment(document, version), _attestations(manifests[version])
        )
        for version in needed
        if version in manifests
    }
    return _Package(built, max(manifests, key=order_of, default="none"))


def _moment(document: Document, version: str) -> datetime | None:
    time = (document.get("time") or {}).get(version)
    return versions.moment_of(time) if time else None


def _found(version: str, main: _Main, packages: Mapping[str, _Package | None]) -> _Found:
    """Return what the registry holds of a *version*.

    Its own archive counts if no other package is for a platform, and the code in it needs no other package either.
    """
    needed = main.needed[version]
    holding = [(one, packages[one.name]) for one in needed]
    built = [package.built[one.version] for one, package in holding if package and one.version in package.built]
    lacking = [one for one, package in holding if not (package and one.version in package.built)]
    if not (lacking or version in main.wanting or any(one.asset for one in built)):
        built = [main.own.built[version]]
    is_whole = bool(built) and all(packages[one.name] is None for one in lacking)
    return _Found(tuple(built), tuple(f"{one.name} {one.version}" for one in lacking), is_whole)


def _release(version: str, main: _Main, found: _Found) -> Release:
    """Return the release that was *found*. Its moment is that of its newest package; deprecated is yanked."""
    moments = [moment for moment in (main.times[version], *(one.published for one in found.built)) if moment]
    return Release(
        version=version,
        assets=tuple(one.asset for one in found.built if one.asset),
        published=max(moments) if moments else None,
        is_prerelease=is_prerelease(version) or "-" in version.partition("+")[0],
        is_yanked=version in main.deprecated,
        missing=found.lacking,
    )


def _asset(package: str, version: str, manifest: Document) -> Asset | None:
    """Return the package as an asset, named as ``npm pack`` names it: names of different scopes stay apart."""
    if not _is_for_a_platform(manifest):
        return None
    name = f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not is_file_name(name):
        raise ValueError("a name that is no file name")
    platform = {key: _words(manifest[key]) for key in ("os", "cpu", "libc") if manifest.get(key)}
    url = asset_address(manifest["dist"]["tarball"], name)
    return Asset(name, url, None, _digests(manifest["dist"]), None, platform)


def _attestations(manifest: Document) -> str:
    """Return where the registry has statements about a package, "" where it says nothing."""
    dist = manifest.get("dist")
    named = dist.get("attestations") if isinstance(dist, dict) else None
    url = named.get("url") if isinstance(named, dict) else None
    return url if isinstance(url, str) and len(url) <= LONGEST_ADDRESS else ""


def _words(value: str | Iterable[object]) -> str:
    """Return one system or processor, or a list, as one text. Raises ValueError for one that is too long to be real."""
    words = value if isinstance(value, str) else ",".join(map(str, value))
    if len(words) > LONGEST_LIST_OF_WORDS:
        raise ValueError("a list of platforms without end")
    return words


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
        return {"sha1": str(dist["shasum"])[:LONGEST_DIGEST]}
    return digests
