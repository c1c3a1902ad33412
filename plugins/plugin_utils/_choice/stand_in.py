# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does one program start on every host on which another does? Pure; on the controller.

Of the hosts on which a program starts, one has the least of everything. target.admissible() never refuses a host for
having more, so what starts on that one starts on all of them.
"""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.plugin_utils._choice import target
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    FIXED_PAGE_SIZES,
    LARGEST_PAGE_SIZE,
    SILENT_ARM_PROGRAM,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    ARCHITECTURES,
    OPERATING_SYSTEMS,
    Libc,
)


def stands_in(program: Requirement, for_program: Requirement) -> target.Verdict:
    """Return whether *program* starts wherever *for_program* does, with the reason for either answer."""
    return target.admissible(program, least_host(for_program))


def least_host(requirement: Requirement) -> Host:
    """Return the host that has no more than what a program with *requirement* needs in order to start."""
    is_static = requirement.libc == "static"
    return Host(
        os=None if requirement.os == "any" else requirement.os,
        arch=None if requirement.arch == "any" else requirement.arch,
        abi=requirement.abi,
        libc=None if is_static else requirement.libc,
        libc_version=requirement.libc_min,
        loaders=(requirement.interpreter,) if requirement.interpreter and not requirement.is_script else (),
        libraries=frozenset(target.needs(requirement)),
        cpu=requirement.cpu or (SILENT_ARM_PROGRAM if requirement.arch == "arm" else None),
        fpu=requirement.fpu or ("vfp" if is_static and requirement.abi != "eabi" else "none"),
        page_size=_largest_pages(requirement),
        os_version=requirement.os_min,
    )


def _largest_pages(requirement: Requirement) -> int | None:
    """Return the page size of the kernel that maps *requirement* and the fewest other programs: as large as can be."""
    largest = FIXED_PAGE_SIZES.get(requirement.arch, LARGEST_PAGE_SIZE)
    return None if requirement.page_size is None else min(requirement.page_size, largest)


def promised(label: Label) -> Requirement | None:
    """Return the least that a program of which only the name is known, with its *label*, may need of a host.

    The host that has no more than that is the strictest: a build for glibc says neither how old that may be nor where
    its loader is, and one that names no libc may need none. None if the name does not say for which platform it is.
    """
    if label.os not in OPERATING_SYSTEMS or label.arch not in ARCHITECTURES:
        return None
    libc: Libc = "system" if label.os in ("macos", "windows") else "glibc" if label.libc == "glibc" else "static"
    return Requirement(os=label.os, arch=label.arch, abi=label.abi, libc=libc, libc_min=label.libc_min, cpu=label.cpu)
