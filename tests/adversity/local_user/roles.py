# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is the attacker, that is, what may they change on a host without being root?

Each role says how a host comes to be like that. *rights* names what its holder can change, in the words that attacks
use for what they need.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.tests.adversity.local_user.host import Host
from ansible_collections.pinned.release.tests.adversity.local_user.people import (
    MALLORY,
    RUNNER,
    SHARED_GROUP,
    Account,
    run_command,
)

BELOW_ROOT = frozenset({"root", "store", "current", "staging", "tree"})
BIN_DIR = frozenset({"bin_dir", "new in bin_dir"})
BELOW_PARENT = BELOW_ROOT | BIN_DIR | {"parent"}


def leave(_host: Host) -> None:
    pass


@dataclass(frozen=True)
class Role:
    """An attacker's rights: *before* is done to the host before anything is installed, *after* when it is.

    settled         what an administrator does after the attack
    must_converge   the role gives no right over anything that a run uses: a run that is refused was stopped by it
    """

    name: str
    rights: frozenset[str]
    before: Callable[[Host], None] = leave
    after: Callable[[Host], None] = leave
    settled: Callable[[Host], None] = leave
    must_converge: bool = False


def _mallory_gets(*paths: str) -> Callable[[Host], None]:
    def grant(host: Host) -> None:
        for path in paths:
            os.chown(host.folder / path, host.attacker.uid, host.attacker.gid, follow_symlinks=False)

    return grant


def _group_gets(path: str, gid: int = SHARED_GROUP, mode: int = 0o775) -> Callable[[Host], None]:
    def grant(host: Host) -> None:
        os.chown(host.folder / path, 0, gid)
        (host.folder / path).chmod(mode)

    return grant


def _mode(path: str, mode: int) -> Callable[[Host], None]:
    return lambda host: (host.folder / path).chmod(mode)


def _acl(path: str) -> Callable[[Host], None]:
    def grant(host: Host) -> None:
        run_command("acl", "setfacl", "-m", f"u:{host.attacker.uid}:rwx", str(host.folder / path))

    return grant


def _accounts(passwd: str, group: str) -> Callable[[Host], None]:
    def tell(host: Host) -> None:
        run_command("util-linux", "unshare", "--mount", "--propagation", "private", "true")
        host.accounts = {"passwd": passwd, "group": group}

    return tell


def _harmless_group(host: Host) -> None:
    """A private group of the user who runs: nobody else is in it."""
    _accounts("", f"rootsown:x:{SHARED_GROUP + 1}:root\n")(host)
    host.harmless_groups = frozenset({SHARED_GROUP + 1})


def _linked(name: str) -> Callable[[Host], None]:
    """What is called root or bin_dir is a link to another place."""

    def prepare(host: Host) -> None:
        link, real = host.home / name, host.folder / "real" / name
        real.mkdir(parents=True)
        os.chown(host.home, 0, 0)
        link.symlink_to(real)
        host.places.add(real)
        if name == "root":
            host.root = link
        else:
            (real / "neighbour").write_text("of another package\n")
            host.bin_dir = link

    return prepare


def _in_shared(host: Host) -> None:
    """Root and bin_dir lie where everybody may make names, and nobody may take those of others."""
    host.root, host.bin_dir = host.shared / "root", host.shared / "bin"
    host.places |= {host.root, host.bin_dir}


def _in_home(host: Host) -> None:
    """Root keeps the HOME of the user who connects."""
    os.chown(host.home, 0, 0)
    host.environment["HOME"] = str(host.home)
    host.asked_root, host.root = "~/tools", host.home / "tools"
    host.places.add(host.root)


def _in_data_home(host: Host) -> None:
    """A user who is not root runs, with XDG_DATA_HOME in a folder of somebody else's."""
    _run_by_runner(host)
    os.chown(host.home, 0, 0)
    data = host.home / "share"
    data.mkdir()
    os.chown(data, host.runner.uid, host.runner.gid)
    host.environment["XDG_DATA_HOME"] = str(data)
    host.options["root"] = ""
    host.root = data / "pinned.release"
    host.places.add(host.root)


def _run_by_runner(host: Host) -> None:
    """Somebody who is not root runs; root and bin_dir lie in a folder of theirs."""
    host.runner = RUNNER
    os.chown(host.place, RUNNER.uid, RUNNER.gid)
    os.chown(host.bin_dir, RUNNER.uid, RUNNER.gid)


def _for_service(host: Host) -> None:
    """The programs are for a service account, and the attacker is who has that account."""
    account = pwd.getpwnam("nobody")
    host.attacker = Account(account.pw_uid, account.pw_gid)
    os.chown(host.home, account.pw_uid, account.pw_gid)
    host.options.update(owner="nobody", checks={"hello": ("hello",)})


def _given_back(path: str) -> Callable[[Host], None]:
    """The administrator took the folder back from its former owner, with all that lies there by now."""
    return lambda host: _chown(host.folder / path)


def _root_given_back(host: Host) -> None:
    """The administrator took back the folder, and did not look at what lies in it."""
    os.chown(host.folder / "place/root", 0, 0)


def _chown(path: Path) -> None:
    subprocess.run(["chown", "-hR", "0:0", str(path)], check=True)


