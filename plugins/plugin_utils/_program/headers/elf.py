# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does an ELF program require? Rules about what elf_structures.py read. Pure; runs on the controller.

The rules come from
- System V gABI, chapters 4 and 5; its registry of EI_OSABI and e_machine values
- Linux Standard Base, core specification: .note.ABI-tag, symbol versioning; glibc's own GLIBC_ABI_ marks
- x86-64 psABI: micro-architecture levels (GNU_PROPERTY_X86_ISA_1_NEEDED), x32 (ELFCLASS32)
- Arm IHI 0044 (e_flags) and IHI 0045 (Tag_ABI_VFP_args; Tag_CPU_arch, which arm_code.py corrects; instead of
  Tag_FP_arch and Tag_Advanced_SIMD_arch, arm_registers.py reads the code)
- RISC-V psABI, LoongArch psABI, 64-bit PowerPC ELF ABI, MIPS psABI: e_flags
- the notes by which FreeBSD, NetBSD, OpenBSD, DragonFly and Android recognise their programs

No header has what Go compiled for (GOARM, GOAMD64 …): go_settings.py reads it from the text that Go puts into programs.
Instructions that a program uses only after asking the processor do not count, and are nowhere listed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.arm_code import processor_of_code
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.arm_registers import registers_used
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.elf_structures import (
    DT_RELR,
    EM_ARM,
    Elf,
    read_elf,
)
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.go_settings import (
    go_float_abi,
    go_processor,
    go_settings,
)
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.musl_floor import musl_floor
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import PROCESSORS
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    OPERATING_SYSTEMS,
    Architecture,
    Libc,
    OperatingSystem,
)

ET_EXEC, ET_DYN = 2, 3
WHAT_ELSE_IT_IS = {0: "a file of no type", 1: "an object file or kernel module", 4: "a core dump"}

EM_MIPS, EM_PPC64, EM_X86_64, EM_AARCH64, EM_RISCV, EM_LOONGARCH = 8, 21, 62, 183, 243, 258
#: (e_machine, class, byte order) → architecture
ARCH_OF_HEADER: dict[tuple[int, int, str], Architecture] = {
    (3, 32, "<"): "i686",
    (EM_X86_64, 64, "<"): "x86_64",
    (EM_X86_64, 32, "<"): "x86_64",
    (EM_AARCH64, 64, "<"): "aarch64",
    (EM_ARM, 32, "<"): "arm",
    (20, 32, ">"): "powerpc",
    (EM_PPC64, 64, ">"): "powerpc64",
    (EM_PPC64, 64, "<"): "powerpc64le",
    (22, 64, ">"): "s390x",
    (EM_RISCV, 64, "<"): "riscv64",
    (EM_RISCV, 32, "<"): "riscv32",
    (EM_LOONGARCH, 64, "<"): "loongarch64",
    (EM_MIPS, 32, ">"): "mips",
    (EM_MIPS, 32, "<"): "mipsel",
    (EM_MIPS, 64, ">"): "mips64",
    (EM_MIPS, 64, "<"): "mips64el",
    (43, 64, ">"): "sparc64",
}

#: EI_OSABI of systems that set it. 0 (System V) leaves the question to notes and interpreter; 97 is old ARM Linux.
OS_ABIS = {2: "netbsd", 3: "linux", 6: "illumos", 9: "freebsd", 12: "openbsd"}
SILENT_OS_ABIS = (0, 97)
#: Owner of a note of type 1 → system. The note of "GNU" has the system in its content.
NOTE_OWNERS = {
    "Android": "android",
    "DragonFly": "dragonfly",
    "FreeBSD": "freebsd",
    "NetBSD": "netbsd",
    "OpenBSD": "openbsd",
    "OHOS": "OpenHarmony",
}
#: First word of a GNU .note.ABI-tag.
GNU_ABI_TAGS = {0: "linux", 1: "GNU Hurd", 2: "illumos", 3: "GNU/kFreeBSD", 4: "GNU/NetBSD", 5: "Syllable", 6: "NaCl"}
#: Interpreters, by pattern of their whole path → system. ld.so.1 is Linux's own on MIPS and 32-bit PowerPC.
SYSTEMS_OF_INTERPRETERS = (
    (re.compile(r".*/linker(64)?|.*/linker_[a-z]*asan(64)?"), "android"),
    (re.compile(r".*/ld-elf\.so\.1|.*/ld-elf32\.so\.1"), "freebsd"),
    (re.compile(r".*/ld-elf\.so\.2"), "dragonfly"),
    (re.compile(r".*/ld\.elf_so"), "netbsd"),
    (re.compile(r"/usr/libexec/ld\.so"), "openbsd"),
    (re.compile(r"(/usr)?/lib/(64/|amd64/|sparcv9/)ld\.so\.1"), "illumos"),
    (re.compile(r"/system/runtime_loader"), "Haiku"),
)
SYSTEM_V_LOADER = re.compile(r"(/usr)?/lib/ld\.so\.1")

