# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop a host is said before anything is downloaded: on real file systems where the test may mount them."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Download, ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import (
    InstalledProgram,
    Room,
    State,
    Tree,
    User,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import foresight
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, busybox

MEBIBYTE = 1024 * 1024
ASSET = Download("uv.tar.gz", ["https://example.org/uv.tar.gz"], 10 * MEBIBYTE, "0" * 64, "tar.gz", 30 * MEBIBYTE)
INSTALL = ToolOrder(tool="uv", tree="1-0", asset=ASSET)
REMOVE = ToolOrder(tool="uv")
LINUX = Host("linux", "x86_64")
ROOM = Room("/opt", True, 40 * MEBIBYTE, True)


def state(root: Room = ROOM, bin_dir: Room = ROOM) -> State:
    return State("/opt/p", "/usr/local/bin", rooms={"root": root, "bin_dir": bin_dir}, python="/usr/bin/python3")


def test_what_is_needed_is_every_new_tree_and_the_largest_asset() -> None:
    assert foresight.needed_bytes([INSTALL, INSTALL]) == 70 * MEBIBYTE
    assert foresight.needed_bytes([INSTALL._replace(reuse="1-0"), REMOVE]) == 0


def test_a_host_that_has_all_is_let_through() -> None:
    foresight.refuse_hopeless([INSTALL], state())
    foresight.refuse_hopeless([], state(replace(ROOM, is_writable=False)))


@pytest.mark.parametrize(
    ("order", "host", "what"),
    [
        (INSTALL, state(replace(ROOM, is_writable=False)), "nothing can be written in /opt/p\n"),
        (
            REMOVE,
            state(bin_dir=Room("/usr", False, None, True)),
            "nothing can be written in /usr/local/bin\n.*bin_dir\n.*no right to write in /usr,",
        ),
        (INSTALL, state(replace(ROOM, starts_programs=False)), "no program can be started below /opt/p\n"),
        (
            INSTALL,
            state(replace(ROOM, free_bytes=40 * MEBIBYTE - 1)),
            "too little space in /opt/p\n  found: 39 MiB free, 40 MiB needed\n",
        ),
        (REMOVE, replace(state(), python=""), "no usable Python"),
        (
            INSTALL._replace(asset=ASSET._replace(name="uv.tar.zst", format="tar.zst")),
            replace(state(), undecoded=frozenset(("bz2", "zst"))),
            "uv.tar.zst is compressed with zstd, which this machine cannot decode\n.*\n.*install zstd",
        ),
        (
            INSTALL._replace(asset=ASSET._replace(name="uv.xz", format="xz")),
            replace(state(), undecoded=frozenset(("xz",))),
            "uv.xz is compressed with xz, which this machine's Python cannot decode\n.*no module lzma",
        ),
    ],
)
def test_each_thing_that_a_host_lacks_is_an_error(order: ToolOrder, host: State, what: str) -> None:
    with pytest.raises(ReleaseError, match=what):
        foresight.refuse_hopeless([order], host)


def test_what_a_host_cannot_decode_stops_only_what_is_unpacked_there() -> None:
    host = replace(state(), undecoded=frozenset(("bz2", "xz", "zst")))
    packed = INSTALL._replace(asset=ASSET._replace(format="tar.xz"))
    foresight.refuse_hopeless([INSTALL, packed._replace(reuse="1-0"), REMOVE], host)


def test_who_is_not_in_the_group_cannot_give_files_to_it() -> None:
    host = replace(state(), gid=0, user=User(1000, gives_group=False, is_owner=True), rights=0)
    with pytest.raises(ReleaseError, match=r"the user 1000 may not give files to the group 0\n.*\n.*become"):
        foresight.refuse_powerless([INSTALL], host, LINUX, "")
    foresight.refuse_powerless([REMOVE], host, LINUX, "")
    foresight.refuse_powerless([INSTALL], replace(host, user=None), LINUX, "")
    foresight.refuse_powerless([INSTALL], replace(host, rights=1), LINUX, "")
    foresight.refuse_powerless([INSTALL], host, replace(LINUX, os="darwin"), "")


