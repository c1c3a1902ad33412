# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OCI registry on loopback: tags, manifests, platforms, and what hostile ones send."""

from __future__ import annotations

import contextlib
import itertools
import json
from datetime import datetime, timezone

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import oci
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci import OciSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.fakes.registry import (
    INDEX,
    MANIFEST,
    TITLE,
    FakeArtifact,
    FakeIndex,
    FakeRegistry,
    digest,
    document,
    said,
)
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import STATIC, Controller
from hypothesis import given, settings
from hypothesis import strategies as st

TOOL = FakeArtifact({"tool-linux-amd64": b"program"})
HEX = "a" * 64


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Run without the logins and the proxies of the machine, and wait for nobody."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def source(registry, cache_root=None, exact=None, is_wanted=lambda version: True, **options):
    given = Declaration("oci", registry.name, options, None, cache_root, exact=exact, is_wanted=is_wanted)
    return OciSource(given)


def versions(tags, **options):
    """Return the versions of an artifact with these tags."""
    with FakeRegistry(dict.fromkeys(tags, TOOL)) as registry:
        return [release.version for release in source(registry, **options).releases()]


def assets(what):
    """Return the assets of a version whose tag leads to this."""
    with FakeRegistry({"v1.0": what}) as registry:
        [release] = source(registry).releases()
    return release.assets


def test_a_tag_is_a_version_and_a_layer_with_a_title_is_a_file():
    with FakeRegistry({"v1.2.3": TOOL}) as registry:
        [release] = source(registry).releases()
    assert (release.version, release.is_prerelease) == ("1.2.3", False)
    assert release.published == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    url, sha256 = registry.blob(b"program"), digest(b"program").removeprefix("sha256:")
    assert release.assets == (Asset("tool-linux-amd64", url, len(b"program"), {"sha256": sha256}),)
    assert registry.web.paths == ["/v2/org/tool/tags/list", "/v2/org/tool/manifests/v1.2.3"]


@pytest.mark.parametrize(
    ("tags", "options", "expected"),
    [
        (["v1.9", "v1.10", "latest", "nightly"], {}, ["1.10", "1.9"]),
        (["1", "1.2", "1.2.3", "1.2.4", "2"], {}, ["2", "1.2.4", "1.2.3"]),  # 1 and 1.2 move on
        (["1.2", "1.2.3"], {"exact": "1.2"}, ["1.2.3", "1.2"]),
        ([f"sha256-{HEX}", f"sha256-{HEX}.sig", f"sha256-{HEX}.att", "1.0"], {}, ["1.0"]),
        (["cli-1.0", "lsp-2.0"], {"tag": "cli-{version}"}, ["1.0"]),
        (["tool-1.0", "v1.1", "1.0"], {}, ["1.1", "1.0"]),
        (["1.0-linux-amd64"], {"tag": "{version}-linux-amd64"}, ["1.0"]),
    ],
)
def test_versions_are_read_from_tags_newest_first(tags, options, expected):
    assert versions(tags, **options) == expected


def test_several_products_ask_for_a_pattern():
    with pytest.raises(ReleaseError, match="several products") as failure:
        versions(["cli-1.0", "lsp-2.0"])
    assert "tag: cli-{version}" in failure.value.fix


def test_tags_without_a_version_are_named():
    with pytest.raises(ReleaseError, match="no tag that names a version") as failure:
        versions(["latest", "main"])
    assert "latest, main" in failure.value.found


def test_every_page_is_read():
    with FakeRegistry({f"1.{number}": TOOL for number in range(7)}, page_size=3) as registry:
        found = source(registry, is_wanted=lambda version: version == "1.0").releases()
    assert {release.version for release in found} == {f"1.{number}" for number in range(7)}
    assert registry.web.paths.count("/v2/org/tool/tags/list") == 3


def test_only_wanted_versions_are_asked_for_and_the_newest_of_many(monkeypatch):
    monkeypatch.setattr(oci, "VERSIONS_LIMIT", 2)
    with FakeRegistry({f"1.{number}": TOOL for number in range(7)}) as registry:
        found = source(registry, is_wanted=lambda version: version != "1.6").releases()
    assert [(release.version, bool(release.assets)) for release in found[:2]] == [("1.5", True), ("1.4", True)]
    assert {release.version for release in found[2:] if not release.assets} == {"1.0", "1.1", "1.2", "1.3", "1.6"}
    asked = [path for path in registry.web.paths if "manifests" in path]
    assert sorted(asked) == ["/v2/org/tool/manifests/1.4", "/v2/org/tool/manifests/1.5"]


