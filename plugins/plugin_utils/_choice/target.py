# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Will this program start on that host, and which of several is best there? Pure; runs on the controller.

The rules follow the System V gABI (program interpreter, needed libraries, symbol versions), the x86-64 psABI
(micro-architecture levels), the Arm, RISC-V and LoongArch ABIs (float calling conventions), and the libraries that
dyld takes from macOS itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    ABIS_WITHOUT_HARDWARE,
    FIXED_PAGE_SIZES,
    FPU_NAMES,
    LARGEST_PAGE_SIZE,
    PROCESSORS,
    SEVERAL_ABIS,
    SILENT_ARM_PROGRAM,
    SYSTEM_NAMES,
    dotted_numbers,
    fpu_level,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Prefer


@dataclass(frozen=True)
class Verdict:
    """Whether a program starts on a host, and why, in one line."""

    is_admissible: bool
    reason: str


#: Libraries that are parts of a libc: every host with that libc has them.
LIBC_PARTS = {
    "glibc": frozenset(["libc.so.6", "libm.so.6", "libmvec.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1"])
    | frozenset(["libutil.so.1", "libresolv.so.2", "libanl.so.1"]),
    "musl": frozenset(["libc.so"]),
    "bionic": frozenset(["libc.so", "libm.so", "libdl.so", "liblog.so"]),
}
LOADERS_AS_LIBRARIES = ("ld-linux", "ld64.so", "ld-musl-", "libc.musl-", "ld.so")
#: The folders of macOS's own libraries. Since macOS 11 most of them are not files.
MACOS_LIBRARIES = ("/usr/lib/", "/System/")
#: Which library carries a family of symbol versions.
VERSION_CARRIERS = {
    "GLIBCXX": "libstdc++.so.6",
    "CXXABI": "libstdc++.so.6",
    "GCC": "libgcc_s.so.1",
    "FBSD": "libc.so.7",
    "ILLUMOS": "libc.so.1",
}
#: The largest number of missing things that a reason names, and its greatest length in characters.
MAX_NAMED, MAX_REASON_LENGTH = 4, 300


def needs(requirement: Requirement) -> tuple[str, ...]:
    """Return what must be looked for on a host.

    That is libraries (``libz.so.1``), symbol versions in them (``libstdc++.so.6:GLIBCXX_3.4.21``), files
    (``/bin/bash``), and programs in the system's own folders (``bin/python3``). The libc's own parts, and what every
    macOS has, need not be looked for; a symbol version matters only if the program does not bring its library.
    """
    if requirement.is_script:
        interpreters = (requirement.interpreter, *requirement.more_interpreters)
        return tuple(name if name.startswith("/") else f"bin/{name}" for name in interpreters if name)
    if requirement.libc == "static" or requirement.os == "windows":
        return ()
    if requirement.os == "macos":
        libraries = (library for library in requirement.libraries if library.startswith("/"))
        return tuple(sorted({library for library in libraries if not library.startswith(MACOS_LIBRARIES)}))
    named = {library for library in requirement.libraries if not _is_part_of_libc(library, requirement.libc)}
    for family, version in requirement.versions:
        carrier = VERSION_CARRIERS.get(family)
        if carrier in requirement.libraries:
            named.add(f"{carrier}:{family}_{version}")
    return tuple(sorted(named))


def _is_part_of_libc(library: str, libc: str | None) -> bool:
    parts = LIBC_PARTS.get(libc or "")
    return parts is not None and (library in parts or library.startswith(LOADERS_AS_LIBRARIES))


def admissible(requirement: Requirement, host: Host) -> Verdict:
    """Return whether a program with *requirement* starts on *host*, with the reason for either answer.

    What is unknown counts as missing: the answer never guesses upward. A host that provides more therefore admits every
    program that a host that provides less admits.
    """
    for check in CHECKS:
        obstacle = check(requirement, host)
        if obstacle:
            return Verdict(False, _one_line(obstacle))
    return Verdict(True, _one_line(_why(requirement, host)))


def _one_line(text: str) -> str:
    """Return *text* as one short line. Its names come from untrusted bytes, which may hold line ends and controls."""
    return shortened(text, MAX_REASON_LENGTH)


