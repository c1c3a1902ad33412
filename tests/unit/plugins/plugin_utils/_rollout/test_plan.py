# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan announces is what happens: the real probe, the pure plan and the real store, on this machine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from ansible_collections.pinned.release.plugins.module_utils import seal, store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Sealed
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import plan, views
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.appearance import as_installed
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import (
    Wanted,
    refuse_unknown_notifiers,
    wanted_digest,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import basic
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, locked, with_options
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_first_converge_installs_and_second_finds_nothing_to_do(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    assert machine.converge(wanted).tools[0].action == "install"
    assert machine.run("hello") == "hello 1.0"
    assert machine.ask(wanted).sealed == Sealed(str(machine.root), {"hello": Released(tmp_path).tree})


@pytest.mark.parametrize(("older", "newer"), [("1.9", "1.10"), ("8u92-b14", "8u392-b08")])
def test_moving_forth_and_back_is_announced_as_such(machine: Machine, tmp_path: Path, older: str, newer: str) -> None:
    old, new = machine.wanted(Released(tmp_path, version=older)), machine.wanted(Released(tmp_path, version=newer))
    machine.converge(old)
    assert machine.actions(new) == {"hello": "upgrade"}
    machine.converge(new)
    assert machine.actions(old) == {"hello": "downgrade"}


def test_going_back_is_ordered_from_what_is_kept(machine: Machine, tmp_path: Path) -> None:
    old, new = machine.wanted(Released(tmp_path, version="1.0")), machine.wanted(Released(tmp_path, version="2.0"))
    machine.converge(old)
    machine.converge(new)
    os.unlink(tmp_path / "hello-1.0.tar.gz")
    machine.converge(old)
    assert machine.run("hello") == "hello 1.0"


@pytest.mark.parametrize("options", [{"mode": 0o750}, {"keep": 0}])
def test_what_another_task_ordered_otherwise_meanwhile_is_seen(
    machine: Machine, tmp_path: Path, options: dict[str, Any]
) -> None:
    machine.converge(machine.wanted(Released(tmp_path, version="0.9")))
    wanted = machine.wanted(Released(tmp_path), keep=1)
    machine.converge(wanted)
    assert machine.ask(wanted).sealed
    machine.converge(with_options(wanted, **options))
    assert not machine.ask(wanted).sealed


def by_mirror(machine: Machine, tmp_path: Path, released: Released, **more: Any) -> Wanted:
    """Return what is wanted where a mirror has all files of *tmp_path*; the lock file names the publisher's server."""
    wanted = machine.wanted(released)
    tool = wanted.lock.tools["hello"]
    asset = replace(tool.assets[0], url=f"https://publisher.example/{tool.assets[0].name}")
    lock = replace(wanted.lock, tools={"hello": replace(tool, assets=(asset,))})
    rules = mirrors.read([{"prefix": "https://publisher.example/", "to": f"file://{tmp_path}/", **more}])
    return replace(wanted, lock=lock, mirrors=rules)


def test_bytes_come_from_a_mirror_and_the_receipt_names_the_publisher(machine: Machine, tmp_path: Path) -> None:
    wanted = by_mirror(machine, tmp_path, Released(tmp_path), upstream=False)
    machine.converge(wanted)
    assert machine.run("hello") == "hello 1.0"
    receipt = json.loads((machine.root / "current/hello/receipt.json").read_text())
    assert receipt["source_url"] == wanted.lock.tools["hello"].assets[0].url
    assert str(tmp_path) not in json.dumps(receipt["source_url"])


def test_other_mirrors_are_no_change(machine: Machine, tmp_path: Path) -> None:
    wanted = by_mirror(machine, tmp_path, Released(tmp_path))
    others = replace(wanted, mirrors=mirrors.Mirrors())
    machine.converge(wanted)
    assert wanted_digest(wanted) == wanted_digest(others)
    assert machine.ask(others).sealed is not None


def test_orders_name_mirrors_with_their_secrets_only_where_something_is_fetched(
    machine: Machine, tmp_path: Path
) -> None:
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="1.1")
    for released in (old, new):
        machine.converge(by_mirror(machine, tmp_path, released))
    private = {"to": "https://mirror.example/", "username": "reader", "password": "hunter-2"}
    [back] = machine.plan(by_mirror(machine, tmp_path, old, **private)).tools
    assert back.order is not None
    assert (back.order.reuse, back.order.asset) == (old.tree, None)
    newest = Released(tmp_path, version="1.2")
    [fresh] = machine.plan(by_mirror(machine, tmp_path, newest, **private)).tools
    assert fresh.order is not None
    assert fresh.order.asset is not None
    mirrored, upstream = fresh.order.asset.urls
    assert (mirrored, upstream) == (f"https://mirror.example/{newest.asset.name}", fresh.asset and fresh.asset.url)
    assert fresh.order.asset.headers == {mirrored: {"Authorization": basic("reader", "hunter-2")}}


def test_where_no_mirror_is_named_and_upstream_is_forbidden_check_mode_says_so(
    machine: Machine, tmp_path: Path
) -> None:
    wanted = by_mirror(machine, tmp_path, Released(tmp_path))
    with pytest.raises(ReleaseError, match="no mirror is named"):
        machine.plan(replace(wanted, mirrors=mirrors.read([{"prefix": "https://", "upstream": False}])))


def test_program_whose_name_begins_with_anothers_is_told_apart(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path, "uv", programs=("uv", "uvx")))
    machine.converge(wanted)
    assert machine.actions(with_options(wanted, integrity="full")) == {"uv": "none"}


