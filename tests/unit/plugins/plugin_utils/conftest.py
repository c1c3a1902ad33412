# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several of these tests are given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents, look_into
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import members


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Contents]:
    """Return what writes an archive of files, or the bytes of one, into the test's folder, and looks into it."""

    def look_at(
        files: Mapping[str, bytes | made.Made] | bytes, name: str = "tool-1.0.tar.gz", tool: str = "tool"
    ) -> Contents:
        archive_format = format_of(name)
        content = files if isinstance(files, bytes) else made.archive(archive_format, *members(files))
        (tmp_path / name).write_bytes(content)
        return look_into(tmp_path / name, archive_format, tool)

    return look_at


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record how long a session would have waited, and do not wait."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited
