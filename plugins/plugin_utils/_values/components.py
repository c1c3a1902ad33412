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
from urllib.parse import unquote

Recorder: TypeAlias = Literal["go", "cargo-auditable"]
Kind: TypeAlias = Literal["golang", "cargo", "generic"]

#: The standard library of Go, as a component.
STDLIB = "stdlib"
_STEP, _LOWER = (rf"(?!\.{{1,2}}(?:/|@|\Z))(?:[{letters}0-9._~-]|%2B)+" for letters in ("A-Za-z", "a-z"))
#: What a package URL of ours looks like: of all characters that a name may have, only + is encoded.
PURL = re.compile(
    rf"pkg:(?:golang/(?P<module>{_LOWER}(?:/{_LOWER})*)|(?P<kind>cargo|generic)/(?P<name>{_STEP}(?:/{_STEP})*))"
    r"(?:@(?P<version>(?:[A-Za-z0-9._~-]|%2B)+))?\Z"
)
#: Of a package URL, and of a reason for a gap.
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
    at = "" if version is None else f"@{_encoded(version)}"
    found = f"pkg:{kind}/{_encoded(name)}{at}"
    if version == "" or not PURL.match(found) or len(found) > MAX_LENGTH:
        words = name if version is None else f"{name} {version}"
        raise ValueError(f"a component called {words[:80]!a}")
    return Component(found, name, version, is_main)


def component_of(purl: str, is_main: bool = False) -> Component:
    """Return the component that *purl* says, as component() writes it. Raises ValueError for any other text."""
    said = PURL.match(purl)
    if said is None or len(purl) > MAX_LENGTH:
        raise ValueError("no package URL of a component")
    version = said["version"]
    return Component(purl, unquote(said["module"] or said["name"]), version and unquote(version), is_main)


def _encoded(text: str) -> str:
    """Return *text* as a package URL has it; what cannot be a name stays none."""
    return text.translate({ord("%"): " ", ord("@"): " ", ord("+"): "%2B"})


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