GLIBC_LOADER = re.compile(r"ld-(linux|lsb)[-.].*|ld64\.so\.[12]|ld\.so\.1")
MUSL_LOADER = re.compile(r"ld-musl-.*")
UCLIBC_LOADER = re.compile(r"ld(64)?-uClibc.*")
MUSL_LIBRARY = re.compile(r"libc\.musl-.*|libc\.so|ld-musl-.*")
GLIBC_LIBRARY = re.compile(r"libc\.so\.6(\.1)?|ld-linux.*")

SYMBOL_VERSION = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC|FBSD|ILLUMOS)_([0-9]{1,6}(?:\.[0-9]{1,6})*)")
#: Marks that linkers add so that an older glibc stops instead of crashing, and the release that is certain to have them
#: (some distributions ported the last three back to 2.42 and before).
GLIBC_ABI_MARKS = {
    "GLIBC_ABI_DT_RELR": "2.36",
    "GLIBC_ABI_DT_X86_64_PLT": "2.43",
    "GLIBC_ABI_GNU_TLS": "2.43",
    "GLIBC_ABI_GNU2_TLS": "2.43",
}

NT_GNU_ABI_TAG, NT_GNU_PROPERTY_TYPE_0 = 1, 5
GNU_PROPERTY_X86_ISA_1_NEEDED = 0xC0008002
X86_64_LEVELS = ((0x8, "x86-64-v4"), (0x4, "x86-64-v3"), (0x2, "x86-64-v2"))

EF_ARM_EABIMASK, EF_ARM_ABI_FLOAT_SOFT, EF_ARM_ABI_FLOAT_HARD = 0xFF000000, 0x200, 0x400
EF_ARM_EABI_VER4 = 0x04000000
TAG_CPU_ARCH, TAG_ABI_VFP_ARGS = 6, 28
#: Tag_CPU_arch → the processor. 8 (v6T2) has Thumb-2, which the armv6 processors of Linux machines lack.
ARM_PROCESSORS = {
    **dict.fromkeys(range(6), "armv5te"),
    **dict.fromkeys((6, 7, 9, 11, 12), "armv6"),
    **dict.fromkeys((8, 10, 13), "armv7"),
    **dict.fromkeys(range(14, 23), "armv8"),
}
EF_RISCV_FLOAT_ABI, EF_RISCV_RVE = 0x6, 0x8
EF_PPC64_ABI = 0x3
EF_MIPS_ABI2, EF_MIPS_ARCH, EF_MIPS_ARCH_R6 = 0x20, 0xF0000000, (0x90000000, 0xA0000000)
EF_LOONGARCH_ABI = 0x7


@dataclass(frozen=True)
class Linkage:
    """An ELF program or library as the loader sees it: what it requires, its name, and where it looks for libraries."""

    requires: Requirement
    soname: str | None
    search: tuple[str, ...]
    is_runpath: bool


def elf_linkage(source: ProgramBytes) -> Linkage | None:
    """Return what a program or library tells the loader; None if it needs no loader. Raises ReleaseError if broken."""
    elf = read_elf(source)
    if elf.kind not in (ET_EXEC, ET_DYN) or elf.dynamic is None:
        return None
    requires = _requirement(elf, source)
    return Linkage(requires, elf.dynamic.soname, elf.dynamic.search, elf.dynamic.is_runpath)


