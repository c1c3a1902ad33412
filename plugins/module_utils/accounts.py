# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom are the programs for? Runs on hosts.

What is installed belongs to the user who runs, whoever it is for: in a tree that belongs to somebody else, root could
believe nothing. An account that shall start the programs gets them through the group.
"""

import grp
import os
import pwd
import re
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders

_NUMBER = re.compile(r"[0-9]{1,9}\Z")


class Account(t.NamedTuple):
    """One account of this host. *groups* are all of its groups, the primary one included."""

    name: str
    uid: int
    gid: int
    groups: t.Tuple[int, ...]
    home: str


class Access(t.NamedTuple):
    """Who may start the programs: *gid* is the group of what is installed (None leaves it), *mode* that of programs.

    The checks run as *account*; None stands for the user who runs.
    """

    gid: t.Optional[int]
    mode: int
    account: t.Optional[Account]


def access(orders: Orders) -> Access:
    """Return who may start what *orders* install.

    Raises ReleaseError for an account or group that this host does not have, and for a check that only root could run.
    """
    account = None if orders.owner is None else _account(orders.owner)
    gid = None if account is None else account.gid
    if orders.group is not None:
        gid = _gid(orders.group)
    if account and account.uid == os.geteuid():
        account = None
    if account and os.geteuid() != 0 and any(order.check for order in orders.tools):
        raise cannot_check_as(account.name, os.geteuid())
    return Access(gid, orders.mode, account)


def cannot_check_as(name: str, uid: int) -> ReleaseError:
    """Return the error for a check as the account *name* where the user *uid* runs, who is neither that nor root."""
    return ReleaseError(
        "only root can run a check as {0}".format(name),
        found="the user {0}, who runs".format(uid),
        fix="run with become, or leave out owner or check",
    )


def cannot_give(uid: int, gid: int) -> ReleaseError:
    """Return the error for files that the user *uid*, who runs, cannot give to the group *gid*."""
    return ReleaseError(
        "the user {0} may not give files to the group {1}".format(uid, gid),
        expected="root, or a user who is in that group",
        fix="run with become, or choose another group",
    )


def _account(name: str) -> Account:
    try:
        found = pwd.getpwuid(int(name)) if _NUMBER.match(name) else pwd.getpwnam(name)
    except KeyError:
        raise unknown("user", name)
    groups = tuple(os.getgrouplist(found.pw_name, found.pw_gid))
    return Account(found.pw_name, found.pw_uid, found.pw_gid, groups, found.pw_dir)


def _gid(name: str) -> int:
    if _NUMBER.match(name):
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise unknown("group", name)


def unknown(kind: str, name: str) -> ReleaseError:
    """Return the error for a host that has no user or group, the *kind*, of that *name*."""
    return ReleaseError("this host has no {0} {1}".format(kind, name), fix="create it first, or correct the option")
