# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host gets the locked bytes from the first server that sends them, whatever the servers before it do."""

import hashlib
import os
import random
import resource
import socket

import pytest
from ansible_collections.pinned.release.plugins.module_utils import download as downloading
from ansible_collections.pinned.release.plugins.module_utils import mirrors
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.mirrors import Fetcher
from ansible_collections.pinned.release.plugins.module_utils.orders import Download
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.web_servers import (
    Server,
    drop_after,
    publish,
    redirect,
    say,
    send_raw,
)

DATA = random.Random(7).getrandbits(8 * 300000).to_bytes(300000, "big")
SHA256 = hashlib.sha256(DATA).hexdigest()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DATA)


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Leave no proxy in the environment, lose little time with silent servers, and return the pauses instead."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(mirrors, "IMPATIENT", downloading.IMPATIENT._replace(timeout_s=0.5))
    monkeypatch.setattr(downloading, "TIMEOUT_S", 5.0)
    made = []
    monkeypatch.setattr(downloading.time, "sleep", made.append)
    return made


@pytest.fixture
def mirror():
    with Server() as running:
        yield running


@pytest.fixture
def upstream():
    with Server() as running:
        running.answers["/asset"] = publish(DATA)
        yield running


def asset(*urls, **changes):
    return Download("uv.tar.gz", list(urls), len(DATA), SHA256, "tar.gz", 1)._replace(**changes)


def fetched(folder, *urls, **changes):
    """Return how an asset came, after a look at its bytes."""
    path = os.path.join(str(folder), "asset")
    found = Fetcher(Pushed()).fetch(asset(*urls, **changes), path)
    with open(path, "rb") as file:
        assert file.read() == DATA
    return found


