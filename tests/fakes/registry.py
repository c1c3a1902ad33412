# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OCI registry on loopback: the part of it that reading artifacts needs, and the service that gives its tokens.

Answers as the distribution-spec 1.1 and the image-spec 1.1 have it (github.com/opencontainers), and as Docker's
registry does where they leave it open: pages with a relative Link, Docker-Content-Digest and ETag on manifests, blobs
by 307 from another host, challenges as in its "Token Authentication Specification". Manifests have the form that ORAS
writes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pinned.release.tests.fakes.web import Answer, FakeForge, Question

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CREATED = "org.opencontainers.image.created"
TITLE = "org.opencontainers.image.title"
EMPTY = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True)
class FakeArtifact:
    """What a tag leads to: *files* by title. *layer* is the type of each."""

    files: Mapping[str, bytes]
    created: str | None = "2026-01-02T03:04:05Z"
    layer: str = LAYER


@dataclass(frozen=True)
class FakeIndex:
    """What a tag leads to: an artifact for each platform, ``linux/amd64`` or ``linux/arm/v7``."""

    parts: Mapping[str, FakeArtifact]


@dataclass
class FakeRegistry(FakeForge):
    """The running server with one repository. Attributes may be changed while it runs.

    tags      what each tag leads to, in the order in which they are listed
    access    ``open``, or who has to say who they are: by ``bearer`` token, or by ``basic`` password
    users     passwords of users
    private   whether only users may read
    page_size the most tags of a page
    faults    answers that the next requests for a page get instead, by its number
    stored    whether blobs are served from the object storage, by redirect
    instead   answers that are given for a path in place of the right one
    realm     where the challenge sends for a token, if not to the registry itself
    expire    after how many uses a token is no longer accepted
    """

    API_PATH = "/v2/"
    NAME = "org/tool"

    tags: Mapping[str, FakeArtifact | FakeIndex]
    access: str = "open"
    users: Mapping[str, str] = field(default_factory=dict)
    private: bool = False
    page_size: int = 1000
    faults: Mapping[int, list[Answer]] = field(default_factory=dict)
    stored: bool = False
    instead: Mapping[str, Answer] = field(default_factory=dict)
    realm: str = ""
    expire: int = 1_000_000

    def __post_init__(self) -> None:
        """Open both servers, and make the manifests."""
        super().__post_init__()
        self.content: dict[str, tuple[str, bytes]] = {}
        self.heads = {tag: self._kept_of(what) for tag, what in self.tags.items()}
        self._uses: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Return what a manifest calls the artifact."""
        return f"{self.web.url}/{self.NAME}"

    def blob(self, content: bytes) -> str:
        """Return the address of a blob."""
        return f"{self.web.url}/v2/{self.NAME}/blobs/{digest(content)}"

    def _kept_of(self, what: FakeArtifact | FakeIndex) -> str:
        """Keep what a tag leads to, and return its digest."""
        if isinstance(what, FakeArtifact):
            layers = [
                {
                    "mediaType": what.layer,
                    "digest": self._keep(LAYER, one),
                    "size": len(one),
                    "annotations": {TITLE: to},
                }
                for to, one in what.files.items()
            ]
            config = self._descriptor(EMPTY, b"{}")
            annotations = {CREATED: what.created} if what.created else {}
            body = {"config": config, "layers": layers, "annotations": annotations}
            return self._keep(MANIFEST, document(MANIFEST, body))
        parts = []
        for name, artifact in what.parts.items():
            os, architecture, variant = [*name.split("/"), ""][:3]
            platform = {"os": os, "architecture": architecture, **({"variant": variant} if variant else {})}
            kept = self._kept_of(artifact)
            parts.append(
                {"mediaType": MANIFEST, "digest": kept, "size": len(self.content[kept][1]), "platform": platform}
            )
        return self._keep(INDEX, document(INDEX, {"manifests": parts}))

    def _descriptor(self, kind: str, content: bytes) -> dict[str, Any]:
        return {"mediaType": kind, "digest": self._keep(kind, content), "size": len(content)}

    def _keep(self, kind: str, content: bytes) -> str:
        self.content[digest(content)] = (kind, content)
        return digest(content)

    def _answer(self, question: Question) -> Answer:
        if question.path == "/token":
            return self._token(question)
        refused = self._challenge(question)
        if refused:
            return refused
        what, _slash, reference = question.path.removeprefix(f"/v2/{self.NAME}/").partition("/")
        if question.path in self.instead:
            return self.instead[question.path]
        if what == "tags":
            return self._page(question)
        found = self.content.get(self.heads.get(reference, reference))
        if found is None:
            return said(404, "MANIFEST_UNKNOWN", "manifest unknown")
        kind, content = found
        if what == "manifests" and kind not in question.headers.get("Accept", ""):
            return said(404, "MANIFEST_UNKNOWN", "OCI manifest found, but accept header does not support it")
        if what == "blobs" and self.stored:
            return Answer(307, b"", {"Location": f"{self.storage.url}/{digest(content)}?X-Amz-Signature=secret"})
        headers = {"Content-Type": kind, "Docker-Content-Digest": digest(content), "ETag": f'"{digest(content)}"'}
        if question.headers.get("If-None-Match") == headers["ETag"]:
            return Answer(304, b"", headers)
        return Answer(200, content, headers)

    def _page(self, question: Question) -> Answer:
        size = min(self.page_size, int(question.query.get("n", "1000")))
        names = list(self.tags)
        start = names.index(question.query["last"]) + 1 if "last" in question.query else 0
        if self.faults.get(start // size + 1):
            return self.faults[start // size + 1].pop(0)
        shown = names[start : start + size]
        more = f"/v2/{self.NAME}/tags/list?last={shown[-1]}&n={size}" if start + size < len(names) else ""
        headers = {"Link": f'<{more}>; rel="next"'} if more else {}
        return Answer(200, json.dumps({"name": self.NAME, "tags": shown or None}).encode(), headers)

    def _challenge(self, question: Question) -> Answer | None:
        """Return the refusal of a request that does not say who asks, None if it is let in."""
        given = question.headers.get("Authorization", "")
        if self.access == "basic" and not self._user(given):
            return said(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": 'Basic realm="registry"'})
        if self.access == "bearer":
            self._uses[given] = self._uses.get(given, 0) + 1
            if not given.startswith("Bearer granted-") or self._uses[given] > self.expire:
                realm = self.realm or f"{self.web.url}/token"
                told = f'Bearer realm="{realm}",service="registry",scope="repository:{self.NAME}:pull,push"'
                return said(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": told})
        return None

    def _token(self, question: Question) -> Answer:
        given = question.headers.get("Authorization", "")
        is_right = question.query == {"service": "registry", "scope": f"repository:{self.NAME}:pull"}
        if not is_right:
            return said(400, "DENIED", f"not what a reader asks for: {dict(question.query)}")
        if given and not self._user(given):
            return said(401, "UNAUTHORIZED", "incorrect username or password")
        if self.private and not given:
            return said(403, "DENIED", "requested access to the resource is denied")
        token = f"granted-{len(self.web.questions)}"
        return Answer(200, json.dumps({"token": token, "expires_in": 300}).encode(), {"Cache-Control": "no-store"})

    def _user(self, authorization: str) -> str:
        """Return the user that a header names with the right password, "" for any other."""
        return next((user for user, word in self.users.items() if authorization == basic(user, word)), "")

    def _stored(self, question: Question) -> Answer:
        found = self.content.get(question.path.strip("/"))
        return Answer(200, found[1]) if found else Answer(404)


def digest(content: bytes) -> str:
    """Return the digest of *content* as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def document(kind: str, body: Mapping[str, Any]) -> bytes:
    """Return a manifest of this *kind* as it is stored."""
    return json.dumps({"schemaVersion": 2, "mediaType": kind, **body}).encode()


def basic(user: str, password: str) -> str:
    """Return the header that a user with this password sends."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def said(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a refusal in the form of the distribution-spec."""
    body = json.dumps({"errors": [{"code": code, "message": message, "detail": {}}]}).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})
