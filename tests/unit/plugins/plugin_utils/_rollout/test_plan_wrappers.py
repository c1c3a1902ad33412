# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start scripts that look for files beside ``$0`` start from bin_dir, and stay as they were put there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, with_options

STARTS = b'#!/bin/sh\necho "$(cat "$(dirname "$0")"/../libs/k.jar)" "$@"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "it's a host").mkdir()
    return Machine(tmp_path / "it's a host")


def kafka(machine: Machine, version: str = "1.0", start: bytes = STARTS, **options: Any) -> Wanted:
    files = {"bin/topics.sh": start, "libs/k.jar": version.encode()}
    return machine.wanted(Released(machine.root.parent.parent, "kafka", version, (), files), **options)


def drift(machine: Machine, wanted: Wanted) -> tuple[str, ...]:
    answer = machine.ask(with_options(wanted, integrity="full"), is_unsealed=True)
    assert answer.state
    assert answer.host
    return inspect(answer.state, answer.host, wanted, None).tools["kafka"].drift


def test_script_finds_its_files_and_the_host_is_sealed(machine: Machine) -> None:
    wanted = kafka(machine)
    machine.converge(wanted)
    assert machine.run("topics.sh") == "1.0"
    assert machine.ask(wanted).sealed is not None
    assert not machine.plan(with_options(wanted, integrity="full")).is_changed
    assert drift(machine, wanted) == ()


def test_script_switches_with_its_files_and_goes_with_them(machine: Machine) -> None:
    machine.converge(kafka(machine))
    before = os.stat(machine.bin_dir / "topics.sh").st_size
    machine.converge(kafka(machine, "2.0"))
    assert machine.run("topics.sh") == "2.0"
    assert os.stat(machine.bin_dir / "topics.sh").st_size == before
    machine.converge(kafka(machine, "3.0", b"#!/bin/sh\necho by itself\n"))
    assert (machine.bin_dir / "topics.sh").is_symlink()
    machine.converge(kafka(machine, "2.0"))
    machine.converge(kafka(machine, names=("kafka",), is_present=False))
    assert os.listdir(machine.bin_dir) == []


def test_changed_wrapper_is_drift_and_repaired(machine: Machine) -> None:
    wanted = kafka(machine)
    machine.converge(wanted)
    (machine.bin_dir / "topics.sh").write_text("#!/bin/sh\necho theirs\n")
    assert drift(machine, wanted) == (f"{machine.bin_dir}/topics.sh does not lead to it",)
    assert machine.converge(wanted).tools[0].action == "repair"
    assert machine.run("topics.sh") == "1.0"


def test_wrapper_works_where_the_tree_was_moved_to_and_through_a_link(machine: Machine, tmp_path: Path) -> None:
    machine.converge(kafka(machine))
    shutil.move(machine.root.parent, tmp_path / "new")
    new = Machine(tmp_path / "new")
    assert new.run("topics.sh") == "1.0"
    assert not new.plan(kafka(new)).is_changed
    (new.bin_dir / "mine").symlink_to(new.bin_dir / "topics.sh")
    assert new.run("mine") == "1.0"
