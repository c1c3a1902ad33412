# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory that is not there is named, with the file beside it that was meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._playbook import inventories


def test_a_missing_inventory_is_named_with_the_file_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "inventory.ini").touch()
    for given in ("inventry.ini", "inventory"):
        told = f"there is no {tmp_path / given}; did you mean inventory.ini?"
        with pytest.raises(ReleaseError, match=re.escape(told)):
            inventories.refuse_missing([str(tmp_path / "inventory.ini"), str(tmp_path / given)])


def test_what_is_there_or_no_path_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "empty.ini").touch()
    inventories.refuse_missing([str(tmp_path / "empty.ini"), str(tmp_path), "web1,web2,", inventories.DEFAULT])