def _check_os(requirement: Requirement, host: Host) -> str | None:
    if requirement.is_script and requirement.os == "any":
        return None
    if host.os != requirement.os:
        return f"is built for {requirement.os}, host runs {host.os or 'an unknown system'}"
    if requirement.os_min is None:
        return None
    needed = f"{SYSTEM_NAMES.get(requirement.os, requirement.os)} {requirement.os_min}"
    if host.os_version is None:
        return f"needs {needed}, the host's version is unknown"
    if dotted_numbers(host.os_version) < dotted_numbers(requirement.os_min):
        return f"needs {needed}, host has {host.os_version}"
    return None


def _check_arch(requirement: Requirement, host: Host) -> str | None:
    """A host also starts static programs for its kernel's architecture, and for those that it emulates.

    Rosetta 2 brings the libraries for dynamic programs, qemu-user does not. Whether a 64-bit kernel runs 32-bit
    programs depends on its configuration and the processor, so it is not guessed.
    """
    arch = requirement.arch
    if arch == host.arch or (requirement.is_script and arch == "any"):
        return None
    is_translated = arch in host.emulates
    if is_translated and host.os == "macos":
        return None
    if is_translated or arch == host.kernel_arch:
        if requirement.libc == "static":
            return None
        return f"is a dynamic program for {arch}, the host's libraries are for {host.arch or 'unknown'} programs"
    without = " without Rosetta 2" if (host.os, host.arch, arch) == ("macos", "aarch64", "x86_64") else ""
    return f"is built for {arch}, host runs {host.arch or 'an unknown architecture'}{without}"


def _check_abi(requirement: Requirement, host: Host) -> str | None:
    """A program and its libraries must use the same ABI. A static program only needs the registers that it uses."""
    needed = requirement.abi
    offered = host.abi if requirement.arch == host.arch else None
    is_static = requirement.libc == "static"
    if requirement.arch == "arm" and (is_static or needed is None):
        return None
    if needed is None and requirement.is_script:
        return None
    if needed is None and requirement.arch in SEVERAL_ABIS:
        return f"does not say which ABI of {requirement.arch} it uses"
    if needed == offered or (is_static and (needed in ABIS_WITHOUT_HARDWARE or offered == "x32")):
        return None
    if offered is None:
        return f"uses the {needed} ABI, which the host is not known to have"
    return f"uses the {needed or 'usual'} ABI of {requirement.arch}, host uses {offered}"


def _check_cpu(requirement: Requirement, host: Host) -> str | None:
    if requirement.cpu is None and (requirement.arch != "arm" or requirement.is_script):
        return None
    needed = requirement.cpu or SILENT_ARM_PROGRAM
    order = PROCESSORS.get(requirement.arch, ())
    if needed in order and host.cpu in order and order.index(host.cpu) >= order.index(needed):
        return None
    found = f"host has {host.cpu}" if host.cpu else "the host's is unknown"
    if requirement.cpu is None:
        return f"does not say which processor it needs; {needed} is enough, {found}"
    return f"needs {'an' if needed[0] in 'ax' else 'a'} {needed} processor, {found}"


def _check_fpu(requirement: Requirement, host: Host) -> str | None:
    """This check is last, because such a program loads and then dies. A userspace with hard float proves that there are
    registers; a static program may use hard float in a userspace without it.
    """
    if requirement.arch != "arm" or requirement.is_script:
        return None
    needed = requirement.fpu or ("vfp" if requirement.libc == "static" and requirement.abi != "eabi" else "none")
    shown = "vfp" if (host.arch, host.abi) == ("arm", "eabihf") else "none"
    if max(fpu_level(host.fpu), fpu_level(shown)) >= fpu_level(needed):
        return None
    return f"may use {FPU_NAMES[needed]}, which the host {'lacks' if host.fpu else 'is not known to have'}"


def _check_page_size(requirement: Requirement, host: Host) -> str | None:
    page_size = host.page_size or FIXED_PAGE_SIZES.get(requirement.arch)
    if requirement.page_size is None or (page_size or LARGEST_PAGE_SIZE) <= requirement.page_size:
        return None
    found = f"the host's kernel has {page_size}" if page_size else "the host's page size is unknown"
    return f"is aligned for pages of {requirement.page_size} bytes, {found}"


def _check_libc(requirement: Requirement, host: Host) -> str | None:
    if requirement.is_script or requirement.libc == "static":
        return None
    needed = f"{_label(requirement)} needs {requirement.libc}"
    if host.libc is None:
        return f"{needed}, the host's libc is unknown"
    if requirement.libc != host.libc:
        return f"{needed}, host has {' '.join(filter(None, (host.libc, host.libc_version)))}"
    if requirement.libc_min:
        if host.libc_version is None:
            return f"{needed} {requirement.libc_min}, the host's version is unknown"
        if dotted_numbers(host.libc_version) < dotted_numbers(requirement.libc_min):
            return f"{needed} {requirement.libc_min}, host has {host.libc_version}"
    return _check_loader(requirement, host)


