# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does this program require, by its own bytes? Pure; runs on the controller.

There is one reader for each format: elf.py, macho.py and pe.py in headers/, and for the ``#!`` line here. All read
through program_bytes.py, so that none reads more than a few megabytes of a hostile file or raises anything but
ReleaseError.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.elf import (
    Linkage,
    elf_linkage,
    elf_requirements,
)
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.macho import (
    FAT_MAGIC,
    FAT_MAGIC_64,
    THIN_MAGICS,
    macho_requirements,
)
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.pe import pe_requirements
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import (
    NotAProgram,
    ProgramBytes,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

__all__ = ["Linkage", "NotAProgram", "linkage", "read", "read_host_elf"]

#: The length of a ``#!`` line that Linux reads (BINPRM_BUF_SIZE).
MAX_SCRIPT_LINE = 256
#: Options of env that take an argument.
ENV_OPTIONS_WITH_VALUE = ("-u", "-C", "-P")
#: The first bytes of files that are often found beside programs, for the error.
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

    *data* is a seekable file, read from its start, or its bytes; errors call it *name*. Raises NotAProgram for files
    that are not meant to be started (data, libraries, object files, debug symbols), and a plain ReleaseError for a
    program with a broken header or for an unknown system.
    """
    return _read(ProgramBytes(io.BytesIO(data) if isinstance(data, bytes) else data, name))


def linkage(data: BinaryIO | bytes, name: str = "this file") -> Linkage | None:
    """Return what an ELF file tells its loader; None for other files.

    *name* is what errors call it. Raises ReleaseError as ``read`` does.
    """
    source = ProgramBytes(io.BytesIO(data) if isinstance(data, bytes) else data, name)
    is_elf = source.has(0, 16) and source.must(0, 4) == ELF_MAGIC
    return elf_linkage(source) if is_elf else None


def read_host_elf(head: bytes, name: str = "the host's running program") -> tuple[Requirement, ...]:
    """Return what the *head*, the first few KiB, of a program that runs on a host tells about that host.

    The readers are those of ``read``. What lies beyond the head is unknown, and None or empty in the answer: libraries,
    versions, and the libc if no interpreter tells it. *os* is ``linux`` if neither header nor notes nor interpreter say
    another. There are several Requirements for universal programs of macOS. Raises ReleaseError like ``read``.
    """
    return _read(ProgramBytes(io.BytesIO(head), name, is_head=True))


def _read(source: ProgramBytes) -> tuple[Requirement, ...]:
    magic = source.must(0, min(4, source.size))
    return _reader(magic)(source)


def _reader(magic: bytes) -> Callable[[ProgramBytes], tuple[Requirement, ...]]:
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
    """Return what a script requires: only the program that its ``#!`` line names. Raises NotAProgram if it names none.

    That is a path (``/bin/bash``), or, after ``/usr/bin/env``, the bare name that env looks up in PATH (``python3``).
    Text that begins with ``#!`` but cannot start, such as Rust's ``#![…]``, is not a program.
    """
    head = source.must(0, min(MAX_SCRIPT_LINE, source.size))
    line, newline, _rest = head.partition(b"\n")
    # If the first line is longer, Linux starts the script only if the interpreter's path ends within what Linux reads.
    is_cut_off = source.is_head or (source.size > len(head) and len(line[2:].split(None, 1)) < 2)
    if is_cut_off and not newline:
        raise source.no_program(f"text that begins with #!, without the end of that line in {len(head)} bytes")
    if line.endswith(b"\r"):
        raise source.no_program("a script whose #! line ends with CR LF: no system has an interpreter of that name")
    words = source.text(line[2:].replace(b"\t", b" ").split(b"\0")[0]).split()
    if not words or not words[0].startswith("/"):
        raise source.no_program("text that begins with #!, but not with the path of an interpreter")
    return (Requirement(os="any", arch="any", interpreter=_env_looks_for(words) or words[0]),)


def _env_looks_for(words: list[str]) -> str | None:
    """Return the program that ``/usr/bin/env`` starts, after options and assignments; None if *words* are others."""
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
