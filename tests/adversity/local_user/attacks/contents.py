# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks by content: what was installed is altered, or what tells of it. Nobody must believe, start or read it out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ansible_collections.pinned.release.tests.adversity.local_user.attack import attack
from ansible_collections.pinned.release.tests.adversity.local_user.attacker import Attacker

CHECK = {"checks": {"hello": ("hello",)}}
GOING_BACK = {"keep": 1, **CHECK}
BOTH = ("1.0", "2.0")


def _spoil_library(me: Attacker, library: Path) -> None:
    me.write(library, f"/usr/bin/id -u >>{me.host.loot}\nword=hello\n")


@attack("tree", "before", "between", "ask", "obey", wants=BOTH, options=CHECK)
def a_library_is_altered(me: Attacker) -> None:
    """A file that the program reads has other bytes, and the run starts the program to check it."""
    me.take(me.tree)
    _spoil_library(me, me.library)


@attack("tree", wants=("1.0",), options={**CHECK, "mode": 0o750})
def a_library_is_altered_and_something_is_to_do(me: Attacker) -> None:
    """The same, where the run has to change the mode of what it takes for whole."""
    me.take(me.tree)
    _spoil_library(me, me.library)


@attack("tree", wants=("1.0",), options={**CHECK, "mode": 0o750})
def a_library_is_altered_with_its_digest(me: Attacker) -> None:
    """A file that the program reads has other bytes, and the listing has the digest of these."""
    me.take(me.tree)
    _spoil_library(me, me.library)
    me.relist()


@attack("tree", wants=("1.0",), options={**CHECK, "mode": 0o750})
def a_library_becomes_a_link(me: Attacker) -> None:
    """A file that the program reads is a link to one of the attacker's, of the right bytes until the run looked."""
    me.take(me.tree)
    shutil.copy(me.library, me.home / "words.sh")
    me.link(me.library, me.home / "words.sh")
    me.relist()


@attack("tree", "before", "between", "obey", installed=("1.0", "2.0"), wants=("1.0",), options=GOING_BACK)
def the_library_of_a_kept_tree_is_altered(me: Attacker) -> None:
    """The run goes back to a kept version, a file of which has other bytes."""
    kept = next((me.root / "store/hello").glob("1.0-*"))
    me.take(kept)
    _spoil_library(me, next(kept.glob("libexec/*/lib/words.sh")))


@attack("tree", installed=("1.0", "2.0"), wants=("1.0",), options=GOING_BACK)
def a_kept_tree_gets_programs(me: Attacker) -> None:
    """The run goes back to a kept version, beside whose programs lie others that a check calls by name."""
    kept = next((me.root / "store/hello").glob("1.0-*"))
    me.take(kept)
    for name in ("dirname", "readlink", "sh"):
        me.write(kept / "bin" / name, me.payload, 0o755)


@attack("tree", "before", "between", wants=BOTH, options=CHECK)
def a_program_is_altered(me: Attacker) -> None:
    """The program has other bytes."""
    me.take(me.tree)
    me.write(me.program, me.payload, 0o755)


@attack("tree", wants=BOTH, options=CHECK)
def a_program_is_altered_with_all_that_tells_of_it(me: Attacker) -> None:
    """Program, listing and receipt fit each other, and nothing else."""
    me.take(me.tree)
    me.write(me.program, me.payload, 0o755)
    me.relist()
    receipt = (me.tree / "receipt.json").read_text()
    asset = me.wanted.lock.tools["hello"].assets[0]
    old = next(iter(me.host.releases_by_version["1.0"].programs.values())).sha256
    me.write(me.tree / "receipt.json", receipt.replace(old, asset.executables["hello"].sha256))


@attack("tree", wants=("1.0",), options=CHECK, twins={"libexec": "libexec", "bin": "bin"})
def a_folder_of_a_tree_becomes_a_link(me: Attacker) -> None:
    """A folder of the tree is a link to an altered copy."""
    me.take(me.tree)
    copy = me.home / me.twin
    me.rename(me.tree / me.twin, copy)
    (me.tree / me.twin).symlink_to(copy)
    for library in copy.glob("*/lib/words.sh"):
        _spoil_library(me, library)


@attack("tree", wants=BOTH, options=CHECK)
def a_program_link_leads_elsewhere(me: Attacker) -> None:
    """The program's link in the tree leads to a program of the attacker's."""
    me.take(me.tree)
    me.link(me.tree / "bin/hello", me.write(me.home / "hello", me.payload, 0o755))


@attack(
    "tree",
    wants=("1.0",),
    options=CHECK,
    twins={"file": "file", "folder": "folder", "link": "link", "program": "program"},
)
def something_is_added(me: Attacker) -> None:
    """The tree has one more entry."""
    me.take(me.tree)
    if me.twin == "file":
        me.write(me.libexec / "lib/added.sh", me.payload)
    elif me.twin == "folder":
        me.folder(me.libexec / "added")
    elif me.twin == "link":
        me.link(me.libexec / "lib/added", me.victim)
    else:
        me.write(me.tree / "bin/dirname", me.payload, 0o755)


