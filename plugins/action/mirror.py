# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a folder that serves what lock files pin. Options and results are documented in modules/mirror.py."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._lock import signers
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.given_locks import read_lock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.outcome import result
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import publication
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publish import Mirror
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import (
    open_source,
    refuse_token_for_several,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source

OPTIONS = verb.reader(options.MIRROR)


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Make the folder a mirror of the lock files, and return what changed.

        Raises ReleaseError for lock files that cannot be read or contradict each other, for an asset that cannot be
        had, and where the folder cannot be written.
        """
        given = verb.options(self, OPTIONS)
        required = signers.read(given["lock_signers"])
        locks = [read_lock(verb.found_file(self, name), required) for name in given["lockfile"]]
        _refuse_token_for_several(locks, given["token"])
        dest = Path(self._loader.path_dwim(given["dest"]))
        wanted = publication(locks)
        mirror = Mirror(dest, wanted, prune=given["prune"])
        if self._task.check_mode:
            return result(dest, wanted, mirror.foreseen())
        cache = Cache(default_cache_root())
        opened = partial(_open, token=given["token"], cache_root=cache.root)
        return result(dest, wanted, mirror.publish(AssetBytes(cache, opened)))


def _open(origin: AssetOrigin, *, token: str | None, cache_root: Path) -> Source:
    """Return the publisher of a locked asset, with the credentials that this machine has for it."""
    tool, base = origin.tool, origin.lock.absolute().parent
    return open_source(tool.source, token=token, base=base, cache_root=cache_root, exact=tool.version)


def _refuse_token_for_several(locks: Sequence[GivenLock], token: str | None) -> None:
    refuse_token_for_several((tool.source for given in locks for tool in given.lock.tools.values()), token)
