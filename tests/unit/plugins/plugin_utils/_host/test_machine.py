# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What machine it is that answered so: recorded answers of real hosts, and evidence as other hosts would give it."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._host.machine import kernel_machine
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import Question, parse
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import host_triples

QUESTION = Question(nonce="1")
FIXTURES = Path(__file__).parents[3] / "fixtures"
RECORDED = sorted(path.stem for path in (FIXTURES / "answers").glob("*.txt"))
FOUND_EVERYWHERE = frozenset(["libz.so.1", "bin/python3"])
DEBIAN = Host(
    os="linux",
    arch="x86_64",
    libc="glibc",
    libc_version="2.36",
    kernel_arch="x86_64",
    loaders=("/lib64/ld-linux-x86-64.so.2",),
    libraries=FOUND_EVERYWHERE | {"/bin/bash", "libgcc_s.so.1"},
    cpu="x86-64-v4",
    page_size=4096,
    distribution="Debian GNU/Linux 12 (bookworm)",
)
ARM_DEBIAN = replace(
    DEBIAN, arch="arm", kernel_arch="arm", cpu="armv7", libraries=DEBIAN.libraries | {"libgcc_s.so.1:GCC_3.5"}
)
MACHINES = {
    "bullseye-amd64": replace(
        DEBIAN,
        libc_version="2.31",
        distribution="Debian GNU/Linux 11 (bullseye)",
        libraries=DEBIAN.libraries | {"libstdc++.so.6:GLIBCXX_3.4.21"},
    ),
    "bookworm-amd64": DEBIAN,
    "trixie-amd64": replace(DEBIAN, libc_version="2.41", distribution="Debian GNU/Linux 13 (trixie)"),
    "bookworm-i386": replace(DEBIAN, arch="i686", loaders=("/lib/ld-linux.so.2",)),
    "bookworm-i386-linux32": replace(
        DEBIAN, arch="i686", kernel_arch="i686", loaders=("/lib/ld-linux.so.2",), cpu=None
    ),
    "alpine-amd64": replace(
        DEBIAN,
        libc="musl",
        libc_version="1.2.5",
        loaders=("/lib/ld-musl-x86_64.so.1",),
        libraries=FOUND_EVERYWHERE,
        distribution="Alpine Linux v3.23",
    ),
    "alpine-arm64": replace(
        DEBIAN,
        arch="aarch64",
        kernel_arch="aarch64",
        libc="musl",
        libc_version="1.2.5",
        loaders=("/lib/ld-musl-aarch64.so.1",),
        libraries=FOUND_EVERYWHERE,
        cpu=None,
        distribution="Alpine Linux v3.23",
    ),
    "bookworm-arm64": replace(
        DEBIAN, arch="aarch64", kernel_arch="aarch64", loaders=("/lib/ld-linux-aarch64.so.1",), cpu=None
    ),
    "bookworm-armhf": replace(ARM_DEBIAN, abi="eabihf", loaders=("/lib/ld-linux-armhf.so.3",), fpu="neon"),
    "bookworm-armel": replace(ARM_DEBIAN, abi="eabi", loaders=("/lib/ld-linux.so.3",), fpu="neon"),
    "armv6l": replace(ARM_DEBIAN, abi="eabi", loaders=("/lib/ld-linux.so.3",), fpu="vfp", cpu="armv6"),
    "bookworm-ppc64el": replace(
        DEBIAN,
        arch="powerpc64le",
        kernel_arch="powerpc64le",
        abi="elfv2",
        loaders=("/lib64/ld64.so.2",),
        cpu=None,
    ),
    "bookworm-s390x": replace(DEBIAN, arch="s390x", kernel_arch="s390x", loaders=("/lib/ld64.so.1",), cpu=None),
    "trixie-riscv64": replace(
        DEBIAN,
        arch="riscv64",
        kernel_arch="riscv64",
        abi="lp64d",
        libc_version="2.41",
        loaders=("/lib/ld-linux-riscv64-lp64d.so.1",),
        cpu=None,
        distribution="Debian GNU/Linux 13 (trixie)",
    ),
}


def recorded(name: str) -> Host:
    host = parse((FIXTURES / "answers" / f"{name}.txt").read_text(encoding="utf-8"), QUESTION).host
    assert host is not None
    return host


def test_every_recorded_answer_has_its_machine() -> None:
    assert sorted(MACHINES) == RECORDED


@pytest.mark.parametrize("name", RECORDED)
def test_a_real_host_is_recognised_from_its_answer(name: str) -> None:
    assert recorded(name) == MACHINES[name]


