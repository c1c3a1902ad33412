# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report is of what tasks registered on the hosts of the inventory, not of what hosts say of themselves as facts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.action import report
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError


class Hostvars:
    """The variables of hosts, as Ansible hands them to an action."""

    def __init__(self, **variables: dict[str, Any]) -> None:
        self._variables = variables

    def raw_get(self, name: str) -> dict[str, Any]:
        return self._variables[name]


RESULT = {"tools": {}, "compliant": True}


def test_what_a_task_registered_is_read_as_it_is() -> None:
    assert report._registered(Hostvars(h1={"tools_audit": RESULT}), "tools_audit", "h1") is RESULT
    assert report._registered(Hostvars(h1={}), "tools_audit", "h1") is None


def test_a_fact_of_the_host_is_no_result() -> None:
    """Facts are variables, too, and a cache keeps them: such a host would be as pinned though nobody asked it."""
    variables = {"tools_audit": RESULT, "ansible_facts": {"tools_audit": dict(RESULT)}}
    assert report._registered(Hostvars(h1=variables), "tools_audit", "h1") == "the fact tools_audit of the host"


def test_all_hosts_of_the_inventory_are_told_of_unless_some_are_named() -> None:
    variables = {"groups": {"all": ["a", "b"], "web": ["a"]}}
    assert report._names(None, variables) == ["a", "b"]
    assert report._names(["a"], variables) == ["a"]
    with pytest.raises(ReleaseError, match="the inventory has no x"):
        report._names(["a", "x"], variables)
