# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a fleet, in few lines? Documented in outcomes.yml; _rollout/outcomes.py decides. Controller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.registered import registered
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.outcomes import lines


def outcomes(
    hosts: Any,
    hostvars: Any,
    result: str = "tools_result",
    *,
    check: bool = False,
    verbose: bool = False,
    batch: Any = None,
) -> list[str]:
    """Return what became of *hosts*, which have the variable *result* in *hostvars*: a line for each outcome.

    Raises AnsibleFilterError if *hosts* or a *batch* is no list of names, or *hostvars* not the variable of Ansible.
    """
    are_names = _are_names(hosts) and (batch is None or _are_names(batch))
    if not are_names or not hasattr(hostvars, "raw_get"):
        raise AnsibleFilterError(
            "pinned.release.outcomes needs the names of hosts and hostvars, as in"
            " ansible_play_hosts_all | pinned.release.outcomes(hostvars)"
        )
    results = ((str(host), registered(hostvars, result, host)) for host in hosts)
    return lines(results, is_check=bool(check), is_verbose=bool(verbose), batch=batch)


def _are_names(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, Mapping))


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name, for Ansible."""
        return {"outcomes": outcomes}