def test_an_index_leads_to_the_files_of_each_platform_which_metadata_names():
    parts = {"linux/amd64": FakeArtifact({"tool.x": b"1"}), "darwin/arm64": FakeArtifact({"tool.y": b"2"})}
    found = assets(FakeIndex(parts))
    assert {asset.name: dict(asset.platform) for asset in found} == {
        "tool.x": {"os": "linux", "cpu": "amd64"},
        "tool.y": {"os": "darwin", "cpu": "arm64"},
    }


@pytest.mark.parametrize(
    ("title", "platform", "name"),
    [
        ("tool", "linux/amd64", "tool-linux-amd64"),
        ("tool.tar.gz", "linux/arm/v7", "tool-linux-armv7.tar.gz"),
        ("tool.exe", "windows/amd64", "tool-windows-amd64.exe"),
        ("tool", "linux/arm64/v8", "tool-linux-arm64"),
    ],
)
def test_one_title_for_several_platforms_gets_the_words_of_each(title, platform, name):
    parts = {platform: FakeArtifact({title: b"1"}), "linux/s390x": FakeArtifact({title: b"2"})}
    assert name in [asset.name for asset in assets(FakeIndex(parts))]


def test_one_file_for_several_platforms_is_one_asset():
    [asset] = assets(FakeIndex({"linux/amd64": TOOL, "darwin/arm64": TOOL}))
    assert (asset.name, asset.platform) == ("tool-linux-amd64", {})


def test_two_files_of_one_name_are_refused():
    parts = {"linux/arm64": FakeArtifact({"tool": b"1"}), "linux/arm64/v8": FakeArtifact({"tool": b"2"})}
    with pytest.raises(ReleaseError, match="two files of one artifact are called tool"):
        assets(FakeIndex(parts))


@pytest.mark.parametrize(
    ("title", "layer", "name"),
    [
        ("linux-amd64/tool", "application/x", "linux-amd64-tool"),
        ("./tool", "application/x", "tool"),
        ("dist", "application/vnd.oci.image.layer.v1.tar+gzip", "dist.tar.gz"),
        ("tool.tgz", "application/vnd.oci.image.layer.v1.tar+gzip", "tool.tgz"),
    ],
)
def test_a_title_becomes_the_name_of_a_file(title, layer, name):
    [asset] = assets(FakeArtifact({title: b"1"}, layer=layer))
    assert asset.name == name


@pytest.mark.parametrize("title", ["../tool", "a/../../tool"])
def test_a_title_that_leads_out_of_its_folder_is_refused(title):
    with pytest.raises(ReleaseError, match="could not be understood"):
        assets(FakeArtifact({title: b"1"}))


@pytest.mark.parametrize("created", [None, "yesterday", "0001-01-01T00:00:00+23:00"])
def test_without_a_readable_date_there_is_none(created):
    with FakeRegistry({"1.0": FakeArtifact({"tool": b"1"}, created)}) as registry:
        [release] = source(registry).releases()
    assert release.published is None


def test_an_index_is_as_young_as_its_youngest_part():
    parts = {
        "linux/amd64": FakeArtifact({"a": b"1"}, "2026-01-01T00:00:00Z"),
        "linux/arm64": FakeArtifact({"b": b"2"}, "2026-02-01T00:00:00Z"),
    }
    with FakeRegistry({"1.0": FakeIndex(parts)}) as registry:
        [release] = source(registry).releases()
    assert release.published == datetime(2026, 2, 1, tzinfo=timezone.utc)


def test_a_container_image_is_no_artifact_with_files():
    with FakeRegistry({"1.0": TOOL}) as registry:
        image = document(MANIFEST, {"config": {}, "layers": [{"mediaType": "x", "digest": digest(b""), "size": 0}]})
        registry.instead = {"/v2/org/tool/manifests/1.0": Answer(200, image)}
        with pytest.raises(ReleaseError, match="has no files") as failure:
            source(registry).releases()
    assert "oras push" in failure.value.fix


