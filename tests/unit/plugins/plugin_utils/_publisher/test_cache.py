# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache against real servers on loopback: fetched once, resumed, compared, never believed unread."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import itertools
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import cache as cache_file
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import read as read_mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, files

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA512 = hashlib.sha512(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the proxies and the netrc of the machine, and without waiting."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(cache_file.time, "sleep", lambda seconds: None)


def asset(web, **fields):
    return Asset("tool", web.url + "/tool", **fields)


def serving(content=CONTENT):
    return Web(files({"/tool": content}))


def breaking_off(*lengths, headers=None):
    """Serve CONTENT, but break off after each of *lengths* bytes in turn."""
    following = itertools.chain(lengths, itertools.repeat(len(CONTENT)))
    whole = files({"/tool": CONTENT})

    def answer(question):
        honest = whole(question)
        return dataclasses.replace(
            honest,
            body=honest.body[: next(following)],
            length=len(honest.body),
            headers={**honest.headers, **(headers or {})},
        )

    return Web(answer)


def test_an_asset_is_kept_under_its_own_digest(tmp_path):
    with serving() as web:
        found = Cache(tmp_path).fetch(asset(web), transport.session())
    assert found.path == tmp_path / "sha256" / SHA256[:2] / SHA256
    assert (found.sha256, found.size, found.digests) == (SHA256, len(CONTENT), {"sha256": SHA256})
    assert found.path.read_bytes() == CONTENT


@pytest.mark.parametrize("digests", [{"sha256": SHA256}, {"sha256": SHA256.upper()}, {"sha512": SHA512}])
def test_an_asset_with_a_digest_is_fetched_once_by_all_runs(tmp_path, digests):
    with serving() as web:
        first = Cache(tmp_path).fetch(asset(web, digests=digests), transport.session())
        again = Cache(tmp_path).fetch(asset(web, digests=digests), transport.session())
    assert (first.sha256, again) == (SHA256, first)
    assert len(web.questions) == 1


def test_the_same_bytes_at_another_address_are_not_fetched_again(tmp_path):
    with serving() as web:
        Cache(tmp_path).fetch(asset(web), transport.session())
    elsewhere = Asset("tool", "http://127.0.0.1:1/tool", digests={"sha256": SHA256})
    assert Cache(tmp_path).fetch(elsewhere, transport.session()).sha256 == SHA256


def test_an_asset_without_a_digest_is_fetched_once_a_run_and_seen_to_change(tmp_path):
    content = {"/tool": b"old"}
    with Web(files(content)) as web:
        run = Cache(tmp_path)
        assert run.fetch(asset(web), transport.session()) == run.fetch(asset(web), transport.session())
        assert len(web.questions) == 1
        content["/tool"] = b"new"
        assert Cache(tmp_path).fetch(asset(web), transport.session()).path.read_bytes() == b"new"


def test_a_weak_digest_is_compared_but_not_believed(tmp_path):
    md5 = {"md5": hashlib.md5(CONTENT).hexdigest()}
    with serving() as web:
        Cache(tmp_path).fetch(asset(web, digests=md5), transport.session())
        Cache(tmp_path).fetch(asset(web, digests=md5), transport.session())
        assert len(web.questions) == 2
        with pytest.raises(ReleaseError, match="not what it should be"):
            Cache(tmp_path).fetch(asset(web, digests={"md5": "0" * 32}), transport.session())


@pytest.mark.parametrize(
    "fields",
    [
        {"digests": {"sha256": "0" * 64}},
        {"digests": {"sha512": "0" * 128}},
        {"digests": {"sha256": SHA256, "sha512": "0" * 128}},
        {"digests": {"sha256": SHA256, "md5": "0" * 32}},
    ],
)
def test_bytes_that_are_not_what_is_listed_are_refused_and_not_kept(tmp_path, fields):
    with serving() as web, pytest.raises(ReleaseError, match="not what it should be") as failure:
        Cache(tmp_path).fetch(asset(web, **fields), transport.session())
    assert "0000" in failure.value.expected
    assert web.url + "/tool" in failure.value.what
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "locks"] == []


