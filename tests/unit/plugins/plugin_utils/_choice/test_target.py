# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs start where, with what reason, and which of several is taken."""

from __future__ import annotations

import subprocess
from dataclasses import fields, replace
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._choice.target import admissible, needs, preference
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    ARM_VERSIONS,
    FIXED_PAGE_SIZES,
    FPUS,
    PROCESSORS,
    dotted_numbers,
    fpu_level,
    x86_64_level,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import RUST_TARGETS, host_triples, triple
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import OPERATING_SYSTEMS
from hypothesis import given, settings
from hypothesis import strategies as st

#: On a busy machine, the first text alone may take hypothesis seconds. What is asked here is no question of time.
BOOKWORM = Host(
    os="linux",
    arch="x86_64",
    libc="glibc",
    libc_version="2.36",
    kernel_arch="x86_64",
    loaders=("/lib64/ld-linux-x86-64.so.2",),
    libraries=frozenset(["libgcc_s.so.1", "libgcc_s.so.1:GCC_4.2.0", "/bin/bash", "bin/python3"]),
    cpu="x86-64-v2",
    page_size=4096,
)
ALPINE = replace(BOOKWORM, libc="musl", libc_version="1.2.5", loaders=("/lib/ld-musl-x86_64.so.1",))
NIXOS = replace(BOOKWORM, libc_version="2.40", loaders=())
I386_ON_X86_64 = replace(BOOKWORM, arch="i686", loaders=("/lib/ld-linux.so.2",))
ARM64 = replace(
    BOOKWORM, arch="aarch64", kernel_arch="aarch64", loaders=("/lib/ld-linux-aarch64.so.1",), cpu=None, page_size=4096
)
ARMHF = replace(
    ARM64,
    arch="arm",
    abi="eabihf",
    kernel_arch="arm",
    loaders=("/lib/ld-linux-armhf.so.3",),
    cpu="armv7",
    fpu="neon",
)
ARMEL = replace(ARMHF, abi="eabi", loaders=("/lib/ld-linux.so.3",), fpu="none")
ARMV6 = replace(ARMHF, cpu="armv6", fpu="vfp")
RISCV64 = replace(
    ARM64, arch="riscv64", abi="lp64d", kernel_arch="riscv64", loaders=("/lib/ld-linux-riscv64-lp64d.so.1",)
)
TERMUX = Host(
    os="android",
    arch="aarch64",
    libc="bionic",
    kernel_arch="aarch64",
    loaders=("/system/bin/linker64",),
    libraries=frozenset(),
    page_size=4096,
)
INTEL_MAC = Host(os="macos", arch="x86_64", libc="system", kernel_arch="x86_64", os_version="13.6")
MAC = Host(os="macos", arch="aarch64", libc="system", kernel_arch="aarch64", os_version="14.5")
MAC_WITH_ROSETTA = replace(MAC, emulates=("x86_64",))
FREEBSD = replace(BOOKWORM, os="freebsd", libc="system", libc_version=None, libraries=frozenset(["libc.so.7"]))

GNU = Requirement(
    os="linux",
    arch="x86_64",
    libc="glibc",
    libc_min="2.17",
    interpreter="/lib64/ld-linux-x86-64.so.2",
    libraries=("libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"),
    page_size=4096,
)
RIPGREP = replace(GNU, libc_min="2.39", libraries=("libc.so.6", "libgcc_s.so.1"), versions=(("GCC", "4.2.0"),))
MUSL = replace(GNU, libc="musl", libc_min=None, interpreter="/lib/ld-musl-x86_64.so.1", libraries=("libc.so",))
STATIC = Requirement(os="linux", arch="x86_64", libc="static", page_size=4096)
ARM64_GNU = replace(GNU, arch="aarch64", interpreter="/lib/ld-linux-aarch64.so.1", page_size=65536)
ARM64_STATIC = replace(STATIC, arch="aarch64", page_size=65536)
HARD = replace(GNU, arch="arm", abi="eabihf", interpreter="/lib/ld-linux-armhf.so.3", cpu="armv7", page_size=65536)
SOFT = replace(HARD, abi="eabi", interpreter="/lib/ld-linux.so.3", cpu="armv5te")
HARD_STATIC = replace(STATIC, arch="arm", abi="eabihf", cpu="armv7")
SOFT_STATIC = replace(STATIC, arch="arm", abi="eabi", cpu="armv5te")
GO_ARM = replace(STATIC, arch="arm")
MACHO = Requirement(os="macos", arch="aarch64", libc="system", os_min="11.0", libraries=("/usr/lib/libSystem.B.dylib",))
MACHO_X86_64 = replace(MACHO, arch="x86_64", os_min="10.12")
SCRIPT = Requirement(os="any", arch="any", interpreter="/bin/bash")

