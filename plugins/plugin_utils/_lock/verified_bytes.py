# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are an asset's bytes those that its publisher states, and signs as the manifest demands? Runs on the controller.

First come the claims of all assets that a tool needs, then the bytes, which are compared with them, then the proofs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import remembered
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents
from ansible_collections.pinned.release.plugins.plugin_utils._lock import foreign_digests, policy_check
from ansible_collections.pinned.release.plugins.plugin_utils._lock.earlier_proofs import Before, Proofs, made
from ansible_collections.pinned.release.plugins.plugin_utils._lock.foreign_digests import ForeignDigests, Statement
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._naming.asset_pattern import names_by, pattern_of
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import strangers
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import LIMIT_BYTES, Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import (
    Authorities,
    Held,
    Stated,
    claims,
    proofs,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import UnreachableError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release, Source

LOG = logging.getLogger("pinned.release")
#: Of the reasons why nothing covers an asset, so many are shown.
MOST_SHOWN = 5


@dataclass(frozen=True)
class Job:
    """The release that a tool gets, where it comes from, where its bytes are kept, and what policy and run allow.

    *folder* is the manifest's, from which paths in it start. *elsewhere* is what other tools' lock files state.
    *authorities* are asked about signers, and *before* is what is known if they do not answer.
    """

    wanted: WantedTool
    source: Source
    release: Release
    cache: Cache
    allowance: Allowance
    folder: Path = Path()
    elsewhere: ForeignDigests = field(default=ForeignDigests(), kw_only=True)
    policy: Policy = field(default_factory=Policy, kw_only=True)
    authorities: Authorities = field(default_factory=Authorities, kw_only=True)
    before: Before = field(default_factory=Before, kw_only=True)

    def asset(self, name: str) -> Asset:
        """Return the asset of this *name*, which the release has."""
        return next(asset for asset in self.release.assets if asset.name == name)

    def stated(self, name: str) -> Stated:
        """Return what the publisher states of the asset.

        Raises ReleaseError if it cannot be read, or contradicts itself or what a lock file of another tool states.
        """
        stated = claims.collect(self.asset(name), self.release, self.cache.reader(self.source.session))
        foreign_digests.refuse_disagreement(name, stated.claims, self._stated_elsewhere(name))
        told = [f"{claim.algorithm} by {redacted(claim.origin)}" for claim in stated.claims]
        LOG.debug("%s: %s has digests: %s", self.wanted.name, name, ", ".join(told) or "none")
        return stated

    def fetch(self, name: str, said: tuple[Claim, ...], progress: Callable[[int], None]) -> CachedFile:
        """Return the bytes of the asset, compared with all that is *said* of them.

        *progress* is called with the number of bytes that are here. Raises ReleaseError if the bytes cannot be had,
        differ from a digest or the size that is stated of them, or are more or elsewhere than the policy allows.
        """
        asset = self.asset(name)
        policy_check.refuse_asset(self.policy, self.wanted.name, asset)
        known = replace(asset, digests={**asset.digests, **claims.agreed_digests(name, said)})
        limit = self.policy.maximum_bytes or LIMIT_BYTES
        cached = self.cache.fetch(known, self.source.session, progress=progress, limit_bytes=limit)
        foreign_digests.compare(name, cached, self._stated_elsewhere(name))
        return cached

    def prove(self, name: str, cached: CachedFile) -> Proofs:
        """Return the proofs of the bytes that the manifest demands, or those of the last lock if a service is down.

        Raises ReleaseError where one does not hold.
        """
        held = Held(self.asset(name), self.release, cached.path, cached.digests, self.folder, self.authorities)
        try:
            return made(proofs.collect(held, self.wanted.verify, self.cache.reader(self.source.session)))
        except UnreachableError as error:
            return self.before.proofs(name, cached.sha256, self.wanted.verify, error)

    def private_url(self, name: str, cached: CachedFile) -> str:
        """Return where the controller reads the asset with its credentials; "" if anybody may read it, as hosts must.

        The publisher is asked once: what was locked of the same bytes at the same address stays.
        """
        asset = self.asset(name)
        before = self.before.asset(name, cached.sha256)
        if before is not None and before.url == asset.url:
            is_private = bool(before.private_url)
        else:
            is_private = strangers.are_refused(self.source.session, asset, cached.size)
        return (asset.api_url or asset.url) if is_private else ""

    def claims(self, name: str, stated: Stated) -> tuple[Claim, ...]:
        """Return the claims about the asset for its evidence: what is *stated*, and what other tools' lock files do."""
        elsewhere = (claim for statement in self._stated_elsewhere(name) for claim in statement.claims())
        return (*stated.claims, *elsewhere)

    def _stated_elsewhere(self, name: str) -> tuple[Statement, ...]:
        return self.elsewhere.about(self.wanted.name, self.wanted.source, self.release.version, self.asset(name))

    def look_into(self, name: str, cached: CachedFile) -> Contents:
        """Return what the asset of this *name* holds. Raises ReleaseError for what must not be unpacked."""
        return remembered.look_into(cached, name, self.wanted.name, self.allowance, self.cache.root)


def refuse_uncovered(job: Job, stated: Mapping[str, Stated]) -> None:
    """Raise ReleaseError if the publisher states digests, and none of some assets that the manifest does not accept so.

    *stated* is what there is of each asset, by its name. A publisher that states no digests at all is another matter:
    then the asset is pinned as downloaded.
    """
    accepted = [names_by(pattern, job.release.version) for pattern in job.wanted.without_digest]
    uncovered = {
        name: found.gaps
        for name, found in sorted(stated.items())
        if found.gaps and not found.claims and not any(pattern.match(name) for pattern in accepted)
    }
    if not uncovered:
        return
    reasons = list(dict.fromkeys(gap for gaps in uncovered.values() for gap in gaps))
    more = [f"and {len(reasons) - MOST_SHOWN} more"] if len(reasons) > MOST_SHOWN else []
    patterns = ", ".join(json.dumps(pattern_of(name, job.release.version), ensure_ascii=False) for name in uncovered)
    line = f"accept: {{without_digest: [{patterns}]}}"
    raise ReleaseError(
        f"{job.wanted.name} {job.release.version}: its publisher offers digests, but none of {', '.join(uncovered)}",
        expected="a SHA-256, SHA-384 or SHA-512 digest in the release's listing, a sums file or a sidecar",
        found="; ".join(reasons[:MOST_SHOWN] + more),
        fix=f"ask the publisher why; to pin it as it is downloaded, write into tools.{job.wanted.name}: {line}",
    )
