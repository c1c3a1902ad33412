# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signature beside an asset, or beside its sums file, is about the asset's bytes? Runs on the controller.

For every kind of proof that is a file beside the file it is about. Where an asset has a signature of its own, that one
counts. Else each signed sums file that may speak of the asset must be signed rightly, and one must state its digest.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Held, sums
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

#: Raises ReleaseError unless the signature is of these bytes, and by the identity that is given as text.
Verify = Callable[[Signed, str], Signer]


@dataclass(frozen=True)
class Detached:
    """Proves bytes by signatures of one *kind*, in files whose names end in *suffix*; *verify* knows their format."""

    kind: str
    suffix: str
    verify: Verify

    def prove(self, held: Held, identity: str, fetch: Fetch) -> tuple[Proof, ...]:
        """Return the proofs of the bytes that are *held*, checked against *identity*; *fetch* reads small files.

        Raises ReleaseError where there is no signature, and for any that does not hold.
        """
        signature = self._signature_of(held.asset, held)
        if signature is None:
            return self._by_sums(held, identity, fetch)
        signed = Signed(
            name=held.asset.name,
            version=held.release.version,
            sha256=held.digests["sha256"],
            open_file=partial(_open, held),
            signature_name=signature.name,
            signature=fetch(signature),
        )
        return (self._proof(signed, signature, identity),)

    def _by_sums(self, held: Held, identity: str, fetch: Fetch) -> tuple[Proof, ...]:
        """Return a proof for each signed sums file that states the digest of the bytes that are held."""
        proofs: list[Proof] = []
        for file, signature in self._signed_sums(held):
            # The bytes that are verified here are also the ones that are read: nothing can come in between.
            content = fetch(file)
            signed = Signed(
                name=file.name,
                version=held.release.version,
                sha256=hashlib.sha256(content).hexdigest(),
                open_file=partial(io.BytesIO, content),
                signature_name=signature.name,
                signature=fetch(signature),
            )
            try:
                proof = self._proof(signed, signature, identity)
            except ReleaseError as error:
                raise error.about(held.asset.name) from error
            if _states_digest(held, file, content):
                proofs.append(proof)
        if not proofs:
            raise self._missing(held, identity)
        return tuple(proofs)

    def _signed_sums(self, held: Held) -> Iterator[tuple[Asset, Asset]]:
        """Yield each sums file that may speak of the asset and has a signature, and that."""
        for file in sums.speaking_of(held.asset, held.release):
            signature = self._signature_of(file, held)
            if signature is not None:
                yield file, signature

    def _signature_of(self, file: Asset, held: Held) -> Asset | None:
        return held.release.file(file.name + self.suffix)

    def _proof(self, signed: Signed, signature: Asset, identity: str) -> Proof:
        signer = self.verify(signed, identity)
        return Proof(self.kind, identity, signer.name, signed.name, signed.sha256, signature.url, signer.statement)

    def _missing(self, held: Held, identity: str) -> ReleaseError:
        signed = [file.name for file, _signature in self._signed_sums(held)]
        unsigned = [file.name for file in sums.speaking_of(held.asset, held.release) if file.name not in signed]
        found = [f"{name}, which is signed and does not name it" for name in signed]
        found += [f"{name} without a signature" for name in unsigned]
        return ReleaseError(
            f"{held.asset.name} has no {self.kind} signature, and the manifest demands one",
            expected=f"{held.asset.name}{self.suffix}, or such a signature of a sums file that names it, by {identity}",
            found=", ".join(found[:5]) or "neither, and no sums file",
            fix="choose a version that its publisher has signed; if it is not signed any more, ask the publisher why "
            f"before you take verify.{self.kind} out of the manifest",
        )


def _states_digest(held: Held, file: Asset, content: bytes) -> bool:
    """Return whether the signed sums *file* states the digest of what is held. Raises ReleaseError if it is another."""
    digests = sums.digests_of(held.asset, file, content)
    for algorithm, value in digests.items():
        found = held.digests.get(algorithm)
        if found != value:
            raise ReleaseError(
                f"{held.asset.name} is not the file that {file.name}, which is signed, means",
                expected=f"{algorithm} {value}",
                found=f"{algorithm} {found}",
                fix="do not use it; ask its publisher",
            )
    return bool(digests)


def _open(held: Held) -> BinaryIO:
    try:
        return held.path.open("rb")
    except OSError as error:
        raise ReleaseError(f"{held.asset.name} could not be read from the cache", found=error.strerror) from error
