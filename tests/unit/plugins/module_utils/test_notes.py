# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a note of ours. What somebody else can leave in its place is tried in tests/adversity."""

import os

import pytest
from ansible_collections.pinned.release.plugins.module_utils import notes


@pytest.fixture
def note(tmp_path):
    path = tmp_path / "note"
    path.write_bytes(b"one\ntwo\n")
    path.chmod(0o644)
    return path


def test_a_note_of_ours_is_read_whole(note):
    assert notes.read(str(note)) == b"one\ntwo\n"
    note.write_bytes(b"x" * notes.MOST_BYTES)
    assert len(notes.read(str(note))) == notes.MOST_BYTES


def test_a_note_that_is_not_there_says_nothing(tmp_path):
    assert notes.read(str(tmp_path / "note")) == b""


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o4644])
def test_a_note_that_others_can_write_says_nothing(note, mode):
    note.chmod(mode)
    assert notes.read(str(note)) == b""


def test_a_note_that_is_too_large_says_nothing(note):
    os.truncate(str(note), notes.MOST_BYTES + 1)
    assert notes.read(str(note)) == b""


def test_what_is_no_file_says_nothing(note, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(note)
    fifo = tmp_path / "fifo"
    os.mkfifo(str(fifo))
    assert [notes.read(str(path)) for path in (link, fifo, tmp_path)] == [b"", b"", b""]