def test_lost_listing_is_damage(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    (machine.root / "current/hello/listing").unlink()
    assert machine.converge(wanted).tools[0].reason == "its listing is missing"
    assert machine.actions(with_options(wanted, integrity="full")) == {"hello": "none"}


def test_only_what_changed_since_the_seal_is_hashed(machine: Machine, tmp_path: Path) -> None:
    names = ("one", "two", "three")
    wanted = machine.wanted(*(Released(tmp_path, name, programs=(name,)) for name in names))
    machine.converge(wanted)
    machine.program_file("two", "two").touch()
    state = machine.ask(wanted).state
    assert state is not None
    verified = {tool: tree.verified_by for (tool, _name), tree in state.described.items()}
    assert verified == {"one": "seal", "two": "hash", "three": "seal"}


@pytest.mark.parametrize("integrity", ["quick", "full"])
def test_one_changed_byte_is_found_and_repaired(machine: Machine, tmp_path: Path, integrity: str) -> None:
    wanted = machine.wanted(Released(tmp_path), integrity=integrity)
    machine.converge(wanted)
    program = machine.program_file("hello", "hello")
    times = program.stat()
    program.write_bytes(program.read_bytes().replace(b"hello", b"jello"))
    os.utime(program, ns=(times.st_atime_ns, times.st_mtime_ns))
    repair = machine.converge(wanted).tools[0]
    assert repair.action == "repair"
    assert repair.reason.endswith("is changed")
    assert machine.run("hello") == "hello 1.0"


def test_full_integrity_looks_even_where_the_seal_says_all_is_well(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    assert machine.ask(wanted).sealed is not None
    full = machine.wanted(Released(tmp_path), integrity="full")
    answer = machine.ask(full)
    assert answer.sealed is None
    assert answer.state is not None
    assert {tree.verified_by for tree in answer.state.described.values()} == {"hash"}


def test_full_comparison_tells_whether_a_run_would_have_to_seal_anew(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path), integrity="full")
    machine.converge(wanted)
    assert verb.required(machine.ask(wanted).state).remembered
    machine.program_file("hello", "hello").touch()
    assert not verb.required(machine.ask(wanted).state).remembered
    assert not machine.converge(wanted).is_changed
    assert verb.required(machine.ask(wanted).state).remembered


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\0\0\0",
        "6",
        "6 0 forged/1.0",
        "5 0 {words}\n{looks}",
        "6 0 {words}",
        "6 0 {words} =exact more/1.0\n{looks}",
        "6 1 {words}\n/bin/hello // 1 2 3",
        *(f"6 {count} {{words}}\n{{looks}}" for count in ("1", "08", "-1", "x", "9999999", "9" * 20)),
    ],
)
def test_false_memory_of_a_question_means_ask_fully(machine: Machine, tmp_path: Path, note: str) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    asked = machine.root / "asked" / wanted_digest(wanted)
    head, _newline, looks = asked.read_text().partition("\n")
    asked.write_text(note.format(words=head.split(" ", 2)[2], looks=looks))
    assert machine.ask(wanted).sealed is None
    assert machine.actions(wanted) == {"hello": "none"}


@pytest.mark.parametrize("text", ["", "hello 9.9\n", "../store/hello/{tree} 1 2\n", "{seal}hello 1 2\n", "\0\0\0"])
def test_false_seal_is_not_believed(machine: Machine, tmp_path: Path, text: str) -> None:
    release = Released(tmp_path)
    machine.converge(machine.wanted(release))
    (machine.root / "asked" / wanted_digest(machine.wanted(release))).unlink()
    written = machine.root / "seals/hello"
    written.write_text(text.format(tree=release.tree, seal=written.read_text()))
    state = machine.ask(machine.wanted(release)).state
    assert state is not None
    assert [tree.verified_by for tree in state.described.values()] == ["hash"]


def test_tasks_about_different_tools_and_folders_do_not_disturb_each_other(machine: Machine, tmp_path: Path) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    other = tmp_path / "other"
    tasks = [machine.wanted(one), machine.wanted(two, bin_dir=str(other)), machine.wanted(one, two, names=())]
    for task in tasks:
        machine.converge(task)
    assert [machine.ask(task).sealed is not None for task in tasks] == [True, True, True]
    machine.program_file("two", "two").touch()
    assert [machine.ask(task).sealed is not None for task in tasks] == [True, False, True]


