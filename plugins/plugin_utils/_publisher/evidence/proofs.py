# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be verified about an asset's bytes, against what a user pins? The table of kinds. Runs on the controller.

A new kind is one file here and one line in the table. Only what a user pins is looked for, and then it is demanded:
what is found without a pinned identity to check it against proves nothing, and is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import (
    Fetch,
    Held,
    Kind,
    Proven,
    certified,
    keyed,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import first_unreachable
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity, Pins

#: The word in a manifest's ``verify:`` → the kind it means.
KINDS: Mapping[str, Kind] = {
    "cosign": keyed.COSIGN,
    "gpg": keyed.GPG,
    "minisign": keyed.MINISIGN,
    "provenance": Kind(certified.PARTS, certified.check, certified.prove_provenance, certified.verify_provenance),
    "release": Kind(("repository",), certified.check_release, certified.prove_release, certified.verify_release),
    "sigstore": Kind(certified.PARTS, certified.check, certified.FILES.prove, certified.verify_file),
    "ssh": keyed.SSH,
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
    unreachable = first_unreachable(failures)
    if unreachable or len(failures) == 1:
        raise unreachable or failures[0]
    first, *others = failures
    said = f"{first.found or first.what}; for its successors: {'; '.join(error.what for error in others)}"
    raise ReleaseError(first.what, first.expected, said, first.fix)