@pytest.mark.parametrize("name", RECORDED)
def test_the_first_triple_of_a_real_host_is_the_measured_one(name: str) -> None:
    measured = json.loads((FIXTURES / "facts" / f"{name}.json").read_text(encoding="utf-8"))["measured"]
    assert host_triples(recorded(name))[0] == measured["native_triple"]


def test_real_hosts_are_told_apart() -> None:
    # linux32 hides the 64-bit kernel, which is all that could tell these two from others of their kind.
    assert len({replace(recorded(name), distribution=None, libraries=None) for name in RECORDED}) == len(RECORDED)


def elf(machine: int, bits: int = 64, interpreter: str | None = None, flags: int = 0, order: str = "<") -> str:
    """Return, in hexadecimal, the beginning of a program: an ELF header, and a PT_INTERP if it has an interpreter."""
    ident = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    path = (interpreter or "").encode() + b"\0"
    header_size, entry_size = (64, 56) if bits == 64 else (52, 32)
    count = 2 if interpreter else 1
    start = header_size + 2 * entry_size
    word = "Q" if bits == 64 else "I"
    header = struct.pack(
        f"{order}HHI3{word}IHHHHHH", 2, machine, 1, 1, header_size, 0, flags, header_size, entry_size, count, 0, 0, 0
    )
    segments = b""
    for kind, offset, size in ((1, 0, 4096), (3, start, len(path)))[:count]:
        if bits == 64:
            segments += struct.pack(f"{order}II6Q", kind, 5, offset, offset, offset, size, size, 4096)
        else:
            segments += struct.pack(f"{order}8I", kind, offset, offset, offset, size, size, 5, 4096)
    return (ident + header + segments.ljust(2 * entry_size, b"\0") + path).ljust(1024, b"\0").hex()


X86_64, AARCH64, ARM, MIPS = 62, 183, 40, 8
HARD_FLOAT, SOFT_FLOAT = 0x5000400, 0x5000200


def answer(*lines: str) -> Host:
    host = parse("\n".join(["@@pinned.release 1", *lines, "@@end 1"]), QUESTION).host
    assert host is not None
    return host


@pytest.mark.parametrize(
    ("machine", "lines", "triples"),
    [
        ("arm64", ("arm64 1", "rosetta"), ("aarch64-apple-darwin", "x86_64-apple-darwin")),
        ("x86_64", ("arm64 1", "rosetta"), ("aarch64-apple-darwin", "x86_64-apple-darwin")),
        ("arm64", ("arm64 1",), ("aarch64-apple-darwin",)),
        ("x86_64", ("arm64 ",), ("x86_64-apple-darwin",)),
        ("x86_64", ("arm64 ", "rosetta"), ("x86_64-apple-darwin",)),
    ],
    ids=["Rosetta", "shell under Rosetta", "no Rosetta", "Intel", "Intel with Rosetta's file"],
)
def test_a_mac_knows_its_processor_whatever_its_shell_runs_under(
    machine: str, lines: tuple[str, ...], triples: tuple[str, ...]
) -> None:
    host = answer(f"uname Darwin {machine} 23.5.0", "macos 14.5", *lines, "need /usr/local/lib/libz.dylib x -")
    assert host_triples(host) == triples
    assert (host.os_version, host.kernel_arch) == ("14.5", host.arch)
    assert host.libraries == frozenset(["/usr/local/lib/libz.dylib"])


def test_termux_is_android() -> None:
    host = answer(
        "uname Linux aarch64 5.10.0-android13",
        f"head /system/bin/sh {elf(AARCH64, interpreter='/system/bin/linker64')}",
        "loader /system/bin/linker64",
    )
    assert (host.os, host.libc, host.os_version) == ("android", "bionic", None)
    assert host_triples(host) == ("aarch64-linux-android",)


@pytest.mark.parametrize("store", ["/nix/store/aaaa-glibc-2.40", "/gnu/store/aaaa-glibc-2.39"])
def test_nixos_and_guix_have_no_loader_that_works_whatever_lies_in_the_usual_place(store: str) -> None:
    host = answer(
        "uname Linux x86_64 6.12.0",
        f"head /bin/sh {elf(X86_64, interpreter=store + '/lib/ld-linux-x86-64.so.2')}",
        "loader /lib64/ld-linux-x86-64.so.2",
        "getconf glibc 2.40",
    )
    assert (host.libc, host.libc_version, host.loaders) == ("glibc", "2.40", ())
    assert host_triples(host) == ("x86_64-unknown-linux-musl",)


