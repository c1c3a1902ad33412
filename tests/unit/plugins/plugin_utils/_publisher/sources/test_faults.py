# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a publisher of any kind answers in place of a listing, first or in the middle of it: one clear error, never
a part of the list; and whoever it leads to is told no secret."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import KINDS, npmrc, open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.tests.fakes.registry import MANIFEST, TITLE, digest, document
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web, loopback_tls

MOMENT = "2024-05-06T07:08:09Z"
SHA256 = "a" * 64
LAYER = {"mediaType": "x", "digest": digest(b""), "size": 0, "annotations": {TITLE: "tool"}}
LINUX = {"os": ["linux"], "cpu": ["x64"], "dist": {"tarball": "https://x.example.org/t.tgz"}}
HTML = {"Content-Type": "text/html"}
SIMPLE = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
WHEEL = {"filename": "tool-1.0-py3-none-any.whl", "url": "tool-1.0-py3-none-any.whl", "hashes": {"sha256": SHA256}}


@dataclass(frozen=True)
class Publisher:
    """A publisher of one kind.

    source   how a manifest names it; ``URL`` stands for its server. A source that it names for its versions is one, too
    answers  what it answers to each path, the listing first; ``?2`` after a path stands for its second page
    token    whether it takes the option ``token``; else the password is in netrc
    """

    source: Mapping[str, str | Mapping[str, str]]
    answers: Mapping[str, Answer]
    token: bool = False

    @property
    def middle(self) -> str | None:
        """Return the path of what is asked for after the beginning, None if there is no more."""
        return next(iter([*self.answers][1:]), None)


def answer(content: object, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(200, content if isinstance(content, bytes) else json.dumps(content).encode(), headers or {})


def two_pages(path: str, item: Mapping[str, object]) -> dict[str, Answer]:
    """Return a forge's list of two releases on two pages."""
    first = answer([{**item, "tag_name": "v1.0"}], {"Link": f'<URL{path}?page=2>; rel="next"'})
    return {path: first, f"{path}?2": answer([{**item, "tag_name": "v0.9"}])}


GITHUB_ITEM = {"draft": False, "prerelease": False, "published_at": MOMENT, "assets": []}
GITLAB_ITEM = {"created_at": MOMENT, "released_at": MOMENT, "assets": {"links": []}}
PUBLISHERS = {
    "directory": Publisher(
        {"directory": "URL/{version}/"},
        {
            "/": answer(b'<a href="1.0/">1.0/</a>', HTML),
            "/1.0/": answer(b'<a href="SHA256SUMS">SHA256SUMS</a><a href="tool">tool</a>', HTML),
            "/1.0/SHA256SUMS": answer(f"{SHA256}  tool\n".encode()),
        },
    ),
    "gitea": Publisher(
        {"gitea": "o/tool", "api_url": "URL/api/v1"},
        two_pages("/api/v1/repos/o/tool/releases", GITHUB_ITEM),
        token=True,
    ),
    "github": Publisher(
        {"github": "o/tool", "api_url": "URL"}, two_pages("/repos/o/tool/releases", GITHUB_ITEM), token=True
    ),
    "gitlab": Publisher(
        {"gitlab": "o/tool", "api_url": "URL/api/v4"},
        two_pages("/api/v4/projects/o%2Ftool/releases", GITLAB_ITEM),
        token=True,
    ),
    "http": Publisher(
        {"http": "URL/{version}/tool", "versions": {"index": "URL/index.json", "releases": "@"}},
        {
            "/index.json": answer([{"version": "1.0"}]),
            "/1.0/tool.sha256": answer(SHA256.encode()),
        },
    ),
    "index": Publisher(
        {"index": "URL/index.json", "releases": "@"},
        {
            "/index.json": answer([{"version": "1.0", "sums": "SHA256SUMS"}]),
            "/SHA256SUMS": answer(f"{SHA256}  tool\n".encode()),
        },
    ),
    "npm": Publisher(
        {"npm": "tool", "registry": "URL"},
        {
            "/tool": answer({"versions": {"1.0.0": {"optionalDependencies": {"tool-linux": "1.0.0"}}}}),
            "/tool-linux": answer({"versions": {"1.0.0": LINUX}}),
        },
    ),
    "oci": Publisher(
        {"oci": "URL/org/tool"},
        {
            "/v2/org/tool/tags/list": answer({"tags": ["1.0"]}),
            "/v2/org/tool/manifests/1.0": answer(document(MANIFEST, {"config": {}, "layers": [LAYER]})),
        },
    ),
    "pypi": Publisher(
        {"pypi": "tool", "index": "URL/simple/"},
        {"/simple/tool/": answer({"meta": {"api-version": "1.0"}, "name": "tool", "files": [WHEEL]}, SIMPLE)},
    ),
}


def without_end() -> Iterator[bytes]:
    """Yield spaces for ever, which JSON and HTML allow anywhere."""
    return itertools.repeat(b" " * 65536)


REFUSALS = {
    "401": Answer(401, b"{}"),
    "403": Answer(403, b"{}"),
    "422": Answer(422, b'{"message": "Validation Failed"}'),
    "429": Answer(429, b"Retry later", {"Retry-After": "900"}),
    "500": Answer(500, b"{}"),
    "503": Answer(503, b"down for maintenance"),
}
BROKEN = {
    "not modified, though nobody asked": Answer(304),
    "a part, though nobody asked": Answer(206, b"[]", {"Content-Range": "bytes 0-1/5000"}),
    "nothing": Answer(200),
    "broken off": Answer(200, b'[{"tag_name": ', {}, length=5000),
    "damaged": Answer(200, b"no gzip", {"Content-Encoding": "gzip"}),
    "without end": Answer(200, b""),  # see served()
    "to itself": Answer(302, b"", {"Location": "?"}),
    "to a file": Answer(302, b"", {"Location": "file:///etc/passwd"}),
}
FAULTS = {**REFUSALS, **BROKEN, "404": Answer(404)}
#: What is no fault there: storage services say so of what they do not have, and a registry of npm may lack packages.
NO_FAULTS = {
    "directory": ("403", "404", "nothing"),
    # Then the file itself is asked for, and what is no sidecar states no digest: test_http.py
    "http": ("nothing",),
    "index": ("403", "404", "nothing"),
    "npm": ("404",),
}
IN_THE_MIDDLE = [
    (kind, fault)
    for kind in PUBLISHERS
    for fault in FAULTS
    if PUBLISHERS[kind].middle and fault not in NO_FAULTS.get(kind, ())
]


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Run without the credentials, configurations and proxies of the machine, and wait for nobody."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(npmrc, "MACHINE_FILES", ())
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(transport, "LISTING_LIMIT_BYTES", 1024 * 1024)


class Server:
    """Answers as a publisher does, except for the paths in *instead*; *etags* makes it answer 304 where it can."""

    def __init__(self, kind: str, etags: bool = False) -> None:
        self.publisher = PUBLISHERS[kind]
        self.instead: dict[str, Answer] = {}
        self.etags = etags
        self.web = Web(self.served)

    def served(self, question: Question) -> Answer:
        path = question.path + ("?2" if "page" in question.query else "")
        found = self.instead.get(path) or self.publisher.answers.get(path, Answer(404))
        if found is BROKEN["without end"]:
            return replace(found, body=without_end())
        headers = {name: value.replace("URL", self.web.url) for name, value in found.headers.items()}
        etag = f'"{hashlib.sha256(repr(found.body).encode()).hexdigest()}"'
        if self.etags and found.status == 200:
            headers["ETag"] = etag
            if question.headers["If-None-Match"] == etag:
                return Answer(304, b"", headers)
        return replace(found, headers=headers)

    def releases(self, cache_root=None, token=None):
        given = json.loads(json.dumps(self.publisher.source).replace("URL", self.web.url))
        platforms = (parse_platform("linux/x86_64"),)
        told = token if self.publisher.token else None
        source = open_source(given, cache_root=cache_root, token=told, platforms=platforms)
        return [release.completed() for release in source.releases()]


def test_every_kind_is_in_the_table():
    assert set(PUBLISHERS) == set(KINDS)


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_a_good_publisher_is_read_from_beginning_to_end(kind):
    server = Server(kind)
    with server.web:
        assert server.releases()[0].version.startswith("1.0")
    assert len(server.web.questions) >= len(server.publisher.answers)


@pytest.mark.parametrize("fault", REFUSALS)
@pytest.mark.parametrize("kind", PUBLISHERS)
def test_a_refusal_is_told_with_its_status(kind, fault):
    server = Server(kind)
    with server.web:
        server.instead = dict.fromkeys(server.publisher.answers, REFUSALS[fault])
        with pytest.raises(ReleaseError) as failure:
            server.releases()
    # Storage services answer 403 to who asks for a list of files.
    assert fault in str(failure.value) or (kind, fault) == ("directory", "403")


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_a_used_up_rate_limit_is_told_as_such(kind):
    limited = Answer(403, b"{}", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1", "X-RateLimit-Limit": "60"})
    server = Server(kind)
    with server.web:
        server.instead = dict.fromkeys(server.publisher.answers, limited)
        with pytest.raises(ReleaseError, match=r"rate limit is used up|no sums file|not show which versions"):
            server.releases()


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_what_is_not_there_is_told(kind):
    server = Server(kind)
    with server.web:
        server.instead = dict.fromkeys(server.publisher.answers, Answer(404))
        with pytest.raises(ReleaseError, match=r"does not exist|not show which versions|was not served"):
            server.releases()


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("kind", PUBLISHERS)
def test_what_is_no_listing_is_one_clear_error(kind, fault):
    server = Server(kind)
    with server.web:
        server.instead = dict.fromkeys(server.publisher.answers, BROKEN[fault])
        with pytest.raises(ReleaseError):
            server.releases()


@pytest.mark.parametrize(("kind", "fault"), IN_THE_MIDDLE)
def test_a_fault_in_the_middle_fails_the_whole_list(kind, fault):
    server = Server(kind)
    with server.web:
        server.instead = {server.publisher.middle: FAULTS[fault]}
        with pytest.raises(ReleaseError):
            server.releases()


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_what_did_not_change_is_not_sent_again(kind, tmp_path):
    server = Server(kind, etags=True)
    with server.web:
        first = server.releases(tmp_path)
        asked = len(server.web.questions)
        assert server.releases(tmp_path) == first
    assert all(question.headers["If-None-Match"] for question in server.web.questions[asked:])


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_who_a_publisher_redirects_to_is_told_no_secret(kind, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    if not PUBLISHERS[kind].token:
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server, other = Server(kind), Server(kind)
    path = next(iter(server.publisher.answers))
    with server.web, other.web:
        elsewhere = other.web.url.replace("127.0.0.1", "localhost")
        server.instead = {path: Answer(302, b"", {"Location": elsewhere + path})}
        with contextlib.suppress(ReleaseError):
            server.releases(token="hunter2")
    assert other.web.questions
    assert {question.headers["Authorization"] for question in other.web.questions} == {None}
    # A registry is told a password only when it asks: test_oci_access.py
    assert server.web.questions[0].headers["Authorization"] or kind == "oci"


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_a_server_with_a_certificate_of_nobody_is_not_asked(kind, tmp_path):
    context, _certificate = loopback_tls(tmp_path)
    server = Server(kind)
    server.web = Web(server.served, context)
    with server.web, pytest.raises(ReleaseError, match="could not be trusted"):
        server.releases()
    assert server.web.questions == []
