# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report tells of all hosts of the inventory, unless some are named; registered.py says what a result is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.action import report
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History


def test_all_hosts_of_the_inventory_are_told_of_unless_some_are_named() -> None:
    variables = {"groups": {"all": ["a", "b"], "web": ["a"]}}
    assert report._names(None, variables) == ["a", "b"]
    assert report._names(["a"], variables) == ["a"]
    with pytest.raises(ReleaseError, match="the inventory has no x"):
        report._names(["a", "x"], variables)
    with pytest.raises(ReleaseError, match="not a line of text"):
        report._names(None, {"groups": {"all": ["a", "b\n"]}})


def test_a_report_that_the_log_does_not_have_as_it_is_is_not_replaced_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert report._doubts(path, History()) == []
    path.write_bytes(b"{}")
    past = History(reports=frozenset([hashlib.sha256(b"{}").hexdigest()]))
    assert report._doubts(path, past) == []
    path.write_bytes(b"{ }")
    (told,) = report._doubts(path, past)
    assert told.startswith(f"the log has no entry about {path} as it is")
    assert report._doubts(path, History()) == [told]
