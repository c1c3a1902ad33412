# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which different builds are among the files that serve a platform, and which is the best? Pure; on the controller.

Builds differ in what they need of a host. Packings and spellings of one build count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import Reading
from ansible_collections.pinned.release.plugins.plugin_utils._naming.tiers import ARM_LEVELS
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.file_kinds import FORMATS
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform


@dataclass(frozen=True)
class Proposal:
    """An asset that may serve a platform, and what its name says of that."""

    name: str
    label: Label


def variants(readings: Sequence[Reading], platform: Platform) -> tuple[Proposal, ...]:
    """Return a proposal for each build among *readings*, all of which serve *platform*, the best first.

    Of several packings or spellings of one build, the proposal is the one that most hosts can open.
    """
    builds: dict[tuple[Label, str], list[Reading]] = {}
    for reading in sorted(readings, key=_packing_rank):
        builds.setdefault((reading.label, reading.distribution), []).append(reading)
    ranked = sorted(builds.values(), key=lambda build: _build_rank(build[0], platform))
    return tuple(Proposal(build[0].name, build[0].label) for build in ranked)


def _packing_rank(reading: Reading) -> tuple[bool, int, int, int, int, str]:
    """Sort by the release's own version, fewest words about packing, format that most hosts can open, smallest size."""
    toolchain = (
        ("msvc", "", "go", "gnu", "mingw", "gnullvm").index(reading.toolchain) if reading.label.os == "windows" else 0
    )
    size_bytes = reading.size_bytes if reading.size_bytes is not None else 0
    is_of_another_version = reading.has_version and not reading.is_this_version
    return (is_of_another_version, toolchain, reading.neutral, _FORMAT_RANK[reading.format], size_bytes, reading.name)


def _build_rank(reading: Reading, platform: Platform) -> tuple[object, ...]:
    """Put thin before universal, baseline before newer levels, the exact ARM before older ones, glibc before musl."""
    said = reading.label
    levels: tuple[str | None, ...] = (None, "x86-64-v2", "x86-64-v3", "x86-64-v4")
    if platform.arch == "arm" and platform.cpu is not None:
        below = ARM_LEVELS[: ARM_LEVELS.index(platform.cpu) + 1][::-1]
        levels = (below[0], None, *below[1:]) if platform.cpu == "armv7" else (*below, None)
    libcs: tuple[str | None, ...] = ("glibc", None, "static", "musl")
    libc = None if reading.distribution else said.libc  # a distribution does not say how new a libc it needs
    floor = [int(number) for number in (said.libc_min or "0").split(".")]
    return (
        bool(said.archs),
        levels.index(said.cpu) if said.cpu in levels else len(levels),
        said.abi != platform.abi,
        libcs.index(libc) if libc in libcs else len(libcs),
        floor,
        reading.distribution != "",
        reading.distribution,
        reading.name,
    )


_FORMAT_RANK = {name: rank for rank, name in enumerate(FORMATS)}
