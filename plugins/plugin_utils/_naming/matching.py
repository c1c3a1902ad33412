# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which assets of a release are programs for which platform? Proposed by name and metadata; pure, on the controller.

A proposal is a guess that the bytes confirm or refute later (executable.py). If names are not clear, the answer is
cautious: nothing, or an error that asks, never a file for another system. naming.py reads the names, tiers.py tells
which of them say a platform, and builds.py ranks the builds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._naming.asset_pattern import names_by, suggestion
from ansible_collections.pinned.release.plugins.plugin_utils._naming.builds import Proposal, variants
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import Product, Reading, read_release
from ansible_collections.pinned.release.plugins.plugin_utils._naming.products import (
    base_of,
    decisive,
    of_the_product,
    of_the_tool,
    programs_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._naming.tiers import (
    NAMED_BY_THE_USER,
    TIERS,
    Usage,
    first_tier,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import PLATFORMS, Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: Of the names of files, in one error.
_MOST_SHOWN = 40
_ABOUT_OTHER_FILES = frozenset({"checksum", "signature", "sbom"})


class Ambiguous(ReleaseError):  # noqa: N818 - it is what the release is
    """Several products of one release serve the platform, and no name tells which one is the tool.

    *products* holds the builds of each; *candidates* are the names of the best of each; *why* says which file decided
    that others are none of them.
    """

    def __init__(self, what: str, products: Mapping[Product, tuple[Proposal, ...]], fix: str, why: str = "") -> None:
        self.products = dict(products)
        self.candidates = tuple(builds[0].name for builds in products.values())
        self.why = why
        super().__init__(what, "files of one product", ", ".join(self.candidates[:_MOST_SHOWN]) + why, fix)

    def having_seen(self, found: Sequence[str]) -> ReleaseError:
        """Return the error for the case that opening the candidates, which showed *found*, did not decide either."""
        return ReleaseError(self.what, self.expected, ", ".join(found) + self.why, self.fix)


class NothingForError(ReleaseError):
    """A release has no file for the platforms that are *missing*, by what the names of its files say."""

    def __init__(self, missing: Sequence[Platform], what: str, expected: str, found: str, fix: str) -> None:
        self.missing = tuple(missing)
        super().__init__(what, expected, found, fix)


def propose(
    assets: Sequence[Asset],
    tool: str,
    version: str,
    platform: Platform,
    *,
    pattern: str | None = None,
    meant: Product | None = None,
    asked: Collection[Platform] = tuple(PLATFORMS.values()),
) -> tuple[Proposal, ...]:
    """Return every variant of *tool* that could serve *platform*, best first; nothing if no asset does.

    *pattern* is the manifest's ``asset:``, a shell glob on whole names. ``{version}`` in it stands for the version from
    its first digit on. The pattern decides which product is meant, and allows files whose names say little or nothing
    about a platform. Files that name another platform are still left out, so that one pattern serves all platforms.
    *meant* is the product that is the tool, if that is known. *asked* are all platforms of the manifest.

    Raises Ambiguous if several products fit equally well, and ReleaseError if *pattern* is longer than any name.
    """
    readings = read_release(assets, tool, version)
    programs = programs_of(readings)
    if pattern is not None:
        named = _matching(readings, pattern, version)
        fitting = first_tier(named, platform, NAMED_BY_THE_USER, Usage(named))
    else:
        published = [reading for reading in readings if reading.kind not in _ABOUT_OTHER_FILES]
        fitting = first_tier(of_the_tool(programs, platform, asked), platform, TIERS, Usage(published))
    if meant is not None:
        fitting = of_the_product(meant, fitting, programs)
    return variants(_of_one_product(fitting, readings, tool, version, platform), platform)


def nothing_for(
    assets: Sequence[Asset],
    tool: str,
    version: str,
    missing: Sequence[Platform],
    *,
    served: Sequence[Platform] = (),
    pattern: str | None = None,
    opened: str | None = None,
) -> NothingForError:
    """Return the error for platforms for which propose() found nothing: what the release has, and what to do.

    A file that decided which product is the tool, so that those of others do not count, is named: *opened*, if that was
    told by what it holds, or the one with the tool's name.
    """
    readings = read_release(assets, tool, version)
    programs = [reading.name for reading in readings if reading.kind == "program"]
    others = sorted({reading.kind for reading in readings if reading.kind != "program"})
    beside = f" (besides: {', '.join(others)})" if others else ""
    no_program = "no program, only " + listed((f"{one.name} ({one.kind})" for one in readings), _MOST_SHOWN)
    found = listed(programs, _MOST_SHOWN) + beside if programs else no_program if readings else "no program"
    named = None if pattern else decisive(programs_of(readings), missing[0], [*missing, *served])
    why = _because(f"{opened} holds" if opened else f"{named} has the name of") if opened or named else ""
    unlabelled = [r.name for r in readings if r.kind in ("program", "script") and not r.is_labelled]
    example = suggestion(unlabelled[0], [], version) if len(unlabelled) == 1 else "…"
    how = "correct" if pattern else "name the file in the manifest:"
    return NothingForError(
        missing,
        f"{tool} {version} has no program for {', '.join(map(str, missing))}",
        expected=f"assets whose names say this platform{f' and match {pattern}' if pattern else ''}",
        found=found + why,
        fix=f'{without(tool, served)}choose another version, or {how} tools.{tool}.asset: "{pattern or example}"',
    )


def _because(decided: str) -> str:
    """Return the end of an error that says which file *decided* which product is the tool."""
    return f"; {decided} the tool, so files of other products are not taken for it"


def without(tool: str, served: Sequence[Platform]) -> str:
    """Return the start of a fix: the line of the manifest that limits *tool* to the platforms that are *served*."""
    line = f"platforms: [{', '.join(map(str, served))}]"
    return f"to leave out the others, write tools.{tool}.{line}; otherwise " if served else ""


def _of_one_product(
    fitting: Sequence[Reading], release: Sequence[Reading], tool: str, version: str, platform: Platform
) -> Sequence[Reading]:
    """Return the files of the tool's product: the one with no further words, else the one whose words all others have.

    Raises Ambiguous if no product is such.
    """
    for group in (
        [reading for reading in fitting if reading.product == ()],
        [reading for reading in fitting if reading.is_named],
        list(fitting),
    ):
        base = base_of({reading.product for reading in group})
        if base is not None:
            return [reading for reading in group if reading.product == base]
        if group:
            raise _ambiguity(group, release, tool, version, platform)
    return []


def _ambiguity(
    group: Sequence[Reading], release: Sequence[Reading], tool: str, version: str, platform: Platform
) -> Ambiguous:
    """Return the error that shows one candidate of each product, and the manifest's line that chooses the first."""
    of_products: dict[Product, list[Reading]] = {}
    for reading in group:
        of_products.setdefault(reading.product, []).append(reading)
    builds_of = {product: variants(readings, platform) for product, readings in of_products.items()}
    products = dict(sorted(builds_of.items(), key=lambda item: item[1][0].name))
    first, builds = next(iter(products.items()))
    others = [reading.name for reading in release if reading.product != first]
    line = f'tools.{tool}.asset: "{suggestion(builds[0].name, others, version)}"'
    is_named = all(reading.is_named for reading in group)
    left_out = [r for r in programs_of(release) if not r.is_named and r.label.os == platform.os]
    return Ambiguous(
        f"{tool} {version} has several products for {platform}",
        products,
        f"name one in the manifest, for example {line}",
        _because(f"{builds[0].name} has the name of") if is_named and left_out else "",
    )


def _matching(readings: Sequence[Reading], pattern: str, version: str) -> list[Reading]:
    """Return the readings that the user's pattern names, except files that can never be installed."""
    matcher = names_by(pattern, version)
    return [r for r in readings if matcher.match(r.name) and r.kind not in _ABOUT_OTHER_FILES]