STARTS: list[tuple[str, Requirement, Host, str]] = [
    ("floor met", GNU, BOOKWORM, "gnu build needs glibc 2.17, host has 2.36"),
    ("library there", replace(RIPGREP, libc_min="2.31"), BOOKWORM, "gnu build needs glibc 2.31, host has 2.36"),
    ("musl on musl", MUSL, ALPINE, "musl build needs musl, host has 1.2.5"),
    ("static on glibc", STATIC, BOOKWORM, "static x86_64 build, needs no libc"),
    ("static on musl", STATIC, ALPINE, "static x86_64 build, needs no libc"),
    ("static on NixOS", STATIC, NIXOS, "static x86_64 build, needs no libc"),
    ("static beside i386", STATIC, I386_ON_X86_64, "static x86_64 build, needs no libc, x86_64 beside i686"),
    (
        "static where only the kernel is known",
        STATIC,
        Host("linux", None, kernel_arch="x86_64"),
        "static x86_64 build, needs no libc, x86_64 beside an unknown userspace",
    ),
    (
        "static on arm64 with armhf",
        ARM64_STATIC,
        replace(ARMHF, kernel_arch="aarch64"),
        "static aarch64 build, needs no libc, aarch64 beside arm",
    ),
    (
        "static by qemu-user",
        ARM64_STATIC,
        replace(BOOKWORM, emulates=("aarch64",)),
        "static aarch64 build, needs no libc, aarch64 emulated on x86_64",
    ),
    ("its own float ABI", HARD, ARMHF, "gnu build needs glibc 2.17, host has 2.36"),
    ("soft float is static", SOFT_STATIC, ARMHF, "static arm build, needs no libc"),
    (
        "hard float where there are registers",
        HARD_STATIC,
        replace(ARMEL, fpu="vfp"),
        "static arm build, needs no libc",
    ),
    (
        "hard float has registers, known or not",
        HARD_STATIC,
        replace(ARMHF, fpu=None),
        "static arm build, needs no libc",
    ),
    (
        "32 registers where there is NEON in them",
        replace(HARD, fpu="vfpd32"),
        ARMHF,
        "gnu build needs glibc 2.17, host has 2.36",
    ),
    ("Go on ARMv7", GO_ARM, ARMHF, "static arm build, needs no libc"),
    ("armv6 on armv7", replace(HARD, cpu="armv6"), ARMHF, "gnu build needs glibc 2.17, host has 2.36"),
    ("64K pages", ARM64_GNU, replace(ARM64, page_size=65536), "gnu build needs glibc 2.17, host has 2.36"),
    (
        "64K program on unknown pages",
        ARM64_GNU,
        replace(ARM64, page_size=None),
        "gnu build needs glibc 2.17, host has 2.36",
    ),
    ("v2 on v2", replace(GNU, cpu="x86-64-v2"), BOOKWORM, "gnu build needs glibc 2.17, host has 2.36"),
    (
        "RISC-V",
        replace(GNU, arch="riscv64", abi="lp64d", interpreter="/lib/ld-linux-riscv64-lp64d.so.1"),
        RISCV64,
        "gnu build needs glibc 2.17, host has 2.36",
    ),
    (
        "soft float RISC-V is static",
        replace(STATIC, arch="riscv64", abi="lp64"),
        RISCV64,
        "static riscv64 build, needs no libc",
    ),
    ("static program on x32", STATIC, replace(BOOKWORM, abi="x32"), "static x86_64 build, needs no libc"),
    (
        "static x32 program on x32",
        replace(STATIC, abi="x32"),
        replace(BOOKWORM, abi="x32"),
        "static x86_64 build, needs no libc",
    ),
    ("macOS", MACHO, MAC, "needs macOS 11.0, host has 14.5"),
    (
        "macOS by major version",
        replace(MACHO, os_min="14.0"),
        replace(MAC, os_version="14"),
        "needs macOS 14.0, host has 14",
    ),
    ("Rosetta", MACHO_X86_64, MAC_WITH_ROSETTA, "needs macOS 10.12, host has 14.5, x86_64 emulated on aarch64"),
    (
        "Termux",
        Requirement("android", "aarch64", libc="bionic", interpreter="/system/bin/linker64", libraries=("libc.so",)),
        TERMUX,
        "bionic build needs bionic, host has it",
    ),
    (
        "FreeBSD",
        Requirement("freebsd", "x86_64", libc="system", libraries=("libc.so.7",)),
        FREEBSD,
        "needs freebsd, host has it",
    ),
    ("script", SCRIPT, BOOKWORM, "script, host has /bin/bash"),
    ("script by env", replace(SCRIPT, interpreter="python3"), BOOKWORM, "script, host has python3"),
    (
        "scripts of two interpreters",
        replace(SCRIPT, more_interpreters=("python3",)),
        BOOKWORM,
        "script, host has /bin/bash, python3",
    ),
    ("script for its platform", replace(SCRIPT, os="linux", arch="x86_64"), BOOKWORM, "script, host has /bin/bash"),
    ("script for its system", replace(SCRIPT, os="linux"), BOOKWORM, "script, host has /bin/bash"),
    (
        "script for an architecture of several ABIs",
        replace(SCRIPT, arch="riscv64"),
        RISCV64,
        "script, host has /bin/bash",
    ),
    ("script for ARM", replace(SCRIPT, arch="arm", cpu="armv6"), ARMHF, "script, host has /bin/bash"),
    (
        "script for an Intel Mac by Rosetta",
        replace(SCRIPT, os="macos", arch="x86_64"),
        replace(MAC_WITH_ROSETTA, libraries=BOOKWORM.libraries),
        "script, host has /bin/bash, x86_64 emulated on aarch64",
    ),
]