def elf_requirements(source: ProgramBytes) -> tuple[Requirement, ...]:
    """Return what an ELF program requires.

    Raises NotAProgram for a library, an object file or debug symbols, and ReleaseError if the header is broken or the
    system unknown.
    """
    elf = read_elf(source)
    _check_is_program(elf, source)
    requirement = _requirement(elf, source)
    if requirement.libc is None and not source.is_head:
        raise _unknown_libc(elf, source)
    return (requirement,)


def _requirement(elf: Elf, source: ProgramBytes) -> Requirement:
    arch = _arch(elf, source)
    os = _os(elf, arch, source)
    libc = _libc(elf, os)
    dynamic = elf.dynamic
    versions = _highest_versions(dynamic.version_needs if dynamic else (), source)
    # Some ports of libgcc call their own oldest version GLIBC_2.0, even for musl.
    glibc = versions.pop("GLIBC", None)
    go = go_settings(elf, source)
    aligns = [segment.align for segment in elf.loads if segment.align > 1]
    return Requirement(
        os=os,
        arch=arch,
        abi=_abi(elf, arch, libc, source) or (go_float_abi(go) if arch == "arm" else None),
        libc=libc,
        libc_min=_libc_min(elf, libc, glibc, source),
        interpreter=elf.interpreter,
        libraries=tuple(sorted(set(dynamic.needed if dynamic else ()))),
        cpu=_cpu(elf, arch, go, source),
        fpu=_fpu(elf, source),
        versions=tuple(sorted(versions.items())),
        page_size=min(aligns, default=None),
    )


def _libc_min(elf: Elf, libc: str | None, glibc: str | None, source: ProgramBytes) -> str | None:
    """Return the oldest libc that is enough. Not every linker adds glibc's mark for compressed relocations."""
    if libc == "musl" and not source.is_head:
        return musl_floor(elf, source)
    if libc == "glibc" and elf.dynamic and DT_RELR in elf.dynamic.entries:
        return max(glibc or "0", GLIBC_ABI_MARKS["GLIBC_ABI_DT_RELR"], key=_numbers)
    return glibc if libc == "glibc" else None


def _check_is_program(elf: Elf, source: ProgramBytes) -> None:
    if elf.kind not in (ET_EXEC, ET_DYN):
        raise source.no_program(WHAT_ELSE_IT_IS.get(elf.kind, f"an ELF file of type {elf.kind:#x}"))
    if elf.kind == ET_DYN and _is_library(elf):
        raise source.no_program("a shared library")
    if elf.segments is None:
        return
    if not any(0 <= elf.entry - segment.address < segment.file_size for segment in elf.loads):
        raise source.no_program("an ELF file without code at its entry point: debug symbols, or a library")


def _is_library(elf: Elf) -> bool:
    """Tell whether a position-independent file is a library, which may have an entry point and even an interpreter.

    Without a dynamic section it is a packed or static program. A linker that is too old for DF_1_PIE writes DT_SONAME
    and DT_NEEDED, which a static program lacks.
    """
    if elf.dynamic is None or elf.dynamic.is_marked_as_program:
        return False
    if elf.has_interpreter:
        return elf.dynamic.soname is not None
    return elf.dynamic.soname is not None or bool(elf.dynamic.needed) or elf.entry == 0


def _arch(elf: Elf, source: ProgramBytes) -> Architecture:
    arch = ARCH_OF_HEADER.get((elf.machine, elf.bits, elf.order))
    if arch is None:
        order = "little" if elf.order == "<" else "big"
        raise source.foreign(f"ELF machine {elf.machine}, {elf.bits} bits, {order}-endian")
    if elf.machine == EM_MIPS and elf.flags & EF_MIPS_ARCH in EF_MIPS_ARCH_R6:
        raise source.foreign("MIPS release 6, whose instructions differ from those of earlier releases")
    if elf.machine == EM_MIPS and elf.bits == 32 and elf.flags & EF_MIPS_ABI2:
        raise source.foreign("MIPS with the n32 ABI")
    return arch


