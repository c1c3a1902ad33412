# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses does a template of the manifest make of a version and platforms? Pure; runs on the controller.

``https://dl.k8s.io/release/v{version}/bin/{os}/{arch}/kubectl`` makes one for each platform. The files behind them are
all called ``kubectl``, and a release cannot have two files of one name: what tells them apart in their folders is put
into the name, ``kubectl-linux-amd64``. Which platforms the manifest asks for has no influence on the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.file_kinds import without_suffix
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    asset_address,
    is_file_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import triple
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    Architecture,
    Libc,
    OperatingSystem,
)

#: What a template may hold, and in this order, but for the version, it tells files of one name apart.
PLACEHOLDERS = ("version", "os", "arch", "target", "exe")
_OF_PLATFORM = ("os", "arch", "target")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Words:
    """How a publisher spells systems and architectures, where that is not as a manifest does: ``{x86_64: amd64}``."""

    os: Mapping[str, str]
    arch: Mapping[str, str]


@dataclass(frozen=True)
class Address:
    """An address that a template makes, and the name of the file there.

    platforms  those that it is for
    values     what stands for each placeholder in it
    """

    url: str
    name: str
    platforms: tuple[Platform, ...]
    values: Mapping[str, str]

    @property
    def metadata(self) -> dict[str, str]:
        """What is known of the file's platform without its name, in the words of ``Asset.platform``."""
        systems = {platform.os for platform in self.platforms}
        # In npm's words, powerpc64 is the one with the other byte order.
        arches = {"" if platform.arch == "powerpc64" else platform.arch for platform in self.platforms}
        told = {"os": systems, "cpu": arches}
        return {key: value for key, values in told.items() if len(values) == 1 for value in values if value}


class UrlTemplate:
    """An address with placeholders."""

    def __init__(self, text: str, key: str) -> None:
        """Take the *text* behind the manifest's *key*. Raises ReleaseError where it cannot make addresses of files."""
        self._text = text
        self.placeholders = frozenset(_PLACEHOLDER.findall(text))
        unknown = sorted(self.placeholders - set(PLACEHOLDERS))
        if unknown or re.search("[{}]", _PLACEHOLDER.sub("", text)):
            raise ReleaseError(
                f"{key} cannot be filled in",
                expected=" ".join(f"{{{name}}}" for name in PLACEHOLDERS) + ", and no other braces",
                found=shown(f"{{{unknown[0]}}}") if unknown else redacted(text),
                fix=f"correct {key} in the source of the manifest",
            )
        last = _last_step(text)
        if not last:
            raise ReleaseError(f"{key} is the address of a folder", expected="that of a file", found=redacted(text))
        #: What only the folders say of a file's platform.
        self._apart = tuple(name for name in _OF_PLATFORM if name in self.placeholders and f"{{{name}}}" not in last)

    def addresses(self, version: str, platforms: Sequence[Platform], words: Words) -> tuple[Address, ...]:
        """Return the addresses of the files of *version*, each once. Raises ReleaseError for what is no address."""
        found: dict[str, Address] = {}
        for platform in platforms:
            for values in self._values(version, platform, words):
                url, name = self.filled(values)
                known = found.get(url, Address(url, name, (), values))
                found[url] = Address(url, name, (*known.platforms, platform), values)
        _refuse_two_of_a_name(found.values())
        return tuple(found.values())

    def filled(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Return the address with these *values*, and the name of the file there.

        Raises ReleaseError for what is none.
        """
        url = _PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe="/+~"), self._text)
        name = _named_apart(unquote(_last_step(url)), [values[name] for name in self._apart])
        if not is_file_name(name):
            raise ReleaseError("an address does not end with the name of a file", found=redacted(url))
        return asset_address(url, name), name

    def _values(self, version: str, platform: Platform, words: Words) -> Iterator[dict[str, str]]:
        """Yield what stands for the placeholders: once for each target triple, if one of them is that."""
        arch = platform.cpu or platform.arch
        values = {
            "version": version,
            "os": words.os.get(platform.os, platform.os),
            "arch": words.arch.get(arch, arch),
            "exe": ".exe" if platform.os == "windows" else "",
        }
        for target in _targets(platform) if "target" in self.placeholders else [""]:
            yield {**values, "target": target}


def _refuse_two_of_a_name(addresses: Iterable[Address]) -> None:
    seen: dict[str, Address] = {}
    for address in addresses:
        other = seen.setdefault(address.name, address)
        if other is not address:
            raise ReleaseError(
                f"two files of one release are called {shown(address.name)}",
                expected=redacted(other.url),
                found=redacted(address.url),
                fix="spell os and arch in the manifest so that they differ, or ask for fewer platforms",
            )


def _targets(platform: Platform) -> list[str]:
    """Return the target triples of a *platform*: on Linux there is one for each libc."""
    system, arch = cast(OperatingSystem, platform.os), cast(Architecture, platform.arch)
    libcs: tuple[Libc, ...] = ("glibc", "musl") if platform.os == "linux" else ("system",)
    asked = [Requirement(system, arch, abi=platform.abi, libc=libc, cpu=platform.cpu) for libc in libcs]
    return [target for target in map(triple, asked) if "/" not in target]


def _last_step(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _named_apart(name: str, words: Sequence[str]) -> str:
    """Return *name* with *words* before its endings; those of a sidecar come after those of the file it speaks of."""
    subject = sums.sidecar_subject(name) or name
    stem = without_suffix(subject)[0]
    apart = "".join(f"-{word}" for word in words).replace("/", "-")
    return f"{stem}{apart}{name[len(stem) :]}"
