# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom programs are for, going by the accounts that every system has."""

import grp
import os
import pwd

import pytest
from ansible_collections.pinned.release.plugins.module_utils.accounts import access
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders, ToolOrder
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import ALICE, as_user, only_root

NOBODY = pwd.getpwnam("nobody")
CHECKED = [ToolOrder("hello", check=["hello"])]


def orders(**changes):
    return Orders("/root", "/bin", "wanted", "", **changes)


def test_without_owner_and_group_nothing_is_given_away():
    assert access(orders(mode=0o700)) == (None, 0o700, None)


def test_owner_gives_the_group_and_runs_the_check():
    found = access(orders(owner="nobody"))
    assert found.gid == NOBODY.pw_gid
    assert (found.account.uid, found.account.gid, found.account.home) == NOBODY[2:4] + NOBODY[5:6]
    assert NOBODY.pw_gid in found.account.groups


def test_number_of_an_owner_is_as_good_as_the_name():
    assert access(orders(owner=str(NOBODY.pw_uid))) == access(orders(owner="nobody"))


def test_group_that_is_asked_for_goes_before_the_owners():
    group = grp.getgrall()[1]
    found = access(orders(owner="nobody", group=group.gr_name))
    assert (found.gid, found.account.uid) == (group.gr_gid, NOBODY.pw_uid)
    assert access(orders(group=str(group.gr_gid))) == (group.gr_gid, 0o755, None)


def test_group_without_a_name_is_taken_by_its_number():
    assert access(orders(group="24100")).gid == 24100


def test_owner_who_runs_needs_no_other_account():
    assert access(orders(owner=str(os.geteuid()), tools=CHECKED)).account is None


@pytest.mark.parametrize(("option", "name"), [("owner", "no-such-name"), ("owner", "24001"), ("group", "no-such-name")])
def test_account_that_is_not_there_is_an_error_that_says_so(option, name):
    with pytest.raises(
        ReleaseError, match="this host has no {0} {1}".format({"owner": "user"}.get(option, option), name)
    ):
        access(orders(**{option: name}))


@pytest.mark.parametrize("name", ["²", "99999999999999999999", ""])
def test_odd_name_is_no_account(name):
    with pytest.raises(ReleaseError, match="this host has no"):
        access(orders(owner=name))
    with pytest.raises(ReleaseError, match="this host has no"):
        access(orders(group=name))


@only_root
def test_only_root_can_run_a_check_as_another_account():
    assert access(orders(owner="nobody", tools=CHECKED)).account
    assert as_user(ALICE, lambda: access(orders(owner="nobody"))).account
    with pytest.raises(ReleaseError, match="only root can run a check as nobody"):
        as_user(ALICE, lambda: access(orders(owner="nobody", tools=CHECKED)))
