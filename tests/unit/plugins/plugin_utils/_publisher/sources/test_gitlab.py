# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GitLab on loopback: pages, links and their names, tokens, limits, private projects."""

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
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.gitlab import GitlabSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.gitlab_packages import (
    PackageFile,
    package_file,
)
from ansible_collections.pinned.release.tests.fakes.gitlab import FakeGitlab, FakeLink, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import STATIC, Controller
from hypothesis import given, settings
from hypothesis import strategies as st

TOOL = "group/sub/tool"
PRIVATE = {"visibility": {TOOL: "private"}, "tokens": frozenset({"good"})}
EXPIRED = "glpat-expired"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the tokens, the proxies and the netrc of the machine, and wait for nobody."""
    for name in ("GITLAB_TOKEN", "GITLAB_HOST", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def source(gitlab, token=None, cache_root=None, **options):
    return GitlabSource(Declaration("gitlab", TOOL, {"api_url": gitlab.api_url, **options}, token, cache_root))


def tags(*names):
    """Return the releases of a project that has these tags."""
    return {TOOL: [FakeRelease(name) for name in names]}


def links(*given):
    """Return the releases of a project that has one, with these links."""
    return {TOOL: [FakeRelease("v1.2.3", given)]}


def assets(gitlab, **how):
    [release] = source(gitlab, **how).releases()
    return release.assets


def test_a_release_is_read_with_all_that_gitlab_says():
    link = FakeLink("Linux", file="tool-linux.tar.gz", content=b"bytes", filepath="/bin/tool-linux.tar.gz")
    with FakeGitlab(links(link)) as gitlab:
        [release] = source(gitlab).releases()
    [found] = release.assets
    assert (release.version, release.is_prerelease, release.is_yanked) == ("1.2.3", False, False)
    assert found.url == f"{gitlab.web.url}/{TOOL}/-/releases/v1.2.3/downloads/bin/tool-linux.tar.gz"
    assert (found.name, found.size, found.digests, found.api_url) == ("tool-linux.tar.gz", None, {}, None)
    assert gitlab.web.paths == ["/api/v4/projects/group%2Fsub%2Ftool/releases"]


@pytest.mark.parametrize(
    ("created_at", "released_at"),
    [
        ("2024-06-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z"),  # entered later, with a date in the past
        ("2024-01-01T00:00:00.000Z", "2024-06-01T02:00:00.000+02:00"),  # announced, and its day has come
    ],
)
def test_the_later_of_gitlabs_and_the_publishers_date_counts(created_at, released_at):
    with FakeGitlab({TOOL: [FakeRelease("v1.0", (), released_at, created_at)]}) as gitlab:
        [release] = source(gitlab).releases()
    assert release.published == datetime(2024, 6, 1, tzinfo=timezone.utc)


def test_upcoming_releases_are_left_out():
    upcoming = FakeRelease("v2.0", released_at="2999-01-01T00:00:00.000Z")
    with FakeGitlab({TOOL: [upcoming, FakeRelease("v1.0")]}) as gitlab:
        assert [release.version for release in source(gitlab).releases()] == ["1.0"]


def test_every_page_is_read_in_gitlabs_order():
    with FakeGitlab(tags(*(f"v1.{number}" for number in range(250, 0, -1)))) as gitlab:
        found = source(gitlab).releases()
    assert [release.version for release in found] == [f"1.{number}" for number in range(250, 0, -1)]
    assert len(gitlab.web.questions) == 3


def test_a_page_that_fails_once_is_asked_for_again():
    faults = {2: [Answer(502, b"GitLab is not responding")]}
    with FakeGitlab(tags(*(f"v1.{number}" for number in range(250))), faults=faults) as gitlab:
        assert len(source(gitlab).releases()) == 250


@pytest.mark.parametrize(
    "fault",
    [
        Answer(500, b'{"message":"500 Internal Server Error"}'),
        Answer(200, b'[{"tag_name": "v1', {}, length=5000),
        Answer(200, b'[{"tag_name": "v1'),
        Answer(404, b'{"message":"404 Project Not Found"}'),
    ],
)
def test_a_page_in_the_middle_that_stays_broken_fails_the_whole_list(fault):
    with FakeGitlab(tags(*(f"v1.{number}" for number in range(250))), faults={2: [fault] * 10}) as gitlab:
        with pytest.raises(ReleaseError):
            source(gitlab).releases()
        assert {question.query.get("page") for question in gitlab.web.questions} == {None, "2"}


def test_an_unchanged_list_is_not_sent_again_and_a_new_release_is_seen(tmp_path):
    with FakeGitlab(tags(*(f"v1.{number}" for number in range(150)))) as gitlab:
        first = source(gitlab, cache_root=tmp_path).releases()
        asked = len(gitlab.web.questions)
        assert source(gitlab, cache_root=tmp_path).releases() == first
        assert all(question.headers["If-None-Match"] for question in gitlab.web.questions[asked:])
        gitlab.releases = tags("v2.0")
        assert [release.version for release in source(gitlab, cache_root=tmp_path).releases()] == ["2.0"]


def test_releases_before_the_release_are_told_by_their_versions():
    with FakeGitlab(tags("v2.0-rc.1", "v1.0")) as gitlab:
        assert [release.is_prerelease for release in source(gitlab).releases()] == [True, False]


def test_several_products_ask_for_a_pattern_which_settles_it():
    with FakeGitlab(tags("cli/v2.0", "lsp/v1.0", "cli/v1.9")) as gitlab:
        with pytest.raises(ReleaseError, match="several products"):
            source(gitlab).releases()
        found = source(gitlab, tag="cli/v{version}").releases()
    assert [release.version for release in found] == ["2.0", "1.9"]


# Shapes seen in public releases: titles for people (gitlab-org/gitlab-runner), artifacts of jobs with a permanent
# address (fpsys/fp-appimage-updater), addresses of package files (as a project's package page has them), one name in
# many folders.
@pytest.mark.parametrize(
    ("given", "names"),
    [
        ([FakeLink("binary: Linux amd64", url="https://cdn.example.org/v1/tool-linux-amd64")], ["tool-linux-amd64"]),
        (
            [FakeLink("x", url="https://x.example.org/-/jobs/artifacts/main/raw/a?job=b", filepath="/bin/tool.x64")],
            ["tool.x64"],
        ),
        ([FakeLink("tool.tgz", url="https://x.example.org/g/p/-/package_files/7/download")], ["tool.tgz"]),
        (
            [FakeLink(f"tool-{on}", url=f"https://x.example.org/{on}/tool") for on in ("linux", "darwin")],
            ["tool-linux", "tool-darwin"],
        ),
        ([FakeLink("a", url="https://x.example.org/tool%2Blinux")], ["tool+linux"]),
        ([FakeLink("Documentation", url="https://docs.example.org/")], ["Documentation"]),
        ([FakeLink("../up", url="https://docs.example.org/"), FakeLink("b", url="https://x.example.org/%2e%2e")], []),
        ([FakeLink("tool", url="ftp://ftp.example.org/tool")], []),
        ([FakeLink("how", link_type="runbook"), FakeLink("image", link_type="image")], []),
        ([FakeLink("tool", link_type="package")], ["tool"]),
    ],
)
def test_a_file_is_called_as_its_address_ends_else_as_its_link(given, names):
    with FakeGitlab(links(*given)) as gitlab:
        assert [asset.name for asset in assets(gitlab)] == names


def test_what_lies_elsewhere_is_fetched_from_there():
    link = FakeLink("tool", url="https://cdn.example.org/tool", filepath="/tool")
    with FakeGitlab(links(link), **PRIVATE) as gitlab:
        asked = source(gitlab, token="good")
        [asset] = asked.releases()[0].assets
        assert (asset.url, asset.api_url) == ("https://cdn.example.org/tool", None)
        assert not strangers.are_refused(asked.session, asset, 5)


def test_only_the_servers_api_is_given_the_token_not_the_storage_that_it_redirects_to(tmp_path):
    with FakeGitlab(links(FakeLink("tool", b"private", filepath="/tool")), **PRIVATE) as gitlab:
        asked = source(gitlab, token="good")
        [release] = asked.releases()
        found = Cache(tmp_path).fetch(release.assets[0], asked.session)
    assert found.path.read_bytes() == b"private"
    assert {question.headers["Authorization"] for question in gitlab.web.questions} == {"Bearer good"}
    [stored] = gitlab.storage.questions
    assert stored.headers["Authorization"] is stored.headers["PRIVATE-TOKEN"] is None
    assert release.assets[0].url.startswith(gitlab.web.url + "/group/")


def test_a_link_to_another_server_is_fetched_without_the_token(tmp_path):
    with (
        Web(lambda question: Answer(200, b"public")) as elsewhere,
        FakeGitlab(links(FakeLink("tool", url=elsewhere.url + "/tool")), **PRIVATE) as gitlab,
    ):
        asked = source(gitlab, token="good")
        Cache(tmp_path).fetch(asked.releases()[0].assets[0], asked.session)
    assert [question.headers["Authorization"] for question in elsewhere.questions] == [None]


def test_a_tool_is_locked_with_the_digests_of_its_sums_file_and_of_the_package_registry(tmp_path):
    name = "tool-1.2.3-linux-x86_64"
    sums = f"{hashlib.sha256(STATIC).hexdigest()}  {name}\n".encode()
    given = [FakeLink("Linux", STATIC, name, filepath=f"/{name}"), FakeLink("checksums.txt", sums, link_type="package")]
    with FakeGitlab(links(*given)) as gitlab:
        text = f"""
            platforms: [linux/x86_64]
            tools: {{tool: {{source: {{gitlab: {TOOL}, api_url: "{gitlab.api_url}", tag: "v{{version}}"}}}}}}
        """
        locked = Controller(source(gitlab), tmp_path).resolve_text(text).lock.tools["tool"]
    [asset] = locked.assets
    assert (locked.version, locked.source["gitlab"], asset.size) == ("1.2.3", TOOL, len(STATIC))
    assert asset.url == f"{gitlab.web.url}/{TOOL}/-/releases/v1.2.3/downloads/{name}"
    assert [claim.origin.rpartition("/")[2] for claim in asset.evidence.claims] == ["checksums.txt", "listing"]


# Digests in the package registry

PROGRAM = FakeLink("tool", b"program")


def stated(gitlab, **how):
    """Return what GitLab states of the one asset when it is asked about it."""
    [release] = source(gitlab, **how).releases()
    return release.stated(release.assets[0])


def sha256_of(content):
    return {"sha256": hashlib.sha256(content).hexdigest()}


def package_files(*digests):
    """Return the list of a package's files that are all called tool, the oldest last."""
    listed = [{"id": number, "file_name": "tool", "file_sha256": sha256} for number, sha256 in enumerate(digests, 1)]
    return {"package_files": Answer(200, json.dumps(listed[::-1]).encode())}