@attack("tree", wants=("1.0",), twins={"4755": 0o4755, "2755": 0o2755, "0777": 0o777, "0775": 0o775, "0": 0})
def a_program_gets_a_mode(me: Attacker) -> None:
    """The program has the right bytes and another mode."""
    me.take(me.tree)
    me.program.chmod(me.twin)


@attack("tree", wants=("1.0",), twins={"tree": "", "libexec": "libexec", "bin": "bin", "lib": "libexec/hello-1.0/lib"})
def a_folder_of_a_tree_is_open_to_all(me: Attacker) -> None:
    """A folder of the tree has the mode 0777."""
    me.take(me.tree)
    (me.tree / me.twin).chmod(0o777)


@attack("tree", wants=("1.0",), options=CHECK, stays=True, twins={"program": "program", "library": "library"})
def a_file_has_a_second_name(me: Attacker) -> Callable[[], None]:
    """A file of the tree has a second name in the attacker's home, and is written through that all the time."""
    me.take(me.tree)
    second = me.home / "second"
    os.link(_file(me), second)

    def write() -> None:
        second.write_text(me.payload)

    return write


@attack("tree", wants=BOTH, twins={name: name for name in ("receipt.json", "listing", "program", "library")})
def a_file_becomes_a_link_to_the_secret(me: Attacker) -> None:
    """A file that the run reads is a link to one that only root may read."""
    me.take(me.tree)
    me.link(_file(me), me.secret)


@attack("tree", wants=BOTH, twins={name: name for name in ("receipt.json", "listing", "program", "library")})
def a_file_becomes_a_fifo(me: Attacker) -> None:
    """A file that the run reads is a pipe that nobody writes to."""
    me.take(me.tree)
    me.fifo(_file(me))


@attack(
    "tree",
    wants=("1.0",),
    lasts=False,
    twins={name: name for name in ("receipt.json", "listing", "program", "library")},
)
def a_file_has_no_end(me: Attacker) -> None:
    """A file that the run reads has a thousand gigabytes, of which none is on the disk."""
    me.take(me.tree)
    path = _file(me)
    me.write(path, "")
    os.truncate(path, 1 << 40)


@attack("tree", wants=("1.0",), twins={name: name for name in ("receipt.json", "listing", "program", "library")})
def a_file_becomes_a_device(me: Attacker) -> None:
    """A file that the run reads is a link to a device that never ends."""
    me.take(me.tree)
    me.link(_file(me), "/dev/zero")


def _file(me: Attacker) -> Path:
    return {"program": me.program, "library": me.library}.get(me.twin, me.tree / str(me.twin))


@attack("tree", wants=BOTH)
def the_tree_is_emptied(me: Attacker) -> None:
    """Of the tree, only its name is left."""
    me.take(me.tree)
    for name in os.listdir(me.tree):
        me.clear(me.tree / name)


@attack("tree", twins={"deep": 1500, "wide": 2000}, lasts=False)
def the_tree_grows(me: Attacker) -> None:
    """The tree has very many folders, in each other or beside each other."""
    me.take(me.tree)
    os.chdir(me.libexec)
    for number in range(me.twin):
        os.mkdir("d" if me.twin == 1500 else str(number))
        if me.twin == 1500:
            os.chdir("d")


@attack("store", twins={"trees": "store/hello", "tools": "store"}, options={"exact": True}, lasts=False)
def the_store_grows(me: Attacker) -> None:
    """The store has very many versions, or tools."""
    me.take(me.root / me.twin)
    for number in range(2000):
        (me.root / me.twin / f"0.{number}-x").mkdir()


@attack(
    "bin_dir", twins={"short": "hello/bin/x", "long": "hello/bin/" + "x" * 3900}, options={"exact": True}, lasts=False
)
def bin_dir_grows(me: Attacker) -> None:
    """bin_dir has very many links that look like the collection's; or fewer, of the longest texts."""
    count = 20000 if len(me.twin) < 100 else 2000
    for number in range(count):
        os.symlink(f"{me.root}/current/{me.twin}", me.bin_dir / f"x{number}")


@attack("root", wants=("1.0",), options=CHECK, twins={"library": "library", "program": "program"})
def what_is_altered_is_sealed(me: Attacker) -> None:
    """What was altered looks as the attacker's own seal says."""
    me.take(me.tree)
    if me.twin == "library":
        _spoil_library(me, me.library)
    else:
        me.write(me.program, me.payload, 0o755)
    me.relist()
    me.remember()


@attack("root", wants=BOTH, twins={"no current": "current", "no store": "store", "empty": ""})
def nothing_is_there_and_all_is_remembered(me: Attacker) -> None:
    """Nothing is installed any more, and what is remembered fits that."""
    me.remember(me.pinned_tree)
    for name in ("current", "store"):
        if me.twin in ("", name):
            me.rename(me.root / name, me.root / f"{name}.gone")
    if me.twin == "":
        (me.root / "current").mkdir()
    for path in (me.root / "seals/hello", me.question):
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


