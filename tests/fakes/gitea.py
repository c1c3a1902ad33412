# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Gitea or Forgejo on loopback: the part of its API, and of its downloads, that reading releases needs.

Answers as the sources of both have it (github.com/go-gitea/gitea, codeberg.org/forgejo/forgejo): the fields of a
release and of its files (modules/structs/release.go, attachment.go; ``type`` is Forgejo's), pages of 50 at most with
Link and X-Total-Count (routers/api/v1/repo/release.go), no ETag, files by 302 to object storage where that is set up,
a token for downloads as for the API (services/auth), 404 for what is hidden.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from ansible_collections.pinned.release.tests.fakes.web import Answer, FakeForge, Question


@dataclass(frozen=True)
class FakeFile:
    """A file of a release; with *url*, one that lies elsewhere, as Forgejo has them."""

    name: str
    content: bytes = b""
    url: str | None = None
    created_at: str = "2024-05-06T07:08:09Z"


@dataclass(frozen=True)
class FakeRelease:
    """A release, as its maintainer published it."""

    tag: str
    files: Sequence[FakeFile] = ()
    is_draft: bool = False
    is_prerelease: bool = False
    published_at: str = "2024-05-06T09:08:09+02:00"


@dataclass
class FakeGitea(FakeForge):
    """The running server. Attributes may be changed while it runs.

    releases      by ``owner/repository``, newest first
    private       repositories that only a token may see; those of *internal* owners likewise
    tokens        those that are accepted; *narrow* ones may not read repositories
    faults        answers that the next requests for a page get instead, by its number
    retry_after   when set, every request is refused with it, as by a proxy in front
    """

    API_PATH = "/api/v1"

    releases: Mapping[str, Sequence[FakeRelease]]
    private: frozenset[str] = frozenset()
    internal: frozenset[str] = frozenset()
    tokens: frozenset[str] = frozenset()
    narrow: frozenset[str] = frozenset()
    faults: Mapping[int, list[Answer]] = field(default_factory=dict)
    retry_after: str | None = None

    def _answer(self, question: Question) -> Answer:
        if self.retry_after is not None:
            return Answer(429, b"Too Many Requests", {"Retry-After": self.retry_after})
        token = question.headers.get("Authorization", "").removeprefix("token ")
        if token and token not in self.tokens | self.narrow:
            return self._refusal(401, "invalid username, password or token")
        if token in self.narrow:
            return self._refusal(403, "token does not have at least one of required scope(s): [read:repository]")
        parts = question.path.strip("/").split("/")
        is_api = parts[:3] == ["api", "v1", "repos"]
        place = parts[3:] if is_api else parts
        repository = "/".join(place[:2])
        if repository not in self.releases or (repository in self.private | self.internal and not token):
            return self._refusal(404, "The target couldn't be found.") if is_api else Answer(404, b"Not found.")
        if is_api:
            return self._api_answer(question, repository, place[2:])
        if place[2:4] == ["releases", "download"] and len(place) == 6:
            return Answer(302, b"", {"Location": f"{self.storage.url}/{place[4]}/{place[5]}?X-Amz-Signature=secret"})
        return Answer(404, b"Not found.")

    def _api_answer(self, question: Question, repository: str, rest: list[str]) -> Answer:
        if rest == ["releases"]:
            return self._page(question, repository)
        if rest == []:
            said = {"private": repository in self.private, "internal": repository in self.internal}
            return _json({"full_name": repository, **said})
        return self._refusal(404, "Not Found")

    def _page(self, question: Question, repository: str) -> Answer:
        size = min(50, int(question.query.get("limit", "30")))
        page = int(question.query.get("page", "1"))
        if self.faults.get(page):
            return self.faults[page].pop(0)
        everything = self.releases[repository]
        last = max(1, -(-len(everything) // size))
        shown = [self._release(repository, one) for one in everything[(page - 1) * size : page * size]]
        base = f"{self.api_url}/repos/{repository}/releases?limit={size}"
        targets = {"next": page + 1, "last": last} if page < last else {}
        targets |= {"first": 1, "prev": page - 1} if page > 1 else {}
        links = ",".join(f'<{base}&page={to}>; rel="{name}"' for name, to in targets.items())
        return _json(shown, {"X-Total-Count": str(len(everything)), **({"Link": links} if links else {})})

    def _release(self, repository: str, release: FakeRelease) -> dict[str, Any]:
        url = f"{self.api_url}/repos/{repository}/releases/1"
        return {
            "id": 1,
            "tag_name": release.tag,
            "target_commitish": "main",
            "name": release.tag,
            "body": "What changed",
            "url": url,
            "html_url": f"{self.web.url}/{repository}/releases/tag/{release.tag}",
            "tarball_url": f"{self.web.url}/{repository}/archive/{release.tag}.tar.gz",
            "zipball_url": f"{self.web.url}/{repository}/archive/{release.tag}.zip",
            "upload_url": f"{url}/assets",
            "draft": release.is_draft,
            "prerelease": release.is_prerelease,
            "created_at": release.published_at,
            "published_at": release.published_at,
            "author": {"id": 1, "login": "somebody"},
            "assets": [self._file(repository, release, file) for file in release.files],
        }

    def _file(self, repository: str, release: FakeRelease, file: FakeFile) -> dict[str, Any]:
        here = f"{self.web.url}/{repository}/releases/download/{quote(release.tag, safe='')}/{quote(file.name)}"
        return {
            "id": 1,
            "name": file.name,
            "size": 0 if file.url else len(file.content),
            "download_count": 0,
            "created_at": file.created_at,
            "uuid": "00000000-0000-0000-0000-000000000000",
            "browser_download_url": file.url or here,
            "type": "external" if file.url else "attachment",
        }

    def _stored(self, question: Question) -> Answer:
        for releases in self.releases.values():
            for release in releases:
                for file in release.files:
                    if unquote(question.path) == f"/{release.tag}/{file.name}":
                        return Answer(200, file.content, {"Content-Type": "application/octet-stream"})
        return Answer(404)

    def _refusal(self, status: int, message: str) -> Answer:
        body = {"errors": [], "message": message, "url": f"{self.web.url}/api/swagger"}
        return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json;charset=utf-8"})


def _json(content: object, headers: Mapping[str, str] | None = None) -> Answer:
    kind = {"Content-Type": "application/json;charset=utf-8", "Cache-Control": "max-age=0, private, must-revalidate"}
    return Answer(200, json.dumps(content).encode(), {**kind, **(headers or {})})
