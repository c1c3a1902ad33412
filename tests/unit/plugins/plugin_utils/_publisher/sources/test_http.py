# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files whose addresses follow a rule, on loopback: servers shaped like those of Kubernetes, Helm and others."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from datetime import datetime, timezone

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._naming.matching import propose
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    is_file_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.http import HttpSource
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import PLATFORMS
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release
from ansible_collections.pinned.release.tests.fakes.github import FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, files
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import guide_examples, tiny_programs
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    AARCH64,
    ARM,
    LOADER,
    NOW,
    STATIC,
)
from hypothesis import given, settings
from hypothesis import strategies as st

PLAIN = "http://127.0.0.1:1/v{version}/{os}/{arch}/tool"
X86_64_LINUX, AARCH64_LINUX = PLATFORMS["linux/x86_64"], PLATFORMS["linux/aarch64"]
GNU = tiny_programs.elf(interpreter=LOADER, needed=("libc.so.6",), versions=("GLIBC_2.17",))
ARM_GNU = tiny_programs.elf(
    machine=AARCH64, interpreter="/lib/ld-linux-aarch64.so.1", needed=("libc.so.6",), versions=("GLIBC_2.17",)
)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the machine's tokens, proxies and netrc, and wait for nobody."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def on(url, source):
    """Return the *source* with the server at *url* in place of its own."""
    return {**source, "http": re.sub("^https?://[^/]+", url, source["http"])}


def opened(source, exact=None, platforms=(X86_64_LINUX, AARCH64_LINUX), **how):
    return open_source(source, exact=exact, platforms=platforms, **how)


def locked(tmp_path, tool, source, version="*", platforms="linux/x86_64, linux/aarch64", **more):
    """Return the *tool* as a manifest with this *source* locks it, after a way through the lock file."""
    asked = {"source": source, "version": version, **more}
    text = yaml.safe_dump({"platforms": platforms.split(", "), "tools": {tool: asked}})
    resolver = Resolver(
        lambda wanted: open_source(
            wanted.source,
            exact=wanted.exact,
            asset=wanted.asset,
            is_wanted=wanted.allows,
            platforms=wanted.platforms,
            cache_root=tmp_path,
        ),
        Cache(tmp_path),
        NOW,
        ProgressReport(lambda line: None),
    )
    found = resolver.resolve(manifest.parse(text), LockFile()).lock
    assert lockfile.parse(lockfile.emit(found)) == found
    return found.tools[tool]


def sha(algorithm, content):
    return hashlib.new(algorithm, content).hexdigest().encode()


# Publishers, as the guide has them.


KUBECTL = {
    f"/release/v1.34.2/bin/linux/{arch}/kubectl{ending}": content
    for arch, program in {"amd64": STATIC, "arm64": ARM}.items()
    for ending, content in {"": program, ".sha256": sha("sha256", program), ".sha512": sha("sha512", program)}.items()
}


@pytest.fixture
def kubernetes():
    tags = ["v1.35.0-rc.0", "v1.34.2", "v1.34.1", "v1.33.6"]
    releases = [FakeRelease(tag, is_prerelease="-" in tag) for tag in tags]
    with FakeGithub({"kubernetes/kubernetes": releases}) as github, Web(files(KUBECTL)) as web:
        source = on(web.url, guide_examples.declared("kubectl", "http"))
        source["versions"]["api_url"] = github.api_url
        yield source, web, github


def test_kubernetes_has_its_versions_on_github_and_its_files_elsewhere(kubernetes, tmp_path):
    source, web, _github = kubernetes
    tool = locked(tmp_path, "kubectl", source, "1.34.*")
    assert (tool.version, tool.published) == ("1.34.2", "2024-05-06T07:08:09Z")
    assert tool.source == source
    assert {asset.name: asset.url for asset in tool.assets} == {
        f"kubectl-linux-{arch}": f"{web.url}/release/v1.34.2/bin/linux/{arch}/kubectl" for arch in ("amd64", "arm64")
    }
    for asset in tool.assets:
        assert list(asset.executables) == ["kubectl"]
        assert [claim.origin for claim in asset.evidence.claims] == [f"{asset.url}.sha256"]


