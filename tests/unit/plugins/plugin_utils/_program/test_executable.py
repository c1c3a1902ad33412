# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the reader of program headers tell the truth, and only the truth, of every format, whatever the bytes?"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import struct
import sys
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._program.executable import (
    NotAProgram,
    linkage,
    read,
    read_host_elf,
)
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers import program_bytes
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import (
    ET_CORE,
    ET_DYN,
    ET_REL,
    GLIBC_X86_64,
    PT_GNU_PROPERTY,
    elf,
    gnu_abi_tag,
    go_build_info,
    go_build_text,
    macho,
    pe,
    universal,
    x86_isa_needed,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ARM: dict[str, Any] = {"machine": 40, "bits": 32, "flags": 0x05000000}
DMB = struct.pack("<I", 0xF57FF05B)
COPROCESSOR_BARRIER = struct.pack("<I", 0xEE07CFBA)
DF_1_PIE = 0x08000000


def only(data: bytes) -> Requirement:
    (requirement,) = read(data)
    return requirement


def with_command(program: bytes, content: bytes) -> bytes:
    """Return a thin Mach-O *program* with one more load command."""
    count, size = struct.unpack_from("<II", program, 16)
    return program[:16] + struct.pack("<II", count + 1, size + len(content)) + program[24:] + content


def refusal(data: bytes) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        read(data)
    return caught.value


# ELF: architecture and ABI


@pytest.mark.parametrize(
    ("machine", "bits", "order", "flags", "arch", "abi"),
    [
        (62, 64, "<", 0, "x86_64", None),
        (62, 32, "<", 0, "x86_64", "x32"),
        (3, 32, "<", 0, "i686", None),
        (183, 64, "<", 0, "aarch64", None),
        (40, 32, "<", 0x05000400, "arm", "eabihf"),
        (40, 32, "<", 0x05000200, "arm", "eabi"),
        (40, 32, "<", 0x04000200, "arm", "eabi"),
        (20, 32, ">", 0, "powerpc", None),
        (21, 64, ">", 0, "powerpc64", "elfv1"),
        (21, 64, ">", 1, "powerpc64", "elfv1"),
        (21, 64, ">", 2, "powerpc64", "elfv2"),
        (21, 64, "<", 2, "powerpc64le", "elfv2"),
        (21, 64, "<", 0, "powerpc64le", "elfv2"),
        (21, 64, "<", 1, "powerpc64le", "elfv1"),
        (22, 64, ">", 0, "s390x", None),
        (243, 64, "<", 0, "riscv64", "lp64"),
        (243, 64, "<", 5, "riscv64", "lp64d"),
        (243, 64, "<", 2, "riscv64", "lp64f"),
        (243, 64, "<", 6, "riscv64", "lp64q"),
        (243, 32, "<", 4, "riscv32", "ilp32d"),
        (243, 32, "<", 8, "riscv32", "ilp32e"),
        (258, 64, "<", 0x43, "loongarch64", "lp64d"),
        (258, 64, "<", 0x42, "loongarch64", "lp64f"),
        (258, 64, "<", 0x41, "loongarch64", "lp64s"),
        (8, 32, ">", 0x50001007, "mips", None),
        (8, 32, "<", 0x50001000, "mipsel", None),
        (8, 64, ">", 0x80000000, "mips64", None),
        (8, 64, "<", 0x20000004, "mips64el", None),
        (43, 64, ">", 0, "sparc64", None),
    ],
)
def test_elf_header_tells_architecture_and_abi(
    machine: int, bits: int, order: str, flags: int, arch: str, abi: str | None
) -> None:
    found = only(elf(machine=machine, bits=bits, order=order, flags=flags))
    assert (found.os, found.arch, found.abi, found.libc) == ("linux", arch, abi, "static")


@pytest.mark.parametrize(
    "program",
    [
        elf(machine=50, bits=64),  # Itanium
        elf(machine=183, bits=64, order=">"),  # big-endian AArch64
        elf(machine=183, bits=32),  # AArch64 ILP32
        elf(machine=40, bits=32, flags=0x02000000),  # ARM before the EABI
        elf(machine=8, bits=64, flags=0xA0000007),  # MIPS release 6
        elf(machine=8, bits=32, flags=0x90001007),
        elf(machine=8, bits=32, flags=0x20),  # MIPS n32
        elf(os_abi=97 + 100),
        elf(notes=[gnu_abi_tag(1)]),
        elf(notes=[("OHOS", 1, b"\0" * 8)]),
        elf(interpreter="/system/runtime_loader"),
        macho(platform=2),
        macho(old_command=0x25),
        macho(cpu=0x0200000C),
        pe(machine=0x200, magic=0x20B),
        b"\x01\xf7\x00\x04".ljust(64, b"\0"),
    ],
)
def test_program_for_an_unknown_machine_is_refused_and_still_called_a_program(program: bytes) -> None:
    error = refusal(program)
    assert not isinstance(error, NotAProgram)
    assert "does not know" in error.what
    assert error.found


def test_elf_for_an_unknown_machine_is_described() -> None:
    assert refusal(elf(machine=50)).found == "ELF machine 50, 64 bits, little-endian"
    assert refusal(elf(machine=183, bits=32, order=">")).found == "ELF machine 183, 32 bits, big-endian"


# ELF: operating system


@pytest.mark.parametrize(
    ("program", "system"),
    [
        (elf(), "linux"),
        (elf(os_abi=3), "linux"),
        (elf(notes=[gnu_abi_tag(0)]), "linux"),
        (elf(notes=[("GNU", 1, struct.pack("<I", 1) + b"\0" * 11)]), "linux"),  # too short for a system and a version
        (elf(os_abi=97, **ARM), "linux"),
        (elf(notes=[("Go", 4, b"id"), ("FreeBSD", 1, b"\0" * 4)]), "freebsd"),
        (elf(notes=[("CORE", 1, struct.pack("<IIII", 1, 0, 0, 0))]), "linux"),
        (elf(os_abi=9), "freebsd"),
        (elf(notes=[("FreeBSD", 1, b"\0" * 4)]), "freebsd"),
        (elf(interpreter="/libexec/ld-elf.so.1"), "freebsd"),
        (elf(os_abi=2), "netbsd"),
        (elf(notes=[("NetBSD", 1, b"\0" * 4)]), "netbsd"),
        (elf(interpreter="/usr/libexec/ld.elf_so"), "netbsd"),
        (elf(os_abi=12), "openbsd"),
        (elf(notes=[("OpenBSD", 1, b"\0" * 4)]), "openbsd"),
        (elf(interpreter="/usr/libexec/ld.so"), "openbsd"),
        (elf(notes=[("DragonFly", 1, b"\0" * 4)]), "dragonfly"),
        (elf(interpreter="/usr/libexec/ld-elf.so.2"), "dragonfly"),
        (elf(os_abi=6), "illumos"),
        (elf(notes=[gnu_abi_tag(2)]), "illumos"),
        (elf(notes=[("GNU", 1, struct.pack("<IIIII", 2, 3, 2, 0, 0))]), "illumos"),
        (elf(interpreter="/lib/amd64/ld.so.1"), "illumos"),
        (elf(interpreter="/usr/lib/ld.so.1", machine=3, bits=32), "illumos"),
        (elf(interpreter="/lib/ld.so.1", machine=8, bits=32), "linux"),
        (elf(interpreter="/system/bin/linker64"), "android"),
        (elf(os_abi=3, interpreter="/system/bin/linker64"), "android"),
        (elf(notes=[("Android", 1, b"\0" * 4)]), "android"),
        (elf(notes=[("Go", 4, b"id"), ("FreeBSD", 2, b"\0" * 4)]), "linux"),
        (elf(notes=[gnu_abi_tag(0, ">")], machine=22, order=">"), "linux"),
    ],
)
def test_elf_program_tells_its_system_by_notes_interpreter_or_header(program: bytes, system: str) -> None:
    assert only(program).os == system


@pytest.mark.parametrize(
    ("size", "system"), [(0, "linux"), (11, "linux"), (12, "linux"), (23, "linux"), (24, "freebsd")]
)
def test_note_that_is_not_whole_does_not_count(size: int, system: str) -> None:
    program = bytearray(elf(notes=[("FreeBSD", 1, b"\0" * 4)]))
    struct.pack_into("<Q", program, 64 + 56 + 32, size)
    assert only(bytes(program)).os == system


# ELF: C library


@pytest.mark.parametrize(
    ("options", "libc"),
    [
        ({}, "static"),
        ({"interpreter": GLIBC_X86_64}, "glibc"),
        ({"interpreter": "/lib/ld-linux-armhf.so.3", **ARM}, "glibc"),
        ({"interpreter": "/lib64/ld64.so.2", "machine": 21}, "glibc"),
        ({"interpreter": "/lib/ld64.so.1", "machine": 22, "order": ">"}, "glibc"),
        ({"interpreter": "/nix/store/abc-glibc-2.40/lib/ld-linux-x86-64.so.2"}, "glibc"),
        ({"interpreter": "/lib/ld-musl-x86_64.so.1"}, "musl"),
        ({"interpreter": "/system/bin/linker64"}, "bionic"),
        ({"interpreter": "/system/bin/linker_asan64"}, "bionic"),
        ({"interpreter": "/libexec/ld-elf.so.1"}, "system"),
        ({"os_abi": 9}, "static"),
        ({"interpreter": "/opt/loader", "needed": ["libc.so.6"]}, "glibc"),
        ({"interpreter": "/opt/loader", "needed": ["libc.musl-x86_64.so.1"]}, "musl"),
        ({"interpreter": "/opt/loader", "needed": ["libc.so"]}, "musl"),
        ({"needed": ["libc.so.6"]}, "glibc"),
    ],
)
def test_interpreter_then_libraries_tell_the_c_library(options: dict[str, Any], libc: str) -> None:
    found = only(elf(**options))
    assert (found.libc, found.interpreter) == (libc, options.get("interpreter"))


def test_program_with_an_unknown_loader_is_refused_rather_than_called_static() -> None:
    assert "/lib/ld-strange.so.0" in (refusal(elf(interpreter="/lib/ld-strange.so.0")).found or "")


@pytest.mark.parametrize("loader", ["/lib/ld-uClibc.so.0", "/lib/ld64-uClibc.so.1", "/lib/ld-uClibc-1.0.44.so"])
def test_loader_of_uclibc_is_refused_whatever_libraries_say(loader: str) -> None:
    found = refusal(elf(interpreter=loader, needed=["libc.so.6"], versions=["GLIBC_2.34"])).found or ""
    assert found == f"it needs uClibc: its loader is {loader!r}"


def test_packed_program_is_refused_since_it_looks_static_whatever_it_needs() -> None:
    assert "UPX" in (refusal(elf(is_packed=True)).found or "")


def test_highest_version_of_each_family_is_needed_by_number_not_by_text() -> None:
    glibc, libstdcxx = ["GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.9"], ["GLIBCXX_3.4.9", "GLIBCXX_3.4.21", "CXXABI_1.3"]
    versions = [*glibc, *libstdcxx, "GCC_3.0", "GCC_3.3.1"]
    found = only(elf(interpreter=GLIBC_X86_64, needed=["libstdc++.so.6", "libc.so.6"], versions=versions))
    assert found.libc_min == "2.17"
    assert found.versions == (("CXXABI", "1.3"), ("GCC", "3.3.1"), ("GLIBCXX", "3.4.21"))
    assert found.libraries == ("libc.so.6", "libstdc++.so.6")


@pytest.mark.parametrize(
    ("versions", "floor"),
    [
        (["GLIBC_2.4", "GLIBC_PRIVATE", "OPENSSL_3.0.0", "GLIBCXX_LDBL_3.4"], "2.4"),
        (["GLIBC_2.17", "GLIBC_ABI_DT_RELR"], "2.36"),
        (["GLIBC_ABI_DT_RELR", "GLIBC_2.38"], "2.38"),
        (["GLIBC_2.17", "GLIBC_ABI_GNU2_TLS"], "2.43"),
        (["GLIBC_PRIVATE"], None),
    ],
)
def test_glibc_floor_counts_its_abi_marks_and_nothing_else(versions: list[str], floor: str | None) -> None:
    assert only(elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], versions=versions)).libc_min == floor


