# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which target triples do facts support? Documented in target_triples.yml; _host/facts.py decides. Controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.facts import known_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import host_triples


def target_triples(facts: Any, details: bool = False) -> list[str] | dict[str, list[str]]:
    """Return the target triples that *facts* support, best first; with *details*, also what they leave unknown.

    Raises AnsibleFilterError if *facts* is no mapping or does not describe a host.
    """
    if not isinstance(facts, Mapping):
        raise AnsibleFilterError(
            f"pinned.release.target_triples needs facts, such as ansible_facts, not {type(facts).__name__}"
        )
    try:
        known = known_of(facts)
    except ReleaseError as error:
        raise AnsibleFilterError(str(error)) from None
    triples = list(host_triples(known.host))
    return {"triples": triples, "unknown": list(known.unknown)} if details else triples


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name, for Ansible."""
        return {"target_triples": target_triples}
