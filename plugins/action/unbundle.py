# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes a bundle in where no network is. Options and results are documented in modules/unbundle.py."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import reading
from ansible_collections.pinned.release.plugins.plugin_utils._bundle.taking_in import BundleIntake
from ansible_collections.pinned.release.plugins.plugin_utils._lock import signers
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.outcome import result
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root

OPTIONS = verb.reader(options.UNBUNDLE)


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Verify the bundle, fill the cache and make the mirror, and return what changed.

        Raises ReleaseError for a bundle that is not whole or not what its lock files pin, before anything is written.
        """
        given = verb.options(self, OPTIONS)
        verb.refuse_empty(given, ("bundle", "dest"))
        path, dest = (Path(self._loader.path_dwim(given[name])) for name in ("bundle", "dest"))
        required, now = signers.read(given["lock_signers"]), datetime.now(timezone.utc)
        try:
            with reading.opened(path) as bundle:
                intake = BundleIntake(bundle, dest, Cache(default_cache_root()), required)
                taken = intake.foreseen(now) if self._task.check_mode else intake.take_in(now)
        except FileNotFoundError as error:
            raise reading.unreadable(path, error) from error
        mirrored = result(dest, taken.wanted, taken.todo)
        return {
            **mirrored,
            "changed": mirrored["changed"] or bool(taken.cached),
            "bundle": str(path),
            "sha256": bundle.sha256,
            "lockfiles": list(taken.lockfiles),
            "cached": list(taken.cached),
            "proofs": list(map(asdict, taken.proofs)),
            "notes": [*taken.notes, *mirrored["notes"], *taken.cache_notes],
        }