@pytest.mark.parametrize(("gid", "may"), [(0, True), (1000, False)])
def test_a_kept_tree_is_given_to_a_group_only_if_it_is_of_another(gid: int, may: bool) -> None:
    kept = Tree("1-0", programs={"uv": InstalledProgram(0o755, 1000, gid)})
    user = User(1000, gives_group=False, is_owner=True)
    host = replace(state(), gid=0, user=user, described={("uv", "1-0"): kept})
    with contextlib.nullcontext() if may else pytest.raises(ReleaseError, match="may not give files to the group 0"):
        foresight.refuse_powerless([INSTALL._replace(reuse="1-0")], host, LINUX, "")


def test_who_is_neither_root_nor_the_owner_cannot_run_checks_as_the_owner() -> None:
    host = replace(state(), gid=0, user=User(1000, gives_group=True, is_owner=False))
    with pytest.raises(ReleaseError, match="only root can run a check as nobody\n  found: the user 1000,"):
        foresight.refuse_powerless([INSTALL._replace(check=["uv"])], host, LINUX, "nobody")
    foresight.refuse_powerless([INSTALL], host, LINUX, "nobody")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")
@pytest.mark.parametrize(
    ("options", "user"),
    [
        ({"owner": "nobody"}, User(4321, gives_group=False, is_owner=False)),
        ({"group": "4321"}, User(4321, gives_group=True, is_owner=True)),
        ({"owner": "nobody", "group": "4321"}, User(4321, gives_group=True, is_owner=False)),
        ({}, None),
    ],
)
def test_a_real_user_is_told_of_where_an_owner_or_a_group_is_asked_for(
    options: dict[str, str], user: User | None
) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        machine = Machine(Path(name))
        wanted = replace(machine.wanted(Released(Path(name))), **options)
        told = machine.ask(wanted, user=4321, is_unsealed=True).state
        assert told is not None
        assert told.user == user
        as_root = machine.ask(wanted, is_unsealed=True).state
        assert as_root is not None
        assert as_root.user is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")
