# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machine gave this answer? The evidence that probe.sh prints → Host. Pure; runs on the controller.

The header reader for assets also reads the host's own programs, so that both are described in the same words (System V
gABI, chapters 4 and 5). The kernel's name for itself counts only for the kernel.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.answer_lines import AnswerLines, bytes_of
from ansible_collections.pinned.release.plugins.plugin_utils._program import executable
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.elf import ARCH_OF_HEADER
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import fpu_level, x86_64_level
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    ARCHITECTURES,
    Architecture,
    Libc,
    OperatingSystem,
)

#: The values of ``uname -m``, in the words of Requirement. MIPS kernels print the same for both byte orders.
MACHINES: dict[str, Architecture | None] = {
    **{arch: arch for arch in ARCHITECTURES},
    "amd64": "x86_64",
    "arm64": "aarch64",
    "i86pc": "x86_64",
    "sun4u": "sparc64",
    "sun4v": "sparc64",
    "ppc": "powerpc",
    "ppc64": "powerpc64",
    "ppc64le": "powerpc64le",
    "mips": None,
    "mips64": None,
    **dict.fromkeys(("i386", "i486", "i586", "i686", "x86"), "i686"),
}
#: The values of ``uname -s``, in the words of Requirement.
SYSTEMS: dict[str, OperatingSystem] = {
    "Linux": "linux",
    "Darwin": "macos",
    "FreeBSD": "freebsd",
    "OpenBSD": "openbsd",
    "NetBSD": "netbsd",
    "DragonFly": "dragonfly",
    "SunOS": "illumos",
    "AIX": "aix",
}
#: Distributions whose libc is musl, for hosts without a dynamically linked program that tells.
MUSL_DISTRIBUTIONS = frozenset({"alpine", "chimera", "postmarketos", "openwrt"})
#: Folders of programs that bring their own loader: the loader in the usual place is missing or a stub.
STORES_WITH_LOADERS = ("/nix/store/", "/gnu/store/")
EM_ARM, EF_ARM_ABI_FLOAT_HARD = 40, 0x400
#: Linux: include/uapi/linux/auxvec.h, arch/arm/include/uapi/asm/hwcap.h.
AT_HWCAP = 16
#: Its bits and the words of /proc/cpuinfo, the highest first; 64-bit kernels have two words of their own.
HWCAPS = ((1 << 12, "neon"), (1 << 19, "vfpd32"), (1 << 6, "vfp"))
FPUS_OF_FEATURES = {"asimd": "neon", "neon": "neon", "vfpd32": "vfpd32", "fp": "vfp", "vfp": "vfp"}
#: An entry of binfmt_misc (Documentation/admin-guide/binfmt-misc.rst) that matches programs by their architecture only:
#: EI_CLASS and EI_DATA, then e_machine. With the flag F the kernel keeps the interpreter open, so that a chroot or
#: container need not have it.
TRANSLATOR = re.compile(
    r"enabled interpreter /\S*qemu-\S+ flags: (?P<flags>[A-Z]*) offset 0 magic 7f454c46"
    r"0(?P<class>[12])0(?P<data>[12])([0-9a-f]{2}){12}(?P<machine>[0-9a-f]{4})( mask [0-9a-f]{40})? ?"
)


class Head(NamedTuple):
    """The first bytes of a program that runs on the host, and what its header says."""

    content: bytes
    requires: Requirement


def kernel_machine(uname: str) -> tuple[Architecture | None, str | None]:
    """Return the architecture, and for ARM its version, of a kernel by its ``uname -m``; None if that is unknown."""
    arm = re.match(r"armv([4-8])[a-z]*(?<!b)\Z", uname)
    if arm:
        return "arm", {"4": "armv4t", "5": "armv5te"}.get(arm.group(1), "armv" + arm.group(1))
    return MACHINES.get(uname), None


def host_of(said: AnswerLines) -> Host:
    """Return the machine that the lines of *said* are evidence of. A header that cannot be read counts as unknown."""
    system, kernel, release = [*said.one("uname").split(" ", 2), "", ""][:3]
    kernel_arch, arm_version = kernel_machine(kernel)
    if SYSTEMS.get(system) == "macos":
        return _macos(said, kernel_arch)
    os_release = _os_release(said)
    os = "solaris" if os_release.get("ID") == "solaris" else SYSTEMS.get(system)
    heads = _heads(said)
    userspace = next((head for head in heads if head.requires.interpreter), next(iter(heads), None))
    if userspace is None:
        return Host(os=os, arch=None, kernel_arch=kernel_arch, distribution=os_release.get("PRETTY_NAME"))
    own = userspace.requires
    arch = None if own.arch == "any" else own.arch
    libc, libc_version = _libc(said, own, os_release.get("ID", "")) if os == "linux" else ("system", None)
    return Host(
        os="android" if libc == "bionic" else os,
        arch=arch,
        abi=own.abi,
        libc=libc,
        libc_version=libc_version,
        kernel_arch=arch if own.arch.startswith("mips") and kernel.startswith("mips") else kernel_arch,
        loaders=_loaders(said, own),
        libraries=_libraries(said, userspace),
        cpu=_cpu(said, own, kernel_arch, arm_version),
        fpu=_fpu(said, userspace, kernel_arch),
        page_size=_number(said.one("page_size")),
        os_version=None if os == "linux" else release.split("-")[0] or None,
        distribution=os_release.get("PRETTY_NAME"),
        emulates=_emulates(said, own),
    )


