# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How orders are carried out: real archives, real links, real programs started."""

import errno
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import threading
import time

import pytest
from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError, StaleError
from ansible_collections.pinned.release.plugins.module_utils.orders import (
    Download,
    Program,
    ToolOrder,
)
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import walked
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released, orders_for
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import ALICE, MALLORY, as_user, only_root

NOBODY = pwd.getpwnam("nobody")


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


@pytest.fixture(name="shared")
def _shared():
    """A folder that all users reach."""
    folder = tempfile.mkdtemp(dir="/tmp")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


def trees(folder, tool="hello"):
    return sorted(os.listdir(os.path.join(str(folder), "root", "store", tool)))


def test_installed_program_runs_through_its_link(tmp_path):
    done = store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert run(tmp_path) == "hello 1.0"
    assert done[0].bytes_fetched == os.path.getsize(str(tmp_path / "hello-1.0.tar.gz"))


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
    assert done[0].bytes_fetched == 0


def test_kept_version_that_was_changed_is_not_activated(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    (tmp_path / "root/store/hello" / old.tree / "libexec" / old.programs["hello"].path).write_text(
        "#!/bin/sh\necho evil\n"
    )
    with pytest.raises(StaleError, match="no longer whole"):
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


def test_tree_that_is_not_the_locked_one_is_refused(tmp_path):
    with pytest.raises(ReleaseError, match="what was unpacked is not the tree that was locked"):
        store.obey(orders_for(tmp_path, Released(tmp_path).order(tree_sha256="0" * 64)))
    assert not os.path.lexists(str(tmp_path / "bin/hello"))
    assert os.listdir(str(tmp_path / "root/store")) == []


@pytest.mark.parametrize("name", ["hello", "renamed"])
def test_bare_program_lies_where_it_was_locked_whatever_its_link_is_called(tmp_path, name):
    content = b"#!/bin/sh\necho bare\n"
    (tmp_path / "asset").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    lines = [
        "41ed bin",
        "41ed libexec",
        "81ed libexec/hello",
        "a1ff bin/" + name,
        "a1ff tree",
        "tree -> libexec",
        sha256 + "  libexec/hello",
        "bin/{0} -> ../libexec/hello".format(name),
    ]
    order = ToolOrder(
        tool="hello",
        tree="1.0-" + sha256[:12],
        tree_sha256=hashlib.sha256("".join(line + "\n" for line in sorted(lines)).encode()).hexdigest(),
        asset=Download("asset", ["file://{0}/asset".format(tmp_path)], len(content), sha256, "bare", len(content)),
        programs={name: Program("hello", sha256, len(content))},
    )
    store.obey(orders_for(tmp_path, order))
    assert run(tmp_path, name) == "bare"


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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_below_bin_dir_is_not_told_to_be_that_of_root(tmp_path, number):
    orders = orders_for(tmp_path, Released(tmp_path).order())
    with pytest.raises(ReleaseError) as failure, store._changes_reported(orders):
        raise OSError(number, "no room", str(tmp_path / "bin/.hello"))
    assert failure.value.fix.endswith("choose another root or bin_dir")


def test_orders_planned_before_another_run_are_stale(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    with pytest.raises(StaleError, match="changed on the host"):
        store.obey(orders_for(tmp_path, new.order(expects=None)))


def test_second_run_waits_for_the_first(tmp_path):
    released = Released(tmp_path)
    slow = orders_for(tmp_path, released.order(check=["sleep", "1"]))
    first = threading.Thread(target=store.obey, args=(slow,))
    first.start()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not list(tmp_path.glob("root/staging/*")):
        time.sleep(0.01)
    with pytest.raises(StaleError):
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


@pytest.mark.parametrize("name", [".", "staging", "store", "current", "store/hello"])
def test_root_that_everyone_may_write_is_refused_and_nothing_changes(tmp_path, name):
    (tmp_path / "root" / name).mkdir(parents=True)
    (tmp_path / "root" / name).chmod(0o777)
    before = everything_below(tmp_path / "root")
    with pytest.raises(ReleaseError, match="can be written by everyone, so nothing below it can be trusted"):
        store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert everything_below(tmp_path / "root") == before
    assert not (tmp_path / "bin").exists()


@only_root
@pytest.mark.parametrize("story", ["install", "remove", "prune"])
def test_root_in_a_folder_of_another_user_is_refused_and_nothing_is_deleted(tmp_path, story):
    released = Released(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    store.obey(orders_for(home, released.order()))
    os.chown(str(home), MALLORY, MALLORY)
    before = everything_below(home)
    order = {
        "install": Released(tmp_path, version="2.0").order(expects=released.tree),
        "remove": ToolOrder("hello", expects=released.tree, unlink=["hello"], prune=[released.tree]),
        "prune": released.order(expects=released.tree, prune=["2.0-000000000000"]),
    }[story]
    with pytest.raises(ReleaseError, match="/home belongs to the user 24002"):
        store.obey(orders_for(home, order))
    assert everything_below(home) == before


@only_root
def test_bin_dir_in_which_others_may_exchange_links_is_refused(tmp_path):
    (tmp_path / "bin").mkdir()
    os.chown(str(tmp_path / "bin"), MALLORY, MALLORY)
    with pytest.raises(ReleaseError, match="/bin belongs to the user 24002") as failure:
        store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert failure.value.fix.endswith("choose another bin_dir")
    assert os.listdir(str(tmp_path / "bin")) == []
    assert not (tmp_path / "root").exists()


def test_root_over_a_link_of_ours_is_used_and_links_say_what_was_ordered(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").symlink_to("disk")
    (tmp_path / "programs").mkdir()
    (tmp_path / "bin").symlink_to("programs")
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    assert run(tmp_path) == "hello 1.0"
    assert os.readlink(str(tmp_path / "programs/hello")) == str(tmp_path / "root/current/hello/bin/hello")
    order = ToolOrder("hello", expects=released.tree, unlink=["hello"], prune=[released.tree])
    store.obey(orders_for(tmp_path, order))
    assert os.listdir(str(tmp_path / "programs")) == []


@pytest.fixture(name="layers")
def _layers(tmp_path):
    """Return what makes a folder the lower layer of an overlay file system, as in an image or with CVMFS."""
    mounted = []

    def mount(*words):
        if os.geteuid() != 0 or subprocess.call(["mount", *words], stderr=subprocess.DEVNULL) != 0:
            pytest.skip("mounting an overlay file system needs root")
        mounted.append(words[-1])

    def overlay(folder):
        above = tmp_path / "above"
        above.mkdir()
        mount("-t", "tmpfs", "above", str(above))
        (above / "upper").mkdir()
        (above / "work").mkdir()
        layers = "lowerdir={0},upperdir={1}/upper,workdir={1}/work".format(folder, above)
        mount("-t", "overlay", "layers", "-o", layers, str(folder))

    yield overlay
    for folder in reversed(mounted):
        subprocess.check_call(["umount", folder])


def test_version_in_the_layer_below_is_pruned_as_well(tmp_path, layers):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    layers(tmp_path / "root")
    store.obey(orders_for(tmp_path, new.order(expects=old.tree, prune=[old.tree])))
    assert trees(tmp_path) == [new.tree]
    assert run(tmp_path) == "hello 2.0"


def test_file_server_that_locks_no_files_is_told_of(tmp_path, monkeypatch):
    def refuse(_descriptor, _how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(ReleaseError) as raised:
        store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert raised.value.what == "cannot change {0}: No locks available".format(tmp_path / "root")
    assert "rpc.statd" in (raised.value.fix or "")


@pytest.mark.parametrize("kind", ["link", "file", "fifo"])
def test_pruned_tree_that_is_something_else_is_deleted_and_what_it_leads_to_stays(tmp_path, kind):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, new.order()))
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("mine")
    doomed = tmp_path / "root/store/hello" / old.tree
    make = {
        "link": lambda: doomed.symlink_to(tmp_path / "precious"),
        "file": lambda: doomed.write_text(""),
        "fifo": lambda: os.mkfifo(str(doomed)),
    }
    make[kind]()
    store.obey(orders_for(tmp_path, new.order(expects=new.tree, reuse=new.tree, prune=[old.tree])))
    assert trees(tmp_path) == [new.tree]
    assert (tmp_path / "precious/file").read_text() == "mine"


@only_root
def test_tree_of_another_user_is_pruned_without_a_look_at_what_its_links_lead_to(tmp_path):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("mine")
    tree = tmp_path / "root/store/hello" / old.tree
    (tree / "libexec/link").symlink_to(tmp_path / "precious")
    os.chown(str(tree), MALLORY, MALLORY)
    store.obey(orders_for(tmp_path, new.order(expects=new.tree, reuse=new.tree, prune=[old.tree])))
    assert trees(tmp_path) == [new.tree]
    assert (tmp_path / "precious/file").read_text() == "mine"


@pytest.mark.parametrize("change", ["link", "mode", "added", "listing"])
def test_kept_tree_that_changed_in_any_way_is_not_reused_and_its_check_not_started(tmp_path, change):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    tree = tmp_path / "root/current/hello"
    program = tree / "libexec" / released.programs["hello"].path
    if change == "link":
        # The right bytes, in a file that somebody else may have.
        program.rename(tmp_path / "hello")
        program.symlink_to(tmp_path / "hello")
    elif change == "mode":
        program.chmod(0o777)
    else:
        (tree / {"added": "libexec/libevil.so", "listing": "listing"}[change]).write_text("x")
    check = ["sh", "-c", "touch {0}/started".format(tmp_path)]
    order = released.order(expects=released.tree, reuse=released.tree, check=check)
    with pytest.raises(StaleError, match="no longer whole"):
        store.obey(orders_for(tmp_path, order))
    assert not (tmp_path / "started").exists()


def test_kept_tree_gets_the_mode_that_is_asked_for_now(tmp_path):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order(), mode=0o700))
    store.obey(orders_for(tmp_path, released.order(expects=released.tree, reuse=released.tree), mode=0o755))
    assert stat.S_IMODE(os.stat(str(tmp_path / "bin/hello")).st_mode) == 0o755


def test_receipt_larger_than_any_real_one_is_not_written(tmp_path):
    with pytest.raises(ReleaseError, match="hello: its receipt is larger than any real one") as failure:
        store.obey(orders_for(tmp_path, Released(tmp_path).order(receipt={"reason": "x" * 65536})))
    assert failure.value.expected == "at most 65536 bytes"
    assert not os.path.lexists(str(tmp_path / "bin/hello"))


def test_receipt_is_one_line_of_ascii(tmp_path):
    store.obey(orders_for(tmp_path, Released(tmp_path).order(receipt={"reason": "ü\n\u2028"})))
    content = (tmp_path / "root/current/hello/receipt.json").read_bytes()
    assert content.count(b"\n") == 1
    assert content.endswith(b"}\n")
    assert max(content) < 128
    assert stat.S_IMODE(os.lstat(str(tmp_path / "root/current/hello/receipt.json")).st_mode) == 0o644


@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_receipt_that_is_no_file_is_neither_opened_nor_followed(tmp_path, kind):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    receipt = tmp_path / "root/current/hello/receipt.json"
    receipt.unlink()
    (tmp_path / "victim").write_text("mine")
    os.mkfifo(str(receipt)) if kind == "fifo" else receipt.symlink_to(tmp_path / "victim")
    with pytest.raises(StaleError, match="no longer whole"):
        store.obey(orders_for(tmp_path, released.order(expects=released.tree, reuse=released.tree)))
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not installed: apt-get install acl")
def test_tree_has_no_access_control_list_whatever_the_folders_above_hand_down(tmp_path):
    subprocess.check_call(["setfacl", "-d", "-m", "u:24002:rwx", str(tmp_path)])
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    store.obey(orders_for(tmp_path, released.order(expects=released.tree, reuse=released.tree)))
    assert run(tmp_path) == "hello 1.0"


def test_set_group_id_bit_of_the_folders_above_is_not_handed_down(tmp_path):
    tmp_path.chmod(0o2755)
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    assert walked.digest(tmp_path / "root/current/hello") == released.tree_sha256


def test_programs_get_the_mode_that_was_asked_for(tmp_path):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order(), mode=0o700))
    installed = os.stat(str(tmp_path / "bin/hello"))
    assert stat.S_IMODE(installed.st_mode) == 0o700


