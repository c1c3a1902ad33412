# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indexes in JSON on loopback: the shapes that publishers have, and what strangers may put there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import claims
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import index, open_source
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    is_file_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.index import IndexSource
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release
from ansible_collections.pinned.release.tests.fakes.github import FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, files
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import guide_examples
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import STATIC, Controller
from hypothesis import given, settings
from hypothesis import strategies as st

TOP = Path(__file__).resolve().parents[6]
REAL = TOP.parent / "shared" / "field" / "data" / "hashicorp"
NAME = "tool-1.2.3-linux-x86_64"
SHA256 = hashlib.sha256(STATIC).hexdigest()
OTHER = "0" * 64


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the proxies and the netrc of the machine, and wait for nobody."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def source(url, releases="@", cache_root=None, is_wanted=lambda version: True, listing=None, **options):
    given_options = {"releases": releases, **options}
    how = {"cache_root": cache_root, "is_wanted": is_wanted, "versions": listing}
    return IndexSource(Declaration("index", url, given_options, **how))


def guide(tool):
    """Return the source that the guide has for the *tool*, but for its address."""
    found = guide_examples.declared(tool, "index")
    del found["index"]
    return found


def listed(content, releases="@", **how):
    """Return the releases of an index with this *content*, at /dl/index.json, and the address of its server."""
    with Web(files({"/dl/index.json": json.dumps(content).encode()})) as web:
        return source(f"{web.url}/dl/index.json", releases, **how).releases(), web.url


def asset(content, **how):
    """Return the one asset that *content* makes of a release, its address without the server."""
    [release], server = listed([{"version": "1.0", "assets": [content]}], **how)
    [found] = release.assets
    return found, found.url.removeprefix(server)


def refusal(content, releases="@", **how):
    with pytest.raises(ReleaseError) as failure:
        listed(content, releases, **how)
    return failure.value


# Publishers.


@pytest.fixture
def hashicorp():
    """Serve HashiCorp's index of Terraform and its sums file, both as they were recorded."""
    if not REAL.is_dir():
        pytest.skip("the recorded data of HashiCorp is not here: ../shared/field/data")
    sums = "terraform_0.14.11_SHA256SUMS"
    recorded = {
        "/terraform/index.json": (REAL / "index.json").read_bytes(),
        f"/terraform/0.14.11/{sums}": (REAL / sums).read_bytes(),
        f"/terraform/0.14.11/{sums}.sig": (REAL / f"{sums}.sig").read_bytes(),
    }
    of_hashicorp = {"Content-Type": "application/vnd+hashicorp.releases-api.v0+json"}

    def answer(question):
        found = files(recorded)(question)
        return Answer(found.status, found.body, of_hashicorp)

    with Web(answer) as web:
        yield web


def test_hashicorps_index_is_read_with_its_sums_files_beside_each_version(hashicorp):
    found = source(f"{hashicorp.url}/terraform/index.json", **guide("terraform")).releases()
    assert {release.version: release.is_prerelease for release in found} == {
        "0.14.11": False,
        **dict.fromkeys(
            ["0.15.0-alpha20210107", "0.15.0-beta1", "0.15.0-beta2", "0.15.0-rc1", "0.15.0-rc2"],
            True,
        ),
    }
    [release] = [one for one in found if one.version == "0.14.11"]
    [sums] = release.sums
    assert sums.url == f"{hashicorp.url}/terraform/0.14.11/terraform_0.14.11_SHA256SUMS"
    urls = {one.name: one.url for one in release.assets}
    name = "terraform_0.14.11_linux_amd64.zip"
    assert urls[name] == f"https://releases.hashicorp.com/terraform/0.14.11/{name}"


def test_hashicorps_sums_file_states_the_digest_of_an_asset_and_its_signature_lies_beside_it(hashicorp):
    asked = source(f"{hashicorp.url}/terraform/index.json", **guide("terraform"))
    [release] = [one for one in asked.releases() if one.version == "0.14.11"]
    name = "terraform_0.14.11_linux_amd64.zip"
    stated = claims.collect(release.file(name), release, lambda file: asked.session.get(file.url).content)
    [claim] = stated.claims
    assert claim.value == "87a881f7ad6ef9e26609cb4d00065f1af3dcb8bdadc2898554c9a0bb286f434c"
    assert claim.origin == release.sums[0].url
    assert release.file("terraform_0.14.11_SHA256SUMS.sig").url == release.sums[0].url + ".sig"
    assert release.file("terraform_0.14.11_SHA256SUMS.minisig") is None


