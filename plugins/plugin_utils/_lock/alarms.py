# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became worse between what was locked and what would be locked now? Pure; runs on the controller.

Each of these stops the lock, with the old and the new value: an older version, another signer, less evidence, an asset
that a locked version no longer has. republished.py has one more: other bytes. A user who accepts one names it in
``accept:``, for one version. What the manifest itself asks otherwise is no alarm: its review shows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import serves
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import DIGEST
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_newer

#: How the certificate of a workflow that ran for a tag ends.
_TAG = re.compile(r"(?<=@refs/tags/).+\Z", re.DOTALL)
#: The evidence that is a digest in a file of the publisher, beside LISTING.
SUMS = "sums"


@dataclass(frozen=True)
class Alarm:
    """One way in which things became worse.

    kind      the key in ``accept:`` that would accept it, and *accepts* the texts to write there
    what      happened, and what was *expected* by what was locked, and *found*
    """

    kind: str
    accepts: tuple[str, ...]
    what: str
    expected: str
    found: str


def refuse_downgrade(wanted: WantedTool, version: str, locked: LockedTool | None, offered: Collection[Release]) -> None:
    """Raise ReleaseError if *version* is older than what is *locked*, though the manifest asks what it asked then.

    *offered* are the releases that the publisher has now.
    """
    if locked is None or not is_newer(locked.version, version) or not _is_same_question(wanted, locked):
        return
    published = next((release for release in offered if release.version == locked.version), None)
    state = "is no longer published" if published is None else "is still published, but not taken"
    if published is not None and published.is_yanked:
        state = "was withdrawn by its publisher"
    found = f"{version}; {locked.version} {state}"
    alarm = Alarm("downgrade", (version,), "would go back to an older version", f"{locked.version}, as locked", found)
    _refuse(wanted, version, [alarm])


def refuse_weaker(wanted: WantedTool, release: Release, tool: LockedTool, locked: LockedTool | None) -> None:
    """Raise ReleaseError if the new *tool*, from *release*, is worse evidenced or less complete than what is *locked*.

    What the user accepts of the tool *wanted* is no reason to.
    """
    if locked is None:
        return
    _refuse(
        wanted,
        tool.version,
        [*_vanished(wanted, release, tool, locked), *_signers(tool, locked), *_evidence(wanted, tool, locked)],
    )


def _refuse(wanted: WantedTool, version: str, alarms: Collection[Alarm]) -> None:
    """Raise ReleaseError with all *alarms* that the user does not accept of the *version*."""
    left = [one for one in alarms if not set(one.accepts) <= set(wanted.accepted.get(one.kind, ()))]
    if not left:
        return
    accept = "; ".join(f"accept: {{{one.kind}: {json.dumps(one.accepts, ensure_ascii=False)}}}" for one in left)
    raise ReleaseError(
        f"{wanted.name} {version}: {'; '.join(one.what for one in left)}",
        expected="; ".join(one.expected for one in left),
        found="; ".join(one.found for one in left),
        fix=f"ask its publisher why; to use it anyway, write into tools.{wanted.name}: {accept}",
    )


def _is_same_question(wanted: WantedTool, locked: LockedTool) -> bool:
    platforms = sorted(map(str, wanted.platforms)) == sorted(locked.platforms)
    return (wanted.source, wanted.constraint) == (locked.source, locked.constraint) and platforms


def _vanished(wanted: WantedTool, release: Release, tool: LockedTool, locked: LockedTool) -> Iterator[Alarm]:
    """Yield whether assets of a locked version are gone, which its publisher had for platforms that are still asked."""
    if tool.version != locked.version or wanted.source != locked.source:
        return
    left = {asset.name for asset in release.assets} | {asset.sha256 for asset in tool.assets}
    gone = {
        asset.name: asset
        for asset in locked.assets
        if not {asset.name, asset.sha256} & left and any(serves(asset.requires, one) for one in wanted.platforms)
    }
    if gone:
        targets = listed(sorted({asset.target for asset in gone.values()}))
        kept = listed(dict.fromkeys(asset.name for asset in tool.assets))
        accepts = tuple(f"{tool.version} {name}" for name in sorted(gone))
        what = "assets that were locked are no longer published"
        yield Alarm("vanished_asset", accepts, what, f"{listed(sorted(gone))}, for {targets}", f"only {kept}")


def _signers(tool: LockedTool, locked: LockedTool) -> Iterator[Alarm]:
    """Yield each kind of proof by a signer who signed nothing before, though the same identity is pinned."""
    before, now = _signers_of(locked), _signers_of(tool)
    for pin in sorted(set(before) & set(now)):
        known = {general for general, _signer in before[pin]}
        new = sorted(signer for general, signer in now[pin] if general not in known)
        if new:
            was = listed(sorted(signer for _general, signer in before[pin]))
            accepts = tuple(f"{tool.version} {signer}" for signer in new)
            what = f"has {pin[0]} proofs by another signer"
            yield Alarm("signer", accepts, what, f"{was}, who signed {locked.version}", listed(new))


def _signers_of(tool: LockedTool) -> dict[tuple[str, Identity], set[tuple[str, str]]]:
    """Return who made the proofs of each kind and identity: in general, and by the whole name.

    A workflow that ran for a tag has that in its name, however the tag is written: the general name is without it, and
    without the version.
    """
    signers: dict[tuple[str, Identity], set[tuple[str, str]]] = {}
    for proof in _proofs(tool):
        general = _TAG.sub("{tag}", proof.signer).replace(tool.version, "{version}")
        signers.setdefault((proof.kind, proof.identity), set()).add((general, proof.signer))
    return signers


def _proofs(tool: LockedTool) -> Iterator[Proof]:
    return (proof for asset in tool.assets for proof in asset.evidence.proofs)


def _evidence(wanted: WantedTool, tool: LockedTool, locked: LockedTool) -> Iterator[Alarm]:
    """Yield which kinds of evidence all assets had before, and some lack now.

    A kind of proof that the manifest does not demand any more is none; one that only the catalogue demanded, and does
    not any more, is: no review of the manifest shows it. Another source states digests in other places.
    """
    kinds_of = _places_of_digests if tool.source == locked.source else _digests_at_all
    had = set.intersection(*(kinds_of(asset) for asset in locked.assets))
    dropped = set(locked.verify) - set(wanted.verify)
    had -= set() if "verify" in locked.catalogued and wanted.catalogued else dropped
    lacking = {kind: sorted({one.name for one in tool.assets if kind not in kinds_of(one)}) for kind in sorted(had)}
    lacking = {kind: names for kind, names in lacking.items() if names}
    if lacking:
        accepts = tuple(f"{tool.version} {kind}" for kind in lacking)
        why = dict.fromkeys(dropped, ", which the catalogue no longer demands")
        found = "; ".join(f"no {kind} for {listed(names)}{why.get(kind, '')}" for kind, names in lacking.items())
        expected = f"{' and '.join(lacking)}, as {locked.version} had"
        yield Alarm("weaker_evidence", accepts, "has less evidence than what is locked", expected, found)


def _places_of_digests(asset: LockedAsset) -> set[str]:
    claims = {LISTING if claim.origin == LISTING else SUMS for claim in asset.evidence.by_publisher}
    return claims | {proof.kind for proof in asset.evidence.proofs}


def _digests_at_all(asset: LockedAsset) -> set[str]:
    claims = {DIGEST} if asset.evidence.by_publisher else set()
    return claims | {proof.kind for proof in asset.evidence.proofs}
