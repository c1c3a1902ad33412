# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are orders carried out so that a host always has the old version or the new one, whole? Runs on hosts.

Everything is complete in the store before anything is switched (stage.py), each tool switches with one rename(2)
(switch.py), and what was done is sealed last (seal.py). Whatever a killed run leaves behind lies in staging, which the
next run empties. What lies where, says place.py.
"""

import contextlib
import errno
import os
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import (
    accounts,
    file_capabilities,
    layout_files,
    link_folders,
    outside,
    place,
)
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.labels import set_labels
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed
from ansible_collections.pinned.release.plugins.module_utils.seal import seal
from ansible_collections.pinned.release.plugins.module_utils.stage import stage_all
from ansible_collections.pinned.release.plugins.module_utils.switch import (
    activate,
    links,
    prune,
    refuse_stale,
    remove,
)


class Done(t.NamedTuple):
    """What was done for one tool: how its asset came, as in Fetched, and foreign files set aside (path to backup)."""

    tool: str
    backups: t.Dict[str, str]
    bytes_fetched: int = 0
    seconds: float = 0.0
    served_by: t.Optional[int] = None
    failed: t.Sequence[str] = ()


def obey(orders: Orders, pushed: t.Optional[Pushed] = None) -> t.List[Done]:
    """Carry out *orders*: stage everything, then activate everything, then seal. Return what was done.

    *pushed* are the assets that came with the orders, in their order.
    Raises ReleaseError; until all is staged, nothing that a user sees has changed. Raises StaleError when another run
    changed the host since it was asked.
    """
    os.umask(0o022)
    with _changes_reported(orders):
        access = accounts.access(orders)
        here = place.established(orders)
        with place.locked(here):
            link_folders.refuse_changed_by_others(orders, here)
            layout_files.refuse_changed_by_others(orders, here)
            for order in orders.tools:
                refuse_stale(order, here)
            staged = stage_all(orders, here, access, pushed or Pushed())
            made = link_folders.establish(orders, here)
            if orders.shared:
                outside.refuse_absolute(orders, here)
            done = []
            for order in orders.tools:
                if order.tree:
                    tree, fetched = staged[order.tool]
                    done.append(Done(order.tool, activate(order, tree, here), *(fetched or ())))
                else:
                    remove(order, here)
                    done.append(Done(order.tool, {}))
            for order in orders.tools:
                file_capabilities.withdraw(order, here)
                made += layout_files.arrange(orders, order, here)
                prune(order, here)
            link_folders.tidy(orders, here)
            # Before the seal, which a change of labels breaks.
            set_labels(made + links(orders.tools, here))
            seal(orders, here)
    return done


@contextlib.contextmanager
def _changes_reported(orders: Orders) -> t.Iterator[None]:
    """Turn what the operating system refuses into an error that says where and what to do."""
    try:
        yield
    except OSError as error:
        # Of two names, as of a link and what it leads to, the second is the one that is made.
        where = error.filename2 or error.filename or orders.root
        advice = {
            errno.ENOSPC: "make room there, or choose another root or bin_dir",
            errno.EDQUOT: "raise the quota, or choose another root or bin_dir",
            errno.EACCES: "run with become, or choose a root and bin_dir that this user may write",
            errno.EPERM: "run with become; if the file is immutable, see chattr(1)",
            errno.EROFS: "choose a root and bin_dir on a file system that can be written",
            errno.ENOENT: "choose a root and bin_dir where folders can be made",
            errno.EEXIST: "choose a root and bin_dir that are folders",
            errno.ENOTDIR: "choose a root and bin_dir that are folders",
            errno.ENOLCK: "let the file server lock files (rpc.statd), or mount it with local_lock=flock on one writer",
        }
        raise ReleaseError(
            "cannot change {0}: {1}".format(where, os.strerror(error.errno or 0)), fix=advice.get(error.errno or 0)
        )
