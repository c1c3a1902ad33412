# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the worst answer of one host cost the controller? Prints processor time and memory for each kind.

Each answer is as large as answers may be. Run it with ``make bench``, or alone with the collection on PYTHONPATH.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator

from ansible_collections.pinned.release.plugins.plugin_utils._host import probe

QUESTION = probe.Question(ask="state")
ROOM = probe.MAX_ANSWER_LENGTH - 4096
DEEP = (b"[" * 900 + b"]" * 900).hex()
LARGE = "7b" * 65000
LIST = "61620a" * 5461

KINDS: dict[str, Callable[[int], str]] = {
    "links of many tools": lambda number: f"link n{number} /r/current/t{number}/bin/n{number}",
    "long differences": lambda number: f"receipt t{number} 1-a -\ndiffers t{number} 1-a {LIST}",
    "programs": lambda number: f"program t1 1-a p{number} 81ed 0 0",
    "trees": lambda number: f"tree t{number % 50} {number}-a",
    "libraries": lambda number: f"need n{number} /x {'00' * 40}",
    "one long line": lambda number: f"link x %{'61' * (ROOM // 2 - 64)}",
}


def answer(lines: Iterable[str]) -> str:
    """Return the answer that consists of *lines*."""
    return "\n".join([f"@@pinned.release {QUESTION.nonce}", "root /r", "bin_dir /b", *lines, f"@@end {QUESTION.nonce}"])


def receipts(receipt: str) -> Iterator[str]:
    """Yield as many lines as there is room for, of trees that all have *receipt*, given in hexadecimal."""
    count = ROOM // (len(receipt) + 40)
    yield from (f"receipt t{number} 1-a {len(receipt) // 2}" for number in range(count))
    yield f"receipts {receipt * count}"


def lines(line: Callable[[int], str]) -> Iterator[str]:
    """Yield as many lines as there is room for."""
    length = 0
    for number in range(probe.MAX_ANSWER_LINES // 2 - 8):
        text = line(number)
        length += len(text) + 1
        if length > ROOM:
            return
        yield text


def measure(name: str, text: str) -> None:
    """Read *text* in a process of its own, and print what that cost beside the text itself."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    before_kib, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    state = probe.parse(text, QUESTION).state
    assert state is not None
    len(state.links_by_tool)
    seconds = time.process_time() - began
    more_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    print(f"{name:20} {len(text) / 1e6:5.1f} MB  {seconds:5.2f} s  {more_kib / 1024:6.1f} MiB", flush=True)
    os._exit(0)


def main() -> None:
    for name, line in KINDS.items():
        measure(name, answer(lines(line)))
    for name, receipt in {"receipts that nest": DEEP, "large receipts": LARGE}.items():
        measure(name, answer(receipts(receipt)))


if __name__ == "__main__":
    main()
