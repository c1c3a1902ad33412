# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several products of one release is the tool, where names do not tell? One asset of each is opened.

Meant is the one that holds what the manifest's ``executables`` name, or else a program of the tool's own name; or the
only one that holds any program for the platform. Runs on the controller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.archive import TooLargeError, format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents
from ansible_collections.pinned.release.plugins.plugin_utils._asset.programs import choose_programs
from ansible_collections.pinned.release.plugins.plugin_utils._asset.requirements import merged_requirements
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import serves
from ansible_collections.pinned.release.plugins.plugin_utils._naming.matching import Ambiguous
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import Product
from ansible_collections.pinned.release.plugins.plugin_utils._naming.products import base_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform

#: Looks into an asset whose bytes are here.
Open = Callable[[], Contents]
#: Of more products than this none is opened: nobody wants that much downloaded to be told what to write.
MOST_OPENED = 8


@dataclass(frozen=True)
class _Opened:
    """The asset that stands for a product, and the names of the programs that it would install on the platform."""

    asset: str
    programs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.asset} ({', '.join(self.programs) or 'nothing for it'})"


def settle(
    question: Ambiguous, platform: Platform, wanted: WantedTool, version: str, fetch: Callable[[str], Open]
) -> Product:
    """Return the product that is the tool *wanted*, going by what *fetch* brings of each of the release *version*.

    Raises ReleaseError, the *question* with what was seen, if nothing tells, and TooLargeError for an asset that
    unpacks to more than it may: what it holds is not known then.
    """
    if len(question.products) > MOST_OPENED:
        raise question
    opened = {
        product: _open(builds[0].name, fetch(builds[0].name), platform, wanted, version)
        for product, builds in question.products.items()
    }
    usable = {product: one for product, one in opened.items() if one.programs}
    named = {product for product, one in usable.items() if wanted.executables or _has_its_name(one, wanted.name)}
    for products in (named, set(usable)):
        base = base_of(products)
        if base is not None:
            return base
    raise question.having_seen([str(one) for one in opened.values()])


def _has_its_name(opened: _Opened, tool: str) -> bool:
    """Tell whether a program is called as the tool is. One that is not packed has no name but that of its asset."""
    return tool in opened.programs and format_of(opened.asset) not in ("bare", "gz", "xz", "bz2", "zst")


def _open(name: str, look_into: Open, platform: Platform, wanted: WantedTool, version: str) -> _Opened:
    try:
        found = look_into()
        programs = choose_programs(found, wanted.name, version, wanted.executables, name)
        needs = merged_requirements(programs.values())
    except TooLargeError:
        raise
    except ReleaseError:
        return _Opened(name, ())
    is_for_platform = any(serves(requirement, platform.base) for requirement in needs)
    return _Opened(name, tuple(sorted(programs)) if is_for_platform else ())
