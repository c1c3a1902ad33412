# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that came with the orders are there whole and verified, or not at all."""

import hashlib
import io
import os
import resource
import subprocess
import sys

import pytest
from ansible_collections.pinned.release.plugins.module_utils import pushed
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed, pushed_file

FIRST, SECOND = b"first" * 50000, b"second"
#: Takes the file that its standard input is, and says how much memory that took at most, in KiB.
TAKES = """
import os, resource, sys
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = int(sys.argv[3])
Pushed(open(0, "rb"), size).take(sys.argv[1], sys.argv[2], size, "big")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


BOTH_BYTES = len(FIRST) + len(SECOND)


def both(content=FIRST + SECOND, size=BOTH_BYTES):
    return Pushed(io.BytesIO(content), size)


def take(files, content, tmp_path, name):
    files.take(str(tmp_path / name), sha256(content), len(content), name)


def test_one_after_the_other_becomes_a_file_that_others_cannot_read(tmp_path):
    files = both()
    for name, content in (("first", FIRST), ("second", SECOND)):
        take(files, content, tmp_path, name)
        assert (tmp_path / name).read_bytes() == content
        assert os.stat(str(tmp_path / name)).st_mode & 0o777 == 0o600


def test_what_lies_in_a_file_is_taken_as_well(tmp_path):
    (tmp_path / "parcel").write_bytes(FIRST + SECOND)
    files = pushed_file(str(tmp_path / "parcel"), BOTH_BYTES)
    take(files, FIRST, tmp_path, "first")
    take(files, SECOND, tmp_path, "second")
    assert (tmp_path / "second").read_bytes() == SECOND


@pytest.mark.parametrize("end", [0, 1, len(FIRST) - 1])
def test_bytes_that_end_too_early_leave_nothing(tmp_path, end):
    with pytest.raises(ReleaseError, match="first: what the controller pushed ends too early") as failure:
        take(both(FIRST[:end]), FIRST, tmp_path, "first")
    assert failure.value.expected == "{0} bytes more".format(len(FIRST) - end)
    assert os.listdir(str(tmp_path)) == []


def test_other_bytes_leave_nothing(tmp_path):
    with pytest.raises(ReleaseError, match="first: what the controller pushed is not the file that was locked"):
        take(both(FIRST[:-1] + b"x" + SECOND), FIRST, tmp_path, "first")
    assert os.listdir(str(tmp_path)) == []


def test_more_than_was_announced_is_not_taken(tmp_path):
    with pytest.raises(ReleaseError, match="the controller pushed less than it ordered: first is missing"):
        take(both(size=len(FIRST) - 1), FIRST, tmp_path, "first")
    with pytest.raises(ReleaseError, match="first is missing"):
        take(Pushed(), FIRST, tmp_path, "first")


def test_what_is_there_already_is_not_replaced_and_no_link_followed(tmp_path):
    (tmp_path / "first").symlink_to(tmp_path / "other")
    with pytest.raises(ReleaseError, match=r"cannot write .*first: File exists"):
        take(both(), FIRST, tmp_path, "first")
    assert (tmp_path / "first").is_symlink()
    assert not (tmp_path / "other").exists()


def test_disk_that_takes_no_more_is_an_error_and_leaves_nothing(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(FIRST) // 2, before[1]))
    try:
        with pytest.raises(ReleaseError, match=r"cannot write .*first: File too large"):
            take(both(), FIRST, tmp_path, "first")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(str(tmp_path)) == []


def test_connection_that_brings_nothing_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(pushed, "TIMEOUT_S", 1)
    reading, writing = os.pipe()
    with open(reading, "rb") as stream:
        os.write(writing, FIRST[:100])
        with pytest.raises(ReleaseError, match="first: nothing more came from the controller for 1 seconds"):
            take(Pushed(stream, len(FIRST)), FIRST, tmp_path, "first")
        os.close(writing)
    assert os.listdir(str(tmp_path)) == []


def test_what_nobody_asked_for_is_read_and_no_more_than_was_announced():
    stream = io.BytesIO(FIRST + SECOND + b"later")
    Pushed(stream, BOTH_BYTES).drain()
    assert stream.read() == b"later"


def test_reading_what_nobody_asked_for_ends_where_the_connection_does():
    both(FIRST).drain()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe", "absent"])
def test_file_that_is_none_is_an_error(tmp_path, kind):
    path = tmp_path / "parcel"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "other").write_bytes(FIRST)
        path.symlink_to(tmp_path / "other")
    elif kind == "pipe":
        os.mkfifo(str(path))
    with pytest.raises(ReleaseError, match="parcel"):
        pushed_file(str(path), 5)


def test_memory_does_not_grow_with_the_file(tmp_path):
    size = 64 * 1024 * 1024
    with open(str(tmp_path / "big"), "wb") as big:
        big.truncate(size)
    digest = hashlib.sha256()
    for _block in range(64):
        digest.update(bytes(size // 64))
    command = [sys.executable, "-c", TAKES, str(tmp_path / "taken"), digest.hexdigest(), str(size)]
    with open(str(tmp_path / "big"), "rb") as big:
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
        grown_kib = int(subprocess.check_output(command, stdin=big, env=environment))
    assert grown_kib < 8 * 1024
    assert os.stat(str(tmp_path / "taken")).st_size == size
