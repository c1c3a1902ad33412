# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names may tools, programs and trees have, and which paths may lead to them? Pure; on hosts and the controller.

Names become paths and links on hosts, and lines of what a host answers. Whoever sent one, in an order or in an answer,
it is held to its grammar before it is used.
"""

import re
import typing as t

#: What is in no name, path or address: control characters, ends of lines, halves of characters.
CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
#: One step of a path inside an asset.
STEP = r"(?!\.{1,2}(?:/|\Z))[^/\\" + CONTROL + r"]{1,255}"

#: A tool or a program: a plain file name on every system.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}\Z")
#: A version's folder in the store: VERSION-DIGEST, or VERSION-DIGEST.COUNT.
TREE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~!-]{0,191}\Z")
#: A path inside an asset: relative, without ``..``, backslashes and drive letters.
INNER_PATH = re.compile(r"(?=.{1,1024}\Z)(?![A-Za-z]:)" + STEP + "(?:/" + STEP + r")*\Z")
#: A folder to work in on a host: absolute, without ``.`` and ``..`` steps.
FOLDER = re.compile(r"(?:/+(?!\.{1,2}(?:/|\Z))[^/\x00-\x1f\x7f]+)+/*\Z")
#: Where a file that is no program is linked, below the folder that bin_dir lies in: share/man/man1/uv.1. It has a
#: folder, so that it is never taken for a program's name, and is in no bin: what lies there is a program.
FILE = re.compile(
    r"(?=.{3,255}\Z)(?!bin/)(?:[A-Za-z0-9_][A-Za-z0-9._+@-]{0,127}/){1,15}[A-Za-z0-9_][A-Za-z0-9._+@-]{0,127}\Z"
)
SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def is_link(name: str) -> bool:
    """Tell whether *name* can be that of a link which a tool has on a host: a program's, or another file's path."""
    return bool(NAME.match(name) or FILE.match(name))


def nested(paths: t.Iterable[str]) -> t.Optional[str]:
    """Return one of *paths*, relative ones, that another of them goes through as through a folder; None if none is."""
    known = frozenset(paths)
    folders = {path[:end] for path in known for end, letter in enumerate(path) if letter == "/"}
    return min(folders & known, default=None)
