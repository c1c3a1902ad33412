# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far is what the controller sends to a host? A line now and then, while a connection of Ansible's is at work.

Runs on the controller. No connection tells how much of a file it has sent. Where a process of this machine reads the
file meanwhile, as sftp and scp do, Linux tells how far that has read: ahead of the host by what is under way on the
line. Elsewhere, only the time is told. Each host has lines of its own, so they become seldom while it takes long.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import (
    MEGABYTE,
    SECONDS_BETWEEN_LINES,
    duration,
    speed,
)

#: Each line comes after twice the time that the one before took, until it is this.
MOST_SECONDS_BETWEEN_LINES = 60.0
THREAD = "pinned.release tells how far it is"
#: What is told at a time: what is done now, of the seconds that it took by then.
Line = Callable[[float], str]


@contextmanager
def told(
    line: Line,
    tell: Callable[[str], None] | None,
    ended: threading.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Give *tell*, if any, a *line* now and then while the body runs, from a thread that ends before this does.

    *ended* is set then, and waited for between lines; *clock* counts seconds.
    """
    if tell is None:
        yield
        return
    ended = ended or threading.Event()
    teller = threading.Thread(target=_tell_on, args=(line, tell, ended, clock), name=THREAD, daemon=True)
    try:
        # Where no more threads can be had, nothing is told.
        with suppress(RuntimeError):
            teller.start()
        yield
    finally:
        ended.set()
        if teller.ident:
            teller.join()


def _tell_on(line: Line, tell: Callable[[str], None], ended: threading.Event, clock: Callable[[], float]) -> None:
    began = clock()
    seconds = SECONDS_BETWEEN_LINES
    while not ended.wait(seconds):
        tell(f"  … {line(clock() - began)}")
        seconds = min(2 * seconds, MOST_SECONDS_BETWEEN_LINES)


def work(size: int, *, is_sent: bool) -> Line:
    """Return what tells for how long the host has not answered yet. Nobody knows when it has what is not sent before.

    *size* is that of the files.
    """
    if is_sent:
        return lambda seconds: f"the host has {_megabytes(size)} and is at work, for {duration(seconds)}"
    return lambda seconds: f"sending {_megabytes(size)} and waiting for the host's answer, for {duration(seconds)}"


def transfer(place: Path, size: int) -> Line:
    """Return what tells how much of *size* bytes a process that this one started has read: of a file at *place*.

    *place* may be the folder of that file, which may be a little longer than what is counted. The speed is that since
    the line before, so that one sees where it stands still.
    """
    real = os.path.realpath(place)
    last = (0.0, _NOBODY)

    def line(seconds: float) -> str:
        """Return what is told after so many *seconds*."""
        nonlocal last
        then, before = last
        now = _reader_below(os.getpid(), real)
        last = seconds, now
        sent, counted = min(now.position, size), before.position
        if not sent or sent < counted or before.process not in (None, now.process):
            return f"still sending {_megabytes(size)}, for {duration(seconds)}"
        speeds = speed((sent - counted) / (seconds - then), size - sent)
        return ", ".join((f"sent {sent / MEGABYTE:.1f} of {_megabytes(size)}", *speeds))

    return line


class _Reader(NamedTuple):
    """Up to which byte a process has read a file; none where nothing tells."""

    position: int
    process: int | None


_NOBODY = _Reader(0, None)


def _reader_below(process: int, place: str) -> _Reader:
    """Return who has read the most of what is at *place*, of those who were started by *process*, or by them."""
    found = [_NOBODY]
    for child in _children(process):
        found += [_Reader(_read_by(child, place), child), _reader_below(child, place)]
    return max(found, key=lambda reader: reader.position)


def _children(process: int) -> list[int]:
    """Return whom *process* started; some of them, or none, where it ends meanwhile."""
    found: list[int] = []
    threads = Path("/proc", str(process), "task")
    with suppress(OSError):
        for thread in os.listdir(threads):
            with suppress(OSError):
                found += map(int, (threads / thread / "children").read_text().split())
    return found


def _read_by(process: int, place: str) -> int:
    most = 0
    opened = Path("/proc", str(process))
    with suppress(OSError):
        for descriptor in os.listdir(opened / "fd"):
            with suppress(OSError):
                path = os.readlink(opened / "fd" / descriptor)
                if place in (path, os.path.dirname(path)):
                    most = max(most, _position((opened / "fdinfo" / descriptor).read_text()))
    return most


def _position(told: str) -> int:
    """Return the position that Linux *told* of an open file."""
    return next((int(line[4:]) for line in told.splitlines() if line.startswith("pos:")), 0)


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB"
