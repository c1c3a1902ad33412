# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what is kept still prove what the lock file says? Every proof is verified again, offline; on the controller.

A proof that held when it was made may not hold now: a key has expired since, or the manifest pins another. That is
told, and it is no failure of the proof: the lock file says what was true when it was made.

Only signatures, and the SHA-256 of an asset, are believed of a lock file. Other digests that it gives for an asset are
compared with the asset's bytes before they count: whoever edits it could give those of another file.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.detached import states_digest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.proofs import KINDS
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import hash_all
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import version_of
from ansible_collections.pinned.release.plugins.plugin_utils._signature import (
    Signed,
    Signer,
    gpg,
    sigstore,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown
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
    statement  what the signer states beside the bytes, as it was verified now; "" where that is nothing
    """

    tool: str
    asset: str
    kind: str
    signer: str
    verdict: ProofVerdict
    reason: str = ""
    statement: str = ""


class _AbsentError(ReleaseError):
    """The bytes that were signed are not on this controller."""


def verify(
    lock: LockFile, read: Callable[[str], bytes], open_asset: OpenAsset, manifest: Manifest | None = None
) -> tuple[Verification, ...]:
    """Return what became of every proof in *lock*, once for each asset; *read* returns what is kept, by its SHA-256.

    The *manifest*, if there is one, tells which identities are pinned now. Nothing is raised for a proof that fails.
    """
    sources = _Sources(read, open_asset, manifest)
    found: list[Verification] = []
    for tool, locked in sorted(lock.tools.items()):
        found += [_verified(tool, locked, asset, proof, sources) for asset, proof in _proofs(locked.assets)]
        found += _missing(tool, locked, manifest)
    return tuple(found)


def refuse_failed(found: Sequence[Verification]) -> None:
    """Raise ReleaseError that names each proof in *found* that was refused."""
    refused = [one for one in found if one.verdict == "refused"]
    if refused:
        raise ReleaseError(
            f"{len(refused)} of {len(found)} proofs do not hold",
            found="\n    ".join(f"{one.tool}: {one.asset}, {one.kind}: {one.reason}" for one in refused[:MOST_SHOWN]),
            fix="restore the lock file and the folder beside it from version control; if they are as they were "
            "committed, do not roll them out",
        )


def notes(found: Sequence[Verification]) -> list[str]:
    """Return what to tell people of proofs none of which was refused: how many hold, and each that has a reason."""
    if not found:
        return ["nothing to verify: the lock file has no proofs, because no tool in its manifest has verify"]
    verified = sum(one.verdict == "verified" for one in found)
    reasons = [f"{one.tool}: {one.asset}, {one.kind}: {one.reason}" for one in found if one.reason]
    return [f"{verified} of {len(found)} proofs verified again", *reasons]


def root_notes(lock: LockFile, read: Callable[[str], bytes], now: datetime) -> list[str]:
    """Return until when each trust root that is kept for proofs in *lock* is good, a line each.

    What was signed before stays verifiable: after that, only new signatures are not. *read* is as in verify(). Raises
    ReleaseError if a root is no longer kept.
    """
    proofs = [proof for tool in lock.tools.values() for asset in tool.assets for proof in asset.evidence.proofs]
    kept = sorted({dict(proof.kept)["root"] for proof in proofs if "root" in dict(proof.kept)})
    return [f"trust root {sha256[:12]}… {_good_until(read(sha256), now)}" for sha256 in kept]


def _good_until(root: bytes, now: datetime) -> str:
    until = max(one.good_until for one in sigstore.TrustRoots.of(root).roots)
    if until < now:
        return f"was good until {until.date()}: what was signed before then stays verified"
    return f"is good until {until.date()}"


def _proofs(assets: tuple[LockedAsset, ...]) -> list[tuple[LockedAsset, Proof]]:
    """Return each proof of each asset once: an asset stands in the lock file once for each of its targets."""
    found = {(asset.name, asset.sha256, proof): asset for asset in assets for proof in asset.evidence.proofs}
    return [(asset, proof) for (_name, _sha256, proof), asset in sorted(found.items(), key=lambda one: one[0])]


def _missing(tool: str, locked: LockedTool, manifest: Manifest | None) -> Iterator[Verification]:
    """Yield what to tell of proofs that the lock file, or the *manifest* now, demands and that are not there."""
    asked = manifest.tools[tool].verify if manifest and tool in manifest.tools else {}
    for asset in {asset.name: asset for asset in locked.assets if not asset.evidence.proves(locked.verify)}.values():
        kinds = " and ".join(sorted(locked.verify))
        yield Verification(tool, asset.name, kinds, "", "refused", f"the lock file demands {kinds}, and has less")
    for kind in sorted(set(asked) - set(locked.verify)):
        reason = f"the manifest demands {kind}, and it was locked without"
        yield Verification(tool, "all assets", kind, "", "unverified", reason)


@dataclass(frozen=True)
class _Sources:
    """What proofs are verified from, and what is *known* of signed sums files: version and proof → see _holding()."""

    read: Callable[[str], bytes]
    open_asset: OpenAsset
    manifest: Manifest | None
    known: dict[tuple[str, Proof], tuple[Signer, str]] = field(default_factory=dict)


def _verified(tool: str, locked: LockedTool, asset: LockedAsset, proof: Proof, sources: _Sources) -> Verification:
    verdict = partial(Verification, tool, asset.name, proof.kind, proof.signer)
    try:
        signer, reason = _signer(locked, asset, proof, sources)
    except _AbsentError as error:
        return verdict("unverified", error.what)
    except ReleaseError as error:
        return verdict("refused", "; ".join(line.strip() for line in str(error).splitlines()))
    if signer.name != proof.signer:
        return verdict("refused", f"it was made by {signer.name}, and the lock file says {proof.signer}")
    reasons = filter(None, (reason, _no_longer_pinned(tool, proof, sources.manifest)))
    return verdict("verified", "; ".join(reasons), signer.statement)


def _signer(locked: LockedTool, asset: LockedAsset, proof: Proof, sources: _Sources) -> tuple[Signer, str]:
    """Return who made the *proof*, and what is not as it was then, or "".

    Raises ReleaseError if it does not hold, or is not about this asset.
    """
    if proof.kind not in KINDS:
        raise ReleaseError(f"this version of the collection knows no proof of the kind {proof.kind}")
    _refuse_other_tag(locked, proof)
    parts = {part: sources.read(sha256) for part, sha256 in proof.kept}
    if "signature" not in parts:
        raise ReleaseError("the lock file names no signature")
    signed = Signed(
        name=proof.file,
        version=locked.version,
        sha256=proof.sha256,
        open_file=_opener(asset, proof, parts, sources.open_asset),
        signature_name=proof.origin.rpartition("/")[2] or proof.origin,
        signature=parts["signature"],
        tag=proof.tag,
    )
    try:
        if proof.file == asset.name:
            return _of_asset(signed, asset, proof, parts, sources.open_asset)
        # One signed sums file is about many assets of a release.
        if (locked.version, proof) not in sources.known:
            sources.known[locked.version, proof] = _holding(signed, proof, parts)
        _refuse_other_asset(asset, proof, parts["sums"], sources.open_asset)
    except KeyError as error:
        raise ReleaseError("the lock file lacks a part of the proof", found=f"no {error.args[0]}") from error
    return sources.known[locked.version, proof]


def _refuse_other_tag(locked: LockedTool, proof: Proof) -> None:
    """Raise ReleaseError if the tag that the proof is about, as recorded, is that of another version.

    What was signed has to have that tag exactly: so an old release cannot be offered as a new one.
    """
    version = version_of(locked.source, proof.tag) if proof.tag else locked.version
    if version != locked.version:
        what = f"the lock file has a tag that is not of version {locked.version}"
        raise ReleaseError(what, found=f"{shown(proof.tag)}, which is of {shown(version or 'no version')}")


def _of_asset(
    signed: Signed, asset: LockedAsset, proof: Proof, parts: Mapping[str, bytes], open_asset: OpenAsset
) -> tuple[Signer, str]:
    """Return who signed the asset itself; if not by its SHA-256, by another digest, which its bytes must have."""
    try:
        return _holding(signed, proof, parts)
    except _AbsentError:
        raise
    except ReleaseError:
        claimed = _claimed(asset)
        if not claimed:
            raise
        signer = _holding(replace(signed, digests=claimed), proof, parts)
        _refuse_other_digests(asset, claimed, open_asset)
        return signer


def _holding(signed: Signed, proof: Proof, parts: Mapping[str, bytes]) -> tuple[Signer, str]:
    """Return who signed, and what is not as it was then. Raises ReleaseError if the proof does not hold."""
    verify = KINDS[proof.kind].verify
    try:
        if "root" not in parts:
            return verify(signed, proof.identity, parts), ""
        return _by_roots(lambda root: verify(signed, proof.identity, {**parts, "root": root}), parts["root"])
    except gpg.OutdatedError as error:
        return Signer(proof.identity["fingerprint"]), error.what


def _by_roots(verify: Callable[[bytes], Signer], kept: bytes) -> tuple[Signer, str]:
    """Return who signed by the public trust root of this controller, or else by the one that is *kept*, and says so.

    The public root keeps what was good once. Whoever edits a lock file can keep a root of their own beside it.
    """
    with suppress(ReleaseError):
        return verify(sigstore.public_good()), ""
    sha256 = hashlib.sha256(kept).hexdigest()
    return verify(kept), f"it holds by the trust root that is kept with it, with sha256 {sha256}, and by no other"


def _refuse_other_asset(asset: LockedAsset, proof: Proof, content: bytes, open_asset: OpenAsset) -> None:
    """Raise ReleaseError unless the signed sums file, with this *content*, states a digest of the asset's bytes."""
    about, file = Asset(asset.name, asset.url), Asset(proof.file, proof.origin)
    if not states_digest(about, {**_claimed(asset), "sha256": asset.sha256}, file, content):
        raise ReleaseError(f"{proof.file}, which is signed, does not name {asset.name}")
    stated = sums.digests_of(about, file, content)
    if "sha256" not in stated:
        _refuse_other_digests(asset, stated, open_asset)


def _claimed(asset: LockedAsset) -> dict[str, str]:
    """Return the digests beside its SHA-256 that the lock file gives for the asset, and that count."""
    claimed = {claim.algorithm: claim.value for claim in asset.evidence.claims if claim.value != asset.sha256}
    return {name: value for name, value in claimed.items() if sums.ALGORITHMS.get(len(value)) == name != "sha256"}


def _refuse_other_digests(asset: LockedAsset, claimed: Mapping[str, str], open_asset: OpenAsset) -> None:
    """Raise ReleaseError unless the bytes of the asset are here and have these digests, as the lock file claims."""
    made = {algorithm: hashlib.new(algorithm) for algorithm in claimed}
    with _open(asset, open_asset) as file:
        hash_all(file, made)
    for algorithm, digest in made.items():
        if digest.hexdigest() != claimed[algorithm]:
            what = f"the lock file gives {asset.name} a digest that its bytes do not have"
            raise ReleaseError(what, f"{algorithm} {claimed[algorithm]}", f"{algorithm} {digest.hexdigest()}")


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