def test_unknown_glibc_mark_is_refused_since_no_one_knows_which_glibc_has_it() -> None:
    program = elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], versions=["GLIBC_ABI_OF_TOMORROW"])
    assert "GLIBC_ABI_OF_TOMORROW" in (refusal(program).found or "")


def test_unix_systems_version_their_libc_too() -> None:
    versions = ["FBSD_1.0", "FBSD_1.7", "FBSDprivate_1.0"]
    assert only(elf(interpreter="/libexec/ld-elf.so.1", needed=["libc.so.7"], versions=versions)).versions == (
        ("FBSD", "1.7"),
    )
    versions = ["SUNW_1.22.6", "ILLUMOS_0.9", "ILLUMOS_0.40"]
    assert only(elf(interpreter="/lib/amd64/ld.so.1", needed=["libc.so.1"], versions=versions)).versions == (
        ("ILLUMOS", "0.40"),
    )


def test_weak_version_is_no_floor_because_the_loader_goes_on_without_it() -> None:
    program = elf(interpreter=GLIBC_X86_64, versions=["GLIBC_2.17"], weak_versions=["GLIBC_2.38"])
    assert only(program).libc_min == "2.17"


def test_glibc_version_that_libgcc_has_under_musl_is_no_floor() -> None:
    program = elf(interpreter="/lib/ld-musl-aarch64.so.1", machine=183, versions=["GLIBC_2.0", "GCC_3.0"])
    assert (only(program).libc_min, only(program).versions) == (None, (("GCC", "3.0"),))


MUSL: dict[str, Any] = {"interpreter": "/lib/ld-musl-x86_64.so.1", "needed": ["libc.musl-x86_64.so.1"]}
MUSL_32: dict[str, Any] = {"interpreter": "/lib/ld-musl-i386.so.1", "needed": ["libc.so"], "machine": 3, "bits": 32}


@pytest.mark.parametrize(
    ("program", "floor"),
    [
        (elf(**MUSL), None),
        (elf(**MUSL, undefined=["malloc", "printf"]), None),
        (elf(**MUSL, undefined=["malloc", "pthread_getname_np", "getrandom"]), "1.2.3"),
        (elf(**MUSL, undefined=["malloc"], weak=["statx", "gettid"]), None),
        (elf(**MUSL, undefined=["malloc"], defined=["statx", "qsort_r"]), None),
        (elf(**MUSL, undefined=["malloc", "gettid"], defined=["statx"], hash_table="sysv"), "1.2.2"),
        (elf(**MUSL, undefined=["malloc", "statx"], hash_table="none"), "1.2.5"),
        (elf(**MUSL, has_relr=True), "1.2.4"),
        (elf(**MUSL, has_relr=True, undefined=["posix_getdents"]), "1.2.6"),
        (elf(**MUSL_32, undefined=["__stat_time64", "__gmtime64_r", "secure_getenv"]), "1.2.0"),
        (elf(**MUSL_32, undefined=["__time64", "qsort_r"], defined=["main"]), "1.2.3"),
        (elf(interpreter="/lib/ld-musl-s390x.so.1", machine=22, order=">", undefined=["gettid"]), "1.2.2"),
    ],
    ids="nothing old new weak defined sysv-hash no-hash relr relr-and-newer time64 time64-and-newer big-endian".split(),
)
def test_of_musl_the_newest_function_taken_from_it_tells_which_release_will_do(program: bytes, floor: str) -> None:
    found = only(program)
    assert (found.libc, found.libc_min) == ("musl", floor)


def test_glibc_has_a_function_of_that_name_in_other_versions() -> None:
    program = elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], versions=["GLIBC_2.17"], undefined=["qsort_r"])
    assert only(program).libc_min == "2.17"


@pytest.mark.parametrize(("versions", "floor"), [([], "2.36"), (["GLIBC_2.17"], "2.36"), (["GLIBC_2.38"], "2.38")])
def test_compressed_relocations_need_a_glibc_that_knows_them_even_without_its_mark(
    versions: list[str], floor: str
) -> None:
    program = elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], versions=versions, has_relr=True)
    assert only(program).libc_min == floor


def test_no_symbol_table_is_read_beyond_reason() -> None:
    program = elf(**MUSL, undefined=["malloc"], hash_table="sysv")
    endless = program.replace(struct.pack("<III", 1, 2, 0), struct.pack("<III", 1, 0x7FFFFFFF, 0))
    assert endless != program
    assert refusal(endless).found == f"a table of {0x7FFFFFFF} symbols"


@pytest.mark.parametrize(("bits", "order", "machine"), [(32, "<", 3), (32, ">", 20), (64, "<", 62), (64, ">", 22)])
def test_dynamic_section_is_read_in_any_class_and_byte_order(bits: int, order: str, machine: int) -> None:
    loader = "/lib/ld-linux-test.so.1"
    program = elf(bits=bits, order=order, machine=machine, interpreter=loader, needed=["a"], versions=["GLIBC_2.5"])
    found = only(program)
    assert (found.interpreter, found.libraries, found.libc_min) == (loader, ("a",), "2.5")


# ELF: processor and page size


@pytest.mark.parametrize(
    ("bits", "level"),
    [(0x1, None), (0x3, "x86-64-v2"), (0x5, "x86-64-v3"), (0x7, "x86-64-v3"), (0xF, "x86-64-v4"), (0x10, None)],
)
@pytest.mark.parametrize("elf_class", [64, 32])
def test_x86_64_level_comes_from_the_property_note(bits: int, level: str | None, elf_class: int) -> None:
    program = elf(notes=[x86_isa_needed(bits, elf_class)], note_segment=PT_GNU_PROPERTY, bits=elf_class)
    assert only(program).cpu == level


