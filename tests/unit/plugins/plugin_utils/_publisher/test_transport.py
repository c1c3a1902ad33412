# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session against real servers on loopback: retries, bounds, credentials, kept listings, errors."""

from __future__ import annotations

import gzip
import itertools
import logging
import os
import socket
import threading

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import (
    answer_body,
    failures,
    redaction,
    transport,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, loopback_tls
from cryptography.hazmat.primitives import serialization


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the proxies and certificates of the machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


def get(session, url, headers=None):
    """Return the listing at *url*, as a source does. Raises ReleaseError unless the answer is a success."""
    response = session.get(url, headers=headers)
    if not response.ok:
        raise failures.refused(response, session)
    return response


def answers(*given):
    """Answer with each of *given* in turn, and with the last one from then on."""
    following = itertools.chain(given, itertools.repeat(given[-1]))
    return lambda question: next(following)


def test_requests_name_the_collection():
    with Web(lambda question: Answer(200, b"x")) as web:
        get(transport.session(), web.url)
    assert "pinned.release" in web.questions[0].headers["User-Agent"]


def test_each_address_is_told_with_the_status_of_its_answer(caplog, pauses, tmp_path):
    caplog.set_level(logging.DEBUG, "pinned.release")
    listing = Answer(200, b"list", {"ETag": '"1"'})
    moved = Answer(302, headers={"Location": "/there?sig=secret"})
    with Web(answers(Answer(503), moved, listing, Answer(304), Answer(404))) as web:
        session = transport.session(cache_root=tmp_path)
        session.get(web.url + "/here?sig=secret")
        session.get(web.url + "/there?sig=secret")
        session.get(web.url + "/nowhere")
    assert [record.getMessage().replace(web.url, "") for record in caplog.records] == [
        "GET /here?…: 503; again in 0.5 s",
        "GET /here?…: 302, redirected to /there?…",
        "GET /there?…: 200 OK",
        "GET /there?…: 304, the listing in the cache is current",
        "GET /nowhere: 404 Not Found",
    ]


def test_macos_is_never_asked_for_proxies(monkeypatch):
    monkeypatch.setattr(transport.sys, "platform", "darwin")
    monkeypatch.setenv("no_proxy", "")
    transport.session()
    assert os.environ["no_proxy"] == "*"
    assert transport.requests.utils.get_environ_proxies("https://example.org/") == {}


def test_the_proxies_of_the_environment_count_on_macos_too(monkeypatch):
    monkeypatch.setattr(transport.sys, "platform", "darwin")
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    transport.session()
    assert "https" in transport.requests.utils.get_environ_proxies("https://example.org/")


def test_server_errors_are_retried_with_growing_pauses(pauses):
    with Web(answers(Answer(503), Answer(502), Answer(200, b"here"))) as web:
        assert get(transport.session(), web.url).content == b"here"
    assert pauses == [0.5, 1.0]


def test_a_server_that_stays_broken_is_reported_with_its_status(pauses):
    with Web(lambda question: Answer(500)) as web, pytest.raises(ReleaseError) as failure:
        get(transport.session(), web.url + "/list")
    assert len(web.questions) == transport.ATTEMPTS
    assert web.url + "/list" in failure.value.what
    assert "500" in failure.value.found
    assert "later" in failure.value.fix


def test_retry_after_is_respected(pauses):
    with Web(answers(Answer(429, headers={"Retry-After": "7"}), Answer(200, b"x"))) as web:
        get(transport.session(), web.url)
    assert pauses == [7]


def test_retry_after_beyond_the_limit_is_reported_not_waited_for(pauses):
    with (
        Web(lambda question: Answer(429, headers={"Retry-After": "3600"})) as web,
        pytest.raises(ReleaseError, match="Retry-After: 3600"),
    ):
        get(transport.session(), web.url)
    assert pauses == []
    assert len(web.questions) == 1


@pytest.mark.parametrize("nonsense", ["soon", "1e999", "-1 week"])
def test_a_malformed_retry_after_is_an_ordinary_refusal(pauses, nonsense):
    with (
        Web(lambda question: Answer(429, headers={"Retry-After": nonsense})) as web,
        pytest.raises(ReleaseError, match="429"),
    ):
        get(transport.session(), web.url)
    assert len(web.questions) == 1


def test_client_errors_are_not_retried(pauses):
    with Web(lambda question: Answer(404)) as web, pytest.raises(ReleaseError, match="404"):
        get(transport.session(), web.url)
    assert len(web.questions) == 1


def test_refused_connection_names_the_server_and_the_reason(pauses):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ReleaseError) as failure:
        get(transport.session(), f"http://127.0.0.1:{port}/list")
    assert failure.value.what == f"http://127.0.0.1:{port} could not be reached"
    assert failure.value.found == "Connection refused"


