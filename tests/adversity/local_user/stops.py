# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does somebody act amid a step? strace(1) stops it at a system call; they act; it goes on."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

TRACED = "%file,flock,fchmod,fchown,getdents64,fsync"
STOPPED = re.compile(r"^(\d+) +--- stopped by SIGSTOP ---$", re.MULTILINE)
POLL_S = 0.01


@dataclass(frozen=True)
class Stop:
    """A system call, the how manieth of its name it is in its process, and what is done after it.

    Where several processes come to such a call, *nth* tells at which of them.
    """

    call: str
    when: int
    act: Callable[[], None]
    nth: int = 1


def run(command: Sequence[str], stop: Stop | None, timeout_s: float, **popen: Any) -> subprocess.CompletedProcess[str]:
    """Run *command* to its end, with all that it started. Raises subprocess.TimeoutExpired after *timeout_s*.

    Bytes that are no UTF-8 are replaced, as Ansible does.
    """
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        trace.touch()
        if stop and "user" in popen:
            for path in (folder, trace):
                os.chown(path, popen["user"], popen["group"])
        if stop:
            command = [
                *_strace(trace, f"-e trace={stop.call} -e inject={stop.call}:signal=STOP:when={stop.when}"),
                *command,
            ]
        with open(Path(folder, "stdout"), "w+b") as stdout, open(Path(folder, "stderr"), "w+b") as stderr:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True, **popen
            )
            try:
                if stop:
                    _act_when_stopped(process, trace, stop, timeout_s)
                status = process.wait(timeout_s)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            return subprocess.CompletedProcess(list(command), status, _text(stdout), _text(stderr))


def calls_of(command: Sequence[str], about: str, **popen: Any) -> list[tuple[str, int]]:
    """Return the system calls of *command*'s first process, from the first that is about the path *about*.

    Each with the how manieth of its name it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        subprocess.run(
            [*_strace(trace, f"-s 4096 -e trace={TRACED}"), *command], check=False, capture_output=True, **popen
        )
        lines = trace.read_text(errors="replace").splitlines()
    first = lines[0].split()[0]
    counts: Counter[str] = Counter()
    found: list[tuple[str, int]] = []
    for line in lines:
        called = re.match(rf"{first} +([a-z0-9_]+)\(", line)
        if called is None:
            continue
        counts[called[1]] += 1
        if found or about in line:
            found.append((called[1], counts[called[1]]))
    return found


def _strace(trace: Path, options: str) -> list[str]:
    return ["strace", "-f", "-qq", "-o", str(trace), *options.split()]


def _act_when_stopped(process: subprocess.Popen[bytes], trace: Path, stop: Stop, timeout_s: float) -> None:
    """Act at the stop that is meant, let every stopped process go on, and return when all is over or too late."""
    deadline_s = time.monotonic() + timeout_s
    seen = 0
    while process.poll() is None and time.monotonic() < deadline_s:
        for number in STOPPED.findall(trace.read_text(errors="replace"))[seen:]:
            seen += 1
            if seen == stop.nth:
                stop.act()
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGCONT)
        time.sleep(POLL_S)


def _text(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode("utf-8", "replace")
