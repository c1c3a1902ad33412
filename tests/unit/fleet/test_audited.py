# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is every kind of fault planted on real hosts, and is all that a report tells compared with what was planted?"""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import HostStatus, ToolStatus
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FINDING_KINDS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fleet" / "filter_plugins"))

import audited

TABLE = yaml.safe_load(Path(audited.__file__).parents[1].joinpath("faults.yml").read_text(encoding="utf-8"))
#: Where one of these is pinned, no host of the fleet could be as pinned.
NOT_PLANTED = {"refused"}
KINDS = {f"{kind}-{number}".removesuffix("-1"): kind for kind in ("a-b", "c") for number in (1, 2, 3, 4)}
WRONG = {"unreachable": {"host": "a-b-4"}, "broken": {"host": "c-4", "status": "differs", "each_tool": ["drifted"]}}
FAULTS = {"lost": {"told": ["drifted", "missing README"]}, "stranger": {"told": ["unpinned"]}}
REPORT: dict[str, t.Any] = {
    "hosts": {
        "sound": {"status": "as_pinned", "tools": {"uv": {"status": "as_pinned"}}},
        "bad": {
            "status": "differs",
            "findings": [{"kind": "added", "path": "/opt/more"}],
            "tools": {
                "uv": {
                    "status": "drifted",
                    "findings": [
                        {"kind": "changed", "path": "1.0-0123456789ab/libexec/uv"},
                        {"kind": "unverified"},
                        {"kind": "unverified"},
                    ],
                },
                "odd": {"status": "as_pinned", "findings": [{"kind": "acl", "path": "bin/odd"}]},
                "gone": {"status": "missing"},
            },
        },
    }
}


def planted_words() -> set[str]:
    told = [fault["told"] for name, fault in TABLE["faults"].items() if name != "forged"]
    told += [TABLE["forgery_told"], *(host.get("each_tool", []) for host in TABLE["wrong_hosts"].values())]
    return {line.split()[0] for lines in told for line in lines}


@pytest.mark.parametrize("kind", [kind for kind in FINDING_KINDS if kind not in NOT_PLANTED])
def test_every_kind_of_finding_is_planted(kind: str) -> None:
    assert kind in planted_words()


@pytest.mark.parametrize("status", [status for status in t.get_args(ToolStatus) if status not in NOT_PLANTED])
def test_every_status_of_a_tool_is_planted(status: str) -> None:
    assert status == "as_pinned" or status in planted_words()


@pytest.mark.parametrize("status", t.get_args(HostStatus))
def test_every_status_of_a_host_is_planted(status: str) -> None:
    assert status in {"as_pinned", "differs"} or status in TABLE["wrong_hosts"]


def test_all_that_a_report_tells_is_a_line_as_often_as_it_is_told() -> None:
    assert audited.told(REPORT) == [
        "bad added /opt/more",
        "bad differs",
        "bad gone missing",
        "bad odd acl bin/odd",
        "bad uv changed 1.0/libexec/uv",
        "bad uv drifted",
        "bad uv unverified",
        "bad uv unverified",
        "sound as_pinned",
    ]


def test_what_is_planted_on_each_host_is_expected_of_it_in_the_same_words() -> None:
    planted = audited.planted(KINDS, FAULTS, ["deviates", "listing listing"], WRONG)
    of_userland = [
        "{} as_pinned",
        "{}-2 added /opt/pinned.release/store/more",
        "{}-2 differs",
        "{}-2 lost drifted",
        "{}-2 lost missing README",
        "{}-2 stranger unpinned",
        "{}-3 caddy deviates",
        "{}-3 caddy listing listing",
        "{}-3 differs",
    ]
    expected = [line.format(kind) for kind in ("a-b", "c") for line in of_userland]
    assert planted == sorted([*expected, "a-b-4 unreachable", "c-4 caddy drifted", "c-4 differs", "c-4 lost drifted"])


def test_lines_are_taken_away_as_often_as_they_are_there() -> None:
    assert audited.without(["a", "a", "b"], ["a", "c"]) == ["a", "b"]
