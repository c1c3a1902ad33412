# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a GitLab project have, on gitlab.com or a server of one's own? Runs on the controller.

Follows the REST API, version 4 (docs.gitlab.com, "Project release API", "Release links API", "REST API": namespaced
paths, pagination). A release has no files, only links: to GitLab's package registry, to its own pages, or to anywhere.
GitLab never states their sizes, and their digests only where they lie in its package registry (gitlab_packages.py).
What GitLab has in common with other forges is in forge.py.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, redaction
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    asset_address,
    is_file_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge import Entry, Forge, ForgeSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge_tokens import for_one_server
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.gitlab_packages import (
    PackageRegistry,
    is_artifact_of_a_job,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.versions import moment_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

LOG = logging.getLogger("pinned.release")
PACKAGE_PAGES_LIMIT = 50
PUBLIC_API = "https://gitlab.com/api/v4"
_PATH = r"\.?[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"
#: Types of links that lead to no file: a page that says what to do, and an image for containers.
_NO_FILES = ("runbook", "image")


class GitlabSource(ForgeSource):
    """The releases of a GitLab project."""

    FORGE = Forge(
        title="GitLab",
        project="project",
        example="group/project",
        name=rf"{_PATH}(?:/{_PATH}){{1,20}}",
        public_api=PUBLIC_API,
        example_api="https://gitlab.example.org/api/v4",
        api_path="/api/v4",
        page_size=100,
        size_key="per_page",
        scheme="Bearer",
        variables=partial(for_one_server, "GITLAB_TOKEN", "GITLAB_HOST", PUBLIC_API),
        elsewhere="GITLAB_TOKEN with the server's name in GITLAB_HOST",
    )

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the declared project. Raises ReleaseError if its name or options are not valid."""
        super().__init__(declaration)
        self._packages = PackageRegistry(self._api, self._package_list)

    def _address(self) -> str:
        """Return the address of the project in the API, whose path GitLab wants as one word."""
        return f"{self._api}/projects/{quote(self._project, safe='')}"

    def _entry(self, item: Mapping[str, Any]) -> Entry | None:
        """Return what *item* says. ``released_at`` is what the publisher wrote, so GitLab's own date counts as well."""
        moments = (item["created_at"], item["released_at"])
        if item.get("upcoming_release") or moment_of(item["released_at"]) > datetime.now(timezone.utc):
            return None
        if "tag_name" not in item:
            raise ReleaseError(
                f"{self.describe()} does not tell {self._token or 'strangers'} the tags of its releases",
                fix=f"give a token that may read the code of the project, such as one with the role Reporter ("
                f"the option token, or {' or '.join(self.FORGE.variables(self._api)) or self.FORGE.elsewhere})",
            )
        links = item["assets"]["links"]
        return Entry(item["tag_name"], moments, False, partial(self._assets, links), partial(self._stated, links))

    def _assets(self, links: Sequence[Mapping[str, Any]]) -> Iterable[Asset]:
        """Yield the files among the *links*."""
        for name, link in _files(links):
            if is_file_name(name):
                yield self._asset(link, name)

    def _stated(self, links: Sequence[Mapping[str, Any]], asset: Asset) -> Mapping[str, str]:
        """Return what GitLab's package registry states of the *asset* that one of the *links* leads to.

        Warns of a file that will not stay. Raises ReleaseError if the registry does not answer as documented.
        """
        url = next((link["url"] for name, link in _files(links) if name == asset.name), asset.url)
        if is_artifact_of_a_job(url):
            LOG.warning(
                "%s of %s is the artifact of a job, which GitLab deletes, usually after 30 days: then no host can "
                "download it. Put it into the project's package registry, and link that",
                *(redaction.shown(asset.name), self.describe()),
            )
        with failures.as_release_error(self.describe(), "a list of packages as GitLab has it"):
            return self._packages.digests(url)

    def _package_list(self, url: str) -> Iterable[Mapping[str, Any]] | None:
        """Return a list of the package registry, whole; None where whoever asks may not read it.

        Raises ReleaseError if the API refuses for another reason, or answers what is no list.
        """
        found: list[Mapping[str, Any]] = []
        following: str | None = url
        for _page in range(PACKAGE_PAGES_LIMIT):
            if following is None:
                return found
            response = self._get(following)
            if response.status_code in (401, 403, 404):
                return None
            if not response.ok:
                raise self._refused(response)
            found += documents.json_of(response, "a list of packages as GitLab has it", list)
            following = self._following(response)
        raise ReleaseError(f"{self.describe()} lists packages without end")

    def _asset(self, link: Mapping[str, Any], name: str) -> Asset:
        """Return the file that *link* leads to. Its permanent address leads to those who may read the project only.

        So what lies elsewhere is fetched from there. The token is sent only to the API, which is where packages lie.
        """
        url = link["url"]
        is_elsewhere = not Credential(self._server(), {}).covers(url)
        is_private_way = bool(self._token) and Credential(self._api, {}).covers(url)
        return Asset(
            name=name,
            url=asset_address(url if is_elsewhere else _permanent(link), name),
            api_url=asset_address(url, name) if is_private_way else None,
        )


def _is_web(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https")


def _files(links: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the files among the *links* with their names. GitLab also allows FTP, which nothing protects."""
    files = [link for link in links if link.get("link_type") not in _NO_FILES and _is_web(link["url"])]
    return list(zip(_file_names(files), files, strict=True))


def _permanent(link: Mapping[str, Any]) -> str:
    """Return the address of the project that leads on to that of the *link*; where it has none, the latter."""
    return str(link.get("direct_asset_url") or link["url"])


def _file_names(links: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the files that the *links* of one release lead to: how their addresses end.

    The name of a link is a title for people, such as ``binary: Linux amd64``. It counts where the address does not end
    in a name of its own: in ``download``, as those of GitLab's packages and job artifacts do, or as another's does.
    """
    ends = [unquote(urlsplit(_permanent(link)).path).rpartition("/")[2] for link in links]
    times = Counter(ends)
    return [
        end if times[end] == 1 and end not in ("", "download") else link["name"]
        for link, end in zip(links, ends, strict=True)
    ]
