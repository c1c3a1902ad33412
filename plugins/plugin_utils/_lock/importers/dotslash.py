# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a DotSlash file pin? Runs on the controller; pure.

Format: dotslash-cli.com/docs/dotslash-file: a line that begins a script, then JSON with comments and trailing commas.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    bounded,
    digest,
    file_at,
    fit_name,
    named,
    platform_of,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json

HEADER = "#!/usr/bin/env dotslash"
# Each goes on to the end where nothing closes it, so that hostile text takes time in proportion to its length.
_STRING = r'"(?:[^"\\\n]|\\.)*"?'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[\]}}])", re.DOTALL)
_VERSION_BEHIND = re.compile(r"[-_@]v?[0-9][0-9A-Za-z.+_-]*\Z")


def is_it(content: str) -> bool:
    """Tell whether *content* is that of a DotSlash file."""
    return content.partition("\n")[0].rstrip("\r") == HEADER


def document(content: str) -> Any:
    """Return what the JSON behind the first line says. Raises ValueError if it is not even lenient JSON."""
    lenient = content.partition("\n")[2]
    without_comments = _COMMENT.sub(lambda found: found[1] or " ", lenient)
    return read_json(_LAST_COMMA.sub(lambda found: found[1] or "", without_comments))


def read(place: Place) -> Imported:
    """Return what the DotSlash file at *place* pins: one tool. Raises MisfitError where it is not one."""
    entries = named(place.required("platforms"), lambda entry: entry, least=1)
    files = bounded((_file(words, entry) for words, entry in entries.items()), place)
    name = _VERSION_BEHIND.sub("", text(place.required("name")))
    return Imported(place.document.name, (ForeignTool(fit_name(name), None, files),))


def _file(words: str, entry: Place) -> ForeignFile:
    """Return the file for the platform that *words* name, at the first address that one of its providers gives."""
    value, size = entry.required("digest"), entry.optional("size")
    digests = digest(value, text(value), text(entry.required("hash")))
    for provider in entry.required("providers").items(lambda provider: provider, least=1):
        file = _at(provider)
        if file is not None:
            size_bytes = size.number() if size is not None else None
            return ForeignFile(file.name, file.url, digests, platform_of(words), size_bytes)
    raise entry.required("providers").misfit("a provider with a url, or one of the type github-release")


def _at(provider: Place) -> ForeignFile | None:
    """Return the file at the address of a *provider*; None if it has none, as those of cloud storage."""
    kind = provider.optional("type")
    if kind is not None and text(kind) == "github-release":
        repository, tag, name = (text(provider.required(key)) for key in ("repo", "tag", "name"))
        host = "" if repository.count("/") > 1 else "github.com/"
        url = f"https://{host}{repository}/releases/download/{tag}/{name}"
        return file_at(Place(url, provider.document, provider, "name"), {})
    url_place = provider.optional("url")
    return file_at(url_place, {}) if url_place is not None else None
