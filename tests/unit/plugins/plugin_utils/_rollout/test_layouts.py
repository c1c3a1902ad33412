# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By what else tools are found below one root: with the programs that look there, and on this machine."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils import layouts
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import ordered_layouts
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Layout
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, with_options

BOTH: tuple[Layout, ...] = ("modulefiles", "tool_cache")
ENVIRONMENT_MODULES = [
    *glob.glob("/usr/lib/*/modulecmd.tcl"),
    *glob.glob("/usr/share/modules/libexec/modulecmd.tcl"),
]
#: Debian lets only one of the two be installed: the other may be unpacked into a folder.
LMOD = os.environ.get("LMOD_COMMAND", "/usr/share/lmod/lmod/libexec/lmod")
COMMANDS = {
    "environment-modules": [shutil.which("tclsh") or "", *ENVIRONMENT_MODULES[:1], "sh"],
    "lmod": [shutil.which("lua5.3") or "", LMOD, "sh"],
}
#: A folder node_modules with @actions/tool-cache in it.
NODE_MODULES = os.environ.get("NODE_MODULES", str(Path(__file__).parents[5] / ".build/node_modules"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def entries_below(machine: Machine) -> dict[str, str]:
    """Return what stands in both layouts: the text of a link, "" for a file."""
    found = {}
    for kind in BOTH:
        for top, folders, files in os.walk(machine.root / kind):
            for path in (Path(top, name) for name in folders + files):
                if path.is_symlink() or path.is_file():
                    found[str(path.relative_to(machine.root))] = os.readlink(path) if path.is_symlink() else ""
    return found


def after(command: list[str], folder: Path, *words: str) -> str:
    """Return which hello would be started after ``module WORDS``, by the shell text that *command* prints."""
    environment = {"PATH": "/usr/bin:/bin", "MODULEPATH": str(folder), "HOME": "/nowhere"}
    told = subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=True).stdout
    shell = subprocess.run(
        ["/bin/sh", "-c", f"{told}\nhello"], env=environment, capture_output=True, text=True, check=False
    )
    return shell.stdout.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_each_kept_version_can_be_loaded_as_a_module(machine: Machine, tmp_path: Path, name: str) -> None:
    if len(COMMANDS[name]) != 3 or not all(map(os.path.exists, COMMANDS[name][:2])):
        pytest.skip(f"{name} is not installed")
    for version in ("1.0", "2.0", "1.0"):
        machine.converge(machine.wanted(Released(tmp_path, version=version), layouts=("modulefiles",)))
    os.rename(machine.root, tmp_path / "mounted")
    folder = tmp_path / "mounted/modulefiles"
    assert after(COMMANDS[name], folder, "load", "hello/2.0") == "hello 2.0"
    assert after(COMMANDS[name], folder, "load", "hello/1.0") == "hello 1.0"
    assert after(COMMANDS[name], folder, "load", "hello") == "hello 1.0"
    assert after(COMMANDS[name], folder, "avail") == ""


def test_action_finds_each_kept_version_in_the_tool_cache(machine: Machine, tmp_path: Path) -> None:
    if not shutil.which("node") or not os.path.exists(os.path.join(NODE_MODULES, "@actions/tool-cache")):
        pytest.skip("node, or @actions/tool-cache in .build/node_modules or NODE_MODULES, is not there")
    for version in ("1.0.0", "1.1.0"):
        machine.converge(machine.wanted(Released(tmp_path, version=version), layouts=BOTH))
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "find.mjs").write_text(
        "import * as cache from '@actions/tool-cache';\n"
        "console.log(JSON.stringify([cache.find('hello', '1.0.0'), cache.find('hello', '1.x'), "
        "cache.find('hello', '2.x'), cache.findAllVersions('hello')]));\n"
    )
    environment = {**os.environ, "RUNNER_TOOL_CACHE": str(machine.root / "tool_cache"), "RUNNER_TEMP": str(tmp_path)}
    told = subprocess.check_output(["node", tmp_path / "find.mjs"], env=environment, text=True).splitlines()
    explicit, newest, missing, versions = json.loads(told[-1])
    assert subprocess.check_output([f"{explicit}/bin/hello"], text=True) == "hello 1.0.0\n"
    assert subprocess.check_output([f"{newest}/bin/hello"], text=True) == "hello 1.1.0\n"
    assert missing == ""
    assert versions == ["1.0.0", "1.1.0"]


