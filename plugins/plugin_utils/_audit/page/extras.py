# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the page tell of a tool beside the fleet: advisories, components? The value types. Pure; controller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advisory:
    """One advisory about a tool or a component in it.

    status   ``affected``, ``cannot compare``, ``not affected`` …: a word for people
    subject  what it is about: the package, and the program that it is in
    text     the summary, and whatever else belongs to it, in a line
    fixed    the versions that have the fix, in a line
    """

    name: str
    status: str
    level: str
    subject: str
    text: str
    fixed: str


@dataclass(frozen=True)
class Program:
    """What one program of an asset is built of: *recorded* says by whom, or that nothing is; *components* name all."""

    path: str
    target: str
    recorded: str
    components: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extras:
    """All that is told of one tool beside the fleet. *coverage* says which advisories were asked; "" for none."""

    coverage: str = ""
    advisories: tuple[Advisory, ...] = ()
    programs: tuple[Program, ...] = ()
