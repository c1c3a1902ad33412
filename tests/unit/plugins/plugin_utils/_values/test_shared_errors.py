# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that several tools have in common are told once, with the tools that have them."""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.shared_errors import MOST_SHOWN, together


def test_what_several_tools_have_in_common_is_said_once() -> None:
    one, other = (
        ReleaseError(f"the controller cannot resolve the name {host}", None, "no answer", f"getent hosts {host}")
        for host in ("one.example", "other.example")
    )
    shared = [one.about("uv"), one.about("ruff")]
    assert together(shared, "2 tools cannot be locked").splitlines() == [
        "2 tools cannot be locked: uv, ruff: the controller cannot resolve the name one.example",
        "  found: no answer",
        "  to fix: getent hosts one.example",
    ]
    unlike = ReleaseError("jq 1.0 has no program for linux/s390x")
    assert together([*shared, other.about("just"), unlike], "4 tools cannot be locked").splitlines() == [
        "4 tools cannot be locked:",
        "uv, ruff: the controller cannot resolve the name one.example",
        "  found: no answer",
        "  to fix: getent hosts one.example",
        "just: the controller cannot resolve the name other.example",
        "  found: no answer",
        "  to fix: getent hosts other.example",
        "jq 1.0 has no program for linux/s390x",
    ]


def test_tool_is_named_once_for_all_of_its_assets() -> None:
    full = ReleaseError("no space is left")
    assert together([full.about("uv"), full.about("uv"), full.about("jq")], "3 assets cannot be had") == (
        "3 assets cannot be had: uv, jq: no space is left"
    )


def test_of_many_reasons_the_first_are_shown() -> None:
    lines = together([ReleaseError(f"reason {number}") for number in range(MOST_SHOWN + 2)], "All").splitlines()
    assert lines[0] == "All:"
    assert lines[-2:] == [f"reason {MOST_SHOWN - 1}", "and 2 more"]
