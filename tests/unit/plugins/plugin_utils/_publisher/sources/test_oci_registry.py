# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real registry, Debian's docker-registry, filled as the distribution-spec has it: tags, pages, indexes, tokens; and
what a host downloads from it by itself."""

from __future__ import annotations

import hashlib
import json

import pytest
from ansible_collections.pinned.release.plugins.module_utils.download import download
from ansible_collections.pinned.release.plugins.module_utils.mirrors import Fetcher
from ansible_collections.pinned.release.plugins.module_utils.orders import Download
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import oci
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci import OciSource
from ansible_collections.pinned.release.tests.fakes.registry import INDEX
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.docker_registry import needs_registry, running
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import ARM, STATIC, Controller

pytestmark = needs_registry


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Run without the logins and the proxies of the machine."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))


def source(registry, name="org/tool"):
    return OciSource(Declaration("oci", f"{registry.url}/{name}"))


def push_index(registry, tag):
    parts = {"amd64": STATIC, "arm64": ARM}
    described = [
        {
            **registry.push("org/tool", f"{tag}-{architecture}", {"tool": content}),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for architecture, content in parts.items()
    ]
    registry.manifest("org/tool", tag, INDEX, {"manifests": described})


def test_what_was_pushed_is_listed_page_by_page_and_with_its_digests(tmp_path, monkeypatch):
    monkeypatch.setattr(oci, "PAGE_SIZE", 2)
    with running(tmp_path) as registry:
        for tag in ("v1.0", "v1.1", "v1.2", "v1.10", "latest"):
            registry.push("org/tool", tag, {"tool-linux-amd64": tag.encode(), "SHA256SUMS": b""})
        found = source(registry).releases()
    assert [release.version for release in found] == ["1.10", "1.2", "1.1", "1.0"]
    asset = found[0].file("tool-linux-amd64")
    assert (asset.size, asset.digests) == (5, {"sha256": hashlib.sha256(b"v1.10").hexdigest()})


def test_a_tool_is_locked_for_each_platform_of_an_index_and_downloaded_by_a_host(tmp_path):
    with running(tmp_path) as registry:
        push_index(registry, "1.2.3")
        text = f"""
            platforms: [linux/x86_64, linux/aarch64]
            tools: {{tool: {{source: {{oci: "{registry.url}/org/tool", tag: "{{version}}"}}, version: "==1.2.3"}}}}
        """
        locked = Controller(source(registry), tmp_path / "cache").resolve_text(text).lock.tools["tool"]
        for asset in locked.assets:
            download(asset.url, str(tmp_path / asset.name), asset.sha256, asset.size)
    assert {asset.name for asset in locked.assets} == {"tool-linux-amd64", "tool-linux-arm64"}
    assert (tmp_path / "tool-linux-arm64").read_bytes() == ARM


def test_blobs_come_through_a_registry_that_mirrors_another_one(tmp_path):
    """The second registry is a pull-through cache, as Docker's registry, Harbor, Artifactory and Nexus can be."""
    for folder in ("publisher", "mirror"):
        (tmp_path / folder).mkdir()
    with running(tmp_path / "publisher") as registry:
        registry.push("org/tool", "1.2.3", {"tool-linux-arm64": ARM})
        with running(tmp_path / "mirror", proxy={"remoteurl": registry.url}) as mirror:
            rules = mirrors.read([{"prefix": registry.url + "/", "to": mirror.url + "/", "upstream": False}])
            [release] = source(registry).releases()
            asset = release.file("tool-linux-arm64")
            cached = Cache(tmp_path / "cache", rules).fetch(asset, source(registry).session)
            urls = [place.url for place in rules.addresses(asset.url)]
            ordered = Download(asset.name, urls, len(ARM), asset.digests["sha256"], "raw", len(ARM))
            fetched = Fetcher(Pushed()).fetch(ordered, str(tmp_path / "tool"))
    assert cached.path.read_bytes() == (tmp_path / "tool").read_bytes() == ARM
    assert (urls, fetched.served_by) == ([asset.url.replace(registry.url, mirror.url)], 0)


def test_controller_and_host_answer_a_real_challenge(tmp_path):
    """The registry's access controller ``silly`` challenges as all do, and believes any token."""
    with Web(lambda question: Answer(200, json.dumps({"token": "x"}).encode())) as service:
        silly = {"silly": {"realm": f"{service.url}/token", "service": "registry"}}
        with running(tmp_path, auth=silly) as registry:
            registry.push("org/tool", "1.0", {"tool": b"program"})
            [release] = source(registry).releases()
            [asset] = release.assets
            download(asset.url, str(tmp_path / "tool"), asset.digests["sha256"], asset.size)
    scope = {"service": "registry", "scope": "repository:org/tool:pull"}
    assert [(question.path, question.query) for question in service.questions] == [("/token", scope)] * 2
    assert (tmp_path / "tool").read_bytes() == b"program"