REFUSED: list[tuple[str, Requirement, Host, str]] = [
    ("glibc on musl", GNU, ALPINE, "gnu build needs glibc, host has musl 1.2.5"),
    ("musl on glibc", MUSL, BOOKWORM, "musl build needs musl, host has glibc 2.36"),
    (
        "musl on glibc with a musl loader",
        MUSL,
        replace(BOOKWORM, loaders=("/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1")),
        "musl build needs musl, host has glibc 2.36",
    ),
    ("ripgrep 15", RIPGREP, BOOKWORM, "gnu build needs glibc 2.39, host has 2.36"),
    (
        "ripgrep 15 on NixOS",
        RIPGREP,
        NIXOS,
        "gnu build needs the loader /lib64/ld-linux-x86-64.so.2, which the host lacks",
    ),
    (
        "unknown glibc",
        GNU,
        replace(BOOKWORM, libc_version=None),
        "gnu build needs glibc 2.17, the host's version is unknown",
    ),
    ("unknown libc", GNU, replace(BOOKWORM, libc=None), "gnu build needs glibc, the host's libc is unknown"),
    (
        "unknown loaders",
        GNU,
        replace(BOOKWORM, loaders=None),
        "gnu build needs the loader /lib64/ld-linux-x86-64.so.2, the host's loaders are unknown",
    ),
    ("loader not told", replace(GNU, interpreter=None), BOOKWORM, "is dynamic but names no loader"),
    (
        "library not there",
        replace(GNU, libraries=("libc.so.6", "libz.so.1")),
        BOOKWORM,
        "needs libz.so.1, which was not found on the host",
    ),
    (
        "libstdc++ too old",
        replace(GNU, libraries=("libstdc++.so.6",), versions=(("GLIBCXX", "3.4.30"),)),
        replace(BOOKWORM, libraries=frozenset(["libstdc++.so.6"])),
        "needs libstdc++.so.6 with GLIBCXX_3.4.30, which was not found on the host",
    ),
    (
        "libstdc++ not there",
        replace(GNU, libraries=("libstdc++.so.6", "libz.so.1"), versions=(("GLIBCXX", "3.4.30"),)),
        BOOKWORM,
        "needs libstdc++.so.6, libz.so.1, which was not found on the host",
    ),
    (
        "unknown libraries",
        replace(GNU, libraries=("libz.so.1",)),
        replace(BOOKWORM, libraries=None),
        "needs libz.so.1, which was not looked for on the host",
    ),
    (
        "many libraries",
        replace(GNU, libraries=tuple(f"lib{n}.so" for n in range(9))),
        BOOKWORM,
        "needs lib0.so, lib1.so, lib2.so, lib3.so and 5 more, which was not found on the host",
    ),
    ("i386 on x86_64", replace(GNU, arch="i686"), BOOKWORM, "is built for i686, host runs x86_64"),
    ("static i386 on x86_64", replace(STATIC, arch="i686"), BOOKWORM, "is built for i686, host runs x86_64"),
    (
        "gnu x86_64 beside i386",
        GNU,
        I386_ON_X86_64,
        "is a dynamic program for x86_64, the host's libraries are for i686 programs",
    ),
    (
        "gnu by qemu-user",
        ARM64_GNU,
        replace(BOOKWORM, emulates=("aarch64",)),
        "is a dynamic program for aarch64, the host's libraries are for x86_64 programs",
    ),
    ("static arm on arm64", HARD_STATIC, ARM64, "is built for arm, host runs aarch64"),
    (
        "unknown architecture",
        STATIC,
        replace(BOOKWORM, arch=None, kernel_arch=None),
        "is built for x86_64, host runs an unknown architecture",
    ),
    (
        "big-endian POWER",
        replace(STATIC, arch="powerpc64", abi="elfv2"),
        replace(ARM64, arch="powerpc64le", kernel_arch="powerpc64le"),
        "is built for powerpc64, host runs powerpc64le",
    ),
    ("armhf on armel", HARD, ARMEL, "uses the eabihf ABI of arm, host uses eabi"),
    ("armel on armhf", SOFT, ARMHF, "uses the eabi ABI of arm, host uses eabihf"),
    (
        "armhf where facts cannot tell",
        HARD,
        replace(ARMHF, abi=None, fpu=None),
        "uses the eabihf ABI, which the host is not known to have",
    ),
    (
        "hard float without registers",
        HARD_STATIC,
        ARMEL,
        "may use hardware floating point, which the host lacks",
    ),
    ("Go without registers", GO_ARM, ARMEL, "may use hardware floating point, which the host lacks"),
    ("Go on ARMv6", GO_ARM, ARMV6, "does not say which processor it needs; armv7 is enough, host has armv6"),
    (
        "NEON on 32 registers without it",
        replace(HARD, fpu="neon"),
        replace(ARMHF, fpu="vfpd32"),
        "may use NEON, which the host lacks",
    ),
    (
        "NEON where facts cannot tell",
        replace(HARD, fpu="neon"),
        replace(ARMHF, fpu=None),
        "may use NEON, which the host is not known to have",
    ),
    (
        "32 registers on 16",
        replace(HARD_STATIC, fpu="vfpd32"),
        replace(ARMEL, fpu="vfp"),
        "may use 32 floating point registers, which the host lacks",
    ),
    ("armv7 on armv6", HARD, ARMV6, "needs an armv7 processor, host has armv6"),
    ("v3 on v2", replace(STATIC, cpu="x86-64-v3"), BOOKWORM, "needs an x86-64-v3 processor, host has x86-64-v2"),
    (
        "v3 on an unknown processor",
        replace(STATIC, cpu="x86-64-v3"),
        replace(BOOKWORM, cpu=None),
        "needs an x86-64-v3 processor, the host's is unknown",
    ),
    (
        "POWER9 where only POWER8 is sure",
        replace(STATIC, arch="powerpc64le", abi="elfv2", cpu="power9", page_size=None),
        replace(ARM64, arch="powerpc64le", abi="elfv2"),
        "needs a power9 processor, the host's is unknown",
    ),
    (
        "a level of the future",
        replace(STATIC, cpu="x86-64-v5"),
        BOOKWORM,
        "needs an x86-64-v5 processor, host has x86-64-v2",
    ),
    (
        "4K program on 64K pages",
        replace(ARM64_STATIC, page_size=4096),
        replace(ARM64, page_size=65536),
        "is aligned for pages of 4096 bytes, the host's kernel has 65536",
    ),
    (
        "4K program on unknown pages",
        replace(ARM64_STATIC, page_size=4096),
        replace(ARM64, page_size=None),
        "is aligned for pages of 4096 bytes, the host's page size is unknown",
    ),
    ("x32", replace(STATIC, abi="x32"), BOOKWORM, "uses the x32 ABI, which the host is not known to have"),
    ("x86_64 on x32", GNU, replace(BOOKWORM, abi="x32"), "uses the usual ABI of x86_64, host uses x32"),
    (
        "hard float RISC-V",
        replace(STATIC, arch="riscv64", abi="lp64d"),
        replace(RISCV64, abi="lp64"),
        "uses the lp64d ABI of riscv64, host uses lp64",
    ),
    (
        "LoongArch without flags",
        replace(STATIC, arch="loongarch64"),
        replace(ARM64, arch="loongarch64"),
        "does not say which ABI of loongarch64 it uses",
    ),
    (
        "ELFv2 on ELFv1",
        replace(GNU, arch="powerpc64", abi="elfv2"),
        replace(ARM64, arch="powerpc64", abi="elfv1"),
        "uses the elfv2 ABI of powerpc64, host uses elfv1",
    ),
    ("Linux on Termux", ARM64_STATIC, TERMUX, "is built for linux, host runs android"),
    ("macOS on Linux", MACHO, ARM64, "is built for macos, host runs linux"),
    ("unknown system", STATIC, replace(BOOKWORM, os=None), "is built for linux, host runs an unknown system"),
    ("no Rosetta", MACHO_X86_64, MAC, "is built for x86_64, host runs aarch64 without Rosetta 2"),
    (
        "Haswell by Rosetta",
        replace(MACHO_X86_64, cpu="x86-64-v3"),
        MAC_WITH_ROSETTA,
        "needs an x86-64-v3 processor, the host's is unknown",
    ),
    ("arm64 on an Intel Mac", MACHO, INTEL_MAC, "is built for aarch64, host runs x86_64"),
    ("old macOS", replace(MACHO, os_min="15.0"), MAC, "needs macOS 15.0, host has 14.5"),
    ("unknown macOS", MACHO, replace(MAC, os_version=None), "needs macOS 11.0, the host's version is unknown"),
    (
        "Homebrew's library",
        replace(MACHO, libraries=("/opt/homebrew/lib/libssl.3.dylib", "/usr/lib/libSystem.B.dylib")),
        replace(MAC, libraries=frozenset()),
        "needs /opt/homebrew/lib/libssl.3.dylib, which was not found on the host",
    ),
    (
        "another OpenBSD",
        Requirement("openbsd", "x86_64", libc="system", libraries=("libc.so.97.1",)),
        replace(FREEBSD, os="openbsd"),
        "needs libc.so.97.1, which was not found on the host",
    ),
    ("system libc on Linux", replace(GNU, libc="system"), BOOKWORM, "system build needs system, host has glibc 2.36"),
    ("any architecture, yet no script", replace(STATIC, arch="any"), BOOKWORM, "is built for any, host runs x86_64"),
    (
        "script without its shell",
        replace(SCRIPT, interpreter="/usr/bin/fish"),
        BOOKWORM,
        "needs /usr/bin/fish, which was not found on the host",
    ),
    (
        "script by env without it",
        replace(SCRIPT, interpreter="node"),
        BOOKWORM,
        "needs node, which was not found on the host",
    ),
    (
        "scripts of two interpreters without one of them",
        replace(SCRIPT, more_interpreters=("node",)),
        BOOKWORM,
        "needs node, which was not found on the host",
    ),
    ("script for another system", replace(SCRIPT, os="macos"), BOOKWORM, "is built for macos, host runs linux"),
    (
        "script for another architecture",
        replace(SCRIPT, os="linux", arch="aarch64"),
        BOOKWORM,
        "is built for aarch64, host runs x86_64",
    ),
    ("script for ARMv7", replace(SCRIPT, arch="arm", cpu="armv7"), ARMV6, "needs an armv7 processor, host has armv6"),
    ("script of nothing", replace(SCRIPT, interpreter=None), BOOKWORM, "is a script that names no interpreter"),
]


