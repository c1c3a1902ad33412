# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does each pinned asset become on a host? Opened once each, from the cache; runs on the controller."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import look_into
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source


class UnpackedAssets:
    """Opens the assets of the *lock* file at *path*. One that the cache lacks is downloaded."""

    def __init__(self, path: Path, lock: LockFile) -> None:
        self._path = path
        self._lock = lock
        self._assets = AssetBytes(Cache(default_cache_root()), _open)
        self._known: dict[str, Unpacked] = {}

    def __call__(self, tool: str, asset: LockedAsset) -> Unpacked:
        """Return what *asset* of *tool* unpacks to. Raises ReleaseError if it cannot be had."""
        if asset.sha256 not in self._known:
            cached = self._assets.cached(AssetOrigin(self._path, tool, self._lock.tools[tool], asset))
            allowance = Allowance(asset.unpacked_size)
            self._known[asset.sha256] = look_into(cached.path, asset.format, tool, asset.name, allowance).unpacked
        return self._known[asset.sha256]


def _open(origin: AssetOrigin) -> Source:
    """Return the publisher of a locked asset, with the credentials that this machine has for it."""
    tool, base = origin.tool, origin.lock.absolute().parent
    return open_source(tool.source, base=base, cache_root=default_cache_root(), exact=tool.version)