GO_FILE = {
    "filename": "go1.26.3.linux-amd64.tar.gz",
    "os": "linux",
    "arch": "amd64",
    "version": "go1.26.3",
    "sha256": SHA256,
    "size": 5,
    "kind": "archive",
}
GO_INDEX = [
    {"version": "go1.27rc1", "stable": False, "files": []},
    {
        "version": "go1.26.3",
        "stable": True,
        "files": [GO_FILE, {**GO_FILE, "filename": "go1.26.3.darwin-arm64.pkg", "kind": "installer"}],
    },
]


def test_gos_index_needs_the_form_of_its_versions_and_its_names_start_from_the_address_of_the_index():
    with Web(lambda question: Answer(200, json.dumps(GO_INDEX).encode())) as web:
        [release] = source(f"{web.url}/dl/?mode=json&include=all", **guide("go")).releases()
    assert release.version == "1.26.3"
    [found] = release.assets
    assert (found.name, found.size, found.digests) == (GO_FILE["filename"], 5, {"sha256": SHA256})
    assert found.url == f"{web.url}/dl/{GO_FILE['filename']}"
    assert web.questions[0].query == {"mode": "json", "include": "all"}


def test_versions_of_another_form_are_an_error_that_proposes_the_form():
    failure = refusal(GO_INDEX, guide("go")["releases"])
    assert failure.found == "go1.26.3"
    assert failure.fix.endswith("tag: go{version}")
    assert "cli-v{version}" in refusal([{"version": "nightly"}]).fix


def test_adoptiums_answer_is_read_with_its_checksums():
    package = {"name": "jre_x64_linux.tar.gz", "link": "https://example.org/jre.tar.gz?x=1", "size": 7}
    content = [
        {
            "timestamp": "2026-01-21T11:12:13Z",
            "version_data": {"semver": "21.0.6+7.0.LTS"},
            "binaries": [{"package": {**package, "checksum": SHA256.upper()}}],
        }
    ]
    [release], _server = listed(content, **guide("java"))
    assert (release.version, release.published.isoformat()) == ("21.0.6+7.0.LTS", "2026-01-21T11:12:13+00:00")
    [found] = release.assets
    assert (found.name, found.url, found.size) == (package["name"], package["link"], 7)
    assert found.digests == {"sha256": SHA256}


def test_hashicorps_api_is_read_with_its_dates():
    place = "https://releases.example.org/packer/1.15.0"
    builds = [
        {"arch": "amd64", "os": "linux", "url": f"{place}/packer_1.15.0_linux_amd64.zip"},
        {"arch": "arm", "os": "linux", "unsupported": True, "url": f"{place}/packer_1.15.0_linux_arm.zip"},
    ]
    sums = f"{place}/packer_1.15.0_SHA256SUMS"
    item = {"timestamp_created": "2026-02-03T04:05:06.789Z", "is_prerelease": False, "license_class": "oss"}
    content = [
        {**item, "version": "1.16.0-beta1", "is_prerelease": True, "builds": builds, "url_shasums": sums},
        {**item, "version": "1.15.0", "builds": builds, "url_shasums": sums},
    ]
    [release], _server = listed(content, **guide("packer"))
    assert (release.version, release.published) == ("1.15.0", datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone.utc))
    assert [one.name for one in release.assets] == ["packer_1.15.0_linux_amd64.zip"]
    assert [one.url for one in release.sums] == [sums]


def node(*found, status=404):
    """Return how a server answers that has an index of Node.js with three versions, and the sums files *found*."""
    content = [
        {"version": f"v{version}", "date": "2026-03-04", "files": ["linux-x64"], "lts": lts}
        for version, lts in (("24.1.0", False), ("22.5.0", "Jod"), ("22.4.0", "Jod"))
    ]
    lines = f"{SHA256}  node-vX-linux-x64.tar.gz\n{SHA256}  node-vX+1 a.tar.gz\n{SHA256}  win-x64/..\n"
    serving = {f"/dist/v{version}/SHASUMS256.txt": lines.replace("X", version).encode() for version in found}
    serving["/dist/index.json"] = json.dumps(content).encode()

    def answer(question):
        return files(serving)(question) if question.path in serving else Answer(status)

    return answer


