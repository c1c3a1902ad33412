# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a manifest's ``source:`` to the source it means."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import sources
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import (
    open_source,
    refuse_token_elsewhere,
    refuse_token_for_several,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    is_file_name,
    web_address,
)
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the machine's index and tokens."""
    for name in ("PIP_INDEX_URL", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("NETRC", "/dev/null")


@pytest.mark.parametrize(
    ("declaration", "description"),
    [
        ({"pypi": "uv"}, "project uv on the Python package index"),
        (
            {"pypi": "uv", "index": "https://index.example.org/simple/"},
            "project uv on the index at https://index.example.org/simple/",
        ),
        ({"index": "https://example.org/a.json?b", "releases": "@"}, "the index at https://example.org/a.json?…"),
        (
            {"index": "https://example.org/", "releases": "[]", "base": "{version}/", "tag": "go{version}"},
            "the index at https://example.org/",
        ),
        (
            {"http": "https://example.org/{version}/{arch}/tool", "arch": {"x86_64": "amd64"}, "sums": "sums.txt"},
            "the files at https://example.org/{version}/{arch}/tool",
        ),
        (
            {"http": "https://example.org/{version}/tool?{os}", "versions": {"pypi": "uv"}, "os": {"macos": "osx"}},
            "the files at https://example.org/{version}/tool?…",
        ),
        (
            {"index": "https://example.org/{version}.json", "releases": "@", "versions": {"github": "a/b"}},
            "the index at https://example.org/{version}.json",
        ),
        ({"directory": "/srv/releases/uv"}, "folder /srv/releases/uv"),
        ({"directory": "https://example.org/{version}/", "sums": "sums.txt"}, "folder https://example.org/{version}/"),
        (
            {"npm": "@biomejs/biome", "packages": "@biomejs/cli-*", "registry": "https://npm.example.org/"},
            "npm package @biomejs/biome at https://npm.example.org/",
        ),
        ({"github": "astral-sh/uv"}, "GitHub repository astral-sh/uv"),
        ({"github": "astral-sh/uv", "tag": "cli/v{version}"}, "GitHub repository astral-sh/uv"),
        (
            {"github": "owner/repo", "api_url": "https://ghe.example.org/api/v3"},
            "GitHub repository owner/repo at https://ghe.example.org/api/v3",
        ),
        ({"gitlab": "group/sub/tool", "tag": "v{version}"}, "GitLab project group/sub/tool"),
        (
            {"gitlab": "group/tool", "api_url": "https://gitlab.example.org/api/v4"},
            "GitLab project group/tool at https://gitlab.example.org/api/v4",
        ),
        ({"gitea": "owner/tool", "tag": "v{version}"}, "repository owner/tool at https://codeberg.org"),
        (
            {"gitea": "owner/tool", "api_url": "https://git.example.org/api/v1/"},
            "repository owner/tool at https://git.example.org",
        ),
    ],
)
def test_a_source_is_what_its_mapping_declares(declaration, description):
    assert open_source(declaration).describe() == description


@pytest.mark.parametrize(
    "declaration",
    [
        {},
        {"bitbucket": "a/b"},
        {"pypi": "uv", "github": "a/b"},
        {"releases": "@"},
        {"npm": "uv", "index": "https://example.org"},
    ],
)
def test_what_is_of_no_one_kind_is_refused_with_the_known_ones(declaration):
    with pytest.raises(ReleaseError, match="one known kind") as failure:
        open_source(declaration)
    assert all(kind in failure.value.expected for kind in sources.KINDS)


def test_an_unknown_option_is_refused_with_the_known_ones():
    with pytest.raises(ReleaseError, match="source github does not know branch") as failure:
        open_source({"github": "a/b", "branch": "main"})
    assert "api_url or tag" in failure.value.expected


@pytest.mark.parametrize("more", [{}, {"base": "{version}/"}, {"tag": "go{version}"}])
def test_an_index_needs_the_expression(more):
    with pytest.raises(ReleaseError, match="source index needs releases"):
        open_source({"index": "https://example.org/index.json", **more})


def test_beside_pypi_index_is_an_option():
    with pytest.raises(ReleaseError, match="source pypi does not know base"):
        open_source({"pypi": "uv", "index": "https://example.org/", "base": "x/"})


@pytest.mark.parametrize("value", [5, None, ["uv"], {"name": "uv"}])
def test_a_value_that_is_no_text_is_refused(value):
    with pytest.raises(ReleaseError, match=r"source\.pypi is not valid"):
        open_source({"pypi": value})


TEMPLATE = "https://example.org/{version}/tool"


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"http": TEMPLATE}, "versions is not valid"),
        (
            {"index": "https://example.org/", "releases": "@", "versions": {"pypi": "uv"}},
            "versions.versions is not valid",
        ),
        ({"bitbucket": "a/b"}, "one known kind"),
        ({"index": "https://example.org/"}, "source index needs releases"),
        ({}, "one known kind"),
        ({"github": "no name"}, "github: 'no name' is not valid"),
        ({"pypi": 5}, "versions.pypi is not valid"),
        ("keys(@)", "no list from which an expression could take versions"),
        (5, "versions is not valid"),
    ],
)
def test_versions_are_listed_by_another_source_that_knows_them(versions, said):
    with pytest.raises(ReleaseError, match=said):
        open_source({"http": TEMPLATE, "versions": versions})


