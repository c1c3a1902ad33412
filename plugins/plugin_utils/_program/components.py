# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is inside this program, by its own bytes? Pure; runs on the controller.

Compilers record what they made a program of: there is a reader for each format in records/. All bytes are a stranger's:
they are read through program_bytes.py, and what a record says is held to the grammar of names. A record that cannot be
read is never an error, since the program is no worse than one without; but it is told as a gap, never as "nothing".
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.cargo_auditable import (
    read_cargo_auditable,
)
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.go import read_go
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.parts import Part, parts
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import (
    Component,
    Inside,
    Recorder,
    gap_of,
    ordered,
)

__all__ = ["Component", "Inside", "inside"]

READERS: Mapping[Recorder, Callable[[Part, ProgramBytes], Inside | None]] = {
    "go": read_go,
    "cargo-auditable": read_cargo_auditable,
}
PACKED = "it is compressed by UPX, and so is what its compiler recorded"


def inside(data: BinaryIO | bytes, name: str = "this file") -> Inside:
    """Return what is recorded in a program; of a universal one, in all of its parts together.

    *data* is a seekable file, or its bytes; errors call it *name*. Raises ReleaseError only if the file cannot be read.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    try:
        known = parts(ProgramBytes(file, name))
    except ReleaseError as error:
        return _gap(error)
    # Each part may be as large as a program.
    return _together([record for part in known for record in _of_part(part, ProgramBytes(file, name))])


def _of_part(part: Part, source: ProgramBytes) -> Iterator[Inside]:
    if part.is_packed:
        yield Inside(gap=PACKED)
        return
    for recorder, read in READERS.items():
        try:
            found = read(part, source)
        except ReleaseError as error:
            found = _gap(error, recorder)
        if found is not None:
            yield found


def _gap(error: ReleaseError, recorder: Recorder | None = None) -> Inside:
    """Return what is told of a record that cannot be read. Raises *error* if the bytes did not cause it."""
    if isinstance(error.__cause__, OSError):
        raise error
    return Inside(recorder, gap=gap_of(error.found or error.what))


def _together(found: Sequence[Inside]) -> Inside:
    """Return one value for all that was *found*: each field as the first record has it, and all components."""
    mains = [one.main for one in found if one.main]
    return Inside(
        recorded_by=next((one.recorded_by for one in found if one.recorded_by), None),
        toolchain=next((one.toolchain for one in found if one.toolchain), None),
        components=ordered(one for record in found for one in record.components if not one.is_main or one == mains[0]),
        gap=next((one.gap for one in found if one.gap), None),
    )
