# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers say is short and steers no terminal; what an operating system refuses comes with advice."""

from __future__ import annotations

import errno

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import (
    advice,
    amount,
    folded,
    listed,
    printable,
    reading_advice,
    shortened,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(), st.integers(1, 20))
def test_a_shortened_text_is_one_short_printable_line(text: str, limit: int) -> None:
    line = shortened(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    assert line == text or not text.isprintable() or (line.endswith("…") and len(text) > limit)


def test_what_steers_a_terminal_is_replaced() -> None:
    assert printable("a\x1b[2J\nb") == "a?[2J?b"
    assert printable("a\x1b\nb", besides="\n") == "a?\nb"
    assert printable("gnu → musl") == "gnu → musl"


def test_many_words_are_counted() -> None:
    assert listed([]) == ""
    assert listed(["a", 1]) == "a, 1"
    assert listed("abcdef", 4) == "a, b, c, d and 2 more"
    assert listed("abcd", 4) == "a, b, c, d"
    assert listed(range(11)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more"


def test_a_long_line_goes_on_further_to_the_right_and_no_word_is_cut() -> None:
    assert folded("  a line", 8) == ["  a line"]
    assert folded("  to fix: /a/long/path it", 12) == ["  to fix:", "      /a/long/path", "      it"]
    assert folded("jq  a tool", 8, "    ") == ["jq  a", "    tool"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "an empty mapping"),
        (dict.fromkeys("abc"), 'a mapping of "a", "b", "c"'),
        (dict.fromkeys("abcdefgh"), 'a mapping of "a", "b", "c", "d", "e", "f", "g", "h"'),
        (dict.fromkeys("abcdefghi"), 'a mapping of "a", "b", "c", "d", "e", "f", "g", "h", …'),
        ([], "an empty list"),
        ((1, 2), "a list that begins with 1"),
        ([["a"], "b"], "a list that begins with a list"),
        ([{"a": "b"}], "a list that begins with a mapping"),
        (None, "null"),
        (True, "true"),
        ("gnu → musl", '"gnu → musl"'),
        ("a\x1b\u2028", '"a\\u001b\\u2028"'),
        ("x" * 118, f'"{"x" * 118}"'),
        ("x" * 119, f'"{"x" * 116}...'),
    ],
)
def test_a_value_is_shown_short_whatever_it_is(value: object, text: str) -> None:
    assert shown(value) == text
    assert len(text) <= 120


def test_a_text_is_cut_before_it_is_searched() -> None:
    assert shown("//" + "a" * 2_000 + "@b") == f'"//{"a" * 114}...'


def test_a_password_in_an_address_is_not_shown() -> None:
    assert shown("https://me:secret@example.org/") == '"https://…@example.org/"'


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "make room on its file system, or name another"),
        (errno.EIO, "look at its file system (dmesg), or name another"),
    ],
)
def test_a_refusal_comes_with_what_to_do(number: int, fix: str) -> None:
    assert advice(number, "name another") == fix


def test_advice_for_reading_never_tells_to_write_or_to_make_a_folder():
    for number in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EIO):
        told = reading_advice(number, "name another")
        assert told.endswith(", or name another")
        assert "write" not in told
        assert "make" not in told


@pytest.mark.parametrize(
    ("size_bytes", "told"),
    [(0, "0 kB"), (1, "1 kB"), (34_567, "35 kB"), (99_999, "100 kB"), (100_000, "0.1 MB"), (21_345_678, "21.3 MB")],
)
def test_little_is_told_in_kilobytes(size_bytes: int, told: str) -> None:
    assert amount(size_bytes) == told
