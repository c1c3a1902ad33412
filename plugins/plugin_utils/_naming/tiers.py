# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a release's files serve a platform, going by their names? Pure; runs on the controller.

Rules are tiers, the firmest first. The first tier that has any file is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import Product, Reading
from ansible_collections.pinned.release.plugins.plugin_utils._naming.products import (
    BARE,
    arches_of,
    family_of,
    form_of,
    programs_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import OTHER_ARCH, Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import ONLY_ON_LINUX, Platform


@dataclass(frozen=True)
class Usage:
    """How a publisher names files, as far as the files of one release show it."""

    readings: Sequence[Reading]

    @cached_property
    def programs(self) -> list[Reading]:
        """The files that can be a program's asset: no sums, signatures, packages for package managers and the like."""
        return programs_of(self.readings)

    @cached_property
    def is_labelled(self) -> bool:
        """Whether any name says a platform. Where none does, a name without a label excludes nothing."""
        return any(reading.is_labelled for reading in self.readings)

    @cached_property
    def has_firm_x86_64(self) -> bool:
        """Whether a file says x86_64 by a word that means nothing else; then ``x86`` and ``win32`` mean 32-bit."""
        return any("x86_64" in arches_of(reading) for reading in self.readings if not reading.has_vague_arch)

    @cached_property
    def says_linux(self) -> frozenset[tuple[Product, bool]]:
        """The products some of whose files say Linux."""
        return frozenset(family_of(reading) for reading in self.programs if reading.label.os == "linux")

    @cached_property
    def leaves_out_linux(self) -> frozenset[tuple[Product, bool]]:
        """The products some of whose files say no system, but an architecture that only Linux is built for."""
        return frozenset(
            family_of(reading)
            for reading in self.programs
            if reading.label.os is None and not ONLY_ON_LINUX.isdisjoint(arches_of(reading))
        )

    @cached_property
    def forms_without_system(self) -> frozenset[tuple[str, bool]]:
        """The forms whose names say an architecture and no system: the publisher leaves Linux out there."""
        return frozenset(form_of(r) for r in self.programs if r.label.arch and r.label.os is None)

    @cached_property
    def packings(self) -> Mapping[Product, set[str]]:
        """The formats of each product's files that say a version."""
        found: dict[Product, set[str]] = {}
        for reading in self.programs:
            if reading.has_version:
                found.setdefault(reading.product, set()).add(reading.format)
        return found


_Tier = Callable[[Reading, Platform, Usage], bool]
ARM_LEVELS = ("armv5te", "armv6", "armv7", "armv8")


def first_tier(readings: Sequence[Reading], platform: Platform, tiers: Sequence[_Tier], usage: Usage) -> list[Reading]:
    """Return those of *readings* that the first of *tiers* lets serve *platform*; none if no tier lets any.

    *usage* is how the publisher names the files of the same release.
    """
    for tier in tiers:
        found = [reading for reading in readings if tier(reading, platform, usage)]
        if found:
            return found
    return []


def _says_the_platform(reading: Reading, platform: Platform, usage: Usage) -> bool:
    """The name says system and architecture, and both are the platform's. (``x86`` cannot mean 32-bit on macOS.)"""
    is_firm = not reading.has_vague_arch or platform.os == "macos"
    return reading.label.os == platform.os and is_firm and _has_arch(reading.label, platform)


def _says_it_with_a_vague_word(reading: Reading, platform: Platform, usage: Usage) -> bool:
    """``x86`` and ``win32`` mean 32-bit, unless the publisher has no other word for 64-bit x86 on any system."""
    if reading.label.os != platform.os or not reading.has_vague_arch:
        return False
    return platform.arch == "i686" or (platform.arch == "x86_64" and not usage.has_firm_x86_64)


def _says_the_system_only(reading: Reading, platform: Platform, usage: Usage) -> bool:
    """A name without an architecture means x86_64; on macOS, it may mean either of the two."""
    if reading.label.os != platform.os or reading.label.arch or reading.label.archs:
        return False
    return platform.arch == "x86_64" or platform.os == "macos"


def _says_the_arch_only(reading: Reading, platform: Platform, usage: Usage) -> bool:
    """A name without a system means Linux, unless its siblings say Linux. A zip without one is usually for Windows.

    Siblings that say Linux do not count if the publisher leaves it out for an architecture that only Linux builds have
    (``fnm-linux``, ``fnm-arm32``, ``fnm-arm64``), or if the name says a libc of Linux.
    """
    if reading.label.os is not None or platform.os != "linux" or not _has_arch(reading.label, platform):
        return False
    has_linux = family_of(reading) in usage.says_linux
    is_left_out = family_of(reading) in usage.leaves_out_linux
    if reading.format in ("zip", "unreadable"):
        return reading.format == "zip" and has_linux and is_left_out
    return is_left_out or reading.label.libc in ("glibc", "musl") or not has_linux


def _is_the_bare_one(reading: Reading, platform: Platform, usage: Usage) -> bool:
    """Beside labelled siblings, a file without a label is for Linux x86_64 (``k3s``, ``k3s-arm64``).

    For an archive this holds only if its siblings leave out Linux, too (``app-1.0.tar.gz``, ``app-1.0-arm64.tar.gz``);
    otherwise it contains sources. A zip without a system is usually for Windows.
    """
    if reading.is_labelled or platform.base != BARE or not usage.is_labelled:
        return False
    return reading.format == "bare" or (reading.format != "zip" and form_of(reading) in usage.forms_without_system)


def _nothing_is_labelled(reading: Reading, platform: Platform, usage: Usage) -> bool:
    """No name of the release says a platform: only the bytes can tell. A version in several packings is sources."""
    is_source = reading.has_version and len(usage.packings.get(reading.product, ())) > 1
    return not usage.is_labelled and not is_source


def _is_not_of_another(reading: Reading, platform: Platform, usage: Usage) -> bool:
    """A file that the user's pattern names need not say its platform, but must not say another one."""
    says_os = reading.label.os in (None, platform.os)
    says_none = reading.label.arch in (None, OTHER_ARCH) and not reading.label.archs
    says_arch = says_none or _has_arch(reading.label, platform)
    return says_os and (says_arch or (reading.has_vague_arch and platform.arch == "x86_64"))


TIERS: tuple[_Tier, ...] = (
    _says_the_platform,
    _says_the_system_only,
    _says_it_with_a_vague_word,
    _says_the_arch_only,
    _is_the_bare_one,
    _nothing_is_labelled,
)
NAMED_BY_THE_USER: tuple[_Tier, ...] = (_says_the_platform, _is_not_of_another)


def _has_arch(said: Label, platform: Platform) -> bool:
    """Tell whether the platform can have the architecture, the float ABI and the libc that a label says."""
    if platform.arch not in (said.arch, *said.archs) or said.libc in ("uclibc", "mixed") or said.abi == "x32":
        return False
    if platform.arch != "arm" or platform.cpu is None:
        return True
    needs_no_libc = said.libc in ("musl", "static")
    has_abi = said.abi in (None, platform.abi) or (needs_no_libc and said.abi == "eabi")
    if platform.cpu == "armv5te" and said.cpu is None and said.abi is None:
        return False  # today's compilers mean armv6 or newer by plain "arm"
    return has_abi and (said.cpu is None or ARM_LEVELS.index(said.cpu) <= ARM_LEVELS.index(platform.cpu))
