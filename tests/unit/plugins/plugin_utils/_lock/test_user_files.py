# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files that people keep: what is refused in their place, and what is left of a write that is cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import user_files

#: Writes a lock file, and is sent the signal argv[2] just before its bytes are brought to the disk. The signal ends it
#: even if whoever started the tests ignores the signal (nohup), because a process inherits that.
WRITER = """
import os, signal, sys
from pathlib import Path
from ansible_collections.pinned.release.plugins.plugin_utils._lock import user_files
signal.signal(int(sys.argv[2]), signal.SIG_DFL)
fsync = os.fsync
os.fsync = lambda number: (os.kill(os.getpid(), int(sys.argv[2])), fsync(number))
user_files.write_lock(Path(sys.argv[1]), "after")
print("not ended")
"""


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.touch()


@pytest.mark.parametrize(
    ("kind", "given", "there"),
    [
        (user_files.LOCK_FILE, "release.lock.json", "releases.lock.json"),
        (user_files.MANIFEST, "release.yml", "releases.yml"),
        (user_files.CATALOGUE, "catalog.yml", "catalogue.yml"),
    ],
)
def test_the_file_beside_a_missing_one_is_named(tmp_path: Path, kind: str, given: str, there: str) -> None:
    (tmp_path / there).touch()
    (tmp_path / "README.md").touch()
    with pytest.raises(ReleaseError) as raised:
        user_files.read(tmp_path / given, kind)
    assert raised.value.found == f"No such file or directory; did you mean {there}?"
    with pytest.raises(ReleaseError) as raised:
        user_files.read(tmp_path / "none" / given, kind)
    assert raised.value.found == "No such file or directory"


def test_the_folder_of_a_missing_file_may_be_what_is_misspelled(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    with pytest.raises(ReleaseError) as raised:
        user_files.read(tmp_path / "report" / "report.json", user_files.REPORT)
    assert raised.value.found == "No such file or directory; did you mean reports?"
    assert "dest in the playbook ask" in str(raised.value.fix)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (os.mkfifo, "a pipe, a socket or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe, a socket or a device"),
        (Path.mkdir, "a folder"),
        (make_loop, "Too many levels of symbolic links"),
        (make_below_a_file, "Not a directory"),
        (lambda path: path.write_bytes(b"\xff"), "'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_only_a_text_in_a_regular_file_is_read(tmp_path: Path, make: Callable[[Path], None], found: str) -> None:
    path = tmp_path / "folder" / "releases.lock.json"
    path.parent.mkdir()
    make(path)
    with pytest.raises(ReleaseError) as raised:
        user_files.read_if_there(path, user_files.LOCK_FILE)
    assert raised.value.what == f"cannot read the lock file {path}"
    assert str(raised.value.found).startswith(found)
    assert str(raised.value.fix).endswith("or name another in the option lockfile")


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot read the manifest") as raised:
        user_files.read_if_there(tmp_path / ("x" * 300), user_files.MANIFEST)
    assert raised.value.found == "File name too long"


def test_role_path_in_variables_of_the_role_is_told_apart_from_that_of_ones_own() -> None:
    role = Path(user_files.__file__).parents[3] / "roles/tools"
    error = user_files.missing(role / "files/ours/releases.lock.json", user_files.LOCK_FILE)
    assert (error.fix or "").startswith("write files/ours/releases.lock.json, which is looked for in your own role:")


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.symlink_to("nowhere")])
def test_what_is_missing_is_no_error_until_it_is_needed(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "releases.yml"
    make(path)
    assert user_files.read_if_there(path, user_files.MANIFEST) is None
    with pytest.raises(ReleaseError) as raised:
        user_files.read(path, user_files.MANIFEST)
    assert raised.value.found == "No such file or directory"
    assert raised.value.fix == "write one, or name another in the option manifest"


def test_a_place_without_a_folder_is_hopeless_even_behind_a_link(tmp_path: Path) -> None:
    link = tmp_path / "releases.lock.json"
    link.symlink_to("nowhere/releases.lock.json")
    with pytest.raises(ReleaseError, match="cannot write the lock file") as raised:
        user_files.refuse_hopeless_place(link)
    assert raised.value.found == "No such file or directory"
    (tmp_path / "nowhere").mkdir()
    user_files.refuse_hopeless_place(link)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_this_user_may_not_write_is_hopeless(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(ReleaseError) as raised:
        user_files.refuse_hopeless_place(tmp_path / "releases.lock.json")
    assert raised.value.found == "Permission denied"
    assert str(raised.value.fix).startswith("let this user write in its folder")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a file system that nobody may write to")
def test_a_refused_write_says_why(tmp_path: Path) -> None:
    link = tmp_path / "releases.lock.json"
    link.symlink_to("/proc/releases.lock.json")
    with pytest.raises(ReleaseError, match=f"cannot write the lock file {link}"):
        user_files.write_lock(link, "after")


def test_a_link_stays_one_and_a_file_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "team.json").write_text("before")
    (tmp_path / "team.json").chmod(0o660)
    (tmp_path / "link.json").symlink_to("team.json")
    user_files.write_lock(tmp_path / "link.json", "after")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "team.json").read_text() == "after"
    assert (tmp_path / "team.json").stat().st_mode & 0o777 == 0o660


def test_a_new_lock_file_has_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        user_files.write_lock(tmp_path / "releases.lock.json", "new")
    finally:
        os.umask(before)
    assert (tmp_path / "releases.lock.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("ending", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_writer_that_is_ended_meanwhile_leaves_the_new_file_and_no_other(tmp_path: Path, ending: int) -> None:
    path = tmp_path / "releases.lock.json"
    path.write_text("before")
    importable = [str(Path(user_files.__file__).parents[6]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(importable)}
    command = [sys.executable, "-c", WRITER, str(path), str(int(ending))]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert ended.returncode == -ending
    assert ended.stdout == b""
    assert path.read_text() == "after"
    assert os.listdir(tmp_path) == ["releases.lock.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_user_s_lock_file_stays_that_user_s_when_root_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "releases.lock.json"
    path.write_text("before", encoding="utf-8")
    os.chown(path, 1234, 5678)
    path.chmod(0o640)
    user_files.write_lock(path, "after")
    found = path.stat()
    assert path.read_text(encoding="utf-8") == "after"
    assert (found.st_uid, found.st_gid, oct(found.st_mode)) == (1234, 5678, "0o100640")
