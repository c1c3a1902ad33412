# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a project on a Python package index have? Runs on the controller.

Only wheels are assets, since only they contain compiled programs. Follows the Simple Repository API
(packaging.python.org, "Simple repository API") in both its dialects, as pypi-simple reads them. JSON is preferred,
because only JSON has sizes and dates. The index is the one that the manifest names, else the first of the machine's own
(python_indexes.py) that has the project. Credentials may be in its address or in netrc.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import (
    documents,
    failures,
    redaction,
    transport,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    LONGEST_ADDRESS,
    Declaration,
    asset_address,
    is_file_name,
    refuse_too_many,
    require_name,
    web_address,
    without_user,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.integrity import PYTHON, python_address
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.python_indexes import (
    Index,
    configured_indexes,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import packaging, pypi_simple
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import basic

if TYPE_CHECKING:
    import requests
    from pypi_simple import DistributionPackage

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html")
_PAGE = "a page of the Simple Repository API"


@dataclass(frozen=True)
class _Wheel:
    """A wheel of the project. Its version is None if it does not follow PEP 440, so that it cannot be compared.

    The asset is None if the manifest does not allow the version. *provenance* is where its attestations are, as far as
    the index says.
    """

    version: packaging.version.Version | None
    asset: Asset | None
    is_yanked: bool
    uploaded: datetime | None
    provenance: str = ""


#: The form of a project's name, and an example.
PYPI = (r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", "uv")


class PypiSource:
    """A project on a Python package index."""

    OPTIONS = frozenset({"index"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the declared index. Raises ReleaseError if its name or index is not valid."""
        self._project = require_name(declaration, *PYPI)
        given = declaration.options.get("index")
        # A version has many wheels, and to compare it takes longer than to read one.
        self._is_wanted = cache(declaration.is_wanted)
        indexes = (Index(given, "the manifest"),) if given else _configured()
        credentials = [credential for index in indexes for credential in _credentials(index)]
        self._indexes = [web_address(index.url, "the Python package index") for index in indexes]
        #: The one that has the project, or is asked first.
        self._index = self._indexes[0]
        self.session = transport.session(credentials=credentials, cache_root=declaration.cache_root)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        is_default = self._index == pypi_simple.PYPI_SIMPLE_ENDPOINT
        place = "the Python package index" if is_default else f"the index at {redaction.redacted(self._index)}"
        return f"project {self._project} on {place}"

    def releases(self) -> Sequence[Release]:
        """Return every version that has wheels, in the index's order. Raises ReleaseError if there is no such list."""
        wheels = self._wheels()
        if not wheels:
            raise ReleaseError(
                f"{self.describe()} publishes no wheels",
                fix="only wheels contain compiled programs; take the tool from another source",
            )
        by_version: dict[packaging.version.Version, list[_Wheel]] = {}
        for wheel in wheels:
            if wheel.version is not None:
                by_version.setdefault(wheel.version, []).append(wheel)
        return [self._release(version, of_version) for version, of_version in by_version.items()]

    def _release(self, version: packaging.version.Version, wheels: Sequence[_Wheel]) -> Release:
        release = _release(version, wheels)
        stated = {wheel.asset.name: wheel.provenance for wheel in wheels if wheel.asset}
        return replace(
            release,
            attestations=partial(self._attestations, release.version, stated),
        )

    def _attestations(
        self, version: str, stated: Mapping[str, str], asset: Asset, _digests: Mapping[str, str]
    ) -> Sequence[Attestation]:
        """Return what the index has about an *asset*, of which the page may have *stated* where, by its name."""
        url = stated.get(asset.name) or python_address(self._index, self._project, version, asset.name)
        return PYTHON.attestations(url, self.session)

    def _wheels(self) -> list[_Wheel]:
        response = self._page()
        dialect = response.headers.get("Content-Type", "text/html").partition(";")[0].strip().lower()
        if dialect == _JSON:
            return documents.json_of(response, _PAGE, lambda data: self._taken(_listed_in_json(data, response.url)))
        if dialect not in _HTML:
            raise ReleaseError(
                f"{self.describe()} could not be understood", expected=_PAGE, found=redaction.shown(dialect)
            )
        page = documents.page_of(response)
        with failures.as_release_error(self.describe(), _PAGE):
            return self._taken(_listed_in_html(page, response.url))

    def _page(self) -> requests.Response:
        """Return the page of the project, of the first index that has it.

        Raises ReleaseError if none has. An index that does not answer ends the search: the next may have another
        project of this name.
        """
        project = packaging.utils.canonicalize_name(self._project)
        for index in self._indexes:
            response = self.session.get(
                f"{index.rstrip('/')}/{project}/", headers={"Accept": pypi_simple.ACCEPT_JSON_PREFERRED}
            )
            if response.ok:
                self._index = index
                return response
            if response.status_code != 404:
                raise failures.refused(response, self.session)
        others = [redaction.redacted(index) for index in self._indexes[1:]]
        raise ReleaseError(
            f"{self.describe()} does not exist{', nor on ' + ', '.join(others) if others else ''}",
            fix="check the spelling, and the index if it is a private one",
        )

    def _taken(self, packages: Iterable[DistributionPackage]) -> list[_Wheel]:
        """Return the wheels of the project among *packages*, each reduced to what counts as soon as it is read."""
        wheels: list[_Wheel] = []
        assets = 0
        place = self.describe()
        own_name = packaging.utils.canonicalize_name(self._project)
        for package in packages:
            is_own = package.project and packaging.utils.canonicalize_name(package.project) == own_name
            if is_own and package.package_type == "wheel":
                wheels.append(_wheel(package, self._is_wanted))
                assets += wheels[-1].asset is not None
                refuse_too_many(assets, place)
        return wheels


def _listed_in_json(data: Any, address: str) -> Iterator[DistributionPackage]:
    _refuse_newer_api(data["meta"]["api-version"])
    for file in data["files"]:
        # To join addresses takes half of the time, and changes nothing about whole ones.
        is_whole = isinstance(file, dict) and str(file.get("url")).startswith("https://")
        yield pypi_simple.DistributionPackage.from_json_data(file, base_url=None if is_whole else address)


def _listed_in_html(page: documents.Page, address: str) -> Iterator[DistributionPackage]:
    if page.api_version:
        _refuse_newer_api(page.api_version)
    base = urljoin(address, page.base)
    for link in page.links:
        attributes: dict[str, str | list[str]] = {"data-yanked": ""} if link.is_yanked else {}
        yield pypi_simple.DistributionPackage.from_link(
            pypi_simple.Link(link.text, urljoin(base, link.href), attributes)
        )


def _refuse_newer_api(version: str) -> None:
    """Raise ValueError for another major version of the API; a newer minor one is compatible."""
    if packaging.version.Version(version).major != 1:
        raise ValueError(f"version {version} of the API")


def _configured() -> tuple[Index, ...]:
    return configured_indexes(os.environ, pypi_simple.PYPI_SIMPLE_ENDPOINT)


def _credentials(index: Index) -> list[Credential]:
    """Return what proves the user and password in the address of the *index*, to that server and no other.

    Raises ReleaseError if that is no address.
    """
    web_address(index.url, "the Python package index")
    clean, user_and_password = without_user(index.url)
    if user_and_password is None:
        return []
    header = basic(*map(unquote, user_and_password))
    # The files often lie beside the index rather than below it, so the whole server is covered, as with pip.
    server = urlunsplit(urlsplit(clean)._replace(path="/", query=""))
    return [Credential(server, {"Authorization": header}, f"the password in {index.origin}")]


def _wheel(package: DistributionPackage, is_wanted: Callable[[str], bool]) -> _Wheel:
    try:
        version = packaging.version.Version(package.version or "")
    except packaging.version.InvalidVersion:
        return _Wheel(None, None, False, None)
    is_taken = is_wanted(str(version)) and is_file_name(package.filename)
    if not is_taken:
        return _Wheel(version, None, package.is_yanked, package.upload_time)
    provenance = (package.provenance_url or "")[: LONGEST_ADDRESS + 1]
    return _Wheel(version, _asset(package), package.is_yanked, package.upload_time, provenance)


def _release(version: packaging.version.Version, wheels: Sequence[_Wheel]) -> Release:
    """Return the release that *wheels* make. A yanked wheel counts only where all are yanked.

    Its moment is that of its newest wheel, since a policy on age asks how long the bytes have been seen by others.
    """
    offered = [wheel for wheel in wheels if not wheel.is_yanked]
    moments = [wheel.uploaded for wheel in offered or wheels if wheel.uploaded]
    return Release(
        version=str(version),
        assets=tuple(wheel.asset for wheel in offered or wheels if wheel.asset),
        published=max(moments) if moments else None,
        is_prerelease=version.is_prerelease,
        is_yanked=not offered,
    )


def _asset(package: DistributionPackage) -> Asset:
    return Asset(
        name=package.filename,
        url=asset_address(package.url, package.filename),
        size=package.size,
        digests=dict(_plain_digests(package.digests.items())),
    )


def _plain_digests(digests: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for algorithm, value in digests:
        if re.fullmatch(r"[0-9A-Fa-f]+", value):
            yield algorithm.lower(), value.lower()
