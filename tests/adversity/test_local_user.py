# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who is not root acts before, between and amid the steps of a run: they change nothing else, gain nothing,
stop nobody, and nobody is told "as pinned" of what is not.

Each attack is tried by one of the roles that can do it, each stop at one system call; ``PINNED_RELEASE_ATTACKS=all``
tries all of them.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

import pytest
from ansible_collections.pinned.release.tests.adversity.local_user import trial
from ansible_collections.pinned.release.tests.adversity.local_user.people import CannotBeTriedError

TRIALS = list(trial.every() if os.environ.get("PINNED_RELEASE_ATTACKS") == "all" else trial.sample())


@pytest.mark.parametrize("attempt", TRIALS, ids=lambda attempt: attempt.name.replace(" ", "-"))
def test_a_local_user_achieves_nothing(attempt: trial.Trial, record_property: Callable[[str, object], None]) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can act as other users, and only Linux has all that is tried")
    if attempt.attack.moment in ("ask", "obey") and shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    try:
        verdict = trial.carry_out(attempt)
    except CannotBeTriedError as reason:
        pytest.skip(str(reason))
    record_property("attack", "hole" if verdict.holes else verdict.end)
    if verdict.holes:
        pytest.fail("\n".join([str(attempt.attack.act.__doc__), *verdict.holes[:8]]), pytrace=False)
