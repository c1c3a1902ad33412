# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that say the same after a full look are understood once a run, and any other word is understood by itself."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import task_options
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import Plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Asked, Wanted
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, Released


class Run:
    """A run of Ansible with one host."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "run").mkdir(0o700)
        monkeypatch.setattr(task_options.constants, "DEFAULT_LOCAL_TMP", str(folder / "run"))
        machine = Machine(folder)
        self.wanted = replace(machine.wanted(Released(folder)), integrity="full", lock_digest="1" * 64)
        machine.converge(self.wanted)
        self.understood: list[str] = []
        parse = probe.parse

        def counting(output: str, question: probe.Question) -> probe.Answer:
            self.understood.append(output)
            return parse(output, question)

        monkeypatch.setattr(probe, "parse", counting)

    def ask(self) -> tuple[Asked, str]:
        asked = task_options.asked(self.wanted)
        command = ["/bin/sh", "-c", probe.command(asked.question)]
        return asked, subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def settled(self, old: str = "", new: str = "", wanted: Wanted | None = None) -> Plan | None:
        """Return the plan of a host that says *new* in place of *old*, a regular expression."""
        asked, output = self.ask()
        changed = re.sub(old, new, output) if old else output
        assert changed != output or not old
        return task_options.settled(wanted or self.wanted, asked, changed)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(tmp_path, monkeypatch)


def test_hosts_that_say_the_same_are_understood_once(run: Run) -> None:
    first = run.settled()
    assert first is not None
    assert not first.is_changed
    assert run.settled() == first
    assert run.settled('"installed": "[^"]*"', '"installed": "2020-02-02T02:02:02Z"') == first
    assert len(run.understood) == 1
    assert first.wanted == run.wanted


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": "1.0"', '"version": "1.1"'),
        ('"installed": "[^"]*"', '"installed": "yesterday"'),
        ('"installed": ', '"uninstalled": '),
        ('"tool": "hello", ', ""),
        (r"(verified \S+ \S+ hash )\w+", r"\1" + "0" * 64),
        (r"\nverified [^\n]*", ""),
        (r"\nlink hello [^\n]*", ""),
        (r"\nlink hello [^\n]*", "\nlink hello /bin/sh"),
        (r"\nactive [^\n]*", ""),
        (r"\nshown [^\n]*", ""),
        (r"(\nshown [^\n]*)", r"\1\1"),
    ],
)
def test_host_that_says_anything_else_is_understood_by_itself(run: Run, old: str, new: str) -> None:
    assert run.settled() is not None
    assert run.settled(old, new) is None
    assert run.settled(old, new) is None, "that it is not settled is no reason to believe it"


@pytest.mark.parametrize("place", ["acti{}ve other", "active{} other", "{}active other", "active other{}"])
@pytest.mark.parametrize("installed", ['"installed": "2020-02-02T02:02:02Z"', '"installed": "0000-00-00T00:00:00Z"'])
def test_host_that_knows_what_is_left_out_cannot_speak_for_another(run: Run, place: str, installed: str) -> None:
    """It says what another one will, and hides in it that there is a tool that has to go."""
    exact = replace(run.wanted, exact=True)
    there = r"\1active other 1.0-000000000000\n"
    hidden = there.replace("active other", place.format(installed))
    run.settled(r"(\nactive [^\n]*\n)", hidden, wanted=exact)
    assert run.settled(r"(\nactive [^\n]*\n)", there, wanted=exact) is None


def test_tasks_that_want_something_else_do_not_share_what_they_understood(run: Run) -> None:
    assert run.settled() is not None
    assert run.settled(wanted=replace(run.wanted, mode=0o750)) is None
    assert run.settled(wanted=replace(run.wanted, lock_digest="2" * 64)) is not None
    assert len(run.understood) == 3


def test_half_an_answer_is_none_even_if_another_host_said_it(run: Run) -> None:
    assert run.settled() is not None
    with pytest.raises(ReleaseError, match="did not answer"):
        run.settled("@@end [^\n]*\n", "")


def test_what_a_run_keeps_of_a_host_holds_no_lock_file(run: Run, tmp_path: Path) -> None:
    planned = run.settled()
    assert planned is not None
    (kept,) = (tmp_path / "run").glob("*-Plan-*")
    assert run.wanted.lock.tools["hello"].assets[0].sha256.encode() not in kept.read_bytes()
