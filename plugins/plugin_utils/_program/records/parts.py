# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a program are its sections, and what is mapped where? One answer a processor. Pure; controller.

elf.py, macho.py and pe.py read what a loader needs; records of compilers are in sections, which no loader looks at, or
at addresses. A universal Mach-O file has a part for each of its architectures.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers import elf_structures, macho, pe
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes

ELF_MAGIC, PE_MAGIC = b"\x7fELF", b"MZ"
SHT_NOBITS = 8
#: Number of the load command of a segment → its fields, those of each of its sections behind it.
SEGMENTS = {0x1: ("8x16sIIIIIIII", "16s16sIIIIIIIII"), 0x19: ("8x16sQQQQIIII", "16s16sQQIIIIIIII")}
VM_PROT_READ_WRITE = 3


@dataclass(frozen=True)
class Area:
    """Bytes of a file, by the name of their section or the address that they are mapped to.

    is_data  whether the program may write there
    """

    name: str
    address: int
    offset: int
    size: int
    is_data: bool = False


@dataclass(frozen=True)
class Part:
    """A program for one processor: its sections, and what of the file is mapped to memory.

    elf  what its headers say, for a reader that needs more of an ELF file
    """

    sections: Sequence[Area]
    mapped: Sequence[Area]
    elf: elf_structures.Elf | None = None

    def section(self, *names: str) -> Area | None:
        """Return the first section that has one of these *names*."""
        return next((area for area in self.sections if area.name in names), None)

    @property
    def is_packed(self) -> bool:
        """Whether UPX compressed the program, and all records in it."""
        return self.elf.is_packed if self.elf else self.section("UPX0", "UPX1", "__UPX_TEXT") is not None


def parts(source: ProgramBytes) -> tuple[Part, ...]:
    """Return the parts of a program; none for a script. Raises ReleaseError if its headers are broken."""
    magic = source.must(0, min(4, source.size))
    if magic == ELF_MAGIC:
        return (_elf(source),)
    if magic.startswith(PE_MAGIC):
        sections, base = pe.pe_sections(source)
        areas = [Area(one.name, base + one.address, one.offset, one.size, one.is_data) for one in sections]
        return (Part(areas, areas),)
    if magic in macho.THIN_MAGICS or magic in (macho.FAT_MAGIC, macho.FAT_MAGIC_64):
        return tuple(_macho(source, start) for start in macho.thin_files(source))
    return ()


def _elf(source: ProgramBytes) -> Part:
    elf = elf_structures.read_elf(source)
    sections = [Area(one.name, 0, one.offset, one.size) for one in elf.sections if one.kind != SHT_NOBITS]
    mapped = [Area("", one.address, one.offset, one.file_size, one.is_writable) for one in elf.loads]
    return Part(sections, mapped, elf)


def _macho(source: ProgramBytes, start: int) -> Part:
    """Return the part of a thin file that begins at *start*, from where it counts."""
    _size, order = macho.THIN_MAGICS[source.must(start, 4)]
    sections: list[Area] = []
    mapped = []
    for command, content in macho.load_commands(source, start) or ():
        if command not in SEGMENTS:
            continue
        of_segment, of_section = (struct.Struct(order + fields) for fields in SEGMENTS[command])
        if len(content) < of_segment.size:
            raise source.broken(f"a segment's load command of {len(content)} bytes")
        name, address, _memory, offset, size, most, protection, count, _flags = of_segment.unpack_from(content)
        is_data = protection == most == VM_PROT_READ_WRITE
        mapped.append(Area(_name(name), address, start + offset, size, is_data))
        table = content[of_segment.size : of_segment.size + count * of_section.size]
        sections += _sections(table[: len(table) // of_section.size * of_section.size], of_section, start)
    return Part(sections, mapped)


def _sections(table: bytes, layout: struct.Struct, start: int) -> Iterator[Area]:
    for name, _segment, address, size, offset, *_others in layout.iter_unpack(table):
        yield Area(_name(name), address, start + offset, size)


def _name(field: bytes) -> str:
    return field.rstrip(b"\0").decode("latin-1")
