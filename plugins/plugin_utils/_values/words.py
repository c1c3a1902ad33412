# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words may stand in a field that has only certain ones? Pure; controller.

Each closed set of words is a type, for the checker, and a tuple of the same words, for what comes from outside.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

#: By the names that Rust's target triples and the manifest use.
OperatingSystem: TypeAlias = Literal[
    "linux", "android", "macos", "windows", "freebsd", "openbsd", "netbsd", "dragonfly", "illumos", "solaris", "aix"
]
#: By the names of Rust's target triples; ARM's version is not among them (see Requirement.cpu).
Architecture: TypeAlias = Literal[
    "x86_64",
    "i686",
    "aarch64",
    "arm",
    "powerpc",
    "powerpc64",
    "powerpc64le",
    "s390x",
    "riscv64",
    "riscv32",
    "loongarch64",
    "mips",
    "mipsel",
    "mips64",
    "mips64el",
    "sparc64",
]
#: What a script is for that runs on more than one of them.
AnyOne: TypeAlias = Literal["any"]
#: ``static`` needs none, ``system`` is the one of macOS, Windows and the BSDs.
Libc: TypeAlias = Literal["glibc", "musl", "bionic", "static", "system"]

OPERATING_SYSTEMS: tuple[OperatingSystem, ...] = get_args(OperatingSystem)
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
LIBCS: tuple[Libc, ...] = get_args(Libc)

#: What stands in bin_dir for a program.
BinKind: TypeAlias = Literal["link", "copy"]
#: By what else a tool is found below root.
Layout: TypeAlias = Literal["modulefiles", "tool_cache"]
#: How an asset is chosen among those that run on a host.
Prefer: TypeAlias = Literal["native", "static"]
#: Who downloads what a host lacks.
FetchFrom: TypeAlias = Literal["auto", "host", "controller"]
#: How a host looks whether its files are unchanged.
Integrity: TypeAlias = Literal["quick", "full"]
#: What a plan does with a tool on one host.
Action: TypeAlias = Literal["none", "install", "upgrade", "downgrade", "switch", "repair", "prune", "remove"]
#: What became of a tool between two lock files.
LockAction: TypeAlias = Literal["kept", "added", "upgraded", "downgraded", "relocked", "removed"]
#: What became of a proof that was verified again.
ProofVerdict: TypeAlias = Literal["verified", "refused", "unverified"]
#: In which way something on a host is not as it should be.
FindingKind: TypeAlias = Literal[
    "changed",
    "missing",
    "added",
    "mode",
    "owner",
    "group",
    "link",
    "capability",
    "acl",
    "hard_link",
    "layout",
    "listing",
    "receipt",
    "version",
    "refused",
    "shadowed",
    "unverified",
]
FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)
