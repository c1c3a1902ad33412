# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which name does an advisory database know the package of a package URL, or of a repository? Pure; controller.

Ecosystems are those of the OSV schema (ossf.github.io/osv-schema, "Defined ecosystems"); ``GIT`` is ours for what is
released from a repository, which records name by ``ranges[].repo``. Package URLs follow ECMA-427.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

GIT = "GIT"
#: Type of a package URL → ecosystem of advisories.
ECOSYSTEMS = {"bitnami": "Bitnami", "cargo": "crates.io", "golang": "Go", "npm": "npm", "pypi": "PyPI"}
#: Type of a package URL → the server that has its repositories.
_FORGES = {"bitbucket": "bitbucket.org", "github": "github.com", "gitlab": "gitlab.com"}
#: Names that are not held apart by the case of their letters. Package URLs lose the case of Go's.
_WITHOUT_CASE = ("Bitnami", "Go")


class Package(NamedTuple):
    """A package as databases are searched for it: *name* is in a form that equal names have in common."""

    ecosystem: str
    name: str


class Purl(NamedTuple):
    """A package URL in parts that can be compared: *package* is its type, namespace and name."""

    package: tuple[str, str]
    version: str
    qualifiers: frozenset[tuple[str, str]]


def read_purl(text: str) -> Purl:
    """Return the parts of the package URL *text*. Raises ReleaseError if it is none."""
    try:
        url = libraries.packageurl.PackageURL.from_string(text)
    except ValueError as error:
        raise ReleaseError(f"{shown(text)} is no package URL", "one such as pkg:pypi/uv", shown(str(error))) from error
    name = f"{url.namespace}/{url.name}" if url.namespace else url.name
    return Purl((url.type, _lowered(url.type, name)), url.version or "", frozenset((url.qualifiers or {}).items()))


def with_version(text: str, version: str) -> str:
    """Return the package URL *text*, which has no version, with the *version*."""
    url = libraries.packageurl.PackageURL.from_string(text)
    return libraries.packageurl.PackageURL(
        url.type, url.namespace, url.name, version, url.qualifiers, url.subpath
    ).to_string()


def package_of(purl: Purl) -> Package | None:
    """Return what databases call the package of *purl*; None if no database here tells packages of its type."""
    kind, name = purl.package
    if kind in _FORGES:
        return repository(f"https://{_FORGES[kind]}/{name}")
    return package(ECOSYSTEMS[kind], name) if kind in ECOSYSTEMS else None


def package(ecosystem: str, name: str) -> Package:
    """Return the package that a record calls *name* in *ecosystem*, of which what follows a colon does not count."""
    ecosystem = ecosystem.partition(":")[0]
    if ecosystem == "PyPI":
        return Package(ecosystem, str(libraries.packaging.utils.canonicalize_name(name)))
    return Package(ecosystem, name.lower() if ecosystem in _WITHOUT_CASE else name)


def repository(address: str) -> Package:
    """Return the package that is released from the repository at *address*, however that is spelled."""
    try:
        parts = urlsplit(address)
        place = f"{parts.hostname}{parts.path}" if parts.hostname else address
    except ValueError:
        place = address
    return Package(GIT, place.rstrip("/").removesuffix(".git").lower())


def _lowered(kind: str, name: str) -> str:
    """Go's package URLs are in lower case by their definition, and not all that are written are."""
    return name.lower() if kind == "golang" else name
