# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does our reader of program headers say what others say? A comparison over real programs, with numbers.

Reads every ELF, Mach-O and PE file inside the given wheels, npm packages, zip and tar archives, folders and files, once
with _program/executable.py and once with pyelftools (ELF, by section headers where ours goes by program headers),
Capstone (the registers that ARM code uses) or LIEF (Mach-O, PE), and prints each field that differs, then how many
programs were compared. Exits with 1 if one differs. Not a unit test: it wants hundreds of megabytes of downloads.

    pip install capstone pyelftools lief
    pip download --no-deps --only-binary :all: --platform manylinux_2_17_aarch64 --dest /tmp/assets uv
    npm pack --pack-destination /tmp/assets @esbuild/linux-riscv64
    PYTHONPATH=<the folder of ansible_collections> python tests/bench/executables_vs_readelf.py /tmp/assets
"""

from __future__ import annotations

import argparse
import collections
import io
import pathlib
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator

import capstone
import lief
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._program.executable import NotAProgram, read
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.musl_floor import RELEASE_OF
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from elftools.elf.dynamic import DynamicSegment, DynamicTag
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import ARMAttributesSection, NoteSection, SymbolTableSection
from elftools.elf.segments import InterpSegment

MAGICS = {
    b"\x7fELF": "ELF",
    b"\xca\xfe\xba\xbe": "Mach-O",
    b"\xca\xfe\xba\xbf": "Mach-O",
    b"\xcf\xfa\xed\xfe": "Mach-O",
    b"\xce\xfa\xed\xfe": "Mach-O",
}
FIELDS = Requirement.__dataclass_fields__
ELF_MACHINES = {
    "EM_386": "i686",
    "EM_X86_64": "x86_64",
    "EM_AARCH64": "aarch64",
    "EM_ARM": "arm",
    "EM_PPC": "powerpc",
    "EM_S390": "s390x",
    "EM_LOONGARCH": "loongarch64",
    "EM_SPARCV9": "sparc64",
}
ELF_SYSTEMS = {
    "ELFOSABI_FREEBSD": "freebsd",
    "ELFOSABI_NETBSD": "netbsd",
    "ELFOSABI_OPENBSD": "openbsd",
    "ELFOSABI_SOLARIS": "illumos",
}
NOTE_SYSTEMS = {"Android": "android", "FreeBSD": "freebsd", "NetBSD": "netbsd", "OpenBSD": "openbsd"}
MACHO_ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "aarch64", "X86": "i686", "POWERPC": "powerpc"}
PE_ARCHITECTURES = {"AMD64": "x86_64", "I386": "i686", "ARM64": "aarch64", "ARMNT": "arm"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("paths", nargs="+", type=pathlib.Path, help="archives, folders of archives, or programs")
    parser.add_argument("--verbose", action="store_true", help="print what every program requires")
    arguments = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    differences = 0
    for place, kind, content in programs(arguments.paths):
        outcome, ours, theirs = compare(kind, content)
        counts[f"{kind}: {outcome}"] += 1
        if arguments.verbose:
            print(place, outcome, *ours, sep="\n    ")
        for line in described_differences(ours, theirs):
            differences += 1
            print(f"{place}: {line}")
    for label, count in sorted(counts.items()):
        print(f"{count:6} {label}")
    print(f"{differences:6} differences")
    return 1 if differences or not counts else 0


def programs(paths: Iterable[pathlib.Path]) -> Iterator[tuple[str, str, bytes]]:
    """Yield a label, the format and the bytes of every file that begins like an executable."""
    for path in paths:
        if path.is_dir():
            yield from programs(sorted(entry for entry in path.iterdir() if not entry.is_symlink()))
            continue
        for name, content in members(path):
            kind = "PE" if content[:2] == b"MZ" else MAGICS.get(content[:4])
            if kind:
                yield f"{path.name} {name}".strip(), kind, content


def members(path: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix in (".whl", ".zip") and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                yield member.filename, archive.read(member)
    elif path.suffix in (".tgz", ".gz", ".xz", ".tar") and tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            for entry in tar:
                stream = tar.extractfile(entry) if entry.isfile() else None
                if stream:
                    yield entry.name, stream.read()
    elif path.is_file():
        yield "", path.read_bytes()


def compare(kind: str, content: bytes) -> tuple[str, list[Requirement], list[dict[str, object]]]:
    """Return what ours makes of it, in a word, and both answers: none for what is no program."""
    try:
        outcome, ours = "programs", list(read(content))
    except NotAProgram as error:
        outcome, ours = f"not a program ({error.found})", []
    except ReleaseError as error:
        outcome, ours = f"refused ({error.found})", []
    readers = {"ELF": elf_requirements, "Mach-O": macho_requirements, "PE": pe_requirements}
    return outcome, ours, readers[kind](content)


def described_differences(ours: list[Requirement], theirs: list[dict[str, object]]) -> Iterator[str]:
    if len(ours) != len(theirs):
        yield f"{len(ours)} requirements, others see {len(theirs)}: {theirs}"
        return
    for one, other in zip(ours, theirs, strict=True):
        for field in FIELDS:
            if getattr(one, field) != other[field]:
                yield f"{field} is {getattr(one, field)!r}, others see {other[field]!r}"


def requirement(**known: object) -> dict[str, object]:
    return {field.name: None if field.name in ("os", "arch") else field.default for field in FIELDS.values()} | known


def elf_requirements(content: bytes) -> list[dict[str, object]]:
    """Return what pyelftools sees, one requirement if it is a program."""
    elf = ELFFile(io.BytesIO(content))
    header = elf.header
    interpreters = (segment for segment in elf.iter_segments() if isinstance(segment, InterpSegment))
    interpreter = next((segment.get_interp_name() for segment in interpreters), None)
    tags = collections.defaultdict(list)
    dynamic = next((segment for segment in elf.iter_segments() if isinstance(segment, DynamicSegment)), None)
    for tag in dynamic.iter_tags() if dynamic else ():
        tags[tag.entry.d_tag].append(tag)
    flags = header["e_flags"]
    flags_1 = tags["DT_FLAGS_1"][0].entry.d_val if tags["DT_FLAGS_1"] else 0
    is_library = header["e_type"] == "ET_DYN" and (
        bool(tags["DT_SONAME"]) or (interpreter is None and not tags["DT_DEBUG"] and dynamic is not None)
    )
    if header["e_type"] not in ("ET_EXEC", "ET_DYN") or (is_library and not flags_1 & 0x08000000):
        return []
    text = elf.get_section_by_name(".text")
    if text is not None and text["sh_type"] == "SHT_NOBITS":
        return []
    needed = tuple(sorted({tag.needed for tag in tags["DT_NEEDED"]}))  # type: ignore[attr-defined]
    os = elf_os(elf, interpreter)
    arch = elf_arch(elf)
    libc = elf_libc(os, interpreter, needed)
    versions = elf_versions(elf)
    glibc = versions.pop("GLIBC", None)
    loads = [segment["p_align"] for segment in elf.iter_segments("PT_LOAD")]
    attributes = arm_attributes(elf)
    go = go_settings(elf, content)
    return [
        requirement(
            os=os,
            arch=arch,
            abi=elf_abi(elf, arch, flags, attributes, libc, go),
            libc=libc,
            libc_min=musl_floor(elf, tags) if libc == "musl" else glibc if libc == "glibc" else None,
            interpreter=interpreter,
            libraries=needed,
            cpu=elf_cpu(elf, arch, attributes, go),
            fpu=arm_registers(elf) if arch == "arm" else None,
            versions=tuple(sorted(versions.items())),
            page_size=min(align for align in loads if align > 1),
        )
    ]


def elf_arch(elf: ELFFile) -> str:
    machine, little = elf.header["e_machine"], elf.little_endian
    if machine == "EM_PPC64":
        return "powerpc64le" if little else "powerpc64"
    if machine == "EM_RISCV":
        return f"riscv{elf.elfclass}"
    if machine == "EM_MIPS":
        return "mips" + ("64" if elf.elfclass == 64 else "") + ("el" if little else "")
    return ELF_MACHINES[machine]


def elf_os(elf: ELFFile, interpreter: str | None) -> str:
    for section in elf.iter_sections():
        for note in section.iter_notes() if isinstance(section, NoteSection) else ():
            if note["n_name"] in NOTE_SYSTEMS:
                return NOTE_SYSTEMS[note["n_name"]]
    if interpreter and "/system/bin/linker" in interpreter:
        return "android"
    if interpreter and interpreter.endswith("/amd64/ld.so.1"):
        return "illumos"
    return ELF_SYSTEMS.get(elf.header["e_ident"]["EI_OSABI"], "linux")


def elf_libc(os: str, interpreter: str | None, needed: tuple[str, ...]) -> str:
    if interpreter is None and not needed:
        return "static"
    if os != "linux":
        return "bionic" if os == "android" else "system"
    return "musl" if "ld-musl" in (interpreter or "") else "glibc"


def elf_versions(elf: ELFFile) -> dict[str, str]:
    """Return the highest version of each family in the *section* .gnu.version_r."""
    section = next((found for found in elf.iter_sections() if isinstance(found, GNUVerNeedSection)), None)
    highest: dict[str, tuple[int, ...]] = {}
    for _library, needs in section.iter_versions() if section else ():
        for need in needs:
            name = {"GLIBC_ABI_DT_RELR": "GLIBC_2.36"}.get(need.name, need.name)
            family, _underscore, version = name.rpartition("_")
            if (
                need["vna_flags"] & 2
                or family not in ("GLIBC", "GLIBCXX", "CXXABI", "GCC", "FBSD", "ILLUMOS")
                or version == "PRIVATE"
            ):
                continue
            numbers = tuple(map(int, version.split(".")))
            highest[family] = max(highest.get(family, ()), numbers)
    return {family: ".".join(map(str, numbers)) for family, numbers in highest.items()}


def musl_floor(elf: ELFFile, tags: dict[str, list[DynamicTag]]) -> str | None:
    """Return the release that first had what the *section* .dynsym leaves open, and how it is relocated."""
    symbols = elf.get_section_by_name(".dynsym")
    names = {
        symbol.name
        for symbol in (symbols.iter_symbols() if isinstance(symbols, SymbolTableSection) else ())
        if symbol["st_shndx"] == "SHN_UNDEF" and symbol["st_info"]["bind"] == "STB_GLOBAL"
    }
    releases = {RELEASE_OF[name] for name in names & set(RELEASE_OF)}
    if any("time64" in name for name in names):
        releases.add("1.2.0")
    if tags["DT_RELR"]:
        releases.add("1.2.4")
    return max(releases, default=None)


def arm_attributes(elf: ELFFile) -> dict[str, int] | None:
    section = next((found for found in elf.iter_sections() if isinstance(found, ARMAttributesSection)), None)
    if section is None:
        return None
    scopes = (scope for part in section.iter_subsections() for scope in part.iter_subsubsections("TAG_FILE"))
    return {attribute.tag: attribute.value for scope in scopes for attribute in scope.iter_attributes()}


def go_settings(elf: ELFFile, content: bytes) -> dict[str, str]:
    """Return Go's settings by the header of its section, as debug/buildinfo does, else from anywhere in the file."""
    section = elf.get_section_by_name(".go.buildinfo")
    text = b""
    if section is not None:
        header = section.data()
        if header[15] & 2:
            _version, after_version = go_string(header, 32)
            text, _end = go_string(header, after_version)
    elif elf.get_section_by_name(".gopclntab") is not None:
        text = content[content.find(b"\nbuild\tGO") :].partition(b"\n\xf9\x32\x43\x31")[0]
    lines = (line.split("\t") for line in text.decode("latin-1").split("\n"))
    return dict(fields[1].split("=", 1) for fields in lines if fields[0] == "build" and "=" in fields[-1])


