# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What really lies in a tree? The definition of the listing, applied to a file system by nothing but lstat and read."""

import hashlib
import os
import stat
import typing as t


def listing(tree: t.Any, programs: t.Collection[str] = ()) -> t.List[bytes]:
    """Return the listing of what lies in libexec, bin, tree and files of *tree*; *programs* are paths in libexec."""
    lines = []  # type: t.List[bytes]
    tops = [
        top
        for top in (b"libexec", b"bin", b"tree", b"files")
        if os.path.lexists(os.path.join(os.fsencode(str(tree)), top))
    ]
    for top in tops:
        lines += _lines(os.fsencode(str(tree)), top)
        for folder, folders, files in os.walk(os.path.join(os.fsencode(str(tree)), top)) if top != b"tree" else ():
            for name in folders + files:
                path = os.path.relpath(os.path.join(folder, name), os.fsencode(str(tree)))
                lines += _lines(os.fsencode(str(tree)), path)
    started = {b"libexec/" + path.encode("utf-8") for path in programs}
    return sorted(b"81ed " + line[5:] if line[:2] == b"81" and line[5:-1] in started else line for line in lines)


def digest(tree: t.Any, programs: t.Collection[str] = ()) -> str:
    return hashlib.sha256(b"".join(listing(tree, programs))).hexdigest()


def _lines(tree: bytes, path: bytes) -> t.List[bytes]:
    place = os.path.join(tree, path)
    mode = os.lstat(place).st_mode
    if stat.S_ISLNK(mode):
        return [b"a1ff " + path + b"\n", path + b" -> " + os.readlink(place) + b"\n"]
    lines = ["{0:x} ".format(mode).encode() + path + b"\n"]
    if stat.S_ISREG(mode):
        with open(place, "rb") as content:
            lines.append(hashlib.sha256(content.read()).hexdigest().encode() + b"  " + path + b"\n")
    return lines
