# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processor was a Go program compiled for? The settings that its own compiler wrote into it. Pure; controller.

The go command puts a text into each program, a line for each setting (``build<TAB>GOARM=7``), between two marks of 16
bytes (Go's source: cmd/go/internal/modload, infoStart and infoEnd; debug/buildinfo is its reader). It lies in the
section .go.buildinfo, without section headers at the start of the writable segment; and among the constants, as
runtime.modinfo, which is all that is left where a publisher took the section out (esbuild). What the marks enclose
tells the same in each place, so the header of .go.buildinfo need not be understood. Programs of Go before 1.18, whose
header holds pointers, have a text without settings: they say nothing.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ansible_collections.pinned.release.plugins.plugin_utils.headers.elf_structures import Elf
from ansible_collections.pinned.release.plugins.plugin_utils.headers.program_bytes import ProgramBytes

BEGIN = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
END = bytes.fromhex("f932433186182072008242104116d8f2")
#: The lists of modules in front of the settings have tens of kilobytes at most. Large constants lie at the end of all.
MAX_SIZE = 1024 * 1024

ARM_PROCESSORS = {"5": "armv5te", "6": "armv6", "7": "armv7"}
#: Architecture → its setting, the value that every processor of it satisfies, and how cpu of a Requirement begins.
LEVELS = {
    "x86_64": ("GOAMD64", "v1", "x86-64-"),
    "aarch64": ("GOARM64", "v8.0", "arm"),
    "powerpc64": ("GOPPC64", "power8", ""),
    "powerpc64le": ("GOPPC64", "power8", ""),
    "riscv64": ("GORISCV64", "rva20u64", ""),
}


def go_settings(elf: Elf, source: ProgramBytes) -> dict[str, str]:
    """Return the settings, such as ``{"GOARM": "7"}``; none for what is no program of Go, or does not say."""
    for offset, size in _places(elf):
        if not source.has(offset, size):
            continue
        area = source.at(offset, size) or b""
        begin = area.find(BEGIN)
        end = area.find(END, begin)
        if 0 <= begin < end:
            return dict(_settings(area[begin + len(BEGIN) : end]))
    return {}


def go_processor(settings: Mapping[str, str], arch: str) -> str | None:
    """Return the lowest processor in the words of Requirement; None is the architecture's baseline, or not said."""
    if arch == "arm" and "GOARM" in settings:
        return ARM_PROCESSORS.get(settings["GOARM"].partition(",")[0], "armv8")
    name, baseline, prefix = LEVELS.get(arch, ("", "", ""))
    value = settings.get(name, baseline)
    return None if value == baseline else prefix + re.sub(r"[^a-z0-9.]+", "-", value.lower())[:32].strip("-.")


def go_float_abi(settings: Mapping[str, str]) -> str | None:
    """Return, of a program for ARM, whether it computes with floating point registers: ``eabihf``, else ``eabi``."""
    version, _comma, explicit = settings.get("GOARM", "").partition(",")
    if not version:
        return None
    return "eabi" if explicit == "softfloat" or (version == "5" and explicit != "hardfloat") else "eabihf"


def _places(elf: Elf) -> Iterator[tuple[int, int]]:
    """Yield where the text may lie, the surest place first: offset and size."""
    sections = {section.name: section for section in elf.sections}
    if ".go.buildinfo" in sections:
        yield sections[".go.buildinfo"].offset, min(sections[".go.buildinfo"].size, MAX_SIZE)
    elif not sections:
        writable = next((segment for segment in elf.loads if segment.is_writable), None)
        if writable:
            yield writable.offset, min(writable.file_size, MAX_SIZE)
    if ".gopclntab" in sections and ".rodata" in sections:
        constants = sections[".rodata"]
        size = min(constants.size, MAX_SIZE)
        yield constants.offset + constants.size - size, size


def _settings(text: bytes) -> Iterator[tuple[str, str]]:
    for line in text.split(b"\n"):
        name, _equals, value = line.removeprefix(b"build\t").partition(b"=")
        if line.startswith(b"build\tGO"):
            yield name.decode("latin-1"), value.decode("latin-1")
