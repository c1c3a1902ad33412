# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of ours become JSON and come back equal; JSON that says anything else is refused, and nothing but that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.typed_json import as_json, read_typed
from hypothesis import given
from hypothesis import strategies as st


class Size(NamedTuple):
    name: str
    size: int


@dataclass(frozen=True)
class Box:
    sizes: tuple[Size, ...]
    pair: tuple[str, int]
    labels: frozenset[str]
    kind: Literal["small", "large"]
    inner: Mapping[str, Requirement]
    lid: Size | None = None
    is_open: bool = False


SIZES = st.builds(Size, st.text(), st.integers())
BOXES = st.builds(
    Box,
    st.lists(SIZES).map(tuple),
    st.tuples(st.text(), st.integers()),
    st.frozensets(st.text()),
    st.sampled_from(["small", "large"]),
    st.dictionaries(st.text(), st.from_type(Requirement)),
    st.none() | SIZES,
    st.booleans(),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def through_json(value: object) -> Any:
    return json.loads(json.dumps(as_json(value)))


@given(BOXES)
def test_every_value_comes_back_equal(box):
    assert read_typed(Box, through_json(box)) == box


@given(ANY_JSON)
def test_json_that_says_something_else_is_refused_with_nothing_but_a_value_error(value):
    for kind in (Box, Requirement, Size, dict[str, str], list[int]):
        try:
            read = read_typed(kind, value)
        except ValueError:
            continue
        assert through_json(read) == value


@pytest.mark.parametrize(
    "changed",
    [
        {0: [["a", "1"]]},
        {0: [["a"]]},
        {0: {"a": 1}},
        {1: ["a", 1, 2]},
        {1: ["a", True]},
        {2: ["a", 1]},
        {3: "huge"},
        {3: []},
        {4: {"a": []}},
        {4: []},
        {5: "a"},
        {6: 1},
        {6: None},
    ],
)
def test_a_field_of_another_type_is_refused(changed):
    fields = through_json(Box((), ("a", 1), frozenset(), "small", {}))
    assert read_typed(Box, fields)
    with pytest.raises(ValueError, match=r"^no"):
        read_typed(Box, [changed.get(index, field) for index, field in enumerate(fields)])


def test_a_missing_field_is_refused_even_if_the_type_has_a_default():
    with pytest.raises(ValueError, match="no list of 7"):
        read_typed(Box, through_json(Box((), ("a", 1), frozenset(), "small", {}))[:-1])


def test_an_error_comes_back_with_all_that_it_says():
    error = ReleaseError("what", "expected", None, "fix")
    assert read_typed(ReleaseError, through_json(error)).as_dict() == error.as_dict()


@pytest.mark.parametrize("value", [b"bytes", 1.5, {1: "a"}, object()])
def test_a_value_that_could_not_be_read_back_is_not_written(value):
    with pytest.raises(TypeError):
        as_json([value])


@pytest.mark.parametrize("kind", [bytes, set[str], dict[int, str]])
def test_a_type_without_a_reader_is_an_error_of_the_programmer(kind):
    with pytest.raises(TypeError, match="no reader for"):
        read_typed(kind, [])
