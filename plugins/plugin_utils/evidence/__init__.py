# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reasons are there to believe an asset's bytes? The value type, and the table of kinds. Runs on the controller.

A new kind of evidence is one file here and one line in the table.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release


@dataclass(frozen=True, order=True)
class Evidence:
    """One reason to believe an asset's bytes, as the lock file keeps it.

    kind       how it is known, a name in the table of kinds: ``digest``
    algorithm  as in hashlib: ``sha256``
    value      the digest in lower-case hexadecimal
    origin     who says so: ``listing`` (the publisher's release listing), or the URL of the file that says it
    """

    kind: str
    algorithm: str
    value: str
    origin: str


#: Reads one of a release's own small files, a sums file for example: the asset → its bytes.
Fetch = Callable[[Asset], bytes]
#: Collects one kind of evidence for an asset of a release. Raises ReleaseError where it contradicts itself.
Collect = Callable[[Asset, Release, Fetch], tuple[Evidence, ...]]


def kinds() -> Mapping[str, Collect]:
    """Return the table of kinds of evidence."""
    # Each kind is built from the types above, so it can be imported only when they exist.
    from ansible_collections.pinned.release.plugins.plugin_utils.evidence import sums

    return {"digest": sums.digests_of}


def agreed_digests(name: str, evidence: Iterable[Evidence]) -> dict[str, str]:
    """Return the digests that all *evidence* agrees on, by algorithm. Raises ReleaseError on any disagreement.

    The asset's bytes are then compared with every one of them.
    """
    agreed: dict[str, Evidence] = {}
    for one in evidence:
        other = agreed.setdefault(one.algorithm, one)
        if other.value != one.value:
            raise ReleaseError(
                f"the publisher contradicts itself about {name}",
                expected=f"{other.algorithm} {other.value} (from {other.origin})",
                found=f"{one.algorithm} {one.value} (from {one.origin})",
                fix="ask the publisher which is right, and pin another version until then",
            )
    return {algorithm: one.value for algorithm, one in sorted(agreed.items())}
