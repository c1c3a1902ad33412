# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs that people run as their own Python index answer: recorded, and asked where they are installed."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.pypi import PypiSource
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web

READY_IN_S = 90
JSON = "application/vnd.pypi.simple.v1+json"
NAME = "little_tool-{}-py3-none-manylinux_2_17_x86_64.whl"
FIRST, SECOND = NAME.format("1.0"), NAME.format("1.1")
A, B = "de7e8443dd3c005bb8906d2ceb5adcd4" * 2, "1f5b0cf72616f2cd54a6d9a42bd37dfb" * 2

# pypiserver 2.4.2, "pypi-server run": HTML only, whatever is accepted; absolute paths; the oldest first.
PYPISERVER = f"""<!DOCTYPE html>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Links for little-tool</title>
    </head>
    <body>
        <h1>Links for little-tool</h1>
            <a href="/packages/{FIRST}#sha256={A}">{FIRST}</a><br>
            <a href="/packages/{SECOND}#sha256={B}">{SECOND}</a><br>
    </body>
</html>
"""
# devpi-server 6.20.3, an index without bases: relative addresses that lead out of the folder, requires-python empty,
# neither size nor date. In JSON no list of versions; in HTML the index's name before each link, the newest first.
DEVPI_JSON = {
    "meta": {"api-version": "1.0"},
    "name": "little-tool",
    "files": [
        {"filename": FIRST, "url": f"../../+f/de7/e8443dd3c/{FIRST}", "hashes": {"sha256": A}, "requires-python": ""},
        {"filename": SECOND, "url": f"../../+f/1f5/b0cf72616/{SECOND}", "hashes": {"sha256": B}, "requires-python": ""},
    ],
}
DEVPI_HTML = f"""<!DOCTYPE html><html lang="en"><head><title>root/dev: links for little-tool</title></head><body>
<h1>root/dev: links for little-tool</h1>
root/dev <a href="../../+f/1f5/b0cf72616/{SECOND}#sha256={B}" data-requires-python="">{SECOND}</a><br>
root/dev <a href="../../+f/de7/e8443dd3c/{FIRST}#sha256={A}" data-requires-python="">{FIRST}</a><br>
</body></html>"""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the proxies and the netrc of the machine."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


@pytest.mark.parametrize(
    ("path", "body", "kind", "place"),
    [
        ("/simple/", PYPISERVER, "text/html; charset=UTF-8", "/packages/"),
        ("/root/dev/+simple/", DEVPI_HTML, "text/html; charset=UTF-8", "/root/dev/+f/de7/e8443dd3c/"),
        (
            "/root/dev/+simple",
            json.dumps(DEVPI_JSON),
            "application/vnd.pypi.simple.v1+json",
            "/root/dev/+f/de7/e8443dd3c/",
        ),
    ],
)
def test_recorded_answers_are_understood(path, body, kind, place):
    with Web(lambda question: Answer(200, body.encode(), {"Content-Type": kind})) as web:
        found = PypiSource(Declaration("pypi", "little-tool", {"index": web.url + path})).releases()
    assert web.paths == [f"{path.rstrip('/')}/little-tool/"]
    [asset] = next(release.assets for release in found if release.version == "1.0")
    assert {release.version for release in found} == {"1.0", "1.1"}
    assert (asset.url, dict(asset.digests)) == (f"{web.url}{place}{FIRST}", {"sha256": A})


def wheels(folder: Path) -> list[Path]:
    """Write two wheels into *folder*, as small as an index accepts."""
    made = []
    for version in ("1.0", "1.1"):
        path = folder / NAME.format(version)
        with zipfile.ZipFile(path, "w") as wheel:
            about = f"little_tool-{version}.dist-info"
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: little-tool\nVersion: {version}\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-manylinux_2_17_x86_64\n")
            wheel.writestr(f"{about}/RECORD", "")
        made.append(path)
    return made


@contextlib.contextmanager
def running(command: list[str], folder: Path) -> Iterator[str]:
    """Run a server that takes ``--port`` or ``-p``, where PORT stands, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([port if word == "PORT" else word for word in command], stdout=log, stderr=log)
    try:
        until = time.monotonic() + READY_IN_S
        while True:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"http://127.0.0.1:{port}/", timeout=10)
                break
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def found_at(index: str, folder: Path) -> list[str]:
    """Return the versions in an index, of which each file has the digest that is listed."""
    source = PypiSource(Declaration("pypi", "little-tool", {"index": index}))
    found = source.releases()
    for release in found:
        [asset] = release.assets
        assert asset.digests["sha256"]
        Cache(folder / "cache").fetch(asset, source.session)
    with pytest.raises(ReleaseError, match="does not exist"):
        PypiSource(Declaration("pypi", "no-such-tool", {"index": index})).releases()
    return sorted(release.version for release in found)


@pytest.mark.skipif(shutil.which("pypi-server") is None, reason="needs the program pypi-server: pip install pypiserver")
def test_a_running_pypiserver_is_read(tmp_path):
    (tmp_path / "packages").mkdir()
    wheels(tmp_path / "packages")
    command = ["pypi-server", "run", "-i", "127.0.0.1", "-p", "PORT", "--disable-fallback", str(tmp_path / "packages")]
    with running(command, tmp_path) as url:
        assert found_at(f"{url}/simple/", tmp_path) == ["1.0", "1.1"]


@pytest.mark.skipif(shutil.which("devpi-init") is None, reason="needs the program devpi-server: pip install it")
def test_a_running_devpi_is_read(tmp_path):
    folder = str(tmp_path / "devpi")
    subprocess.run(["devpi-init", "--serverdir", folder, "--no-root-pypi"], check=True, capture_output=True)
    with running(["devpi-server", "--serverdir", folder, "--host", "127.0.0.1", "--port", "PORT"], tmp_path) as url:
        login = requests.post(f"{url}/+login", json={"user": "root", "password": ""}, timeout=60).json()["result"]
        session = requests.Session()
        session.headers["X-Devpi-Auth"] = base64.b64encode(f"root:{login['password']}".encode()).decode()
        session.put(f"{url}/root/dev", json={"bases": []}, timeout=60).raise_for_status()
        for path in wheels(tmp_path):
            version = path.name.split("-")[1]
            about = {":action": "file_upload", "name": "little-tool", "version": version, "metadata_version": "2.1"}
            content = {"content": (path.name, path.read_bytes())}
            session.post(f"{url}/root/dev/", data=about, files=content, timeout=60).raise_for_status()
        assert found_at(f"{url}/root/dev/+simple/", tmp_path) == ["1.0", "1.1"]
