# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which target triple does a program have, and which can a host run? Pure; runs on the controller.

The triples are those of Rust's platform support list (doc.rust-lang.org/rustc/platform-support.html); a test compares
them with what rustc prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    ARM_VERSIONS,
    dotted_numbers,
    fpu_level,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    ARCHITECTURES,
    OPERATING_SYSTEMS,
    Architecture,
    OperatingSystem,
)

_TARGETS = """
    aarch64-apple-darwin aarch64-linux-android aarch64-pc-windows-msvc aarch64-unknown-freebsd aarch64-unknown-illumos
    aarch64-unknown-linux-gnu aarch64-unknown-linux-musl aarch64-unknown-netbsd aarch64-unknown-openbsd
    arm-linux-androideabi arm-unknown-linux-gnueabi arm-unknown-linux-gnueabihf arm-unknown-linux-musleabi
    arm-unknown-linux-musleabihf armv4t-unknown-linux-gnueabi armv5te-unknown-linux-gnueabi
    armv5te-unknown-linux-musleabi armv7-linux-androideabi armv7-unknown-linux-gnueabi armv7-unknown-linux-gnueabihf
    armv7-unknown-linux-musleabi armv7-unknown-linux-musleabihf i686-apple-darwin i686-linux-android
    i686-pc-windows-msvc i686-unknown-freebsd i686-unknown-linux-gnu i686-unknown-linux-musl i686-unknown-netbsd
    i686-unknown-openbsd loongarch64-unknown-linux-gnu loongarch64-unknown-linux-musl mips-unknown-linux-gnu
    mips-unknown-linux-musl mips64-unknown-linux-gnuabi64 mips64-unknown-linux-muslabi64
    mips64el-unknown-linux-gnuabi64 mips64el-unknown-linux-muslabi64 mipsel-unknown-linux-gnu
    mipsel-unknown-linux-musl mipsel-unknown-netbsd powerpc-unknown-freebsd powerpc-unknown-linux-gnu
    powerpc-unknown-linux-musl powerpc-unknown-netbsd powerpc-unknown-openbsd powerpc64-ibm-aix
    powerpc64-unknown-freebsd
    powerpc64-unknown-linux-gnu powerpc64-unknown-linux-musl powerpc64-unknown-openbsd powerpc64le-unknown-freebsd
    powerpc64le-unknown-linux-gnu powerpc64le-unknown-linux-musl riscv32gc-unknown-linux-gnu
    riscv32gc-unknown-linux-musl riscv64-linux-android riscv64gc-unknown-freebsd riscv64gc-unknown-linux-gnu
    riscv64gc-unknown-linux-musl riscv64gc-unknown-netbsd riscv64gc-unknown-openbsd s390x-unknown-linux-gnu
    s390x-unknown-linux-musl sparc64-unknown-linux-gnu sparc64-unknown-netbsd sparc64-unknown-openbsd
    sparcv9-sun-solaris x86_64-apple-darwin x86_64-linux-android x86_64-pc-solaris x86_64-pc-windows-msvc
    x86_64-unknown-dragonfly x86_64-unknown-freebsd x86_64-unknown-illumos x86_64-unknown-linux-gnu
    x86_64-unknown-linux-gnux32 x86_64-unknown-linux-musl x86_64-unknown-netbsd x86_64-unknown-openbsd
"""
#: Every triple that this collection uses; each is a target of rustc (tiers 1 to 3).
RUST_TARGETS = frozenset(_TARGETS.split())
#: Architectures whose triples imply a float ABI: the "gc" of RISC-V, and LoongArch's default.
ABI_OF_TRIPLE = {"riscv64": "lp64d", "riscv32": "ilp32d", "loongarch64": "lp64d"}
#: ARCHITECTURE-VENDOR-SYSTEM-ENVIRONMENT; the vendor and the environment may be missing.
_GRAMMAR = re.compile(
    r"(?P<arch>[a-z0-9_]+)(?:-(?:unknown|apple|pc|sun|ibm))?-(?P<system>[a-z]+)(?:-(?P<environment>[a-z0-9]+))?\Z"
)
OLDEST_GLIBC = (2, 17)
_ARM_VERSION = re.compile(r"armv[4-8][a-z]*\Z")


def platform_of(name: str) -> tuple[OperatingSystem, Architecture] | None:
    """Return the system and architecture that a target triple, or a platform such as ``macos/powerpc``, names.

    None if it is neither, or names an unknown system or architecture.
    """
    system, slash, arch = name.partition("/")
    parts = _GRAMMAR.match(name)
    if parts and not slash:
        is_android = (parts["environment"] or "").startswith("android")
        system = "android" if is_android else "macos" if parts["system"] == "darwin" else parts["system"]
        arch = "sparc64" if parts["arch"] == "sparcv9" else _ARM_VERSION.sub("arm", parts["arch"]).removesuffix("gc")
    if system not in OPERATING_SYSTEMS or arch not in ARCHITECTURES:
        return None
    return system, arch


