# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are copies in bin_dir: planned, carried out by the real host code, and asked about again."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import Inspection, inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, with_options

BOTH = ("bridge", "portmap")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "host").mkdir()
    return Machine(tmp_path / "host")


def cni(machine: Machine, version: str = "1.0", programs: tuple[str, ...] = BOTH, **options: Any) -> Wanted:
    # Beside all machines of a test, so that their lock files say the same.
    released = Released(machine.root.parent.parent, "cni", version, programs)
    return machine.wanted(released, **{"bin": "copy", **options})


def inspected(machine: Machine, wanted: Wanted, **options: Any) -> Inspection:
    answer = machine.ask(with_options(wanted, integrity="full", **options), is_unsealed=True)
    assert answer.state
    assert answer.host
    return inspect(answer.state, answer.host, wanted, None)


def listed(machine: Machine) -> list[str]:
    return sorted(os.listdir(machine.bin_dir))


def test_programs_are_files_that_start_where_root_is_not(machine: Machine) -> None:
    wanted = cni(machine)
    machine.converge(wanted)
    assert listed(machine) == list(BOTH)
    assert all(stat.S_ISREG(os.lstat(machine.bin_dir / name).st_mode) for name in BOTH)
    assert machine.ask(wanted).sealed is not None
    assert not machine.plan(with_options(wanted, integrity="full")).is_changed
    found = inspected(machine, wanted)
    assert found.is_compliant
    assert found.tools["cni"].receipt
    assert found.tools["cni"].receipt.bin == "copy"
    shutil.rmtree(machine.root)
    assert machine.run("portmap") == "portmap 1.0"


def test_upgrade_replaces_each_copy_and_takes_away_what_went(machine: Machine) -> None:
    machine.converge(cni(machine))
    old = os.stat(machine.bin_dir / "bridge").st_ino
    wanted = cni(machine, "2.0", ("bridge", "tap"))
    assert machine.converge(wanted).tools[0].action == "upgrade"
    assert listed(machine) == ["bridge", "tap"]
    assert machine.run("bridge") == "bridge 2.0"
    assert os.stat(machine.bin_dir / "bridge").st_ino != old
    assert machine.ask(wanted).sealed is not None


def renamed_over(path: Path) -> None:
    beside = path.with_suffix(".tmp")
    beside.write_text("theirs")
    beside.rename(path)


def led_elsewhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("/bin/true")