def go_string(area: bytes, position: int) -> tuple[bytes, int]:
    """Return the string whose length stands in front of it, as Go's varint, and where the next one begins."""
    size = shift = 0
    while True:
        byte = area[position]
        position += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return area[position : position + size], position + size


def elf_abi(
    elf: ELFFile, arch: str, flags: int, attributes: dict[str, int] | None, libc: str, go: dict[str, str]
) -> str | None:
    if arch == "x86_64":
        return "x32" if elf.elfclass == 32 else None
    if arch.startswith("powerpc64"):
        return {1: "elfv1", 2: "elfv2"}[flags & 3]
    if arch == "riscv64":
        return {0: "lp64", 2: "lp64f", 4: "lp64d"}[flags & 6]
    if arch == "loongarch64":
        return {1: "lp64s", 2: "lp64f", 3: "lp64d"}[flags & 7]
    if arch != "arm":
        return None
    if flags & 0x600:
        return "eabihf" if flags & 0x400 else "eabi"
    if attributes is None:
        static = {"5": "eabi", "6": "eabihf", "7": "eabihf"}.get(go.get("GOARM", ""))
        return static if libc == "static" else "eabi"
    return {0: "eabi", 1: "eabihf", 3: None}[attributes.get("TAG_ABI_VFP_ARGS", 0)]


