# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a record of a vulnerability say? In the format of OSV, read as a stranger's. Pure; controller.

Follows ossf.github.io/osv-schema, version 1.7. Only what findings need is read; other fields may say anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import package as packages
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Severity
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import Package
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened

T = TypeVar("T")
#: What happens to a vulnerability at a version.
Happening = Literal["introduced", "fixed", "last_affected", "limit"]
_HAPPENINGS: tuple[Happening, ...] = get_args(Happening)
ID = Form(re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}\Z"), "an id such as GO-2021-0069")
_TEXT = Form(re.compile(r".*\Z", re.DOTALL), "a text")
#: Items of one list: tags of a repository, mostly.
_MOST_ITEMS = 50_000
_LONGEST_SUMMARY = 300
_LONGEST_WORD = 200


@dataclass(frozen=True)
class Event:
    """What happens at a *version*, which for a GIT range is a commit."""

    what: Happening
    version: str


@dataclass(frozen=True)
class Range:
    """A timeline of one *kind* of version: SEMVER, ECOSYSTEM or GIT, then of the repository *repo*."""

    kind: str
    events: tuple[Event, ...]
    repo: Package | None


@dataclass(frozen=True)
class Affected:
    """One package that a record is about, None where only ranges say it, and which versions of it."""

    package: Package | None
    ranges: tuple[Range, ...]
    versions: tuple[str, ...]
    severity: tuple[Severity, ...]
    informational: str

    @property
    def packages(self) -> Iterator[Package]:
        """What it is found by: its package, and the repositories of its ranges."""
        if self.package:
            yield self.package
        yield from dict.fromkeys(one.repo for one in self.ranges if one.repo)


@dataclass(frozen=True)
class Record:
    """One advisory. *modified* is as written; it orders two versions of one record."""

    id: str
    modified: str
    aliases: tuple[str, ...]
    summary: str
    severity: tuple[Severity, ...]
    level: str
    is_withdrawn: bool
    affected: tuple[Affected, ...]


def parse(content: bytes, name: str) -> Record:
    """Return the record that *content* is. Raises ReleaseError, which calls it *name*, if it is none."""
    try:
        document = read_json(content.decode("utf-8-sig"))
    except ValueError as error:
        raise ReleaseError(f"{name} is no JSON", found=shortened(str(error), _LONGEST_WORD)) from error
    top = Place(document, Document(name))
    summary, specific = top.optional("summary"), top.optional("database_specific")
    return Record(
        id=top.required("id").text(ID),
        modified=top.required("modified").text(),
        aliases=_each(top, "aliases", lambda place: place.text(ID)),
        summary=shortened(" ".join(summary.text(_TEXT).split()), _LONGEST_SUMMARY) if summary else "",
        severity=_each(top, "severity", _severity),
        level=_word(specific, "severity"),
        is_withdrawn=top.optional("withdrawn") is not None,
        affected=_each(top, "affected", _affected),
    )


def _affected(place: Place) -> Affected:
    named, specific = place.optional("package"), place.optional("database_specific")
    return Affected(
        package=_package(named) if named else None,
        ranges=_each(place, "ranges", _range),
        versions=_each(place, "versions", lambda version: version.text(_TEXT)),
        severity=_each(place, "severity", _severity),
        informational=_word(specific, "informational"),
    )


def _package(place: Place) -> Package:
    return packages.package(place.required("ecosystem").text(), place.required("name").text())


def _range(place: Place) -> Range:
    repo = place.optional("repo")
    return Range(
        kind=place.required("type").text(),
        events=tuple(event for events in _each(place, "events", _events) for event in events),
        repo=packages.repository(repo.text()) if repo else None,
    )


def _events(place: Place) -> tuple[Event, ...]:
    """One event has one key by the schema, and several in some records of the past: each of them counts."""
    said = [(what, place.optional(what)) for what in _HAPPENINGS]
    events = tuple(Event(what, version.text()) for what, version in said if version)
    if not events:
        raise place.misfit(f"an event: {', '.join(_HAPPENINGS)}")
    return events


def _severity(place: Place) -> Severity:
    return Severity(
        shortened(place.required("type").text(), _LONGEST_WORD),
        shortened(place.required("score").text(), _LONGEST_WORD),
    )


def _word(place: Place | None, key: str) -> str:
    """Return a word that a database has of its own, "" where there is none: anything may stand there."""
    value = place.value.get(key) if place and isinstance(place.value, dict) else None
    return shortened(value, _LONGEST_WORD) if isinstance(value, str) else ""


def _each(place: Place, key: str, read: Callable[[Place], T]) -> tuple[T, ...]:
    """Return what *read* makes of each item of the list behind *key*; none where it is absent or null."""
    items = place.optional(key)
    if items and isinstance(items.value, list) and len(items.value) > _MOST_ITEMS:
        raise items.misfit(f"at most {_MOST_ITEMS} items", str(len(items.value)))
    return items.items(read) if items else ()