@only_root
@pytest.mark.parametrize(("options", "gid"), [({"owner": "nobody"}, NOBODY.pw_gid), ({"group": "24100"}, 24100)])
def test_tree_is_of_who_runs_and_of_the_group_of_whom_it_is_for(tmp_path, options, gid):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order(), mode=0o750, **options))
    tree = tmp_path / "root/current/hello"
    installed = [os.lstat(str(path)) for path in [tree.resolve(), *tree.resolve().glob("**/*")]]
    assert len(installed) == 11
    assert {(found.st_uid, found.st_gid) for found in installed} == {(0, gid)}
    assert stat.S_IMODE(os.stat(str(tmp_path / "bin/hello")).st_mode) == 0o750


@only_root
def test_kept_tree_gets_the_group_that_is_asked_for_now(tmp_path):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    order = released.order(expects=released.tree, reuse=released.tree)
    store.obey(orders_for(tmp_path, order, group="24100"))
    tree = tmp_path / "root/current/hello"
    installed = {os.lstat(str(path)).st_gid for path in [tree.resolve(), *tree.resolve().glob("**/*")]}
    assert installed == {24100}


@only_root
def test_check_of_a_tree_for_an_account_runs_as_that_account(shared):
    check = ["sh", "-c", 'test "$(id -u)" = {0} && test "$(hello)" = "hello 1.0"'.format(NOBODY.pw_uid)]
    released = Released(shared)
    store.obey(orders_for(shared, released.order(check=check), owner="nobody", mode=0o750))
    order = released.order(expects=released.tree, reuse=released.tree, check=check)
    store.obey(orders_for(shared, order, owner="nobody", mode=0o750))


