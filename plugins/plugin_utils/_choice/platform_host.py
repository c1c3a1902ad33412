# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does every host of a platform provide, when none of them can be asked? Pure; runs on the controller.

No more than the platform's words and its ABI say: its libc and the loader of that, but no other library and no newer
processor. So a static build is chosen where a host that was asked might get another one. Where a libc has its loader
is part of the ABI (sourceware.org/glibc/wiki/ABIList; wiki.musl-libc.org/guidelines-for-distributions.html).
"""

from __future__ import annotations

from typing import cast

from ansible_collections.pinned.release.plugins.plugin_utils._host.facts import ABI_OF_DISTRIBUTIONS
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    Architecture,
    Libc,
    OperatingSystem,
)

_ABI = {**ABI_OF_DISTRIBUTIONS, "powerpc64": "elfv1"}
#: By architecture, or by the ABI of ARM.
_LOADERS: dict[tuple[str, str], str] = {
    ("glibc", "x86_64"): "/lib64/ld-linux-x86-64.so.2",
    ("glibc", "i686"): "/lib/ld-linux.so.2",
    ("glibc", "aarch64"): "/lib/ld-linux-aarch64.so.1",
    ("glibc", "eabihf"): "/lib/ld-linux-armhf.so.3",
    ("glibc", "eabi"): "/lib/ld-linux.so.3",
    ("glibc", "powerpc64le"): "/lib64/ld64.so.2",
    ("glibc", "powerpc64"): "/lib64/ld64.so.1",
    ("glibc", "s390x"): "/lib/ld64.so.1",
    ("glibc", "riscv64"): "/lib/ld-linux-riscv64-lp64d.so.1",
    ("glibc", "loongarch64"): "/lib64/ld-linux-loongarch-lp64d.so.1",
    ("musl", "i686"): "/lib/ld-musl-i386.so.1",
    ("musl", "eabihf"): "/lib/ld-musl-armhf.so.1",
    ("musl", "eabi"): "/lib/ld-musl-arm.so.1",
    **{
        ("musl", arch): f"/lib/ld-musl-{arch}.so.1"
        for arch in ("x86_64", "aarch64", "powerpc64le", "powerpc64", "s390x", "riscv64", "loongarch64")
    },
}


def host_of(platform: Platform) -> Host:
    """Return the host that has what *platform* says, and nothing else that is known."""
    floor = platform.floor
    libc = _libc(platform)
    loader = _LOADERS.get((libc or "", platform.abi or platform.arch))
    return Host(
        os=cast(OperatingSystem, platform.os),
        arch=cast(Architecture, platform.arch),
        abi=platform.abi or (_ABI.get(platform.arch) if platform.os == "linux" else None),
        libc=libc,
        libc_version=floor.version if floor and libc != "system" else None,
        loaders=(loader,) if loader else None,
        cpu=platform.cpu,
        os_version=floor.version if floor and libc == "system" else None,
        distribution=f"any {platform}",
    )


def _libc(platform: Platform) -> Libc | None:
    if platform.os == "linux":
        return platform.floor.libc if platform.floor else None
    return "bionic" if platform.os == "android" else "system"
