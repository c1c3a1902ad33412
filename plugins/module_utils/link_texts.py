# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the link to a program say, and to which tool does a link belong? Pure; runs on hosts and on the controller.

Where root and the link lie in one tree (/build/image/opt and /build/image/usr/bin), the link is relative: that tree may
be moved, restored or packed as an image. The whole system is no such tree: there a link says the full path.
"""

import hashlib
import posixpath
import shlex
import typing as t

_WRAPPER = """#!/bin/sh
# Made by pinned.release: this program looks for files beside its own path.
program={0}
exec "${{program%/*}}/$(readlink "$program")" "$@"
"""


def link_to(root: str, folder: str, tool: str, name: str) -> str:
    """Return the text of the link *name* in *folder* to a program of *tool*, or, of a path, to another file of it.

    *root* and *folder* are absolute paths without links.
    """
    target = _target(root, tool, name)
    return target if posixpath.commonpath([root, folder]) == "/" else posixpath.relpath(target, folder)


def wrapper(root: str, folder: str, tool: str, name: str, is_relative: bool) -> str:
    """Return the script that stands in *folder* in place of a link, for a program that looks for files beside ``$0``.

    It starts the program by its own path below ``current``, so that it says the same for all versions.
    """
    target = _target(root, tool, name)
    program = shlex.quote(target)
    if is_relative:
        program = '"$(dirname "$(readlink -f "$0")")"/' + shlex.quote(posixpath.relpath(target, folder))
    return _WRAPPER.format(program)


def is_wrapper(sha256: str, root: str, folder: str, tool: str, name: str) -> bool:
    """Tell whether a file with the digest *sha256* in *folder* is the wrapper of *tool*'s program *name*."""
    texts = (wrapper(root, folder, tool, name, is_relative) for is_relative in (True, False))
    return sha256 in (hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() for text in texts)


def leads_to(text: str, root: str, folder: str, tool: str, name: str) -> bool:
    """Tell whether a link with *text* in *folder* leads to *tool*'s *name*: relative or not, both are right."""
    target = _target(root, tool, name)
    return text in (target, posixpath.relpath(target, folder))


def owner_of_link(text: str, root: str, folder: str) -> t.Optional[str]:
    """Return the tool that a link with *text* in *folder* belongs to, None if it is none of those below *root*."""
    target = text if text.startswith("/") else posixpath.normpath(posixpath.join(folder, text))
    begin = "{0}/current/".format(root)
    return target[len(begin) :].split("/")[0] if text and target.startswith(begin) else None


def _target(root: str, tool: str, name: str) -> str:
    return "/".join([root, "current", tool, "files" if "/" in name else "bin", name])
