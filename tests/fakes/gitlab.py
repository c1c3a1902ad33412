# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GitLab on loopback: the part of its REST API, and of its downloads, that reading releases needs.

Answers as GitLab's documentation and source have it (gitlab.com/gitlab-org/gitlab): the fields of a release
(lib/api/entities/release.rb, releases/link.rb), pages (lib/gitlab/pagination/offset_header_builder.rb), permanent
addresses of links (app/presenters/releases/link_presenter.rb), ETag and 304 (Rack::ETag), packages by 302 to object
storage, 401 and 403 in the words of OAuth, 404 for what is hidden, 429 with Retry-After in plain text, and a page to
sign in at for strangers outside of the API.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from ansible_collections.pinned.release.tests.fakes.web import Answer, FakeForge, Question


@dataclass(frozen=True)
class FakeLink:
    """A link of a release: to *content* in the package registry, or to *url*. *filepath* makes it a permanent address.

    *name* is its title; the file in the registry is called *file*, by default as the link.
    """

    name: str
    content: bytes = b""
    file: str | None = None
    url: str | None = None
    filepath: str | None = None
    link_type: str = "other"


@dataclass(frozen=True)
class FakeRelease:
    """A release, as its maintainer published it."""

    tag: str
    links: Sequence[FakeLink] = ()
    released_at: str = "2024-05-06T07:08:09.000Z"
    created_at: str = "2024-05-06T07:08:09.123Z"


