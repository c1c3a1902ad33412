# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is the same done for several things at once, so that whoever gives up waits for none of them? On the controller.

A task's ``timeout`` ends it amid a download, by an exception in the thread that Ansible started. The threads of
Python's own pools are waited for then, and again where the process ends: a task that may take five seconds took as long
as the download.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_once(work: Callable[[Item], Result], items: Sequence[Item], most: int) -> list[Result]:
    """Return what *work* makes of each of the *items*, in their order, at most *most* of them at a time.

    Raises what *work* raises for the first item for which it does; then, what is under way ends with the process.
    """
    waiting = [(item, Future[Result]()) for item in items]
    left = iter(waiting)
    guard = threading.Lock()
    for _number in range(min(most, len(waiting))):
        threading.Thread(target=_work_off, args=(work, left, guard), daemon=True).start()
    try:
        return [result.result() for _item, result in waiting]
    finally:
        for _item, result in waiting:
            result.cancel()


def _work_off(
    work: Callable[[Item], Result], left: Iterator[tuple[Item, Future[Result]]], guard: threading.Lock
) -> None:
    while True:
        with guard:
            item, result = next(left, (None, None))
        if item is None or result is None:
            return
        if not result.set_running_or_notify_cancel():
            continue
        try:
            made = work(item)
        except BaseException as error:
            result.set_exception(error)
        else:
            result.set_result(made)
