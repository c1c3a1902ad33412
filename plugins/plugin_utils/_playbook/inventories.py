# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why has an inventory no hosts: is there no file where a person said that it is? Runs on the controller."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.near_files import beside

#: What Ansible looks for where nobody names an inventory.
DEFAULT = "/etc/ansible/hosts"


def refuse_missing(sources: Iterable[str]) -> None:
    """Raise ReleaseError if one of the *sources* of an inventory without hosts is a path at which nothing is.

    Ansible warns of it and goes on. A list of hosts, which has a comma in it, is no path.
    """
    for source in sources:
        path = Path(source)
        if "," not in source and source != DEFAULT and not path.exists():
            raise ReleaseError(
                f"the inventory has no hosts: there is no {source}{beside(path)}",
                fix="give the path of your inventory after -i",
            )
