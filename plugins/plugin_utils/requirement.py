# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a program need of a machine? The value that readers, lock file and choice share. Pure; on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Operating systems, by the names that Rust's target triples and this collection's manifest use.
OPERATING_SYSTEMS = ("linux", "android", "macos", "windows", "freebsd", "openbsd", "netbsd", "dragonfly", "illumos")
#: Architectures, by the names of Rust's target triples; ARM's version is not among them (see cpu).
ARCHITECTURES = (
    *("x86_64", "i686", "aarch64", "arm", "powerpc", "powerpc64", "powerpc64le", "s390x", "riscv64", "riscv32"),
    *("loongarch64", "mips", "mipsel", "mips64", "mips64el", "sparc64"),
)
#: C libraries: ``static`` needs none, ``system`` is the one of macOS, Windows and the BSDs.
LIBCS = ("glibc", "musl", "bionic", "static", "system")


@dataclass(frozen=True)
class Requirement:
    """What one program needs in order to start, read from its own bytes.

    os          one of OPERATING_SYSTEMS; of a script ``any``, or what its asset's name says
    arch        one of ARCHITECTURES; of a script ``any``, or what its asset's name says; ARM's version is in *cpu*,
                its float ABI in *abi*
    abi         ``eabi``/``eabihf`` (arm), ``x32`` (x86_64), ``elfv1``/``elfv2`` (powerpc64*),
                ``lp64``/``lp64d`` (riscv64, loongarch64), ``arm64e`` (macOS); else None, also where either fits
    libc        one of LIBCS; None for a script, and where only a file's first bytes are known
    libc_min    oldest version of the libc that will do: of glibc the highest ``GLIBC_x.y`` that the version needs name
                (``2.28``), of musl the release of the newest function taken from it (``1.2.3``); None if any will do
    interpreter PT_INTERP of an ELF program (``/lib64/ld-linux-x86-64.so.2``), or what a ``#!`` line names:
                a path, or the bare name that ``/usr/bin/env`` looks up
    libraries   DT_NEEDED, import or dylib names as written, sorted
    cpu         ``x86-64-v2`` … ``x86-64-v4``; ``armv5te armv6 armv7 armv8`` for arm; what else Go can compile for
                (``armv8.1``, ``power9``, ``rva22u64``); None is the architecture's baseline, or unknown
    fpu         of arm, ``vfpd32`` or ``neon``: more registers than every processor with floating point has
    os_min      lowest macOS (``11.0``) or Windows subsystem (``6.1``) version
    versions    other symbol versions needed, the highest of each, sorted:
                ``(("CXXABI", "1.3.8"), ("GLIBCXX", "3.4.21"))``
    page_size   alignment, in bytes, of its LOAD segments: a kernel with larger pages cannot map it
    """

    os: str
    arch: str
    abi: str | None = None
    libc: str | None = None
    libc_min: str | None = None
    interpreter: str | None = None
    libraries: tuple[str, ...] = ()
    cpu: str | None = None
    fpu: str | None = None
    os_min: str | None = None
    versions: tuple[tuple[str, str], ...] = ()
    page_size: int | None = None

    @property
    def is_script(self) -> bool:
        """Whether an interpreter runs it, so that its own bytes need nothing else."""
        return self.libc is None
