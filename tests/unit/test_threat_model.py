# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The threat model names the test that shows each claim."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "docs/threat-model.md").read_text()


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(tests/\S+\.py)`", MODEL))
    assert len(named) > 10
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_kind_of_attacker_is_met_by_a_test() -> None:
    rows = [row for row in MODEL.splitlines() if row.startswith("| **")]
    assert len(rows) >= 8
    assert [row for row in rows if "`tests/" not in row and "as above" not in row] == []


def test_every_fault_is_met_by_tests_that_are_there() -> None:
    rows = [row for row in MODEL.split("## Faults")[1].split("##")[0].splitlines() if row.startswith("| ")][2:]
    assert len(rows) >= 9
    assert [row for row in rows if "`test" not in row] == []
    told = set(re.findall(r"`(test_\w+)`", MODEL))
    tested = set(re.findall(r"^def (test_\w+)", (ROOT / "tests/adversity/test_delivery_faults.py").read_text(), re.M))
    assert told == tested
