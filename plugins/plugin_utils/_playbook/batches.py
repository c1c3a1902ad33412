# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can Ansible divide the hosts of a rollout by what a person gave as batch? Pure; controller.

Ansible ends with a traceback for what is no number, and takes 0 and what is below it for all hosts at once.
"""

from __future__ import annotations

import re

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

_SIZE = re.compile(r"[1-9][0-9]{0,5}|(?:100|[1-9][0-9]?)%")


def refuse_unusable(batch: object) -> None:
    """Raise ReleaseError where *batch*, or one in a list of several, is neither a number of hosts nor a share."""
    sizes = batch if isinstance(batch, (list, tuple)) else [batch]
    for size in sizes or [batch]:
        if isinstance(size, (bool, float)) or not _SIZE.fullmatch(str(size)):
            raise ReleaseError(
                f"batch={shown(size).strip(chr(34))} is neither a number of hosts nor a share of them",
                expected='a number of hosts from 1, a share of them from 1% to 100%, or a list: {"batch": [1, "20%"]}',
                fix='add -e batch=10%, or for a list -e \'{"batch": [1, "20%"]}\'',
            )
