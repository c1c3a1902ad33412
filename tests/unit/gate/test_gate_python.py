# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python do the gates take? The one that the user names, or none."""

from __future__ import annotations

import subprocess
from pathlib import Path

GATES = str(Path(__file__).parents[3] / "tests/gate/run.sh")


def test_a_named_python_that_does_not_do_is_an_error_and_not_exchanged_for_another(tmp_path: Path) -> None:
    old = tmp_path / "old python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for named in (str(old), str(tmp_path / "none")):
        environment = {"PATH": "/usr/bin:/bin", "PYTHON": named}
        ended = subprocess.run([GATES, "--help"], env=environment, capture_output=True, check=False)
        assert ended.returncode == 1
        assert f"PYTHON={named} is no Python 3.10 or newer" in ended.stderr.decode()
