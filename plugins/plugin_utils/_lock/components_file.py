# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where is it kept what is inside the programs that a lock file pins? In a file beside it; runs on the controller.

``releases.lock.json`` has ``releases.components.json``. Its schema is docs/schema/releases.components.schema.json. An
entry is about an asset's bytes, by their SHA-256, so it stays true whatever lock file is beside it. Equal locks have
equal files. It is hostile until it is parsed, as a lock file is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, get_args

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import user_files
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import (
    SILENT,
    Component,
    Inside,
    Recorder,
    component_of,
    ordered,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import conflict_line

#: Tool → SHA-256 of an asset → path of a program in it → what is inside.
Recorded: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Inside]]]

ENDING = ".components.json"
COMPONENTS_VERSION = 1
NOTHING = "nothing recorded by its compiler"
RECORDERS: tuple[Recorder, ...] = get_args(Recorder)
ASCII = forms.Form(re.compile(r"[ -~]{1,512}\Z"), "a line of at most 512 ASCII characters")
REMAKE = "do not edit it by hand: restore it from version control, or delete it and run pinned.release.lock"


def path_beside(lock_path: Path) -> Path:
    """Return the path of the file that belongs to the lock file at *lock_path*."""
    name = lock_path.name
    stem = name.removesuffix(".lock.json") if name.endswith(".lock.json") else lock_path.stem
    return lock_path.with_name(stem + ENDING)


def read(lock_path: Path) -> Recorded:
    """Return what is kept beside the lock file at *lock_path*; nothing if there is no such file.

    Raises ReleaseError if it cannot be read, or is not what emit() writes.
    """
    text = read_text(lock_path)
    return {} if text is None else parse(text, str(path_beside(lock_path)))


def read_again(lock_path: Path) -> Recorded:
    """Return what read() does, and nothing for a file that holds a merge conflict: a lock reads the programs again.

    Raises ReleaseError as read() does.
    """
    text = read_text(lock_path)
    return {} if text is None or conflict_line(text) is not None else parse(text, str(path_beside(lock_path)))


def read_text(lock_path: Path) -> str | None:
    """Return the text of the file beside the lock file at *lock_path*, None if there is none.

    Raises ReleaseError if it cannot be read.
    """
    return user_files.read_if_there(path_beside(lock_path), user_files.COMPONENTS)


def emit(recorded: Recorded) -> str:
    """Return the text of the file: sorted keys, two-space indent, newline at the end."""
    tools = {
        tool: {
            sha256: {path: _emit(inside) for path, inside in programs.items()} for sha256, programs in assets.items()
        }
        for tool, assets in recorded.items()
    }
    document = {"components_version": COMPONENTS_VERSION, "tools": tools}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def parse(text: str, name: str = "the file of components") -> Recorded:
    """Return what *text* says. Raises ReleaseError that names the place in *name* where it does not fit."""
    try:
        document = read_json(text)
    except ValueError as error:
        line = conflict_line(text)
        if line is not None:
            fix = "lock again, which writes it anew: ansible-playbook pinned.release.lock"
            raise ReleaseError(f"{name} holds a merge conflict, in line {line}", fix=fix) from error
        raise ReleaseError(
            f"{name} is not JSON", expected="a file that pinned.release.lock wrote", found=str(error), fix=REMAKE
        ) from error
    newer = f"update the collection if a newer one wrote the file; else {REMAKE}"
    top = Place(document, Document(name, fix=REMAKE, fix_unknown_key=newer)).fields("components_version tools")
    if top["components_version"].number() != COMPONENTS_VERSION:
        raise top["components_version"].misfit(str(COMPONENTS_VERSION), fix=newer)
    return top["tools"].mapping(_assets)


def _assets(place: Place) -> Mapping[str, Mapping[str, Inside]]:
    return place.mapping(_programs, keys=forms.SHA256)


def _programs(place: Place) -> Mapping[str, Inside]:
    return place.mapping(_inside, keys=forms.PATH)


def _emit(inside: Inside) -> str | dict[str, Any]:
    """Return what the file says of one program; only a gap or a record has an object."""
    if inside.is_silent:
        return NOTHING
    entry = {
        "recorded_by": inside.recorded_by,
        "toolchain": inside.toolchain,
        "main": inside.main.purl if inside.main else None,
        "components": [one.purl for one in inside.components if not one.is_main],
        "gap": inside.gap,
    }
    return {key: value for key, value in entry.items() if value}


def _inside(place: Place) -> Inside:
    if not isinstance(place.value, dict):
        place.one_of([NOTHING])
        return SILENT
    fields = place.fields("", "recorded_by toolchain main components gap")
    if not fields.keys() & {"recorded_by", "gap"}:
        raise place.misfit("an object with recorded_by, or gap")
    main = [_component(fields["main"], is_main=True)] if "main" in fields else []
    others = fields["components"].items(_component, least=1) if "components" in fields else ()
    return Inside(
        recorded_by=_recorder(fields.get("recorded_by")),
        toolchain=fields["toolchain"].text(ASCII) if "toolchain" in fields else None,
        components=ordered([*main, *others]),
        gap=fields["gap"].text(ASCII) if "gap" in fields else None,
    )


def _recorder(place: Place | None) -> Recorder | None:
    word = place.one_of(RECORDERS) if place else None
    return next((one for one in RECORDERS if one == word), None)


def _component(place: Place, is_main: bool = False) -> Component:
    try:
        return component_of(place.text(), is_main)
    except ValueError:
        raise place.misfit("a package URL such as pkg:golang/example.org/module@v1.2.3") from None
