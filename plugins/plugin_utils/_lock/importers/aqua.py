# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do aqua.yaml and aqua-checksums.json pin together? Runs on the controller; pure.

Formats: aquaproj.github.io/docs/reference/config and …/reference/config/checksum. The first has names and versions; one
may import others. The second has digests of files, whose addresses follow from their ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    Left,
    bounded,
    digest,
    file_name,
    fit_name,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place

#: ``github_release/github.com/OWNER/REPO/TAG/ASSET``; a tag may have slashes in it.
_RELEASE = re.compile(r"github_release/(github\.com/([^/]+/[^/]+))/(.+)/([^/]+)\Z")
_HTTP = re.compile(r"http/(.+)\Z")


@dataclass(frozen=True)
class _Pinned:
    """A file with its digest: of the *repository* and *tag*, or of neither if it is just somewhere on the web."""

    file: ForeignFile
    repository: str = ""
    tag: str = ""


@dataclass(frozen=True)
class _Package:
    """A package of aqua.yaml: ``owner/name``, or longer where a repository releases several."""

    name: str
    version: str

    def has(self, pinned: _Pinned) -> bool:
        """Tell whether a file is one of this package's."""
        if pinned.repository:
            return (
                "/".join(self.name.split("/")[:2]).lower() == pinned.repository.lower() and pinned.tag == self.version
            )
        number, last = self.version.rpartition("/")[2].removeprefix("v"), self.name.rpartition("/")[2]
        return number in pinned.file.url and last.lower() in pinned.file.url.lower()


def has_packages(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of an aqua.yaml, which may import all its packages."""
    return any(key in document and isinstance(document[key], (list, type(None))) for key in ("packages", "registries"))


def has_checksums(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of an aqua-checksums.json."""
    return isinstance(document.get("checksums"), list)


def imports(packages: Place) -> tuple[str, ...]:
    """Return the patterns of the paths that an aqua.yaml imports. Raises MisfitError where it is not what it should be.

    Such an entry stands among the packages; older documentation has it among the registries.
    """
    entries = [entry for key in ("packages", "registries") for entry in _entries(packages, key)]
    patterns = [text(place) for place in (entry.optional("import") for entry in entries) if place is not None]
    folder = packages.optional("import_dir")
    endings = ("yml", "yaml") if folder is not None else ()
    return (*patterns, *(f"{text(folder)}/*.{ending}" for ending in endings if folder is not None))


def _entries(packages: Place, key: str) -> tuple[Place, ...]:
    place = packages.optional(key)
    return place.items(lambda item: item) if place is not None else ()


def read(packages: Sequence[Place], checksums: Sequence[Place]) -> Imported:
    """Return what the files pin together. Raises MisfitError where one is not what it should be, or two contradict."""
    left: list[Left] = []
    pinned = bounded(_all_pinned(checksums, left), checksums[0]) if checksums else ()
    origin = next(place.document.name for place in (*checksums, *packages))
    if not packages:
        return Imported(origin, tuple(_by_release(pinned)), tuple(left))
    wanted = bounded((package for place in packages for package in _packages(place, left)), packages[0])
    tools = [_tool(package, [one for one in pinned if package.has(one)]) for package in dict.fromkeys(wanted)]
    taken = {file.url for tool in tools for file in tool.files}
    forgotten = [one for one in pinned if one.file.url not in taken]
    why = f"{packages[0].document.name} names no package that it belongs to"
    left += [Left(where, why) for where in dict.fromkeys(map(_where, forgotten))]
    return Imported(origin, tuple(tools), tuple(left))


def _tool(package: _Package, pinned: Sequence[_Pinned]) -> ForeignTool:
    number = package.version.rpartition("/")[2].removeprefix("v")
    source = {} if pinned else {"github": "/".join(package.name.split("/")[:2])}
    return ForeignTool(fit_name(package.name), number, tuple(one.file for one in pinned), source)


def _by_release(pinned: Sequence[_Pinned]) -> Iterator[ForeignTool]:
    """Yield a tool for each release that files belong to, and for each folder of those that belong to none."""
    releases: dict[str, list[ForeignFile]] = {}
    for one in pinned:
        releases.setdefault(_where(one), []).append(one.file)
    for files in releases.values():
        yield ForeignTool("", None, tuple(files))


def _where(pinned: _Pinned) -> str:
    """Return the release that a file belongs to, or the folder that it lies in."""
    return f"{pinned.repository} {pinned.tag}" if pinned.repository else pinned.file.url.rpartition("/")[0]


def _all_pinned(checksums: Sequence[Place], left: list[Left]) -> Iterator[_Pinned]:
    """Yield each file once that any of the *checksums* has. Raises MisfitError where two have other digests of it."""
    known: dict[tuple[str, str], tuple[str, str]] = {}
    for of_one in checksums:
        for place, pinned in _pinned(of_one, left):
            is_known = False
            for algorithm, digest_of_it in pinned.file.digests.items():
                value, where = known.setdefault((pinned.file.url, algorithm), (digest_of_it, of_one.document.name))
                if value != digest_of_it:
                    raise place.required("checksum").misfit(f"{value}, as in {where}")
                is_known = is_known or where != of_one.document.name
            if not is_known:
                yield pinned


def _pinned(checksums: Place, left: list[Left]) -> Iterator[tuple[Place, _Pinned]]:
    for place in checksums.required("checksums").items(lambda item: item):
        name = text(place.required("id"))
        value, algorithm = place.required("checksum"), text(place.required("algorithm"))
        digests = digest(value, text(value), algorithm)
        release, web = _RELEASE.match(name), _HTTP.match(name)
        if release:
            host, repository, tag, asset = release.groups()
            url = f"https://{host}/releases/download/{tag}/{asset}"
        elif web:
            url, repository, tag = f"https://{web[1]}", "", ""
        else:
            kind = name.partition("/")[0]
            left.append(Left(name, "it is a registry of aqua's" if kind == "registries" else "it is no release's file"))
            continue
        if not forms.URL.pattern.match(url) or not forms.FILE_NAME.pattern.match(file_name(url)):
            raise place.required("id").misfit("github_release/github.com/OWNER/REPOSITORY/TAG/ASSET")
        yield place, _Pinned(ForeignFile(file_name(url), url, digests), repository, tag)


def _packages(packages: Place, left: list[Left]) -> Iterator[_Package]:
    """Yield the packages of one file, but for those that it imports: these are in a file of their own."""
    for place in _entries(packages, "packages"):
        if place.optional("import") is not None:
            continue
        whole, at, after = text(place.required("name")).partition("@")
        version = place.optional("version")
        if version is None and not at:
            left.append(Left(whole, f"{packages.document.name} names no version of it"))
            continue
        yield _Package(whole, text(version) if version is not None else after)
