# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of which modules was a Go program made, and by which Go? Go records it in each program. Pure; controller.

Follows debug/buildinfo and runtime/debug (ParseBuildInfo) of Go's source. A header of 32 bytes is in a section of its
own, or else somewhere in the first data that is writable. Since Go 1.18 the version of Go and the text of modules stand
behind it, each with its length; before, it has the addresses of two Go strings. Where a publisher has removed the
section, the text may still be among the constants: go_settings.py finds it there.

A module that another one replaced is not inside, but the other is. If that was a folder, nobody knows its version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.go_settings import BEGIN, END, go_text
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.parts import Part
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.record import (
    MAX_COMPONENTS,
    MAX_SIZE,
    damaged,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import (
    STDLIB,
    Component,
    Inside,
    component,
    ordered,
)

SECTIONS = (".go.buildinfo", "__go_buildinfo")
MAGIC = b"\xff Go buildinf:"
ALIGNMENT, HEADER_SIZE = 16, 32
IS_BIG_ENDIAN, IS_INLINE = 1, 2
TOOLCHAIN = re.compile(r"[ -~]{1,256}\Z")
#: ``go1.26.8``, ``go1.27rc1``, with words behind it for experiments; not ``devel go1.28-…``.
RELEASE = re.compile(r"go([0-9]+\.[0-9A-Za-z._~+-]+)(?: |\Z)")
UNKNOWN_VERSION = "(devel)"
NO_MODULES = "its build recorded no Go modules"


def read_go(part: Part, source: ProgramBytes) -> Inside | None:
    """Return what Go recorded in a *part* of *source*; None if that is nothing.

    A program that was built without modules has only the standard library, and a gap. Raises ReleaseError if the record
    is damaged, or larger than any real one.
    """
    found = _record(part, source)
    if found is None:
        text = go_text(part.elf, source) if part.elf else b""
        return Inside("go", None, _components(text)) if text else None
    toolchain, text = found
    release = RELEASE.match(toolchain)
    own = [component("golang", STDLIB, release[1])] if release else []
    modules = _components(text)
    return Inside("go", toolchain, ordered([*own, *modules]), None if modules else NO_MODULES)


def _record(part: Part, source: ProgramBytes) -> tuple[str, bytes] | None:
    """Return the version of Go and the text of modules; None where there is no header."""
    area = part.section(*SECTIONS)
    place = area or next((one for one in part.mapped if one.is_data and one.size), None)
    if place is None or place.offset >= source.size:
        return None
    content = source.must(place.offset, min(place.size, MAX_SIZE, source.size - place.offset))
    header_at = _header_at(content)
    if header_at is None:
        if area is not None:
            raise damaged("its section of Go's build information has no header")
        return None
    header = content[header_at : header_at + HEADER_SIZE]
    if header[15] & IS_INLINE:
        version, end = _inline(content, header_at + HEADER_SIZE)
        text, _end = _inline(content, end)
    else:
        version, text = _by_pointers(header, part, source)
    return _toolchain(version), _unframed(text)


def _header_at(content: bytes) -> int | None:
    at = content.find(MAGIC)
    while at >= 0:
        if at % ALIGNMENT == 0 and at + HEADER_SIZE <= len(content):
            return at
        at = content.find(MAGIC, at + 1)
    return None


def _inline(content: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes whose length stands at *at* as a number of 7 bits a byte, and the position behind them."""
    size = shift = 0
    while True:
        if at >= len(content) or shift > 28:
            raise damaged("Go's build information is cut off")
        size |= (content[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not content[at - 1] & 0x80:
            break
    if at + size > len(content):
        raise damaged("Go's build information is cut off, or too long")
    return content[at : at + size], at + size


def _by_pointers(header: bytes, part: Part, source: ProgramBytes) -> tuple[bytes, bytes]:
    size = header[14]
    order: Literal["big", "little"] = "big" if header[15] & IS_BIG_ENDIAN else "little"
    if size not in (4, 8):
        raise damaged(f"Go's build information has pointers of {size} bytes")

    def string(at: int) -> bytes:
        """Return the text of the Go string whose header the field at *at* points to."""
        address = int.from_bytes(header[at : at + size], order)
        if not address:
            return b""
        place = _bytes_at(address, 2 * size, part, source)
        start, length = (int.from_bytes(field, order) for field in (place[:size], place[size:]))
        return _bytes_at(start, length, part, source)

    return string(16), string(16 + size)


def _bytes_at(address: int, size: int, part: Part, source: ProgramBytes) -> bytes:
    """Return *size* bytes that are mapped to *address*."""
    if size == 0:
        return b""
    for area in part.mapped:
        if area.address <= address and address + size <= area.address + area.size and size <= MAX_SIZE:
            return source.must(area.offset + address - area.address, size)
    raise damaged("Go's build information refers to bytes that are not in the file, or too many")


def _toolchain(version: bytes) -> str:
    text = version.decode("latin-1")
    if not TOOLCHAIN.match(text):
        raise damaged("Go's build information has no version of Go")
    return text


def _unframed(text: bytes) -> bytes:
    """Return the text between its two marks; Go takes whatever is not framed for none."""
    return text[len(BEGIN) : -len(END)] if text.startswith(BEGIN) and text.endswith(END) else b""


def _components(text: bytes) -> tuple[Component, ...]:
    """Return the modules in the *text*. Raises ReleaseError where a line of them has not its form."""
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise damaged("Go's list of modules is not text") from None
    found = list(_modules(lines))
    if len(found) > MAX_COMPONENTS:
        raise damaged(f"Go's list of modules has {len(found)} of them, more than {MAX_COMPONENTS}")
    try:
        return ordered(component("golang", name, version, is_main) for name, version, is_main in found)
    except ValueError as error:
        raise damaged(f"Go's list of modules has {error}") from None


def _modules(lines: list[str]) -> Iterator[tuple[str, str | None, bool]]:
    """Yield path and version of each module that is inside, and whether it is the main one."""
    last: tuple[str, str | None, bool] | None = None
    for line in lines:
        word, *fields = line.split("\t")
        if word not in ("mod", "dep", "=>"):
            continue
        if len(fields) < 2 or (word == "=>" and last is None):
            raise damaged("Go's list of modules has a line of another form")
        path, version = fields[0], None if fields[1] in ("", UNKNOWN_VERSION) else fields[1]
        if word == "=>" and last is not None:
            is_folder = path.startswith((".", "/")) or path[1:2] == ":"
            last = (last[0], None, last[2]) if is_folder else (path, version, last[2])
            continue
        if last is not None:
            yield last
        last = (path, version, word == "mod")
    if last is not None:
        yield last
