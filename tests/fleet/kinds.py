# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sorts of hosts are there, and what makes each of them what it is?"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping, Sequence

from system import LabError

# Raise it when a recipe changes: the roots built by the older one are then no longer used.
RECIPE_VERSION = 1
QEMU = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armel": "arm",
    "armhf": "arm",
    "i386": "i386",
    "ppc64el": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
NATIVE = {"x86_64": ("amd64", "i386"), "aarch64": ("arm64",)}


@dataclasses.dataclass(frozen=True)
class Root:
    """A root file system: a Debian release, or "alpine", for one architecture in Debian's words."""

    suite: str
    architecture: str
    has_selinux: bool = False
    has_shells: bool = False

    @property
    def name(self) -> str:
        special = "-selinux" if self.has_selinux else "-shells" if self.has_shells else ""
        return f"{self.suite}-{self.architecture}{special}"

    @property
    def emulator(self) -> str:
        """Name qemu's emulator for it, or "" where this machine runs it natively."""
        return "" if self.architecture in NATIVE.get(platform.machine(), ()) else f"qemu-{QEMU[self.architecture]}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """What one sort of host is: its root and what else makes it different."""

    root: Root
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    is_linux32: bool = False
    has_oldest_python: bool = False


KINDS: dict[str, Kind] = {
    root.name: Kind(root)
    for root in (
        Root("bullseye", "amd64"),
        Root("bookworm", "amd64"),
        Root("trixie", "amd64"),
        Root("bookworm", "i386"),
        Root("alpine", "amd64"),
        Root("alpine", "arm64"),
        Root("bookworm", "arm64"),
        Root("bookworm", "armhf"),
        Root("bookworm", "armel"),
        Root("bookworm", "ppc64el"),
        Root("bookworm", "s390x"),
        Root("trixie", "riscv64"),
    )
}
DEFAULT_HOSTS = tuple(KINDS)[:5]
KINDS |= {
    "bookworm-i386-linux32": Kind(Root("bookworm", "i386"), is_linux32=True),
    "armv6l": Kind(Root("bookworm", "armel"), environment={"QEMU_CPU": "arm1176"}),
    "armv7l-without-neon": Kind(Root("bookworm", "armhf"), environment={"QEMU_CPU": "cortex-a9,neon=off"}),
    "python36": Kind(Root("bookworm", "amd64"), has_oldest_python=True),
    "selinux": Kind(Root("bookworm", "amd64", has_selinux=True)),
    "shells": Kind(Root("bookworm", "amd64", has_shells=True)),
}
ON_REQUEST = ("python36", "selinux", "shells")


def kinds_of(words: Sequence[str]) -> list[str]:
    """Turn the words of the command line into kinds of hosts: names, or the sets `default` and `all`."""
    sets = {"default": DEFAULT_HOSTS, "all": tuple(kind for kind in KINDS if kind not in ON_REQUEST)}
    kinds = list(dict.fromkeys(kind for word in words or ("default",) for kind in sets.get(word, (word,))))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise LabError(f"no such host: {', '.join(unknown)}; there are: {', '.join([*sets, *KINDS])}")
    return kinds
