# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the headers of an ELF file say? Only the structures: elf.py judges what they require. Pure; controller.

They are read as a kernel and a dynamic loader read them, through the program headers. Section headers may be stripped
or false, so they are used only to find ARM's build attributes and Go's settings, and to tell code from constants.

- System V gABI, chapters 4 (ELF header), 5 (program header, note section, dynamic section)
- Linux Standard Base, core specification, "Symbol Versioning" (.gnu.version_r by DT_VERNEED)
- Linux Extensions to gABI, "Program Property" (NT_GNU_PROPERTY_TYPE_0)
- Arm IHI 0045, "Addenda to, and errata in, the ABI for the Arm architecture" (build attributes)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PT_GNU_PROPERTY = 0x6474E553
PF_X, PF_W = 1, 2
DT_NULL, DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SONAME, DT_RPATH = 0, 1, 4, 5, 6, 10, 14, 15
DT_DEBUG, DT_RUNPATH, DT_RELR = 21, 29, 36
DT_GNU_HASH, DT_FLAGS_1, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFFB, 0x6FFFFFFE, 0x6FFFFFFF
DF_1_PIE = 0x08000000
VER_FLG_WEAK = 0x2
STB_GLOBAL, SHN_UNDEF = 1, 0
SHT_ARM_ATTRIBUTES, SHF_EXECINSTR = 0x70000003, 0x4
EM_ARM = 40

# Several times the largest numbers in real programs. Linux refuses program headers of more than 64 KiB.
MAX_SEGMENTS = 1024
MAX_SECTIONS = 4096
MAX_SECTION_NAMES_SIZE = 65536
MAX_DYNAMIC_ENTRIES = 4096
MAX_CHAIN_LENGTH = 256
MAX_SYMBOLS = 65536
MAX_NOTE_SEGMENTS = 16
MAX_NOTES_SIZE = 65536
MAX_ATTRIBUTES_SIZE = 65536


@dataclass(frozen=True)
class Segment:
    """One program header."""

    kind: int
    offset: int
    address: int
    file_size: int
    is_code: bool
    is_writable: bool
    align: int


@dataclass(frozen=True)
class Section:
    """One section header. The loader ignores them."""

    name: str
    kind: int
    offset: int
    size: int
    is_code: bool


@dataclass(frozen=True)
class Note:
    """One entry of a note segment."""

    owner: str
    kind: int
    content: bytes


@dataclass(frozen=True)
class Dynamic:
    """What the dynamic section tells the loader.

    soname                 a library's own name
    search                 folders to search for libraries, from DT_RUNPATH if *is_runpath*, else from DT_RPATH
    version_needs          names of the symbol versions without which the loader stops (so not the weak ones)
    is_marked_as_program   DF_1_PIE, or DT_DEBUG, which linkers write into programs and never into shared libraries
    entries                all values by tag: the places of tables that are read only if somebody asks
    """

    needed: tuple[str, ...]
    version_needs: tuple[str, ...]
    soname: str | None
    search: tuple[str, ...]
    is_runpath: bool
    is_marked_as_program: bool
    entries: Mapping[int, int]


@dataclass(frozen=True)
class Elf:
    """An ELF file as its headers describe it. What lies beyond a head is None, or missing in the notes.

    bits, order      class and byte order, as 32 or 64 and ``<`` or ``>``
    has_interpreter  whether there is a PT_INTERP; *interpreter* is what it says
    is_packed        whether UPX compressed the program; then the other fields describe UPX's unpacker
    """

    bits: int
    order: str
    os_abi: int
    kind: int
    machine: int
    flags: int
    entry: int
    segments: tuple[Segment, ...] | None
    sections: tuple[Section, ...]
    has_interpreter: bool
    interpreter: str | None
    dynamic: Dynamic | None
    notes: tuple[Note, ...]
    arm_attributes: dict[int, int] | None
    is_packed: bool

    @property
    def loads(self) -> tuple[Segment, ...]:
        """Return the segments that are mapped into memory."""
        return tuple(segment for segment in self.segments or () if segment.kind == PT_LOAD)


