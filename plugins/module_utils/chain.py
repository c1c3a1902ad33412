# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can anybody else change what lies in this folder, or exchange the folder itself? Runs on hosts.

A folder is only as good as each one above it: who may write /srv can put another folder in the place of /srv/tools. So
every folder from / on belongs to root or to the user who runs, and nobody else may write it. There are two exceptions:

- A *sticky* folder such as /tmp, on the way only: there an entry of ours can be exchanged by nobody else.
- A folder that a *harmless group* may write: a local group without any other member, as each user has on some systems,
  and staff on Debian.

Symbolic links on the way are held to the same rules as folders, and followed step by step; none may lie in a sticky
folder, since one of root's can be moved there by who owns the folder that it was made in. What is returned has none.
probe.sh has the same rules, in shell: nothing is believed, written or deleted outside of such a chain.
"""

import errno
import os
import pwd
import stat
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

GROUPS, ACCOUNTS = "/etc/group", "/etc/passwd"
#: As many as the kernel follows (path_resolution(7)).
MAX_LINKS = 40
#: What sets an access control list beside a mode on Linux (acl(5)).
ACCESS_LIST, DEFAULT_LIST = "system.posix_acl_access", "system.posix_acl_default"


def established(folder: str, option: str) -> t.Tuple[str, t.Optional[str]]:
    """Return the physical path of *folder*, an absolute one, made where it is missing; and the topmost that was made.

    Raises ReleaseError, which speaks of the *option* that names the folder, where somebody else could change it.
    """
    place, missing = look(folder, option)
    made = None
    for name in missing:
        _refuse_if_changed_by_others(place, os.lstat(place), option, is_on_the_way=True)
        place = os.path.join(place, name)
        try:
            os.mkdir(place, 0o755)
            made = made or place
        except FileExistsError:
            pass  # somebody was faster: what they made is looked at like anything that was there
    refuse_if_changed_by_others(place, option)
    return place, made


def look(folder: str, option: str) -> t.Tuple[str, t.List[str]]:
    """Return how far *folder* exists, as a physical path, and the names below it that do not. Make nothing.

    Raises ReleaseError where somebody else could change what exists.
    """
    place, missing = _followed(folder, option)
    if not missing:
        refuse_if_changed_by_others(place, option)
    return place, missing


def refuse_if_changed_by_others(folder: str, option: str) -> None:
    """Raise ReleaseError unless *folder*, in a place that is good itself, is one that nobody else can change."""
    _refuse_if_changed_by_others(folder, os.lstat(folder), option, is_on_the_way=False)


def _followed(folder: str, option: str) -> t.Tuple[str, t.List[str]]:
    """Follow *folder* step by step, each a link or a folder on the way, as far as it exists."""
    place = "/"
    to_do = folder.split("/")[::-1]
    links = 0
    _refuse_if_changed_by_others(place, os.lstat(place), option, is_on_the_way=True)
    while to_do:
        name = to_do.pop()
        if name in ("", "."):
            continue
        if name == "..":  # of a link: it leads to a folder that was passed, since place is physical
            place = os.path.dirname(place)
            continue
        step = os.path.join(place, name)
        try:
            found = os.lstat(step)
        except FileNotFoundError:
            return place, _plain([name, *to_do[::-1]], folder, option)
        if stat.S_ISLNK(found.st_mode):
            links += 1
            text = _text_of_link(step, found, links, option)
            _refuse_if_moved(step, os.lstat(place), option)
            place = "/" if text.startswith("/") else place
            to_do.extend(text.split("/")[::-1])
            continue
        _refuse_if_changed_by_others(step, found, option, is_on_the_way=True)
        place = step
    return place, []


def _refuse_if_moved(link: str, folder: os.stat_result, option: str) -> None:
    """Refuse a *link* in a sticky *folder*: whoever owns the folder that root made it in can move it there."""
    if folder.st_mode & stat.S_ISVTX and folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ReleaseError(
            "{0} is a link in a folder that others can write, so nothing below it can be trusted".format(link),
            expected="a folder",
            found="a link that anybody may have moved there",
            fix="name the folder that it leads to, or choose another {0}".format(option),
        )


def _plain(names: t.List[str], folder: str, option: str) -> t.List[str]:
    """Return the *names* that are to be made. A link to what is not there must not lead up again."""
    if ".." in names:
        raise ReleaseError(
            "{0} leads over a link to a folder that does not exist".format(folder),
            found="/".join(names),
            fix="make that folder, or choose another {0}".format(option),
        )
    return [name for name in names if name not in ("", ".")]


def _text_of_link(link: str, found: os.stat_result, count: int, option: str) -> str:
    if not is_ours(found):
        raise _of_somebody_else(link, found, option, "link")
    if count > MAX_LINKS:
        raise ReleaseError(
            "{0} is a link that leads to links without end".format(link),
            fix="remove it, or choose another {0}".format(option),
        )
    return os.readlink(link)


def is_ours(found: os.stat_result) -> bool:
    """Tell whether what was *found* belongs to root or to the user who runs."""
    return found.st_uid in (0, os.geteuid())


def _refuse_if_changed_by_others(folder: str, found: os.stat_result, option: str, is_on_the_way: bool) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise ReleaseError(
            "{0} is no folder".format(folder),
            found="a link" if stat.S_ISLNK(found.st_mode) else "a file",
            fix="remove it, or choose another {0}".format(option),
        )
    if not is_ours(found):
        raise _of_somebody_else(folder, found, option, "folder")
    if is_on_the_way and found.st_mode & stat.S_ISVTX:
        return
    if found.st_mode & stat.S_IWOTH:
        raise _written_by_others(folder, found, option, who="everyone", change="o-w")
    if found.st_mode & stat.S_IWGRP:
        reason = harm_of_group(found.st_gid) or _access_list(folder)
        if reason:
            group = "group {0}".format(found.st_gid)
            raise _written_by_others(folder, found, option, who=group, change="g-w", reason=reason)


def _of_somebody_else(path: str, found: os.stat_result, option: str, kind: str) -> ReleaseError:
    return ReleaseError(
        "{0} belongs to the user {1}, so nothing below it can be trusted".format(path, found.st_uid),
        expected="a {0} of root's, or of the user {1}, who runs".format(kind, os.geteuid()),
        found="one of {0}".format(_user_name(found.st_uid) or "a user without an account"),
        fix="run as that user (become_user), chown it to root, or choose another {0}".format(option),
    )


def _written_by_others(
    folder: str, found: os.stat_result, option: str, *, who: str, change: str, reason: str = ""
) -> ReleaseError:
    mode = "mode {0:04o}".format(stat.S_IMODE(found.st_mode))
    return ReleaseError(
        "{0} can be written by {1}, so nothing below it can be trusted".format(folder, who),
        expected="a folder that only root or the user {0}, who runs, can change".format(os.geteuid()),
        found="{0}; {1}".format(mode, reason) if reason else mode,
        fix="chmod {0} {1}, or choose another {2}".format(change, folder, option),
    )


def harm_of_group(gid: int) -> t.Optional[str]:
    """Return why the group *gid* may hold somebody else than root and the user who runs; None if it holds nobody else.

    The local files decide: of what a directory service adds, nobody can tell that it is all.
    """
    mine = {"root", _user_name(os.geteuid())}
    groups = [fields for fields in _records(GROUPS, 4) if fields[2] == str(gid)]
    if not groups:
        return "that group is not in {0}".format(GROUPS)
    for name, _password, _gid, members in (fields[:4] for fields in groups):
        others = sorted(set(filter(None, members.split(","))) - mine)
        if others:
            return "{0} is a member of the group {1}".format(others[0], name)
    for fields in _records(ACCOUNTS, 4):
        if fields[3] == str(gid) and fields[2] not in ("0", str(os.geteuid())):
            return "the group {0} is that of {1}".format(groups[0][0], fields[0])
    return None


def _records(path: str, least: int) -> t.Iterator[t.List[str]]:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.rstrip("\n").split(":")
            if len(fields) >= least:
                yield fields


def _user_name(uid: int) -> t.Optional[str]:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _access_list(folder: str) -> t.Optional[str]:
    return "it has an access control list" if ACCESS_LIST in extended(folder) else None


def extended(path: t.Union[str, bytes]) -> t.FrozenSet[str]:
    """Return the names of *path*'s extended attributes, a link's own for a link. Where Python has no call: none."""
    if not hasattr(os, "listxattr"):
        return frozenset()
    try:
        return frozenset(os.listxattr(path, follow_symlinks=False))
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return frozenset()
        raise