def _os(elf: Elf, arch: Architecture, source: ProgramBytes) -> OperatingSystem:
    if elf.os_abi not in (*OS_ABIS, *SILENT_OS_ABIS):
        raise source.foreign(f"ELF system {elf.os_abi}")
    os = _os_of_notes(elf) or _os_of_interpreter(elf.interpreter, arch) or OS_ABIS.get(elf.os_abi) or "linux"
    if os not in OPERATING_SYSTEMS:
        raise source.foreign(f"a program for {os}")
    return os


def _os_of_notes(elf: Elf) -> str | None:
    for note in elf.notes:
        if note.kind != NT_GNU_ABI_TAG:
            continue
        if note.owner in NOTE_OWNERS:
            return NOTE_OWNERS[note.owner]
        if note.owner == "GNU" and len(note.content) >= 16:
            return GNU_ABI_TAGS.get(struct.unpack_from(elf.order + "I", note.content)[0])
    return None


def _os_of_interpreter(interpreter: str | None, arch: str) -> str | None:
    if interpreter is None:
        return None
    if arch in ("i686", "x86_64", "sparc64") and SYSTEM_V_LOADER.fullmatch(interpreter):
        return "illumos"
    return next((os for pattern, os in SYSTEMS_OF_INTERPRETERS if pattern.fullmatch(interpreter)), None)


def _libc(elf: Elf, os: OperatingSystem) -> Libc | None:
    """Return the family of the C library, by the interpreter, then by libraries and versions; None if nothing tells."""
    needed = elf.dynamic.needed if elf.dynamic else ()
    if elf.is_packed or elf.segments is None:
        return None
    if not elf.has_interpreter and not needed:
        return "static"
    if os not in ("linux", "android"):
        return "system"
    if os == "android":
        return "bionic"
    loader = (elf.interpreter or "").rpartition("/")[2]
    if GLIBC_LOADER.fullmatch(loader):
        return "glibc"
    if MUSL_LOADER.fullmatch(loader):
        return "musl"
    if UCLIBC_LOADER.fullmatch(loader):
        return None
    if any(map(GLIBC_LIBRARY.fullmatch, needed)):
        return "glibc"
    return "musl" if any(map(MUSL_LIBRARY.fullmatch, needed)) else None


def _unknown_libc(elf: Elf, source: ProgramBytes) -> Exception:
    if elf.is_packed:
        return source.foreign("it is packed with UPX, which hides what it requires")
    if elf.has_interpreter and not elf.interpreter:
        return source.broken("a program interpreter without a name")
    if UCLIBC_LOADER.fullmatch((elf.interpreter or "").rpartition("/")[2]):
        return source.foreign(f"it needs uClibc: its loader is {elf.interpreter!r}")
    return source.foreign(f"its loader, {elf.interpreter!r}, and its libraries are those of no C library known here")


def _highest_versions(names: Iterable[str], source: ProgramBytes) -> dict[str, str]:
    """Return the highest version of each family. Other names (GLIBC_PRIVATE, OPENSSL_3.0.0) have no order."""
    highest: dict[str, str] = {}
    for name in names:
        if name.startswith("GLIBC_ABI_"):
            if name not in GLIBC_ABI_MARKS:
                raise source.foreign(f"it needs a glibc with {name}, and it is unknown which glibc has that")
            name = f"GLIBC_{GLIBC_ABI_MARKS[name]}"
        matched = SYMBOL_VERSION.fullmatch(name)
        if matched:
            family, version = matched.groups()
            highest[family] = max(highest.get(family, "0"), version, key=_numbers)
    return highest


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _abi(elf: Elf, arch: str, libc: str | None, source: ProgramBytes) -> str | None:
    if elf.machine == EM_X86_64:
        return "x32" if elf.bits == 32 else None
    if elf.machine == EM_ARM:
        return _arm_abi(elf, libc, source)
    if elf.machine == EM_PPC64:
        unmarked = "elfv2" if elf.order == "<" else "elfv1"
        return {1: "elfv1", 2: "elfv2"}.get(elf.flags & EF_PPC64_ABI, unmarked)
    if elf.machine == EM_RISCV:
        integers = "lp64" if elf.bits == 64 else "ilp32"
        reduced = "e" if elf.flags & EF_RISCV_RVE else ""
        return integers + reduced + ("", "f", "d", "q")[(elf.flags & EF_RISCV_FLOAT_ABI) >> 1]
    if elf.machine == EM_LOONGARCH:
        return {1: "lp64s", 2: "lp64f", 3: "lp64d"}.get(elf.flags & EF_LOONGARCH_ABI)
    return None


