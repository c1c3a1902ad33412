# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of releases, here and on a web server."""

from __future__ import annotations

import hashlib
import re
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils.sources.directory import DirectorySource
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, files
from hypothesis import given, settings
from hypothesis import strategies as st

CONTENT = b"program"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LINE = f"{SHA256}  tool-linux\n".encode()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the proxies and the netrc of the machine."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


def released(folder, *versions, prefix=""):
    """Put a release of each version into a folder of its own below *folder*."""
    for version in versions:
        place = folder / f"{prefix}{version}"
        place.mkdir(parents=True)
        (place / "tool-linux").write_bytes(CONTENT)
        (place / "SHA256SUMS").write_bytes(LINE)
    return folder


def source(place, exact=None, base=None, is_wanted=lambda version: True, **options):
    declaration = Declaration("directory", str(place), options, base=base, exact=exact, is_wanted=is_wanted)
    return DirectorySource(declaration)


def versions(found):
    return [release.version for release in found]


@pytest.fixture
def served(tmp_path):
    """Serve a folder as a real web server with index pages does; return the folder and its address."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_arguments):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_folder_of_a_version_is_a_release_newest_first(tmp_path):
    found = source(released(tmp_path, "0.9", "0.10", "1.0-rc1")).releases()
    assert [(release.version, release.is_prerelease) for release in found] == [
        ("1.0-rc1", True),
        ("0.10", False),
        ("0.9", False),
    ]
    path = tmp_path / "0.10" / "tool-linux"
    assert found[1].assets == (Asset("tool-linux", path.as_uri(), len(CONTENT), {"sha256": SHA256}),)


def test_a_local_asset_comes_into_the_cache_like_any_other(tmp_path):
    place = source(released(tmp_path / "with space", "1.0"))
    [release] = place.releases()
    assert Cache(tmp_path / "cache").fetch(release.assets[0], place.session).path.read_bytes() == CONTENT


def test_the_same_folder_on_a_web_server_is_read_by_its_index_pages(served):
    folder, url = served
    released(folder, "0.9", "0.10")
    found = source(url).releases()
    assert versions(found) == ["0.10", "0.9"]
    assert found[0].assets == (Asset("tool-linux", f"{url}/0.10/tool-linux", None, {"sha256": SHA256}),)


@pytest.mark.parametrize("template", ["tool/v{version}", "tool/v{version}/", "tool/v{version}/linux/"])
def test_a_template_says_where_versions_lie(served, template):
    folder, url = served
    rest = "linux" if "linux" in template else ""
    for version in ("1.0", "2.0"):
        place = folder / "tool" / f"v{version}" / rest
        place.mkdir(parents=True)
        (place / "SHA256SUMS").write_bytes(LINE)
        (place / "tool-linux").write_bytes(CONTENT)
    (folder / "tool" / "latest").mkdir()
    assert versions(source(f"{url}/{template}").releases()) == ["2.0", "1.0"]
    assert versions(source(f"{folder}/{template}").releases()) == ["2.0", "1.0"]


def test_only_versions_that_can_matter_are_asked_about(served):
    folder, url = served
    released(folder, "1.0", "2.0")
    (folder / "1.0" / "SHA256SUMS").unlink()
    wanted, unwanted = source(url, exact="2.0", is_wanted=lambda version: version == "2.0").releases()
    assert (wanted.version, unwanted.version) == ("2.0", "1.0")
    assert wanted.assets
    assert not unwanted.assets


def test_a_server_that_shows_no_index_needs_an_exact_version():
    with Web(files({"/tool/1.0/SHA256SUMS": LINE})) as web:
        with pytest.raises(ReleaseError, match="does not show which versions") as failure:
            source(web.url + "/tool/{version}/").releases()
        assert "==1.2.3" in failure.value.fix
        [release] = source(web.url + "/tool/{version}/", exact="1.0").releases()
    assert release.assets[0].url == f"{web.url}/tool/1.0/tool-linux"


def test_a_declared_sums_file_is_the_one_that_is_read(tmp_path):
    with Web(files({"/t/1.0/t_1.0_SHA256SUMS": LINE})) as web:
        [release] = source(web.url + "/t/{version}", exact="1.0", sums="t_{version}_SHA256SUMS").releases()
        assert web.paths.count("/t/1.0/t_1.0_SHA256SUMS") == 1
    assert versions([release]) == ["1.0"]
    place = released(tmp_path, "1.0") / "1.0"
    (place / "SHA256SUMS").rename(place / "odd-name")
    assert versions(source(tmp_path, sums="odd-name").releases()) == ["1.0"]


def test_a_folder_of_one_release_needs_an_exact_version(served):
    folder, url = served
    (folder / "tool-linux").write_bytes(CONTENT)
    (folder / "SHA256SUMS").write_bytes(LINE)
    for place in (folder, url):
        assert versions(source(place, exact="1.0").releases()) == ["1.0"]
        with pytest.raises(ReleaseError, match=r"nothing in folder .* tells which version"):
            source(place).releases()


def test_several_sums_files_add_up(tmp_path):
    place = released(tmp_path, "1.0") / "1.0"
    sha512 = hashlib.sha512(CONTENT).hexdigest()
    (place / "SHA512SUMS").write_text(f"{sha512}  tool-linux\n")
    [release] = source(tmp_path).releases()
    assert release.assets[0].digests == {"sha256": SHA256, "sha512": sha512}
    (place / "checksums.txt").write_text(f"{'0' * 64}  tool-linux\n")
    with pytest.raises(ReleaseError, match="contradict each other about tool-linux"):
        source(tmp_path).releases()


def test_a_file_without_a_digest_is_an_error_that_names_it(tmp_path):
    place = released(tmp_path, "1.0") / "1.0"
    (place / "tool-macos").write_bytes(CONTENT)
    with pytest.raises(ReleaseError, match="without a digest") as failure:
        source(tmp_path).releases()
    assert failure.value.found == "tool-macos"


def test_what_speaks_of_assets_needs_no_digest(tmp_path):
    place = released(tmp_path, "1.0") / "1.0"
    for name in (
        "SHA256SUMS.asc",
        "tool-linux.sig",
        "tool-linux.sha256",
        "sbom.spdx.json",
        "README.md",
        ".listing",
        "LICENSE",
    ):
        (place / name).write_bytes(b"")
    [release] = source(tmp_path).releases()
    assert [asset.name for asset in release.assets] == ["tool-linux"]


def test_a_digest_of_a_file_that_is_not_there_is_no_asset(tmp_path):
    place = released(tmp_path, "1.0") / "1.0"
    (place / "SHA256SUMS").write_bytes(LINE + f"{'0' * 64}  tool-macos\n{'0' * 64}  ../../escape\n".encode())
    [release] = source(tmp_path).releases()
    assert [asset.name for asset in release.assets] == ["tool-linux"]


@pytest.mark.parametrize("content", [None, b"", b"nothing here\n"])
def test_a_folder_without_digests_says_how_to_make_them(tmp_path, content):
    place = released(tmp_path, "1.0") / "1.0"
    (place / "SHA256SUMS").unlink()
    if content is not None:
        (place / "SHA256SUMS").write_bytes(content)
    with pytest.raises(ReleaseError, match="has no sums file") as failure:
        source(tmp_path).releases()
    assert "sha256sum * > SHA256SUMS" in failure.value.fix


def test_a_relative_path_starts_from_the_manifests_folder(tmp_path):
    released(tmp_path / "assets", "1.0")
    assert versions(source("assets", base=tmp_path).releases()) == ["1.0"]
    with pytest.raises(ReleaseError, match="starts from nowhere"):
        source("assets")


def test_a_folder_that_is_not_there_or_has_no_versions_says_so(tmp_path):
    with pytest.raises(ReleaseError, match="could not be read"):
        source(tmp_path / "absent").releases()
    (tmp_path / "latest").mkdir()
    with pytest.raises(ReleaseError, match="no folder of a version") as failure:
        source(tmp_path).releases()
    assert failure.value.found == "latest"


@pytest.mark.parametrize(
    "place", ["ftp://example.org/x", "https://", "https://{version}.example.org/", "/srv/{version}-{version}"]
)
def test_a_place_that_cannot_be_right_is_refused(place):
    with pytest.raises(ReleaseError):
        source(place).releases()


@pytest.mark.parametrize("exact", ["../../etc", "1.0/..", ""])
def test_a_version_that_would_leave_the_folder_is_refused(exact):
    with pytest.raises(ReleaseError, match="cannot be the name"):
        source("/srv/{version}", exact=exact)


def test_a_server_that_breaks_is_reported(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with Web(lambda question: Answer(500)) as web, pytest.raises(ReleaseError, match="500"):
        source(web.url, exact="1.0").releases()


@pytest.mark.parametrize("link", ["1.0/", "/t/1.0/", "{url}/t/1.0/", "./1.0/", "1%2E0/"])
def test_index_pages_may_link_in_any_way(link):
    def answer(question):
        page = (
            '<a href="../">up</a><a href="?C=N">sort</a><a href="https://example.org/9.0/">x</a>' + f'<A HREF="{link}">'
        )
        index = Answer(200, page.format(url=web.url).encode(), {"Content-Type": "text/html; charset=utf-8"})
        return {"/t/": index, "/t/1.0/SHA256SUMS": Answer(200, LINE)}.get(question.path, Answer(404))

    with Web(answer) as web:
        assert versions(source(web.url + "/t").releases()) == ["1.0"]


@settings(max_examples=30)
@given(
    st.text(max_size=100)
    | st.lists(st.sampled_from(["<a href='", "'>", "1.0/", "..%2f", "http://[", "<!--", "&#x0;"])).map("".join)
)
def test_no_index_page_raises_anything_but_the_one_error(page):
    answer = Answer(200, page.encode(errors="replace"), {"Content-Type": "text/html"})
    with Web(lambda question: answer) as web, pytest.raises(ReleaseError):
        source(web.url).releases()


def test_no_more_versions_of_a_server_are_asked_about_than_is_polite():
    index = "".join(f'<a href="{number}.0/">' for number in range(300))

    def answer(question):
        if re.fullmatch(r"/\d+\.0/SHA256SUMS", question.path):
            return Answer(200, LINE)
        return Answer(200, index.encode(), {"Content-Type": "text/html"}) if question.path == "/" else Answer(404)

    with Web(answer) as web:
        found = source(web.url).releases()
    assert (len(found), found[0].version) == (100, "299.0")
