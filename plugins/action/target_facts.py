# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what a host can run. Options and results are documented in modules/target_facts.py."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._choice import locked_asset
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader
from ansible_collections.pinned.release.plugins.plugin_utils._values import triples

OPTIONS = verb.reader(options.TARGET_FACTS)


class ActionModule(verb.Verb):
    """One shell exec; nothing is written."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the host as a fact. Raises ReleaseError if it gives no usable answer."""
        name = verb.options(self, OPTIONS)["lockfile"]
        needs = locked_asset.needs_of(lock_reader.read(verb.found_file(self, name))[0]) if name else ()
        host = verb.required(verb.ask(self, probe.Question(needs=needs)).host)
        facts = asdict(host)
        facts["libraries"] = sorted(host.libraries or ()) if name else None
        facts["loaders"] = list(host.loaders or ())
        facts["emulates"] = list(host.emulates)
        return {
            "changed": False,
            "ansible_facts": {"release_target": {"triples": list(triples.host_triples(host)), **facts}},
        }