def test_nodes_index_names_no_files_so_these_are_what_the_sums_file_of_each_allowed_version_names():
    with Web(node("22.5.0", "24.1.0")) as web:
        asked = source(f"{web.url}/dist/index.json", **guide("node"), is_wanted=lambda version: version != "24.1.0")
        found = asked.releases()
        [stated] = claims.collect(found[0].assets[0], found[0], lambda file: asked.session.get(file.url).content).claims
    assert [release.version for release in found] == ["22.5.0", "22.4.0"]
    assert [one.name for one in found[0].assets] == ["node-v22.5.0-linux-x64.tar.gz", "node-v22.5.0+1 a.tar.gz"]
    folder = f"{web.url}/dist/v22.5.0"
    assert [one.url for one in found[0].assets] == [
        f"{folder}/node-v22.5.0-linux-x64.tar.gz",
        f"{folder}/node-v22.5.0+1%20a.tar.gz",
    ]
    assert (stated.value, stated.origin) == (SHA256, f"{folder}/SHASUMS256.txt")
    assert found[0].published == datetime(2026, 3, 5, tzinfo=timezone.utc)
    assert found[1].assets == ()
    assert "/dist/v24.1.0/SHASUMS256.txt" not in web.paths


def test_a_sums_file_that_is_not_served_for_now_does_not_pass_for_none():
    with Web(node(status=500)) as web, pytest.raises(ReleaseError, match="was not served"):
        source(f"{web.url}/dist/index.json", **guide("node")).releases()


def test_only_the_newest_versions_are_asked_for_their_sums_files_where_an_index_names_no_files(monkeypatch):
    monkeypatch.setattr(index, "VERSIONS_LIMIT", 2)
    content = [{"version": f"1.{minor}", "sums": f"{minor}/SUMS"} for minor in (9, 11, 10)]
    content.append({"version": "1.8", "sums": "8/SUMS", "assets": []})
    with Web(files({"/": json.dumps(content).encode()})) as web:
        assert [release.version for release in source(f"{web.url}/").releases()] == ["1.11", "1.10", "1.8"]
    assert web.paths == ["/", "/11/SUMS", "/10/SUMS"]


def test_an_index_that_names_more_sums_files_than_any_publisher_has_is_refused_before_they_are_asked_for():
    content = [{"version": "1.0", "sums": f"SUMS{number}"} for number in range(17)]
    with (
        Web(files({"/": json.dumps(content).encode()})) as web,
        pytest.raises(ReleaseError, match="too many sums files"),
    ):
        source(f"{web.url}/").releases()
    assert web.paths == ["/"]


def test_a_tool_is_locked_from_an_index_and_the_lock_file_keeps_what_the_manifest_says(tmp_path):
    content = {
        "versions": {"v1.2.3": {"version": "v1.2.3", "file": NAME, "hash": f"sha256:{SHA256.upper()}"}},
    }
    expression = "values(versions)[].{version: version, assets: [{name: file, digest: hash}]}"
    serving = {"/index.json": json.dumps(content).encode(), f"/files/v1.2.3/{NAME}": STATIC}
    with Web(files(serving)) as web:
        place = f"{web.url}/index.json"
        text = f"""
            platforms: [linux/x86_64]
            tools:
              tool:
                source:
                  index: {place}
                  releases: "{expression}"
                  base: "files/v{{version}}/"
        """
        asked = source(place, expression, base="files/v{version}/")
        resolution = Controller(asked, tmp_path).resolve_text(text)
    written = lockfile.emit(resolution.lock)
    assert lockfile.parse(written) == resolution.lock
    locked = resolution.lock.tools["tool"]
    assert locked.source == {"index": place, "releases": expression, "base": "files/v{version}/"}
    [pinned] = locked.assets
    assert (pinned.url, pinned.sha256) == (f"{web.url}/files/v1.2.3/{NAME}", SHA256)
    assert [claim.origin for claim in pinned.evidence.claims] == ["listing"]


def test_a_digest_of_the_index_that_the_sums_file_contradicts_refuses(tmp_path):
    content = [{"version": "1.2.3", "sums": "SUMS", "assets": [{"name": NAME, "sha256": OTHER}]}]
    serving = {
        "/index.json": json.dumps(content).encode(),
        "/SUMS": f"{SHA256}  {NAME}\n".encode(),
        f"/{NAME}": STATIC,
    }
    with Web(files(serving)) as web:
        place = f"{web.url}/index.json"
        text = f'{{platforms: [linux/x86_64], tools: {{tool: {{source: {{index: "{place}", releases: "@"}}}}}}}}'
        with pytest.raises(ReleaseError, match="the publisher contradicts itself") as failure:
            Controller(source(place), tmp_path).resolve_text(text)
    assert (OTHER in failure.value.expected, SHA256 in failure.value.found) == (True, True)