def test_layouts_come_and_go_with_the_versions(machine: Machine, tmp_path: Path) -> None:
    old, new = (Released(tmp_path, version=version) for version in ("1.0.0", "1.1.0"))
    machine.converge(machine.wanted(old, layouts=BOTH))
    machine.converge(machine.wanted(new, layouts=BOTH))
    arch = ordered_layouts.of_host(("tool_cache",), verified_host(machine, old))[0].partition("/")[2]
    of_each = {
        path: text
        for one in (old, new)
        for path, text in {
            f"modulefiles/hello/{one.version}": "",
            f"tool_cache/hello/{one.version}/{arch}": f"../../../store/hello/{one.tree}/tree",
            f"tool_cache/hello/{one.version}/{arch}.complete": f"../../../store/hello/{one.tree}/listing",
        }.items()
    }
    assert entries_below(machine) == {"modulefiles/hello/.version": "", **of_each}
    machine.converge(machine.wanted(new, layouts=BOTH, keep=0))
    assert not [path for path in entries_below(machine) if "1.0.0" in path]
    machine.converge(machine.wanted(names=("hello",), is_present=False))
    assert entries_below(machine) == {}
    assert not (machine.root / "tool_cache/hello").exists()


def verified_host(machine: Machine, released: Released) -> Host:
    host = machine.ask(machine.wanted(released, keep=9)).host
    assert host
    return host


def test_programs_are_at_the_top_where_the_asset_has_no_folder_bin(machine: Machine, tmp_path: Path) -> None:
    released = Released(tmp_path, "hello", "1.0.0", files={"doc/page": b"page"})
    wanted = machine.wanted(released, layouts=("tool_cache",))
    machine.converge(wanted)
    [cached] = (machine.root / "tool_cache/hello/1.0.0").glob("*[!e]")
    assert os.readlink(cached).endswith("/tree")
    assert subprocess.check_output([cached / "bin/hello"], text=True) == "hello 1.0.0\n"
    deeper = Released(tmp_path, "deep", "1.0.0", programs=("deep",), inside="data/")
    machine.converge(machine.wanted(deeper, layouts=("tool_cache",)))
    [cached] = (machine.root / "tool_cache/deep/1.0.0").glob("*[!e]")
    assert subprocess.check_output([cached / "deep"], text=True) == "deep 1.0.0\n"


def test_nothing_to_do_is_one_question_and_every_change_of_a_layout_is_seen(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path, version="1.0.0"), layouts=BOTH)
    machine.converge(wanted)
    for path, text in entries_below(machine).items():
        assert machine.ask(wanted).sealed
        place = machine.root / path
        place.unlink()
        assert_repaired(machine, wanted, f"{path} is not as ordered")
        if text:
            place.unlink()
            place.symlink_to("../../../store/hello/other/tree")
        else:
            place.write_text("#%Module1.0\nprepend-path PATH /tmp/mallory\n")
        assert_repaired(machine, wanted, f"{path} is not as ordered")
    (machine.root / "modulefiles/hello/1.0.0").chmod(0o666)
    assert_repaired(machine, wanted, "modulefiles/hello/1.0.0 is not as ordered")
    assert (machine.root / "modulefiles/hello/1.0.0").stat().st_mode & 0o777 == 0o644
    (machine.root / "modulefiles/hello/9.9").write_text("#%Module1.0\n")
    assert_repaired(machine, wanted, "modulefiles/hello/9.9 is left over")


def assert_repaired(machine: Machine, wanted: Wanted, misfit: str) -> None:
    answer = machine.ask(wanted)
    assert not answer.sealed
    assert answer.state
    assert answer.host
    assert inspect(answer.state, answer.host, wanted, None).tools["hello"].drift == (f"{machine.root}/{misfit}",)
    [tool] = machine.converge(wanted).tools
    assert (tool.action, tool.reason) == ("repair", f"{machine.root}/{misfit}")
    assert machine.ask(wanted).sealed


