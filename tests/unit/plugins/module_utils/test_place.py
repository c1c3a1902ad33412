# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a root must be before anything in it is believed, and how one run waits for another."""

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
import threading

import pytest
from ansible_collections.pinned.release.plugins.module_utils import place
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import ToolOrder
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import orders_for
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import ALICE, MALLORY, as_user, only_root


@pytest.fixture(name="here")
def _here(tmp_path):
    return place.established(orders_for(tmp_path))


def lock_of(here):
    return os.path.join(here.root, "lock")


def test_missing_folders_are_made_and_told_apart(tmp_path, here):
    assert sorted(os.listdir(here.root)) == ["current", "staging", "store"]
    assert here.link("hello") == str(tmp_path / "bin/hello")
    assert here.tree("hello", "1.0") == str(tmp_path / "root/store/hello/1.0")


def test_paths_are_physical_and_texts_of_links_as_ordered(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to("real")
    here = place.established(orders_for(tmp_path))
    assert here.switch("hello") == str(tmp_path / "real/current/hello")
    assert here.named_root == str(tmp_path / "root")
    assert here.named_link("hi") == str(tmp_path / "bin/hi")


@pytest.mark.parametrize("name", ["staging", "store", "current", "store/hello"])
@pytest.mark.parametrize("kind", ["link", "file", "open"])
def test_folder_below_root_that_is_none_of_ours_is_refused_and_nothing_in_it_is_touched(tmp_path, name, kind):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    path = tmp_path / "root" / name
    path.parent.mkdir(parents=True)
    if kind == "link":
        path.symlink_to(precious)
    elif kind == "file":
        path.write_text("")
    else:
        path.mkdir()
        path.chmod(0o777)
    with pytest.raises(
        ReleaseError, match="can be written by everyone" if kind == "open" else "/{0} is no folder".format(name)
    ):
        place.established(orders_for(tmp_path, ToolOrder("hello")))
    assert (precious / "file").read_text() == "mine"


@only_root
@pytest.mark.parametrize("name", [".", "staging", "store", "current", "store/hello"])
def test_folder_of_another_user_is_refused(tmp_path, name):
    (tmp_path / "root" / name).mkdir(parents=True)
    os.chown(str(tmp_path / "root" / name), MALLORY, MALLORY)
    with pytest.raises(ReleaseError, match="belongs to the user 24002"):
        place.established(orders_for(tmp_path, ToolOrder("hello")))


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not installed: apt-get install acl")
def test_access_control_list_that_a_folder_above_hands_down_ends_at_staging(tmp_path):
    subprocess.check_call(["setfacl", "-d", "-m", "u:24002:rwx", str(tmp_path)])
    here = place.established(orders_for(tmp_path))
    os.mkdir(os.path.join(here.staging, "folder"), 0o755)
    with open(os.path.join(here.staging, "folder/file"), "w"):
        pass
    for name in ("", "folder", "folder/file"):
        assert not [one for one in os.listxattr(os.path.join(here.staging, name)) if "acl" in one]


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_bin_dir_that_everyone_may_write_is_refused_before_the_root_is_made(tmp_path, mode):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin").chmod(mode)
    with pytest.raises(ReleaseError, match="/bin can be written by everyone"):
        place.established(orders_for(tmp_path))
    assert not (tmp_path / "root").exists()


# The lock.


def test_lock_can_be_opened_by_nobody_else(here):
    with place.locked(here):
        assert stat.S_IMODE(os.stat(lock_of(here)).st_mode) == 0o600


def test_lock_that_others_could_open_no_longer_can(here):
    with open(lock_of(here), "w"):
        os.chmod(lock_of(here), 0o666)
    with place.locked(here):
        assert stat.S_IMODE(os.stat(lock_of(here)).st_mode) == 0o600


@only_root
def test_other_users_cannot_hold_the_lock():
    folder = tempfile.mkdtemp(dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        here = place.established(orders_for(folder))
        with place.locked(here):
            pass
        with pytest.raises(PermissionError):
            as_user(MALLORY, lambda: fcntl.flock(os.open(lock_of(here), os.O_RDONLY), fcntl.LOCK_EX))
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("kind", ["link", "hard link", "link to nothing", "fifo", "folder"])
def test_lock_that_is_no_file_of_its_own_is_refused_at_once_and_nothing_is_made_through_it(tmp_path, here, kind):
    victim = tmp_path / "victim"
    if kind in ("link", "hard link"):
        victim.write_text("mine")
        victim.chmod(0o644)
    make = {
        "link": lambda: os.symlink(str(victim), lock_of(here)),
        "hard link": lambda: os.link(str(victim), lock_of(here)),
        "link to nothing": lambda: os.symlink(str(victim), lock_of(here)),
        "fifo": lambda: os.mkfifo(lock_of(here)),
        "folder": lambda: os.mkdir(lock_of(here)),
    }
    make[kind]()
    with pytest.raises(ReleaseError, match="cannot be the lock"), place.locked(here):
        pytest.fail("it was taken for one")
    assert victim.exists() == (kind in ("link", "hard link"))
    if victim.exists():
        assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode)) == ("mine", 0o644)


@only_root
def test_lock_of_another_user_is_refused(here):
    with open(lock_of(here), "w"):
        os.chown(lock_of(here), MALLORY, MALLORY)
    with pytest.raises(ReleaseError, match="cannot be the lock"), place.locked(here):
        pytest.fail("it was taken for one")


@only_root
def test_user_who_may_not_open_roots_lock_is_told_so_by_the_system(tmp_path):
    folder = tempfile.mkdtemp(dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        here = place.established(orders_for(folder))
        with place.locked(here):
            pass

        def wait():
            with place.locked(here):
                return "held"

        with pytest.raises(PermissionError):
            as_user(ALICE, wait)
    finally:
        shutil.rmtree(folder)


def test_second_run_waits_for_the_first(here):
    order = []
    first = place.locked(here)
    first.__enter__()

    def second():
        with place.locked(here):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(0.3)
    order.append("first")
    first.__exit__(None, None, None)
    thread.join()
    assert order == ["first", "second"]


def test_lock_that_is_held_for_too_long_is_an_error_that_says_who_to_look_for(here, monkeypatch):
    monkeypatch.setattr(place, "LOCK_TIMEOUT_S", 0)
    with place.locked(here), pytest.raises(ReleaseError, match="another run has held") as failure, place.locked(here):
        pytest.fail("it was held twice")
    assert failure.value.fix == "see which process holds it (fuser {0}) and let it end".format(lock_of(here))


def test_lock_is_free_again_after_a_failure(here):
    with pytest.raises(OSError, match="No space"), place.locked(here):
        raise OSError(errno.ENOSPC, "No space left on device")
    with place.locked(here):
        pass
