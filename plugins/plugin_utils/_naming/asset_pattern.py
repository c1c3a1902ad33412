# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which assets does the manifest's ``asset:`` name, and which pattern names a given one? Pure; runs on the controller.

A pattern is a shell glob on whole names. ``{version}`` in it stands for the version from its first digit on.
"""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import release_number
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.name_words import (
    LONGEST_NAME,
    is_platform_word,
)


def suggestion(name: str, others: Sequence[str], version: str) -> str:
    """Return a glob that matches *name* and its siblings for other platforms, but none of *others*."""
    number = release_number(version)
    marked = name.replace(number, "\0") if number else name
    pieces = re.split(r"([-_.])", marked)
    first = next((index for index, piece in enumerate(pieces) if is_platform_word(piece)), None)
    wide = "".join(pieces[:first]) if first else None
    for literal, rest in ((wide, "*"), (marked, "")):
        told = glob.escape(literal or "").replace("\0", "{version}") + rest
        if literal and not any(names_by(told, version).match(other) for other in others):
            return told
    return glob.escape(name)


def names_by(pattern: str, version: str) -> re.Pattern[str]:
    """Return *pattern*, a shell glob, compiled for whole names of assets; ``{version}`` in it is *version*'s number.

    Raises ReleaseError if it is longer than any name.
    """
    if len(pattern) > LONGEST_NAME:
        raise ReleaseError(
            "a pattern on names of assets is too long",
            expected=f"at most {LONGEST_NAME} characters",
            found=f"{len(pattern)}",
        )
    return re.compile(fnmatch.translate(pattern.replace("{version}", glob.escape(release_number(version)))))


def pattern_of(name: str, version: str) -> str:
    """Return the manifest's shell glob that matches only the asset *name*, and its successors in other versions."""
    number = release_number(version)
    marked = name.replace(number, "\0") if number else name
    return glob.escape(marked).replace("\0", "{version}")