def written(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def opened_to_all(path: Path) -> None:
    path.chmod(0o777)


@pytest.mark.parametrize("change", [renamed_over, led_elsewhere, written, opened_to_all, Path.unlink])
def test_changed_copy_is_drift_of_ours_and_repaired(machine: Machine, change: Callable[[Path], None]) -> None:
    wanted = cni(machine)
    machine.converge(wanted)
    change(machine.bin_dir / "portmap")
    assert machine.ask(wanted).sealed is None
    assert inspected(machine, wanted).drifted == ("cni",) or change is opened_to_all
    planned = machine.converge(wanted)
    assert planned.tools[0].action == "repair"
    assert str(machine.bin_dir / "portmap") in planned.tools[0].reason
    assert listed(machine) == list(BOTH)
    assert machine.run("portmap") == "portmap 1.0"
    assert machine.ask(wanted).sealed is not None


def test_foreign_file_is_protected_as_where_there_are_links(machine: Machine) -> None:
    (machine.bin_dir / "portmap").write_text("theirs")
    wanted = cni(machine)
    with pytest.raises(ReleaseError, match=r"portmap is there already, and pinned\.release did not put it there"):
        machine.plan(wanted)
    machine.converge(with_options(wanted, adopt=True))
    backup = next(name for name in listed(machine) if name.endswith("~"))
    assert (machine.bin_dir / backup).read_text() == "theirs"
    assert machine.run("portmap") == "portmap 1.0"


def test_file_at_the_place_of_another_tools_copy_is_not_foreign_but_refused(machine: Machine) -> None:
    machine.converge(cni(machine))
    other = machine.wanted(Released(machine.root.parent, "other", programs=("bridge",)), bin="copy")
    with pytest.raises(ReleaseError, match="bridge belongs to another installed tool, cni"):
        machine.plan(other)


def test_links_become_copies_and_copies_links(machine: Machine) -> None:
    for kind in ("link", "copy", "link"):
        wanted = cni(machine, bin=kind)
        assert machine.plan(wanted).is_changed
        machine.converge(wanted)
        assert machine.ask(wanted).sealed is not None
        assert (machine.bin_dir / "bridge").is_symlink() == (kind == "link")
        assert inspected(machine, wanted).is_compliant
        assert machine.run("bridge") == "bridge 1.0"
    (machine.bin_dir / "bridge").unlink()
    (machine.bin_dir / "bridge").write_text("theirs")
    with pytest.raises(ReleaseError, match="did not put it there"):
        machine.plan(cni(machine, bin="link"))


def test_removal_takes_copies_away_even_replaced_ones_and_nothing_else(machine: Machine) -> None:
    machine.converge(cni(machine))
    renamed_over(machine.bin_dir / "portmap")
    (machine.bin_dir / "loopback").write_text("theirs")
    machine.converge(cni(machine, names=("cni",), is_present=False))
    assert listed(machine) == ["loopback"]
    assert (machine.root / "copies").read_text() == ""


def test_exact_takes_the_copies_of_a_tool_that_is_no_longer_pinned(machine: Machine) -> None:
    machine.converge(cni(machine))
    other = Released(machine.root.parent, "other", programs=("other",))
    machine.converge(machine.wanted(other, bin="copy", exact=True))
    assert listed(machine) == ["other"]


def test_copies_have_the_mode_that_is_ordered(machine: Machine) -> None:
    for mode in (0o750, 0o755):
        wanted = cni(machine, mode=mode)
        machine.converge(wanted)
        assert stat.S_IMODE(os.stat(machine.bin_dir / "bridge").st_mode) == mode
        assert machine.ask(wanted).sealed is not None


def test_two_folders_keep_their_own_copies(machine: Machine) -> None:
    here, there = cni(machine), cni(machine, bin_dir=str(machine.root.parent / "there/bin"), bin="link")
    # The second task changes the links of the tree that the first one remembers: it looks at all once more.
    for wanted in (here, there, here):
        machine.converge(wanted)
    assert machine.ask(here).sealed is not None
    assert machine.ask(there).sealed is not None
    assert inspected(machine, here).drifted == ()


@pytest.mark.parametrize("kind", ["link", "copy"])
@pytest.mark.parametrize("is_asked_for", [True, False])
def test_no_program_of_a_tool_that_goes_stays_in_another_folder(
    machine: Machine, tmp_path: Path, kind: Any, is_asked_for: bool
) -> None:
    machine.converge(cni(machine, bin_dir=str(tmp_path / "there"), bin=kind))
    absent = machine.wanted(names=("cni",), is_present=False)
    goes = absent if is_asked_for else machine.wanted(Released(tmp_path), exact=True)
    with pytest.raises(ReleaseError, match=f"cni is to be removed, and its programs would stay in {tmp_path}/there"):
        machine.plan(goes)
    machine.converge(with_options(absent, bin_dir=str(tmp_path / "there")))
    assert os.listdir(tmp_path / "there") == []
    machine.converge(goes)


@pytest.mark.parametrize("kind", ["link", "copy"])
def test_tree_that_was_moved_as_a_whole_works_and_is_ours(tmp_path: Path, kind: Any) -> None:
    (tmp_path / "old").mkdir()
    old = Machine(tmp_path / "old")
    old.converge(cni(old, bin=kind))
    shutil.move(tmp_path / "old", tmp_path / "new")
    new = Machine(tmp_path / "new")
    assert new.run("bridge") == "bridge 1.0"
    wanted = cni(new, bin=kind)
    assert new.plan(wanted).is_changed is False
    assert inspected(new, wanted).is_compliant
    new.converge(wanted)
    assert new.ask(wanted).sealed is not None
    assert new.converge(cni(new, "2.0", bin=kind)).tools[0].action == "upgrade"
    assert new.run("bridge") == "bridge 2.0"


def test_program_that_needs_its_tree_is_refused_before_it_is_downloaded(machine: Machine, tmp_path: Path) -> None:
    starts = b'#!/bin/sh\ncat "$(dirname "$0")"/../words\n'
    released = Released(tmp_path, programs=("goodbye",), files={"bin/hello": starts, "words": b"hello 1.0"})
    os.unlink(released.path)
    with pytest.raises(ReleaseError, match="hello: hello would not start as a copy") as refused:
        machine.plan(machine.wanted(released, bin="copy"))
    assert refused.value.found == 'dirname "$0'
    assert refused.value.fix
    assert "bin: link" in refused.value.fix


def test_kept_version_that_needs_its_tree_is_not_copied_either(machine: Machine, tmp_path: Path) -> None:
    released = Released(tmp_path, files={"bin/hello": b"\x7fELF\0$ORIGIN/../lib\0", "lib/libz.so": b"x"})
    machine.converge(machine.wanted(released))
    with pytest.raises(ReleaseError, match="would not start as a copy"):
        machine.plan(machine.wanted(released, bin="copy"))
    assert (machine.bin_dir / "hello").is_symlink()