def elf_cpu(elf: ELFFile, arch: str, attributes: dict[str, int] | None, go: dict[str, str]) -> str | None:
    """Return the processor: on ARM by all barriers in the section .text, where ours takes samples of the segment."""
    if arch == "arm" and "GOARM" in go and attributes is None:
        return {"5": "armv5te", "6": "armv6", "7": "armv7"}[go["GOARM"]]
    if arch == "arm":
        text = elf.get_section_by_name(".text")
        code = text.data() if text else b""
        dmb = count_words(rb"[\x50-\x5f]\xf0\x7f\xf5", code)
        coprocessor = count_words(
            rb"[\xba\x9a][\x0f\x1f\x2f\x3f\x4f\x5f\x6f\x7f\x8f\x9f\xaf\xbf\xcf\xef]\x07[\x0e-\xee]", code
        )
        expected_in_samples = max(dmb, coprocessor) * 32 * 1024 / max(len(code) / 4, 32 * 1024)
        if expected_in_samples >= 8 and min(dmb, coprocessor) < 0.01 * max(dmb, coprocessor):
            return "armv7" if dmb > coprocessor else "armv6"
        known = (attributes or {}).get("TAG_CPU_ARCH")
        return None if known is None else "armv7" if known in (8, 10, 13) else "armv6" if known > 5 else "armv5te"
    level = {"v2": 2, "v3": 4, "v4": 8}.get(go.get("GOAMD64", ""), 0)
    for section in elf.iter_sections() if arch == "x86_64" else ():
        for note in section.iter_notes() if isinstance(section, NoteSection) else ():
            if note["n_type"] == "NT_GNU_PROPERTY_TYPE_0":
                wanted = [each for each in note["n_desc"] if each["pr_type"] == "GNU_PROPERTY_X86_ISA_1_NEEDED"]
                level |= wanted[0]["pr_data"] if wanted else 0
    return next((name for bit, name in ((8, "x86-64-v4"), (4, "x86-64-v3"), (2, "x86-64-v2")) if level & bit), None)