PLAIN = Role("plain user", frozenset({"nothing"}), must_converge=True)
IN_SHARED = Role("anybody, in a sticky folder", frozenset({"place"}), before=_in_shared)
SERVICE = Role("service account", frozenset({"tree", "check"}), before=_for_service, must_converge=True)
PUBLISHER = Role("owner of the releases", frozenset({"source"}), after=_mallory_gets("releases"))
#: What they did is still there, and belongs to root: only what is looked at in what they left can tell.
FORMER = (
    Role("former owner of root", BELOW_ROOT, after=_mallory_gets("place/root"), settled=_given_back("place/root")),
    Role("former owner of bin_dir", BIN_DIR, after=_mallory_gets("place/bin"), settled=_given_back("place/bin")),
    Role("former owner of the parent", BELOW_PARENT, after=_mallory_gets("place"), settled=_given_back("place")),
)
ALONE = Role("former owner of root alone", BELOW_ROOT, after=_mallory_gets("place/root"), settled=_root_given_back)
ROLES = (
    Role("owner of root", BELOW_ROOT, after=_mallory_gets("place/root")),
    Role("group of root", BELOW_ROOT, after=_group_gets("place/root")),
    Role(
        "member of a local group of root",
        BELOW_ROOT,
        before=_accounts(f"mallory:x:{MALLORY.uid}:{MALLORY.gid}::/:/bin/sh\n", f"ops:x:{SHARED_GROUP}:root,mallory\n"),
        after=_group_gets("place/root"),
    ),
    Role(
        "account whose primary group is root's",
        BELOW_ROOT,
        before=_accounts(f"mallory:x:{MALLORY.uid}:{SHARED_GROUP}::/:/bin/sh\n", f"ops:x:{SHARED_GROUP}:\n"),
        after=_group_gets("place/root"),
    ),
    Role("everybody, root is 0777", BELOW_ROOT, after=_mode("place/root", 0o777)),
    Role("ACL of root", BELOW_ROOT, after=_acl("place/root")),
    Role("owner of store", frozenset({"store", "tree"}), after=_mallory_gets("place/root/store")),
    Role("group of store", frozenset({"store", "tree"}), after=_group_gets("place/root/store")),
    Role("owner of current", frozenset({"current"}), after=_mallory_gets("place/root/current")),
    Role("group of current", frozenset({"current"}), after=_group_gets("place/root/current")),
    Role("owner of staging", frozenset({"staging"}), after=_mallory_gets("place/root/staging")),
    Role("group of staging", frozenset({"staging"}), after=_group_gets("place/root/staging")),
    Role("owner of the parent", BELOW_PARENT, after=_mallory_gets("place")),
    Role("group of the parent", BELOW_PARENT, after=_group_gets("place")),
    Role("ACL of the parent", BELOW_PARENT, after=_acl("place")),
    Role("everybody, the parent is 0777", BELOW_PARENT, after=_mode("place", 0o777)),
    Role("owner of the folder above", BELOW_PARENT, after=_mallory_gets(".")),
    Role("owner of bin_dir", BIN_DIR, after=_mallory_gets("place/bin")),
    Role("group of bin_dir", BIN_DIR, after=_group_gets("place/bin")),
    Role("ACL of bin_dir", BIN_DIR, after=_acl("place/bin")),
    Role("everybody, bin_dir is 0777", BIN_DIR, after=_mode("place/bin", 0o777)),
    Role("everybody, bin_dir is 1777", frozenset({"new in bin_dir"}), after=_mode("place/bin", 0o1777)),
    Role("everybody, root is 1777", frozenset({"new in root"}), after=_mode("place/root", 0o1777)),
    Role("owner of HOME", BELOW_ROOT | {"parent"}, before=_in_home, after=_mallory_gets("home/mallory")),
    Role(
        "owner of XDG_DATA_HOME",
        BELOW_ROOT | {"parent"},
        before=_in_data_home,
        after=_mallory_gets("home/mallory", "home/mallory/share"),
    ),
    Role(
        "owner of the link root",
        BELOW_ROOT | {"parent", "link"},
        before=_linked("root"),
        after=_mallory_gets("home/mallory", "home/mallory/root"),
    ),
    Role(
        "owner of the folder of the link root",
        BELOW_ROOT | {"parent"},
        before=_linked("root"),
        after=_mallory_gets("home/mallory"),
    ),
    Role(
        "owner of the link bin_dir",
        BIN_DIR | {"link"},
        before=_linked("bin"),
        after=_mallory_gets("home/mallory", "home/mallory/bin"),
    ),
    IN_SHARED,
    Role("owner of root, of another user's", BELOW_ROOT, before=_run_by_runner, after=_mallory_gets("place/root")),
    Role("group of the parent, of another user's", BELOW_PARENT, before=_run_by_runner, after=_mode("place", 0o777)),
    SERVICE,
    PUBLISHER,
    PLAIN,
    Role("plain user beside another user's", frozenset({"nothing"}), before=_run_by_runner, must_converge=True),
    Role(
        "plain user, root is of a private group",
        frozenset({"nothing"}),
        before=_harmless_group,
        after=_group_gets("place/root", SHARED_GROUP + 1),
        must_converge=True,
    ),
)