@pytest.mark.parametrize("most_bytes", [0, seal.MOST_BYTES_OF_PATHS], ids=["walked through", "paths known"])
@pytest.mark.parametrize(
    "change",
    [
        lambda machine: machine.program_file("hello", "hello").touch(),
        lambda machine: machine.program_file("hello", "hello").chmod(0o700),
        lambda machine: machine.program_file("hello", "hello").unlink(),
        lambda machine: machine.program_file("hello", "hello").with_name("added").touch(),
        lambda machine: machine.program_file("hello", "hello").with_name("added").mkdir(),
        lambda machine: (machine.bin_dir / "hello").unlink(),
        lambda machine: (machine.bin_dir / "hello").unlink() or (machine.bin_dir / "hello").symlink_to("/bin/sh"),
        lambda machine: (machine.root / "current/hello").unlink(),
        lambda machine: (machine.root / "modulefiles/hello").mkdir(parents=True),
        lambda machine: (
            (machine.root / "tool_cache/hello/1.0").mkdir(parents=True)
            or (machine.root / "tool_cache/hello/1.0/x64").symlink_to("/")
        ),
    ],
)
def test_whatever_changes_around_a_tool_it_is_not_as_sealed(
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Machine], None],
    most_bytes: int,
) -> None:
    monkeypatch.setattr(seal, "MOST_BYTES_OF_PATHS", most_bytes)
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    assert machine.ask(wanted).sealed is not None
    change(machine)
    assert machine.ask(wanted).sealed is None


def test_another_task_that_switches_a_tool_breaks_the_memory_of_the_first(machine: Machine, tmp_path: Path) -> None:
    old, new = (machine.wanted(Released(tmp_path, version=version)) for version in ("1.0", "2.0"))
    machine.converge(old)
    machine.converge(new)
    assert machine.ask(old).sealed is None
    assert machine.actions(old) == {"hello": "downgrade"}


def test_questions_that_nothing_answers_any_more_are_forgotten(machine: Machine, tmp_path: Path) -> None:
    for version in ("1.0", "2.0", "3.0"):
        machine.converge(machine.wanted(Released(tmp_path, version=version)))
    assert len(os.listdir(machine.root / "asked")) == 1
    machine.converge(machine.wanted(names=("hello",), is_present=False))
    assert os.listdir(machine.root / "seals") == []


def test_what_is_to_be_absent_or_the_only_one_is_looked_for_again(machine: Machine, tmp_path: Path) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    gone, alone = machine.wanted(names=("two",), is_present=False), machine.wanted(one, exact=True)
    machine.converge(alone)
    machine.converge(machine.wanted(two))
    machine.converge(gone)
    machine.converge(alone)
    assert machine.ask(gone).sealed == Sealed(str(machine.root), {})
    assert machine.ask(alone).sealed == Sealed(str(machine.root), {"one": one.tree})
    machine.converge(machine.wanted(two))
    assert machine.ask(gone).sealed is None
    assert machine.ask(alone).sealed is None


def test_of_many_tools_the_first_are_in_the_line_and_all_in_the_result(machine: Machine, tmp_path: Path) -> None:
    names = [f"tool{number}" for number in range(10, 23)]
    tools = [Released(tmp_path, name, programs=(name,)) for name in names]
    assert views.summary(machine.converge(machine.wanted(*tools))).endswith("tool18, tool19 and 3 more")
    planned = machine.plan(machine.wanted(tools[0]))
    assert views.summary(planned).endswith("tool20 1.0 and 2 more (exact: true, or tools_exact=true, removes them)")
    assert list(planned.unpinned) == names[1:]


def test_what_is_here_but_not_pinned_is_named_whether_sealed_or_not(machine: Machine, tmp_path: Path) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one, two))
    for _time in range(2):
        planned = machine.converge(machine.wanted(one))
        assert planned.unpinned == {"two": "1.0"}
        told = "as pinned; also here but not pinned: two 1.0 (exact: true, or tools_exact=true, removes it)"
        assert views.summary(planned) == told
    assert machine.ask(machine.wanted(one)).sealed == Sealed(str(machine.root), {"one": one.tree}, {"two": two.tree})


def test_a_misspelt_tool_is_not_taken_for_an_absent_one(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path)))
    with pytest.raises(ReleaseError, match="no tool helo to remove") as caught:
        machine.plan(machine.wanted(names=("helo",), is_present=False))
    assert caught.value.fix == "did you mean hello?"
    assert machine.actions(machine.wanted(names=("other",), is_present=False)) == {"other": "none"}


def test_seal_is_renewed_without_a_change_when_only_the_question_differs(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path), keep=1))
    wanted = machine.wanted(Released(tmp_path), keep=2)
    assert machine.ask(wanted).sealed is None
    assert not machine.converge(wanted).is_changed
    assert machine.ask(wanted).sealed is not None


def test_seal_of_one_tool_does_not_vouch_for_another_that_nobody_looked_into(machine: Machine, tmp_path: Path) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one, two))
    machine.program_file("two", "two").write_text("#!/bin/sh\necho evil\n")
    machine.converge(machine.wanted(one))
    assert machine.ask(machine.wanted(two)).sealed is None
    assert machine.actions(machine.wanted(two)) == {"two": "repair"}


