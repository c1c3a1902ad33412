# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what a host can run. Options and results are documented in modules/target_facts.py."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import asking, lock_reader, locked_asset, probe, target


class ActionModule(asking.Verb):
    """One shell exec; nothing is written."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        name = asking.options(self, options.TARGET_FACTS)["lockfile"]
        needs = locked_asset.needs_of(lock_reader.read(Path(self._loader.path_dwim(name)))[0]) if name else ()
        host = asking.told(asking.ask(self, probe.Question(needs=needs)).host)
        facts = asdict(host)
        facts["libraries"] = sorted(host.libraries or ()) if name else None
        facts["loaders"] = list(host.loaders or ())
        facts["emulates"] = list(host.emulates)
        return {
            "changed": False,
            "ansible_facts": {"release_target": {"triples": list(target.host_triples(host)), **facts}},
        }
