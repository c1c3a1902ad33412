# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is it said in few words what is inside an asset's programs? For notes and diffs. Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.pinned.release.plugins.plugin_utils._values.components import STDLIB, Inside, ordered

GO = "pkg:golang/"


def in_words(programs: Iterable[Inside]) -> str:
    """Return what *programs* are made of, less what is their own: ``531 Rust crates, 1 Go module``; "" for nothing."""
    known = list(programs)
    inside = [one for one in ordered(one for program in known for one in program.components) if not one.is_main]
    modules = sum(one.purl.startswith(GO) and one.name != STDLIB for one in inside)
    crates = sum(not one.purl.startswith(GO) for one in inside)
    compilers = sorted({program.toolchain for program in known if program.toolchain})
    return ", ".join([*_counted(crates, "Rust crate"), *_counted(modules, "Go module"), *compilers])


def _counted(number: int, what: str) -> list[str]:
    return [f"{number} {what}{'' if number == 1 else 's'}"] if number else []
