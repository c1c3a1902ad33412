# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does Kubespray's checksums.yml pin, with the addresses in its download.yml? Runs on the controller; pure.

Format: kubernetes-sigs/kubespray, roles/kubespray_defaults: ``NAME_checksums: {ARCH: {VERSION: "sha256:…"}}``, newest
first: the first version of amd64 is the one that is installed. Addresses are texts with ``{{ variables }}`` in them; no
template is run: those words are put in that are known, and whatever else stands there is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    Left,
    bounded,
    checksum,
    file_at,
    fit_name,
    named,
    optional,
    platform_of,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place

_CHECKSUMS, _URL = "_checksums", "_download_url"
#: What names of components end in, which the variables with their addresses do not have.
_KIND = re.compile(r"_(?:binary|archive)\Z")
_VARIABLE = re.compile(r"\{\{ *([A-Za-z_]\w*)(?: *\| *lower)? *\}\}")
#: As ansible_architecture says it.
_UNAME = {"amd64": "x86_64", "arm64": "aarch64", "arm": "armv7l"}
#: Variables that lead to others, and those to others.
_DEEPEST = 4
_LONGEST_WORD, _LONGEST_URL = 512, 4096


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
    tools: list[ForeignTool] = []
    left: list[Left] = []
    for key, place in named(checksums, lambda place: place).items():
        if key.endswith(_CHECKSUMS):
            name = key.removesuffix(_CHECKSUMS)
            tool = _tool(name, place, urls)
            if isinstance(tool, Left):
                left.append(tool)
            else:
                tools.append(tool)
    return Imported(checksums.document.name, bounded(tools, checksums), tuple(left))


def _tool(name: str, place: Place, urls: Place) -> ForeignTool | Left:
    """Return the component *name* in its first version, or why it cannot be taken over."""
    by_arch = named(place, lambda versions: versions)
    first = by_arch.get("amd64") or next(iter(by_arch.values()), None)
    version = next(iter(named(first, lambda stated: stated)), None) if first is not None else None
    plain = _KIND.sub("", name)
    key = next((key for key in (f"{plain}{_URL}", f"{plain}_runsc{_URL}") if optional(urls, key)), None)
    if version is None or key is None or "no_arch" in by_arch:
        why = "it is no program" if "no_arch" in by_arch else f"{urls.document.name} has no {plain}{_URL}"
        return Left(name, why if version else "checksums.yml has no version of it")
    files = []
    for arch, versions in by_arch.items():
        stated = named(versions, lambda one: one).get(version)
        if stated is None:
            continue
        url = _filled(text(urls.at(key)), urls, {**_words(arch), f"{plain}_version": version}, version)
        if "{" in url:
            return Left(f"{name} {version}", f"{key} in {urls.document.name} is a template that is not run")
        files.append(_file(url, urls.at(key), stated, arch))
    return ForeignTool(fit_name(plain.replace("_", "-")), version, bounded(files, place))


def _file(url: str, template: Place, stated: Place, arch: str) -> ForeignFile:
    """Return the file at *url*, which was made of the *template*. A 0 in place of a digest means that there is none."""
    digests = {} if str(stated.value) == "0" else checksum(stated)
    return file_at(template._replace(value=url), digests, platform_of(f"linux/{arch}"))


def _words(arch: str) -> dict[str, str]:
    return {
        "image_arch": arch,
        "host_architecture": arch,
        "ansible_architecture": _UNAME.get(arch, arch),
        "ansible_system": "linux",
    }


def _filled(template: str, urls: Place, words: Mapping[str, str], version: str) -> str:
    """Return *template* with the words that are known in the places of variables; any other stays as it is."""

    def _word(found: re.Match[str]) -> str:
        name = found[1]
        if name in words:
            return words[name]
        if name.endswith("_version"):
            return version  # Kubespray calls some otherwise than the component: calico_ctl_version, kube_version
        value = urls.value.get(name)
        return value[:_LONGEST_WORD] if isinstance(value, str) else found[0]

    for _depth in range(_DEEPEST):
        template = _VARIABLE.sub(_word, template)[:_LONGEST_URL]
    return template