@pytest.mark.parametrize("integrity", ["quick", "full"])
def test_host_with_a_sound_tool_of_another_task_is_sealed(machine: Machine, tmp_path: Path, integrity: str) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(two))
    machine.converge(machine.wanted(one, integrity=integrity))
    assert machine.ask(machine.wanted(one)).sealed is not None


def test_lost_link_and_wrong_mode_are_repaired_without_a_download(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    os.unlink(tmp_path / "hello-1.0.tar.gz")
    os.unlink(machine.bin_dir / "hello")
    machine.program_file("hello", "hello").chmod(0o644)
    planned = machine.converge(wanted)
    assert planned.tools[0].reason == (f"{machine.bin_dir}/hello is missing; hello has mode 0644, not 0755")
    assert machine.run("hello") == "hello 1.0"


def test_program_that_the_new_version_lacks_loses_its_link(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path, version="1.0", programs=("hello", "goodbye"))))
    machine.converge(machine.wanted(Released(tmp_path, version="2.0", programs=("hello",))))
    assert sorted(os.listdir(machine.bin_dir)) == ["hello"]


def test_foreign_file_is_an_error_that_names_it(machine: Machine, tmp_path: Path) -> None:
    (machine.bin_dir / "hello").write_text("mine")
    with pytest.raises(ReleaseError, match=f"{machine.bin_dir}/hello is there already"):
        machine.plan(machine.wanted(Released(tmp_path)))


@pytest.mark.parametrize("is_relative", [False, True])
def test_a_link_of_another_root_is_an_error_that_names_the_root(
    machine: Machine, tmp_path: Path, is_relative: bool
) -> None:
    other = machine.bin_dir.parent / "others"
    above = ".." if is_relative else machine.bin_dir.parent
    (machine.bin_dir / "hello").symlink_to(f"{above}/others/current/hello/bin/hello")
    with pytest.raises(ReleaseError, match="belongs to another root") as caught:
        machine.plan(machine.wanted(Released(tmp_path)))
    assert f"set root: {other}," in (caught.value.fix or "")


def test_adopt_takes_the_place_of_a_foreign_file(machine: Machine, tmp_path: Path) -> None:
    (machine.bin_dir / "hello").symlink_to("/bin/true")
    machine.converge(machine.wanted(Released(tmp_path), adopt=True))
    assert machine.run("hello") == "hello 1.0"
    assert len(os.listdir(machine.bin_dir)) == 2


def test_two_tools_with_one_program_are_refused(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(
        Released(tmp_path, "one", programs=("same",)), Released(tmp_path, "two", programs=("same",))
    )
    with pytest.raises(ReleaseError, match="two tools, one and two, both have a program same"):
        machine.plan(wanted)


def test_two_tools_with_one_program_for_different_hosts_are_installed(machine: Machine, tmp_path: Path) -> None:
    one, two = (locked(Released(tmp_path, name, programs=(name,))) for name in ("one", "two"))
    elsewhere = replace(one.assets[0], requires=Requirement("macos", "aarch64", libc="static"), target="aarch64")
    wanted = machine.wanted()
    lock = replace(wanted.lock, tools={"one": one, "two": replace(two, assets=(*two.assets, elsewhere))})
    machine.converge(replace(wanted, lock=lock))
    assert [machine.run(program) for program in ("one", "two")] == ["one 1.0", "two 1.0"]


def test_a_program_in_the_place_of_the_tool_to_remove_is_told(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path, "uv", programs=("uv", "uvx"))))
    with pytest.raises(ReleaseError, match=r"no tool uvx to remove: it is a program of uv\n  to fix: name uv"):
        machine.plan(machine.wanted(names=("uvx",), is_present=False))


def test_a_tool_to_remove_that_is_not_there_is_told(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path, "uv", programs=("uv",))))
    planned = machine.plan(machine.wanted(names=("gone", "just"), is_present=False))
    assert views.summary(planned) == "nothing to remove: gone, just not here"
    assert views.summary(machine.plan(machine.wanted(names=(), is_present=False))) == "nothing to remove"


def with_one_for_nobody(machine: Machine, tmp_path: Path, version: str = "1.0", **options: Any) -> Wanted:
    """Return a task about a tool that runs here, and one that does not."""
    one = locked(Released(tmp_path, "one", programs=("one",)))
    two = locked(Released(tmp_path, "two", version=version, programs=("two",)), Requirement("windows", "x86_64"))
    wanted = machine.wanted(**options)
    return replace(wanted, lock=replace(wanted.lock, tools={"one": one, "two": two}))


def test_a_tool_that_does_not_run_here_stops_the_others(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"two 1\.0 does not run on this host: is built for windows") as refused:
        machine.plan(with_one_for_nobody(machine, tmp_path))
    assert str(refused.value.fix).endswith("or leave it out here: unsupported: skip, or tools_unsupported=skip")


