# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real registry, Debian's docker-registry, filled as the distribution-spec has it: tags, pages, indexes, tokens; and
what a host downloads from it by itself."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
import yaml
from ansible_collections.pinned.release.plugins.module_utils.download import download
from ansible_collections.pinned.release.plugins.module_utils.mirrors import Fetcher
from ansible_collections.pinned.release.plugins.module_utils.orders import Download
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import oci
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci import OciSource
from ansible_collections.pinned.release.tests.fakes.registry import INDEX, MANIFEST, TITLE, digest, document
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import ARM, STATIC, Controller

PROGRAM = shutil.which("docker-registry")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs the program docker-registry: apt-get install it")
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(b"{}"), "size": 2}
READY_IN_S = 30


@dataclass(frozen=True)
class Registry:
    """A running registry, and what a client that pushes sends with each request."""

    url: str
    headers: Mapping[str, str]

    def push(self, name: str, tag: str, files: Mapping[str, bytes]) -> dict[str, object]:
        """Push an artifact as ORAS does, and return its descriptor."""
        layers = [
            {**self.blob(name, content), "annotations": {TITLE: title}} for title, content in sorted(files.items())
        ]
        self.blob(name, b"{}")
        return self.manifest(name, tag, MANIFEST, {"config": EMPTY, "layers": layers})

    def blob(self, name: str, content: bytes) -> dict[str, object]:
        """Push a blob in one request, and return its descriptor."""
        opened = requests.post(f"{self.url}/v2/{name}/blobs/uploads/", headers=self.headers, timeout=30)
        opened.raise_for_status()
        place = urljoin(opened.url, opened.headers["Location"])
        done = requests.put(place, content, params={"digest": digest(content)}, headers=self.headers, timeout=30)
        done.raise_for_status()
        return {"mediaType": "application/octet-stream", "digest": digest(content), "size": len(content)}

    def manifest(self, name: str, tag: str, kind: str, body: Mapping[str, object]) -> dict[str, object]:
        """Push a manifest or an index, and return its descriptor."""
        content = document(kind, body)
        headers = {**self.headers, "Content-Type": kind}
        requests.put(f"{self.url}/v2/{name}/manifests/{tag}", content, headers=headers, timeout=30).raise_for_status()
        return {"mediaType": kind, "digest": digest(content), "size": len(content)}


@contextlib.contextmanager
def running(folder: Path, **more: object) -> Iterator[Registry]:
    """Run a registry that keeps everything in *folder*."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    settings = {"version": 0.1, "log": {"level": "error"}, "storage": storage, "http": {"addr": address}, **more}
    (folder / "registry.yml").write_text(yaml.safe_dump(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(PROGRAM), "serve", folder / "registry.yml"], stdout=log, stderr=log)
    try:
        until = time.monotonic() + READY_IN_S
        while not is_ready(f"http://{address}/v2/"):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield Registry(f"http://{address}", {"Authorization": "Bearer pusher"} if "auth" in more else {})
    finally:
        process.terminate()
        process.wait(30)


def is_ready(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(url, timeout=5).status_code in (200, 401)
    return False


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
            fetched = Fetcher().fetch(ordered, str(tmp_path / "tool"))
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
