# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How orders are carried out: real archives, real links, real programs started."""

import json
import os
import stat
import subprocess
import threading
import time

import pytest
from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import from_json, to_json
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released, orders_for


def run(folder, program="hello"):
    path = os.path.join(str(folder), "bin", program)
    return subprocess.check_output([path], universal_newlines=True).strip()


def everything_below(folder):
    found = {}
    for top, folders, files in os.walk(str(folder)):
        for name in folders + files:
            path = os.path.join(top, name)
            found[os.path.relpath(path, str(folder))] = os.readlink(path) if os.path.islink(path) else ""
    return found


def trees(folder, tool="hello"):
    return sorted(os.listdir(os.path.join(str(folder), "root", "store", tool)))


def test_installed_program_runs_through_its_link(tmp_path):
    done = store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert run(tmp_path) == "hello 1.0"
    assert done[0].downloaded == os.path.getsize(str(tmp_path / "hello-1.0.tar.gz"))


def test_orders_survive_the_way_through_json():
    orders = orders_for("/x", Released.order(_FAKE), mode=0o750)
    assert from_json(json.loads(json.dumps(to_json(orders)))) == orders


def test_receipt_says_what_was_ordered_and_when(tmp_path):
    store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    receipt = json.loads((tmp_path / "root/current/hello/receipt.json").read_text())
    assert receipt["version"] == "1.0"
    assert time.strptime(receipt["installed"], "%Y-%m-%dT%H:%M:%SZ")


def test_all_programs_of_a_tool_switch_with_one_rename(tmp_path, monkeypatch):
    old = Released(tmp_path, version="1.0", programs=("hello", "goodbye"))
    new = Released(tmp_path, version="2.0", programs=("hello", "goodbye"))
    store.obey(orders_for(tmp_path, old.order()))
    seen = []
    rename = os.rename

    def watching(source, destination):
        before = run(tmp_path, "hello"), run(tmp_path, "goodbye")
        rename(source, destination)
        seen.append((before, (run(tmp_path, "hello"), run(tmp_path, "goodbye"))))

    monkeypatch.setattr(os, "rename", watching)
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    states = {state for step in seen for state in step}
    assert states == {("hello 1.0", "goodbye 1.0"), ("hello 2.0", "goodbye 2.0")}