@pytest.mark.parametrize("size", [0, 4, 8, 12, 16, 20, 24, 27, 28])
def test_a_property_note_that_says_nothing_of_processors_needs_the_oldest(size: int) -> None:
    other = struct.pack("<III", 0xC0000002, 4, 3) + b"\0" * 4
    level = struct.pack("<III", 0xC0008002, 4, 8)
    assert only(elf(notes=[("GNU", 5, (other + level)[:size])])).cpu == ("x86-64-v4" if size == 28 else None)


def test_only_the_gnu_property_note_tells_the_level() -> None:
    _owner, _kind, properties = x86_isa_needed(7)
    assert only(elf(notes=[("Go", 5, properties)])).cpu is None
    assert only(elf(notes=[("GNU", 3, properties)])).cpu is None


def test_property_of_another_size_than_the_level_s_is_passed_over() -> None:
    empty, longer = struct.pack("<II", 0xC0008002, 0), struct.pack("<IIQ", 0xC0008002, 8, 0xF)
    level = struct.pack("<IIQ", 0xC0008002, 4, 0x5)
    assert only(elf(notes=[("GNU", 5, empty + longer + level)])).cpu == "x86-64-v3"


def test_note_after_a_short_one_is_found_where_the_segment_s_alignment_puts_it() -> None:
    program = bytearray(elf(notes=[("GNU", 3, b"id".ljust(8, b"\0")), x86_isa_needed(7)], note_segment=PT_GNU_PROPERTY))
    struct.pack_into("<I", program, program.index(b"GNU\0id") - 8, 4)
    struct.pack_into("<Q", program, 64 + 56 + 48, 8)
    assert only(bytes(program)).cpu == "x86-64-v3"


def test_page_size_is_the_smallest_alignment_of_what_is_loaded() -> None:
    assert only(elf(align=0x10000)).page_size == 0x10000
    assert only(elf(align=0)).page_size is None
    assert only(elf(align=1)).page_size is None


@pytest.mark.parametrize(
    ("flags", "attributes", "abi"),
    [
        (0x05000400, [(28, 0)], "eabihf"),
        (0x05000200, [(28, 1)], "eabi"),
        (0x05000000, [(28, 1)], "eabihf"),
        (0x05000000, [(28, 0)], "eabi"),
        (0x05000000, [(6, 10)], "eabi"),
        (0x05000000, [(28, 3)], None),
        (0x05000000, [(5, "7-A"), (32, "\1gnu"), (34, 1), (67, "2.09"), (28, 1)], "eabihf"),
        *((0x05000000, [(tag, 1), (28, 1)], "eabihf") for tag in (3, 6, 8, 30, 31, 34, 68)),
        *((0x05000000, [(tag, text), (28, 1)], "eabihf") for tag in (4, 5, 33, 35, 67) for text in ("text", "odd", "")),
        (0x05000000, [(28, 1), (28, 0)], "eabi"),
        (0x05000000, [(5, "ends"), (67, "never")], "eabi"),
        (0x05000003, None, None),
    ],
)
def test_arm_float_abi_comes_from_flags_then_attributes(
    flags: int, attributes: list[tuple[int, int | str]] | None, abi: str | None
) -> None:
    assert only(elf(**{**ARM, "flags": flags}, attributes=attributes)).abi == abi


def file_attributes(content: bytes) -> bytes:
    """Return a section of ARM's attributes that hold for the whole file, with any *content*."""
    scope = b"\1" + struct.pack("<I", 5 + len(content)) + content
    return b"A" + struct.pack("<I", 10 + len(scope)) + b"aeabi\0" + scope


HARD_FLOAT, SOFT_FLOAT = b"\x1c\1", b"\x1c\0"
OF_ONE_SECTION = b"\2" + struct.pack("<I", 10) + b"\1\2\0" + HARD_FLOAT


@pytest.mark.parametrize(
    ("section", "abi", "cpu"),
    [
        (file_attributes(HARD_FLOAT + b"\6\x0a"), "eabihf", "armv7"),
        (file_attributes(b"\x9c\x80\0\x81\0" + b"\6\x8a\0"), "eabihf", "armv7"),
        (file_attributes(b"\x9c\1\1" + b"\6\x8a\1" + b"\xac\2\1" + HARD_FLOAT), "eabihf", None),
        (file_attributes(HARD_FLOAT + b"\5text"), "eabihf", None),
        (file_attributes(SOFT_FLOAT) + OF_ONE_SECTION, "eabi", None),
        (file_attributes(HARD_FLOAT)[:16], "eabi", None),
        (file_attributes(HARD_FLOAT)[:15], None, None),
        (b"B" + file_attributes(HARD_FLOAT)[1:], None, None),
        (file_attributes(HARD_FLOAT).replace(b"aeabi", b"other"), None, None),
        (file_attributes(HARD_FLOAT).replace(b"aeabi\0\1", b"aeabi\0\2"), None, None),
    ],
    ids="numbers long-numbers other-numbers endless section-scope empty short format vendor scope".split(),
)
def test_arm_attributes_count_if_they_hold_for_the_whole_file(section: bytes, abi: str | None, cpu: str | None) -> None:
    found = only(elf(**ARM, sections=[(".ARM.attributes", 0x70000003, section)]))
    assert (found.abi, found.cpu) == (abi, cpu)


@pytest.mark.parametrize(
    ("interpreter", "abi"),
    [("/lib/ld-linux-armhf.so.3", "eabihf"), ("/lib/ld-linux.so.3", "eabi"), ("/lib/ld-musl-armhf.so.1", "eabihf")],
)
def test_arm_loader_tells_the_float_abi_where_nothing_else_does(interpreter: str, abi: str) -> None:
    assert only(elf(**ARM, interpreter=interpreter)).abi == abi


@pytest.mark.parametrize(
    ("tag", "cpu"),
    [
        (4, "armv5te"),
        (5, "armv5te"),
        (6, "armv6"),
        (7, "armv6"),
        (8, "armv7"),
        (9, "armv6"),
        (10, "armv7"),
        (11, "armv6"),
        (12, "armv6"),
        (13, "armv7"),
        (14, "armv8"),
        (22, "armv8"),
        (23, None),
        (99, None),
    ],
)
def test_arm_processor_comes_from_the_attributes_of_quiet_code(tag: int, cpu: str | None) -> None:
    assert only(elf(**ARM, attributes=[(6, tag)])).cpu == cpu


@pytest.mark.parametrize(
    ("tag", "code", "cpu"),
    [
        (10, COPROCESSOR_BARRIER * 8, "armv6"),
        (6, DMB * 8, "armv7"),
        (6, DMB * 9 + b"\0", "armv7"),
        (14, DMB * 9, "armv8"),
        (14, COPROCESSOR_BARRIER * 9, "armv6"),
        (10, COPROCESSOR_BARRIER * 9 + DMB, "armv7"),
        (6, COPROCESSOR_BARRIER + DMB * 9, "armv6"),
        (10, COPROCESSOR_BARRIER * 7, "armv7"),
        (6, DMB * 7, "armv6"),
    ],
)
def test_arm_code_that_makes_only_one_kind_of_barrier_overrules_the_attributes(tag: int, code: bytes, cpu: str) -> None:
    assert only(elf(**ARM, attributes=[(6, tag)], code=code)).cpu == cpu


def test_arm_code_is_sampled_from_its_start_to_its_end() -> None:
    long = b"\0" * 400_000
    assert only(elf(**ARM, code=long + DMB * 1000)).cpu == "armv7"
    assert only(elf(**ARM, code=COPROCESSOR_BARRIER * 1000 + long)).cpu == "armv6"


# ELF: the registers that ARM code uses

ARM_NOTHING, THUMB_NOTHING = struct.pack("<I", 0xE1A00000), struct.pack("<HH", 0xBF00, 0xBF00)
REGISTERS = range(13)
#: What compilers made of real programs; the number of the register that holds the address is added.
VLD1, VST1, VLDR_D18, VSTR_D16, VLDR_D8 = 0xF4600A0D, 0xF4400ACF, 0xEDD02B11, 0xEDC00B06, 0xED908B10
VEOR, VORR, VLD1_TO_ALL_LANES, VLD3_TO_ONE_LANE = 0xF3000150, 0xF2200110, 0xF4A00C0F, 0xF4A0020F
VLD1_OF_1, VLD1_OF_3, VLD1_OF_4, VLD2, VLD1_THEN_ADD_R2 = 0xF460070D, 0xF460060D, 0xF460020D, 0xF460080D, 0xF4600A02
#: Fetches code ahead of time.
PLI = 0xF450FA0D


def arm_words(*words: int) -> bytes:
    return b"".join(struct.pack("<I", word) for word in words)


def thumb_words(*words: int) -> bytes:
    """Return the same instructions in Thumb's encoding."""
    first_byte = {0xF2: 0xEF, 0xF3: 0xFF, 0xF4: 0xF9}
    fixed = [first_byte.get(word >> 24, word >> 24) << 24 | word & 0xFFFFFF for word in words]
    return b"".join(struct.pack("<HH", word >> 16, word & 0xFFFF) for word in fixed)


def each_register(*words: int) -> list[int]:
    return [word | register << 16 for register in REGISTERS for word in words]


