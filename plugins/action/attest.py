# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what was verified of each locked asset, signed. Options and results are documented in modules/attest.py."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import report_folder, signing, summaries
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    answers,
    evidence_folder,
    lock_reader,
    manifest,
    policy_check,
    stale_lock,
    user_files,
    verification,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root

OPTIONS = verb.reader(options.ATTEST)
_ENDING = ".vsa.jsonl"


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Verify every proof again, and write a signed summary for each asset.

        Raises ReleaseError for a lock file that does not answer its manifest or fails its policy, for a proof that does
        not hold, and for a key that cannot sign.
        """
        given = verb.options(self, OPTIONS)
        wanted_path = verb.found_file(self, given["manifest"], user_files.MANIFEST)
        lock_path = Path(self._loader.path_dwim(given["lockfile"])) if given["lockfile"] else None
        lock_path = lock_path or wanted_path.with_suffix(".lock.json")
        text = user_files.read(wanted_path, user_files.MANIFEST)
        locked, _sha256 = lock_reader.read(lock_path)
        wanted = manifest.parse(text, str(wanted_path), wanted_path.parent, locked)
        if differing := answers.differences(locked, wanted):
            raise stale_lock.refusal(differing, lock_path, wanted_path)
        now = datetime.now(timezone.utc)
        policy_check.refuse_lock(locked, lock_path, now)
        evidence = evidence_folder.EvidenceFolder(lock_path)
        found = verification.verify(locked, evidence.read, Cache(default_cache_root()).open_kept, wanted)
        policy = summaries.Policy(wanted_path.name, hashlib.sha256(text.encode()).hexdigest())
        said = summaries.statements(locked, found, policy, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        path = lock_path.with_name(lock_path.name.removesuffix(".lock.json").removesuffix(".json") + _ENDING)
        sign = signing.of_option(given["key"], self._loader.path_dwim)
        if sign is None:
            raise ReleaseError("key names no key", fix="give the path of a private key")
        content = summaries.lines(said, sign, path.read_bytes() if path.is_file() else b"")
        file = report_folder.ReportFile(path.name, content)
        written = report_folder.write(path.parent, [file], self._task.check_mode, "name another lock file")
        levels = [one["predicate"]["verifiedLevels"][0] for one in said]
        told = [f"{levels.count(level)} with {level}" for level in sorted(set(levels))]
        notes = [f"{path}: {len(said)} assets, {', '.join(told)}", *verification.notes(found)]
        return {"changed": any(written.values()), "path": str(path), "notes": notes}
