# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One reader for texts of people and of machines: what fits is read, and each refusal says where it is."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml

PEOPLE = """\
# Written by hand.
tools:
  foo.sh:
    count: 12
    words: [one,
      two]
    text: 1.0
"""


def written() -> Place:
    return read_yaml(PEOPLE, "mine.yml").at("tools").at("foo.sh")


def emitted(text: str) -> Place:
    return Place(read_json(text), Document("mine.json", fix="restore it", fix_unknown_key="update"))


def test_a_whole_number_is_read_from_both() -> None:
    assert written().at("count").number() == 12
    assert emitted('{"count": 12}').at("count").number() == 12


@pytest.mark.parametrize("text", ["12.0", "012", "-1", "true", "'12'", "9007199254740992", "[1]"])
def test_a_person_who_writes_something_else_is_told_so(text: str) -> None:
    with pytest.raises(MisfitError) as caught:
        read_yaml(f"\ncount: {text}\n", "mine.yml").at("count").number()
    assert caught.value.what == "mine.yml:2: count is not valid"
    assert caught.value.expected == "a whole number from 0 to 9007199254740991"
    assert caught.value.fix == "correct line 2"


@pytest.mark.parametrize(("value", "found"), [("null", "nothing"), ("{}", "an empty mapping"), ("2.5", "2.5")])
def test_what_stands_there_instead_is_shown(value: str, found: str) -> None:
    with pytest.raises(MisfitError) as caught:
        emitted(f'{{"count": {value}}}').at("count").number()
    assert caught.value.found == found


def test_the_line_of_an_item_is_its_own() -> None:
    with pytest.raises(MisfitError) as caught:
        written().at("words").items(lambda word: word.one_of(["one", "three"]))
    assert caught.value.what == 'mine.yml:6: unknown word "two"'
    assert caught.value.way == "tools.foo.sh.words[1]"
    assert caught.value.expected == "one of one, three"


@pytest.mark.parametrize(("text", "expected"), [('{"a": 1}', "a list"), ('{"a": []}', "at least 1 entry")])
def test_what_a_list_should_be_is_said_in_the_words_of_its_reader_or_plainly(text: str, expected: str) -> None:
    for said in (None, "a list of names"):
        with pytest.raises(MisfitError) as caught:
            emitted(text).at("a").items(Place.text, least=1, expected=said)
        assert caught.value.expected == (said or expected)


@pytest.mark.parametrize(("text", "expected"), [('{"a": []}', "a mapping"), ('{"a": {}}', "at least 1 entry")])
def test_what_a_mapping_should_be_is_said_in_the_words_of_its_reader_or_plainly(text: str, expected: str) -> None:
    for said in (None, "a mapping of names"):
        with pytest.raises(MisfitError) as caught:
            emitted(text).at("a").mapping(Place.text, least=1, expected=said)
        assert caught.value.expected == (said or expected)


def test_a_list_or_mapping_may_be_empty_unless_its_reader_says_otherwise() -> None:
    assert emitted('{"a": []}').at("a").items(Place.text) == ()
    assert emitted('{"a": {}}').at("a").mapping(Place.text) == {}


def test_an_unknown_key_is_told_with_what_it_is_in() -> None:
    with pytest.raises(MisfitError) as caught:
        written().fields("counts words text")
    assert caught.value.what == 'mine.yml:4: unknown key "count" in foo.sh; did you mean "counts"?'
    with pytest.raises(MisfitError) as caught:
        emitted('{"foo.sh": {"count": 12}}').at("foo.sh").fields("counts")
    assert caught.value.what == 'mine.json is not valid at foo.sh.count; did you mean "counts"?'
    assert caught.value.fix == "update"


def test_what_yaml_takes_for_a_number_is_asked_for_in_quotes() -> None:
    with pytest.raises(MisfitError) as caught:
        written().at("text").text()
    assert caught.value.what == "mine.yml:7: tools.foo.sh.text is not valid"
    assert caught.value.expected == 'text in quotes: "1.0"'


def test_a_long_word_is_not_compared_with_the_known_ones() -> None:
    with pytest.raises(MisfitError) as caught:
        emitted('{"count": "%s"}' % ("x" * 100_000)).at("count").one_of(["x" * 100_001])
    assert "did you mean" not in caught.value.what
    assert len(caught.value.found or "") <= 120


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/uv",
        "http://example.org:8080",
        "https://example.org:65535/uv?a=b#c",
        "https://[2001:db8::1]:443/uv",
        "file:///srv/mirror/uv",
    ],
)
def test_an_address_of_a_file_is_read(url: str) -> None:
    assert Place(url, Document("mine.json")).url() == url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org:0/uv",
        "https://example.org:65536/uv",
        "https://example.org:99999/uv",
        "https://[2001:db8::1::2]/uv",
        "https://[1.2.3.4]/uv",
        "https://me:secret@example.org/uv",
        "https://example.org/a b",
        "ftp://example.org/uv",
        "file://host/uv",
        "https:///uv",
        7,
    ],
)
def test_an_address_that_cannot_be_is_refused(url: object) -> None:
    with pytest.raises(MisfitError) as caught:
        Place({"url": url}, Document("mine.json")).at("url").url()
    assert caught.value.what == "mine.json is not valid at url"
    assert "secret" not in str(caught.value)
