# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does the lab use the machine that it runs on: its commands, processes, files and network namespaces?"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


class LabError(Exception):
    """Something the user of the lab can act on."""


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    standard_input: str = "",
    is_checked: bool = True,
) -> str:
    """Run a command to its end and return what it printed; its failure says why."""
    result = subprocess.run(
        command,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        input=standard_input,
        capture_output=True,
        text=True,
    )
    if is_checked and result.returncode:
        words = [word for word in command if "\n" not in word]
        raise LabError(f"`{' '.join(words)}` failed ({result.returncode}):\n{tail(result.stderr or result.stdout)}")
    return result.stdout


def ip_batch(namespace: str, *lines: str) -> None:
    run(["ip", "-n", namespace, "-batch", "-"], standard_input="\n".join(lines) + "\n")


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one and knows nothing of its environment."""
    clean = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env={**clean, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def wait_for_port(pid: int, address: str, port: int, name: str, log: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not listens(pid, address, port):
        if time.monotonic() > deadline or not process_start(pid):
            raise LabError(f"{name} did not start; its log ends:\n{tail(log.read_text(encoding='utf-8'))}")
        time.sleep(0.02)


def listens(pid: int, address: str, port: int) -> bool:
    """Say whether anything listens at *address* in the network of process *pid*, without connecting to it."""
    local = f"{int.from_bytes(ipaddress.ip_address(address).packed, sys.byteorder):08X}:{port:04X}"
    try:
        table = Path(f"/proc/{pid}/net/tcp").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(line.split()[1] == local and line.split()[3] == "0A" for line in table.splitlines()[1:])


def process_start(pid: int) -> str:
    """Return when a process started, which with its number identifies it; "" when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def stop_namespace(namespace: str) -> None:
    """End every process in a network namespace, by its number, then the namespace."""
    if not Path("/run/netns", namespace).exists():
        return
    deadline = time.monotonic() + 10
    while pids := [pid for pid in processes(namespace) if pid != os.getpid()]:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"processes {pids} in namespace {namespace} do not end")
        time.sleep(0.02)
    run(["ip", "netns", "delete", namespace], is_checked=False)
    Path("/run/netns", namespace).unlink(missing_ok=True)  # all there is of one whose making was cut short


def processes(namespace: str) -> list[int]:
    return [int(pid) for pid in run(["ip", "netns", "pids", namespace], is_checked=False).split()]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_tree(tree: Path) -> None:
    if not tree.exists():
        return
    try:
        shutil.rmtree(tree)
    except PermissionError:  # a test made files immutable
        run(["chattr", "-R", "-f", "-ia", str(tree)], is_checked=False)
        shutil.rmtree(tree)


def tail(text: str, lines: int = 20) -> str:
    return "\n".join(text.splitlines()[-lines:]) or "(nothing)"


def say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)
