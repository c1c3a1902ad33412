# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at what was given to a playbook, before any host is asked. Options: modules/preflight.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.inventory.manager import split_host_pattern
from ansible.plugins.loader import lookup_loader
from ansible.utils.vars import load_extra_vars
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._audit import log, signing
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, signers
from ansible_collections.pinned.release.plugins.plugin_utils._playbook import batches, hosts, inventories, slips
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import role_variables
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import no_such_tool
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import question

OPTIONS = verb.reader(options.PREFLIGHT)
#: What a key signs to show that it can. It is no statement, and is thrown away.
TRIAL = b"pinned.release tries whether this key can sign\n"
#: Which variables name the lock file of all hosts, where they are given on the command line.
LOCKFILES = ("lockfile", role_variables.NAMES["lockfile"])
_SWITCHES = ("true", "false", "yes", "no", "on", "off", "1", "0")


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Raise ReleaseError for variables, hosts, a lock file or a key with which the playbook would go wrong."""
        given = verb.options(self, OPTIONS)
        extra = load_extra_vars(self._loader)
        slips.refuse(extra, given["variables"], [f"{role}_" for role in given["roles"]])
        for name in given["required"]:
            # What others give may be made of a variable that has nothing in it.
            value = self._templar.template(extra.get(name, task_vars.get(name)))
            if value in (None, ""):
                wrong = "missing" if value is None else "empty"
                raise ReleaseError(f"the variable {name} is {wrong}", fix=f"add -e {name}=…")
        for name, value in given["switches"].items():
            if str(value).lower() not in _SWITCHES:
                meant = question(str(value), ("true", "false"))
                raise ReleaseError(f"{name} is neither true nor false: {value}{meant}")
        if given["batch"] is not None:
            batches.refuse_unusable(given["batch"])
        # A person may have given null, which is not the same as nothing.
        if "target" in self._task.args:
            self._refuse_hosts(given, task_vars)
        self._refuse_key(given)
        if given["lockfile"]:
            self._refuse_lock(given["lockfile"], signers.read(given["lock_signers"]), extra, given["roles"])
        return {"changed": False}

    def _refuse_hosts(self, given: Mapping[str, Any], task_vars: Mapping[str, Any]) -> None:
        target = hosts.pattern(given["target"])
        lookup = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=self._loader, templar=self._templar)
        matched = lookup.run([target], variables=task_vars)
        if not task_vars["groups"].get("all") and not matched:
            inventories.refuse_missing(task_vars.get("ansible_inventory_sources") or ())
        hosts.refuse_unknown(target, split_host_pattern(target), task_vars["groups"], matched)
        limit = task_vars.get("ansible_limit")
        if limit and not given["whole_inventory"]:
            hosts.refuse_disjoint(target, limit, matched, task_vars["ansible_play_hosts_all"])

    def _refuse_key(self, given: Mapping[str, Any]) -> None:
        """Let the key sign something, as it must when all is done: it may want a passphrase that nobody gave."""
        if given["log_key"] and not given["log"]:
            raise ReleaseError("log_key signs an entry of a log, and there is none: give log=FILE")
        if not given["log"]:
            return
        sign = signing.of_option(given["log_key"], self._loader.path_dwim)
        path = Path(self._loader.path_dwim(given["log"]))
        log.foreseen(path, sign)
        if not self._task.check_mode:
            log.refuse_unwritable(path)
        if sign:
            sign(TRIAL)

    def _refuse_lock(
        self, name: str, required: signers.Signers | None, extra: Mapping[str, Any], roles: Sequence[str]
    ) -> None:
        """Read the lock file, so that what is wrong with it, or with the tools named for all hosts, is told once.

        Hosts may have lock files of their own, and then there is none here: unless it is named for all hosts.
        """
        path = Path(self._loader.path_dwim(name))
        if not path.exists() and not any(_is_plain(extra.get(variable) or None) for variable in LOCKFILES):
            return
        lock, _digest = lock_reader.read(path, required)
        tools = extra.get("tools_names") if "tools" in roles else None
        names = [name.strip() for name in tools.split(",")] if isinstance(tools, str) else tools
        unknown = set(map(str, names)) - set(lock.tools) if isinstance(names, list) else set()
        # One that is to be removed may be in no lock file any more.
        if unknown and extra.get("tools_state", "present") == "present" and all(map(_is_plain, unknown)):
            raise no_such_tool(lock, unknown)


def _is_plain(value: object) -> bool:
    """Return whether *value* is a text that means the same for every host: it holds no template."""
    return isinstance(value, str) and "{" not in value
