# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks by places: what is on the way to a write or a delete is exchanged for something that leads elsewhere."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from ansible_collections.pinned.release.tests.adversity.local_user.attack import attack
from ansible_collections.pinned.release.tests.adversity.local_user.attacker import Attacker
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host
from ansible_collections.pinned.release.tests.adversity.local_user.people import run_command

FOLDERS = {"store": "store", "current": "current", "staging": "staging"}
KINDS = ("file", "fifo", "socket", "loop", "folder", "dangling link", "hard link", "link to the secret")


def _put(me: Attacker, path: Path, kind: str) -> None:
    """Have something of *kind* at *path*."""
    me.clear(path)
    if kind == "file":
        me.write(path, me.payload, 0o755)
    elif kind == "fifo":
        me.fifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as place:
            os.chdir(path.parent)
            place.bind(path.name)
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "folder":
        path.mkdir()
        (path / "precious").symlink_to(me.victim)
    elif kind == "hard link":
        os.link(me.write(me.home / f"mine-{path.name}", me.payload, 0o755), path)
    else:
        path.symlink_to(me.secret if kind == "link to the secret" else me.victim / "made by root")


@attack(
    "parent",
    "before",
    "between",
    "ask",
    "obey",
    twins={"absolute": "", "relative": "."},
    wants=("1.0", "2.0"),
    lasts=False,
)
def root_becomes_a_link(me: Attacker) -> None:
    """Root is exchanged for a link to somebody else's folder, which has a staging to be emptied."""
    me.link(me.root, me.victim if not me.twin else os.path.relpath(me.victim, me.root.parent))


@attack("parent", twins={kind: kind for kind in ("file", "fifo", "loop", "dangling link", "link to the secret")})
def root_becomes_something_else(me: Attacker) -> None:
    """Root is exchanged for something that is no folder."""
    _put(me, me.root, me.twin)


@attack("parent", twins={"41": 41, "39": 39}, lasts=False)
def root_becomes_a_long_way(me: Attacker) -> None:
    """Root is exchanged for a chain of links that ends at somebody else's folder."""
    way = me.victim
    for number in range(me.twin):
        way = me.link(me.home / f"step{number}", way)
    me.link(me.root, way)


@attack("parent", "before", "between", "obey", wants=("1.0", "2.0"))
def root_becomes_a_copy(me: Attacker) -> None:
    """Root is exchanged for a copy of the attacker's, which is just like it."""
    me.take(me.root)


@attack("parent", "between")
def root_is_taken_away(me: Attacker) -> None:
    """Root is gone when the orders arrive."""
    me.rename(me.root, me.root.with_name("gone"))


@attack("parent", "before", "between", "obey", lasts=False)
def a_folder_above_becomes_a_link(me: Attacker) -> None:
    """The folder that root lies in is exchanged for a link to one of the attacker's, where root leads elsewhere."""
    place = me.root.parent
    (me.home / "other").mkdir(exist_ok=True)
    if not os.access(place.parent, os.W_OK):
        place = me.root
    elsewhere = me.link(me.home / "other" / me.root.name, me.victim)
    me.rename(place, place.with_name(place.name + ".gone"))
    place.symlink_to(elsewhere.parent if place != me.root else elsewhere)


@attack("root", "before", "between", "obey", twins=FOLDERS, wants=("1.0", "2.0"))
def a_folder_becomes_a_link(me: Attacker) -> None:
    """A folder of root is exchanged for a link to somebody else's of the same name."""
    me.link(me.root / me.twin, me.victim / me.twin)


@attack("root", "before", "obey", twins=FOLDERS, wants=("1.0", "2.0"))
def a_folder_becomes_a_link_to_a_copy(me: Attacker) -> None:
    """A folder of root is exchanged for a link to a copy in the attacker's home."""
    folder = me.root / me.twin
    me.take(folder)
    me.rename(folder, me.home / me.twin)
    folder.symlink_to(me.home / me.twin)


