# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where may the controller keep what it fetched, so that nobody else can have put it there? Runs on the controller.

Follows the XDG Base Directory Specification, after ``PINNED_RELEASE_CACHE``.

Three rules keep other users of the controller out. Every folder from ``/`` to the cache belongs to this user or to
root, and others can exchange nothing in it. The cache and its folders can be written by nobody else, and none of them
is a link. A file in them is opened without following a link, and only if it is a plain file of this user.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import shlex
import stat
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

#: As many links as Linux follows in one path.
LINKS_LIMIT = 40
#: What the operating system answers for a link, a socket, or a file of somebody else.
_NOT_OURS = frozenset({errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EACCES})
_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_ELSEWHERE = "name another folder in PINNED_RELEASE_CACHE"


def default_cache_root() -> Path:
    """Return ``$PINNED_RELEASE_CACHE``, or ``pinned.release`` in the user's cache folder (XDG Base Directory).

    Raises ReleaseError where neither is set and the user has no home.
    """
    chosen = os.environ.get("PINNED_RELEASE_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        # The specification says that a relative path is to be ignored.
        return (Path(shared) if os.path.isabs(shared) else Path("~/.cache").expanduser()) / "pinned.release"
    except RuntimeError:  # a container may run as a user that nothing knows
        raise ReleaseError(
            "this user has no home folder to keep a cache in", fix="name a folder in PINNED_RELEASE_CACHE"
        ) from None


def private_folder(root: Path, *names: str, create: bool = True) -> Path:
    """Return the folder *names* below the cache *root*, without links, after seeing that it is this user's alone.

    What is missing is created for this user alone, unless *create* is false. Raises ReleaseError where another user
    could change what lies there, OSError where the operating system refuses, FileNotFoundError where it is not there.
    """
    top = folder = _resolved(root, create)
    for name in names:
        folder = folder / name
        found = _seen(folder, create)
        if stat.S_ISLNK(found.st_mode):
            raise ReleaseError(
                f"{folder} in the cache is a link, which would lead what is kept there to another place",
                expected="a folder",
                found=f"a link to {os.readlink(folder)}",
                fix=f"remove it:  rm {shlex.quote(str(folder))}",
            )
        _require_private(folder, found, top)
    return folder


def open_to_read(path: Path) -> BinaryIO:
    """Open the file at *path*, which lies in a private folder. Anything but a plain file of ours counts as missing.

    Raises OSError; FileNotFoundError for what is missing, a link, a device, a file of another user.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _OPEN)
    except OSError as error:
        raise _missing(path) if error.errno in _NOT_OURS else error from None
    if not _is_ours(descriptor):
        os.close(descriptor)
        raise _missing(path)
    return open(descriptor, "rb")


def open_to_write(path: Path) -> BinaryIO:
    """Open the file at *path*, which lies in a private folder, to read and write; it is created where it is missing.

    What is there and is no plain file of ours, as a link is not, is removed first. Raises OSError if the system
    refuses.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _OPEN, 0o600)
        # A second name of a file would change with it.
        if _is_ours(descriptor) and os.fstat(descriptor).st_nlink == 1:
            return open(descriptor, "r+b")
        os.close(descriptor)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
    path.unlink()
    return open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN, 0o600), "r+b")


def write_atomically(path: Path, content: bytes, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Write *content* to *path* so that a reader, or a power cut, sees all of it or none.

    *owner* is the user and group that the file is given to, if this process may: root may. Raises OSError if the system
    refuses; *path* is then as it was.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), *(owner or (-1, -1)))
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def mode_of(path: Path) -> int:
    """Return the mode that a user's file *path* is written with: the one that it has, or what the umask gives."""
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):
            return stat.S_IMODE(found.st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def forget_unused(folder: Path, days: int) -> None:
    """Delete what was not written for so many *days* in the private *folder*. Raises OSError if it cannot be read."""
    oldest = time.time() - days * 24 * 60 * 60
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime < oldest:
                path.unlink()


def _resolved(root: Path, create: bool) -> Path:
    """Return *root* without links, each step of the way seen to be out of the reach of other users."""
    here = Path("/")
    steps = list(reversed(root.absolute().parts[1:]))
    links = 0
    _require_kept(here, here.lstat(), root)
    while steps:
        step = steps.pop()
        if step == "..":
            here = here.parent
            continue
        place = here / step
        found = _seen(place, create)
        if not stat.S_ISLNK(found.st_mode):
            here = place
            (_require_kept if steps else _require_private)(here, found, root)
            continue
        _require_owner(place, found, root)
        links += 1
        if links > LINKS_LIMIT:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(place))
        target = Path(os.readlink(place))
        here = Path("/") if target.is_absolute() else here
        steps += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return here


def _seen(folder: Path, create: bool) -> os.stat_result:
    """Return what *folder* is, a link not followed, after creating it if it is missing.

    Raises OSError if the system refuses, NotADirectoryError for what is neither a folder nor a link.
    """
    if create and not os.path.lexists(folder):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) and not stat.S_ISLNK(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return found


def _require_owner(place: Path, found: os.stat_result, root: Path) -> None:
    if found.st_uid not in (0, os.geteuid()):
        raise ReleaseError(
            f"the cache {root} can be exchanged by another user, to whom {place} belongs",
            expected=f"a way to the cache that belongs to user {os.geteuid()} or to root",
            found=f"owner {found.st_uid}",
            fix=_ELSEWHERE,
        )


def _require_kept(above: Path, found: os.stat_result, root: Path) -> None:
    """Raise ReleaseError if another user could exchange what lies in *above*, a folder on the way to the cache.

    Where all may write but the sticky bit is set, as in /tmp, each may only exchange what is theirs (unlink(2)).
    """
    _require_owner(above, found, root)
    is_shared = found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid))
    if is_shared and not found.st_mode & stat.S_ISVTX:
        command = f"chmod go-w {shlex.quote(str(above))}"
        as_owner = "" if os.geteuid() in (0, found.st_uid) else "as root, "
        raise ReleaseError(
            f"the cache {root} can be exchanged by other users, who may write to {above}",
            found=f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}",
            fix=f"{as_owner}run:  {command}  (or {_ELSEWHERE})",
        )


def _require_private(folder: Path, found: os.stat_result, root: Path) -> None:
    """Raise ReleaseError if anybody but this user and root could have put anything into *folder* of the cache."""
    is_ours = found.st_uid in (0, os.geteuid())
    if is_ours and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    place = shlex.quote(str(root))
    command = f"chmod -R go-w {place}" if is_ours else f"chown -R {os.geteuid()} {place} && chmod -R go-w {place}"
    as_root = "" if os.geteuid() in (0, found.st_uid) else "as root, "
    raise ReleaseError(
        f"the cache folder {folder} can be written by other users, who could put anything into it",
        found=f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}",
        fix=f"{as_root}run:  {command}  (or {_ELSEWHERE})",
    )


def _is_own_group(gid: int) -> bool:
    """Tell whether a user's group is that user's alone: many systems make one, and let it write what it creates."""
    if os.geteuid() == 0:
        return False
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return gid == 0 or (group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name})


def _is_ours(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    return stat.S_ISREG(found.st_mode) and found.st_uid in (0, os.geteuid())


def _missing(path: Path) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
