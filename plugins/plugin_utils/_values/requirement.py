# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a program need of a host? The value that readers, lock file and choice share. Pure; on the controller."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    AnyOne,
    Architecture,
    Libc,
    OperatingSystem,
)


@dataclass(frozen=True)
class Requirement:
    """What one program needs in order to start, read from its own bytes.

    os          one of OPERATING_SYSTEMS; for a script ``any``, or what its asset's name says
    arch        one of ARCHITECTURES; for a script ``any``, or what its asset's name says; ARM's version is in
                *cpu*, its float ABI in *abi*
    abi         ``eabi``/``eabihf`` (arm), ``x32`` (x86_64), ``elfv1``/``elfv2`` (powerpc64*),
                ``lp64``/``lp64d`` (riscv64, loongarch64), ``arm64e`` (macOS); else None, also if the program fits both
    libc        one of LIBCS; None for a script, and if only a file's first bytes are known
    libc_min    oldest version of the libc that is enough: for glibc the highest ``GLIBC_x.y`` among the needed symbol
                versions (``2.28``), for musl the release that brought the newest function used (``1.2.3``); None if
                every version is
    interpreter PT_INTERP of an ELF program (``/lib64/ld-linux-x86-64.so.2``), or what a ``#!`` line names:
                a path, or the bare name that ``/usr/bin/env`` looks up
    more_interpreters  what the ``#!`` lines of other scripts in the asset name, sorted: the host must have all of them
    libraries   DT_NEEDED, import or dylib names as written, sorted
    cpu         ``x86-64-v2`` … ``x86-64-v4``; ``armv5te armv6 armv7 armv8`` for arm; other levels that Go compiles for
                (``armv8.1``, ``power9``, ``rva22u64``); None is the architecture's baseline, or unknown
    fpu         for arm, ``vfpd32`` or ``neon``: registers that not every processor with floating point has
    os_min      lowest macOS (``11.0``) or Windows subsystem (``6.1``) version
    versions    other symbol versions needed, the highest of each, sorted:
                ``(("CXXABI", "1.3.8"), ("GLIBCXX", "3.4.21"))``
    page_size   alignment of its LOAD segments in bytes; a kernel with larger pages cannot map it
    """

    os: OperatingSystem | AnyOne
    arch: Architecture | AnyOne
    abi: str | None = None
    libc: Libc | None = None
    libc_min: str | None = None
    interpreter: str | None = None
    more_interpreters: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    cpu: str | None = None
    fpu: str | None = None
    os_min: str | None = None
    versions: tuple[tuple[str, str], ...] = ()
    page_size: int | None = None

    @property
    def is_script(self) -> bool:
        """Whether an interpreter runs it, so that its own bytes need nothing else of the host."""
        return self.libc is None
