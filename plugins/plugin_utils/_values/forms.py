# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must a name, an address, a digest or a path look like, and how is that said to people? Pure; controller.

What documents say becomes paths on hosts and words in a shell, so each text has a form that it must match to the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils import layouts, names
from ansible_collections.pinned.release.plugins.module_utils.names import CONTROL, STEP

#: Whole numbers that every JSON reader keeps exact (RFC 7493, section 2.2).
LARGEST_NUMBER = 2**53 - 1

_AUTHORITY = rf"(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\\\[\] {CONTROL}]+)(?::[0-9]{{1,5}})?"


@dataclass(frozen=True)
class Form:
    """What a text must look like: for the reader, and in words for people."""

    pattern: re.Pattern[str]
    words: str


NAME = Form(names.NAME, "a name of letters, digits and . _ + -")
TREE = Form(names.TREE, "the name of a version's folder: VERSION-DIGEST")
LINE = Form(re.compile(rf"[^{CONTROL}]+\Z"), "a line of text")
REMARK = Form(re.compile(rf"[^{CONTROL}]{{1,200}}\Z"), "a line of text of at most 200 characters")
SUMMARY = Form(re.compile(rf"[^{CONTROL}]{{1,72}}\Z"), "a line of text of at most 72 characters")
TEXT = Form(re.compile(rf"[^{CONTROL}]+(?:\n[^{CONTROL}]*)*\Z"), "a text")
VERSION = Form(re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~!-]{0,127}\Z"), "a version such as 1.2.3")
MOMENT = Form(
    re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z"),
    "a time in UTC, 2024-01-15T09:30:00Z",
)
DAY = Form(
    re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\Z"),
    "a day, 2024-01-15",
)
PLATFORM = Form(
    re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9][a-z0-9.]*)?\Z"),
    "a platform such as linux/x86_64 or linux/x86_64/glibc2.28",
)
FILE_NAME = Form(re.compile(rf"{STEP}\Z"), "the name of a file, without a folder")
_WEB = rf"https?://{_AUTHORITY}(?:[/?#][^ {CONTROL}]*)?"
_WEB_OR_FILE = rf"{_WEB}|file:///[^ {CONTROL}]+"
URL = Form(
    re.compile(rf"(?:{_WEB_OR_FILE})\Z"),
    "an address that begins with https://, http:// or file:///, without user and password",
)
WEB_URL = Form(
    re.compile(rf"(?:{_WEB})\Z"), "an address that begins with https:// or http://, without user and password"
)
#: A lock file moves with the manifest, and so does the folder that a relative ``directory:`` names.
LOCKED_URL = Form(
    re.compile(rf"(?:{_WEB_OR_FILE}|file:[^/ {CONTROL}][^ {CONTROL}]*)\Z"),
    URL.words,
)
SHA256 = Form(names.SHA256, "a SHA-256 digest: 64 hexadecimal digits in lower case")
HEXADECIMAL = Form(re.compile(r"[0-9a-f]+\Z"), "a digest: hexadecimal digits in lower case")
TARGET = Form(
    re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9_]+)?\Z"), "a target triple such as x86_64-unknown-linux-musl"
)
PATH = Form(names.INNER_PATH, "a plain path inside the asset: relative, without .. and backslashes")
LINKED_FILE = Form(
    names.FILE, "a path below the folder that bin_dir lies in, such as share/man/man1/rg.1; programs are in executables"
)
LAYOUT = Form(layouts.LAYOUT, "modulefiles, or tool_cache/ARCHITECTURE")
FOLDER = Form(names.FOLDER, "an absolute path without . and .. steps")
WHOLE = Form(re.compile(r"(?:0|[1-9][0-9]{0,14})\Z"), "a whole number")
WORD = Form(re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z"), "a word in lower case")
DOTTED = Form(re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})*\Z"), "numbers with dots between them, such as 2.28")