def test_small_files_are_read_within_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_file, "SMALL_FILE_LIMIT_BYTES", 4)
    with Web(files({"/tool": b"sums", "/large": b"large"})) as web:
        read = Cache(tmp_path).reader(transport.session())
        assert (read(asset(web)), read(asset(web))) == (b"sums", b"sums")
        assert len(web.questions) == 1
        with pytest.raises(ReleaseError, match="at most 4 bytes"):
            read(Asset("large", web.url + "/large"))


def test_a_second_digest_is_compared_with_what_is_here_too(tmp_path):
    with serving() as web:
        Cache(tmp_path).fetch(asset(web), transport.session())
        with pytest.raises(ReleaseError, match="not what it should be"):
            Cache(tmp_path).fetch(asset(web, digests={"sha256": SHA256, "sha512": "0" * 128}), transport.session())


@pytest.mark.parametrize("damaged", [b"", CONTENT[:-1], CONTENT[:-1] + b"x"])
def test_a_damaged_file_is_told_and_fetched_again(tmp_path, damaged, caplog):
    with serving() as web:
        found = Cache(tmp_path).fetch(asset(web, digests={"sha256": SHA256}), transport.session())
        found.path.chmod(0o644)
        found.path.write_bytes(damaged)
        again = Cache(tmp_path).fetch(asset(web, digests={"sha256": SHA256}), transport.session())
        assert again.path.read_bytes() == CONTENT
        Cache(tmp_path).fetch(asset(web, digests={"sha256": SHA256}), transport.session())
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"{found.path} in the cache was damaged; it is removed, and to be downloaded again"
    ]


@pytest.mark.parametrize("damaged", [b"../../../etc/passwd", b"\xff\xfe", b""])
def test_a_damaged_index_is_no_more_than_forgotten(tmp_path, damaged):
    with serving() as web:
        Cache(tmp_path).fetch(asset(web, digests={"sha512": SHA512}), transport.session())
        (tmp_path / "index" / f"sha512-{SHA512}").write_bytes(damaged)
        assert Cache(tmp_path).fetch(asset(web, digests={"sha512": SHA512}), transport.session()).sha256 == SHA256


@pytest.mark.parametrize("value", ["../../../../etc/passwd", "0" * 63, "", "g" * 64])
def test_a_digest_that_is_none_never_becomes_a_path(tmp_path, value):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    with pytest.raises(ReleaseError, match="cannot be compared"):
        Cache(tmp_path / "cache").fetch(
            Asset("tool", "http://127.0.0.1:1/", digests={"sha256": value}), transport.session()
        )
    assert victim.read_text() == "precious"


def test_an_algorithm_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(ReleaseError, match="cannot be compared") as failure:
        Cache(tmp_path).fetch(Asset("tool", "http://127.0.0.1:1/", digests={"shake_128": "00"}), transport.session())
    assert "shake_128" in failure.value.found


@pytest.mark.parametrize(
    "fields", [{"digests": {"sha256": SHA256}}, {"size": len(CONTENT), "digests": {"sha256": SHA256}}]
)
def test_a_transfer_that_breaks_off_is_resumed(tmp_path, fields):
    with breaking_off(1000, 2000) as web:
        assert Cache(tmp_path).fetch(asset(web, **fields), transport.session()).sha256 == SHA256
    assert [question.headers["Range"] for question in web.questions] == [None, "bytes=1000-", "bytes=3000-"]


def test_without_a_digest_it_is_resumed_only_where_the_server_vouches_for_the_rest(tmp_path):
    with breaking_off(1000, headers={"ETag": '"1"'}) as web:
        assert Cache(tmp_path).fetch(asset(web), transport.session()).sha256 == SHA256
    assert [question.headers["If-Range"] for question in web.questions] == [None, '"1"']
    with breaking_off(1000) as web:
        assert Cache(tmp_path).fetch(asset(web), transport.session()).sha256 == SHA256
    assert [question.headers["Range"] for question in web.questions] == [None, None]


def test_a_server_without_ranges_is_asked_for_everything(tmp_path):
    lengths = iter([1000, len(CONTENT)])
    with Web(lambda question: Answer(200, CONTENT[: next(lengths)], length=len(CONTENT))) as web:
        assert Cache(tmp_path).fetch(asset(web, digests={"sha256": SHA256}), transport.session()).sha256 == SHA256


