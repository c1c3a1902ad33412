# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever locks a manifest gets the same bytes: with any Python, locale, time zone and umask, and in any order.

The gates run this on every supported Python, with the oldest and the newest ansible-core, so what is written down here
is what all of them make.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import every_publisher

#: Of the lock file and of the folder of evidence. A change of the lock file's format, or of what is published in
#: every_publisher.py, changes them. Nothing else may: users would see a diff that nobody asked for.
LOCK = "5a96d3cde087eec8eea1c28ae7c60136e1830b305c4b790f91cbcb6bd22b5dd1"
EVIDENCE = "1748d5190418be370836a76663c21d0a212aedd984ea67b15584f89c49311741"
CONTROLLERS = {
    "plain": {},
    "without UTF-8": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "in Nepal": {"TZ": "NPT-5:45", "PYTHONHASHSEED": "1"},
    "optimized": {"PYTHONOPTIMIZE": "1", "PYTHONHASHSEED": "2", "LC_ALL": "tr_TR.UTF-8"},
}


def locked(folder: Path, umask: int, order: str, **environment: str) -> list[str]:
    """Return the digests of three locks, the first and the last without a cache, that are made in a new process."""
    importable = [str(Path(every_publisher.__file__).parents[7]), *sys.path]
    of_all = {"PATH": os.environ["PATH"], "HOME": str(folder), "NETRC": "/dev/null"}
    made = subprocess.run(
        [sys.executable, "-m", every_publisher.__name__, str(folder), order],
        env={**of_all, "PYTHONPATH": os.pathsep.join(importable), **environment},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()


@pytest.mark.parametrize("name", CONTROLLERS)
def test_every_controller_makes_the_same_bytes_with_and_without_a_cache(tmp_path: Path, name: str) -> None:
    umask = 0o077 if "PYTHONHASHSEED" in CONTROLLERS[name] else 0o022
    assert locked(tmp_path, umask, order=name, **CONTROLLERS[name]) == [f"{LOCK} {EVIDENCE}"] * 3
