# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people write is read as it stands, and what they write by mistake is refused, with the line."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml


def refusal(text: str) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        read_yaml(text, "mine.yml")
    return caught.value


@pytest.mark.parametrize("written", ["0.10", "1e3", "012", "yes", "2024-01-15", "1:20", "0x1f", "~x"])
def test_a_scalar_is_read_as_it_stands(written: str) -> None:
    assert read_yaml(f"version: {written}\n", "mine.yml").at("version").value == written


@pytest.mark.parametrize(
    ("written", "kind"),
    [("yes", "true or false"), ("12", "a number"), ("0.10", "a number"), ("2024-01-15", "a date")],
)
def test_what_yaml_takes_it_for_is_told(written: str, kind: str) -> None:
    with pytest.raises(MisfitError) as caught:
        read_yaml(f"a: {written}\n", "mine.yml").at("a").text()
    assert caught.value.found == f"{written}, which YAML takes for {kind}"


@pytest.mark.parametrize("written", ["", "~", "null", "# only a comment\n"])
def test_nothing_is_none_on_the_first_line(written: str) -> None:
    found = read_yaml(written, "mine.yml")
    assert (found.value, found.line) == (None, 1)


def test_the_whole_begins_on_the_line_of_its_first_key() -> None:
    assert read_yaml("# A comment.\n\na: 1\n", "mine.yml").line == 3


def test_keys_and_items_have_lines_in_every_depth() -> None:
    tools = read_yaml("tools:\n- name: a\n- name: b\n  files:\n    - x\n\n    - [y,\n        z]\n", "m.yml").at("tools")
    second = tools.items(lambda tool: tool)[1]
    assert (second.line, second.at("files").line) == (3, 4)
    assert [item.line for item in second.at("files").items(lambda item: item)] == [5, 7]
    assert [item.line for item in second.at("files").at(1).items(lambda item: item)] == [7, 8]


def test_what_an_alias_repeats_is_read_there_too() -> None:
    found = read_yaml("a: &x {b: [1]}\nc: [*x, *x]\n", "mine.yml")
    assert found.value == {"a": {"b": ["1"]}, "c": [{"b": ["1"]}, {"b": ["1"]}]}


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("a: 1\nb: c: d\n", 2, "column 5: mapping values are not allowed here"),
        ("\n\n  a: 1\n\tb: 1\n", 4, "column 1: found character '\\t' that cannot start any token"),
        ("a: >=1\n", 1, "column 5: expected chomping or indentation indicators, but found '='"),
        ("a: 1\nb: 2\na: 3\n", 3, 'column 1: the key "a" stands there twice'),
        ("a:\n  <<: {b: 1}\n", 2, "column 3: merging with << is not possible here; write it out"),
        ("a: 1\n? [b]\n: c\n", 2, "column 3: a key must be plain text; text with { } or [ ] in it must be in quotes"),
        ("a: !!map x\n", 1, "column 4: this is not a mapping"),
        ("a: &x\n  - b: [*x]\n", 1, "column 4: found unconstructable recursive node"),
        ("a: 1\n--- b\n", 2, "column 1: but found another document"),
        ("a: !!python/name:os.system x\n", 1, "column 4: could not determine a constructor"),
    ],
)
def test_a_mistake_is_told_with_line_and_column(text: str, line: int, found: str) -> None:
    error = refusal(text)
    assert error.what == f"mine.yml:{line} is not YAML"
    assert (error.found or "").startswith(found)
    assert (error.fix or "").startswith(f"correct line {line}")


def test_what_people_often_mean_is_said_with_the_fix() -> None:
    assert (refusal("a:\n\t- 1\n").fix or "").endswith(": YAML is indented with spaces, never with tabs")
    assert 'needs quotes, such as version: ">=0.9,<1"' in (refusal("version: >=1\n").fix or "")
    assert refusal("a: 1\na: 2\n").fix == "correct line 2"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a: "\\UFFFFFFFF"\n', ""),
        ("a: " + "[" * 50_000, "lists in lists in lists, without end"),
        ("a: \x01\n", "unacceptable character"),
    ],
    ids=["no character", "endless", "control"],
)
def test_what_the_reader_itself_fails_at_is_told_without_a_line(text: str, found: str) -> None:
    error = refusal(text)
    assert error.what == "mine.yml is not YAML"
    assert found in (error.found or "")
    assert error.fix == "correct mine.yml"


def test_a_place_knows_its_file() -> None:
    assert isinstance(read_yaml("a: 1\n", "mine.yml"), Place)
    with pytest.raises(MisfitError, match=r"mine\.yml:2"):
        read_yaml("\na: 1\n", "mine.yml").fields("b")
