# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a note of ours below root say? Runs on hosts.

Root may have been somebody else's before. What they left in the place of a note says nothing: a link to a file that
only root may read, a FIFO, a file without end.
"""

import os
import stat

from ansible_collections.pinned.release.plugins.module_utils import chain
from ansible_collections.pinned.release.plugins.module_utils.orders import FORBIDDEN_MODE

MOST_BYTES = 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read(path: str) -> bytes:
    """Return what the note *path* says; nothing where there is none, or one that is not ours, or not of such a size.

    Ours is a regular file of root's or of the user who runs, in which nobody else can write.
    """
    content = _start(path)
    return content if len(content) <= MOST_BYTES else b""


def first_line(path: str) -> bytes:
    """Return the first line of the note *path*, however long the note is; nothing where read() would not read it."""
    return _start(path).split(b"\n")[0][:MOST_BYTES]


def _start(path: str) -> bytes:
    try:
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            found = os.fstat(file.fileno())
            is_note = stat.S_ISREG(found.st_mode) and chain.is_ours(found) and not found.st_mode & FORBIDDEN_MODE
            return file.read(MOST_BYTES + 1) if is_note else b""
    except OSError:
        return b""