def test_only_the_chosen_version_is_asked_about_and_its_sidecars_tell_that_its_files_are_there(kubernetes):
    source, web, github = kubernetes
    releases = opened(source).releases()
    assert [(one.version, one.is_prerelease) for one in releases][:2] == [("1.35.0-rc.0", True), ("1.34.2", False)]
    assert web.questions == []
    assert len(github.web.questions) == 1
    assert releases[1].completed().file("kubectl-linux-amd64.sha256")
    assert web.paths == [f"/release/v1.34.2/bin/linux/{arch}/kubectl.sha256" for arch in ("amd64", "arm64")]


def test_a_version_that_the_manifest_names_needs_no_list(tmp_path):
    with Web(files(KUBECTL)) as web:
        source = on(web.url, guide_examples.declared("kubectl", "http"))
        del source["versions"]
        tool = locked(tmp_path, "kubectl", source, "1.34.2")
    assert (tool.version, tool.published, len(tool.assets)) == ("1.34.2", None, 2)


def test_without_a_list_and_without_a_version_the_manifest_is_told_both_ways():
    with pytest.raises(ReleaseError, match="do not say which versions there are") as failure:
        opened({"http": PLAIN}).releases()
    assert "versions: {github: owner/name}" in failure.value.fix
    assert 'version: "1.2.3"' in failure.value.fix


def test_helm_has_names_that_say_the_platform_and_sidecars_of_another_ending(tmp_path):
    content = {}
    for arch, program in {"amd64": STATIC, "arm64": ARM}.items():
        name = f"helm-v3.19.2-linux-{arch}.tar.gz"
        archive = made.archive("tar.gz", made.file(f"linux-{arch}/helm", program, 0o755))
        content |= {f"/{name}": archive, f"/{name}.sha256sum": sha("sha256", archive) + f"  {name}\n".encode()}
    with (
        FakeGithub({"helm/helm": [FakeRelease("v4.0.0"), FakeRelease("v3.19.2")]}) as github,
        Web(files(content)) as web,
    ):
        source = on(web.url, guide_examples.declared("helm", "http"))
        source["versions"]["api_url"] = github.api_url
        tool = locked(tmp_path, "helm", source, "3.*")
    assert [asset.name for asset in tool.assets] == [f"helm-v3.19.2-linux-{arch}.tar.gz" for arch in ("arm64", "amd64")]
    assert [list(asset.executables) for asset in tool.assets] == [["helm"], ["helm"]]
    assert all(asset.evidence.claims[0].origin == f"{asset.url}.sha256sum" for asset in tool.assets)


def test_gvisor_spells_architectures_as_manifests_do_and_states_sha512_alone(tmp_path):
    content = {}
    for arch, program in {"x86_64": STATIC, "aarch64": ARM}.items():
        place = f"/gvisor/releases/release/20251110/{arch}/runsc"
        content |= {place: program, f"{place}.sha512": sha("sha512", program) + b"  runsc\n"}
    with Web(files(content)) as web:
        source = on(web.url, guide_examples.declared("runsc", "http"))
        tool = locked(tmp_path, "runsc", source, "20251110")
    assert [asset.name for asset in tool.assets] == ["runsc-aarch64", "runsc-x86_64"]
    for asset in tool.assets:
        assert [claim.algorithm for claim in asset.evidence.claims] == ["sha512"]
        assert list(asset.executables) == ["runsc"]


