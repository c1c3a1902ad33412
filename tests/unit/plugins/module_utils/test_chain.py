# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which folders are trusted: real folders of real users, looked at by root and by others."""

import os
import shutil
import stat
import subprocess
import tempfile

import pytest
from ansible_collections.pinned.release.plugins.module_utils import chain
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import ALICE, MALLORY, as_user, only_root

ROOT = 0
STAFF, HARMLESS, UNKNOWN = 24100, 24101, 24102
GROUPS = "root:x:0:\nstaff:x:24100:root,mallory\nupg:x:24101:\nprimary:x:24103:\nown:x:24104:root,{me}\n"
ACCOUNTS = (
    "root:x:0:0:root:/root:/bin/sh\nmallory:x:24002:24103:M:/home/mallory:/bin/sh\n{me}:x:{uid}:24101::/:/bin/sh\n"
)

pytestmark = only_root


@pytest.fixture(name="top")
def _top(monkeypatch):
    """A folder that all users reach, in a chain of root's; the accounts of this machine are those above."""
    top = tempfile.mkdtemp(dir="/tmp")
    os.chmod(top, 0o755)
    write(top, "group", GROUPS.format(me="me"))
    write(top, "passwd", ACCOUNTS.format(me="me", uid=ROOT))
    monkeypatch.setattr(chain, "GROUPS", os.path.join(top, "group"))
    monkeypatch.setattr(chain, "ACCOUNTS", os.path.join(top, "passwd"))
    os.umask(0o022)
    yield top
    shutil.rmtree(top)


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)


def make(top, *folders):
    """Make folders below *top*: (path, mode, uid, gid), the last two root's by default."""
    for path, mode, *owner in folders:
        folder = os.path.join(top, path)
        os.mkdir(folder)
        uid, gid = (owner + [ROOT, ROOT][len(owner) :])[:2]
        os.chown(folder, uid, gid)
        os.chmod(folder, mode)


def established(top, path="a/b"):
    return chain.established(os.path.join(top, path), "root")


def refused(top, uid=ROOT, path="a/b"):
    before = sorted(os.walk(top))
    with pytest.raises(ReleaseError) as failure:
        as_user(uid, lambda: established(top, path))
    assert sorted(os.walk(top)) == before, "something was made"
    assert failure.value.fix
    return failure.value


GOOD = {
    "root's": (ROOT, [("a", 0o755), ("a/b", 0o755)]),
    "private ones": (ROOT, [("a", 0o700), ("a/b", 0o700)]),
    "root's, for another user": (ALICE, [("a", 0o755), ("a/b", 0o755)]),
    "one's own below root's": (ALICE, [("a", 0o755), ("a/b", 0o700, ALICE)]),
    "root's below one's own": (ALICE, [("a", 0o755, ALICE), ("a/b", 0o755)]),
    "below a sticky one": (ROOT, [("a", 0o1777), ("a/b", 0o755)]),
    "one's own below a sticky one": (ALICE, [("a", 0o1777), ("a/b", 0o755, ALICE)]),
    "below a sticky one of a group": (ROOT, [("a", 0o1775, ROOT, STAFF), ("a/b", 0o755)]),
    "below a sticky one that is one's own": (ALICE, [("a", 0o1777, ALICE), ("a/b", 0o755)]),
    "of a group without members": (ROOT, [("a", 0o775, ROOT, HARMLESS), ("a/b", 0o2775, ROOT, HARMLESS)]),
    "of root's group": (ROOT, [("a", 0o775), ("a/b", 0o755)]),
    "set-group-id": (ROOT, [("a", 0o2755, ROOT, STAFF), ("a/b", 0o2755, ROOT, STAFF)]),
}


@pytest.mark.parametrize("case", sorted(GOOD))
def test_folders_that_nobody_else_can_change_are_taken(top, case):
    uid, folders = GOOD[case]
    make(top, *folders)
    assert as_user(uid, lambda: established(top)) == (top + "/a/b", None)


