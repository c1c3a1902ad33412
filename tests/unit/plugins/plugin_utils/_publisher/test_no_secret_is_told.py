# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever goes wrong on the way to a publisher, nothing that is said holds a secret: every source, odd secrets,
servers and proxies on loopback that repeat what they were sent in every place that a message quotes."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values import secrets
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web, loopback_tls

#: The part of every secret that is looked for.
CORE = "s3cret"
SHAPES = [
    "S3CRET",
    "S3CRET\n",
    "first\nS3CRET",
    "S3CRET\r",
    "a S3CRET",
    "a%S3CRET",
    "a%40S3CRET",
    "a@S3CRET",
    "a:S3CRET",
    "a/S3CRET",
    "a?S3CRET",
    "a#S3CRET",
    "[S3CRET",
    "a\\S3CRET",
    'a"S3CRET',
    "\N{EURO SIGN}S3CRET",
    "S3CRET" * 60,
]
VARIABLES = (
    "GITHUB_TOKEN GH_TOKEN GH_ENTERPRISE_TOKEN GH_HOST GITHUB_API_URL PIP_INDEX_URL REQUESTS_CA_BUNDLE CURL_CA_BUNDLE "
    "SSL_CERT_FILE http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY"
)


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Run without what this machine and other tests have of secrets, and without waiting."""
    for name in VARIABLES.split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(transport, "READ_TIMEOUT_S", 0.2)
    monkeypatch.setattr(secrets, "_known", set())


def heard(question: Question) -> list[str]:
    """Return what a server can repeat of the secrets in *question*: header values, and what is encoded in them."""
    sent = [question.headers[name] for name in ("Authorization", "Proxy-Authorization") if question.headers[name]]
    for value in sent.copy():
        if value.startswith("Basic "):
            sent.append(base64.b64decode(value[6:]).decode(errors="replace"))
            sent.append(sent[-1].partition(":")[2])
    return sent


def repeated_in(place: str, status: int = 200) -> object:
    """Return an answer function that repeats what it was sent in the header *place*, or in the body."""

    def answer(question: Question) -> Answer:
        said = " ".join(heard(question)) or "nothing"
        in_header = quote(said) if place == "Location" else said.encode("ascii", "replace").decode().replace("\n", " ")
        body = json.dumps({"message": said, said: said}).encode()
        headers = {"Content-Type": "application/json", **({place: HEADERS[place].format(in_header)} if place else {})}
        return Answer(status, body, headers)

    return answer


HEADERS = {
    "Location": "ftp://example.org/{0}?{0}",
    "Content-Type": "{}",
    "Content-Encoding": "{}",
    "Retry-After": "{}",
    "X-RateLimit-Limit": "{}",
    "Link": '<https://elsewhere.example.org/{}>; rel="next"',
}
FAILURES = {
    "401": repeated_in("", 401),
    "403": repeated_in("", 403),
    "404": repeated_in("", 404),
    "407": repeated_in("", 407),
    "500": repeated_in("", 500),
    "not what was asked for": repeated_in(""),
    "redirect": repeated_in("Location", 302),
    "content type": repeated_in("Content-Type"),
    "encoding": repeated_in("Content-Encoding"),
    "retry": repeated_in("Retry-After", 429),
    "rate limit": lambda question: Answer(
        403,
        b"{}",
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": " ".join(heard(question))[:500].split("\n", 1)[0]},
    ),
    "link": lambda question: Answer(200, b"[]", {"Link": repeated_in("Link")(question).headers["Link"]}),
    "challenge": lambda question: Answer(401, repeated_in("")(question).body, {"WWW-Authenticate": "Basic realm=x"}),
    "challenge to get a token": lambda question: Answer(
        401,
        repeated_in("")(question).body,
        {"WWW-Authenticate": f'Bearer realm="http://{question.headers["Host"]}/token"'},
    ),
    "cut off": lambda question: Answer(200, " ".join(heard(question)).encode(), length=10_000),
    "not gzip": lambda question: Answer(200, " ".join(heard(question)).encode(), {"Content-Encoding": "gzip"}),
}


@contextmanager
def raw(reply: bool) -> Iterator[str]:
    """Yield the address of a server that answers with the request itself, which is no HTTP, or not at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            held = []
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:
                    return
                held.append(connection)
                if reply:
                    connection.sendall(connection.recv(65536))
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def github(url, secret, folder, monkeypatch):
    """Ask a GitHub whose token is in the environment."""
    monkeypatch.setenv("GH_HOST", "127.0.0.1")
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", secret)
    return open_source({"github": "owner/tool", "api_url": url}, cache_root=folder)


def github_by_option(url, secret, folder, monkeypatch):
    """Ask a GitHub whose token is an option."""
    return open_source({"github": "owner/tool", "api_url": url}, token=secret, cache_root=folder)


