# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each message in docs/guide/messages.md is one that the code says, provoked here as a user would provoke it."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.download import download
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Download, ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._choice import choice
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Room, State
from ansible_collections.pinned.release.plugins.plugin_utils._lock import floors, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._playbook import batches, hosts, inventories, slips
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import foresight
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import locked_tools
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, locked

PAGE = Path(__file__).parents[2] / "docs/guide/messages.md"
GROUPS = {"all": ["web1", "db1"], "web": ["web1"], "db": ["db1"]}
GNU = Requirement("linux", "x86_64", libc="glibc", libc_min="2.39", interpreter="/lib64/ld-linux-x86-64.so.2")
OLD_HOST = Host("linux", "x86_64", libc="glibc", libc_version="2.36", loaders=("/lib64/ld-linux-x86-64.so.2",))
MANIFEST = "platforms: [linux/x86_64]\ntools:\n  uv: {source: {pypi: uv}}\n"


class Case:
    """A folder to provoke a message in, and what patches the process for it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = monkeypatch

    @property
    def lock(self) -> LockFile:
        return Machine(self.folder).wanted(Released(self.folder, "uv", programs=("uv", "uvx"))).lock

    def choose(self, *tools: str, requires: Requirement = GNU) -> None:
        errors = []
        for tool in tools:
            try:
                choice.choose(tool, locked(Released(self.folder, tool), requires), OLD_HOST)
            except choice.UnsupportedError as error:
                errors.append(error)
        raise choice.together(errors)

    def plan(self, prepare: Callable[[Machine], Any] = lambda machine: None, **options: Any) -> None:
        machine = Machine(self.folder)
        prepare(machine)
        machine.plan(machine.wanted(Released(self.folder), **options))

    def without(self, *names: str) -> Any:
        for name in names:
            self.patch.setitem(sys.modules, name, None)
        return getattr(libraries, names[0])

    def unresolvable(self) -> None:
        def getaddrinfo(*_arguments: Any, **_options: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        self.patch.setattr(socket, "getaddrinfo", getaddrinfo)
        download("https://gone.example.org/a", str(self.folder / "a"), "a" * 64, 1)

    def unresolvable_publisher(self) -> None:
        with pytest.raises(libraries.requests.exceptions.ConnectionError) as failed:
            libraries.requests.get("https://gone.invalid/a", timeout=5, proxies={"https": ""})
        raise failures.failure(failed.value, "https://gone.invalid/a")

    def other_bytes(self, size: int = 1) -> None:
        (self.folder / "served").write_bytes(b"x")
        download((self.folder / "served").as_uri(), str(self.folder / "a"), "a" * 64, size)

    def other_bytes_for_the_controller(self) -> None:
        (self.folder / "served").write_bytes(b"xx")
        asset = Asset("served", (self.folder / "served").as_uri(), 1, {"sha256": "a" * 64})
        Cache(self.folder / "cache").fetch(asset, transport.session())

    def options(self, **given: Any) -> None:
        action = SimpleNamespace(_task=SimpleNamespace(action="pinned.release.tools", args={}))
        verb.options(action, verb.reader(options.TOOLS), given)  # type: ignore[arg-type]

    def edited(self) -> str:
        return lockfile.emit(self.lock).replace('"version": "1.0"', '"version": "1.1"')


def _below_floor() -> None:
    platform = parse_platform("linux/x86_64/glibc2.28")
    passed = [floors.Passed("15.1.0", {platform: GNU})]
    raise floors.refusal(SimpleNamespace(name="ripgrep"), passed, [])  # type: ignore[arg-type]


def _on_disk(is_writable: bool) -> None:
    """Foresee what a full or a closed disk refuses; test_foresight.py mounts such."""
    room = Room("/opt", is_writable, free_bytes=1 << 20, starts_programs=True)
    state = State("/opt/p", "/usr/local/bin", rooms={"root": room}, python="/usr/bin/python3")
    asset = Download("uv.tar.gz", [], 1 << 20, "0" * 64, "tar.gz", 1 << 20)
    foresight.refuse_hopeless([ToolOrder(tool="uv", tree="1-0", asset=asset)], state)


PROVOKED: dict[str, Callable[[Case], Any]] = {
    "the playbook has no variable": lambda case: slips.refuse(["lockfle"], ["lockfile"]),
    "target names no hosts": lambda case: hosts.pattern(""),
    "target=…: the inventory": lambda case: hosts.refuse_unknown("wbe", ["wbe"], GROUPS, []),
    "target=… matches": lambda case: hosts.refuse_unknown("x*", ["x*"], GROUPS, []),
    "--limit": lambda case: hosts.refuse_disjoint("web", "db", ["web1"], ["db1"]),
    "the inventory has no hosts: give": lambda case: hosts.refuse_unknown("all", ["all"], {"all": []}, []),
    "the inventory has no hosts: there": lambda case: inventories.refuse_missing([str(case.folder / "inventry.ini")]),
    "the playbook … would": lambda case: slips.refuse(["frozen"], slips.PLAYBOOKS["rollout"]),
    "batch=…": lambda case: batches.refuse_unusable("fast"),
    "… holds a merge conflict": lambda case: lockfile.parse("{\n<<<<<<< HEAD\n", "releases.lock.json"),
    "…:…: the file holds": lambda case: manifest.parse("<<<<<<< HEAD\n" + MANIFEST, "releases.yml"),
    "…: the entry of": lambda case: lockfile.parse(case.edited(), "releases.lock.json"),
    "…:…: unknown key": lambda case: manifest.parse(MANIFEST.replace("source", "sorce"), "releases.yml"),
    "…:…: unknown platform": lambda case: manifest.parse(MANIFEST.replace("x86", "x68"), "releases.yml"),
    "unknown option": lambda case: case.options(bindir="/usr/bin"),
    "the Python libraries": lambda case: case.without("semver", "pypi_simple").Version("1.0"),
    "the lock file has no tool named …, which": lambda case: locked_tools(
        replace(Machine(case.folder).wanted(), lock=case.lock, names=("uvx",))
    ),
    "there is no tool": lambda case: case.plan(
        lambda machine: machine.converge(machine.wanted(Released(case.folder, "uv", programs=("uv", "uvx")))),
        names=("uvx",),
        is_present=False,
    ),
    "the lock file has no tool named …, did": lambda case: locked_tools(
        replace(
            Machine(case.folder).wanted(),
            lock=replace(case.lock, tools={"ruff": case.lock.tools["uv"]}),
            names=("rufff",),
        )
    ),
    "… does not run on this host: … build": lambda case: case.choose("uv"),
    "… does not run on this host: is": lambda case: case.choose("uv", requires=replace(GNU, arch="aarch64")),
    "… tools do not run": lambda case: case.choose("uv", "ruff"),
    "no release that the manifest allows": lambda case: _below_floor(),
    "there is too little space": lambda case: _on_disk(is_writable=True),
    "the host has no usable Python": lambda case: case.plan(python="/nowhere/python3"),
    "… is there already": lambda case: case.plan(lambda machine: (machine.bin_dir / "hello").write_text("mine")),
    "nothing can be written in": lambda case: _on_disk(is_writable=False),
    "cannot download": lambda case: case.unresolvable(),
    "the controller cannot resolve": lambda case: case.unresolvable_publisher(),
    "… is not the file that was locked": lambda case: case.other_bytes(),
    "… has another size": lambda case: case.other_bytes(size=2),
    "… is not what it should be": lambda case: case.other_bytes_for_the_controller(),
}


def said() -> list[str]:
    """Return what the first column of the page's tables says."""
    return re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_each_message_of_the_page_is_provoked() -> None:
    assert len(said()) == len(PROVOKED)


@pytest.mark.parametrize("begin", PROVOKED)
def test_the_page_shows_what_the_screen_says(begin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [row] = [text for text in said() if text.startswith(begin)]
    with pytest.raises(ReleaseError) as raised:
        PROVOKED[begin](Case(tmp_path, monkeypatch))
    pattern = ".+".join(map(re.escape, row.split("…")))
    assert re.search(pattern, raised.value.what), raised.value.what
