# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which package URLs do others know a pinned asset's release? Pure; controller.

Follows ECMA-427 (package-url) and its types ``pypi``, ``npm``, ``github``, ``oci`` and ``generic``. What has no type of
its own is ``pkg:generic`` with the address and the digest of its bytes, as that type's definition wants.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource, text_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: The tag of a release, in the addresses that GitHub and what follows it give to assets.
_TAG_IN_PATH = re.compile(r"/releases/download/([^/]+)/[^/]+\Z")
_GITHUB = "github.com"
#: Of the types that advisories are published for, see _audit/advisories/package.py.
PURL = Form(
    re.compile(
        r"pkg:(?:bitbucket|bitnami|cargo|github|gitlab|golang|npm|pypi)"
        r"(?:/(?!\.{1,2}(?:/|\Z))(?:%40)?[A-Za-z0-9._~-]{1,100}){1,8}\Z"
    ),
    "a package URL without a version, such as pkg:bitnami/node, of the type bitbucket, bitnami, cargo, github, gitlab, "
    "golang, npm or pypi",
)


def package_url(tool: str, version: str, source: DeclaredSource, url: str, sha256: str) -> str:
    """Return the package URL of the release of *tool* that the asset at *url* with the digest *sha256* belongs to."""
    if text_of(source, "pypi"):
        return _text("pypi", "", text_of(source, "pypi"), version, {"repository_url": text_of(source, "index")})
    if text_of(source, "npm"):
        namespace, _slash, name = text_of(source, "npm").rpartition("/")
        return _text("npm", namespace, name, version, {"repository_url": text_of(source, "registry")})
    tag = _TAG_IN_PATH.search(urlsplit(url).path)
    if text_of(source, "github") and tag and urlsplit(url).netloc.lower() == _GITHUB:
        namespace, _slash, name = text_of(source, "github").rpartition("/")
        return _text("github", namespace, name, unquote(tag.group(1)), {})
    if text_of(source, "oci"):
        place = text_of(source, "oci").rpartition("://")[2]
        return _text("oci", "", place.rpartition("/")[2], "", {"repository_url": place, "tag": version})
    return _text("generic", "", tool, version, {"download_url": url, "checksum": f"sha256:{sha256}"})


def read_purl(place: Place) -> str:
    """Return the package URL at *place*, which names a package in any version. Raises MisfitError for any other."""
    text = place.text(PURL)
    try:
        libraries.packageurl.PackageURL.from_string(text)
    except ValueError as error:
        raise place.misfit(PURL.words, shown(str(error))) from error
    return text


def read_purls(place: Place) -> tuple[str, ...]:
    """Return the package URLs in the list at *place*, each once. Raises MisfitError for any other form."""
    purls = place.items(read_purl, least=1, expected="a list such as [pkg:bitnami/node]")
    for index, purl in enumerate(purls):
        if purl in purls[:index]:
            raise place.at(index).misfit("each package URL once", shown(purl))
    return purls


def _text(kind: str, namespace: str, name: str, version: str, qualifiers: dict[str, str]) -> str:
    given = {key: value for key, value in qualifiers.items() if value}
    made = libraries.packageurl.PackageURL(kind, namespace or None, name, version or None, given or None)
    return made.to_string()