def arm_pages(*pages: bytes, nothing: bytes = ARM_NOTHING) -> bytes:
    """Return pages that begin so, between others that hold nothing."""
    return b"".join(page + nothing * ((4096 - len(page)) // 4) for each in pages for page in (b"", each, b""))


@pytest.mark.parametrize(
    ("words", "fpu"),
    [
        (each_register(VLD1), "neon"),
        (each_register(VST1), "neon"),
        (each_register(VLDR_D18), "vfpd32"),
        (each_register(VSTR_D16), "vfpd32"),
        (each_register(VLDR_D18, VLD1), "neon"),
        (each_register(VLD1_OF_1), "neon"),
        (each_register(VLD1_OF_3), "neon"),
        (each_register(VLD1_OF_4), "neon"),
        (each_register(VLDR_D8), None),
        (each_register(VLD2), None),
        (each_register(VLD3_TO_ONE_LANE), None),
        (each_register(VLD1_THEN_ADD_R2), None),
        (each_register(VLD1)[:12], "neon"),
        (each_register(VLDR_D18)[:12], "vfpd32"),
        (each_register(VLD1)[:11], None),
        (each_register(VLDR_D18)[:11], None),
        ([], None),
    ],
)
def test_registers_that_not_every_arm_processor_has_are_seen_in_the_code(words: list[int], fpu: str | None) -> None:
    for encode, nothing in ((arm_words, ARM_NOTHING), (thumb_words, THUMB_NOTHING)):
        code = arm_pages(encode(*words[:6]), encode(*words[6:]), nothing=nothing)
        assert only(elf(**ARM, code=code)).fpu == fpu
        # Neither attribute is heeded: Tag_FP_arch, Tag_Advanced_SIMD_arch.
        assert only(elf(**ARM, code=code, attributes=[(6, 10), (10, 3), (12, 1)])).fpu == fpu


def test_code_is_seen_among_the_constants_that_compilers_put_beside_it() -> None:
    loads = each_register(VLD1)
    constants = struct.pack("<I", 0x10000000) * 460
    assert only(elf(**ARM, code=arm_pages(arm_words(*loads) + constants))).fpu == "neon"
    branches = struct.pack("<HH", 0xBF00, 0xE7FE) * 400
    assert only(elf(**ARM, code=arm_pages(thumb_words(*loads) + branches, nothing=THUMB_NOTHING))).fpu == "neon"


def test_code_fetched_ahead_of_time_is_no_neon() -> None:
    assert only(elf(**ARM, code=arm_pages(arm_words(*each_register(PLI))))).fpu is None
    assert only(elf(**ARM, code=arm_pages(arm_words(*[PLI] * 64, *each_register(VLD1))))).fpu == "neon"


def test_a_page_with_64_neon_instructions_is_assembly_by_hand() -> None:
    loads = each_register(VLD1)
    assert only(elf(**ARM, code=arm_pages(arm_words(*[VEOR] * (63 - len(loads)), *loads)))).fpu == "neon"
    assert only(elf(**ARM, code=arm_pages(arm_words(*[VEOR] * (64 - len(loads)), *loads)))).fpu is None


@pytest.mark.parametrize(
    "pages",
    [
        [arm_words(*[VORR] * 64, *each_register(VLD1, VLDR_D18))],
        [arm_words(*[VEOR] * 64, *each_register(VLD1, VLDR_D18))],
        [arm_words(*[VLD1_TO_ALL_LANES] * 64, *each_register(VLD1, VLDR_D18))],
        [arm_words(*(word | 15 << 16 | register << 12 for register in range(8) for word in (VLD1, VST1)))],
        [arm_words(*each_register(VLD1, VLDR_D18)) + arm_words(*[VEOR] * 900)],
        [arm_words(word) for word in each_register(VLD1, VLDR_D18)],
        [arm_words(*[VLD1] * 2, *[VLDR_D18] * 2) for _page in REGISTERS],
        [arm_words(*each_register(VLD1 | 0x30))],
        # The second half of a Thumb branch, and what follows it.
        [struct.pack("<HHH", 0xF7F7, 0xF960 + register, 0x0A0D) * 100 for register in REGISTERS],
    ],
)
def test_neither_assembly_by_hand_nor_constants_are_taken_for_a_compiler_s_code(pages: list[bytes]) -> None:
    nothing = THUMB_NOTHING if pages[0].startswith(b"\xf7\xf7") else ARM_NOTHING
    assert only(elf(**ARM, code=arm_pages(*pages, nothing=nothing))).fpu is None


def test_what_lies_beside_assembly_by_hand_is_its_own() -> None:
    by_hand = arm_words(*[VEOR] * 1024)
    few = (arm_words(*each_register(VLD1)) + ARM_NOTHING * 1024)[:4096]
    assert only(elf(**ARM, sections=[(".text", 1, few + by_hand + few)])).fpu is None
    assert only(elf(**ARM, sections=[(".text", 1, few + few + by_hand + few)])).fpu == "neon"


def test_constants_beside_the_code_are_told_from_it_by_section_headers_that_do_not_lie() -> None:
    loads, nothing = arm_pages(arm_words(*each_register(VLD1))), arm_pages(b"")
    assert only(elf(**ARM, code=loads, sections=[(".text", 1, nothing)])).fpu is None
    assert only(elf(**ARM, code=nothing, sections=[(".text", 1, loads)])).fpu == "neon"
    assert only(elf(**ARM, code=nothing, sections=[(".text", 1, nothing), (".data", 1, loads)])).fpu is None
    lying = bytearray(elf(**ARM, code=loads, sections=[(".text", 1, nothing)]))
    (headers_at,) = struct.unpack_from("<I", lying, 32)
    struct.pack_into("<I", lying, headers_at + 20, 0x7FFFFFFF)
    assert only(bytes(lying)).fpu == "neon"


def test_of_much_code_a_part_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    code = b"".join(arm_pages(arm_words(*pair)) for pair in zip(each_register(VLD1), each_register(VST1), strict=True))
    monkeypatch.setattr(program_bytes, "MAX_BYTES_PAGED", len(code) // 3)
    assert only(elf(**ARM, sections=[(".text", 1, code[4096:])])).fpu == "neon"
    assert only(elf(**ARM, sections=[(".text", 1, code)])).fpu is None


# ELF: what Go compiled for

GO_X86_64: dict[str, Any] = {"machine": 62}


@pytest.mark.parametrize(
    ("options", "setting", "abi", "cpu"),
    [
        (ARM, "GOARM=5", "eabi", "armv5te"),
        (ARM, "GOARM=6", "eabihf", "armv6"),
        (ARM, "GOARM=7", "eabihf", "armv7"),
        (ARM, "GOARM=7,softfloat", "eabi", "armv7"),
        (ARM, "GOARM=5,hardfloat", "eabihf", "armv5te"),
        (ARM, "GOARM=9", "eabihf", "armv8"),
        (ARM, "GOARCH=arm", None, None),
        (GO_X86_64, "GOAMD64=v1", None, None),
        (GO_X86_64, "GOAMD64=v2", None, "x86-64-v2"),
        (GO_X86_64, "GOAMD64=v4", None, "x86-64-v4"),
        (GO_X86_64, "GOAMD64=v5", None, "x86-64-v5"),
        ({"machine": 3, "bits": 32}, "GO386=sse2", None, None),
        ({"machine": 183}, "GOARM64=v8.0", None, None),
        ({"machine": 183}, "GOARM64=v8.0,lse", None, "armv8.0-lse"),
        ({"machine": 183}, "GOARM64=v9.2", None, "armv9.2"),
        ({"machine": 21, "flags": 2}, "GOPPC64=power8", "elfv2", None),
        ({"machine": 21, "flags": 2}, "GOPPC64=power9", "elfv2", "power9"),
        ({"machine": 243, "flags": 4}, "GORISCV64=rva20u64", "lp64d", None),
        ({"machine": 243, "flags": 4}, "GORISCV64=rva23u64", "lp64d", "rva23u64"),
        ({"machine": 22, "order": ">"}, "GOS390X=z17", None, None),
    ],
)
def test_go_program_tells_the_processor_it_was_compiled_for(
    options: dict[str, Any], setting: str, abi: str | None, cpu: str | None
) -> None:
    found = only(elf(**options, sections=[(".go.buildinfo", 1, go_build_info("CGO_ENABLED=0", setting))]))
    assert (found.abi, found.cpu) == (abi, cpu)


@pytest.mark.parametrize(
    "places",
    [
        {"data": go_build_info("GOARM=6").ljust(9000, b"\0")},
        {"sections": [(".go.buildinfo", 1, go_build_info("GOARM=6").ljust(200_000, b"\0"))]},
        {"sections": [(".rodata", 1, go_build_text("GOARM=6") + b"r"), (".gopclntab", 1, b"x")]},
        {"sections": [(".rodata", 1, b"r" * 1_500_000 + go_build_text("GOARM=6") + b"r"), (".gopclntab", 1, b"x")]},
    ],
    ids=[
        "no section headers",
        "section",
        "first of the constants",
        "constants of a program whose section was taken out",
    ],
)
def test_go_settings_are_found_wherever_they_are_left(places: dict[str, Any]) -> None:
    assert only(elf(**ARM, **places)).cpu == "armv6"


@pytest.mark.parametrize(
    "content",
    [
        # Before Go 1.18: pointers to Go's version and to a text without settings.
        b"\xff Go buildinf:\x04\x00" + struct.pack("<II", 0x11000, 0x11008) + b"\0" * 8 + go_build_text()[:-40],
        go_build_text("GOARM=5")[:-1],
        go_build_text("GOARM=5")[16:],
        b"",
    ],
)
def test_go_program_that_does_not_say_or_not_whole_stays_silent(content: bytes) -> None:
    found = only(elf(**ARM, sections=[(".go.buildinfo", 1, content or b"\0")]))
    assert (found.abi, found.cpu) == (None, None)


def test_text_between_the_marks_that_is_no_go_program_s_is_not_looked_for() -> None:
    assert only(elf(**ARM, sections=[(".rodata", 1, go_build_text("GOARM=5"))])).cpu is None
    assert only(elf(**ARM, sections=[(".gopclntab", 1, go_build_text("GOARM=5"))])).cpu is None


def test_go_code_that_asks_the_processor_for_barriers_is_believed_to_be_what_it_says() -> None:
    info = (".go.buildinfo", 1, go_build_info("GOARM=5"))
    assert only(elf(**ARM, sections=[info], code=DMB * 99)).cpu == "armv5te"


@pytest.mark.parametrize(("goarm", "tag", "cpu"), [("7", 4, "armv7"), ("5", 6, "armv6"), ("5", 10, "armv7")])
def test_go_program_with_c_code_in_it_needs_what_either_needs(goarm: str, tag: int, cpu: str) -> None:
    info = (".go.buildinfo", 1, go_build_info(f"GOARM={goarm}"))
    assert only(elf(**ARM, sections=[info], attributes=[(6, tag), (28, 1)])).cpu == cpu


@pytest.mark.parametrize(
    ("level", "bits", "cpu"), [("v3", 0x3, "x86-64-v3"), ("v1", 0x3, "x86-64-v2"), ("v5", 0x7, "x86-64-v5")]
)
def test_go_program_whose_c_code_names_a_level_needs_the_higher_one(level: str, bits: int, cpu: str) -> None:
    info = (".go.buildinfo", 1, go_build_info(f"GOAMD64={level}"))
    assert only(elf(notes=[x86_isa_needed(bits)], sections=[info])).cpu == cpu


def test_go_settings_are_looked_for_elsewhere_where_a_section_header_lies() -> None:
    places = [(".go.buildinfo", 1, b"gone"), (".rodata", 1, go_build_text("GOARM=6")), (".gopclntab", 1, b"x")]
    program = bytearray(elf(**ARM, sections=places))
    (headers_at,) = struct.unpack_from("<I", program, 32)
    struct.pack_into("<I", program, headers_at + 16, 0x7FFFFFFF)
    assert only(bytes(program)).cpu == "armv6"


def test_section_headers_may_lie_or_lack_without_changing_what_the_loader_sees() -> None:
    options: dict[str, Any] = {"interpreter": GLIBC_X86_64, "needed": ["libc.so.6"], "versions": ["GLIBC_2.28"]}
    program = bytearray(elf(**options))
    struct.pack_into("<Q", program, 40, 2**60)
    struct.pack_into("<HHH", program, 58, 64, 60000, 59999)
    assert only(bytes(program)) == only(elf(**options))


def test_section_names_that_cannot_be_read_are_unknown() -> None:
    program = elf(**ARM, sections=[(".go.buildinfo", 1, go_build_info("GOARM=6"))])
    (headers_at,) = struct.unpack_from("<I", program, 32)
    for place, layout, value in ((50, "<H", 2), (50, "<H", 0xFFFF), (headers_at + 40 + 16, "<I", len(program))):
        lying = bytearray(program)
        struct.pack_into(layout, lying, place, value)
        assert only(bytes(lying)).cpu is None


def test_section_headers_of_another_size_are_not_read() -> None:
    program = bytearray(elf(**ARM, sections=[(".go.buildinfo", 1, go_build_info("GOARM=6"))]))
    for size in (39, 41):
        struct.pack_into("<H", program, 46, size)
        assert only(bytes(program)).cpu is None


def test_nothing_counts_behind_the_end_of_the_dynamic_section() -> None:
    behind = struct.pack("<QQ", 1, 1 + len("lib"))
    program = bytearray(elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], data=behind))
    (size,) = struct.unpack_from("<Q", program, 64 + 2 * 56 + 32)
    struct.pack_into("<Q", program, 64 + 2 * 56 + 32, size + len(behind))
    assert only(bytes(program)).libraries == ("libc.so.6",)


def test_table_that_begins_where_a_segment_begins_is_read_from_that_segment() -> None:
    program = bytearray(elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], data=b"data"))
    names_at = program.index(b"\0libc.so.6\0")
    struct.pack_into("<Q", program, 64 + 32, names_at)
    struct.pack_into("<QQ", program, 64 + 3 * 56 + 8, len(program), 0x10000 + names_at)
    struct.pack_into("<Q", program, 64 + 3 * 56 + 32, 11)
    assert only(bytes(program) + b"\0libm.so.6\0").libraries == ("libm.so.6",)