def test_unknown_host_says_so(pauses):
    with pytest.raises(ReleaseError, match=r"cannot resolve the name no-such-host\.invalid") as failure:
        get(transport.session(), "https://no-such-host.invalid/")
    assert "for what is locked already, give the task's option mirrors (" in str(failure.value.fix)


def test_an_unreachable_proxy_is_named_without_its_password(monkeypatch, pauses):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:1")
    with pytest.raises(ReleaseError, match="proxy") as failure:
        get(transport.session(), "https://example.org/")
    assert "http://127.0.0.1:1" in str(failure.value)
    assert "hunter2" not in str(failure.value)


def test_a_server_that_never_answers_times_out(monkeypatch, pauses, tmp_path):
    monkeypatch.setattr(transport, "READ_TIMEOUT_S", 0.1)
    session = transport.session(cache_root=tmp_path)  # what was made for another folder has kept its time limit
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ReleaseError, match="did not answer in time"):
        get(session, f"http://127.0.0.1:{silent.getsockname()[1]}/")


def test_a_missing_file_of_authorities_is_named(monkeypatch, pauses):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(ReleaseError, match="no certificate authorities") as failure:
        get(transport.session(), "https://127.0.0.1:9/")
    assert failure.value.found == "REQUESTS_CA_BUNDLE names /nowhere/ca.pem, which is not there"


def test_an_untrusted_certificate_says_how_to_trust_it(tmp_path, pauses):
    context, certificate = loopback_tls(tmp_path)
    with Web(lambda question: Answer(200, b"safe"), context) as web:
        with pytest.raises(ReleaseError, match="could not be trusted") as failure:
            get(transport.session(), web.url)
        assert "REQUESTS_CA_BUNDLE" in failure.value.fix
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(certificate))
            assert get(transport.session(), web.url).content == b"safe"
    assert pauses == []


def test_a_server_without_tls_is_told_from_one_that_is_not_trusted(pauses):
    with Web(lambda question: Answer(200, b"plain")) as web:
        address = web.url.replace("http://", "https://")
        with pytest.raises(ReleaseError, match=f"{address} does not speak TLS") as failure:
            get(transport.session(), f"{address}/v2/")
    assert "if the server has no TLS, write http://" in failure.value.fix
    assert pauses == []


def with_key(folder, *, is_encrypted=False, of=None):
    """Return a file with the certificate in *folder* and its key, or the one that was made in the folder *of*."""
    key = serialization.load_pem_private_key(((of or folder) / "key.pem").read_bytes(), None)
    hidden = serialization.BestAvailableEncryption(b"x") if is_encrypted else serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "identity.pem"
    path.write_bytes((folder / "certificate.pem").read_bytes() + key.private_bytes(pem, pkcs8, hidden))
    return path


