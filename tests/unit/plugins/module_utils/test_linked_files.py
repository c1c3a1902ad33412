# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a tool that are no programs: linked beside bin_dir, switched with the programs, gone with the tool."""

import os
import stat
import subprocess

import pytest
from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError, StaleError
from ansible_collections.pinned.release.plugins.module_utils.names import FILE, is_link, nested
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import (
    FINGERPRINT,
    Released,
    orders_for,
)
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import MALLORY, only_root

MAN = "share/man/man1/hello.1"
COMPLETION = "share/zsh/site-functions/_hello"


def version(folder, number="1.0", linked=(MAN, COMPLETION)):
    """A version whose files say which version they are of, each at a place that has the version in it."""
    files = {path: "{0} {1}\n".format(os.path.basename(path), number).encode() for path in (MAN, COMPLETION)}
    return Released(folder, version=number, files=files, linked={path: path for path in linked})


def order_away(released):
    return released.order(
        expects=released.tree, tree=None, tree_sha256=None, asset=None, programs={}, files={}, receipt={}
    )._replace(unlink=["hello", MAN, COMPLETION], prune=[released.tree])


def test_files_are_linked_below_the_folder_that_bin_dir_lies_in(tmp_path):
    store.obey(orders_for(tmp_path, version(tmp_path).order()))
    assert (tmp_path / MAN).read_text() == "hello.1 1.0\n"
    assert (tmp_path / COMPLETION).read_text() == "_hello 1.0\n"
    assert os.readlink(str(tmp_path / MAN)) == "../../../root/current/hello/files/" + MAN
    assert stat.S_IMODE(os.stat(str(tmp_path / "share/man")).st_mode) == 0o755


def test_path_of_all_its_files_outlives_an_upgrade(tmp_path):
    for number in ("1.0", "2.0"):
        released = version(tmp_path, number)
        store.obey(orders_for(tmp_path, released.order(expects=None if number == "1.0" else version(tmp_path).tree)))
        assert (tmp_path / "root/current/hello/tree" / MAN).read_text() == "hello.1 {0}\n".format(number)


def test_files_switch_with_the_programs_by_one_rename(tmp_path, monkeypatch):
    old, new = version(tmp_path), version(tmp_path, "2.0")
    store.obey(orders_for(tmp_path, old.order()))
    seen = set()
    rename = os.rename

    def look():
        said = subprocess.check_output([str(tmp_path / "bin/hello")], universal_newlines=True).split()[1]
        return said, (tmp_path / MAN).read_text().split()[1], (tmp_path / COMPLETION).read_text().split()[1]

    def watching(source, destination):
        seen.add(look())
        rename(source, destination)
        seen.add(look())

    monkeypatch.setattr(os, "rename", watching)
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    assert seen == {("1.0", "1.0", "1.0"), ("2.0", "2.0", "2.0")}


def test_file_that_is_no_longer_asked_for_goes_and_its_folder_too(tmp_path):
    old, new = version(tmp_path), version(tmp_path, "2.0", linked=[MAN])
    store.obey(orders_for(tmp_path, old.order()))
    store.obey(orders_for(tmp_path, new.order(expects=old.tree, unlink=[COMPLETION])))
    assert not os.path.lexists(str(tmp_path / "share/zsh"))
    assert (tmp_path / MAN).read_text() == "hello.1 2.0\n"