def _check_loader(requirement: Requirement, host: Host) -> str | None:
    if requirement.libc == "system":
        return None
    if requirement.interpreter is None:
        return "is dynamic but names no loader"
    needed = f"{_label(requirement)} needs the loader {requirement.interpreter}"
    if host.loaders is None:
        return f"{needed}, the host's loaders are unknown"
    return None if requirement.interpreter in host.loaders else f"{needed}, which the host lacks"


def _check_libraries(requirement: Requirement, host: Host) -> str | None:
    if requirement.is_script and not requirement.interpreter:
        return "is a script that names no interpreter"
    wanted = needs(requirement)
    if not wanted:
        return None
    if host.libraries is None:
        return f"needs {_named(wanted)}, which was not looked for on the host"
    missing = [need for need in wanted if need not in host.libraries]
    # If a library is missing, do not list its versions as well.
    missing = [need for need in missing if need.partition(":")[0] not in missing or ":" not in need]
    return f"needs {_named(missing)}, which was not found on the host" if missing else None


#: Each returns why a program would not start, or None. The first reason counts, so the plainest come first.
CHECKS: tuple[Callable[[Requirement, Host], str | None], ...] = (
    _check_os,
    _check_arch,
    _check_abi,
    _check_cpu,
    _check_page_size,
    _check_libc,
    _check_libraries,
    _check_fpu,
)


def _named(wanted: Sequence[str]) -> str:
    return listed((need.removeprefix("bin/").replace(":", " with ") for need in wanted), MAX_NAMED)


def _label(requirement: Requirement) -> str:
    return f"{'gnu' if requirement.libc == 'glibc' else requirement.libc} build"


def _why(requirement: Requirement, host: Host) -> str:
    note = beside(requirement, host)
    if requirement.is_script:
        return f"script, host has {_named(needs(requirement))}{note}"
    if requirement.libc == "static":
        return f"static {requirement.arch} build, needs no libc{note}"
    if requirement.libc == "system":
        floor = f" {requirement.os_min}" if requirement.os_min else ""
        system = SYSTEM_NAMES.get(requirement.os, requirement.os)
        return f"needs {system}{floor}, host has {host.os_version or 'it'}{note}"
    floor = f" {requirement.libc_min}" if requirement.libc_min else ""
    return f"{_label(requirement)} needs {requirement.libc}{floor}, host has {host.libc_version or 'it'}"


def beside(requirement: Requirement, host: Host) -> str:
    """Return the end of a reason: whether *requirement* is emulated on *host*, or beside its own userspace; else ""."""
    if requirement.arch in (host.arch, "any"):
        return ""
    userspace = host.arch or "an unknown userspace"
    if requirement.arch in host.emulates:
        return f", {requirement.arch} emulated on {userspace}"
    return f", {requirement.arch} beside {userspace}"


def preference(requirement: Requirement, host: Host, prefer: Prefer = "native") -> tuple[int, ...]:
    """Return a sort key for the programs of one tool on *host*: the admissible program with the smallest key is best.

    The order is: native architecture before translated; newest processor level first; then, by *prefer*, the host's own
    libc before static builds (``native``) or after them (``static``), and scripts and other libcs last, scripts for
    this platform before those for any. Among equals, the host's own float ABI comes first, and then the highest libc
    floor, because that build was made for newer systems; pip does the same (PEP 600).
    """
    order = PROCESSORS.get(requirement.arch, ())
    level = order.index(requirement.cpu) if requirement.cpu in order else 0
    kinds = [host.libc, "static"] if prefer == "native" else ["static", host.libc]
    kind = kinds.index(requirement.libc) if requirement.libc and requirement.libc in kinds else len(kinds)
    floor = (*dotted_numbers(requirement.libc_min or ""), 0, 0, 0)[:3]
    is_translated = requirement.arch not in (host.arch, "any")
    is_vague = (requirement.os == "any") + (requirement.arch == "any")
    is_foreign_abi = requirement.abi != host.abi
    return (is_translated, -level, kind, is_vague, is_foreign_abi, *(-number for number in floor))