def test_node_has_an_index_of_versions_and_one_sums_file_for_each(tmp_path):
    content = {"/index.json": json.dumps([{"version": "v22.9.0", "date": "2025-09-01", "lts": "Jod"}]).encode()}
    sums = b""
    for arch, program in {"x64": GNU, "arm64": ARM_GNU}.items():
        name = f"node-v22.9.0-linux-{arch}.tar.xz"
        content[f"/dist/v22.9.0/{name}"] = made.archive("tar.xz", made.file(f"{name[:-7]}/bin/node", program, 0o755))
        sums += sha("sha256", content[f"/dist/v22.9.0/{name}"]) + f"  {name}\n".encode()
    content["/dist/v22.9.0/SHASUMS256.txt"] = sums
    with Web(files(content)) as web:
        source = on(web.url, guide_examples.declared("node", "http"))
        source["versions"]["index"] = f"{web.url}/index.json"
        tool = locked(tmp_path, "node", source, "22.*", executables=["node"])
    assert (tool.version, tool.published, len(tool.assets)) == ("22.9.0", "2025-09-02T00:00:00Z", 2)
    assert {claim.origin for asset in tool.assets for claim in asset.evidence.claims} == {
        f"{web.url}/dist/v22.9.0/SHASUMS256.txt"
    }


def test_rustup_has_a_folder_for_each_target_triple_and_those_that_are_there_are_taken(tmp_path):
    content = {}
    programs = {
        "x86_64-unknown-linux-gnu": GNU,
        "x86_64-unknown-linux-musl": STATIC,
        "aarch64-unknown-linux-gnu": ARM_GNU,
    }
    for target, program in programs.items():
        place = f"/rustup/archive/1.28.2/{target}/rustup-init"
        content |= {place: program, f"{place}.sha256": sha("sha256", program) + b" *target/rustup-init\n"}
    with FakeGithub({"rust-lang/rustup": [FakeRelease("1.28.2")]}) as github, Web(files(content)) as web:
        source = on(web.url, guide_examples.declared("rustup-init", "http"))
        source["versions"]["api_url"] = github.api_url
        tool = locked(tmp_path, "rustup-init", source)
    assert [asset.name for asset in tool.assets] == [f"rustup-init-{target}" for target in sorted(programs)]
    assert [asset.target for asset in tool.assets] == sorted(programs)


def test_where_nothing_states_a_digest_the_file_is_pinned_as_downloaded(tmp_path):
    with Web(files({"/v1.0/linux/x86_64/tool": STATIC})) as web:
        tool = locked(tmp_path, "tool", on(web.url, {"http": PLAIN}), "1.0", platforms="linux/x86_64")
    [asset] = tool.assets
    assert (asset.sha256, asset.evidence.claims) == (hashlib.sha256(STATIC).hexdigest(), ())


# What is there.


def test_a_platform_without_a_file_is_told_with_the_address_that_was_asked():
    platforms = (X86_64_LINUX, PLATFORMS["linux/s390x"], PLATFORMS["macos/aarch64"])
    with Web(files({"/v1.0/linux/amd64/tool": b"x"})) as web:
        source = on(web.url, {"http": PLAIN, "arch": {"x86_64": "amd64"}, "os": {"macos": "darwin"}})
        [release] = opened(source, exact="1.0", platforms=platforms).releases()
        with pytest.raises(ReleaseError, match=r"version 1\.0 has no file for linux/s390x, macos/aarch64") as failure:
            release.completed()
    assert failure.value.expected == (f"a file at {web.url}/v1.0/linux/s390x/tool, {web.url}/v1.0/darwin/aarch64/tool")
    assert failure.value.found == "HTTP status 404"
    assert "arch: {x86_64: amd64}" in failure.value.fix


@pytest.mark.parametrize("ending", [".sha256", ".sha256sum", ".sha256.txt", ".sha512", ".sha512sum"])
def test_a_sidecar_of_each_usual_ending_is_found(ending):
    with Web(files({"/v1.0/linux/x86_64/tool": b"x", f"/v1.0/linux/x86_64/tool{ending}": b"y"})) as web:
        source = on(web.url, {"http": PLAIN})
        [release] = opened(source, exact="1.0", platforms=(X86_64_LINUX,)).releases()
        assert [one.name for one in release.completed().assets] == ["tool-linux-x86_64", f"tool-linux-x86_64{ending}"]


