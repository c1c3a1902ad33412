# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are the files that people keep, manifest and lock file above all, read and written? Runs on the controller.

Only regular files are: a pipe would be waited for without end, and root would put a lock file in the place of a device.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import mode_of, write_atomically
from ansible_collections.pinned.release.plugins.plugin_utils._values.near_files import beside, beside_one
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice

LOCK_FILE = "lock file"
COMPONENTS = "file of components"
MANIFEST = "manifest"
FOREIGN = "lock file of another tool"
EXPORT = "exported lock file"
TRUST_ROOT = "trust root"
REPORT = "report"
CATALOGUE = "catalogue"
_IF_MISSING = {
    LOCK_FILE: "make it with pinned.release.lock",
    MANIFEST: "write one",
    FOREIGN: "give its path",
    TRUST_ROOT: "let gh attestation trusted-root write it",
    REPORT: "make it with pinned.release.report",
    CATALOGUE: "write one",
}
_OPTIONS = {
    LOCK_FILE: "lockfile",
    COMPONENTS: "lockfile",
    MANIFEST: "manifest",
    FOREIGN: "import, which is import_from in the playbook lock",
    EXPORT: "export",
    TRUST_ROOT: "trust_root",
    REPORT: "reports, whose folder is dest in the playbook ask",
    CATALOGUE: "catalogue",
}
_ENDINGS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
#: The roles of this collection, in which nobody keeps files.
_OWN_ROLES = Path(__file__).absolute().parents[3] / "roles"
_MAKE_READABLE = "make it readable UTF-8 text"
_NAME_A_FILE = "give the path of a regular file"


def read(path: Path, kind: str) -> str:
    """Return the text of *path*, a *kind* of file. Raises ReleaseError that says to make it or to name another."""
    text = read_if_there(path, kind)
    if text is None:
        raise missing(path, kind)
    return text


def missing(path: Path, kind: str, places: Sequence[str] = (), passed_by: Path | None = None) -> ReleaseError:
    """Return the error for a *kind* of file that should be at *path*, and is at none of the *places* looked at.

    A file of that name where nobody looks, *passed_by*, is most often the one that is meant.
    """
    found = f"{os.strerror(errno.ENOENT)}{beside(path)}"
    if len(places) > 1:
        found = f"none at {', nor at '.join(places)}{beside_one(path, places)}"
    fix = f"if {passed_by} is meant, give that whole path" if passed_by else _IF_MISSING[kind]
    if path.is_relative_to(_OWN_ROLES):
        meant = "/".join(path.relative_to(_OWN_ROLES).parts[1:])
        fix = f"write {meant}, which is looked for in your own role: role_path is that of the role which is used"
    return _unreadable(path, kind, found, fix)


def read_if_there(path: Path, kind: str) -> str | None:
    """Return the text of *path*, None where there is nothing. Raises ReleaseError for what is no file, or no text."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            found = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
            raise _unreadable(path, kind, found, _NAME_A_FILE)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or str(error)
        is_file = isinstance(error, (PermissionError, UnicodeDecodeError))
        raise _unreadable(path, kind, found, _MAKE_READABLE if is_file else _NAME_A_FILE) from error


def refuse_hopeless_place(path: Path) -> None:
    """Raise ReleaseError where no lock file can be made, so that it is told before anything is downloaded."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise _unwritable(path, errno.ENOENT)
    if not os.access(folder, os.W_OK):
        raise _unwritable(path, errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES)


def write_lock(path: Path, text: str) -> None:
    """Write *text* to the lock file at *path*, as write() does. Raises ReleaseError if the system refuses."""
    write(path, text, LOCK_FILE)


def write(path: Path, text: str, kind: str) -> None:
    """Write *text* to *path*, a *kind* of file, whole or not at all. Raises ReleaseError if the system refuses.

    What a link leads to is replaced, not the link; a new file has the mode that the umask gives, one that is
    there keeps its and, if root writes, its owner.
    """
    try:
        before = path.stat() if path.exists() else None
        owner = (before.st_uid, before.st_gid) if before else None
        target = path.resolve()
        with _endings_held():
            write_atomically(target, text.encode(), mode_of(target), owner)
    except OSError as error:
        raise _unwritable(path, error.errno or errno.EIO, kind) from error


@contextlib.contextmanager
def _endings_held() -> Iterator[None]:
    """Let whoever ends this process wait for the moment that a write takes, so that no half of it is left behind."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _unreadable(path: Path, kind: str, found: str, remedy: str) -> ReleaseError:
    fix = f"{remedy}, or {_another(kind)}"
    return ReleaseError(f"cannot read the {kind} {path}", found=found, fix=fix)


def _unwritable(path: Path, number: int, kind: str = LOCK_FILE) -> ReleaseError:
    """Return the error for the operating system's refusal *number* to write *path*, a *kind* of file."""
    fix = advice(number, _another(kind))
    return ReleaseError(f"cannot write the {kind} {path}", found=os.strerror(number), fix=fix)


def _another(kind: str) -> str:
    """Return what else to do about a *kind* of file: its place follows from that of the lock file, or has an option."""
    if kind == CATALOGUE:
        return "name another under catalogue"
    return f"name another{' lock file' if kind == COMPONENTS else ''} in the option {_OPTIONS[kind]}"
