# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would a program still start outside of its tree, as a copy or through a link? Pure; runs on the controller.

A script that looks for files beside itself, and a program whose libraries lie beside it, would not. What they would
look for is told by their own bytes: only what an asset with other files says of them counts.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

#: How scripts find their own folder: sh, zsh, bash, Python, Perl, PHP and Ruby, Node.js.
_FOLDER_OF_SCRIPT = re.compile(
    rb"(?:dirname|readlink|realpath|abspath)[^\n]{0,40}(?:\$\{?0|argv\[0\])|\$\{0[%:]|BASH_SOURCE|__file__|__FILE__"
    rb"|__dir__|__dirname|import\.meta\b|\bFindBin::Bin\b|\bFindBin\b[^\n]{0,40}\$Bin\b"
)
#: How scripts of sh keep their own path, in a variable that they later take the folder of.
_KEPT_PATH = re.compile(rb"(\w{1,40})=[\"']?(?:\$0\b|\$\{0\})")
_KEPT_PATHS_LIMIT = 8
#: How scripts find their own file behind the links that lead to it: these work through a link as they are.
_FOLLOWS_LINKS = re.compile(
    rb"(?:readlink[ \t]+-[a-z]*[efm]|realpath)[^\n]{0,40}(?:\$\{?0|BASH_SOURCE|__file__|argv\[0\])"
    rb"|__file__\)\.resolve\(|\bwhile[ \t]+(?:\[\[?|test)[ \t]+-[hL][ \t]"
)
#: How programs name the folder that they lie in, ld.so(8) and dyld(1): by words that all hold one of the first.
_MARKS = (b"ORIGIN", b"@loader_path", b"@executable_path", b"@rpath")
_FOLDER_OF_PROGRAM = re.compile(rb"\$ORIGIN\b|\$\{ORIGIN\}|@loader_path|@executable_path|@rpath")
_LONGEST_WORD = len(b"@executable_path") + 1
_SCRIPT_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_LIBRARY = re.compile(r".+\.(?:so(?:\.[0-9]+)*|dylib)\Z")


@dataclass(frozen=True)
class Sought:
    """That a program looks for other files beside itself.

    words                the bytes that tell so, as ASCII
    is_of_script         whether it may look for any file; else for libraries
    works_through_links  whether it finds them if it is started through a link
    """

    words: str
    is_of_script: bool
    works_through_links: bool

    def is_among(self, others: Iterable[str]) -> bool:
        """Return whether there may be something to find among *others*, the paths of all else in the asset."""
        return any(self.is_of_script or _LIBRARY.match(posixpath.basename(path)) for path in others)


def sought(content: BinaryIO) -> Sought | None:
    """Return how the bytes of a program tell that it looks for other files beside itself; None if they do not.

    Of a script, the first MiB tells. A program is read whole, a piece at a time.
    """
    content.seek(0)
    if content.read(2) != b"#!":
        found = _folder_of_program(content)
        return Sought(_shown(found), is_of_script=False, works_through_links=True) if found else None
    script = content.read(_SCRIPT_BYTES)
    found = _FOLDER_OF_SCRIPT.search(script) or _folder_of_kept_path(script)
    return Sought(_shown(found), True, _FOLLOWS_LINKS.search(script) is not None) if found else None


def _shown(found: re.Match[bytes]) -> str:
    return ascii(found.group().decode("ascii", "replace"))[1:-1]


def _folder_of_program(content: BinaryIO) -> re.Match[bytes] | None:
    content.seek(0)
    end = b""
    while chunk := content.read(_CHUNK_BYTES):
        piece = end + chunk
        # To look for few fixed bytes is many times faster than the expression.
        if any(mark in piece for mark in _MARKS) and (found := _FOLDER_OF_PROGRAM.search(piece)):
            return found
        end = piece[-_LONGEST_WORD:]
    return None


def _folder_of_kept_path(script: bytes) -> re.Match[bytes] | None:
    """Return where *script* takes the folder of a variable that has its own path; None if it does not."""
    kept = itertools.islice(_KEPT_PATH.finditer(script), _KEPT_PATHS_LIMIT)
    uses = (
        rb"(?:dirname|readlink|realpath)[^\n);]{0,40}\$\{?%b\b|\$\{%b%%" % (name, name)
        for name in sorted({match.group(1) for match in kept})
    )
    return next(filter(None, (re.search(use, script) for use in uses)), None)
