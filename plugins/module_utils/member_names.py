# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names and links of an archive are harmless on every system? Pure; runs on hosts and on the controller.

A name is relative, plain, of a length that file systems take, and unique even where case does not count. A link stays
inside the tree when all links on its way are followed as the kernel would follow them in the finished tree.
"""

import posixpath
import re
import typing as t
import unicodedata

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tar import DIRECTORY, SYMLINK, Entry

#: What no real archive of programs comes near, and what a host's memory still holds.
MAX_MEMBERS = 50000
MAX_NAMES_BYTES = 8 * 1024 * 1024
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024

_DRIVE = re.compile(r"[A-Za-z]:")
_UNPLAIN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\]")
_MAX_SHOWN = 200
_MAX_LINK_HOPS = 40
_MAX_LINK_STEPS = 1000000


class MemberNames:
    """The names of one archive: each held to what is plain everywhere, to being unique, and links to staying inside."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._entries = 0
        self._bytes = 0
        self._claimed = {}  # type: t.Dict[str, t.Tuple[str, str]]
        self._links = {}  # type: t.Dict[str, t.Tuple[str, str]]
        self._steps_left = _MAX_LINK_STEPS

    def checked(self, name: str) -> str:
        """Return *name* as a plain relative path, "" for the root itself. Raises ReleaseError if it is not harmless."""
        self._refuse_unplain(name, name)
        if name.startswith("/"):
            raise refused(self._archive, name, "has an absolute path")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise refused(self._archive, name, "leads outside of its tree")
        if any(len(part.encode("utf-8")) > MAX_NAME_BYTES for part in parts):
            raise refused(self._archive, name, "has a name of more than {0} bytes".format(MAX_NAME_BYTES))
        return "/".join(parts)

    def claim(self, path: str, entry: Entry) -> None:
        """Let *entry* have *path*. Raises ReleaseError if a member has it or is in the way, or there are too many."""
        self._entries += 1
        if self._entries > MAX_MEMBERS:
            raise self._too_many()
        if not path:
            if entry.kind != DIRECTORY:
                raise refused(self._archive, entry.name, "has no name")
            return
        self._claim_parents(path)
        self._claim(path, entry.kind)
        if entry.kind == SYMLINK:
            self._refuse_unplain(entry.link_name, path)
            if not entry.link_name or entry.link_name.startswith("/"):
                raise refused(self._archive, path, "links to the absolute path {0}".format(shown(entry.link_name)))
            self._links[folded(path)] = (path, entry.link_name)

    def directories(self) -> t.List[str]:
        """Return all directories, those that only their members imply included, parents first."""
        return [path for path, kind in self._claimed.values() if kind == DIRECTORY]

    def resolved_links(self) -> t.List[t.Tuple[str, str]]:
        """Return each symbolic link with the path where it ends, after following the links on the way.

        Raises ReleaseError if one leads outside of the tree, or in a circle.
        """
        return [(path, self._followed(path)) for path, _target in self._links.values()]

    def _refuse_unplain(self, text: str, member: str) -> None:
        if _UNPLAIN.search(text):
            raise refused(self._archive, member, "has control characters or a backslash in its name or target")
        if _DRIVE.match(text):
            raise refused(self._archive, member, "begins with a drive letter")
        if len(text.encode("utf-8")) > MAX_PATH_BYTES:
            raise refused(self._archive, member, "has a path of more than {0} bytes".format(MAX_PATH_BYTES))

    def _claim_parents(self, path: str) -> None:
        missing = []
        parent = posixpath.dirname(path)
        while parent and self._claimed.get(folded(parent)) != (parent, DIRECTORY):
            missing.append(parent)
            parent = posixpath.dirname(parent)
        for parent in reversed(missing):
            self._claim(parent, DIRECTORY)

    def _claim(self, path: str, kind: str) -> None:
        key = folded(path)
        other, other_kind = self._claimed.get(key, ("", ""))
        if not other:
            self._bytes += len(path)
            if len(self._claimed) >= MAX_MEMBERS or self._bytes > MAX_NAMES_BYTES:
                raise self._too_many()
            self._claimed[path if key == path else key] = (path, kind)
        elif other != path:
            raise refused(
                self._archive,
                path,
                "cannot lie beside {0}: file systems that ignore case take them for one".format(shown(other)),
            )
        elif other_kind != DIRECTORY and kind == DIRECTORY:
            raise refused(self._archive, path, "is a {0}, and other members lie below it".format(other_kind))
        elif other_kind != DIRECTORY or kind != DIRECTORY:
            raise refused(self._archive, path, "is there twice")

    def _followed(self, link: str) -> str:
        done = []  # type: t.List[str]
        to_do = link.split("/")[::-1]
        hops = 0
        while to_do:
            self._steps_left -= 1
            step = to_do.pop()
            if step == ".." and not done:
                raise refused(self._archive, link, "is a link that leads outside of its tree")
            if step == "..":
                done.pop()
            elif step not in ("", "."):
                done.append(step)
                target = self._links.get(folded("/".join(done)))
                if target:
                    hops += 1
                    done.pop()
                    to_do.extend(target[1].split("/")[::-1])
            if hops > _MAX_LINK_HOPS or self._steps_left < 0:
                raise refused(self._archive, link, "is a link that leads to links without end")
        return "/".join(done) or "."

    def _too_many(self) -> ReleaseError:
        return ReleaseError(
            "{0} has more members than any real archive of programs".format(self._archive),
            expected="at most {0} members, with names of {1} bytes in all".format(MAX_MEMBERS, MAX_NAMES_BYTES),
        )


def refused(archive: str, member: str, reason: str) -> ReleaseError:
    """Return the error for a *member* of *archive* that must not be unpacked, for *reason*."""
    return ReleaseError(
        "{0}: the member {1} {2}".format(archive, shown(member), reason),
        fix="nothing of this archive was installed: tell its publisher, and pin another asset or version",
    )


def shown(text: str) -> str:
    """Return *text*, an untrusted name, for people: shortened and in ASCII."""
    return ascii(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")


def folded(path: str) -> str:
    """Return what a file system that ignores case and Unicode's ways of writing a letter makes of *path*."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