def test_a_certificate_that_cannot_be_shown_is_named_and_no_password_is_asked_for(tmp_path, monkeypatch, pauses):
    context, authority = loopback_tls(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    (tmp_path / "other").mkdir()
    loopback_tls(tmp_path / "other")
    (tmp_path / "nonsense.pem").write_text("nonsense")
    makers = [
        ("is not there", lambda: tmp_path / "nowhere.pem"),
        ("cannot be used", lambda: tmp_path / "nonsense.pem"),
        ("cannot be used", lambda: with_key(tmp_path, is_encrypted=True)),
        ("cannot be used", lambda: with_key(tmp_path, of=tmp_path / "other")),
    ]
    with Web(lambda question: Answer(200, b"safe"), context) as web:
        for said, make in makers:
            monkeypatch.setenv("SSL_CLIENT_CERT", str(make()))
            with pytest.raises(ReleaseError, match=f"the controller's certificate {said}") as failure:
                get(transport.session(), web.url)
            assert failure.value.fix == "correct SSL_CLIENT_CERT in the controller's environment"
        monkeypatch.setenv("SSL_CLIENT_CERT", str(with_key(tmp_path)))
        assert get(transport.session(), web.url).content == b"safe"


@pytest.mark.parametrize("url", ["ftp://example.org/x", "file:///etc/passwd", "nonsense", "http://[::1", "https://"])
def test_what_is_not_a_web_address_is_one_clear_error(url):
    with pytest.raises(ReleaseError, match="not a URL that can be fetched"):
        get(transport.session(), url)


def test_credentials_in_a_url_and_its_query_are_never_shown(pauses):
    with Web(lambda question: Answer(403)) as web:
        url = web.url.replace("http://", "http://user:hunter2@") + "/x?signature=hunter2"
        with pytest.raises(ReleaseError) as failure:
            get(transport.session(), url)
    assert "hunter2" not in str(failure.value)
    assert "hunter2" not in repr(Credential(web.url, {"Authorization": "Bearer hunter2"}))


def test_credentials_go_to_their_own_place_only():
    with Web(lambda question: Answer(200)) as ours, Web(lambda question: Answer(200)) as theirs:
        session = transport.session(credentials=[Credential(ours.url + "/api", {"Authorization": "Bearer secret"})])
        for url in (ours.url + "/api/list", ours.url + "/apis", ours.url + "/", theirs.url + "/api/list"):
            get(session, url)
    assert [question.headers["Authorization"] for question in ours.questions] == ["Bearer secret", None, None]
    assert theirs.questions[0].headers["Authorization"] is None


def test_the_most_specific_credential_is_used():
    with Web(lambda question: Answer(200)) as web:
        wide = Credential(web.url, {"Authorization": "wide"})
        narrow = Credential(web.url + "/npm/", {"Authorization": "narrow"})
        get(transport.session(credentials=[wide, narrow]), web.url + "/npm/x")
    assert web.questions[0].headers["Authorization"] == "narrow"


def test_no_credential_follows_a_redirect_to_another_server():
    secrets = {"Authorization": "Bearer secret", "X-Api-Key": "secret"}
    with (
        Web(lambda question: Answer(200, b"there")) as theirs,
        Web(lambda question: Answer(302, headers={"Location": theirs.url})) as ours,
    ):
        session = transport.session(credentials=[Credential(ours.url, secrets)])
        assert get(session, ours.url).content == b"there"
    assert ours.questions[0].headers["X-Api-Key"] == "secret"
    assert theirs.questions[0].headers["Authorization"] is None
    assert theirs.questions[0].headers["X-Api-Key"] is None


def test_no_password_of_netrc_is_sent_in_plain_text_to_where_a_redirect_leads(monkeypatch, tmp_path):
    """A mirror without TLS, or who stands before it, would name any server that netrc knows, and read along."""
    (tmp_path / "netrc").write_text("machine localhost login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Web(lambda question: Answer(200, b"there")) as theirs:
        target = theirs.url.replace("127.0.0.1", "localhost")
        with Web(lambda question: Answer(302, headers={"Location": target})) as ours:
            assert get(transport.session(), ours.url).content == b"there"
    assert theirs.questions[0].headers["Authorization"] is None


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/"])
def test_a_redirect_away_from_the_web_is_refused(target):
    with (
        Web(lambda question: Answer(302, headers={"Location": target})) as web,
        pytest.raises(ReleaseError, match="nothing protects"),
    ):
        get(transport.session(), web.url)


def test_a_redirect_from_https_to_http_is_refused():
    response = transport.requests.Response()
    response.status_code, response.url = 302, "https://example.org/a"
    response.headers["Location"] = "http://example.org/b"
    with pytest.raises(ReleaseError, match="nothing protects"):
        transport.session().get_redirect_target(response)


def test_endless_redirects_end():
    with (
        Web(lambda question: Answer(302, headers={"Location": question.path + "x"})) as web,
        pytest.raises(ReleaseError, match="without end"),
    ):
        get(transport.session(), web.url + "/")


def test_a_listing_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(transport, "LISTING_LIMIT_BYTES", 1000)
    with (
        Web(lambda question: Answer(200, itertools.repeat(b"x" * 512))) as web,
        pytest.raises(ReleaseError, match="more than a listing can be"),
    ):
        get(transport.session(), web.url)


def test_a_compressed_bomb_is_cut_off(monkeypatch):
    monkeypatch.setattr(transport, "LISTING_LIMIT_BYTES", 1_000_000)
    bomb = gzip.compress(bytes(50_000_000))
    with (
        Web(lambda question: Answer(200, bomb, {"Content-Encoding": "gzip"})) as web,
        pytest.raises(ReleaseError, match="more than a listing can be"),
    ):
        get(transport.session(), web.url)


def test_gzip_in_gzip_is_no_way_around_the_limit(monkeypatch):
    monkeypatch.setattr(transport, "LISTING_LIMIT_BYTES", 1_000_000)
    bomb = gzip.compress(gzip.compress(bytes(500_000_000), 9), 9)
    with (
        Web(lambda question: Answer(200, bomb, {"Content-Encoding": "gzip, gzip"})) as web,
        pytest.raises(ReleaseError, match="encoding that was not asked for"),
    ):
        get(transport.session(), web.url)


def test_what_decodes_to_nothing_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(transport, "LISTING_LIMIT_BYTES", 1_000_000)
    nothing = itertools.repeat(gzip.compress(b"") * 1000)
    with (
        Web(lambda question: Answer(200, nothing, {"Content-Encoding": "gzip"})) as web,
        pytest.raises(ReleaseError, match="more than a listing can be"),
    ):
        get(transport.session(), web.url)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "compress", "gzip;q=1", "nonsense\x1b[31m"])
