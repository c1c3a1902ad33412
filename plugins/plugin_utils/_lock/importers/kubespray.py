# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does Kubespray's checksums.yml pin, with the addresses in its download.yml? Runs on the controller; pure.

Format: kubernetes-sigs/kubespray, roles/kubespray_defaults. ``NAME_checksums: {ARCH: {VERSION: "sha256:…"}}``, newest
first; 0 means that nothing is published. Before 2.28 digests stood alone, and a component for several systems had these
above its architectures. download.yml says in steps what is done with a component: an entry of ``downloads`` names the
variables with its checksum and its address; that of the checksum names the component and the variable with its version,
or two such variables and a condition. These names are followed, and nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    Left,
    bounded,
    checksum,
    digest,
    file_at,
    fit_name,
    named,
    platform_of,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.kubespray_words import (
    UnreadError,
    Words,
    filled,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

_CHECKSUMS, _URL = "_checksums", "_download_url"
#: What stands in the place of an architecture where a file is for all of them.
_NO_ARCH = "no_arch"
_SYSTEMS = ("linux", "darwin", "windows")
#: As ansible_architecture says it.
_UNAME = {"amd64": "x86_64", "arm64": "aarch64", "arm": "armv7l"}
_VARIABLE = re.compile(r"\{\{ *(\w+) *\}\}\Z")
#: ``{{ runc_checksums[image_arch][runc_version] }}``
_DIGEST = re.compile(r"\{\{ *(\w+)_checksums[^{}]*\[(\w+)\] *\}\}\Z")
_EITHER = re.compile(r"\{\{ *(\w+) if (\w+) else (\w+) *\}\}\Z")
#: ``{{ (runc_checksums['amd64'] | dict2items)[0].key }}``
_FIRST = re.compile(r"\{\{ *\((\w+_checksums)[^{}()]*\| *dict2items *\)\[0\]\.key *\}\}\Z")
#: ``{{ etcd_supported_versions[kube_major_version] }}``, whose first entry is for the newest, which is installed.
_BY_KUBERNETES = re.compile(r"\{\{ *(\w+)\[kube_major_version\] *\}\}\Z")
#: Variables that lead to others, and those to others.
_DEEPEST = 4
_LONGEST = 512
#: Versions of one component; the largest real number that was seen is 40.
_MOST_TOLD = 500


@dataclass(frozen=True)
class _Use:
    """What download.yml does with a component: its *entry*, and the variables with its address and its version.

    *truths* is what conditions are where this component is meant, and not another for the same entry.
    """

    entry: str
    url: str
    version: str
    truths: Mapping[str, bool]


@dataclass(frozen=True)
class _Stated:
    """The digests of one component for a *system* and *arch*, by version."""

    system: str
    arch: str
    versions: Mapping[str, Place]


def has_checksums(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of a checksums.yml."""
    return any(key.endswith(_CHECKSUMS) for key in document)


def has_urls(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of a download.yml."""
    return any(key.endswith(_URL) for key in document)


def read(checksums: Place | None, urls: Place | None) -> Imported:
    """Return what the two files pin. Raises MisfitError where one is not what it should be.

    Raises ReleaseError if one is missing: addresses without digests pin nothing, and digests alone are of no file.
    """
    if checksums is None or urls is None:
        raise ReleaseError(
            "Kubespray pins with two files, and one of them is missing",
            expected="checksums.yml, and download.yml with the addresses",
            found=" ".join(place.document.name for place in (checksums, urls) if place is not None),
            fix="name both in the option import",
        )
    uses = _uses(urls)
    components = {
        key: bounded(_stated(place), place)
        for key, place in named(checksums, lambda place: place).items()
        if key.endswith(_CHECKSUMS)
    }
    tools: list[ForeignTool] = []
    left: list[Left] = []
    for key, stated in components.items():
        name = key.removesuffix(_CHECKSUMS)
        try:
            use = _used(uses.get(name), stated, urls)
            version = _version(use.version, components, stated, urls)
            tools.append(_tool(use, stated, version, urls))
            others, why = _versions(stated, version), f"a host has one version of a tool, and {version} is installed"
        except _LostError as error:
            others, why = _versions(stated), str(error)
        if others or not stated:
            left.append(Left(name, f"{listed(others, _MOST_TOLD)}, because {why}" if others else why))
    return Imported(checksums.document.name, bounded(tools, checksums), tuple(left))


class _LostError(Exception):
    """Why the digests of a component cannot be taken over."""


def _uses(urls: Place) -> dict[str, _Use]:
    """Return component → what *urls* does with it."""
    texts = {key: value for key, value in urls.value.items() if isinstance(value, str) and len(value) <= _LONGEST}
    digests = {key: found for key, value in texts.items() if (found := _DIGEST.match(value))}
    meant = {key: [(found, dict[str, bool]())] for key, found in digests.items()}
    for key, value in texts.items():
        either = _EITHER.match(value)
        if either:
            both = ((either[1], True), (either[3], False))
            meant[key] = [(digests[name], {either[2]: truth}) for name, truth in both if name in digests]
    uses: dict[str, _Use] = {}
    downloads = urls.optional("downloads")
    for entry, place in named(downloads, lambda place: place).items() if downloads is not None else ():
        of_digest, of_url = (_variable(place.optional(key)) for key in ("checksum", "url"))
        for found, truths in meant.get(of_digest, ()) if of_url else ():
            uses.setdefault(found[1], _Use(entry, of_url, found[2], truths))
    return uses


def _variable(place: Place | None) -> str:
    """Return the name of the variable that stands alone at *place*, or ""."""
    found = _VARIABLE.match(text(place)) if place is not None else None
    return found[1] if found else ""


def _stated(place: Place) -> Iterator[_Stated]:
    """Yield what is stated at the *place* of one component."""
    inside = named(place, lambda inner: inner)
    if any(not isinstance(inner.value, dict) for inner in inside.values()):
        yield _Stated("linux", _NO_ARCH, inside)
        return
    for key, inner in inside.items():
        versions = named(inner, lambda one: one)
        if key not in _SYSTEMS:
            yield _Stated("linux", key, versions)
        for arch, of_arch in versions.items() if key in _SYSTEMS else ():
            yield _Stated(key, arch, named(of_arch, lambda one: one))


def _versions(stated: tuple[_Stated, ...], but: str | None = None) -> list[str]:
    """Return the versions that have a digest, *but* one."""
    found = dict.fromkeys(
        version for one in stated for version, place in one.versions.items() if str(place.value) != "0"
    )
    return [version for version in found if version != but]


def _used(use: _Use | None, stated: tuple[_Stated, ...], urls: Place) -> _Use:
    """Return *use*. Raises _LostError if there is none, or if the file is no program."""
    if any(one.arch == _NO_ARCH for one in stated):
        raise _LostError("it is for no architecture, so it is no program")
    if use is None or urls.optional(use.url) is None:
        raise _LostError(f"{urls.document.name} does not say where it is")
    return use


def _version(
    variable: str, components: Mapping[str, tuple[_Stated, ...]], stated: tuple[_Stated, ...], urls: Place
) -> str:
    """Return the version that Kubespray installs: what *urls* says of the *variable*, else the first of amd64.

    Raises _LostError if there is none.
    """
    for _depth in range(_DEEPEST):
        place = urls.optional(variable)
        value = text(place)[:_LONGEST] if place is not None else "{"
        if "{" not in value:
            return value
        other, of_component, of_table = (form.match(value) for form in (_VARIABLE, _FIRST, _BY_KUBERNETES))
        if of_component:
            stated = components.get(of_component[1], stated)
        table = urls.optional(of_table[1]) if of_table else None
        if table is not None:
            return next((text(one) for one in named(table, lambda one: one).values()), "")
        if not other:
            break
        variable = other[1]
    ordered = sorted(stated, key=lambda one: one.arch != "amd64")
    found = next((version for one in ordered for version in one.versions), None)
    if found is None:
        raise _LostError("there is no version of it")
    return found


def _tool(use: _Use, stated: tuple[_Stated, ...], version: str, urls: Place) -> ForeignTool:
    """Return a component in one version. Raises _LostError if its address cannot be read, or it has no digest."""
    found = [one for one in stated if str(one.versions[version].value if version in one.versions else 0) != "0"]
    if not found:
        raise _LostError(f"{version} is installed, and has no digest")
    try:
        files = [_file(use, one, version, urls) for one in found]
    except UnreadError as error:
        why = f"{use.url} in {urls.document.name} has {error.expression} in it, and no template is run"
        raise _LostError(why) from error
    return ForeignTool(fit_name(use.entry.replace("_", "-")), version, tuple(files))


def _file(use: _Use, stated: _Stated, version: str, urls: Place) -> ForeignFile:
    """Return the file for one platform. Raises UnreadError if its address cannot be read."""
    known = {
        "image_arch": stated.arch,
        "host_architecture": stated.arch,
        "host_os": stated.system,
        "ansible_architecture": _UNAME.get(stated.arch, stated.arch),
        "ansible_system": stated.system,
    }
    template, place = urls.at(use.url), stated.versions[version]
    url = template._replace(value=filled(text(template), Words(version, known, use.truths, urls.value)))
    digests = checksum(place) if ":" in text(place) else digest(place, text(place), "sha256")
    return file_at(url, digests, platform_of(f"{stated.system}/{stated.arch}"))
