# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Git commit has a file as it is? Asked without running what its repository says; runs on the controller.

A repository's own configuration names programs: monitors, hooks, filters, signature checkers, transports. Only three
plumbing commands are run that read objects, with all of these turned off. The file is hashed here, as Git would without
filters.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

#: A repository on a slow network disk must not hold up a report.
TIMEOUT_S = 20
_OFF = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.pager": "cat",
    "core.sshCommand": "false",
    "core.alternateRefsCommand": "false",
    "log.showSignature": "false",
    "protocol.allow": "never",
}
_DIGESTS = {40: hashlib.sha1, 64: hashlib.sha256}


def commit_of(path: Path, content: bytes) -> str:
    """Return the last commit that changed the file at *path*, if its *content* is that of HEAD.

    "" for a file that was changed since, or that is in no repository, and where there is no Git, or Git refuses, as it
    does for the repository of another user (see safe.directory in git-config(1)).
    """
    folder, name = path.resolve().parent, path.resolve().name
    blob = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"HEAD:./{name}")
    digest = _DIGESTS.get(len(blob))
    if digest is None or blob != digest(b"blob %d\0" % len(content) + content).hexdigest():
        return ""
    commit = _git(folder, "rev-list", "--max-count=1", "HEAD", "--", f":(literal){name}")
    return commit if len(commit) in _DIGESTS and set(commit) <= set("0123456789abcdef") else ""


def _git(folder: Path, *words: str) -> str:
    """Return what Git says in *folder*, "" where it fails."""
    program = shutil.which("git")
    if program is None:
        return ""
    off = [word for key, value in _OFF.items() for word in ("-c", f"{key}={value}")]
    # What the environment says of a repository is about another one: of a hook that runs the playbook, for example.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(
            [program, "--no-pager", *off, *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""