def test_going_back_needs_no_download(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    os.unlink(old.path)
    done = store.obey(orders_for(tmp_path, old.order(expects=new.tree, reuse=old.tree)))
    assert run(tmp_path) == "hello 1.0"
    assert done[0].downloaded == 0


def test_kept_version_that_was_changed_is_not_activated(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    (tmp_path / "root/store/hello" / old.tree / "libexec" / old.programs["hello"].path).write_text(
        "#!/bin/sh\necho evil\n"
    )
    with pytest.raises(store.StaleError, match="no longer whole"):
        store.obey(orders_for(tmp_path, old.order(expects=new.tree, reuse=old.tree)))
    assert run(tmp_path) == "hello 2.0"


def test_only_the_versions_ordered_are_pruned(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    store.obey(orders_for(tmp_path, new.order(expects=old.tree, prune=[old.tree])))
    assert trees(tmp_path) == [new.tree]


def test_damaged_version_stays_active_until_its_replacement_is(tmp_path):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    store.obey(orders_for(tmp_path, released.order(expects=released.tree, prune=[released.tree])))
    assert trees(tmp_path) == [released.tree + ".1"]
    assert run(tmp_path) == "hello 1.0"


def test_foreign_file_is_refused_before_anything_changes(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/hello").write_text("mine")
    with pytest.raises(ReleaseError, match="adopt: true"):
        store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert (tmp_path / "bin/hello").read_text() == "mine"
    assert os.listdir(str(tmp_path / "root/store")) == []


def test_adopted_file_is_kept_as_a_backup(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/hello").write_text("mine")
    done = store.obey(orders_for(tmp_path, Released(tmp_path).order(adopt=["hello"])))
    assert run(tmp_path) == "hello 1.0"
    (backup,) = done[0].backups.values()
    with open(backup) as handle:
        assert handle.read() == "mine"


def test_adopted_folder_is_kept_as_a_backup(tmp_path):
    (tmp_path / "bin/hello").mkdir(parents=True)
    (tmp_path / "bin/hello/mine").write_text("mine")
    done = store.obey(orders_for(tmp_path, Released(tmp_path).order(adopt=["hello"])))
    assert run(tmp_path) == "hello 1.0"
    (backup,) = done[0].backups.values()
    assert os.listdir(backup) == ["mine"]


def test_failure_of_one_tool_leaves_every_tool_as_it_was(tmp_path):
    good, bad = Released(tmp_path), Released(tmp_path, tool="other", programs=("other",))
    store.obey(orders_for(tmp_path, good.order()))
    before = everything_below(tmp_path / "root")
    better = Released(tmp_path, version="2.0")
    broken = bad.order(asset=bad.asset._replace(sha256="0" * 64))
    with pytest.raises(ReleaseError, match=r"^other: .*is not the file that was locked"):
        store.obey(orders_for(tmp_path, better.order(expects=good.tree), broken))
    assert everything_below(tmp_path / "root") == before
    assert run(tmp_path) == "hello 1.0"


def test_program_that_is_not_the_locked_one_is_refused(tmp_path):
    released = Released(tmp_path)
    programs = {"hello": released.programs["hello"]._replace(sha256="0" * 64)}
    with pytest.raises(ReleaseError, match="not the program that was locked"):
        store.obey(orders_for(tmp_path, released.order(programs=programs)))
    assert not os.path.lexists(str(tmp_path / "bin/hello"))


def test_failing_check_says_what_it_printed_and_nothing_is_activated(tmp_path):
    released = Released(tmp_path)
    check = ["sh", "-c", "echo no such option; exit 3"]
    with pytest.raises(ReleaseError, match="exit status 3: no such option"):
        store.obey(orders_for(tmp_path, released.order(check=check)))
    assert not os.path.lexists(str(tmp_path / "bin/hello"))


def test_check_runs_the_staged_program_not_an_installed_one(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    check = ["sh", "-c", "test \"$(hello)\" = 'hello 2.0'"]
    store.obey(orders_for(tmp_path, new.order(expects=old.tree, check=check)))
    assert run(tmp_path) == "hello 2.0"


def test_check_of_no_program_says_which_there_are(tmp_path):
    with pytest.raises(ReleaseError, match="could not be started") as failure:
        store.obey(orders_for(tmp_path, Released(tmp_path).order(check=("hallo", "--version"))))
    assert "a program of hello (hello)" in failure.value.fix


def test_refused_link_is_named_by_its_own_place(tmp_path):
    orders = orders_for(tmp_path, Released(tmp_path).order())
    with pytest.raises(ReleaseError, match="cannot change /proc/hello:"), store._changes_reported(orders):
        os.symlink(str(tmp_path), "/proc/hello")


def test_orders_planned_before_another_run_are_stale(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    with pytest.raises(store.StaleError, match="changed on the host"):
        store.obey(orders_for(tmp_path, new.order(expects=None)))


def test_second_run_waits_for_the_first(tmp_path):
    released = Released(tmp_path)
    slow = orders_for(tmp_path, released.order(check=["sleep", "1"]))
    first = threading.Thread(target=store.obey, args=(slow,))
    first.start()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not list(tmp_path.glob("root/staging/*")):
        time.sleep(0.01)
    with pytest.raises(store.StaleError):
        store.obey(orders_for(tmp_path, released.order()))
    first.join()
    assert run(tmp_path) == "hello 1.0"


def test_removed_tool_leaves_nothing_but_foreign_files(tmp_path):
    released = Released(tmp_path, programs=("hello", "goodbye"))
    store.obey(orders_for(tmp_path, released.order()))
    os.unlink(str(tmp_path / "bin/goodbye"))
    (tmp_path / "bin/goodbye").write_text("mine")
    order = released.order(expects=released.tree, tree=None, unlink=["hello", "goodbye"], prune=[released.tree])
    store.obey(orders_for(tmp_path, order._replace(programs={})))
    assert os.listdir(str(tmp_path / "bin")) == ["goodbye"]
    assert os.listdir(str(tmp_path / "root/store")) == []


def test_what_a_killed_run_left_in_staging_is_swept(tmp_path):
    (tmp_path / "root/staging/hello.x/tree").mkdir(parents=True)
    store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert os.listdir(str(tmp_path / "root/staging")) == []


def test_root_that_everyone_may_write_is_refused(tmp_path):
    (tmp_path / "root").mkdir()
    os.chmod(str(tmp_path / "root"), 0o777)
    with pytest.raises(ReleaseError, match="written by everyone"):
        store.obey(orders_for(tmp_path, Released(tmp_path).order()))


@pytest.mark.parametrize("name", ["staging", "store", "current"])
def test_folder_of_the_store_that_is_a_link_is_refused_and_what_it_leads_to_stays(tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/precious").write_text("mine")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match="/{0} is no folder".format(name)):
        store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert os.listdir(str(tmp_path / "elsewhere")) == ["precious"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("name", [".", "staging", "store", "current"])
def test_folder_of_another_user_is_refused(tmp_path, name):
    (tmp_path / "root" / name).mkdir(parents=True)
    os.chown(str(tmp_path / "root" / name), 65534, 65534)
    with pytest.raises(ReleaseError, match="belongs to another user"):
        store.obey(orders_for(tmp_path, Released(tmp_path).order()))


@pytest.mark.parametrize("by", [os.symlink, os.link])
def test_owner_of_a_kept_tree_cannot_have_the_mode_of_another_file_changed(tmp_path, by):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    program = tmp_path / "root/current/hello/libexec" / released.programs["hello"].path
    secret = tmp_path / "secret"
    # The right bytes: what is compared can still be exchanged before the mode is set.
    program.rename(secret)
    secret.chmod(0o600)
    by(str(secret), str(program))
    order = released.order(expects=released.tree, reuse=released.tree)
    if by is os.link:
        with pytest.raises(ReleaseError, match="second name elsewhere"):
            store.obey(orders_for(tmp_path, order))
    else:
        store.obey(orders_for(tmp_path, order))
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_programs_get_the_mode_that_was_asked_for(tmp_path):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order(), mode=0o700))
    installed = os.stat(str(tmp_path / "bin/hello"))
    assert stat.S_IMODE(installed.st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_tree_belongs_to_the_owner_that_was_asked_for(tmp_path):
    store.obey(orders_for(tmp_path, Released(tmp_path).order(), owner="nobody", group="65534"))
    tree = tmp_path / "root/current/hello"
    installed = [os.stat(str(path)) for path in (tree / "libexec", tree / "receipt.json")]
    assert {(found.st_uid, found.st_gid) for found in installed} == {(65534, 65534)}


def test_unknown_owner_is_an_error_before_anything_changes(tmp_path):
    with pytest.raises(ReleaseError, match="no user no-such-user"):
        store.obey(orders_for(tmp_path, Released(tmp_path).order(), owner="no-such-user"))
    assert not (tmp_path / "root").exists()


def test_running_program_can_be_replaced(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    with open("/bin/sleep", "rb") as handle:
        binary = handle.read()
    store.obey(orders_for(tmp_path, old.order()))
    active = tmp_path / "root/current/hello/libexec" / old.programs["hello"].path
    active.write_bytes(binary)
    running = subprocess.Popen([str(tmp_path / "bin/hello"), "30"])
    try:
        store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
        assert run(tmp_path) == "hello 2.0"
        assert running.poll() is None
    finally:
        running.kill()
        running.wait()


class _Fake:
    tool = "hello"
    tree = "1.0-0"
    version = "1.0"
    sha256 = "0" * 64
    asset = None
    programs = {}


_FAKE = _Fake()