# ELF: what is a program


@pytest.mark.parametrize(
    "options",
    [
        {"interpreter": GLIBC_X86_64, "needed": ["libc.so.6"], "has_debug_tag": True},
        {"interpreter": GLIBC_X86_64},
        {"interpreter": GLIBC_X86_64, "soname": "program", "flags_1": DF_1_PIE},
        {"flags_1": DF_1_PIE},
        {"has_debug_tag": True},
        {},
    ],
)
def test_position_independent_program_is_a_program(options: dict[str, Any]) -> None:
    assert only(elf(kind=ET_DYN, **options)).arch == "x86_64"


@pytest.mark.parametrize(
    "data",
    [
        elf(kind=ET_DYN, soname="libz.so.1", needed=["libc.so.6"]),
        elf(kind=ET_DYN, soname="libc.so.6", interpreter=GLIBC_X86_64),
        elf(kind=ET_DYN, needed=["libc.so.6"]),
        elf(kind=ET_DYN, soname="ld-musl-x86_64.so.1"),
        elf(kind=ET_REL),
        elf(kind=ET_CORE),
        elf(kind=0xFE00),
        elf(entry=0),
        elf()[:56] + b"\0\0" + elf()[58:],
        elf(entry=2**63),
        elf(entry=0x10000 + len(elf())),
        macho(kind=1),
        macho(kind=6),
        macho(kind=8),
        macho(kind=10),
        universal(macho(kind=6), macho(kind=6)),
        universal(b"!<arch>\n".ljust(64)),
        b"\xca\xfe\xba\xbe\0\0\0\x34" + b"\0" * 64,
        b"\xca\xfe\xba\xbe\0\0\0\x2d" + b"\0" * 64,
        pe(characteristics=0x2022),
        pe(characteristics=0x1022),
        pe(characteristics=0x20),
        pe(characteristics=0x21),
        pe(subsystem=1),
        pe(subsystem=10),
        b"MZ",
        b"MZ".ljust(63, b"\0"),
        b"MZ".ljust(64, b"\0"),
        b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"NE\0\0",
        b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 2**32 - 1) + b"PE\0\0",
        b"",
        b"#",
        b"echo no shebang\n",
        b"!<arch>\ndebian-binary",
        b"\0asm\1\0\0\0",
        b"PK\3\4",
        b"\x01\xf7",
        "\ufeff#!/bin/sh\n".encode(),
        b"#!\n",
        b"#! \t \n",
        b"#!/bin/sh\r\nexit\r\n",
        b"#!/" + b"a" * 5000,
        b"#![allow(dead_code)]\nfn main() {}\n",
        b"#!python\n",
    ],
)
def test_libraries_objects_and_data_are_not_programs(data: bytes) -> None:
    error = refusal(data)
    assert isinstance(error, NotAProgram)
    assert error.found
    assert error.expected


def test_program_may_start_at_the_first_and_the_last_byte_of_its_code() -> None:
    assert only(elf(entry=0x10000)).libc == "static"
    assert only(elf(entry=0x10000 + len(elf()) - 1)).libc == "static"


@pytest.mark.parametrize(
    "options", [{"entry": 0}, {"soname": "libz.so.1"}, {"needed": ["libc.so.6"]}, {"needed": ["libc.so.6"], "entry": 0}]
)
def test_what_is_linked_into_programs_is_called_a_library(options: dict[str, Any]) -> None:
    assert refusal(elf(kind=ET_DYN, runpath="/opt/lib", **options)).found == "a shared library"
    assert only(elf(kind=ET_DYN, runpath="/opt/lib")).libc == "static"


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (0, "a file of no type"),
        (ET_REL, "an object file or kernel module"),
        (ET_CORE, "a core dump"),
        (5, "an ELF file of type 0x5"),
    ],
)
def test_elf_that_is_no_program_is_called_what_it_is(kind: int, what: str) -> None:
    assert refusal(elf(kind=kind)).found == what


