# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a catalogue say of a tool: the collection's own, or one of a site? Runs on the controller.

Its schema, for editors, is docs/schema/catalogue.schema.json; a test shows that parse() accepts what the schema does.
Files are read when the first tool is looked up: a rollout, which has a lock file, needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.tool_keys import ToolKeys, read_keys
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import CATALOGUED
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest, slips
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml

#: The collection's own.
OWN = Path(__file__).with_name("tools.yml")
_ABOUT = "description also repackaged offers seen"


@dataclass(frozen=True)
class Entry:
    """One tool of a catalogue.

    keys         what a manifest would say of it
    description  what it is, in a line
    also         other names that people look for it by
    repackaged   who made the package, where that is not its publisher: ``by scikit-build, not by Kitware``; else ""
    offers       which proofs its publisher was seen to offer, where *keys* demand none: ``OpenPGP signatures, sums``
    seen         the addresses where all of this was seen
    file         the site's file that says so; None for the collection's own
    """

    name: str
    keys: ToolKeys
    description: str = ""
    also: tuple[str, ...] = ()
    repackaged: str = ""
    offers: str = ""
    seen: tuple[str, ...] = ()
    file: Path | None = None


@dataclass(frozen=True)
class Catalogue:
    """The collection's own catalogue, and before it those of a site: *files*, of which the first counts most.

    *read* returns the text of one of them, or raises ReleaseError.
    """

    files: tuple[Path, ...] = ()
    read: Callable[[Path], str] = lambda path: path.read_text(encoding="utf-8")

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by name. Raises ReleaseError where a file of the site cannot be read, or does not fit."""
        entries = dict(own())
        for file in reversed(self.files):
            entries.update(parse(self.read(file), str(file), file))
        return entries

    def get(self, name: str) -> Entry | None:
        """Return the entry *name*, None if there is none. Raises ReleaseError as entries does."""
        return self.entries.get(name)

    def nearest(self, name: str) -> str | None:
        """Return the name of the tool that is also called *name*, or else is written most like it; None for none.

        Of so many names, one is always rather like a short word: of that, only one letter may be wrong.
        """
        also = next((entry.name for entry in self.entries.values() if name in entry.also), None)
        if also:
            return also
        names = {other: entry.name for entry in self.entries.values() for other in (*entry.also, entry.name)}
        near = nearest(name, names)
        return names[near] if near and slips(name.lower(), near.lower()) <= max(1, len(name) // 3) else None


@cache
def own() -> Mapping[str, Entry]:
    """Return the entries of the collection's own catalogue by name."""
    return parse(OWN.read_text(encoding="utf-8"), OWN.name)


def parse(text: str, name: str, file: Path | None = None) -> dict[str, Entry]:
    """Return the entries that the *text* of the file *name* has. Raises ReleaseError with the line where it has none.

    *file* is where it was read from, if it is of a site.
    """
    tools = read_yaml(text, name).fields("tools")["tools"]
    example = 'a mapping of tools, such as  jq: {source: {github: jqlang/jq, tag: "jq-{version}"}}'
    places = tools.mapping(lambda place: place, least=1, expected=example)
    return {tool: _entry(tool, place, file) for tool, place in places.items()}


def _entry(name: str, place: Place, file: Path | None) -> Entry:
    fields = place.fields("source", " ".join((*CATALOGUED, _ABOUT)))
    return Entry(
        name=name,
        keys=read_keys(fields),
        description=fields["description"].text(forms.SUMMARY) if "description" in fields else "",
        also=fields["also"].items(lambda one: one.text(forms.NAME), least=1) if "also" in fields else (),
        repackaged=fields["repackaged"].text(forms.REMARK) if "repackaged" in fields else "",
        offers=fields["offers"].text(forms.REMARK) if "offers" in fields else "",
        seen=fields["seen"].items(lambda one: one.text(forms.WEB_URL), least=1) if "seen" in fields else (),
        file=file,
    )
