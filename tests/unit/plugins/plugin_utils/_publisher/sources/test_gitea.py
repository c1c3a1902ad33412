# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Gitea on loopback: pages, files, tokens, limits, private repositories."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import datetime, timezone

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import strangers, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.gitea import GiteaSource
from ansible_collections.pinned.release.tests.fakes.gitea import FakeFile, FakeGitea, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import STATIC, Controller
from hypothesis import given, settings
from hypothesis import strategies as st

TOOL = "owner/tool"
PRIVATE = {"private": frozenset({TOOL}), "tokens": frozenset({"good"})}
EXPIRED = "0123456789abcdef-expired"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the tokens, the proxies and the netrc of the machine, and wait for nobody."""
    for name in ("GITEA_TOKEN", "GITEA_HOST", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def source(gitea, token=None, cache_root=None, **options):
    return GiteaSource(Declaration("gitea", TOOL, {"api_url": gitea.api_url, **options}, token, cache_root))


def tags(*names):
    """Return the releases of a repository that has these tags."""
    return {TOOL: [FakeRelease(name) for name in names]}


def files(*given):
    """Return the releases of a repository that has one, with these files."""
    return {TOOL: [FakeRelease("v1.2.3", given)]}


def test_a_release_is_read_with_all_that_gitea_says():
    with FakeGitea(files(FakeFile("tool-linux.tar.gz", b"bytes"))) as gitea:
        [release] = source(gitea).releases()
    [found] = release.assets
    assert (release.version, release.is_prerelease, release.is_yanked) == ("1.2.3", False, False)
    assert release.published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    assert found.url == f"{gitea.web.url}/owner/tool/releases/download/v1.2.3/tool-linux.tar.gz"
    assert (found.name, found.size, found.digests, found.api_url) == ("tool-linux.tar.gz", 5, {}, None)


def test_every_page_is_read_in_giteas_order():
    with FakeGitea(tags(*(f"v1.{number}" for number in range(120, 0, -1)))) as gitea:
        found = source(gitea).releases()
    assert [release.version for release in found] == [f"1.{number}" for number in range(120, 0, -1)]
    assert len(gitea.web.questions) == 3


def test_a_page_that_fails_once_is_asked_for_again():
    faults = {2: [Answer(503, b"Service Unavailable")]}
    with FakeGitea(tags(*(f"v1.{number}" for number in range(120))), faults=faults) as gitea:
        assert len(source(gitea).releases()) == 120


@pytest.mark.parametrize(
    "fault",
    [
        Answer(500, b'{"message":"database is locked"}'),
        Answer(200, b'[{"tag_name": "v1', {}, length=5000),
        Answer(200, b"<html>"),
        Answer(404, b'{"message":"The target couldn\'t be found."}'),
    ],
)
def test_a_page_in_the_middle_that_stays_broken_fails_the_whole_list(fault):
    with FakeGitea(tags(*(f"v1.{number}" for number in range(120))), faults={2: [fault] * 10}) as gitea:
        with pytest.raises(ReleaseError):
            source(gitea).releases()
        assert {question.query.get("page") for question in gitea.web.questions} == {None, "2"}


def test_a_list_that_cannot_be_asked_about_again_is_read_again(tmp_path):
    with FakeGitea(tags("v1.0")) as gitea:
        source(gitea, cache_root=tmp_path).releases()
        gitea.releases = tags("v1.1", "v1.0")
        assert [release.version for release in source(gitea, cache_root=tmp_path).releases()] == ["1.1", "1.0"]


def test_drafts_are_left_out_and_releases_before_the_release_are_marked():
    releases = [
        FakeRelease("v4.0", is_draft=True),
        FakeRelease("v3.0", is_prerelease=True),
        FakeRelease("v2.0-rc.1"),
        FakeRelease("v1.0"),
    ]
    with FakeGitea({TOOL: releases}) as gitea:
        found = source(gitea).releases()
    assert [(release.version, release.is_prerelease) for release in found] == [
        ("3.0", True),
        ("2.0-rc.1", True),
        ("1.0", False),
    ]


def test_a_file_uploaded_later_makes_the_release_younger():
    with FakeGitea(files(FakeFile("tool", created_at="2024-06-01T02:00:00+02:00"))) as gitea:
        [release] = source(gitea).releases()
    assert release.published == datetime(2024, 6, 1, tzinfo=timezone.utc)


def test_several_products_ask_for_a_pattern_which_settles_it():
    with FakeGitea(tags("cli/v2.0", "lsp/v1.0", "cli/v1.9")) as gitea:
        with pytest.raises(ReleaseError, match="several products"):
            source(gitea).releases()
        found = source(gitea, tag="cli/v{version}").releases()
    assert [release.version for release in found] == ["2.0", "1.9"]


def test_a_file_that_lies_elsewhere_is_fetched_there_without_the_token_and_may_have_any_size(tmp_path):
    with (
        Web(lambda question: Answer(200, b"elsewhere")) as elsewhere,
        FakeGitea(files(FakeFile("tool", url=elsewhere.url + "/tool")), **PRIVATE) as gitea,
    ):
        asked = source(gitea, token="good")
        [asset] = asked.releases()[0].assets
        found = Cache(tmp_path).fetch(asset, asked.session)
    assert found.path.read_bytes() == b"elsewhere"
    assert [question.headers["Authorization"] for question in elsewhere.questions] == [None]


def test_the_server_is_given_the_token_but_not_the_storage_that_it_redirects_to(tmp_path):
    with FakeGitea(files(FakeFile("tool", b"private")), **PRIVATE) as gitea:
        asked = source(gitea, token="good")
        [release] = asked.releases()
        found = Cache(tmp_path).fetch(release.assets[0], asked.session)
    assert found.path.read_bytes() == b"private"
    assert {question.headers["Authorization"] for question in gitea.web.questions} == {"token good"}
    assert [question.headers["Authorization"] for question in gitea.storage.questions] == [None]


def test_a_tool_is_locked_from_gitea_with_the_digest_in_its_sidecar(tmp_path):
    name = "tool-1.2.3-linux-x86_64"
    sidecar = f"{hashlib.sha256(STATIC).hexdigest()}  {name}\n".encode()
    with FakeGitea(files(FakeFile(name, STATIC), FakeFile(f"{name}.sha256", sidecar)), **PRIVATE) as gitea:
        text = f"""
            platforms: [linux/x86_64]
            tools: {{tool: {{source: {{gitea: {TOOL}, api_url: "{gitea.api_url}", tag: "v{{version}}"}}}}}}
        """
        resolution = Controller(source(gitea, token="good"), tmp_path).resolve_text(text)
    [asset] = resolution.lock.tools["tool"].assets
    assert asset.url == f"{gitea.web.url}/{TOOL}/releases/download/v1.2.3/{name}"
    assert [claim.origin.rpartition("/")[2] for claim in asset.evidence.claims] == [f"{name}.sha256"]
    assert asset.private_url == asset.url
    [note] = resolution.outcomes["tool"].notes
    assert note.startswith(f"{name} is private (")
    assert note.endswith(
        "Hosts have no credentials, so the controller downloads what they need with its own, and sends it to them"
    )


@pytest.mark.parametrize(
    ("hidden", "is_private"),
    [({}, False), ({"private": frozenset({TOOL})}, True), ({"internal": frozenset({TOOL})}, True)],
)
def test_strangers_may_read_public_repositories_only(hidden, is_private):
    with FakeGitea(files(FakeFile("tool", b"program")), tokens=frozenset({"good"}), **hidden) as gitea:
        asked = source(gitea, token="good")
        [asset] = asked.releases()[0].assets
        assert strangers.are_refused(asked.session, asset, len(b"program")) is is_private


def test_a_private_repository_needs_a_token():
    with (
        FakeGitea(tags("v1.0"), **PRIVATE) as gitea,
        pytest.raises(ReleaseError, match="does not exist or is private") as failure,
    ):
        source(gitea).releases()
    assert "GITEA_TOKEN with the server's name in GITEA_HOST" in failure.value.fix
    with pytest.raises(ReleaseError, match="may not read it"), FakeGitea({}, tokens=frozenset({"good"})) as gitea:
        source(gitea, token="good").releases()


def test_an_expired_token_is_said_and_a_public_repository_read_without_it(caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("GITEA_HOST", "127.0.0.1")
    monkeypatch.setenv("GITEA_TOKEN", EXPIRED)
    with FakeGitea(files(FakeFile("tool", b"public"))) as gitea:
        asked = source(gitea)
        [release] = asked.releases()
        assert Cache(tmp_path).fetch(release.assets[0], asked.session).path.read_bytes() == b"public"
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"the token in GITEA_TOKEN is not accepted by {gitea.api_url}")
    assert EXPIRED not in caplog.text
    sent = [question.headers["Authorization"] for question in gitea.web.questions]
    assert sent == [f"token {EXPIRED}", None, None]


def test_an_expired_token_at_a_private_repository_is_an_error_that_names_it():
    with FakeGitea(tags("v1.0"), **PRIVATE) as gitea, pytest.raises(ReleaseError, match="not accepted") as failure:
        source(gitea, token=EXPIRED).releases()
    assert "the option token" in failure.value.what
    assert EXPIRED not in str(failure.value)


def test_a_token_that_may_not_read_repositories_is_refused_in_giteas_words():
    with FakeGitea(tags("v1.0"), narrow=frozenset({"narrow"})) as gitea, pytest.raises(ReleaseError) as failure:
        source(gitea, token="narrow").releases()
    assert "403" in failure.value.found
    assert "required scope(s): [read:repository]" in failure.value.found
    assert "the option token" in failure.value.fix


def test_a_rate_limit_is_waited_for_or_explained(monkeypatch):
    waited = []
    with FakeGitea(tags("v1.0"), retry_after="7") as gitea:

        def pause(seconds):
            waited.append(seconds)
            gitea.retry_after = None

        monkeypatch.setattr(transport.time, "sleep", pause)
        assert len(source(gitea).releases()) == 1
        gitea.retry_after = "900"
        with pytest.raises(ReleaseError, match="was not served") as failure:
            source(gitea).releases()
    assert waited == [7]
    assert "429" in failure.value.found
    assert "Retry-After: 900" in failure.value.fix


@pytest.mark.parametrize(
    ("host", "api_url", "expected"),
    [
        (None, None, "token a"),
        (None, "https://git.example.org/api/v1", None),
        ("git.example.org", None, None),
        ("git.example.org", "https://git.example.org/api/v1", "token a"),
        ("git.example.org", "https://git.example.net/api/v1", None),
    ],
)
def test_the_environments_token_goes_to_the_one_server_that_it_is_for(monkeypatch, host, api_url, expected):
    monkeypatch.setenv("GITEA_TOKEN", "a")
    if host is not None:
        monkeypatch.setenv("GITEA_HOST", host)
    made = GiteaSource(Declaration("gitea", TOOL, {"api_url": api_url} if api_url else {}))
    url = (api_url or "https://codeberg.org/api/v1") + "/repos"
    request = made.session.prepare_request(transport.requests.Request("GET", url))
    assert request.headers.get("Authorization") == expected


def test_a_token_never_travels_unencrypted():
    with pytest.raises(ReleaseError, match="without encryption"):
        GiteaSource(Declaration("gitea", TOOL, {"api_url": "http://git.example.org/api/v1"}, token="secret"))


@pytest.mark.parametrize("name", ["tool", "owner/", "owner/tool/extra", "owner/..", "https://codeberg.org/a/b", ""])
def test_what_is_no_repository_is_refused_before_asking(name):
    with pytest.raises(ReleaseError, match="is not valid") as failure:
        GiteaSource(Declaration("gitea", name))
    assert "owner/repository" in failure.value.expected


def test_the_address_of_giteas_pages_is_no_api():
    with pytest.raises(ReleaseError, match="not the address of a Gitea API") as failure:
        GiteaSource(Declaration("gitea", TOOL, {"api_url": "https://git.example.org"}))
    assert "/api/v1" in failure.value.expected


def answering(body, headers=None):
    """Ask a server that answers so."""
    with Web(lambda question: Answer(200, body, headers or {})) as web:
        return GiteaSource(Declaration("gitea", TOOL, {"api_url": web.url + "/api/v1"})).releases()


def test_a_list_that_continues_on_another_server_is_refused():
    with pytest.raises(ReleaseError, match="another server"):
        answering(b"[]", {"Link": '<https://elsewhere.example.org/api/v1/2>; rel="next"'})


MOMENT = "2024-05-06T07:08:09Z"
FILE = {"name": "tool", "size": 1, "created_at": MOMENT, "browser_download_url": "https://x.example.org/tool"}
ITEM = {"tag_name": "v1.0", "draft": False, "prerelease": False, "published_at": MOMENT, "assets": [FILE]}


def test_gitea_does_not_say_the_type_of_a_file_and_a_name_that_is_no_file_name_is_left_out():
    [release] = answering(json.dumps([{**ITEM, "assets": [FILE, {**FILE, "name": "../../etc/passwd"}]}]).encode())
    assert [(asset.name, asset.size) for asset in release.assets] == [("tool", 1)]


def test_a_release_without_files_has_no_assets():
    [release] = answering(json.dumps([{**ITEM, "assets": None}]).encode())
    assert release.assets == ()


@pytest.mark.parametrize(
    "item",
    [
        "x",
        {},
        {**ITEM, "tag_name": 5},
        {**ITEM, "published_at": "yesterday"},
        {**ITEM, "published_at": None},
        {**ITEM, "assets": [{**FILE, "browser_download_url": "file:///etc/passwd"}]},
        {**ITEM, "assets": [{**FILE, "size": "big"}]},
        {**ITEM, "assets": 5},
    ],
)
def test_a_list_that_is_not_giteas_is_one_clear_error(item):
    with pytest.raises(ReleaseError):
        answering(json.dumps([item]).encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(MOMENT) | st.just("http://["),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ITEM, *FILE, "type"]), inner, max_size=5)
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(json_values, json_values)
def test_no_answer_raises_anything_but_the_one_error(content, given_files):
    for body in (content, [content], [{**ITEM, "assets": [given_files]}]):
        with contextlib.suppress(ReleaseError):
            answering(json.dumps(body).encode())