def gitlab(url, secret, folder, monkeypatch):
    """Ask a GitLab whose token is in the environment."""
    monkeypatch.setenv("GITLAB_HOST", url)
    monkeypatch.setenv("GITLAB_TOKEN", secret)
    return open_source({"gitlab": "group/tool", "api_url": url + "/api/v4"}, cache_root=folder)


def gitea(url, secret, folder, monkeypatch):
    """Ask a Gitea whose token is in the environment."""
    monkeypatch.setenv("GITEA_HOST", url)
    monkeypatch.setenv("GITEA_TOKEN", secret)
    return open_source({"gitea": "owner/tool", "api_url": url + "/api/v1"}, cache_root=folder)


def npm(url, secret, folder, monkeypatch):
    """Ask a registry whose token a variable has that npmrc names."""
    place = url.partition(":")[2]
    (folder / "npmrc").write_text(f"registry={url}\n{place}/:_authToken=${{NPM_TOKEN}}\n")
    monkeypatch.setenv("NPM_TOKEN", secret)
    return open_source({"npm": "tool"}, cache_root=folder)


def npm_by_password(url, secret, folder, monkeypatch):
    """Ask a registry whose password is in npmrc, once in base64 and once by mistake as it is."""
    place = url.partition(":")[2]
    password = secret if "/" in secret else base64.b64encode(secret.encode()).decode()
    lines = [f"registry={url}", f"{place}/:username=user", f"{place}/:_password={password}"]
    (folder / "npmrc").write_text("\n".join(lines))
    return open_source({"npm": "tool"}, cache_root=folder)


def npm_by_address(url, secret, folder, monkeypatch):
    """Ask a registry whose address holds the password, as it is."""
    (folder / "npmrc").write_text(f"registry={url.replace('//', f'//user:{secret}@')}\n")
    return open_source({"npm": "tool"}, cache_root=folder)


def oci(url, secret, folder, monkeypatch):
    """Ask a registry whose password is where docker login puts it."""
    auth = base64.b64encode(f"user:{secret}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {url: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return open_source({"oci": f"{url}/org/tool"}, cache_root=folder)


def pypi(url, secret, folder, monkeypatch):
    """Ask an index whose address holds the password, as it is."""
    monkeypatch.setenv("PIP_INDEX_URL", url.replace("//", f"//user:{secret}@") + "/simple/")
    return open_source({"pypi": "tool"}, cache_root=folder)


def pypi_encoded(url, secret, folder, monkeypatch):
    """Ask an index whose address holds the token as the user, encoded."""
    monkeypatch.setenv("PIP_INDEX_URL", url.replace("//", f"//{quote(secret, safe='')}:@") + "/simple/")
    return open_source({"pypi": "tool"}, cache_root=folder)


def by_netrc(url, secret, folder, monkeypatch):
    """Ask a folder on the web whose password is in netrc."""
    (folder / "netrc").write_text(f"machine 127.0.0.1 login user password {secret}\n")
    (folder / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(folder / "netrc"))
    return open_source({"directory": url + "/{version}/"}, cache_root=folder, exact="1.0")


def index_by_netrc(url, secret, folder, monkeypatch):
    """Ask for an index whose password is in netrc."""
    (folder / "netrc").write_text(f"machine 127.0.0.1 login user password {secret}\n")
    (folder / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(folder / "netrc"))
    return open_source({"index": url + "/index.json", "releases": "@"}, cache_root=folder)


def http_by_netrc(url, secret, folder, monkeypatch):
    """Ask for files by a rule, whose password is in netrc, as that of the index that lists their versions."""
    (folder / "netrc").write_text(f"machine 127.0.0.1 login user password {secret}\n")
    (folder / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(folder / "netrc"))
    versions = {"index": url + "/index.json", "releases": "@"}
    platforms = (parse_platform("linux/x86_64"),)
    return open_source({"http": url + "/{version}/tool", "versions": versions}, cache_root=folder, platforms=platforms)


def through_proxy(url, secret, folder, monkeypatch):
    """Ask through a proxy whose address holds the password, as it is."""
    monkeypatch.setenv("http_proxy", url.replace("//", f"//user:{secret}@"))
    return open_source({"pypi": "tool", "index": "http://index.invalid/"}, cache_root=folder)


def through_proxy_with_tls(url, secret, folder, monkeypatch):
    """Ask through a tunnel of a proxy whose address has no scheme, and holds the password encoded."""
    monkeypatch.setenv("HTTPS_PROXY", url.replace("http://", f"user:{quote(secret, safe='')}@"))
    return open_source({"pypi": "tool", "index": "https://index.invalid/"}, cache_root=folder)


SOURCES = [
    github,
    github_by_option,
    gitlab,
    gitea,
    npm,
    npm_by_password,
    npm_by_address,
    oci,
    pypi,
    pypi_encoded,
    by_netrc,
    index_by_netrc,
    http_by_netrc,
    through_proxy,
    through_proxy_with_tls,
]


#: Those that read a secret in a way of their own.
DIFFERING = [make for make in SOURCES if make not in (github_by_option, pypi_encoded)]


def told(make, url, secret, folder, caplog) -> str:
    """Return all that a user can read of an attempt to list releases and to fetch an asset, at any verbosity."""
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "pinned.release")
    said = []
    with pytest.MonkeyPatch.context() as patch:
        try:
            source = make(url, secret, folder, patch)
            said.append(source.describe())
            for release in source.releases():
                release.completed()
            Cache(folder / "cache").fetch(Asset("tool", f"{url}/tool"), source.session)
        except ReleaseError as error:
            failed = verb._failed(error, is_brief=False)
            said += [str(failed["msg"]), *map(str, failed["diff"]["error"].values()), *verb._places(error)]
    said += [verb.fit(record.getMessage()) for record in caplog.records]
    assert said
    return "\n".join(said)


