# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GitHub on loopback: pages, tokens, limits, private repositories, several products."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from datetime import datetime, timezone

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import strangers, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.github import GithubSource
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = "GITHUB_TOKEN GH_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GITHUB_API_URL GH_HOST HTTP_PROXY http_proxy"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the tokens, the proxies and the netrc of the machine."""
    for name in NAMES.split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


def source(github, token=None, cache_root=None, name="owner/tool", **options):
    return GithubSource(Declaration("github", name, {"api_url": github.api_url, **options}, token, cache_root))


def tags(*names):
    """Return the releases of a repository that has these tags."""
    return {"owner/tool": [FakeRelease(name) for name in names]}


def test_a_release_is_read_with_all_that_github_says():
    asset = FakeAsset("tool-linux.tar.gz", b"bytes")
    with FakeGithub({"owner/tool": [FakeRelease("v1.2.3", [asset])]}) as github:
        [release] = source(github).releases()
        [found] = release.assets
    assert (release.version, release.is_prerelease, release.is_yanked) == ("1.2.3", False, False)
    assert release.published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    assert found.url == f"{github.web.url}/owner/tool/releases/download/v1.2.3/tool-linux.tar.gz"
    assert (found.name, found.size, found.api_url) == ("tool-linux.tar.gz", 5, None)
    assert found.digests == {"sha256": hashlib.sha256(b"bytes").hexdigest()}


def test_every_page_is_read_in_githubs_order():
    with FakeGithub(tags(*(f"v1.{number}" for number in range(250, 0, -1)))) as github:
        found = source(github).releases()
    assert [release.version for release in found] == [f"1.{number}" for number in range(250, 0, -1)]
    assert len(github.web.questions) == 3


def test_an_unchanged_list_costs_no_rate_limit(tmp_path):
    with FakeGithub(tags(*(f"v1.{number}" for number in range(150)))) as github:
        first = source(github, cache_root=tmp_path).releases()
        left = github.remaining
        assert source(github, cache_root=tmp_path).releases() == first
        assert github.remaining == left == 58


def test_a_new_release_is_seen_at_once(tmp_path):
    with FakeGithub(tags("v1.0")) as github:
        source(github, cache_root=tmp_path).releases()
        github.releases = tags("v1.1", "v1.0")
        assert [release.version for release in source(github, cache_root=tmp_path).releases()] == ["1.1", "1.0"]


def test_drafts_and_unfinished_uploads_are_left_out():
    assets = [FakeAsset("done", b""), FakeAsset("half", b"", state="starter")]
    releases = [FakeRelease("v2.0", is_draft=True), FakeRelease("v1.0", assets)]
    with FakeGithub({"owner/tool": releases}) as github:
        [release] = source(github).releases()
    assert [asset.name for asset in release.assets] == ["done"]


def test_releases_before_the_release_are_marked_by_flag_or_by_version():
    releases = [FakeRelease("v3.0", is_prerelease=True), FakeRelease("v2.0-rc.1"), FakeRelease("v1.0")]
    with FakeGithub({"owner/tool": releases}) as github:
        assert [release.is_prerelease for release in source(github).releases()] == [True, True, False]


def test_an_asset_uploaded_later_makes_the_release_younger():
    asset = FakeAsset("tool", b"", created_at="2024-06-01T00:00:00Z")
    with FakeGithub({"owner/tool": [FakeRelease("v1.0", [asset])]}) as github:
        [release] = source(github).releases()
    assert release.published == datetime(2024, 6, 1, tzinfo=timezone.utc)


def test_an_asset_without_a_digest_has_none():
    with FakeGithub({"owner/tool": [FakeRelease("v1.0", [FakeAsset("tool", b"", has_digest=False)])]}) as github:
        [release] = source(github).releases()
    assert release.assets[0].digests == {}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["v1.1", "1.0"], ["1.1", "1.0"]),
        (["tool-2.0", "release-1.0"], ["2.0", "1.0"]),
        (["helm-chart-9.0", "v1.0"], ["1.0"]),
        (["@owner/tool@2.0.0", "@owner/other@5.0.0", "cli/v1.9"], ["2.0.0"]),
        (["cli/v1.0"], ["1.0"]),
        (["nightly", "v1.0"], ["1.0"]),
        ([], []),
    ],
)
def test_tags_mean_versions_of_the_repositorys_one_product(names, expected):
    with FakeGithub(tags(*names)) as github:
        assert [release.version for release in source(github).releases()] == expected


def test_several_products_ask_for_a_pattern_which_settles_it():
    with FakeGithub(tags("cli/v2.0", "lsp/v1.0", "cli/v1.9")) as github:
        with pytest.raises(ReleaseError, match="several products") as failure:
            source(github).releases()
        assert "tag: cli/v{version}" in failure.value.fix
        found = source(github, tag="cli/v{version}").releases()
    assert [release.version for release in found] == ["2.0", "1.9"]


def test_tags_without_versions_and_patterns_without_tags_are_explained():
    with FakeGithub(tags("nightly", "tip")) as github:
        with pytest.raises(ReleaseError, match="no tag that names a version") as failure:
            source(github).releases()
        assert "nightly, tip" in failure.value.found
        with pytest.raises(ReleaseError, match="no tag of the pattern"):
            source(github, tag="v{version}").releases()


def test_a_private_repository_needs_a_token_and_its_assets_come_through_the_api():
    releases = {"owner/tool": [FakeRelease("v1.0", [FakeAsset("tool", b"private")])]}
    with FakeGithub(releases, private=frozenset({"owner/tool"}), tokens=frozenset({"good"})) as github:
        with pytest.raises(ReleaseError, match="does not exist or is private") as failure:
            source(github).releases()
        assert "give a token" in failure.value.fix
        assert "check owner/repository and api_url, such as https://ghe.example.org/api/v3" in failure.value.fix

        asked = source(github, token="good")
        [release] = asked.releases()
        [asset] = release.assets
        response = asked.session.get(asset.api_url, headers={"Accept": "application/octet-stream"})
        assert strangers.are_refused(asked.session, asset, len(b"private"))
    assert response.content == b"private"
    assert github.storage.questions[0].headers["Authorization"] is None


def test_whether_strangers_are_refused_is_asked_only_with_a_token():
    releases = {"owner/tool": [FakeRelease("v1.0", [FakeAsset("tool", b"public")])]}
    with FakeGithub(releases, tokens=frozenset({"good"})) as github:
        for token in ("good", None):
            of_source = source(github, token=token)
            [release] = of_source.releases()
            asked = len(github.web.questions)
            assert not strangers.are_refused(of_source.session, release.assets[0], len(b"public"))
            assert len(github.web.questions) == asked + bool(token)


EXPIRED = "ghp_expired"


def test_an_expired_token_is_said_and_a_public_repository_read_without_it(caplog, tmp_path, monkeypatch):
    monkeypatch.setenv("GH_HOST", "127.0.0.1")
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", EXPIRED)
    with FakeGithub({"owner/tool": [FakeRelease("v1.0", [FakeAsset("tool", b"public")])]}) as github:
        asked = source(github)
        [release] = asked.releases()
        found = Cache(tmp_path).fetch(release.assets[0], asked.session)
    assert found.path.read_bytes() == b"public"
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"the token in GH_ENTERPRISE_TOKEN is not accepted by {github.api_url}")
    assert EXPIRED not in caplog.text
    sent = [question.headers["Authorization"] for question in github.web.questions]
    assert sent == [f"Bearer {EXPIRED}", None, None]


@pytest.mark.parametrize(
    ("token", "environment", "named"),
    [
        (EXPIRED, {}, "the option token"),
        (None, {"GH_ENTERPRISE_TOKEN": EXPIRED}, "the token in GH_ENTERPRISE_TOKEN"),
        (None, {"GITHUB_ENTERPRISE_TOKEN": EXPIRED}, "the token in GITHUB_ENTERPRISE_TOKEN"),
        (None, {"GH_ENTERPRISE_TOKEN": " \n", "GITHUB_ENTERPRISE_TOKEN": EXPIRED}, "GITHUB_ENTERPRISE_TOKEN"),
    ],
)
def test_an_expired_token_at_a_private_repository_is_an_error_that_names_it(monkeypatch, token, environment, named):
    monkeypatch.setenv("GH_HOST", "127.0.0.1")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    private = {"private": frozenset({"owner/tool"})}
    with FakeGithub(tags("v1.0"), **private) as github, pytest.raises(ReleaseError, match="not accepted") as failure:
        source(github, token=token).releases()
    assert named in failure.value.what
    assert EXPIRED not in str(failure.value) + repr(source(github, token=token).session.auth)


def test_a_token_that_may_not_download_an_asset_is_named(tmp_path):
    releases = {"owner/tool": [FakeRelease("v1.0", [FakeAsset("tool", b"private")])]}
    with FakeGithub(releases, private=frozenset({"owner/tool"}), tokens=frozenset({"good"})) as github:
        asked = source(github, token="good")
        [release] = asked.releases()
        github.tokens = frozenset()
        with pytest.raises(ReleaseError, match="was not served") as failure:
            Cache(tmp_path).fetch(release.assets[0], asked.session)
    assert "the option token" in failure.value.fix


@pytest.mark.parametrize("around", ["\n", "\r\n", " ", "\t", "\ufeff", "\n\n"])
def test_white_space_around_a_token_is_dropped(around):
    with FakeGithub(tags("v1.0"), tokens=frozenset({"good%"})) as github:
        assert source(github, token=f"{around}good%{around}").releases()
    assert [question.headers["Authorization"] for question in github.web.questions] == ["Bearer good%"]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("ghp_first\nghp_second", "a line break"),
        ("ghp_first\r\nX-Evil: ghp_second", "a line break"),
        ("ghp_first ghp_second", "a space"),
        ("ghp_first\0ghp_second", "a control character"),
        ("ghp_first\N{EURO SIGN}ghp_second", "a character that is not ASCII"),
    ],
)
def test_a_token_that_no_header_can_hold_is_refused_by_name(token, kind):
    with FakeGithub(tags("v1.0")) as github, pytest.raises(ReleaseError) as failure:
        source(github, token=token)
    assert failure.value.what == f"the option token has {kind} in it, so it cannot be sent"
    assert "ghp_" not in str(failure.value)
    assert github.web.questions == []


def test_the_rate_limit_is_explained_with_its_end_in_local_time():
    reset = int(time.time()) + 1500
    with FakeGithub(tags("v1.0"), remaining=0, reset=reset) as github, pytest.raises(ReleaseError) as failure:
        source(github).releases()
    assert "rate limit is used up until " + time.strftime("%H:%M:%S", time.localtime(reset)) in failure.value.what
    assert "in about 25 min" in failure.value.what
    assert "60 requests an hour for this network address" in failure.value.found
    assert "give a token" in failure.value.fix


def test_a_rate_limit_that_ends_while_assets_are_fetched_is_explained_as_well(tmp_path):
    releases = {"owner/tool": [FakeRelease("v1.0", [FakeAsset("tool", b"bytes")])]}
    with FakeGithub(releases, frozenset(releases), frozenset({"good"}), remaining=1) as github:
        made = source(github, token="good")
        [asset] = made.releases()[0].assets
        with pytest.raises(ReleaseError, match="was not served") as failure:
            Cache(tmp_path).fetch(asset, made.session)
    assert "its rate limit is used up until" in failure.value.found
    assert failure.value.fix == "wait until then"


def test_an_asset_whose_tag_has_a_slash_is_fetched(tmp_path):
    with FakeGithub({"owner/tool": [FakeRelease("cli/v1.0", [FakeAsset("tool", b"bytes")])]}) as github:
        made = source(github, tag="cli/v{version}")
        [asset] = made.releases()[0].assets
        assert Cache(tmp_path).fetch(asset, made.session).path.read_bytes() == b"bytes"


def test_the_secondary_limit_is_waited_for_or_explained(monkeypatch):
    waited = []
    with FakeGithub(tags("v1.0"), retry_after="2") as github:

        def pause(seconds):
            waited.append(seconds)
            github.retry_after = None

        monkeypatch.setattr(transport.time, "sleep", pause)
        assert len(source(github).releases()) == 1
        github.retry_after = "900"
        with pytest.raises(ReleaseError, match="secondary rate limit") as failure:
            source(github).releases()
    assert waited == [2]
    assert "Retry-After: 900" in failure.value.fix


def test_an_unknown_repository_with_a_token_says_that_it_may_be_the_tokens_rights():
    with FakeGithub({}, tokens=frozenset({"good"})) as github, pytest.raises(ReleaseError, match="may not read it"):
        source(github, token="good").releases()


@pytest.mark.parametrize(
    ("environment", "api_url", "expected"),
    [
        ({"GITHUB_TOKEN": "a"}, None, "Bearer a"),
        ({"GH_TOKEN": "b"}, None, "Bearer b"),
        ({"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, None, "Bearer a"),
        ({"GITHUB_TOKEN": ""}, None, None),
        ({"GH_ENTERPRISE_TOKEN": "c"}, None, None),
        ({"GITHUB_TOKEN": "a"}, "https://elsewhere.example.org/api/v3", None),
        (
            {"GITHUB_TOKEN": "a", "GITHUB_API_URL": "https://ghe.example.org/api/v3"},
            "https://ghe.example.org/api/v3/",
            "Bearer a",
        ),
        ({"GH_ENTERPRISE_TOKEN": "c", "GH_HOST": "ghe.example.org"}, "https://ghe.example.org/api/v3", "Bearer c"),
        ({"GH_ENTERPRISE_TOKEN": "c", "GH_HOST": "ghe.example.org"}, "https://elsewhere.example.org/api/v3", None),
    ],
)
def test_the_environments_token_goes_to_the_server_it_is_meant_for(monkeypatch, environment, api_url, expected):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = GithubSource(Declaration("github", "owner/tool", {"api_url": api_url} if api_url else {}))
    url = (api_url or "https://api.github.com").rstrip("/") + "/repos"
    request = made.session.prepare_request(transport.requests.Request("GET", url))
    assert request.headers.get("Authorization") == expected


def test_a_token_never_travels_unencrypted():
    with pytest.raises(ReleaseError, match="without encryption"):
        GithubSource(Declaration("github", "owner/tool", {"api_url": "http://ghe.example.org/api/v3"}, token="secret"))


@pytest.mark.parametrize(
    "name", ["tool", "owner/", "/tool", "owner/tool/extra", "owner/..", "https://github.com/owner/tool", ""]
)
def test_what_is_no_repository_is_refused_before_asking(name):
    with pytest.raises(ReleaseError, match="is not valid") as failure:
        GithubSource(Declaration("github", name))
    assert "owner/repository" in failure.value.expected


def test_a_source_is_described_with_its_server_only_if_that_is_not_the_usual_one():
    assert GithubSource(Declaration("github", "a/b")).describe() == "GitHub repository a/b"
    elsewhere = GithubSource(Declaration("github", "a/b", {"api_url": "https://u:p@ghe.example.org/api/v3"}))
    assert elsewhere.describe() == "GitHub repository a/b at https://ghe.example.org/api/v3"


def answering(body, headers=None):
    """Ask a server that answers so."""
    with Web(lambda question: Answer(200, body, headers or {})) as web:
        return GithubSource(Declaration("github", "a/b", {"api_url": web.url})).releases()


def test_a_list_that_continues_on_another_server_is_refused():
    with pytest.raises(ReleaseError, match="another server"):
        answering(b"[]", {"Link": '<https://elsewhere.example.org/2>; rel="next"'})


def test_a_list_without_end_ends(monkeypatch):
    with Web(lambda question: Answer(200, b"[]", {"Link": f'<{web.url}/more>; rel="next"'})) as web:
        assert GithubSource(Declaration("github", "a/b", {"api_url": web.url})).releases() == []
    assert len(web.questions) == 100


ASSET = {
    "name": "tool",
    "state": "uploaded",
    "size": 1,
    "created_at": "2024-05-06T07:08:09Z",
    "url": "https://x.example.org/1",
    "browser_download_url": "https://x.example.org/tool",
}
ITEM = {"tag_name": "v1.0", "draft": False, "prerelease": False, "published_at": None, "assets": [ASSET]}


def test_a_name_that_is_no_file_name_is_left_out():
    [release] = answering(json.dumps([{**ITEM, "assets": [ASSET, {**ASSET, "name": "../../etc/passwd"}]}]).encode())
    assert [asset.name for asset in release.assets] == ["tool"]


@pytest.mark.parametrize(
    "item",
    [
        "x",
        {},
        {**ITEM, "tag_name": 5},
        {**ITEM, "published_at": "yesterday"},
        {**ITEM, "assets": [{**ASSET, "browser_download_url": "file:///etc/passwd"}]},
        {**ITEM, "assets": [{**ASSET, "size": "big"}]},
        {**ITEM, "assets": [{**ASSET, "digest": 5}]},
        {**ITEM, "assets": 5},
    ],
)
def test_a_list_that_is_not_githubs_is_one_clear_error(item):
    with pytest.raises(ReleaseError):
        answering(json.dumps([item]).encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ITEM, *ASSET, "digest"]), inner, max_size=5)
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(json_values, st.sampled_from(["", "<>; rel=next", "<http://[>; rel=next", ";;;,,", '<x>; rel="next"']))
def test_no_answer_raises_anything_but_the_one_error(content, link):
    with contextlib.suppress(ReleaseError):
        assert answering(json.dumps(content).encode(), {"Link": link}) == []
