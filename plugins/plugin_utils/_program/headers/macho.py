# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a Mach-O program require? One answer for each architecture of a universal file. Pure; controller.

Follows Apple's headers mach-o/fat.h, mach-o/loader.h and mach/machine.h. Java's class files begin like universal files,
with their version, which is at least 45, in the place of the number of architectures.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Architecture

FAT_MAGIC, FAT_MAGIC_64 = b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"
#: Magic number of a thin file → (size of its header, byte order).
THIN_MAGICS = {
    b"\xfe\xed\xfa\xce": (28, ">"),
    b"\xce\xfa\xed\xfe": (28, "<"),
    b"\xfe\xed\xfa\xcf": (32, ">"),
    b"\xcf\xfa\xed\xfe": (32, "<"),
}
MAX_SLICES = 16
LOWEST_JAVA_CLASS_VERSION = 45
MAX_COMMANDS = 4096
MAX_COMMANDS_SIZE = 1024 * 1024

MH_EXECUTE = 2
WHAT_ELSE_IT_IS = {
    1: "an object file",
    4: "a core dump",
    6: "a shared library",
    7: "a dynamic linker",
    8: "a loadable bundle",
    9: "a stub of a shared library",
    10: "debug symbols",
    11: "a kernel extension",
}
CPU_TYPE_X86_64, CPU_TYPE_ARM64 = 0x01000007, 0x0100000C
ARCH_OF_CPU_TYPE: dict[int, Architecture] = {
    7: "i686",
    CPU_TYPE_X86_64: "x86_64",
    CPU_TYPE_ARM64: "aarch64",
    18: "powerpc",
    0x01000012: "powerpc64",
}
CPU_SUBTYPE_MASK = 0x00FFFFFF
CPU_SUBTYPE_X86_64_H, CPU_SUBTYPE_ARM64E = 8, 2

LC_LOAD_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB = 0xC, 0x8000001F, 0x80000023
#: The fields of a command that names a library; the name is behind them.
DYLIB_COMMAND_SIZE = 24
LC_VERSION_MIN_MACOSX, LC_BUILD_VERSION = 0x24, 0x32
#: Version commands from before LC_BUILD_VERSION → the platform number.
OLD_VERSION_COMMANDS = {LC_VERSION_MIN_MACOSX: 1, 0x25: 2, 0x2F: 3, 0x30: 4}
PLATFORM_MACOS = 1
PLATFORMS = {
    2: "iOS",
    3: "tvOS",
    4: "watchOS",
    5: "bridgeOS",
    6: "Mac Catalyst",
    7: "the iOS simulator",
    8: "the tvOS simulator",
    9: "the watchOS simulator",
    10: "DriverKit",
    11: "visionOS",
    12: "the visionOS simulator",
}


def macho_requirements(source: ProgramBytes) -> tuple[Requirement, ...]:
    """Return what each architecture of a Mach-O program requires, in the order of the file.

    Raises NotAProgram for a file that is not meant to be started, and ReleaseError if the header is broken or the
    system unknown.
    """
    magic = source.must(0, 4)
    if magic in THIN_MAGICS:
        return (_thin(source, 0),)
    return tuple(_slice(source, cpu, subtype, offset) for cpu, subtype, offset in _slices(source, magic))


def thin_files(source: ProgramBytes) -> tuple[int, ...]:
    """Return where each architecture's program begins. Raises ReleaseError if one is none."""
    magic = source.must(0, 4)
    starts = (0,) if magic in THIN_MAGICS else tuple(offset for _cpu, _type, offset in _slices(source, magic))
    if not all(source.must(start, 4) in THIN_MAGICS for start in starts):
        raise source.no_program("a universal file that contains no programs")
    return starts


