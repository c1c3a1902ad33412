# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do files of VEX say? Each in the format that it says it has: OpenVEX or CycloneDX. Runs on the controller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import cyclonedx_vex, openvex
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.statement import Statement
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import reading_advice

#: Publishers' files have some hundred KB.
LONGEST_BYTES = 32 * 1024 * 1024
_FIX = "correct the file, or leave it out of vex"


def read(paths: Iterable[Path], base: Path) -> tuple[Statement, ...]:
    """Return the statements in all files, in their order, each with the path of its file below the folder *base*.

    A file that is elsewhere has its bare name: another checkout gives the same report.

    Raises ReleaseError for a file that cannot be read, or does not keep to its format: it would be left out else.
    """
    return tuple(
        replace(statement, file=_name(path, base)) for path in paths for statement in parse(_content(path), str(path))
    )


def parse(content: bytes, name: str) -> tuple[Statement, ...]:
    """Return the statements in *content*, that of the file *name*. Raises ReleaseError if it is no VEX."""
    try:
        document = read_json(content.decode("utf-8-sig"))
    except ValueError as error:
        raise ReleaseError(f"{name} is not JSON", found=str(error), fix=_FIX) from error
    top = Place(document, Document(name, fix=_FIX))
    if isinstance(document, dict) and openvex.is_such(document):
        return openvex.statements(top)
    if isinstance(document, dict) and cyclonedx_vex.is_such(document):
        return cyclonedx_vex.statements(top)
    raise top.misfit("OpenVEX 0.2 (with @context) or CycloneDX (with bomFormat), as JSON")


def _name(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name


def _content(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise ReleaseError(f"{path} is no file", fix=_FIX)
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_BYTES + 1)
    except OSError as error:
        fix = reading_advice(error.errno or 0, "name another file in vex")
        raise ReleaseError(f"{path} cannot be read", found=error.strerror, fix=fix) from error
    if len(content) > LONGEST_BYTES:
        raise ReleaseError(f"{path} is larger than {LONGEST_BYTES} bytes", fix=_FIX)
    return content