def test_the_ending_that_the_first_sidecar_has_is_asked_for_first_beside_the_others():
    places = [f"/v1.0/linux/{arch}/tool" for arch in ("x86_64", "aarch64")]
    with Web(files({f"{place}.sha512": b"x" for place in places})) as web:
        [release] = opened(on(web.url, {"http": PLAIN}), exact="1.0").releases()
        release.completed()
    assert web.paths == [
        *(f"{places[0]}{ending}" for ending in (".sha256", ".sha256sum", ".sha256.txt", ".sha512")),
        f"{places[1]}.sha512",
    ]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_storage_services_have_several_ways_to_say_that_a_file_is_not_there(status):
    with Web(lambda question: Answer(status)) as web:
        [release] = opened(on(web.url, {"http": PLAIN}), exact="1.0").releases()
        with pytest.raises(ReleaseError, match="has no file for") as failure:
            release.completed()
    assert failure.value.found == f"HTTP status {status}"


def test_nothing_is_looked_for_beside_an_address_with_a_query():
    with Web(files({"/get": b"x"})) as web:
        source = {"http": web.url + "/get?v={version}&arch={arch}"}
        [release] = opened(source, exact="1.0", platforms=(X86_64_LINUX,)).releases()
        assert [one.name for one in release.completed().assets] == ["get-x86_64"]
        assert release.file("get-x86_64.minisig") is None
    assert web.paths == ["/get"]


def test_a_server_that_fails_does_not_pass_for_one_without_sidecars():
    def answer(question):
        return Answer(500 if question.path.endswith(".sha256sum") else 404)

    with Web(answer) as web:
        [release] = opened(on(web.url, {"http": PLAIN}), exact="1.0").releases()
        with pytest.raises(ReleaseError, match="sha256sum was not served"):
            release.completed()


def test_digests_of_one_platform_alone_are_not_taken_for_those_of_all(tmp_path):
    content = {"/v1.0/linux/x86_64/tool": STATIC, "/v1.0/linux/aarch64/tool": ARM}
    content["/v1.0/linux/aarch64/tool.sha256"] = sha("sha256", ARM)
    with Web(files(content)) as web, pytest.raises(ReleaseError, match="none of tool-linux-x86_64"):
        locked(tmp_path, "tool", on(web.url, {"http": PLAIN}), "1.0")


def test_a_digest_that_is_another_refuses(tmp_path):
    content = {"/v1.0/linux/x86_64/tool": STATIC, "/v1.0/linux/x86_64/tool.sha256": sha("sha256", ARM)}
    with Web(files(content)) as web, pytest.raises(ReleaseError, match="is not what it should be"):
        locked(tmp_path, "tool", on(web.url, {"http": PLAIN}), "1.0", platforms="linux/x86_64")


@pytest.mark.parametrize(
    ("sums", "place", "line"),
    [
        ("SHA256SUMS", "/v1.0/linux/x86_64/SHA256SUMS", "tool"),
        ("../../SHA256SUMS", "/v1.0/SHA256SUMS", "linux/x86_64/tool"),
        ("/v{version}/SHA256SUMS", "/v1.0/SHA256SUMS", "./linux/x86_64/tool"),
        ("/all/{os}-{arch}.digest", "/all/linux-x86_64.digest", "/v1.0/linux/x86_64/tool"),
        ("tool.digest.sha256", "/v1.0/linux/x86_64/tool.digest.sha256", "tool"),
    ],
)
def test_a_sums_file_speaks_of_a_file_by_the_way_to_it(tmp_path, sums, place, line):
    content = {"/v1.0/linux/x86_64/tool": STATIC}
    content[place] = sha("sha256", ARM) + b"  linux/other/tool\n" + sha("sha256", STATIC) + f"  {line}\n".encode()
    with Web(files(content)) as web:
        source = on(web.url, {"http": PLAIN, "sums": sums})
        [asset] = locked(tmp_path, "tool", source, "1.0", platforms="linux/x86_64").assets
        assert [claim.origin for claim in asset.evidence.claims] == [web.url + place]
        content[place] = content[place].replace(sha("sha256", STATIC), b"0" * 64)
        with pytest.raises(ReleaseError, match="is not what it should be"):
            locked(tmp_path, "tool", source, "1.0", platforms="linux/x86_64")


