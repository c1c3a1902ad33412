# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While something is sent to a host, a line now and then tells how far it is, and none once it has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.sending import THREAD, told, transfer, work

ONLY_LINUX_TELLS = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how far a file was read")


class Time(threading.Event):
    """Time that passes as soon as somebody waits for it, *times* times; then it stands still."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.now = 100.0
        self.times = times

    def wait(self, timeout: float | None = None) -> bool:
        """Return at once that so much time has passed, or once the time is over that it is set."""
        if self.times and not self.is_set():
            self.times -= 1
            self.now += timeout or 0
            return False
        return super().wait(60)

    def clock(self) -> float:
        return self.now


def tellers() -> int:
    return [thread.name for thread in threading.enumerate()].count(THREAD)


def test_what_is_quick_says_nothing_and_leaves_no_thread() -> None:
    lines: list[str] = []
    with told(work(20_000_000, is_sent=False), lines.append):
        assert tellers() == 1
    assert lines == []
    assert tellers() == 0


def test_to_tell_nobody_takes_no_thread() -> None:
    with told(work(20_000_000, is_sent=False), None):
        assert tellers() == 0


@pytest.mark.parametrize(
    ("is_sent", "words"),
    [(True, "the host has 20.0 MB and is at work"), (False, "sending 20.0 MB and waiting for the host's answer")],
)
def test_lines_become_seldom_while_it_takes_long(is_sent: bool, words: str) -> None:
    lines: SimpleQueue[str] = SimpleQueue()
    time = Time(7)
    with told(work(20_000_000, is_sent=is_sent), lines.put, time, time.clock):
        for seconds in ("5 s", "15 s", "35 s", "75 s", "2 min", "3 min", "4 min"):
            assert lines.get(timeout=60) == f"  … {words}, for {seconds}"


def test_no_thread_is_left_once_it_has_failed() -> None:
    time = Time(0)
    with pytest.raises(OSError, match="unreachable"), told(work(1, is_sent=True), print, time, time.clock):
        raise OSError("unreachable")
    assert time.is_set()
    assert tellers() == 0


def test_who_can_have_no_more_threads_still_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    is_sent = False
    with told(work(1, is_sent=True), print):
        is_sent = True
    assert is_sent


#: How a shell runs a program: below itself, as ssh's own programs may be, or so that it outlives the shell.
BELOW = '"$@"; exit'
BESIDE = 'exec 3<&0; "$@" <&3 &'


@contextmanager
def reader(file: Path, shell: str = BELOW) -> Iterator[subprocess.Popen[str]]:
    """Let a *shell* run a process that reads as much of *file* as it is told, and says so."""
    program = (
        f"import sys\nwith open({str(file)!r}, 'rb', buffering=0) as file:\n"
        "    for line in sys.stdin:\n"
        "        file.seek(0) if line == 'anew\\n' else file.read(int(line))\n"
        "        print('ok', flush=True)\n"
    )
    pipe = subprocess.PIPE
    command = ["sh", "-c", shell, "sh", sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.communicate("")


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ok\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with (tmp_path / "asset").open("wb") as made:
        made.truncate(50_000_000)
    return tmp_path / "asset"


@ONLY_LINUX_TELLS
def test_of_a_file_that_a_process_reads_it_is_told_how_far_and_how_fast(file: Path) -> None:
    line = transfer(file, 50_000_000)
    with reader(file) as process:
        assert line(5) == "still sending 50.0 MB, for 5 s"
        tell(process, "20000000")
        assert line(15) == "sent 20.0 of 50.0 MB, 2.0 MB/s, 15 s left"
        tell(process, "1000000")
        assert line(35) == "sent 21.0 of 50.0 MB, 50 kB/s, 10 min left"
        assert line(75) == "sent 21.0 of 50.0 MB, 0 kB/s"
        tell(process, "40000000")
        assert line(135) == "sent 50.0 of 50.0 MB, 0.5 MB/s"


@ONLY_LINUX_TELLS
def test_file_may_be_named_by_another_path_or_by_the_folder_that_it_is_in(file: Path) -> None:
    other = file.with_name("other")
    other.symlink_to(file.name)
    with reader(file) as process:
        tell(process, "20000000")
        for place in (other, file.parent):
            assert transfer(place, 50_000_000)(5) == "sent 20.0 of 50.0 MB, 4.0 MB/s, 8 s left"
        assert transfer(file, 19_900_000)(5) == "sent 19.9 of 19.9 MB, 4.0 MB/s"
        for place in (file.parent.parent, file.with_name("another")):
            assert transfer(place, 50_000_000)(5) == "still sending 50.0 MB, for 5 s"


@ONLY_LINUX_TELLS
def test_of_a_transfer_that_begins_anew_no_speed_is_told(file: Path) -> None:
    line = transfer(file, 50_000_000)
    with reader(file) as process:
        tell(process, "20000000")
        line(5)
        tell(process, "anew")
        tell(process, "5000000")
        assert line(15) == "still sending 50.0 MB, for 15 s"
        tell(process, "5000000")
        assert line(35) == "sent 10.0 of 50.0 MB, 0.2 MB/s, 3 min left"


@ONLY_LINUX_TELLS
def test_of_a_transfer_that_another_process_begins_anew_no_speed_is_told(file: Path) -> None:
    """Ansible has scp send what sftp could not."""
    line = transfer(file, 50_000_000)
    with reader(file) as process:
        tell(process, "20000000")
        line(5)
    with reader(file) as process:
        tell(process, "21000000")
        assert line(15) == "still sending 50.0 MB, for 15 s"
        tell(process, "4000000")
        assert line(35) == "sent 25.0 of 50.0 MB, 0.2 MB/s, 2 min left"


@ONLY_LINUX_TELLS
def test_what_others_read_of_the_file_is_not_told(file: Path) -> None:
    with reader(file, BESIDE) as process:
        process.wait()
        tell(process, "20000000")
        assert transfer(file, 50_000_000)(5) == "still sending 50.0 MB, for 5 s"


@ONLY_LINUX_TELLS
def test_processes_that_end_while_they_are_looked_at_are_passed_over(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reader(file) as process:
        tell(process, "20000000")

        def ended(place: Path) -> list[str]:
            """Tell what is there, of this process only."""
            if f"/proc/{os.getpid()}/" in str(place):
                return list_folder(place)
            raise ProcessLookupError(place)

        list_folder = os.listdir
        monkeypatch.setattr(os, "listdir", ended)
        monkeypatch.setattr(os, "scandir", ended)
        assert transfer(file, 50_000_000)(5) == "still sending 50.0 MB, for 5 s"