def test_an_unchanged_index_costs_one_conditional_request(tmp_path):
    def answer(question):
        if question.headers["If-None-Match"] == '"one"':
            return Answer(304, b"", {"ETag": '"one"'})
        return Answer(200, json.dumps([{"version": "1.0", "assets": ["a"]}]).encode(), {"ETag": '"one"'})

    with Web(answer) as web:
        first = source(web.url, cache_root=tmp_path).releases()
        assert source(web.url, cache_root=tmp_path).releases() == first
    assert [question.headers["If-None-Match"] for question in web.questions] == [None, '"one"']


# What entries say.


@pytest.mark.parametrize(
    ("content", "name", "url"),
    [
        ("tool.zip", "tool.zip", "/dl/tool.zip"),
        ("tool 1#2.zip", "tool 1#2.zip", "/dl/tool%201%232.zip"),
        ("1.0/tool.zip", "tool.zip", "/dl/1.0/tool.zip"),
        ("/x/tool%20a.zip?y=z", "tool a.zip", "/x/tool%20a.zip?y=z"),
        ("https://example.org/tool.zip#part", "tool.zip", "https://example.org/tool.zip"),
        ({"name": "tool.zip"}, "tool.zip", "/dl/tool.zip"),
        ({"name": "tool.zip", "url": None, "sha256": None}, "tool.zip", "/dl/tool.zip"),
        ({"url": "../a/tool.zip", "os": ["linux"]}, "tool.zip", "/a/tool.zip"),
        ({"name": "tool.zip", "url": "https://example.org/get?id=5"}, "tool.zip", "https://example.org/get?id=5"),
        ({"name": "tool.zip", "url": "//example.org/x"}, "tool.zip", "http://example.org/x"),
    ],
)
def test_an_asset_is_a_name_or_an_address_or_a_mapping_of_both(content, name, url):
    found, place = asset(content)
    assert (found.name, place) == (name, url)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://cdn.example.org/v{version}/", "https://cdn.example.org/v1.0/tool.zip"),
        ("{version}/bin/{version}/", "/dl/1.0/bin/1.0/tool.zip"),
        ("/", "/tool.zip"),
    ],
)
def test_names_start_from_base_where_there_is_one(base, url):
    assert asset("tool.zip", base=base)[1] == url


@pytest.mark.parametrize("base", ["{version}", "ftp://example.org/", "http://[/"])
def test_a_base_that_is_no_folder_on_the_web_is_refused_before_asking(base):
    with pytest.raises(ReleaseError):
        source("https://example.org/index.json", base=base)


@pytest.mark.parametrize("address", ["/srv/index.json", "file:///srv/index.json", "example.org/index.json"])
def test_an_index_that_is_not_on_the_web_is_refused_before_asking(address):
    with pytest.raises(ReleaseError, match="not on the web"):
        source(address)


@pytest.mark.parametrize(
    ("stated", "digests"),
    [
        ({"sha512": "A" * 128}, {"sha512": "a" * 128}),
        ({"sha256": "a" * 64, "sha512": "b" * 128}, {"sha256": "a" * 64, "sha512": "b" * 128}),
        ({"digest": "SHA256:" + "A" * 64}, {"sha256": "a" * 64}),
        ({"digest": "md5:" + "a" * 32}, {"md5": "a" * 32}),
        ({"digest": "sha256:" + "a" * 64, "sha256": "A" * 64}, {"sha256": "a" * 64}),
    ],
)
def test_digests_are_taken_in_each_way_to_state_them(stated, digests):
    assert asset({"name": "tool", **stated})[0].digests == digests


