# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real registry on loopback, Debian's docker-registry, and a client that pushes to it as ORAS does. For tests."""

from __future__ import annotations

import contextlib
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
from ansible_collections.pinned.release.tests.fakes.registry import MANIFEST, TITLE, digest, document

PROGRAM = shutil.which("docker-registry")
needs_registry = pytest.mark.skipif(PROGRAM is None, reason="needs the program docker-registry: apt-get install it")
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