def test_versions_are_an_expression_only_where_there_is_a_document():
    assert open_source({"index": "https://example.org/", "releases": "@", "versions": "keys(@)"})
    with pytest.raises(ReleaseError, match="source github does not know versions"):
        open_source({"github": "a/b", "versions": "keys(@)"})


@pytest.mark.parametrize("words", ["amd64", {"x86_64": 64}, ["x86_64"], None])
def test_the_words_of_a_publisher_are_a_mapping_of_texts(words):
    with pytest.raises(ReleaseError, match=r"source\.arch"):
        open_source({"http": TEMPLATE, "arch": words})


@pytest.mark.parametrize(
    "declaration",
    [
        {"pypi": "uv", "index": "https://user:hunter2@example.org/simple/"},
        {"http": "https://user:hunter2@example.org/{version}/tool"},
        {"http": TEMPLATE, "sums": "https://user:hunter2@example.org/sums"},
        {"http": TEMPLATE, "versions": {"pypi": "uv", "index": "https://user:hunter2@example.org/simple/"}},
        {"http": TEMPLATE, "arch": {"x86_64": "https://user:hunter2@example.org/"}},
    ],
)
def test_a_secret_that_the_lock_file_would_repeat_is_refused_and_not_shown(declaration):
    with pytest.raises(ReleaseError, match="written to the lock file") as failure:
        open_source(declaration)
    assert "hunter2" not in str(failure.value)


def test_a_token_given_for_github_goes_nowhere_else():
    with Web(lambda question: Answer(200)) as web:
        open_source({"pypi": "uv"}, token="secret").session.get(web.url)
    assert web.questions[0].headers["Authorization"] is None


def test_a_token_that_would_go_to_several_servers_is_refused_and_not_shown():
    public, enterprise = {"github": "a/b"}, {"github": "a/b", "api_url": "https://ghe.example.org/api/v3"}
    for one_server in ([public, {"pypi": "uv"}, public], [enterprise, {**enterprise, "github": "c/d"}]):
        refuse_token_for_several(one_server, "hunter2")
    refuse_token_for_several([public, enterprise], None)
    with pytest.raises(ReleaseError, match="several servers") as failure:
        refuse_token_for_several([public, enterprise], "hunter2")
    assert failure.value.found == "https://api.github.com, https://ghe.example.org/api/v3"
    assert "hunter2" not in str(failure.value)
    for one in (public, enterprise):
        refuse_token_for_several([{"http": TEMPLATE, "versions": one}, one], "hunter2")
    with pytest.raises(ReleaseError, match="several servers"):
        refuse_token_for_several([{"http": TEMPLATE, "versions": public}, enterprise], "hunter2")
    for kind in ("gitlab", "gitea"):
        refuse_token_for_several([{kind: "a/b"}, {kind: "c/d"}], "hunter2")
        with pytest.raises(ReleaseError, match="several servers"):
            refuse_token_for_several([public, {kind: "a/b"}], "hunter2")


def test_listings_are_kept_where_the_cache_is(tmp_path):
    session = open_source({"pypi": "uv"}, cache_root=tmp_path).session
    assert session.get_adapter("https://")._listings._cache_root == tmp_path


@pytest.mark.parametrize("name", ["tool", "tool 1.0 (linux).zip", "...", "ümlaut", "x" * 255])
def test_file_names_are_recognised(name):
    assert is_file_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0b", "x" * 256, "ü" * 200, "\ud800"])
def test_what_could_leave_its_folder_is_no_file_name(name):
    assert not is_file_name(name)


def test_a_web_address_loses_user_and_fragment():
    assert web_address("https://user:pw@example.org/x?y#z", "it") == "https://example.org/x?y"


@pytest.mark.parametrize(
    ("source", "host", "is_sent"),
    [
        ({"github": "o/x"}, None, True),
        ({"github": "o/x", "api_url": "https://api.github.com"}, None, True),
        ({"github": "o/x", "api_url": "https://api.github.com.example.org"}, None, False),
        ({"github": "o/x", "api_url": "https://api.github.com@example.org"}, None, False),
        ({"github": "o/x", "api_url": "https://api.github.com:444"}, None, False),
        ({"github": "o/x", "api_url": "https://GHE.example.org/api/v3"}, "ghe.example.org", True),
        ({"github": "o/x", "api_url": "https://ghe.example.org:8443/api/v3"}, "ghe.example.org", False),
        ({"github": "o/x", "api_url": "https://ghe.example.org:8443/api/v3"}, "ghe.example.org:8443", True),
        ({"gitlab": "g/x"}, None, True),
        ({"gitlab": "g/x", "api_url": "https://gitlab.example.org/api/v4"}, None, False),
        ({"gitea": "o/x"}, "git.example.org", True),
        (
            {"http": "https://example.org/{version}", "versions": {"github": "o/x", "api_url": "https://e.org"}},
            None,
            False,
        ),
        ({"pypi": "x"}, None, True),
    ],
)
def test_token_goes_to_public_servers_and_the_one_that_the_user_names(source, host, is_sent):
    with nullcontext() if is_sent else pytest.raises(ReleaseError, match="sent to a server"):
        refuse_token_elsewhere([source], "S3CRET-token", host)
    refuse_token_elsewhere([source], None, host)
