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
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Held, Proven
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.detached import Detached, Verify
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer, minisign
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity, Pins


@dataclass(frozen=True)
class Kind:
    """One kind of proof.

    parts     the parts that an identity of this kind may have; the first is what a text alone means
    check     raises ReleaseError unless this kind can check against an identity
    prove     returns the proofs of the bytes that are held, checked against an identity. Raises ReleaseError where
              there is none, and for any that does not hold
    verify    verifies one of them again, from what was kept of it
    """

    parts: tuple[str, ...]
    check: Callable[[Identity], None]
    prove: Callable[[Held, Identity, Fetch], tuple[Proven, ...]]
    verify: Verify


def _check_minisign(identity: Identity) -> None:
    minisign.check_key(identity["key"])


def _verify_minisign(signed: Signed, identity: Identity, _parts: Mapping[str, bytes]) -> Signer:
    return minisign.verify(signed, identity["key"])


#: The word in a manifest's ``verify:`` → the kind it means.
KINDS: Mapping[str, Kind] = {
    "minisign": Kind(
        ("key",), _check_minisign, Detached("minisign", (".minisig",), _verify_minisign).prove, _verify_minisign
    ),
}


def collect(held: Held, pins: Pins, fetch: Fetch) -> tuple[Proven, ...]:
    """Return the proofs of *held* bytes, at least one of each kind in *pins*, checked against an identity there.

    *fetch* reads small files of the release. Raises ReleaseError where one is missing or does not hold.
    """
    return tuple(proven for kind in sorted(pins) for proven in _proven(held, kind, pins[kind], fetch))


def _proven(held: Held, kind: str, identities: tuple[Identity, ...], fetch: Fetch) -> tuple[Proven, ...]:
    """Return the proofs of one *kind* by the first of *identities* that made any. Raises ReleaseError if none did."""
    failures: list[ReleaseError] = []
    for identity in identities:
        try:
            found = KINDS[kind].prove(held, identity, fetch)
        except ReleaseError as error:
            failures.append(error)
            continue
        if any((one.proof.kind, one.proof.identity) == (kind, identity) for one in found):
            return found
        failures.append(ReleaseError(f"{held.asset.name} has no proof of the kind {kind}", f"one by {identity}"))
    if len(failures) == 1:
        raise failures[0]
    first, *others = failures
    said = f"{first.found or first.what}; for its successors: {'; '.join(error.what for error in others)}"
    raise ReleaseError(first.what, first.expected, said, first.fix)
