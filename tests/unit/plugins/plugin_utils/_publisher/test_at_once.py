# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work at once: results in order, errors, a bound, and nobody who gives up waits for the rest."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.at_once import at_once


def test_results_come_in_the_order_of_the_items() -> None:
    second_is_done = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            assert second_is_done.wait(30)
        if number == 2:
            second_is_done.set()
        return number * 10

    assert at_once(work, [1, 2, 3], 2) == [10, 20, 30]
    assert at_once(work, [], 2) == []


def test_no_more_than_that_many_are_worked_on_at_a_time() -> None:
    now: list[int] = []
    most: list[int] = []
    guard, full = threading.Lock(), threading.Barrier(3)

    def work(number: int) -> None:
        with guard:
            now.append(number)
            most.append(len(now))
        full.wait(30)
        with guard:
            now.remove(number)

    at_once(work, range(9), 3)
    assert max(most) == 3


def test_an_error_is_raised_without_waiting_and_nothing_more_is_begun() -> None:
    begun, may_end = [], threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise ValueError(number)
        may_end.wait(30)

    with pytest.raises(ValueError, match="1"):
        at_once(work, [1, 2, 3, 4], 1)
    may_end.set()
    assert set(begun) <= {1, 2}


def test_who_is_interrupted_waits_for_nobody() -> None:
    may_end = threading.Event()

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            at_once(lambda _item: may_end.wait(30), [1, 2], 2)
        assert not may_end.is_set()
    finally:
        signal.signal(signal.SIGALRM, before)
        may_end.set()
