# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what is kept still prove what the lock file says? Every proof is verified again, offline; on the controller.

A proof that held when it was made may not hold now: a key has expired since, or the manifest pins another. That is
told, and it is no failure of the proof: the lock file says what was true when it was made.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.detached import states_digest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.proofs import KINDS
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import ProofVerdict

#: Opens the bytes of the asset with this SHA-256; None where they are not on this controller.
OpenAsset = Callable[[str], BinaryIO | None]
#: Of proofs that do not hold, so many are shown.
MOST_SHOWN = 10


@dataclass(frozen=True)
class Verification:
    """What became of one proof, verified again.

    verdict  ``verified``, ``refused``, or ``unverified`` (the asset's own bytes were signed, and are not here)
    reason   why it is not ``verified``; for one that is, what is not as it was when it was made, or ""
    """

    tool: str
    asset: str
    kind: str
    signer: str
    verdict: ProofVerdict
    reason: str = ""


class _AbsentError(ReleaseError):
    """The bytes that were signed are not on this controller."""


def verify(
    lock: LockFile, read: Callable[[str], bytes], open_asset: OpenAsset, manifest: Manifest | None = None
) -> tuple[Verification, ...]:
    """Return what became of every proof in *lock*, once for each asset; *read* returns what is kept, by its SHA-256.

    The *manifest*, if there is one, tells which identities are pinned now. Nothing is raised for a proof that fails.
    """
    return tuple(
        _verified(tool, locked.version, asset, proof, _Sources(read, open_asset, manifest))
        for tool, locked in sorted(lock.tools.items())
        for asset, proof in _proofs(locked.assets)
    )


def refuse_failed(found: Sequence[Verification]) -> None:
    """Raise ReleaseError that names each proof in *found* that was refused."""
    refused = [one for one in found if one.verdict == "refused"]
    if refused:
        raise ReleaseError(
            f"{len(refused)} of {len(found)} proofs do not hold",
            found="; ".join(f"{one.tool}: {one.asset}, {one.kind}: {one.reason}" for one in refused[:MOST_SHOWN]),
            fix="restore the lock file and the folder beside it from version control; if they are as they were "
            "committed, do not roll them out",
        )


def notes(found: Sequence[Verification]) -> list[str]:
    """Return what to tell people of proofs none of which was refused: how many hold, and each that has a reason."""
    verified = sum(one.verdict == "verified" for one in found)
    reasons = [f"{one.tool}: {one.asset}, {one.kind}: {one.reason}" for one in found if one.reason]
    return [f"{verified} of {len(found)} proofs verified again", *reasons]


def _proofs(assets: tuple[LockedAsset, ...]) -> Iterator[tuple[LockedAsset, Proof]]:
    """Yield each proof of each asset once: an asset stands in the lock file once for each of its targets."""
    by_name = {asset.name: asset for asset in assets}
    for _name, asset in sorted(by_name.items()):
        for proof in asset.evidence.proofs:
            yield asset, proof


@dataclass(frozen=True)
class _Sources:
    read: Callable[[str], bytes]
    open_asset: OpenAsset
    manifest: Manifest | None


def _verified(tool: str, version: str, asset: LockedAsset, proof: Proof, sources: _Sources) -> Verification:
    verdict = partial(Verification, tool, asset.name, proof.kind, proof.signer)
    try:
        signer = _signer(version, asset, proof, sources)
    except _AbsentError as error:
        return verdict("unverified", error.what)
    except ReleaseError as error:
        return verdict("refused", " ".join(str(error).split()))
    if signer != proof.signer:
        return verdict("refused", f"it was made by {signer}, and the lock file says {proof.signer}")
    return verdict("verified", _no_longer_pinned(tool, proof, sources.manifest))


def _signer(version: str, asset: LockedAsset, proof: Proof, sources: _Sources) -> str:
    """Return who made the *proof*. Raises ReleaseError if it does not hold, or is not about this asset."""
    if proof.kind not in KINDS:
        raise ReleaseError(f"this version of the collection knows no proof of the kind {proof.kind}")
    parts = {part: sources.read(sha256) for part, sha256 in proof.kept}
    if "signature" not in parts:
        raise ReleaseError("the lock file names no signature")
    known = {"sha256": asset.sha256, **{claim.algorithm: claim.value for claim in asset.evidence.claims}}
    signed = Signed(
        name=proof.file,
        version=version,
        sha256=proof.sha256,
        open_file=_opener(asset, proof, parts, sources.open_asset),
        signature_name=proof.origin.rpartition("/")[2] or proof.origin,
        signature=parts["signature"],
        digests=known if proof.file == asset.name else {},
    )
    signer = KINDS[proof.kind].verify(signed, proof.identity, parts)
    if proof.file != asset.name and not states_digest(asset.name, known, proof.file, parts["sums"]):
        raise ReleaseError(f"{proof.file}, which is signed, does not name {asset.name}")
    return signer.name


def _opener(
    asset: LockedAsset, proof: Proof, parts: Mapping[str, bytes], open_asset: OpenAsset
) -> Callable[[], BinaryIO]:
    """Return what opens the signed file. Raises ReleaseError if the lock file says that it is another one."""
    if proof.file == asset.name:
        if proof.sha256 != asset.sha256:
            raise ReleaseError("the proof is about other bytes than those that are locked", asset.sha256, proof.sha256)
        return partial(_open, asset, open_asset)
    if "sums" not in parts or dict(proof.kept)["sums"] != proof.sha256:
        raise ReleaseError(f"what is kept is not {proof.file}", proof.sha256, dict(proof.kept).get("sums", "nothing"))
    return partial(io.BytesIO, parts["sums"])


def _open(asset: LockedAsset, open_asset: OpenAsset) -> BinaryIO:
    opened = open_asset(asset.sha256)
    if opened is None:
        raise _AbsentError(f"the bytes of {asset.name} were signed, and are not in the cache of this controller")
    return opened


def _no_longer_pinned(tool: str, proof: Proof, manifest: Manifest | None) -> str:
    """Return what to tell of an identity that the *manifest* does not pin any more; "" if it does."""
    if manifest is None or tool not in manifest.tools:
        return ""
    pinned = manifest.tools[tool].verify.get(proof.kind, ())
    return "" if proof.identity in pinned else f"the manifest no longer pins {proof.identity}"
