# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a repository on a Gitea or Forgejo server have, such as codeberg.org? Runs on the controller.

Follows the API, version 1, as the ``swagger.v1.json`` of both describes it ("repoListReleases", "Attachment"). It
states no digests, and its list has no ETag, so it is read whole each time. What Gitea has in common with other forges
is in forge.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._publisher import redaction
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    asset_address,
    is_file_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge import Entry, Forge, ForgeSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge_tokens import for_one_server
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

PUBLIC_API = "https://codeberg.org/api/v1"
_PATH = r"[A-Za-z0-9_-](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"


class GiteaSource(ForgeSource):
    """The releases of a repository on a Gitea or Forgejo server."""

    FORGE = Forge(
        title="Gitea",
        project="repository",
        example="owner/repository",
        name=rf"{_PATH}/{_PATH}",
        public_api=PUBLIC_API,
        example_api="https://git.example.org/api/v1",
        api_path="/api/v1",
        page_size=50,
        size_key="limit",
        scheme="token",
        variables=partial(for_one_server, "GITEA_TOKEN", "GITEA_HOST", PUBLIC_API),
        elsewhere="GITEA_TOKEN with the server's name in GITEA_HOST",
    )

    def describe(self) -> str:
        """Return the source as a person would name it. There is no server that Gitea or Forgejo alone stands for."""
        return f"repository {self._project} at {redaction.redacted(self._server())}"

    def _token_place(self) -> str:
        """Return the address of the server: assets of private repositories are downloaded beside the API."""
        return self._server()

    def _entry(self, item: Mapping[str, Any]) -> Entry | None:
        if item["draft"]:
            return None
        assets = item["assets"] or []
        moments = [item["published_at"], *(asset["created_at"] for asset in assets)]
        named = [asset for asset in assets if is_file_name(asset["name"])]
        return Entry(item["tag_name"], moments, bool(item["prerelease"]), partial(map, _asset, named))


def _asset(item: Mapping[str, Any]) -> Asset:
    """Return the file that *item* lists. Forgejo does not know the size of one that lies elsewhere, and says 0."""
    return Asset(
        name=str(item["name"]),
        url=asset_address(item["browser_download_url"], item["name"]),
        size=None if item.get("type") == "external" else int(item["size"]),
    )
