# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of releases, here and on a web server."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import claims, sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.directory import DirectorySource
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
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


def source(place, exact=None, base=None, asset=None, is_wanted=lambda version: True, **options):
    declaration = Declaration(
        "directory", str(place), options, base=base, exact=exact, asset=asset, is_wanted=is_wanted
    )
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
    assert found[1].assets == (Asset("tool-linux", path.as_uri(), len(CONTENT)),)
    assert found[1].sums == (Asset("SHA256SUMS", path.with_name("SHA256SUMS").as_uri(), len(LINE)),)


def test_a_local_asset_comes_into_the_cache_like_any_other(tmp_path):
    place = source(released(tmp_path / "with space", "1.0"))
    [release] = place.releases()
    assert Cache(tmp_path / "cache").fetch(release.assets[0], place.session).path.read_bytes() == CONTENT


def test_the_same_folder_on_a_web_server_is_read_by_its_index_pages(served):
    folder, url = served
    released(folder, "0.9", "0.10")
    found = source(url).releases()
    assert versions(found) == ["0.10", "0.9"]
    assert found[0].assets == (Asset("tool-linux", f"{url}/0.10/tool-linux"),)
    assert found[0].sums == (Asset("SHA256SUMS", f"{url}/0.10/SHA256SUMS"),)


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
        with pytest.raises(ReleaseError, match=r"folder .* does not say which version"):
            source(place).releases()


def test_several_sums_files_add_up(tmp_path):
    place = released(tmp_path, "1.0") / "1.0"
    sha512 = hashlib.sha512(CONTENT).hexdigest()
    (place / "SHA512SUMS").write_text(f"{sha512}  tool-linux\n")
    [release] = source(tmp_path).releases()
    assert [file.name for file in release.sums] == ["SHA256SUMS", "SHA512SUMS"]
    said = claims.collect(release.assets[0], release, lambda asset: (place / asset.name).read_bytes()).claims
    assert claims.agreed_digests("tool-linux", said) == {"sha256": SHA256, "sha512": sha512}
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
        "tool-linux.md5",
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


SIDECARS = [
    f"tool-linux{ending}" for ending in (".sha256", ".sha256sum", ".sha256.txt", ".sha512", ".sha256sum.txt", ".SHA256")
]


def with_sidecar(folder, name, content):
    """Make *folder* one that holds the tool and a sidecar with *content* alone; return the claims about the tool."""
    folder.mkdir(parents=True)
    (folder / "tool-linux").write_bytes(CONTENT)
    (folder / name).write_bytes(content)


def claimed(place, release):
    with_digest = release.file("tool-linux")
    fetch = partial(Cache(place / "cache").fetch, session=source(place).session)
    return [one.value for one in sums.stated(with_digest, release, lambda file: fetch(file).path.read_bytes()).claims]


@pytest.mark.parametrize("name", SIDECARS)
@pytest.mark.parametrize("is_bare", [True, False])
def test_a_sidecar_is_a_digest_as_it_is_on_github(tmp_path, name, is_bare):
    digest = hashlib.new("sha512" if "512" in name else "sha256", CONTENT).hexdigest()
    with_sidecar(tmp_path / "1.0", name, (digest if is_bare else f"{digest}  tool-linux\n").encode())
    [release] = source(tmp_path).releases()
    assert {asset.name for asset in release.assets} == {"tool-linux", name}
    assert claimed(tmp_path, release) == [digest]


def test_sidecars_count_on_a_server_with_index_pages_too(served):
    folder, url = served
    with_sidecar(folder / "1.0", "tool-linux.sha256", SHA256.encode())
    [release] = source(url).releases()
    assert claimed(folder, release) == [SHA256]


def test_a_folder_of_one_release_may_have_sidecars_alone(tmp_path):
    with_sidecar(tmp_path / "tool", "tool-linux.sha256", SHA256.encode())
    [release] = source(tmp_path / "tool", exact="1.0").releases()
    assert release.file("tool-linux") is not None


def test_a_sidecar_may_be_declared_as_the_sums_file(tmp_path):
    with_sidecar(tmp_path / "1.0", "tool-linux.sha256", SHA256.encode())
    [release] = source(tmp_path, sums="tool-linux.sha256").releases()
    assert [asset.name for asset in release.assets] == ["tool-linux"]
    assert claimed(tmp_path, release) == [SHA256]


@pytest.mark.parametrize("how", [{"sums": "tool-{version}.sha256"}, {"asset": "tool-{version}"}])
@pytest.mark.parametrize("content", [SHA256.encode(), f"{SHA256} *tool-1.0\n".encode()])
def test_a_server_without_an_index_is_asked_for_the_sidecar_that_the_manifest_tells(how, content):
    with Web(files({"/1.0/tool-1.0.sha256": content})) as web:
        [release] = source(web.url + "/{version}", exact="1.0", **how).releases()
        assert release.assets == (Asset("tool-1.0", f"{web.url}/1.0/tool-1.0"),)


