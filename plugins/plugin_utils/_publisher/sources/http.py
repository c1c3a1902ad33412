# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a publisher have that only puts files on a web server, by a rule? Runs on the controller.

The rule is a template of addresses (url_template.py)::

    {"http": "https://dl.k8s.io/release/v{version}/bin/{os}/{arch}/kubectl",
     "arch": {"x86_64": "amd64", "aarch64": "arm64"}, "versions": {"github": "kubernetes/kubernetes"}}

Nothing on such a server says which versions there are: ``versions`` is another source, whose versions, dates and
withdrawals count. Without it, the manifest must name one version. Which files there are is asked of the release that is
chosen and of no other: its sidecars, or the sums file that ``sums`` names, and then the assets without a sidecar.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import redaction, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.beside import (
    SIDECARS,
    absence,
    beside,
    found_at,
    neighbour,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    refuse_too_many,
    web_address,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.url_template import (
    Address,
    UrlTemplate,
    Words,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_prerelease

if TYPE_CHECKING:
    import requests


class HttpSource:
    """Files on a web server whose addresses follow a rule."""

    OPTIONS = frozenset({"arch", "os", "sums", "versions"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the declared server. Raises ReleaseError if a template cannot make addresses."""
        self._text = web_address(declaration.name, "http")
        self._template = UrlTemplate(self._text, "http")
        if "version" not in self._template.placeholders:
            raise ReleaseError(
                "http has the same address for all versions",
                expected="{version} in it",
                found=redaction.redacted(self._text),
            )
        sums_file = declaration.options.get("sums")
        self._sums = UrlTemplate(web_address(urljoin(self._text, sums_file), "sums"), "sums") if sums_file else None
        self._words = Words(declaration.words.get("os", {}), declaration.words.get("arch", {}))
        self._versions = declaration.versions
        self._platforms = declaration.platforms
        self._exact = declaration.exact
        self._is_wanted = declaration.is_wanted
        self.session = transport.session(cache_root=declaration.cache_root)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        return f"the files at {redaction.redacted(self._text)}"

    def releases(self) -> Sequence[Release]:
        """Return a release for each version, in the order of the source that lists these.

        The server itself is not asked. Raises ReleaseError if that source fails, or if nothing says the versions.
        """
        listed = self._listed()
        made: list[Release] = []
        assets = 0
        for release in listed:
            made.append(self._release(release))
            assets += len(made[-1].assets)
            refuse_too_many(assets, self.describe())
        return made

    def _listed(self) -> Sequence[Release]:
        if self._versions is not None:
            return self._versions.releases()
        if self._exact is None:
            raise ReleaseError(
                f"{self.describe()} do not say which versions there are",
                fix="say where they are listed, for example  versions: {github: owner/name}  beside http, or name one "
                'version in the manifest (version: "1.2.3")',
            )
        return [Release(self._exact, (), is_prerelease=is_prerelease(self._exact))]

    def _release(self, listed: Release) -> Release:
        """Return the release of the version that is *listed*, with the files that it should have on the server."""
        version = listed.version
        wanted = self._platforms if self._is_wanted(version) else ()
        addresses = self._template.addresses(version, wanted, self._words)
        assets = _assets(addresses)
        return Release(
            version,
            assets,
            published=listed.published,
            is_prerelease=listed.is_prerelease,
            is_yanked=listed.is_yanked,
            tag=listed.tag,
            beside=partial(beside, assets, self.session),
            complete=partial(self._completed, addresses),
        )

    def _completed(self, addresses: Sequence[Address], release: Release) -> Release:
        """Return *release* with what the server has of it: the files at *addresses*, and their sums files or sidecars.

        Raises ReleaseError if there is no file for some platform, or not the sums file that the manifest names.
        """
        if self._sums:
            sidecars, told = self._named_sums(addresses)
        else:
            sidecars = self._sidecars(addresses)
            told = set(filter(None, (sums.sidecar_subject(file.name) for file in sidecars)))
        without = [address for address in addresses if address.name not in told]
        absent = {address.url: why for address in without if (why := absence(address.url, self.session))}
        _refuse_unserved(release.version, addresses, absent)
        files = [file for file in sidecars if sums.sidecar_subject(file.name)]
        return replace(
            release,
            assets=(*(asset for asset in release.assets if asset.url not in absent), *files),
            sums=tuple(file for file in sidecars if file not in files),
        )

    def _named_sums(self, addresses: Sequence[Address]) -> tuple[list[Asset], set[str]]:
        """Return the sums files that the manifest names, each once, and the names of the files that they speak of.

        Raises ReleaseError for one that is not there.
        """
        template = self._sums
        if template is None:
            return [], set()
        filled = dict(template.filled(address.values) for address in addresses)
        sums.refuse_too_many(len(filled), self.describe())
        found: list[Asset] = []
        told: set[str] = set()
        for url, name in filled.items():
            answer = found_at(url, self.session)
            if answer is None:
                raise ReleaseError(
                    "the sums file that the manifest names is not there",
                    expected=f"a file at {redaction.redacted(url)}",
                    fix="correct sums in the manifest; without it, sidecars such as NAME.sha256 are looked for",
                )
            file = _as_read(Asset(name, url), answer)
            found.append(file)
            told |= {one.name for one in addresses if sums.digests_of(Asset(one.name, one.url), file, answer.content)}
        return found, told

    def _sidecars(self, addresses: Sequence[Address]) -> list[Asset]:
        """Return the sidecar of each file that has one: first asked for is the spelling that was found before."""
        endings = list(SIDECARS)
        found: list[Asset] = []
        for address in addresses:
            for ending in endings:
                file = neighbour(Asset(address.name, address.url), ending)
                answer = found_at(file.url, self.session) if file is not None else None
                if file is not None and answer is not None:
                    found.append(_as_read(file, answer))
                    endings.sort(key=lambda one, first=ending: one != first)  # type: ignore[misc]
                    break
        return found


def _as_read(file: Asset, answer: requests.Response) -> Asset:
    """Return the small *file*, which was just read as *answer*: nobody has to ask for these bytes once more."""
    return replace(file, digests={"sha256": hashlib.sha256(answer.content).hexdigest()})


def _assets(addresses: Sequence[Address]) -> tuple[Asset, ...]:
    """Return the files at *addresses*. Where one is for several systems, it is not known of any for which one it is.

    Else a file that says its system would be taken for the tool, and those that do not for something else.
    """
    told = [address.metadata for address in addresses]
    if not all("os" in metadata for metadata in told):
        told = [{key: value for key, value in metadata.items() if key != "os"} for metadata in told]
    return tuple(Asset(one.name, one.url, platform=metadata) for one, metadata in zip(addresses, told, strict=True))


def _refuse_unserved(version: str, addresses: Sequence[Address], absent: dict[str, str]) -> None:
    """Raise ReleaseError if all addresses of some platform are *absent* (address → why), naming each."""
    served = {platform for address in addresses if address.url not in absent for platform in address.platforms}
    missing = [address for address in addresses if not served.issuperset(address.platforms)]
    if not missing:
        return
    platforms = dict.fromkeys(str(one) for address in missing for one in address.platforms if one not in served)
    urls = [address.url for address in missing if address.url in absent]
    raise ReleaseError(
        f"version {version} has no file for {', '.join(platforms)}",
        expected=f"a file at {', '.join(map(redaction.redacted, urls[:5]))}",
        found=", ".join(dict.fromkeys(absent[url] for url in urls)),
        fix="choose another version, leave these platforms out (platforms of the tool), or correct the address and how "
        "the publisher spells them:  arch: {x86_64: amd64}",
    )
