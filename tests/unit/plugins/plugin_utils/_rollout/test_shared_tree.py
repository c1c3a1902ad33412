# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree for the hosts of another platform: what it gets, and that it works wherever it is mounted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Room
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import plan, shared_tree
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, locked, with_options

SHELL = Assumed(libraries=("/bin/sh",))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.bin_dir = made.root / "bin"
    return made


def shared(machine: Machine, *released: Released, **options: Any) -> Wanted:
    words = options.pop("platform", "linux/s390x")
    return machine.wanted(*released, **{"platform": parse_platform(words), "assume": SHELL, **options})


def links_below(folder: Path) -> Iterator[str]:
    for top, folders, files in os.walk(folder):
        for name in folders + files:
            if (Path(top) / name).is_symlink():
                yield os.readlink(Path(top) / name)


def test_the_words_for_a_platform_decide_and_not_this_machine(machine: Machine, tmp_path: Path) -> None:
    builds = [
        replace(locked(Released(tmp_path), Requirement("linux", arch, libc="static")).assets[0], name=arch)
        for arch in ("aarch64", "s390x", "x86_64")
    ]
    lock = LockFile(("linux/x86_64",), {"hello": LockedTool("1.0", {}, tuple(builds))})
    for arch in ("aarch64", "s390x", "x86_64"):
        planned = machine.plan(replace(shared(machine, platform=f"linux/{arch}"), lock=lock))
        assert [tool.asset.name for tool in planned.tools if tool.asset] == [arch]


def test_error_about_a_platform_does_not_speak_of_this_machine(machine: Machine, tmp_path: Path) -> None:
    build = locked(Released(tmp_path), Requirement("linux", "aarch64", libc="static")).assets[0]
    lock = LockFile(("linux/aarch64",), {"hello": LockedTool("1.0", {}, (build,))})
    with pytest.raises(ReleaseError, match=r"no locked asset runs on every host of linux/s390x") as failure:
        machine.plan(replace(shared(machine, platform="linux/s390x"), lock=lock))
    assert failure.value.fix.startswith("add linux/s390x to the manifest's platforms")
    assert "this host" not in str(failure.value)


def test_where_too_little_is_known_of_a_platform_the_error_says_how_to_say_more(
    machine: Machine, tmp_path: Path
) -> None:
    build = Requirement("macos", "aarch64", libc="system", os_min="11.0")
    asset = replace(locked(Released(tmp_path), build).assets[0], target="aarch64-apple-darwin")
    lock = LockFile(("macos/aarch64",), {"hello": LockedTool("1.0", {}, (asset,))})
    with pytest.raises(ReleaseError, match=r"no locked asset runs on every host of macos/aarch64") as failure:
        machine.plan(replace(shared(machine, platform="macos/aarch64"), lock=lock))
    assert failure.value.found == "needs macOS 11.0, the host's version is unknown"
    assert failure.value.fix.startswith(
        "if all of them have that, say so, by a floor (platform: linux/x86_64/glibc2.28,"
    )
    assert "macos/aarch64/13) or in assume" in failure.value.fix
    planned = machine.plan(replace(shared(machine, platform="macos/aarch64/13"), lock=lock))
    assert [tool.action for tool in planned.tools] == ["install"]


def test_another_platform_is_another_question(machine: Machine, tmp_path: Path) -> None:
    wanted = shared(machine, Released(tmp_path))
    machine.converge(wanted)
    assert machine.ask(wanted).sealed
    assert not machine.ask(with_options(wanted, platform=parse_platform("linux/aarch64"))).sealed


def test_two_platforms_do_not_take_a_root_from_each_other(machine: Machine, tmp_path: Path) -> None:
    builds = [
        replace(
            locked(Released(tmp_path, version=version), Requirement("linux", arch, libc="static")).assets[0],
            target=f"{arch}-unknown-linux-musl",
        )
        for arch, version in (("aarch64", "1.0"), ("s390x", "1.0.1"))
    ]
    lock = LockFile(("linux/s390x",), {"hello": LockedTool("1.0", {}, tuple(builds))})
    ours, theirs = (
        replace(shared(machine, platform=platform), lock=lock)
        for platform in ("linux/s390x", "linux/aarch64/glibc2.28")
    )
    machine.converge(ours)
    with pytest.raises(ReleaseError, match=f"below {machine.root} are programs for another platform") as refused:
        machine.converge(theirs)
    assert refused.value.found == "hello 1.0 for linux/s390x"
    assert "for example root: /srv/tools/linux-aarch64" in str(refused.value.fix)
    assert machine.actions(with_options(ours, platform=parse_platform("linux/s390x/glibc2.28"))) == {"hello": "none"}
    machine.converge(replace(ours, is_present=False, names=("hello",)))
    assert machine.actions(theirs) == {"hello": "install"}


