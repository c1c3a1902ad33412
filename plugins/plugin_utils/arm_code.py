# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Was a 32-bit ARM program compiled for ARMv6, though its build attributes say more? Pure; runs on the controller.

Linkers raise Tag_CPU_arch to the highest of all objects, so one hand-written NEON routine, which is called only after
asking the processor, makes an ARMv6 program look like one for ARMv7 (uv's armv6 build is such a program). How compiled
code makes a memory barrier tells them apart: ARMv7 has the instruction DMB for it, ARMv6 writes to coprocessor 15
(Arm DDI 0406C, A8.8.43 and B3.18.6, which deprecates the latter). A compiler that may use DMB does; one that emits
coprocessor barriers works for processors without. So many of these and no DMB, in samples from all over the code,
mean ARMv6; anything else leaves the attributes' word.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import struct

from ansible_collections.pinned.release.plugins.plugin_utils.program_bytes import BLOCK_SIZE, ProgramBytes

SAMPLES = 32
#: Real ARMv6 programs of Rust showed 42 to 299 in 32 samples, ARMv7 ones none (and up to 330 DMB).
FEWEST_COPROCESSOR_BARRIERS = 8
#: MCR p15, 0, <Rt>, c7, c10, 4|5: data synchronisation and data memory barrier; whatever the condition and register.
COPROCESSOR_BARRIER_MASK, COPROCESSOR_BARRIER = 0x0FFF0FDF, 0x0E070F9A
#: DMB, DSB (with any option).
BARRIER_MASK, BARRIERS = 0xFFFFFFF0, (0xF57FF050, 0xF57FF040)


def is_compiled_for_armv6(source: ProgramBytes, offset: int, size: int) -> bool:
    """Return whether the code, *size* bytes from *offset*, has the barriers of ARMv6 only."""
    coprocessor_barriers = 0
    last = (size - BLOCK_SIZE) // BLOCK_SIZE
    for sample in range(SAMPLES):
        position = offset + max(last, 0) * sample // (SAMPLES - 1) * BLOCK_SIZE
        block = source.at(position, min(BLOCK_SIZE, size) & ~3) or b""
        for (word,) in struct.iter_unpack("<I", block):
            if word & BARRIER_MASK in BARRIERS:
                return False
            coprocessor_barriers += word & COPROCESSOR_BARRIER_MASK == COPROCESSOR_BARRIER
    return coprocessor_barriers >= FEWEST_COPROCESSOR_BARRIERS
