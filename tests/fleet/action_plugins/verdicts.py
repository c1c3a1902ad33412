# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the collection say of each locked asset on this host: does it start, and why? For tests.

Option: *lockfile*. Returned: *assets*, those that the host's processor could run if all else was there, with their
verdicts; *admitted* and *refused*, the names of the tools of which some, or none, of the locked assets start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._choice import target
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, question


class ActionModule(verb.Verb):
    """One shell exec."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        lock = lockfile.parse(Path(self._task.args["lockfile"]).read_text(encoding="utf-8"))
        host = verb.required(verb.ask(self, probe.Question(needs=question(Wanted(lock)).needs)).host)
        verdicts = [
            (name, tool.version, asset, target.admissible(asset.requires, host))
            for name, tool in sorted(lock.tools.items())
            for asset in tool.assets
        ]
        admitted = {name for name, _version, _asset, verdict in verdicts if verdict.is_admissible}
        return {
            "changed": False,
            "admitted": sorted(admitted),
            "refused": sorted(set(lock.tools) - admitted),
            "versions": {name: tool.version for name, tool in lock.tools.items()},
            "assets": [
                {
                    "tool": name,
                    "sha256": asset.sha256,
                    "target": asset.target,
                    "libc": asset.requires.libc,
                    "is_admissible": verdict.is_admissible,
                    "reason": verdict.reason,
                }
                for name, _version, asset, verdict in verdicts
                if asset.requires.arch in (host.arch, host.kernel_arch)
            ],
        }
