# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a file or a link replaced so that a crash leaves the old one or the new one, whole? Runs on hosts.

Made beside, fsync(2), rename(2): what POSIX promises of rename(2) is what makes each step atomic. All of it happens in
folders that nobody else can change (see chain.py).
"""

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import chain
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

_BUFFER_BYTES = 1024 * 1024


def write(path: str, content: t.Iterable[bytes], staging: str) -> None:
    """Replace *path* by *content* in one step, with mode 0644; the new file grows in the folder *staging*."""
    descriptor, name = tempfile.mkstemp(dir=staging)
    with os.fdopen(descriptor, "wb") as handle:
        handle.writelines(content)
        handle.flush()
        os.fchmod(handle.fileno(), 0o644)
        os.fsync(handle.fileno())
    os.rename(name, path)


def replace_link(text: str, path: str) -> None:
    """Make *path* a symbolic link with *text* in one step, whatever link or file was there."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, ".{0}.pinned-release".format(name))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    os.symlink(text, beside)
    os.rename(beside, path)


def replace_copy(source: str, path: str, content: t.Optional[bytes] = None) -> None:
    """Make *path* a copy of the regular file *source*, with its mode and group, in one step, whatever was there.

    With *content*, it has that, and only mode and group are copied. It belongs to who runs, is made beside *path*, and
    gets no access control list from its folder.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, ".{0}.pinned-release".format(name))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    try:
        with _open_file(source) as original, _new_file(beside) as copy:
            if content is None:
                shutil.copyfileobj(original, copy, _BUFFER_BYTES)
            else:
                copy.write(content)
            copy.flush()
            _make_alike(os.fstat(original.fileno()), copy.fileno(), beside)
            os.fsync(copy.fileno())
        os.rename(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def _open_file(path: str) -> t.BinaryIO:
    """Open the file *path* for reading; no link is followed."""
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _new_file(path: str) -> t.BinaryIO:
    """Open *path*, where nothing may be, for writing."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb")


def _make_alike(original: os.stat_result, copy: int, path: str) -> None:
    if chain.ACCESS_LIST in chain.extended(path):
        os.removexattr(path, chain.ACCESS_LIST, follow_symlinks=False)
    if os.fstat(copy).st_gid != original.st_gid:
        os.fchown(copy, -1, original.st_gid)
    os.fchmod(copy, stat.S_IMODE(original.st_mode))


def make_folder(path: str) -> None:
    """Make the folder *path* with mode 0755 and no more: a set-group-ID bit of the folder above is not handed down."""
    os.mkdir(path, 0o755)
    os.chmod(path, 0o755)


def sync(folder: str) -> None:
    """Bring to disk what stands in *folder*."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(tree: str) -> None:
    """Bring to disk what stands in *tree* and all folders below."""
    for folder, _folders, _files in os.walk(tree):
        sync(folder)


def delete(path: str) -> None:
    """Delete the file or link *path*, or the folder with all that is in it; no link is followed.

    Raises ReleaseError where folders lie deeper in each other than Python can follow: about 1,000 before Python 3.13,
    and as many as files may be open (RLIMIT_NOFILE), because each level is held open.
    """
    if not os.path.isdir(path) or os.path.islink(path):
        os.unlink(path)
        return
    try:
        shutil.rmtree(path)
    except RecursionError:
        raise _too_deep(path)
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
        raise _too_deep(path)


def _too_deep(path: str) -> ReleaseError:
    return ReleaseError(
        "{0} cannot be deleted".format(path),
        expected="what installations leave there",
        found="folders in folders, deeper than Python can follow",
        fix="find out who made them; delete it with rm -r",
    )


def empty(folder: str) -> None:
    """Delete all that is in *folder*, and keep the folder. Raises ReleaseError as delete() does, or OSError."""
    for name in os.listdir(folder):
        delete(os.path.join(folder, name))
