# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are linked beside bin_dir: planned, carried out by the real host code, and asked about again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import views
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import Inspection, inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, question
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import MALLORY, only_root
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, with_options

MAN = "share/man/man1/hello.1"
COMPLETION = "share/zsh/site-functions/_hello"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def version(folder: Path, number: str = "1.0", linked: Sequence[str] = (MAN, COMPLETION)) -> Released:
    files = {path: f"{path} {number}\n".encode() for path in (MAN, COMPLETION)}
    return Released(folder, version=number, files=files, linked={path: path for path in linked})


def inspected(machine: Machine, wanted: Wanted) -> Inspection:
    answer = machine.ask(with_options(wanted, integrity="full"), is_unsealed=True)
    assert answer.state
    assert answer.host
    return inspect(answer.state, answer.host, wanted, None)


def replaced(path: Path, text: str = "theirs") -> None:
    path.unlink()
    path.write_text(text)


def led_elsewhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def test_files_are_installed_once_and_then_sealed(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(version(tmp_path))
    planned = machine.converge(wanted)
    after = planned.tools[0].after
    assert after
    assert after.files == (f"{tmp_path}/{MAN}", f"{tmp_path}/{COMPLETION}")
    assert (tmp_path / MAN).read_text() == f"{MAN} 1.0\n"
    assert machine.ask(wanted).sealed is not None
    assert not machine.plan(with_options(wanted, integrity="full")).is_changed
    assert inspected(machine, wanted).is_compliant


def test_the_lasting_path_leads_to_the_files(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(version(tmp_path))
    assert views.results(machine.converge(wanted))["hello"]["files"] == [MAN, COMPLETION]
    lasting = machine.root / "current/hello/tree"
    assert (lasting / MAN).read_text() == f"{MAN} 1.0\n"
    assert inspected(machine, wanted).to_json()["tools"]["hello"]["tree"] == str(lasting)


@pytest.mark.parametrize(("change", "told"), [(Path.unlink, "is missing"), (led_elsewhere, "does not lead to it")])
def test_lost_or_led_away_link_is_drift_and_repaired(
    machine: Machine, tmp_path: Path, change: Callable[[Path], None], told: str
) -> None:
    wanted = machine.wanted(version(tmp_path), adopt=True)
    machine.converge(wanted)
    change(tmp_path / MAN)
    assert machine.ask(wanted).sealed is None
    assert inspected(machine, wanted).tools["hello"].drift == (f"{tmp_path}/{MAN} {told}",)
    planned = machine.converge(wanted)
    assert (planned.tools[0].action, planned.tools[0].reason) == ("repair", f"{tmp_path}/{MAN} {told}")
    assert (tmp_path / MAN).read_text() == f"{MAN} 1.0\n"
    assert inspected(machine, wanted).is_compliant


def test_file_in_the_place_of_a_link_is_drift_and_nobody_elses_to_remove(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(version(tmp_path))
    machine.converge(wanted)
    replaced(tmp_path / MAN)
    assert inspected(machine, wanted).drifted == ("hello",)
    with pytest.raises(ReleaseError) as refused:
        machine.plan(wanted)
    assert refused.value.what == f"hello: {tmp_path}/{MAN} is there already, and pinned.release did not put it there"
    machine.converge(with_options(wanted, adopt=True))
    assert (tmp_path / MAN).read_text() == f"{MAN} 1.0\n"
    assert sorted(path.read_text() for path in (tmp_path / MAN).parent.glob("*~")) == ["theirs"]


def test_changed_file_behind_a_link_is_drift(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(version(tmp_path))
    machine.converge(wanted)
    os.unlink(machine.root / "current/hello/files" / MAN)
    os.symlink("/etc/passwd", machine.root / "current/hello/files" / MAN)
    assert inspected(machine, wanted).tools["hello"].drift == (f"files/{MAN} is changed",)
    assert machine.actions(wanted) == {"hello": "repair"}
    machine.converge(wanted)
    assert (tmp_path / MAN).read_text() == f"{MAN} 1.0\n"


@pytest.mark.parametrize("text", ["libexec", "/etc", "libexec/hello-1.0/"])
def test_lasting_path_that_leads_elsewhere_is_drift(machine: Machine, tmp_path: Path, text: str) -> None:
    wanted = machine.wanted(version(tmp_path))
    machine.converge(wanted)
    os.unlink(machine.root / "current/hello/tree")
    assert "tree is missing" in inspected(machine, wanted).tools["hello"].drift
    os.symlink(text, machine.root / "current/hello/tree")
    assert inspected(machine, wanted).tools["hello"].drift == ("tree is changed",)
    assert machine.actions(wanted) == {"hello": "repair"}


def test_manifest_that_asks_for_other_files_of_the_same_asset_is_carried_out(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(version(tmp_path)))
    fewer = machine.wanted(version(tmp_path, linked=[MAN]))
    assert machine.actions(fewer) == {"hello": "repair"}
    machine.converge(fewer)
    assert not os.path.lexists(tmp_path / "share/zsh")
    assert inspected(machine, fewer).is_compliant
    none = machine.wanted(version(tmp_path, linked=[]))
    machine.converge(none)
    assert not os.path.lexists(tmp_path / "share")
    assert machine.ask(none).sealed is not None


def test_files_move_with_an_upgrade_and_go_with_the_tool(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(version(tmp_path)))
    machine.converge(machine.wanted(version(tmp_path, "2.0", linked=[MAN])))
    assert (tmp_path / MAN).read_text() == f"{MAN} 2.0\n"
    assert not os.path.lexists(tmp_path / COMPLETION)
    machine.converge(machine.wanted(version(tmp_path)))
    assert (tmp_path / COMPLETION).read_text() == f"{COMPLETION} 1.0\n"
    machine.converge(with_options(machine.wanted(), names=("hello",), is_present=False))
    assert not os.path.lexists(tmp_path / "share")
    assert list(machine.bin_dir.iterdir()) == []


def test_exact_removes_the_files_of_what_is_not_pinned(machine: Machine, tmp_path: Path) -> None:
    other = Released(tmp_path, "other", programs=("other",))
    machine.converge(machine.wanted(version(tmp_path), other))
    machine.converge(machine.wanted(other, exact=True))
    assert not os.path.lexists(tmp_path / "share")


def test_link_that_a_killed_run_left_over_is_found_and_goes(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(version(tmp_path), keep=2))
    text = os.readlink(tmp_path / COMPLETION)
    newer = machine.wanted(version(tmp_path, "2.0", linked=[MAN]), keep=2)
    machine.converge(newer)
    (tmp_path / COMPLETION).parent.mkdir(parents=True)
    os.symlink(text, tmp_path / COMPLETION)
    planned = machine.converge(with_options(newer, integrity="full"))
    assert planned.tools[0].reason == f"{tmp_path}/{COMPLETION} is left over"
    assert not os.path.lexists(tmp_path / COMPLETION)


def test_file_of_another_tool_is_not_taken(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(version(tmp_path)))
    other = Released(tmp_path, "other", programs=("other",), files={MAN: b"other"}, linked={MAN: MAN})
    with pytest.raises(ReleaseError, match=f"{MAN} belongs to another installed tool, hello"):
        machine.plan(machine.wanted(other))
    machine.converge(machine.wanted(other, exact=True))
    assert (tmp_path / MAN).read_text() == "other"
    with pytest.raises(ReleaseError, match="two tools, hello and other, both have a file " + MAN):
        machine.plan(machine.wanted(other, version(tmp_path)))


def test_file_in_the_place_of_another_tools_folder_is_refused(machine: Machine, tmp_path: Path) -> None:
    other = Released(tmp_path, "other", programs=("other",), files={"x": b""}, linked={"share/man": "x"})
    with pytest.raises(ReleaseError, match="other has a file share/man, where another tool has a folder"):
        machine.plan(machine.wanted(other, version(tmp_path)))


def test_file_that_would_lie_in_bin_dir_is_refused(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    one = Released(tmp_path, files={"x": b""}, linked={"tools/x": "x"})
    (tmp_path / "tools").mkdir()
    with pytest.raises(ReleaseError, match="the file tools/x would lie in bin_dir"):
        machine.plan(machine.wanted(one, bin_dir=str(tmp_path / "tools")))


@only_root
@pytest.mark.parametrize("spoil", [lambda path: os.chown(path, MALLORY, 0), lambda path: os.chmod(path, 0o777)])
def test_folder_that_others_can_change_is_refused_in_the_plan(
    machine: Machine, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    (tmp_path / "share/man").mkdir(parents=True)
    spoil(tmp_path / "share/man")
    with pytest.raises(ReleaseError, match=f"{tmp_path}/share/man .*, so nothing below it can be trusted"):
        machine.plan(machine.wanted(version(tmp_path)))


def test_file_on_the_way_is_refused_in_the_plan(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "share").write_text("a file")
    with pytest.raises(ReleaseError, match=f"{tmp_path}/share is no folder"):
        machine.plan(machine.wanted(version(tmp_path)))


def test_links_into_another_bin_dir_are_looked_for_where_they_are(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(version(tmp_path))
    machine.converge(wanted)
    elsewhere = tmp_path / "elsewhere/bin"
    elsewhere.mkdir(parents=True)
    seen_from_there = with_options(wanted, bin_dir=str(elsewhere))
    assert inspected(machine, seen_from_there).is_compliant
    (tmp_path / MAN).unlink()
    assert inspected(machine, seen_from_there).tools["hello"].drift == (f"{tmp_path}/{MAN} is missing",)


def test_paths_of_files_are_asked_about_beside_the_programs(machine: Machine, tmp_path: Path) -> None:
    assert question(machine.wanted(version(tmp_path))).names == ("hello", MAN, COMPLETION)
    assert LockFile().tools == {}


def test_what_was_asked_before_and_is_asked_now_is_told_where_an_entry_is_gone(
    machine: Machine, tmp_path: Path
) -> None:
    machine.converge(machine.wanted(version(tmp_path)))
    fewer = machine.wanted(version(tmp_path, linked=[MAN]))
    told = f"it was installed with the files {MAN}, {COMPLETION}, and the lock file names {MAN}"
    for integrity in ("quick", "full"):
        assert machine.plan(with_options(fewer, integrity=integrity)).tools[0].reason == told
    assert (
        f"its receipt says files {MAN}, {COMPLETION}, the lock file {MAN}"
        in inspected(machine, fewer).tools["hello"].deviation
    )
    none = machine.wanted(version(tmp_path, linked=[]))
    assert machine.plan(none).tools[0].reason.endswith(f"{COMPLETION}, and the lock file names none")
    assert machine.converge(none).tools[0].action == "repair"
    assert not (tmp_path / MAN).exists()
