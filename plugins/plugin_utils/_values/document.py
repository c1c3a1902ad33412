# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands at a place in a document, and what is a person told when it does not fit there? Pure; controller.

The one reader of manifest, lock file and receipts. A document is what JSON or YAML makes of a text: mappings, lists,
texts, numbers. Where a person wrote it, its lines are known, and errors begin with the file and the line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import (
    LARGEST_NUMBER,
    LINE,
    NAME,
    URL,
    WHOLE,
    Form,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

T = TypeVar("T")
#: So many known words are listed beside the nearest of them.
LONGEST_LIST = 8


class MisfitError(ReleaseError):
    """A value that does not fit where it stands. *way* leads to it: ``tools.uv.assets[0].sha256``."""

    def __init__(self, way: str, what: str, expected: str | None, found: str | None, fix: str) -> None:
        """Take the *way* to the value, and the parts of the message."""
        super().__init__(what, expected, found, fix)
        self.way = way


class Unquoted(str):
    """A text without quotes that YAML takes for something else: *kind* is ``a number`` or ``a date``."""

    kind = ""


class WrittenMapping(dict[str, Any]):
    """A mapping that a person wrote. *lines* tells on which line each key stands; the first is 1."""

    lines: Mapping[str | int, int] = {}


class WrittenList(list[Any]):
    """A list that a person wrote. *lines* tells on which line each item stands, by its index."""

    lines: Mapping[str | int, int] = {}


@dataclass(frozen=True)
class Document:
    """What is said of a whole document in errors.

    name             of the file, for people
    fix              what to do when something in it does not fit; None: correct the line
    fix_unknown_key  what to do about a key that is not known here; None: as for anything else
    """

    name: str
    fix: str | None = None
    fix_unknown_key: str | None = None


class Place(NamedTuple):
    """A value in a document, and how to get there, so that each refusal can say where.

    *step* is the key or index of the value in the one at the place *above*. Nothing more is made of them before
    something is refused, and it is a tuple, which is made in a fourth of the time: a lock file has thousands of places.
    *first_line* is that of a document whose lines are known.
    """

    value: Any
    document: Document
    above: Place | None = None
    step: str | int = ""
    first_line: int | None = None

    @property
    def way(self) -> str:
        """The way from the top: ``tools.uv.assets[0]``."""
        if self.above is None:
            return ""
        return f"{self.above.way}{'' if isinstance(self.step, int) else '.'}{self._step()}".removeprefix(".")

    @property
    def name(self) -> str:
        """The last step of the way: ``assets[0]``."""
        if self.above is None:
            return ""
        return f"{self.above.name if isinstance(self.step, int) else ''}{self._step()}"

    @property
    def line(self) -> int | None:
        """The line that it stands on, None where that is not known."""
        if self.above is None:
            return self.first_line
        around = self.above.value
        return around.lines.get(self.step) if isinstance(around, (WrittenMapping, WrittenList)) else None

    def _step(self) -> str:
        if isinstance(self.step, int):
            return f"[{self.step}]"
        return self.step if NAME.pattern.match(self.step) else shown(self.step)

    def fields(self, required: str, optional: str = "") -> dict[str, Place]:
        """Return the place of each value in a mapping that has all *required* keys, and no unknown ones.

        Raises MisfitError, which suggests the known key that is most like an unknown one.
        """
        known = list(dict.fromkeys((required + " " + optional).split()))
        for key in self._mapping(f"a mapping with {', '.join(known)}"):
            if key not in known:
                raise self._unknown_key(key, known)
        for key in required.split():
            if key not in self.value:
                raise self.misfit(f"the key {key}")
        return {key: self.at(key) for key in self.value}

    def mapping(
        self, read: Callable[[Place], T], least: int = 0, expected: str | None = None, keys: Form = NAME
    ) -> dict[str, T]:
        """Return what *read* makes of each value of a mapping whose *keys* have a form: that of names.

        Raises MisfitError with what is *expected* where it is no mapping, has fewer than *least* entries, or a key has
        another form.
        """
        if len(self._mapping(expected or "a mapping")) < least:
            raise self.misfit(expected or f"at least {least} entry")
        for key in self.value:
            if not keys.pattern.match(key):
                raise self.at(key).misfit(keys.words, shown(key))
        return {key: read(self.at(key)) for key in self.value}

    def optional(self, key: str) -> Place | None:
        """Return the place of *key* in a mapping; None where it is absent or null.

        For documents of others, which may have keys that are not known. Raises MisfitError if this is no mapping.
        """
        return self.at(key) if self._mapping("a mapping").get(key) is not None else None

    def required(self, *keys: str) -> Place:
        """Return the place that *keys* lead to, each in the mapping before. Raises MisfitError where one is absent."""
        place = self
        for key in keys:
            inner = place.optional(key)
            if inner is None:
                raise place.misfit(f"the key {key}")
            place = inner
        return place

    def items(self, read: Callable[[Place], T], least: int = 0, expected: str | None = None) -> tuple[T, ...]:
        """Return what *read* makes of each item of a list.

        Raises MisfitError with what is *expected* where it is no list, or has fewer than *least* items.
        """
        if not isinstance(self.value, list):
            raise self.misfit(expected or "a list")
        if len(self.value) < least:
            raise self.misfit(expected or f"at least {least} entry")
        return tuple(read(self.at(index)) for index in range(len(self.value)))

    def text(self, form: Form = LINE) -> str:
        """Return a text that has the *form*. Raises MisfitError for any other, and for an unquoted number or so."""
        if isinstance(self.value, Unquoted) and form.pattern.match(self.value):
            quoted = shown(self.value)
            raise self.misfit(f"text in quotes: {quoted}", f"{quoted[1:-1]}, which YAML takes for {self.value.kind}")
        if not isinstance(self.value, str) or not form.pattern.match(self.value):
            raise self.misfit(form.words)
        return self.value

    def url(self, form: Form = URL) -> str:
        """Return the address of a file, which has the *form*.

        Raises MisfitError, also for ports and IPv6 addresses that cannot be.
        """
        url = self.text(form)
        try:
            parts = urlsplit(url)
            # Python before 3.11 takes anything between brackets.
            is_right = parts.port != 0 and ("[" not in parts.netloc or bool(IPv6Address(parts.hostname or "")))
        except ValueError:
            is_right = False
        if not is_right:
            raise self.misfit(form.words)
        return url

    def one_of(self, words: Sequence[str]) -> str:
        """Return the text if it is one of *words*. Raises MisfitError, which suggests the one that is most like it."""
        if not isinstance(self.value, str):
            raise self.misfit(f"one of {', '.join(words)}")
        if self.value not in words:
            raise self.unknown("word", self.value, words)
        return self.value

    def number(self, least: int = 0) -> int:
        """Return a whole number from *least* to LARGEST_NUMBER. Raises MisfitError for anything else."""
        is_written = isinstance(self.value, Unquoted) and WHOLE.pattern.match(self.value)
        number = int(self.value) if is_written else self.value
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= LARGEST_NUMBER:
            raise self.misfit(f"a whole number from {least} to {LARGEST_NUMBER}")
        return number

    def at(self, step: str | int) -> Place:
        """Return the place of a key of this mapping, or of an index of this list."""
        return Place(self.value[step], self.document, self, step)

    def misfit(self, expected: str, found: str | None = None, fix: str | None = None) -> MisfitError:
        """Return the error that something else was *expected* here.

        It shows the value, or says what was *found*; and gives the *fix*, or that of the document.
        """
        found = found or ("nothing" if self.value is None else shown(self.value))
        return self._error(self._not_valid(), expected, found, fix)

    def unknown(
        self, kind: str, word: str, known: Sequence[str], others: Sequence[str] = (), meant: str | None = None
    ) -> MisfitError:
        """Return the error that *word* is no *kind* of thing, such as a platform, that is known here.

        All *known* words are named in it. The one that it suggests is the one that is *meant*, or else the nearest; it
        may also be one of the *others*: aliases.
        """
        return self._unknown(f"{kind} {shown(word)}", meant or word, known, others, None)

    def _unknown_key(self, key: str, known: Sequence[str]) -> MisfitError:
        inside = f" in {self.name}" if self.name else ""
        return self.at(key)._unknown(f"key {shown(key)}{inside}", key, known, (), self.document.fix_unknown_key)

    def _unknown(
        self, named: str, word: str, known: Sequence[str], others: Sequence[str], fix: str | None
    ) -> MisfitError:
        near = nearest(word, [*known, *others])
        question = f'; did you mean "{near}"?' if near else ""
        # The nearest word says enough where a list of all would be long.
        expected = None if near and len(known) > LONGEST_LIST else f"one of {', '.join(known)}"
        if self.line is None:
            return self._error(self._not_valid() + question, expected, shown(word), fix)
        return self._error(f"{self.document.name}:{self.line}: unknown {named}{question}", expected, None, fix)

    def _not_valid(self) -> str:
        if self.line is None:
            return f"{self.document.name} is not valid at {self.way or 'the top'}"
        place = f"{self.document.name}:{self.line}"
        return f"{place}: {self.way} is not valid" if self.way else f"{place} is not valid"

    def _error(self, what: str, expected: str | None, found: str | None, fix: str | None) -> MisfitError:
        # Where its line is known, the message begins with the name of the file.
        wrong = f"line {self.line}" if self.line else self.document.name
        fix = fix or self.document.fix or f"correct {wrong}"
        return MisfitError(self.way or "the top", what, expected, found, fix)

    def _mapping(self, expected: str) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.misfit(expected)
        return self.value