def test_a_short_answer_that_claims_to_be_whole_is_resumed_up_to_the_listed_size(tmp_path):
    lengths = iter([1000, len(CONTENT)])
    whole = files({"/tool": CONTENT})
    with Web(lambda question: dataclasses.replace(whole(question), body=whole(question).body[: next(lengths)])) as web:
        assert (
            Cache(tmp_path).fetch(asset(web, size=len(CONTENT), digests={"sha256": SHA256}), transport.session()).sha256
            == SHA256
        )


@pytest.mark.parametrize(
    "answer",
    [
        Answer(206, CONTENT[5:], {"Content-Range": f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"}),
        Answer(206, CONTENT[1000:]),
        Answer(416),
    ],
)
def test_a_rest_that_is_not_the_rest_starts_anew(tmp_path, answer):
    answers = iter([Answer(200, CONTENT[:1000], length=len(CONTENT)), answer, Answer(200, CONTENT)])
    with Web(lambda question: next(answers)) as web:
        assert Cache(tmp_path).fetch(asset(web, digests={"sha256": SHA256}), transport.session()).sha256 == SHA256


def test_a_transfer_that_always_breaks_off_is_given_up(tmp_path):
    with Web(lambda question: Answer(200, b"x", length=100)) as web, pytest.raises(ReleaseError):
        Cache(tmp_path).fetch(asset(web), transport.session())
    assert len(web.questions) == cache_file.ATTEMPTS


KILLED = """
import os, sys, itertools
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from pathlib import Path
def die(received):
    if received > 300_000: os._exit(9)
root, url, sha256 = sys.argv[1:]
Cache(Path(root)).fetch(Asset("tool", url, digests={"sha256": sha256}), transport.session(), progress=die)
"""


def process(program, *arguments):
    """Start a Python of its own on *program*, which can import what this one can."""
    importable = [str(Path(cache_file.__file__).parents[6]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(importable)}
    return subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], env=environment)


def test_what_a_killed_run_left_is_continued(tmp_path):
    with serving() as web:
        assert process(KILLED, tmp_path, web.url + "/tool", SHA256).wait() == 9
        assert Cache(tmp_path).fetch(asset(web, digests={"sha256": SHA256}), transport.session()).sha256 == SHA256
    assert web.questions[1].headers["Range"].startswith("bytes=")


def test_a_bad_rest_of_an_earlier_run_is_not_held_against_the_publisher(tmp_path):
    with serving() as web:
        wanted = asset(web, digests={"sha256": SHA256})
        (tmp_path / "partial").mkdir(mode=0o700)
        key = cache_file._Wanted(wanted, 10**9).key
        (tmp_path / "partial" / key).write_bytes(b"not the beginning of it")
        assert Cache(tmp_path).fetch(wanted, transport.session()).sha256 == SHA256
    assert len(web.questions) == 2


def test_old_remains_are_removed(tmp_path):
    with serving() as web:
        Cache(tmp_path).fetch(asset(web), transport.session())
        old, young = tmp_path / "partial" / "old", tmp_path / "partial" / "young"
        for path in (old, young):
            path.write_bytes(b"")
        os.utime(old, (0, time.time() - 8 * 86400))
        Cache(tmp_path).fetch(asset(web), transport.session())
    assert (old.exists(), young.exists()) == (False, True)


def test_threads_fetch_an_asset_once(tmp_path):
    with serving() as web, ThreadPoolExecutor(8) as pool:
        run, session = Cache(tmp_path), transport.session()
        found = list(pool.map(lambda _thread: run.fetch(asset(web, digests={"sha256": SHA256}), session), range(16)))
    assert len(web.questions) == 1
    assert len(set(map(str, found))) == 1


def test_processes_fetch_an_asset_once(tmp_path):
    with serving() as web:
        program = KILLED.replace("os._exit(9)", "pass")
        started = [process(program, tmp_path, web.url + "/tool", SHA256) for _process in range(4)]
        assert [one.wait() for one in started] == [0, 0, 0, 0]
    assert len(web.questions) == 1


def test_progress_counts_up_to_the_size(tmp_path):
    seen = []
    with serving() as web:
        Cache(tmp_path).fetch(asset(web), transport.session(), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


@pytest.mark.parametrize(
    ("answer", "fields", "words"),
    [
        (Answer(200, CONTENT), {"size": 10}, "not what it should be"),
        (Answer(200, itertools.repeat(b"x" * 1000)), {"size": 10}, "not what it should be"),
        (Answer(200, CONTENT), {}, "larger than it may be"),
        (Answer(200, itertools.repeat(b"x" * 1000)), {}, "larger than it may be"),
        (Answer(200, b"", length=10**40), {}, "larger than it may be"),
        (Answer(200, b""), {"size": 10**7}, "larger than it may be"),
    ],
)
def test_what_is_larger_than_it_may_be_is_cut_off(tmp_path, answer, fields, words):
    with Web(lambda question: answer) as web, pytest.raises(ReleaseError, match=words):
        Cache(tmp_path).fetch(asset(web, **fields), transport.session(), limit_bytes=100_000)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) == 0


def test_an_asset_that_needs_credentials_is_fetched_through_its_api(tmp_path):
    with Web(files({"/api": CONTENT})) as web:
        Cache(tmp_path).fetch(asset(web, api_url=web.url + "/api"), transport.session())
    assert [question.headers["Accept"] for question in web.questions] == ["application/octet-stream"]


def test_bytes_are_kept_as_published_even_if_the_server_calls_them_encoded(tmp_path):
    with Web(lambda question: Answer(200, CONTENT, {"Content-Encoding": "gzip"})) as web:
        assert Cache(tmp_path).fetch(asset(web), transport.session()).sha256 == SHA256
    assert web.questions[0].headers["Accept-Encoding"] == "identity"


def test_a_refusal_is_reported_with_its_status(tmp_path):
    with Web(lambda question: Answer(404)) as web, pytest.raises(ReleaseError, match="404"):
        Cache(tmp_path).fetch(asset(web), transport.session())


def test_a_local_file_is_taken_in_like_any_other(tmp_path):
    local = tmp_path / "with space"
    local.write_bytes(CONTENT)
    found = Cache(tmp_path / "cache").fetch(
        Asset("tool", local.as_uri(), digests={"sha256": SHA256}), transport.session()
    )
    assert found.path.read_bytes() == CONTENT
    with pytest.raises(ReleaseError, match="could not be read") as failure:
        Cache(tmp_path / "cache").fetch(Asset("tool", (tmp_path / "absent").as_uri()), transport.session())
    assert "if the option mirrors leads there, mount it" in str(failure.value.fix)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_regular_file_is_not_waited_for(tmp_path, kind):
    place = Path("/dev/zero") if kind == "device" else tmp_path / "tool"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    asset = Asset("tool", place.as_uri(), digests={"sha256": SHA256})
    with pytest.raises(ReleaseError, match=r"is no regular file|could not be read"):
        Cache(tmp_path / "cache").fetch(asset, transport.session(), limit_bytes=1024)


def test_everything_that_is_kept_is_for_this_user_alone(tmp_path):
    with serving() as web:
        Cache(tmp_path / "cache").fetch(asset(web), transport.session())
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").rglob("*") if path.is_dir()} == {0o700}


def test_a_folder_that_others_can_write_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with serving() as web, pytest.raises(ReleaseError, match="can be written by other users") as raised:
        Cache(tmp_path).fetch(asset(web), transport.session())
    assert raised.value.found == f"owner {os.geteuid()}, mode 0777"


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "make room"), (errno.EROFS, "make its file system writable")]
)
def test_a_disk_that_fails_says_what_to_do(tmp_path, monkeypatch, number, advice):
    def fail(*_arguments):
        raise OSError(number, os.strerror(number), str(tmp_path / "partial"))

    monkeypatch.setattr(cache_file.os, "replace", fail)
    with serving() as web, pytest.raises(ReleaseError, match=advice) as failure:
        Cache(tmp_path).fetch(asset(web), transport.session())
    assert failure.value.found == os.strerror(number)