def test_layouts_that_are_ordered_later_or_no_more_are_seen(machine: Machine, tmp_path: Path) -> None:
    without = machine.wanted(Released(tmp_path, version="1.0.0"))
    wanted = with_options(without, layouts=BOTH)
    machine.converge(without)
    assert machine.converge(wanted).tools[0].action == "repair"
    assert len(entries_below(machine)) == 4
    assert machine.actions(with_options(wanted, integrity="full")) == {"hello": "none"}
    assert machine.converge(without).tools[0].action == "repair"
    assert entries_below(machine) == {}


def test_what_a_runner_fetched_itself_stays_and_is_not_taken_over(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path, version="1.0.0"), layouts=BOTH)
    theirs = [machine.root / "tool_cache" / path for path in ("node/20.1.0/x64", "hello/0.9.0/x64")]
    for folder in theirs:
        folder.mkdir(parents=True)
        folder.with_name("x64.complete").touch()
    (machine.root / "modulefiles/hello").mkdir(parents=True)
    (machine.root / "modulefiles/hello/.modulerc").write_text("#%Module1.0\n")
    machine.converge(wanted)
    assert machine.ask(wanted).sealed
    machine.converge(machine.wanted(names=("hello",), is_present=False))
    assert all(folder.is_dir() and folder.with_name("x64.complete").exists() for folder in theirs)
    assert (machine.root / "modulefiles/hello/.modulerc").exists()
    for arch in ("x64", "arm64"):
        (machine.root / "tool_cache/hello/1.0.0" / arch).mkdir(parents=True)
    with pytest.raises(ReleaseError, match="x64 is there already"):
        machine.plan(wanted)


@pytest.mark.parametrize("folder", ["modulefiles", "modulefiles/hello", "tool_cache/hello", "tool_cache/hello/1.0.0"])
def test_folder_of_a_layout_that_others_can_change_is_refused(machine: Machine, tmp_path: Path, folder: str) -> None:
    wanted = machine.wanted(Released(tmp_path, version="1.0.0"), layouts=BOTH)
    machine.converge(wanted)
    (machine.root / folder).chmod(0o777)
    with pytest.raises(ReleaseError, match="can be written by everyone"):
        machine.plan(with_options(wanted, integrity="full"))
    with pytest.raises(ReleaseError, match="can be written by everyone"):
        machine.plan(with_options(wanted, keep=3))


@pytest.mark.parametrize(
    ("version", "cached"),
    [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        ("1.2.3-rc.1", "1.2.3-rc.1"),
        ("1.2.3+build.5", "1.2.3"),
        ("1.2", None),
        ("1.2.3.4", None),
        ("2024.01.05", None),
        ("1.2.3-01", None),
        ("8u392-b08", None),
    ],
)
def test_tool_cache_has_versions_as_semver_cleans_them(version: str, cached: str | None) -> None:
    assert layouts.cached_version(version) == cached


def test_version_that_no_tool_cache_finds_is_refused(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"hello 1.0: no tool cache finds such a version"):
        machine.plan(machine.wanted(Released(tmp_path, version="1.0"), layouts=BOTH))


def test_of_two_trees_of_a_version_the_active_one_counts() -> None:
    trees = ("1.0.0-aaaaaaaaaaaa", "1.0.0-bbbbbbbbbbbb")
    for active, expected in ((trees[0], trees[0]), (trees[1], trees[1]), (None, trees[1])):
        found = layouts.entries(["tool_cache/x64", "modulefiles"], "hello", trees, active)
        assert found["tool_cache/hello/1.0.0/x64"].texts[0] == f"../../../store/hello/{expected}/tree"
        assert f"/{expected}/bin" in found["modulefiles/hello/1.0.0"].texts[0]


def test_architecture_without_a_word_is_refused() -> None:
    assert ordered_layouts.of_host(("tool_cache",), Host("linux", "aarch64")) == ("tool_cache/arm64",)
    assert ordered_layouts.of_host(("modulefiles",), Host("linux", None)) == ("modulefiles",)
    with pytest.raises(ReleaseError, match="no word for the architecture"):
        ordered_layouts.of_host(BOTH, Host("linux", "sparc64"))


def test_link_of_somebody_else_is_not_taken_over() -> None:
    state = State(root="/r", bin_dir="/b", layouts={"tool_cache/hello/1.0.0/x64": "link /elsewhere"})
    with pytest.raises(ReleaseError, match="x64 is there already"):
        ordered_layouts.refuse_unfit(["tool_cache/x64"], {"hello": "1.0.0-aaaaaaaaaaaa"}, state)
