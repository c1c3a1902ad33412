# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a manifest say of where a tool is published? The value that a lock file repeats. Pure; controller.

Each key has a text, or a mapping of texts: another source that lists the versions, or words that a publisher uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place

#: What stands behind a key of a source.
SourceValue = str | Mapping[str, str]
DeclaredSource = Mapping[str, SourceValue]


def read_source(place: Place, least: int = 1) -> dict[str, SourceValue]:
    """Return the source that *place* tells of, in a lock file or receipt. Raises MisfitError for any other form.

    Which kind of source it is, is not asked: only whoever opens one needs to know.
    """
    return place.mapping(_read_value, least=least)


def text_of(source: DeclaredSource, key: str) -> str:
    """Return the text behind *key*, "" where there is none."""
    value = source.get(key, "")
    return value if isinstance(value, str) else ""


def sources_in(source: DeclaredSource) -> Iterator[DeclaredSource]:
    """Yield *source* itself, and the one that lists its versions, if that is another one."""
    yield source
    versions = source.get("versions")
    if isinstance(versions, Mapping):
        yield versions


def _read_value(place: Place) -> SourceValue:
    return place.mapping(Place.text, least=1) if isinstance(place.value, dict) else place.text()
