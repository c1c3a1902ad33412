# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lock file was a fleet compared with? From the file, and from a report or statement; runs on the controller."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock
from ansible_collections.pinned.release.plugins.plugin_utils._audit.git_commit import commit_of
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place


def of_file(path: Path, text: str) -> ComparedLock:
    """Return what a report says of the lock file at *path*, which has the *text*."""
    content = text.encode()
    return ComparedLock(path.name, hashlib.sha256(content).hexdigest(), commit_of(path, content))


def read(place: Place) -> ComparedLock:
    """Return what a report or a statement says of a lock file. Raises MisfitError for anything else."""
    fields = place.fields("name sha256", "commit")
    commit = fields["commit"].text(forms.HEXADECIMAL) if "commit" in fields else ""
    return ComparedLock(fields["name"].text(), fields["sha256"].text(forms.SHA256), commit)
