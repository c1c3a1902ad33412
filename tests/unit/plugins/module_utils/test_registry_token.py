# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host gets a public blob from a registry that gives anybody a token: challenges, and downloads on loopback."""

import hashlib
import json
import os

import pytest
from ansible_collections.pinned.release.plugins.module_utils.download import download
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.registry_token import (
    ANSWER_LIMIT_BYTES,
    service_of_blob,
    token_in,
    token_service,
)
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.web_servers import Server, publish, redirect
from hypothesis import given
from hypothesis import strategies as st

DATA = b"program" * 5000
SHA256 = hashlib.sha256(DATA).hexdigest()
PATH = "/v2/org/tool/blobs/sha256:" + SHA256
BLOB = "https://registry.example.org" + PATH


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the proxies of the machine."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def registry():
    with Server() as running:
        running.answers[PATH] = guarded(running)
        running.answers["/token"] = publish(json.dumps({"token": "for-anybody"}).encode())
        yield running


@pytest.fixture
def storage():
    with Server() as running:
        running.answers["/bytes"] = publish(DATA)
        yield running


def guarded(registry, serve=None):
    """Answer as a registry: whoever has no token is told where to get one."""

    def answer(handler):
        if handler.headers.get("Authorization") == "Bearer for-anybody":
            (serve or publish(DATA))(handler)
            return
        realm = registry.url("/token")
        challenge = 'Bearer realm="{0}",service="r",scope="repository:org/tool:pull,push"'.format(realm)
        handler.reply(401, {"WWW-Authenticate": challenge, "Content-Length": "0"})

    return answer


def fetched(registry, folder, path=PATH):
    target = str(folder / "asset")
    download(registry.url(path), target, SHA256, len(DATA))
    with open(target, "rb") as file:
        return file.read()


def asked(server):
    return [(path, {key.lower(): value for key, value in headers.items()}) for path, headers in server.requests]


def test_a_public_blob_is_read_with_the_token_that_anybody_gets(registry, tmp_path):
    assert fetched(registry, tmp_path) == DATA
    (first, without), (service, anonymous), (second, with_token) = asked(registry)
    assert (first, second) == (PATH, PATH)
    assert service == "/token?service=r&scope=repository%3Aorg%2Ftool%3Apull"
    assert "authorization" not in without
    assert "authorization" not in anonymous
    assert with_token["authorization"] == "Bearer for-anybody"


def test_the_token_stays_with_the_registry_when_the_bytes_lie_elsewhere(registry, storage, tmp_path):
    registry.answers[PATH] = guarded(registry, redirect(storage.url("/bytes")))
    assert fetched(registry, tmp_path) == DATA
    [(_path, headers)] = asked(storage)
    assert "authorization" not in headers


def test_a_server_that_is_redirected_to_is_given_no_token_of_its_own(registry, storage, tmp_path):
    registry.answers["/mirror"] = redirect(storage.url(PATH))
    storage.answers[PATH] = guarded(registry)
    with pytest.raises(ReleaseError, match="cannot download"):
        fetched(registry, tmp_path, "/mirror")
    assert [path for path, _headers in registry.requests] == ["/mirror"]


def test_only_the_address_of_a_blob_leads_to_a_token_service(registry, tmp_path):
    registry.answers["/asset"] = guarded(registry)
    with pytest.raises(ReleaseError, match="cannot download"):
        fetched(registry, tmp_path, "/asset")
    assert [path for path, _headers in registry.requests] == ["/asset"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (publish(b'{"token": ""}'), "gives no token"),
        (publish(b"[" * 100000), "gives no token"),
        (publish(b" " * (ANSWER_LIMIT_BYTES + 5)), "gives no token"),
        (lambda handler: handler.reply(403, {"Content-Length": "0"}), "403 Forbidden"),
    ],
)
def test_a_service_that_gives_no_token_is_one_clear_error(registry, tmp_path, answer, words):
    registry.answers["/token"] = answer
    with pytest.raises(ReleaseError, match=words):
        fetched(registry, tmp_path)


@pytest.mark.parametrize("host", ["a\x9b2Jb", "a b", "a\x7f"])
def test_a_service_at_no_address_is_one_clear_error_that_steers_no_terminal(registry, tmp_path, host):
    challenge = 'Bearer realm="http://{0}/token"'.format(host)
    registry.answers[PATH] = lambda handler: handler.reply(401, {"WWW-Authenticate": challenge, "Content-Length": "0"})
    with pytest.raises(ReleaseError, match=r"is no URL to download from|no address for|cannot download") as failure:
        fetched(registry, tmp_path)
    assert str(failure.value).replace("\n", "").isprintable()


def test_a_token_that_is_not_accepted_ends_the_download(registry, tmp_path):
    registry.answers["/token"] = publish(b'{"access_token": "another"}')
    with pytest.raises(ReleaseError, match="cannot download"):
        fetched(registry, tmp_path)
    assert len(registry.requests) == 3


# As GitHub's, Docker's and GitLab's registries challenge (from their documentation), and variants of RFC 9110.
@pytest.mark.parametrize(
    ("challenge", "service"),
    [
        (
            'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"',
            "https://ghcr.io/token?service=ghcr.io&scope=repository%3Aorg%2Ftool%3Apull",
        ),
        (
            'bearer  realm = "https://a.example.org/jwt/auth?x=1" , service=registry',
            "https://a.example.org/jwt/auth?x=1&service=registry&scope=repository%3Aorg%2Ftool%3Apull",
        ),
        (
            'Basic realm="x", Bearer realm="https://a.example.org/t", error="invalid_token"',
            "https://a.example.org/t?scope=repository%3Aorg%2Ftool%3Apull",
        ),
        ('Basic realm="https://a.example.org/t"', ""),
        ('Bearer realm="http://a.example.org/t"', ""),
        ('Bearer realm="file:///etc/passwd"', ""),
        ('Bearer realm="https://user:word@a.example.org/t"', ""),
        ('Bearer realm="https://[::1/t"', ""),
        ('Bearer realm="https://a.example.org:0/t"', ""),
        ('Bearer scope="repository:org/tool:pull"', ""),
        ("Bearer", ""),
        ("", ""),
    ],
)
def test_a_challenge_says_where_to_ask_and_no_more_than_to_read_is_asked_for(challenge, service):
    assert service_of_blob(BLOB, challenge) == service


def test_a_registry_without_tls_may_have_a_service_without_tls():
    assert token_service("http://r.example.org/v2/a/tags/list", 'Bearer realm="http://r.example.org/t"', "a")


@given(st.text())
def test_no_challenge_raises(text):
    for challenge in (text, "Bearer " + text, 'Bearer realm="https://{0}"'.format(text), 'Bearer realm="' + text):
        assert isinstance(service_of_blob(BLOB, challenge), str)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_no_answer_of_a_service_raises(body):
    assert token_in(body) == ""


def test_a_token_is_visible_ascii():
    assert token_in(b'{"token": "a.b-c"}') == "a.b-c"
    assert token_in(b'{"token": null, "access_token": "x"}') == "x"
    assert token_in(b'{"token": "a\\r\\nb"}') == token_in(b'{"token": 5}') == ""
