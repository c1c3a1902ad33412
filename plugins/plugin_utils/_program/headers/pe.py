# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a Windows program require? Machine, subsystem version, imported DLLs. Pure; runs on the controller.

Follows Microsoft's "PE Format" specification. ARM64EC programs have the machine of x86-64, which runs them,
and so has their requirement.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import (
    MAX_NAME_LENGTH,
    ProgramBytes,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Architecture

#: Machine → (architecture, the magic number that its optional header must have).
PE32, PE32_PLUS = 0x10B, 0x20B
MACHINES: dict[int, tuple[Architecture, int]] = {
    0x014C: ("i686", PE32),
    0x8664: ("x86_64", PE32_PLUS),
    0xAA64: ("aarch64", PE32_PLUS),
    0x01C4: ("arm", PE32),
}
IMAGE_FILE_EXECUTABLE_IMAGE, IMAGE_FILE_SYSTEM, IMAGE_FILE_DLL = 0x0002, 0x1000, 0x2000
SUBSYSTEM_GUI, SUBSYSTEM_CONSOLE = 2, 3
#: What a section is marked with.
INITIALIZED_DATA, READABLE, WRITABLE, ALIGNMENT = 0x40, 0x40000000, 0x80000000, 0x00F00000
#: The limit of the Windows loader.
MAX_SECTIONS = 96
MAX_IMPORTS = 1024
IMPORT_DIRECTORY = 1


@dataclass(frozen=True)
class Section:
    """A part of the file and the address to which it is mapped, relative to the program's; *size* is that in the file.

    is_data  whether the program may write there, and not run what is there
    """

    address: int
    offset: int
    size: int
    name: str
    is_data: bool


def pe_requirements(source: ProgramBytes) -> tuple[Requirement, ...]:
    """Return what a Windows program requires.

    Raises NotAProgram for a DLL, a driver or a program for DOS, and ReleaseError if the header is broken or the machine
    unknown.
    """
    header = _header_offset(source)
    machine, section_count, _unused, _unused, _unused, optional_size, characteristics = struct.unpack(
        "<HHIIIHH", source.must(header + 4, 20)
    )
    if characteristics & IMAGE_FILE_DLL:
        raise source.no_program("a Windows library (DLL)")
    if characteristics & IMAGE_FILE_SYSTEM or not characteristics & IMAGE_FILE_EXECUTABLE_IMAGE:
        raise source.no_program("a Windows driver or object file")
    if machine not in MACHINES:
        raise source.foreign(f"PE machine {machine:#06x}")
    arch, magic = MACHINES[machine]
    # Up to Subsystem, both forms of the optional header have their fields in the same places.
    directories_at = 96 if magic == PE32 else 112
    if optional_size < directories_at or section_count > MAX_SECTIONS:
        raise source.broken(f"an optional header of {optional_size} bytes, {section_count} sections")
    optional = source.must(header + 24, optional_size)
    found_magic, subsystem = (struct.unpack_from("<H", optional, position)[0] for position in (0, 68))
    if found_magic != magic:
        raise source.broken(f"machine {machine:#06x} with an optional header of magic {found_magic:#x}")
    if subsystem not in (SUBSYSTEM_GUI, SUBSYSTEM_CONSOLE):
        raise source.no_program(f"a file for subsystem {subsystem} of Windows: a driver, or a program for the firmware")
    major, minor = struct.unpack_from("<HH", optional, 48)
    sections = _sections(source, header + 24 + optional_size, section_count)
    imports = _directory(optional, directories_at, IMPORT_DIRECTORY)
    requirement = Requirement(
        os="windows",
        arch=arch,
        libc="system",
        libraries=_imported_libraries(source, sections, imports),
        os_min=f"{major}.{minor}",
    )
    return (requirement,)


def pe_sections(source: ProgramBytes) -> tuple[tuple[Section, ...], int]:
    """Return the sections of a Windows program, and the address that it is loaded at if that is free.

    Raises ReleaseError as pe_requirements() does.
    """
    header = _header_offset(source)
    _unused, count, _unused, _unused, _unused, optional_size, _unused = struct.unpack(
        "<HHIIIHH", source.must(header + 4, 20)
    )
    if count > MAX_SECTIONS:
        raise source.broken(f"{count} sections")
    (magic,) = struct.unpack("<H", source.must(header + 24, 2))
    (base,) = (
        struct.unpack("<Q", source.must(header + 48, 8))
        if magic == PE32_PLUS
        else struct.unpack("<I", source.must(header + 52, 4))
    )
    return _sections(source, header + 24 + optional_size, count), int(base)


def _header_offset(source: ProgramBytes) -> int:
    if not source.has(0, 64) and not source.is_head:
        raise source.no_program("a few bytes that begin with MZ")
    (offset,) = struct.unpack("<I", source.must(0x3C, 4))
    if not source.has(offset, 4) and not source.is_head:
        raise source.no_program("a program for DOS, or data that begins with MZ")
    if source.must(offset, 4) != b"PE\0\0":
        raise source.no_program("a program for DOS, or data that begins with MZ")
    return int(offset)


def _sections(source: ProgramBytes, offset: int, count: int) -> tuple[Section, ...]:
    found = []
    for fields in struct.iter_unpack("<8sIIIIIIHHI", source.must(offset, count * 40)):
        name, _unused, address, size, file_offset = fields[:5]
        is_data = fields[-1] & ~ALIGNMENT == INITIALIZED_DATA | READABLE | WRITABLE
        found.append(Section(address, file_offset, size, name.rstrip(b"\0").decode("latin-1"), is_data))
    return tuple(found)


def _directory(optional: bytes, directories_at: int, number: int) -> int:
    """Return the address of a data directory of the optional header, 0 if there is none."""
    (count,) = struct.unpack_from("<I", optional, directories_at - 4)
    position = directories_at + 8 * number
    if number >= count or position + 8 > len(optional):
        return 0
    return int(struct.unpack_from("<I", optional, position)[0])


def _imported_libraries(source: ProgramBytes, sections: tuple[Section, ...], address: int) -> tuple[str, ...]:
    """Return the names in the import directory: descriptors of 20 bytes, ended by one without a name."""
    names: set[str] = set()
    if address == 0:
        return ()
    for index in range(MAX_IMPORTS):
        descriptor = source.at(_file_offset(source, sections, address + 20 * index), 20)
        if descriptor is None:
            return tuple(sorted(names))
        (name_address,) = struct.unpack_from("<I", descriptor, 12)
        if name_address == 0:
            return tuple(sorted(names))
        start = _file_offset(source, sections, name_address)
        name = source.text_at(start, start + MAX_NAME_LENGTH)
        if name:
            names.add(name)
    raise source.broken(f"more than {MAX_IMPORTS} imported libraries")


def _file_offset(source: ProgramBytes, sections: tuple[Section, ...], address: int) -> int:
    for section in sections:
        if section.address <= address < section.address + section.size:
            return address - section.address + section.offset
    raise source.broken(f"the address {address:#x} of an import, which is in no section")
