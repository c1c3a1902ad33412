# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which platforms does an asset serve by its bytes, and do they keep what its name promises? Pure; controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import ARM_VERSIONS, PROCESSORS
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import OTHER_ARCH, Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import ARCHITECTURES, OPERATING_SYSTEMS

#: What a program of a Linux build may need, by the libc that its name promises: a static one needs none.
KEEPS = {"glibc": ("glibc", "static"), "musl": ("musl", "static"), "static": ("static",)}


#: The levels that not every x86-64 processor reaches.
LATER_X86_64 = PROCESSORS["x86_64"][1:]


def serves(requirement: Requirement, platform: Platform) -> bool:
    """Return whether a program that needs *requirement* can serve hosts of *platform*: with a floor, all above that."""
    return _is_for(requirement, platform) and floor.is_met(requirement, platform.floor)


def _is_for(requirement: Requirement, platform: Platform) -> bool:
    is_for_os = requirement.os in (platform.os, "any") and not (requirement.is_script and platform.os == "windows")
    if not is_for_os or requirement.arch not in (platform.arch, "any"):
        return False
    if requirement.arch != "arm":
        return True
    order = ARM_VERSIONS
    is_new_enough = requirement.cpu not in order or order.index(requirement.cpu) <= order.index(platform.cpu or "armv7")
    is_dynamic = requirement.libc != "static"
    return is_new_enough and not (is_dynamic and platform.abi and requirement.abi and requirement.abi != platform.abi)


def completed_by_name(requirement: Requirement, label: Label) -> Requirement:
    """Return the *requirement* of the bytes with what only the *label* tells: that may ask for more, never for less.

    A script's bytes tell no platform, but what lies beside it may be for one only. And most compilers leave no trace
    of the level of x86-64 that they were told to compile for.
    """
    if requirement.is_script:
        os = label.os if label.os in OPERATING_SYSTEMS else "any"
        arch = label.arch if label.arch in ARCHITECTURES else "any"
        return replace(requirement, os=os, arch=arch, abi=label.abi, cpu=label.cpu)
    if requirement.arch != "x86_64" or label.cpu not in LATER_X86_64:
        return requirement
    return replace(requirement, cpu=max(requirement.cpu or label.cpu, label.cpu, key=LATER_X86_64.index))


def refuse_broken(asset: str, label: Label, requirements: Sequence[Requirement]) -> None:
    """Raise ReleaseError, with both, if what the *asset*'s programs need is not what its *label* says.

    An asset that says one thing and is another is a publisher's mistake, or an attack. A universal one, with one of
    *requirements* for each architecture, must have each that its name says, and may have more.
    """
    for arch in label.archs or (label.arch,):
        broken = [_broken(label, arch, requirement) for requirement in requirements]
        if broken and all(broken):
            said, found = broken[0] or ("", "")
            raise ReleaseError(
                f"{asset} is not what its name says",
                expected=f"{said}, as its name or its publisher's metadata says",
                found=f"{found}, as the bytes of its programs say",
                fix="tell the publisher; to pin another asset, or only some programs of this one, "
                "set asset: or executables: of the tool in the manifest",
            )


def _broken(label: Label, arch: str | None, requirement: Requirement) -> tuple[str, str] | None:
    """Return what is said and what is true where they differ.

    Not of the version of ARM's processor: toolchains write that of their own start-up code into a program.
    """
    if requirement.is_script:
        return None
    if label.os not in (None, requirement.os):
        return f"os {label.os}", f"os {requirement.os}"
    if arch not in (None, OTHER_ARCH, requirement.arch):
        return f"arch {arch}", f"arch {requirement.arch}"
    if requirement.os != "linux":
        return None
    if label.libc in KEEPS and requirement.libc not in KEEPS[label.libc]:
        return f"libc {label.libc}", f"libc {requirement.libc}"
    if requirement.libc != "static" and None not in (label.abi, requirement.abi) and label.abi != requirement.abi:
        return f"ABI {label.abi}", f"ABI {requirement.abi}"
    return None
