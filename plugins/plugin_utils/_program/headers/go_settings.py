# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processor was a Go program compiled for? Go writes its settings into each program. Pure; controller.

The go command puts a text into each program, with a line for each setting (``build<TAB>GOARM=7``), between two marks of
16 bytes (Go's source: cmd/go/internal/modload, infoStart and infoEnd; debug/buildinfo reads it). It is in the section
.go.buildinfo; without section headers, that is the start of the writable segment. It is also among the constants, as
runtime.modinfo, which remains if a publisher removed the section (esbuild). The text between the marks is the same in
each place, so the header of .go.buildinfo is not read. Go before 1.18 writes no settings, so its programs tell nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.elf_structures import Elf
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes

BEGIN = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
END = bytes.fromhex("f932433186182072008242104116d8f2")
#: The lists of modules before the settings have at most tens of kilobytes. Large constants are at the end of a segment.
MAX_SIZE = 1024 * 1024

ARM_PROCESSORS = {"5": "armv5te", "6": "armv6", "7": "armv7"}
#: Architecture → its setting, the value for which every processor is enough, and the prefix of Requirement's cpu.
LEVELS = {
    "x86_64": ("GOAMD64", "v1", "x86-64-"),
    "aarch64": ("GOARM64", "v8.0", "arm"),
    "powerpc64": ("GOPPC64", "power8", ""),
    "powerpc64le": ("GOPPC64", "power8", ""),
    "riscv64": ("GORISCV64", "rva20u64", ""),
}


def go_settings(elf: Elf, source: ProgramBytes) -> dict[str, str]:
    """Return the settings, such as ``{"GOARM": "7"}``; empty if it is no Go program or has none.

    Raises ReleaseError if the file cannot be read.
    """
    return dict(_settings(go_text(elf, source)))


def go_text(elf: Elf, source: ProgramBytes) -> bytes:
    """Return the text between the two marks: lines of modules, and of settings. Empty if it is not found.

    Raises ReleaseError if the file cannot be read.
    """
    for offset, size in _places(elf):
        if not source.has(offset, size):
            continue
        area = source.at(offset, size) or b""
        begin = area.find(BEGIN)
        end = area.find(END, begin)
        if 0 <= begin < end:
            return area[begin + len(BEGIN) : end]
    return b""


def go_processor(settings: Mapping[str, str], arch: str) -> str | None:
    """Return the lowest processor, in the words of Requirement, that Go compiled for by its *settings* for *arch*.

    None is the architecture's baseline, or unknown.
    """
    if arch == "arm" and "GOARM" in settings:
        return ARM_PROCESSORS.get(settings["GOARM"].partition(",")[0], "armv8")
    name, baseline, prefix = LEVELS.get(arch, ("", "", ""))
    value = settings.get(name, baseline)
    return None if value == baseline else prefix + re.sub(r"[^a-z0-9.]+", "-", value.lower())[:32].strip("-.")


def go_float_abi(settings: Mapping[str, str]) -> str | None:
    """Return ``eabihf`` if a program for ARM uses floating point registers, else ``eabi``; None if it does not say."""
    version, _comma, explicit = settings.get("GOARM", "").partition(",")
    if not version:
        return None
    return "eabi" if explicit == "softfloat" or (version == "5" and explicit != "hardfloat") else "eabihf"


def _places(elf: Elf) -> Iterator[tuple[int, int]]:
    """Yield the offset and size of each place where the text may be, the most certain place first."""
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
