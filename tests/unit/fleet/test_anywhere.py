# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the page of connections and shells say what came of each combination, and is nothing wrong overlooked?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fleet/filter_plugins"))

import anywhere

FINE = {"shown": {"connection": "ssh", "shell": "login bash", "become": "sudo", "way": "stdin"}, "failed": ""}
TTY = {"connection": "ssh", "shell": "requiretty", "become": "sudo", "way": "stdin"}


def test_each_combination_has_a_name_of_its_own() -> None:
    found = anywhere.combinations({"chroot": {"ansible_host": "/x"}}, "/work")
    names = [combination["name"] for combination in found]
    assert len(names) == len(set(names))
    assert "chroot-sh-su-file" in names


def test_only_where_pipelining_is_prevented_su_and_doas_go_by_file() -> None:
    ways = {(one["variables"]["shown"]["become"], one["variables"]["shown"]["way"]) for one in anywhere.by_ssh()}
    assert {way for become, way in ways if become in ("su", "doas")} == {"file"}
    assert {way for become, way in ways if become == "sudo"} == {"stdin", "file"}


def test_a_row_has_every_way_in_the_column_of_who_one_becomes() -> None:
    by_file = {"shown": {**FINE["shown"], "way": "file"}, "failed": "no"}  # type: ignore[dict-item]
    page = anywhere.document([FINE, by_file])
    assert "| ssh | login bash | - | stdin, file refused | - | - | - |\n" in page


@pytest.mark.parametrize(
    ("outcome", "finding"),
    [
        (FINE, None),
        ({**FINE, "failed": "Install: boom"}, "ssh, login bash, sudo, stdin: Install: boom"),
        ({"shown": TTY, "failed": "…: its sudo wants a terminal (requiretty)"}, None),
        ({"shown": TTY, "failed": "Install: boom"}, "ssh, requiretty, sudo, stdin: Install: boom"),
        ({"shown": TTY, "failed": ""}, "ssh, requiretty, sudo, stdin: worked"),
        ({}, "1 combinations have no outcome"),
    ],
)
def test_what_fails_is_a_finding_and_so_is_what_must_be_refused_and_is_not(
    outcome: dict[str, object], finding: str | None
) -> None:
    assert anywhere.findings([outcome]) == ([finding] if finding else [])
