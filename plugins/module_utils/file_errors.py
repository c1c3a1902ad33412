# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the operating system's refusal of a file mean to the user? Runs on hosts and on the controller."""

import errno
import os

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

_NO_ROOM = "make room on its file system, or choose another place"
_NOT_ALLOWED = "let this user read or write there, run with become, or choose another place"
_FIXES = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: "raise the user's quota, or choose another place",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), or choose another file system",
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: "choose a place on a file system that can be written",
    errno.ENOENT: "check the path",
}


def file_error(action: str, path: str, error: OSError) -> ReleaseError:
    """Return the error that tells why *action* (``"write"``) failed on *path*, and what to do about it."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return ReleaseError(
        "cannot {0} {1}: {2}".format(action, ascii(path)[1:-1], reason), fix=_FIXES.get(error.errno or 0)
    )