def test_tree_works_where_it_is_moved_to_and_is_still_as_installed(machine: Machine, tmp_path: Path) -> None:
    page = Released(tmp_path, files={"doc/hello.1": b"page"}, linked={"share/man/man1/hello.1": "doc/hello.1"})
    machine.converge(shared(machine, page))
    assert not [text for text in links_below(machine.root) if text.startswith("/")]
    os.rename(machine.root, tmp_path / "mounted")
    moved = Machine(tmp_path)
    moved.root, moved.bin_dir = tmp_path / "mounted", tmp_path / "mounted/bin"
    assert moved.run("hello") == "hello 1.0"
    assert (moved.root / "share/man/man1/hello.1").read_text() == "page"
    assert moved.actions(with_options(shared(moved, page), integrity="full")) == {"hello": "none"}


def test_links_are_relative_also_where_the_tree_is_reached_over_a_link(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "gpfs").mkdir()
    (tmp_path / "apps").symlink_to("gpfs")
    machine.root, machine.bin_dir = tmp_path / "apps/tools", tmp_path / "apps/tools/bin"
    wanted = shared(machine, Released(tmp_path))
    machine.converge(wanted)
    assert os.readlink(tmp_path / "gpfs/tools/bin/hello") == "../current/hello/bin/hello"
    assert machine.ask(wanted).sealed
    assert machine.actions(with_options(wanted, integrity="full")) == {"hello": "none"}


def test_folders_that_no_other_host_could_use_are_refused_before_anything_changes(
    machine: Machine, tmp_path: Path
) -> None:
    wanted = shared(machine, Released(tmp_path), bin_dir="/usr/local/bin")
    with pytest.raises(ReleaseError, match="lie in no tree that could be shared"):
        machine.plan(wanted)


def test_file_that_would_not_be_linked_relatively_is_refused_before_anything_is_active(
    machine: Machine, tmp_path: Path
) -> None:
    machine.root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (machine.root / "share").symlink_to(tmp_path / "elsewhere")
    page = Released(tmp_path, files={"doc/hello.1": b"page"}, linked={"share/hello.1": "doc/hello.1"})
    with pytest.raises(ReleaseError, match=r"the link \S+/share/hello.1 would lead outside of the shared tree"):
        machine.converge(shared(machine, page))
    assert not list((machine.root / "current").iterdir())
    assert not list((tmp_path / "elsewhere").iterdir())


def test_upgrade_leaves_readers_of_the_old_version_their_files(machine: Machine, tmp_path: Path) -> None:
    old, new = Released(tmp_path, version="1.0"), Released(tmp_path, version="2.0")
    machine.converge(shared(machine, old))
    running = machine.program_file("hello", "hello")
    machine.converge(shared(machine, new))
    assert machine.run("hello") == "hello 2.0"
    assert subprocess.check_output([running], text=True) == "hello 1.0\n"


def test_audit_compares_with_what_the_platform_gets(machine: Machine, tmp_path: Path) -> None:
    s390x, x86_64 = (Requirement("linux", arch, libc="static") for arch in ("s390x", "x86_64"))
    made = {
        requires.arch: locked(Released(tmp_path, version=version), requires).assets[0]
        for version, requires in (("1.0", s390x), ("1.0.1", x86_64))
    }
    lock = LockFile(("linux/x86_64",), {"hello": LockedTool("1.0", {}, tuple(made.values()))})
    wanted = replace(shared(machine), lock=lock)
    machine.converge(wanted)
    answer = machine.ask(with_options(wanted, keep=5))
    assert answer.host
    assert answer.state
    assert inspect(answer.state, answer.host, wanted, None).is_compliant
    assert not inspect(answer.state, answer.host, replace(wanted, platform=None), None).is_compliant


def test_file_system_that_starts_no_programs_may_hold_those_of_others(machine: Machine, tmp_path: Path) -> None:
    wanted = shared(machine, Released(tmp_path))
    answer = machine.ask(wanted)
    assert answer.host
    assert answer.state
    noexec = Room(str(tmp_path), is_writable=True, free_bytes=None, starts_programs=False)
    state = replace(answer.state, rooms={"root": noexec, "bin_dir": noexec})
    assert plan.make_plan(wanted, answer.host, state).is_changed
    with pytest.raises(ReleaseError, match="no program can be started"):
        plan.make_plan(replace(wanted, platform=None), answer.host, state)


@pytest.mark.parametrize(("bin_dir", "expected"), [("", "/srv/tools/bin"), ("/srv/bin", "/srv/bin")])
def test_programs_lie_in_root_unless_told_otherwise(bin_dir: str, expected: str) -> None:
    assert shared_tree.bin_dir_of("/srv/tools", bin_dir) == expected


def test_programs_for_others_do_not_come_among_those_of_this_host() -> None:
    with pytest.raises(ReleaseError, match="platform needs root"):
        shared_tree.bin_dir_of("", "/srv/bin")