def test_only_the_encoding_that_was_asked_for_is_undone(encoding):
    with (
        Web(lambda question: Answer(200, b"x" * 100, {"Content-Encoding": encoding})) as web,
        pytest.raises(ReleaseError, match="encoding that was not asked for") as failure,
    ):
        get(transport.session(), web.url)
    assert web.questions[0].headers["Accept-Encoding"] == "gzip"
    assert failure.value.found.isprintable()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "identity", ""])
def test_an_encoded_listing_is_read_as_it_was_meant(encoding):
    body = gzip.compress(b"a list " * 100_000) if "gzip" in encoding.lower() else b"a list " * 100_000
    with Web(lambda question: Answer(200, body, {"Content-Encoding": encoding})) as web:
        assert get(transport.session(), web.url).content == b"a list " * 100_000


def test_gzip_of_several_members_is_one_listing():
    body = gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b" * 1_000_000)
    with Web(lambda question: Answer(200, body, {"Content-Encoding": "gzip"})) as web:
        assert get(transport.session(), web.url).content == b"a" + b"b" * 1_000_000


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (gzip.compress(os.urandom(100_000))[:-1], "broke off"),
        (gzip.compress(b"a list")[:5], "broke off"),
        (b"a list", "not gzip data"),
        (gzip.compress(b"a list") + b"more", "not gzip data"),
        (gzip.compress(b"a list")[:-8] + bytes(8), "not gzip data"),
    ],
    ids=["cut short", "almost empty", "plain", "more behind it", "another checksum"],
)
def test_damaged_gzip_is_an_error(body, what):
    with (
        Web(lambda question: Answer(200, body, {"Content-Encoding": "gzip"})) as web,
        pytest.raises(ReleaseError, match=what),
    ):
        get(transport.session(), web.url)