def triple(requirement: Requirement) -> str:
    """Return the target triple of a program with *requirement*: ``armv7-unknown-linux-musleabihf``.

    A static Linux program gets the musl triple, whatever libc it was linked with: both mean "needs no libc". A script
    is ``any``. For a script for one platform, and if rustc has no target, the platform is returned: ``macos/powerpc``.
    """
    if requirement.is_script:
        return "any" if requirement.os == requirement.arch else f"{requirement.os}/{requirement.arch}"
    libc = "musl" if requirement.libc == "static" else requirement.libc
    # A program that fits both float ABIs of ARM starts on hosts that have its loader.
    abi = requirement.abi or ("eabihf" if "-armhf." in (requirement.interpreter or "") else None)
    name = _name(requirement.os, requirement.arch, libc, abi, requirement.cpu)
    return name if name in RUST_TARGETS else f"{requirement.os}/{requirement.arch}"


def host_triples(host: Host) -> tuple[str, ...]:
    """Return the target triples whose programs *host* can run, best first, in the order of target.preference.

    On Linux, every host has musl triples, because static programs have them. What is unknown of the host is not
    guessed: without its libc, or its float ABI on ARM, only static programs are left.
    """
    if host.os is None:
        return ()
    return tuple(dict.fromkeys(name for name in _names(host, host.os) if name in RUST_TARGETS))


def _names(host: Host, os: str) -> Iterator[str]:
    if host.arch:
        for cpu in _processors(host):
            for libc in _libcs(host):
                for abi in _abis(host, libc):
                    yield _name(os, host.arch, libc, abi, cpu)
    static_libc = "musl" if os == "linux" else host.libc
    if host.kernel_arch not in (None, "arm", host.arch):
        yield _name(os, str(host.kernel_arch), static_libc, None, None)
    # Nothing tells which ARM processor an emulator provides.
    for arch in (arch for arch in host.emulates if arch != "arm"):
        yield _name(os, arch, static_libc, None, None)


def _processors(host: Host) -> tuple[str | None, ...]:
    if host.arch != "arm":
        return (None,)
    newest = ARM_VERSIONS.index(host.cpu) if host.cpu in ARM_VERSIONS else 0
    return tuple(reversed(ARM_VERSIONS[: newest + 1]))


def _libcs(host: Host) -> tuple[str | None, ...]:
    """Return the libcs of programs that start. NixOS has a libc, but no loader in the usual place: only static ones."""
    if host.os != "linux":
        return (host.libc,)
    own = host.libc if host.loaders != () and not _is_too_old(host) else None
    return tuple(dict.fromkeys(libc for libc in (own, "musl") if libc))


def _is_too_old(host: Host) -> bool:
    """Return whether the host's glibc is older than what each program of a gnu target needs (platform-support.html)."""
    is_known = host.libc == "glibc" and host.libc_version is not None
    return is_known and dotted_numbers(host.libc_version or "") < OLDEST_GLIBC


def _abis(host: Host, libc: str | None) -> tuple[str | None, ...]:
    if host.arch != "arm":
        return (host.abi,)
    if host.os != "linux" or libc != "musl":
        return (host.abi,) if host.abi else ()
    if host.abi == "eabihf":
        return ("eabihf", "eabi")
    return ("eabi", "eabihf") if fpu_level(host.fpu) else ("eabi",)


def _name(os: str, arch: str, libc: str | None, abi: str | None, cpu: str | None) -> str:
    """Return the triple of these parts. It exists only if RUST_TARGETS has it."""
    if abi != ABI_OF_TRIPLE.get(arch, abi):
        return ""
    if os == "linux":
        return _linux_name(arch, libc, abi, cpu)
    if os == "android":
        return _android_name(arch, cpu)
    if os == "solaris":
        return {"sparc64": "sparcv9-sun-solaris"}.get(arch, f"{arch}-pc-solaris")
    vendors = {"macos": ("apple", "darwin"), "windows": ("pc", "windows-msvc"), "aix": ("ibm", "aix")}
    vendor, system = vendors.get(os, ("unknown", os))
    return f"{_arch_name(arch)}-{vendor}-{system}"


def _linux_name(arch: str, libc: str | None, abi: str | None, cpu: str | None) -> str:
    environment = {"glibc": "gnu", "musl": "musl"}.get(libc or "", "")
    if arch == "arm":
        version = {"armv8": "armv7", "armv6": "arm", None: "arm"}.get(cpu, cpu)
        return f"{version}-unknown-linux-{environment}{abi or 'eabi'}"
    if arch == "x86_64" and abi == "x32":
        environment += "x32"
    if arch.startswith("mips64"):
        environment += "abi64"
    return f"{_arch_name(arch)}-unknown-linux-{environment}"


def _android_name(arch: str, cpu: str | None) -> str:
    if arch != "arm":
        return f"{arch}-linux-android"
    version = {"armv8": "armv7", "armv7": "armv7", "armv6": "arm", "armv5te": "arm"}.get(cpu or "", "")
    return f"{version}-linux-androideabi"


def _arch_name(arch: str) -> str:
    return {"riscv64": "riscv64gc", "riscv32": "riscv32gc"}.get(arch, arch)
