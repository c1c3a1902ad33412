# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a host provide? The value that the probe's answer and gathered facts become. Pure; on the controller.

Processor levels follow the x86-64 psABI, section 3.1.1, and the versions of the Arm architecture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Architecture, Libc, OperatingSystem

T = TypeVar("T")


@dataclass(frozen=True)
class Host:
    """What one host provides. None means unknown, and what is unknown refuses a program that needs it.

    os, arch, abi, libc   in the words of Requirement; of the userspace, not of the kernel
    libc_version          ``2.36``, ``1.2.5``
    kernel_arch           what the kernel itself runs; on a 64-bit kernel it may be more than *arch*
    loaders               paths of the program interpreters that exist there and work
    libraries             what target.needs() asked for and the host has
    cpu                   x86-64 level, or ARM version
    fpu                   ARM: one of FPUS, what the processor has for floating point
    page_size             of the kernel, in bytes
    os_version            of macOS, FreeBSD …
    distribution          for people: ``Debian GNU/Linux 12 (bookworm)``
    emulates              architectures whose programs it translates: ``("x86_64",)`` with Rosetta 2, those of qemu-user
    """

    os: OperatingSystem | None
    arch: Architecture | None
    abi: str | None = None
    libc: Libc | None = None
    libc_version: str | None = None
    kernel_arch: Architecture | None = None
    loaders: tuple[str, ...] | None = None
    libraries: frozenset[str] | None = None
    cpu: str | None = None
    fpu: str | None = None
    page_size: int | None = None
    os_version: str | None = None
    distribution: str | None = None
    emulates: tuple[Architecture, ...] = ()


@dataclass(frozen=True)
class Assumed:
    """What a user says of a host that nobody can see, in the fields of Host. None says nothing."""

    abi: str | None = None
    libc: Libc | None = None
    libc_version: str | None = None
    cpu: str | None = None
    fpu: str | None = None
    page_size: int | None = None
    os_version: str | None = None
    loaders: tuple[str, ...] | None = None
    libraries: tuple[str, ...] | None = None
    emulates: tuple[Architecture, ...] | None = None

    def said(self) -> dict[str, str | int | tuple[str, ...]]:
        """Return what is said, by field, in the order of the names: no field that says nothing."""
        return {name: value for name, value in sorted(vars(self).items()) if value is not None}


def assuming(host: Host, assumed: Assumed) -> Host:
    """Return *host* with what a user *assumed*: fill in what is unknown, add to what is listed.

    What is known is never replaced.
    """
    libraries = _added(None if host.libraries is None else tuple(host.libraries), assumed.libraries)
    return replace(
        host,
        abi=_known(host.abi, assumed.abi),
        libc=_known(host.libc, assumed.libc),
        libc_version=_known(host.libc_version, assumed.libc_version),
        cpu=_known(host.cpu, assumed.cpu),
        fpu=_known(host.fpu, assumed.fpu),
        page_size=_known(host.page_size, assumed.page_size),
        os_version=_known(host.os_version, assumed.os_version),
        loaders=_added(host.loaders, assumed.loaders),
        libraries=None if libraries is None else frozenset(libraries),
        emulates=_added(host.emulates, assumed.emulates) or (),
    )


def _known(known: T | None, assumed: T | None) -> T | None:
    return assumed if known is None else known


def _added(known: tuple[T, ...] | None, assumed: tuple[T, ...] | None) -> tuple[T, ...] | None:
    return known if assumed is None else (*(known or ()), *assumed)


@dataclass(frozen=True)
class Known:
    """What is known of a host. *unknown* are the fields of Host that would matter there but are not known."""

    host: Host
    unknown: tuple[str, ...]
