# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests of locking are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import Controller, Publisher


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    (tmp_path / "published").mkdir()
    return Publisher(tmp_path / "published")


@pytest.fixture
def controller(publisher: Publisher, tmp_path: Path) -> Controller:
    return Controller(publisher, tmp_path / "cache")
