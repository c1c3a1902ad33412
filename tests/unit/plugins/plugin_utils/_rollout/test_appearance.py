# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A diff shows each field of a changed tool on a line, before and after, and what was wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import views
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def lines_of(released: Released, machine: Machine) -> str:
    return (
        f"hello:\n  version: {released.version}\n  target: any\n  sha256: {released.sha256}\n"
        f"  programs: {machine.bin_dir}/hello\n"
    )


def test_an_upgrade_shows_both_versions(machine: Machine, tmp_path: Path) -> None:
    old, new = Released(tmp_path), Released(tmp_path, version="2.0")
    installed = views.diff(machine.converge(machine.wanted(old)))
    assert (installed["before"], installed["after"]) == ("", lines_of(old, machine))
    upgraded = views.diff(machine.plan(machine.wanted(new)))
    assert (upgraded["before"], upgraded["after"]) == (lines_of(old, machine), lines_of(new, machine))


def test_a_repair_shows_what_is_wrong(machine: Machine, tmp_path: Path) -> None:
    released = Released(tmp_path)
    machine.converge(machine.wanted(released))
    (machine.bin_dir / "hello").unlink()
    repaired = views.diff(machine.plan(machine.wanted(released)))
    state, after = repaired["before"].removeprefix(lines_of(released, machine)), repaired["after"]
    assert state.startswith("  state: ")
    assert after == lines_of(released, machine)


def test_of_a_receipt_that_cannot_be_read_nothing_is_shown_but_the_programs(machine: Machine, tmp_path: Path) -> None:
    released = Released(tmp_path)
    machine.converge(machine.wanted(released))
    (machine.root / "current/hello/receipt.json").write_text("{")
    before = views.diff(machine.plan(machine.wanted(released)))["before"]
    assert before.splitlines()[:5] == [
        "hello:",
        "  version: None",
        "  target: None",
        "  sha256: None",
        f"  programs: {machine.bin_dir}/hello",
    ]