def test_a_static_shell_leaves_the_libc_to_python() -> None:
    host = answer(
        "uname Linux x86_64 6.12.0",
        f"head /bin/sh {elf(X86_64)}",
        f"head /usr/bin/python3 {elf(X86_64, interpreter='/lib64/ld-linux-x86-64.so.2')}",
        "getconf glibc 2.36",
    )
    assert (host.libc, host.libc_version) == ("glibc", "2.36")


@pytest.mark.parametrize(
    ("distribution", "libc"), [("alpine", "musl"), ('"openwrt"', "musl"), ("debian", None), ("void", None)]
)
def test_where_all_is_static_only_the_distribution_tells_and_only_for_musl(distribution: str, libc: str | None) -> None:
    host = answer("uname Linux x86_64 6.12.0", f"head /bin/sh {elf(X86_64)}", f"os-release ID={distribution}")
    assert host.libc == libc


def test_glibc_s_version_is_no_version_of_musl() -> None:
    host = answer(
        "uname Linux x86_64 6.12.0",
        f"head /bin/sh {elf(X86_64, interpreter='/lib/ld-musl-x86_64.so.1')}",
        "loader /lib/ld-musl-x86_64.so.1",
        "getconf glibc 2.36",
    )
    assert (host.libc, host.libc_version) == ("musl", None)


def test_armhf_on_a_64_bit_kernel_runs_static_64_bit_programs_too() -> None:
    host = answer(
        "uname Linux aarch64 6.12.0",
        f"head /bin/sh {elf(ARM, 32, '/lib/ld-linux-armhf.so.3', HARD_FLOAT)}",
        "getconf glibc 2.36",
        "cpu Features : fp asimd evtstrm aes",
        "page_size 4096",
    )
    assert (host.arch, host.abi, host.kernel_arch, host.cpu, host.fpu) == (
        "arm",
        "eabihf",
        "aarch64",
        "armv8",
        "neon",
    )
    assert host_triples(host)[0] == "armv7-unknown-linux-gnueabihf"
    assert host_triples(host)[-1] == "aarch64-unknown-linux-musl"


@pytest.mark.parametrize(
    ("cpuinfo", "kernel", "fpu"),
    [
        ("Features : half thumb fastmult edsp", "armv5tel", "none"),
        ("Features : half thumb fastmult vfp edsp", "armv6l", "vfp"),
        ("Features : half thumb fastmult vfp edsp vfpv3 vfpv3d16 tls", "armv7l", "vfp"),
        ("Features : half thumb fastmult vfp edsp vfpv3 tls vfpd32", "armv7l", "vfpd32"),
        ("Features : half thumb fastmult vfp edsp neon vfpv3 tls vfpd32", "armv7l", "neon"),
        ("Features : fp asimd evtstrm", "aarch64", "neon"),
        ("Features : fp asimd evtstrm", "armv8l", "neon"),
        ("Features :", "armv7l", "none"),
        ("flags : fpu sse2", "armv7l", None),
        ("", "armv7l", None),
        ("", "aarch64", "neon"),
    ],
)
def test_what_an_arm_host_has_for_floating_point(cpuinfo: str, kernel: str, fpu: str | None) -> None:
    shell = elf(ARM, 32, "/lib/ld-linux.so.3", SOFT_FLOAT)
    host = answer(f"uname Linux {kernel} 6.12.0", f"head /bin/sh {shell}", f"cpu {cpuinfo}")
    assert (host.abi, host.fpu) == ("eabi", fpu)


@pytest.mark.parametrize(
    ("capabilities", "fpu"),
    [
        (0x8097, "none"),  # ARM926
        (0x80D7, "vfp"),  # ARM1176
        (0xE8D7, "vfp"),  # Cortex-A9 as of Tegra 2: vfpv3 and vfpv3d16
        (0x8A8D7, "vfpd32"),  # Cortex-A9 of qemu with neon=off
        (0x1FB0D7, "neon"),  # Cortex-A7
    ],
)
def test_what_the_kernel_hands_to_programs_decides_on_floating_point(capabilities: int, fpu: str) -> None:
    vector = struct.pack("<8I", 6, 4096, 16, capabilities, 17, 100, 0, 0).hex()
    shell = elf(ARM, 32, "/lib/ld-linux.so.3", SOFT_FLOAT)
    other = "cpu Features : half vfp" if fpu == "none" else "cpu Features : half"
    host = answer("uname Linux armv7l 6.12.0", f"head /bin/sh {shell}", other, f"auxv {vector}")
    assert host.fpu == fpu


