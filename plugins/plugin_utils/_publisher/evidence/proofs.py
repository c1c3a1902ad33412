# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be verified about an asset's bytes, against what a user pins? The table of kinds. Runs on the controller.

A new kind is one file here and one line in the table. Only what a user pins is looked for, and then it is demanded:
what is found without a pinned identity to check it against proves nothing, and is not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Held
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.detached import Detached
from ansible_collections.pinned.release.plugins.plugin_utils._signature import minisign
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof


@dataclass(frozen=True)
class Kind:
    """One kind of proof.

    check_identity  raises ReleaseError unless a text can be an identity that this kind checks against
    prove           returns the proofs of the bytes that are held, checked against an identity. Raises ReleaseError
                    where there is none, and for any that does not hold
    """

    check_identity: Callable[[str], None]
    prove: Callable[[Held, str, Fetch], tuple[Proof, ...]]


#: The word in a manifest's ``verify:`` → the kind it means.
KINDS: Mapping[str, Kind] = {
    "minisign": Kind(minisign.check_key, Detached("minisign", ".minisig", minisign.verify).prove),
}


def collect(held: Held, pinned: Mapping[str, str], fetch: Fetch) -> tuple[Proof, ...]:
    """Return the proofs of *held* bytes, at least one of each kind in *pinned*, checked against the identity there.

    *fetch* reads small files of the release. Raises ReleaseError where one is missing or does not hold.
    """
    proofs: list[Proof] = []
    for kind, identity in sorted(pinned.items()):
        found = KINDS[kind].prove(held, identity, fetch)
        if not any((proof.kind, proof.identity) == (kind, identity) for proof in found):
            raise ReleaseError(f"{held.asset.name} has no proof of the kind {kind}", expected=f"one by {identity}")
        proofs += found
    return tuple(proofs)
