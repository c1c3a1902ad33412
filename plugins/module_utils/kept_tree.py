# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a kept tree still exactly what was locked? Looks at every entry, before anything in it is believed or started.

Each folder is looked at before what is in it: nobody else can exchange what lies in one that is good. Nothing but
regular files is opened, no link is followed, and nothing can make us wait (a FIFO could). Runs on hosts.
"""

import hashlib
import os
import stat
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import chain, tree_listing
from ansible_collections.pinned.release.plugins.module_utils.capabilities import ATTRIBUTE
from ansible_collections.pinned.release.plugins.module_utils.errors import StaleError
from ansible_collections.pinned.release.plugins.module_utils.orders import FORBIDDEN_MODE, ToolOrder
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import CONTENT, FILES, PROGRAMS, TOP

LISTING, RECEIPT = b"listing", b"receipt.json"

#: By which a file lets more people do more than its mode says (capabilities(7), acl(5)).
_RIGHTS = frozenset([ATTRIBUTE, chain.ACCESS_LIST, chain.DEFAULT_LIST])
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BUFFER_BYTES = 1024 * 1024


class _ChangedError(Exception):
    """What is not as it was installed, in words: ``libexec/uv belongs to the user 1000``."""


def refuse_changed(tree: str, order: ToolOrder) -> None:
    """Raise StaleError unless the folder *tree* is exactly the tree that *order* pins.

    Every entry must be there, and no other; with its type, mode, bytes or link text; of root's or of the user who runs;
    without capabilities and access control lists. The programs may have any mode that is safe, and any capabilities:
    they are given those that are ordered. So is the receipt written anew.
    """
    programs = frozenset(b"%s/%s" % (CONTENT, program.path.encode("utf-8")) for program in order.programs.values())
    place = os.fsencode(tree)
    try:
        _refuse_odd_top(place)
        kept = _digest(LISTING, os.path.join(place, LISTING))
        if kept != order.tree_sha256:
            raise _ChangedError("its listing is not the one whose digest was locked")
        lines = sorted(_lines(place, programs))
        if tree_listing.digest(lines) != kept:
            raise _ChangedError(_first_difference(lines, os.path.join(place, LISTING)))
    except _ChangedError as changed:
        raise _stale(tree, str(changed))
    except OSError as error:
        raise _stale(tree, "{0}: {1}".format(os.strerror(error.errno or 0), error.filename))


def _stale(tree: str, found: str) -> StaleError:
    return StaleError(
        "the kept tree {0} is no longer whole".format(tree), expected="what was locked", found=found, fix="run again"
    )


def _refuse_odd_top(tree: bytes) -> None:
    _refuse_rights(b".", tree, os.lstat(tree), stat.S_IFDIR)
    for name in sorted(os.listdir(tree)):
        if name not in (CONTENT, PROGRAMS, TOP, FILES, LISTING, RECEIPT):
            raise _ChangedError("{0} was added".format(_shown(name)))
        if name == RECEIPT and not stat.S_ISREG(os.lstat(os.path.join(tree, name)).st_mode):
            raise _ChangedError("{0} is no file".format(_shown(name)))


def _lines(tree: bytes, programs: t.FrozenSet[bytes]) -> t.Iterator[bytes]:
    """Yield the listing's lines for what really lies in *tree*, unsorted."""
    to_do = [CONTENT, PROGRAMS, TOP]
    to_do += [FILES] if os.path.lexists(os.path.join(tree, FILES)) else []
    while to_do:
        path = to_do.pop()
        place = os.path.join(tree, path)
        found = os.lstat(place)
        if stat.S_ISLNK(found.st_mode):
            _refuse_rights(path, place, found, stat.S_IFLNK)
            yield from tree_listing.link_lines(_one_line(path), _one_line(os.readlink(place)))
        elif stat.S_ISDIR(found.st_mode):
            _refuse_rights(path, place, found, stat.S_IFDIR)
            if stat.S_IMODE(found.st_mode) != 0o755:
                raise _ChangedError("{0} has mode {1:04o}".format(_shown(path), stat.S_IMODE(found.st_mode)))
            yield from tree_listing.folder_lines(_one_line(path))
            to_do += [path + b"/" + name for name in os.listdir(place)]
        else:
            yield from _lines_of_file(_one_line(path), place, path in programs)


def _lines_of_file(path: bytes, place: bytes, is_program: bool) -> t.List[bytes]:
    mode = stat.S_IMODE(os.lstat(place).st_mode)
    if mode not in (0o644, 0o755) and not is_program:
        raise _ChangedError("{0} has mode {1:04o}".format(_shown(path), mode))
    kind = tree_listing.PROGRAM if is_program or mode == 0o755 else tree_listing.FILE
    return tree_listing.file_lines(path, kind, _digest(path, place, is_program))


def _digest(path: bytes, place: bytes, is_program: bool = False) -> str:
    """Return the SHA-256 of the regular file at *place*, one of ours: nothing else is opened."""
    if not stat.S_ISREG(os.lstat(place).st_mode):
        raise _ChangedError("{0} is no file".format(_shown(path)))
    digest = hashlib.sha256()
    with os.fdopen(os.open(place, _FLAGS), "rb") as file:
        _refuse_rights(path, place, os.fstat(file.fileno()), stat.S_IFREG, given=[ATTRIBUTE] if is_program else ())
        for data in iter(lambda: file.read(_BUFFER_BYTES), b""):
            digest.update(data)
    return digest.hexdigest()


def _one_line(text: bytes) -> bytes:
    """Return *text*, a name or that of a link. With a line break in it, one entry could pass for two."""
    if b"\n" in text:
        raise _ChangedError("{0} was added".format(_shown(text)))
    return text


def _refuse_rights(path: bytes, place: bytes, found: os.stat_result, kind: int, given: t.Sequence[str] = ()) -> None:
    """Refuse what lets more people do more than was installed, but for the attributes that are *given* anew."""
    if stat.S_IFMT(found.st_mode) != kind:
        raise _ChangedError("{0} is of another kind".format(_shown(path)))
    if not chain.is_ours(found):
        raise _ChangedError("{0} belongs to the user {1}".format(_shown(path), found.st_uid))
    if kind != stat.S_IFLNK and found.st_mode & FORBIDDEN_MODE:
        raise _ChangedError("{0} has mode {1:04o}".format(_shown(path), stat.S_IMODE(found.st_mode)))
    more = sorted(chain.extended(place) & _RIGHTS - set(given))
    if more:
        raise _ChangedError("{0} has {1}".format(_shown(path), ", ".join(more)))


def _first_difference(lines: t.List[bytes], listing: bytes) -> str:
    with open(listing, "rb") as file:
        kept = set(file)
    added = sorted(set(lines) - kept)
    if added:
        return "not as locked: {0}".format(_shown(added[0].rstrip(b"\n")))
    return "missing: {0}".format(_shown(min(kept - set(lines), default=b"").rstrip(b"\n")))


def _shown(text: bytes) -> str:
    return ascii(text.decode("utf-8", "replace"))[1:-1][:200]
