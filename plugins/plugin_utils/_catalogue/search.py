# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tools of a catalogue may somebody mean by a word, and how are they told? Pure; runs on the controller.

Best first: the name itself, another name of it, names and then descriptions with that word in them, names with a word
that begins so, descriptions with another form of the word (lint, linter), projects and their owners, names with the
letters in them, names that are written nearly so. The shorter a description, the more of it is about its word.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Catalogue, Entry
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import (
    DeclaredSource,
    sources_in,
    text_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import ALIKE, LONGEST_COMPARED
from ansible_collections.pinned.release.plugins.plugin_utils._values.source_name import host_of, source_name
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import folded, listed, shown

MOST = 10
#: Shorter words are in too many names to mean one of them by a part of it.
_SHORTEST_PART = 3
#: What is not needed to tell one kind of word in a description from another.
_WORDS = re.compile(r"[A-Za-z0-9+#]+")
#: What another form of a word ends with: not all that begins so means it, such as JavaScript for Java.
_ENDINGS = ("s", "es", "d", "ed", "r", "er", "rs", "ers", "ing")
#: The places in the ways below that look at descriptions.
_BY_DESCRIPTION = (3, 5)
#: Where a source says who publishes what. Addresses have words that say nothing of a tool.
_PROJECTS = ("github", "gitlab", "gitea", "npm", "oci", "pypi")
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
    offers      which proofs its publisher was seen to offer, of which none is demanded
    proof       the kinds of proof that are verified when it is locked, each with who must have made it
    catalogue   the site's file that has it; "" for the collection's own
    line        what to write below ``tools:`` of a manifest
    """

    name: str
    description: str
    source: str
    proof: Mapping[str, Sequence[str]]
    repackaged: str
    offers: str
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
    return [*told, *more, "", *_NEXT, *_of_the_site(found[:MOST])]


def _of_the_site(found: Sequence[Candidate]) -> list[str]:
    """Return what a manifest needs as well for those that were *found* in a site's catalogue; [] for none."""
    files = list(dict.fromkeys(candidate.catalogue for candidate in found if candidate.catalogue))
    if not files:
        return []
    text = f"For what {listed(files)} says, the manifest needs this line too, with the path seen from there:"
    return [*folded(text, _WIDTH, ""), f"  catalogue: [{', '.join(files)}]"]


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
    yield from _wrapped(f"from {_in_short(found.source)}{origin}", indent)
    if found.repackaged:
        yield from _wrapped(f"not its publisher's own package: repackaged {found.repackaged}", indent)
    for kind, identities in found.proof.items():
        yield from _wrapped(f"must be proven by {kind}: {' or '.join(identities)}", indent)
    if found.offers:
        yield from _wrapped(f"its publisher offers: {found.offers}", indent)
    yield f"{indent}add  {found.line}"


def _wrapped(text: str, indent: str) -> list[str]:
    """Return *text* in lines that a terminal shows whole; what has no space in it stays in one."""
    return folded(indent + text, _WIDTH, f"{indent}  " if indent else " " * _NAME)


def _rank(word: str, entry: Entry, near: Mapping[str, int]) -> tuple[int, int] | None:
    """Return how far an *entry* is from what *word* means, least for the tool of that name; None if it is not meant."""
    names = [name.casefold() for name in (entry.name, *entry.also)]
    called = [part for name in names for part in _words(name)]
    described = _words(entry.description)
    projects = [part for project in _projects(entry.keys.source) for part in _words(project)]
    ways = (
        word == names[0],
        word in names,
        word in called,
        word in described,
        any(name.startswith(word) for name in (*names, *called)),
        any(word + ending in described for ending in _ENDINGS),
        any(part.startswith(word) for part in projects),
        len(word) >= _SHORTEST_PART and any(word in name for name in names),
    )
    if True in ways:
        rank = ways.index(True)
        return rank, len(described) if rank in _BY_DESCRIPTION else 0
    return (len(ways), near[entry.name]) if entry.name in near else None


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())


def _projects(source: DeclaredSource) -> Iterator[str]:
    """Yield the names of the projects that a *source* is about, with their owners."""
    for one in sources_in(source):
        yield from (name for kind in _PROJECTS if (name := text_of(one, kind)) and "://" not in name)


def _near(word: str, entries: Mapping[str, Entry]) -> dict[str, int]:
    """Return the tools with names that are written nearly as *word* is, with their places: the nearest first.

    Hardly anybody mistypes the first letter; names that only sound alike are no help.
    """
    if len(word) > LONGEST_COMPARED:
        return {}
    names = {name.casefold(): entry.name for entry in entries.values() for name in (*entry.also, entry.name)}
    alike = difflib.get_close_matches(word, [name for name in names if name[:1] == word[:1]], MOST, ALIKE)
    return {names[name]: place for place, name in reversed(list(enumerate(alike)))}


def _candidate(entry: Entry) -> Candidate:
    return Candidate(
        name=entry.name,
        description=entry.description,
        source=_channel(entry.keys.source),
        proof={kind: [str(identity) for identity in pinned] for kind, pinned in entry.keys.verify.items()},
        repackaged=entry.repackaged,
        offers=entry.offers,
        catalogue=entry.file.name if entry.file else "",
        line=f"{entry.name}: latest",
    )


def _channel(source: DeclaredSource) -> str:
    return source_name(source) or next(iter(source))


def _plain_name(word: str) -> str:
    """Return *word* as the name of a tool, as far as it can be one."""
    return re.sub(r"[^a-z0-9._+-]+", "-", word.casefold()).strip("-._+")[:40] or "NAME"
