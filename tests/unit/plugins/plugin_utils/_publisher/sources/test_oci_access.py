# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let into a registry: tokens, passwords, where each goes, and what is said where it is not accepted."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import strangers, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci import OciSource
from ansible_collections.pinned.release.plugins.plugin_utils._values import secrets
from ansible_collections.pinned.release.tests.fakes.registry import FakeArtifact, FakeRegistry, basic
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web

TAGS = {"1.0": FakeArtifact({"tool": b"program"})}
USERS = {"me": "hunter2"}


@pytest.fixture(autouse=True)
def docker_config(monkeypatch, tmp_path):
    """Run without the logins and the proxies of the machine; return the file that docker login writes."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(secrets, "_known", set())
    return tmp_path / "config.json"


def source(registry):
    return OciSource(Declaration("oci", registry.name))


def log_in(docker_config, registry, user="me", password="hunter2"):
    """Write what docker login writes."""
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    host = registry.web.url.removeprefix("http://")
    docker_config.write_text(json.dumps({"auths": {"other.example.org": {"auth": "eDp5"}, host: {"auth": auth}}}))


def sent(web):
    """Return where requests went, with the kind of what they carried."""
    told = [(question.path, (question.headers["Authorization"] or "").partition(" ")[0]) for question in web.questions]
    return [(path.rpartition("/")[2], kind) for path, kind in told]


def is_private(asked):
    [release] = asked.releases()
    return strangers.are_refused(asked.session, release.assets[0], len(b"program"))


def test_what_is_public_is_read_with_the_token_that_anybody_gets():
    with FakeRegistry(TAGS, access="bearer") as registry:
        assert not is_private(source(registry))
    assert sent(registry.web) == [("list", ""), ("token", ""), ("list", "Bearer"), ("1.0", "Bearer")]


def test_what_was_read_with_another_token_is_asked_about_again_and_not_sent_twice(docker_config, tmp_path):
    with FakeRegistry(TAGS, access="bearer", users=USERS) as registry:

        def ask():
            """Return what the manifest was asked for with, and which of its bytes are known by their ETag."""
            before = len(registry.web.questions)
            assert OciSource(Declaration("oci", registry.name, cache_root=tmp_path / "cache")).releases()
            [manifest] = [one for one in registry.web.questions[before:] if one.path.endswith("/manifests/1.0")]
            return manifest.headers["Authorization"], manifest.headers["If-None-Match"]

        (first, nothing), (second, known) = ask(), ask()
        assert (first != second, nothing, known) == (True, None, f'"{registry.heads["1.0"]}"')
        log_in(docker_config, registry)
        assert ask()[1] is None


def test_a_token_that_ran_out_is_renewed(tmp_path):
    with FakeRegistry(TAGS, access="bearer", expire=1) as registry:
        asked = source(registry)
        [release] = asked.releases()
        found = Cache(tmp_path / "cache").fetch(release.assets[0], asked.session)
    assert found.path.read_bytes() == b"program"
    assert [path for path, _kind in sent(registry.web)].count("token") == 3


@pytest.mark.parametrize("access", ["bearer", "basic"])
def test_what_is_private_is_read_with_the_password_of_docker_login(docker_config, access):
    with FakeRegistry(TAGS, access=access, users=USERS, private=True) as registry:
        log_in(docker_config, registry)
        assert is_private(source(registry))


def test_a_password_is_not_sent_to_a_registry_that_does_not_ask(docker_config):
    with FakeRegistry(TAGS, users=USERS) as registry:
        log_in(docker_config, registry)
        assert not is_private(source(registry))
    assert {kind for _path, kind in sent(registry.web)} == {""}


def test_what_is_public_is_no_secret_of_who_logged_in(docker_config):
    with FakeRegistry(TAGS, access="bearer", users=USERS) as registry:
        log_in(docker_config, registry)
        assert not is_private(source(registry))
    assert ("token", "Basic") in sent(registry.web)


def test_netrc_has_a_password_as_well(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with FakeRegistry(TAGS, access="basic", users=USERS) as registry:
        assert source(registry).releases()
    assert sent(registry.web) == [("list", ""), ("list", "Basic"), ("1.0", "Basic")]


@pytest.mark.parametrize("access", ["bearer", "basic"])
def test_neither_token_nor_password_follows_to_the_storage(docker_config, tmp_path, access):
    with FakeRegistry(TAGS, access=access, users=USERS, stored=True) as registry:
        log_in(docker_config, registry)
        asked = source(registry)
        [release] = asked.releases()
        Cache(tmp_path / "cache").fetch(release.assets[0], asked.session)
    assert [kind for _path, kind in sent(registry.storage)] == [""]


def test_a_registry_cannot_have_the_token_of_another_by_naming_its_service(monkeypatch, tmp_path):
    """What netrc has for the service is not sent there: the token would go to the registry that only named it."""
    (tmp_path / "netrc").write_text("machine localhost login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with (
        Web(lambda question: Answer(200, b'{"token": "granted-x"}')) as service,
        FakeRegistry(TAGS, access="bearer", realm=service.url.replace("127.0.0.1", "localhost") + "/t") as registry,
    ):
        assert source(registry).releases()
    assert sent(service) == [("t", "")]


def test_a_password_that_is_not_accepted_is_said_and_what_is_public_read_without(docker_config, caplog):
    with FakeRegistry(TAGS, access="bearer", users=USERS) as registry:
        log_in(docker_config, registry, password="wrong-word")
        assert source(registry).releases()
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"the password in {docker_config} is not accepted by {registry.web.url}/token")
    assert "wrong-word" not in caplog.text


def test_what_is_private_says_so_to_strangers_and_names_a_password_that_was_refused(docker_config):
    with FakeRegistry(TAGS, access="bearer", users=USERS, private=True) as registry:
        with pytest.raises(ReleaseError, match="no token to read org/tool") as failure:
            source(registry).releases()
        assert "403" in failure.value.found
        assert "docker login" in failure.value.fix
        log_in(docker_config, registry, password="wrong-word")
        with pytest.raises(ReleaseError, match="no token to read org/tool") as failure:
            source(registry).releases()
    assert f"the password in {docker_config} is not accepted" in failure.value.fix
    assert "wrong-word" not in str(failure.value)


def test_a_wrong_password_of_a_registry_without_tokens_is_named(docker_config):
    with FakeRegistry(TAGS, access="basic", users=USERS) as registry:
        log_in(docker_config, registry, password="wrong-word")
        with pytest.raises(ReleaseError, match="was not served") as failure:
            source(registry).releases()
    assert failure.value.fix == f"the server does not accept the password in {docker_config}: correct it"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{}", 200), (b'{"token": "s3cret\\nb"}', 200), (b'{"refresh_token": "s3cret"}', 200), (b"x", 200), (b"", 500)],
)
def test_a_service_that_gives_no_token_is_one_clear_error_without_what_it_gave(body, status):
    with (
        Web(lambda question: Answer(status, body)) as service,
        FakeRegistry(TAGS, access="bearer", realm=service.url) as registry,
        pytest.raises(ReleaseError) as failure,
    ):
        source(registry).releases()
    assert "s3cret" not in str(failure.value)


@pytest.mark.parametrize("realm", ["ftp://x.example.org/", "http://user:word@127.0.0.1/", "x"])
def test_a_challenge_that_leads_nowhere_is_a_refusal(realm):
    with (
        FakeRegistry(TAGS, access="bearer", realm=realm) as registry,
        pytest.raises(ReleaseError, match="was not served"),
    ):
        source(registry).releases()


def test_a_password_never_travels_unencrypted(docker_config):
    docker_config.write_text('{"auths": {"registry.example.org:5000": {"auth": "bWU6aHVudGVyMg=="}}}')
    with pytest.raises(ReleaseError, match="without encryption"):
        OciSource(Declaration("oci", "http://registry.example.org:5000/tool"))
    OciSource(Declaration("oci", "http://other.example.org:5000/tool"))


def test_a_password_is_not_sent_to_a_token_service_without_tls(docker_config):
    with FakeRegistry(TAGS, access="bearer", realm="http://auth.example.org/token") as registry:
        log_in(docker_config, registry)
        with pytest.raises(ReleaseError, match="without encryption") as failure:
            source(registry).releases()
    assert failure.value.found == "http://auth.example.org/token?…"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ghcr.io", "ghcr.io/org/tool"),
        ("https://ghcr.io", "ghcr.io/org/tool"),
        ("registry.example.org:5000", "registry.example.org:5000/tool"),
        ("https://index.docker.io/v1/", "docker.io/org/tool"),
        ("https://index.docker.io/v1/", "registry-1.docker.io/org/tool"),
    ],
)
def test_docker_has_the_password_under_the_name_of_the_registry(docker_config, key, name):
    docker_config.write_text(json.dumps({"auths": {key: {"auth": "bWU6aHVudGVyMg=="}}, "credsStore": "desktop"}))
    assert OciSource(Declaration("oci", name))._access._login.header == basic("me", "hunter2")
    assert OciSource(Declaration("oci", "quay.io/org/tool"))._access._login is None


@pytest.mark.parametrize(
    "text", ["", "{}", '{"auths": null}', '{"auths": {"ghcr.io": {}}}', '{"auths": {"ghcr.io": {"auth": ""}}}']
)
def test_a_configuration_without_a_password_is_none(docker_config, text):
    docker_config.write_text(text)
    assert OciSource(Declaration("oci", "ghcr.io/org/tool"))._access._login is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"auths": 5}',
        '{"auths": {"ghcr.io": {"auth": "hunter2 is no base64"}}}',
        '{"auths": {"ghcr.io": {"auth": 5}}}',
        "[" * 100_000,
    ],
)
def test_a_configuration_that_is_none_is_named_and_not_repeated(docker_config, text):
    docker_config.write_text(text)
    with pytest.raises(ReleaseError, match="could not be understood") as failure:
        OciSource(Declaration("oci", "ghcr.io/org/tool"))
    assert str(docker_config) in failure.value.what
    assert "hunter2" not in str(failure.value)
