# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which folders do the links to a tool's other files stand, and which of them did we make? Runs on hosts.

They lie below the folder that bin_dir lies in (share/man/man1), are shared with others, and are held to the rules of
chain.py like bin_dir itself. ROOT/made names those that we made, a line each: it is written before the first of them is
made. When the last link in one of them goes, it goes as well, if it is empty.
"""

import contextlib
import os
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import chain, durable, notes
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders
from ansible_collections.pinned.release.plugins.module_utils.place import Place
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import folders_of


def refuse_changed_by_others(orders: Orders, place: Place) -> None:
    """Raise ReleaseError where somebody else could change a folder that *orders* make or take links in."""
    for order in orders.tools:
        for folder in _folders([*order.files, *order.unlink], place):
            chain.look(folder, "bin_dir")


def establish(orders: Orders, place: Place) -> t.List[str]:
    """Make the folders that *orders* put links in, with mode 0755; return those that were not there.

    Raises ReleaseError where somebody else could change one of them.
    """
    folders = [folder for order in orders.tools for folder in _folders(order.files, place)]
    looked_at = [chain.look(folder, "bin_dir") for folder in folders]
    missing = {os.path.join(found, *steps) for found, steps in looked_at if steps}
    if missing:
        _remember(_remembered(place) | missing, place)
    established = [chain.established(folder, "bin_dir") for folder in folders]
    return [physical for physical, is_made in established if is_made]


def tidy(orders: Orders, place: Place) -> None:
    """Take away the folders that we made, that *orders* took links out of, and that are empty.

    Raises ReleaseError where somebody else could change a folder on the way, OSError if the record cannot be written.
    """
    ours = _remembered(place)
    gone = set()
    for order in orders.tools:
        for folder in reversed(_folders(order.unlink, place)):
            physical, missing = chain.look(folder, "bin_dir")
            if physical in ours and not missing:
                with contextlib.suppress(OSError):
                    os.rmdir(physical)
                    gone.add(physical)
    if gone:
        _remember(ours - gone, place)


def _folders(names: t.Iterable[str], place: Place) -> t.List[str]:
    """Return the folders of the links *names*, less those of programs, which are in bin_dir; those above come first."""
    return [os.path.join(place.prefix, folder) for folder in folders_of(name for name in names if "/" in name)]


def _remembered(place: Place) -> t.Set[str]:
    return set(notes.read(_record(place)).decode("utf-8", "surrogateescape").split("\n")) - {""}


def _remember(folders: t.Set[str], place: Place) -> None:
    text = "".join(folder + "\n" for folder in sorted(folders))
    durable.write(_record(place), [text.encode("utf-8", "surrogateescape")], place.staging)


def _record(place: Place) -> str:
    return os.path.join(place.root, "made")
