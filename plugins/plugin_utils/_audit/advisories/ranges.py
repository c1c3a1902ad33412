# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an advisory say that a version of a package is affected, and which one has the fix? Pure; controller.

The evaluation is that of ossf.github.io/osv-schema, "Evaluation", with a third answer: it cannot be told. That is the
answer wherever a version has no place in an order that is known. Commits have none here: that takes the repository. So
of what is released from a repository, only the list of its tags is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.order import Ordered, order_of
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import GIT, Package
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.record import Affected, Event, Range
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

_ORDERED_KINDS = ("ECOSYSTEM", "SEMVER")
#: What ends a range. Without one, every later version is affected, and a list of tags is soon out of date.
_ENDS = ("fixed", "last_affected", "limit")
#: At one version, what was fixed may come back: then it is affected.
_AT_ONE_VERSION = ("fixed", "introduced", "last_affected", "limit")
_BEGINNING, _NO_LIMIT = Event("introduced", "0"), Event("limit", "*")
_BEFORE_NUMBER = re.compile(r"[^0-9]*")


@dataclass(frozen=True)
class Verdict:
    """What an advisory says of one version: *reason* is why it cannot be told, *fixed_in* the next fixed versions."""

    outcome: Literal["affected", "not_affected", "cannot_compare"]
    reason: str = ""
    fixed_in: tuple[str, ...] = ()


_NOT_AFFECTED = Verdict("not_affected")


def verdict(affected: Sequence[Affected], package: Package, version: str) -> Verdict:
    """Return what a record that names the *affected* says of the *version* of *package*.

    If one of its parts says affected, it is; else it cannot be told if one of them cannot tell.
    """
    told = [_verdict(one, package, version) for one in affected if package in one.packages]
    fixed_in = tuple(dict.fromkeys(fixed for one in told for fixed in one.fixed_in))
    for outcome in ("affected", "cannot_compare"):
        found = next((one for one in told if one.outcome == outcome), None)
        if found:
            return Verdict(found.outcome, found.reason, fixed_in)
    return _NOT_AFFECTED


def _verdict(affected: Affected, package: Package, version: str) -> Verdict:
    if not version:
        return Verdict("cannot_compare", "the version is not known")
    if package.ecosystem == GIT:
        return _by_tags(affected, package, version)
    ranges = [one for one in affected.ranges if one.kind != GIT]
    told = [_in_range(one, package.ecosystem, version) for one in ranges]
    if any(one.outcome == "affected" for one in told):
        return Verdict("affected", fixed_in=tuple(fixed for one in told for fixed in one.fixed_in))
    if _is_listed(affected.versions, package.ecosystem, version):
        return Verdict("affected")
    incomparable = next((one for one in told if one.outcome == "cannot_compare"), None)
    if incomparable:
        return incomparable
    if not ranges and not affected.versions:
        return Verdict("cannot_compare", "the advisory names no versions" + (", only commits" * bool(affected.ranges)))
    return _NOT_AFFECTED


def _is_listed(versions: Sequence[str], ecosystem: str, version: str) -> bool:
    if version in versions:
        return True
    place = order_of(ecosystem, version)
    return place is not None and any(order_of(ecosystem, one) == place for one in versions)


@dataclass(frozen=True)
class _Timeline:
    """The events of a range in their order, each with its place in it.

    is_from_beginning  whether ``introduced: 0`` is among them, which comes before all versions
    is_limited         whether there are limits, and none of them is ``*``, which is no limit
    """

    events: tuple[tuple[Ordered, Event], ...]
    is_from_beginning: bool
    is_limited: bool


def _in_range(given: Range, ecosystem: str, version: str) -> Verdict:
    """Walk through the events of a range in their order, up to *version*."""
    place = order_of(ecosystem, version)
    if place is None:
        return Verdict("cannot_compare", f"the version {shown(version)} has no place in the order of {ecosystem}")
    timeline = _timeline(given, ecosystem)
    if isinstance(timeline, str):
        return Verdict("cannot_compare", timeline)
    is_within = any(event.what == "limit" and place < at for at, event in timeline.events)
    if timeline.is_limited and not is_within:
        return _NOT_AFFECTED
    if not _is_affected(timeline, place):
        return _NOT_AFFECTED
    later = [event.version for at, event in timeline.events if event.what == "fixed" and place < at]
    return Verdict("affected", fixed_in=tuple(later[:1]))


def _is_affected(timeline: _Timeline, place: Ordered) -> bool:
    is_affected = timeline.is_from_beginning
    for at, event in timeline.events:
        if event.what == "introduced" and at <= place:
            is_affected = True
        elif (event.what == "fixed" and at <= place) or (event.what == "last_affected" and at < place):
            is_affected = False
    return is_affected


def _timeline(given: Range, ecosystem: str) -> _Timeline | str:
    """Return the events of a range in the order of *ecosystem*, or why they have none."""
    if given.kind not in _ORDERED_KINDS:
        return f"the advisory has a range of a kind that is not known, {shown(given.kind)}"
    if not any(event.what == "introduced" for event in given.events):
        return "the advisory has a range without a beginning"
    placed = []
    for event in sorted(given.events, key=lambda event: _AT_ONE_VERSION.index(event.what)):
        at = order_of(ecosystem, event.version)
        if event in (_BEGINNING, _NO_LIMIT):
            continue
        if at is None:
            return f"the advisory's version {shown(event.version)} has no place in the order of {ecosystem}"
        placed.append((at, event))
    has_limits = any(event.what == "limit" for event in given.events)
    ordered = tuple(sorted(placed, key=lambda one: one[0]))
    return _Timeline(ordered, _BEGINNING in given.events, has_limits and _NO_LIMIT not in given.events)


def _by_tags(affected: Affected, package: Package, tag: str) -> Verdict:
    """Return what the list of affected tags says of *tag*.

    One that is not listed is taken for not affected only if the list speaks of tags of its form, and every range of
    the repository has an end.
    """
    if any(_plain(one) == _plain(tag) for one in affected.versions):
        return Verdict("affected")
    if not affected.versions:
        return Verdict("cannot_compare", "the advisory names commits, and no tags")
    if not any(_form(one) == _form(tag) for one in affected.versions):
        return Verdict("cannot_compare", f"the advisory names no tags of the form of {shown(tag)}")
    own = [one for one in affected.ranges if one.repo == package]
    if not all(any(event.what in _ENDS for event in one.events) for one in own):
        return Verdict("cannot_compare", "the advisory names no fix, and its list of tags may be older than this one")
    return _NOT_AFFECTED


def _plain(tag: str) -> str:
    return tag.removeprefix("v") if tag[1:2].isdigit() else tag


def _form(tag: str) -> str:
    found = _BEFORE_NUMBER.match(_plain(tag))
    return found.group() if found else ""
