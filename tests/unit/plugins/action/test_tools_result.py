# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller keeps of a host that is as pinned is little, and says what playbooks go on with."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.pinned.release.plugins.action import tools
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import plan, views
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, ask_for
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, with_options

NAMES = [f"terraform-tool-{number}" for number in range(50)]


def fifty_tools(machine: Machine, folder: Path) -> Wanted:
    return machine.wanted(*(Released(folder, name, version="1.12.34", programs=(name,)) for name in NAMES))


def test_fifty_tools_with_nothing_to_do_are_told_in_four_kilobytes(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    wanted = fifty_tools(machine, tmp_path)
    planned = machine.converge(wanted)
    sealed = machine.ask(wanted).sealed
    assert sealed is not None
    assert planned.is_changed
    looked_at_again = machine.plan(with_options(wanted, integrity="full"))
    for nothing_to_do in (plan.sealed_plan(wanted, ask_for(wanted), sealed), looked_at_again):
        result = tools._report(nothing_to_do)
        assert len(json.dumps(result)) <= 4096
        assert result["tools"] == {name: {"action": "none", "version": "1.12.34"} for name in NAMES}
        assert result["root"] == str(machine.root)


def test_a_tool_that_changes_is_told_in_full_beside_one_that_does_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    one, two = Released(tmp_path, "one", programs=("one",)), Released(tmp_path, "two", programs=("two",))
    machine.converge(machine.wanted(one))
    told = tools._report(machine.plan(machine.wanted(one, two)))["tools"]
    assert told["one"] == {"action": "none", "version": "1.0"}
    assert told["two"].keys() >= {"target", "reason", "sha256", "source_url", "evidence", "programs", "files"}


def test_what_no_playbook_can_read_is_told_without_what_stays_as_it_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    one, two = Released(tmp_path, "one", programs=("one",)), Released(tmp_path, "two", programs=("two",))
    machine.converge(machine.wanted(one))
    as_pinned = views.brief(tools._report(machine.plan(machine.wanted(one))))
    added = tools._report(machine.plan(machine.wanted(one, two)))
    assert as_pinned.keys() == {"changed", "tools", "root", "lock_sha256", "summary"}
    assert (as_pinned["changed"], as_pinned["tools"], as_pinned["summary"]) == (False, {}, "as pinned")
    assert views.brief(added)["tools"] == {"two": added["tools"]["two"]}
