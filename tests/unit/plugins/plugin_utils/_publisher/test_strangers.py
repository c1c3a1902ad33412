# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is private is told from what is public by asking as nobody, and only where somebody else was asked before."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import strangers, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, loopback_tls

PROGRAM = b"program"


def with_token(place):
    return transport.session(credentials=[Credential(place, {"Authorization": "Bearer S3CRET"})])


@pytest.mark.parametrize(
    ("answer", "is_refused"),
    [
        (Answer(200, PROGRAM), False),
        (Answer(200, PROGRAM, {"Content-Type": "text/html"}), False),
        (Answer(200, iter([PROGRAM])), False),
        (Answer(200, iter([b"<html>"]), {"Content-Type": "text/html; charset=utf-8"}), True),
        (Answer(200, b"<html>Sign in</html>"), True),
        (Answer(401), True),
        (Answer(403), True),
        (Answer(404), True),
    ],
    ids=["served", "served as a page", "without a length", "page without a length", "page", "401", "403", "404"],
)
def test_strangers_are_refused_what_they_are_not_served(answer, is_refused):
    with Web(lambda question: answer) as web:
        asset = Asset("tool", f"{web.url}/tool")
        assert strangers.are_refused(with_token(web.url), asset, len(PROGRAM)) is is_refused
    assert [question.headers["Authorization"] for question in web.questions] == [None]


def test_nobody_is_asked_where_no_credential_is_sent():
    with Web(lambda question: Answer(404)) as web:
        elsewhere = with_token("https://api.example.org")
        assert not strangers.are_refused(elsewhere, Asset("tool", f"{web.url}/tool"), len(PROGRAM))
        assert not strangers.are_refused(elsewhere, Asset("tool", "file:///srv/tool"), len(PROGRAM))
    assert web.questions == []


def test_netrc_is_a_credential_and_no_stranger_has_it(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password S3CRET\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Web(lambda question: Answer(200 if question.headers["Authorization"] else 401)) as web:
        assert strangers.are_refused(transport.session(), Asset("tool", f"{web.url}/tool"), len(PROGRAM))
    assert [question.headers["Authorization"] for question in web.questions] == [None]


def test_what_was_not_seen_to_be_public_is_private():
    with Web(lambda question: Answer(200)) as web:
        place = web.url
    assert strangers.are_refused(with_token(place), Asset("tool", f"{place}/tool"), len(PROGRAM))


@pytest.mark.parametrize("asks", [ssl.CERT_NONE, ssl.CERT_REQUIRED])
def test_a_certificate_is_a_credential_where_the_server_asks_for_it(monkeypatch, tmp_path, asks):
    context, certificate = loopback_tls(tmp_path)
    context.verify_mode = asks
    context.load_verify_locations(certificate)
    both = tmp_path / "both.pem"
    both.write_bytes((tmp_path / "key.pem").read_bytes() + certificate.read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("SSL_CLIENT_CERT", str(both))
    with Web(lambda question: Answer(200, PROGRAM), context) as web:
        session = transport.session()
        asset = Asset("tool", f"{web.url}/tool")
        assert session.get(asset.url).content == PROGRAM
        assert strangers.are_refused(session, asset, len(PROGRAM)) is (asks == ssl.CERT_REQUIRED)
