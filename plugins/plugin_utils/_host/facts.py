# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a host without asking it? Ansible's facts → Host; what they cannot tell stays unknown. Pure.

Runs on the controller, for hosts that are not asked. Facts describe the kernel and tell how many bits Python has. They
do not tell the libc of that Python, the float ABI on ARM, or what the processor can do. What the name of the
distribution proves is added: Debian's base system uses glibc, Alpine's uses musl, and neither changes the version of
its libc within a release. The name of a distribution that exists for several libcs (Gentoo, Void) proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.machine import SYSTEMS, kernel_machine
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import FIXED_PAGE_SIZES, SEVERAL_ABIS
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host, Known
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Architecture, Libc, OperatingSystem

#: The fact that pinned.release.target_facts sets.
PROBED = "release_target"
SYSTEMS_OF_FACTS: dict[str, OperatingSystem] = SYSTEMS | {"Android": "android", "Win32NT": "windows"}
#: Values of ``os_family`` whose distributions, all of them, have this libc.
LIBC_OF_FAMILY: dict[str, Libc] = {
    "Alpine": "musl",
    **dict.fromkeys(("Archlinux", "Debian", "RedHat", "Slackware", "Suse"), "glibc"),
}
_ENTERPRISE_LINUX = {"6": "2.12", "7": "2.17", "8": "2.28", "9": "2.34", "10": "2.39"}
#: The glibc of releases, by the distributions' own packages. The release is its full version, or only the major one.
GLIBC_OF_RELEASE = {
    "Amazon": {"2": "2.26", "2023": "2.34"},
    "Debian": {"7": "2.13", "8": "2.19", "9": "2.24", "10": "2.28", "11": "2.31", "12": "2.36", "13": "2.41"},
    "SLES": {"11": "2.11", "12": "2.22"},
    "Ubuntu": {
        "12.04": "2.15",
        "14.04": "2.19",
        "16.04": "2.23",
        "18.04": "2.27",
        "20.04": "2.31",
        "22.04": "2.35",
        "24.04": "2.39",
    },
    **dict.fromkeys(("AlmaLinux", "CentOS", "OracleLinux", "RedHat", "Rocky"), _ENTERPRISE_LINUX),
}
#: Architectures for which all of these distributions have chosen the same ABI.
ABI_OF_DISTRIBUTIONS = {"powerpc64le": "elfv2", "riscv64": "lp64d", "loongarch64": "lp64d"}
#: Kernels call a processor so that has not all that i686 programs use.
OLDER_THAN_I686 = ("i386", "i486", "i586")
#: Architectures by the number of bits of a userspace, for kernels that have both.
HALVES: dict[Architecture, Architecture] = {"x86_64": "i686", "aarch64": "arm", "powerpc64": "powerpc"}
WHOLES: dict[Architecture, Architecture] = {"i686": "x86_64", "arm": "aarch64", "powerpc": "powerpc64"}


