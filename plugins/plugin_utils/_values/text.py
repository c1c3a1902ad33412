# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are values, names and failures said to people? Pure; controller."""

from __future__ import annotations

import errno
import json
import re
import textwrap
from collections.abc import Iterable


def shown(value: object) -> str:
    """Return *value* for an error: on one line, short whatever it is, without passwords."""
    if isinstance(value, dict):
        more = ", …" if len(value) > 8 else ""
        return f"a mapping of {', '.join(shown(key) for key in list(value)[:8])}{more}" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"a list that begins with {_kind(value[0])}" if value else "an empty list"
    if isinstance(value, str):
        value = re.sub(r"//[^/\s]*@", "//…@", value[:1000])
    text = json.dumps(value, ensure_ascii=not str(value).isprintable(), default=str)
    return text if len(text) <= 120 else text[:117] + "..."


def _kind(value: object) -> str:
    """Return *value* itself where it is short, else what it is: lists of lists of lists have no end."""
    if isinstance(value, (dict, list, tuple)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return shown(value)


def printable(text: str, besides: str = "") -> str:
    """Return *text* without what steers a terminal: a ``?`` for each character that is not printable, or *besides*."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in besides else "?" for character in text)


def shortened(text: str, limit: int) -> str:
    """Return *text* on one line of at most *limit* characters, without what steers a terminal."""
    line = printable(text[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def listed(words: Iterable[object], limit: int = 10, between: str = ", ") -> str:
    """Return the first *limit* of *words*, and how many more there are: ``a, b and 2 more``; "" for none."""
    known = list(map(str, words))
    return between.join(known[:limit]) + (f" and {len(known) - limit} more" if len(known) > limit else "")


def folded(line: str, width: int, further: str | None = None) -> list[str]:
    """Return *line* as lines of at most *width* characters, unless a word is longer. They go on further to the right.

    All but the first begin with *further*. A word is never cut, so that paths and addresses can be copied.
    """
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" ")))
    words = textwrap.TextWrapper(
        width=width,
        initial_indent=indent,
        subsequent_indent=f"{indent}    " if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return words.wrap(line.strip())


def amount(size_bytes: int) -> str:
    """Return how much that is: ``21.3 MB``, and of little ``35 kB``."""
    return f"{-(-size_bytes // 1000)} kB" if size_bytes < 100_000 else f"{size_bytes / 1_000_000:.1f} MB"


def conflict_line(text: str) -> int | None:
    """Return the line of the first mark that version control put into *text* where a merge failed; None without one."""
    mark = re.search(r"^(?:<{7}|>{7})(?: |$)", text, re.MULTILINE)
    return text.count("\n", 0, mark.start()) + 1 if mark else None


_UNKNOWN = "look at its file system (dmesg)"
#: The operating system's refusals → what to do about them where something is written.
_ADVICE = {
    errno.EACCES: "let this user write in its folder and replace it (see lsattr)",
    errno.EPERM: "let this user write in its folder and replace it (see lsattr)",
    errno.EROFS: "make its file system writable",
    errno.ENOSPC: "make room on its file system",
    errno.EDQUOT: "make room on its file system, or raise the quota",
    errno.ENOENT: "make its folder",
    errno.ENOTDIR: "give the path of a folder",
    errno.ENOLCK: "use a local disk",
}


def advice(number: int, elsewhere: str) -> str:
    """Return what to do about the refusal *number* to write something, or *elsewhere*: ``name another in …``."""
    return f"{_ADVICE.get(number, _UNKNOWN)}, or {elsewhere}"


#: The same where something is only read.
_READING_ADVICE = {
    errno.EACCES: "let this user read it and enter its folders",
    errno.EPERM: "let this user read it and enter its folders",
    errno.ENOENT: "correct the path",
    errno.ENOTDIR: "correct the path: what stands before the last / is no folder",
    errno.ENOLCK: _ADVICE[errno.ENOLCK],
}


def reading_advice(number: int, elsewhere: str) -> str:
    """Return what to do about the refusal *number* to read something, or *elsewhere*, as advice() does for writing."""
    return f"{_READING_ADVICE.get(number, _UNKNOWN)}, or {elsewhere}"