def test_an_answer_without_a_body_may_call_it_encoded(tmp_path):
    kept = Answer(200, gzip.compress(b"list"), {"ETag": '"1"', "Content-Encoding": "gzip"})
    with Web(answers(kept, Answer(304, headers={"Content-Encoding": "gzip"}))) as web:
        for _time in range(2):
            assert get(transport.session(cache_root=tmp_path), web.url).content == b"list"


def test_a_redirect_with_a_body_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(transport, "REDIRECT_BODY_LIMIT_BYTES", 1000)
    with (
        Web(lambda question: Answer(302, itertools.repeat(b"x" * 512), {"Location": "/"})) as web,
        pytest.raises(ReleaseError, match="more than a listing can be"),
    ):
        transport.session().get(web.url, stream=True)


def test_a_refusal_with_a_body_without_end_is_not_read_before_the_next_attempt(pauses):
    endless = Answer(503, itertools.repeat(b"x" * 65536))
    with Web(answers(endless, Answer(200, b"x"))) as web:
        assert get(transport.session(), web.url).content == b"x"


@pytest.mark.skipif(
    not hasattr(transport.urllib3.HTTPResponse, "read1"), reason="urllib3 before 2.0 waits for whole chunks"
)
def test_a_trickle_is_given_up(monkeypatch):
    monkeypatch.setattr(answer_body, "GRACE_S", 0.2)
    stop = threading.Event()

    def trickle():
        while not stop.wait(0.05):
            yield b"x"

    with Web(lambda question: Answer(200, trickle())) as web:
        with pytest.raises(ReleaseError, match="too slowly"):
            get(transport.session(), web.url)
        stop.set()


def test_a_listing_that_breaks_off_is_an_error(pauses):
    with (
        Web(lambda question: Answer(200, b"half", length=8)) as web,
        pytest.raises(ReleaseError, match="broke off"),
    ):
        get(transport.session(), web.url)


def test_cookies_are_not_kept():
    with Web(lambda question: Answer(200, headers={"Set-Cookie": "a=b"})) as web:
        session = transport.session()
        get(session, web.url)
        get(session, web.url)
    assert web.questions[1].headers["Cookie"] is None


def revalidating(body=b"list"):
    """Answer like a server that knows ETags, with what the token may see."""

    def answer(question):
        etag = f'"{question.headers["Authorization"]}"'
        if question.headers["If-None-Match"] == etag:
            return Answer(304, headers={"ETag": etag, "X-RateLimit-Remaining": "7"})
        return Answer(
            200, body + str(question.headers["Authorization"]).encode(), {"ETag": etag, "Link": "<n>; rel=next"}
        )

    return answer


def test_an_unchanged_listing_is_not_sent_twice(tmp_path):
    with Web(revalidating()) as web:
        first = get(transport.session(cache_root=tmp_path), web.url)
        again = get(transport.session(cache_root=tmp_path), web.url)
    assert web.questions[1].headers["If-None-Match"] == '"None"'
    assert (again.content, again.status_code) == (first.content, 200)
    assert again.links == first.links
    assert again.headers["X-RateLimit-Remaining"] == "7"


def test_what_is_unchanged_may_announce_a_length_that_it_does_not_send(tmp_path):
    with Web(answers(Answer(200, b"list", {"ETag": '"1"'}), Answer(304, length=4))) as web:
        get(transport.session(cache_root=tmp_path), web.url)
        assert get(transport.session(cache_root=tmp_path), web.url).content == b"list"


