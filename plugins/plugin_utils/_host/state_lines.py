# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a host's answer say is installed there? The lines of state.sh → State. Pure; runs on the controller.

Every name is held to its grammar here as well as on the host: what a host says is hostile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.layouts import ENTRY
from ansible_collections.pinned.release.plugins.module_utils.names import FOLDER, NAME, SHA256, TREE, is_link
from ansible_collections.pinned.release.plugins.plugin_utils._host.answer_lines import MODE, AnswerLines, bytes_of
from ansible_collections.pinned.release.plugins.plugin_utils._host.differences import (
    MOST_DIFFERENCES_BYTES,
    capabilities_of,
    damage,
    hard_links_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import (
    ACCESS_LIST,
    CAPABILITY,
    Copy,
    InstalledProgram,
    Room,
    Sealed,
    State,
    Tree,
    User,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt, read_receipt

#: Of a path (Linux PATH_MAX) in hexadecimal, in characters.
LONGEST_PATH = 2 * 4096 + 1
#: More are not told of: whoever made them is found by the first.
MOST_STRAYS = 100
#: As many as a host is asked for, and more.
MOST_PYTHONS = 100
_NUMBER = re.compile(r"[0-9]{1,10}\Z")


def sealed_of(said: AnswerLines) -> Sealed:
    """Return what a host tells that is as sealed. Raises ReleaseError where it says more than that."""
    trees, _also, strays = said.all("sealed")[0].partition("also")
    pairs = [_pairs(words.split()) for words in (trees, strays)]
    root = _decoded(said.one("root"))
    if len(said) != 2 or not FOLDER.match(root) or None in pairs:
        raise ReleaseError(
            "the host says that all is as sealed, and something else",
            fix="somebody changed its seal or its shell: look at the host before you trust it",
        )
    return Sealed(root, trees=pairs[0] or {}, strays=pairs[1] or {})


def _pairs(words: Iterable[str]) -> dict[str, str] | None:
    """Return TOOL/TREE words as a mapping, None if one of them is no such word."""
    pairs = [tuple(word.split("/")) for word in words]
    is_plain = all(len(pair) == 2 and NAME.match(pair[0]) and TREE.match(pair[1]) for pair in pairs)
    return {pair[0]: pair[1] for pair in pairs} if is_plain else None


def state_of(said: AnswerLines) -> State:
    """Return what is installed on the host that *said* so. Raises ReleaseError where it cannot tell, or be trusted."""
    _refuse_lacking(said)
    _refuse_untrusted(said)
    _refuse_unreadable(said)
    root, bin_dir = (_decoded(said.one(word)) for word in ("root", "bin_dir"))
    if said.all("homeless") or not (root.startswith("/") and bin_dir.startswith("/")):
        raise ReleaseError("the user has no home folder on the host", fix="name folders in root and bin_dir")
    trees: dict[str, list[str]] = {}
    for tool, tree in _named(said.fields("tree", 2)):
        trees.setdefault(tool, []).append(tree)
    receipts = _receipts(said)
    return State(
        root=root,
        bin_dir=bin_dir,
        active=dict(_named(said.fields("active", 2))),
        astray=frozenset(name for name in said.all("astray") if NAME.match(name)),
        barred=_barred(said, root),
        described={(tool, tree): _tree(said, tool, tree, receipts[tool, tree]) for tool, tree in receipts},
        trees={tool: tuple(dict.fromkeys(names)) for tool, names in trees.items()},
        links={name: _decoded(text) for name, text in said.fields("link", 2) if is_link(name)},
        placed={name: tool for name, tool in said.fields("placed", 2) if NAME.match(name) and NAME.match(tool)},
        copies={name: copy for name, *rest in said.fields("copy", 6) if NAME.match(name) and (copy := _copy(*rest))},
        foreign=frozenset(name for name in said.all("foreign") if is_link(name)),
        closed={path: _decoded(folder) for path, folder in said.fields("closed", 2) if is_link(path)},
        gid=_number(said.one("gid")),
        lacks_owner=bool(said.all("no_owner")),
        user=_user(said),
        rights=_bits(said.one("rights")),
        sees_rights="capabilities" not in said.all("unseen"),
        sees_lists="lists" not in said.all("unseen"),
        elsewhere={tool: _decoded(text) for tool, text in said.fields("elsewhere", 2) if NAME.match(tool)},
        links_elsewhere=_links_elsewhere(said),
        copies_elsewhere=_copies_elsewhere(said),
        rooms={word: _room(*rest) for word, *rest in said.fields("room", 7) if word in ("root", "bin_dir")},
        python=_path(said.one("python")),
        undecoded=frozenset({*said.all("undecoded")} & {"bz2", "xz", "zst"}),
        no_pythons=tuple((_decoded(path), _why_not(why)) for why, path in said.fields("no_python", 2)[:MOST_PYTHONS]),
        layouts={path: found for kind, path, text in said.fields("layout", 3) if (found := _layout(kind, path, text))},
        strays=tuple(dict.fromkeys(map(_decoded, said.all("stray")[:MOST_STRAYS]))),
        shadows=_shadows(said),
        is_on_path=not said.all("off_path"),
        remembered=bool(said.all("remembered")),
    )


def _shadows(said: AnswerLines) -> dict[tuple[str, str], str]:
    """Return which program comes before ours, by tool and name: the one that the host told first."""
    told = [
        (tool, name, text) for tool, name, text in said.fields("shadow", 3) if NAME.match(tool) and NAME.match(name)
    ]
    return {(tool, name): _decoded(text) for tool, name, text in reversed(told)}


def _layout(kind: str, path: str, text: str) -> str | None:
    if not ENTRY.match(path):
        return None
    if kind == "link":
        return f"link {_decoded(text)}"
    return f"file {text}" if kind == "file" and SHA256.match(text) else "other"


def _links_elsewhere(said: AnswerLines) -> dict[str, dict[str, str]]:
    links: dict[str, dict[str, str]] = {}
    for tool, name, text in said.fields("link_elsewhere", 3):
        if NAME.match(tool) and is_link(name):
            links.setdefault(tool, {})[name] = _decoded(text)
    return links


def _copies_elsewhere(said: AnswerLines) -> dict[str, dict[str, Copy]]:
    copies: dict[str, dict[str, Copy]] = {}
    for tool, name, *rest in said.fields("copy_elsewhere", 7):
        copy = _copy(*rest)
        if NAME.match(tool) and NAME.match(name) and copy:
            copies.setdefault(tool, {})[name] = copy
    return copies


def _copy(sha256: str, mode: str, owned: str, gid: str, extra: str) -> Copy | None:
    if not (MODE.match(mode) and _NUMBER.match(gid)):
        return None
    digest = sha256 if SHA256.match(sha256) else ""
    words = {"none": "", "acl": ACCESS_LIST}
    return Copy(digest, int(mode, 16) & 0o7777, int(gid), owned == "ours", words.get(extra, CAPABILITY))


def _path(text: str) -> str:
    path = _decoded(text)
    return path if path and "\0" not in path else ""


def _why_not(word: str) -> str:
    """Return in words why a Python cannot carry out orders."""
    kind, _colon, what = word.partition(":")
    if kind == "old":
        return f"is {what if re.fullmatch('[0-9.]{1,9}', what) else 'too old'}"
    if kind == "lacks":
        return f"lacks {what}" if re.fullmatch("[a-z0-9_]{1,30}", what) else "lacks a part of the standard library"
    return {"absent": "is not there", "untrusted": "can be exchanged by others"}.get(kind, "does not start")


def _user(said: AnswerLines) -> User | None:
    for uid, gives_group, is_owner in said.fields("user", 3):
        if _NUMBER.match(uid):
            return User(int(uid), gives_group == "yes", is_owner == "yes")
    return None


def _room(folder: str, is_writable: str, free_kib: str, *mount: str) -> Room:
    starts, raises, kind = mount
    free_bytes = int(free_kib) * 1024 if re.fullmatch("[0-9]{1,15}", free_kib) else None
    return Room(_decoded(folder), is_writable == "yes", free_bytes, starts == "yes", raises == "yes", _decoded(kind))


def _refuse_lacking(said: AnswerLines) -> None:
    lacking = said.one("lacks")
    if lacking:
        command = lacking if lacking in ("stat", "uniq") else "that the probe needs"
        raise ReleaseError(
            f"the host has no command {command}, which tells whether files are still what was installed",
            expected="that of coreutils, busybox, toybox or the system itself, in one of the system's folders",
            fix="install it on the host",
        )


def _refuse_untrusted(said: AnswerLines) -> None:
    for why, place, uid, gid in said.fields("untrusted", 4):
        raise _untrusted(why, _decoded(place), uid, gid)


def _barred(said: AnswerLines, root: str) -> dict[str, ReleaseError]:
    """Return why nothing can be done to tools: what is at a folder or link of theirs is none, or not safe."""
    barred = {}
    for tool, why, uid, gid in said.fields("barred", 4):
        if NAME.match(tool):
            folder = "current" if why == "switch" else "store"
            barred[tool] = _untrusted(why, f"{root}/{folder}/{tool}", uid, gid)
    return barred


def _untrusted(why: str, path: str, uid: str, gid: str) -> ReleaseError:
    if why == "switch":
        return ReleaseError(
            f"{path} is a folder",
            expected="a link to the active version, or nothing",
            fix="find out who put it there and remove it, or choose another root",
        )
    reasons = {
        "owner": f"belongs to another user ({uid})",
        "group": f"can be written by the group {gid}",
        "others": "can be written by everyone",
        "link": "is a link in a folder that everyone can write",
    }
    fixes = {
        "owner": f"run as that user (become_user), chown {path} to root, or choose another folder",
        "group": f"chmod g-w {path}, or choose another folder",
        "others": f"chmod o-w {path}, or choose another folder",
        "link": "name the folder that it leads to, or choose another one",
    }
    return ReleaseError(
        f"{path} {reasons.get(why, 'is no folder')}, so nothing below it can be trusted",
        expected="a folder that belongs to root or to the user who runs, and that nobody else can write",
        fix=fixes.get(why, "find out who put it there and remove it, or choose other folders in root and bin_dir"),
    )


def _refuse_unreadable(said: AnswerLines) -> None:
    folder = _decoded(said.one("unreadable"))
    if folder:
        raise ReleaseError(
            f"the user who runs may not look into {folder}, so it is not known what is installed",
            fix="run with --become, or as the owner of the folder (become_user)",
        )


def _named(fields: Iterable[list[str]]) -> Iterable[tuple[str, str]]:
    return ((tool, tree) for tool, tree in fields if NAME.match(tool) and TREE.match(tree))


def _receipts(said: AnswerLines) -> dict[tuple[str, str], Receipt | None]:
    """Return the receipt of each tree that was looked into: a host tells the size of each, then the bytes of all.

    Of trees that were compared and found as listed, it shows each as it is.
    """
    sizes: dict[tuple[str, str], int | None] = {}
    for tool, tree, text in said.fields("receipt", 3):
        sizes.setdefault((tool, tree), _number(text))
    content = bytes_of(said.one("receipts"))
    begin = 0
    found: dict[tuple[str, str], Receipt | None] = {}
    for key, size in sizes.items():
        end = begin + (size or 0)
        found[key] = None if size is None else read_receipt(content[begin:end])
        begin = end
    for tool, tree, text in said.fields("shown", 3):
        # A receipt is one line. Of more, nobody knows which one counts.
        found[tool, tree] = None if (tool, tree) in found else read_receipt(text.encode("utf-8", "surrogateescape"))
    return {key: found[key] for key in _named(map(list, found))}


def _tree(said: AnswerLines, tool: str, tree: str, receipt: Receipt | None) -> Tree:
    def of_this(word: str, count: int) -> list[list[str]]:
        """Return the fields of *word*'s lines that are about this tool and this tree, without these two."""
        return said.about(word, count, tool, tree)

    how, listing = next(((how, listing) for how, listing in of_this("verified", 4)), ("", ""))
    differences = b"".join(bytes_of(text[: 2 * MOST_DIFFERENCES_BYTES]) for (text,) in of_this("differs", 3)[:1])
    programs = {}
    for name, mode, uid, gid in of_this("program", 6):
        if NAME.match(name) and MODE.match(mode) and _NUMBER.match(uid) and _NUMBER.match(gid):
            programs[name] = InstalledProgram(int(mode, 16) & 0o7777, int(uid), int(gid))
    return Tree(
        name=tree,
        receipt=receipt,
        verified_by=_how(how),
        listing=listing if SHA256.match(listing) else "",
        damage=damage(differences),
        programs=programs,
        capabilities=capabilities_of(differences),
        hard_links=hard_links_of(differences),
        other_groups={
            _decoded(path): int(gid) for gid, path in of_this("other_group", 4)[:MOST_STRAYS] if _NUMBER.match(gid)
        },
    )


def _how(word: str) -> Literal["hash", "seal", "size", ""]:
    return "hash" if word == "hash" else "seal" if word == "seal" else "size" if word == "size" else ""


def _decoded(text: str) -> str:
    if not text.startswith("%") or len(text) > LONGEST_PATH:
        return text[:LONGEST_PATH]
    return bytes_of(text[1:]).decode("utf-8", "surrogateescape")


def _bits(digits: str) -> int | None:
    return int(digits, 16) if re.fullmatch("[0-9a-fA-F]{1,16}", digits) else None


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.match(text) else None