@attack("root", twins={f"{name}, {kind}": (name, kind) for name in FOLDERS for kind in ("file", "fifo", "loop")})
def a_folder_becomes_something_else(me: Attacker) -> None:
    """A folder of root is exchanged for something that is no folder."""
    name, kind = me.twin
    _put(me, me.root / name, kind)


@attack("root", twins=FOLDERS)
def a_folder_becomes_a_copy(me: Attacker) -> None:
    """A folder of root is exchanged for a copy of the attacker's."""
    me.take(me.root / me.twin)


@attack("root", "between", twins=FOLDERS)
def a_folder_is_taken_away(me: Attacker) -> None:
    """A folder of root is gone when the orders arrive."""
    me.rename(me.root / me.twin, me.root / "gone")


@attack("store", "before", "between", "obey")
def the_folder_of_a_tool_becomes_a_link(me: Attacker) -> None:
    """Where the versions of a tool lie is exchanged for a link to a folder of somebody else's, with old versions."""
    me.link(me.root / "store/hello", me.victim / "store/hello")


@attack("store", "before", "between", wants=("1.0", "2.0"))
def a_tree_becomes_a_link(me: Attacker) -> None:
    """An installed version is exchanged for a link to a folder of somebody else's."""
    me.take(me.root / "store/hello")
    me.link(me.root / "store/hello" / me.tree.name, me.victim)


@attack("store", wants=("1.0", "2.0"))
def a_tree_becomes_a_link_to_a_copy(me: Attacker) -> None:
    """An installed version is exchanged for a link to a copy in the attacker's home."""
    tree = me.root / "store/hello" / me.tree.name
    me.take(tree)
    me.rename(tree, me.home / "tree")
    tree.symlink_to(me.home / "tree")


@attack("store", installed=("1.0", "2.0"), wants=("1.0",), options={"keep": 1, "checks": {"hello": ("hello",)}})
def the_kept_tree_becomes_a_link(me: Attacker) -> None:
    """The old version, to which the run goes back, is exchanged for a link to an altered copy."""
    kept = next((me.root / "store/hello").glob("1.0-*"))
    me.take(kept)
    me.write(next(kept.glob("libexec/*/lib/words.sh")), f"/usr/bin/id -u >>{me.host.loot}\nword=hello\n")
    me.rename(kept, me.home / "kept")
    (me.root / "store/hello" / kept.name).symlink_to(me.home / "kept")


@attack("current", "before", "between", "obey", wants=("1.0", "2.0"))
def the_active_link_leads_to_a_copy(me: Attacker) -> None:
    """The link to the active version leads to an altered copy in the attacker's home."""
    copy = me.home / "hello" / me.tree.name
    if not copy.exists():
        copy.parent.mkdir()
        shutil.copytree(me.tree, copy, symlinks=True)
        me.write(copy / "libexec/hello-1.0/bin/hello", me.payload, 0o755)
    me.link(me.root / "current/hello", copy)


@attack("current", twins={kind: kind for kind in KINDS})
def the_active_link_becomes_something_else(me: Attacker) -> None:
    """The link to the active version is exchanged for something else."""
    _put(me, me.root / "current/hello", me.twin)


@attack("current", "before", "obey", twins={kind: kind for kind in KINDS})
def the_name_beside_the_active_link_is_taken(me: Attacker) -> None:
    """The name under which the new link is made, beside the old one, is there already."""
    _put(me, me.root / "current/.hello.pinned-release", me.twin)


@attack("new in root", twins={kind: kind for kind in KINDS})
def a_name_that_root_lacks_is_taken(me: Attacker) -> None:
    """Names that a run makes in root are there already, as long as there are none."""
    for name in ("lock", "lock.new", "staging", "store", "current", "seals", "asked", "seals.new"):
        if not os.path.lexists(me.root / name):
            _put(me, me.root / name, me.twin)


@attack("root", twins={kind: kind for kind in KINDS})
def the_lock_becomes_something_else(me: Attacker) -> None:
    """The file that a run locks is exchanged for something else."""
    _put(me, me.root / "lock", me.twin)