class _Layout:
    """The shape of the structures of one class and byte order (gABI, figures 4-3, 4-8, 4-15, 5-1, 5-9)."""

    def __init__(self, bits: int, order: str) -> None:
        is_32 = bits == 32
        self.order = order
        self.is_32 = is_32
        self.header = struct.Struct(order + ("HHIIIIIHHHHHH" if is_32 else "HHIQQQIHHHHHH"))
        self.segment = struct.Struct(order + ("IIIIIIII" if is_32 else "IIQQQQQQ"))
        self.section = struct.Struct(order + ("IIIIIIIIII" if is_32 else "IIQQQQIIQQ"))
        self.dynamic = struct.Struct(order + ("II" if is_32 else "QQ"))
        self.symbol = struct.Struct(order + ("I8xBxH" if is_32 else "IBxH16x"))
        self.library_need = struct.Struct(order + "HHIII")
        self.version_need = struct.Struct(order + "IHHII")


def read_elf(source: ProgramBytes) -> Elf:
    """Return what the headers of *source* say. Raises ReleaseError where they contradict themselves or the file."""
    identification = source.must(0, 16)
    bits = {1: 32, 2: 64}.get(identification[4])
    order = {1: "<", 2: ">"}.get(identification[5])
    if bits is None or order is None or identification[6] != 1:
        raise source.broken(f"an ELF identification of {identification[4:7].hex(' ')}")
    layout = _Layout(bits, order)
    (
        kind,
        machine,
        _unused,
        entry,
        segments_at,
        sections_at,
        flags,
        _unused,
        segment_size,
        segments,
        section_size,
        section_count,
        names_index,
    ) = layout.header.unpack(source.must(16, layout.header.size))
    known = _segments(source, layout, segments_at, segment_size, segments)
    table = known or ()
    interpreters = [segment for segment in table if segment.kind == PT_INTERP]
    dynamics = [segment for segment in table if segment.kind == PT_DYNAMIC]
    note_areas = [segment for segment in table if segment.kind in (PT_NOTE, PT_GNU_PROPERTY)]
    sections: tuple[Section, ...] = ()
    if section_size == layout.section.size:
        sections = _sections(source, layout, sections_at, section_count, names_index)
    return Elf(
        bits=bits,
        order=order,
        os_abi=identification[7],
        kind=kind,
        machine=machine,
        flags=flags,
        entry=entry,
        segments=known,
        sections=sections,
        has_interpreter=bool(interpreters),
        interpreter=_interpreter(source, interpreters[0]) if interpreters else None,
        dynamic=_dynamic(source, layout, table, dynamics[0]) if dynamics else None,
        notes=tuple(note for area in note_areas[:MAX_NOTE_SEGMENTS] for note in _notes(source, layout, area)),
        arm_attributes=_arm_attributes(source, layout, sections) if machine == EM_ARM else None,
        is_packed=_is_packed(source, segments_at + segments * segment_size),
    )


def _segments(
    source: ProgramBytes, layout: _Layout, offset: int, entry_size: int, count: int
) -> tuple[Segment, ...] | None:
    if count == 0:
        return ()
    if entry_size != layout.segment.size or count > MAX_SEGMENTS:
        raise source.broken(f"{count} program headers of {entry_size} bytes each")
    table = source.at(offset, count * entry_size)
    if table is None:
        return None
    found = []
    for fields in layout.segment.iter_unpack(table):
        if layout.is_32:
            kind, file_offset, address, _unused, file_size, _unused, flags, align = fields
        else:
            kind, flags, file_offset, address, _unused, file_size, _unused, align = fields
        found.append(Segment(kind, file_offset, address, file_size, bool(flags & PF_X), bool(flags & PF_W), align))
    return tuple(found)


def _interpreter(source: ProgramBytes, segment: Segment) -> str | None:
    """Return the loader's path, None without one. Files of debug symbols have the segment, but not its bytes."""
    if segment.file_size == 0:
        return None
    return source.text_at(segment.offset, segment.offset + segment.file_size)


