# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a publisher's answer say, in JSON (RFC 8259) or as a page of links (HTML)? Runs on the controller.

A few bytes of either can become a thousand times as much memory. So an answer is measured as text first, which costs
next to nothing, and taken apart only if the values in it are no more than the largest honest listings have. Those that
were measured, on 2026-11-28: 20.4 MiB with 94,000 mappings (a Python project of 46,700 files), 20.0 MiB with 762,000
values (an npm package of 3,000 versions). The largest answer that is accepted takes less than 320 MB; a test shows it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures, redaction

if TYPE_CHECKING:
    import requests

#: Lists and mappings, which take the most memory for a byte.
CONTAINERS_LIMIT = 250_000
#: All values. Text that looks like them counts as well: that is cheap to find, and honest listings have little of it.
VALUES_LIMIT = 1_000_000
DEPTH_LIMIT = 64
TAGS_LIMIT = 200_000
#: One tag with all its attributes, or one piece of text.
PIECE_LIMIT_BYTES = 512 * 1024
LINKS_LIMIT = 60_000

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NEITHER_BRACKET_NOR_QUOTE = bytes(byte for byte in range(256) if byte not in b'[]{}"')
#: A large answer is taken apart while no other is: what stays of it is small.
_ONE_AT_A_TIME = threading.Lock()

Taken = TypeVar("Taken")


@dataclass(frozen=True)
class Link:
    """One link of a page: where it leads to as written, its text, and whether it is marked as withdrawn (PEP 592)."""

    href: str
    text: str
    is_yanked: bool


@dataclass
class Page:
    """A page of links. *base* is what addresses on it start from, *api_version* that of PEP 629, where it says so."""

    links: list[Link] = field(default_factory=list)
    base: str = ""
    api_version: str = ""


def json_of(response: requests.Response, expected: str, take: Callable[[Any], Taken]) -> Taken:
    """Return what *take* takes of the JSON in *response*, which is *expected* to be what these words say.

    Raises ReleaseError for what is no JSON, or larger or more nested than any listing, and for whatever *take* raises.
    """
    body = response.content
    place = redaction.redacted(response.url)
    refuse_json_that_swells(body, place)
    with _ONE_AT_A_TIME, failures.as_release_error(place, expected):
        # Not read_json: to look for repeated keys takes more memory than is promised.
        return take(json.loads(body.decode("utf-8-sig")))


def refuse_json_that_swells(body: bytes, place: str) -> None:
    """Raise ReleaseError, about *place*, if *body* has more or deeper values than any listing."""
    containers = body.count(b"[") + body.count(b"{")
    closed = body.count(b"]") + body.count(b"}")
    values = containers + body.count(b",")
    if max(containers, closed) > CONTAINERS_LIMIT or values > VALUES_LIMIT:
        raise failures.TooLargeError(
            f"{place} holds more than a listing can",
            expected=f"at most {VALUES_LIMIT} values in JSON, {CONTAINERS_LIMIT} of them lists or mappings",
            found=f"{values}, {containers} of them lists or mappings",
        )
    if _is_deep(body):
        raise ReleaseError(
            f"{place} is nested deeper than a listing can be", expected=f"at most {DEPTH_LIMIT} levels of JSON"
        )


def _is_deep(body: bytes) -> bool:
    """Tell whether lists and mappings lie more than DEPTH_LIMIT deep in each other, by brackets outside of text."""
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NEITHER_BRACKET_NOR_QUOTE)
    # To take out two quotes in a row leaves every bracket inside or outside of text, where it was.
    outside = b"".join(plain.replace(b'""', b"").split(b'"')[::2]).translate(_BRACKETS)
    for _level in range(DEPTH_LIMIT):
        outside = outside.replace(b"[]", b"")
    return b"[]" in outside or outside.count(b"[") > DEPTH_LIMIT


def page_of(response: requests.Response) -> Page:
    """Return the links of the page in *response*. Raises ReleaseError for one with more than any honest page has."""
    place = redaction.redacted(response.url)
    text = response.content.decode("utf-8", errors="replace")
    if text.count("<") > TAGS_LIMIT or max(map(len, text.split("<"))) > PIECE_LIMIT_BYTES:
        raise ReleaseError(
            f"{place} holds more than a listing can",
            expected=f"at most {TAGS_LIMIT} tags of HTML, none longer than {PIECE_LIMIT_BYTES} bytes",
        )
    with failures.as_release_error(place, "a page of links"):
        parser = _Parser(place)
        parser.feed(text)
        parser.end_link()
        return parser.page


class _Parser(HTMLParser):
    """Collects the links of a page. A link ends where the next begins, as the HTML standard has it ("in body", a)."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.page = Page()
        self._place = place
        self._open: dict[str, str] = {}
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a link at ``a``, note a ``base``, and what API version a page of PEP 503 says (PEP 629).

        Raises ReleaseError for more than LINKS_LIMIT links, as the end of a link does.
        """
        attributes = {name: value or "" for name, value in reversed(attrs)}  # of two with one name, the first counts
        if tag == "a":
            self.end_link()
            self._open = attributes
        elif tag == "base":
            self.page.base = self.page.base or attributes.get("href", "")
        elif tag == "meta" and attributes.get("name") == "pypi:repository-version":
            self.page.api_version = attributes.get("content", "")

    def handle_endtag(self, tag: str) -> None:
        """End the link at ``</a>``. Raises ReleaseError for more than LINKS_LIMIT links."""
        if tag == "a":
            self.end_link()

    def handle_data(self, data: str) -> None:
        """Collect the text of the link that is open, which may come in pieces."""
        if self._open:
            self._text.append(data)

    def end_link(self) -> None:
        """Note the link that is open, if there is one, as ended here. Raises ReleaseError for more than LINKS_LIMIT."""
        if self._open.get("href"):
            link = Link(self._open["href"], "".join(self._text).strip(), "data-yanked" in self._open)
            self.page.links.append(link)
        if len(self.page.links) > LINKS_LIMIT:
            raise ReleaseError(f"{self._place} holds more than a listing can", expected=f"at most {LINKS_LIMIT} links")
        self._open = {}
        self._text = []
