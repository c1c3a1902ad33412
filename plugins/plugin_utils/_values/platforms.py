# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which platforms can a manifest name, and by which words? Pure; runs on the controller.

A platform may end in its floor, which says what all of its hosts have: ``linux/x86_64/glibc2.28``. The versions of
glibc are those of its symbols (sourceware.org/glibc/wiki/Glibc%20Timeline).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import Literal

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest

_LONGEST_SHOWN = 255
FLOORS = "linux/x86_64/glibc2.28, linux/x86_64/musl or macos/aarch64/13"
_NUMBER = "(?:0|[1-9][0-9]{0,2})"
_GLIBC = re.compile(rf"glibc({_NUMBER}(?:\.{_NUMBER}){{1,2}})\Z")
_MUSL = re.compile(rf"musl({_NUMBER}(?:\.{_NUMBER}){{1,2}})?\Z")
_MACOS = re.compile(rf"([1-9][0-9]{{0,2}}(?:\.{_NUMBER}){{0,2}}?)(?:\.0)*\Z")


class UnknownFloorError(ReleaseError):
    """A text names a platform, and what stands behind that is no floor."""


@dataclass(frozen=True)
class Floor:
    """What all hosts of a platform have.

    libc     ``glibc`` or ``musl``; on macOS ``system``
    version  the oldest of that libc, or of macOS; None if any is possible
    """

    libc: Literal["glibc", "musl", "system"]
    version: str | None = None

    def __str__(self) -> str:
        return f"{'' if self.libc == 'system' else self.libc}{self.version or ''}"


@dataclass(frozen=True)
class Platform:
    """One platform of a manifest. *cpu* and *abi* distinguish those of ARM; their words are those of requirement.py.

    *floor* is what all of its hosts have; None if nothing is known of that.
    """

    os: str
    arch: str
    cpu: str | None = None
    abi: str | None = None
    floor: Floor | None = None

    def __str__(self) -> str:
        return f"{self.os}/{self.cpu or self.arch}" + (f"/{self.floor}" if self.floor else "")

    @property
    def base(self) -> Platform:
        """The platform without its floor."""
        return replace(self, floor=None)


def parse_platform(text: str) -> Platform:
    """Return the platform that *text* names: ``linux/x86_64``, or a common alias (``linux/amd64``, ``darwin/arm64``).

    It may have a floor: ``linux/x86_64/glibc2.28``, ``linux/x86_64/musl``, ``macos/aarch64/13``. Raises ReleaseError if
    *text* names no platform, UnknownFloorError if what stands behind one is no floor.
    """
    name = text.strip().lower()
    platform = _base(name)
    if platform:
        return platform
    before, _slash, last = name.rpartition("/")
    base = _base(before)
    floor = _floor(base, last) if base else None
    if base and floor:
        return replace(base, floor=floor)
    if base:
        meant = _meant_floor(base, last)
        raise UnknownFloorError(
            f"unknown floor {last[:_LONGEST_SHOWN]!r} of the platform {base}",
            expected=f"{base}/{meant}" if meant else f"what all hosts of the platform have, as in {FLOORS}",
        )
    near = _near(name[:_LONGEST_SHOWN])
    raise ReleaseError(
        f"unknown platform {text[:_LONGEST_SHOWN]!r}" + (f"; did you mean {near}?" if near else ""),
        expected=None if near else "one of " + " ".join(PLATFORMS),
        fix="write it as system/architecture, for example linux/x86_64",
    )


def _near(name: str) -> str:
    """Return the platform that *name* nearly is, in system and architecture; "" if it is none."""
    for known in difflib.get_close_matches(name, [*PLATFORMS, *SPELLINGS], 3, 0.75):
        parts = zip(name.partition("/")[::2], known.partition("/")[::2], strict=True)
        if all(difflib.get_close_matches(part, [right], 1, 0.7) for part, right in parts):
            return known
    return ""


def _meant_floor(base: Platform, text: str) -> Floor | None:
    """Return the floor that *text* nearly is: a libc with a slip in its name."""
    libc = re.match("[a-z]+", text)
    near = nearest(libc[0], ("glibc", "musl")) if libc else None
    return _floor(base, f"{near}{text[libc.end() :]}") if libc and near else None


def _base(name: str) -> Platform | None:
    system, _slash, arch = name.partition("/")
    return PLATFORMS.get(f"{_SYSTEM_ALIASES.get(system, system)}/{_ARCH_ALIASES.get(arch, arch)}")


def _floor(base: Platform, text: str) -> Floor | None:
    glibc, musl, macos = _GLIBC.match(text), _MUSL.match(text), _MACOS.match(text)
    if base.os == "linux" and glibc:
        return Floor("glibc", glibc[1])
    if base.os == "linux" and musl:
        return Floor("musl", musl[1])
    return Floor("system", macos[1]) if base.os == "macos" and macos else None


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
