# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a program start on all hosts that a platform's floor describes, as far as it does? Pure; on the controller.

A floor tells the libc, or the version of macOS. The answer is that of target.admissible() for a host that has exactly
this, and whatever else the program needs: of processors, libraries and page sizes a floor says nothing.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import target
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    FPUS,
    PROCESSORS,
    SYSTEM_NAMES,
    dotted_numbers,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Floor, Platform, parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement


def is_met(requirement: Requirement, floor: Floor | None) -> bool:
    """Return whether hosts with no more than the *floor* start a program with *requirement*, made for their platform.

    Every host may have what no floor speaks of: without a *floor*, the answer is yes.
    """
    if floor is None:
        return True
    asked = replace(requirement, cpu=None, page_size=None)
    return target.admissible(asked, _lowest_host(asked, floor)).is_admissible


def _lowest_host(asked: Requirement, floor: Floor) -> Host:
    """Return the host that has of libc and system only what the *floor* says, and all else that is *asked*."""
    os = None if asked.os == "any" else asked.os
    arch = None if asked.arch == "any" else asked.arch
    is_system = floor.libc == "system"
    return Host(
        os=os,
        arch=arch,
        abi=asked.abi,
        libc=floor.libc,
        libc_version=None if is_system else floor.version or asked.libc_min,
        loaders=(asked.interpreter,) if asked.interpreter else (),
        libraries=frozenset(target.needs(asked)),
        cpu=PROCESSORS.get(asked.arch, (None,))[-1],
        fpu=FPUS[-1],
        os_version=floor.version if is_system else asked.os_min,
    )


def floor_of(requirement: Requirement) -> Floor | None:
    """Return the lowest floor that a program with *requirement* starts above; None if it starts above every one."""
    if requirement.libc == "glibc" and requirement.libc_min:
        return Floor("glibc", requirement.libc_min)
    if requirement.libc == "musl":
        return Floor("musl", requirement.libc_min)
    if requirement.os == "macos" and requirement.os_min:
        return Floor("system", requirement.os_min)
    return None


def platform_of(host: Host) -> Platform | None:
    """Return the platform that a manifest would name for *host*, with what it has as the floor: ``linux/armv7/musl``.

    None for a host that no platform is known for, or of which nothing that floors speak of is known.
    """
    floor = {"glibc": f"glibc{_version(host)}", "musl": "musl"}.get(host.libc or "", _version(host))
    return _named(f"{_name(host)}/{floor}")


def whole_platform_of(host: Host) -> Platform | None:
    """Return the platform of *host* with all that is known of what floors speak of: ``linux/x86_64/musl1.2.5``.

    Without a floor where nothing is known; None for a host that no platform is known for.
    """
    has_musl = host.libc == "musl" and _version(host)
    exact = _named(f"{_name(host)}/musl{_version(host)}") if has_musl else None
    return exact or platform_of(host) or _named(_name(host))


def _name(host: Host) -> str:
    arm = "armv5te" if host.abi == "eabi" else "armv7" if host.cpu == "armv8" else host.cpu
    return f"{host.os}/{arm if host.arch == 'arm' else host.arch}"


def _version(host: Host) -> str:
    return ".".join(map(str, dotted_numbers((host.os_version if host.os == "macos" else host.libc_version) or "")))


def _named(text: str) -> Platform | None:
    try:
        return parse_platform(text)
    except ReleaseError:
        return None


def needed(requirement: Requirement) -> str:
    """Return what a program needs of the things that floors speak of: ``glibc 2.28``, ``macOS 13``, ``nothing``."""
    if requirement.is_script:
        return "nothing"
    if requirement.libc in ("glibc", "musl", "bionic"):
        return " ".join(filter(None, (requirement.libc, requirement.libc_min)))
    if requirement.os_min:
        return f"{SYSTEM_NAMES.get(requirement.os, requirement.os)} {requirement.os_min}"
    return "nothing"


def order(requirement: Requirement) -> tuple[object, ...]:
    """Return a sort key: of several programs, the one with the smallest needs the least of what floors speak of."""
    is_free = needed(requirement) == "nothing"
    version = dotted_numbers(requirement.libc_min or requirement.os_min or "")
    return (not is_free, version, requirement.libc or "")
