# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A JSON text says the same to everyone, or is refused."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("[]", []),
        ('{"a": {"b": 1}, "b": [2.5, true]}', {"a": {"b": 1}, "b": [2.5, True]}),
        (' "x" ', "x"),
    ],
)
def test_json_is_read(text: str, value: object) -> None:
    assert read_json(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty file"),
        (" \n", "an empty file"),
        ("{\n  x", "in line 2, column 3"),
        ("[1] 2", "Extra data in line 1, column 5"),
        ("[NaN]", "NaN is no number"),
        ("-Infinity", "-Infinity is no number"),
        ('{"a": 1, "b": 2, "b": 3}', 'the key "b" stands 2 times in one object'),
        ('[{"x": {"a": 1, "a": 1, "a": 1}}]', 'the key "a" stands 3 times in one object'),
        ("[" * 200_000, "lists in lists in lists, without end"),
    ],
    ids=["empty", "blank", "syntax", "more", "NaN", "Infinity", "key", "inner key", "endless"],
)
def test_everything_else_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        read_json(text)
    assert reason in str(caught.value)