@pytest.mark.parametrize(
    ("requirement", "host", "reason"), [case[1:] for case in STARTS], ids=[case[0] for case in STARTS]
)
def test_what_starts_says_why(requirement: Requirement, host: Host, reason: str) -> None:
    verdict = admissible(requirement, host)
    assert (verdict.is_admissible, verdict.reason) == (True, reason)


@pytest.mark.parametrize(
    ("requirement", "host", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_is_refused_says_why(requirement: Requirement, host: Host, reason: str) -> None:
    verdict = admissible(requirement, host)
    assert (verdict.is_admissible, verdict.reason) == (False, reason)


def test_a_reason_carries_no_controls_of_a_hostile_program() -> None:
    requirement = replace(SCRIPT, interpreter="/bin/\x1b[2J\nall is well\u2028")
    assert admissible(requirement, BOOKWORM).reason == "needs /bin/?[2J?all is well?, which was not found on the host"


@pytest.mark.parametrize("arch", ["x86_64", "i686", "s390x", "riscv64"])
def test_where_every_kernel_has_small_pages_their_size_need_not_be_known(arch: str) -> None:
    program = Requirement("linux", arch, abi="lp64" if arch == "riscv64" else None, libc="static", page_size=4096)
    assert admissible(program, Host("linux", arch)).is_admissible
    assert not admissible(replace(program, page_size=2048), Host("linux", arch)).is_admissible


def test_a_reason_stays_short_whatever_a_program_names() -> None:
    reason = admissible(replace(SCRIPT, interpreter="/" + "x" * 4096), BOOKWORM).reason
    assert (len(reason), reason[-1]) == (300, "…")


@pytest.mark.parametrize(
    ("requirement", "asked"),
    [
        (STATIC, ()),
        (MACHO, ()),
        (GNU, ()),
        (replace(GNU, libraries=("libresolv.so.2", "libutil.so.1", "libm.so.6")), ()),
        (MUSL, ()),
        (RIPGREP, ("libgcc_s.so.1", "libgcc_s.so.1:GCC_4.2.0")),
        (replace(MUSL, libraries=("libc.musl-x86_64.so.1", "libgcc_s.so.1")), ("libgcc_s.so.1",)),
        (replace(GNU, versions=(("GLIBCXX", "3.4.30"),)), ()),  # its libstdc++ came along in the asset
        (Requirement("freebsd", "x86_64", libc="system", libraries=("libc.so.7",)), ("libc.so.7",)),
        (
            Requirement("freebsd", "x86_64", libc="system", libraries=("libc.so.7",), versions=(("FBSD", "1.7"),)),
            ("libc.so.7", "libc.so.7:FBSD_1.7"),
        ),
        (
            Requirement("illumos", "x86_64", libc="system", libraries=("libc.so.1",), versions=(("ILLUMOS", "0.40"),)),
            ("libc.so.1", "libc.so.1:ILLUMOS_0.40"),
        ),
        (Requirement("windows", "x86_64", libc="system", libraries=("KERNEL32.dll",)), ()),
        (
            replace(MACHO, libraries=("@rpath/libswiftCore.dylib", "/usr/local/lib/libz.dylib")),
            ("/usr/local/lib/libz.dylib",),
        ),
        (SCRIPT, ("/bin/bash",)),
        (replace(SCRIPT, interpreter="python3"), ("bin/python3",)),
        (replace(SCRIPT, more_interpreters=("node", "python3")), ("/bin/bash", "bin/node", "bin/python3")),
    ],
)
def test_only_what_no_libc_brings_along_is_asked_of_a_host(requirement: Requirement, asked: tuple[str, ...]) -> None:
    assert needs(requirement) == asked


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        (GNU, "x86_64-unknown-linux-gnu"),
        (MUSL, "x86_64-unknown-linux-musl"),
        (STATIC, "x86_64-unknown-linux-musl"),
        (replace(GNU, abi="x32"), "x86_64-unknown-linux-gnux32"),
        (replace(STATIC, abi="x32"), "linux/x86_64"),
        (replace(GNU, arch="i686"), "i686-unknown-linux-gnu"),
        (HARD, "armv7-unknown-linux-gnueabihf"),
        (replace(HARD, cpu="armv8"), "armv7-unknown-linux-gnueabihf"),
        (replace(HARD, cpu="armv6"), "arm-unknown-linux-gnueabihf"),
        (replace(HARD, abi=None), "armv7-unknown-linux-gnueabihf"),
        (SOFT, "armv5te-unknown-linux-gnueabi"),
        (replace(SOFT, cpu="armv4t"), "armv4t-unknown-linux-gnueabi"),
        (HARD_STATIC, "armv7-unknown-linux-musleabihf"),
        (GO_ARM, "arm-unknown-linux-musleabi"),
        (replace(HARD_STATIC, cpu="armv5te"), "linux/arm"),
        (replace(GNU, arch="powerpc64le", abi="elfv2"), "powerpc64le-unknown-linux-gnu"),
        (replace(STATIC, arch="powerpc64le", abi="elfv2"), "powerpc64le-unknown-linux-musl"),
        (replace(GNU, arch="powerpc64", abi="elfv1"), "powerpc64-unknown-linux-gnu"),
        (replace(GNU, arch="powerpc"), "powerpc-unknown-linux-gnu"),
        (replace(GNU, arch="s390x"), "s390x-unknown-linux-gnu"),
        (replace(GNU, arch="riscv64", abi="lp64d"), "riscv64gc-unknown-linux-gnu"),
        (replace(GNU, arch="riscv64", abi="lp64"), "linux/riscv64"),
        (replace(STATIC, arch="loongarch64", abi="lp64d"), "loongarch64-unknown-linux-musl"),
        (replace(GNU, arch="mips64el"), "mips64el-unknown-linux-gnuabi64"),
        (replace(STATIC, arch="mipsel"), "mipsel-unknown-linux-musl"),
        (replace(STATIC, arch="sparc64"), "linux/sparc64"),
        (MACHO, "aarch64-apple-darwin"),
        (replace(MACHO, arch="powerpc"), "macos/powerpc"),
        (Requirement("windows", "x86_64", libc="system"), "x86_64-pc-windows-msvc"),
        (Requirement("android", "aarch64", libc="bionic"), "aarch64-linux-android"),
        (Requirement("android", "arm", abi="eabi", libc="bionic", cpu="armv7"), "armv7-linux-androideabi"),
        (Requirement("android", "arm", abi="eabi", libc="bionic", cpu="armv5te"), "arm-linux-androideabi"),
        (Requirement("freebsd", "x86_64", libc="static"), "x86_64-unknown-freebsd"),
        (Requirement("freebsd", "riscv64", abi="lp64d", libc="system"), "riscv64gc-unknown-freebsd"),
        (Requirement("illumos", "x86_64", libc="system"), "x86_64-unknown-illumos"),
        (SCRIPT, "any"),
        (replace(SCRIPT, os="linux", arch="x86_64"), "linux/x86_64"),
        (replace(SCRIPT, os="macos"), "macos/any"),
    ],
)
def test_a_program_is_named_by_its_rust_target(requirement: Requirement, name: str) -> None:
    assert triple(requirement) == name


