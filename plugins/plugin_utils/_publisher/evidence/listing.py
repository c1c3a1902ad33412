# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digests does a publisher's own listing state of an asset? Pure; runs on the controller.

Some listings state digests of some assets only: GitHub has none of files that were uploaded before June 2025.
"""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Stated, sums
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING, Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release


def stated(asset: Asset, release: Release, fetch: Fetch) -> Stated:
    """Return the strong digests that the listing has of *asset*. Weak ones are compared as well, but claim nothing.

    Raises ReleaseError if the publisher has to be asked for them, and does not answer.
    """
    listed = {**release.stated(asset), **asset.digests}
    strong = {name: value for name, value in listed.items() if name in sums.ALGORITHMS.values()}
    if strong:
        return Stated(tuple(Claim(name, value.lower(), LISTING) for name, value in sorted(strong.items())))
    if asset.digests:
        return Stated(gaps=(f"the listing has only its {' and '.join(sorted(asset.digests))}, which can be forged",))
    # A source may know the digests of sums files because it has read them.
    if any(other.digests for other in release.assets if not sums.is_sums(other.name)):
        return Stated(gaps=("the listing has digests of other assets, and none of it",))
    return Stated()