def test_the_package_registry_states_the_digest_of_a_file_when_it_is_locked(tmp_path):
    name = "tool-1.2.3-linux-x86_64"
    with FakeGitlab(links(FakeLink("Linux", STATIC, name, filepath=f"/{name}"))) as gitlab:
        text = f"""
            platforms: [linux/x86_64]
            tools: {{tool: {{source: {{gitlab: {TOOL}, api_url: "{gitlab.api_url}"}}}}}}
        """
        locked = Controller(source(gitlab), tmp_path).resolve_text(text).lock.tools["tool"]
    [asset] = locked.assets
    assert [(claim.value, claim.origin) for claim in asset.evidence.claims] == [(asset.sha256, "listing")]
    assert [path.rpartition("/")[2] for path in gitlab.web.paths[1:3]] == ["packages", "package_files"]


def test_a_file_that_is_not_what_the_registry_states_is_refused(tmp_path):
    name = "tool-1.2.3-linux-x86_64"
    with FakeGitlab(links(FakeLink("Linux", STATIC, name))) as gitlab:
        listed = [{"id": 1, "file_name": name, "file_sha256": "0" * 64}]
        gitlab.registry = {"package_files": Answer(200, json.dumps(listed).encode())}
        text = f"""
            platforms: [linux/x86_64]
            tools: {{tool: {{source: {{gitlab: {TOOL}, api_url: "{gitlab.api_url}"}}}}}}
        """
        with pytest.raises(ReleaseError, match="is not what it should be"):
            Controller(source(gitlab), tmp_path).resolve_text(text)


