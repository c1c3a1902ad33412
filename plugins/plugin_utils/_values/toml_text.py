# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a TOML text say? Pure; controller. Follows toml.io, version 1.0."""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import tomli


def read_toml(text: str, name: str) -> Place:
    """Return the whole of what *text* says, which is that of the file *name*. Raises ReleaseError if it is no TOML."""
    try:
        value = tomli.loads(text)
    # RecursionError: lists in lists, without end.
    except (ValueError, RecursionError) as error:
        found = str(error) if isinstance(error, ValueError) else "lists in lists in lists, without end"
        raise ReleaseError(f"{name} is not TOML", found=found, fix=f"correct {name}, or name another file") from error
    return Place(value, Document(name, fix=f"correct {name}, or take the entry out of it"))