@attack("root", twins={"question": "asked", "tool": "seals"}, wants=BOTH, lasts=False)
def what_is_remembered_has_no_end(me: Attacker) -> None:
    """What a run reads to see whether anything changed has a thousand gigabytes, of which none is on the disk."""
    me.remember()
    os.truncate(me.question if me.twin == "asked" else me.root / "seals/hello", 1 << 40)


@attack("root", twins={"question": "asked", "tool": "seals"}, wants=BOTH)
def what_is_remembered_is_secret(me: Attacker) -> None:
    """What a run reads to see whether anything changed is a link to a file that only root may read."""
    me.remember()
    me.link(me.question if me.twin == "asked" else me.root / "seals/hello", me.secret)


@attack("root", twins={"question": "asked", "tool": "seals"}, wants=BOTH)
def what_is_remembered_is_a_fifo(me: Attacker) -> None:
    """What a run reads to see whether anything changed is a pipe that nobody writes to."""
    me.remember()
    me.fifo(me.question if me.twin == "asked" else me.root / "seals/hello")


@attack("root", twins={"file": "x", "folder": "d", "link": "l", "odd": "a b"}, wants=("1.0",))
def something_lies_beside_what_is_active(me: Attacker) -> None:
    """Where the links to active versions lie is something else."""
    me.take(me.root / "current")
    path = me.root / "current" / me.twin
    if me.twin == "d":
        path.mkdir()
    elif me.twin == "l":
        path.symlink_to(me.victim)
    else:
        path.write_text("x\n")
    me.remember()


@attack(
    "root",
    twins={
        "victim": "../../x/y",
        "escape": "hello/\x1b[2J",
        "end": "hello/2.0-x\r@@end",
        "empty": " ",
        "many": "hello/x " * 100000,
    },
)
def the_seal_names_odd_trees(me: Attacker) -> None:
    """The seal fits, and names trees of odd names."""
    me.take(me.tree)
    me.remember(me.twin)


@attack("root", wants=("1.0",))
def the_active_link_leads_out_and_is_sealed(me: Attacker) -> None:
    """The link to the active version leads to an altered copy outside of root, and the attacker's seal says so."""
    me.take(me.root / "current")
    copy = me.home / "store/hello" / me.tree.name
    shutil.copytree(me.tree, copy, symlinks=True)
    me.write(copy / "libexec/hello-1.0/bin/hello", me.payload, 0o755)
    me.link(me.root / "current/hello", copy)
    me.remember(f"hello/{me.tree.name}")


@attack("parent", installed=("1.0", "2.0"), wants=("1.0",), options={"keep": 1})
def an_old_root_comes_back(me: Attacker) -> None:
    """The attacker kept a copy of root from when another version was active, seal included."""
    me.take(me.root)
    kept = next((me.root / "store/hello").glob("1.0-*"))
    me.link(me.root / "current/hello", f"../store/hello/{kept.name}")
    me.write(next(kept.glob("libexec/*/bin/hello")), me.payload, 0o755)
    me.remember(f"hello/{kept.name}")


@attack("tree", wants=("1.0",), options={"mode": 0o750}, stays=True)
def a_file_stays_open(me: Attacker) -> Callable[[], None]:
    """The attacker has the program open for writing from when it was theirs, and goes on writing."""
    me.take(me.tree)
    descriptor = os.open(me.program, os.O_WRONLY)

    def write_again() -> None:
        os.pwrite(descriptor, b"#!/bin/sh\nid\n", 0)

    return write_again


@attack("tree", "before", stays=True, wants=("1.0",), options={**CHECK, "mode": 0o750}, lasts=False)
def a_library_flickers(me: Attacker) -> Callable[[], None]:
    """A file that the program reads is exchanged again and again, while the run looks at it and starts the program."""
    me.take(me.tree)
    good, bad = me.library.read_text(), f"/usr/bin/id -u >>{me.host.loot}\nword=hello\n"

    def exchange() -> None:
        for text in (bad, good):
            other = me.library.with_name(".other")
            other.write_text(text)
            os.rename(other, me.library)

    return exchange


@attack("parent", "before", stays=True, wants=BOTH, lasts=False)
def root_flickers(me: Attacker) -> Callable[[], None]:
    """Root is exchanged again and again for a link to somebody else's folder, and back."""
    link, away = me.link(me.root.with_name("link"), me.victim), me.root.with_name("away")

    def exchange() -> None:
        with suppress(OSError):
            os.rename(me.root, away)
        with suppress(OSError):
            os.rename(link, me.root)
        with suppress(OSError):
            os.rename(me.root, link)
        with suppress(OSError):
            os.rename(away, me.root)

    return exchange