def test_sums_files_of_one_name_in_different_folders_are_each_read(tmp_path):
    content = {}
    for arch, program in {"x86_64": STATIC, "aarch64": ARM}.items():
        place = f"/v1.0/linux/{arch}"
        content |= {f"{place}/tool": program, f"{place}/SHA256SUMS": sha("sha256", program) + b"  tool\n"}
    with Web(files(content)) as web:
        tool = locked(tmp_path, "tool", on(web.url, {"http": PLAIN, "sums": "SHA256SUMS"}), "1.0")
    assert all(asset.evidence.claims[0].origin == f"{asset.url[:-4]}SHA256SUMS" for asset in tool.assets)


def test_a_sums_file_that_the_manifest_names_must_be_there():
    with Web(files({"/v1.0/linux/x86_64/tool": b"x"})) as web:
        source = on(web.url, {"http": PLAIN, "sums": "SHA256SUMS"})
        [release] = opened(source, exact="1.0", platforms=(X86_64_LINUX,)).releases()
        with pytest.raises(ReleaseError, match="the sums file that the manifest names is not there") as failure:
            release.completed()
    assert failure.value.expected == f"a file at {web.url}/v1.0/linux/x86_64/SHA256SUMS"


def test_a_signature_lies_beside_the_file_whatever_it_is_called_here():
    with Web(files({"/v1.0/linux/x86_64/tool": b"x", "/v1.0/linux/x86_64/tool.minisig": b"y"})) as web:
        [release] = opened(on(web.url, {"http": PLAIN}), exact="1.0", platforms=(X86_64_LINUX,)).releases()
        found = release.completed().file("tool-linux-x86_64.minisig")
        assert found.url == f"{web.url}/v1.0/linux/x86_64/tool.minisig"
        assert release.file("tool-linux-x86_64.sig") is None
        assert release.file("tool.minisig") is None


# Versions.


def test_what_the_source_of_the_versions_says_of_them_counts(tmp_path):
    listed = [
        {"version": "2.0", "date": "2026-01-30T00:00:00Z"},
        {"version": "1.0", "date": "2026-01-02T00:00:00Z"},
    ]
    with Web(files({"/index.json": json.dumps(listed).encode()})) as web:
        source = {"http": PLAIN, "versions": {"index": f"{web.url}/index.json", "releases": "@"}}
        found = opened(source, is_wanted=lambda version: version == "1.0").releases()
    assert [(one.version, one.published, len(one.assets)) for one in found] == [
        ("2.0", None, 0),
        ("1.0", datetime(2026, 1, 2, tzinfo=timezone.utc), 2),
    ]


def test_versions_may_come_from_any_other_source_that_has_them(tmp_path):
    (tmp_path / "1.2").mkdir()
    (tmp_path / "1.2" / "tool").write_bytes(b"x")
    (tmp_path / "1.2" / "SHA256SUMS").write_bytes(sha("sha256", b"x") + b"  tool\n")
    [release] = opened({"http": PLAIN, "versions": {"directory": str(tmp_path)}}).releases()
    assert release.version == "1.2"


class Listing:
    """A source that knows one version, which its publisher withdrew."""

    def releases(self):
        return [Release("1.0", (), is_yanked=True)]


def test_a_version_that_its_source_withdrew_is_withdrawn_here():
    declaration = Declaration("http", PLAIN, platforms=(X86_64_LINUX,), versions=Listing())
    [release] = HttpSource(declaration).releases()
    assert release.is_yanked


def test_the_token_is_for_the_source_of_the_versions_alone():
    with FakeGithub({"a/b": [FakeRelease("v1.0")]}, tokens=frozenset({"secret"})) as github, Web(files({})) as web:
        source = on(web.url, {"http": PLAIN, "versions": {"github": "a/b", "api_url": github.api_url}})
        [release] = opened(source, token="secret").releases()
        with pytest.raises(ReleaseError):
            release.completed()
    assert github.web.questions[0].headers["Authorization"] == "Bearer secret"
    assert {question.headers["Authorization"] for question in web.questions} == {None}