@dataclass
class FakeGitlab(FakeForge):
    """The running server. Attributes may be changed while it runs.

    releases      by ``group/project``, newest first
    visibility    of each project that is not public: ``private`` or ``internal``
    tokens        those that are accepted; *narrow* ones may not read the API
    codeless      projects whose code only members may see, so that nobody else is told the tags
    faults        answers that the next requests for a page get instead, by its number
    retry_after   when set, every request is refused with it
    registry      answers in place of a list of packages (``packages``) or of a package's files (``package_files``)
    """

    API_PATH = "/api/v4"

    releases: Mapping[str, Sequence[FakeRelease]]
    visibility: Mapping[str, str] = field(default_factory=dict)
    tokens: frozenset[str] = frozenset()
    narrow: frozenset[str] = frozenset()
    codeless: frozenset[str] = frozenset()
    faults: Mapping[int, list[Answer]] = field(default_factory=dict)
    retry_after: str | None = None
    registry: Mapping[str, Answer] = field(default_factory=dict)

    def _answer(self, question: Question) -> Answer:
        if question.path.startswith("/api/v4/projects/"):
            return self._api_answer(question, question.path.removeprefix("/api/v4/projects/").split("/"))
        project, _dash, rest = question.path.strip("/").partition("/-/releases/")
        if question.path == "/users/sign_in":
            return Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html; charset=utf-8"})
        if project in self.releases and "/downloads/" in rest:
            return self._permanent(project, *rest.split("/downloads/", 1))
        return Answer(404, b"<html>Not found</html>")

    def _permanent(self, project: str, tag: str, path: str) -> Answer:
        """Lead to what the link with this path is about, but only those who may read the project."""
        if self.visibility.get(project, "public") != "public":
            return Answer(302, b"", {"Location": f"{self.web.url}/users/sign_in"})
        for release in self.releases[project]:
            for link in release.links:
                if (release.tag, link.filepath) == (unquote(tag), f"/{path}"):
                    return Answer(302, b"", {"Location": self._url(project, release, link)})
        return Answer(404, b"<html>Not found</html>")

    def _api_answer(self, question: Question, parts: list[str]) -> Answer:
        token = question.headers.get("Authorization", "").removeprefix("Bearer ")
        token = question.headers.get("PRIVATE-TOKEN", token)
        if self.retry_after is not None:
            return Answer(429, b"Retry later\n", {"Retry-After": self.retry_after, "RateLimit-Remaining": "0"})
        if token and token not in self.tokens | self.narrow:
            described = "Token is expired. You can either do re-authorization or token refresh."
            return _refusal(401, error="invalid_token", error_description=described)
        if token in self.narrow:
            described = "The request requires higher privileges than provided by the access token."
            return _refusal(403, error="insufficient_scope", error_description=described, scope="api read_api")
        project = unquote(parts[0])
        if project not in self.releases or (self.visibility.get(project, "public") != "public" and not token):
            return _refusal(404, message="404 Project Not Found")
        if parts[1:] == ["releases"]:
            return self._page(question, project, may_see_code=bool(token) or project not in self.codeless)
        if parts[1:2] == ["packages"] and parts[-1] in self.registry:
            return self.registry[parts[-1]]
        if parts[1:] == ["packages"]:
            return _json(question, self._packages(project, question.query))
        if parts[1:2] == ["packages"] and parts[3:] == ["package_files"]:
            return _json(question, self._package_files(self.releases[project][int(parts[2]) - 1]))
        if parts[1:3] == ["packages", "generic"]:
            signed = f"{self.storage.url}/{'/'.join(parts[3:])}?X-Amz-Signature=secret"
            return Answer(302, b"", {"Location": signed})
        if parts[1:] == []:
            said = {"path_with_namespace": project, "visibility": self.visibility.get(project, "public")}
            return _json(question, said)
        return _refusal(404, error="404 Not Found")

    def _packages(self, project: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """List the project's generic packages (lib/api/entities/package.rb): one a release, whose version is the tag.

        As in GitLab, the name that is asked for may be a part of what is found.
        """
        packages = [
            {"id": number, "name": name, "version": release.tag, "package_type": "generic", "status": "default"}
            for number, release in enumerate(self.releases[project], 1)
            for name in ("tool", "tool-docs")
        ]
        wanted, version = query.get("package_name", ""), query.get("package_version")
        return [one for one in packages if wanted in str(one["name"]) and version in (None, one["version"])]

    def _package_files(self, release: FakeRelease) -> list[dict[str, Any]]:
        """List the files of a package (lib/api/entities/package_file.rb), the oldest first."""
        return [
            {
                "id": number,
                "file_name": link.file or link.name,
                "size": len(link.content),
                "file_sha256": hashlib.sha256(link.content).hexdigest(),
            }
            for number, link in enumerate((link for link in release.links if link.url is None), 1)
        ]

    def _page(self, question: Question, project: str, may_see_code: bool) -> Answer:
        size = min(100, int(question.query.get("per_page", "20")))
        page = int(question.query.get("page", "1"))
        if self.faults.get(page):
            return self.faults[page].pop(0)
        everything = self.releases[project]
        last = max(1, -(-len(everything) // size))
        shown = [self._release(project, one, may_see_code) for one in everything[(page - 1) * size : page * size]]
        word = quote(project, safe="")
        base = f"{self.api_url}/projects/{word}/releases?id={word}&order_by=released_at&per_page={size}&sort=desc"
        targets = {"prev": page - 1, "next": page + 1, "first": 1, "last": last}
        targets = {name: to for name, to in targets.items() if 1 <= to <= last}
        links = ", ".join(f'<{base}&page={to}>; rel="{name}"' for name, to in targets.items())
        following = str(page + 1) if page < last else ""
        return _json(question, shown, {"Link": links, "X-Page": str(page), "X-Next-Page": following})

    def _release(self, project: str, release: FakeRelease, may_see_code: bool) -> dict[str, Any]:
        links = [self._link(project, release, number, link) for number, link in enumerate(release.links)]
        archive = f"{self.web.url}/{project}/-/archive/{release.tag}/archive.zip"
        hidden = {
            "tag_name": release.tag,
            "commit": {"id": "0" * 40},
            "evidences": [],
        }
        return {
            "name": release.tag,
            **(hidden if may_see_code else {}),
            "description": "What changed",
            "created_at": release.created_at,
            "released_at": release.released_at,
            "upcoming_release": release.released_at > "2100",
            "author": {"id": 1, "username": "somebody"},
            "assets": {
                "count": len(links) + 1,
                **({"sources": [{"format": "zip", "url": archive}]} if may_see_code else {}),
                "links": links,
            },
            "_links": {"self": f"{self.web.url}/{project}/-/releases/{release.tag}"},
        }

    def _link(self, project: str, release: FakeRelease, number: int, link: FakeLink) -> dict[str, Any]:
        url = self._url(project, release, link)
        tag = quote(release.tag, safe="")
        permanent = f"{self.web.url}/{project}/-/releases/{tag}/downloads{link.filepath}"
        return {
            "id": number,
            "name": link.name,
            "url": url,
            "direct_asset_url": permanent if link.filepath else url,
            "link_type": link.link_type,
        }

    def _url(self, project: str, release: FakeRelease, link: FakeLink) -> str:
        word = quote(project, safe="")
        package = f"{self.api_url}/projects/{word}/packages/generic/tool/{quote(release.tag, safe='')}"
        return link.url or f"{package}/{quote(link.file or link.name)}"

    def _stored(self, question: Question) -> Answer:
        for releases in self.releases.values():
            for release in releases:
                for link in release.links:
                    if unquote(question.path) == f"/tool/{release.tag}/{link.file or link.name}":
                        return Answer(200, link.content, {"Content-Type": "application/octet-stream"})
        return Answer(404)


def _json(question: Question, content: object, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps(content).encode()
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    common = {"Cache-Control": "max-age=0, private, must-revalidate", "ETag": etag, "Vary": "Origin", **(headers or {})}
    if question.headers.get("If-None-Match") == etag:
        return Answer(304, b"", common)
    return Answer(200, body, {"Content-Type": "application/json", **common})


def _refusal(status: int, **said: str) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"})
