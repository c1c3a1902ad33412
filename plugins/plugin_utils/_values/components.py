# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is inside a program, as its compiler recorded it? The value types, and the package URLs. Pure; controller.

A package URL says type, name and version of a component (ECMA-427). Those of Go modules are in lower case, as its type
``golang`` demands. The standard library of Go is ``pkg:golang/stdlib``, as OSV's records call it. A ``pkg:cargo`` is
from crates.io; a crate from elsewhere (Git, a folder, another registry) has the same name as a stranger's there at
best by chance, so it is a ``pkg:generic``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote

Recorder: TypeAlias = Literal["go", "cargo-auditable"]
Kind: TypeAlias = Literal["golang", "cargo", "generic"]

#: The standard library of Go, as a component.
STDLIB = "stdlib"
#: What a package URL of ours looks like: no qualifiers, no subpath.
PURL = re.compile(
    r"pkg:(golang|cargo|generic)/((?:[A-Za-z0-9._~-]|%[0-9A-F]{2}|/(?!/))+)(?:@((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+))?\Z"
)
NAME = re.compile(r"[A-Za-z0-9._~+-]+(?:/[A-Za-z0-9._~+-]+)*\Z")
VERSION = re.compile(r"[A-Za-z0-9._~+-]+\Z")
MAX_LENGTH = 512


@dataclass(frozen=True)
class Component:
    """Something that a program was made of.

    name     that of the crate, or the path of the Go module, as the package URL has it
    version  None where the compiler recorded none: then that of the tool's release may be the one
    is_main  whether it is the program's own package
    """

    purl: str
    name: str
    version: str | None
    is_main: bool = False


@dataclass(frozen=True)
class Inside:
    """What is recorded in a program; nothing if all fields are empty.

    recorded_by  which format the record has
    toolchain    the version of the compiler, such as ``go1.26.8``, where that is recorded
    components   ordered by their package URLs
    gap          why the record, or a part of it, cannot be told; None where it is whole, or there is none
    """

    recorded_by: Recorder | None = None
    toolchain: str | None = None
    components: tuple[Component, ...] = ()
    gap: str | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the compiler recorded nothing."""
        return self == SILENT

    @property
    def main(self) -> Component | None:
        """The program's own package."""
        return next((one for one in self.components if one.is_main), None)


#: What is inside where a compiler recorded nothing.
SILENT = Inside()


def component(kind: Kind, name: str, version: str | None, is_main: bool = False) -> Component:
    """Return the component with its package URL. Raises ValueError for a name or version that none can have."""
    name = name.lower() if kind == "golang" else name
    if not NAME.match(name) or len(name) > MAX_LENGTH:
        raise ValueError(f"a component called {name[:40]!r}")
    if version is not None and (not VERSION.match(version) or len(version) > MAX_LENGTH):
        raise ValueError(f"a component of version {version[:40]!r}")
    at = "" if version is None else f"@{quote(version, safe='')}"
    return Component(f"pkg:{kind}/{quote(name)}{at}", name, version, is_main)


def component_of(purl: str, is_main: bool = False) -> Component:
    """Return the component that *purl* says, as component() writes it. Raises ValueError for any other text."""
    parts = PURL.match(purl)
    if parts is None:
        raise ValueError("no package URL of a component")
    kind: Kind = "cargo" if parts[1] == "cargo" else "golang" if parts[1] == "golang" else "generic"
    found = component(kind, unquote(parts[2]), unquote(parts[3]) if parts[3] else None, is_main)
    if found.purl != purl:
        raise ValueError("a package URL that is not in its canonical form")
    return found


def gap_of(text: str) -> str:
    """Return a reason for a gap as it is kept: a short line of ASCII, whatever a stranger's bytes brought into it."""
    return re.sub(r"[^ -~]", "?", text)[:MAX_LENGTH]


def ordered(components: Iterable[Component]) -> tuple[Component, ...]:
    """Return the *components* without repetitions, in the order of their package URLs; the main one wins."""
    by_purl: dict[str, Component] = {}
    for one in components:
        if one.is_main or one.purl not in by_purl:
            by_purl[one.purl] = one
    return tuple(by_purl[purl] for purl in sorted(by_purl))
