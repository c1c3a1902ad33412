# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pattern means this path of an asset, and that of the next release as well? Pure; on the controller.

The folder that all of an archive lies in often says version and platform: ``rg-15.1.0-x86_64-linux/doc/rg.1`` is
offered to users as ``*/doc/rg.1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

#: What YAML reads as it stands.
_PLAIN = re.compile(r"[\w./+-]+\Z")


def lasting_pattern(path: str, root: str, is_right: Callable[[str], bool]) -> str:
    """Return *path*, or a pattern for it without *root*, the folder of all, where that *is_right*."""
    pattern = f"*/{path.removeprefix(root)}"
    return pattern if root and path.startswith(root) and is_right(pattern) else path


def written(pattern: str) -> str:
    """Return *pattern* as people write it into a manifest."""
    return pattern if _PLAIN.match(pattern) else f'"{pattern}"'