@pytest.mark.parametrize(
    ("stated", "way"),
    [
        ({"sha256": "a" * 63}, "sha256"),
        ({"sha256": "sha256:" + "a" * 64}, "sha256"),
        ({"sha256": ["a" * 64]}, "sha256"),
        ({"sha512": "a" * 64}, "sha512"),
        ({"digest": "a" * 64}, "digest"),
        ({"digest": "sha256:" + "a" * 128}, "digest"),
        ({"digest": "sha256:" + "a" * 64, "sha256": "b" * 64}, "digest"),
        ({"size": -1}, "size"),
        ({"size": 1.5}, "size"),
        ({"size": True}, "size"),
        ({"size": "5"}, "size"),
        ({"size": 2**53}, "size"),
        ({"name": "../tool"}, "assets[0]"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 256}, "assets[0]"),
        ({"name": ["tool"]}, "name"),
        ({"name": None}, "assets[0]"),
        ({"name": None, "url": "https://example.org/"}, "assets[0]"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://example.org/a b"}, "url"),
        ({"url": "https://[/x"}, "url"),
        ({"url": "https://example.org:99999/x"}, "url"),
        ({"url": "https://example.org/" + "x" * 3000}, "url"),
        ({"url": 5}, "url"),
    ],
)
def test_a_value_of_another_form_is_refused_with_the_way_to_it(stated, way):
    failure = refusal([{"version": "1.0", "assets": [{"name": "tool", **stated}]}])
    assert "[0].assets[0]" in failure.what
    assert way in failure.what
    assert failure.expected


@pytest.mark.parametrize(
    ("date", "published"),
    [
        ("2026-01-31T10:11:12Z", datetime(2026, 1, 31, 10, 11, 12, tzinfo=timezone.utc)),
        ("2026-01-31t10:11:12.5z", datetime(2026, 1, 31, 10, 11, 12, tzinfo=timezone.utc)),
        ("2026-01-31 10:11:12.123456789+02:30", datetime(2026, 1, 31, 7, 41, 12, tzinfo=timezone.utc)),
        ("2026-01-31T10:11:12-0100", datetime(2026, 1, 31, 11, 11, 12, tzinfo=timezone.utc)),
        ("2026-01-31", datetime(2026, 2, 1, tzinfo=timezone.utc)),
        (None, None),
    ],
)
def test_a_date_is_a_moment_or_the_end_of_a_day(date, published):
    [release], _server = listed([{"version": "1.0", "date": date, "assets": ["a"]}])
    assert release.published == published