def test_parts_of_an_index_that_are_about_others_are_left_out():
    """An attestation, as Docker's buildx adds it: for the platform unknown/unknown."""
    with FakeRegistry(
        {"1.0": FakeIndex({"linux/amd64": TOOL, "unknown/unknown": FakeArtifact({"x": b""})})}
    ) as registry:
        [release] = source(registry).releases()
    assert [asset.name for asset in release.assets] == ["tool-linux-amd64"]
    assert len(registry.web.questions) == 3


def test_a_tool_is_locked_from_a_registry_by_the_digests_that_it_states(tmp_path):
    parts = {"linux/amd64": FakeArtifact({"tool": STATIC}), "windows/amd64": FakeArtifact({"tool": b"MZ"})}
    with FakeRegistry({"1.2.3": FakeIndex(parts)}, access="bearer", stored=True) as registry:
        text = f"""
            platforms: [linux/x86_64]
            tools: {{tool: {{source: {{oci: "{registry.name}"}}}}}}
        """
        locked = Controller(source(registry), tmp_path).resolve_text(text).lock.tools["tool"]
    [asset] = locked.assets
    assert (locked.version, asset.name, asset.size) == ("1.2.3", "tool-linux-amd64", len(STATIC))
    assert asset.url == registry.blob(STATIC)
    assert [claim.origin for claim in asset.evidence.claims] == ["listing"]


# What hostile registries send


def faulty(path, answer, tags=None):
    """Ask a registry that answers so for one path."""
    with FakeRegistry(tags or {"1.0": TOOL}) as registry:
        registry.instead = {f"/v2/org/tool/{path}": answer}
        return source(registry).releases()


@pytest.mark.parametrize("stated", [digest(b"other"), "sha256:abc", "md5:0", f"sha256:{HEX.upper()}"])
def test_a_manifest_must_have_the_digest_that_the_registry_states(stated):
    body = document(MANIFEST, {"config": {}, "layers": []})
    with pytest.raises(ReleaseError, match=r"does not serve the manifest 1\.0|cannot be compared"):
        faulty("manifests/1.0", Answer(200, body, {"Docker-Content-Digest": stated}))


def test_a_part_of_an_index_must_have_the_digest_that_the_index_states():
    tags = {"1.0": FakeIndex({"linux/amd64": TOOL})}
    with FakeRegistry(tags) as registry:
        [part] = json.loads(registry.content[registry.heads["1.0"]][1])["manifests"]
        other = document(MANIFEST, {"config": {}, "layers": []})
        registry.instead = {f"/v2/org/tool/manifests/{part['digest']}": Answer(200, other)}
        with pytest.raises(ReleaseError, match="does not serve") as failure:
            source(registry).releases()
    assert failure.value.expected == part["digest"].replace(":", " ")


LAYER = {"mediaType": "x", "digest": digest(b""), "size": 0, "annotations": {TITLE: "tool"}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"layers": [LAYER], "manifests": []},
        {"layers": 5},
        {"layers": [5]},
        {"layers": [{**LAYER, "digest": "sha256:../../x"}]},
        {"layers": [{**LAYER, "digest": 5}]},
        {"layers": [{**LAYER, "size": -1}]},
        {"layers": [{**LAYER, "size": True}]},
        {"layers": [{**LAYER, "size": 2**60}]},
        {"layers": [{**LAYER, "annotations": 5}]},
        {"layers": [{**LAYER, "platform": {"os": "linux\n"}}]},
        {"layers": [LAYER] * 2001},
        {"layers": [LAYER], "mediaType": INDEX},
        {"layers": [LAYER], "mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"},
    ],
)
def test_what_is_no_manifest_is_one_clear_error(body):
    with pytest.raises(ReleaseError, match="could not be understood"):
        faulty("manifests/1.0", Answer(200, document(MANIFEST, body)))


def test_what_could_be_read_as_an_index_or_as_a_manifest_is_neither():
    for kind in (INDEX, MANIFEST):
        body = document(kind, {"manifests": [], "config": {}, "layers": [LAYER]})
        with pytest.raises(ReleaseError, match="could not be understood"):
            faulty("manifests/1.0", Answer(200, body, {"Content-Type": kind}))


