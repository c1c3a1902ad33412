# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine as a host for tests: the real probe through a real shell, the real store, in a folder of the test's."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.orders import from_json, to_json
from ansible_collections.pinned.release.plugins.plugin_utils._asset.alone import Sought, sought
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import plan as planning
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import views
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, ask_for, question, unsealed
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released

SHELL_PROGRAM = Requirement(os="any", arch="any", interpreter="/bin/sh")


class Machine:
    """A host whose root and bin_dir lie in *folder*, and a lock file made of releases."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.bin_dir = folder / "bin"
        self.bin_dir.mkdir(exist_ok=True)

    def wanted(self, *released: Released, **options: Any) -> Wanted:
        lock = LockFile(("linux/x86_64",), {one.tool: locked(one) for one in released})
        place: dict[str, Any] = {"root": str(self.root), "bin_dir": str(self.bin_dir), "lock_digest": "d" * 64}
        place["python"] = "auto"
        return Wanted(lock=lock, **{**place, **options})

    def ask(
        self,
        wanted: Wanted,
        audit: bool = False,
        userland: str = "",
        without: str = "",
        environment: Mapping[str, str] | None = None,
        task_path: str = "",
        user: int | None = None,
        is_unsealed: bool = False,
    ) -> probe.Answer:
        """Put the question, and if that is answered with "not as sealed", the one about all there is.

        With *userland*, a folder of programs, in its shell and with no other programs on PATH. With *user*, as that
        one, which only root can do. *without* is a text of the question that is taken out of it.
        """

        def put(asked: probe.Question) -> probe.Answer:
            command = probe.command(asked)
            if userland:
                command = command.replace(re.findall(r"; PATH=([^;]*);", command)[0], userland)
            command = command.replace(without, "/nowhere") if without else command
            done = subprocess.run(
                [f"{userland}/sh" if userland else "/bin/sh", "-c", command],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **(environment or {})},
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
            return probe.parse(done.stdout, asked)

        first = question(wanted)
        answer = probe.Answer() if is_unsealed or audit else put(first)
        in_full = replace(unsealed(first), audit=audit, task_path=task_path)
        return put(in_full) if answer == probe.Answer() else answer

    def plan(self, wanted: Wanted) -> planning.Plan:
        answer = self.ask(wanted)
        settled = planning.settled_plan(wanted, ask_for(wanted), answer)
        if settled is not None:
            return settled
        if answer.host is None:
            answer = self.ask(wanted, is_unsealed=True)
        assert answer.host is not None
        assert answer.state is not None
        return planning.make_plan(wanted, answer.host, answer.state)

    def converge(self, wanted: Wanted) -> planning.Plan:
        planned = self.plan(wanted)
        store.obey(from_json(json.loads(json.dumps(to_json(views.orders(planned))))))
        return planned

    def actions(self, wanted: Wanted) -> dict[str, str]:
        return {tool.tool: tool.action for tool in self.plan(wanted).tools}

    def run(self, program: str) -> str:
        return subprocess.run([self.bin_dir / program], capture_output=True, text=True, check=True).stdout.strip()

    def program_file(self, tool: str, program: str) -> Path:
        return (self.root / "current" / tool / "bin" / program).resolve()


def busybox(folder: Path) -> str:
    """Return a folder in *folder* that has the programs of busybox and no others: a userland to ask in."""
    program = shutil.which("busybox") or pytest.skip("busybox is not on this machine")
    (folder / "userland").mkdir()
    for name in subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split():
        (folder / "userland" / name).symlink_to(program)
    return str(folder / "userland")


def locked(released: Released, requires: Requirement = SHELL_PROGRAM) -> LockedTool:
    beside = {name: found for name in released.programs if (found := _sought(released, name))}
    asset = LockedAsset(
        name=released.asset.name,
        url=released.asset.urls[0],
        size=released.asset.size,
        sha256=released.sha256,
        format=released.asset.format,
        unpacked_size=released.asset.unpacked_size,
        target="any",
        requires=requires,
        executables={name: Executable(**program._asdict()) for name, program in released.programs.items()},
        tree_sha256=released.tree_sha256,
        files=released.linked,
        looks_beside={name: found.words for name, found in beside.items()},
        wrapped=tuple(sorted(name for name, found in beside.items() if not found.works_through_links)),
        evidence=Evidence(),
    )
    return LockedTool(released.version, {"directory": "/releases"}, (asset,))


def _sought(released: Released, name: str) -> Sought | None:
    path = released.programs[name].path
    found = sought(io.BytesIO(released.contents[path]))
    return found if found and found.is_among({*released.contents} - {path}) else None


def with_options(wanted: Wanted, **options: Any) -> Wanted:
    return replace(wanted, **options)