def test_a_file_where_the_cache_should_be_is_an_error_that_names_it(tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(ReleaseError, match=r"the cache could not be used at .*cache"):
        Cache(tmp_path / "cache").fetch(Asset("tool", "http://127.0.0.1:1/"), transport.session())


# Mirrors


def mirror_of(web, mirror, **more):
    return read_mirrors([{"prefix": web.url + "/", "to": mirror.url + "/", **more}])


def test_a_mirror_serves_what_a_digest_identifies(tmp_path):
    with serving() as web, serving() as mirror:
        for number, digests in enumerate(({"sha256": SHA256}, {"sha512": SHA512})):
            cache = Cache(tmp_path / str(number), mirror_of(web, mirror))
            assert cache.fetch(asset(web, digests=digests), transport.session()).sha256 == SHA256
    assert (web.paths, mirror.paths) == ([], ["/tool", "/tool"])


@pytest.mark.parametrize("digests", [{}, {"md5": hashlib.md5(CONTENT).hexdigest()}])
def test_a_mirror_is_not_asked_for_what_only_its_own_word_would_identify(tmp_path, digests):
    with serving() as web, serving(b"hostile") as mirror:
        cache = Cache(tmp_path, mirror_of(web, mirror))
        assert cache.fetch(asset(web, digests=digests), transport.session()).sha256 == SHA256
        assert cache.reader(transport.session())(asset(web, digests=digests)) == CONTENT
    assert mirror.paths == []


def test_without_upstream_what_nothing_identifies_is_not_fetched(tmp_path):
    with serving() as web, serving() as mirror:
        cache = Cache(tmp_path, mirror_of(web, mirror, upstream=False))
        with pytest.raises(ReleaseError, match="from its publisher only"):
            cache.fetch(asset(web), transport.session())
        assert cache.fetch(asset(web, digests={"sha256": SHA256}), transport.session()).sha256 == SHA256
        assert (web.paths, mirror.paths) == ([], ["/tool"])


def test_what_a_publisher_states_is_read_from_him_whatever_the_rules_say(tmp_path):
    with serving(b"sums") as web, serving(b"hostile sums") as mirror:
        cache = Cache(tmp_path, mirror_of(web, mirror, upstream=False))
        assert cache.reader(transport.session())(asset(web)) == b"sums"
    assert (web.paths, mirror.paths) == (["/tool"], [])


def test_without_upstream_a_mirror_that_fails_is_the_end(tmp_path):
    with serving() as web, Web(lambda question: Answer(404)) as mirror:
        cache = Cache(tmp_path, mirror_of(web, mirror, upstream=False))
        with pytest.raises(ReleaseError, match="was not served"):
            cache.fetch(asset(web, digests={"sha256": SHA256}), transport.session())
    assert web.paths == []


MIRROR_FAULTS = {
    "other bytes": Answer(body=bytes(len(CONTENT))),
    "too few": Answer(body=CONTENT[:-1]),
    "too many": Answer(body=CONTENT + b"x"),
    "endless ones": lambda: Answer(body=itertools.repeat(CONTENT)),
    "half of them": Answer(body=CONTENT[: len(CONTENT) // 2], length=len(CONTENT)),
    "no such file": Answer(404),
    "no access": Answer(401),
    "a failure": Answer(500),
    "a part": Answer(206, CONTENT),
    "a redirect to itself": Answer(302, headers={"Location": "/tool"}),
}


@pytest.mark.parametrize("size", [None, len(CONTENT)])
@pytest.mark.parametrize("fault", MIRROR_FAULTS.values(), ids=MIRROR_FAULTS)
def test_whatever_a_mirror_does_the_publisher_serves(tmp_path, fault, size, monkeypatch):
    monkeypatch.setattr(cache_file, "LIMIT_BYTES", 4 * len(CONTENT))
    with serving() as web, Web(lambda question: fault() if callable(fault) else fault) as mirror:
        cache = Cache(tmp_path, mirror_of(web, mirror))
        wanted = asset(web, digests={"sha256": SHA256}, size=size)
        found = cache.fetch(wanted, transport.session(), limit_bytes=4 * len(CONTENT))
    assert found.path.read_bytes() == CONTENT
    assert web.paths.count("/tool") in (1, 2)
    assert list((tmp_path / "partial").iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Content-Type": "text/html; charset=utf-8"}, "a web page"),
        ({"Content-Encoding": "gzip"}, "encoded as gzip"),
        ({"Content-Encoding": "\x1b[2Jgzip"}, "encoded as ?[2Jgzip"),
    ],
)
@pytest.mark.parametrize("size", [10, len(CONTENT) + 1])
def test_a_mirror_that_sends_a_login_page_or_an_encoded_file_is_asked_once(tmp_path, caplog, headers, kind, size):
    with serving() as web, Web(lambda question: Answer(200, bytes(size), headers)) as mirror:
        wanted = asset(web, digests={"sha256": SHA256}, size=len(CONTENT))
        Cache(tmp_path, mirror_of(web, mirror)).fetch(wanted, transport.session())
    assert (mirror.paths, web.paths) == (["/tool"], ["/tool"])
    assert f"{mirror.url}/tool is another file ({size} bytes, {kind})" in caplog.text


def test_a_mirror_that_breaks_off_is_asked_twice_while_there_is_another_server(tmp_path):
    with serving() as web, Web(lambda question: Answer(body=CONTENT[:0], length=len(CONTENT))) as mirror:
        Cache(tmp_path, mirror_of(web, mirror)).fetch(asset(web, digests={"sha256": SHA256}), transport.session())
    assert len(mirror.paths) == 2


def test_the_publisher_goes_on_where_a_mirror_broke_off(tmp_path):
    half = len(CONTENT) // 2
    with serving() as web, Web(lambda question: Answer(body=CONTENT[:half], length=len(CONTENT))) as mirror:
        Cache(tmp_path, mirror_of(web, mirror)).fetch(asset(web, digests={"sha256": SHA256}), transport.session())
    assert [question.headers["Range"] for question in web.questions] == [f"bytes={half}-"]


def test_a_mirror_that_is_pruned_while_it_is_read_is_one_that_fails(tmp_path):
    half = len(CONTENT) // 2
    answers = iter([Answer(body=CONTENT[:half], length=len(CONTENT)), Answer(404)])
    with serving() as web, Web(lambda question: next(answers)) as mirror:
        found = Cache(tmp_path, mirror_of(web, mirror)).fetch(
            asset(web, digests={"sha256": SHA256}, size=len(CONTENT)), transport.session()
        )
    assert found.path.read_bytes() == CONTENT
    assert [question.headers["Range"] for question in mirror.questions] == [None, f"bytes={half}-"]


def test_where_nobody_serves_every_reason_is_told(tmp_path):
    with Web(lambda question: Answer(404)) as web, Web(lambda question: Answer(body=bytes(10))) as mirror:
        cache = Cache(tmp_path, mirror_of(web, mirror))
        with pytest.raises(ReleaseError, match="none of 2 addresses serves tool") as failure:
            cache.fetch(asset(web, digests={"sha256": SHA256}), transport.session())
    assert "is not what it should be" in failure.value.found
    assert "404 Not Found" in failure.value.found


def test_a_mirror_without_a_server_is_asked_last_from_then_on_and_told_once(tmp_path, caplog):
    with serving() as web, socket.socket() as silent, serving() as mirror:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        nobody = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        rules = read_mirrors(
            [{"prefix": web.url + "/", "to": nobody}, {"prefix": web.url + "/", "to": mirror.url + "/"}]
        )
        with mock.patch.object(transport, "IMPATIENT_READ_TIMEOUT_S", 0.5):
            transport._shared_adapter.cache_clear()
            cache = Cache(tmp_path, rules)
            for digests in ({"sha256": SHA256}, {"sha512": SHA512}):
                cache.fetch(asset(web, digests=digests), transport.session())
                (tmp_path / "sha256" / SHA256[:2] / SHA256).unlink()
        transport._shared_adapter.cache_clear()
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    assert "did not answer in time" in caplog.text
    assert (web.paths, mirror.paths) == ([], ["/tool", "/tool"])


def test_secrets_of_the_publisher_do_not_reach_a_mirror(tmp_path):
    with serving() as web, Web(lambda question: Answer(404)) as mirror:
        credential = Credential(web.url + "/", {"Authorization": "Bearer of-the-publisher"})
        cache = Cache(tmp_path, mirror_of(web, mirror))
        wanted = asset(web, digests={"sha256": SHA256}, api_url=web.url + "/tool")
        cache.fetch(wanted, transport.session(credentials=[credential]))
    assert [question.headers["Authorization"] for question in web.questions] == ["Bearer of-the-publisher"]
    assert [question.headers["Authorization"] for question in mirror.questions] == [None]