def test_debug_symbols_of_a_program_are_no_program() -> None:
    program = bytearray(elf(interpreter=GLIBC_X86_64))
    for segment in range(2):
        struct.pack_into("<Q", program, 64 + 56 * segment + 32, 0)
    assert "debug symbols" in (refusal(bytes(program)).found or "")


def test_interpreter_without_a_name_is_broken() -> None:
    program = bytearray(elf(interpreter=GLIBC_X86_64))
    struct.pack_into("<Q", program, 64 + 56 + 32, 0)
    assert "without a name" in (refusal(bytes(program)).found or "")


def test_interpreter_without_an_end_is_broken() -> None:
    program = bytearray(elf(interpreter=GLIBC_X86_64))
    struct.pack_into("<Q", program, 64 + 56 + 32, len(GLIBC_X86_64))
    assert refusal(bytes(program)).found == "a name without an end"


def test_tables_that_no_segment_loads_are_broken() -> None:
    program = elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"])
    tag = struct.pack("<Q", 5)
    at = program.rindex(tag)
    assert "no segment loads" in (refusal(program[: at + 8] + b"\xff" * 8 + program[at + 16 :]).found or "")


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF",
        elf()[:60],
        elf()[:80],
        elf(interpreter=GLIBC_X86_64)[:-20],
        b"\x7fELF\x03" + elf()[5:],
        b"\x7fELF\x02\x03" + elf()[6:],
        elf()[:54] + b"\x11\0" + elf()[56:],
        elf()[:56] + b"\xff\xff" + elf()[58:],
        elf(interpreter="/lib/\x1b[31m"),
        elf(interpreter="/lib/NAME").replace(b"NAME", b"\xff\xfe\xfd\xfc"),
        elf(needed=["a" * 9000], interpreter=GLIBC_X86_64),
        elf(interpreter=GLIBC_X86_64, versions=["GLIBC_2.5"] * 300),
        b"\xca\xfe\xba\xbe\0\0\0\0",
        b"\xca\xfe\xba\xbe\0\0\0\x20",
        b"\xca\xfe\xba\xbe\0\0\0\x2c",
        b"\xca\xfe\xba\xbf\0\0\0\xff",
        universal(macho())[:0x1010],
        macho()[:40],
        macho(libraries=[(0xC, "a\x07b")]),
        macho().replace(struct.pack("<II", 0xC, 56), struct.pack("<II", 0xC, 4)),
        macho().replace(struct.pack("<II", 0xC, 56), struct.pack("<II", 0xC, 8)),
        macho().replace(struct.pack("<II", 0xC, 56), struct.pack("<II", 0x32, 8)),
        macho().replace(struct.pack("<II", 0xC, 56), struct.pack("<II", 0x99, 7)),
        macho().replace(struct.pack("<III", 0xC, 56, 24), struct.pack("<III", 0xC, 56, 99)),
        macho().replace(struct.pack("<III", 0xC, 56, 24), struct.pack("<III", 0xC, 56, 56)),
        macho().replace(struct.pack("<III", 0xC, 56, 24), struct.pack("<III", 0xC, 56, 23)),
        with_command(macho(), struct.pack("<II", 0x24, 11) + b"\0" * 3),
        with_command(macho(), struct.pack("<II", 0x99, 12)),
        macho()[:16] + b"\x09" + macho()[17:],
        macho()[:16] + b"\xff\xff" + macho()[18:],
        pe(magic=0x10B),
        pe()[:0x90],
        pe()[:0x46] + b"\x61\0" + pe()[0x48:],
        pe(imports=["x.dll"] * 1100),
        pe().replace(struct.pack("<I", 0x1028), struct.pack("<I", 0x9000)),
        pe().replace(struct.pack("<I", 0x1028), struct.pack("<I", 0x0D00)),
        pe().replace(struct.pack("<I", 0x1028), struct.pack("<I", 0x1028 + len("KERNEL32.dll\0"))) + b"x.dll\0",
        b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0",
        b"#!/bin/\xff\xfe\n",
    ],
)
def test_broken_program_is_one_clear_error(data: bytes) -> None:
    error = refusal(data)
    assert not isinstance(error, NotAProgram)
    assert "broken" in error.what
    assert error.found
    assert error.fix


def test_broken_identification_is_shown() -> None:
    assert refusal(b"\x7fELF\x03" + elf()[5:]).found == "an ELF identification of 03 01 01"


@pytest.mark.parametrize(
    ("number", "system"),
    [
        (1, "GNU Hurd"),
        (3, "GNU/kFreeBSD"),
        (4, "GNU/NetBSD"),
        (5, "Syllable"),
        (6, "NaCl"),
    ],
)
def test_program_for_another_system_with_glibc_is_called_so(number: int, system: str) -> None:
    assert refusal(elf(notes=[gnu_abi_tag(number)])).found == f"a program for {system}"


def test_library_without_any_code_uses_no_registers() -> None:
    library = bytearray(elf(**ARM, kind=ET_DYN, flags_1=DF_1_PIE))
    struct.pack_into("<I", library, 52 + 16, 0)
    found = linkage(bytes(library))
    assert found is not None
    assert found.requires.fpu is None


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"!<arch>\ndebian-binary", "a static library, or a Debian package"),
        (b"\0asm\1\0\0\0", "a WebAssembly module"),
        (b"PK\3\4", "a zip archive"),
        (b"\x1f\x8b\x08", "gzip-compressed data"),
        (b"\xfd7zXZ\0", "xz-compressed data"),
        (b"BZh9", "bzip2-compressed data"),
        (b"MZ".ljust(63, b"\0"), "a few bytes that begin with MZ"),
        (b"MZ".ljust(64, b"\0"), "a program for DOS, or data that begins with MZ"),
        (b"<html><head>", "a web page"),
        (b"just text, and more of it", "data that begins with b'just text, and m'"),
        (b"\x01\xf7\x00\x04", "data that begins with b'\\x01\\xf7\\x00\\x04'"),
    ],
)
def test_what_is_often_found_beside_programs_is_called_by_its_name(data: bytes, found: str) -> None:
    assert refusal(data).found == found


class FileInPieces(io.BytesIO):
    """Gives fewer bytes than it is asked for, and claims to have *more* than it has."""

    more = 0

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(max(1, (size or 0) // 3))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(offset, whence) + (self.more if whence else 0)


def test_file_that_is_read_in_pieces_is_read_whole() -> None:
    program = elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], versions=["GLIBC_2.30"], code=b"c" * 9000)
    assert read(FileInPieces(program)) == read(program)


def test_file_that_becomes_shorter_while_it_is_read_is_broken() -> None:
    file = FileInPieces(elf())
    file.more = 1
    with pytest.raises(ReleaseError, match="became shorter"):
        read(file)


def test_only_what_a_loader_reads_has_a_linkage() -> None:
    assert linkage(elf()) is None
    assert linkage(elf(kind=ET_REL, needed=["libc.so.6"])) is None
    assert linkage(macho()) is None
    assert linkage(b"#!/bin/sh\n") is None
    assert linkage(b"") is None
    assert linkage(elf()[:15]) is None
    with pytest.raises(ReleaseError, match="broken"):
        linkage(elf()[:16])
    library = linkage(elf(kind=ET_DYN, soname="libz.so.1", runpath="/opt/lib:$ORIGIN", needed=["libc.so.6"]))
    assert library is not None
    assert (library.soname, library.search, library.is_runpath) == ("libz.so.1", ("/opt/lib", "$ORIGIN"), True)
    program = linkage(elf(interpreter=GLIBC_X86_64, rpath="/opt/old", needed=["libc.so.6"]))
    assert program is not None
    assert (program.soname, program.search, program.is_runpath) == (None, ("/opt/old",), False)


def test_error_calls_the_file_as_the_caller_does() -> None:
    with pytest.raises(NotAProgram, match="bin/notes is not a program"):
        read(b"text", name="bin/notes")


# Mach-O


def test_thin_macho_tells_architecture_minimum_and_libraries() -> None:
    libraries = [(0xC, "/usr/lib/libz.1.dylib"), (0x80000018, "/weak.dylib"), (0xC, "/usr/lib/libSystem.B.dylib")]
    assert only(macho(libraries=libraries)) == Requirement(
        os="macos",
        arch="aarch64",
        libc="system",
        os_min="11.0",
        libraries=("/usr/lib/libSystem.B.dylib", "/usr/lib/libz.1.dylib"),
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"cpu": 0x01000007, "old_command": 0x24, "minimum": 0x000A0C00}, ("x86_64", None, None, "10.12")),
        ({"cpu": 0x01000007, "subtype": 8, "minimum": 0x000A0D05}, ("x86_64", None, "x86-64-v3", "10.13.5")),
        ({"cpu": 0x0100000C, "subtype": 0x80000002}, ("aarch64", "arm64e", None, "11.0")),
        ({"cpu": 7, "bits": 32, "platform": None}, ("i686", None, None, None)),
        ({"cpu": 18, "bits": 32, "order": ">", "platform": None}, ("powerpc", None, None, None)),
    ],
)
def test_macho_processors_and_version_commands(options: dict[str, Any], expected: tuple[str | None, ...]) -> None:
    found = only(macho(**options))
    assert (found.arch, found.abi, found.cpu, found.os_min) == expected


