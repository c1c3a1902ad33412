# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do the programs of a tree get exactly the capabilities that were ordered? Runs on hosts, while ROOT/lock is held.

They are set after everything else: chown(2) and write(2) take them away. Only the active version has any, so that
nobody can start an older one with them, in the store or by a hard link of their own.
"""

import contextlib
import errno
import json
import os
import stat
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import capabilities
from ansible_collections.pinned.release.plugins.module_utils.capabilities import ATTRIBUTE
from ansible_collections.pinned.release.plugins.module_utils.orders import ToolOrder
from ansible_collections.pinned.release.plugins.module_utils.place import Place

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HAS_NONE = (errno.ENODATA, errno.EOPNOTSUPP, errno.ENOSYS)
_MAX_RECEIPT_BYTES = 64 * 1024


def give(tree: str, order: ToolOrder, root: str) -> None:
    """Give each program of *tree* the capabilities of *order*, and no others. The tree was verified in this run.

    Raises ReleaseError where this user, system or file system cannot.
    """
    if order.capabilities and not hasattr(os, "setxattr"):
        raise capabilities.refusal(root, capabilities.NOT_LINUX)
    if order.capabilities and os.statvfs(tree).f_flag & os.ST_NOSUID:
        raise capabilities.refusal(root, capabilities.NOSUID)
    ordered = {order.programs[name].path: text for name, text in order.capabilities.items()}
    for path in sorted({program.path for program in order.programs.values()}):
        text = ordered.get(path)
        value = capabilities.to_bytes(capabilities.parse(text)) if text else None
        descriptor = os.open(os.path.join(tree, "libexec", path), _FLAGS)
        try:
            _set(descriptor, value, root)
        finally:
            os.close(descriptor)


def withdraw(order: ToolOrder, place: Place) -> None:
    """Take the capabilities of all versions of *order*'s tool but the active one away, before any is deleted.

    Which ones have any, their receipts say. The folders are walked without following a link.
    """
    versions = place.versions(order.tool)
    active = place.active(order.tool)
    for name in os.listdir(versions) if os.path.isdir(versions) else ():
        tree = os.path.join(versions, name)
        # os.fwalk() before Python 3.13 waits for ever where a FIFO is, and calls itself for each folder in another:
        # what is nested too deep for that cannot be deleted either, which durable.py tells.
        if name != active and os.path.isdir(tree) and not os.path.islink(tree) and _had_some(tree):
            with contextlib.suppress(RecursionError):
                for _folder, _folders, files, inside in os.fwalk(tree):
                    for file in files:
                        _take(file, inside)


def _set(descriptor: int, value: t.Optional[bytes], root: str) -> None:
    """Make *value* the attribute of the open file, None for none; nothing is written where it is so already."""
    if _value(descriptor) == value:
        return
    try:
        if value is None:
            _remove(descriptor)
        else:
            os.setxattr(descriptor, ATTRIBUTE, value)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise capabilities.refusal(root, capabilities.NO_RIGHT)
        if error.errno in _HAS_NONE:
            raise capabilities.refusal(root, capabilities.NO_ATTRIBUTES)
        raise
    os.fsync(descriptor)


def _remove(descriptor: int) -> None:
    """Let chown(2) take them away: the owner of a file may do that. For removexattr(2), CAP_SETFCAP is needed."""
    os.chown(descriptor, -1, os.fstat(descriptor).st_gid)


def _value(descriptor: int) -> t.Optional[bytes]:
    if not hasattr(os, "getxattr"):
        return None
    try:
        return os.getxattr(descriptor, ATTRIBUTE)
    except OSError as error:
        if error.errno in _HAS_NONE:
            return None
        raise


def _had_some(tree: str) -> bool:
    """Tell whether the receipt of *tree* says so. One that cannot be read, a FIFO included, says that it may."""
    try:
        with os.fdopen(os.open(os.path.join(tree, "receipt.json"), _FLAGS), "rb") as file:
            receipt = json.loads(file.read(_MAX_RECEIPT_BYTES).decode("utf-8"))
        return bool(receipt.get("capabilities"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return True


def _take(name: str, inside: int) -> None:
    """Take them from the file *name* of the open folder *inside*; what is no file, or cannot be opened, has none."""
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode):
            return
        descriptor = os.open(name, _FLAGS, dir_fd=inside)
        try:
            if _value(descriptor) is not None:
                _remove(descriptor)
        finally:
            os.close(descriptor)
