# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What assets unpack to is known, and allowed, before a byte of it is written."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils import archive
from ansible_collections.pinned.release.plugins.module_utils.archive import TooLargeError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import allowance as allowance_file
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance, RunTooLargeError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import look_into
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf

MIB = 1024**2
PROGRAM = elf()
LARGE = PROGRAM + bytes(3 * MIB)
SINGLE = ("gz", "xz", "bz2")
MANY = ("zip", "tar", "tar.gz", "tar.xz", "tar.bz2")


@pytest.fixture
def written(monkeypatch):
    """Return the sizes of the copies that were written to the disk."""
    sizes = []
    plain = tempfile.TemporaryFile

    def observed():
        file = plain()
        close = file.close

        def close_and_note():
            sizes.append(os.fstat(file.fileno()).st_size)
            close()

        file.close = close_and_note
        return file

    monkeypatch.setattr(archive.tempfile, "TemporaryFile", observed)
    return sizes


def asset(folder: Path, archive_format: str, *contents: bytes) -> Path:
    """Return an asset of *contents*, the programs in it called 0, 1 …"""
    path = folder / f"tool.{archive_format}"
    if archive_format in (*SINGLE, "bare"):
        path.write_bytes(made.COMPRESSORS.get(archive_format, bytes)(*contents))
    else:
        files = [made.file(str(number), content, 0o755) for number, content in enumerate(contents)]
        path.write_bytes(made.archive(archive_format, *files))
    return path


@pytest.mark.parametrize("archive_format", [*MANY, *SINGLE, "bare"])
def test_a_program_larger_than_is_allowed_is_refused_before_it_is_written(tmp_path, written, archive_format):
    path = asset(tmp_path, archive_format, LARGE)
    with pytest.raises(TooLargeError, match="unpacks to more than an asset may") as failure:
        look_into(path, archive_format, "tool", "tool", Allowance(2 * MIB))
    assert failure.value.expected == "at most 2MiB"
    assert written == []
    assert look_into(path, archive_format, "tool", "tool", Allowance(4 * MIB)).unpacked_size == len(LARGE)


@pytest.mark.parametrize("archive_format", MANY)
def test_members_count_together(tmp_path, written, archive_format):
    path = asset(tmp_path, archive_format, LARGE, b"text" * MIB, LARGE)
    with pytest.raises(TooLargeError):
        look_into(path, archive_format, "tool", "tool", Allowance(9 * MIB))
    assert written == [len(LARGE)]


def test_the_fix_is_what_the_manifest_takes(tmp_path):
    path = asset(tmp_path, "tar.gz", LARGE)
    with pytest.raises(TooLargeError) as failure:
        look_into(path, "tar.gz", "tool", "tool", Allowance(3 * MIB))
    policy = re.search(r"policy: .+", failure.value.fix)[0]
    parsed = manifest.parse(f"platforms: [linux/x86_64]\ntools: {{tool: {{source: {{pypi: tool}}}}}}\n{policy}")
    assert parsed.policy.maximum_unpacked_bytes == 6 * MIB
    look_into(path, "tar.gz", "tool", "tool", Allowance(parsed.policy.maximum_unpacked_bytes))


@pytest.mark.parametrize("archive_format", ["tar.gz", "gz", "zip", "bare"])
def test_all_assets_of_a_run_count_together(tmp_path, monkeypatch, written, archive_format):
    monkeypatch.setattr(allowance_file, "ASSETS_OF_A_RUN", 2)
    path = asset(tmp_path, archive_format, LARGE)
    allowance = Allowance(4 * MIB)
    look_into(path, archive_format, "tool", "tool", allowance)
    look_into(path, archive_format, "tool", "tool", allowance)
    written.clear()
    with pytest.raises(RunTooLargeError, match="unpack to more than they may together, at tool") as failure:
        look_into(path, archive_format, "tool", "tool", allowance)
    assert failure.value.expected == "at most 8MiB"
    assert "maximum_unpacked_size: 8MiB" in failure.value.fix
    assert written == []


def test_only_programs_are_written_and_one_that_is_not_packed_is_not_even_copied(tmp_path, written):
    look_into(asset(tmp_path, "tar", b"text" * MIB, PROGRAM, b""), "tar", "tool")
    assert written == [len(PROGRAM)]
    written.clear()
    look_into(asset(tmp_path, "bare", LARGE), "bare", "tool")
    assert written == []


def test_threads_that_look_at_once_use_no_more_disk_than_one_may(tmp_path, monkeypatch):
    in_use, most, lock = [0], [0], threading.Lock()
    spool = allowance_file.spool

    def slow(content, beginning):
        with lock:
            in_use[0] += len(LARGE)
            most[0] = max(most[0], in_use[0])
        time.sleep(0.02)
        copy = spool(content, beginning)
        with lock:
            in_use[0] -= len(LARGE)
        return copy

    monkeypatch.setattr(allowance_file, "spool", slow)
    allowance = Allowance(7 * MIB)
    path = asset(tmp_path, "tar.gz", LARGE)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _thread: look_into(path, "tar.gz", "tool", "tool", allowance), range(16)))
    assert len(found) == 16
    assert most[0] == 2 * len(LARGE)


def test_what_could_not_be_read_gives_its_room_back(tmp_path):
    allowance = Allowance(4 * MIB)
    path = asset(tmp_path, "tar.gz", LARGE)
    whole = path.read_bytes()
    for _time in range(3):
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(archive.ReleaseError):
            look_into(path, "tar.gz", "tool", "tool", allowance)
    path.write_bytes(whole)
    assert look_into(path, "tar.gz", "tool", "tool", allowance).unpacked_size == len(LARGE)


@pytest.mark.parametrize(("size", "text"), [(MIB, "1MiB"), (1536 * MIB, "1536MiB"), (4 * 1024**3, "4GiB"), (5, "5")])
def test_a_size_is_shown_as_the_manifest_writes_it(size, text):
    assert allowance_file.shown(size) == text
