# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a project on a Python package index have? Runs on the controller.

Only wheels are assets, since they alone hold programs that are built. Follows the Simple Repository API
(packaging.python.org, "Simple repository API") in both its dialects, as pypi-simple reads them, JSON preferred: it
alone tells sizes and dates. The index is the one that the manifest names, else ``PIP_INDEX_URL``, else the one that
pypi-simple knows. Credentials may stand in that URL or in netrc.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import base64
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import transport
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging, pypi_simple, requests
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils.sources.declared import (
    Declaration,
    is_file_name,
    require_name,
    web_address,
    without_user,
)

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage


class PypiSource:
    """A project on a Python package index."""

    OPTIONS = frozenset({"index"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the declared index. Raises ReleaseError if name or index cannot be right."""
        self._project = require_name(declaration, r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", "uv")
        given = declaration.options.get("index") or os.environ.get("PIP_INDEX_URL")
        self._is_default = not given
        index = given or pypi_simple.PYPI_SIMPLE_ENDPOINT
        self._index = web_address(index, "the Python package index")
        self.session = transport.session(credentials=_credentials(index), cache_root=declaration.cache_root)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        place = "the Python package index" if self._is_default else f"the index at {transport.redacted(self._index)}"
        return f"project {self._project} on {place}"

    def releases(self) -> Sequence[Release]:
        """Return every version that has wheels, in the index's order. Raises ReleaseError."""
        wheels = [package for package in self._packages() if package.package_type == "wheel"]
        if not wheels:
            raise ReleaseError(
                f"{self.describe()} publishes no wheels",
                fix="only wheels hold programs that are built; take the tool from another source",
            )
        by_version: dict[packaging.version.Version, list[DistributionPackage]] = {}
        with transport.understood(self.describe(), "versions as PEP 440 writes them"):
            for wheel in wheels:
                version = _version(wheel)
                if version is not None:
                    by_version.setdefault(version, []).append(wheel)
            return [_release(version, of_version) for version, of_version in by_version.items()]

    def _packages(self) -> Sequence[DistributionPackage]:
        client = pypi_simple.PyPISimple(self._index, session=self.session, accept=pypi_simple.ACCEPT_JSON_PREFERRED)
        with transport.understood(self.describe(), "a page of the Simple Repository API"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a newer minor version of the API, which is compatible
            try:
                packages = client.get_project_page(self._project).packages
            except pypi_simple.NoSuchProjectError:
                raise ReleaseError(
                    f"{self.describe()} does not exist", fix="check the spelling, and the index if it is a private one"
                ) from None
            except requests.HTTPError as error:
                if error.response is None:
                    raise transport.failure(error, self._index) from None
                raise transport.refused(error.response) from None
        own_name = packaging.utils.canonicalize_name(self._project)
        return [one for one in packages if one.project and packaging.utils.canonicalize_name(one.project) == own_name]


def _credentials(index: str) -> list[transport.Credential]:
    """Return what proves the user and password that stand in the *index* URL, to that server and no other."""
    clean, user_and_password = without_user(index)
    if user_and_password is None:
        return []
    plain = ":".join(unquote(part) for part in user_and_password)
    header = "Basic " + base64.b64encode(plain.encode()).decode("ascii")
    # The files often lie beside the index rather than below it, so the whole server is covered, as with pip.
    return [transport.Credential(urlunsplit(urlsplit(clean)._replace(path="/", query="")), {"Authorization": header})]


def _version(wheel: DistributionPackage) -> packaging.version.Version | None:
    """Return the version in a wheel's name; None for the few from before PEP 440, which nothing can compare."""
    try:
        return packaging.version.Version(wheel.version or "")
    except packaging.version.InvalidVersion:
        return None


def _release(version: packaging.version.Version, wheels: Sequence[DistributionPackage]) -> Release:
    """Return the release that *wheels* make. A yanked wheel counts only where all are yanked.

    Its moment is that of its newest wheel, since a policy on age asks how long the bytes have been seen by others.
    """
    offered = [wheel for wheel in wheels if not wheel.is_yanked]
    moments = [wheel.upload_time for wheel in offered or wheels if wheel.upload_time]
    return Release(
        version=str(version),
        assets=tuple(_asset(wheel) for wheel in offered or wheels if is_file_name(wheel.filename)),
        published=max(moments) if moments else None,
        is_prerelease=version.is_prerelease,
        is_yanked=not offered,
    )


def _asset(wheel: DistributionPackage) -> Asset:
    return Asset(
        name=wheel.filename,
        url=web_address(wheel.url, wheel.filename),
        size=wheel.size,
        digests=dict(_plain_digests(wheel.digests.items())),
    )


def _plain_digests(digests: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for algorithm, value in digests:
        if re.fullmatch(r"[0-9A-Fa-f]+", value):
            yield algorithm.lower(), value.lower()