#: Instructions of NEON by their names, and those that a compiler loads and stores registers by.
NEON = re.compile(
    r"v(ld|st)[1-4]\..*|v[a-z]+\.[isup](8|16|32|64) .*|v[a-z]+(\.\w+)? (.*[^\w])?q[0-9]+\b.*|(aes|sha)\w+\..*"
)
WHOLE_REGISTERS = re.compile(r"v(ld|st)1\.[0-9]+ \{(d[0-9]+(, )?){1,4}\}, \[\w+(:(64|128))?\]!?")
UPPER_REGISTERS = re.compile(r"v(ldr|str) d(1[6-9]|2[0-9]|3[01]), .*")


def arm_registers(elf: ELFFile) -> str | None:
    """Return what the code uses by the names that a disassembler gives to its instructions, all of them."""
    neon: set[bytes] = set()
    upper: set[bytes] = set()
    pages = [
        page for section in elf.iter_sections() if section["sh_flags"] & 4 for page in disassembled(section.data())
    ]
    is_dense = [False, *(sum(bool(NEON.fullmatch(text)) for _code, text in page) >= 64 for page in pages), False]
    for number, page in enumerate(pages):
        if any(is_dense[number : number + 3]):
            continue
        for pattern, found in ((WHOLE_REGISTERS, neon), (UPPER_REGISTERS, upper)):
            ones = [code for code, text in page if pattern.fullmatch(text)]
            found.update(ones if len(ones) > 1 else ())
    return "neon" if len(neon) >= 12 else "vfpd32" if len(upper) >= 12 else None


