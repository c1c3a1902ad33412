# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on the files of a tool that are linked beside bin_dir, and on the folders that are made for them."""

from __future__ import annotations

import fcntl
import os

from ansible_collections.pinned.release.tests.adversity.local_user.attack import attack
from ansible_collections.pinned.release.tests.adversity.local_user.attacker import Attacker
from ansible_collections.pinned.release.tests.adversity.local_user.host import PROGRAMS, Host
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released

MANUAL = "share/man/man1/hello.1"


def _with_files(host: Host) -> None:
    host.releases_by_version = {
        version: Released(
            host.releases,
            version=version,
            programs=PROGRAMS,
            files={"hello.1": version.encode()},
            linked={MANUAL: "hello.1"},
        )
        for version in ("1.0", "2.0")
    }
    host.places.add(host.place / "share")


@attack("nothing", "before", stays=True, wants=("1.0", "2.0"), host=_with_files)
def the_folders_for_files_are_held(me: Attacker) -> None:
    """The attacker locks and works in every folder that was made for files."""
    for folder, _folders, _files in os.walk(me.host.place / "share"):
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.chdir((me.host.place / MANUAL).parent)


@attack(
    "parent",
    "before",
    "between",
    "obey",
    twins={"link": "link", "own folder": "own folder", "file": "file"},
    wants=("1.0", "2.0"),
    lasts=False,
    host=_with_files,
)
def a_folder_for_files_becomes_something_else(me: Attacker) -> None:
    """The folder in which a manual is linked is exchanged for a link to somebody else's, or for the attacker's own."""
    share = me.host.place / "share"
    if me.twin == "link":
        me.link(share, me.victim)
    elif me.twin == "file":
        me.write(share, me.payload)
    else:
        me.folder(share, 0o777)