@pytest.mark.parametrize(
    ("host", "triples"),
    [
        (BOOKWORM, "x86_64-unknown-linux-gnu x86_64-unknown-linux-musl"),
        (ALPINE, "x86_64-unknown-linux-musl"),
        (NIXOS, "x86_64-unknown-linux-musl"),
        (replace(BOOKWORM, libc=None), "x86_64-unknown-linux-musl"),
        (replace(BOOKWORM, arch=None), "x86_64-unknown-linux-musl"),
        (I386_ON_X86_64, "i686-unknown-linux-gnu i686-unknown-linux-musl x86_64-unknown-linux-musl"),
        (
            ARMHF,
            "armv7-unknown-linux-gnueabihf armv7-unknown-linux-musleabihf armv7-unknown-linux-musleabi "
            "arm-unknown-linux-gnueabihf arm-unknown-linux-musleabihf arm-unknown-linux-musleabi "
            "armv5te-unknown-linux-musleabi",
        ),
        (
            ARMEL,
            "armv7-unknown-linux-gnueabi armv7-unknown-linux-musleabi arm-unknown-linux-gnueabi "
            "arm-unknown-linux-musleabi armv5te-unknown-linux-gnueabi armv5te-unknown-linux-musleabi "
            "armv4t-unknown-linux-gnueabi",
        ),
        (
            replace(ARMHF, abi=None, fpu=None),
            "armv7-unknown-linux-musleabi arm-unknown-linux-musleabi armv5te-unknown-linux-musleabi",
        ),
        (replace(ARMHF, abi=None, fpu=None, cpu=None), ""),
        (
            replace(ARMV6, libc="musl", kernel_arch="aarch64"),
            "arm-unknown-linux-musleabihf arm-unknown-linux-musleabi armv5te-unknown-linux-musleabi "
            "aarch64-unknown-linux-musl",
        ),
        (RISCV64, "riscv64gc-unknown-linux-gnu riscv64gc-unknown-linux-musl"),
        (replace(RISCV64, abi="lp64"), ""),
        (MAC, "aarch64-apple-darwin"),
        (MAC_WITH_ROSETTA, "aarch64-apple-darwin x86_64-apple-darwin"),
        (TERMUX, "aarch64-linux-android"),
        (FREEBSD, "x86_64-unknown-freebsd"),
        (Host(None, "x86_64"), ""),
        (Host("linux", None), ""),
    ],
)
def test_a_host_has_the_triples_it_runs_best_first(host: Host, triples: str) -> None:
    assert host_triples(host) == tuple(triples.split())


