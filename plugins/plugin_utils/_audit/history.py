# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did each host have, since when, and what was removed there? The statements of the log, one after another.

Times of changes are those that the log says. Where an audit finds a tool that no rollout recorded, that is the time in
its receipt, which is the host's word, held to lie after the last time that the host was seen, and not in the future.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import log
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import LogHead
from ansible_collections.pinned.release.plugins.plugin_utils._audit.statements import (
    ANSWERED,
    Build,
    Sighting,
    Told,
    read,
)


@dataclass(frozen=True)
class Event:
    """What happened to a tool on one host, and *when* (UTC)."""

    when: str
    tool: str
    before: Build | None
    after: Build | None


@dataclass(frozen=True)
class Seen:
    """What one statement says of a host: *when*, in which *kind* of run, and compared with which lock file."""

    when: str
    kind: str
    lock_sha256: str
    sighting: Sighting

    @property
    def is_answer(self) -> bool:
        """Whether it is known what the host had then."""
        return self.sighting.seen in ANSWERED


@dataclass(frozen=True)
class OnDay:
    """What a host had at the end of a day (UTC).

    tools  by name: the build, and since when it was there
    seen   the last statement until then that says what it had, None where there is none
    next   the first one after that; between the two nobody looked
    """

    tools: Mapping[str, tuple[Build, str]]
    seen: Seen | None
    next: Seen | None


@dataclass(frozen=True)
class HostPast:
    """The past of one host.

    current      what it has, as far as the log knows
    first        when each tool was first there
    removed      when each tool went that is gone
    converged    by which lock files it was as they pin, each by its SHA-256 → when last
    last_full    when all its files were last hashed and compared; "" for never
    last_answer  when it was last known what it has; "" for never
    seen         what each statement says of it; only of the host that was asked for
    """

    events: tuple[Event, ...] = ()
    current: Mapping[str, Build] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    converged: Mapping[str, str] = field(default_factory=dict)
    last_full: str = ""
    last_answer: str = ""
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True)
class History:
    """What a log says of each host; *head* is how far the log went, *reports* has the SHA-256 of each report."""

    hosts: Mapping[str, HostPast] = field(default_factory=dict)
    head: LogHead | None = None
    reports: frozenset[str] = frozenset()

    def of(self, host: str) -> HostPast:
        """Return the past of *host*, an empty one where the log has nothing of it."""
        return self.hosts.get(host, _NO_PAST)

    def on_day(self, host: str, day: str) -> OnDay:
        """Return what *host*, whose sightings are here, had at the end of *day* (``2026-11-03``)."""
        past, end = self.of(host), f"{day}T23:59:59Z"
        tools: dict[str, tuple[Build, str]] = {}
        for event in past.events:
            if event.when > end:
                continue
            if event.after is None:
                tools.pop(event.tool, None)
            elif event.tool not in tools or tools[event.tool][0] != event.after:
                tools[event.tool] = (event.after, event.when)
        answers = [seen for seen in past.seen if seen.is_answer]
        return OnDay(
            tools=dict(sorted(tools.items())),
            seen=next((seen for seen in reversed(answers) if seen.when <= end), None),
            next=next((seen for seen in answers if seen.when > end), None),
        )


_NO_PAST = HostPast()


def known(path: Path, seen_of: str = "") -> History:
    """Return what the log at *path* says; an empty history where there is no log. *seen_of* is as in fold().

    Raises ReleaseError for a log that is not what was written, or says something that is no statement of ours.
    """
    head: list[LogHead] = []
    return replace(fold(_told(path, head), seen_of), head=head[-1] if head else None)


def unrecorded(name: object) -> str:
    """Return the words for a report that is not in the log as it is."""
    why = "the report was changed, the log was cut off, or the two do not belong together"
    return f"the log has no entry about {name} as it is: {why}"


def fold(statements: Iterable[Told], seen_of: str = "") -> History:
    """Return what *statements* say together, in their order.

    Each sighting is kept of the host *seen_of* alone: there are as many as hosts times statements.
    """
    pasts: dict[str, _Past] = {}
    reports: set[str] = set()
    for told in statements:
        reports.update([told.report[1]] if told.report else [])
        for change in told.changes:
            for host, when in change.hosts.items():
                pasts.setdefault(host, _Past()).add(Event(when, change.tool, change.before, change.after))
        for host, sighting in told.hosts.items():
            seen = Seen(sighting.asked or told.when, told.kind, told.lock.sha256, sighting)
            pasts.setdefault(host, _Past()).see(seen, is_kept=host == seen_of)
    return History({host: past.frozen() for host, past in sorted(pasts.items())}, None, frozenset(reports))


def _told(path: Path, head: list[LogHead]) -> Iterator[Told]:
    """Yield what each entry of the log tells, and keep its *head*."""
    for entry, sha256 in log.entries(path):
        head[:] = [LogHead(entry.number, sha256)]
        try:
            yield read(entry.envelope.statement, f"entry {entry.number}")
        except ReleaseError as error:
            raise error.about(str(path)) from error


class _Past:
    """The past of a host while the log is read."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._seen: list[Seen] = []
        self._current: dict[str, Build] = {}
        self._first: dict[str, str] = {}
        self._removed: dict[str, str] = {}
        self._converged: dict[str, str] = {}
        self._last_full = ""
        self._last_answer = ""

    def add(self, event: Event) -> None:
        """Take what happened next."""
        self._events.append(event)
        if event.after is None:
            if self._current.pop(event.tool, None) is not None:
                self._removed[event.tool] = event.when
            return
        self._current[event.tool] = event.after
        self._first.setdefault(event.tool, event.when)
        self._removed.pop(event.tool, None)

    def see(self, seen: Seen, is_kept: bool) -> None:
        """Take what a statement says of the host."""
        if is_kept:
            self._seen.append(seen)
        if seen.sighting.is_full:
            self._last_full = max(self._last_full, seen.when)
        if seen.is_answer:
            self._last_answer = max(self._last_answer, seen.when)
        if seen.sighting.seen in ("changed", "as_pinned"):
            self._converged[seen.lock_sha256] = seen.when

    def frozen(self) -> HostPast:
        """Return all that was taken."""
        return HostPast(
            events=tuple(self._events),
            current=self._current,
            first=self._first,
            removed=self._removed,
            converged=self._converged,
            last_full=self._last_full,
            last_answer=self._last_answer,
            seen=tuple(self._seen),
        )