def test_a_source_of_versions_that_fails_is_named():
    with FakeGithub({}) as github:
        source = {"http": PLAIN, "versions": {"github": "a/b", "api_url": github.api_url}}
        with pytest.raises(ReleaseError, match="GitHub repository a/b"):
            opened(source).releases()


# Names and addresses.


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{os}/{arch}/tool", ["tool-linux-x86_64", "tool-macos-aarch64"]),
        ("{os}/{arch}/tool.tar.gz", ["tool-linux-x86_64.tar.gz", "tool-macos-aarch64.tar.gz"]),
        ("{os}/tool_{arch}.zip", ["tool_x86_64-linux.zip", "tool_aarch64-macos.zip"]),
        ("tool-{version}-{os}-{arch}", ["tool-1.0-linux-x86_64", "tool-1.0-macos-aarch64"]),
        (
            "tool-{target}",
            ["tool-x86_64-unknown-linux-gnu", "tool-x86_64-unknown-linux-musl", "tool-aarch64-apple-darwin"],
        ),
        ("tool.sh", ["tool.sh"]),
        ("{arch}/tool.exe", ["tool-x86_64.exe", "tool-aarch64.exe"]),
        ("get?os={os}&arch={arch}", ["get-linux-x86_64", "get-macos-aarch64"]),
    ],
)
def test_a_name_has_what_only_the_folders_say_of_the_platform(template, names):
    platforms = (X86_64_LINUX, PLATFORMS["macos/aarch64"])
    source = {"http": f"https://example.org/{{version}}/{template}"}
    [release] = opened(source, exact="1.0", platforms=platforms).releases()
    assert [asset.name for asset in release.assets] == names


def test_the_ending_of_programs_for_windows_stands_where_the_address_has_it():
    source = {"http": "https://example.org/{version}/{os}/{arch}/tool{exe}"}
    platforms = (PLATFORMS["windows/x86_64"], X86_64_LINUX)
    [release] = opened(source, exact="1.0", platforms=platforms).releases()
    assert [asset.name for asset in release.assets] == ["tool-windows-x86_64.exe", "tool-linux-x86_64"]


def test_a_template_without_the_system_serves_each_architecture_of_linux_though_macos_is_asked_for_as_well():
    platforms = (X86_64_LINUX, AARCH64_LINUX, PLATFORMS["macos/aarch64"])
    source = {"http": "http://127.0.0.1:1/tool_{version}_{arch}.tgz", "arch": {"x86_64": "amd64", "aarch64": "arm64"}}
    [release] = opened(source, exact="1.2", platforms=platforms).releases()
    found = [propose(release.assets, "tool", "1.2", platform, asked=platforms) for platform in platforms]
    names = [[build.name for build in builds] for builds in found]
    assert names == [["tool_1.2_amd64.tgz"], ["tool_1.2_arm64.tgz"], []]


@pytest.mark.parametrize(
    ("platform", "name", "metadata"),
    [
        ("linux/armv7", "tool-linux-arm-v7", {"os": "linux", "cpu": "arm"}),
        ("linux/armv6", "tool-linux-armv6", {"os": "linux", "cpu": "arm"}),
        ("linux/powerpc64", "tool-linux-powerpc64", {"os": "linux"}),
        ("linux/powerpc64le", "tool-linux-powerpc64le", {"os": "linux", "cpu": "powerpc64le"}),
    ],
)
def test_architectures_have_the_words_of_platforms_where_the_publisher_has_no_others(platform, name, metadata):
    source = {"http": PLAIN, "arch": {"armv7": "arm/v7"}}
    [release] = opened(source, exact="1.0", platforms=(PLATFORMS[platform],)).releases()
    [asset] = release.assets
    assert (asset.name, asset.platform) == (name, metadata)
    assert [one.name for one in propose([asset], "tool", "1.0", PLATFORMS[platform])] == [name]


