# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web servers that not everybody may read: passwords, authorities of one's own, certificates of clients, proxies.

Each source that reads plain web servers gets versions, digests and bytes from them, nginx and squid included.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import claims
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import PLATFORMS
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web, files, loopback_tls

CONTENT = b"a program"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SERVED = {
    "/index.json": json.dumps([{"version": "1.0", "assets": ["v1.0/tool"], "sums": "v1.0/SHA256SUMS"}]).encode(),
    "/v1.0/tool": CONTENT,
    "/v1.0/tool.sha256": DIGEST.encode(),
    "/v1.0/SHA256SUMS": f"{DIGEST}  tool\n".encode(),
}
SOURCES = {
    "directory": {"directory": "URL/v{version}/"},
    "http": {"http": "URL/v{version}/tool"},
    "http, versions elsewhere": {
        "http": "URL/v{version}/tool",
        "versions": {"index": "URL/index.json", "releases": "[].{version: version}"},
    },
    "index": {"index": "URL/index.json", "releases": "@"},
}
USER_AND_PASSWORD = "Basic " + base64.b64encode(b"ada:hunter2").decode()

pytestmark = pytest.mark.parametrize("declared", SOURCES.values(), ids=SOURCES)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the machine's proxies, authorities and passwords, and wait for nobody."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CLIENT_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login ada password hunter2\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


def fetched(declared: dict[str, object], url: str, folder: Path) -> bytes:
    """Return the bytes of the tool from the server at *url*, after they were compared with its digests."""
    placed = json.loads(json.dumps(declared).replace("URL", url))
    source = open_source(placed, exact="1.0", platforms=(PLATFORMS["linux/x86_64"],), cache_root=folder)
    [release] = source.releases()
    release = release.completed()
    asset = release.file("tool")
    cache = Cache(folder)
    stated = claims.collect(asset, release, cache.reader(source.session))
    assert {claim.value for claim in stated.claims} == {DIGEST}
    return cache.fetch(asset, source.session).path.read_bytes()


