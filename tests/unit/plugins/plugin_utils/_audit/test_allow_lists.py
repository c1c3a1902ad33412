# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An allow-list names the files that are on a host, with the digests that are pinned, whatever the host says."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import look_into
from ansible_collections.pinned.release.plugins.plugin_utils._audit.allow_lists import (
    AllowedFile,
    fapolicyd,
    files_of,
    ima,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import brief
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine


@pytest.fixture
def released(tmp_path: Path) -> Released:
    return Released(tmp_path, files={"lib/a b.so": b"library\n", "lib/c.so": b"other\n"})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def result_of(machine: Machine, wanted: Wanted) -> dict[str, Any]:
    answer = machine.ask(replace(wanted, integrity="full"), audit=True)
    assert answer.state is not None
    assert answer.host is not None
    found = inspect(answer.state, answer.host, wanted, None).to_json()
    short = brief.reduced({"root": answer.state.root, "bin_dir": answer.state.bin_dir, **found}, wanted.lock)
    return brief.whole(json.loads(json.dumps(short)), wanted.lock)


def programs_only(_tool: str, _asset: LockedAsset) -> None:
    return None


def opened(released: Released) -> Unpacked:
    return look_into(Path(released.path), "tar.gz", "hello").unpacked


def as_on_disk(path: str) -> AllowedFile:
    content = Path(path).read_bytes()
    return AllowedFile(str(Path(path).resolve()), len(content), hashlib.sha256(content).hexdigest())


def test_programs_are_told_as_they_are_on_the_host(machine: Machine, released: Released) -> None:
    wanted = machine.wanted(released)
    machine.converge(wanted)
    found = files_of(result_of(machine, wanted), wanted.lock, programs_only)
    assert found == (as_on_disk(str(machine.bin_dir / "hello")),)


def test_every_file_of_an_asset_is_told_if_it_was_opened(machine: Machine, released: Released) -> None:
    wanted = machine.wanted(released)
    machine.converge(wanted)
    found = files_of(result_of(machine, wanted), wanted.lock, lambda _tool, _asset: opened(released))
    tree = (machine.root / "current/hello").resolve() / "libexec"
    assert found == tuple(sorted(as_on_disk(str(path)) for path in tree.rglob("*") if path.is_file()))


def test_copies_are_told_where_they_are(machine: Machine, released: Released) -> None:
    wanted = machine.wanted(released, bin="copy")
    machine.converge(wanted)
    found = files_of(result_of(machine, wanted), wanted.lock, programs_only)
    assert as_on_disk(str(machine.bin_dir / "hello")) in found


def test_what_a_host_changed_is_not_allowed(machine: Machine, released: Released) -> None:
    wanted = machine.wanted(released)
    machine.converge(wanted)
    before = files_of(result_of(machine, wanted), wanted.lock, programs_only)
    machine.program_file("hello", "hello").write_text("#!/bin/sh\necho evil\n")
    assert files_of(result_of(machine, wanted), wanted.lock, programs_only) == before


def test_an_asset_that_unpacks_to_something_else_is_refused(
    machine: Machine, released: Released, tmp_path: Path
) -> None:
    wanted = machine.wanted(released)
    machine.converge(wanted)
    other = Released(tmp_path, files={"lib/evil.so": b"evil\n"})
    with pytest.raises(ReleaseError, match="does not unpack to what the lock file pins"):
        files_of(result_of(machine, wanted), wanted.lock, lambda _tool, _asset: opened(other))


@pytest.mark.parametrize("root", ["/opt\n/bin/sh 1 " + "a" * 64, "relative", "/opt/../etc", 7])
def test_a_root_that_is_no_folder_gives_no_line(machine: Machine, released: Released, root: object) -> None:
    wanted = machine.wanted(released)
    machine.converge(wanted)
    assert files_of({**result_of(machine, wanted), "root": root}, wanted.lock, programs_only) == ()


def test_another_asset_than_a_pinned_one_is_not_allowed(machine: Machine, released: Released, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path / "..", version="0.9")))
    wanted = machine.wanted(released)
    assert files_of(result_of(machine, wanted), wanted.lock, programs_only) == ()


FILES = (AllowedFile("/opt/b", 3, "b" * 64), AllowedFile("/opt/a b", 2, "a" * 64), AllowedFile("/opt/b", 3, "b" * 64))


def test_lines_of_fapolicyd_have_three_columns() -> None:
    comment, *lines = fapolicyd(FILES).splitlines()
    assert comment == "# 1 files are left out: there is white space in their paths."
    # As fapolicyd's reader does: %4096s %lu %64s
    assert [re.fullmatch(r"(\S{1,4096}) ([0-9]+) ([0-9a-f]{64})", line) is not None for line in lines] == [True]
    assert fapolicyd(FILES[:1]) == f"/opt/b 3 {'b' * 64}\n"


def test_lines_of_ima_are_the_fields_of_the_template() -> None:
    assert ima(FILES) == f"sha256:{'a' * 64} /opt/a b\nsha256:{'b' * 64} /opt/b\n"