@pytest.mark.parametrize("vector", ["", "00", "100000004000000", "10000000zz000000"])
def test_half_a_vector_says_nothing(vector: str) -> None:
    shell = elf(ARM, 32, "/lib/ld-linux.so.3", SOFT_FLOAT)
    host = answer("uname Linux armv6l 6.12.0", f"head /bin/sh {shell}", "cpu Features : vfp", f"auxv {vector}")
    assert host.fpu == "vfp"


def test_libraries_of_another_architecture_or_float_abi_are_not_there() -> None:
    shell = elf(ARM, 32, "/lib/ld-linux-armhf.so.3", HARD_FLOAT)
    host = answer(
        "uname Linux armv7l 6.12.0",
        f"head /bin/sh {shell}",
        f"need libz.so.1 /lib/arm-linux-gnueabihf/libz.so.1 {shell[:128]}",
        f"need libsoft.so.1 /lib/arm-linux-gnueabi/libsoft.so.1 {elf(ARM, 32, None, SOFT_FLOAT)[:128]}",
        f"need libother.so.1 /lib/libother.so.1 {elf(AARCH64)[:128]}",
        "need libtext.so.1 /lib/libtext.so.1 2f2a20474e5520",
        "need libempty.so.1 /lib/libempty.so.1 ",
        "need libodd.so.1 /lib/libodd.so.1 7f454c4",
    )
    assert host.libraries == frozenset(["libz.so.1"])


def test_64k_pages_are_seen() -> None:
    shell = elf(AARCH64, interpreter="/lib/ld-linux-aarch64.so.1")
    assert answer("uname Linux aarch64 6.12.0", f"head /bin/sh {shell}", "page_size 65536").page_size == 65536


#: Entries of binfmt_misc as a Debian 12 with qemu-user-static has them, beside others.
ENTRY = "enabled interpreter /usr/libexec/qemu-binfmt/{0}-binfmt-P flags: {1} offset 0 magic 7f454c46{2} mask {3} "
QEMU_AARCH64 = ENTRY.format("aarch64", "POF", "0201010000000000000000000200b700", "f" * 40)
QEMU_S390X = ENTRY.format("s390x", "POF", "02020100000000000000000000020016", "f" * 40)
QEMU_X86_64 = ENTRY.format("x86_64", "POF", "02010100000000000000000002003e00", "f" * 40)
QEMU_MIPS_N32 = ENTRY.format("mipsn32", "POF", "01020100000000000000000000020008" + "00" * 19 + "20", "f" * 80)
UNHELD = "enabled interpreter /usr/bin/qemu-aarch64 flags:  offset 0 magic 7f454c460201010000000000000000000200b700 "
PYTHON_BYTECODE = "enabled interpreter /usr/bin/python3.11 flags:  offset 0 magic a70d0d0a "


@pytest.mark.parametrize(
    ("entries", "emulated"),
    [
        ((), ()),
        ((f"found {QEMU_AARCH64}", f"found {QEMU_S390X}"), ("aarch64", "s390x")),
        ((f"absent {QEMU_AARCH64}",), ("aarch64",)),
        ((f"found {UNHELD}",), ("aarch64",)),
        ((f"absent {UNHELD}",), ()),
        ((f"found {QEMU_X86_64}",), ()),
        ((f"found {QEMU_AARCH64.replace('enabled', 'disabled')}",), ()),
        ((f"found {QEMU_MIPS_N32}", f"found {PYTHON_BYTECODE}", "found", ""), ()),
        ((f"found {QEMU_AARCH64.replace('b700', 'ffff')}",), ()),
    ],
    ids="none two held-by-kernel there gone own disabled others unknown".split(),
)
def test_qemu_s_user_emulation_is_told_by_what_is_registered_with_the_kernel(
    entries: tuple[str, ...], emulated: tuple[str, ...]
) -> None:
    translators = (f"translator {entry}" for entry in entries)
    host = answer("uname Linux x86_64 6.12.0", f"head /bin/sh {elf(X86_64)}", *translators)
    assert host.emulates == emulated
    assert host_triples(host)[1:] == tuple(f"{arch}-unknown-linux-musl" for arch in emulated)


def test_which_processor_an_emulator_of_arm_is_nothing_tells() -> None:
    entry = QEMU_AARCH64.replace("46020101", "46010101").replace("b700", "2800")
    host = answer("uname Linux x86_64 6.12.0", f"head /bin/sh {elf(X86_64)}", f"translator found {entry}")
    assert (host.emulates, host_triples(host)) == (("arm",), ("x86_64-unknown-linux-musl",))