FAULTS = {
    "other bytes": (publish(bytes(len(DATA))), "is not the file that was locked"),
    "too few": (publish(DATA[:-1]), "another size"),
    "too many": (publish(DATA + b"x"), "another size"),
    "endless ones": (send_raw(b"HTTP/1.1 200 OK\r\n\r\n", DATA, is_endless=True), "another size"),
    "half of them": (drop_after(DATA, len(DATA) // 2), "closed too early"),
    "half, then a reset": (drop_after(DATA, 1000, is_reset=True), "was cut"),
    "half, then none since it is pruned": ([drop_after(DATA, 1000), say(404)], "404"),
    "none": (send_raw(b""), "cannot download"),
    "no such file": (say(404), "404"),
    "no access": (say(401, {"WWW-Authenticate": "Basic"}), "401"),
    "a failure": (say(500), "500"),
    "too busy": (say(503, {"Retry-After": "90"}), "503"),
    "a page": (say(200, {"Content-Type": "text/html"}, b"<html>log in"), "a web page"),
    "a redirect to itself": (redirect("/asset"), "redirects"),
    "something else than HTTP": (send_raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak HTTP"),
    "no word": (send_raw(b"", is_endless=True, pause_s=0.1), "did not answer in time"),
    "a head without a body": (send_raw(HEAD, b"", is_endless=True, pause_s=0.1), "did not answer in time"),
    "a trickle": (send_raw(HEAD, b"x", is_endless=True, pause_s=0.02), "too slowly"),
}


@pytest.mark.parametrize(("answer", "reason"), FAULTS.values(), ids=FAULTS)
def test_whatever_a_mirror_does_the_next_one_serves(mirror, upstream, tmp_path, answer, reason):
    mirror.answers["/asset"] = answer
    found = fetched(tmp_path, mirror.url(), upstream.url())
    assert found.served_by == 1
    assert len(found.failed) == 1
    assert reason in found.failed[0]
    assert found.bytes_fetched >= len(DATA)
    assert len(upstream.requests) == 1


def test_nobody_behind_an_address_is_the_same(upstream, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = fetched(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}/asset", upstream.url())
    assert found.served_by == 1
    assert "refused" in found.failed[0]


def test_a_folder_of_the_host_is_a_mirror_too(upstream, tmp_path):
    (tmp_path / "mirror").mkdir()
    url = f"file://{tmp_path}/mirror/asset"
    assert fetched(tmp_path, url, upstream.url()).served_by == 1
    (tmp_path / "asset").unlink()
    (tmp_path / "mirror/asset").write_bytes(DATA)
    assert fetched(tmp_path, url, upstream.url()).served_by == 0
    assert len(upstream.requests) == 1


def test_the_first_that_serves_is_the_last_that_is_asked(mirror, upstream, tmp_path):
    mirror.answers["/asset"] = publish(DATA)
    found = fetched(tmp_path, mirror.url(), upstream.url())
    assert (found.served_by, found.bytes_fetched, found.failed) == (0, len(DATA), [])
    assert found.seconds >= 0
    assert upstream.requests == []


def test_bytes_that_were_thrown_away_were_fetched_as_well(mirror, upstream, tmp_path):
    mirror.answers["/asset"] = publish(bytes(len(DATA)))
    assert fetched(tmp_path, mirror.url(), upstream.url()).bytes_fetched == 2 * len(DATA)


def test_a_mirror_that_stumbles_once_goes_on(mirror, upstream, tmp_path, pauses):
    mirror.answers["/asset"] = [drop_after(DATA, 1000), publish(DATA)]
    found = fetched(tmp_path, mirror.url(), upstream.url())
    assert (found.served_by, found.bytes_fetched) == (0, len(DATA))
    assert len(pauses) == 1


def test_little_is_waited_for_a_mirror_and_more_for_the_last(mirror, upstream, tmp_path, pauses):
    mirror.answers["/asset"] = say(503, {"Retry-After": "90"})
    upstream.answers["/asset"] = [say(503, {"Retry-After": "90"}), publish(DATA)]
    assert fetched(tmp_path, mirror.url(), upstream.url()).served_by == 1
    assert [90 <= pause <= 99 for pause in pauses] == [True]
    assert len(mirror.requests) == 1


def test_who_was_silent_once_is_asked_last_from_then_on(mirror, upstream, tmp_path):
    mirror.answers["/asset"] = send_raw(b"", is_endless=True, pause_s=0.1)
    fetcher = Fetcher(Pushed())
    urls = (mirror.url(), upstream.url())
    first = fetcher.fetch(asset(*urls), str(tmp_path / "first"))
    second = fetcher.fetch(asset(*urls), str(tmp_path / "second"))
    assert (first.served_by, second.served_by, second.failed) == (1, 1, [])
    assert len(mirror.requests) == 1
    mirror.answers["/asset"], upstream.answers["/asset"] = publish(DATA), say(404)
    assert fetcher.fetch(asset(*urls), str(tmp_path / "third")).served_by == 0


def test_a_mirror_that_fails_for_each_asset_in_one_way_is_told_once(mirror, upstream, tmp_path):
    gone = "file://{}".format(tmp_path)
    mirror.answers["/asset"] = say(404)
    mirror.answers["/other"] = say(403)
    fetcher = Fetcher(Pushed())
    told = []
    for number, path in enumerate(["asset", "asset", "other"]):
        urls = [gone + "/a/" + path, gone + "/b/" + path, mirror.url("/" + path), upstream.url()]
        told.append(fetcher.fetch(asset(*urls), str(tmp_path / str(number))).failed)
    assert [len(one) for one in told] == [3, 0, 1]
    assert "/a/asset" in told[0][0]
    assert "/b/asset" in told[0][1]
    assert "404" in told[0][2]
    assert "403" in told[2][0]
    assert len(mirror.requests) == 3


def test_who_lacks_one_asset_is_asked_for_the_next(mirror, upstream, tmp_path):
    mirror.answers.update({"/asset": publish(DATA), "/other": say(404)})
    upstream.answers["/other"] = publish(DATA)
    fetcher = Fetcher(Pushed())
    assert fetcher.fetch(asset(mirror.url("/other"), upstream.url("/other")), str(tmp_path / "a")).served_by == 1
    assert fetcher.fetch(asset(mirror.url(), upstream.url()), str(tmp_path / "b")).served_by == 0


def test_where_nobody_serves_every_reason_is_told_and_nothing_stays(mirror, upstream, tmp_path):
    mirror.answers["/asset"] = publish(bytes(len(DATA)))
    upstream.answers["/asset"] = say(404)
    with pytest.raises(ReleaseError, match=r"none of 2 addresses serves uv\.tar\.gz") as failure:
        fetched(tmp_path, mirror.url(), upstream.url())
    assert "is not the file that was locked" in failure.value.found
    assert "404 Not Found" in failure.value.found
    assert list(tmp_path.iterdir()) == []


def test_the_only_address_fails_as_ever(upstream, tmp_path):
    upstream.answers["/asset"] = say(404)
    with pytest.raises(ReleaseError, match="cannot download") as failure:
        fetched(tmp_path, upstream.url())
    assert failure.value.found == "404 Not Found"


def test_a_disk_that_is_full_is_no_fault_of_a_mirror(mirror, upstream, tmp_path):
    """A limit on file sizes is the full disk that every user can have."""
    mirror.answers["/asset"] = publish(DATA)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(ReleaseError, match="File too large"):
            fetched(tmp_path, mirror.url(), upstream.url())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert upstream.requests == []


def authorization(server):
    return [headers.get("Authorization") for _path, headers in server.requests]


def test_secrets_go_to_their_own_server_and_follow_no_redirect_to_another(mirror, upstream, tmp_path):
    mirror.answers["/asset"] = redirect(upstream.url())
    headers = {mirror.url(): {"Authorization": "Basic eDp5"}}
    assert fetched(tmp_path, mirror.url(), headers=headers).served_by == 0
    assert (authorization(mirror), authorization(upstream)) == (["Basic eDp5"], [None])


def test_secrets_of_a_mirror_are_not_for_the_next_server(mirror, upstream, tmp_path):
    mirror.answers["/asset"] = say(404)
    headers = {mirror.url(): {"Authorization": "Basic eDp5"}}
    found = fetched(tmp_path, mirror.url(), upstream.url(), headers=headers)
    assert (authorization(mirror), authorization(upstream)) == (["Basic eDp5"], [None])
    assert "eDp5" not in str(found)


def test_secrets_do_not_change_what_is_asked_for(mirror, tmp_path):
    mirror.answers["/asset"] = [drop_after(DATA, 1000), publish(DATA)]
    fetched(tmp_path, mirror.url(), headers={mirror.url(): {"Range": "bytes=5-9", "X-Key": "k"}})
    asked = [(headers.get("Range"), headers.get("X-Key")) for _path, headers in mirror.requests]
    assert asked[-1] == ("bytes=1000-", "k")
