# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GitHub on loopback: the part of its REST API, and of its downloads, that reading releases needs.

Answers as GitHub does, which check_github.py proves against its schema and against recorded real answers: pagination by
Link, ETags and 304 (which cost no rate limit), asset bytes by 302 to a second server, ``digest`` fields, 401 for a bad
token, 403 with the rate limit's headers, 429 with Retry-After, 404 for what is private. Attestations are listed for one
digest or for many, and lie packed as snappy on the second server, which refuses whoever sends it a token. The API lies
below ``/api/v3``, as on an Enterprise server.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from ansible_collections.pinned.release.tests.fakes.web import Answer, FakeForge, Question

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class FakeAsset:
    """A file of a release. *created_at* None: when the release was published."""

    name: str
    content: bytes
    state: str = "uploaded"
    created_at: str | None = None
    has_digest: bool = True


@dataclass(frozen=True)
class FakeRelease:
    """A release, as its maintainer published it."""

    tag: str
    assets: Sequence[FakeAsset] = ()
    is_draft: bool = False
    is_prerelease: bool = False
    published_at: str = "2024-05-06T07:08:09Z"


@dataclass
class FakeGithub(FakeForge):
    """The running server. Attributes may be changed while it runs.

    releases      by ``owner/repository``, newest first
    private       repositories that only a token may see
    tokens        those that are accepted
    remaining     requests left before the rate limit, for everybody together
    retry_after   when set, every request is refused with it, as by the secondary limit
    attestations  bundles by ``sha256:…``, of every repository
    is_inline     whether the API answers whole bundles, as it did before it kept them elsewhere
    has_bulk      whether it lists the attestations of many digests at once
    """

    API_PATH = "/api/v3"

    releases: Mapping[str, Sequence[FakeRelease]]
    private: frozenset[str] = frozenset()
    tokens: frozenset[str] = frozenset()
    remaining: int = 60
    reset: int = field(default_factory=lambda: int(time.time()) + 1500)
    retry_after: str | None = None
    attestations: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    is_inline: bool = False
    has_bulk: bool = True

    def _answer(self, question: Question) -> Answer:
        parts = question.path.strip("/").split("/")
        if parts[:2] == ["api", "v3"]:
            return self._api_answer(question, parts[2:])
        if parts[2:4] == ["releases", "download"] and len(parts) == 6:
            repository = "/".join(parts[:2])
            tag, name = map(unquote, parts[4:])
            return Answer(404, b"Not Found") if repository in self.private else self._to_storage(repository, tag, name)
        return Answer(404, b"Not Found")

    def _api_answer(self, question: Question, parts: list[str]) -> Answer:
        authorization = question.headers.get("Authorization")
        token = authorization.removeprefix("Bearer ") if authorization else None
        if token is not None and token not in self.tokens:
            return self._refusal(401, "Bad credentials")
        if self.retry_after is not None:
            message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            return self._refusal(429, message, {"Retry-After": self.retry_after})
        if parts[2:] == ["attestations", "bulk-list"] and parts[0] in ("orgs", "users"):
            return self._limited(question, self._attested_at_once(question, *parts[:2]))
        repository = self._repository(parts)
        if repository is None or (repository in self.private and token is None):
            return self._limited(question, self._refusal(404, "Not Found"))
        if parts[-1] == repository.rpartition("/")[2]:
            said = {"full_name": repository, "private": repository in self.private}
            return self._limited(question, self._json(question, said, {}))
        if parts[-1] == "releases":
            return self._limited(question, self._page(question, repository))
        if parts[-2] == "attestations":
            return self._limited(question, self._attested(question, repository, unquote(parts[-1])))
        if parts[-3:-1] == ["releases", "assets"]:
            return self._limited(question, self._asset_answer(question, repository, parts[-1]))
        return self._limited(question, self._refusal(404, "Not Found"))

    def _limited(self, question: Question, answer: Answer) -> Answer:
        """Count the request, unless the answer is that nothing changed; refuse it when none is left."""
        if answer.status != 304:
            if self.remaining <= 0:
                message = "API rate limit exceeded for 127.0.0.1. (But authenticated requests get a higher one.)"
                answer = self._refusal(403, message)
            else:
                self.remaining -= 1
        limits = {
            "X-RateLimit-Limit": "60",
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Used": str(60 - self.remaining),
            "X-RateLimit-Resource": "core",
        }
        return dataclasses.replace(answer, headers={**answer.headers, **limits})

    def _repository(self, parts: list[str]) -> str | None:
        """Return the repository that a path names, by name or, as links between pages do, by number."""
        names = list(self.releases)
        if parts[:1] == ["repos"] and "/".join(parts[1:3]) in names:
            return "/".join(parts[1:3])
        if parts[:1] == ["repositories"] and parts[1].isdigit() and int(parts[1]) < len(names):
            return names[int(parts[1])]
        return None

    def _page(self, question: Question, repository: str) -> Answer:
        size = min(100, int(question.query.get("per_page", "30")))
        page = int(question.query.get("page", "1"))
        everything = self.releases[repository]
        last = max(1, -(-len(everything) // size))
        shown = [
            self._release(repository, number)
            for number, release in enumerate(everything)
            if (page - 1) * size <= number < page * size
        ]
        base = f"{self.api_url}/repositories/{list(self.releases).index(repository)}/releases?per_page={size}"
        targets = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            targets = {"prev": page - 1, "first": 1}
        if page == 1:
            targets = {name: target for name, target in targets.items() if name in ("next", "last")}
        links = ", ".join(f'<{base}&page={target}>; rel="{name}"' for name, target in targets.items())
        return self._json(question, shown, {"Link": links} if links else {})

    def _asset_answer(self, question: Question, repository: str, number: str) -> Answer:
        for release in self.releases[repository]:
            for asset in release.assets:
                if str(_number(repository, release.tag, asset.name)) != number:
                    continue
                if question.headers.get("Accept") == "application/octet-stream":
                    return self._to_storage(repository, release.tag, asset.name)
                return self._json(question, self._asset(repository, release, asset), {})
        return self._refusal(404, "Not Found")

    def _attested(self, question: Question, repository: str, subject: str) -> Answer:
        """Answer with the attestations of one digest, one a page, so that there are pages."""
        numbers = range(len(self.attestations.get(subject, ())))
        number = int(question.query.get("after", "0"))
        if number not in numbers:
            return self._refusal(404, "Not Found")
        page = f"{self.api_url}/repositories/{list(self.releases).index(repository)}/attestations/{subject}"
        links = {"Link": f'<{page}?after={number + 1}>; rel="next"'} if number + 1 in numbers else {}
        return self._json(question, {"attestations": [self._attestation(subject, number)]}, links)

    def _attested_at_once(self, question: Question, kind: str, owner: str) -> Answer:
        """Answer with the attestations of many digests, half of them on a second page. All owners are people."""
        if kind == "orgs" or not self.has_bulk or all(name.partition("/")[0] != owner for name in self.releases):
            return self._refusal(404, "Not Found")
        subjects = json.loads(question.body)["subject_digests"]
        middle = len(subjects) // 2
        shown = subjects[middle:] if question.query.get("after") == "second=" else subjects[:middle]
        is_first = shown == subjects[:middle]
        listed = {
            subject: [self._attestation(subject, number) for number, _one in enumerate(self.attestations[subject])]
            if subject in self.attestations
            else None
            for subject in shown
        }
        info = {"has_next": is_first, "has_previous": not is_first, **({"next": "second="} if is_first else {})}
        return self._json(question, {"attestations_subject_digests": listed, "page_info": info}, {})

    def _attestation(self, subject: str, number: int) -> dict[str, Any]:
        bundle = self.attestations[subject][number] if self.is_inline else None
        url = f"{self.storage.url}/attestations/{subject}/{number}.json.sn?sig=secret"
        return {"repository_id": 1, "bundle_url": url, "bundle": bundle}

    def _json(self, question: Question, content: object, headers: Mapping[str, str]) -> Answer:
        body = json.dumps(content).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        common = {
            "Cache-Control": "public, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP",
            "ETag": etag,
            **headers,
        }
        if question.headers.get("If-None-Match") == etag:
            return Answer(304, b"", common)
        return Answer(200, body, {"Content-Type": "application/json; charset=utf-8", **common})

    def _refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        return Answer(
            status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        )

    def _to_storage(self, repository: str, tag: str, name: str) -> Answer:
        signed = f"{self.storage.url}/{_number(repository, tag, name)}?sig=secret"
        return Answer(302, b"", {"Location": signed, "Content-Type": "text/html; charset=utf-8"})

    def _stored(self, question: Question) -> Answer:
        if question.path.startswith("/attestations/"):
            subject, name = question.path.split("/")[2:]
            bundle = json.dumps(self.attestations[subject][int(name.partition(".")[0])]).encode()
            is_asked_well = "Authorization" not in question.headers and question.query == {"sig": "secret"}
            return Answer(200, snappy(bundle)) if is_asked_well else Answer(400)
        for repository, releases in self.releases.items():
            for release in releases:
                for asset in release.assets:
                    if question.path == f"/{_number(repository, release.tag, asset.name)}":
                        return Answer(200, asset.content, {"Content-Type": "application/octet-stream"})
        return Answer(404)

    def _release(self, repository: str, number: int) -> dict[str, Any]:
        release = self.releases[repository][number]
        identifier = _number(repository, release.tag)
        url = f"{self.api_url}/repos/{repository}/releases/{identifier}"
        return {
            "url": url,
            "assets_url": f"{url}/assets",
            "upload_url": f"{self.web.url}/api/uploads/repos/{repository}/releases/{identifier}/assets{{?name,label}}",
            "html_url": f"{self.web.url}/{repository}/releases/tag/{release.tag}",
            "id": identifier,
            "author": self._user(),
            "node_id": f"RE_{identifier}",
            "tag_name": release.tag,
            "target_commitish": "main",
            "name": release.tag,
            "draft": release.is_draft,
            "immutable": False,
            "prerelease": release.is_prerelease,
            "created_at": release.published_at,
            "updated_at": release.published_at,
            "published_at": None if release.is_draft else release.published_at,
            "assets": [self._asset(repository, release, asset) for asset in release.assets],
            "tarball_url": f"{self.api_url}/repos/{repository}/tarball/{release.tag}",
            "zipball_url": f"{self.api_url}/repos/{repository}/zipball/{release.tag}",
            "body": "What changed",
        }

    def _asset(self, repository: str, release: FakeRelease, asset: FakeAsset) -> dict[str, Any]:
        identifier = _number(repository, release.tag, asset.name)
        tag = quote(release.tag, safe="")
        moment = asset.created_at or release.published_at
        return {
            "url": f"{self.api_url}/repos/{repository}/releases/assets/{identifier}",
            "id": identifier,
            "node_id": f"RA_{identifier}",
            "name": asset.name,
            "label": "",
            "uploader": self._user(),
            "content_type": "application/octet-stream",
            "state": asset.state,
            "size": len(asset.content),
            "digest": f"sha256:{hashlib.sha256(asset.content).hexdigest()}" if asset.has_digest else None,
            "download_count": 0,
            "created_at": moment,
            "updated_at": moment,
            "browser_download_url": f"{self.web.url}/{repository}/releases/download/{tag}/{asset.name}",
        }

    def _user(self) -> dict[str, Any]:
        url = f"{self.api_url}/users/somebody"
        places = {
            "followers": "/followers",
            "following": "/following{/other_user}",
            "gists": "/gists{/gist_id}",
            "starred": "/starred{/owner}{/repo}",
            "subscriptions": "/subscriptions",
            "organizations": "/orgs",
            "repos": "/repos",
            "events": "/events{/privacy}",
            "received_events": "/received_events",
        }
        return {
            "login": "somebody",
            "id": 1,
            "node_id": "U_1",
            "avatar_url": f"{self.web.url}/avatars/u/1",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.web.url}/somebody",
            **{f"{name}_url": url + place for name, place in places.items()},
            "type": "User",
            "user_view_type": "public",
            "site_admin": False,
        }


def snappy(text: bytes) -> bytes:
    """Return *text* as raw snappy, in pieces without copies."""
    size, left = b"", len(text)
    while left > 0x7F:
        size, left = size + bytes([left & 0x7F | 0x80]), left >> 7
    pieces = [text[start : start + 0x10000] for start in range(0, len(text), 0x10000)]
    long_piece = 61 << 2
    packed = (bytes([long_piece]) + (len(piece) - 1).to_bytes(2, "little") + piece for piece in pieces)
    return size + bytes([left]) + b"".join(packed)


def _number(*words: str) -> int:
    """Return the number by which GitHub would know what *words* name."""
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:4], "big")