@pytest.mark.parametrize("bits", [32, 64])
def test_universal_macho_gives_one_requirement_for_each_architecture(bits: int) -> None:
    intel, apple = read(universal(macho(cpu=0x01000007, minimum=0x000A0900), macho(), bits=bits))
    assert [(part.arch, part.os_min) for part in (intel, apple)] == [("x86_64", "10.9"), ("aarch64", "11.0")]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (1, "an object file"),
        (3, "a Mach-O file of type 3"),
        (4, "a core dump"),
        (5, "a Mach-O file of type 5"),
        (6, "a shared library"),
        (7, "a dynamic linker"),
        (8, "a loadable bundle"),
        (9, "a stub of a shared library"),
        (10, "debug symbols"),
        (11, "a kernel extension"),
        (12, "a Mach-O file of type 12"),
    ],
)
def test_macho_that_is_no_program_is_called_what_it_is(kind: int, what: str) -> None:
    assert refusal(macho(kind=kind)).found == what


@pytest.mark.parametrize(
    ("options", "system"),
    [
        ({"platform": 2}, "iOS"),
        ({"platform": 3}, "tvOS"),
        ({"platform": 4}, "watchOS"),
        ({"platform": 5}, "bridgeOS"),
        ({"platform": 6}, "Mac Catalyst"),
        ({"platform": 7}, "the iOS simulator"),
        ({"platform": 8}, "the tvOS simulator"),
        ({"platform": 9}, "the watchOS simulator"),
        ({"platform": 10}, "DriverKit"),
        ({"platform": 11}, "visionOS"),
        ({"platform": 12}, "the visionOS simulator"),
        ({"platform": 13}, "Apple platform 13"),
        ({"old_command": 0x25}, "iOS"),
        ({"old_command": 0x2F}, "tvOS"),
        ({"old_command": 0x30}, "watchOS"),
    ],
)
def test_macho_for_another_system_of_apple_is_called_so(options: dict[str, Any], system: str) -> None:
    assert refusal(macho(**options)).found == f"a program for {system}"


@pytest.mark.parametrize(("cpu", "arch"), [(7, "i686"), (18, "powerpc"), (0x01000012, "powerpc64")])
def test_macho_of_older_processors_tells_them(cpu: int, arch: str) -> None:
    assert only(macho(cpu=cpu, order=">")).arch == arch


@pytest.mark.parametrize("command", [0xC, 0x8000001F, 0x80000023])
def test_macho_needs_what_it_loads_passes_on_or_loads_upward(command: int) -> None:
    assert only(macho(libraries=[(command, "/usr/lib/libz.1.dylib")])).libraries == ("/usr/lib/libz.1.dylib",)


def test_macho_may_be_for_another_system_of_apple_as_well() -> None:
    found = only(with_command(macho(), struct.pack("<IIIIII", 0x32, 24, 6, 0x000E0000, 0x000E0000, 0)))
    assert (found.os, found.os_min) == ("macos", "11.0")


def test_load_commands_may_be_as_short_as_what_is_read_of_them() -> None:
    assert only(with_command(macho(), struct.pack("<II", 0x99, 8))) == only(macho())
    assert only(with_command(macho(platform=None), struct.pack("<III", 0x24, 12, 0x000A0C00))).os_min == "10.12"


def test_name_of_a_library_may_stand_anywhere_in_its_load_command() -> None:
    command = struct.pack("<IIIIIII", 0xC, 40, 28, 0, 0, 0, 0) + b"/libz.dylib\0"
    assert only(with_command(macho(libraries=[]), command)).libraries == ("/libz.dylib",)


def test_more_load_commands_than_any_program_has_are_broken() -> None:
    program = macho()
    (size,) = struct.unpack_from("<I", program, 20)
    many = program[:16] + struct.pack("<I", 0xFFFF) + program[20:]
    assert refusal(many).found == f"65535 load commands of {size} bytes"
    long = program[:20] + struct.pack("<I", 0x7FFFFFFF) + program[24:]
    assert refusal(long).found == f"2 load commands of {0x7FFFFFFF} bytes"


def test_universal_macho_may_have_many_architectures() -> None:
    assert len(read(universal(*[macho()] * 16))) == 16


# PE


@pytest.mark.parametrize(
    ("machine", "arch"), [(0x8664, "x86_64"), (0x14C, "i686"), (0xAA64, "aarch64"), (0x1C4, "arm")]
)
def test_windows_program_tells_machine_subsystem_version_and_imports(machine: int, arch: str) -> None:
    imports = ("KERNEL32.dll", "bcrypt.dll", "ADVAPI32.dll")
    assert only(pe(machine=machine, version=(6, 2), imports=imports)) == Requirement(
        os="windows",
        arch=arch,
        libc="system",
        os_min="6.2",
        libraries=("ADVAPI32.dll", "KERNEL32.dll", "bcrypt.dll"),
    )


def test_windows_program_may_lack_relocations() -> None:
    assert only(pe(characteristics=0x23)) == only(pe(characteristics=0x22))


def test_windows_program_may_import_many_libraries() -> None:
    imports = [f"library-{number:03}.dll" for number in range(400)]
    assert only(pe(imports=imports)).libraries == tuple(imports)


def test_windows_program_without_imports_has_no_libraries() -> None:
    assert only(pe(imports=(), subsystem=2)).libraries == ()
    without_directories = pe().replace(struct.pack("<IIII", 2, 0, 0, 0x1000), struct.pack("<IIII", 1, 0, 0, 0x1000))
    assert only(without_directories).libraries == ()
    assert only(pe(imports=("", "KERNEL32.dll"))).libraries == ("KERNEL32.dll",)


@pytest.mark.parametrize("size", [112, 120, 127])
def test_windows_program_whose_header_ends_before_the_import_directory_has_no_libraries(size: int) -> None:
    program = bytearray(pe())
    struct.pack_into("<H", program, 0x40 + 20, size)
    struct.pack_into("<8sIIII", program, 0x40 + 24 + size, b".rdata", 16, 0x1000, 16, 0x400)
    assert only(bytes(program)).libraries == ()


def test_windows_program_may_have_as_many_sections_as_windows_loads() -> None:
    program = bytearray(pe().ljust(8192, b"\0"))
    program[0x46] = 96
    assert only(bytes(program)).libraries == ("KERNEL32.dll",)
    program[0x46] = 97
    assert refusal(bytes(program)).found == "an optional header of 128 bytes, 97 sections"


@pytest.mark.parametrize(("machine", "size"), [(0x8664, 111), (0x14C, 95)])
def test_windows_program_whose_header_ends_too_early_is_broken(machine: int, size: int) -> None:
    program = bytearray(pe(machine=machine))
    program[0x40 + 20] = size
    assert refusal(bytes(program)).found == f"an optional header of {size} bytes, 1 sections"


# Scripts


@pytest.mark.parametrize(
    ("line", "interpreter"),
    [
        ("#!/bin/sh\n", "/bin/sh"),
        ("#! /bin/bash -eu\n", "/bin/bash"),
        ("#!\t/bin/sh", "/bin/sh"),
        ("#!/usr/bin/env python3\n", "python3"),
        ("#!/usr/bin/env -S deno run --allow-net\n", "deno"),
        ("#!/usr/bin/env -S A=b python3 -u\n", "python3"),
        ("#!/usr/bin/env -Suv run --script\n", "uv"),
        ("#!/usr/bin/env --split-string='node --no-warnings'\n", "node"),
        ("#!/usr/bin/env -u HOME -i sh\n", "sh"),
        ("#!/usr/bin/env\n", "/usr/bin/env"),
        ("#!/opt/my env/bin/tool\n", "/opt/my"),
        ("#!/bin/sh " + "x" * 1000 + "\n", "/bin/sh"),
    ],
)
def test_script_requires_the_program_its_first_line_names(line: str, interpreter: str) -> None:
    body = b"\x00\xff binary after it"
    assert only(line.encode() + body) == Requirement(os="any", arch="any", interpreter=interpreter)


def test_script_may_end_with_its_first_line() -> None:
    assert only(b"#!/bin/sh").interpreter == "/bin/sh"


# The head of a host's program


@pytest.mark.parametrize(
    "program",
    [
        elf(interpreter=GLIBC_X86_64, padding_before_names=8192, needed=["libc.so.6"], versions=["GLIBC_2.30"]),
        elf(interpreter="/lib/ld-musl-armhf.so.1", **{**ARM, "flags": 0x05000400}, code=DMB * 2000),
        elf(interpreter="/system/bin/linker64", machine=183, needed=["libc.so"]) + b"\0" * 8192,
        elf(machine=21, flags=2, code=b"\0" * 8192),
        elf(kind=ET_DYN, flags_1=DF_1_PIE, machine=243, flags=4, code=b"\0" * 8192),
    ],
)
def test_head_of_a_program_tells_what_does_not_lie_beyond_it(program: bytes) -> None:
    head_of_4096, whole = read_host_elf(program[:4096]), read(program)
    assert [(part.os, part.arch, part.abi) for part in head_of_4096] == [
        (part.os, part.arch, part.abi) for part in whole
    ]
    for part, of_whole in zip(head_of_4096, whole, strict=True):
        assert part.libc in (of_whole.libc, None)
        assert part.interpreter in (of_whole.interpreter, None)