BAD = {
    "another user's": (ROOT, [("a", 0o755), ("a/b", 0o755, MALLORY)], "/a/b belongs to the user 24002"),
    "below another user's": (ROOT, [("a", 0o755, MALLORY), ("a/b", 0o755)], "/a belongs to the user 24002"),
    "another's, for a user": (ALICE, [("a", 0o755), ("a/b", 0o755, MALLORY)], "/a/b belongs to the user 24002"),
    "for everyone": (ROOT, [("a", 0o755), ("a/b", 0o777)], "/a/b can be written by everyone"),
    "writable, though not readable": (ROOT, [("a", 0o755), ("a/b", 0o703)], "/a/b can be written by everyone"),
    "below one for everyone": (ROOT, [("a", 0o777), ("a/b", 0o755)], "/a can be written by everyone"),
    "sticky itself": (ROOT, [("a", 0o755), ("a/b", 0o1777)], "/a/b can be written by everyone"),
    "sticky itself, of a group": (ROOT, [("a", 0o755), ("a/b", 0o1775, ROOT, STAFF)], "/a/b can be written by group"),
    "another's below a sticky one": (ROOT, [("a", 0o1777), ("a/b", 0o755, MALLORY)], "/a/b belongs to the user"),
    "below another's sticky one": (ROOT, [("a", 0o1777, MALLORY), ("a/b", 0o755)], "/a belongs to the user 24002"),
    "of a group with members": (
        ROOT,
        [("a", 0o755), ("a/b", 0o775, ROOT, STAFF)],
        "/a/b can be written by group 24100",
    ),
    "below that of a group": (ROOT, [("a", 0o775, ROOT, STAFF), ("a/b", 0o755)], "/a can be written by group 24100"),
    "of an unknown group": (ROOT, [("a", 0o755), ("a/b", 0o775, ROOT, UNKNOWN)], "written by group 24102"),
    "of another's own group": (ROOT, [("a", 0o755), ("a/b", 0o775, ROOT, 24103)], "written by group 24103"),
    "one's own, of a group": (ALICE, [("a", 0o755, ALICE), ("a/b", 0o775, ALICE, STAFF)], "written by group 24100"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_folder_that_somebody_else_can_change_is_refused(top, case):
    uid, folders, what = BAD[case]
    make(top, *folders)
    assert what in refused(top, uid).what


@pytest.mark.parametrize("case", sorted(case for case in BAD if "itself" not in case))
def test_what_is_missing_below_such_a_folder_is_not_made(top, case):
    uid, folders, what = BAD[case]
    make(top, *folders)
    assert what in refused(top, uid, "a/b/c/d").what


def test_reason_why_a_group_is_not_harmless_is_told(top):
    make(top, ("a", 0o755), ("a/b", 0o775, ROOT, STAFF))
    assert refused(top).found == "mode 0775; mallory is a member of the group staff"
    os.chown(top + "/a/b", ROOT, 24103)
    assert refused(top).found == "mode 0775; the group primary is that of mallory"
    os.chown(top + "/a/b", ROOT, UNKNOWN)
    assert "is not in" in refused(top).found


def test_group_of_the_user_who_runs_is_harmless_to_that_user_only(top, monkeypatch):
    monkeypatch.setattr(chain, "_user_name", {ALICE: "me", MALLORY: "mallory"}.get)
    write(top, "passwd", ACCOUNTS.format(me="me", uid=ALICE))
    make(top, ("a", 0o775, ROOT, 24104), ("a/b", 0o775, ALICE, HARMLESS))
    assert as_user(ALICE, lambda: established(top)) == (top + "/a/b", None)
    assert "me is a member of the group own" in refused(top, ROOT).found
    make(top, ("c", 0o775, ROOT, HARMLESS))
    assert "is that of me" in refused(top, MALLORY, "c").found


def test_second_name_of_a_group_counts_as_well(top):
    write(top, "group", GROUPS + "wheel:x:24101:mallory\n")
    make(top, ("a", 0o755), ("a/b", 0o775, ROOT, HARMLESS))
    assert "mallory is a member of the group wheel" in refused(top).found


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not installed: apt-get install acl")
def test_access_control_list_lets_a_harmless_group_harm(top):
    make(top, ("a", 0o755), ("a/b", 0o775, ROOT, HARMLESS))
    assert established(top) == (top + "/a/b", None)
    subprocess.check_call(["setfacl", "-m", "u:24002:rwx", top + "/a/b"])
    assert "an access control list" in refused(top).found


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not installed: apt-get install acl")
def test_access_control_list_that_lets_nobody_write_is_no_harm(top):
    make(top, ("a", 0o755), ("a/b", 0o755, ROOT, HARMLESS))
    subprocess.check_call(["setfacl", "-m", "u:24002:r-x", top + "/a/b"])
    assert established(top) == (top + "/a/b", None)


# Links.


def link(top, path, text, uid=ROOT):
    os.symlink(text, os.path.join(top, path))
    os.lchown(os.path.join(top, path), uid, uid)


def test_link_of_ours_is_followed_to_its_physical_place(top):
    make(top, ("real", 0o755), ("real/b", 0o755))
    link(top, "a", "real")
    assert established(top) == (top + "/real/b", None)


def test_links_to_links_up_and_down_are_followed_step_by_step(top):
    make(top, ("x", 0o755), ("x/y", 0o755), ("real", 0o755), ("real/b", 0o755))
    link(top, "x/y/up", "../../over/./")
    link(top, "over", top + "/real//")
    link(top, "a", "x/y/up")
    assert established(top) == (top + "/real/b", None)


def test_root_that_is_a_link_itself_is_followed(top):
    make(top, ("real", 0o755))
    link(top, "a", "real")
    assert established(top, "a") == (top + "/real", None)


@pytest.mark.parametrize("path", ["a", "a/b"])
def test_link_of_another_user_is_refused_wherever_it_leads(top, path):
    make(top, ("real", 0o755), ("real/b", 0o755))
    link(top, "a", "real", MALLORY)
    error = refused(top, path=path)
    assert error.what == "{0}/a belongs to the user 24002, so nothing below it can be trusted".format(top)
    assert error.expected.startswith("a link of root's")


def test_link_of_another_user_in_a_sticky_folder_is_refused(top):
    make(top, ("tmp", 0o1777), ("real", 0o755))
    link(top, "tmp/a", "../real", MALLORY)
    assert "tmp/a belongs to the user 24002" in refused(top, path="tmp/a").what


def test_link_of_ours_into_a_folder_of_another_user_is_refused(top):
    make(top, ("home", 0o755, MALLORY), ("home/b", 0o755))
    link(top, "a", "home")
    assert "/home belongs to the user 24002" in refused(top).what


def test_link_over_a_folder_of_another_user_is_refused_though_it_ends_well(top):
    make(top, ("home", 0o755, MALLORY), ("home/x", 0o755), ("b", 0o755))
    link(top, "home/x/back", "../../b")
    link(top, "a", "home/x/back")
    assert "/home belongs to the user 24002" in refused(top, path="a").what


def test_link_that_everyone_could_exchange_is_refused(top):
    make(top, ("open", 0o777), ("real", 0o755))
    link(top, "open/a", "../real")
    assert "/open can be written by everyone" in refused(top, path="open/a").what


def test_links_without_end_are_refused(top):
    link(top, "a", "b")
    link(top, "b", "a")
    assert "leads to links without end" in refused(top, path="a").what


def test_forty_links_are_followed_and_no_more(top):
    make(top, ("real", 0o755))
    link(top, "1", "real")
    for number in range(2, 42):
        link(top, str(number), str(number - 1))
    assert established(top, "40") == (top + "/real", None)
    assert "leads to links without end" in refused(top, path="41").what


def test_link_to_nothing_is_made_where_it_leads(top):
    link(top, "a", "real/deep")
    assert established(top) == (top + "/real/deep/b", top + "/real")


def test_link_to_nothing_that_leads_up_again_is_refused(top):
    link(top, "a", "nothing/../real")
    assert "leads over a link to a folder that does not exist" in refused(top).what


# What is made.


def test_missing_folders_are_made_for_everyone_to_read_whatever_lies_above(top):
    make(top, ("a", 0o2755, ROOT, STAFF))
    assert established(top, "a/b/c") == (top + "/a/b/c", top + "/a/b")
    assert stat.S_IMODE(os.stat(top + "/a/b/c").st_mode) & 0o777 == 0o755


def test_missing_folder_in_a_sticky_one_is_made(top):
    make(top, ("a", 0o1777))
    assert as_user(ALICE, lambda: established(top, "a/b/c")) == (top + "/a/b/c", top + "/a/b")
    assert os.stat(top + "/a/b/c").st_uid == ALICE


@pytest.mark.parametrize("kind", ["folder", "link", "file"])
def test_folder_that_somebody_made_faster_is_looked_at_before_it_is_used(top, monkeypatch, kind):
    make(top, ("a", 0o1777), ("real", 0o755))
    mkdir = os.mkdir

    def slow(path, mode=0o777):
        if path == top + "/a/b" and not os.path.lexists(path):
            faster = {
                "folder": lambda: mkdir(path),
                "link": lambda: os.symlink(top + "/real", path),
                "file": lambda: open(path, "w").close(),
            }
            as_user(MALLORY, faster[kind])
        mkdir(path, mode)

    monkeypatch.setattr(os, "mkdir", slow)
    with pytest.raises(ReleaseError, match="belongs to the user 24002" if kind == "folder" else "is no folder"):
        established(top, "a/b/c")
    assert not os.path.lexists(top + "/a/b/c")
    assert os.listdir(top + "/real") == []


@pytest.mark.parametrize("path", ["a", "a/b"])
def test_file_in_the_place_of_a_folder_is_refused(top, path):
    write(top, "a", "")
    assert refused(top, path=path).what == "{0}/a is no folder".format(top)


def test_empty_steps_of_a_path_are_no_steps(top):
    make(top, ("a", 0o755), ("a/b", 0o755))
    assert chain.established("/" + top + "//a/./b/", "root") == (top + "/a/b", None)


def test_user_who_may_not_look_is_told_so_by_the_system(top):
    make(top, ("a", 0o700), ("a/b", 0o755))
    with pytest.raises(PermissionError):
        as_user(ALICE, lambda: established(top))
