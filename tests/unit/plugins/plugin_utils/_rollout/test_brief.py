# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A brief result says all that a whole one says of a host, with the lock file beside it, and is small."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import brief
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine


def result_of(machine: Machine, wanted: Wanted) -> dict[str, Any]:
    """Return what the action returns: the parts that it puts together itself, too."""
    answer = machine.ask(replace(wanted, integrity="full"), audit=True)
    assert answer.state is not None
    assert answer.host is not None
    place = {"root": answer.state.root, "bin_dir": answer.state.bin_dir}
    result: dict[str, Any] = {**place, **inspect(answer.state, answer.host, wanted, None).to_json()}
    return result


def edited(machine: Machine, **fields: object) -> None:
    path = machine.root / "current/hello/receipt.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}) + "\n")


HAPPENED: dict[str, Callable[[Machine], object]] = {
    "nothing": lambda _machine: None,
    "another lock file before": lambda machine: edited(machine, lock_sha256="e" * 64),
    "another version under its name": lambda machine: edited(machine, version="9.9"),
    "an asset of nobody": lambda machine: edited(machine, sha256="f" * 64),
    "another address": lambda machine: edited(machine, source_url="https://example.org/x"),
    "no receipt": lambda machine: (machine.root / "current/hello/receipt.json").unlink(),
    "another bin_dir": lambda machine: edited(machine, bin_dir="/usr/local/bin"),
    "a changed program": lambda machine: machine.program_file("hello", "hello").write_text("#!/bin/sh\n"),
}


@pytest.mark.parametrize("kind", HAPPENED)
def test_a_brief_result_becomes_whole_again(tmp_path: Path, kind: str) -> None:
    machine = Machine(tmp_path)
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    HAPPENED[kind](machine)
    result = result_of(machine, wanted)
    received = json.loads(json.dumps(brief.reduced(result, wanted.lock)))
    receipt = result["tools"]["hello"]["receipt"]
    kept = {key: value for key, value in receipt.items() if key in brief.OF_HOST}
    expected = receipt if kind == "an asset of nobody" else kept
    tools = {"hello": {**result["tools"]["hello"], "receipt": expected}}
    assert brief.whole(received, wanted.lock) == {**result, "tools": tools}


def test_a_tool_that_is_as_pinned_takes_at_most_400_bytes(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    result = brief.reduced(result_of(machine, wanted), wanted.lock)
    assert len(json.dumps([result["tools"], result["wanted"]])) <= 400


def test_a_tool_that_the_lock_file_does_not_have_keeps_its_receipt(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one, two))
    wanted = machine.wanted(one)
    result = result_of(machine, wanted)
    short = brief.reduced(result, wanted.lock)
    assert short["tools"]["two"]["receipt"] == result["tools"]["two"]["receipt"]
    assert "evidence" not in short["tools"]["one"]["receipt"]