@attack("root", "before", "obey")
def the_lock_becomes_a_link_to_a_file(me: Attacker) -> None:
    """The file that a run locks is exchanged for a link to somebody else's."""
    me.link(me.root / "lock", me.victim / "lock")


@attack(
    "root",
    twins={f"{name}, {kind}": (name, kind) for name in ("seals", "asked") for kind in KINDS},
    wants=("1.0", "2.0"),
)
def what_is_remembered_becomes_something_else(me: Attacker) -> None:
    """Where a run keeps what it remembers is exchanged for something else."""
    name, kind = me.twin
    _put(me, me.root / name, kind)


@attack("root", twins={"seals": "seals", "asked": "asked"}, wants=("1.0", "2.0"))
def what_is_remembered_becomes_a_link(me: Attacker) -> None:
    """Where a run keeps what it remembers, and forgets what is old, is exchanged for a link to a folder of others."""
    me.link(me.root / me.twin, me.victim / "store/precious")


@attack("root", twins={"seals": "seals", "asked": "asked"}, wants=("1.0", "2.0"))
def what_is_remembered_holds_links(me: Attacker) -> None:
    """Among what a run remembers are links to files and folders of somebody else."""
    me.take(me.root / me.twin)
    for number, target in enumerate((me.victim, me.victim / "seal", me.secret, me.victim / "made by root")):
        (me.root / me.twin / f"x{number}").symlink_to(target)


@attack("root", twins={"passwd": "seal", "lock": "lock"})
def the_lock_is_a_second_name(me: Attacker) -> None:
    """The file that a run locks is a second name of somebody else's, where the kernel lets everybody make such."""
    os.link(me.victim / me.twin, me.clear(me.root / "lock"))


@attack(
    "staging",
    "before",
    "between",
    "obey",
    twins={
        **{kind: kind for kind in KINDS},
        "link to a folder": "",
        "deep": "deep",
        "mode 0": "mode 0",
        "many": "many",
    },
)
def staging_is_filled(me: Attacker) -> None:
    """Staging, which a run empties, has something in it."""
    me.take(me.root / "staging")
    place = me.root / "staging/hello.x"
    if me.twin == "":
        me.link(place, me.victim)
    elif me.twin == "deep":
        _make_deep(me.folder(place))
    elif me.twin == "mode 0":
        (me.folder(place) / "precious").symlink_to(me.victim)
        place.chmod(0)
    elif me.twin == "many":
        me.folder(place)
        for number in range(1500):
            (place / str(number)).symlink_to(me.victim)
    else:
        _put(me, place, me.twin)


def _make_deep(folder: Path) -> None:
    os.chdir(folder)
    for _number in range(1500):
        os.mkdir("d")
        os.chdir("d")
    os.symlink("/", "end")


@attack("bin_dir", "before", "between", "obey", twins={kind: kind for kind in KINDS}, options={"adopt": True})
def a_program_becomes_something_else(me: Attacker) -> None:
    """The program's link is exchanged for something that a run may set aside."""
    _put(me, me.bin_dir / "hello", me.twin)


@attack(
    "bin_dir", "before", "between", "obey", twins={"payload": "file", "hard link": "hard link"}, wants=("1.0", "2.0")
)
def a_program_becomes_a_file(me: Attacker) -> None:
    """The program's link is exchanged for a program of the attacker's; nothing may be set aside."""
    _put(me, me.bin_dir / "hello", me.twin)


@attack("bin_dir", "before", "between", "obey", wants=("1.0", "2.0"))
def a_program_leads_elsewhere(me: Attacker) -> None:
    """The program's link leads to a program of the attacker's."""
    me.link(me.bin_dir / "hello", me.write(me.home / "hello", me.payload, 0o755))


