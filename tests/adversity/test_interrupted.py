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
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.orders import to_json
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import views
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
MANUAL = "share/man/hello.1"
STORY = {"install": (), "upgrade": ("1.0",), "remove": ("1.0", "2.0")}
#: Taking a tool away makes no link.
UNUSED = {("remove", "symlink"), ("remove", "symlink:error=EACCES")}
MOST_CALLS = 150
#: What stands outside of root for programs: files, or scripts for programs that look for files beside themselves. And
#: the calls by which these are made, replaced, remembered and taken away.
KINDS = (("copy", "rename"), ("copy", "write"), ("copy", "unlink,unlinkat,rmdir"), ("wrapper", "rename"))
STARTS = """#!/bin/sh
read -r version < "$(dirname "$0")"/../version
echo {name} "$version"
"""

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed: apt-get install strace"
)


class Case:
    """A host before something happens to it, and the orders for what shall happen.

    *kind* is what stands in bin_dir: a link, a copy or a wrapper.
    """

    def __init__(self, folder: Path, story: str, kind: str = "link") -> None:
        self.folder = folder
        self.kind = kind
        self.options: dict[str, Any] = {"bin": "copy" if kind == "copy" else "link"}
        self.before = folder / "before"
        self.host = folder / "host"
        self.host.mkdir()
        self.machine = Machine(self.host)
        self.releases = {version: self._release(version) for version in ("1.0", "2.0", "3.0")}
        for version in STORY[story]:
            self.machine.converge(self.machine.wanted(self.releases[version], **self.options))
        self.old = {"install": None, "upgrade": "1.0", "remove": "2.0"}[story]
        self.new = None if story == "remove" else "3.0"
        self.wanted = (
            self.machine.wanted(names=("hello",), is_present=False)
            if self.new is None
            else self.machine.wanted(self.releases[self.new], keep=0, **self.options)
        )
        self.orders = folder / "orders.json"
        self.orders.write_text(json.dumps(to_json(views.orders(self.machine.plan(self.wanted)))))
        shutil.copytree(self.host, self.before, symlinks=True)

    def _release(self, version: str) -> Released:
        files = {"hello.1": f"manual {version}".encode()}
        programs = ("hello", "goodbye")
        if self.kind == "wrapper":
            files |= {f"bin/{name}": STARTS.format(name=name).encode() for name in programs}
            files["version"] = f"{version}\n".encode()
        return Released(self.folder, version=version, programs=programs, files=files, linked={MANUAL: "hello.1"})

    def run(self, *inject: str) -> subprocess.CompletedProcess[str]:
        """Put the host back to how it was before, and carry the orders out under strace."""
        shutil.rmtree(self.host)
        shutil.copytree(self.before, self.host, symlinks=True)
        command = [sys.executable, str(Path(__file__).with_name("obey.py")), str(self.orders)]
        return subprocess.run(
            ["strace", "-f", "-qq", "-o", "/dev/null", *inject, *command], capture_output=True, text=True, check=False
        )

    def present(self) -> str | None:
        """Return the version that both programs and the manual are of; None when all are gone. Else it is a failure."""
        versions = self.versions()
        assert len(set(versions.values())) == 1, f"what is linked of one tool is of different versions: {versions}"
        return versions["hello"]

    def versions(self) -> dict[str, str | None]:
        """Return the version of each program and of the manual; None for what is not there, or leads nowhere yet."""
        manual = self.host / MANUAL
        is_led = (self.machine.root / "current/hello").exists() or self.kind != "wrapper"
        found = {MANUAL: manual.read_text().split()[1] if manual.exists() else None}
        for program in ("hello", "goodbye"):
            is_there = is_led and (self.machine.bin_dir / program).exists()
            found[program] = self.machine.run(program).split()[1] if is_there else None
        return found


@pytest.fixture
def case(tmp_path: Path) -> Callable[..., Case]:
    return lambda story, kind="link": Case(tmp_path, story, kind)


def assert_next_run_converges(case: Case) -> None:
    case.machine.converge(case.wanted)
    assert case.present() == case.new
    assert os.listdir(case.machine.root / "staging") == []
    assert not case.machine.plan(case.wanted).is_changed
    for folder in (case.machine.bin_dir, (case.host / MANUAL).parent):
        assert not folder.exists() or not [name for name in os.listdir(folder) if name.startswith(".")]


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
@pytest.mark.parametrize(("kind", "calls"), KINDS)
def test_killed_at_any_call_each_file_in_bin_dir_is_whole(
    case: Callable[..., Case], story: str, calls: str, kind: str
) -> None:
    """Copies change one after the other, each by a rename; wrappers, like links, all at once."""
    under_test = case(story, kind)
    for when in range(1, MOST_CALLS):
        ended = under_test.run("-e", f"inject={calls}:signal=KILL:when={when}")
        assert set(under_test.versions().values()) <= {under_test.old, under_test.new}
        assert kind == "copy" or under_test.present() in (under_test.old, under_test.new)
        if ended.returncode == 0:
            assert under_test.present() == under_test.new
            assert when > 1, "nothing was interrupted"
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