def test_every_triple_is_one_that_rustc_knows() -> None:
    try:
        known = subprocess.run(["rustc", "--print", "target-list"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only a rustc that works knows its targets")
    assert RUST_TARGETS.issubset(known.split())


def test_every_triple_can_be_said() -> None:
    said = {
        triple(Requirement(os, arch, abi, libc, cpu=cpu))
        for os in OPERATING_SYSTEMS
        for arch in ARCHES
        for abi in (None, "eabi", "eabihf", "x32", "lp64d", "ilp32d")
        for libc in ("glibc", "musl", "bionic", "system")
        for cpu in (None, *ARM_VERSIONS)
    }
    assert {name for name in said if "/" not in name} == RUST_TARGETS


def ranked(requirements: list[Requirement], host: Host, prefer: str = "native") -> list[Requirement]:
    return sorted(requirements, key=lambda requirement: preference(requirement, host, prefer))


@pytest.mark.parametrize(
    ("better", "worse", "host", "prefer"),
    [
        (GNU, STATIC, BOOKWORM, "native"),
        (STATIC, GNU, BOOKWORM, "static"),
        (MUSL, STATIC, ALPINE, "native"),
        (STATIC, MUSL, ALPINE, "static"),
        (STATIC, GNU, ALPINE, "native"),
        (STATIC, GNU, replace(BOOKWORM, libc=None), "native"),
        (MACHO, MACHO_X86_64, MAC_WITH_ROSETTA, "native"),
        (replace(STATIC, arch="i686"), STATIC, I386_ON_X86_64, "native"),
        (replace(GNU, libc_min="2.28"), GNU, BOOKWORM, "native"),
        (replace(GNU, libc_min="2.28"), replace(GNU, libc_min="2.9"), BOOKWORM, "native"),
        (replace(GNU, libc_min="2.2"), replace(GNU, libc_min=None), BOOKWORM, "native"),
        (replace(GNU, libc_min="2.2.1"), replace(GNU, libc_min="2.2"), BOOKWORM, "native"),
        (replace(MUSL, libc_min="1.2.3"), replace(MUSL, libc_min="1.2.0"), ALPINE, "native"),
        (replace(STATIC, cpu="x86-64-v3"), GNU, BOOKWORM, "native"),
        (replace(GNU, libc_min="2.28"), replace(GNU, cpu="x86-64-v1"), BOOKWORM, "native"),
        (replace(GNU, libc_min="2.28", cpu="x86-64-v1"), GNU, BOOKWORM, "native"),
        (replace(GNU, cpu="x86-64-v3"), replace(STATIC, cpu="x86-64-v2"), BOOKWORM, "static"),
        (replace(HARD_STATIC, cpu="armv7"), replace(HARD, cpu="armv6"), ARMHF, "native"),
        (HARD_STATIC, replace(HARD_STATIC, abi="eabi"), ARMHF, "native"),
        (replace(HARD_STATIC, abi="eabi"), HARD_STATIC, replace(ARMEL, fpu="vfp"), "native"),
        (STATIC, SCRIPT, BOOKWORM, "native"),
        (GNU, SCRIPT, BOOKWORM, "static"),
        (replace(SCRIPT, os="linux", arch="x86_64"), SCRIPT, BOOKWORM, "native"),
        (replace(SCRIPT, os="linux", arch="x86_64"), replace(SCRIPT, os="linux"), BOOKWORM, "native"),
        (replace(SCRIPT, os="linux"), SCRIPT, BOOKWORM, "static"),
    ],
)
def test_the_better_program_comes_first(better: Requirement, worse: Requirement, host: Host, prefer: str) -> None:
    assert ranked([worse, better], host, prefer) == [better, worse]


@pytest.mark.parametrize(
    "host", [BOOKWORM, ALPINE, NIXOS, I386_ON_X86_64, ARMHF, ARMEL, ARMV6, RISCV64, MAC_WITH_ROSETTA]
)
def test_programs_rank_as_the_triples_of_their_host_do(host: Host) -> None:
    requirements = [
        Requirement(os, arch, abi, libc, interpreter=(host.loaders or (None,))[0], cpu=cpu)
        for os in ("linux", "macos")
        for arch in ARCHES
        for libc in ("glibc", "musl", "static", "system")
        for abi in ABIS.get(arch, (None,))
        if abi or arch != "arm" or libc == "static"
        for cpu in (ARM_VERSIONS if arch == "arm" else (None,))
    ]
    startable = [requirement for requirement in requirements if admissible(requirement, host).is_admissible]
    names = dict.fromkeys(name for name in map(triple, ranked(startable, host)) if name in RUST_TARGETS)
    assert list(names) == list(host_triples(host))


def test_levels_need_every_flag_of_the_levels_below() -> None:
    v2 = "fpu sse2 pni cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"
    v3 = "avx avx2 bmi1 bmi2 f16c fma abm movbe"
    assert x86_64_level([]) == "x86-64-v1"
    assert x86_64_level(v2.replace("pni ", "").split()) == "x86-64-v1"
    assert x86_64_level(v2.split()) == "x86-64-v2"
    assert x86_64_level(v3.split()) == "x86-64-v1"
    assert x86_64_level(f"{v2} {v3}".split()) == "x86-64-v3"
    assert x86_64_level(f"{v2} {v3} avx512f avx512bw avx512cd avx512dq avx512vl".split()) == "x86-64-v4"


@pytest.mark.parametrize(
    ("lower", "higher"), [("2.9", "2.28"), ("2.28", "2.28.1"), ("", "0.1"), ("14", "14.0.1"), ("1rc", "2"), ("x9", "1")]
)
def test_versions_sort_by_their_numbers(lower: str, higher: str) -> None:
    assert dotted_numbers(lower) < dotted_numbers(higher)


def test_trailing_zeros_make_no_version() -> None:
    assert dotted_numbers("14") == dotted_numbers("14.0")


# Any host and any program: what may be is drawn, not only what is.
ARCHES = (
    *("x86_64", "i686", "aarch64", "arm", "powerpc", "powerpc64", "powerpc64le", "s390x", "riscv64", "riscv32"),
    *("loongarch64", "mips", "mipsel", "mips64", "mips64el", "sparc64"),
)
ABIS: dict[str, tuple[str | None, ...]] = {
    "arm": (None, "eabi", "eabihf"),
    "riscv64": ("lp64", "lp64d"),
    "riscv32": ("ilp32", "ilp32d"),
    "powerpc64": ("elfv1", "elfv2"),
    "powerpc64le": ("elfv2",),
    "loongarch64": ("lp64s", "lp64d"),
}
#: Few of each, so that many draws meet.
LOADERS = ("/lib/ld-one.so.1", "/lib/ld-two.so.2")
LIBRARIES = ("libz.so.1", "libstdc++.so.6", "libstdc++.so.6:GLIBCXX_3.4.30", "/bin/bash")
VERSIONS = ("2.9", "2.28", "14")


def a_need_for_registers(arch: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, "vfpd32", "neon"] if arch == "arm" else [None])


@st.composite
def a_program_and_two_hosts(draw: st.DrawFn) -> tuple[Requirement, Host, Host]:
    """Draw a program, a host that it may fit, and another host that provides at least as much."""
    os = draw(st.sampled_from(["linux", "macos", "freebsd"]))
    arch = draw(st.sampled_from(ARCHES))
    libc = draw(st.sampled_from(["glibc", "musl"])) if os == "linux" else "system"

    def mostly(usual: Any, *others: Any) -> Any:
        return draw(st.sampled_from([usual] * 6 + list(others)))

    def rising(*steps: Any) -> tuple[Any, Any]:
        low, high = sorted([mostly(len(steps) - 1, *range(len(steps))), mostly(len(steps) - 1, *range(len(steps)))])
        return steps[low], steps[high]

    program_libc = mostly(libc, "static", "static", "glibc", "musl", "system")
    abis = ABIS.get(arch, (None, "x32") if arch == "x86_64" else (None,))
    program = Requirement(
        os=mostly(os, "linux", "macos"),
        arch=mostly(arch, "x86_64", "aarch64"),
        abi=draw(st.sampled_from(abis[1:] if arch == "arm" and program_libc != "static" else abis)),
        libc=program_libc,
        libc_min=draw(st.sampled_from([None, *VERSIONS])),
        interpreter=mostly(*LOADERS, None),
        libraries=draw(st.lists(st.sampled_from(LIBRARIES[:2]), unique=True).map(tuple)),
        cpu=draw(st.sampled_from([None, None, *PROCESSORS.get(arch, ())])),
        fpu=draw(a_need_for_registers(arch)),
        os_min=draw(st.sampled_from([None, None, *VERSIONS])),
        versions=draw(st.sampled_from([(), (("GLIBCXX", "3.4.30"),)])),
        page_size=draw(st.sampled_from([None, 4096, 65536])),
    )
    fields = {
        "os": rising(None, os),
        "arch": rising(None, arch),
        "abi": rising(None, draw(st.sampled_from(ABIS.get(arch, (None,))))),
        "libc": rising(None, libc),
        "libc_version": rising(None, *VERSIONS),
        "kernel_arch": rising(None, mostly(arch, "x86_64", "aarch64")),
        "loaders": rising(None, (), LOADERS[:1], LOADERS),
        "libraries": rising(None, frozenset(), frozenset(LIBRARIES[:2]), frozenset(LIBRARIES)),
        "cpu": rising(None, *PROCESSORS.get(arch, ())),
        "fpu": rising(None, *FPUS),
        "page_size": rising(None, *((4096,) if arch in ("x86_64", "i686", "s390x", "riscv64") else (65536, 4096))),
        "os_version": rising(None, *VERSIONS),
        "emulates": rising((), ("x86_64",), ("x86_64", "arm")),
    }
    less, more = ({name: pair[which] for name, pair in fields.items()} for which in (0, 1))
    script = replace(SCRIPT, os=mostly(os, "any", "macos"), arch=mostly(arch, "any", "x86_64"), cpu=program.cpu)
    return mostly(program, script), Host(**less), Host(**more)


LIBCS_OF_SYSTEMS = {"linux": ("glibc", "musl"), "android": ("bionic",), "macos": ("system",), "freebsd": ("system",)}


@st.composite
def a_program_that_some_host_starts(draw: st.DrawFn) -> Requirement:
    os = draw(st.sampled_from(sorted(LIBCS_OF_SYSTEMS)))
    arch = draw(st.sampled_from(ARCHES))
    cpu = draw(st.sampled_from([None, *PROCESSORS.get(arch, ())]))
    if draw(st.integers(0, 5)) == 0:
        return Requirement(
            draw(st.sampled_from([os, "any"])),
            arch,
            cpu=cpu,
            interpreter=draw(st.sampled_from(["/bin/bash", "python3"])),
            more_interpreters=draw(st.sampled_from([(), ("/usr/bin/perl",)])),
        )
    libc = draw(st.sampled_from([*LIBCS_OF_SYSTEMS[os], "static"]))
    abis = ABIS.get(arch, (None, "x32") if arch == "x86_64" else (None,))
    abis = abis[1:] if arch == "arm" and libc != "static" else abis
    is_dynamic = libc != "static"
    return Requirement(
        os=os,
        arch=arch,
        abi=draw(st.sampled_from(abis)),
        libc=libc,
        libc_min=draw(st.sampled_from([None, *VERSIONS])) if libc == "glibc" else None,
        interpreter=draw(st.sampled_from(LOADERS)) if is_dynamic and libc != "system" else None,
        libraries=draw(st.lists(st.sampled_from(LIBRARIES[:2]), unique=True).map(tuple)) if is_dynamic else (),
        cpu=cpu,
        fpu=draw(a_need_for_registers(arch)),
        os_min=draw(st.sampled_from([None, *VERSIONS])) if os == "macos" else None,
        versions=(("GLIBCXX", "3.4.30"),) if is_dynamic else (),
        page_size=draw(st.sampled_from([None, 4096, 65536])),
    )


WAYS = st.sampled_from(["arch", "kernel_arch", "emulates"])


def the_least_host_for(program: Requirement, way: str) -> Host:
    """Return the host that provides what *program* needs, and nothing else: itself, its kernel or its translator."""
    is_silent_arm = program.arch == "arm" and not program.is_script and program.cpu is None
    uses_registers = program.arch == "arm" and program.libc == "static" and program.abi != "eabi"
    is_beside = program.libc == "static" and way != "arch" and program.abi in (None, "lp64", "elfv1", "elfv2")
    return Host(
        os=None if program.os == "any" else program.os,
        arch=None if is_beside else program.arch,
        kernel_arch=program.arch if is_beside and way == "kernel_arch" else None,
        emulates=(program.arch,) if is_beside and way == "emulates" else (),
        abi=None if uses_registers else program.abi,
        libc=None if program.libc == "static" else program.libc,
        libc_version=program.libc_min,
        loaders=(program.interpreter,) if program.interpreter and not program.is_script else None,
        libraries=frozenset(needs(program)) or None,
        cpu="armv7" if is_silent_arm else program.cpu,
        fpu=program.fpu or ("vfp" if uses_registers else None),
        page_size=program.page_size,
        os_version=program.os_min,
    )


def what_is_more(host: Host, name: str) -> list[Any]:
    """Return what a host may have in the field *name* that is at least as much as what *host* has."""
    value = getattr(host, name)
    if name == "libraries":
        return [(value or frozenset()) | more for more in ({"libother.so.1"}, {*LIBRARIES})]
    if name in ("loaders", "emulates"):
        names = LOADERS if name == "loaders" else ("x86_64", "aarch64", "arm")
        return [(*(value or ()), *names), (*names, *(value or ())), (names[-1], *(value or ()))]
    if name in ("libc_version", "os_version"):
        return [version for version in VERSIONS if dotted_numbers(version) >= dotted_numbers(value or "")]
    if name == "page_size":
        return [size for size in (65536, 16384, 4096) if size <= (value or 65536)]
    if name == "fpu":
        return [*FPUS[fpu_level(value) :]]
    if name == "cpu" and value is not None:
        return [level for levels in PROCESSORS.values() if value in levels for level in levels[levels.index(value) :]]
    of_unknown: dict[str, tuple[Any, ...]] = {
        "os": tuple(LIBCS_OF_SYSTEMS),
        "arch": ARCHES,
        "kernel_arch": ARCHES,
        "abi": ABIS.get(host.arch or "", (None,)),
        "libc": ("glibc", "musl", "system"),
        "distribution": ("Some Linux",),
        "cpu": tuple(level for levels in PROCESSORS.values() for level in levels),
    }
    return [*of_unknown[name]] if value is None else [value]


@settings(max_examples=300)
@given(a_program_that_some_host_starts(), WAYS, st.data())
def test_a_host_that_provides_more_never_loses_a_program(program: Requirement, way: str, data: st.DataObject) -> None:
    host = the_least_host_for(program, way)
    assert admissible(program, host).is_admissible, (program, host, admissible(program, host).reason)
    names = st.sampled_from([field.name for field in fields(Host)])
    for name in data.draw(st.lists(names, min_size=1, max_size=8)):
        host = replace(host, **{name: data.draw(st.sampled_from(what_is_more(host, name)))})
    assert admissible(program, host).is_admissible, (program, host, admissible(program, host).reason)


@settings(max_examples=300)
@given(a_program_that_some_host_starts(), WAYS, st.data())
def test_a_host_that_lacks_one_thing_refuses_what_needs_it(program: Requirement, way: str, data: st.DataObject) -> None:
    least = the_least_host_for(program, way)
    known = [field.name for field in fields(Host) if getattr(least, field.name) not in (None, ())]
    name = data.draw(st.sampled_from(known))
    verdict = admissible(program, replace(least, **{name: () if name == "emulates" else None}))
    is_more_than_needed = {
        "abi": program.libc == "static",
        "page_size": program.page_size == 65536 or program.arch in FIXED_PAGE_SIZES,
    }
    assert not verdict.is_admissible or is_more_than_needed.get(name, False), (program, name)


@given(a_program_and_two_hosts())
def test_nor_does_any_other_host(drawn: tuple[Requirement, Host, Host]) -> None:
    program, less, more = drawn
    assert admissible(program, more).is_admissible or not admissible(program, less).is_admissible


@given(a_program_and_two_hosts())
def test_what_starts_has_a_triple_that_the_host_has(drawn: tuple[Requirement, Host, Host]) -> None:
    program, _less, host = drawn
    if triple(program) in RUST_TARGETS and admissible(program, host).is_admissible:
        assert triple(program) in host_triples(host)


TEXT = st.none() | st.text(max_size=20) | st.sampled_from(["linux", "macos", "any", "x86_64", "arm", "glibc", "static"])
ANY_REQUIREMENT = st.builds(
    Requirement,
    **dict.fromkeys(("os", "arch"), TEXT.map(str)),
    **dict.fromkeys(("abi", "libc", "libc_min", "interpreter", "cpu", "os_min"), TEXT),
    fpu=st.sampled_from([None, "vfpd32", "neon"]),
    libraries=st.lists(st.text(max_size=20)).map(tuple),
    versions=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9))).map(tuple),
    page_size=st.none() | st.integers(),
)
ANY_HOST = st.builds(
    Host,
    **dict.fromkeys(("os", "arch", "abi", "libc", "libc_version", "kernel_arch", "cpu", "os_version"), TEXT),
    loaders=st.none() | st.lists(st.text(max_size=20)).map(tuple),
    libraries=st.none() | st.frozensets(st.text(max_size=20)),
    fpu=st.none() | st.sampled_from(FPUS),
    page_size=st.none() | st.integers(),
    emulates=st.lists(st.text(max_size=20)).map(tuple),
)


@given(ANY_REQUIREMENT, ANY_HOST, st.text(max_size=9))
def test_whatever_is_asked_the_answer_is_one_printable_line(requirement: Requirement, host: Host, prefer: str) -> None:
    reason = admissible(requirement, host).reason
    assert reason.isprintable()
    assert 0 < len(reason) <= 300
    assert len(preference(requirement, host, prefer)) == len(preference(STATIC, BOOKWORM))
    assert triple(requirement) in RUST_TARGETS | {"any", f"{requirement.os}/{requirement.arch}"}
    assert RUST_TARGETS.issuperset(host_triples(host))
    assert list(needs(requirement)) == sorted(needs(requirement))
