# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs get exactly the capabilities that were ordered, and only those of the active version."""

import os
import subprocess

import pytest
from ansible_collections.pinned.release.plugins.module_utils import capabilities, store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released, orders_for
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import MALLORY, as_user, only_root

LOCK, BIND = "cap_ipc_lock=ep", "cap_net_bind_service=ep"
pytestmark = only_root


class Place:
    """A host's root below a folder, and releases of one tool to install there."""

    def __init__(self, folder):
        self.folder = folder

    def install(self, version="1.0", expects=None, reuse=None, ordered=None, **changes):
        released = Released(self.folder, version=version, programs=("hello", "wave"))
        order = released.order(expects=expects, reuse=reuse, capabilities=ordered or {}, **changes)
        receipt = dict(order.receipt, **({"capabilities": ordered} if ordered else {}))
        store.obey(orders_for(self.folder, order._replace(receipt=receipt)))
        return released.tree

    def program(self, tree, name="hello"):
        return os.path.realpath(os.path.join(str(self.folder), "root/store/hello", tree, "bin", name))

    def has(self, tree, name="hello"):
        path = self.program(tree, name)
        if "security.capability" not in os.listxattr(path):
            return None
        return capabilities.as_text(capabilities.from_bytes(os.getxattr(path, "security.capability")))


@pytest.fixture(name="place")
def _place(tmp_path):
    return Place(tmp_path)


def test_a_program_has_what_was_ordered_and_no_other_program_has(place):
    tree = place.install(ordered={"hello": LOCK})
    assert place.has(tree) == LOCK
    assert place.has(tree, "wave") is None


def test_the_check_sees_the_program_as_it_will_be(place):
    seen = os.path.join(str(place.folder), "seen")
    command = 'getcap "$(readlink -f "$(command -v hello)")" >{0}'.format(seen)
    place.install(ordered={"hello": LOCK}, check=["sh", "-c", command])
    with open(seen) as file:
        assert "cap_ipc_lock" in file.read()


def test_an_upgrade_has_them_and_the_old_version_has_them_no_more(place):
    old = place.install(ordered={"hello": LOCK})
    new = place.install("2.0", expects=old, ordered={"hello": LOCK})
    assert (place.has(old), place.has(new)) == (None, LOCK)


def test_a_version_that_is_gone_back_to_gets_what_is_ordered_now(place):
    old = place.install(ordered={"hello": LOCK})
    new = place.install("2.0", expects=old)
    again = place.install(expects=new, reuse=old, ordered={"wave": BIND})
    assert (place.has(again), place.has(again, "wave")) == (None, BIND)


@pytest.mark.parametrize("ordered", [{}, {"hello": BIND}])
def test_what_was_not_ordered_is_taken_away(place, ordered):
    tree = place.install()
    os.setxattr(place.program(tree), "security.capability", capabilities.to_bytes(capabilities.parse("cap_setuid=ep")))
    place.install(expects=tree, reuse=tree, ordered=ordered)
    assert place.has(tree) == ordered.get("hello")


def test_a_group_that_is_given_takes_nothing_away(place):
    tree = place.install(ordered={"hello": LOCK})
    released = Released(place.folder, programs=("hello", "wave"))
    order = released.order(expects=tree, reuse=tree, capabilities={"hello": LOCK})
    store.obey(orders_for(place.folder, order, group="24100", mode=0o750))
    assert place.has(tree) == LOCK


def test_a_hard_link_that_somebody_kept_has_nothing_once_the_version_is_deleted(place):
    old = place.install(ordered={"hello": LOCK})
    kept = os.path.join(str(place.folder), "kept")
    os.link(place.program(old), kept)
    place.install("2.0", expects=old, prune=[old])
    assert "security.capability" not in os.listxattr(kept)


def test_a_pipe_in_place_of_an_old_receipt_makes_nobody_wait(place):
    old = place.install(ordered={"hello": LOCK})
    receipt = os.path.join(str(place.folder), "root/store/hello", old, "receipt.json")
    os.unlink(receipt)
    os.mkfifo(receipt)
    place.install("2.0", expects=old)
    assert place.has(old) is None


def test_no_link_in_an_old_version_leads_a_withdrawal_elsewhere(place):
    old = place.install(ordered={"hello": LOCK})
    other = os.path.join(str(place.folder), "other")
    with open(other, "w"):
        pass
    os.setxattr(other, "security.capability", capabilities.to_bytes(capabilities.parse(LOCK)))
    program = place.program(old)
    os.unlink(program)
    os.symlink(other, program)
    place.install("2.0", expects=old)
    assert "security.capability" in os.listxattr(other)


def give_to_mallory(place):
    os.chown(str(place.folder), MALLORY, MALLORY)
    folder = str(place.folder)
    while len(folder) > 1:
        os.chmod(folder, os.stat(folder).st_mode | 0o055)
        folder = os.path.dirname(folder)


def test_who_may_not_set_them_is_told_and_nothing_is_installed(place):
    give_to_mallory(place)
    with pytest.raises(ReleaseError, match="capabilities cannot be set below") as refused:
        as_user(MALLORY, lambda: place.install(ordered={"hello": LOCK}))
    assert "without CAP_SETFCAP" in str(refused.value)
    assert os.listdir(os.path.join(str(place.folder), "root/current")) == []


def test_the_owner_can_take_away_what_root_set(place):
    give_to_mallory(place)
    tree = as_user(MALLORY, place.install)
    subprocess.check_call(["setcap", "cap_setuid+ep", place.program(tree)])
    as_user(MALLORY, lambda: place.install(expects=tree, reuse=tree))
    assert place.has(tree) is None


@pytest.mark.parametrize(
    ("kind", "options", "found"), [("tmpfs", "nosuid", "mounted nosuid"), ("ramfs", "rw", "keeps no")]
)
def test_a_file_system_where_they_count_for_nothing_is_told(tmp_path, kind, options, found):
    if subprocess.call(["mount", "-t", kind, "-o", options, kind, str(tmp_path)]):
        pytest.skip("a file system of this kind cannot be mounted here")
    try:
        os.chmod(str(tmp_path), 0o755)
        with pytest.raises(ReleaseError, match="capabilities cannot be set below") as refused:
            Place(tmp_path).install(ordered={"hello": LOCK})
        assert found in refused.value.found
    finally:
        subprocess.check_call(["umount", str(tmp_path)])
