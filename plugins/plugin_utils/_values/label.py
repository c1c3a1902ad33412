# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can a file name say about a platform? The value type. Pure; runs on the controller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """What a name says about a platform, in the words of requirement.py. None: it does not say.

    An *os* or *arch* that no platform here has (``wasi``, ``solaris``, ``mixed``) is kept as that word: the file is
    labelled, but for something else. A universal file has its architectures in *archs*, and *arch* is None.
    """

    os: str | None = None
    arch: str | None = None
    abi: str | None = None
    libc: str | None = None
    libc_min: str | None = None
    cpu: str | None = None
    archs: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what the name says, for people: ``linux x86_64 glibc 2.17``, ``no platform``."""
        said = (self.os, self.arch, *self.archs, self.abi, self.libc, self.libc_min, self.cpu)
        return " ".join(filter(None, said)) or "no platform"


#: Stands for a word that can only be an architecture, but an unknown one.
OTHER_ARCH = "otherarch"
