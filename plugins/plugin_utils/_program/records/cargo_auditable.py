# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of which crates was a Rust program made, as cargo-auditable recorded it? Pure; controller.

The section .dep-v0 holds JSON, compressed by zlib, with the packages that Cargo chose (cargo-auditable's PARSING.md and
cargo-auditable.schema.json). A package of kind ``build`` ran when the program was built, and is not inside it. Records
of format 0 count procedural macros, which are not inside either, among the others.
"""

from __future__ import annotations

import zlib
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.parts import Part
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.record import (
    MAX_COMPONENTS,
    MAX_SIZE,
    damaged,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import (
    Component,
    Inside,
    Kind,
    component,
    ordered,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json

SECTION = ".dep-v0"
#: A record of 567 crates has 54 kB.
MAX_TEXT_SIZE = 8 * 1024 * 1024
CRATES_IO = ("crates.io", "CratesIo")


def read_cargo_auditable(part: Part, source: ProgramBytes) -> Inside | None:
    """Return what cargo-auditable recorded in a *part* of *source*; None if that is nothing.

    Raises ReleaseError if the record is damaged, or larger than any real one.
    """
    section = part.section(SECTION)
    if section is None:
        return None
    if section.size > MAX_SIZE:
        raise damaged(f"its record of crates has {section.size} bytes, more than {MAX_SIZE}")
    packages = _packages(_text(source.must(section.offset, section.size)))
    return Inside("cargo-auditable", None, ordered(_component(one) for one in packages if _is_inside(one)))


def _text(content: bytes) -> str:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(content, MAX_TEXT_SIZE)
    except zlib.error:
        raise damaged("its record of crates cannot be decompressed") from None
    if not unpacking.eof:
        is_long = len(text) >= MAX_TEXT_SIZE
        found = f"unpacks to more than {MAX_TEXT_SIZE} bytes" if is_long else "is cut off"
        raise damaged(f"its record of crates {found}")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise damaged("its record of crates is not text") from None


def _packages(text: str) -> list[dict[str, Any]]:
    try:
        document = read_json(text)
    except ValueError:
        raise damaged("its record of crates is not JSON") from None
    packages = document.get("packages") if isinstance(document, dict) else None
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise damaged("its record of crates has no list of packages")
    if len(packages) > MAX_COMPONENTS:
        raise damaged(f"its record of crates has {len(packages)} packages, more than {MAX_COMPONENTS}")
    return packages


def _is_inside(package: dict[str, Any]) -> bool:
    return bool(package.get("kind") != "build")


def _component(package: dict[str, Any]) -> Component:
    name, version = package.get("name"), package.get("version")
    if not isinstance(name, str) or not isinstance(version, str):
        raise damaged("its record of crates has a package without name or version")
    kind: Kind = "cargo" if package.get("source") in CRATES_IO else "generic"
    try:
        return component(kind, name, version, is_main=package.get("root") is True)
    except ValueError as error:
        raise damaged(f"its record of crates has {error}") from None
