# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress: a bar on a terminal, elsewhere a line now and then, never a flood, whoever downloads what."""

from __future__ import annotations

from threading import Thread

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import (
    SECONDS_BETWEEN_BARS,
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


@pytest.fixture
def screen():
    return []


@pytest.fixture
def meter(lines, clock, screen):
    return ProgressReport(lines.append, clock, screen.append)


def test_a_quick_download_says_nothing(progress, lines, clock):
    progress.expect(3_000_000)
    progress.receive("uv.tar.gz", 1_000_000)
    clock.now += SECONDS_BETWEEN_LINES - 0.1
    progress.receive("uv.tar.gz", 2_000_000)
    progress.finish("uv.tar.gz")
    progress.close()
    assert lines == []


def test_a_long_download_tells_how_far_it_is_every_few_seconds(progress, lines, clock):
    progress.expect(30_000_000, 20_000_000)
    progress.expect(10_000_000)
    progress.receive("uv.tar.gz", 0)
    for step in range(1, 41):
        clock.now += 0.25
        progress.receive("uv.tar.gz", step * 1_000_000)
    assert lines == [
        "  … 0 of 3 assets, 20.0 of 60.0 MB, 4.0 MB/s, 10 s left",
        "  … 0 of 3 assets, 40.0 of 60.0 MB, 4.0 MB/s, 5 s left",
    ]


def test_where_nobody_knows_a_size_the_time_is_not_told(progress, lines, clock):
    progress.expect(1_000_000, None)
    progress.receive("a", 0)
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("a", 500_000)
    assert lines == ["  … 0 of 2 assets, 0.5 MB, 0.1 MB/s"]


def test_a_slow_download_is_told_in_minutes(progress, lines, clock):
    progress.expect(100_000_000)
    progress.receive("a", 0)
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("a", 1_000_000)
    assert lines == ["  … 0 of 1 assets, 1.0 of 100.0 MB, 0.2 MB/s, 8 min left"]


def test_slow_line_is_told_in_kilobytes_since_megabytes_would_look_as_if_it_stood_still(progress, lines, clock):
    progress.expect(10_000_000)
    progress.receive("a", 0)
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("a", 200_000)
    assert lines == ["  … 0 of 1 assets, 0.2 of 10.0 MB, 40 kB/s, 4 min left"]


def test_what_is_complete_is_counted(progress, lines, clock):
    progress.expect(*[5_000_000] * 3)
    for asset in ("a", "b"):
        progress.receive(asset, 5_000_000)
        progress.finish(asset)
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("c", 250_000)
    assert lines == ["  … 2 of 3 assets, 10.2 of 15.0 MB, 2.0 MB/s, 2 s left"]


def test_assets_of_one_name_add_up(progress, lines, clock):
    progress.expect(None, None)
    progress.receive("linux-amd64.tar.gz", 5_000_000)
    progress.finish("linux-amd64.tar.gz")
    clock.now += SECONDS_BETWEEN_LINES
    progress.receive("linux-amd64.tar.gz", 1_000_000)
    assert lines == ["  … 1 of 2 assets, 6.0 MB, 1.2 MB/s"]


def test_a_line_of_its_own_is_shown_at_once(progress, lines):
    progress.tell("uv 0.9.9: 2 assets → as published")
    assert lines == ["uv 0.9.9: 2 assets → as published"]


def test_a_publisher_cannot_steer_the_terminal(progress, lines):
    progress.tell("uv \x1b[2J0.9\n9\u202e")
    assert lines == ["uv ?[2J0.9?9?"]


def test_a_terminal_has_a_bar_which_goes_before_a_line_comes_and_at_the_end(meter, lines, clock, screen):
    meter.expect(8_000_000, 8_000_000)
    meter.receive("a", 0)
    for megabytes in (4, 8):
        clock.now += SECONDS_BETWEEN_BARS
        meter.receive("a", megabytes * 1_000_000)
        meter.receive("a", megabytes * 1_000_000)
    meter.finish("a")
    meter.tell("uv is locked")
    meter.tell("so is jq")
    clock.now += 1.6
    meter.receive("b", 4_000_000)
    meter.close()
    meter.close()
    assert screen == [
        "[#####---------------] 0 of 2 assets, 4.0 of 16.0 MB",
        "[##########----------] 0 of 2 assets, 8.0 of 16.0 MB",
        "",
        "[###############-----] 1 of 2 assets, 12.0 of 16.0 MB, 6.0 MB/s, 1 s left",
        "",
    ]
    assert lines == ["uv is locked", "so is jq"]


def test_a_bar_shows_assets_where_nobody_knows_how_many_bytes_there_are(meter, clock, screen):
    meter.expect(None, None)
    meter.finish("a")
    clock.now += SECONDS_BETWEEN_BARS
    meter.receive("b", 200_000)
    assert screen == ["[##########----------] 1 of 2 assets, 0.2 MB"]


def test_more_bytes_than_were_announced_do_not_break_the_bar(meter, clock, screen):
    meter.expect(1_000_000)
    clock.now += SECONDS_BETWEEN_BARS
    meter.receive("a", 2_000_000)
    assert screen == ["[####################] 0 of 1 assets, 2.0 of 1.0 MB"]


def test_threads_do_not_lose_each_others_assets(progress, lines, clock):
    def download(name: str) -> None:
        for number in range(200):
            progress.expect(10_000)
            progress.receive(f"{name}{number}", 10_000)
            progress.finish(f"{name}{number}")

    threads = [Thread(target=download, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now += SECONDS_BETWEEN_LINES
    progress.expect(0)
    progress.receive("last", 0)
    assert lines == ["  … 800 of 801 assets, 8.0 of 8.0 MB, 1.6 MB/s"]
