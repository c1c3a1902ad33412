# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the smallest file that a reader of program headers takes for a program? Made by hand, for tests.

Nothing here can run. Each function lays out one format by its specification, and independently of the readers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

BASE = 0x10000
ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_GNU_PROPERTY = 1, 2, 3, 4, 0x6474E553
GLIBC_X86_64 = "/lib64/ld-linux-x86-64.so.2"


def elf(
    *,
    machine: int = 62,
    bits: int = 64,
    order: str = "<",
    kind: int = ET_EXEC,
    flags: int = 0,
    os_abi: int = 0,
    interpreter: str | None = None,
    needed: Sequence[str] = (),
    versions: Sequence[str] = (),
    weak_versions: Sequence[str] = (),
    soname: str | None = None,
    runpath: str | None = None,
    rpath: str | None = None,
    flags_1: int = 0,
    has_debug_tag: bool = False,
    notes: Sequence[tuple[str, int, bytes]] = (),
    align: int = 0x1000,
    attributes: Sequence[tuple[int, int | str]] | None = None,
    code: bytes = b"\0" * 16,
    entry: int | None = None,
    padding_before_names: int = 0,
    note_segment: int = PT_NOTE,
    is_packed: bool = False,
    sections: Sequence[tuple[str, int, bytes]] = (),
    data: bytes = b"",
    undefined: Sequence[str] = (),
    weak: Sequence[str] = (),
    defined: Sequence[str] = (),
    hash_table: str = "gnu",
    has_relr: bool = False,
) -> bytes:
    """Return an ELF file; it has a dynamic section if anything asks for one.

    *undefined*, *weak* (and not defined) and *defined* symbols are counted by a *hash_table*: gnu, sysv, or none.

    *data* gets a writable segment of its own, and each of *sections* a section header: name, kind and content.
    """
    word = "I" if bits == 32 else "Q"
    has_dynamic = bool(needed or versions or weak_versions or soname or flags_1 or has_debug_tag or runpath or rpath)
    has_dynamic |= bool(undefined or weak or defined or has_relr)
    count = 1 + bool(interpreter) + has_dynamic + bool(notes) + bool(data)
    header_size, segment_size = (52, 32) if bits == 32 else (64, 56)
    body_at = header_size + count * segment_size
    body = (b"\0\0\0\0UPX!" if is_packed else b"").ljust(16, b"\0") + code + b"\0" * padding_before_names

    def add(content: bytes) -> int:
        nonlocal body
        body += b"\0" * (-len(body) % 8)
        body += content
        return body_at + len(body) - len(content)

    segments: list[tuple[int, ...]] = []
    if interpreter:
        path = interpreter.encode() + b"\0"
        segments.append((PT_INTERP, add(path), len(path), 1))
    if has_dynamic:
        names = _Names()
        tags = [(1, names.add(name)) for name in needed]
        if soname:
            tags.append((14, names.add(soname)))
        if rpath:
            tags.append((15, names.add(rpath)))
        if runpath:
            tags.append((29, names.add(runpath)))
        if has_debug_tag:
            tags.append((21, 0))
        if flags_1:
            tags.append((0x6FFFFFFB, flags_1))
        if versions or weak_versions:
            needs = [(name, 0) for name in versions] + [(name, 2) for name in weak_versions]
            tags.append((0x6FFFFFFE, BASE + add(_version_needs(order, needs, names))))
            tags.append((0x6FFFFFFF, 1))
        if has_relr:
            tags += [(35, 8), (36, BASE), (37, 8)]
        if undefined or weak or defined:
            symbols = [(names.add(name), 1, 0) for name in undefined] + [(names.add(name), 2, 0) for name in weak]
            symbols += [(names.add(name), 1, 7) for name in defined]
            tags.append((6, BASE + add(_symbols(bits, order, symbols))))
            if hash_table != "none":
                first_defined = 1 + len(undefined) + len(weak) if defined else 1
                words = (1, first_defined, 1, 6) if hash_table == "gnu" else (1, 1 + len(symbols), 0)
                tag = 0x6FFFFEF5 if hash_table == "gnu" else 4
                tags.append((tag, BASE + add(struct.pack(f"{order}{len(words)}I", *words))))
        strings_at = add(names.content)
        tags += [(5, BASE + strings_at), (10, len(names.content)), (0, 0)]
        table = b"".join(struct.pack(order + 2 * word, *tag) for tag in tags)
        segments.append((PT_DYNAMIC, add(table), len(table), 8))
    if notes:
        area = b"".join(_note(order, owner, number, content) for owner, number, content in notes)
        segments.append((note_segment, add(area), len(area), 4))
    if data:
        segments.append((PT_LOAD, add(data), len(data), align, 6))
    if attributes is not None:
        sections = [*sections, (".ARM.attributes", 0x70000003, arm_attributes(attributes, order))]
    sections_at = 0
    if sections:
        names = _Names()
        named = [
            (names.add(name), number, {".text": 6, ".data": 3}.get(name, 0), content)
            for name, number, content in [*sections, (".shstrtab", 3, b"")]
        ]
        layout = order + ("IIIIIIIIII" if bits == 32 else "IIQQQQIIQQ")
        headers = b""
        for name_at, number, section_flags, content in named:
            content = content or names.content
            headers += struct.pack(layout, name_at, number, section_flags, 0, add(content), len(content), 0, 0, 1, 0)
        sections_at = add(headers)
    segments.insert(0, (PT_LOAD, 0, body_at + len(body), align))
    header = bytes([0x7F]) + b"ELF" + bytes([bits // 32, 1 if order == "<" else 2, 1, os_abi]) + b"\0" * 8
    header += struct.pack(
        order + "HHI" + 3 * word + "IHHHHHH",
        kind,
        machine,
        1,
        BASE + body_at + 16 if entry is None else entry,
        header_size,
        sections_at,
        flags,
        header_size,
        segment_size,
        count,
        40 if bits == 32 else 64,
        len(sections) + 1 if sections_at else 0,
        len(sections),
    )
    return header + b"".join(_segment(bits, order, *segment) for segment in segments) + body


def arm_attributes(attributes: Sequence[tuple[int, int | str]], order: str = "<") -> bytes:
    """Return the content of .ARM.attributes; numbers above 127 are not needed."""
    content = b"".join(
        bytes([tag]) + (value.encode() + b"\0" if isinstance(value, str) else bytes([value]))
        for tag, value in attributes
    )
    scope = b"\x01" + struct.pack(order + "I", 5 + len(content)) + content
    return b"A" + struct.pack(order + "I", 10 + len(scope)) + b"aeabi\0" + scope


def go_build_text(*settings: str) -> bytes:
    """Return what the go command writes about a build: modules, then settings, between its two marks."""
    lines = ["path\texample.org/tool", "mod\texample.org/tool\tv1.2.3", "build\t-compiler=gc"]
    text = "".join(f"{line}\n" for line in [*lines, *(f"build\t{setting}" for setting in settings)])
    begin, end = "3077af0c9274080241e1c107e6d618e6", "f932433186182072008242104116d8f2"
    return bytes.fromhex(begin) + text.encode() + bytes.fromhex(end)


def go_build_info(*settings: str) -> bytes:
    """Return a section .go.buildinfo as Go 1.18 and later write it: Go's version and the text follow its header."""
    text = go_build_text(*settings)
    length = bytes([len(text) & 0x7F | 0x80, len(text) >> 7])
    return b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + b"\x08go1.26.5" + length + text


def x86_isa_needed(level_bits: int, bits: int = 64) -> tuple[str, int, bytes]:
    """Return a GNU property note with another property before the one that counts."""
    pad = b"\0" * (4 if bits == 64 else 0)
    other = struct.pack("<III", 0xC0000002, 4, 3) + pad
    return ("GNU", 5, other + struct.pack("<III", 0xC0008002, 4, level_bits) + pad)


def gnu_abi_tag(system: int, order: str = "<") -> tuple[str, int, bytes]:
    """Return the note by which glibc's startup code names the system."""
    return ("GNU", 1, struct.pack(order + "IIII", system, 3, 2, 0))


def macho(
    *,
    cpu: int = 0x0100000C,
    subtype: int = 0,
    kind: int = 2,
    bits: int = 64,
    order: str = "<",
    platform: int | None = 1,
    minimum: int = 0x000B0000,
    old_command: int | None = None,
    libraries: Sequence[tuple[int, str]] = ((0xC, "/usr/lib/libSystem.B.dylib"),),
    sections: Sequence[tuple[str, str, bytes]] = (),
) -> bytes:
    """Return a thin Mach-O file; *old_command* is a version command of the time before LC_BUILD_VERSION.

    Each of *sections* (names of segment and section, content) is in a writable segment of its own.
    """
    commands = []
    contents_at = 0x1000
    for segment, name, content in sections:
        commands.append(_macho_segment(order, bits, segment, name, contents_at, len(content)))
        contents_at += len(content)
    if old_command is not None:
        commands.append(struct.pack(order + "IIII", old_command, 16, minimum, minimum))
    elif platform is not None:
        commands.append(struct.pack(order + "IIIIII", 0x32, 24, platform, minimum, minimum, 0))
    for command, name in libraries:
        text = name.encode() + b"\0" * (8 - len(name) % 8)
        commands.append(struct.pack(order + "IIIIII", command, 24 + len(text), 24, 0, 0, 0) + text)
    area = b"".join(commands)
    magic = 0xFEEDFACF if bits == 64 else 0xFEEDFACE
    header = struct.pack(order + "IIIIIII", magic, cpu, subtype, kind, len(commands), len(area), 0)
    program = header + (b"\0" * 4 if bits == 64 else b"") + area
    return program.ljust(0x1000, b"\0") + b"".join(content for *_names, content in sections) if sections else program


def _macho_segment(order: str, bits: int, segment: str, name: str, offset: int, size: int) -> bytes:
    """Return LC_SEGMENT or LC_SEGMENT_64 with one section; both are mapped to BASE and their *offset*."""
    number, word, last = (0x19, "Q", "IIIIIIII") if bits == 64 else (0x1, "I", "IIIIIII")
    names = struct.pack("16s", segment.encode())
    area = struct.pack(order + 4 * word + "IIII", BASE + offset, size, offset, size, 3, 3, 1, 0)
    section = struct.pack("16s", name.encode()) + names
    section += struct.pack(order + 2 * word + last, BASE + offset, size, offset, *[0] * (len(last) - 1))
    content = names + area + section
    return struct.pack(order + "II", number, 8 + len(content)) + content


def universal(*parts: bytes, bits: int = 32, distance: int = 0x1000) -> bytes:
    """Return a universal file of thin ones, each *distance* bytes after the one before."""
    header = struct.pack(">II", 0xCAFEBABE if bits == 32 else 0xCAFEBABF, len(parts))
    body = b""
    for number, part in enumerate(parts, start=1):
        cpu, subtype = struct.unpack_from("<II", part, 4)
        fields = (cpu, subtype, number * distance, len(part), 12)
        header += struct.pack(">IIIII", *fields) if bits == 32 else struct.pack(">IIQQII", *fields, 0)
        body = body.ljust((number - 1) * distance, b"\0") + part
    return header.ljust(distance, b"\0") + body


def pe(
    *,
    machine: int = 0x8664,
    characteristics: int = 0x22,
    subsystem: int = 3,
    version: tuple[int, int] = (6, 1),
    imports: Sequence[str] = ("KERNEL32.dll",),
    magic: int | None = None,
    sections: Sequence[tuple[str, bytes]] = (),
) -> bytes:
    """Return a PE file with one section, at address 0x1000, that holds the import directory; and writable *sections*.

    It is loaded at BASE.
    """
    is_plus = machine in (0x8664, 0xAA64)
    names_at = 0x1000 + 20 * (len(imports) + 1)
    descriptors, names = b"", b""
    for name in imports:
        descriptors += struct.pack("<IIIII", 0, 0, 0, names_at + len(names), 0)
        names += name.encode() + b"\0"
    section = descriptors + b"\0" * 20 + names
    optional = bytearray(112 if is_plus else 96)
    struct.pack_into("<H", optional, 0, magic or (0x20B if is_plus else 0x10B))
    struct.pack_into("<Q" if is_plus else "<I", optional, 24 if is_plus else 28, BASE)
    struct.pack_into("<HH", optional, 48, *version)
    struct.pack_into("<H", optional, 68, subsystem)
    struct.pack_into("<I", optional, len(optional) - 4, 2)
    optional += struct.pack("<IIII", 0, 0, 0x1000 if imports else 0, len(descriptors))
    header = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0"
    count = 1 + len(sections)
    header += struct.pack("<HHIIIHH", machine, count, 0, 0, 0, len(optional), characteristics) + bytes(optional)
    header += struct.pack("<8sIIIIIIHHI", b".rdata", len(section), 0x1000, len(section), 0x400, 0, 0, 0, 0, 0)
    body = section
    for number, (name, content) in enumerate(sections, start=2):
        size, offset = len(content), 0x400 + len(body)
        fields = (name.encode(), size, number * 0x100000, size, offset, 0, 0, 0, 0, 0xC0600040)
        header += struct.pack("<8sIIIIIIHHI", *fields)
        body += content
    return header.ljust(0x400, b"\0") + body


class _Names:
    def __init__(self) -> None:
        self.content = b"\0"

    def add(self, name: str) -> int:
        at = len(self.content)
        self.content += name.encode() + b"\0"
        return at


def _segment(bits: int, order: str, kind: int, offset: int, size: int, align: int, flags: int = 5) -> bytes:
    address = BASE + offset
    if bits == 32:
        return struct.pack(order + "IIIIIIII", kind, offset, address, address, size, size, flags, align)
    return struct.pack(order + "IIQQQQQQ", kind, flags, offset, address, address, size, size, align)


def _version_needs(order: str, needs: Sequence[tuple[str, int]], names: _Names) -> bytes:
    table = struct.pack(order + "HHIII", 1, len(needs), names.add("libc.so.6"), 16, 0)
    for position, (name, flags) in enumerate(needs, start=1):
        following = 16 if position < len(needs) else 0
        table += struct.pack(order + "IHHII", 0, flags, 2, names.add(name), following)
    return table


def _symbols(bits: int, order: str, symbols: Sequence[tuple[int, int, int]]) -> bytes:
    """Return a symbol table of (place of the name, binding, section); the first entry is empty."""
    table = b""
    for name_at, binding, section in [(0, 0, 0), *symbols]:
        if bits == 32:
            table += struct.pack(order + "IIIBBH", name_at, 0, 0, binding << 4 | 2, 0, section)
        else:
            table += struct.pack(order + "IBBHQQ", name_at, binding << 4 | 2, 0, section, 0, 0)
    return table


def _note(order: str, owner: str, kind: int, content: bytes) -> bytes:
    name = owner.encode() + b"\0"
    padded = name + b"\0" * (-len(name) % 4) + content + b"\0" * (-len(content) % 4)
    return struct.pack(order + "III", len(name), len(content), kind) + padded
