# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory do the controller, its forks, and a host's Python take while a playbook runs? As /proc says."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

EVERY_S = 0.1


@dataclass
class Samples:
    """What was seen: at which time how many KiB, of one fork, of the controller itself, of a host."""

    forks: list[tuple[float, int]] = field(default_factory=list)
    controller: list[tuple[float, int]] = field(default_factory=list)
    host: list[tuple[float, int]] = field(default_factory=list)


def most_kib(samples: Sequence[tuple[float, int]], from_s: float, until_s: float) -> int:
    """Return the most that was seen in that time; 0 if nothing was."""
    return max((kib for at_s, kib in samples if from_s <= at_s <= until_s), default=0)


@contextlib.contextmanager
def sampling(samples: Samples, controller: int, host_namespace: str = "") -> Iterator[None]:
    """Look at the process *controller* and its forks again and again, and at the Pythons of a host if one is named.

    What is seen is added to *samples*.
    """
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(EVERY_S):
            now_s = time.monotonic()
            samples.controller.append((now_s, _kib(controller, "status", ("VmRSS:",))))
            for fork in _children(controller):
                # What is its own: pages that it shares with the controller cost nothing more.
                samples.forks.append((now_s, _kib(fork, "smaps_rollup", ("Private_Clean:", "Private_Dirty:"))))
            if host_namespace:
                samples.host.extend((now_s, _kib(pid, "status", ("VmHWM:",))) for pid in _pythons(host_namespace))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kib(pid: int, name: str, fields: Sequence[str]) -> int:
    """Return the sum of *fields* in the file *name* about a process; 0 if it has ended."""
    try:
        lines = [line.split() for line in Path(f"/proc/{pid}/{name}").read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(line[1]) for line in lines if line and line[0] in fields)


def _pythons(namespace: str) -> list[int]:
    pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False).stdout
    found = []
    for pid in map(int, pids.split()):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().startswith("python"):
                found.append(pid)
    return found
