# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is foreseen of a host is what a rollout does there: real probe and real plan, on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import foresight, plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.foreseen import foresee, foresee_distrusted
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, choice_for
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, locked, with_options

OF_MACOS = Requirement("macos", "aarch64", libc="system", os_min="13")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def asked(machine: Machine, wanted: Wanted) -> tuple[Host, State]:
    answer = machine.ask(with_options(wanted, integrity="full"), is_unsealed=True)
    assert answer.host is not None
    assert answer.state is not None
    return answer.host, answer.state


def planned_error(wanted: Wanted, host: Host, state: State) -> ReleaseError:
    with pytest.raises(ReleaseError) as raised:
        plan.make_plan(wanted, host, state)
    return raised.value


def test_a_host_on_which_all_goes_well_gets_what_is_chosen_for_it(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    host, state = asked(machine, wanted)
    foreseen = foresee(wanted, host, state)
    assert foreseen.refused is None
    assert foreseen.python is None
    assert foreseen.tools["hello"].choice == choice_for("hello", wanted.lock.tools["hello"], wanted, host)
    said = json.loads(json.dumps(foreseen.to_json()))
    assert said["tools"]["hello"].items() >= {"version": "1.0", "target": "any", "surprising": False}.items()
    assert said["tools"]["hello"]["reason"] == "script, host has /bin/sh"
    assert said["host"]["arch"] == host.arch


def test_each_tool_that_does_not_run_is_told_in_the_words_of_the_rollout(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path), Released(tmp_path, "other", programs=("other",)))
    tools = {name: locked(Released(tmp_path, name, programs=(name,)), OF_MACOS) for name in ("hello", "other")}
    wanted = replace(wanted, lock=replace(wanted.lock, tools=tools))
    host, state = asked(machine, wanted)
    foreseen = foresee(wanted, host, state)
    assert str(foreseen.refused) == str(planned_error(wanted, host, state))
    with pytest.raises(ReleaseError) as of_tool:
        choice_for("hello", tools["hello"], wanted, host)
    assert str(foreseen.tools["hello"].error) == str(of_tool.value)
    assert foreseen.to_json()["tools"]["other"]["refused"]["what"].startswith("other 1.0")


def test_what_stops_a_rollout_for_other_reasons_is_told_in_its_words(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    (machine.bin_dir / "hello").write_text("somebody's own")
    host, state = asked(machine, wanted)
    foreseen = foresee(wanted, host, state)
    assert foreseen.refused is not None
    assert foreseen.refused.as_dict() == planned_error(wanted, host, state).as_dict()
    assert "hello is there already" in foreseen.refused.what
    assert foreseen.tools["hello"].choice is not None


def test_a_host_without_python_is_told_as_such_even_if_nothing_is_to_be_installed(machine: Machine) -> None:
    wanted = Wanted(lock=LockFile(), root=str(machine.root), bin_dir=str(machine.bin_dir), python="auto")
    host, state = asked(machine, wanted)
    lacking = replace(state, python="", no_pythons=(("/usr/bin/python3", "is Python 2.7"),))
    foreseen = foresee(wanted, host, lacking)
    assert foreseen.refused is None
    assert foreseen.to_json()["python"] == foresight.no_python(lacking).as_dict()


def test_a_host_whose_folders_cannot_be_trusted_is_known_and_refused(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    host, _state = asked(machine, wanted)
    said = foresee_distrusted(wanted, host, ReleaseError("somebody else can write in /opt")).to_json()
    assert said["refused"]["what"] == "somebody else can write in /opt"
    assert said["tools"]["hello"]["target"] == "any"
    assert said["python"] is None
