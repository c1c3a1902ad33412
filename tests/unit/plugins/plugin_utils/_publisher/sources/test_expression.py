# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of JMESPath: which texts are none, where the mistake is, and what a document gives."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.expression import (
    LONGEST,
    applied,
    compiled,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[].{version version}", "Expecting: colon, got: unquoted_identifier at character 13: version}"),
        ("a ? b", "Unknown token ? at character 3: ? b"),
        ("versions[?stable", "an expression that ends too early"),
        ("", "Invalid JMESPath expression: cannot be empty."),
        ("[].{a: replace(@, 'go', '')}", "replace(), which is no function of JMESPath at character 8: replace(@,"),
        ("[?type == 'replace(1)'].nope(@)", "nope(), which is no function of JMESPath at character 25"),
        ("(" * 1500, "parentheses or operators too deep in each other"),
        ("!" * LONGEST, "parentheses or operators too deep in each other"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_position_of_the_mistake(text, found):
    with pytest.raises(ReleaseError) as failure:
        compiled(text)
    assert "JMESPath" in failure.value.expected
    assert found in failure.value.found


def test_an_expression_longer_than_any_that_people_write_is_refused():
    assert compiled("a" * LONGEST)
    with pytest.raises(ReleaseError, match="too long"):
        compiled("a" * (LONGEST + 1))


def test_a_word_of_the_document_is_no_function():
    assert applied(compiled('a.{nope: nope, b: `["nope(1)"]`}'), {"a": {"nope": 1}}, "it") == {
        "nope": 1,
        "b": ["nope(1)"],
    }


@pytest.mark.parametrize(
    ("text", "document", "found"),
    [
        ("keys(@)", [1], "keys() of an array"),
        ("abs(a)", {"a": "x" * 10_000}, "abs() of a string"),
        ("join('', @)", ["a", None], "join() of a NoneType"),
        ("abs()", {}, "ArityError"),
        ("ceil(@)", float("inf"), "OverflowError"),
    ],
)
def test_a_function_that_gets_what_it_does_not_take_is_named_and_not_the_whole_value(text, document, found):
    with pytest.raises(ReleaseError, match="the expression fails on the index") as failure:
        applied(compiled(text), document, "the index")
    assert found in failure.value.found
    assert len(failure.value.found) < 250


WORDS = st.sampled_from(["a", "[", "]", "{", "}", "(", ")", "?", "*", "@", "&", "|", ".", ":", ",", "'", "`", '"', "!"])
FUNCTIONS = st.sampled_from(["keys(", "sort_by(", "to_number(", "join(", "max_by(", "map(", "merge(", "==", "-1", "é"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)


@given(st.lists(WORDS | FUNCTIONS, max_size=12).map("".join) | st.text(max_size=12), DOCUMENTS)
def test_no_text_and_no_document_raise_anything_but_the_one_error(text, document):
    with contextlib.suppress(ReleaseError):
        applied(compiled(text), document, "it")


HOSTILE = st.sampled_from(["'", '"', "`", "\\", "'] | [0] | ['", '".secret."', "`1`", "{version}", "@", "\x00"])


@given(st.lists(HOSTILE | st.text(max_size=3), max_size=4).map("".join))
def test_a_version_is_text_in_the_expression_whatever_it_holds(version):
    document = {"secret": "not asked for", version: "of the version"}
    expression = """["{version}", 'a{version}', `["{version}"]`]"""
    assert applied(compiled(expression), document, "it", version) == ["of the version", f"a{version}", [version]]


def test_an_expression_serves_one_version_after_the_other():
    expression = compiled("""{"{version}": '{version}'}""")
    for version in ("1", "2"):
        assert applied(expression, {}, "it", version) == {version: version}