def test_a_tool_that_does_not_run_here_is_skipped_where_that_is_asked_for_and_told_each_time(
    machine: Machine, tmp_path: Path
) -> None:
    wanted = with_one_for_nobody(machine, tmp_path, skips_unsupported=True)
    reason = "is built for windows, host runs linux"
    for action in ("install", "none"):
        planned = machine.converge(wanted)
        assert {tool.tool: tool.action for tool in planned.tools} == {"one": action, "two": "none"}
        assert planned.unsupported == {"two": reason}
        assert f"two: 1.0 skipped, it does not run on this host: {reason}" in views.notes(planned)
        done = "changed: one" if action == "install" else "nothing to change"
        assert views.summary(planned) == f"{done}; skipped, not for this host: two"
        assert views.results(planned)["two"] == {
            "action": "none",
            "version": None,
            "reason": f"does not run on this host: {reason}",
        }
    assert machine.run("one") == "one 1.0"


def test_a_folder_that_is_not_on_path_is_told_once_something_is_put_there(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = machine.wanted(Released(tmp_path))
    note = f"{machine.bin_dir} is not on PATH"
    assert views.notes(machine.plan(wanted))[-1] == note
    monkeypatch.setenv("PATH", f"{machine.bin_dir}:{os.environ['PATH']}")
    assert note not in views.notes(machine.plan(wanted))
    monkeypatch.undo()
    machine.converge(wanted)
    assert views.notes(machine.converge(wanted)) == []


@pytest.mark.parametrize("exact", [False, True])
def test_an_older_version_of_a_skipped_tool_stays_and_is_not_called_as_pinned(
    machine: Machine, tmp_path: Path, exact: bool
) -> None:
    machine.converge(machine.wanted(Released(tmp_path, "two", version="0.9", programs=("two",))))
    wanted = with_one_for_nobody(machine, tmp_path, skips_unsupported=True, exact=exact)
    for _run in range(2):
        planned = machine.converge(wanted)
        assert list(planned.unsupported) == ["two"]
        assert views.results(planned)["two"]["version"] == "0.9"
        assert not planned.unpinned
    assert machine.run("two") == "two 0.9"


def test_program_of_another_installed_tool_is_refused(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path, "one", programs=("same",))))
    two = Released(tmp_path, "two", programs=("same",))
    with pytest.raises(ReleaseError, match="belongs to another installed tool, one"):
        machine.plan(machine.wanted(two))
    assert machine.actions(machine.wanted(two, exact=True)) == {"one": "remove", "two": "install"}


def test_exact_removes_what_the_lock_no_longer_names(machine: Machine, tmp_path: Path) -> None:
    one, two = Released(tmp_path, "one", programs=("one",)), Released(tmp_path, "two", programs=("two",))
    machine.converge(machine.wanted(one, two))
    assert machine.actions(machine.wanted(one)) == {"one": "none"}
    machine.converge(machine.wanted(one, exact=True))
    assert os.listdir(machine.root / "store") == ["one"]
    assert os.listdir(machine.bin_dir) == ["one"]


def test_links_that_are_left_of_a_tool_are_removed(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path)))
    shutil.rmtree(machine.root)
    assert views.notes(machine.converge(machine.wanted(names=("hello",), is_present=False))) == [
        "hello: remove (as asked)"
    ]
    assert os.listdir(machine.bin_dir) == []


def test_absent_removes_a_tool_and_is_idempotent(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path)))
    gone = machine.wanted(names=("hello",), is_present=False)
    assert views.notes(machine.plan(gone)) == ["hello: remove 1.0 (as asked)"]
    assert machine.converge(gone).tools[0].previous == "1.0"
    assert machine.actions(gone) == {"hello": "none"}
    assert os.listdir(machine.bin_dir) == []


@pytest.mark.parametrize("deleted", ["store/hello", "current", "."])
def test_links_of_a_tool_that_was_deleted_by_hand_are_removed(machine: Machine, tmp_path: Path, deleted: str) -> None:
    machine.converge(machine.wanted(Released(tmp_path)))
    (machine.bin_dir / "mine").symlink_to("/bin/sh")
    shutil.rmtree(machine.root / deleted)
    gone = machine.wanted(names=("hello",), is_present=False)
    assert [tool.action for tool in machine.converge(gone).tools] == ["remove"]
    assert machine.actions(gone) == {"hello": "none"}
    assert os.listdir(machine.bin_dir) == ["mine"]


def test_an_empty_list_of_tools_is_none_of_them(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path)))
    assert machine.actions(machine.wanted(Released(tmp_path, version="2.0"), names=())) == {}
    assert machine.actions(machine.wanted(names=(), is_present=False)) == {}


def test_keep_says_how_many_old_versions_stay(machine: Machine, tmp_path: Path) -> None:
    for version in ("1.0", "2.0", "3.0", "4.0"):
        machine.converge(machine.wanted(Released(tmp_path, version=version), keep=2))
    kept = [tree.split("-")[0] for tree in sorted(os.listdir(machine.root / "store/hello"))]
    assert kept == ["2.0", "3.0", "4.0"]
    assert machine.actions(machine.wanted(Released(tmp_path, version="4.0"), keep=0)) == {"hello": "prune"}


