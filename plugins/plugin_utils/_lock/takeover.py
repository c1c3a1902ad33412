# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does what another tool pinned become a manifest, and digests to compare? Pure; runs on the controller.

Nothing is dropped in silence: what cannot be taken over is told, and why, in the manifest and in the notes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import file_labels, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.foreign_digests import ForeignDigests, Statement
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignTool,
    Imported,
    Left,
    fit_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.published_where import Published, published
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, printable
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import order_of

#: If no lock file says a platform, and no file name either.
USUAL_PLATFORM = "linux/x86_64"
MOST_TOLD = 50


@dataclass(frozen=True)
class Entry:
    """A tool as the manifest will have it, and as the other lock file has it. *note*: what was taken for granted."""

    name: str
    origin: str
    foreign: ForeignTool
    where: Published
    platforms: tuple[str, ...]

    def line(self, platforms: Sequence[str] = ()) -> str:
        """Return its line of manifest; its platforms are in it where they are others than *platforms*."""
        words = {"source": _flow(self.where.source), "version": json.dumps(self.where.version)}
        if self.where.version is None:
            del words["version"]
        if self.where.asset:
            words["asset"] = json.dumps(self.where.asset)
        if self.platforms and set(self.platforms) != set(platforms):
            words["platforms"] = f"[{', '.join(self.platforms)}]"
        return f"{self.name}: {{{', '.join(f'{key}: {value}' for key, value in words.items())}}}"


@dataclass(frozen=True)
class TakenOver:
    """What becomes of lock files of other tools, *origins*: *entries* of a manifest, and what is *left*."""

    origins: str
    entries: tuple[Entry, ...]
    left: tuple[Left, ...] = ()

    @property
    def text(self) -> str:
        """The text of a manifest with all entries, and a comment on what is left."""
        return _manifest(self.origins, self.entries, self.left)

    @property
    def digests(self) -> ForeignDigests:
        """All digests to compare."""
        return ForeignDigests(tuple(statement for entry in self.entries for statement in _statements(entry)))

    def without(self, entry: Entry, why: str) -> TakenOver:
        """Return this without an *entry*, which is left for the reason *why*."""
        left = Left(f"{entry.name} {entry.where.version or ''}".rstrip(), why)
        return replace(self, entries=tuple(one for one in self.entries if one != entry), left=(*self.left, left))

    def notes(self, wanted: manifest.Manifest) -> Iterator[str]:
        """Yield what to tell: what cannot be taken over, and which tools a manifest that was there before lacks."""
        for left in self.left[:MOST_TOLD]:
            yield f"not taken over: {left}"
        if len(self.left) > MOST_TOLD:
            yield f"not taken over: {len(self.left) - MOST_TOLD} more"
        yield from (f"{entry.name}: {entry.where.note}" for entry in self.entries if entry.where.note)
        sources = [_project(tool.source) for tool in wanted.tools.values()]
        for entry in self.entries:
            is_there = entry.name in wanted.tools or (
                _project(entry.where.source) in sources and not entry.foreign.over
            )
            if not is_there:
                yield f"the manifest does not have {entry.name}, which {entry.origin} pins; to add it: {entry.line()}"


def take_over(imports: Sequence[Imported], unread: Sequence[Left] = ()) -> TakenOver:
    """Return what becomes of *imports*; *unread* is what was left before.

    Raises ReleaseError if no tool of them can be taken over.
    """
    left = [*unread, *(one for imported in imports for one in imported.left)]
    entries: dict[str, Entry] = {}
    for imported in imports:
        for tool in imported.tools:
            found = _entry(imported.origin, tool)
            if isinstance(found, Left):
                left.append(found)
            else:
                left += _join(entries, found)
    origins = listed(dict.fromkeys(imported.origin for imported in imports))
    if not entries:
        raise ReleaseError(
            f"nothing in {origins} can be taken over",
            expected="a tool whose releases a source of this collection has",
            found="; ".join(map(str, left[:MOST_TOLD])) or "no tool at all",
            fix="write a manifest",
        )
    ordered = tuple(entries[name] for name in sorted(entries))
    for entry in ordered:
        _refuse_contradiction(entry)
    return TakenOver(origins, ordered, tuple(left))


