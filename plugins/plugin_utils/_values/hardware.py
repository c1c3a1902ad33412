# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processors are there, and which of them run the programs of which others? Pure; controller.

Processor levels follow the x86-64 psABI, section 3.1.1, and the versions of the Arm architecture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SYSTEM_NAMES = {"macos": "macOS", "windows": "Windows"}


#: Architectures on which every Linux kernel has the same page size, and the largest that any kernel has, in bytes.
FIXED_PAGE_SIZES = {"x86_64": 4096, "i686": 4096, "s390x": 4096, "riscv64": 4096}


LARGEST_PAGE_SIZE = 65536


#: A program for ARM that does not name its processor was built by an old Go, whose highest GOARM is 7.
SILENT_ARM_PROGRAM = "armv7"


#: Values of fpu, for people.
FPU_NAMES = {"vfp": "hardware floating point", "vfpd32": "32 floating point registers", "neon": "NEON"}


#: ABIs that matter only between a program and its libraries: their code needs no special registers.
ABIS_WITHOUT_HARDWARE = ("elfv1", "elfv2", "ilp32", "lp64", "lp64s")


#: Architectures with several ABIs: a program whose ABI is unknown may use any of them.
SEVERAL_ABIS = ("powerpc64", "powerpc64le", "riscv32", "riscv64", "loongarch64")


#: The flags of /proc/cpuinfo that each micro-architecture level adds to the one before. ``pni`` is SSE3, ``abm`` LZCNT;
#: OSXSAVE has no flag of its own, Linux shows ``avx`` only where it is on.
X86_64_LEVELS = (
    ("x86-64-v2", frozenset(["cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3"])),
    ("x86-64-v3", frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"])),
    ("x86-64-v4", frozenset(["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"])),
)


ARM_VERSIONS = ("armv4t", "armv5te", "armv6", "armv7", "armv8")


#: What ARM processors have for floating point, in the words of /proc/cpuinfo: nothing, 16 double registers, 32 of them,
#: NEON. Each includes those before it.
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
    """Return the position of *fpu* in FPUS; 0 if it is unknown."""
    return FPUS.index(fpu) if fpu in FPUS else 0


def dotted_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of *text* without zeros at the end: ``2.28`` as (2, 28), ``14.0`` as (14,).

    This compares what a host has with what a program needs of a libc or an operating system: kernels and libcs add text
    of their own, so whatever is no number ends it, and text that begins with none counts as 0. It does not order the
    versions of tools, which may be pre-releases: that is version.order_of().
    """
    leading = re.match(r"[0-9]{1,18}(\.[0-9]{1,18})*", text)
    numbers = [int(number) for number in leading.group().split(".")] if leading else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
