# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a machine provide? The value that the probe and gathered facts become. Pure; runs on the controller.

Processor levels follow the x86-64 psABI, section 3.1.1, and the versions of the Arm architecture.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Host:
    """What one machine provides. None means unknown, and unknown refuses.

    os, arch, abi, libc   in the words of Requirement; they speak of the userspace, not of the kernel
    libc_version          ``2.36``, ``1.2.5``
    kernel_arch           what the kernel itself runs; on a 64-bit kernel it may be more than *arch*
    loaders               program interpreters that exist there and work, by path
    libraries             those of the asked-for needs (target.needs) that were found there
    cpu                   x86-64 level, or ARM version
    fpu                   ARM: one of FPUS, what the processor has for floating point
    page_size             of the kernel, in bytes
    os_version            of macOS, FreeBSD …
    distribution          for people: ``Debian GNU/Linux 12 (bookworm)``
    emulates              architectures that it runs by translation: ``("x86_64",)`` with Rosetta 2, those of qemu-user
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
    fpu: str | None = None
    page_size: int | None = None
    os_version: str | None = None
    distribution: str | None = None
    emulates: tuple[str, ...] = ()


def assuming(host: Host, assumed: Mapping[str, Any]) -> Host:
    """Return *host* with what a user says of it: what is not known is filled in, what there is of something, added.

    What is known is not overruled.
    """
    known = asdict(host)
    told = {name: value for name, value in assumed.items() if value is not None}
    lists: dict[str, Any] = {
        name: (*(known[name] or ()), *value) for name, value in told.items() if isinstance(value, list)
    }
    if "libraries" in lists:
        lists["libraries"] = frozenset(lists["libraries"])
    scalars = {name: value for name, value in told.items() if known[name] is None and name not in lists}
    return replace(host, **scalars, **lists)


#: The flags of /proc/cpuinfo that each micro-architecture level adds to the one before. ``pni`` is SSE3, ``abm`` LZCNT;
#: OSXSAVE has no flag of its own, Linux shows ``avx`` only where it is on.
X86_64_LEVELS = (
    ("x86-64-v2", frozenset(["cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3"])),
    ("x86-64-v3", frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"])),
    ("x86-64-v4", frozenset(["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"])),
)
ARM_VERSIONS = ("armv4t", "armv5te", "armv6", "armv7", "armv8")
#: What ARM processors have for floating point, in the words of /proc/cpuinfo: nothing, 16 double registers, 32 of them,
#: NEON in these. Each has what is before it.
FPUS = ("none", "vfp", "vfpd32", "neon")
#: The processors of each architecture that has several, the oldest first: each runs the programs of those before it.
PROCESSORS = {
    "arm": ARM_VERSIONS,
    "x86_64": ("x86-64-v1", *(level for level, _flags in X86_64_LEVELS)),
}


def x86_64_level(flags: Iterable[str]) -> str:
    """Return the x86-64 level that the processor *flags* of /proc/cpuinfo make up: ``x86-64-v3``.

    A level counts only when all below it are complete.
    """
    have = set(flags)
    reached = "x86-64-v1"
    for level, added in X86_64_LEVELS:
        if not added <= have:
            break
        reached = level
    return reached


def fpu_level(fpu: str | None) -> int:
    """Return the place of *fpu* among FPUS; what is not known counts as nothing."""
    return FPUS.index(fpu) if fpu in FPUS else 0


def version_key(text: str) -> tuple[int, ...]:
    """Return a key by which dotted version numbers sort: ``2.9`` before ``2.28``, and ``14`` as ``14.0``.

    What is no number ends it; text that begins with none counts as 0.
    """
    leading = re.match(r"[0-9]{1,18}(\.[0-9]{1,18})*", text)
    numbers = [int(number) for number in leading.group().split(".")] if leading else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