def test_a_service_need_not_restart_for_what_is_beside_its_program(machine: Machine, tmp_path: Path) -> None:
    def changes(action: str, wanted: Wanted) -> bool:
        planned = machine.converge(wanted)
        assert [tool.action for tool in planned.tools] == [action]
        assert machine.actions(wanted) == {"hello": "none"}
        return planned.tools[0].changes_program

    assert changes("install", machine.wanted(Released(tmp_path)))
    now = machine.wanted(Released(tmp_path, version="2.0"))
    assert changes("upgrade", now)
    assert not changes("prune", with_options(now, keep=0))
    now = with_options(now, keep=0, layouts=("modulefiles",))
    assert not changes("repair", now)
    asset = replace(now.lock.tools["hello"].assets[0], url="https://example.org/hello-2.0.tar.gz")
    now = replace(now, lock=replace(now.lock, tools={"hello": LockedTool("2.0", {}, (asset,))}))
    assert not changes("repair", now)
    (machine.bin_dir / "hello").unlink()
    (machine.root / "modulefiles/hello/2.0").unlink()
    assert changes("repair", now)
    assert changes("repair", with_options(now, mode=0o750))
    assert machine.plan(now).tools[0].changes_program
    assert not machine.plan(with_options(now, mode=0o750)).tools[0].changes_program
    assert changes("remove", replace(now, is_present=False, names=("hello",)))


def test_check_of_an_unknown_tool_is_refused(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path), checks={"hallo": ("hello",)})
    with pytest.raises(ReleaseError, match="no tool named hallo"):
        machine.actions(wanted)


