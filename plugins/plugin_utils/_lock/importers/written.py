# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a lock file in another tool's format, and what cannot be in it? The value type. Pure; on the controller."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset


@dataclass(frozen=True)
class Written:
    """The text of another tool's lock file. *left* says what the format cannot hold, a line each."""

    text: str
    left: tuple[str, ...] = ()


def is_on_the_web(asset: LockedAsset) -> bool:
    """Tell whether *asset* has an address that another tool can download from: a folder's on the controller is none."""
    return asset.url.startswith(("https://", "http://"))