def test_a_package_is_asked_for_once_however_many_files_it_has():
    with FakeGitlab(links(PROGRAM, FakeLink("other", b"2"), FakeLink("page", url="https://x.example.org/p"))) as gitlab:
        [release] = source(gitlab).releases()
        found = [release.stated(asset) for asset in release.assets]
    assert found == [sha256_of(b"program"), sha256_of(b"2"), {}]
    assert len(gitlab.web.questions) == 3


def test_of_several_files_of_one_name_the_newest_counts_as_it_is_served():
    with FakeGitlab(links(PROGRAM)) as gitlab:
        gitlab.registry = package_files("a" * 64, "B" * 64)
        assert stated(gitlab) == {"sha256": "b" * 64}


def test_of_several_packages_of_one_version_the_newest_counts():
    packages = [{"id": number, "name": "tool", "version": "v1.2.3"} for number in (7, 9, 8)]
    with FakeGitlab(links(PROGRAM)) as gitlab:
        gitlab.registry = {"packages": Answer(200, json.dumps(packages).encode()), **package_files("a" * 64)}
        assert stated(gitlab)
    assert gitlab.web.paths[-1].endswith("/packages/9/package_files")


@pytest.mark.parametrize("sha256", [None, "", "abc", "g" * 64, 5])
def test_a_digest_that_is_none_is_not_stated(sha256):
    with FakeGitlab(links(PROGRAM)) as gitlab:
        gitlab.registry = package_files(sha256)
        assert stated(gitlab) == {}


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("what", ["packages", "package_files"])
def test_a_registry_that_strangers_may_not_read_states_nothing(what, status):
    with FakeGitlab(links(PROGRAM)) as gitlab:
        gitlab.registry = {what: Answer(status, b'{"message": "403 Forbidden"}')}
        assert stated(gitlab) == {}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b"{}"),
        Answer(200, b"{}x"),
        Answer(200, b"[5]"),
        Answer(200, b'{"a": 1}'),
        Answer(200, b'[{"id": "x"}]'),
        Answer(200, b"[]", {"Link": '<https://x.example.org/api/v4/2>; rel="next"'}),
    ],
)
@pytest.mark.parametrize("what", ["packages", "package_files"])
def test_a_registry_that_fails_or_answers_something_else_is_an_error(what, answer):
    with FakeGitlab(links(PROGRAM)) as gitlab:
        gitlab.registry = {what: answer}
        with pytest.raises(ReleaseError):
            stated(gitlab)