def test_one_file_may_be_for_several_platforms():
    source = {"http": PLAIN, "arch": {"x86_64": "all", "aarch64": "all"}}
    platforms = (PLATFORMS["macos/x86_64"], PLATFORMS["macos/aarch64"])
    [release] = opened(source, exact="1.0", platforms=platforms).releases()
    [asset] = release.assets
    assert (asset.name, asset.platform) == ("tool-macos-all", {"os": "macos"})


def test_files_of_two_addresses_that_would_have_one_name_are_refused():
    source = {"http": PLAIN, "os": {"linux": "a", "macos": "a-b"}, "arch": {"x86_64": "b-c", "aarch64": "c"}}
    platforms = (X86_64_LINUX, PLATFORMS["macos/aarch64"])
    with pytest.raises(ReleaseError, match="two files of one release are called tool-a-b-c"):
        opened(source, exact="1.0", platforms=platforms).releases()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"http": "https://example.org/{os}/tool"}, "the same address for all versions"),
        ({"http": "https://example.org/{version}/{cpu}/tool"}, "http cannot be filled in"),
        ({"http": "https://example.org/{version/tool"}, "http cannot be filled in"),
        ({"http": "https://example.org/{version}/"}, "http is the address of a folder"),
        ({"http": "/srv/{version}/tool"}, "not on the web"),
        ({"http": "ftp://example.org/{version}/tool"}, "not on the web"),
        ({"http": PLAIN, "sums": "{cpu}.txt"}, "sums cannot be filled in"),
        ({"http": PLAIN, "sums": "sums/"}, "sums is the address of a folder"),
        ({"http": PLAIN, "sums": "ftp://example.org/sums"}, "not on the web"),
    ],
)
def test_what_cannot_be_an_address_is_refused_before_anybody_is_asked(source, said):
    with pytest.raises(ReleaseError, match=said):
        opened(source, exact="1.0")


def test_an_unknown_placeholder_is_told_with_what_may_stand_there():
    with pytest.raises(ReleaseError) as caught:
        opened({"http": "https://example.org/{vresion}/tool"}, exact="1.0")
    assert (caught.value.found, caught.value.fix) == ("{vresion}", "correct http in the source of the manifest")
    assert (caught.value.expected or "").startswith("{version} {os}")


SPELLINGS = st.sampled_from(
    ["amd64", "x64", "arm/v7", "..", "a b", "%2F", "{os}", "\N{RIGHT-TO-LEFT OVERRIDE}", "é", "#?"]
)
STEPS = st.lists(
    st.sampled_from(["{os}", "{arch}", "{target}", "{version}", "tool", "-", "/", ".tar.gz", "{exe}", "?"])
)


@given(
    STEPS.map("".join),
    st.dictionaries(st.sampled_from(["x86_64", "aarch64", "armv7"]), SPELLINGS),
    st.lists(st.sampled_from(sorted(PLATFORMS.values(), key=str)), unique=True, max_size=6),
    st.sampled_from(["1.0", "1.0+k3s1", "2", "1/2", "..", "{os}"]),
)
@settings(max_examples=300)
def test_any_rule_gives_valid_files_of_different_names_or_the_one_error(steps, arch, platforms, version):
    source = {"http": f"https://example.org/{{version}}/{steps}", **({"arch": arch} if arch else {})}
    with contextlib.suppress(ReleaseError):
        [release] = opened(source, exact=version, platforms=tuple(platforms)).releases()
        names = [asset.name for asset in release.assets]
        assert len(names) == len(set(names))
        for asset in release.assets:
            assert is_file_name(asset.name)
            assert forms.URL.pattern.match(asset.url)
            assert asset.url.startswith("https://example.org/")
        for platform in platforms:
            [alone] = opened(source, exact=version, platforms=(platform,)).releases()
            assert {(one.name, one.url) for one in alone.assets} <= {(one.name, one.url) for one in release.assets}
