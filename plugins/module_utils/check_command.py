# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the command succeed by which the user checks a new version? Runs on hosts, with the rights of whom it is for.

What it starts may be steered by whoever owns its settings: it gets no terminal, no more time and memory than is given,
and, where it runs as another account, nothing of our environment. It must leave the tree as it was verified.
"""

import contextlib
import errno
import hashlib
import os
import select
import shlex
import signal
import subprocess
import time
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.accounts import Account
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import ToolOrder

TIMEOUT_S = 120
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_MAX_SHOWN_BYTES = 2000
_POLL_S = 0.05
_LANGUAGE = ("LANG", "LANGUAGE", "LC_")


def check(order: ToolOrder, tree: str, account: t.Optional[Account]) -> None:
    """Run *order*'s check, if it has one, with the programs of *tree* first in PATH, as *account*.

    Raises ReleaseError when it cannot be started, fails, does not end, or changes the tree.
    """
    if not order.check:
        return
    programs = os.path.join(tree, "bin")
    program = os.path.join(programs, order.check[0])
    is_own = os.path.lexists(program)
    command = [program if is_own else order.check[0], *order.check[1:]]
    before = _fingerprint(tree)
    try:
        status, output = _run(command, tree, _environment(programs, account), account)
    except (OSError, subprocess.SubprocessError) as error:
        raise _not_started(order, is_own, error, account)
    if status is None:
        raise ReleaseError(
            "{0}: its check did not end: {1}".format(order.tool, _as_written(order)),
            expected="an end within {0} seconds".format(TIMEOUT_S),
            fix="choose a check that ends by itself, such as --version",
        )
    if status != 0:
        raise ReleaseError(
            "{0}: its check failed: {1}".format(order.tool, _as_written(order)),
            expected="exit status 0",
            found="exit status {0}: {1}".format(status, output[-500:] or "it printed nothing"),
            fix="nothing was activated; run the command by hand on the host to see why",
        )
    if _fingerprint(tree) != before:
        raise ReleaseError(
            "{0}: its check changed what was just verified: {1}".format(order.tool, _as_written(order)),
            expected="a command that writes nothing into {0}".format(tree),
            fix="nothing was activated; choose another check, or name in owner the account that it shall run as",
        )


def _as_written(order: ToolOrder) -> str:
    """Return the command of the check as a shell takes it, for who runs it by hand."""
    return " ".join(map(shlex.quote, order.check))


def _environment(programs: str, account: t.Optional[Account]) -> t.Dict[str, str]:
    path = programs + os.pathsep + PATH
    if account is None:
        return dict(os.environ, PATH=path)
    language = {name: value for name, value in os.environ.items() if name.startswith(_LANGUAGE)}
    return dict(language, PATH=path, HOME=account.home, USER=account.name, LOGNAME=account.name)


def _run(
    command: t.List[str], folder: str, environment: t.Dict[str, str], account: t.Optional[Account]
) -> t.Tuple[t.Optional[int], str]:
    """Return the exit status, None if it did not end in time, and the end of what it printed."""

    def become() -> None:
        """Run in the child, between fork and exec: give up root's groups first, which only root can, the user last."""
        if account:
            os.setgroups(account.groups)
            os.setgid(account.gid)
            os.setuid(account.uid)

    process = subprocess.Popen(  # pylint: disable=ansible-bad-function,subprocess-popen-preexec-fn
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # No terminal of ours, into which it could type.
        start_new_session=True,
        preexec_fn=become,
    )
    with process:
        output = _follow(process)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            return None, output
        return process.returncode, output


def _follow(process: t.Any) -> str:
    """Read until *process* ends, or its time is over. What it leaves behind may hold its output open for ever."""
    deadline_s = time.monotonic() + TIMEOUT_S
    descriptor = process.stdout.fileno()
    output = b""
    while time.monotonic() < deadline_s:
        has_ended = process.poll() is not None
        if select.select([descriptor], [], [], 0 if has_ended else _POLL_S)[0]:
            data = os.read(descriptor, 65536)
            output = (output + data)[-_MAX_SHOWN_BYTES:]
            if not data:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline_s - time.monotonic()))
                break
        if has_ended:
            break
    return output.decode("utf-8", "replace").strip()


def _not_started(order: ToolOrder, is_own: bool, error: Exception, account: t.Optional[Account]) -> ReleaseError:
    number = getattr(error, "errno", None) or 0
    fix = "if the root is mounted noexec, choose another"
    if account:
        fix = "let {0} reach the root, and start what its group and mode let it start".format(account.name)
    if number == errno.ENOENT and not is_own:
        own = ", ".join(sorted(order.programs))
        fix = "begin it with a program of {0} ({1}), or with one in {2}".format(order.tool, own, PATH)
    return ReleaseError(
        "{0}: its check could not be started: {1}".format(order.tool, _as_written(order)),
        expected="a program that {0} starts on this host".format(account.name) if account else "a program that starts",
        found=os.strerror(number) if number else str(error),
        fix=fix,
    )


def _fingerprint(tree: str) -> bytes:
    """Return what changes whenever anything in *tree* does, without a look into files: ctime cannot be set back."""
    seen = hashlib.sha256()
    for folder, folders, files, inside in os.fwalk(tree):
        folders.sort()
        for name in [".", *folders, *sorted(files)]:
            found = os.stat(name, dir_fd=inside, follow_symlinks=False)
            told = (folder, name, found.st_ino, found.st_mode, found.st_uid, found.st_gid)
            seen.update(ascii((*told, found.st_size, found.st_mtime_ns, found.st_ctime_ns)).encode("ascii"))
    return seen.digest()
