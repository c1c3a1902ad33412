# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks by words: a local user's text, where the question reads it, is meant to become a line of its answer."""

from __future__ import annotations

import json
import os

from ansible_collections.pinned.release.tests.adversity.local_user.attack import attack
from ansible_collections.pinned.release.tests.adversity.local_user.attacker import Attacker

#: What some reader takes for the end of a line.
LINE_ENDS = {
    "LF": "\n",
    "CR LF": "\r\n",
    "CR": "\r",
    "VT": "\x0b",
    "FF": "\x0c",
    "FS": "\x1c",
    "NEL": "\x85",
    "LS": "\u2028",
    "ESC E": "\x1bE",
    "written LF": "\\n",
    "written octal": "\\012",
}
MOST_USED = {name: LINE_ENDS[name] for name in ("LF", "CR LF", "written LF")}
DEEP = 5000


def _doomed(me: Attacker) -> str:
    """Return the victim's folder as seen from the folder whose trees are deleted."""
    return os.path.relpath(me.victim, me.root / "store/hello")


def _lines(me: Attacker, lines: str) -> str:
    return lines.replace("\n", me.twin)


@attack("bin_dir", twins=LINE_ENDS)
def link_text_says_sealed(me: Attacker) -> None:
    """The text of the program's link in bin_dir goes on with an answer that says that all is as pinned."""
    me.link(me.bin_dir / "hello", f"{me.root}/current/hello/bin/hello" + _lines(me, f"\n{me.forged_lines}\n"))


@attack("new in bin_dir", twins=MOST_USED)
def text_of_another_link_says_sealed(me: Attacker) -> None:
    """The same in a link of a name that nobody else uses, which only looks like one of the collection's."""
    (me.bin_dir / "mine").symlink_to(f"{me.root}/current/hello/bin/mine" + _lines(me, f"\n{me.forged_lines}\n"))


@attack("bin_dir", twins=MOST_USED)
def link_text_names_a_tree_to_delete(me: Attacker) -> None:
    """The text of a link tells of one more old version, whose name is the way to somebody else's folder."""
    me.link(me.bin_dir / "mine", f"{me.root}/current/hello/bin/x" + _lines(me, f"\ntree hello {_doomed(me)}"))


@attack("bin_dir", twins={"absolute": "{victim}", "parent": "..", "itself": ".", "empty": "", "spaces": "a b"})
def link_text_names_an_odd_tree_to_delete(me: Attacker) -> None:
    """The same, with other names of folders."""
    name = me.twin.format(victim=me.victim)
    me.link(me.bin_dir / "mine", f"{me.root}/current/hello/bin/x\ntree hello {name}")


@attack(
    "bin_dir",
    twins={"tool": "tree {doomed} kept", "active": "active {doomed} x", "both": "tree . {doomed}"},
    options={"exact": True},
)
def link_text_names_a_tool_to_remove(me: Attacker) -> None:
    """The text of a link tells of a tool that is not wanted, whose name is the way to somebody else's folder."""
    line = me.twin.format(doomed=os.path.relpath(me.victim / "store/hello", me.root / "store"))
    me.link(me.bin_dir / "mine", f"{me.root}/current/hello/bin/x\n{line}")


@attack("bin_dir")
def link_text_tells_of_a_whole_tree(me: Attacker) -> None:
    """The text of a link tells that the new version is there, active, and was verified."""
    _tool, tree = me.pinned_tree.split("/")
    asset = me.wanted.lock.tools["hello"].assets[0]
    lines = [f"active hello {tree}", f"tree hello {tree}", f"verified hello {tree} hash"]
    lines.append(f"receipt hello {tree} " + json.dumps({"sha256": asset.sha256, "version": "2.0"}))
    for name, program in asset.executables.items():
        lines.append(f"program hello {tree} {name} 755 0 0 root root {program.sha256} ../libexec/{program.path}")
        lines.append(f"link {name} {me.root}/current/hello/bin/{name}")
    me.link(me.bin_dir / "mine", "\n".join([f"{me.root}/current/hello/bin/x", *lines]))


@attack("bin_dir", twins={"root": "root {victim}", "bin_dir": "bin_dir {victim}/bin"})
def link_text_names_another_place(me: Attacker) -> None:
    """The text of a link tells where root or bin_dir are."""
    me.link(me.bin_dir / "hello", "\n" + me.twin.format(victim=me.victim))


@attack(
    "new in bin_dir",
    twins={
        "sealed": "x\nsealed x",
        "arrow": "x -> y",
        "dash": "-n",
        "option": "--help",
        "glob": "*",
        "shell": "$(id)",
        "quote": "'\"",
        "bytes": b"\xff\xfe",
        "escape": "\x1b[2J",
        "back": "a\\nsealed x",
    },
)
def name_of_a_link_is_odd(me: Attacker) -> None:
    """A link in bin_dir that looks like one of the collection's has a name with a meaning."""
    name = os.fsdecode(me.twin)
    os.symlink(f"{me.root}/current/hello/bin/hello", me.bin_dir / name)


@attack("tree", twins=LINE_ENDS)
def receipt_says_sealed(me: Attacker) -> None:
    """The receipt goes on with an answer that says that all is as pinned."""
    me.take(me.tree)
    me.write(me.tree / "receipt.json", "{}" + _lines(me, f"\n{me.forged_lines}\n"))


@attack("tree", twins=MOST_USED)
def receipt_names_a_tree_to_delete(me: Attacker) -> None:
    """The receipt goes on with one more old version, whose name is the way to somebody else's folder."""
    me.take(me.tree)
    me.write(me.tree / "receipt.json", "{}" + _lines(me, f"\ntree hello {_doomed(me)}\n"))