def identity(folder: Path) -> Path:
    """Return a new file with a certificate and its key, which is made in the new *folder*."""
    folder.mkdir()
    loopback_tls(folder)
    path = folder / "identity.pem"
    path.write_bytes((folder / "certificate.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return path


def asking_for(client: Path, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS context that asks for the certificate of the *client*, and the file that clients trust."""
    folder.mkdir()
    context, authority = loopback_tls(folder)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client.with_name("certificate.pem"))
    return context, authority


def test_a_password_in_netrc_opens_the_server(declared, tmp_path, netrc):
    def answer(question: Question) -> Answer:
        is_right = question.headers["Authorization"] == USER_AND_PASSWORD
        return files(SERVED)(question) if is_right else Answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    with Web(answer) as web:
        assert fetched(declared, web.url, tmp_path) == CONTENT


def test_without_the_password_the_refusal_says_what_is_missing(declared, tmp_path):
    with Web(lambda question: Answer(401)) as web, pytest.raises(ReleaseError, match="was not served") as failure:
        fetched(declared, web.url, tmp_path)
    assert failure.value.fix == "give credentials that may read this"


def test_a_password_does_not_follow_to_another_server(declared, tmp_path, netrc, monkeypatch):
    def moved(question: Question) -> Answer:
        there = f"{elsewhere.url.replace('127.0.0.1', 'localhost')}{question.path}"
        return Answer(302, headers={"Location": there})

    with Web(files(SERVED)) as elsewhere, Web(moved) as web:
        fetched(declared, web.url, tmp_path)
    assert {question.headers["Authorization"] for question in web.questions} == {USER_AND_PASSWORD}
    assert {question.headers["Authorization"] for question in elsewhere.questions} == {None}


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(declared, tmp_path, monkeypatch):
    context, authority = loopback_tls(tmp_path)
    with Web(files(SERVED), context) as web:
        with pytest.raises(ReleaseError, match="could not be trusted"):
            fetched(declared, web.url, tmp_path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        assert fetched(declared, web.url, tmp_path) == CONTENT


def test_a_server_that_asks_for_a_certificate_gets_the_one_that_is_named(declared, tmp_path, monkeypatch):
    client = identity(tmp_path / "client")
    context, authority = asking_for(client, tmp_path / "server")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with Web(files(SERVED), context) as web:
        # Some versions of OpenSSL see that the connection ends before they see why.
        with pytest.raises(
            ReleaseError, match=r"asks the controller for a certificate|could not be trusted"
        ) as failure:
            fetched(declared, web.url, tmp_path)
        assert "SSL_CLIENT_CERT" in failure.value.fix
        monkeypatch.setenv("SSL_CLIENT_CERT", str(identity(tmp_path / "stranger")))
        with pytest.raises(ReleaseError, match=r"does not accept the certificate|could not be trusted"):
            fetched(declared, web.url, tmp_path)
        monkeypatch.setenv("SSL_CLIENT_CERT", str(client))
        assert fetched(declared, web.url, tmp_path) == CONTENT


def test_a_proxy_is_asked_for_everything(declared, tmp_path, monkeypatch):
    with Web(files(SERVED)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//ada:hunter2@"))
        assert fetched(declared, "http://releases.invalid", tmp_path) == CONTENT
    assert {question.headers["Host"] for question in proxy.questions} == {"releases.invalid"}
    assert {question.headers["Proxy-Authorization"] for question in proxy.questions} == {USER_AND_PASSWORD}


NGINX = """
daemon off; master_process off; pid PLACE/nginx.pid; error_log PLACE/error.log;
events {}
http {
    access_log off;
    client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
    uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
    server {
        listen 127.0.0.1:PORT ssl;
        ssl_certificate PLACE/server/certificate.pem; ssl_certificate_key PLACE/server/key.pem;
        ssl_client_certificate PLACE/client/certificate.pem; ssl_verify_client on;
        auth_basic "releases"; auth_basic_user_file PLACE/passwords;
        root PLACE/served;
    }
}
"""


@pytest.fixture
def nginx(tmp_path) -> Iterator[str]:
    """Run an nginx that asks for a certificate and a password, and yield its address."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    identity(tmp_path / "client")
    identity(tmp_path / "server")
    for path, content in SERVED.items():
        place = tmp_path / "served" / path.strip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (tmp_path / "passwords").write_text("ada:{PLAIN}hunter2\n")
    port = _free_port()
    configuration = NGINX.replace("PLACE", str(tmp_path)).replace("PORT", str(port))
    (tmp_path / "nginx.conf").write_text(configuration)
    server = subprocess.Popen([program, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
    try:
        _wait_for(port, server)
        yield f"https://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{server.args[0]} does not answer")


def test_nginx_gets_its_certificate_and_its_password(declared, tmp_path, nginx, netrc, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server" / "certificate.pem"))
    with pytest.raises(ReleaseError, match="was not served") as failure:
        fetched(declared, nginx, tmp_path)
    assert "SSL_CLIENT_CERT" in failure.value.fix
    monkeypatch.setenv("SSL_CLIENT_CERT", str(tmp_path / "client" / "identity.pem"))
    assert fetched(declared, nginx, tmp_path) == CONTENT
    monkeypatch.setenv("NETRC", "/dev/null")
    with pytest.raises(ReleaseError, match="was not served") as failure:
        fetched(declared, nginx, tmp_path)
    assert failure.value.fix == "give credentials that may read this"


SQUID = """
http_port 127.0.0.1:PORT
visible_hostname squid.invalid
dns_nameservers 127.0.0.1
pid_filename none
cache_log /dev/null
access_log stdio:PLACE/access.log
netdb_filename none
pinger_enable off
cache deny all
shutdown_lifetime 0 seconds
auth_param basic program HELPER PLACE/passwords
auth_param basic realm releases
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""


@dataclass(frozen=True)
class Squid:
    """A squid that runs, and what it was asked for."""

    port: int
    log: Path

    def address(self, password: str) -> str:
        return f"http://ada:{password}@127.0.0.1:{self.port}"

    def asked_for(self) -> set[str]:
        """Return each method and place of which it notes that it let somebody through."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return {f"{words[5]} {words[6]}" for words in lines if words[3].endswith("/200")}


@pytest.fixture
def squid() -> Iterator[Squid]:
    """Run a squid that asks for a password. Started by root it becomes another user, who must be able to read all."""
    program = shutil.which("squid") or shutil.which("squid", path="/usr/sbin:/usr/local/sbin")
    helper = shutil.which("basic_ncsa_auth", path="/usr/lib/squid:/usr/lib64/squid:/usr/libexec/squid")
    if program is None or helper is None:
        pytest.skip("squid is not installed")
    with tempfile.TemporaryDirectory(prefix="squid") as name:
        place, port = Path(name), _free_port()
        place.chmod(0o755)
        (place / "passwords").write_text(f"ada:{hashlib.md5(b'hunter2', usedforsecurity=False).hexdigest()}\n")
        (place / "passwords").chmod(0o644)
        (place / "access.log").touch()
        (place / "access.log").chmod(0o666)
        configuration = SQUID.replace("PLACE", name).replace("PORT", str(port)).replace("HELPER", helper)
        (place / "squid.conf").write_text(configuration)
        server = subprocess.Popen([program, "-N", "-f", str(place / "squid.conf")], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port, server)
            yield Squid(port, place / "access.log")
        finally:
            server.kill()  # To end by itself takes it two seconds.
            server.wait()


def test_squid_gets_its_password_and_the_server_behind_it_is_verified(declared, tmp_path, squid, monkeypatch):
    context, authority = loopback_tls(tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", squid.address("hunter2"))
    with Web(files(SERVED), context) as web:
        with pytest.raises(ReleaseError, match="could not be trusted"):
            fetched(declared, web.url, tmp_path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        assert fetched(declared, web.url, tmp_path) == CONTENT
    assert squid.asked_for() == {f"CONNECT {web.url.removeprefix('https://')}"}
    # The password of the proxy is none of the server's business.
    assert {question.headers["Proxy-Authorization"] for question in web.questions} == {None}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_squid_with_another_password_is_a_clear_error_without_it(declared, tmp_path, squid, monkeypatch, scheme):
    monkeypatch.setenv(f"{scheme}_proxy", squid.address("not-the-password"))
    with pytest.raises(ReleaseError) as failure:
        fetched(declared, f"{scheme}://127.0.0.1:1", tmp_path)
    told = str(failure.value)
    assert "407 Proxy Authentication Required" in told
    assert f"{scheme}_proxy" in failure.value.fix
    assert "not-the-password" not in told
    assert USER_AND_PASSWORD.split()[1] not in told
    assert squid.asked_for() == set()