@attack("bin_dir", "before", "obey", twins={kind: kind for kind in KINDS}, installed=("2.0",), wants=("1.0",))
def the_name_beside_a_program_is_taken(me: Attacker) -> None:
    """The name under which a link is made before it takes its place is there already."""
    me.clear(me.bin_dir / "hello")
    _put(me, me.bin_dir / ".hello.pinned-release", me.twin)


@attack("bin_dir", "before", "between", options={"adopt": True}, lasts=False)
def bin_dir_becomes_a_link(me: Attacker) -> None:
    """Where programs are linked is exchanged for a link to a folder of somebody else's, which has such programs."""
    if not os.access(me.bin_dir.parent, os.W_OK):
        me.link(me.bin_dir / "hello", me.victim / "hello")
    else:
        me.link(me.bin_dir, me.victim)


@attack("link", "before", "between", "obey", wants=("1.0", "2.0"))
def the_users_link_is_turned(me: Attacker) -> None:
    """The link that leads to root, or to bin_dir, is the attacker's, and now leads to somebody else's folder."""
    link = me.root if me.root.is_symlink() else me.bin_dir
    link.unlink()
    link.symlink_to(me.victim)


@attack("place", "before", twins={**{kind: kind for kind in KINDS}, "own folder": "own", "link": ""}, installed=())
def the_first_root_is_somebody_elses(me: Attacker) -> None:
    """Root is not there yet, in a folder where everybody may make names, and somebody else makes it first."""
    _first(me, me.root)


@attack(
    "place", "between", "obey", twins={"own folder": "own", "link": "", "fifo": "fifo", "file": "file"}, installed=()
)
def root_is_made_just_before(me: Attacker) -> None:
    """The same after the question, and just before the run makes it."""
    _first(me, me.root)


@attack("place", "before", "between", "obey", twins={"own folder": "own", "link": ""}, installed=())
def the_first_bin_dir_is_somebody_elses(me: Attacker) -> None:
    """bin_dir is not there yet, in a folder where everybody may make names, and somebody else makes it first."""
    _first(me, me.bin_dir)


def _first(me: Attacker, place: Path) -> None:
    """Make *place*, or find that it is too late for that."""
    if os.path.lexists(place):
        raise PermissionError(f"{place} is there, and nobody else may take it away")
    if me.twin == "own":
        place.mkdir()
        for name in FOLDERS:
            (place / name).mkdir()
        (place / "staging/precious").symlink_to(me.victim)
    elif me.twin == "":
        place.symlink_to(me.victim)
    else:
        _put(me, place, me.twin)


def _root_left_a_link(host: Host) -> None:
    (host.home / "link").symlink_to(host.victim)


@attack("place", "before", "between", twins={"root": "root", "bin_dir": "bin"}, installed=(), host=_root_left_a_link)
def a_link_of_roots_is_moved(me: Attacker) -> None:
    """Root once made a link in the attacker's home; they move it to where root or bin_dir is to be made.

    It belongs to root, in a folder where everybody may make names: it looks as if root had put it there.
    """
    (me.home / "link").rename(me.host.shared / me.twin)


@attack("place", wants=("1.0", "2.0"))
def a_sticky_folder_is_tried(me: Attacker) -> None:
    """What is there already, in a sticky folder, cannot be taken by others: that holds."""
    me.rename(me.root, me.root.with_name("mine"))


@attack("root", wants=("1.0", "2.0"), twins={"root": "", **FOLDERS})
def a_folder_hands_its_group_down(me: Attacker) -> None:
    """A folder has a bit by which whatever is made in it gets its group, and folders the same bit."""
    folder = me.take(me.root / me.twin)
    folder.chmod(0o2755)


@attack("root", wants=("1.0", "2.0"), twins={"root": "", **FOLDERS})
def a_folder_hands_rights_down(me: Attacker) -> None:
    """A folder has a default access control list, by which the attacker may write whatever is made in it."""
    folder = me.take(me.root / me.twin)
    run_command("acl", "setfacl", "-d", "-m", f"u:{os.getuid()}:rwx,m::rwx", str(folder))
