# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does this program require? From its own bytes, whatever its name says. Pure; runs on the controller.

One reader per format: elf.py, macho.py and pe.py in headers/, and the ``#!`` line here. All read through
program_bytes.py, so none reads more than a few megabytes of a hostile file, and none raises anything but ReleaseError.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.plugin_utils.headers.elf import Linkage, elf_linkage, elf_requirements
from ansible_collections.pinned.release.plugins.plugin_utils.headers.macho import (
    FAT_MAGIC,
    FAT_MAGIC_64,
    THIN_MAGICS,
    macho_requirements,
)
from ansible_collections.pinned.release.plugins.plugin_utils.headers.pe import pe_requirements
from ansible_collections.pinned.release.plugins.plugin_utils.headers.program_bytes import NotAProgram, ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement

__all__ = ["Linkage", "NotAProgram", "linkage", "read", "read_host_elf"]

#: What Linux reads of a ``#!`` line (BINPRM_BUF_SIZE).
MAX_SCRIPT_LINE = 256
#: Options of env that take a word of their own.
ENV_OPTIONS_WITH_VALUE = ("-u", "-C", "-P")
#: How files begin that are often found beside programs, for the error.
OTHER_BEGINNINGS = (
    (b"!<arch>\n", "a static library, or a Debian package"),
    (b"!<thin>\n", "a static library"),
    (b"\0asm", "a WebAssembly module"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"\xfd7zXZ\0", "xz-compressed data"),
    (b"(\xb5/\xfd", "zstd-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xed\xab\xee\xdb", "an RPM package"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
)
ELF_MAGIC = b"\x7fELF"
AIX_MAGICS = (b"\x01\xdf", b"\x01\xf7")


def read(data: BinaryIO | bytes, name: str = "this file") -> tuple[Requirement, ...]:
    """Return what a program requires: one Requirement, or one per architecture of a universal Mach-O file.

    *data* is a seekable file, read from its start, or its bytes; *name* is what errors call it. Raises NotAProgram for
    what is not meant to be started (data, libraries, object files, debug symbols), and a plain ReleaseError for a
    program whose header is broken or that is for a system this collection does not know.
    """
    return _read(ProgramBytes(io.BytesIO(data) if isinstance(data, bytes) else data, name))


def linkage(data: BinaryIO | bytes, name: str = "this file") -> Linkage | None:
    """Return what an ELF program or library tells its loader; None for other files. Raises ReleaseError as ``read``."""
    source = ProgramBytes(io.BytesIO(data) if isinstance(data, bytes) else data, name)
    is_elf = source.has(0, 16) and source.must(0, 4) == ELF_MAGIC
    return elf_linkage(source) if is_elf else None


def read_host_elf(head: bytes, name: str = "the host's running program") -> tuple[Requirement, ...]:
    """Return what can be known of a host from the *head* of a program that runs there: its first few KiB.

    The same reader as ``read``; what lies beyond the head is unknown, and None or empty in the answer: libc where no
    interpreter tells it, libraries, versions. *os* is ``linux`` where neither header nor notes nor interpreter say
    another. Several Requirements for the universal programs of macOS.
    """
    return _read(ProgramBytes(io.BytesIO(head), name, is_head=True))


def _read(source: ProgramBytes) -> tuple[Requirement, ...]:
    beginning = source.must(0, min(16, source.size))
    return _reader(beginning)(source)


def _reader(beginning: bytes) -> Callable[[ProgramBytes], tuple[Requirement, ...]]:
    magic = beginning[:4]
    if magic == ELF_MAGIC:
        return elf_requirements
    if magic in (FAT_MAGIC, FAT_MAGIC_64) or magic in THIN_MAGICS:
        return macho_requirements
    if magic.startswith(b"MZ"):
        return pe_requirements
    if magic.startswith(b"#!"):
        return _script_requirements
    return _refuse


def _refuse(source: ProgramBytes) -> tuple[Requirement, ...]:
    beginning = source.must(0, min(16, source.size))
    if not beginning:
        raise source.no_program("an empty file")
    if beginning[:2] in AIX_MAGICS and len(beginning) == 16:
        raise source.foreign("a program for AIX (XCOFF)")
    for start, description in OTHER_BEGINNINGS:
        if beginning.startswith(start):
            raise source.no_program(description)
    raise source.no_program(f"data that begins with {beginning!r}")


def _script_requirements(source: ProgramBytes) -> tuple[Requirement, ...]:
    """Return what a script requires: nothing but the program that its ``#!`` line names.

    That is a path (``/bin/bash``), or, behind ``/usr/bin/env``, the bare name that env looks up in PATH (``python3``).
    Text that begins with ``#!`` but could not start, as Rust's ``#![…]`` does, is no program.
    """
    head = source.must(0, min(MAX_SCRIPT_LINE, source.size))
    line, newline, _rest = head.partition(b"\n")
    # Linux starts a script whose first line is longer if at least the interpreter's path ends in what it reads.
    is_cut_off = source.is_head or (source.size > len(head) and len(line[2:].split(None, 1)) < 2)
    if is_cut_off and not newline:
        raise source.no_program(f"text that begins with #!, without the end of that line in {len(head)} bytes")
    if line.endswith(b"\r"):
        raise source.no_program(
            "a script whose #! line ends as on Windows: no system finds an interpreter of that name"
        )
    words = source.text(line[2:].replace(b"\t", b" ").split(b"\0")[0]).split()
    if not words or not words[0].startswith("/"):
        raise source.no_program("text that begins with #!, but not with the path of an interpreter")
    return (Requirement(os="any", arch="any", interpreter=_env_looks_for(words) or words[0]),)


def _env_looks_for(words: list[str]) -> str | None:
    """Return the program that ``/usr/bin/env`` starts, past its options and assignments; None if it is another."""
    if words[0].rpartition("/")[2] != "env":
        return None
    remaining = iter(words[1:])
    for word in remaining:
        if word in ENV_OPTIONS_WITH_VALUE:
            next(remaining, None)
            continue
        for prefix in ("-S", "-vS", "--split-string="):
            word = word.removeprefix(prefix)
        if word and not word.startswith("-") and "=" not in word:
            return word.strip("\"'")
    return None
