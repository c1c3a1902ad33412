# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python package index on loopback, in both dialects."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import strangers, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.pypi import PypiSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from hypothesis import given, settings
from hypothesis import strategies as st

A, B = "a" * 64, "b" * 64
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the indexes, the proxies and the netrc of the machine."""
    for name in (
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"),
        *("HTTP_PROXY", "http_proxy"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("NETRC", "/dev/null")


def file(name, **fields):
    """Return a file as the JSON dialect lists it."""
    return {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": A}, **fields}


def json_page(*files):
    page = {"meta": {"api-version": "1.1"}, "name": "tool", "versions": [], "files": list(files)}
    return Answer(200, json.dumps(page).encode(), {"Content-Type": JSON})


def html_page(*links):
    page = "<!DOCTYPE html><html><body>" + "".join(links) + "</body></html>"
    return Answer(200, page.encode(), {"Content-Type": "text/html"})


def releases(answer, name="tool", path="/simple/", **options):
    """Ask a loopback index that answers so; return its releases and what it was asked."""
    with Web(lambda question: answer) as web:
        source = PypiSource(Declaration("pypi", name, {"index": web.url + path, **options}))
        return source.releases(), web


def test_wheels_are_grouped_by_version_in_the_indexs_order():
    answer = json_page(
        file("tool-1.0-py3-none-manylinux_2_17_x86_64.whl", size=5),
        file("tool-0.9-py3-none-any.whl"),
        file("tool-1.0-py3-none-musllinux_1_1_x86_64.whl"),
        file("tool-1.0.tar.gz"),
        file("tool-2.0.tar.gz"),
    )
    found, web = releases(answer)
    assert [(release.version, len(release.assets)) for release in found] == [("1.0", 2), ("0.9", 1)]
    name = "tool-1.0-py3-none-manylinux_2_17_x86_64.whl"
    assert found[0].assets[0] == Asset(name, f"{web.url}/files/{name}", 5, {"sha256": A})
    assert web.paths == ["/simple/tool/"]
    assert JSON in web.questions[0].headers["Accept"]


def test_the_html_dialect_is_read_and_fragments_become_digests():
    answer = html_page(
        f'<a href="../../files/tool-1.0-py3-none-any.whl#sha256={A.upper()}">tool-1.0-py3-none-any.whl</a>',
        '<a href="../">up</a>',
    )
    [release], web = releases(answer)
    assert release.assets == (
        Asset("tool-1.0-py3-none-any.whl", f"{web.url}/files/tool-1.0-py3-none-any.whl", None, {"sha256": A}),
    )
    assert release.published is None


def test_what_is_yanked_is_marked_in_html_by_an_attribute_with_a_reason_or_without():
    answer = html_page(
        f'<a href="tool-1.0-py3-none-any.whl#sha256={A}" data-yanked="broken">tool-1.0-py3-none-any.whl</a>',
        f'<a href="tool-1.0-py2-none-any.whl#sha256={A}" data-requires-python="&gt;=3.8">tool-1.0-py2-none-any.whl</a>',
        f'<a href="tool-2.0-py3-none-any.whl#sha256={A}" data-yanked>tool-2.0-py3-none-any.whl</a>',
    )
    found, _web = releases(answer)
    assert [(release.version, release.is_yanked, [asset.name for asset in release.assets]) for release in found] == [
        ("1.0", False, ["tool-1.0-py2-none-any.whl"]),
        ("2.0", True, ["tool-2.0-py3-none-any.whl"]),
    ]


def test_names_are_normalised_as_the_specification_says():
    [release], web = releases(json_page(file("My_Tool-1.0-py3-none-any.whl")), name="My.Tool")
    assert web.paths == ["/simple/my-tool/"]
    assert release.version == "1.0"


def test_files_of_another_project_are_not_its_assets():
    [release], _web = releases(json_page(file("tool-1.0-py3-none-any.whl"), file("other-2.0-py3-none-any.whl")))
    assert release.version == "1.0"


def test_a_version_is_as_young_as_its_newest_wheel():
    answer = json_page(
        file("tool-1.0-py3-none-any.whl", **{"upload-time": "2024-01-01T00:00:00.5Z"}),
        file("tool-1.0-py2-none-any.whl", **{"upload-time": "2024-02-01T00:00:00.000Z"}),
    )
    [release], _web = releases(answer)
    assert release.published == datetime(2024, 2, 1, tzinfo=timezone.utc)


def test_a_yanked_wheel_is_left_out_and_a_version_is_yanked_when_all_of_it_is():
    answer = json_page(
        file("tool-1.0-py3-none-any.whl", yanked="broken"),
        file("tool-1.0-py2-none-any.whl"),
        file("tool-2.0-py3-none-any.whl", yanked=True),
    )
    found, _web = releases(answer)
    assert [(release.version, release.is_yanked, len(release.assets)) for release in found] == [
        ("1.0", False, 1),
        ("2.0", True, 1),
    ]


def test_versions_before_the_release_are_marked_and_spelled_as_pep_440_does():
    found, _web = releases(json_page(file("tool-1.0rc1-py3-none-any.whl"), file("tool-1.0.0-py3-none-any.whl")))
    assert [(release.version, release.is_prerelease) for release in found] == [("1.0rc1", True), ("1.0.0", False)]


def test_credentials_in_the_index_are_used_but_neither_shown_nor_handed_on():
    name = "tool-1.0-py3-none-any.whl"
    with Web(
        lambda question: json_page(file(name), file(name.replace("py3", "py2"), url=f"http://u:p@h.example.org/{name}"))
    ) as web:
        index = web.url.replace("http://", "http://us%40er:hunter2@") + "/simple"
        source = PypiSource(Declaration("pypi", "tool", {"index": index}))
        [release] = source.releases()
    assert web.questions[0].headers["Authorization"] == "Basic dXNAZXI6aHVudGVyMg=="
    assert "hunter2" not in source.describe()
    assert [asset.url for asset in release.assets] == [f"{web.url}/files/{name}", f"http://h.example.org/{name}"]


def test_the_index_of_the_environment_is_used_where_the_manifest_names_none(monkeypatch):
    with Web(lambda question: json_page(file("tool-1.0-py3-none-any.whl"))) as web:
        monkeypatch.setenv("PIP_INDEX_URL", web.url + "/env/simple/")
        source = PypiSource(Declaration("pypi", "tool"))
        source.releases()
    assert web.paths == ["/env/simple/tool/"]
    assert web.url in source.describe()


@pytest.mark.parametrize(
    ("statuses", "asked", "found"),
    [
        ((200, 200), 1, True),
        ((404, 200), 2, True),
        ((404, 404), 2, False),
        ((500, 200), 1, False),
        ((401, 200), 1, False),
    ],
)
def test_the_first_index_that_has_the_project_counts_and_one_that_fails_ends_the_search(
    monkeypatch, statuses, asked, found
):
    """What a private index does not tell must not be taken from a public one, where anybody may have the name."""
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)

    def answer(question):
        status = statuses[question.path.startswith("/second")]
        return json_page(file("tool-1.0-py3-none-any.whl")) if status == 200 else Answer(status)

    with Web(answer) as web:
        monkeypatch.setenv("PIP_INDEX_URL", web.url + "/first/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{web.url}/second/simple file:///srv/simple")
        source = PypiSource(Declaration("pypi", "tool"))
        if found:
            assert source.releases()
            assert source.describe().endswith(f"{web.url}/{'first' if asked == 1 else 'second'}/simple")
        else:
            with pytest.raises(ReleaseError) as failure:
                source.releases()
            assert (f"nor on {web.url}/second/simple" in failure.value.what) is (asked == 2)
    assert len(dict.fromkeys(web.paths)) == asked


def test_each_index_gets_the_password_in_its_own_address(monkeypatch):
    with Web(lambda question: Answer(404)) as first, Web(lambda question: Answer(401)) as second:
        monkeypatch.setenv("PIP_INDEX_URL", first.url.replace("://", "://a:hunter2@") + "/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", second.url.replace("://", "://b:tiger@") + "/simple")
        with pytest.raises(ReleaseError) as failure:
            PypiSource(Declaration("pypi", "tool")).releases()
    assert [question.headers["Authorization"] for question in first.questions] == ["Basic YTpodW50ZXIy"]
    assert [question.headers["Authorization"] for question in second.questions] == ["Basic Yjp0aWdlcg=="]
    assert "the password in PIP_EXTRA_INDEX_URL" in failure.value.fix


@pytest.mark.parametrize(("login", "is_private"), [("me:hunter2@", True), ("", False)])
def test_hosts_cannot_read_what_needs_a_password(login, is_private):
    def answer(question):
        if login and not question.headers["Authorization"]:
            return Answer(401)
        return json_page(file("tool-1.0-py3-none-any.whl"))

    with Web(answer) as web:
        index = web.url.replace("://", f"://{login}") + "/simple"
        asked = PypiSource(Declaration("pypi", "tool", {"index": index}))
        [asset] = asked.releases()[0].assets
        assert strangers.are_refused(asked.session, asset, 5) is is_private
    assert len(web.questions) == 1 + bool(login)


def test_without_either_it_is_the_index_that_pypi_simple_knows():
    assert PypiSource(Declaration("pypi", "tool")).describe() == "project tool on the Python package index"


def test_an_unknown_project_says_so():
    with pytest.raises(ReleaseError, match=r"project tool on the index at .* does not exist"):
        releases(Answer(404))


def test_an_index_that_wants_credentials_says_so():
    with pytest.raises(ReleaseError, match="401") as failure:
        releases(Answer(401))
    assert "credentials" in failure.value.fix


def test_a_project_without_wheels_says_so():
    with pytest.raises(ReleaseError, match="publishes no wheels"):
        releases(json_page(file("tool-1.0.tar.gz")))


@pytest.mark.parametrize("name", ["", "../tool", "tool/..", "-tool", "a b"])
def test_a_name_that_no_project_has_is_refused_before_asking(name):
    with pytest.raises(ReleaseError, match="is not valid"):
        PypiSource(Declaration("pypi", name))


@pytest.mark.parametrize("index", ["file:///srv/simple", "simple", "http://[::1"])
def test_an_index_that_is_not_on_the_web_is_refused(index):
    with pytest.raises(ReleaseError, match="not on the web"):
        PypiSource(Declaration("pypi", "tool", {"index": index}))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "javascript:x"])
def test_a_wheel_that_is_not_on_the_web_is_refused(url):
    with pytest.raises(ReleaseError, match="not on the web"):
        releases(json_page(file("tool-1.0-py3-none-any.whl", url=url)))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"{", {"Content-Type": JSON}),
        Answer(200, b"[]", {"Content-Type": JSON}),
        Answer(200, b"[" * 100_000, {"Content-Type": JSON}),
        Answer(200, b'{"files": [{}]}', {"Content-Type": JSON}),
        Answer(200, b'{"meta": {"api-version": "9.0"}, "name": "tool", "files": []}', {"Content-Type": JSON}),
        Answer(200, b"x", {"Content-Type": "image/png"}),
        json_page(file("tool-1.0-py3-none-any.whl", url="http://[::1")),
        json_page(file("tool-1.0-py3-none-any.whl", hashes={"sha256": 5})),
    ],
)
def test_an_answer_that_is_no_page_of_the_api_is_one_clear_error(answer):
    with pytest.raises(ReleaseError):
        releases(answer)


@settings(max_examples=40)
@given(
    st.binary(max_size=200),
    st.sampled_from([JSON, "text/html", "text/html; charset=utf-16", "application/vnd.pypi.simple.v1+html"]),
)
def test_no_answer_raises_anything_but_the_one_error(body, content_type):
    with pytest.raises(ReleaseError):
        releases(Answer(200, body, {"Content-Type": content_type}))
