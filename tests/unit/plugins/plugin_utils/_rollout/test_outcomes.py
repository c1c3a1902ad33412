# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of many hosts is told in few lines, and nothing that failed is left out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.pinned.release.plugins.filter.outcomes import FilterModule
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.outcomes import lines

outcomes = FilterModule().filters()["outcomes"]
PINNED = {"notes": [], "summary": "as pinned"}


def changed(*notes: str) -> dict[str, Any]:
    return {"notes": list(notes), "summary": "changed: uv"}


def test_hosts_with_the_same_outcome_share_a_line() -> None:
    results = [(f"h{number}", changed("uv: upgrade 0.9.8 → 0.9.9")) for number in range(5)]
    results += [("a", PINNED), ("b", PINNED)]
    assert lines(results) == ["5 hosts: uv: upgrade 0.9.8 → 0.9.9", "a, b: as pinned"]


def test_each_tool_has_a_line_of_its_own() -> None:
    results = [("a", changed("jq: install 1.7", "uv: install 0.9")), ("b", changed("uv: install 0.9"))]
    assert lines(results) == ["a, b: uv: install 0.9", "a: jq: install 1.7"]


def test_up_to_three_hosts_are_named() -> None:
    assert lines((host, PINNED) for host in "abc") == ["a, b, c: as pinned"]
    assert lines((host, PINNED) for host in "abcd") == ["4 hosts: as pinned"]


def test_what_failed_is_told_last_by_what_went_wrong() -> None:
    error = {"what": "cannot download uv.whl", "fix": "try again"}
    results = [
        ("a", {"failed": True, "msg": "a: cannot download uv.whl\n  to fix: try again", "error": error}),
        ("b", {"failed": True, "msg": "b: cannot download uv.whl\n  to fix: try again", "error": error}),
        ("c", {"failed": True, "msg": "Timeout"}),
        ("d", {"unreachable": True, "msg": "no route", "changed": False}),
        ("e", None),
        ("f", {"skipped": True, "changed": False}),
        ("g", PINNED),
    ]
    assert lines(results) == [
        "g: as pinned",
        "f: the task was skipped",
        "e: the task was not run",
        "a, b: failed: cannot download uv.whl",
        "c: failed: Timeout",
        "d: unreachable",
    ]


def test_strays_of_a_host_that_is_as_pinned_are_told() -> None:
    told = "as pinned; also here but not pinned: just 1.59.0 (exact: true removes it)"
    assert lines([("a", {"notes": [], "summary": told})]) == [f"a: {told}"]


def test_the_filter_reads_the_variable_that_is_named() -> None:
    hostvars = {"a": {"installed": PINNED}, "b": {"tools_result": PINNED}}
    assert outcomes(["a", "b"], hostvars, "installed") == ["a: as pinned", "b: the task was not run"]
    assert outcomes(["b"], hostvars) == ["b: as pinned"]


@pytest.mark.parametrize("arguments", [("a", {}), ({"a": 1}, {}), (5, {}), (["a"], "a")])
def test_what_are_no_hosts_is_an_error_of_the_filter(arguments: tuple[Any, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="ansible_play_hosts_all"):
        outcomes(*arguments)