def test_unknown_tool_lists_those_there_are(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no tool named kubectl") as raised:
        machine.plan(machine.wanted(Released(tmp_path), names=("kubectl",)))
    assert raised.value.expected == "one of hello"


@pytest.mark.parametrize("name", ["", "[]", "a b"])
def test_name_that_no_tool_can_have_is_told_in_quotes(machine: Machine, tmp_path: Path, name: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        machine.plan(machine.wanted(Released(tmp_path), names=(name,)))
    assert raised.value.what == f'the lock file has no tool named "{name}"'


def test_unknown_tool_with_nearly_the_name_of_one_is_told_that_name(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"no tool named hallo, did you mean hello\?"):
        machine.plan(machine.wanted(Released(tmp_path), names=("hallo",)))


def test_handlers_of_a_tool_that_the_lock_lacks_are_refused(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    refuse_unknown_notifiers(wanted, ["hello"])
    with pytest.raises(ReleaseError, match=r"^notify: the lock file has no tool named old"):
        refuse_unknown_notifiers(wanted, ["old"])
    # What goes may be in no lock file any more.
    refuse_unknown_notifiers(with_options(wanted, exact=True), ["old"])
    refuse_unknown_notifiers(with_options(wanted, is_present=False), ["old"])
    with pytest.raises(ReleaseError, match=r"no tool named hallo, did you mean hello\?"):
        refuse_unknown_notifiers(with_options(wanted, exact=True), ["hallo"])


def test_digest_of_what_is_wanted_changes_with_all_that_decides(tmp_path: Path) -> None:
    wanted = Wanted(LockFile((), {"hello": locked(Released(tmp_path))}))
    variants = [
        wanted,
        Wanted(LockFile((), {"hello": locked(Released(tmp_path, version="2.0"))})),
        *(
            Wanted(wanted.lock, **option)
            for option in (
                {"mode": 0o700},
                {"root": "/srv/x"},
                {"bin_dir": "/srv/bin"},
                {"owner": "a"},
                {"group": "a"},
                {"keep": 5},
                {"prefer": "static"},
                {"exact": True},
                {"is_present": False},
                {"layouts": ("modulefiles",)},
                {"platform": parse_platform("linux/aarch64")},
            )
        ),
    ]
    assert len({wanted_digest(variant) for variant in variants}) == len(variants)


def test_digest_of_what_is_wanted_ignores_how_it_is_looked_at(tmp_path: Path) -> None:
    wanted = Wanted(LockFile((), {"hello": locked(Released(tmp_path))}))
    looked_at = Wanted(wanted.lock, integrity="full", adopt=True, lock_digest="x", checks={"hello": ("hello",)})
    assert wanted_digest(wanted) == wanted_digest(looked_at)


TOOLS = {"one": ("same", "one"), "two": ("two", "three")}
VERSIONS = ("1.0", "2.0", "3.0")
NARROW = "3.0"  # the version that has the first program only
DEPENDENT = ("two", "2.0")  # the release whose first program looks for files beside itself
TO_TREES = ("program", "deleted", "mode", "tree", "receipt", "sums", "extra", "link inside")
AROUND = ("seal", "staging", "current", "lost link", "file", "folder", "foreign link", "dangling link", "other link")


class Damage(NamedTuple):
    """What people and accidents do to a tool: to its active tree or to the kept ones, or around them."""

    kind: str
    tool: str
    is_to_kept: bool


class Step(NamedTuple):
    """What happened to a host, and then what is asked for: a version of each tool, by name, and options."""

    damages: list[Damage]
    versions: dict[str, str]
    options: dict[str, Any]


def programs_of(tool: str, version: str) -> tuple[str, ...]:
    return TOOLS[tool][:1] if version == NARROW else TOOLS[tool]


def release_of(folder: str, tool: str, version: str) -> Released:
    first = TOOLS[tool][0]
    starts = f'#!/bin/sh\ncd "$(dirname "$0")"/.. && test -f README && echo {first} {version}\n'.encode()
    files = {f"bin/{first}": starts} if (tool, version) == DEPENDENT else {}
    return Released(folder, tool, version, programs_of(tool, version), files)


def do_damage(machine: Machine, damage: Damage) -> None:
    active = (machine.root / "current" / damage.tool).resolve()
    for tree in sorted((machine.root / "store" / damage.tool).glob("*")):
        if (tree != active) is damage.is_to_kept:
            damage_tree(tree, damage.kind, TOOLS[damage.tool][0])
    damage_around(machine, damage.kind, damage.tool, machine.bin_dir / TOOLS[damage.tool][0])


def damage_tree(tree: Path, kind: str, program: str) -> None:
    file = next(tree.glob(f"libexec/*/bin/{program}"), None)
    if file is None:
        return
    if kind == "program":
        file.write_text("#!/bin/sh\necho evil\n")
    elif kind == "deleted":
        file.unlink()
    elif kind == "mode":
        file.chmod(0o644)
    elif kind == "tree":
        shutil.rmtree(tree)
    elif kind == "receipt":
        (tree / "receipt.json").write_text("{")
    elif kind == "sums":
        (tree / "listing").unlink(missing_ok=True)
    elif kind == "extra":
        (tree / "libexec/extra").write_text("more")
    elif kind == "link inside":
        (tree / "bin" / program).unlink(missing_ok=True)


def damage_around(machine: Machine, kind: str, tool: str, place: Path) -> None:
    if kind == "seal":
        shutil.rmtree(machine.root / "seals", ignore_errors=True)
    elif kind == "staging":
        (machine.root / "staging/left/over").mkdir(parents=True, exist_ok=True)
    elif kind == "current":
        (machine.root / "current" / tool).unlink(missing_ok=True)
    elif kind == "lost link":
        emptied(place)
    elif kind == "file":
        emptied(place).write_text(f"mine {tool}")
    elif kind == "folder":
        (emptied(place) / f"mine {tool}").mkdir(parents=True)
    elif kind == "foreign link":
        emptied(place).symlink_to("/bin/sh")
    elif kind == "dangling link":
        emptied(place).symlink_to("/nowhere")
    elif kind == "other link":
        emptied(place).symlink_to(machine.root / "current" / tool / "bin" / TOOLS[tool][1])


def emptied(place: Path) -> Path:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    return place


def looks(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Return all that lies below *folder*: kind, mode, and content or where a link leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not name.startswith(without):
            content = os.readlink(path) if path.is_symlink() else "" if path.is_dir() else path.read_text("latin-1")
            found[name] = f"{path.lstat().st_mode:o} {content}"
    return found


def is_foreign(machine: Machine, program: str) -> bool:
    place = machine.bin_dir / program
    is_ours = leads_to(place, machine.root) or (program in placed(machine) and (place.is_file() or place.is_symlink()))
    return os.path.lexists(place) and not is_ours


def placed(machine: Machine) -> dict[str, str]:
    """Return the names of the copies and wrappers in bin_dir, with their tools, as the host remembers them."""
    record = machine.root / "copies"
    lines = [line.split(" ") for line in record.read_text().splitlines()] if record.exists() else []
    return {name: tool for tool, name, _folder in lines}


def trees_of(machine: Machine, tool: str) -> set[str]:
    return {tree.name for tree in (machine.root / "store" / tool).glob("*")}


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    damages = st.builds(Damage, st.sampled_from(TO_TREES + AROUND), st.sampled_from(sorted(TOOLS)), st.booleans())
    steps = []
    for _step in range(draw(st.integers(2, 4))):
        versions = {name: draw(st.sampled_from(VERSIONS)) for name in TOOLS if draw(st.integers(0, 3))}
        is_present = bool(draw(st.integers(0, 4)))
        options = {
            "integrity": draw(st.sampled_from(["quick", "full"])),
            "keep": draw(st.integers(0, 2)),
            "mode": draw(st.sampled_from([0o755, 0o700])),
            "adopt": draw(st.booleans()),
            "bin": draw(st.sampled_from(["link", "copy"])),
            "is_present": is_present,
            "exact": is_present and draw(st.booleans()),
            "names": None if is_present else tuple(sorted(versions)),
        }
        steps.append(Step(draw(st.lists(damages, max_size=3)), versions, options))
    return steps


# Each of these histories takes a second or two.
@settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))
@given(histories())
def test_what_is_announced_is_what_happens(history: list[Step]) -> None:
    """Whatever a host went through: the plan is what is done, no more and no less, and then there is nothing to do."""
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        for step in history:
            for damage in step.damages:
                do_damage(machine, damage)
            asked_for = {name: programs_of(name, version) for name, version in step.versions.items()}
            released = [release_of(folder, name, step.versions[name]) for name in asked_for]
            wanted = machine.wanted(*released, **step.options)
            before = looks(Path(folder))
            programs = [program for name in asked_for for program in asked_for[name]]
            if wanted.is_present and not wanted.adopt and any(is_foreign(machine, program) for program in programs):
                with pytest.raises(ReleaseError, match=r"is there already|would not start as a copy"):
                    machine.plan(wanted)
                wanted = with_options(wanted, adopt=True)
            if wanted.is_present and wanted.bin == "copy" and DEPENDENT in step.versions.items():
                with pytest.raises(ReleaseError, match="two would not start as a copy"):
                    machine.plan(wanted)
                assert looks(Path(folder)) == before, "what is refused changes nothing"
                wanted = with_options(wanted, bin="link")
            planned = machine.plan(wanted)
            assert looks(Path(folder)) == before, "a plan changes nothing"
            assert_carried_out(machine, wanted, planned)
            assert_as_asked(machine, wanted)
            for name, version in step.versions.items() if wanted.is_present else ():
                assert [machine.run(one) for one in asked_for[name]] == [f"{one} {version}" for one in asked_for[name]]


def assert_carried_out(machine: Machine, wanted: Wanted, planned: plan.Plan) -> None:
    trees = {name: trees_of(machine, name) for name in TOOLS}
    before, programs = looks(machine.root, without=("seals", "asked", "lock", "staging")), looks(machine.bin_dir)
    foreign = {name for name in programs if is_foreign(machine, name)}
    store.obey(views.orders(planned))
    after = looks(machine.root, without=("seals", "asked", "lock", "staging"))
    assert list((machine.root / "staging").iterdir()) == []
    if not planned.is_changed and before:
        assert (after, looks(machine.bin_dir)) == (before, programs)

    full = machine.ask(with_options(wanted, integrity="full"), is_unsealed=True)
    assert full.state is not None
    changed = {tool.tool: tool for tool in planned.tools if tool.action != "none"}
    for name, tool in changed.items():
        assert as_installed(name, full.state) == tool.after
        assert tool.order is not None
        assert trees[name] - trees_of(machine, name) == set(tool.order.prune)
        assert len(trees_of(machine, name) - trees[name]) == bool(tool.order.tree and not tool.order.reuse)
        assert tool.version is None or len(trees_of(machine, name)) <= wanted.keep + 1
    for path in set(before) | set(after):
        if path.split("/")[1:2] and path.split("/")[1] not in changed:
            assert after.get(path) == before.get(path), "a tool that was not to change has changed"
    contents = {look.partition(" ")[2] for look in looks(machine.bin_dir).values()}
    assert {programs[name].partition(" ")[2] for name in foreign} <= contents, "a foreign file is lost"

    for place in machine.bin_dir.iterdir():
        path = os.readlink(place).partition("/root/current/")[2] if place.is_symlink() else ""
        assert place.exists() or path.split("/")[0] not in changed, "a link leads nowhere"

    # Of tools that this run was not about, some may be damaged, and then nothing is sealed as a whole.
    if wanted.integrity == "quick" and full.state.active and set(full.state.active) <= set(wanted.tools):
        assert machine.ask(wanted).sealed is not None
    assert not machine.plan(wanted).is_changed
    assert not machine.plan(with_options(wanted, integrity="full")).is_changed


def assert_as_asked(machine: Machine, wanted: Wanted) -> None:
    """The options, in the words of the reference: told of the host alone, whatever was planned."""
    there = {tool for tool in TOOLS if trees_of(machine, tool) or (machine.root / "current" / tool).is_symlink()}
    if not wanted.is_present:
        assert there.isdisjoint(wanted.tools), "state: absent leaves nothing"
    elif wanted.exact:
        assert there == set(wanted.tools), "exact leaves nothing that the lock file does not name"
    for name in wanted.tools if wanted.is_present else ():
        assert len(trees_of(machine, name)) <= wanted.keep + 1, "no more old versions stay than keep says"
        links = {place.name for place in machine.bin_dir.iterdir() if leads_to(place, machine.root / "current" / name)}
        files = {program for program, tool in placed(machine).items() if tool == name}
        wrapped = {TOOLS[name][0]} if (name, wanted.lock.tools[name].version) == DEPENDENT else set()
        assert files == (links | files if wanted.bin == "copy" else wrapped), "files where they are ordered or needed"
        assert links | files == set(wanted.lock.tools[name].assets[0].executables), "one for each program, and no other"


def leads_to(place: Path, tool: Path) -> bool:
    return place.is_symlink() and os.path.normpath(place.parent / os.readlink(place)).startswith(f"{tool}/")


def test_what_is_known_needs_no_assumption(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path), assume=Assumed(page_size=4096))
    assert "assuming" not in machine.converge(wanted).tools[0].reason
    assert wanted_digest(wanted) != wanted_digest(replace(wanted, assume=Assumed()))
