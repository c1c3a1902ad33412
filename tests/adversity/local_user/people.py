# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does something run as another user of this machine? In a child process that gives up root before it begins."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn


@dataclass(frozen=True)
class Account:
    """Whom a process runs as; *groups* are those beside the primary one."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


ROOT = Account(0, 0)
#: Numbers that no account of the machine has: a user needs no line in a file to have a number.
SHARED_GROUP = 54400
MALLORY = Account(54321, 54321, (SHARED_GROUP,))
#: A user who runs the collection without being root.
RUNNER = Account(54323, 54323)


class CannotBeTriedError(Exception):
    """This machine lacks what an attack takes; the text says what."""


def run_command(package: str, *command: str) -> None:
    """Run *command* of a *package* that a machine may lack. Raises CannotBeTriedError."""
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        raise CannotBeTriedError(f"{command[0]} is not installed: apt-get install {package}") from None
    except subprocess.CalledProcessError as error:
        raise CannotBeTriedError(f"not on this machine: {error.stderr.decode().strip()}") from None


def as_user(account: Account, function: Callable[[], Any], timeout_s: float) -> Any:
    """Return what *function* returns in a child that runs as *account*; raise what it raises there.

    Raises TimeoutError when the child has not ended after *timeout_s*; then it is gone, with all it started.
    """
    reading, child = _fork(account, function)
    try:
        ready, _writing, _failed = select.select([reading], [], [], timeout_s)
        answer = _read_all(reading, time.monotonic() + timeout_s) if ready else b""
    finally:
        os.close(reading)
        end(child)
    if not answer:
        raise TimeoutError(f"no end after {timeout_s} seconds")
    is_returned, value = pickle.loads(answer)
    if is_returned:
        return value
    raise value


@contextlib.contextmanager
def staying(account: Account, function: Callable[[], Callable[[], None] | None]) -> Iterator[None]:
    """Run *function* as *account*, and keep its process until the end: it holds what it opened.

    What *function* returns is called again and again meanwhile.
    """
    ready, is_ready = os.pipe()

    def stay() -> None:
        again = function()
        os.write(is_ready, b"x")
        while True:
            if again is None:
                signal.pause()
            else:
                with contextlib.suppress(OSError):
                    again()

    reading, child = _fork(account, stay)
    try:
        os.close(is_ready)
        if not os.read(ready, 1):
            _is_returned, error = pickle.loads(_read_all(reading, time.monotonic() + 5))
            raise error
        yield
    finally:
        os.close(ready)
        os.close(reading)
        end(child)


def end(child: int) -> None:
    """End *child*, the leader of a session of its own, and whatever it started; wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)


def _fork(account: Account, function: Callable[[], Any]) -> tuple[int, int]:
    """Return the end of a pipe that the outcome is read from, and the child's number."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _run_child(account, function, writing)
    os.close(writing)
    return reading, child


def _run_child(account: Account, function: Callable[[], Any], writing: int) -> NoReturn:
    try:
        os.setsid()
        become(account)
        outcome = (True, function())
    except BaseException as error:
        outcome = (False, _portable(error))
    with contextlib.suppress(BaseException), os.fdopen(writing, "wb") as pipe:
        pickle.dump(outcome, pipe)
    os._exit(0)


def become(account: Account) -> None:
    """Give up all other rights of this process, for good."""
    os.setgroups(account.groups)
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    os.umask(0o022)


def _portable(error: BaseException) -> BaseException:
    """Return *error*, or its text where another process could not read it."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


def _read_all(reading: int, deadline_s: float) -> bytes:
    content = b""
    while time.monotonic() < deadline_s:
        if not select.select([reading], [], [], 0.1)[0]:
            continue
        block = os.read(reading, 1 << 16)
        if not block:
            return content
        content += block
    return b""