@pytest.mark.parametrize("is_busybox", [False, True])
def test_an_owner_who_is_a_number_is_known_whichever_id_there_is(is_busybox: bool) -> None:
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        machine = Machine(Path(name))
        wanted = replace(machine.wanted(Released(Path(name))), owner=str(nobody.pw_uid))
        programs = busybox(Path(name)) if is_busybox else ""
        told = machine.ask(wanted, user=nobody.pw_uid, userland=programs, is_unsealed=True).state
    assert told is not None
    assert told.gid == nobody.pw_gid
    assert told.user is not None
    assert told.user.is_owner


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to any group")
def test_an_owner_whom_the_host_has_not_is_foreseen_beside_a_group_that_it_has(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    wanted = replace(machine.wanted(Released(tmp_path)), owner="nobody-of-that-name", group="0")
    with pytest.raises(ReleaseError, match="this host has no user nobody-of-that-name"):
        machine.plan(wanted)
    machine.plan(replace(wanted, owner="nobody"))


@pytest.mark.parametrize("whom", ["owner", "group"])
def test_what_goes_needs_neither_the_owner_nor_the_group_that_it_had(tmp_path: Path, whom: str) -> None:
    machine = Machine(tmp_path)
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    machine.converge(replace(wanted, is_present=False, **{whom: "nobody-of-that-name"}))
    assert not list((machine.root / "current").iterdir())


def test_host_without_python_is_told_which_ones_were_tried() -> None:
    tried = (("/usr/bin/python3", "is 3.5"), ("/usr/local/bin/python3", "can be exchanged by others"))
    with pytest.raises(ReleaseError) as failure:
        foresight.refuse_hopeless([INSTALL], replace(state(), python="", no_pythons=tried))
    assert failure.value.found == "/usr/bin/python3 is 3.5; /usr/local/bin/python3 can be exchanged by others"


@pytest.mark.parametrize("folder", ["current", "staging", "store/uv"])
def test_folder_of_links_among_what_is_kept_is_an_error(tmp_path: Path, folder: str) -> None:
    """A link there would be taken away by the same run, or in place of what the run needs."""
    machine = Machine(tmp_path)
    machine.bin_dir = machine.root / folder
    with pytest.raises(ReleaseError, match=f"bin_dir lies in {machine.root}/{folder.partition('/')[0]}, where only"):
        machine.plan(machine.wanted(Released(tmp_path)))
    assert not machine.root.exists()
    machine.bin_dir = machine.root / "bin"
    assert machine.actions(machine.wanted(Released(tmp_path))) == {"hello": "install"}


def test_folder_of_a_file_that_cannot_be_written_is_an_error_only_if_something_changes_there() -> None:
    order = INSTALL._replace(files={"share/a": "a"})
    closed = replace(state(), closed={"share/a": "/usr"})
    said = r"nothing can be written in /usr/local/share\n.*\n.*no right to write in /usr,"
    with pytest.raises(ReleaseError, match=said):
        foresight.refuse_hopeless([order], closed)
    with pytest.raises(ReleaseError, match=said):
        foresight.refuse_hopeless([REMOVE._replace(unlink=["share/a"])], closed)
    linked = replace(closed, links={"share/a": f"{closed.root}/current/uv/files/share/a"})
    foresight.refuse_hopeless([order], linked)


def test_read_only_folder_of_a_file_is_foreseen(mounted: Callable[[str], Path], tmp_path: Path) -> None:
    release = Released(tmp_path, files={"a": b""}, linked={"mounted/a": "a"})
    mounted("ro")
    with pytest.raises(ReleaseError, match=f"nothing can be written in {tmp_path}/mounted"):
        Machine(tmp_path).plan(Machine(tmp_path).wanted(release))


def a_file(path: Path) -> None:
    path.write_bytes(b"")


def a_link(path: Path) -> None:
    path.symlink_to("/opt")


def writable_by_all(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def of_another_group(path: Path) -> None:
    path.mkdir()
    os.chown(path, -1, 4321)
    path.chmod(0o775)


@pytest.mark.parametrize(
    ("spoil", "place", "what"),
    [
        (a_file, "store/uv", "is no folder"),
        (a_link, "store/uv", "is no folder"),
        (writable_by_all, "store/uv", "can be written by everyone"),
        pytest.param(
            of_another_group,
            "store/uv",
            "can be written by the group 4321",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to any group"),
        ),
        (Path.mkdir, "current/uv", "is a folder"),
    ],
)
def test_what_stands_at_a_folder_of_a_tool_is_foreseen_to_stop_this_tool_only(
    tmp_path: Path, spoil: Callable[[Path], None], place: str, what: str
) -> None:
    machine = Machine(tmp_path)
    (machine.root / place).parent.mkdir(parents=True)
    spoil(machine.root / place)
    machine.converge(machine.wanted(Released(tmp_path, tool="other")))
    with pytest.raises(ReleaseError, match=f"{machine.root}/{place} {what}"):
        machine.plan(machine.wanted(Released(tmp_path, tool="uv", programs=("uv",))))


@pytest.mark.parametrize("folder", ["store", "current", "staging"])
def test_a_folder_of_ours_that_cannot_be_written_is_foreseen(
    mounted: Callable[[str], Path], tmp_path: Path, folder: str
) -> None:
    machine = Machine(tmp_path)
    (machine.root / folder).mkdir(parents=True)
    subprocess.run(["mount", "--bind", mounted("ro"), machine.root / folder], check=True)
    try:
        with pytest.raises(ReleaseError, match=f"no right to write in {machine.root}/{folder},"):
            machine.plan(machine.wanted(Released(tmp_path)))
    finally:
        subprocess.run(["umount", machine.root / folder], check=True)


def test_removing_needs_no_room_and_starts_nothing() -> None:
    foresight.refuse_hopeless([REMOVE], state(Room("/opt", True, 0, False)))


def test_what_nobody_can_tell_stops_nothing() -> None:
    foresight.refuse_hopeless([INSTALL], state(replace(ROOM, free_bytes=None)))


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that makes a file system of its own, with options, below the test's folder."""
    place = tmp_path / "mounted"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"mode=755,{options}", "tmpfs", str(place)]
        if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("only root can mount a file system")
        return place

    yield mount
    if os.path.ismount(place):
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    ("options", "what"),
    [("ro", "nothing can be written"), ("noexec", "no program can be started"), ("size=4k", "too little space")],
)
def test_a_real_file_system_is_foreseen_to_be_of_no_use(
    mounted: Callable[[str], Path], tmp_path: Path, options: str, what: str
) -> None:
    release = Released(tmp_path)
    place = mounted(options)
    if options.startswith("size"):
        (place / "full").write_bytes(b"0" * 4096)
    machine = Machine(tmp_path)
    with pytest.raises(ReleaseError, match=what):
        machine.plan(replace(machine.wanted(release), root=str(place / "root")))
