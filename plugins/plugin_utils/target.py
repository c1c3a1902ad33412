# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Will this program run on that machine, and what is that machine's target triple? Pure; runs on the controller.

The triples are those of Rust's platform support list (doc.rust-lang.org/rustc/platform-support.html). The rules follow
the System V gABI (program interpreter, needed libraries, symbol versions), the x86-64 psABI (micro-architecture
levels) and the Arm ABI (float calling conventions).

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement


@dataclass(frozen=True)
class Host:
    """What one machine provides. None means unknown, and unknown refuses.

    os, arch, abi, libc   in the words of Requirement; they speak of the userspace, not of the kernel
    libc_version          ``2.36``, ``1.2.5``
    kernel_arch           what the kernel itself runs; on a 64-bit kernel it may be more than *arch*
    loaders               program interpreters that exist there, by path
    libraries             those of the asked-for needs (see needs) that were found there
    cpu                   x86-64 level, or ARM version
    has_vfp               ARM: whether the processor has the floating point unit that hard-float code uses
    page_size             of the kernel, in bytes
    os_version            of macOS, FreeBSD …
    distribution          for people: ``Debian GNU/Linux 12 (bookworm)``
    emulates              architectures that it runs by translation, after its own (``("x86_64",)`` with Rosetta 2)
    """

    os: str | None
    arch: str | None
    abi: str | None = None
    libc: str | None = None
    libc_version: str | None = None
    kernel_arch: str | None = None
    loaders: tuple[str, ...] | None = None
    libraries: frozenset[str] | None = None
    cpu: str | None = None
    has_vfp: bool | None = None
    page_size: int | None = None
    os_version: str | None = None
    distribution: str | None = None
    emulates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a program would start, and why, in one line of plain English."""

    is_admissible: bool
    reason: str


#: x86-64 psABI, section 3.1.1: the flags of /proc/cpuinfo that each micro-architecture level adds.
X86_64_LEVELS = (
    ("x86-64-v2", frozenset("cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3".split())),
    ("x86-64-v3", frozenset("avx avx2 bmi1 bmi2 f16c fma abm movbe".split())),
    ("x86-64-v4", frozenset("avx512f avx512bw avx512cd avx512dq avx512vl".split())),
)
ARM_VERSIONS = ("armv4t", "armv5te", "armv6", "armv7", "armv8")

#: Libraries that are parts of a libc itself: where that libc is, they are.
LIBC_PARTS = {
    "glibc": frozenset(
        "libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libresolv.so.2 libanl.so.1 "
        "libc.so.6.1 libm.so.6.1".split()
    ),
    "musl": frozenset(["libc.so"]),
    "bionic": frozenset("libc.so libm.so libdl.so liblog.so".split()),
}
#: Which library carries a family of symbol versions.
VERSION_CARRIERS = {"GLIBCXX": "libstdc++.so.6", "CXXABI": "libstdc++.so.6", "GCC": "libgcc_s.so.1"}
#: Architectures whose programs a kernel runs beside its own, when nothing but the kernel is needed.
KERNEL_ALSO_RUNS = {
    "x86_64": ("i686",),
    "aarch64": ("arm",),
    "powerpc64": ("powerpc",),
}
#: Architectures on which every kernel has the same page size, and the largest size that any kernel has, in bytes.
FIXED_PAGE_SIZES = {"x86_64": 4096, "i686": 4096, "s390x": 4096, "arm": 4096, "riscv64": 4096}
LARGEST_PAGE_SIZE = 65536


def needs(requirement: Requirement) -> tuple[str, ...]:
    """Return what must be looked for on a host: ``libz.so.1``, ``libstdc++.so.6:GLIBCXX_3.4.21``, ``/bin/bash``.

    The libc's own parts, and what every macOS has, need no question.
    """
    if requirement.os == "any":
        return (requirement.interpreter,) if requirement.interpreter else ()
    if requirement.libc not in LIBC_PARTS:
        return ()
    named = {library for library in requirement.libraries if not _is_part_of_libc(library, requirement.libc)}
    for family, version in requirement.versions:
        if family in VERSION_CARRIERS:
            named.add(f"{VERSION_CARRIERS[family]}:{family}_{version}")
    return tuple(sorted(named))


def _is_part_of_libc(library: str, libc: str) -> bool:
    is_loader = library.startswith(("ld-linux", "ld64.so", "ld-musl-", "libc.musl-", "ld.so"))
    return is_loader or library in LIBC_PARTS[libc]


def admissible(requirement: Requirement, host: Host) -> Verdict:
    """Return whether a program with *requirement* starts on *host*, with the reason for either answer.

    What is not known of the host counts as not there: the answer never guesses upward.
    """
    for check in (_check_os, _check_arch, _check_abi, _check_cpu, _check_page_size, _check_libc, _check_libraries):
        obstacle = check(requirement, host)
        if obstacle:
            return Verdict(False, obstacle)
    return Verdict(True, _why(requirement, host))


def _check_os(requirement: Requirement, host: Host) -> str | None:
    if requirement.os == "any":
        return None
    if host.os != requirement.os:
        return f"is built for {requirement.os}, host runs {host.os or 'an unknown system'}"
    if requirement.os == "macos" and requirement.os_min:
        if host.os_version is None:
            return f"needs macOS {requirement.os_min}, the host's version is unknown"
        if version_key(host.os_version) < version_key(requirement.os_min):
            return f"needs macOS {requirement.os_min}, host has {host.os_version}"
    return None


def _check_arch(requirement: Requirement, host: Host) -> str | None:
    if requirement.arch in ("any", host.arch) or requirement.arch in host.emulates:
        return None
    runs_beside = {host.kernel_arch, *KERNEL_ALSO_RUNS.get(host.kernel_arch or "", ())}
    if requirement.arch not in runs_beside:
        return f"is built for {requirement.arch}, host runs {host.arch or 'an unknown architecture'}"
    if requirement.arch == host.kernel_arch and requirement.libc == "static":
        return None
    if requirement.interpreter in (host.loaders or ()):
        return f"is built for {requirement.arch}; the host has a loader for it, but its libraries are not known"
    return f"is built for {requirement.arch}, the host's userspace is {host.arch}"


def _check_abi(requirement: Requirement, host: Host) -> str | None:
    if requirement.arch != "arm":
        if requirement.abi == "x32":
            return "uses the x32 ABI, which kernels rarely enable"
        if requirement.abi and host.abi and requirement.arch == host.arch and requirement.abi != host.abi:
            return f"uses the {requirement.abi} ABI, host uses {host.abi}"
        return None
    if requirement.abi in (None, host.abi):
        return None
    if requirement.libc != "static":
        return f"uses the {requirement.abi} float ABI, host uses {host.abi or 'an unknown one'}"
    if requirement.abi == "eabihf" and not host.has_vfp:
        return "uses hardware floating point, which this host is not known to have"
    return None


def _check_cpu(requirement: Requirement, host: Host) -> str | None:
    if requirement.cpu is None:
        return None
    if requirement.arch == "arm":
        order: tuple[str, ...] = ARM_VERSIONS
    elif requirement.arch == "x86_64":
        order = tuple(level for level, flags in X86_64_LEVELS)
    else:
        return None
    if requirement.cpu not in order:
        return None
    if host.cpu is None:
        return f"needs an {requirement.cpu} processor, the host's is unknown"
    if host.cpu not in order or order.index(host.cpu) < order.index(requirement.cpu):
        return f"needs an {requirement.cpu} processor, host has {host.cpu}"
    return None


def _check_page_size(requirement: Requirement, host: Host) -> str | None:
    host_page_size = host.page_size or FIXED_PAGE_SIZES.get(requirement.arch)
    if requirement.page_size is None or (host_page_size or LARGEST_PAGE_SIZE) <= requirement.page_size:
        return None
    if host_page_size is None:
        return f"is aligned for pages of {requirement.page_size} bytes, the host's page size is unknown"
    return f"is aligned for pages of {requirement.page_size} bytes, the host's kernel has {host.page_size}"


def _check_libc(requirement: Requirement, host: Host) -> str | None:
    if requirement.libc in (None, "static", "system"):
        return None
    label = "gnu" if requirement.libc == "glibc" else requirement.libc
    if host.libc is None:
        return f"{label} build needs {requirement.libc}, the host's libc is unknown"
    if requirement.libc != host.libc:
        return f"{label} build needs {requirement.libc}, host has {_libc_of(host)}"
    if requirement.interpreter and host.loaders is not None and requirement.interpreter not in host.loaders:
        return f"{label} build needs the loader {requirement.interpreter}, which this host lacks"
    if requirement.libc_min is None:
        return None
    if host.libc_version is None:
        return f"{label} build needs {requirement.libc} {requirement.libc_min}, the host's version is unknown"
    if version_key(host.libc_version) < version_key(requirement.libc_min):
        return f"{label} build needs {requirement.libc} {requirement.libc_min}, host has {host.libc_version}"
    return None


def _check_libraries(requirement: Requirement, host: Host) -> str | None:
    wanted = needs(requirement)
    if not wanted:
        return None
    if host.libraries is None:
        return f"needs {', '.join(wanted)}, the host's libraries are unknown"
    missing = [need for need in wanted if need not in host.libraries]
    return f"needs {', '.join(missing)}, which this host lacks" if missing else None


def _why(requirement: Requirement, host: Host) -> str:
    if requirement.os == "any":
        return f"script, host has {requirement.interpreter}"
    by_translation = "" if requirement.arch in (host.arch, "any") else f", {requirement.arch} on {host.arch}"
    if requirement.libc == "static":
        return f"static {requirement.arch} build, needs no libc{by_translation}"
    if requirement.libc == "system":
        floor = f" {requirement.os_min}" if requirement.os_min else ""
        return f"needs {requirement.os}{floor}, host has {host.os_version or 'it'}{by_translation}"
    floor = f" {requirement.libc_min}" if requirement.libc_min else ""
    label = "gnu" if requirement.libc == "glibc" else requirement.libc
    return f"{label} build needs {requirement.libc}{floor}, host has {host.libc_version or 'it'}"


def _libc_of(host: Host) -> str:
    return f"{host.libc} {host.libc_version}" if host.libc_version else str(host.libc)


def preference(requirement: Requirement, host: Host, prefer: str = "native") -> tuple[int, ...]:
    """Return a sort key for the admissible programs of *host*: the smallest is the one to take.

    Native architecture before translated; then *prefer* ``native`` (the host's libc before static) or ``static``;
    then the newest processor level; then the highest libc floor, since that build was made for the newer systems.
    """
    is_translated = requirement.arch not in (host.arch, "any")
    is_static = requirement.libc == "static"
    is_unwanted_kind = is_static if prefer == "native" else not is_static
    order = ARM_VERSIONS if requirement.arch == "arm" else ("", *(level for level, flags in X86_64_LEVELS))
    level = order.index(requirement.cpu) if requirement.cpu in order else 0
    foreign_float_abi = requirement.arch == "arm" and requirement.abi != host.abi
    floor = version_key(requirement.libc_min or "0")
    return (is_translated, is_unwanted_kind, foreign_float_abi, -level, *(-part for part in floor))


def triple(requirement: Requirement) -> str:
    """Return the Rust target triple of a program with *requirement*: ``armv7-unknown-linux-musleabihf``.

    A static Linux program is named by its musl triple, whatever linked it: both say "needs no libc".
    """
    if requirement.os == "any":
        return "any"
    libc = "musl" if requirement.libc == "static" else requirement.libc
    return _triple(requirement.os, requirement.arch, libc, requirement.abi, requirement.cpu)


def host_triples(host: Host) -> tuple[str, ...]:
    """Return the target triples whose programs *host* can run, best first, static ones (musl) after its own libc."""
    if host.os is None or host.arch is None:
        return ()
    libcs: list[str | None] = [host.libc] if host.libc else []
    if host.os == "linux" and "musl" not in libcs:
        libcs.append("musl")
    ranked = [
        _triple(host.os, host.arch, libc, abi, cpu)
        for cpu in _processors(host)
        for libc in libcs or [None]
        for abi in _float_abis(host, libc)
    ]
    if host.os == "linux" and host.kernel_arch and host.kernel_arch != host.arch:
        ranked.append(_triple(host.os, host.kernel_arch, "musl", None, None))
    ranked += [_triple(host.os, arch, host.libc, None, None) for arch in host.emulates]
    return tuple(dict.fromkeys(name for name in ranked if name in RUST_TARGETS))


def _processors(host: Host) -> tuple[str | None, ...]:
    if host.arch != "arm":
        return (None,)
    known = host.cpu if host.cpu in ARM_VERSIONS else "armv5te"
    return tuple(reversed(ARM_VERSIONS[: ARM_VERSIONS.index(known) + 1]))


def _float_abis(host: Host, libc: str | None) -> tuple[str | None, ...]:
    if host.arch != "arm":
        return (host.abi,)
    if libc != "musl":
        return (host.abi,)
    if host.abi == "eabihf" or host.has_vfp:
        return ("eabihf", "eabi") if host.abi == "eabihf" else ("eabi", "eabihf")
    return ("eabi",)


def _triple(os: str, arch: str, libc: str | None, abi: str | None, cpu: str | None) -> str:
    if os == "linux":
        return _linux_triple(arch, libc, abi, cpu)
    if os == "android":
        return {"arm": "armv7-linux-androideabi"}.get(arch, f"{arch}-linux-android")
    if os == "macos":
        return f"{arch}-apple-darwin"
    if os == "windows":
        return f"{arch}-pc-windows-msvc"
    return f"{arch}-unknown-{os}"


def _linux_triple(arch: str, libc: str | None, abi: str | None, cpu: str | None) -> str:
    environment = {"glibc": "gnu", "musl": "musl"}.get(libc or "", libc or "gnu")
    if arch == "arm":
        name = {"armv8": "armv7", "armv6": "arm", None: "arm"}.get(cpu, cpu or "arm")
        return f"{name}-unknown-linux-{environment}{abi or 'eabi'}"
    if arch == "x86_64" and abi == "x32":
        return f"x86_64-unknown-linux-{environment}x32"
    if arch.startswith("mips64"):
        environment += "abi64"
    name = {"riscv64": "riscv64gc", "riscv32": "riscv32gc"}.get(arch, arch)
    return f"{name}-unknown-linux-{environment}"


#: Every triple this collection can say, each a target that rustc knows (platform support, tiers 1 to 3).
RUST_TARGETS = frozenset(
    """
    aarch64-apple-darwin aarch64-linux-android aarch64-pc-windows-msvc aarch64-unknown-freebsd
    aarch64-unknown-illumos aarch64-unknown-linux-gnu aarch64-unknown-linux-musl aarch64-unknown-netbsd
    aarch64-unknown-openbsd arm-unknown-linux-gnueabi arm-unknown-linux-gnueabihf arm-unknown-linux-musleabi
    arm-unknown-linux-musleabihf armv4t-unknown-linux-gnueabi armv5te-unknown-linux-gnueabi
    armv5te-unknown-linux-musleabi armv7-linux-androideabi armv7-unknown-linux-gnueabi
    armv7-unknown-linux-gnueabihf armv7-unknown-linux-musleabi armv7-unknown-linux-musleabihf
    i686-apple-darwin i686-linux-android i686-pc-windows-msvc i686-unknown-freebsd i686-unknown-linux-gnu
    i686-unknown-linux-musl i686-unknown-netbsd i686-unknown-openbsd loongarch64-unknown-linux-gnu
    loongarch64-unknown-linux-musl mips-unknown-linux-gnu mips-unknown-linux-musl mips64-unknown-linux-gnuabi64
    mips64-unknown-linux-muslabi64 mips64el-unknown-linux-gnuabi64 mips64el-unknown-linux-muslabi64
    mipsel-unknown-linux-gnu mipsel-unknown-linux-musl powerpc-unknown-linux-gnu powerpc-unknown-linux-musl
    powerpc64-unknown-freebsd powerpc64-unknown-linux-gnu powerpc64-unknown-linux-musl
    powerpc64-unknown-openbsd powerpc64le-unknown-freebsd powerpc64le-unknown-linux-gnu
    powerpc64le-unknown-linux-musl riscv32gc-unknown-linux-gnu riscv32gc-unknown-linux-musl
    riscv64-linux-android riscv64gc-unknown-freebsd riscv64gc-unknown-linux-gnu riscv64gc-unknown-linux-musl
    riscv64gc-unknown-netbsd riscv64gc-unknown-openbsd s390x-unknown-linux-gnu s390x-unknown-linux-musl
    sparc64-unknown-linux-gnu sparc64-unknown-netbsd sparc64-unknown-openbsd x86_64-apple-darwin
    x86_64-linux-android x86_64-pc-windows-msvc x86_64-unknown-dragonfly x86_64-unknown-freebsd
    x86_64-unknown-illumos x86_64-unknown-linux-gnu x86_64-unknown-linux-gnux32 x86_64-unknown-linux-musl
    x86_64-unknown-netbsd x86_64-unknown-openbsd
    """.split()
)


def x86_64_level(flags: Iterable[str]) -> str:
    """Return the x86-64 level that the processor *flags* of /proc/cpuinfo make up: ``x86-64-v3``.

    A level counts only when all below it are complete (x86-64 psABI, section 3.1.1).
    """
    have = {"lahf_lm" if flag == "lahf" else "sse3" if flag == "pni" else flag for flag in flags}
    reached = "x86-64-v1"
    for level, added in X86_64_LEVELS:
        if not added <= have:
            break
        reached = level
    return reached


def version_key(text: str) -> tuple[int, ...]:
    """Return a key by which dotted version numbers sort: ``2.9`` before ``2.28``."""
    parts = []
    for part in text.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts) or (0,)
