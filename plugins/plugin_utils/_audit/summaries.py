# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was verified of each locked asset, in the form that public tools read? Verification summaries; controller.

One is an in-toto statement about one asset (slsa.dev, "Verification Summary Attestation (VSA)"), in a signed envelope.
A level is said only where its condition was measured: that provenance was verified, against an identity that the
manifest pins and by the public trust root, and that a builder made it which is known to keep the build apart from its
definition. GitHub's own attestations count as level 1: whether a runner of GitHub's made them is not read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import envelope
from ansible_collections.pinned.release.plugins.plugin_utils._audit.envelope import Signature
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verification import MOST_SHOWN, Verification
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile

SUMMARY = "https://slsa.dev/verification_summary/v1"
VERIFIER = "https://pinned.release/attest/v1"
SLSA_VERSION = "1.1"
#: The workflows of slsa-github-generator, which meet the requirements of level 3 (its README.md), at a version's tag.
_KNOWN_BUILDER = re.compile(
    r"https://github\.com/slsa-framework/slsa-github-generator/\.github/workflows/[a-z0-9_-]+\.yml@refs/tags/v[0-9.]+\Z"
)
_PROVENANCE = "predicate:https://slsa.dev/provenance/"


@dataclass(frozen=True)
class Policy:
    """What the assets were held to: the manifest, by its name and SHA-256."""

    name: str
    sha256: str


def statements(lock: LockFile, found: Sequence[Verification], policy: Policy, when: str) -> list[dict[str, Any]]:
    """Return a summary of each asset of *lock*. *found* is what became of its proofs, *when* that was (UTC).

    Raises ReleaseError unless all proofs hold now.
    """
    _refuse_unverified(found)
    return [
        _statement(asset, _level(tool, asset, found), policy, when)
        for tool, locked in sorted(lock.tools.items())
        for asset in {(asset.url, asset.sha256): asset for asset in locked.assets}.values()
    ]


def lines(summaries: Sequence[Mapping[str, Any]], sign: Callable[[bytes], Signature], before: bytes) -> bytes:
    """Return the file with *summaries*, a signed envelope a line.

    It is as *before*, if that says the same, and the same key signed it: only the time would differ. A key that has no
    name, as those of cosign, may be any.
    """
    first = [envelope.wrap(one, sign) for one in summaries[:1]]
    key = first[0].signatures[0].key if first else ""
    if key and _without_times(before) == [(_timeless(one), key) for one in summaries]:
        return before
    return b"".join(one.line() for one in (*first, *(envelope.wrap(one, sign) for one in summaries[1:])))


def _refuse_unverified(found: Sequence[Verification]) -> None:
    unverified = [one for one in found if one.verdict != "verified"]
    if unverified:
        raise ReleaseError(
            f"{len(unverified)} of {len(found)} proofs do not hold, or cannot be verified here",
            found="\n    ".join(
                f"{one.tool}: {one.asset}, {one.kind}: {one.reason}" for one in unverified[:MOST_SHOWN]
            ),
            fix="run pinned.release.lock, which fills the cache, then this again",
        )


def _statement(asset: LockedAsset, level: str, policy: Policy, when: str) -> dict[str, Any]:
    proofs = sorted({(proof.origin, dict(proof.kept).get("signature", "")) for proof in asset.evidence.proofs})
    predicate: dict[str, Any] = {
        "verifier": {"id": VERIFIER},
        "timeVerified": when,
        "resourceUri": asset.url,
        "policy": {"uri": policy.name, "digest": {"sha256": policy.sha256}},
        "verificationResult": "PASSED",
        "verifiedLevels": [level],
        "slsaVersion": SLSA_VERSION,
    }
    if proofs:
        predicate["inputAttestations"] = [{"uri": uri, "digest": {"sha256": sha256}} for uri, sha256 in proofs]
    return envelope.statement(SUMMARY, predicate, {asset.name: asset.sha256})


def _level(tool: str, asset: LockedAsset, found: Sequence[Verification]) -> str:
    """Return the level of SLSA's build track that was verified of an *asset*.

    What holds only by a trust root that is kept beside the lock file does not count, nor what is no longer pinned.
    """
    provenance = [
        one
        for one in found
        if (one.tool, one.asset, one.kind) == (tool, asset.name, "provenance")
        and not one.reason
        and one.statement.startswith(_PROVENANCE)
    ]
    if any(_KNOWN_BUILDER.match(one.signer) for one in provenance):
        return "SLSA_BUILD_LEVEL_3"
    return "SLSA_BUILD_LEVEL_1" if provenance else "SLSA_BUILD_LEVEL_0"


def _without_times(content: bytes) -> list[tuple[object, str]]:
    """Return what each line of a file says but for its time, and which key signed it; nothing for another file."""
    try:
        return list(_each(content))
    except (ValueError, ReleaseError, LookupError, TypeError):
        return []


def _each(content: bytes) -> Iterator[tuple[object, str]]:
    for line in content.splitlines():
        read = envelope.read(line)
        yield _timeless(read.statement), read.signatures[0].key


def _timeless(statement: Mapping[str, Any]) -> object:
    timeless: object = json.loads(
        envelope.canonical({**statement, "predicate": {**statement["predicate"], "timeVerified": ""}})
    )
    return timeless