API = "https://gitlab.example.org/api/v4"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (f"{API}/projects/7/packages/generic/tool/1.0/tool.tgz", PackageFile("7", "tool", "1.0", "tool.tgz")),
        (f"{API}/projects/g%2Fp/packages/generic/a%2Bb/v1/x%20y", PackageFile("g%2Fp", "a+b", "v1", "x y")),
        (f"{API}/projects/7/packages/generic/tool/1.0/bin/tool", PackageFile("7", "tool", "1.0", "bin/tool")),
        (f"{API}/projects/7/packages/generic/tool/1.0", None),
        (f"{API}/projects/7/packages/maven/tool/1.0/x", None),
        (f"{API}.evil.example.org/projects/7/packages/generic/tool/1.0/x", None),
        ("https://x.example.org/api/v4/projects/7/packages/generic/tool/1.0/x", None),
    ],
)
def test_the_address_of_a_package_file_is_recognised_on_this_server_only(url, file):
    assert package_file(url, API) == file


# Addresses as GitLab documents them ("Job artifacts", "Access the latest job artifacts by URL", "Job Artifacts API").
@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("https://x.example.org/g/p/-/jobs/artifacts/main/raw/tool?job=build", True),
        ("https://x.example.org/g/p/-/jobs/42/artifacts/raw/tool", True),
        ("https://x.example.org/api/v4/projects/7/jobs/42/artifacts/tool", True),
        ("https://x.example.org/jobs/artifacts.html/tool", False),
        ("https://x.example.org/artifacts/tool", False),
    ],
)
@pytest.mark.parametrize("filepath", [None, "/tool"])
def test_a_file_that_gitlab_will_delete_is_warned_of_when_it_is_locked(url, warns, filepath, caplog):
    with FakeGitlab(links(FakeLink("tool", url=url, filepath=filepath))) as gitlab:
        [release] = source(gitlab).releases()
        assert not caplog.records
        release.stated(release.assets[0])
    assert [f"tool of GitLab project {TOOL}" in record.getMessage() for record in caplog.records] == [True] * warns


