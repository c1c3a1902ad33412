# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress: a line now and then, never a flood, whoever downloads what."""

from __future__ import annotations

from threading import Thread

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import (
    SECONDS_BETWEEN_LINES,
    ProgressReport,
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines():
    return []


@pytest.fixture
def progress(lines, clock):
    return ProgressReport(lines.append, clock)


def test_a_quick_download_says_nothing(progress, lines, clock):
    progress.expect(1)
    progress.receive("uv.tar.gz", 1_000_000)
    clock.now += SECONDS_BETWEEN_LINES - 0.1
    progress.receive("uv.tar.gz", 2_000_000)
    progress.finish("uv.tar.gz")
    assert lines == []


def test_a_long_download_tells_how_far_it_is_every_few_seconds(progress, lines, clock):
    progress.expect(2)
    progress.expect(1)
    for step in range(1, 41):
        clock.now += 0.25
        progress.receive("uv.tar.gz", step * 1_000_000)
    assert lines == [f"  … 0 of 3 assets, {megabytes}.0 MB" for megabytes in (8, 16, 24, 32, 40)]


def test_what_is_complete_is_counted(progress, lines, clock):
    progress.expect(3)
    for asset in ("a", "b"):
        progress.receive(asset, 5_000_000)
        progress.finish(asset)
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("c", 250_000)
    assert lines == ["  … 2 of 3 assets, 10.2 MB"]


def test_assets_of_one_name_add_up(progress, lines, clock):
    progress.expect(2)
    progress.receive("linux-amd64.tar.gz", 5_000_000)
    progress.finish("linux-amd64.tar.gz")
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("linux-amd64.tar.gz", 1_000_000)
    assert lines == ["  … 1 of 2 assets, 6.0 MB"]


def test_what_came_from_the_cache_needs_no_bytes(progress, lines, clock):
    progress.expect(2)
    progress.finish("a")
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("b", 0)
    assert lines == ["  … 1 of 2 assets, 0.0 MB"]


def test_a_line_of_its_own_is_shown_at_once(progress, lines):
    progress.tell("uv 0.9.9: 2 assets → as published")
    assert lines == ["uv 0.9.9: 2 assets → as published"]


def test_a_publisher_cannot_steer_the_terminal(progress, lines):
    progress.tell("uv \x1b[2J0.9\n9\u202e")
    assert lines == ["uv ?[2J0.9?9?"]


def test_threads_do_not_lose_each_others_assets(progress, lines, clock):
    def download(name: str) -> None:
        for number in range(200):
            progress.expect(1)
            progress.receive(f"{name}{number}", 10_000)
            progress.finish(f"{name}{number}")

    threads = [Thread(target=download, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now += SECONDS_BETWEEN_LINES
    progress.expect(1)
    progress.receive("last", 0)
    assert lines == ["  … 800 of 801 assets, 8.0 MB"]
