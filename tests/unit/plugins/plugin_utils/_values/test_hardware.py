# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers with dots are compared as numbers, and a processor level counts only when all below it are complete."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    FPUS,
    X86_64_LEVELS,
    dotted_numbers,
    fpu_level,
    x86_64_level,
)

V2, V3, V4 = (added for _level, added in X86_64_LEVELS)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2.28", (2, 28)),
        ("14.0", (14,)),
        ("11.0.0", (11,)),
        ("0.1", (0, 1)),
        ("2.0.5", (2, 0, 5)),
        ("6.1.0-18-amd64", (6, 1)),
        ("2.36-9+deb12u9", (2, 36)),
        ("2.17.", (2, 17)),
        ("0", ()),
        ("rolling", ()),
        ("", ()),
    ],
)
def test_what_is_no_number_ends_the_numbers_and_zeros_at_their_end_do_not_count(
    text: str, numbers: tuple[int, ...]
) -> None:
    assert dotted_numbers(text) == numbers


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        (set(), "x86-64-v1"),
        ({"fpu", "sse2"}, "x86-64-v1"),
        (V2, "x86-64-v2"),
        (V2 - {"cx16"}, "x86-64-v1"),
        (V2 | V3 | {"hypervisor"}, "x86-64-v3"),
        (V3, "x86-64-v1"),
        (V2 | V3 - {"movbe"} | V4, "x86-64-v2"),
        (V2 | V3 | V4, "x86-64-v4"),
    ],
)
def test_a_level_counts_only_when_all_below_it_are_complete(flags: set[str], level: str) -> None:
    assert x86_64_level(flags) == level


def test_each_kind_of_floating_point_includes_those_before_it() -> None:
    assert [fpu_level(fpu) for fpu in FPUS] == [0, 1, 2, 3]
    assert fpu_level(None) == fpu_level("vfpv9") == fpu_level("none")