def _dynamic(source: ProgramBytes, layout: _Layout, segments: tuple[Segment, ...], segment: Segment) -> Dynamic | None:
    count = min(segment.file_size // layout.dynamic.size, MAX_DYNAMIC_ENTRIES)
    table = source.at(segment.offset, count * layout.dynamic.size)
    if table is None:
        return None
    entries: dict[int, int] = {}
    needed_at = []
    for tag, value in layout.dynamic.iter_unpack(table):
        if tag == DT_NULL:
            break
        entries[tag] = value
        if tag == DT_NEEDED:
            needed_at.append(value)
    needed: list[str | None] = []
    version_needs: list[str | None] = []
    soname = search = None
    search_tag = DT_RUNPATH if DT_RUNPATH in entries else DT_RPATH
    if needed_at or entries.get(DT_VERNEED) or {DT_SONAME, search_tag} & set(entries):
        strings_at = _file_offset(source, segments, entries.get(DT_STRTAB))
        strings = range(strings_at, strings_at + entries.get(DT_STRSZ, 0))
        needed = [source.text_at(strings.start + index, strings.stop) for index in needed_at]
        if DT_SONAME in entries:
            soname = source.text_at(strings.start + entries[DT_SONAME], strings.stop)
        if search_tag in entries:
            search = source.text_at(strings.start + entries[search_tag], strings.stop)
        if entries.get(DT_VERNEED):
            start = _file_offset(source, segments, entries[DT_VERNEED])
            version_needs = list(_version_needs(source, layout, start, entries.get(DT_VERNEEDNUM, 0), strings))
    return Dynamic(
        needed=tuple(name for name in needed if name is not None),
        version_needs=tuple(name for name in version_needs if name is not None),
        soname=soname,
        search=tuple((search or "").split(":")),
        is_runpath=DT_RUNPATH in entries,
        is_marked_as_program=DT_DEBUG in entries or bool(entries.get(DT_FLAGS_1, 0) & DF_1_PIE),
        entries=entries,
    )


def undefined_symbols(source: ProgramBytes, elf: Elf) -> Iterator[str]:
    """Yield the names of symbols that others must define, else the loader stops the program. Weak ones may be missing.

    No entry has the number of symbols. The hash table of System V has it; that of GNU has the index of the first of the
    defined symbols, which come last (bfd/elflink.c of binutils, GnuHashTableSection of lld). Raises ReleaseError if the
    tables contradict the file.
    """
    entries = elf.dynamic.entries if elf.dynamic else {}
    if DT_SYMTAB not in entries:
        return
    layout = _Layout(elf.bits, elf.order)
    segments = elf.segments or ()
    strings_at = _file_offset(source, segments, entries.get(DT_STRTAB))
    strings = range(strings_at, strings_at + entries.get(DT_STRSZ, 0))
    start = _file_offset(source, segments, entries[DT_SYMTAB])
    table = source.at(start, _symbol_count(source, elf, layout, entries) * layout.symbol.size) or b""
    for name_at, info, section in layout.symbol.iter_unpack(table):
        if section == SHN_UNDEF and info >> 4 == STB_GLOBAL:
            yield source.text_at(strings.start + name_at, strings.stop) or ""


def _symbol_count(source: ProgramBytes, elf: Elf, layout: _Layout, entries: Mapping[int, int]) -> int:
    """Return the number of symbols, or at least of those that are not defined."""
    word = struct.Struct(elf.order + "I")
    count = 0
    if DT_GNU_HASH in entries:
        # If no symbol is defined, some linkers write 1 here.
        start = _file_offset(source, elf.segments or (), entries[DT_GNU_HASH])
        (count,) = word.unpack(source.must(start + word.size, word.size))
    if count <= 1 and DT_HASH in entries:
        start = _file_offset(source, elf.segments or (), entries[DT_HASH])
        (count,) = word.unpack(source.must(start + word.size, word.size))
    if count <= 1:
        # Every linker puts another table directly after the symbols.
        behind = min((value for value in entries.values() if value > entries[DT_SYMTAB]), default=0)
        count = max(behind - entries[DT_SYMTAB], 0) // layout.symbol.size
    if count > MAX_SYMBOLS:
        raise source.broken(f"a table of {count} symbols")
    return count


def _file_offset(source: ProgramBytes, segments: tuple[Segment, ...], address: int | None) -> int:
    """Return the offset in the file of the bytes that are mapped to *address*."""
    for segment in segments:
        if segment.kind == PT_LOAD and address is not None and 0 <= address - segment.address < segment.file_size:
            return address - segment.address + segment.offset
    raise source.broken("a dynamic section whose tables no segment loads")


def _version_needs(
    source: ProgramBytes, layout: _Layout, start: int, libraries: int, strings: range
) -> Iterator[str | None]:
    """Yield the names in .gnu.version_r: a chain of libraries (Verneed), each with a chain of versions (Vernaux)."""
    for library_at, library in _chain(source, layout.library_need, start, libraries):
        _unused, versions, _unused, first_version, _unused = library
        for _unused, version in _chain(source, layout.version_need, library_at + first_version, versions):
            _unused, flags, _unused, name_at, _unused = version
            if not flags & VER_FLG_WEAK:
                yield source.text_at(strings.start + name_at, strings.stop)


def _chain(
    source: ProgramBytes, layout: struct.Struct, start: int, count: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield position and fields of each entry; its last field is the distance to the next, 0 at the end."""
    if count > MAX_CHAIN_LENGTH:
        raise source.broken(f"a chain of {count} needed libraries or versions")
    for _number in range(count):
        entry = source.at(start, layout.size)
        if entry is None:
            return
        fields = layout.unpack(entry)
        yield start, fields
        if fields[-1] == 0:
            return
        start += fields[-1]


def _notes(source: ProgramBytes, layout: _Layout, segment: Segment) -> Iterator[Note]:
    """Yield the notes of one segment; what does not fit into it ends them, as it does for kernels."""
    area = source.at(segment.offset, min(segment.file_size, MAX_NOTES_SIZE))
    if area is None:
        return
    alignment = 8 if segment.align == 8 else 4
    position = 0
    while position + 12 <= len(area):
        owner_size, content_size, kind = struct.unpack_from(layout.order + "III", area, position)
        content_at = _align(position + 12 + owner_size, alignment)
        end = content_at + content_size
        if end > len(area):
            return
        owner = area[position + 12 : position + 12 + owner_size]
        yield Note(owner.rstrip(b"\0").decode("latin-1"), kind, area[content_at:end])
        position = _align(end, alignment)


def _align(number: int, alignment: int) -> int:
    return -(-number // alignment) * alignment


def _sections(source: ProgramBytes, layout: _Layout, offset: int, count: int, names_index: int) -> tuple[Section, ...]:
    """Return the section headers; none where they are not whole, since nothing needs them to run."""
    size = min(count, MAX_SECTIONS) * layout.section.size
    if not source.has(offset, size):
        return ()
    table = list(layout.section.iter_unpack(source.must(offset, size)))
    names = b""
    if names_index < len(table):
        names_at, names_size = table[names_index][4], min(table[names_index][5], MAX_SECTION_NAMES_SIZE)
        names = source.must(names_at, names_size) if source.has(names_at, names_size) else b""
    return tuple(
        Section(
            name=names[fields[0] :].partition(b"\0")[0][:64].decode("latin-1"),
            kind=fields[1],
            offset=fields[4],
            size=fields[5],
            is_code=bool(fields[2] & SHF_EXECINSTR),
        )
        for fields in table
    )


def _arm_attributes(source: ProgramBytes, layout: _Layout, sections: tuple[Section, ...]) -> dict[int, int] | None:
    """Return ARM's build attributes by tag, None without any. No loader needs them: a malformed one ends the list."""
    for section in sections:
        size = min(section.size, MAX_ATTRIBUTES_SIZE)
        if section.kind == SHT_ARM_ATTRIBUTES and source.has(section.offset, size):
            return _file_attributes(source.must(section.offset, size), layout.order)
    return None


def _file_attributes(area: bytes, order: str) -> dict[int, int] | None:
    """Return the attributes that hold for the whole file: format 'A', vendor "aeabi", scope Tag_File (1)."""
    if area[:1] != b"A" or area[5:11] != b"aeabi\0" or area[11:12] != b"\x01" or len(area) < 16:
        return None
    (size,) = struct.unpack_from(order + "I", area, 12)
    attributes = area[16 : 11 + size]
    found: dict[int, int] = {}
    position = 0
    while position < len(attributes):
        tag, position = _uleb128(attributes, position)
        is_text = tag in (4, 5) or (tag >= 32 and tag % 2 == 1)
        if not is_text:
            found[tag], position = _uleb128(attributes, position)
        if tag == 32 or is_text:
            position = attributes.find(b"\0", position) + 1 or len(attributes)
    return found


def _uleb128(area: bytes, position: int) -> tuple[int, int]:
    """Return the number at *position*, of which the first 64 bits count, and the position after it."""
    value = shift = 0
    while position < len(area):
        byte = area[position]
        position += 1
        if shift < 64:
            value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return value, position


def _is_packed(source: ProgramBytes, end_of_program_headers: int) -> bool:
    """Tell whether UPX compressed the program: its mark is 4 bytes after the program headers, which UPX wrote."""
    offset = end_of_program_headers + 4
    return source.has(offset, 4) and source.at(offset, 4) == b"UPX!"
