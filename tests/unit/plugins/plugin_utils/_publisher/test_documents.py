# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What publishers answer is measured before it is taken apart. How much memory it takes: tests/adversity."""

from __future__ import annotations

import json
from html import escape

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.documents import Link
from hypothesis import given
from hypothesis import strategies as st


def response(body):
    made = transport.requests.Response()
    made.status_code, made.url, made._content = 200, "https://example.org/list", body
    return made


def parsed(body):
    return documents.json_of(response(body), "a list", lambda document: document)


def page(text):
    return documents.page_of(response(text.encode()))


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


TEXT = st.text('[]{}\\",:ab\u20ac\n', max_size=6)
JSON = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_depth_is_that_of_the_document_whatever_its_texts_hold(value, is_ascii):
    body = json.dumps(value, ensure_ascii=is_ascii).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "DEPTH_LIMIT", depth_of(value))
        assert parsed(body) == value
        patch.setattr(documents, "DEPTH_LIMIT", depth_of(value) - 1)
        if depth_of(value):
            with pytest.raises(ReleaseError, match="nested deeper"):
                parsed(body)


@given(JSON)
def test_no_document_has_more_values_than_are_counted(value):
    def count(part):
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return 1 + sum(map(count, inner))

    body = json.dumps([value]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "VALUES_LIMIT", count(value) - 1)
        with pytest.raises(ReleaseError, match="holds more than a listing can"):
            parsed(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[[]" + b",[]" * 125_000 + b"]" + b"," * 749_999,
        b"[" * 250_001,
        b"{" * 250_001,
        b"]" * 250_001,
        b'{"a":0}' * 250_001,
        b"0," * 1_000_001,
        b'"' + b"," * 1_000_001 + b'"',
        ("[" * 250_001).encode("utf-16"),
    ],
)
def test_more_values_than_honest_listings_have_are_refused_unseen(body, monkeypatch):
    monkeypatch.setattr(documents.json, "loads", lambda text: pytest.fail("it was taken apart"))
    with pytest.raises(failures.TooLargeError, match="holds more than a listing can"):
        parsed(body)


@pytest.mark.parametrize(
    "body", [b"[" * 65 + b"]" * 65, b'{"a":' * 65 + b"0" + b"}" * 65, b"[" * 100_000, b'[{"a":' * 50_000]
)
def test_deeper_nesting_than_honest_listings_have_is_refused_unseen(body, monkeypatch):
    monkeypatch.setattr(documents.json, "loads", lambda text: pytest.fail("it was taken apart"))
    with pytest.raises(ReleaseError, match="nested deeper than a listing can be"):
        parsed(body)


@pytest.mark.parametrize(
    "body", [b"", b"[", b'{"a"', b"]", b"nul", b"\xff\xfe[\0]\0", b"\xff", b'["\xff"]', b"[1e]", b"9" * 10_000, b'"\\"']
)
def test_what_is_no_json_is_one_clear_error(body):
    with pytest.raises(ReleaseError, match=r"https://example\.org/list could not be understood"):
        parsed(body)


def test_a_byte_order_mark_is_no_obstacle():
    assert parsed(b"\xef\xbb\xbf[1]") == [1]


@given(st.binary(max_size=100) | TEXT.map(str.encode))
def test_no_bytes_raise_anything_but_the_one_error(body):
    for take in (parsed, lambda content: documents.page_of(response(content))):
        try:
            take(body)
        except ReleaseError:
            continue


def test_links_have_an_address_a_text_and_may_be_withdrawn():
    found = page(
        '<base href="/files/"><base href="/no/"><a HREF="x&amp;y" href="z"> a <b>b</b>\n</a>c'
        '<a href=d data-yanked="">e</a><a name="f">g</a><a href="">h</a><a>i</a>'
        '<meta name="pypi:repository-version" content="1.1">'
    )
    assert found.links == [Link("x&y", "a b", False), Link("d", "e", True)]
    assert (found.base, found.api_version) == ("/files/", "1.1")


def test_a_link_ends_where_the_next_begins():
    assert page("<a href=1>a<a href=2>b<a href=3>c").links == [
        Link("1", "a", False),
        Link("2", "b", False),
        Link("3", "c", False),
    ]


@given(st.lists(st.tuples(st.text("abc/<>&\"'#", min_size=1), st.text("ab <>&", max_size=5), st.booleans())))
def test_every_link_that_is_written_is_found(links):
    text = "".join(
        f'<p><a href="{escape(href)}"{" data-yanked" if is_yanked else ""}>{escape(word)}</a>\n'
        for href, word, is_yanked in links
    )
    assert page(text).links == [Link(href, word.strip(), is_yanked) for href, word, is_yanked in links]


@pytest.mark.parametrize(
    "text", ["<" * 200_001, "<a " + "a " * 262_144 + ">", "<a href=x>" * 60_001, "a" * 600_000, "<!--" * 200_001]
)
def test_a_page_with_more_than_any_honest_one_is_refused(text):
    with pytest.raises(ReleaseError, match="holds more than a listing can"):
        page(text)
