# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known to be secret is not shown, however it is spelled."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import secrets
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import printable
from hypothesis import given
from hypothesis import strategies as st

SPELLINGS = [str, repr, ascii, quote, quote_plus, json.dumps, printable, str.lower, lambda text: quote(text, safe="")]
SPELLINGS += [lambda text: json.dumps(text, ensure_ascii=False)]
#: As a part of a longer text, without the quotes around it.
SPELLINGS += [lambda text: repr(f"\x1b'\"{text}")[8:-1], lambda text: json.dumps(f"a {text}")[3:-1]]


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """Know no secrets of other tests."""
    known = secrets._known.copy()
    secrets._known.clear()
    yield
    secrets._known.clear()
    secrets._known.update(known)


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        "p@ss/w0rd",
        "a%20secret",
        "line\nbreak",
        'quo"ted',
        "\N{EURO SIGN}uro-secret",
        '\N{EURO SIGN}"quoted',
        "esc\x1bape-me",
    ],
)
def test_a_secret_is_hidden_in_every_spelling(secret, spell):
    secrets.remember(secret)
    assert secrets.without_secrets(f"<{spell(secret)}>").strip("'\"<>") == secrets.HIDDEN


@given(st.text(min_size=secrets.SHORTEST), st.text(), st.text(), st.sampled_from(SPELLINGS[:1] + SPELLINGS[3:7]))
def test_no_text_around_a_secret_keeps_it_from_being_hidden(secret, before, after, spell):
    secrets._known.clear()
    try:
        text = before + spell(secret) + after
    except UnicodeEncodeError:
        return  # half a pair of surrogates, which no address can hold
    secrets.remember(secret)
    assert spell(secret).strip('"') not in secrets.without_secrets(text)


def test_what_is_left_of_a_secret_that_was_cut_is_hidden_by_its_words():
    secrets.remember("correct:horse@battery")
    assert secrets.without_secrets("https://battery/") == f"https://{secrets.HIDDEN}/"


def test_what_is_too_short_to_be_a_secret_hides_nothing():
    secrets.remember("a@b")
    assert secrets.without_secrets("a@b") == "a@b"


def test_a_secret_of_four_characters_is_hidden():
    secrets.remember("1234")
    assert secrets.without_secrets("PIN 1234") == f"PIN {secrets.HIDDEN}"


def test_the_password_of_a_header_is_hidden_and_the_user_is_not():
    header = secrets.basic("somebody", "hunter2")
    assert header == "Basic " + base64.b64encode(b"somebody:hunter2").decode()
    assert secrets.without_secrets(f"{header} somebody hunter2") == "Basic ******** somebody ********"


@pytest.mark.parametrize("password", ["", "x-oauth-basic"])
def test_a_token_in_place_of_the_user_is_hidden(password):
    secrets.basic("ghp_token", password)
    assert secrets.without_secrets("ghp_token") == secrets.HIDDEN


@pytest.mark.parametrize(
    "address",
    [
        "http://user:hunter2@proxy:3128",
        "user:hunter2@proxy:3128",
        "http://hunter2@proxy",
        "http://user:hunter2/@proxy",
        "http://user:%68unter2@proxy",
        "hunter2@",
    ],
)
def test_the_password_of_any_proxy_is_hidden(address):
    secrets.remember_proxy(address)
    assert "hunter2" not in secrets.without_secrets("a hunter2 b")


@pytest.mark.parametrize("address", ["http://me:hunter2@proxy:3128", "me:hunter2@proxy"])
def test_the_header_that_a_proxy_is_sent_is_hidden(address):
    secrets.remember_proxy(address)
    sent = base64.b64encode(b"me:hunter2").decode()
    assert secrets.without_secrets(f"Basic {sent}") == f"Basic {secrets.HIDDEN}"


def test_a_proxy_without_password_makes_no_secret():
    secrets.remember_proxy("http://proxy.example.org:3128")
    assert secrets.without_secrets("proxy.example.org") == "proxy.example.org"


@given(st.text())
def test_a_token_is_returned_usable_or_refused_unseen(value):
    try:
        token = secrets.usable_token(value, "the token")
    except ReleaseError as error:
        said = str(error)
        assert said.startswith("the token has a")
        assert len(value.strip()) < secrets.SHORTEST or value.strip() not in said or value.strip() in SAID
    else:
        assert token.isascii()
        assert token == "".join(token.split())


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("abcd efgh", "a space"),
        ("abcd\u00a0efgh", "a space"),
        ("abcd\nefgh", "a line break"),
        ("abcd\u2028efgh", "a line break"),
        ("abcd\x07efgh", "a control character"),
        ("abcd\x7fefgh", "a control character"),
        ("abcd\x80efgh", "a character that is not ASCII"),
        ("abcd\N{EURO SIGN}", "a character that is not ASCII"),
    ],
)
def test_it_is_said_what_no_token_can_have(value, kind):
    with pytest.raises(ReleaseError) as caught:
        secrets.usable_token(value, "the token")
    assert caught.value.what == f"the token has {kind} in it, so it cannot be sent"


@pytest.mark.parametrize("written", ["ghp_!~token", " ghp_!~token\n", "\ufeffghp_!~token", "\u3000\ufeff ghp_!~token"])
def test_what_files_and_stores_add_around_a_token_is_no_part_of_it(written):
    assert secrets.usable_token(written, "the token") == "ghp_!~token"
    assert secrets.without_secrets("ghp_!~token") == secrets.HIDDEN


#: The words of the refusal itself.
SAID = """the token has a space in it, so it cannot be sent
  expected: one word of visible ASCII characters
  to fix: copy it again, alone and on one line"""
