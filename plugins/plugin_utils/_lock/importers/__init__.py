# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which formats of lock files of other tools are read and written? The table; runs on the controller.

A new format is one file here and one line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers import (
    aqua,
    cargo_dist,
    dotslash,
    hermeto,
    kubespray,
    mise,
    multitool,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import Imported
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.written import Written
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.toml_text import read_toml
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml

#: Characters of one file; the largest real one that was seen has 120,000.
LONGEST = 8 * 1024 * 1024


@dataclass(frozen=True)
class Format:
    """What one tool pins in: *parts* is the usual name of each of its files → what tells such a document.

    read         takes the place of each part, None for one that is not there, in their order
    is_repeated  whether there may be several of each part; then *read* takes sequences of places
    """

    parts: Mapping[str, Callable[[Mapping[str, Any]], bool]]
    read: Callable[..., Imported]
    is_repeated: bool = False


#: In the order in which they are tried.
FORMATS: tuple[Format, ...] = (
    Format({"artifacts.lock.yaml": hermeto.is_it}, hermeto.read),
    Format({"dist-manifest.json": cargo_dist.is_it}, cargo_dist.read),
    Format({"aqua.yaml": aqua.has_packages, "aqua-checksums.json": aqua.has_checksums}, aqua.read, is_repeated=True),
    Format({"checksums.yml": kubespray.has_checksums, "download.yml": kubespray.has_urls}, kubespray.read),
    Format({"multitool.lock.json": multitool.is_it}, multitool.read),
    Format({"mise.lock": mise.is_it}, mise.read),
)
#: What it is written for → what writes it.
WRITERS: Mapping[str, Callable[[LockFile], Written]] = {"hermeto": hermeto.write, "multitool": multitool.write}


def read(texts: Mapping[str, str]) -> tuple[Imported, ...]:
    """Return what each of the files with these *texts*, by their names, pins; two that belong together count as one.

    Raises ReleaseError for a text of no known format, and for one that is not as its format says.
    """
    found: list[Imported] = []
    parts: dict[int, dict[str, list[Place]]] = {}
    for name, text in texts.items():
        if len(text) > LONGEST:
            raise ReleaseError(f"{name} is too long to be a lock file", expected=f"at most {LONGEST} characters")
        if dotslash.is_it(text):
            found.append(dotslash.read(_dotslash(name, text)))
            continue
        place = _document(name, text)
        number, part = _format_of(place)
        if len(FORMATS[number].parts) == 1:
            found.append(FORMATS[number].read(place))
            continue
        places = parts.setdefault(number, {}).setdefault(part, [])
        if places and not FORMATS[number].is_repeated:
            other = places[0].document.name
            raise ReleaseError(f"{other} and {name} are both {part}", fix="take over one after the other")
        places.append(place)
    return (*found, *(_together(FORMATS[number], of_format) for number, of_format in parts.items()))


def _together(one: Format, places: Mapping[str, Sequence[Place]]) -> Imported:
    """Return what the parts of one format pin together, which are at *places*."""
    of_parts = [places.get(part, ()) for part in one.parts]
    return one.read(*of_parts) if one.is_repeated else one.read(*(next(iter(of), None) for of in of_parts))


def imports_of(name: str, text: str) -> tuple[str, ...] | None:
    """Return the patterns by which the aqua.yaml called *name*, with this *text*, imports others; None for other files.

    Raises ReleaseError for a text that is no document.
    """
    if dotslash.is_it(text):
        return None
    place = _document(name, text)
    return aqua.imports(place) if isinstance(place.value, dict) and aqua.has_packages(place.value) else None


def _format_of(place: Place) -> tuple[int, str]:
    """Return the number of the format that has a part of the shape of *place*, and the part's usual name."""
    if isinstance(place.value, dict):
        for number, one in enumerate(FORMATS):
            for part, is_it in one.parts.items():
                if is_it(place.value):
                    return number, part
    usual = [part for one in FORMATS for part in one.parts]
    raise ReleaseError(
        f"{place.document.name} is no lock file of another tool that is known here",
        expected=f"one like {', '.join(usual)}, or a DotSlash file",
        found=shown(place.value),
        fix="name another file in the option import",
    )


def _document(name: str, text: str) -> Place:
    """Return what *text* says, in the language that the ending of the file's *name* tells."""
    if name.endswith((".yml", ".yaml")):
        return read_yaml(text, name)
    if name.endswith((".lock", ".toml")):
        return read_toml(text, name)
    try:
        return _top(read_json(text), name)
    except ValueError as error:
        raise _unreadable(name, "JSON", error) from error


def _dotslash(name: str, text: str) -> Place:
    try:
        return _top(dotslash.document(text), name)
    except ValueError as error:
        raise _unreadable(name, "a DotSlash file", error) from error


def _top(value: object, name: str) -> Place:
    return Place(value, Document(name, fix=f"correct {name}, or take the entry out of it"))


def _unreadable(name: str, language: str, error: ValueError) -> ReleaseError:
    return ReleaseError(f"{name} is not {language}", found=str(error), fix=f"correct {name}, or name another file")
