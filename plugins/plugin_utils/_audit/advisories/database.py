# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the records in a folder say of the packages that somebody asks about? Runs on the controller.

A database has hundreds of thousands of records, and a few concern us. So each is searched for the names first, as
bytes; only what may concern us is taken apart and kept. The search is made so that it finds too much rather than too
little: in names, what ecosystems disagree about (case, and ``-``, ``_`` and ``.``) does not count, and a record whose
names are written with escapes, or in letters beyond ASCII, is taken apart in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Damaged, Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.folder import records_in
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import GIT, Package
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.record import Record, parse
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.subjects import packages_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened

#: As many damaged records are told by name.
MOST_TOLD = 100
#: What is kept, as it was in files: all that npm's database has is about as much.
MOST_KEPT_BYTES = 256 * 1024 * 1024
_NAMES = re.compile(rb'"(name|repo|ecosystem)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
#: A letter of a to z that is written as an escape, as in ``"\u006eame"``: nobody needs to, and it hides a name.
_HIDDEN = re.compile(rb"\\u00[67]")
_PORT = re.compile(rb":[0-9]+(?=/)")
_LOOSE = bytes(range(256)).lower()
_SEPARATORS = b"-_."


@dataclass(frozen=True)
class Database:
    """The records about the packages that were asked about, and what else there was.

    records     of each package, in the order of their ids; those that their publishers took back are only counted
    ecosystems  all that any record is of
    """

    records: Mapping[Package, tuple[Record, ...]]
    ecosystems: frozenset[str]
    records_count: int
    withdrawn: int
    damaged: tuple[Damaged, ...]
    damaged_count: int


def read(folder: Path, subjects: Iterable[Subject]) -> Database:
    """Return what the records in *folder* say of the packages of *subjects*.

    Raises ReleaseError if the folder or a zip file in it cannot be read, or there is no record at all.
    """
    wanted = {package for subject in subjects for package in packages_of(subject)}
    reading = _Reading(wanted, frozenset(_loose_name(package) for package in wanted))
    for name, content in records_in(folder):
        reading.take(name, content)
    if not reading.count:
        raise _empty(folder)
    return reading.database()


def refuse_empty(folder: Path) -> None:
    """Raise ReleaseError if *folder* cannot be read, or nothing is in it that could be a record."""
    if next(records_in(folder), None) is None:
        raise _empty(folder)


def _empty(folder: Path) -> ReleaseError:
    return ReleaseError(
        f"the folder of advisories {folder} holds no records",
        expected="OSV records, *.json, or the zip files of osv.dev, such as Go/all.zip",
        fix="download them into this folder, or name another one in advisories",
    )


@dataclass
class _Reading:
    """What was found so far: the newest of the records with one id."""

    wanted: Set[Package]
    names: Set[bytes]
    count: int = 0
    kept_bytes: int = 0
    records: dict[str, Record] = field(default_factory=dict)
    ecosystems: set[bytes] = field(default_factory=set)
    damaged: list[Damaged] = field(default_factory=list)
    damaged_count: int = 0

    def take(self, name: str, content: bytes | ReleaseError) -> None:
        """Look at one record, and keep it if it concerns us. Raises ReleaseError if far too many do."""
        self.count += 1
        try:
            if isinstance(content, ReleaseError):
                raise content
            if not self._concerns(content):
                return
            record = parse(content, name)
        except ReleaseError as error:
            self.damaged_count += 1
            if len(self.damaged) < MOST_TOLD:
                self.damaged.append(Damaged(shortened(name, 200), _reason(error)))
            return
        known = self.records.get(record.id)
        is_ours = any(package in self.wanted for affected in record.affected for package in affected.packages)
        if is_ours and (known is None or known.modified < record.modified):
            self.records[record.id] = record
            self.kept_bytes += len(content)
        if self.kept_bytes > MOST_KEPT_BYTES:
            raise ReleaseError(
                "the folder of advisories says more about what is pinned than any database",
                found=f"{self.kept_bytes} bytes until {shortened(name, 200)}",
                fix="download the databases again into an empty folder",
            )

    def _concerns(self, content: bytes) -> bool:
        """Return whether a record may be about one of our packages. Raises ReleaseError if it is cut off."""
        if not (content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and content.rstrip().endswith(b"}")):
            raise ReleaseError("is no JSON object, or cut off")
        is_ours = _HIDDEN.search(content) is not None
        for key, value in _NAMES.findall(content):
            if key == b"ecosystem":
                self.ecosystems.add(value)
                continue
            if key == b"repo":
                self.ecosystems.add(GIT.encode())
                value = _of_repository(value)
            if b"\\" in value or not value.isascii() or _loose(value) in self.names:
                is_ours = True
        return is_ours

    def database(self) -> Database:
        """Return all that was found."""
        found: dict[Package, list[Record]] = {}
        for _id, record in sorted(self.records.items()):
            if not record.is_withdrawn:
                for package in dict.fromkeys(_packages(record)):
                    if package in self.wanted:
                        found.setdefault(package, []).append(record)
        return Database(
            records={package: tuple(records) for package, records in found.items()},
            ecosystems=frozenset(name.partition(b":")[0].decode("utf-8", "replace") for name in self.ecosystems),
            records_count=self.count,
            withdrawn=sum(record.is_withdrawn for record in self.records.values()),
            damaged=tuple(self.damaged),
            damaged_count=self.damaged_count,
        )


def _packages(record: Record) -> Iterator[Package]:
    return (package for affected in record.affected for package in affected.packages)


def _loose_name(package: Package) -> bytes:
    return _loose(package.name.encode())


def _loose(name: bytes) -> bytes:
    """Return what all spellings of *name* have in common that any ecosystem takes for equal."""
    return name.translate(_LOOSE, _SEPARATORS)


def _of_repository(address: bytes) -> bytes:
    """Return the host and path of an *address*, as repository() in package.py does."""
    rest = _PORT.sub(b"", address.rpartition(b"//")[2].rpartition(b"@")[2].rstrip(b"/"), count=1)
    return rest[:-4] if rest.lower().endswith(b".git") else rest


def _reason(error: ReleaseError) -> str:
    expected = f": expected {error.expected}" if error.expected else ""
    return shortened(f"{error.what}{expected}", 300)