def test_head_with_the_interpreter_inside_knows_the_libc_but_no_versions() -> None:
    program = elf(interpreter=GLIBC_X86_64, needed=["libc.so.6"], versions=["GLIBC_2.30"])
    (found,) = read_host_elf(program[: program.index(b"libc.so.6")])
    assert (found.libc, found.interpreter) == ("glibc", GLIBC_X86_64)
    assert (found.libc_min, found.libraries) == (None, ())


def test_head_that_ends_before_the_interpreter_leaves_the_libc_unknown() -> None:
    program = elf(interpreter=GLIBC_X86_64, code=b"\0" * 8192)
    (found,) = read_host_elf(program[:4096])
    assert (found.arch, found.libc, found.interpreter) == ("x86_64", None, None)


def test_head_that_ends_before_the_program_headers_still_tells_the_architecture() -> None:
    (found,) = read_host_elf(elf(**{**ARM, "flags": 0x05000400})[:52])
    assert (found.os, found.arch, found.abi, found.libc) == ("linux", "arm", "eabihf", None)


def test_head_of_a_universal_program_tells_all_its_architectures() -> None:
    shell = universal(macho(cpu=0x01000007), macho(subtype=0x80000002), distance=0x4000)
    found = [(part.os, part.arch, part.abi, part.os_min) for part in read_host_elf(shell[:4096])]
    assert found == [("macos", "x86_64", None, None), ("macos", "aarch64", "arm64e", None)]


def test_head_of_a_thin_macho_program_tells_os_and_architecture() -> None:
    (found,) = read_host_elf(macho()[:60])
    assert (found.os, found.arch, found.os_min) == ("macos", "aarch64", None)


def test_head_of_a_windows_program_tells_machine_and_subsystem() -> None:
    (found,) = read_host_elf(pe()[:0x400])
    assert (found.os, found.arch, found.os_min, found.libraries) == ("windows", "x86_64", "6.1", ())


@pytest.mark.parametrize("head", [b"", b"\x7fELF\x02\x01\x01", b"nothing to see", b"#!/usr/bin/py"])
def test_head_that_tells_nothing_is_an_error(head: bytes) -> None:
    with pytest.raises(ReleaseError):
        read_host_elf(head)


def test_the_python_that_runs_this_is_a_program_of_this_system() -> None:
    path = pathlib.Path(os.path.realpath(sys.executable))
    expected = {"linux": "linux", "darwin": "macos"}[sys.platform]
    with path.open("rb") as file:
        assert {part.os for part in read(file)} == {expected}
    assert {part.os for part in read_host_elf(path.read_bytes()[:4096])} == {expected}


# Hostile input


class CountingFile(io.BytesIO):
    """Counts the bytes that are read from it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.count += len(found)
        return found


BUILT = (
    elf(interpreter=GLIBC_X86_64, needed=["libc.so.6", "libm.so.6"], versions=["GLIBC_2.17", "GLIBC_2.28"]),
    elf(bits=32, order=">", machine=20, interpreter="/lib/ld.so.1", needed=["libc.so.6"], versions=["GLIBC_2.4"]),
    elf(**MUSL, undefined=["malloc", "statx"], weak=["gettid"], defined=["main"], has_relr=True),
    elf(**MUSL_32, undefined=["__time64", "qsort_r"], hash_table="sysv"),
    elf(**ARM, attributes=[(5, "7-A"), (6, 10), (28, 1)], code=DMB * 100),
    elf(**ARM, sections=[(".go.buildinfo", 1, go_build_info("GOARM=6"))]),
    elf(sections=[(".rodata", 1, go_build_text("GOAMD64=v3")), (".gopclntab", 1, b"x")], data=b"data"),
    elf(notes=[gnu_abi_tag(0), x86_isa_needed(7)]),
    macho(),
    macho(bits=32, cpu=7, order=">", old_command=0x24),
    universal(macho(cpu=0x01000007), macho()),
    universal(macho(), bits=64),
    pe(),
    pe(machine=0x14C, imports=["a.dll", "b.dll"]),
    b"#!/usr/bin/env -S FOO=1 python3 -u\nprint()\n",
    pathlib.Path(os.path.realpath(sys.executable)).read_bytes(),
)


def read_within_bounds(data: bytes) -> None:
    file = CountingFile(data)
    with contextlib.suppress(ReleaseError):
        assert all(requirement.os for requirement in read(file))
    assert file.count <= program_bytes.MAX_BYTES_READ
    with contextlib.suppress(ReleaseError):
        assert all(requirement.arch for requirement in read_host_elf(data[:4096]))


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x7fELF\x02\x01\x01", b"\xca\xfe\xba\xbe", b"MZ", b"#!"]))
def test_no_bytes_raise_anything_but_the_one_error(tail: bytes, beginning: bytes) -> None:
    read_within_bounds(beginning + tail)


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(BUILT), st.data())
def test_no_mutation_of_a_program_raises_anything_but_the_one_error(program: bytes, data: st.DataObject) -> None:
    mutated = bytearray(program[: data.draw(st.integers(0, len(program)))] if data.draw(st.booleans()) else program)
    places = st.integers(0, max(min(len(mutated), 1200) - 1, 0))
    values = st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\0\0\0\x7f"]))
    for place, value in data.draw(st.lists(st.tuples(places, values), max_size=6)):
        mutated[place : place + len(value)] = value
    read_within_bounds(bytes(mutated))


@given(st.sampled_from(BUILT[:-1]), st.integers(0, 6000))
def test_whatever_a_head_tells_of_a_machine_is_true_of_the_whole(program: bytes, length: int) -> None:
    try:
        known = read_host_elf(program[:length])
    except ReleaseError:
        return
    for part, whole in zip(known, read(program), strict=True):
        assert (part.arch, part.os) == (whole.arch, whole.os)
        assert part.libc in (None, whole.libc)
        assert part.interpreter in (None, whole.interpreter)
        assert set(part.libraries) <= set(whole.libraries)


def test_tables_scattered_over_the_file_cost_no_more_than_the_bound() -> None:
    size = 64 * 1024 * 1024
    program = bytearray(elf(interpreter=GLIBC_X86_64, needed=["a"] * 4000).ljust(size, b"\0"))
    table = program.index(struct.pack("<QQ", 1, 1))
    struct.pack_into("<Q", program, 64 + 32, size)
    for number in range(4000):
        struct.pack_into("<QQ", program, table + 16 * number, 1, 100_000 + number * 16_000)
    strings = program.index(struct.pack("<QQ", 10, 2 * 4000 + 1))
    struct.pack_into("<QQ", program, strings, 10, size)
    file = CountingFile(bytes(program))
    with pytest.raises(ReleaseError, match="spread over"):
        read(file)
    assert file.count <= program_bytes.MAX_BYTES_READ


def test_tables_that_go_round_in_circles_end_soon() -> None:
    program = bytearray(elf(interpreter=GLIBC_X86_64, needed=["n" * 4000], versions=["GLIBC_2.5"]).ljust(2**18, b"\0"))
    libraries_at, versions_at, name_at = 100_000, 150_000, 1
    for number in range(256):
        following = 16 if number < 255 else 0
        to_versions = versions_at - libraries_at - 16 * number
        struct.pack_into("<HHIII", program, libraries_at + 16 * number, 1, 256, 0, to_versions, following)
        struct.pack_into("<IHHII", program, versions_at + 16 * number, 0, 0, 0, name_at, following)
    tags = program.index(struct.pack("<Q", 0x6FFFFFFE))
    struct.pack_into("<QQQQ", program, tags, 0x6FFFFFFE, 0x10000 + libraries_at, 0x6FFFFFFF, 256)
    struct.pack_into("<Q", program, 64 + 32, len(program))
    assert "again and again" in (refusal(bytes(program)).found or "")


def test_real_programs_are_read_by_a_few_kilobytes() -> None:
    path = pathlib.Path(os.path.realpath(sys.executable))
    file = CountingFile(path.read_bytes())
    read(file)
    assert file.count <= 512 * 1024


class DribblingFile(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 7))


def test_file_that_gives_few_bytes_at_a_time_is_read_all_the_same() -> None:
    assert read(DribblingFile(BUILT[0])) == read(BUILT[0])


def test_file_that_cannot_be_searched_is_the_one_error() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, "rb") as pipe, pytest.raises(ReleaseError, match="cannot read"):
        read(pipe)


class FailingFile(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


def test_file_that_cannot_be_read_is_the_one_error() -> None:
    with pytest.raises(ReleaseError, match="cannot read bin/uv"):
        read(FailingFile(elf()), name="bin/uv")


class ShrinkingFile(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        return b""


def test_file_that_shrinks_while_it_is_read_is_the_one_error() -> None:
    with pytest.raises(ReleaseError, match="shorter"):
        read(ShrinkingFile(elf()))
