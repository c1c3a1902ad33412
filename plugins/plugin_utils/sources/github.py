# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a GitHub repository have, on github.com or an Enterprise server? Runs on the controller.

Follows the REST API (docs.github.com, "Releases", "Rate limits", "Using pagination"), version 2022-11-28. A token is
the one given, else that of the environment, and the environment's goes only to the server it is meant for: a manifest
cannot send it elsewhere. A tag means a version by the rules in versions.py; a repository that publishes several
products needs ``tag: cli/v{version}`` beside it. Tags without a version (``nightly``) cannot be pinned: left out.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import transport
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils.sources.declared import (
    Declaration,
    is_file_name,
    listed,
    require_name,
    web_address,
)

if TYPE_CHECKING:
    import requests

PUBLIC_API = "https://api.github.com"
PAGE_SIZE = 100
#: GitHub itself lists no more than 10,000 releases of a repository.
PAGES_LIMIT = 100
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GithubSource:
    """The releases of a GitHub repository."""

    OPTIONS = frozenset({"api_url", "tag"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the declared repository. Raises ReleaseError if its name or options cannot be right."""
        self._repository = require_name(declaration, r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]*[A-Za-z0-9_-]", "owner/repository")
        self._product = self._repository.partition("/")[2]
        self._api = web_address(declaration.options.get("api_url", PUBLIC_API), "api_url").rstrip("/")
        template = declaration.options.get("tag")
        self._tag = versions.version_pattern(template, "tag") if template else None
        token = declaration.token or _token_of_the_environment(self._api)
        self._has_token = bool(token)
        credentials = [transport.Credential(self._api, {"Authorization": f"Bearer {token}"})] if token else []
        if token and not _is_safe(self._api):
            raise ReleaseError("a token would travel unencrypted", expected="an api_url with https", found=self._api)
        self.session = transport.session(credentials=credentials, cache_root=declaration.cache_root)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        place = "" if self._api == PUBLIC_API else f" at {transport.redacted(self._api)}"
        return f"GitHub repository {self._repository}{place}"

    def releases(self) -> Sequence[Release]:
        """Return every published release whose tag names a version, in GitHub's order. Raises ReleaseError."""
        found: dict[str, Release] = {}
        with transport.understood(self.describe(), "a list of releases as GitHub's API describes it"):
            published = [item for item in self._items() if not item["draft"]]
            for tagged, item in self._versioned(published):
                found.setdefault(tagged.version, self._release(tagged, item))
        return list(found.values())

    def _items(self) -> Iterator[Mapping[str, Any]]:
        """Yield every release as the API lists it, page by page."""
        following: str | None = f"{self._api}/repos/{self._repository}/releases?per_page={PAGE_SIZE}"
        for _page in range(PAGES_LIMIT):
            if following is None:
                return
            response = self.session.get(following, headers=_HEADERS)
            if not response.ok:
                raise self._refused(response)
            yield from response.json()
            following = response.links.get("next", {}).get("url")
            if following is not None and not transport.Credential(self._api, {}).covers(following):
                raise ReleaseError(
                    f"{self.describe()} continues its list on another server",
                    expected=f"a page below {self._api}",
                    found=transport.redacted(following),
                )

    def _versioned(self, items: Iterable[Mapping[str, Any]]) -> Sequence[tuple[versions.Tagged, Mapping[str, Any]]]:
        """Return those of *items* whose tags name a version of the one product that is meant. Raises ReleaseError."""
        tagged = [(self._read_tag(item["tag_name"]), item) for item in items]
        known = [(tag, item) for tag, item in tagged if tag is not None]
        own = [(tag, item) for tag, item in known if versions.is_neutral(tag.label, self._product)]
        if own:
            return own
        examples = {tag.label: str(item["tag_name"]) for tag, item in known}
        if len(examples) > 1:
            raise ReleaseError(
                f"{self.describe()} publishes several products",
                found=f"tags like {transport.shown(listed(examples.values()))}",
                fix="say which one is meant with a pattern beside it, such as  tag: cli/v{version}",
            )
        if tagged and not known:
            tags = transport.shown(listed(str(item["tag_name"]) for _tag, item in tagged))
            wanted = "that names a version" if self._tag is None else "of the pattern beside it"
            raise ReleaseError(
                f"{self.describe()} has no tag {wanted}", found=f"tags {tags}", fix="check the pattern tag:"
            )
        return known

    def _read_tag(self, tag: str) -> versions.Tagged | None:
        if self._tag is None:
            return versions.read_tag(tag, self._product)
        match = self._tag.fullmatch(tag)
        return versions.Tagged("", match["version"]) if match else None

    def _release(self, tagged: versions.Tagged, item: Mapping[str, Any]) -> Release:
        """Return the release that *item* lists. Its moment is that of its newest asset: those can be replaced later."""
        uploaded = [asset for asset in item["assets"] if asset["state"] == "uploaded"]
        moments = [versions.moment_of(asset["created_at"]) for asset in uploaded]
        if item["published_at"]:
            moments.append(versions.moment_of(item["published_at"]))
        label = "" if versions.is_neutral(tagged.label, self._product) else tagged.label
        return Release(
            version=tagged.version,
            assets=tuple(self._asset(asset) for asset in uploaded if is_file_name(asset["name"])),
            published=max(moments) if moments else None,
            is_prerelease=bool(item["prerelease"]) or versions.is_prerelease(tagged.version, label),
        )

    def _asset(self, item: Mapping[str, Any]) -> Asset:
        algorithm, _colon, value = (item.get("digest") or "").partition(":")
        # Only below the API does the token travel, and only with it does the API give out more than the web does.
        is_private_way = self._has_token and transport.Credential(self._api, {}).covers(item["url"])
        return Asset(
            name=str(item["name"]),
            url=web_address(item["browser_download_url"], item["name"]),
            size=int(item["size"]),
            digests={algorithm.lower(): value.lower()} if value else {},
            api_url=item["url"] if is_private_way else None,
        )

    def _refused(self, response: requests.Response) -> ReleaseError:
        """Return the error for a refusal, in GitHub's own terms where it has some."""
        if response.status_code == 401:
            return ReleaseError(
                f"{self.describe()} could not be listed: the token is not accepted",
                found="HTTP status 401",
                fix="give a valid token, or none for a public repository (also look at GITHUB_TOKEN and GH_TOKEN)",
            )
        if response.status_code == 404:
            missing = (
                "does not exist, or the token may not read it" if self._has_token else "does not exist or is private"
            )
            names = (
                "GITHUB_TOKEN" if self._api == PUBLIC_API else "GH_ENTERPRISE_TOKEN with the server's name in GH_HOST"
            )
            give = f"; for a private one give a token (the option token, or {names})"
            fix = "check owner/repository" + ("" if self._has_token else give)
            return ReleaseError(f"{self.describe()} {missing}", found="HTTP status 404", fix=fix)
        limited_until = transport.rate_limit_end(response)
        if limited_until:
            limit = transport.shown(response.headers.get("X-RateLimit-Limit", "the permitted number of"))
            whose = "this token" if self._has_token else "this network address"
            more = "" if self._has_token else "give a token, which permits 5000 an hour, or "
            return ReleaseError(
                f"{self.describe()} could not be listed: GitHub's rate limit is used up {limited_until}",
                found=f"{limit} requests an hour for {whose}",
                fix=f"{more}wait until then",
            )
        refused = transport.refused(response)
        try:
            said = transport.shown(str(response.json()["message"]))
        except (ValueError, LookupError, TypeError, RecursionError):
            return refused
        return ReleaseError(refused.what, found=f"{refused.found}: {said}", fix=refused.fix)


def _token_of_the_environment(api: str) -> str | None:
    """Return the token that the environment holds for the server at *api*: github.com's, or the Enterprise server's."""
    names: tuple[str, ...] = ()
    if api in (PUBLIC_API, os.environ.get("GITHUB_API_URL", "").rstrip("/")):
        names = ("GITHUB_TOKEN", "GH_TOKEN")
    elif urlsplit(api).hostname == os.environ.get("GH_HOST", "").lower():
        names = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _is_safe(url: str) -> bool:
    """Tell whether a secret may travel to *url*: encrypted, or without leaving this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