def home_of_alice(folder):
    home = os.path.join(folder, "alice")
    os.mkdir(home)
    os.chown(home, ALICE, ALICE)
    return home


@only_root
def test_user_installs_without_any_right_of_roots_in_a_home_of_their_own(shared):
    released, home = Released(shared), home_of_alice(shared)
    as_user(ALICE, lambda: store.obey(orders_for(home, released.order(check=["hello"]))))
    order = released.order(expects=released.tree, reuse=released.tree)
    as_user(ALICE, lambda: store.obey(orders_for(home, order)))
    assert run(home) == "hello 1.0"
    assert os.stat(os.path.join(home, "bin/hello")).st_uid == ALICE
    with pytest.raises(ReleaseError, match="/alice belongs to the user 24001"):
        store.obey(orders_for(home, order))


@only_root
def test_group_that_the_user_who_runs_is_not_in_is_an_error_that_says_so(shared):
    released, home = Released(shared), home_of_alice(shared)
    with pytest.raises(ReleaseError, match="the user 24001 may not give files to the group 0"):
        as_user(ALICE, lambda: store.obey(orders_for(home, released.order(), group="0")))
    assert os.listdir(os.path.join(home, "root/store")) == []


@only_root
def test_what_a_user_left_in_a_root_that_was_given_to_root_is_not_believed(tmp_path):
    """chown without -R: the folders are root's now, the tree is still the user's."""
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    for path in [tmp_path / "root/current/hello/libexec", tmp_path / "root/current/hello/libexec/hello-1.0"]:
        os.chown(str(path), MALLORY, MALLORY)
    with pytest.raises(StaleError, match="no longer whole") as failure:
        store.obey(orders_for(tmp_path, released.order(expects=released.tree, reuse=released.tree)))
    assert failure.value.found == "libexec belongs to the user 24002"


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
