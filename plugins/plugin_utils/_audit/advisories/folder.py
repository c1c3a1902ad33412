# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records of advisories lie in a folder? Each file and each member of its zip files; runs on the controller.

Everything is opened by its name in sorted order, so that equal folders read the same, and only if it is a plain file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.zip_records import (
    LONGEST_RECORD_BYTES,
    read_records,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import reading_advice


def records_in(folder: Path) -> Iterator[tuple[str, bytes | ReleaseError]]:
    """Yield the name below *folder* and the content of each record, or why it cannot be read.

    Raises ReleaseError for a folder or zip file that cannot be read.
    """
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".zip":
            yield from ((f"{name}/{member}", content) for member, content in read_records(path))
        else:
            yield name, _content(path)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the records and zip files below *folder*; links to folders are not followed: they may lead in a circle."""
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders.sort()
        paths = (Path(place, name) for name in sorted(names) if name.endswith((".json", ".zip")))
        yield from (path for path in paths if path.is_file())


def _content(path: Path) -> bytes | ReleaseError:
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return ReleaseError("is no plain file")
            content = file.read(LONGEST_RECORD_BYTES + 1)
    except OSError as error:
        return ReleaseError(f"cannot be read: {error.strerror}")
    if len(content) > LONGEST_RECORD_BYTES:
        return ReleaseError(f"is larger than any record: more than {LONGEST_RECORD_BYTES} bytes")
    return content


def _refuse(error: OSError) -> None:
    number = error.errno or 0
    raise ReleaseError(
        f"the folder of advisories {error.filename} cannot be read",
        found=error.strerror,
        fix=reading_advice(number, "name another folder in advisories"),
    ) from error
