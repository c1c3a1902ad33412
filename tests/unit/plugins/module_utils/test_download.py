# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a URL becomes a verified file: against real servers on loopback, and the faults that real networks have."""

import base64
import email.utils
import hashlib
import os
import random
import resource
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from unittest import mock

import pytest
from ansible_collections.pinned.release.plugins.module_utils import download as downloading
from ansible_collections.pinned.release.plugins.module_utils import http_get
from ansible_collections.pinned.release.plugins.module_utils.download import download
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.http_get import url_without_secrets
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.web_servers import (
    Server,
    drop_after,
    make_certificates,
    publish,
    redirect,
    say,
    send_raw,
)
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = random.Random(700000).getrandbits(8 * 700000).to_bytes(700000, "big")
SHA256 = hashlib.sha256(DATA).hexdigest()
SIZE = len(DATA)
HALF = SIZE // 2


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Leave no proxy in the environment, and return the pauses between attempts instead of making them."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    made = []
    monkeypatch.setattr(downloading.time, "sleep", made.append)
    return made


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def other():
    with Server() as running:
        yield running


@pytest.fixture
def tls_server(certificates, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certificates[0])
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    with Server(certificates[1]) as running:
        yield running


@pytest.fixture
def get(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    return Getter(str(folder))


def limits(timeout_s=10, attempts=downloading.ATTEMPTS):
    """Return a context in which a download has these limits."""
    return mock.patch.multiple(downloading, TIMEOUT_S=timeout_s, ATTEMPTS=attempts)


class Getter:
    """Downloads into a folder of its own, and sees to it that a failure leaves nothing there."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "asset")

    def __call__(self, url, sha256=SHA256, size=SIZE, **options):
        with limits(**options):
            download(url, self.path, sha256, size)
        with open(self.path, "rb") as file:
            return file.read()

    def fails(self, url, *words, **options):
        with pytest.raises(ReleaseError) as failure:
            self(url, **options)
        assert os.listdir(self.folder) == []
        for word in words:
            assert word in str(failure.value)
        return str(failure.value)


def header(server, name, request=-1):
    headers = {key.lower(): value for key, value in server.requests[request][1].items()}
    return headers.get(name.lower())


# A good server


def test_asset_arrives_whole_and_for_us_alone(server, get):
    server.answers["/asset"] = publish(DATA)
    assert get(server.url()) == DATA
    assert stat.S_IMODE(os.stat(get.path).st_mode) == 0o600
    assert header(server, "Accept-Encoding") == "identity"
    assert len(server.requests) == 1


def test_empty_asset_is_an_asset(server, get):
    server.answers["/asset"] = publish(b"")
    assert get(server.url(), hashlib.sha256(b"").hexdigest(), 0) == b""


def chunked(data, *more):
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(data[at : at + 70000]), data[at : at + 70000]) for at in range(0, len(data), 70000)
    )
    return send_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks, *more)


@pytest.mark.parametrize(
    "answer",
    [
        chunked(DATA, b"0\r\n\r\n"),
        chunked(DATA),
        send_raw(b"HTTP/1.0 200 OK\r\n\r\n", DATA),
        publish(DATA, headers={"Content-Encoding": "gzip"}),
        publish(DATA, headers={"Connection": "keep-alive"}),
    ],
    ids=["chunked", "chunked without its end", "until closed", "content-encoding", "keep-alive"],
)
def test_every_way_to_send_a_body_is_understood(server, get, answer):
    server.answers["/asset"] = answer
    assert get(server.url()) == DATA
    assert len(server.requests) == 1


def test_url_beyond_ascii_is_asked_for(server, get):
    server.answers["/caf%C3%A9%20au+lait"] = publish(DATA)
    assert get(server.url("/caf\u00e9%20au+lait?x=\u00e9#part")) == DATA
    assert server.requests[0][0] == "/caf%C3%A9%20au+lait?x=%C3%A9"


def test_tls_with_an_authority_of_ones_own_by_the_environment(tls_server, get):
    tls_server.answers["/asset"] = publish(DATA)
    assert get(tls_server.url()) == DATA


# What must not be believed


@pytest.mark.parametrize("sha256", ["", None, "0" * 63, "z" * 64, SHA256.upper()])
def test_without_a_digest_nothing_is_asked(server, get, sha256):
    get.fails(server.url(), "nothing to verify it by", "lock", sha256=sha256)
    assert server.requests == []


def test_other_bytes_are_refused_with_both_digests_and_their_origin(server, other, get):
    changed = b"x" + DATA[1:]
    server.answers["/asset"] = redirect(other.url("/cdn?signature=secret"))
    other.answers["/cdn"] = publish(changed)
    text = get.fails(server.url(), SHA256, hashlib.sha256(changed).hexdigest(), server.url(), other.url("/cdn"))
    assert "secret" not in text
    assert len(other.requests) == 1


@pytest.mark.parametrize("found", [len(DATA) - 1, len(DATA) + 1, 10**15])
def test_another_announced_size_is_refused_before_the_body(server, get, found):
    server.answers["/asset"] = send_raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % found, bytes(65536), is_endless=True
    )
    get.fails(server.url(), f"expected: {len(DATA)} bytes", f"found: {found} bytes")
    assert len(server.requests) == 1


def test_file_that_is_encoded_on_its_way_is_named_as_such(server, get):
    server.answers["/asset"] = publish(b"encoded", headers={"Content-Encoding": "gzip"})
    get.fails(server.url(), "7 bytes, encoded as gzip")


def test_web_page_with_status_200_is_named_as_such(server, get):
    server.answers["/asset"] = publish(b"<html>Sign in", headers={"Content-Type": "text/html; charset=utf-8"})
    get.fails(server.url(), "13 bytes, a web page")


@pytest.mark.parametrize(
    "answer",
    [
        chunked(DATA + b"x", b"0\r\n\r\n"),
        send_raw(b"HTTP/1.0 200 OK\r\n\r\n", DATA + b"x"),
        send_raw(b"HTTP/1.0 200 OK\r\n\r\n", bytes(65536), is_endless=True),
    ],
)
def test_one_byte_more_is_refused_without_waiting_for_the_end(server, get, answer):
    server.answers["/asset"] = answer
    get.fails(server.url(), f"expected: {len(DATA)} bytes", "found: more")
    assert len(server.requests) == 1


# A network that breaks


@pytest.mark.parametrize("is_reset", [False, True])
def test_download_goes_on_where_the_connection_broke(server, get, pauses, is_reset):
    server.answers["/asset"] = [drop_after(DATA, HALF, is_reset=is_reset), publish(DATA)]
    assert get(server.url()) == DATA
    start = int(header(server, "Range")[len("bytes=") : -1])
    assert 0 < start <= HALF
    assert header(server, "If-Range") == '"1"'
    assert len(pauses) == 1


@pytest.mark.parametrize("is_reset", [False, True])
def test_download_by_tls_goes_on_where_the_connection_broke(tls_server, get, is_reset):
    tls_server.answers["/asset"] = [drop_after(DATA, HALF, is_reset=is_reset), publish(DATA)]
    assert get(tls_server.url()) == DATA
    assert header(tls_server, "Range")


def test_date_serves_where_the_etag_is_weak(server, get):
    headers = {"ETag": 'W/"1"', "Last-Modified": "Mon, 02 Jan 2023 00:00:00 GMT"}
    server.answers["/asset"] = [drop_after(DATA, HALF, headers), publish(DATA)]
    assert get(server.url()) == DATA
    assert header(server, "If-Range") == headers["Last-Modified"]


def test_server_that_knows_no_ranges_sends_all_again(server, get):
    server.answers["/asset"] = [drop_after(DATA, HALF), publish(DATA, has_ranges=False)]
    assert get(server.url()) == DATA
    assert header(server, "Range")


def test_file_that_changed_meanwhile_is_got_anew(server, get):
    server.answers["/asset"] = [drop_after(b"x" * len(DATA), HALF), publish(DATA, headers={"ETag": '"2"'})]
    assert get(server.url()) == DATA


def test_pieces_that_do_not_fit_are_got_anew_in_one(server, get):
    server.answers["/asset"] = [drop_after(b"x" * len(DATA), HALF), publish(DATA)]
    assert get(server.url()) == DATA
    assert [header(server, "Range", number) is None for number in range(3)] == [True, False, True]


def part(start, total, data):
    headers = {"Content-Range": f"bytes {start}-{start + len(data) - 1}/{total}"} if total else {}
    return say(206, headers, data)


@pytest.mark.parametrize(
    "wrong",
    [
        part(HALF + 1, len(DATA), DATA[HALF + 1 :]),
        part(0, len(DATA), DATA),
        part(0, 0, DATA[HALF:]),
        say(416),
        say(416, {"Content-Range": f"bytes */{len(DATA)}"}),
    ],
)
def test_other_part_than_asked_for_is_not_used(server, get, wrong):
    server.answers["/asset"] = [drop_after(DATA, HALF), wrong, publish(DATA)]
    assert get(server.url()) == DATA
    assert header(server, "Range") is None


@pytest.mark.parametrize(
    "wrong", [part(HALF, len(DATA) + 5, DATA[HALF:]), say(416, {"Content-Range": f"bytes */{HALF}"})]
)
def test_part_of_a_file_of_another_size_is_refused(server, get, wrong):
    server.answers["/asset"] = [drop_after(DATA, HALF), wrong]
    get.fails(server.url(), "another size")
    assert len(server.requests) == 2


def test_part_that_was_never_asked_for_is_not_used(server, get):
    server.answers["/asset"] = [part(0, len(DATA), DATA)]
    get.fails(server.url(), "another part", "tried 2 times", attempts=2)


def test_connection_that_always_breaks_is_an_error_in_the_end(server, get, pauses):
    server.answers["/asset"] = [drop_after(DATA, 1000), lambda handler: handler.cut()]
    get.fails(server.url(), "tried 4 times", "the connection was cut")
    assert len(server.requests) == 4
    assert [0.5 <= pause / 2**number <= 1 for number, pause in enumerate(pauses)] == [True] * 3


def test_body_that_always_ends_early_says_how_much_came(server, get):
    server.answers["/asset"] = drop_after(DATA, 0)
    get.fails(server.url(), "closed too early", "found: 0 bytes", attempts=2)


def test_chunked_body_cut_in_the_middle_is_got_on(server, get):
    server.answers["/asset"] = [chunked(DATA[:HALF]), publish(DATA)]
    assert get(server.url()) == DATA
    assert header(server, "Range") == f"bytes={HALF}-"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_status_that_may_pass_is_tried_again(server, get, status):
    server.answers["/asset"] = [say(status), publish(DATA)]
    assert get(server.url()) == DATA


@pytest.mark.parametrize("status", [401, 403])
def test_who_asks_for_credentials_leads_to_where_they_can_be_given(server, get, status):
    server.answers["/asset"] = say(status)
    get.fails(server.url(), "rule of the option mirrors", "fetch_from: controller")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 410, 300, 304, 204])
def test_status_that_stays_is_told_at_once(server, get, pauses, status):
    server.answers["/asset"] = say(status)
    get.fails(server.url(), f"found: {status}")
    assert (len(server.requests), pauses) == (1, [])


def test_what_is_not_there_may_be_private(server, get):
    server.answers["/asset"] = say(404)
    get.fails(server.url(), "A private repository answers so, too: lock anew with its token")


@pytest.mark.parametrize("makes_date", [False, True])
def test_server_that_asks_to_wait_is_obeyed(server, get, pauses, makes_date):
    value = email.utils.formatdate(time.time() + 30, usegmt=True) if makes_date else "30"
    server.answers["/asset"] = [say(429, {"Retry-After": value}), publish(DATA)]
    assert get(server.url()) == DATA
    assert 27 < pauses[0] <= 33


def test_server_that_asks_to_wait_too_long_is_told_to_the_user(server, get, pauses):
    server.answers["/asset"] = say(503, {"Retry-After": "3600"})
    get.fails(server.url(), "503 Service Unavailable", "wait 3600 s")
    assert (len(server.requests), pauses) == (1, [])


@pytest.mark.parametrize(
    "value", ["soon", "-1", "9" * 400, "Mon, 99 Foo 2023", "Fri, 01 Jan 99999 00:00:00 GMT", "1.5"]
)
def test_senseless_retry_after_is_ignored(server, get, pauses, value):
    server.answers["/asset"] = [say(503, {"Retry-After": value}), publish(DATA)]
    assert get(server.url()) == DATA
    assert 0 < pauses[0] <= 1


# Servers that never come to an end


@pytest.mark.parametrize(
    "answer",
    [
        send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 700000\r\n\r\n", b"x", is_endless=True, pause_s=0.05),
        send_raw(b"HTTP/1.1 200 OK\r\nX: ", b"x", is_endless=True, pause_s=0.05),
        send_raw(b"H", pause_s=30),
        send_raw(b"HTTP/1.1 100 Continue\r\n\r\n", is_endless=True, pause_s=0.01),
        chunked(DATA[:-1], b"1\r\n", b"", b"", b""),
        send_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", is_endless=True),
    ],
    ids=["drip", "drip of a header", "silence", "continue for ever", "chunk that stops", "trailers for ever"],
)
def test_server_without_end_is_left_in_bounded_time(server, get, answer):
    server.answers["/asset"] = answer
    started_s = time.monotonic()
    get.fails(server.url(), "cannot download", timeout_s=0.6, attempts=2)
    assert time.monotonic() - started_s < 5


def test_redirect_with_an_endless_body_is_followed_at_once(server, get):
    head = b"HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n"
    server.answers["/asset"] = send_raw(head, bytes(65536), is_endless=True)
    server.answers["/next"] = publish(DATA)
    assert get(server.url()) == DATA


def test_slow_but_steady_server_is_waited_for(server, get):
    pieces = [DATA[start : start + 70000] for start in range(0, len(DATA), 70000)]
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 700000\r\n\r\n"
    server.answers["/asset"] = send_raw(head, *pieces, pause_s=0.2)
    assert get(server.url(), timeout_s=0.6, attempts=1) == DATA


@settings(max_examples=40)
@given(
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: ", b"HTTP/1.1 206 P\r\n"]),
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [
                    b"Content-Length: -1\r\n",
                    b"Content-Length: " + b"9" * 5000 + b"\r\n",
                    b"Transfer-Encoding: chunked\r\n",
                    b"Content-Range: bytes 5-1/x\r\n",
                    b"\r\n",
                    b"-5\r\nabc",
                    b"fffffffffffffffffffff\r\nabc",
                    b"http://[::1\r\n",
                    b"//\r\n",
                ]
            ),
        ),
        max_size=6,
    ),
)
def test_any_answer_raises_nothing_but_our_own_error(head, pieces):
    with Server() as server:
        server.answers["/asset"] = send_raw(head + b"".join(pieces))
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "never-made")
        with pytest.raises(ReleaseError), limits(timeout_s=0.5, attempts=1):
            download(server.url(), path, SHA256, len(DATA))
        assert not os.path.exists(path)


def test_chunk_of_negative_size_is_our_own_error(server, get):
    """Python 3.6 raises ValueError for it."""
    server.answers["/asset"] = send_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc")
    get.fails(server.url(), "cannot download", attempts=1, timeout_s=2)


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed(server, get, status):
    server.answers["/asset"] = redirect("next?a=%20 b", status)
    server.answers["/next"] = publish(DATA)
    assert get(server.url()) == DATA
    assert server.requests[-1][0] == "/next?a=%20%20b"


def with_password(url):
    return url.replace("://", "://user:secret@")


SENT = "Basic " + base64.b64encode(b"user:secret").decode()


def test_passwords_stay_with_the_host_they_are_for(server, other, get):
    server.answers["/asset"] = redirect("/same")
    server.answers["/same"] = redirect(other.url())
    other.answers["/asset"] = redirect(server.url("/back"))
    server.answers["/back"] = publish(DATA)
    assert get(with_password(server.url())) == DATA
    assert [header(server, "Authorization", number) for number in range(3)] == [SENT, SENT, None]
    assert header(other, "Authorization") is None


def test_another_name_of_the_same_machine_is_another_host(server, get):
    server.answers["/asset"] = redirect(server.url("/next", host="127.0.0.1"))
    server.answers["/next"] = publish(DATA)
    assert get(with_password(server.url())) == DATA
    assert header(server, "Authorization") is None


def test_range_follows_to_the_other_host(server, other, get):
    server.answers["/asset"] = redirect(other.url())
    other.answers["/asset"] = [drop_after(DATA, HALF), publish(DATA)]
    assert get(with_password(server.url())) == DATA
    assert header(other, "Range") == f"bytes={HALF}-"
    assert len(server.requests) == 2


def test_refusal_by_the_other_host_says_that_passwords_stayed_behind(server, other, get):
    server.answers["/asset"] = redirect(other.url())
    other.answers["/asset"] = say(403)
    get.fails(with_password(server.url()), "403 Forbidden", "redirects to another host")


def test_https_never_becomes_http(tls_server, server, get):
    tls_server.answers["/asset"] = redirect(server.url())
    get.fails(tls_server.url(), "redirects to where it must not", "an https URL", server.url())
    assert server.requests == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://localhost/x", "http://[::1", "http://h:x/", ""])
def test_redirect_to_no_web_address_is_refused(server, get, location):
    server.answers["/asset"] = redirect(location)
    get.fails(server.url(), "redirects to where it must not")


def test_redirects_in_a_circle_end(server, get):
    server.answers["/asset"] = redirect("/asset")
    get.fails(server.url(), "more than 10 redirects")
    assert len(server.requests) == 11


def test_ten_redirects_are_followed(server, get):
    for number in range(10):
        server.answers["/asset" if number == 0 else f"/{number}"] = redirect(f"/{number + 1}")
    server.answers["/10"] = publish(DATA)
    assert get(server.url()) == DATA


# Secrets


def test_user_and_password_of_a_url_are_sent_but_not_shown(server, get):
    server.answers["/asset"] = redirect("/next")
    server.answers["/next"] = say(401)
    url = server.url("/asset?token=secret").replace("://", "://user:p%40ss@")
    text = get.fails(url, "401 Unauthorized", "token or password")
    expected = "Basic " + base64.b64encode(b"user:p@ss").decode()
    assert [header(server, "Authorization", number) for number in (0, 1)] == [expected] * 2
    assert not [word for word in ("user", "p%40ss", "p@ss", "secret") if word in text.replace("token or password", "")]


def test_password_that_a_redirect_names_is_not_sent(server, get):
    server.answers["/asset"] = redirect(server.url("/next").replace("://", "://a:b@"))
    server.answers["/next"] = publish(DATA)
    assert get(server.url()) == DATA
    assert header(server, "Authorization") is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a/b.tar.gz", "https://example.org/a/b.tar.gz"),
        ("https://u:p@example.org:8443/a?sig=s#f", "https://example.org:8443/a?..."),
        ("https://u@p@example.org/a", "https://example.org/a"),
        ("file:///srv/a", "file:///srv/a"),
        ("https://example.org/\n\u202ea", r"https://example.org/\u202ea"),
        ("http://[::1", "(a URL that cannot be read)"),
        ("https://u:p/w@example.org/a", "(a URL that cannot be read)"),
        ("https://u:1/w@example.org/a", "https://...@example.org/a"),
        ("https://npm.example.org/@scope/a.tgz", "https://npm.example.org/@scope/a.tgz"),
    ],
)
def test_url_is_shown_without_its_secrets(url, shown):
    assert url_without_secrets(url).replace(r"\n", "") == shown


@given(st.text(), st.text())
def test_no_url_shows_its_password_or_raises(user, path):
    name = user.translate(dict.fromkeys(map(ord, "/?#")))
    shown = url_without_secrets(f"https://{name}:hunter2@example.org/{path}")
    assert "hunter2" not in shown or "hunter2" in path
    assert shown.isprintable()


# What the machine or the network does not do


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a",
        "example.org/a",
        "https:///a",
        "https://e:x/",
        "https://e:0/",
        "http://e/a b",
        "",
        "data:,a",
    ],
)
def test_url_that_cannot_be_asked_for_is_refused(get, url):
    get.fails(url, "is no URL to download from")


def test_closed_port_is_named(get):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    get.fails(f"http://127.0.0.1:{port}/a", "127.0.0.1", "Connection refused", "https_proxy")


@pytest.mark.parametrize(("code", "tries"), [("EAI_NONAME", 1), ("EAI_AGAIN", 4)])
def test_unknown_host_is_named(get, monkeypatch, pauses, code, tries):
    def getaddrinfo(*_arguments, **_options):
        raise socket.gaierror(getattr(socket, code), "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    told = ("this machine cannot resolve the name gone.example.org", "DNS", "option mirrors", "tools_mirrors")
    get.fails("https://gone.example.org/a", *told)
    assert len(pauses) == tries - 1


def test_an_ipv6_address_is_named_whole(get, monkeypatch):
    def getaddrinfo(*_arguments, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Address family for hostname not supported")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    get.fails("https://[2001:db8::1]:8443/x", "cannot resolve the name 2001:db8::1", "getent hosts 2001:db8::1")
    monkeypatch.setenv("https_proxy", "http://[2001:db8::2]:3128")
    get.fails("https://gone.example.org/x", "cannot resolve the name 2001:db8::2")
    monkeypatch.delenv("https_proxy")
    monkeypatch.setattr(socket, "getaddrinfo", mock.Mock(side_effect=ConnectionRefusedError(111, "refused")))
    get.fails("https://[2001:db8::1]/x", "https://[2001:db8::1]: Connection refused")


def unanswered(get, url, **options):
    """Return whether nobody answered, and see to it that nobody is asked twice where somebody else stands by."""
    with limits(**{"timeout_s": 0.6, "attempts": 2, **options}), pytest.raises(ReleaseError) as failure:
        download(url, get.path, SHA256, SIZE, patience=downloading.patience_while_controller_stands_by())
    assert failure.value.about("tool").is_unanswered is failure.value.is_unanswered
    return failure.value.is_unanswered


def test_a_machine_without_a_way_gives_up_at_once_where_another_one_stands_by(get, monkeypatch, pauses):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert unanswered(get, f"http://127.0.0.1:{port}/a")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        assert unanswered(get, f"http://127.0.0.1:{silent.getsockname()[1]}/a")
        assert unanswered(get, f"https://127.0.0.1:{silent.getsockname()[1]}/a")
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert unanswered(get, "https://gone.example.org/a")
    monkeypatch.delenv("https_proxy")
    unknown = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    monkeypatch.setattr(socket, "getaddrinfo", mock.Mock(side_effect=unknown))
    assert unanswered(get, "https://gone.example.org/a")
    assert pauses == []


def test_a_download_that_stalls_goes_on_where_another_one_stands_by(server, get):
    """The server did answer, so nobody else sends the file."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 700000\r\n\r\n"
    server.answers["/asset"] = [send_raw(head + DATA[:HALF], pause_s=30), publish(DATA)]
    with limits(timeout_s=0.6):
        patience = downloading.patience_while_controller_stands_by()
        download(server.url(), get.path, SHA256, SIZE, patience=patience)
    assert len(server.requests) == 2
    assert header(server, "Range") == f"bytes={HALF}-"


def test_packets_that_nobody_answers_are_waited_for_in_bounded_time(get, monkeypatch):
    monkeypatch.setattr(downloading, "QUICK_CONNECT_TIMEOUT_S", 0.3)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        started_s = time.monotonic()
        assert unanswered(get, f"http://127.0.0.1:{full.getsockname()[1]}/a", timeout_s=60)
        assert time.monotonic() - started_s < 30


def test_a_proxy_that_lets_nobody_through_is_no_way(proxy, get, monkeypatch):
    monkeypatch.setenv("https_proxy", proxy.url(""))
    proxy.answers["CONNECT"] = say(403)
    assert unanswered(get, "https://example.org/asset")


@pytest.mark.parametrize("status", [403, 407, 502, 503, 504, 511])
def test_what_stands_between_and_lets_nothing_through_was_not_the_server(proxy, get, monkeypatch, pauses, status):
    monkeypatch.setenv("http_proxy", proxy.url(""))
    proxy.answers["http://example.org/asset"] = say(status)
    assert unanswered(get, "http://example.org/asset")
    assert pauses == []


@pytest.mark.parametrize("status", [404, 410, 500])
def test_what_only_the_server_says_is_its_answer_by_a_proxy_too(proxy, get, monkeypatch, status):
    monkeypatch.setenv("http_proxy", proxy.url(""))
    proxy.answers["http://example.org/asset"] = say(status)
    assert not unanswered(get, "http://example.org/asset")


@pytest.mark.parametrize(
    "answer",
    [
        say(404),
        say(403),
        say(503),
        publish(DATA[:-1]),
        publish(bytes(SIZE)),
        drop_after(DATA, HALF),
        drop_after(DATA, HALF, is_reset=True),
        send_raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    ],
)
def test_a_wrong_answer_is_an_answer(server, get, answer):
    server.answers["/asset"] = answer
    assert not unanswered(get, server.url())


def test_who_is_not_trusted_has_answered(tls_server, get, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    assert not unanswered(get, tls_server.url())


def test_the_last_try_of_the_last_resort_was_not_answered_either(get):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        with limits(timeout_s=0.3, attempts=2), pytest.raises(ReleaseError) as failure:
            download(f"http://127.0.0.1:{silent.getsockname()[1]}/a", get.path, SHA256, SIZE)
    assert "tried 2 times" in str(failure.value)
    assert failure.value.is_unanswered


def test_untrusted_certificate_says_what_to_do(tls_server, get, monkeypatch, pauses):
    monkeypatch.delenv("SSL_CERT_FILE")
    get.fails(tls_server.url(), "not trusted", "SSL_CERT_FILE", "set now: SSL_CERT_DIR", "cannot be turned off")
    assert pauses == []


def test_authorities_that_are_not_there_are_named(tls_server, get, monkeypatch, pauses):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    get.fails(tls_server.url(), "not trusted", "set now: SSL_CERT_DIR, which is not there, SSL_CERT_FILE, which")


def test_certificate_for_another_name_is_refused(tls_server, get, pauses):
    get.fails(tls_server.url(host="127.0.0.1"), "not trusted", "127.0.0.1", "the name that the certificate is for")
    assert (tls_server.requests, pauses) == ([], [])


def test_expired_certificate_says_to_check_the_clock():
    text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired"
    error = http_get._explained(ssl.SSLError(1, text), "https://example.org/a", "")
    assert "this machine's clock" in str(error)


def test_server_without_tls_is_named(server, get):
    get.fails(server.url().replace("http:", "https:"), "TLS failed")


def test_server_that_hangs_up_while_tls_is_spoken_is_tried_again(get, pauses):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        listening.settimeout(5)
        hang_up = threading.Thread(target=lambda: [listening.accept()[0].close() for _attempt in range(2)])
        hang_up.start()
        get.fails(f"https://127.0.0.1:{listening.getsockname()[1]}/a", "tried 2 times", attempts=2)
        hang_up.join()
    assert len(pauses) == 1


def test_server_that_speaks_something_else_is_named(server, get):
    server.answers["/asset"] = send_raw(b"SSH-2.0-OpenSSH_9.2\r\n")
    get.fails(server.url(), "does not speak HTTP")


def test_place_that_is_taken_or_missing_is_told_and_left_alone(server, get, tmp_path):
    server.answers["/asset"] = publish(DATA)
    taken = tmp_path / "taken"
    taken.write_text("mine")
    (tmp_path / "link").symlink_to(taken)
    for name, reason in (("taken", "File exists"), ("link", "File exists"), ("gone/a", "No such file")):
        with pytest.raises(ReleaseError, match=reason):
            download(server.url(), str(tmp_path / name), SHA256, len(DATA))
    assert taken.read_text() == "mine"
    assert server.requests == []


def test_file_system_that_takes_no_more_is_told_and_cleared(server, get):
    """A limit on file sizes is the full disk that every user can have."""
    server.answers["/asset"] = publish(DATA)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, hard))
    try:
        get.fails(server.url(), "cannot write", "File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(server.requests) == 1


def test_interrupted_download_leaves_nothing(server, get, monkeypatch):
    def interrupt(_partial, _data):
        raise KeyboardInterrupt

    monkeypatch.setattr(downloading._Partial, "append", interrupt)
    server.answers["/asset"] = publish(DATA)
    with pytest.raises(KeyboardInterrupt):
        get(server.url())
    assert os.listdir(get.folder) == []


# Proxies


@pytest.fixture
def proxy():
    with Server() as running:
        yield running


def test_http_goes_by_the_proxy_of_the_environment(proxy, get, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy.url("").replace("://", "://user:pa%20ss@"))
    proxy.answers["http://example.org/asset"] = publish(DATA)
    assert get("http://example.org/asset") == DATA
    assert header(proxy, "Proxy-Authorization") == "Basic " + base64.b64encode(b"user:pa ss").decode()
    assert header(proxy, "Host") == "example.org"


def test_https_goes_through_a_tunnel_and_is_verified(proxy, tls_server, get, monkeypatch):
    monkeypatch.setenv("https_proxy", proxy.url("").replace("://", "://user:pass@"))
    monkeypatch.setenv("no_proxy", "example.org")
    tls_server.answers["/asset"] = publish(DATA)
    assert get(with_password(tls_server.url())) == DATA
    assert proxy.requests[0][0] == f"localhost:{tls_server.server_port}"
    assert header(proxy, "Proxy-Authorization")
    assert header(tls_server, "Proxy-Authorization") is None
    assert header(tls_server, "Host") == f"localhost:{tls_server.server_port}"
    assert SENT not in str(proxy.requests)


def test_host_in_no_proxy_is_asked_directly(proxy, server, get, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy.url(""))
    monkeypatch.setenv("no_proxy", "localhost")
    server.answers["/asset"] = publish(DATA)
    assert get(server.url()) == DATA
    assert proxy.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_wants_a_password_is_named_without_the_one_it_got(proxy, get, monkeypatch, scheme):
    monkeypatch.setenv(scheme + "_proxy", proxy.url("").replace("://", "://user:secret@"))
    proxy.answers["http://example.org/asset"] = proxy.answers["CONNECT"] = say(407)
    words = ["the proxy " + proxy.url(""), "407 Proxy Authentication Required", "the proxy's user and password in"]
    assert "secret" not in get.fails(scheme + "://example.org/asset", *words)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_forbids_a_host_is_told(proxy, get, monkeypatch, scheme):
    monkeypatch.setenv(scheme + "_proxy", proxy.url(""))
    proxy.answers["http://example.org/asset"] = proxy.answers["CONNECT"] = say(403)
    get.fails(scheme + "://example.org/asset", "through the proxy " + proxy.url(""), "403 Forbidden", "no_proxy")


def test_proxy_that_cannot_reach_the_host_is_tried_again(proxy, get, monkeypatch, pauses):
    monkeypatch.setenv("https_proxy", proxy.url(""))
    proxy.answers["CONNECT"] = say(502)
    get.fails("https://example.org/asset", "502 Bad Gateway", attempts=2)
    assert len(pauses) == 1


def test_proxy_that_is_not_there_is_named_without_its_password(get, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("https_proxy", f"http://user:secret@{address}/")
    text = get.fails("https://example.org/asset", "the proxy http://" + address, "Connection refused")
    assert "secret" not in text


@pytest.mark.parametrize(
    "proxy_url",
    [
        "socks5://user:secret@127.0.0.1:1080",
        "http://user:secret@",
        "http://u:secret@h:x",
        "http://u:a/secret@h:1",
        "http://u:1/secret@h:1",
        "http://u:1?secret@h:1",
        "http://u:[secret@h:1",
        "u:1/secret@h:1",
    ],
)
def test_proxy_that_cannot_be_used_is_told(get, monkeypatch, proxy_url):
    monkeypatch.setenv("https_proxy", proxy_url)
    assert "secret" not in get.fails("https://example.org/asset", "proxy", "http://HOST:PORT")


def test_endless_answer_of_a_proxy_is_left_in_bounded_time(proxy, get, monkeypatch):
    monkeypatch.setenv("https_proxy", proxy.url(""))
    proxy.answers["CONNECT"] = send_raw(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", is_endless=True, pause_s=0.01)
    started_s = time.monotonic()
    get.fails("https://example.org/asset", "through the proxy", timeout_s=0.6, attempts=1)
    assert time.monotonic() - started_s < 5


# Files


def file_url(path):
    return "file://" + str(path)


def test_file_url_is_copied_and_verified(get, tmp_path):
    (tmp_path / "an asset").write_bytes(DATA)
    assert get(file_url(tmp_path / "an%20asset")) == DATA
    os.unlink(get.path)
    get.fails(file_url(tmp_path / "an%20asset"), "not the file that was locked", sha256="0" * 64)
    get.fails(file_url(tmp_path / "an%20asset"), "another size", "found: 700000 bytes", size=5)


def test_file_url_beyond_ascii_is_found_under_any_locale(get, tmp_path):
    with open(os.path.join(os.fsencode(str(tmp_path)), "caf\u00e9".encode("utf-8")), "wb") as asset:
        asset.write(DATA)
    script = "import sys; from {0} import download; download(*sys.argv[1:4], size=int(sys.argv[4]))"
    environment = dict(
        os.environ, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONPATH=os.pathsep.join(sys.path)
    )
    arguments = [file_url(tmp_path / "caf%C3%A9"), get.path, SHA256, str(len(DATA))]
    subprocess.check_call([sys.executable, "-c", script.format(download.__module__), *arguments], env=environment)
    assert os.path.getsize(get.path) == len(DATA)


def test_file_url_of_no_regular_file_is_refused(get, tmp_path):
    os.mkfifo(str(tmp_path / "fifo"))
    get.fails(file_url(tmp_path / "fifo"), "not a regular file")
    get.fails(file_url(tmp_path / "gone"), "No such file", "mirrors leads there, mount it", "of the controller")
    get.fails(file_url(tmp_path), "cannot read")
    for url in ("file://elsewhere.example.org/a", "file:relative", "file:///a%00b"):
        get.fails(url, "no file of this machine")