def test_an_index_inside_of_an_index_is_refused():
    with FakeRegistry({"1.0": TOOL}) as registry:
        head = registry.content[registry.heads["1.0"]][1]
        part = {"mediaType": MANIFEST, "digest": digest(head), "size": len(head)}
        inner = document(INDEX, {"manifests": [part]})
        outer = document(INDEX, {"manifests": [{**part, "digest": digest(inner), "size": len(inner)}]})
        registry.content[digest(inner)] = (INDEX, inner)
        registry.instead = {"/v2/org/tool/manifests/1.0": Answer(200, outer)}
        with pytest.raises(ReleaseError, match="an index inside of an index"):
            source(registry).releases()


def test_a_list_that_continues_on_another_server_is_refused():
    more = {"Link": '<https://elsewhere.example.org/v2/org/tool/tags/list>; rel="next"'}
    with pytest.raises(ReleaseError, match="another server"):
        faulty("tags/list", Answer(200, b'{"tags": ["1.0"]}', more))


def test_a_list_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(oci, "PAGES_LIMIT", 5)
    more = {"Link": '</v2/org/tool/tags/list?last=1.0>; rel="next"'}
    with pytest.raises(ReleaseError, match="without end"):
        faulty("tags/list", Answer(200, b'{"tags": ["1.0"]}', more))


def test_a_registry_that_does_not_know_the_artifact_says_so():
    with pytest.raises(ReleaseError, match="does not exist, or is not public") as failure:
        faulty("tags/list", said(404, "NAME_UNKNOWN", "repository name not known to registry"))
    assert "docker login" in failure.value.fix


def test_a_refusal_is_told_in_the_registrys_own_words():
    with pytest.raises(ReleaseError, match="was not served") as failure:
        faulty("manifests/1.0", said(403, "DENIED", "blocked by policy"))
    assert failure.value.found == "HTTP status 403 Forbidden: DENIED blocked by policy"


@pytest.mark.parametrize(
    "name",
    [
        *("", "tool", "ghcr.io/", "ghcr.io/Org/tool", "ghcr.io/org//tool", "ghcr.io/org/../tool", "ghcr.io:x/org/tool"),
        *("ghcr.io/org/tool:1.0", "ghcr.io/org/tool@sha256:0", "ftp://ghcr.io/org/tool", "ghcr.io/" + "a" * 600),
    ],
)
def test_what_names_no_artifact_is_refused_before_asking(name):
    with pytest.raises(ReleaseError, match="is not valid") as failure:
        OciSource(Declaration("oci", name))
    assert "ghcr.io/owner/tool" in failure.value.expected


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("ghcr.io/org/tool", "https://ghcr.io/v2/org/tool"),
        ("http://registry.example.org:5000/a", "http://registry.example.org:5000/v2/a"),
        ("docker.io/org/tool", "https://registry-1.docker.io/v2/org/tool"),
        ("GHCR.io/org/a__b/c-d", "https://ghcr.io/v2/org/a__b/c-d"),
    ],
)
def test_a_name_says_which_registry_is_asked(name, place):
    assert OciSource(Declaration("oci", name))._place == place


KEYS = ["mediaType", "layers", "manifests", "digest", "size", "annotations", TITLE, "platform", "os", "tags"]
WORDS = st.sampled_from([MANIFEST, INDEX, digest(b""), "1.0", "tool", "../x"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 5) | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=8,
)


@settings(max_examples=60)
@given(json_values, st.binary(max_size=20))
def test_no_answer_raises_anything_but_the_one_error(content, text):
    layers = {"layers": [{**LAYER, **(content if isinstance(content, dict) else {})}]}
    bodies = [json.dumps(content).encode(), document(MANIFEST, {"layers": content}), document(MANIFEST, layers)]
    bodies += [text, document(INDEX, {"manifests": content})]
    listed = json.dumps({"tags": ["1.0"]}).encode()

    def answer(question):
        way, number = question.path.split("/")[2:4]
        if way == "bare":
            return Answer(200, bodies[int(number)])
        is_list = question.path.endswith("list")
        return Answer(200, listed if is_list else bodies[int(number)], {"Content-Type": MANIFEST})

    with Web(answer) as web:
        for way, number in itertools.product(("typed", "bare"), range(len(bodies))):
            with contextlib.suppress(ReleaseError):
                OciSource(Declaration("oci", f"{web.url}/{way}/{number}")).releases()