def disassembled(code: bytes) -> Iterator[list[tuple[bytes, str]]]:
    """Yield the instructions of each 4 KiB, as ARM's where reading them as Thumb's finds little but branches."""
    for start in range(0, len(code), 4096):
        page = code[start : start + 4096]
        instructions = disassemble(page, capstone.CS_MODE_THUMB)
        if 5 * sum(text.startswith("b ") for _code, text in instructions) > len(instructions):
            instructions = disassemble(page, capstone.CS_MODE_ARM)
        yield instructions


def disassemble(page: bytes, mode: int) -> list[tuple[bytes, str]]:
    engine = capstone.Cs(capstone.CS_ARCH_ARM, mode | capstone.CS_MODE_V8)
    engine.skipdata = True
    return [(page[at : at + size], f"{name} {rest}") for at, size, name, rest in engine.disasm_lite(page, 0)]


def count_words(pattern: bytes, code: bytes) -> int:
    return sum(match.start() % 4 == 0 for match in re.finditer(pattern, code))


def macho_requirements(content: bytes) -> list[dict[str, object]]:
    """Return what LIEF sees, one requirement for each architecture of a program for macOS."""
    found = []
    universal = lief.MachO.parse(content, lief.MachO.ParserConfig.quick)  # its parts do not outlive it
    for slice_ in universal:
        if slice_.header.file_type != lief.MachO.Header.FILE_TYPE.EXECUTE:
            continue
        needed = [command for command in slice_.libraries if "WEAK" not in command.command.name]
        if slice_.has_build_version:
            version = list(slice_.build_version.minos)
        elif slice_.has_version_min:
            version = list(slice_.version_min.version)
        else:
            version = []
        while len(version) > 2 and version[-1] == 0:
            version.pop()
        cpu = slice_.header.cpu_type.name
        found.append(
            requirement(
                os="macos",
                arch=MACHO_ARCHITECTURES[cpu],
                abi="arm64e" if cpu == "ARM64" and slice_.header.cpu_subtype & 0xFFFFFF == 2 else None,
                libc="system",
                libraries=tuple(sorted({command.name for command in needed})),
                cpu="x86-64-v3" if cpu == "X86_64" and slice_.header.cpu_subtype & 0xFFFFFF == 8 else None,
                os_min=".".join(map(str, version)) or None,
            )
        )
    return found


def pe_requirements(content: bytes) -> list[dict[str, object]]:
    """Return what LIEF sees, one requirement if it is a program for Windows."""
    config = lief.PE.ParserConfig()
    config.parse_signature = config.parse_rsrc = config.parse_reloc = config.parse_exports = False
    binary = lief.PE.parse(content, config)
    if binary is None or binary.header.has_characteristic(lief.PE.Header.CHARACTERISTICS.DLL):
        return []
    optional = binary.optional_header
    if optional.subsystem.name not in ("WINDOWS_CUI", "WINDOWS_GUI"):
        return []
    return [
        requirement(
            os="windows",
            arch=PE_ARCHITECTURES[binary.header.machine.name],
            libc="system",
            libraries=tuple(sorted({library.name for library in binary.imports})),
            os_min=f"{optional.major_subsystem_version}.{optional.minor_subsystem_version}",
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