@pytest.mark.parametrize(
    ("visibility", "is_private"), [({}, False), ({TOOL: "internal"}, True), ({TOOL: "private"}, True)]
)
def test_strangers_may_read_public_projects_only_a_page_to_sign_in_at_is_none(visibility, is_private):
    with FakeGitlab(
        links(FakeLink("tool", b"program", filepath="/tool")), visibility, tokens=frozenset({"good"})
    ) as gitlab:
        asked = source(gitlab, token="good")
        [asset] = asked.releases()[0].assets
        assert strangers.are_refused(asked.session, asset, len(b"program")) is is_private


def test_a_private_project_needs_a_token():
    with (
        FakeGitlab(tags("v1.0"), **PRIVATE) as gitlab,
        pytest.raises(ReleaseError, match="does not exist or is private") as failure,
    ):
        source(gitlab).releases()
    assert "GITLAB_TOKEN with the server's name in GITLAB_HOST" in failure.value.fix
    with pytest.raises(ReleaseError, match="may not read it"), FakeGitlab({}, tokens=frozenset({"good"})) as gitlab:
        source(gitlab, token="good").releases()


def test_a_project_that_hides_its_tags_asks_for_a_token_that_may_see_them():
    with FakeGitlab(tags("v1.0"), tokens=frozenset({"good"}), codeless=frozenset({TOOL})) as gitlab:
        with pytest.raises(ReleaseError, match="does not tell strangers the tags of its releases"):
            source(gitlab).releases()
        assert source(gitlab, token="good").releases()


def test_an_expired_token_is_said_and_a_public_project_read_without_it(caplog, monkeypatch):
    monkeypatch.setenv("GITLAB_HOST", "127.0.0.1")
    monkeypatch.setenv("GITLAB_TOKEN", EXPIRED)
    with FakeGitlab(tags("v1.0")) as gitlab:
        assert source(gitlab).releases()
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"the token in GITLAB_TOKEN is not accepted by {gitlab.api_url}")
    assert EXPIRED not in caplog.text
    assert [question.headers["Authorization"] for question in gitlab.web.questions] == [f"Bearer {EXPIRED}", None]


def test_an_expired_token_at_a_private_project_is_an_error_that_names_it():
    with FakeGitlab(tags("v1.0"), **PRIVATE) as gitlab, pytest.raises(ReleaseError, match="not accepted") as failure:
        source(gitlab, token=EXPIRED).releases()
    assert "the option token" in failure.value.what
    assert EXPIRED not in str(failure.value)


def test_a_token_that_may_not_read_the_api_is_refused_in_gitlabs_words():
    with FakeGitlab(tags("v1.0"), narrow=frozenset({"narrow"})) as gitlab, pytest.raises(ReleaseError) as failure:
        source(gitlab, token="narrow").releases()
    assert "403" in failure.value.found
    assert "requires higher privileges" in failure.value.found
    assert "the option token" in failure.value.fix


def test_the_rate_limit_is_waited_for_or_explained(monkeypatch):
    waited = []
    with FakeGitlab(tags("v1.0"), retry_after="7") as gitlab:

        def pause(seconds):
            waited.append(seconds)
            gitlab.retry_after = None

        monkeypatch.setattr(transport.time, "sleep", pause)
        assert len(source(gitlab).releases()) == 1
        gitlab.retry_after = "900"
        with pytest.raises(ReleaseError, match="was not served") as failure:
            source(gitlab).releases()
    assert waited == [7]
    assert "429" in failure.value.found
    assert "Retry-After: 900" in failure.value.fix


