# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a host without asking it? Ansible's facts → Host; what they cannot tell stays unknown. Pure.

Runs on the controller, for hosts that are only planned for. Facts say what the kernel is and how many bits Python has.
They do not say which libc that Python uses, which float ABI on ARM, or what the processor can. What the name of the
distribution proves is added: a base system of Debian is linked to glibc, one of Alpine to musl, and neither changes its
libc's version within a release. Where a distribution exists for several libcs (Gentoo, Void), its name proves nothing.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils.machine import SYSTEMS, kernel_machine
from ansible_collections.pinned.release.plugins.plugin_utils.target import FIXED_PAGE_SIZES, SEVERAL_ABIS

#: The fact that pinned.release.target_facts sets.
PROBED = "release_target"
SYSTEMS_OF_FACTS = SYSTEMS | {"Android": "android", "Win32NT": "windows"}
#: Values of ``os_family`` whose distributions, all of them, have this libc.
LIBC_OF_FAMILY = {"Alpine": "musl"} | dict.fromkeys(("Archlinux", "Debian", "RedHat", "Slackware", "Suse"), "glibc")
_ENTERPRISE_LINUX = {"7": "2.17", "8": "2.28", "9": "2.34", "10": "2.39"}
#: The glibc of releases, by the distributions' own packages. The release is its full version, or only the major one.
GLIBC_OF_RELEASE = {
    "Amazon": {"2": "2.26", "2023": "2.34"},
    "Debian": {"10": "2.28", "11": "2.31", "12": "2.36", "13": "2.41"},
    "Ubuntu": {"18.04": "2.27", "20.04": "2.31", "22.04": "2.35", "24.04": "2.39"},
    **dict.fromkeys(("AlmaLinux", "CentOS", "OracleLinux", "RedHat", "Rocky"), _ENTERPRISE_LINUX),
}
#: Architectures for which all of these distributions have chosen the same ABI.
ABI_OF_DISTRIBUTIONS = {"powerpc64le": "elfv2", "riscv64": "lp64d", "loongarch64": "lp64d"}
#: Architectures by the number of bits of a userspace, for kernels that have both.
HALVES = {"x86_64": "i686", "aarch64": "arm", "powerpc64": "powerpc"}
WHOLES = {"i686": "x86_64", "arm": "aarch64", "powerpc": "powerpc64"}


@dataclass(frozen=True)
class Known:
    """What is known of a host. *unknown* are the fields of Host that would matter there and are not known."""

    host: Host
    unknown: tuple[str, ...]
    is_probed: bool


def known_of(facts: Mapping[str, Any]) -> Known:
    """Return what *facts* tell: those of target_facts if they are there, else gathered ones.

    Facts may be named as in ``ansible_facts`` (``machine``) or as variables (``ansible_machine``). Raises ReleaseError
    where there are none.
    """
    probed = _fact(facts, PROBED)
    if isinstance(probed, Mapping):
        host = _probed(probed)
        return Known(host, _unknown(host), True)
    if not _text(facts, "system"):
        raise ReleaseError(
            "there are no facts that tell what this host is",
            expected="gathered facts, at least system, machine and userspace_bits; or release_target",
            found=", ".join(sorted(str(name) for name in facts)[:10]) or "none",
            fix="gather facts (gather_facts: true), or run pinned.release.target_facts before",
        )
    host = _gathered(facts)
    may_translate = host.os == "linux" or (host.os, host.arch) == ("macos", "aarch64")
    return Known(host, _unknown(host) + (("emulates",) if may_translate else ()), False)


def _fact(facts: Mapping[str, Any], name: str) -> Any:
    return facts.get(name, facts.get(f"ansible_{name}"))


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = _fact(facts, name)
    return str(value) if isinstance(value, (str, int)) else ""


def _probed(fact: Mapping[str, Any]) -> Host:
    known: dict[str, Any] = {field.name: fact.get(field.name) for field in fields(Host)}
    for name in ("loaders", "emulates"):
        known[name] = tuple(known[name] or ())
    known["libraries"] = None if known["libraries"] is None else frozenset(known["libraries"])
    return Host(**known)


def _gathered(facts: Mapping[str, Any]) -> Host:
    os = _os(facts)
    kernel_arch, arm_version = kernel_machine(_machine(facts))
    arch = _userspace(facts, kernel_arch)
    libc = _libc(facts, os)
    distribution, version = _text(facts, "distribution"), _text(facts, "distribution_version")
    glibc = GLIBC_OF_RELEASE.get(distribution, {})
    return Host(
        os=os,
        arch=arch,
        abi=ABI_OF_DISTRIBUTIONS.get(arch or "") if os == "linux" and libc else None,
        libc=libc,
        libc_version=glibc.get(version) or glibc.get(_text(facts, "distribution_major_version")),
        kernel_arch=kernel_arch,
        cpu=("armv8" if kernel_arch == "aarch64" else arm_version) if arch == "arm" else None,
        os_version=None if os in ("linux", "android") else version or None,
        distribution=" ".join(filter(None, (distribution, version))) or None,
    )


def _libc(facts: Mapping[str, Any], os: str | None) -> str | None:
    if os == "linux":
        return LIBC_OF_FAMILY.get(_text(facts, "os_family"))
    return {None: None, "android": "bionic"}.get(os, "system")


def _os(facts: Mapping[str, Any]) -> str | None:
    """Termux calls its system Linux; where its Python lies, no other system has one. Solaris is no illumos."""
    python = _fact(facts, "python")
    if isinstance(python, Mapping) and _text(python, "executable").startswith("/data/data/"):
        return "android"
    if _text(facts, "distribution") == "Solaris":
        return None
    return SYSTEMS_OF_FACTS.get(_text(facts, "system"))


def _machine(facts: Mapping[str, Any]) -> str:
    """Windows has no such fact as ``machine``, and calls ARM's architecture otherwise."""
    architecture = _text(facts, "architecture")
    return _text(facts, "machine") or {"64-bit": "x86_64", "32-bit": "i686"}.get(architecture, architecture)


def _userspace(facts: Mapping[str, Any], kernel_arch: str | None) -> str | None:
    """Return the architecture of the userspace: the kernel's, the smaller one beside it, or None.

    A 64-bit kernel may hide behind a personality (linux32); then the bits of Python are more than the kernel's. Windows
    has no Python, and calls its architecture ``64-bit``.
    """
    bits = _text(facts, "userspace_bits") or _text(facts, "architecture").removesuffix("-bit")
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
