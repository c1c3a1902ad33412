# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever fails between publisher and host, nothing wrong is installed or stays locked, and the next run finishes.

These are real plays over real SSH, on loopback.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests.adversity.over_ssh import (
    FILLING_BYTES,
    Line,
    Publisher,
    Rollout,
    finish,
    ssh_server,
    who_writes,
)
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web

WAYS = [pytest.param("1", id="pipelined"), pytest.param("0", id="by file")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    with ssh_server(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture(scope="module")
def pinned(tmp_path_factory: pytest.TempPathFactory, server: tuple[int, Path]) -> Iterator[tuple[Publisher, Path]]:
    """Give a publisher, and the folder of the lock files that pin what it has."""
    publisher, folder = Publisher(), tmp_path_factory.mktemp("pinned")
    with publisher.web:
        for version in ("1.0", "2.0"):
            Rollout(folder, publisher, Line(server[0]), server[1]).lock(version)
        yield publisher, folder


@pytest.fixture
def rollout(tmp_path: Path, server: tuple[int, Path], pinned: tuple[Publisher, Path]) -> Iterator[Rollout]:
    publisher, folder = pinned
    for lock in folder.glob("*.lock.json"):
        shutil.copy(lock, tmp_path)
    publisher.web.questions.clear()
    publisher.faults.clear()
    line = Line(server[0])
    yield Rollout(tmp_path, publisher, line, server[1])
    line.close()


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Callable[[], None]]:
    """Have a disk of this size at *place*; what is given makes it large enough."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can have a disk of its own, and only on Linux like this")
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "none", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this container lets not even root mount")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True) and None
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_fork_that_is_killed_while_it_fetches(rollout: Rollout) -> None:
    is_asked, may_go_on = threading.Event(), threading.Event()
    path = rollout.publisher.path("1.0")
    content = rollout.publisher.files[path]

    def parts() -> Iterator[bytes]:
        yield content[: len(content) // 2]
        is_asked.set()
        may_go_on.wait(60)

    rollout.names("h1", "h2")
    rollout.publisher.faults[path] = lambda question: Answer(200, parts(), length=len(content))
    playing = rollout.begin()
    assert is_asked.wait(60)
    worker = who_writes(rollout.folder / "cache/partial", among=playing.pid)
    del rollout.publisher.faults[path]
    os.kill(worker, signal.SIGKILL)
    finish(playing).assert_failed("dead")
    may_go_on.set()
    for host in ("h1", "h2"):
        rollout.assert_untouched(host, rollout.version(host))
    rollout.assert_next_run_finishes()


@pytest.mark.parametrize("is_silent", [False, True], ids=["loudly", "silently"])
@pytest.mark.parametrize("pipelining", WAYS)
def test_host_that_vanishes_in_the_middle_of_a_push(rollout: Rollout, pipelining: str, is_silent: bool) -> None:
    rollout.environment["ANSIBLE_PIPELINING"] = pipelining
    rollout.line.breaks_after, rollout.line.is_silent = 2_000_000, is_silent
    rollout.play().assert_failed("UNREACHABLE")
    assert rollout.line.has_broken.is_set()
    rollout.assert_untouched()
    rollout.line.breaks_after = None
    rollout.assert_next_run_finishes()
    assert len(rollout.publisher.web.questions) == 1


@pytest.mark.parametrize(
    ("pipelining", "words"),
    [
        pytest.param("1", r"h1: … sending 6\.0 MB and waiting for the host's answer, for \d+ s$", id="pipelined"),
        pytest.param("0", r"h1: … sent [1-5]\.\d of 6\.0 MB, \d.* left$", id="by file"),
    ],
)
def test_line_on_which_nothing_passes_for_a_while(rollout: Rollout, pipelining: str, words: str) -> None:
    rollout.environment["ANSIBLE_PIPELINING"] = pipelining
    rollout.be_patient()
    rollout.line.stops_after = 2_000_000
    playing = rollout.begin()
    assert playing.stdout is not None
    assert any(re.search(words, line) for line in playing.stdout)
    rollout.line.may_go_on.set()
    finish(playing).assert_succeeded()
    rollout.assert_next_run_finishes()


@pytest.mark.parametrize("fetch_from", ["controller", "host"])
def test_mirrors_that_serve_other_bytes_half_of_them_none_or_endless_ones(rollout: Rollout, fetch_from: str) -> None:
    content = rollout.publisher.files[rollout.publisher.path("1.0")]
    answers: dict[str, Callable[[], Answer]] = {
        "other": lambda: Answer(body=bytes(len(content))),
        "half": lambda: Answer(body=content[: len(content) // 2], length=len(content)),
        "none": lambda: Answer(404),
        "endless": lambda: Answer(body=itertools.repeat(content)),
    }
    with Web(lambda question: answers[question.path.split("/")[1]]()) as mirror:
        upstream = {"prefix": f"{rollout.publisher.web.url}/"}
        mirrors = [{**upstream, "to": f"{mirror.url}/{kind}/"} for kind in answers]
        closed = [*mirrors, {**upstream, "upstream": False}]
        failed = rollout.play(fetch_from=fetch_from, mirrors=closed)
        failed.assert_failed(
            "hello: none of 4 addresses serves hello-1.0-linux-x86_64.tar.gz", *map("/{}/".format, answers)
        )
        rollout.assert_untouched()
        assert rollout.publisher.web.questions == []
        rollout.assert_next_run_finishes(fetch_from=fetch_from, mirrors=mirrors)
    assert {path.split("/")[1] for path in mirror.paths} == set(answers)


def test_cache_that_was_damaged_on_disk(rollout: Rollout) -> None:
    rollout.play().assert_succeeded()
    assert rollout.result()["served_by"] == "controller"
    [kept] = (rollout.folder / "cache/sha256").glob("*/*")
    kept.chmod(0o600)
    with kept.open("r+b") as file:
        file.seek(FILLING_BYTES // 2)
        file.write(b"damaged")
    rollout.names("h1", "h2")
    played = rollout.play()
    played.assert_succeeded()
    assert played.said.count(f"{kept} in the cache was damaged") == 1
    assert rollout.version("h2") == "1.0"
    assert rollout.publisher.web.paths == [rollout.publisher.path("1.0")] * 2
    rollout.assert_next_run_finishes()


def test_cache_on_a_full_disk(rollout: Rollout) -> None:
    with small_disk(rollout.folder / "cache", 3) as make_room:
        failed = rollout.play()
        failed.assert_failed("the cache could not be used at", "No space left on device", "make room", "hello")
        rollout.assert_untouched()
        make_room()
        rollout.assert_next_run_finishes()


@pytest.mark.parametrize("pipelining", WAYS)
def test_temporary_folder_of_the_controller_on_a_full_disk(rollout: Rollout, pipelining: str) -> None:
    rollout.environment |= {"ANSIBLE_PIPELINING": pipelining, "ANSIBLE_LOCAL_TEMP": str(rollout.folder / "temp")}
    with small_disk(rollout.folder / "temp", 3) as make_room:
        played = rollout.play()
        if pipelining == "0":
            played.assert_failed(
                "No space left on device", f"see whether there is room for them in {rollout.folder}/temp"
            )
            rollout.assert_untouched()
            make_room()
        rollout.assert_next_run_finishes()


def test_temporary_folder_of_the_host_on_a_full_disk(rollout: Rollout) -> None:
    rollout.environment["ANSIBLE_PIPELINING"] = "0"
    with small_disk(rollout.folder / "h1/tmp", 3) as make_room:
        rollout.play().assert_failed("No space left on device", f"and in {rollout.folder}/h1/tmp")
        rollout.assert_untouched()
        make_room()
        rollout.assert_next_run_finishes()


@pytest.mark.parametrize("fetch_from", ["controller", "host"])
def test_root_on_a_disk_that_is_too_small(rollout: Rollout, fetch_from: str) -> None:
    with small_disk(rollout.root, 3) as make_room:
        rollout.play(fetch_from=fetch_from).assert_failed("there is too little space", "make room on its file system")
        rollout.assert_untouched()
        assert rollout.publisher.web.questions == []
        make_room()
        rollout.assert_next_run_finishes(fetch_from=fetch_from)


@pytest.mark.parametrize("fetch_from", ["controller", "host"])
def test_root_on_a_disk_that_somebody_fills_meanwhile(rollout: Rollout, fetch_from: str) -> None:
    path = rollout.publisher.path("1.0")
    with small_disk(rollout.root, 30):

        def fill(_question: Question) -> Answer:
            (rollout.root / "filled").write_bytes(bytes(25_000_000))
            return Answer(body=rollout.publisher.files[path])

        rollout.publisher.faults[path] = fill
        rollout.play(fetch_from=fetch_from).assert_failed("No space left on device")
        rollout.assert_untouched()
        (rollout.root / "filled").unlink()
        rollout.publisher.faults.clear()
        rollout.assert_next_run_finishes(fetch_from=fetch_from)


@pytest.mark.parametrize("second", ["1.0", "2.0"])
def test_two_plays_at_once_on_one_controller_and_one_host(rollout: Rollout, second: str) -> None:
    for played in [finish(one) for one in (rollout.begin("1.0"), rollout.begin(second))]:
        played.assert_succeeded()
    assert rollout.version() in ("1.0", second)
    assert len(rollout.publisher.web.questions) == len({"1.0", second})
    rollout.assert_next_run_finishes(second)
