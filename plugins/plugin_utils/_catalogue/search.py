# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tools of a catalogue may somebody mean by a word, and how are they told? Pure; runs on the controller.

Best first: the name itself, another name of it, names that begin so or have the word in them, descriptions with the
word in them or publishers, names that are written nearly so.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Catalogue, Entry
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import ALIKE, LONGEST_COMPARED
from ansible_collections.pinned.release.plugins.plugin_utils._values.source_name import host_of, source_name
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import folded, shown

MOST = 10
#: Shorter words are in too many names to mean one of them by a part of it.
_SHORTEST_PART = 3
#: What is not needed to tell one kind of word in a description from another.
_WORDS = re.compile(r"[A-Za-z0-9+#]+")
#: So wide is the name, so that what is told of each candidate begins in one column.
_NAME, _WIDTH = 12, 80
_NEXT = (
    "Add the line below tools: in releases.yml. In place of latest, a version may",
    'stand there in quotes: "1.2.3", "1.2.*", ">=1.2,<2".',
)


@dataclass(frozen=True)
class Candidate:
    """A tool that may be meant.

    source      where it is published, in a word: ``github:jqlang/jq``
    proof       the kinds of proof that are verified when it is locked, each with who must have made it
    catalogue   the site's file that has it; "" for the collection's own
    line        what to write below ``tools:`` of a manifest
    """

    name: str
    description: str
    source: str
    proof: Mapping[str, Sequence[str]]
    repackaged: str
    catalogue: str
    line: str


def candidates(catalogue: Catalogue, word: str) -> list[Candidate]:
    """Return all tools of the *catalogue* that may be meant by *word*, the best first.

    Raises ReleaseError where a file of the catalogue cannot be read, or does not fit.
    """
    entries = catalogue.entries
    wanted = word.strip().casefold()
    near = _near(wanted, entries)
    ranked = [(rank, name) for name, entry in entries.items() if (rank := _rank(wanted, entry, near)) is not None]
    return [_candidate(entries[name]) for _rank_of, name in sorted(ranked)]


def lines(found: Sequence[Candidate], word: str) -> list[str]:
    """Return what to tell people who looked for *word*: the first that were *found*, and what to do next."""
    if not found:
        return [
            f"The catalogue has no tool like {shown(word)}. Say where it is published, for example:",
            f"  {_plain_name(word)}: github:OWNER/NAME",
        ]
    told = [line for candidate in found[:MOST] for line in _told(candidate)]
    left = len(found) - MOST
    more = ["", f"{left} more have {shown(word)} in name, description or publisher."] if left > 0 else []
    return [*told, *more, "", *_NEXT]


def place(entry: Entry) -> str:
    """Return where the tool of an *entry* is published, in few words: ``github:jqlang/jq``, or a server."""
    return _in_short(_channel(entry.keys.source))


def _in_short(source: str) -> str:
    _kind, _colon, published = source.partition(":")
    return host_of(published) if "://" in published else source


def _told(found: Candidate) -> Iterator[str]:
    indent = " " * _NAME
    yield from _wrapped(f"{found.name.ljust(_NAME - 2)}  {found.description}", "")
    origin = f", as {found.catalogue} says" if found.catalogue else ""
    yield f"{indent}from {_in_short(found.source)}{origin}"
    if found.repackaged:
        yield from _wrapped(f"not its publisher's own package: repackaged {found.repackaged}", indent)
    for kind, identities in found.proof.items():
        yield from _wrapped(f"must be proven by {kind}: {' or '.join(identities)}", indent)
    yield f"{indent}add  {found.line}"


def _wrapped(text: str, indent: str) -> list[str]:
    """Return *text* in lines that a terminal shows whole; what has no space in it stays in one."""
    return folded(indent + text, _WIDTH, f"{indent}  " if indent else " " * _NAME)


def _rank(word: str, entry: Entry, near: Mapping[str, int]) -> int | None:
    """Return how far an *entry* is from what *word* means, 0 for the tool of that name; None where it is not meant."""
    names = [name.casefold() for name in (entry.name, *entry.also)]
    if word == names[0]:
        return 0
    if word in names:
        return 1
    if any(name.startswith(word) for name in names):
        return 2
    if len(word) >= _SHORTEST_PART and any(word in name for name in names):
        return 3
    if word in (found.casefold() for found in _WORDS.findall(entry.description)):
        return 4
    told = (entry.description, _channel(entry.keys.source))
    if len(word) > _SHORTEST_PART and any(word in text.casefold() for text in told):
        return 5
    return near.get(entry.name)


def _near(word: str, entries: Mapping[str, Entry]) -> dict[str, int]:
    """Return the tools with names that are written nearly as *word* is, with their ranks: behind all that have it."""
    if len(word) > LONGEST_COMPARED:
        return {}
    names = {name.casefold(): entry.name for entry in entries.values() for name in (*entry.also, entry.name)}
    alike = difflib.get_close_matches(word, list(names), MOST, ALIKE)
    return {names[name]: 6 + place for place, name in reversed(list(enumerate(alike)))}


def _candidate(entry: Entry) -> Candidate:
    return Candidate(
        name=entry.name,
        description=entry.description,
        source=_channel(entry.keys.source),
        proof={kind: [str(identity) for identity in pinned] for kind, pinned in entry.keys.verify.items()},
        repackaged=entry.repackaged,
        catalogue=entry.file.name if entry.file else "",
        line=f"{entry.name}: latest",
    )


def _channel(source: DeclaredSource) -> str:
    return source_name(source) or next(iter(source))


def _plain_name(word: str) -> str:
    """Return *word* as the name of a tool, as far as it can be one."""
    return re.sub(r"[^a-z0-9._+-]+", "-", word.casefold()).strip("-._+")[:40] or "NAME"
