# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a mirror did earlier runs write? The record that they kept, read as a stranger's. Pure; controller."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ansible_collections.pinned.release.plugins.plugin_utils._mirror import addresses
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import KINDS, Entry
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json

NAME = "record.json"
VERSION = 1
_PATH = Form(forms.PATH.pattern, "a path below the mirror's folder")


def emit(files: Mapping[str, Entry]) -> str:
    """Return the text of the record of *files*."""
    of_files = {path: {"kind": one.kind, "sha256": one.sha256, "size": one.size} for path, one in files.items()}
    return json.dumps({"record_version": VERSION, "files": of_files}, indent=1, sort_keys=True) + "\n"


def parse(text: str, name: str) -> dict[str, Entry]:
    """Return the files in the record that *text* is. Raises ReleaseError that names the file, *name*, if it is none."""
    document = Document(name, fix=f"remove {name}; files that are as the lock files say are taken over by the next run")
    try:
        value = read_json(text)
    except ValueError:
        value = None
    fields = Place(value, document).fields("record_version files")
    if fields["record_version"].number() != VERSION:
        raise fields["record_version"].misfit(str(VERSION))
    return fields["files"].mapping(_read_entry, keys=_PATH)


def _read_entry(place: Place) -> Entry:
    fields = place.fields("kind sha256 size")
    if not addresses.is_plain(str(place.step)) or str(place.step).startswith(addresses.STATE):
        raise place.misfit(_PATH.words, str(place.step))
    kind = KINDS[KINDS.index(fields["kind"].one_of(KINDS))]
    return Entry(kind, fields["sha256"].text(forms.SHA256), fields["size"].number())
