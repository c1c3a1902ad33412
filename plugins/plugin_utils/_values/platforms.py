# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which platforms can a manifest name, and by which words? Pure; runs on the controller."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

_LONGEST_SHOWN = 255


@dataclass(frozen=True)
class Platform:
    """One platform of a manifest. *cpu* and *abi* distinguish those of ARM; their words are those of requirement.py."""

    os: str
    arch: str
    cpu: str | None = None
    abi: str | None = None

    def __str__(self) -> str:
        return f"{self.os}/{self.cpu or self.arch}"


def parse_platform(text: str) -> Platform:
    """Return the platform that *text* names: ``linux/x86_64``, or a common alias (``linux/amd64``, ``darwin/arm64``).

    Raises ReleaseError if it names none.
    """
    system, _slash, arch = text.strip().lower().partition("/")
    canonical = f"{_SYSTEM_ALIASES.get(system, system)}/{_ARCH_ALIASES.get(arch, arch)}"
    if canonical in PLATFORMS:
        return PLATFORMS[canonical]
    raise ReleaseError(
        f"unknown platform {text[:_LONGEST_SHOWN]!r}",
        expected="one of " + " ".join(PLATFORMS),
        fix="write it as system/architecture, for example linux/x86_64",
    )


_ARM = {
    "armv7": Platform("linux", "arm", "armv7", "eabihf"),
    "armv6": Platform("linux", "arm", "armv6", "eabihf"),
    "armv5te": Platform("linux", "arm", "armv5te", "eabi"),
}
_ARCHES_OF = {
    "linux": "x86_64 i686 aarch64 armv7 armv6 armv5te powerpc64le powerpc64 s390x riscv64 loongarch64 "
    "mips mipsel mips64 mips64el sparc64",
    "macos": "aarch64 x86_64",
    "windows": "x86_64 i686 aarch64",
    "freebsd": "x86_64 i686 aarch64",
    "openbsd": "x86_64 i686 aarch64",
    "netbsd": "x86_64 i686 aarch64",
    "dragonfly": "x86_64",
    "illumos": "x86_64",
    "android": "aarch64 x86_64",
}
PLATFORMS: dict[str, Platform] = {
    f"{system}/{arch}": _ARM.get(arch, Platform(system, arch))
    for system, all_of in _ARCHES_OF.items()
    for arch in all_of.split()
}
_SYSTEM_ALIASES = {
    "darwin": "macos",
    "osx": "macos",
    "mac": "macos",
    "win": "windows",
    "win32": "windows",
    "sunos": "illumos",
}
_ARCH_ALIASES = {
    **dict.fromkeys(("amd64", "x64", "x86-64", "64bit"), "x86_64"),
    **dict.fromkeys(("i386", "386", "i586", "x86", "ia32", "32bit"), "i686"),
    **dict.fromkeys(("arm64", "armv8"), "aarch64"),
    **dict.fromkeys(("armhf", "armv7l", "arm", "arm/v7", "arm32v7"), "armv7"),
    **dict.fromkeys(("armv6l", "armv6hf", "arm/v6", "arm32v6"), "armv6"),
    **dict.fromkeys(("armel", "armv5", "arm/v5", "armv5tel"), "armv5te"),
    **dict.fromkeys(("ppc64le", "ppc64el"), "powerpc64le"),
    "ppc64": "powerpc64",
    "riscv64gc": "riscv64",
    **dict.fromkeys(("loong64", "loongarch"), "loongarch64"),
    "mipsle": "mipsel",
    "mips64le": "mips64el",
}
#: All names of platforms in lower case, with the common aliases.
SPELLINGS = (
    *PLATFORMS,
    *(
        f"{name.partition('/')[0]}/{alias}"
        for name in PLATFORMS
        for alias, arch in _ARCH_ALIASES.items()
        if name.endswith(f"/{arch}")
    ),
)
#: Architectures that only Linux has here.
ONLY_ON_LINUX = frozenset(platform.arch for platform in PLATFORMS.values() if platform.os == "linux") - {
    platform.arch for platform in PLATFORMS.values() if platform.os != "linux"
}