def test_removed_tool_leaves_nothing_but_what_was_there_before(tmp_path):
    (tmp_path / "share/man").mkdir(parents=True)
    released = version(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    store.obey(orders_for(tmp_path, order_away(released)))
    assert os.listdir(str(tmp_path / "share")) == ["man"]
    assert os.listdir(str(tmp_path / "share/man")) == []
    assert os.listdir(str(tmp_path / "bin")) == []


def test_folder_in_which_others_put_something_stays(tmp_path):
    released = version(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    (tmp_path / "share/man/man1/other.1").write_text("theirs")
    store.obey(orders_for(tmp_path, order_away(released)))
    assert os.listdir(str(tmp_path / "share/man/man1")) == ["other.1"]


def test_removal_leaves_the_file_that_somebody_put_in_the_place_of_a_link(tmp_path):
    released = version(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    (tmp_path / MAN).unlink()
    (tmp_path / MAN).write_text("theirs")
    store.obey(orders_for(tmp_path, order_away(released)))
    assert (tmp_path / MAN).read_text() == "theirs"


def test_foreign_file_is_refused_before_anything_changes(tmp_path):
    (tmp_path / MAN).parent.mkdir(parents=True)
    (tmp_path / MAN).write_text("mine")
    with pytest.raises(StaleError, match="in the way of hello's file " + MAN):
        store.obey(orders_for(tmp_path, version(tmp_path).order()))
    assert (tmp_path / MAN).read_text() == "mine"
    assert os.listdir(str(tmp_path / "root/store")) == []


def test_adopted_file_is_kept_as_a_backup(tmp_path):
    (tmp_path / MAN).parent.mkdir(parents=True)
    (tmp_path / MAN).write_text("mine")
    done = store.obey(orders_for(tmp_path, version(tmp_path).order(adopt=[MAN])))
    assert (tmp_path / MAN).read_text() == "hello.1 1.0\n"
    with open(done[0].backups[str(tmp_path / MAN)]) as backup:
        assert backup.read() == "mine"


@only_root
@pytest.mark.parametrize("spoil", [lambda path: os.chown(path, MALLORY, 0), lambda path: os.chmod(path, 0o777)])
@pytest.mark.parametrize("folder", ["share", "share/man", "share/man/man1"])
def test_folder_that_others_can_change_is_refused_before_anything_is_done(tmp_path, spoil, folder):
    (tmp_path / MAN).parent.mkdir(parents=True)
    spoil(str(tmp_path / folder))
    with pytest.raises(ReleaseError, match="so nothing below it can be trusted"):
        store.obey(orders_for(tmp_path, version(tmp_path).order()))
    assert not (tmp_path / "bin/hello").exists()
    assert os.listdir(str(tmp_path / "root/store")) == []


@only_root
def test_nothing_is_deleted_over_a_link_of_somebody_else(tmp_path):
    released = version(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    os.rename(str(tmp_path / "share"), str(tmp_path / "elsewhere"))
    os.symlink("elsewhere", str(tmp_path / "share"))
    os.lchown(str(tmp_path / "share"), MALLORY, MALLORY)
    with pytest.raises(ReleaseError, match="belongs to the user"):
        store.obey(orders_for(tmp_path, order_away(released)))
    assert os.path.islink(str(tmp_path / "elsewhere/man/man1/hello.1"))


def test_folder_may_be_reached_over_a_link_of_ours(tmp_path):
    (tmp_path / "usr/share").mkdir(parents=True)
    os.symlink("usr/share", str(tmp_path / "share"))
    store.obey(orders_for(tmp_path, version(tmp_path).order()))
    assert (tmp_path / "usr" / MAN).read_text() == "hello.1 1.0\n"


def look(folder):
    active = "hello/" + os.path.basename(os.readlink(str(folder / "root/current/hello")))
    arguments = ["/bin/sh", "-c", FINGERPRINT, "seal", str(folder / "root"), str(folder / "bin"), active]
    return sorted(subprocess.check_output(arguments, universal_newlines=True).splitlines())


def sealed(folder):
    head, *lines = (folder / "root/asked/wanted").read_text().splitlines()
    return sorted(lines[: int(head.split()[1])])


@pytest.mark.parametrize(
    "change",
    [
        os.unlink,
        lambda path: os.rename(path, path + "x") or os.symlink(os.readlink(path + "x"), path),
        lambda path: os.unlink(path) or os.symlink("/etc/passwd", path),
    ],
)
def test_seal_speaks_of_the_links_too(tmp_path, change):
    store.obey(orders_for(tmp_path, version(tmp_path).order(), asked=["hello"], sealed=["hello"]))
    assert look(tmp_path) == sealed(tmp_path)
    change(str(tmp_path / MAN))
    assert look(tmp_path) != sealed(tmp_path)


@pytest.mark.parametrize(
    "path",
    [MAN, COMPLETION, "lib/systemd/system/hello@.service", "share/a", "etc/bash_completion.d/rg"],
)
def test_paths_that_files_are_linked_at(path):
    assert FILE.match(path)
    assert is_link(path)


@pytest.mark.parametrize(
    "path",
    [
        "hello.1",
        "/etc/passwd",
        "../hello",
        "share/../hello",
        "share//hello",
        "share/./hello",
        "share/",
        "share/.hidden",
        ".ssh/rc",
        "share/-rf",
        "share/a b",
        "share/a\n",
        "share/a\nb/c",
        "share/a\\b",
        "share/é",
        "bin/hello",
        "share/" + "a" * 250,
        "a/" * 16 + "b",
        "",
    ],
)
def test_paths_that_no_file_is_linked_at(path):
    assert not FILE.match(path)


def test_file_in_the_place_of_a_folder_is_found():
    assert nested(["share/man", "share/man/rg.1"]) == "share/man"
    assert nested(["share/man", "share/mann/rg.1"]) is None
