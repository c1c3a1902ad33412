# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where do programs lie that are for other hosts than the one that writes them? Pure; runs on the controller.

In one tree for each platform, which its hosts may mount anywhere: so root is named, and bin_dir lies beside or in it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import triples
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt


def bin_dir_of(root: str, bin_dir: str) -> str:
    """Return the folder of the programs, by default one in *root*. Raises ReleaseError if *root* is not named."""
    if not root:
        raise ReleaseError(
            "platform needs root: programs for other hosts must not come among those of this one",
            fix="name a folder for each platform, for example root: /srv/tools/linux-aarch64",
        )
    return bin_dir or f"{root}/bin"


def refuse_apart(root: str, bin_dir: str) -> None:
    """Raise ReleaseError where no tree could be shared that holds both folders, which are paths without links."""
    if posixpath.commonpath([root, bin_dir]) == "/":
        raise ReleaseError(
            "root and bin_dir lie in no tree that could be shared: the links from one to the other would be absolute",
            expected=f"a bin_dir such as {root}/bin",
            found=bin_dir,
            fix="leave out bin_dir, or choose one below a folder that root lies in as well",
        )


def refuse_another_platform(platform: Platform, root: str, receipts: Iterable[Receipt]) -> None:
    """Raise ReleaseError if below *root* are programs, as *receipts* say, that the readers of *platform* cannot run.

    The hosts that read those would lose them, and each run for one of the platforms would undo that for the other.
    """
    for receipt in receipts:
        other = triples.platform_of(receipt.target)
        if other is not None and other != (platform.os, platform.arch):
            raise ReleaseError(
                f"below {root} are programs for another platform",
                expected=f"a folder of its own for {platform}",
                found=f"{receipt.tool} {receipt.version} for {'/'.join(other)}",
                fix=f"name a folder for each platform, for example root: /srv/tools/{platform.os}-{platform.arch}; "
                "or remove what is there first (state: absent)",
            )