@pytest.mark.parametrize(
    "date",
    [
        *("yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "2026-01-31T10:11:12", "9999-12-31", "0000-01-01"),
        *("0001-01-01T00:00:00+14:00", "2026-01-31T10:11:12+99:99", "\u0662\u0660\u0662\u0666-01-31", 5, {}),
    ],
)
def test_what_is_no_date_is_refused(date):
    assert "[0].date" in refusal([{"version": "1.0", "date": date, "assets": ["a"]}]).what


def test_entries_of_one_version_make_one_release_as_old_as_the_youngest():
    entries = [
        {"version": "v1.0", "date": "2026-01-01T00:00:00Z", "assets": ["a"]},
        {"version": "1.0", "date": "2026-01-03T00:00:00Z", "sums": "SUMS", "assets": ["b", "a", "SUMS"]},
        {"version": "2.0-rc1", "assets": None},
    ]
    [first, second], _server = listed(entries)
    assert [one.name for one in first.assets] == ["a", "b"]
    assert [one.name for one in first.sums] == ["SUMS"]
    assert first.published == datetime(2026, 1, 3, tzinfo=timezone.utc)
    assert (second.version, second.is_prerelease, second.assets, second.published) == ("2.0-rc1", True, (), None)
    [release], _server = listed([*entries[:2], {"version": "1.0", "assets": ["c"]}])
    assert release.published is None


def test_two_files_of_one_name_in_a_release_are_refused_with_both():
    failure = refusal([{"version": "1.0", "assets": ["amd64/kubectl", "arm64/kubectl"]}])
    assert "two files of one release are called kubectl" in failure.what
    assert failure.expected.endswith("/dl/amd64/kubectl")
    assert failure.found.endswith("/dl/arm64/kubectl")


def test_versions_that_the_manifest_does_not_allow_are_named_and_not_looked_into():
    content = [{"version": "2.0", "date": "soon", "assets": 5}, {"version": "1.0", "assets": ["a"]}, {"version": "x"}]
    found, _server = listed(content, is_wanted=lambda version: version == "1.0")
    assert [(release.version, len(release.assets)) for release in found] == [("2.0", 0), ("1.0", 1)]


# Versions from elsewhere.


ZIG_INDEX = {
    "master": {"version": "0.16.0-dev.1+abc", "date": "2026-01-30"},
    "0.15.2": {
        "date": "2025-10-11",
        "notes": "https://example.org/notes",
        "src": {"tarball": "https://example.org/0.15.2/zig-0.15.2.tar.xz", "shasum": OTHER, "size": "21"},
        "x86_64-linux": {"tarball": "https://example.org/0.15.2/zig-x86_64-linux-0.15.2.tar.xz", "shasum": SHA256},
    },
    "0.14.1": {"date": "2025-05-21", "x86_64-linux": {"tarball": "https://example.org/z.tar.xz", "shasum": SHA256}},
}


def test_zigs_index_is_keyed_by_version():
    found, _server = listed(ZIG_INDEX, **guide("zig"))
    assert [(one.version, len(one.assets)) for one in found] == [("0.15.2", 2), ("0.14.1", 1)]
    assert found[0].published == datetime(2025, 10, 12, tzinfo=timezone.utc)
    build = found[0].file("zig-x86_64-linux-0.15.2.tar.xz")
    assert build.digests == {"sha256": SHA256}


def test_each_project_with_cargo_dist_has_a_document_for_each_version_and_only_the_chosen_one_is_asked_for():
    name = "deploy-x86_64-unknown-linux-gnu.tar.xz"
    artifact = {"name": name, "kind": "executable-zip", "checksums": {"sha256": SHA256}}
    document = {"artifacts": {name: artifact, "source.tar.gz": {"name": "source.tar.gz", "kind": "source-tarball"}}}
    with (
        FakeGithub({"example/deploy": [FakeRelease("v1.1", is_prerelease=True), FakeRelease("v1.0")]}) as github,
        Web(files({"/deploy/1.0/dist-manifest.json": json.dumps(document).encode()})) as web,
    ):
        declared = guide_examples.declared("deploy", "index")
        declared["index"] = web.url + "/deploy/{version}/dist-manifest.json"
        declared["versions"]["api_url"] = github.api_url
        found = open_source(declared).releases()
        assert [(one.version, one.is_prerelease, one.assets) for one in found] == [
            ("1.1", True, ()),
            ("1.0", False, ()),
        ]
        assert web.questions == []
        release = found[1].completed()
        assert [(one.name, one.url) for one in release.assets] == [(name, f"{web.url}/deploy/1.0/{name}")]
        assert release.published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
        with pytest.raises(ReleaseError, match=r"/deploy/1\.1/dist-manifest\.json was not served"):
            found[0].completed()


def test_one_document_may_be_asked_about_the_versions_of_another_source():
    content = {"1.0": ["tool"], "2.0": None}
    with (
        FakeGithub({"a/b": [FakeRelease("v3.0"), FakeRelease("v2.0"), FakeRelease("v1.0")]}) as github,
        Web(files({"/dl/index.json": json.dumps(content).encode()})) as web,
    ):
        listing = open_source({"github": "a/b", "api_url": github.api_url})
        found = source(f"{web.url}/dl/index.json", '"{version}"', listing=listing).releases()
    assert [(one.version, [asset.name for asset in one.assets]) for one in found] == [("1.0", ["tool"])]
    assert found[0].published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)


class Listing:
    """A source that knows one version, of an odd form, which its publisher withdrew."""

    def releases(self):
        return [Release("1/0", (), is_yanked=True)]


def test_a_version_that_its_source_withdrew_is_withdrawn_here_and_stays_one_step_of_an_address():
    with Web(files({"/1%2F0.json": b'["tool"]'})) as web:
        [release] = source(web.url + "/{version}.json", "@", listing=Listing()).releases()
        assert release.completed().is_yanked
    assert web.paths == ["/1%2F0.json"]


def test_the_later_of_two_dates_counts():
    content = {"1.0": {"date": "2026-01-31", "assets": ["tool"]}}
    with (
        FakeGithub({"a/b": [FakeRelease("v1.0")]}) as github,
        Web(files({"/index.json": json.dumps(content).encode()})) as web,
    ):
        listing = open_source({"github": "a/b", "api_url": github.api_url})
        [release] = source(f"{web.url}/index.json", '"{version}"', listing=listing).releases()
    assert release.published == datetime(2026, 2, 1, tzinfo=timezone.utc)