@pytest.mark.parametrize("name", ["v{version}/tool.sha256", "../SHA256SUMS", "https://example.org/SHA256SUMS", ""])
def test_a_sums_file_that_is_not_beside_the_assets_is_refused(tmp_path, name):
    with pytest.raises(ReleaseError, match="names no file beside the assets") as refused:
        source(tmp_path, sums=name)
    assert "directory: https://" in str(refused.value)


def test_a_pattern_names_no_sidecar():
    with Web(files({"/1.0/tool-linux.sha256": SHA256.encode()})) as web:
        with pytest.raises(ReleaseError, match="has no sums file"):
            source(web.url + "/{version}", exact="1.0", asset="tool-*").releases()
        assert not [path for path in web.paths if "tool-" in path]


@pytest.mark.parametrize("name", ["tool-linux.md5", "tool-linux.sha1", "tool-linux.b2", "other.sha256"])
def test_what_is_no_digest_of_a_file_is_no_sidecar_of_it(tmp_path, name):
    with_sidecar(tmp_path / "1.0", name, SHA256.encode())
    with pytest.raises(ReleaseError, match=r"has no sums file|without a digest"):
        source(tmp_path).releases()


def test_a_sidecar_of_a_sums_file_makes_that_no_asset(tmp_path):
    place = released(tmp_path, "1.0") / "1.0"
    (place / "SHA256SUMS.sha256").write_bytes(hashlib.sha256(LINE).hexdigest().encode())
    [release] = source(tmp_path).releases()
    assert "SHA256SUMS" not in {asset.name for asset in release.assets}


@pytest.mark.parametrize("shows_index", [True, False])
def test_a_signature_is_found_whether_or_not_a_server_shows_an_index(shows_index):
    pages = {"/1.0/SHA256SUMS": LINE, "/1.0/SHA256SUMS.minisig": b"signature"}
    index = Answer(200, b'<a href="SHA256SUMS"><a href="SHA256SUMS.minisig">', {"Content-Type": "text/html"})

    def answer(question):
        return index if shows_index and question.path == "/1.0/" else files(pages)(question)

    with Web(answer) as web:
        [release] = source(web.url + "/{version}", exact="1.0").releases()
        assert release.file("SHA256SUMS.minisig") == Asset("SHA256SUMS.minisig", f"{web.url}/1.0/SHA256SUMS.minisig")
        assert release.file("tool-linux.minisig") is None


def test_a_server_is_not_asked_for_signatures_that_nobody_wants():
    with Web(files({"/1.0/SHA256SUMS": LINE})) as web:
        source(web.url + "/{version}", exact="1.0").releases()
        assert not [path for path in web.paths if "minisig" in path]


def test_a_relative_path_starts_from_the_manifests_folder(tmp_path):
    released(tmp_path / "assets", "1.0")
    assert versions(source("assets", base=tmp_path).releases()) == ["1.0"]
    with pytest.raises(ReleaseError, match="is relative, and no manifest says to what"):
        source("assets")


def test_a_folder_that_is_not_there_or_has_no_versions_says_so(tmp_path):
    with pytest.raises(ReleaseError, match="could not be read"):
        source(tmp_path / "absent").releases()
    (tmp_path / "latest").mkdir()
    with pytest.raises(ReleaseError, match=r"No such file or directory; did you mean latest\?"):
        source(tmp_path / "lates").releases()
    with pytest.raises(ReleaseError, match="no folder of a version") as failure:
        source(tmp_path).releases()
    assert failure.value.found == "latest"
    assert failure.value.fix is None


@pytest.mark.parametrize(
    ("declared", "folder", "offered"),
    [
        ("rel", "v1.2.3", "rel/v{version}"),
        ("rel/", "tool-1.2.3", "rel/tool-{version}"),
        ("rel/{version}/linux", "v1.2.3/linux", "rel/v{version}/linux"),
    ],
)
def test_folders_that_say_their_version_otherwise_are_understood_as_is_offered(tmp_path, declared, folder, offered):
    released(tmp_path / "rel", folder)
    (tmp_path / "rel" / "arm64").mkdir()
    with pytest.raises(ReleaseError, match="no folder of a version") as failure:
        source(declared, base=tmp_path).releases()
    assert failure.value.fix == f'if these are versions, say how they are called: directory: "{offered}"'
    assert versions(source(offered, base=tmp_path).releases()) == ["1.2.3"]


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
