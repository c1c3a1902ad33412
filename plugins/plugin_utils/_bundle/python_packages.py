# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python packages does a controller need, and how do their wheels come here? By pip; runs on the controller.

pip asks the index that this machine is configured for. What it fetches fits this controller: its Python, its system.
No address is kept: a file of requirements names packages only.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from ansible.release import __version__ as ansible_version
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._bundle.collection_archive import ROOT
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import shown

_REQUIREMENTS = "requirements.txt"
_WHEEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*\.whl\Z")
_TIMEOUT_S = 1800
_LEAVE_OUT = "or leave the Python packages out with controller: false"


def requirements(root: Path = ROOT) -> str:
    """Return the requirements of a controller like this one. Raises ReleaseError if the collection lacks them."""
    try:
        needed = (root / _REQUIREMENTS).read_text(encoding="utf-8")
    except OSError as error:
        raise ReleaseError(
            f"cannot read {root / _REQUIREMENTS}",
            found=error.strerror,
            fix=f"install the collection again, {_LEAVE_OUT}",
        ) from error
    about = "# The wheels beside this file are for {} on {}.".format(*made_for())
    return f"{about}\nansible-core=={ansible_version}\n{needed}"


def made_for() -> tuple[str, str]:
    """Return the command of the Python that the wheels are for, with its version, and the system."""
    command = "python" if sys.implementation.name == "cpython" else sys.implementation.name
    return f"{command}{sys.version_info.major}.{sys.version_info.minor}", sysconfig.get_platform()


def download(wanted: str, folder: Path) -> tuple[Path, ...]:
    """Return the wheels of the requirements that are *wanted*, which pip puts into the empty *folder*.

    Raises ReleaseError if pip cannot have them all.
    """
    file, wheels = folder / _REQUIREMENTS, folder / "wheels"
    file.write_text(wanted, encoding="utf-8")
    wheels.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--dest", str(wheels), "--requirement", str(file)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed(str(error)) from error
    if done.returncode != 0:
        raise _failed(done.stderr)
    found = tuple(sorted(wheels.iterdir()))
    others = [path.name for path in found if not _WHEEL.match(path.name)]
    if others:
        raise _failed(f"it fetched {others[0]}")
    return found


def _failed(said: str) -> ReleaseError:
    lines = [line for line in said.splitlines() if line.strip()]
    return ReleaseError(
        "pip cannot download the Python packages that a controller needs",
        found=shown((lines or ["nothing"])[-1], 300),
        fix=f"let `{Path(sys.executable).name} -m pip download` have them, with pip's own configuration, {_LEAVE_OUT}",
    )