def test_versions_that_the_manifest_does_not_allow_are_named_by_their_list_alone():
    content = {"2.0": 5, "1.0": ["a"]}
    how = {"versions": "keys(@)", "is_wanted": lambda version: version == "1.0"}
    found, _server = listed(content, '"{version}"', **how)
    assert [(release.version, len(release.assets)) for release in found] == [("2.0", 0), ("1.0", 1)]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('"{version}"', ["a"]),
        ('versions."v{version}"', ["b"]),
        ("[join('-', ['tool', '{version}'])]", ["tool-1.0"]),
        ("all[?v=='{version}'].n", ["c"]),
        ('[`"{version}.zip"`]', ["1.0.zip"]),
        ('{assets: ["{version}"[0]]}', ["a"]),
    ],
)
def test_the_version_stands_in_names_and_texts_of_the_expression(expression, names):
    content = {"1.0": ["a"], "versions": {"v1.0": ["b"]}, "all": [{"v": "1.0", "n": "c"}, {"v": "1.1", "n": "d"}]}
    [release], _server = listed(content, expression, versions="['1.0']")
    assert [asset.name for asset in release.assets] == names


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"releases": '"{version}"'}, "the expression is about one version"),
        ({"releases": "@", "versions": "replace(@)"}, "is not valid"),
    ],
)
def test_an_expression_about_one_version_needs_a_list_of_them(options, said):
    with pytest.raises(ReleaseError, match=said):
        source("https://example.org/index.json", **options)


def test_an_address_for_each_version_needs_another_source_that_lists_them():
    for more in ({}, {"versions": "keys(@)"}):
        with pytest.raises(ReleaseError, match="an address for each version") as failure:
            source("https://example.org/{version}.json", **more)
        assert "versions: {github: owner/name}" in failure.value.expected


@pytest.mark.parametrize(
    ("content", "expression", "found"),
    [
        ({"1.0": ["a"]}, "@", "a mapping"),
        ([], "@", "an empty list"),
        ([1.0], "@", "1.0"),
        (["nightly"], "@", "nightly"),
    ],
)
def test_a_list_of_versions_that_is_none_is_refused(content, expression, found):
    assert found in refusal(content, '"{version}"', versions=expression).found


@pytest.mark.parametrize("given", [5, "tool", True])
def test_what_the_expression_gives_for_a_version_is_named_with_it(given):
    failure = refusal({"1.0": given}, '"{version}"', versions="keys(@)")
    assert failure.what.endswith("for 1.0 is not valid at the top")


# What strangers say.


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"name": "tool", "versions": {}}, 'a mapping of "name", "versions"'),
        (None, "nothing"),
        ("text", '"text"'),
        ([], "an empty list"),
        ([["1.0"]], "a list that begins with"),
        (["1.0"], '"1.0"'),
        ([{"name": "1.0"}], 'a mapping of "name"'),
        ([{"version": 1.0}], "1.0"),
        ([{"version": "1.0", "assets": {"a": 1}}], 'a mapping of "a"'),
        ([{"version": "1.0"}], "a list that begins with a mapping"),
    ],
)
def test_what_the_expression_gives_is_named_where_it_is_no_list_of_releases(content, found):
    failure = refusal(content)
    assert "what the expression gives from the index at http://127.0.0.1" in failure.what
    assert found in failure.found
    assert failure.fix == "correct releases in the manifest's source"


def test_a_function_that_fails_on_the_index_is_told():
    assert refusal([1], "keys(@)").found == "keys() of an array"


def test_an_index_that_lists_more_than_anybody_publishes_is_refused(monkeypatch):
    monkeypatch.setattr(index, "RELEASES_LIMIT", 2)
    assert len(listed([{"version": f"1.{n}", "assets": ["a"]} for n in range(2)])[0]) == 2
    assert "too many releases" in refusal([{"version": f"1.{n}", "assets": ["a"]} for n in range(3)]).what
    monkeypatch.undo()
    assert "too many assets" in refusal([{"version": "1.0", "assets": ["a"] * 50_001}]).what
    halves = [{"version": version, "assets": ["a"] * 25_001} for version in ("1.0", "2.0")]
    assert "too many assets" in refusal(halves).what


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404), "was not served"),
        (Answer(401), "was not served"),
        (Answer(500), "was not served"),
        (Answer(200, b"<html>"), "could not be understood"),
        (Answer(200, b'[{"version": "1.0"', length=5000), "broke off"),
        (Answer(200, b"[" * 100), "nested deeper"),
        (Answer(200, b"[" + b"[]," * 250_001), "holds more"),
    ],
)
def test_an_index_that_is_not_served_whole_is_one_clear_error(answer, said):
    with Web(lambda question: answer) as web, pytest.raises(ReleaseError, match=said):
        source(web.url).releases()


