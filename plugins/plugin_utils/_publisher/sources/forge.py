# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a forge, such as GitHub, list the releases of a project? What all forges have in common; on the controller.

A list comes in pages, and a Link header leads from one to the next (RFC 8288). versions.py reads versions from tags; a
project that publishes several products needs ``tag: cli/v{version}``. Tags without a version (``nightly``) cannot be
pinned and are left out. forge_tokens.py says which token is sent.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, redaction, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import forge_tokens, versions
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    listed,
    refuse_too_many,
    require_name,
    web_address,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attest, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_prerelease, names_prerelease

if TYPE_CHECKING:
    import requests

LOG = logging.getLogger("pinned.release")
#: Used if a page of the usual size exceeds the limit of a listing, because each release has hundreds of assets.
SMALL_PAGE_SIZE = 10
#: GitHub itself lists no more releases of a repository.
RELEASES_LIMIT = 10_000
TOTAL_LIMIT_BYTES = 256 * 1024 * 1024
#: Most file systems allow less in the name of a ref.
LONGEST_TAG = 255


@dataclass(frozen=True)
class Forge:
    """A kind of forge, in the words of its users and of its API.

    title       what it is called: ``GitHub``
    project     what it calls that which has releases: ``repository``
    example     how people name one: ``owner/repository``
    name        the pattern of such names
    public_api  the API that is asked where the manifest has no ``api_url``
    example_api such an address on a server of one's own
    api_path    how the address of every server's API ends
    page_size   the most releases that a page can have, and *size_key*, the parameter that asks for them
    scheme      the word before a token (RFC 9110, "Authorization")
    variables   returns the names of the variables that may hold a token for the API at an address
    elsewhere   says how the environment gives a token for any other server
    headers     those of every request
    """

    title: str
    project: str
    example: str
    name: str
    public_api: str
    example_api: str
    api_path: str
    page_size: int
    size_key: str
    scheme: str
    variables: Callable[[str], tuple[str, ...]]
    elsewhere: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One published release as its forge lists it. *assets* reads its files, which only a wanted version needs.

    *moments* are the times (RFC 3339) after which its bytes cannot have changed unnoticed, as far as the forge tells.
    *stated* returns digests of an asset that the forge tells only if it is asked about it.
    """

    tag: str
    moments: Sequence[str]
    is_prerelease: bool
    assets: Callable[[], Iterable[Asset]]
    stated: Callable[[Asset], Mapping[str, str]] = lambda asset: {}


@dataclass(frozen=True)
class _Listed:
    """One published release: its tag, the tag's text before the version, and the release.

    The release is None if the tag names no version.
    """

    tag: str
    label: str
    release: Release | None


class ForgeSource(ABC):
    """The releases of one project on a forge. A subclass for each kind of forge knows how that lists them."""

    OPTIONS = frozenset({"api_url", "tag"})
    FORGE: ClassVar[Forge]

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the declared project. Raises ReleaseError if its name or options are not valid."""
        self._project = require_name(declaration, self.FORGE.name, self.FORGE.example)
        self._product = self._project.rpartition("/")[2]
        self._api = self._checked_api(declaration.options)
        self._is_wanted = declaration.is_wanted
        self._tag = declaration.options.get("tag", "")
        if self._tag:
            versions.version_pattern(self._tag, "tag")
        #: *_token* says where the token comes from, in words; "" if there is none.
        token, self._token = forge_tokens.token_and_origin(
            self._api, declaration.token, self.FORGE.variables(self._api)
        )
        #: What became of a token that was not accepted, in words.
        self._refused_token = ""
        self._cache_root = declaration.cache_root
        headers = {"Authorization": f"{self.FORGE.scheme} {token}"}
        credentials = [Credential(self._token_place(), headers, self._token)] if token else []
        self.session = transport.session(credentials=credentials, cache_root=self._cache_root)

    @classmethod
    def api(cls, options: Mapping[str, str]) -> str:
        """Return the address of the API that a source with these *options* asks, as it was given."""
        return options.get("api_url", cls.FORGE.public_api).rstrip("/")

    def describe(self) -> str:
        """Return the source as a person would name it."""
        place = "" if self._api == self.FORGE.public_api else f" at {redaction.redacted(self._api)}"
        return f"{self.FORGE.title} {self.FORGE.project} {self._project}{place}"

    def releases(self) -> Sequence[Release]:
        """Return every published release whose tag names a version, in the forge's order.

        Raises ReleaseError if the forge does not answer as documented, or if it is not clear which product is meant.
        """
        found: dict[str, Release] = {}
        for release in self._own(self._listed()):
            found.setdefault(release.version, release)
        return list(found.values())

    @abstractmethod
    def _entry(self, item: Mapping[str, Any]) -> Entry | None:
        """Return what *item* of a list says, None if that is not published. May raise anything."""

    def _address(self) -> str:
        """Return the address of the project in the API."""
        return f"{self._api}/repos/{self._project}"

    def _server(self) -> str:
        """Return the address of the forge itself, which is where its API begins."""
        return self._api.removesuffix(self.FORGE.api_path)

    def _token_place(self) -> str:
        """Return the address below which the token is sent."""
        return self._api

    def _checked_api(self, options: Mapping[str, str]) -> str:
        """Return the address of the API. Raises ReleaseError, also for that of the forge's pages."""
        api = web_address(self.api(options), "api_url").rstrip("/")
        if not api.endswith(self.FORGE.api_path):
            raise ReleaseError(
                f"api_url is not the address of a {self.FORGE.title} API",
                expected=f"an address that ends with {self.FORGE.api_path}",
                found=redaction.redacted(api),
            )
        return api

    def _listed(self) -> list[_Listed]:
        """Return every published release, reduced to what is used.

        A project whose releases have hundreds of assets each is listed in smaller pages. Raises ReleaseError if the API
        refuses, or answers what is no list of releases.
        """
        try:
            return self._pages(self.FORGE.page_size)
        except failures.TooLargeError:
            return self._pages(SMALL_PAGE_SIZE)

    def _pages(self, size: int) -> list[_Listed]:
        found: list[_Listed] = []
        total_bytes = 0
        following: str | None = f"{self._address()}/releases?{self.FORGE.size_key}={size}"
        for _page in range(RELEASES_LIMIT // size):
            if following is None:
                break
            response = self._get(following)
            if not response.ok:
                raise self._refused(response)
            found += documents.json_of(response, f"a list of releases as {self.FORGE.title} has it", self._taken)
            total_bytes += len(response.content)
            refuse_too_many(sum(len(one.release.assets) for one in found if one.release), self.describe())
            if total_bytes > TOTAL_LIMIT_BYTES:
                raise ReleaseError(
                    f"{self.describe()} lists more than a {self.FORGE.project} can have",
                    expected=f"at most {TOTAL_LIMIT_BYTES} bytes",
                )
            following = self._following(response)
        return found

    def _get(self, url: str) -> requests.Response:
        """Return the answer of the API; without the token if that is not accepted, since the project may be public.

        Forges answer 401 to a token that is wrong or expired, whatever they are asked. Raises ReleaseError if no answer
        comes.
        """
        response = self.session.get(url, headers=self.FORGE.headers)
        if response.status_code != 401 or not self._token:
            return response
        self._refused_token = f"{self._token} is not accepted by {redaction.redacted(self._api)} (HTTP status 401)"
        LOG.warning("%s: replace or remove it. What is public is read without it", self._refused_token)
        self._token = ""
        self.session = transport.session(cache_root=self._cache_root)
        return self.session.get(url, headers=self.FORGE.headers)

    def _following(self, response: requests.Response) -> str | None:
        """Return the address of the next page, None after the last. Raises ReleaseError if it is on another server."""
        with failures.as_release_error(self.describe(), "a Link header (RFC 8288)"):
            following: str | None = response.links.get("next", {}).get("url")
            if following is not None and not Credential(self._api, {}).covers(following):
                raise ReleaseError(
                    f"{self.describe()} continues its list on another server",
                    expected=f"a page below {self._api}",
                    found=redaction.redacted(following),
                )
        return following

    def _taken(self, page: Iterable[Mapping[str, Any]]) -> list[_Listed]:
        """Return the published releases of a *page*; those that the manifest does not allow have no assets."""
        taken: list[_Listed] = []
        for entry in filter(None, map(self._entry, page)):
            is_read = len(entry.tag) <= LONGEST_TAG
            tagged = versions.read_tag_of(self._project, entry.tag, self._tag) if is_read else None
            release = self._release(tagged, entry) if tagged else None
            taken.append(_Listed(entry.tag[:LONGEST_TAG], tagged.label if tagged else "", release))
        return taken

    def _own(self, found: Sequence[_Listed]) -> list[Release]:
        """Return the releases of the product that is meant. Raises ReleaseError if that is unclear, or has none."""
        known = [(one, one.release) for one in found if one.release]
        own = [release for one, release in known if versions.is_neutral(one.label, self._product)]
        if own:
            return own
        examples = {one.label: one.tag for one, _release in known}
        if len(examples) > 1:
            raise ReleaseError(
                f"{self.describe()} publishes several products",
                found=f"tags like {redaction.shown(listed(examples.values()))}",
                fix="name one by the pattern of its tags, for example  tag: cli/v{version}",
            )
        if found and not known:
            tags = redaction.shown(listed(one.tag for one in found))
            wanted = "that names a version" if not self._tag else "of the pattern beside it"
            raise ReleaseError(
                f"{self.describe()} has no tag {wanted}", found=f"tags {tags}", fix="check the pattern tag:"
            )
        return [release for _one, release in known]

    def _release(self, tagged: versions.Tagged, entry: Entry) -> Release:
        """Return the release that *entry* lists. Its date is the newest that it has, because assets can be replaced."""
        label = "" if versions.is_neutral(tagged.label, self._product) else tagged.label
        assets = tuple(entry.assets()) if self._is_wanted(tagged.version) else ()
        return Release(
            version=tagged.version,
            assets=assets,
            published=max(map(versions.moment_of, entry.moments), default=None),
            is_prerelease=entry.is_prerelease or is_prerelease(tagged.version) or names_prerelease(label),
            tag=entry.tag,
            stated=entry.stated,
            attestations=self._attestations(assets),
        )

    def _attestations(self, _assets: Sequence[Asset]) -> Attest:
        """Return what tells what the forge states about a file among *assets*; it asks only when it is asked."""
        return lambda asset, digests: ()

    def _refused(self, response: requests.Response) -> ReleaseError:
        """Return the error for a refused request, in the forge's own words if it gave any."""
        if response.status_code in (401, 404) and self._refused_token:
            return ReleaseError(
                f"{self.describe()} could not be listed: {self._refused_token}, and it is not public",
                found=f"HTTP status {response.status_code} without a token",
                fix=f"give a token that is valid and may read the {self.FORGE.project}, or check {self.FORGE.example}",
            )
        if response.status_code == 404:
            return self._missing()
        refused = failures.refused(response, self.session)
        try:
            said = documents.json_of(response, "a mapping", _said)
        except ReleaseError:
            return refused
        return ReleaseError(refused.what, found=f"{refused.found}: {said}", fix=refused.fix)

    def _missing(self) -> ReleaseError:
        """Return the error for a project that is not there, or not for who asks."""
        address = "" if self._api == self.FORGE.public_api else f" and api_url, such as {self.FORGE.example_api}"
        fix = f"check {self.FORGE.example}{address}"
        if self._token:
            what = f"{self.describe()} does not exist, or {self._token} may not read it"
            return ReleaseError(what, found="HTTP status 404", fix=fix)
        names = " or ".join(self.FORGE.variables(self._api)) or self.FORGE.elsewhere
        return ReleaseError(
            f"{self.describe()} does not exist or is private",
            found="HTTP status 404",
            fix=f"{fix}; for a private one give a token (the option token, or {names})",
        )


def _said(answer: Mapping[str, Any]) -> str:
    """Return the message in a refusal, under the names that forges and OAuth (RFC 6749, section 5.2) give it."""
    message = answer.get("message") or answer.get("error_description") or answer["error"]
    return redaction.shown(str(message))