class _Facts:
    """Ansible's facts of a host, named as in ``ansible_facts`` (``machine``) or as variables (``ansible_machine``)."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts

    def any(self, name: str) -> Any:
        """Return the fact *name*, of whatever type; None if there is none."""
        return self._facts.get(name, self._facts.get(f"ansible_{name}"))

    def text(self, name: str) -> str:
        """Return the fact *name* if it is a text or a whole number, "" if not."""
        value = self.any(name)
        return str(value) if isinstance(value, (str, int)) else ""


def known_of(gathered: Mapping[str, Any]) -> Known:
    """Return what facts tell: the fact of target_facts if it is there, else *gathered* ones.

    They may be named as in ``ansible_facts`` (``machine``) or as variables (``ansible_machine``). Raises ReleaseError
    if there are none.
    """
    facts = _Facts(gathered)
    probed = facts.any(PROBED)
    if isinstance(probed, Mapping):
        host = _probed(probed)
        return Known(host, _unknown(host))
    if not facts.text("system"):
        raise ReleaseError(
            "no facts describe this host",
            expected="gathered facts, at least system, machine and userspace_bits; or release_target",
            found=", ".join(sorted(str(name) for name in gathered)[:10]) or "none",
            fix="gather facts (gather_facts: true), or run pinned.release.target_facts before",
        )
    host = _gathered(facts)
    may_translate = host.os == "linux" or (host.os, host.arch) == ("macos", "aarch64")
    return Known(host, _unknown(host) + (("emulates",) if may_translate else ()))


def _probed(fact: Mapping[str, object]) -> Host:
    known: dict[str, Any] = {field.name: fact.get(field.name) for field in fields(Host)}
    for name in ("loaders", "emulates"):
        known[name] = tuple(known[name] or ())
    known["libraries"] = None if known["libraries"] is None else frozenset(known["libraries"])
    return Host(**known)


def _gathered(facts: _Facts) -> Host:
    os = _os(facts)
    machine = _machine(facts)
    kernel_arch, arm_version = kernel_machine(machine)
    if os == "linux" and machine in OLDER_THAN_I686:
        kernel_arch = None
    if os == "aix":
        # uname -m prints a number of the machine. Since AIX 6.1, the only kernel is the 64-bit one.
        kernel_arch = "powerpc64"
    arch = kernel_arch if os == "windows" else _userspace(facts, kernel_arch)
    libc = _libc(facts, os)
    distribution, version = facts.text("distribution"), facts.text("distribution_version")
    glibc = GLIBC_OF_RELEASE.get(distribution, {})
    return Host(
        os=os,
        arch=arch,
        abi=_abi(arch, libc) if os == "linux" else None,
        libc=libc,
        libc_version=glibc.get(version) or glibc.get(facts.text("distribution_major_version")),
        kernel_arch=kernel_arch,
        cpu=("armv8" if kernel_arch == "aarch64" else arm_version) if arch == "arm" else None,
        os_version=None if os in ("linux", "android") else version or None,
        distribution=" ".join(filter(None, (distribution, version))) or None,
    )


def _libc(facts: _Facts, os: OperatingSystem | None) -> Libc | None:
    if os == "linux":
        return LIBC_OF_FAMILY.get(facts.text("os_family"))
    return "bionic" if os == "android" else "system" if os else None


def _abi(arch: Architecture | None, libc: Libc | None) -> str | None:
    """Return the ABI of all distributions with this libc. Alpine's ports to 32-bit ARM are hard-float."""
    if arch == "arm":
        return "eabihf" if libc == "musl" else None
    return ABI_OF_DISTRIBUTIONS.get(arch or "") if libc else None


def _os(facts: _Facts) -> OperatingSystem | None:
    """Return the system. Termux says Linux, but only Android has a Python at its path. Solaris is not illumos."""
    python = facts.any("python")
    if isinstance(python, Mapping) and _Facts(python).text("executable").startswith("/data/data/"):
        return "android"
    if facts.text("distribution") == "Solaris":
        return "solaris"
    return SYSTEMS_OF_FACTS.get(facts.text("system"))


def _machine(facts: _Facts) -> str:
    """Return the kernel's machine. Windows has no fact ``machine``: ``architecture2`` tells, whatever its language.

    Older collections lack it. Then the number in ``architecture`` does, which is a text: ``64-bit``, ``64 bits``.
    """
    told = facts.text("machine") or facts.text("architecture2")
    if told:
        return told.lower()
    architecture = facts.text("architecture")
    bits = re.search(r"(?<![0-9])(?:32|64)(?![0-9])", architecture)
    if facts.text("system") != "Win32NT" or not bits:
        return architecture
    is_arm = "arm" in architecture.lower()
    return {"64": "arm64" if is_arm else "x86_64", "32": "" if is_arm else "i686"}[bits.group()]


def _userspace(facts: _Facts, kernel_arch: Architecture | None) -> Architecture | None:
    """Return the architecture of the userspace: the kernel's, the smaller one beside it, or None.

    A personality (linux32) can hide a 64-bit kernel; then Python has more bits than the kernel seems to have.
    """
    bits = facts.text("userspace_bits")
    if kernel_arch in HALVES:
        return {"64": kernel_arch, "32": HALVES[kernel_arch]}.get(bits)
    if kernel_arch in WHOLES:
        return WHOLES[kernel_arch] if bits == "64" else kernel_arch
    return kernel_arch if bits == "64" else None


def _unknown(host: Host) -> tuple[str, ...]:
    matters = {"os", "arch"}
    if host.os in ("macos", "windows"):
        matters.add("os_version")
    elif host.os is not None:
        matters |= {"libc", "libraries"}
    if host.os in ("linux", "android"):
        matters.add("loaders")
    if host.os == "linux":
        matters.add("libc_version")
    if host.os != "macos" and host.arch not in FIXED_PAGE_SIZES:
        matters.add("page_size")
    if host.arch == "arm":
        matters |= {"abi", "cpu", "fpu"}
    if host.arch in SEVERAL_ABIS:
        matters.add("abi")
    if host.arch == "x86_64":
        matters.add("cpu")
    return tuple(field.name for field in fields(Host) if field.name in matters and getattr(host, field.name) is None)
