# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which registers beyond the first 16 of the VFP does a 32-bit ARM program use? Its code tells. Pure; controller.

Not every ARMv7 processor has NEON, or 32 double registers. The attributes for this (Tag_Advanced_SIMD_arch,
Tag_FP_arch) do not tell: GNU's linker takes the highest of all objects, so that a cipher in NEON assembly, called only
after asking the processor, marks all of uv; LLVM's linker takes those of the first object, so that cmake, full of NEON,
has no mark. Of 39 real programs, run on an emulated processor without NEON, five died, although no attribute named
NEON, and all 13 whose attributes name it started. So all of the code is read, because one memset in NEON is enough to
die. Two programs that start without NEON are refused by this: ffmpeg and ffprobe, which choose among many routines.

- A compiler that may use NEON copies and clears memory by VLD1 and VST1: a few in many places. Assembly by hand fills
  its pages with NEON, 64 to 1,024 instructions in 4 KiB, and asks first; such pages, and those beside, do not count.
- A compiler that may use 32 registers uses d16 and above before it saves the lower ones, by VLDR and VSTR.

Constants in the code can look like instructions, but stand alone in their page, or repeat the same word. Encodings:
Arm DDI 0406C, A7.7 and A8.8 (those of ARM and Thumb differ in the first byte), A6.1 (the length of Thumb instructions).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes

#: The first byte of all NEON instructions: data processing, load and store. Here in ARM's encoding.
NEON_DATA, NEON_MEMORY = (0xF2, 0xF3), 0xF4
#: The first byte of most ARM instructions is one of these, or 0xE…, which is "always"; of Thumb's it may be any.
USUAL_IN_ARM = bytes([*range(0xE0, 0xF0), *NEON_DATA, NEON_MEMORY])
CANDIDATE_IN_ARM = re.compile(b"[\xed\xf2-\xf4]")
#: Any number of Thumb instructions, of one or two halfwords, and then a candidate.
CANDIDATE_IN_THUMB = re.compile(
    rb"(?:.[\x00-\xe7]|.[\xe8-\xec\xee\xf0-\xf8\xfa-\xfe]..)*(.[\xed\xef\xf9\xff]..)", re.DOTALL
)
THUMB_TO_ARM = {0xEF: 0xF2, 0xFF: 0xF3, 0xF9: 0xF4}
#: VLDR and VSTR of d16 to d31.
UPPER_MASK, UPPER = 0xFF600F00, 0xED400B00
#: VLD1 and VST1 of 1, 2, 3 and 4 whole registers.
WHOLE_REGISTERS = (7, 10, 6, 2)
#: In 4 KiB: so many NEON instructions are assembly by hand, and a single load may be a constant.
DENSE, FEWEST_IN_PAGE = 64, 2
#: So many different ones in the whole program.
FEWEST_DIFFERENT = 12


def registers_used(source: ProgramBytes, areas: Sequence[tuple[int, int]]) -> str | None:
    """Return ``neon``, ``vfpd32`` or None, by the code in *areas*, each an offset and a size.

    Raises ReleaseError if the file cannot be read.
    """
    pages = [_Page(), *map(_page, source.pages(areas)), _Page()]
    neon: set[int] = set()
    upper: set[int] = set()
    for before, page, after in zip(pages, pages[1:], pages[2:], strict=False):
        if not (before.is_dense or page.is_dense or after.is_dense):
            neon.update(page.neon)
            upper.update(page.upper)
    if len(neon) >= FEWEST_DIFFERENT:
        return "neon"
    return "vfpd32" if len(upper) >= FEWEST_DIFFERENT else None


class _Page(NamedTuple):
    """What 4 KiB of code contain: whether they are full of NEON, and which loads and stores of a compiler."""

    is_dense: bool = False
    neon: tuple[int, ...] = ()
    upper: tuple[int, ...] = ()


def _page(content: bytes) -> _Page:
    words = list(_candidates(content))
    neon = tuple(word for word in words if _is_whole_load(word))
    upper = tuple(word for word in words if word & UPPER_MASK == UPPER)
    return _Page(
        sum(_is_neon(word) for word in words) >= DENSE,
        neon if len(neon) >= FEWEST_IN_PAGE else (),
        upper if len(upper) >= FEWEST_IN_PAGE else (),
    )


def _candidates(page: bytes) -> Iterator[int]:
    """Yield the instructions that may be one of those looked for, in ARM's encoding."""
    first_bytes = page[3::4]
    if 2 * len(first_bytes.translate(None, USUAL_IN_ARM)) <= len(first_bytes):
        for found in CANDIDATE_IN_ARM.finditer(first_bytes):
            yield struct.unpack_from("<I", page, 4 * found.start())[0]
        return
    match = CANDIDATE_IN_THUMB.match(page)
    while match:
        first, second = struct.unpack("<HH", match.group(1))
        yield THUMB_TO_ARM.get(first >> 8, first >> 8) << 24 | (first & 0xFF) << 16 | second
        match = CANDIDATE_IN_THUMB.match(page, match.end())


def _is_neon(word: int) -> bool:
    return word >> 24 in NEON_DATA or (word >> 24 == NEON_MEMORY and not word & 1 << 20)


def _is_whole_load(word: int) -> bool:
    """Tell whether it is VLD1 or VST1 of whole registers.

    Its pointer is not the program counter, and compilers do not promise that it is a multiple of 32.
    """
    is_memory = word >> 24 == NEON_MEMORY and not word & (1 << 23 | 1 << 20)
    is_plain = word & 0xF in (13, 15) and word >> 16 & 0xF != 15 and word & 0x30 != 0x30
    return is_memory and is_plain and word >> 8 & 0xF in WHOLE_REGISTERS
