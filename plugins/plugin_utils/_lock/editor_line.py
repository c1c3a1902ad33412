# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which line does a manifest tell an editor how it is written? Looks at the disk; runs on the controller.

The line is that of yaml-language-server, which many editors use: a schema by its path from the manifest. A manifest is
committed, so the path must be the same in every clone: the line is there only if both are in one project, and the
schema is in no hidden folder of it. Some have their whole HOME in git; no clone brings its ``.ansible``.
"""

from __future__ import annotations

import os
from pathlib import Path

_SCHEMA = Path(__file__).resolve().parents[3] / "docs/schema/releases.schema.json"


def editor_line(manifest: Path, schema: Path = _SCHEMA) -> str:
    """Return the line, with its end, that names *schema* in the file *manifest*; "" if it is in no project with it."""
    folder = manifest.parent.resolve()
    project = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)
    if project not in schema.parents or not schema.is_file():
        return ""
    if any(step.startswith(".") for step in schema.relative_to(project).parts):
        return ""
    return f"# yaml-language-server: $schema={Path(os.path.relpath(schema, folder)).as_posix()}\n"
