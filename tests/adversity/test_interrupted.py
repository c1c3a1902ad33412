# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed or refused at any system call, a host has the old version or the new one, whole, and the next run converges.

strace(1) does the killing: each run dies at the next call of its kind, until one comes through.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.orders import to_json
from ansible_collections.pinned.release.plugins.plugin_utils import plan
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine

CALLS = (
    "rename",
    "fsync",
    "write",
    "symlink",
    "unlink,unlinkat,rmdir",
    "mkdir",
    "chmod,fchmod",
    "flock",
    "vfork,clone,clone3",
)
STORY = {"install": (), "upgrade": ("1.0",), "remove": ("1.0", "2.0")}
#: Taking a tool away makes no link.
UNUSED = {("remove", "symlink"), ("remove", "symlink:error=EACCES")}
MOST_CALLS = 150

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed: apt-get install strace"
)


class Case:
    """A host before something happens to it, and the orders for what shall happen."""

    def __init__(self, folder: Path, story: str) -> None:
        self.folder = folder
        self.before = folder / "before"
        self.host = folder / "host"
        self.host.mkdir()
        self.machine = Machine(self.host)
        self.releases = {version: self._release(version) for version in ("1.0", "2.0", "3.0")}
        for version in STORY[story]:
            self.machine.converge(self.machine.wanted(self.releases[version]))
        self.old = {"install": None, "upgrade": "1.0", "remove": "2.0"}[story]
        self.new = None if story == "remove" else "3.0"
        self.wanted = (
            self.machine.wanted(names=("hello",), is_present=False)
            if self.new is None
            else self.machine.wanted(self.releases[self.new], keep=0)
        )
        self.orders = folder / "orders.json"
        self.orders.write_text(json.dumps(to_json(plan.orders(self.machine.plan(self.wanted)))))
        shutil.copytree(self.host, self.before, symlinks=True)

    def _release(self, version: str) -> Released:
        return Released(self.folder, version=version, programs=("hello", "goodbye"))

    def run(self, *inject: str) -> subprocess.CompletedProcess[str]:
        """Put the host back to how it was before, and carry the orders out under strace."""
        shutil.rmtree(self.host)
        shutil.copytree(self.before, self.host, symlinks=True)
        command = [sys.executable, str(Path(__file__).with_name("obey.py")), str(self.orders)]
        return subprocess.run(
            ["strace", "-f", "-qq", "-o", "/dev/null", *inject, *command], capture_output=True, text=True, check=False
        )

    def present(self) -> str | None:
        """Return the version that both programs say they are; None when both are gone. Anything else is a failure."""
        versions = set()
        for program in ("hello", "goodbye"):
            path = self.machine.bin_dir / program
            versions.add(self.machine.run(program).split()[1] if path.exists() else None)
        assert len(versions) == 1, f"the programs of one tool are of different versions: {versions}"
        return versions.pop()


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Case]:
    return lambda story: Case(tmp_path, story)


def assert_next_run_converges(case: Case) -> None:
    case.machine.converge(case.wanted)
    assert case.present() == case.new
    assert os.listdir(case.machine.root / "staging") == []
    assert not case.machine.plan(case.wanted).is_changed
    assert not [name for name in os.listdir(case.machine.bin_dir) if name.startswith(".")]


@pytest.mark.parametrize("story", STORY)
@pytest.mark.parametrize("calls", CALLS)
def test_killed_at_any_call_the_host_is_whole(case: Callable[[str], Case], story: str, calls: str) -> None:
    under_test = case(story)
    for when in range(1, MOST_CALLS):
        ended = under_test.run("-e", f"inject={calls}:signal=KILL:when={when}")
        assert under_test.present() in (under_test.old, under_test.new)
        if ended.returncode == 0:
            assert under_test.present() == under_test.new
            assert when > 1 or (story, calls) in UNUSED, "nothing was interrupted"
            return
        assert_next_run_converges(under_test)
    pytest.fail(f"no end after {MOST_CALLS} calls of {calls}")


@pytest.mark.parametrize("story", STORY)
@pytest.mark.parametrize(
    "fault", ["fsync:error=EIO", "write:error=ENOSPC", "rename:error=EROFS", "symlink:error=EACCES"]
)
def test_refused_at_any_call_the_host_is_whole_and_the_error_is_clear(
    case: Callable[[str], Case], story: str, fault: str
) -> None:
    under_test = case(story)
    for when in range(1, MOST_CALLS):
        ended = under_test.run("-e", f"inject={fault}:when={when}")
        assert under_test.present() in (under_test.old, under_test.new)
        assert "Traceback" not in ended.stderr
        if ended.returncode == 0:
            assert when > 1 or (story, fault) in UNUSED, "nothing was refused"
            return
        assert ended.stderr.startswith("refused: ")
        assert_next_run_converges(under_test)
    pytest.fail(f"no end after {MOST_CALLS} calls of {fault}")