def _slices(source: ProgramBytes, magic: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield CPU type, CPU subtype and offset of each architecture of a universal file; its numbers are big-endian."""
    (count,) = struct.unpack(">I", source.must(4, 4))
    if magic == FAT_MAGIC and count >= LOWEST_JAVA_CLASS_VERSION:
        raise source.no_program("a Java class file")
    if not 0 < count <= MAX_SLICES:
        raise source.broken(f"a universal file of {count} architectures")
    layout = struct.Struct(">IIIII" if magic == FAT_MAGIC else ">IIQQII")
    for fields in layout.iter_unpack(source.must(8, count * layout.size)):
        cpu, subtype, offset = fields[:3]
        yield cpu, subtype, offset


def _slice(source: ProgramBytes, cpu: int, subtype: int, offset: int) -> Requirement:
    """Return what one architecture requires; for a slice beyond a head, only what the universal header says."""
    magic = source.at(offset, 4)
    if magic is None:
        return _requirement(source, cpu, subtype)
    if magic not in THIN_MAGICS:
        raise source.no_program("a universal file that contains no programs")
    return _thin(source, offset)


def _thin(source: ProgramBytes, start: int) -> Requirement:
    _header_size, order = THIN_MAGICS[source.must(start, 4)]
    cpu, subtype, kind = struct.unpack(order + "III", source.must(start + 4, 12))
    if kind != MH_EXECUTE:
        raise source.no_program(WHAT_ELSE_IT_IS.get(kind, f"a Mach-O file of type {kind}"))
    commands = load_commands(source, start)
    if commands is None:
        return _requirement(source, cpu, subtype)
    platforms: dict[int, str] = {}
    libraries = set()
    for command, content in commands:
        if command in (LC_LOAD_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB):
            libraries.add(_library(source, content, order))
        elif command in OLD_VERSION_COMMANDS:
            platforms[OLD_VERSION_COMMANDS[command]] = _version(_number(source, content, order, 8))
        elif command == LC_BUILD_VERSION:
            platforms[_number(source, content, order, 8)] = _version(_number(source, content, order, 12))
    if platforms and PLATFORM_MACOS not in platforms:
        number = min(platforms)
        raise source.foreign(f"a program for {PLATFORMS.get(number, f'Apple platform {number}')}")
    return _requirement(source, cpu, subtype, platforms.get(PLATFORM_MACOS), tuple(sorted(libraries)))


def load_commands(source: ProgramBytes, start: int) -> Iterator[tuple[int, bytes]] | None:
    """Yield number and bytes of each load command of the thin file at *start*; None if a head ends before them.

    Raises ReleaseError if they are more than any program has, or contradict the header.
    """
    header_size, order = THIN_MAGICS[source.must(start, 4)]
    count, size = struct.unpack(order + "II", source.must(start + 16, 8))
    if count > MAX_COMMANDS or size > MAX_COMMANDS_SIZE:
        raise source.broken(f"{count} load commands of {size} bytes")
    area = source.at(start + header_size, size)
    return None if area is None else _commands(source, area, order, count)


def _commands(source: ProgramBytes, area: bytes, order: str, count: int) -> Iterator[tuple[int, bytes]]:
    position = 0
    for _number in range(count):
        if position + 8 > len(area):
            raise source.broken(f"fewer load commands than the {count} that it announces")
        command, size = struct.unpack_from(order + "II", area, position)
        if size < 8 or position + size > len(area):
            raise source.broken(f"a load command of {size} bytes")
        yield command, area[position : position + size]
        position += size


def _number(source: ProgramBytes, command: bytes, order: str, position: int) -> int:
    if len(command) < position + 4:
        raise source.broken(f"a load command of {len(command)} bytes")
    return int(struct.unpack_from(order + "I", command, position)[0])


def _library(source: ProgramBytes, command: bytes, order: str) -> str:
    start = _number(source, command, order, 8)
    if not DYLIB_COMMAND_SIZE <= start < len(command):
        raise source.broken("a load command without the library's name")
    return source.text(command[start:].partition(b"\0")[0])


def _version(number: int) -> str:
    """Return the text of a version that is packed as xxxx.yy.zz, without a third part of zero."""
    major, minor, patch = number >> 16, number >> 8 & 0xFF, number & 0xFF
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


def _requirement(
    source: ProgramBytes, cpu: int, subtype: int, os_min: str | None = None, libraries: tuple[str, ...] = ()
) -> Requirement:
    arch = ARCH_OF_CPU_TYPE.get(cpu)
    if arch is None:
        raise source.foreign(f"Mach-O CPU type {cpu:#x}")
    subtype &= CPU_SUBTYPE_MASK
    return Requirement(
        os="macos",
        arch=arch,
        abi="arm64e" if (cpu, subtype) == (CPU_TYPE_ARM64, CPU_SUBTYPE_ARM64E) else None,
        libc="system",
        libraries=libraries,
        cpu="x86-64-v3" if (cpu, subtype) == (CPU_TYPE_X86_64, CPU_SUBTYPE_X86_64_H) else None,
        os_min=os_min,
    )
