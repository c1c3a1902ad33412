# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a GitHub repository have, on github.com or an Enterprise server? Runs on the controller.

Follows the REST API (docs.github.com, "Releases", "Rate limits", "Using pagination"), version 2022-11-28. What GitHub
has in common with other forges is in forge.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures, redaction
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.services import Service
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import github_attestations
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    asset_address,
    is_file_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge import Entry, Forge, ForgeSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge_tokens import is_named
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.github_attestations import (
    GithubAttestations,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attest

if TYPE_CHECKING:
    import requests

PUBLIC_API = "https://api.github.com"
LONGEST_DIGEST = 200


def _variables(api: str) -> tuple[str, ...]:
    """Return the variables that may hold a token for *api*: github.com, or the Enterprise server in GH_HOST."""
    if api in (PUBLIC_API, os.environ.get("GITHUB_API_URL", "").rstrip("/")):
        return ("GITHUB_TOKEN", "GH_TOKEN")
    if is_named("GH_HOST", api):
        return ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
    return ()


class GithubSource(ForgeSource):
    """The releases of a GitHub repository."""

    FORGE = Forge(
        title="GitHub",
        project="repository",
        example="owner/repository",
        name=r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]*[A-Za-z0-9_-]",
        public_api=PUBLIC_API,
        example_api="https://ghe.example.org/api/v3",
        api_path="",
        page_size=100,
        size_key="per_page",
        scheme="Bearer",
        variables=_variables,
        elsewhere="GH_ENTERPRISE_TOKEN with the server's name in GH_HOST",
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    )

    def _entry(self, item: Mapping[str, Any]) -> Entry | None:
        if item["draft"]:
            return None
        uploaded = [asset for asset in item["assets"] if asset["state"] == "uploaded"]
        moments = [asset["created_at"] for asset in uploaded]
        if item["published_at"]:
            moments.append(item["published_at"])
        named = [asset for asset in uploaded if is_file_name(asset["name"])]
        return Entry(item["tag_name"], moments, bool(item["prerelease"]), partial(map, self._asset, named))

    def _asset(self, item: Mapping[str, Any]) -> Asset:
        # A digest that is cut short counts as none.
        algorithm, _colon, value = (item.get("digest") or "")[:LONGEST_DIGEST].partition(":")
        # The token is sent only to the API, and only with a token does the API serve more than the web pages do.
        is_private_way = bool(self._token) and Credential(self._api, {}).covers(item["url"])
        return Asset(
            name=str(item["name"]),
            url=asset_address(item["browser_download_url"], item["name"]),
            size=int(item["size"]),
            digests={algorithm.lower(): value.lower()} if value else {},
            api_url=asset_address(item["url"], item["name"]) if is_private_way else None,
        )

    def _attestations(self, assets: Sequence[Asset]) -> Attest:
        return GithubAttestations(
            self._api,
            self._project,
            assets,
            get=self._get,
            post=self._post,
            following=self._following,
            service=Service(github_attestations.NAME, self.session),
        ).of

    def _post(self, url: str, question: Any) -> requests.Response:
        return self.session.post(url, json=question, headers=self.FORGE.headers)

    def _refused(self, response: requests.Response) -> ReleaseError:
        """Return the error for a refused request; for a used up rate limit, with what it is and when it ends."""
        limited_until = failures.rate_limit_end(response)
        if not limited_until:
            return super()._refused(response)
        limit = redaction.shown(response.headers.get("X-RateLimit-Limit", "the permitted number of"))
        whose = self._token or "this network address"
        more = "" if self._token else "give a token, which permits 5000 an hour, or "
        return ReleaseError(
            f"{self.describe()} could not be listed: GitHub's rate limit is used up {limited_until}",
            found=f"{limit} requests an hour for {whose}",
            fix=f"{more}wait until then",
        )