@pytest.mark.parametrize("secret", SHAPES, ids=ascii)
@pytest.mark.parametrize("make", DIFFERING, ids=lambda make: make.__name__)
def test_no_failure_tells_a_secret(make, secret, tmp_path, caplog):
    answering = dict(FAILURES)

    def answer(question):
        return next(iter(answering.values()))(question)

    with Web(answer) as web:
        while answering:
            assert CORE not in told(make, web.url, secret, tmp_path, caplog).lower(), next(iter(answering))
            del answering[next(iter(answering))]
    with raw(reply=True) as url:
        assert CORE not in told(make, url, secret, tmp_path, caplog).lower(), "no HTTP"


@pytest.mark.parametrize("make", [npm_by_address, pypi, through_proxy], ids=lambda make: make.__name__)
def test_no_password_that_looks_like_a_port_and_a_path_is_told(make, tmp_path, caplog):
    assert CORE not in told(make, "http://127.0.0.1:1", "1234/S3CRET", tmp_path, caplog).lower()


@pytest.mark.parametrize("secret", SHAPES[:3], ids=ascii)
@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_no_connection_that_fails_tells_a_secret(make, secret, tmp_path, caplog):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert CORE not in told(make, f"http://127.0.0.1:{port}", secret, tmp_path, caplog).lower()
    with raw(reply=False) as url:
        assert CORE not in told(make, url, secret, tmp_path, caplog).lower(), "silence"
    context, _certificate = loopback_tls(tmp_path)
    with Web(FAILURES["401"], context) as web:
        assert CORE not in told(make, web.url, secret, tmp_path, caplog).lower(), "TLS"


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (github, "GH_ENTERPRISE_TOKEN"),
        (github_by_option, "the option token"),
        (npm, "NPM_TOKEN, named in {folder}/npmrc"),
        (npm_by_password, "{folder}/npmrc"),
        (oci, "{folder}/config.json"),
        (pypi, "PIP_INDEX_URL"),
        (by_netrc, "{folder}/netrc"),
    ],
)
def test_a_refusal_names_what_held_the_credentials(make, named, tmp_path, caplog):
    with Web(lambda question: Answer(401, b"", {"WWW-Authenticate": "Basic realm=x"})) as web:
        assert named.format(folder=tmp_path) in told(make, web.url, "S3CRET", tmp_path, caplog)


@pytest.mark.parametrize(("make", "variable"), [(through_proxy, "http_proxy"), (through_proxy_with_tls, "HTTPS_PROXY")])
@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://[", "http://", "socks9://127.0.0.1:1"])
def test_a_proxy_that_is_of_no_use_is_named_by_its_variable(make, variable, address, tmp_path, caplog):
    assert variable in told(make, address, "S3CRET", tmp_path, caplog)


def test_passwords_of_any_characters_reach_the_server(tmp_path, caplog):
    password = "p\N{EURO SIGN}:@/ %"
    expected = "Basic " + base64.b64encode(f"user:{password}".encode()).decode()
    with Web(lambda question: Answer(404)) as web, pytest.MonkeyPatch.context() as patch:
        address = web.url.replace("//", f"//user:{quote(password, safe='')}@")
        patch.setenv("PIP_INDEX_URL", address)
        patch.setenv("http_proxy", address)
        patch.setenv("no_proxy", "example.invalid")
        with pytest.raises(ReleaseError):
            open_source({"pypi": "tool"}, cache_root=tmp_path).releases()
    assert web.questions[0].headers["Authorization"] == expected
    assert web.questions[0].headers["Proxy-Authorization"] == expected
