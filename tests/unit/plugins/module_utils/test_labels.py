# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is labelled, and when. What the real restorecon(8) makes of it, tests/fleet/selinux.yml shows in a real host.

Here a program stands in for it, which writes down what it is told and touches each file and link, as a new label would.
"""

import os
import subprocess

import pytest
from ansible_collections.pinned.release.plugins.module_utils import labels, store
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released, orders_for

RESTORECON = """#!/bin/sh
[ "$1" = -R ] || exit 2
shift
for path; do
    echo "$path while $(readlink {folder}/root/current/hello || echo nothing) is active" >> {folder}/told
    find "$path" -exec touch -h {{}} +
done
exit {status}
"""


class Host:
    """A folder as a host that enforces SELinux."""

    def __init__(self, folder, monkeypatch):
        self.folder = str(folder)
        self.is_on = os.path.join(self.folder, "enforce")
        self.command = os.path.join(self.folder, "restorecon")
        self.write(self.is_on, "1")
        self.answer(0)
        monkeypatch.setattr(labels, "_IS_ON", self.is_on)
        monkeypatch.setattr(labels, "_COMMANDS", ("/nowhere/restorecon", self.command))

    def answer(self, status):
        self.write(self.command, RESTORECON.format(folder=self.folder, status=status))
        os.chmod(self.command, 0o755)

    def write(self, path, text):
        with open(path, "w") as handle:
            handle.write(text)

    def told(self):
        path = os.path.join(self.folder, "told")
        if not os.path.exists(path):
            return []
        with open(path) as handle:
            told = handle.read().splitlines()
        os.unlink(path)
        return [line.replace(self.folder + "/", "") for line in told]


@pytest.fixture(name="host")
def _host(tmp_path, monkeypatch):
    return Host(tmp_path, monkeypatch)


def test_programs_are_labelled_where_they_will_live_before_they_are_switched_to(tmp_path, host):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    host.told()
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    assert host.told() == [
        "root/store/hello/{0} while ../store/hello/{1} is active".format(new.tree, old.tree),
        "root/current/hello while ../store/hello/{0} is active".format(new.tree),
        "bin/hello while ../store/hello/{0} is active".format(new.tree),
    ]


def test_version_that_is_gone_back_to_is_labelled_before_it_is_switched_to(tmp_path, host):
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    store.obey(orders_for(tmp_path, old.order()))
    store.obey(orders_for(tmp_path, new.order(expects=old.tree)))
    host.told()
    store.obey(orders_for(tmp_path, old.order(expects=new.tree, reuse=old.tree)))
    assert host.told()[0] == "root/store/hello/{0} while ../store/hello/{1} is active".format(old.tree, new.tree)


def test_folders_that_were_made_are_labelled_and_no_others(tmp_path, host):
    (tmp_path / "bin").mkdir()
    orders = orders_for(tmp_path, Released(tmp_path).order())
    store.obey(orders._replace(root=str(tmp_path / "new/deep/root")))
    folders = ["new"] + ["new/deep/root/" + name for name in ("staging", "store", "current")]
    assert [line.split()[0] for line in host.told() if "hello while" not in line] == folders


def test_host_is_sealed_after_its_labels_are_set(tmp_path, host):
    released = Released(tmp_path)
    orders = orders_for(tmp_path, released.order(), sealed=["hello"])
    store.obey(orders)
    assert host.told()
    active = "hello/" + released.tree
    seen = subprocess.check_output(["/bin/sh", "-c", orders.fingerprint, "seal", orders.root, orders.bin_dir, active])
    files = [line for line in seen.splitlines(True) if not line.startswith(b"/")]
    assert files
    assert (tmp_path / "root/seals/hello").read_bytes().splitlines(True) == files


def test_tool_that_is_removed_is_not_labelled(tmp_path, host):
    released = Released(tmp_path)
    store.obey(orders_for(tmp_path, released.order()))
    host.told()
    gone = released.order(expects=released.tree, tree=None, asset=None, programs={}, unlink=["hello"])
    store.obey(orders_for(tmp_path, gone._replace(prune=[released.tree])))
    assert host.told() == []


def test_host_without_selinux_is_asked_for_no_labels(tmp_path, host):
    os.unlink(host.is_on)
    store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert host.told() == []


def test_labels_that_cannot_be_set_stop_nothing(tmp_path, host):
    host.answer(1)
    store.obey(orders_for(tmp_path, Released(tmp_path).order()))
    assert host.told()
    assert subprocess.check_output([str(tmp_path / "bin/hello")]) == b"hello 1.0\n"
