# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a mise.lock pin? Runs on the controller; pure.

Formats: mise.jdx.dev/dev-tools/mise-lock-reference.html, versions 0 to 3. ``provenance`` is what mise found, on one
platform at best, and is not read. ``additional_artifacts`` are archives that mise unpacks over what is in the folder of
the tool (…/dev-tools/backends/github.html, additional_asset_patterns); here each is a tool of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    Left,
    bounded,
    checksum,
    file_at,
    fit_name,
    named,
    platform_of,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place

#: Newer ones may say something that must not be overlooked.
NEWEST_VERSION = 3
_KEY = "platforms."
#: What stands before a backend's name → the source that it means.
_SOURCES = {
    "aqua": "github",
    "github": "github",
    "ubi": "github",
    "packslip": "github",
    "gitlab": "gitlab",
    "forgejo": "gitea",
    "npm": "npm",
    "pipx": "pypi",
    "pypi": "pypi",
}


def is_it(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of a mise.lock."""
    return isinstance(document.get("tools"), dict)


def read(place: Place) -> Imported:
    """Return what the mise.lock at *place* pins. Raises MisfitError where it is not one, or too new."""
    version = place.optional("lockfile_version")
    if version is not None and version.number() > NEWEST_VERSION:
        raise version.misfit(f"at most {NEWEST_VERSION}; a newer mise wrote this file")
    tools: list[ForeignTool] = []
    left: list[Left] = []
    for name, entries in named(place.required("tools"), lambda entries: entries).items():
        for entry in [entries.at(index) for index in range(len(entries.value))] if _is_list(entries) else [entries]:
            tool = _tool(name, entry)
            why = _why_not(entry, tool)
            if why:
                left.append(Left(f"{name} {tool.version}", why))
            else:
                tools.append(tool)
            tools += _additional(entry, tool)
    left += [Left("conda packages", "they are libraries of other tools, not releases")] * (
        "conda-packages" in place.value
    )
    return Imported(place.document.name, bounded(tools, place), tuple(left))


def _is_list(place: Place) -> bool:
    return isinstance(place.value, list)


def _tool(name: str, entry: Place) -> ForeignTool:
    backend = entry.optional("backend")
    return ForeignTool(
        name=fit_name(name),
        version=text(entry.required("version")),
        files=bounded(_files(entry), entry),
        source=_source(text(backend)) if backend is not None else {},
    )


def _source(backend: str) -> dict[str, str]:
    """Return the source that a *backend* means, ``{"github": "owner/name"}`` for ``aqua:owner/name``; {} if none."""
    kind, _colon, name = backend.partition("[")[0].partition(":")
    name = name.removeprefix("github.com/")
    if _SOURCES.get(kind) == "github":
        name = "/".join(name.split("/")[:2])  # the rest says which product of the repository
    return {_SOURCES[kind]: name} if kind in _SOURCES and name else {}


def _files(entry: Place) -> Iterator[ForeignFile]:
    for key, place in _platforms(entry):
        if not isinstance(place.value, dict):
            continue  # before 2025, a mere digest or size, of a file that is not named
        url, stated = place.optional("url"), place.optional("checksum")
        if url is not None:
            yield file_at(url, checksum(stated) if stated is not None else {}, platform_of(key))


def _additional(entry: Place, tool: ForeignTool) -> Iterator[ForeignTool]:
    """Yield each file that mise unpacks over the *tool* of an *entry*."""
    for key, place in _platforms(entry):
        more = place.optional("additional_artifacts") if isinstance(place.value, dict) else None
        for item in more.items(lambda item: item) if more is not None else ():
            stated = item.optional("checksum")
            digests = checksum(stated) if stated is not None else {}
            file = file_at(item.required("url"), digests, platform_of(key))
            yield ForeignTool("", tool.version, (file,), tool.source, over=tool.name)


def _platforms(entry: Place) -> Iterator[tuple[str, Place]]:
    """Yield the platforms of an *entry*: quoted keys, as mise writes them, or a table of their own."""
    for key in entry.value:
        if key.startswith(_KEY):
            yield key.removeprefix(_KEY), entry.at(key)
    table = entry.optional("platforms")
    if table is not None:
        yield from named(table, lambda place: place).items()


def _why_not(entry: Place, tool: ForeignTool) -> str:
    """Return why the *tool* cannot be taken over, "" if nothing speaks against it yet."""
    if any(
        isinstance(place.value, dict) and place.value.get("install") == "source" for _key, place in _platforms(entry)
    ):
        return "mise builds it from its source"
    if not tool.files and not tool.source:
        backend = entry.optional("backend")
        named_so = f" ({text(backend)})" if backend is not None else ""
        return f"{entry.document.name} names no file of it{named_so}"
    return ""