def test_a_changed_listing_replaces_the_kept_one(tmp_path):
    bodies = [Answer(200, b"old", {"ETag": '"1"'}), Answer(200, b"new", {"ETag": '"2"'}), Answer(304)]
    with Web(answers(*bodies)) as web:
        seen = [get(transport.session(cache_root=tmp_path), web.url).content for _time in range(3)]
    assert seen == [b"old", b"new", b"new"]
    assert web.questions[2].headers["If-None-Match"] == '"2"'


def test_one_token_never_sees_what_another_was_told(tmp_path):
    with Web(lambda question: Answer(200, b"private", {"ETag": '"1"'})) as web:
        mine = transport.session(cache_root=tmp_path, credentials=[Credential(web.url, {"Authorization": "mine"})])
        get(mine, web.url)
        get(transport.session(cache_root=tmp_path), web.url)
    assert web.questions[1].headers["If-None-Match"] is None


def test_a_listing_that_must_not_be_kept_is_not(tmp_path):
    with Web(lambda question: Answer(200, b"x", {"ETag": '"1"', "Cache-Control": "no-store"})) as web:
        get(transport.session(cache_root=tmp_path), web.url)
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_cannot_be_asked_about_is_compared_with_the_last_one(tmp_path):
    bodies = [b"list", b"list", b"other", b"other"]
    with Web(lambda question: Answer(200, bodies.pop(0))) as web:
        told = [transport.is_as_kept(get(transport.session(cache_root=tmp_path), web.url)) for _time in range(4)]
    assert told == [False, True, False, True]


def test_nothing_new_is_no_answer_where_that_was_not_asked(tmp_path):
    with Web(answers(Answer(200, b"list"), Answer(304))) as web:
        get(transport.session(cache_root=tmp_path), web.url)
        with pytest.raises(ReleaseError, match="something else than what it was asked for"):
            get(transport.session(cache_root=tmp_path), web.url)


def test_what_was_answered_last_time_is_had_without_asking_by_whoever_asked(tmp_path):
    with Web(lambda question: Answer(200, b"list")) as web:
        mine = transport.session(cache_root=tmp_path, credentials=[Credential(web.url, {"Authorization": "mine"})])
        assert transport.kept_answer(mine, web.url, {}) is None
        get(mine, web.url)
        assert transport.kept_answer(mine, web.url, {}).content == b"list"
        assert transport.kept_answer(transport.session(cache_root=tmp_path), web.url, {}) is None
    assert len(web.questions) == 1


def test_streamed_bytes_are_never_kept(tmp_path):
    with Web(lambda question: Answer(200, b"asset", {"ETag": '"1"'})) as web:
        response = transport.session(cache_root=tmp_path).get(web.url, stream=True)
        assert b"".join(answer_body.read_chunks(response)) == b"asset"
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_kept_listing_is_asked_for_anew(tmp_path):
    with Web(revalidating()) as web:
        get(transport.session(cache_root=tmp_path), web.url)
        [kept] = (tmp_path / "listings").iterdir()
        kept.write_bytes(kept.read_bytes()[:-1])
        assert get(transport.session(cache_root=tmp_path), web.url).content == b"listNone"
    assert web.questions[1].headers["If-None-Match"] is None


def test_listings_are_private_and_a_folder_others_can_write_is_not_used(tmp_path):
    with Web(revalidating()) as web:
        get(transport.session(cache_root=tmp_path), web.url)
        folder = tmp_path / "listings"
        [kept] = folder.iterdir()
        assert (folder.stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o700, 0o600)
        folder.chmod(0o777)
        get(transport.session(cache_root=tmp_path), web.url)
    assert web.questions[1].headers["If-None-Match"] is None


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_economy(tmp_path):
    (tmp_path / "listings").write_text("a file where the folder should be")
    with Web(revalidating()) as web:
        assert get(transport.session(cache_root=tmp_path), web.url).content == b"listNone"


def test_strangers_text_is_printable_short_and_without_passwords():
    shown = redaction.shown("a\x1b[31mb\nc https://user:hunter2@example.org/ " + "x" * 500)
    assert shown.startswith("a?[31mb?c https://example.org/ xx")
    assert len(shown) <= 201
