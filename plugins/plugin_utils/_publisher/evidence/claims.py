# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digests does a publisher state of an asset, before its bytes are here? The table of kinds. On the controller.

A new kind is one file here and one line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import (
    Fetch,
    Stated,
    build_manifests,
    listing,
    sums,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release

#: Collects what one kind states of an asset. Raises ReleaseError where a statement cannot be read.
Collect = Callable[[Asset, Release, Fetch], Stated]

#: Where digests are stated → what collects them from there.
KINDS: Mapping[str, Collect] = {
    "build manifest": build_manifests.stated,
    "listing": listing.stated,
    "sums": sums.stated,
}


def collect(asset: Asset, release: Release, fetch: Fetch) -> Stated:
    """Return all that the publisher states of *asset*; *fetch* reads small files of the release.

    Without claims and without gaps, the publisher states no digests at all. Raises ReleaseError where a statement
    cannot be read, or where two disagree.
    """
    found = [kind(asset, release, fetch) for kind in KINDS.values()]
    claims = tuple(claim for stated in found for claim in stated.claims)
    agreed_digests(asset.name, claims)
    return Stated(claims, tuple(gap for stated in found for gap in stated.gaps))


def agreed_digests(name: str, claims: Iterable[Claim]) -> dict[str, str]:
    """Return the digests that all *claims* about the asset *name* agree on, by algorithm.

    The asset's bytes are then compared with every one of them. Raises ReleaseError on any disagreement.
    """
    agreed: dict[str, Claim] = {}
    for claim in claims:
        other = agreed.setdefault(claim.algorithm, claim)
        if other.value != claim.value:
            raise ReleaseError(
                f"the publisher contradicts itself about {name}",
                expected=f"{other.algorithm} {other.value} (from {other.origin})",
                found=f"{claim.algorithm} {claim.value} (from {claim.origin})",
                fix="ask the publisher which is right, and pin another version until then",
            )
    return {algorithm: claim.value for algorithm, claim in sorted(agreed.items())}
