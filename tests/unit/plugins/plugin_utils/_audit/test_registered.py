# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result is what a task registered, never what a host says; a name that no log could give back is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import recording
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History
from ansible_collections.pinned.release.plugins.plugin_utils._audit.registered import (
    plain,
    refuse_odd_names,
    registered,
)

RESULT = {"tools": {"uv": {"action": "none"}}, "changed": False, "lock_sha256": "0" * 64}


class HostVars:
    """The variables of hosts, as Ansible gives them to an action."""

    def __init__(self, **hosts: Mapping[str, Any]) -> None:
        self._hosts = hosts

    def raw_get(self, name: str) -> Mapping[str, Any]:
        return self._hosts[name]


def outcome(variables: Mapping[str, Any]) -> str:
    found = registered(HostVars(h1=variables), "tools_result", "h1")
    told = recording.rollout([("h1", found)], ComparedLock("l", "0" * 64), "2026-11-29T18:33:02Z", "", History())
    [group] = told["predicate"]["hosts"]
    return str(group["outcome"])


def test_what_a_task_registered_is_the_result() -> None:
    assert outcome({"tools_result": RESULT, "ansible_facts": {"distribution": "Debian"}}) == "as_pinned"


def test_a_host_that_no_task_was_run_on_has_none() -> None:
    assert outcome({}) == "not_run"


def test_a_fact_of_the_same_name_is_no_result() -> None:
    assert outcome({"tools_result": RESULT, "ansible_facts": {"tools_result": RESULT}}) == "failed"


def test_a_result_is_read_though_ansible_put_its_own_records_of_an_error_and_a_warning_into_it() -> None:
    messages = pytest.importorskip("ansible.module_utils._internal._messages")
    event = messages.Event(msg="no route to host")
    result = {
        "unreachable": True,
        "exception": messages.ErrorSummary(event=event),
        "warnings": [messages.WarningSummary(event=event)],
    }
    assert plain(result) == {"unreachable": True, "exception": None, "warnings": [None]}


@pytest.mark.parametrize("value", [object(), {1}, b"bytes", HostVars])
def test_a_result_with_any_other_object_is_none(value: object) -> None:
    assert plain({"unreachable": True, "msg": value}) is None


@pytest.mark.parametrize("name", ["", "web\n1", "web\x1b[2J", "web\u2028", "web\udc80"])
def test_a_name_that_could_not_be_read_back_is_refused(name: str) -> None:
    with pytest.raises(ReleaseError, match="not a line of text"):
        refuse_odd_names(["h1", name])


@pytest.mark.parametrize("name", ["h1", "2001:db8::1", "Büro 7", "../../etc/passwd"])
def test_any_line_is_the_name_of_a_host(name: str) -> None:
    refuse_odd_names([name])