@attack(
    "tree",
    twins={
        "nested": "[" * DEEP + "]" * DEEP,
        "nested objects": '{"a":' * 900 + "1" + "}" * 900,
        "long": '{"reason": "' + "x" * 100000 + '"}',
        "big number": '{"version": ' + "9" * 5000 + "}",
        "infinite": '{"version": 1e999, "sha256": NaN}',
        "list": "[1, 2]",
        "types": '{"version": [], "sha256": {}, "executables": [1], "tool": 7, "target": null}',
        "programs": '{"executables": {"hello": {"path": 7, "sha256": [], "size": {}}}}',
        "odd programs": '{"executables": {"../../x": {"path": "../../x", "sha256": "0", "size": 0}}}',
        "surrogate": '{"version": "\\ud800", "reason": "\\u0000\\u001b[2J"}',
        "BOM": "\ufeff{}",
        "NUL": "{\x00}",
        "empty": "",
    },
    options={"exact": True},
)
def receipt_is_odd(me: Attacker) -> None:
    """The receipt is JSON of a kind that surprises who reads it."""
    me.take(me.tree)
    me.write(me.tree / "receipt.json", me.twin)


@attack("tree", twins={"UTF-16": "{}".encode("utf-16"), "Latin-1": b'{"version": "\xe9"}', "zeros": bytes(70000)})
def receipt_is_no_text(me: Attacker) -> None:
    """The receipt has bytes that are no UTF-8."""
    me.take(me.tree)
    me.write(me.tree / "receipt.json", "")
    (me.tree / "receipt.json").write_bytes(me.twin)


@attack(
    "store",
    twins={
        "sealed": "1.0-x\nsealed x",
        "end": "1.0-x\n@@end",
        "CR": "1.0-x\r@@end",
        "option": "-rf",
        "spaces": "1.0-a b",
        "glob": "1.0-*",
        "shell": "$(id >&2)",
        "escape": "1.0-\x1b[2J",
        "bytes": b"1.0-\xff\xfe",
        "long": "1.0-" + "x" * 240,
        "receipt": "1.0-x\nreceipt hello 1 {}",
    },
)
def name_of_a_tree_is_odd(me: Attacker) -> None:
    """A version in the store has a name with a meaning."""
    me.take(me.root / "store/hello")
    (me.root / "store/hello" / os.fsdecode(me.twin)).mkdir()


@attack(
    "store",
    twins={
        "sealed": "x\nsealed x",
        "end": "x\n@@end",
        "option": "-n",
        "spaces": "a b",
        "glob": "*",
        "pattern": ".*",
        "brackets": "[h]ello",
        "bytes": b"\xff\xfe",
        "hidden": ".x",
    },
    options={"exact": True},
)
def name_of_a_tool_is_odd(me: Attacker) -> None:
    """A tool in the store has a name with a meaning."""
    me.take(me.root / "store")
    (me.root / "store" / os.fsdecode(me.twin) / "1.0-x").mkdir(parents=True)


@attack(
    "current",
    twins={"sealed": "x\nsealed x", "end": "x\n@@end", "option": "-n", "pattern": ".*", "spaces": "a b"},
    options={"exact": True},
)
def name_of_an_active_tool_is_odd(me: Attacker) -> None:
    """The link of an active tool has a name with a meaning."""
    me.take(me.root / "current")
    (me.root / "current" / me.twin).symlink_to("../store/hello/x")


@attack("current", twins=MOST_USED)
def text_of_the_active_link_says_sealed(me: Attacker) -> None:
    """The text of the link to the active version goes on with the end of an answer that says that all is as pinned."""
    lines = _lines(me, "\nsealed x\n@@end")
    me.link(me.root / "current/hello", os.readlink(me.root / "current/hello") + lines)


@attack("tree", twins=MOST_USED)
def text_of_a_program_link_says_sealed(me: Attacker) -> None:
    """The text of the program's link in the tree goes on with an answer that says that all is as pinned."""
    me.take(me.tree)
    text = os.readlink(me.tree / "bin/hello")
    me.link(me.tree / "bin/hello", text + _lines(me, f"\n{me.forged_lines}\n"))


@attack(
    "tree", twins={"sealed": "x\nsealed x", "end": "x\n@@end", "option": "-n", "escape": "\x1b[2J", "bytes": b"\xff"}
)
def name_of_a_program_is_odd(me: Attacker) -> None:
    """One more program in the tree has a name with a meaning."""
    me.take(me.tree / "bin")
    os.symlink("../libexec/hello-1.0/bin/hello", me.tree / "bin" / os.fsdecode(me.twin))


@attack("tree", twins={"LF": "x\nsealed x\n@@end", "CR": "x\r@@end", "back": "\\x", "space": "x ", "bytes": b"\xff"})
def name_of_a_file_is_odd(me: Attacker) -> None:
    """One more file in the tree has a name with a meaning."""
    me.take(me.libexec)
    (me.libexec / os.fsdecode(me.twin)).write_text("x\n")


@attack("tree", twins={"LF": "\n", "CR": "\r", "ESC": "\x1b[2J", "option": "-"})
def listing_says_sealed(me: Attacker) -> None:
    """The listing of the tree names files that are missing, by names with a meaning."""
    me.take(me.tree)
    me.write(me.tree / "listing", f"{'0' * 64}  libexec/x{me.twin}sealed {me.pinned_tree}{me.twin}@@end\n")
