# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No listing, sums file or archive escapes, ends in a foreign exception, or takes more memory than is promised.

The quick part of tests/bench/hostile_publisher.py, which ``make bench`` runs in full and whose table is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests import bench

BENCH = Path(next(iter(bench.__path__))) / "hostile_publisher.py"
KINDS = ("listing", "sums", "archive", "damaged")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_publisher_gets_no_further_than_a_clear_error(kind: str) -> None:
    # A process of its own starts small: what pytest holds would count as memory of every case.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(BENCH.parents[5]), *sys.path])}
    command = [sys.executable, str(BENCH), "--quick", "--only", f"{kind} "]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(ended.stdout)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "kept" in ended.stdout