def _entry(origin: str, tool: ForeignTool) -> Entry | Left:
    """Return the entry for one tool, or why there can be none."""
    name = tool.name or file_labels.common_name([file.name for file in tool.files])
    if tool.over:
        name = file_labels.further_name(tool.files[0], tool.over, tool.version or "")
    try:
        where = published(tool)
        if tool.over:
            where = replace(where, note=f"{origin} has it unpacked over {tool.over}; here it is a tool of its own")
        name = name or fit_name(_project(where.source)[1])
        named = replace(tool, name=name)
        served = [file for file in tool.files if file not in where.others]
        platforms = [one for file in served for one in file_labels.platforms_of(file, name, where.version or "")]
        entry = Entry(name, origin, named, where, tuple(dict.fromkeys(map(str, platforms))))
        manifest.parse(_document((USUAL_PLATFORM,), [entry]))
    except ReleaseError as error:
        files = [file.url for file in tool.files]
        why = error.what if error.expected is None else f"{error.expected} is needed, and {error.found} was found"
        return Left(f"{name or next(iter(files), origin)} {tool.version or ''}".rstrip(), why)
    return entry


def _join(entries: dict[str, Entry], entry: Entry) -> list[Left]:
    """Put *entry* among *entries*, and return what of it cannot be: a host has one version of a tool."""
    other = entries.setdefault(entry.name, entry)
    if other is entry:
        return []
    if _project(other.where.source) != _project(entry.where.source):
        return [Left(f"{entry.name} of {entry.origin}", "another tool is called so")]
    if other.where.version == entry.where.version:
        more = tuple(file for file in entry.foreign.files if file not in other.foreign.files)
        joined = replace(other.foreign, files=other.foreign.files + more)
        platforms = tuple(dict.fromkeys((*other.platforms, *entry.platforms)))
        asset = published(joined).asset if joined.over else other.where.asset
        entries[entry.name] = replace(
            other, foreign=joined, platforms=platforms, where=replace(other.where, asset=asset)
        )
        return []
    older, newer = sorted((other, entry), key=lambda one: order_of(one.where.version or ""))
    entries[entry.name] = newer
    why = f"a host has one version of a tool, and {newer.where.version} is newer"
    return [Left(f"{older.name} {older.where.version}", why)]


def _project(source: Mapping[str, object]) -> tuple[str, str]:
    """Return what a *source* begins with: its kind, and the project. Capital letters do not tell projects apart."""
    kind, project = next(iter(source.items()))
    return kind, str(project).lower()


def _statements(entry: Entry) -> Iterator[Statement]:
    [(kind, project), *_options] = entry.where.source.items()
    # A file that serves several platforms stands there for each.
    for file in {file.url: file for file in entry.foreign.files}.values():
        yield Statement(
            origin=entry.origin.replace(":", "-"),  # a colon tells an address
            tool=entry.name,
            version=entry.where.version or "",
            source=(kind, str(project)),
            name=file.name,
            url=file.url,
            digests=tuple(sorted(file.digests.items())),
            size=file.size,
        )


def _refuse_contradiction(entry: Entry) -> None:
    """Raise ReleaseError if the lock file states two different digests of one file of *entry*."""
    known: dict[tuple[str, str], str] = {}
    for file in entry.foreign.files:
        for algorithm, value in file.digests.items():
            other = known.setdefault((file.url, algorithm), value)
            if other != value:
                raise ReleaseError(
                    f"{entry.origin} contradicts itself about {file.name}",
                    expected=f"{algorithm} {other}",
                    found=f"{algorithm} {value}",
                    fix=f"correct {entry.origin}",
                )


def _manifest(origins: str, entries: Sequence[Entry], left: Sequence[Left]) -> str:
    """Return the text of a manifest with all *entries*, and a comment on what was *left*."""
    platforms = dict.fromkeys(platform for entry in entries for platform in entry.platforms)
    text = f"# Taken over from {origins}. It is yours now: the versions are those that are pinned there.\n"
    text += _document(tuple(platforms) or (USUAL_PLATFORM,), entries)
    if left:
        text += "# Not taken over:\n"
        text += "".join(f"#   {printable(str(one))}\n" for one in left)
    return text


def _document(platforms: Sequence[str], entries: Iterable[Entry]) -> str:
    text = f"platforms: [{', '.join(sorted(platforms))}]\ntools:\n"
    for entry in entries:
        note = f"  # {printable(entry.where.note)}\n" if entry.where.note else ""
        text += f"{note}  {entry.line(platforms)}\n"
    return text


def _flow(words: Mapping[str, str | dict[str, str]]) -> str:
    """Return *words* as YAML on one line: what is in quotes is the same in JSON, and nothing in it means anything."""
    inside = (
        f"{key}: {_flow(value) if isinstance(value, dict) else json.dumps(value)}" for key, value in words.items()
    )
    return f"{{{', '.join(inside)}}}"
