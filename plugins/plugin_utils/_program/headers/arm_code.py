# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ARM processor was a 32-bit program compiled for? Its code tells more than its attributes. Pure; controller.

Linkers make Tag_CPU_arch the highest of all objects that have attributes. So one hand-written NEON routine, called only
after asking the processor, makes an ARMv6 program look like one for ARMv7 (uv's ARMv6 build), and objects without
attributes make an ARMv7 program look like one for ARMv6 (lightningcss). Memory barriers, which every threaded
program is full of, tell the two apart: ARMv7 has the instruction DMB, ARMv6 writes to coprocessor 15 instead, which
ARMv7 deprecates (Arm DDI 0406C, A8.8.43 and B3.18.6). A compiler that may use DMB uses it; one that writes to the
coprocessor builds for processors without DMB. Samples with many barriers of one kind and none of the other decide.
Go programs have only a few barriers, which ask the processor first; go_settings.py reads what Go compiled for.
"""

from __future__ import annotations

import struct

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import (
    BLOCK_SIZE,
    ProgramBytes,
)

SAMPLES = 32
#: In so many samples, real Rust programs showed 42 to 299 (ARMv6) and 6 to 330 (ARMv7) barriers of their own kind and
#: none of the other; Go programs showed none.
FEWEST_BARRIERS = 8
#: MCR p15, 0, <Rt>, c7, c10, 4|5: data synchronisation and data memory barrier; whatever the condition and register.
COPROCESSOR_BARRIER_MASK, COPROCESSOR_BARRIER = 0x0FFF0FDF, 0x0E070F9A
#: DMB with any option.
DMB_MASK, DMB = 0xFFFFFFF0, 0xF57FF050


def processor_of_code(source: ProgramBytes, offset: int, size: int) -> str | None:
    """Return ``armv6`` or ``armv7`` if the code, *size* bytes from *offset*, shows it, else None."""
    coprocessor_barriers = barriers = 0
    for block in _samples(source, offset, size):
        for (word,) in struct.iter_unpack("<I", block):
            barriers += word & DMB_MASK == DMB
            coprocessor_barriers += word & COPROCESSOR_BARRIER_MASK == COPROCESSOR_BARRIER
    if barriers == 0 and coprocessor_barriers >= FEWEST_BARRIERS:
        return "armv6"
    if coprocessor_barriers == 0 and barriers >= FEWEST_BARRIERS:
        return "armv7"
    return None


def _samples(source: ProgramBytes, offset: int, size: int) -> list[bytes]:
    """Return blocks that are spread over the code; all of the code if it is short."""
    blocks = max(size // BLOCK_SIZE, 1)
    chosen = sorted({(blocks - 1) * sample // (SAMPLES - 1) for sample in range(SAMPLES)})
    length = min(size, BLOCK_SIZE) & ~3
    return [source.at(offset + number * BLOCK_SIZE, length) or b"" for number in chosen]
