# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where does what lie below one root, and who else works there now? Runs on hosts.

    ROOT/store/TOOL/TREE/{libexec/…, bin/PROGRAM, listing, receipt.json}   complete before it gets this name
    ROOT/store/TOOL/TREE/{tree -> libexec/FOLDER, files/PATH}              files/ only if there are any
    ROOT/current/TOOL -> ../store/TOOL/TREE                                the switch: one rename(2)
    ROOT/staging/…   ROOT/seals/…   ROOT/asked/…   ROOT/lock              work in progress; see seal.py; flock(2)
    ROOT/modulefiles/…   ROOT/tool_cache/…                                for other tools; see layouts.py
    BIN_DIR/PROGRAM -> ROOT/current/TOOL/bin/PROGRAM                       or a copy of it (see outside.py)
    BIN_DIR/../PATH -> ROOT/current/TOOL/files/PATH                        share/man/man1/uv.1

Below ROOT there are no links but those, and no folder that somebody else could change (see chain.py).
"""

import contextlib
import errno
import fcntl
import os
import stat
import time
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import chain
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.labels import set_labels
from ansible_collections.pinned.release.plugins.module_utils.names import TREE
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders

LOCK_TIMEOUT_S = 900


class Place(t.NamedTuple):
    """One root and one bin_dir: physical paths, in chains of folders that nobody else can change.

    named_root, named_bin_dir   the same folders as the orders name them: so they stand in links and in the seal
    """

    root: str
    bin_dir: str
    named_root: str
    named_bin_dir: str

    @property
    def staging(self) -> str:
        """The folder of what is not yet complete."""
        return os.path.join(self.root, "staging")

    @property
    def store(self) -> str:
        """The folder of all versions of all tools."""
        return os.path.join(self.root, "store")

    @property
    def current(self) -> str:
        """The folder of the links to the active versions."""
        return os.path.join(self.root, "current")

    @property
    def prefix(self) -> str:
        """The folder that bin_dir lies in."""
        return os.path.dirname(self.bin_dir)

    def versions(self, tool: str) -> str:
        """Return the folder of all versions of *tool*."""
        return os.path.join(self.store, tool)

    def tree(self, tool: str, name: str) -> str:
        """Return the folder of the version of *tool* whose tree is called *name*."""
        return os.path.join(self.store, tool, name)

    def switch(self, tool: str) -> str:
        """Return the link to the active version of *tool*."""
        return os.path.join(self.current, tool)

    def link(self, name: str) -> str:
        """Return the place of the link *name*: in bin_dir, or, of a path, below the folder that bin_dir lies in."""
        return os.path.join(self.prefix if "/" in name else self.bin_dir, name)

    def named_link(self, name: str) -> str:
        """Return the place of the link *name* as the orders name its folder."""
        return os.path.join(os.path.dirname(self.named_bin_dir) if "/" in name else self.named_bin_dir, name)

    def active(self, tool: str) -> t.Optional[str]:
        """Return the name of the active tree of *tool*, None if none is, or the link leads to no tree of it."""
        try:
            text = os.readlink(self.switch(tool))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINVAL):
                return None
            raise
        begin = "../store/{0}/".format(tool)
        tree = text[len(begin) :]
        return tree if text.startswith(begin) and TREE.match(tree) else None


def established(orders: Orders) -> Place:
    """Return the place of *orders*, its folders made where they are missing.

    Raises ReleaseError where somebody else could change one of them, or one of the folders above: then nothing of what
    is there is believed, written or deleted.
    """
    _refuse_changed_by_others(orders)
    root, made_root = chain.established(orders.root, "root")
    bin_dir, made_bin_dir = chain.established(orders.bin_dir, "bin_dir")
    place = Place(root, bin_dir, orders.root, orders.bin_dir)
    made = [made_root, made_bin_dir]
    made += [_own_folder(folder) for folder in (place.staging, place.store, place.current)]
    set_labels([folder for folder in made if folder])
    # What is made in staging must have its mode and nothing else, whatever list the folders above hand down.
    for attribute in chain.extended(place.staging) & {chain.ACCESS_LIST, chain.DEFAULT_LIST}:
        os.removexattr(place.staging, attribute)
    return place


def _refuse_changed_by_others(orders: Orders) -> None:
    """Look at all that is there, before the first folder is made."""
    root, missing = chain.look(orders.root, "root")
    bin_dir, _missing = chain.look(orders.bin_dir, "bin_dir")
    if missing:
        return
    place = Place(root, bin_dir, orders.root, orders.bin_dir)
    tools = [place.versions(order.tool) for order in orders.tools]
    for folder in [place.staging, place.store, place.current, *tools]:
        with contextlib.suppress(FileNotFoundError):
            chain.refuse_if_changed_by_others(folder, "root")


def _own_folder(folder: str) -> t.Optional[str]:
    """Make *folder*; return it if it was not there. What is there may be a link: it is not followed."""
    made = None
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o755)
        made = folder
    chain.refuse_if_changed_by_others(folder, "root")
    return made


@contextlib.contextmanager
def locked(place: Place) -> t.Iterator[None]:
    """Hold the root's lock: a second run waits for the first.

    Raises ReleaseError when another run has held it too long, or where the lock is no file of ours. Nobody else may
    open it: whoever can holds it as long as they like.
    """
    path = os.path.join(place.root, "lock")
    descriptor = _opened(path)
    try:
        _wait(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _opened(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO):
            raise
        raise _no_lock(path)
    found = os.fstat(descriptor)
    # A file with another name is another file's as well: its mode is none of ours to change.
    if not stat.S_ISREG(found.st_mode) or not chain.is_ours(found) or found.st_nlink != 1:
        os.close(descriptor)
        raise _no_lock(path)
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != 0o600:
        os.fchmod(descriptor, 0o600)
    return descriptor


def _no_lock(path: str) -> ReleaseError:
    return ReleaseError(
        "{0} cannot be the lock of its root".format(path),
        expected="a file of root's, or of the user {0}, who runs, with no other name".format(os.geteuid()),
        found="a link, a folder, or something else that is none",
        fix="find out who put it there, and remove it",
    )


def _wait(descriptor: int, path: str) -> None:
    deadline_s = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        if time.monotonic() > deadline_s:
            raise ReleaseError(
                "another run has held {0} for {1} seconds".format(path, LOCK_TIMEOUT_S),
                fix="see which process holds it (fuser {0}) and let it end".format(path),
            )
        time.sleep(0.1)