@pytest.mark.parametrize(
    ("host", "api_url", "expected"),
    [
        (None, None, "Bearer a"),
        (None, "https://gitlab.example.org/api/v4", None),
        ("", None, "Bearer a"),
        ("gitlab.example.org", None, None),
        ("gitlab.example.org", "https://gitlab.example.org/api/v4/", "Bearer a"),
        ("https://GitLab.example.org", "https://gitlab.example.org:8443/api/v4", "Bearer a"),
        ("gitlab.example.org:8443", "https://gitlab.example.org:8443/api/v4", "Bearer a"),
        ("gitlab.example.org:8443", "https://gitlab.example.org/api/v4", None),
        ("gitlab.example.org:port", "https://gitlab.example.org/api/v4", None),
        ("gitlab.example.org", "https://gitlab.example.org.evil.example.net/api/v4", None),
    ],
)
def test_the_environments_token_goes_to_the_one_server_that_it_is_for(monkeypatch, host, api_url, expected):
    monkeypatch.setenv("GITLAB_TOKEN", "a")
    if host is not None:
        monkeypatch.setenv("GITLAB_HOST", host)
    made = GitlabSource(Declaration("gitlab", TOOL, {"api_url": api_url} if api_url else {}))
    url = (api_url or "https://gitlab.com/api/v4").rstrip("/") + "/projects"
    request = made.session.prepare_request(transport.requests.Request("GET", url))
    assert request.headers.get("Authorization") == expected


def test_a_token_never_travels_unencrypted():
    with pytest.raises(ReleaseError, match="without encryption"):
        GitlabSource(Declaration("gitlab", TOOL, {"api_url": "http://gitlab.example.org/api/v4"}, token="secret"))


@pytest.mark.parametrize(
    "name", ["tool", "group/", "/tool", "group//tool", "group/..", "../tool", "https://gitlab.com/a/b", "a/b?c", ""]
)
def test_what_is_no_project_is_refused_before_asking(name):
    with pytest.raises(ReleaseError, match="is not valid") as failure:
        GitlabSource(Declaration("gitlab", name))
    assert "group/project" in failure.value.expected


def test_the_address_of_gitlabs_pages_is_no_api():
    with pytest.raises(ReleaseError, match="not the address of a GitLab API") as failure:
        GitlabSource(Declaration("gitlab", TOOL, {"api_url": "https://gitlab.example.org"}))
    assert "/api/v4" in failure.value.expected


def answering(body, headers=None):
    """Ask a server that answers so."""
    with Web(lambda question: Answer(200, body, headers or {})) as web:
        return GitlabSource(Declaration("gitlab", TOOL, {"api_url": web.url + "/api/v4"})).releases()


def test_a_list_that_continues_on_another_server_is_refused():
    with pytest.raises(ReleaseError, match="another server"):
        answering(b"[]", {"Link": '<https://elsewhere.example.org/api/v4/2>; rel="next"'})


LINK = {"name": "tool", "url": "https://x.example.org/tool", "direct_asset_url": None, "link_type": "other"}
MOMENT = "2024-05-06T07:08:09.000Z"
ITEM = {"tag_name": "v1.0", "created_at": MOMENT, "released_at": MOMENT, "assets": {"links": [LINK]}}


def test_fields_that_older_servers_lack_are_not_needed():
    link = {"name": "tool", "url": "https://x.example.org/tool"}
    [release] = answering(json.dumps([{**ITEM, "assets": {"links": [link]}}]).encode())
    assert [(asset.name, asset.url) for asset in release.assets] == [("tool", "https://x.example.org/tool")]


@pytest.mark.parametrize(
    "item",
    [
        "x",
        {},
        {**ITEM, "tag_name": 5},
        {**ITEM, "released_at": "yesterday"},
        {**ITEM, "created_at": None},
        {**ITEM, "assets": {"links": [{**LINK, "url": 5}]}},
        {**ITEM, "assets": {"links": [{**LINK, "url": "https://x.example.org/" + "x/" * 1500 + "tool"}]}},
        {**ITEM, "assets": {"links": [{**LINK, "name": 5, "url": "https://x.example.org/"}]}},
        {**ITEM, "assets": {"links": 5}},
        {**ITEM, "assets": {}},
    ],
)
def test_a_list_that_is_not_gitlabs_is_one_clear_error(item):
    with pytest.raises(ReleaseError):
        answering(json.dumps([item]).encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(MOMENT) | st.just("http://["),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ITEM, *LINK, "links"]), inner, max_size=5)
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(json_values, json_values)
def test_no_answer_raises_anything_but_the_one_error(content, given_links):
    for body in (content, [content], [{**ITEM, "assets": {"links": [given_links]}}]):
        with contextlib.suppress(ReleaseError):
            answering(json.dumps(body).encode())
