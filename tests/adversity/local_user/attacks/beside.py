# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks from beside: by those who may change nothing that a run uses, or only where it takes releases from."""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from ansible_collections.pinned.release.tests.adversity.local_user.attack import attack
from ansible_collections.pinned.release.tests.adversity.local_user.attacker import Attacker
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host

TRAPS = (
    *("stat", "find", "sort", "grep", "sed", "cat", "ls", "id", "readlink", "sha256sum", "od", "tr", "uname"),
    *("getconf", "dirname", "sh", "printf", "command", "read", "hello", "restorecon", "openssl", "shasum"),
)


@attack("nothing", "before", twins={"exclusive": fcntl.LOCK_EX, "shared": fcntl.LOCK_SH}, stays=True, wants=("2.0",))
def every_file_is_locked(me: Attacker) -> None:
    """The attacker locks whatever they can read in root, the folders too."""
    for folder, _folders, files in os.walk(me.root):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            if os.access(path, os.R_OK) and not os.path.islink(path):
                fcntl.flock(os.open(path, os.O_RDONLY | os.O_NONBLOCK), me.twin | fcntl.LOCK_NB)


@attack("nothing", "before", stays=True)
def the_program_runs_all_the_time(me: Attacker) -> Callable[[], None]:
    """The attacker starts the program again and again, while it is exchanged."""

    def start() -> None:
        subprocess.run([me.bin_dir / "hello"], stdout=subprocess.DEVNULL, check=False)

    return start


@attack("nothing", "before", stays=True)
def every_file_is_open(me: Attacker) -> None:
    """The attacker has every file of root open, and works in its folders."""
    os.chdir(me.tree)
    for folder, _folders, files in os.walk(me.root):
        for name in files:
            if os.access(os.path.join(folder, name), os.R_OK):
                os.open(os.path.join(folder, name), os.O_RDONLY)


def _in_home(host: Host) -> None:
    host.cwd = str(host.home)


@attack("nothing", wants=("1.0", "2.0"), host=_in_home)
def the_run_begins_in_the_attackers_home(me: Attacker) -> None:
    """Who becomes root keeps the folder they were in: the attacker's, which has traps of all names."""
    _set_traps(me, me.home)
    for name in ("libexec", "bin", "store", "current", "seal", "receipt.json", "listing", "json.py", "os.py"):
        me.write(me.home / name, me.payload, 0o755)


def _set_traps(me: Attacker, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in TRAPS:
        me.write(folder / name, me.payload, 0o755)


#: What a run may inherit from whoever becomes root, by the variable; {home} is the attacker's.
VARIABLES = {
    "PATH": "{home}/traps:/usr/bin:/bin",
    "ENV": "{home}/traps/sh",
    "BASH_ENV": "{home}/traps/sh",
    "CDPATH": "{home}",
    "TMPDIR": "{home}",
    "POSIXLY_CORRECT": "1",
    "QUOTING_STYLE": "c",
    "TIME_STYLE": "+%s -> x",
    "BLOCK_SIZE": "1",
    "LS_COLORS": "x",
    "IFS": "/",
    "LC_ALL": "{home}",
    "LANG": "C",
    "TZ": "{home}/traps/sh",
    "HOME": "{home}",
    "XDG_DATA_HOME": "{home}",
    "sha256": "{home}/traps/sh",
    "sums": "{home}",
    "user": "0",
    "data": "{home}",
    "version": "{home}",
    "OPENSSL_CONF": "{home}/traps/sh",
    "SSL_CERT_FILE": "{home}/traps/sh",
}


def _variable(name: str, value: str) -> Callable[[Host], None]:
    def inherit(host: Host) -> None:
        host.environment[name] = value.format(home=host.home)

    return inherit


def _enter_variables() -> None:
    for name, value in VARIABLES.items():

        @attack(
            "nothing",
            twins={name: name},
            wants=("2.0",),
            installed=("1.0",),
            options={"checks": {"hello": ("hello",)}},
            host=_variable(name, value),
        )
        def a_variable_is_inherited(me: Attacker) -> None:
            """The run inherits a variable that leads to the attacker's folder, full of traps."""
            _set_traps(me, me.home / "traps")


_enter_variables()


@attack(
    "source",
    "before",
    "between",
    "obey",
    twins={"bytes": "bytes", "fifo": "fifo", "secret": "secret", "device": "device", "cut": "cut", "grown": "grown",
           "endless": "endless", "folder": "folder", "mode 0": "mode 0", "gone": "gone", "archive": "archive"},
)  # fmt: skip
def the_asset_is_exchanged(me: Attacker) -> None:
    """What is to be downloaded is something else by now."""
    (path,) = me.host.releases.glob("hello-2.0.*")
    content = path.read_bytes() if path.is_file() and os.access(path, os.R_OK) else b""
    me.clear(path)
    if me.twin in ("fifo", "folder"):
        me.fifo(path) if me.twin == "fifo" else me.folder(path)
    elif me.twin in ("secret", "device"):
        path.symlink_to(me.secret if me.twin == "secret" else "/dev/zero")
    elif me.twin != "gone":
        changed = bytes([content[0] ^ 1]) + content[1:] if content else b"x"
        made = {"bytes": changed, "cut": content[:-9], "grown": content + b"x", "archive": _hostile_archive(me)}
        path.write_bytes(made.get(me.twin, content))
        if me.twin == "endless":
            os.truncate(path, 1 << 40)
        path.chmod(0 if me.twin == "mode 0" else 0o644)


def _hostile_archive(me: Attacker) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in (f"../../../../../..{me.victim}/written", f"{me.victim}/written", "hello-2.0/bin/hello"):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(me.payload), 0o4755
            archive.addfile(member, io.BytesIO(me.payload.encode()))
    return packed.getvalue()


def _slow_check(host: Host) -> None:
    host.options["checks"] = {"hello": ("sh", "-c", "sleep 1; hello")}
    host.environment["https_proxy"] = f"http://proxy:{host.token}@proxy.example:3128"


def _processes(me: Attacker) -> list[Path]:
    """Return the attacker's processes that run a check."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.getuid() and b"sleep 1; hello" in (process / "cmdline").read_bytes():
                found.append(process)
        except OSError:
            continue
    return found


@attack("check", stays=True, host=_slow_check)
def the_variables_of_the_check_are_read(me: Attacker) -> Callable[[], None]:
    """The check runs as the service account, which can read what root's environment holds."""

    def read() -> None:
        for process in _processes(me):
            with open(me.home / "environ", "ab") as notes:
                notes.write((process / "environ").read_bytes())

    return read


@attack("check", stays=True, host=_slow_check, twins={"held": 0, "flooded": 1 << 28})
def the_output_of_the_check_is_held(me: Attacker) -> Callable[[], None]:
    """The service account opens what the check writes to, and keeps it open, or fills it."""
    held: list[int] = []

    def hold() -> None:
        for process in _processes(me):
            held.append(os.open(process / "fd/1", os.O_WRONLY))
            for _number in range(me.twin >> 16):
                os.write(held[-1], b"\x1b" * (1 << 16))

    return hold


@attack("check", stays=True, host=_slow_check)
def the_check_is_killed(me: Attacker) -> Callable[[], None]:
    """The service account kills its own check: then the run says that it failed, and goes no further."""

    def kill() -> None:
        for process in _processes(me):
            os.kill(int(process.name), 9)

    return kill