@pytest.mark.parametrize("size", ["", "²", "-1", "4096 4096", "9" * 99])
def test_what_is_no_page_size_is_unknown(size: str) -> None:
    assert answer("uname Linux x86_64 6.12.0", f"head /bin/sh {elf(X86_64)}", f"page_size {size}").page_size is None


def test_the_processor_of_another_architecture_says_nothing() -> None:
    host = answer("uname Linux x86_64 6.12.0", f"head /bin/sh {elf(X86_64)}", "cpu Features : fp asimd")
    assert host.cpu is None


def test_without_a_readable_program_only_the_kernel_is_known() -> None:
    host = answer("uname Linux x86_64 6.12.0", "head /bin/sh 23212f62696e", "head /usr/bin/python3 xyz")
    assert host == Host("linux", None, kernel_arch="x86_64")
    assert host_triples(host) == ("x86_64-unknown-linux-musl",)


def test_nothing_said_is_nothing_known() -> None:
    assert answer() == Host(None, None)
    assert answer("uname Plan9 pdp11 4") == Host(None, None)


@pytest.mark.parametrize(
    ("system", "interpreter", "os_abi", "os", "triple"),
    [
        ("FreeBSD amd64 14.1-RELEASE", "/libexec/ld-elf.so.1", 9, "freebsd", "x86_64-unknown-freebsd"),
        ("OpenBSD amd64 7.6", None, 12, "openbsd", "x86_64-unknown-openbsd"),
        ("NetBSD amd64 10.0", "/usr/libexec/ld.elf_so", 0, "netbsd", "x86_64-unknown-netbsd"),
        ("DragonFly x86_64 6.4-RELEASE", "/usr/libexec/ld-elf.so.2", 0, "dragonfly", "x86_64-unknown-dragonfly"),
        ("SunOS i86pc 5.11", "/usr/lib/amd64/ld.so.1", 0, "illumos", "x86_64-unknown-illumos"),
    ],
)
def test_the_unix_systems_have_one_libc_each(
    system: str, interpreter: str | None, os_abi: int, os: str, triple: str
) -> None:
    shell = elf(X86_64, interpreter=interpreter)
    shell = f"{shell[:14]}{os_abi:02x}{shell[16:]}"
    host = answer(f"uname {system}", f"head /bin/sh {shell}", f"need libc.so.7 /lib/libc.so.7 {shell[:128]}")
    assert (host.os, host.libc, host.libraries) == (os, "system", frozenset(["libc.so.7"]))
    assert host.os_version == system.split()[-1].removesuffix("-RELEASE")
    assert host_triples(host) == (triple,)


def test_solaris_is_not_illumos() -> None:
    shell = elf(X86_64, interpreter="/lib/amd64/ld.so.1")
    assert answer("uname SunOS i86pc 5.11", f"head /bin/sh {shell}", "os-release ID=solaris").os == "solaris"


@pytest.mark.parametrize(("order", "arch"), [("<", "mipsel"), (">", "mips")])
def test_mips_kernels_do_not_tell_their_byte_order_programs_do(order: str, arch: str) -> None:
    host = answer("uname Linux mips 6.12.0", f"head /bin/sh {elf(MIPS, 32, '/lib/ld.so.1', order=order)}")
    assert (host.arch, host.kernel_arch) == (arch, arch)
    assert host_triples(host) == (f"{arch}-unknown-linux-gnu", f"{arch}-unknown-linux-musl")


@pytest.mark.parametrize(
    ("uname", "known"),
    [
        ("x86_64", ("x86_64", None)),
        ("amd64", ("x86_64", None)),
        ("i386", ("i686", None)),
        ("arm64", ("aarch64", None)),
        ("ppc64le", ("powerpc64le", None)),
        ("s390x", ("s390x", None)),
        ("armv4tl", ("arm", "armv4t")),
        ("armv5tejl", ("arm", "armv5te")),
        ("armv6l", ("arm", "armv6")),
        ("armv7l", ("arm", "armv7")),
        ("armv8l", ("arm", "armv8")),
        ("armv7b", (None, None)),
        ("mips64", (None, None)),
        ("", (None, None)),
    ],
)
def test_what_a_kernel_calls_itself(uname: str, known: tuple[str | None, str | None]) -> None:
    assert kernel_machine(uname) == known
