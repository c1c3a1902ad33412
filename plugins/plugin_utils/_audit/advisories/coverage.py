# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which databases were asked about a tool, and what of it could none be asked about? Pure; runs on the controller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.database import Database
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Coverage, Covered, Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import Package, read_purl
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.subjects import packages_of


def coverage(database: Database, subjects: Iterable[Subject], unread: Collection[str] = ()) -> tuple[Coverage, ...]:
    """Return what *database* was asked about each tool of *subjects*, in the order of their names.

    *unread* are the tools of which not all components are known that could be.
    """
    ordered = sorted(subjects)
    return tuple(
        _of_tool(database, tool, tuple(own), tool in unread) for tool, own in groupby(ordered, lambda one: one.tool)
    )


def _of_tool(database: Database, tool: str, subjects: Sequence[Subject], is_unread: bool) -> Coverage:
    packages = sorted({package for subject in subjects for package in packages_of(subject)})
    asked = [package for package in packages if package.ecosystem in database.ecosystems]
    counts = Counter(package.ecosystem for package in asked)
    known = Counter(package.ecosystem for package in asked if package in database.records)
    covered = tuple(Covered(name, counts[name], known[name]) for name in sorted(counts))
    return Coverage(tool, covered, (*_gaps(database, subjects, packages), *_inside_gaps(subjects, is_unread)))


def _gaps(database: Database, subjects: Sequence[Subject], packages: Sequence[Package]) -> Iterator[str]:
    own = [subject for subject in subjects if not subject.where]
    if not any(package in database.records for subject in own for package in packages_of(subject)):
        yield "no record here names the tool itself"
    absent = Counter(package.ecosystem for package in packages if package.ecosystem not in database.ecosystems)
    for ecosystem, count in sorted(absent.items()):
        yield f"no database of {ecosystem} is here ({_counted(count)})"
    inside = {subject.purl for subject in subjects if subject.where and not packages_of(subject)}
    kinds = Counter(read_purl(purl).package[0] for purl in inside)
    for kind, count in sorted(kinds.items()):
        yield f"components of the type {kind} are in no kind of database that is read ({_counted(count)})"


def _inside_gaps(subjects: Sequence[Subject], is_unread: bool) -> Iterator[str]:
    if is_unread:
        yield "the file of components does not say of all assets what is inside: run pinned.release.lock"
    elif not any(subject.where for subject in subjects):
        yield "its compilers recorded nothing of what its programs are built of"


def _counted(count: int) -> str:
    return "1 package" if count == 1 else f"{count} packages"