def test_a_file_beside_an_asset_is_looked_for_where_the_asset_is_and_nowhere_else():
    serving = {
        "/dl/index.json": json.dumps([{"version": "1.0", "assets": ["x/tool", "tool?id=1"]}]).encode(),
        "/dl/x/tool.minisig": b"",
    }
    with Web(files(serving)) as web:
        [release] = source(f"{web.url}/dl/index.json", "[].{version: version, assets: assets[:1]}").releases()
        assert release.file("tool.minisig").url == f"{web.url}/dl/x/tool.minisig"
        assert release.file("tool.sig") is None
        assert release.file("other.minisig") is None
        assert release.file("tool/../../secret") is None
        assert release.file("tool#1.sig") is None
    assert web.paths == ["/dl/index.json", "/dl/x/tool.minisig", "/dl/x/tool.sig", "/dl/x/tool%231.sig"]


def test_a_server_that_fails_beside_an_asset_does_not_pass_for_one_without_a_signature():
    def answer(question):
        content = json.dumps([{"version": "1.0", "assets": ["tool"]}]).encode()
        return Answer(200, content) if question.path == "/" else Answer(500)

    with Web(answer) as web:
        [release] = source(web.url).releases()
        with pytest.raises(ReleaseError, match="was not served"):
            release.file("tool.minisig")


def test_nothing_in_an_index_is_run_or_templated():
    planted = "{{ lookup('pipe', 'id') }}$(id)`id`"
    [release], server = listed([{"version": "1.0", "assets": [planted]}])
    [found] = release.assets
    assert found.name == planted
    assert found.url.startswith(f"{server}/dl/%7B%7B%20lookup%28%27pipe%27")


KEYS = ["version", "date", "sums", "assets", "name", "url", "sha256", "sha512", "digest", "size"]
TEXTS = st.sampled_from(
    [
        *("1.0", "v2.0-rc1", "2026-01-31", "tool", "https://example.org/x", "http://[", "//", "..", "a" * 64, "\ud800"),
        *("é/", "sha256:" + "a" * 64, "x:y", "https://u:p@h/x", "%2F..%2F", "?", "#", "\N{RIGHT-TO-LEFT OVERRIDE}"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=10,
)
EXPRESSIONS = st.sampled_from(
    [
        *("@", "[]", "[].{version: name, assets: [@]}", "values(@)", "[[]]", "[&a]", "*.{version: version, assets: @}"),
        *("[{version: '1.0', assets: @}]", "[{version: '1.0', assets: [@]}]", "[{version: '1.0', assets: [`1`]}]"),
    ]
)


@settings(max_examples=60)
@given(VALUES, st.sampled_from(['"{version}"', "@", "*", "[]", "[@]", "{assets: @}", "{date: '{version}', assets: @}"]))
def test_any_document_keyed_by_version_raises_the_one_error_or_gives_valid_releases(content, expression):
    for body in (content, {"1.0": content}, {"v1.0-a": [content], "tool": content}):
        with contextlib.suppress(ReleaseError):
            for release in listed(body, expression, versions="keys(@)")[0]:
                check(release)


@settings(max_examples=60)
@given(VALUES, EXPRESSIONS)
def test_any_document_under_any_expression_raises_the_one_error_or_gives_valid_releases(content, expression):
    in_shape = {"version": "1.0", "assets": [content]}
    for body in (content, [in_shape], [{**in_shape, "date": content}], [{**in_shape, "sums": content}]):
        with contextlib.suppress(ReleaseError):
            for release in listed(body, expression)[0]:
                check(release)


def check(release):
    """Fail unless each part of a release has the form that the lock file asks of it."""
    assert forms.VERSION.pattern.match(release.version)
    names = [file.name for file in (*release.assets, *release.sums)]
    assert len(names) == len(set(names))
    for file in (*release.assets, *release.sums):
        assert is_file_name(file.name)
        assert forms.URL.pattern.match(file.url)
        assert re.match("https?://[^@]*$", file.url.partition("/x")[0])
        assert file.size is None or 0 <= file.size <= forms.LARGEST_NUMBER
        assert all(re.fullmatch("[0-9a-f]{8,128}", value) for value in file.digests.values())