def _arm_abi(elf: Elf, libc: str | None, source: ProgramBytes) -> str | None:
    """Return the float calling convention, by the linker's flags, else the attributes, else the loader's name.

    None for a static program without any of these, and for a program that fits both (Tag_ABI_VFP_args 3).
    """
    if elf.flags & EF_ARM_EABIMASK < EF_ARM_EABI_VER4:
        raise source.foreign("ARM before the EABI")
    if elf.flags & EF_ARM_ABI_FLOAT_HARD:
        return "eabihf"
    if elf.flags & EF_ARM_ABI_FLOAT_SOFT:
        return "eabi"
    if elf.arm_attributes is not None:
        return {0: "eabi", 1: "eabihf"}.get(elf.arm_attributes.get(TAG_ABI_VFP_ARGS, 0))
    if libc == "static":
        return None
    loader = elf.interpreter or ""
    return "eabihf" if "armhf" in loader else "eabi"


def _cpu(elf: Elf, arch: str, go: Mapping[str, str], source: ProgramBytes) -> str | None:
    """Return the lowest processor: the one that Go compiled for, or a newer one that the rest of the program needs."""
    found = [level for level in (go_processor(go, arch), _cpu_of_the_rest(elf, go, source)) if level]
    order = PROCESSORS.get(arch, ())
    return max(found, key=lambda level: order.index(level) if level in order else len(order), default=None)


def _cpu_of_the_rest(elf: Elf, go: Mapping[str, str], source: ProgramBytes) -> str | None:
    if elf.machine == EM_ARM:
        is_all_go = "GOARM" in go and elf.arm_attributes is None
        return None if is_all_go else _arm_processor(elf, source)
    if elf.machine != EM_X86_64:
        return None
    needed = 0
    for note in elf.notes:
        if note.owner == "GNU" and note.kind == NT_GNU_PROPERTY_TYPE_0:
            needed |= _x86_isa_needed(note.content, elf)
    return next((level for bit, level in X86_64_LEVELS if needed & bit), None)


def _arm_processor(elf: Elf, source: ProgramBytes) -> str | None:
    """Return the lowest ARM processor: the one that the code shows, else the one that the attributes say."""
    attributed = ARM_PROCESSORS.get((elf.arm_attributes or {}).get(TAG_CPU_ARCH, -1))
    code = next((segment for segment in elf.loads if segment.is_code), None)
    compiled_for = processor_of_code(source, code.offset, code.file_size) if code else None
    if attributed == "armv8" and compiled_for == "armv7":
        return attributed
    return compiled_for or attributed


def _fpu(elf: Elf, source: ProgramBytes) -> str | None:
    """Return the registers beyond the first ones that the code uses; None for other architectures and for a head."""
    if elf.machine != EM_ARM:
        return None
    sections = [
        (part.offset, part.size) for part in elf.sections if part.is_code and source.has(part.offset, part.size)
    ]
    segments = [(part.offset, part.file_size) for part in elf.loads if part.is_code]
    is_honest = 0 < sum(size for _offset, size in sections) <= source.size
    areas = sections if is_honest else [area for area in segments[:1] if source.has(*area)]
    return registers_used(source, areas)


def _x86_isa_needed(properties: bytes, elf: Elf) -> int:
    """Return the bits of GNU_PROPERTY_X86_ISA_1_NEEDED; each property is padded to the size of an address."""
    position = 0
    while position + 8 <= len(properties):
        kind, size = struct.unpack_from(elf.order + "II", properties, position)
        if kind == GNU_PROPERTY_X86_ISA_1_NEEDED and size == 4 and position + 12 <= len(properties):
            return int(struct.unpack_from(elf.order + "I", properties, position + 8)[0])
        alignment = elf.bits // 8
        position += 8 + -(-size // alignment) * alignment
    return 0
