# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine as a host for tests: the real probe through a real shell, the real store, in a folder of the test's."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.plugin_utils import plan as planning
from ansible_collections.pinned.release.plugins.plugin_utils import probe
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released

SHELL_PROGRAM = Requirement(os="any", arch="any", interpreter="/bin/sh")


class Machine:
    """A host whose root and bin_dir lie in *folder*, and a lock file made of releases."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.bin_dir = folder / "bin"
        self.bin_dir.mkdir(exist_ok=True)

    def wanted(self, *released: Released, **options: Any) -> planning.Wanted:
        lock = LockFile(("linux/x86_64",), {one.tool: locked(one) for one in released})
        place: dict[str, Any] = {"root": str(self.root), "bin_dir": str(self.bin_dir), "lock_digest": "d" * 64}
        return planning.Wanted(lock=lock, **{**place, **options})

    def ask(self, wanted: planning.Wanted) -> probe.Answer:
        command = probe.command(planning.question(wanted))
        asked = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        return probe.parse(asked.stdout)

    def plan(self, wanted: planning.Wanted) -> planning.Plan:
        answer = self.ask(wanted)
        if answer.sealed is not None:
            return planning.sealed_plan(wanted, answer.sealed)
        assert answer.host is not None
        assert answer.state is not None
        return planning.make_plan(wanted, answer.host, answer.state)

    def converge(self, wanted: planning.Wanted) -> planning.Plan:
        planned = self.plan(wanted)
        store.obey(planning.orders(planned))
        return planned

    def actions(self, wanted: planning.Wanted) -> dict[str, str]:
        return {tool.tool: tool.action for tool in self.plan(wanted).tools}

    def run(self, program: str) -> str:
        return subprocess.run([self.bin_dir / program], capture_output=True, text=True, check=True).stdout.strip()

    def program_file(self, tool: str, program: str) -> Path:
        return (self.root / "current" / tool / "bin" / program).resolve()


def locked(released: Released, requires: Requirement = SHELL_PROGRAM) -> LockedTool:
    asset = LockedAsset(
        **released.asset._asdict(),
        target="any",
        requires=requires,
        executables={name: Executable(**program._asdict()) for name, program in released.programs.items()},
        evidence=(),
    )
    return LockedTool(released.version, {"directory": "/releases"}, (asset,))


def with_options(wanted: planning.Wanted, **options: Any) -> planning.Wanted:
    return replace(wanted, **options)
