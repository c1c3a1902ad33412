# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which links in an asset's bin/ lead to programs? Each counts as the program, under its own name. Pure; controller.

``bin/npm`` of Node.js leads to ``lib/node_modules/npm/bin/npm-cli.js``, and ``bin/python3`` to ``python3.12``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import NAME
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import BIN, DEEPER, Contents, Found


def linked_programs(contents: Contents) -> tuple[Found, ...]:
    """Return the programs that links in a bin/ lead to, once for each link, by whose name they are called.

    A link that leads out of the asset, or that has a name that no link on a host can have (``bin/[``), is none.
    """
    by_path = {found.path: found for found in contents.programs}
    ends = ((link, by_path.get(end)) for link, end in _links_in_bin(contents))
    return tuple(replace(found, link=link) for link, found in ends if found)


def unreadable_places(contents: Contents) -> dict[str, ReleaseError]:
    """Return the reason by each path, or link in a bin/, of a program of which nobody can tell what it needs."""
    linked = {link: contents.unreadable[end] for link, end in _links_in_bin(contents) if end in contents.unreadable}
    return {**contents.unreadable, **linked}


def _links_in_bin(contents: Contents) -> Iterator[tuple[str, str]]:
    """Yield the path of each link in a bin/, and the path at which it ends."""
    for link in sorted(contents.bundle.links):
        folder, name = posixpath.split(link[len(contents.root) :])
        is_command = NAME.match(name) and any(place.match(f"{folder}/") for place in (BIN, DEEPER))
        end = contents.bundle.end_of(link) if is_command else None
        if end is not None:
            yield link, end
