# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other users of this machine for tests: real user ids, in a process of their own. Only root can be them."""

import concurrent.futures
import os
import pickle
import typing as t

import pytest

# The modules that Python loads late are loaded now: other users may have no right to read where this Python lies.
concurrent.futures.ThreadPoolExecutor(1).shutdown()

#: Users without an account.
ALICE, MALLORY = 24001, 24002

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


def as_user(uid: int, function: t.Callable[[], t.Any]) -> t.Any:
    """Return what *function* returns, or raise what it raises, when the user *uid* calls it. Nothing else changes."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            answer = (function(), None)  # type: t.Tuple[t.Any, t.Optional[Exception]]
        except Exception as raised:
            answer = (None, raised)
        with os.fdopen(write, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        returned, error = pickle.load(pipe)
    os.waitpid(child, 0)
    if error is not None:
        raise error
    return returned
