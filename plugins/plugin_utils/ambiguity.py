# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several products of one release is the tool, where names do not tell? One asset of each is opened.

Meant is the one that holds what the manifest's ``executables`` name, or else a program of the tool's own name; or the
only one that holds any program for the platform. Runs on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.archive import format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import contents
from ansible_collections.pinned.release.plugins.plugin_utils.matching import Ambiguous, base_of
from ansible_collections.pinned.release.plugins.plugin_utils.naming import Product
from ansible_collections.pinned.release.plugins.plugin_utils.needs import merged_needs
from ansible_collections.pinned.release.plugins.plugin_utils.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils.programs import choose_programs
from ansible_collections.pinned.release.plugins.plugin_utils.promises import serves

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
    question: Ambiguous, platform: Platform, tool: str, executables: Mapping[str, str], fetch: Callable[[str], Path]
) -> Product:
    """Return the product that is *tool*, going by what *fetch* brings of each. Raises *question* if nothing tells."""
    if len(question.products) > MOST_OPENED:
        raise question
    opened = {
        product: _open(builds[0].name, platform, tool, executables, fetch)
        for product, builds in question.products.items()
    }
    usable = {product: one for product, one in opened.items() if one.programs}
    named = {product for product, one in usable.items() if executables or _has_its_name(one, tool)}
    for products in (named, set(usable)):
        base = base_of(products)
        if base is not None:
            return base
    raise question.having_seen([str(one) for one in opened.values()])


def _has_its_name(opened: _Opened, tool: str) -> bool:
    """Tell whether a program is called as the tool is. One that is not packed has no name but that of its asset."""
    return tool in opened.programs and format_of(opened.asset) not in ("bare", "gz", "xz", "bz2", "zst")


def _open(
    name: str, platform: Platform, tool: str, executables: Mapping[str, str], fetch: Callable[[str], Path]
) -> _Opened:
    path = fetch(name)
    try:
        found = contents.look_into(path, format_of(name), tool, name)
        programs = choose_programs(found, tool, executables, name)
        needs = merged_needs(programs.values())
    except ReleaseError:
        return _Opened(name, ())
    is_for_platform = any(serves(requirement, platform) for requirement in needs)
    return _Opened(name, tuple(sorted(programs)) if is_for_platform else ())