def _os_release(said: AnswerLines) -> dict[str, str]:
    pairs = (line.partition("=") for line in said.all("os-release"))
    return {key: value.strip("\"' ") for key, _equals, value in pairs if value.strip("\"' ")}


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _macos(said: AnswerLines, kernel_arch: Architecture | None) -> Host:
    """Return the Mac. Under Rosetta 2 the kernel reports x86_64, but hw.optional.arm64 is true."""
    arch = "aarch64" if said.one("arm64") == "1" else kernel_arch
    has_rosetta = arch == "aarch64" and bool(said.all("rosetta"))
    version = said.one("macos")
    return Host(
        os="macos",
        arch=arch,
        libc="system",
        kernel_arch=arch,
        libraries=frozenset(need for need, _path, _content in said.fields("need", 3)),
        os_version=version or None,
        distribution=f"macOS {version}".strip(),
        emulates=("x86_64",) if has_rosetta else (),
    )


def _heads(said: AnswerLines) -> list[Head]:
    heads = []
    for path, text in said.fields("head", 2):
        try:
            content = bytes.fromhex(text)
            heads.append(Head(content, executable.read_host_elf(content, path)[0]))
        except (ValueError, ReleaseError):
            continue
    return [head for head in heads if head.content.startswith(b"\x7fELF")]


def _libc(said: AnswerLines, own: Requirement, distribution: str) -> tuple[Libc | None, str | None]:
    if own.libc == "musl" or (own.interpreter is None and distribution in MUSL_DISTRIBUTIONS):
        versions = {path: version for path, version in said.fields("musl", 2) if version}
        return "musl", versions.get(own.interpreter or "", next(iter(versions.values()), None))
    if own.libc == "glibc":
        version = re.fullmatch(r"glibc ([0-9]+(?:\.[0-9]+)+)", said.one("getconf"))
        return "glibc", version.group(1) if version else None
    return ("bionic", None) if own.libc == "bionic" else (None, None)


def _loaders(said: AnswerLines, own: Requirement) -> tuple[str, ...]:
    interpreter = own.interpreter or ""
    if interpreter.startswith(STORES_WITH_LOADERS):
        return ()
    return tuple(dict.fromkeys(path for path in (*said.all("loader"), interpreter) if path))


def _libraries(said: AnswerLines, userspace: Head) -> frozenset[str]:
    """Return the needs that were found. Libraries count only if they are for the userspace's own architecture."""
    found = set()
    for need, _path, text in said.fields("need", 3):
        if text == "-" or _machine_of(bytes_of(text)) == _machine_of(userspace.content):
            found.add(need)
    return frozenset(found)


def _machine_of(elf: bytes) -> tuple[bytes, bytes, bool] | None:
    """Return EI_CLASS and EI_DATA, e_machine, and whether it is ARM with hard float; None for an incomplete header."""
    if len(elf) < 40 or not elf.startswith(b"\x7fELF"):
        return None
    is_arm = elf[18:20] == EM_ARM.to_bytes(2, "little")
    flags = int.from_bytes(elf[36:40], "little")
    return elf[4:6], elf[18:20], is_arm and bool(flags & EF_ARM_ABI_FLOAT_HARD)


def _cpu(said: AnswerLines, own: Requirement, kernel_arch: str | None, arm_version: str | None) -> str | None:
    name, _colon, flags = said.one("cpu").partition(":")
    if kernel_arch == "x86_64":
        return x86_64_level(flags.split()) if name.strip() == "flags" else None
    if own.arch == "arm":
        return "armv8" if kernel_arch == "aarch64" else arm_version
    return None


def _fpu(said: AnswerLines, userspace: Head, kernel_arch: str | None) -> str | None:
    """Return the floating point unit. The auxiliary vector decides; 64-bit kernels need NEON.

    /proc/cpuinfo comes last: under qemu it describes the machine of the emulator.
    """
    if userspace.requires.arch != "arm":
        return None
    capabilities = _auxiliary_vector(said, userspace).get(AT_HWCAP)
    if capabilities is not None:
        return next((fpu for bit, fpu in HWCAPS if capabilities & bit), "none")
    if kernel_arch == "aarch64":
        return "neon"
    name, _colon, features = said.one("cpu").partition(":")
    if name.strip() != "Features":
        return None
    return max((FPUS_OF_FEATURES.get(word, "none") for word in features.split()), key=fpu_level, default="none")


def _emulates(said: AnswerLines, own: Requirement) -> tuple[Architecture, ...]:
    """Return the architectures for which qemu's user emulation is registered with the kernel.

    The kernel recognises their programs by the first bytes. The name of an entry is arbitrary, so it proves nothing.
    """
    found = []
    for presence, entry in said.fields("translator", 2):
        translator = TRANSLATOR.fullmatch(entry)
        if translator and (presence == "found" or "F" in translator["flags"]):
            is_little = translator["data"] == "1"
            machine = int.from_bytes(bytes.fromhex(translator["machine"]), "little" if is_little else "big")
            found.append(ARCH_OF_HEADER.get((machine, 32 * int(translator["class"]), "<" if is_little else ">")))
    return tuple(dict.fromkeys(arch for arch in found if arch and arch != own.arch))


def _auxiliary_vector(said: AnswerLines, userspace: Head) -> dict[int, int]:
    """Return the auxiliary vector of a 32-bit program: pairs of words in its byte order."""
    content = bytes_of(said.one("auxv"))
    order = "<" if userspace.content[5:6] == b"\1" else ">"
    return dict(struct.iter_unpack(f"{order}II", content)) if len(content) % 8 == 0 else {}
