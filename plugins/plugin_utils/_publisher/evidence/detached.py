# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signature beside an asset, or beside its sums file, is about the asset's bytes? Runs on the controller.

For every kind of proof that is a file beside the file it is about. Where an asset has a signature of its own, that one
counts. Else each signed sums file that may speak of the asset must be signed rightly, and one must state its digest. A
sums file may have its signature around its text (RFC 9580, 7): then that text is the signed file.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import (
    Fetch,
    Held,
    Proven,
    Verify,
    sums,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

#: Returns those bytes for an identity, before anything is verified. Raises ReleaseError where they cannot be had.
Material = Callable[[Held, Identity, Fetch], Mapping[str, bytes]]


#: Verifies, and may ask authorities for what is lacking. Returns the signer, and all parts that it took.
Asking = Callable[[Held, Signed, Identity, Mapping[str, bytes], Verify], tuple[Signer, Mapping[str, bytes]]]


def ask_nobody(
    _held: Held, signed: Signed, identity: Identity, parts: Mapping[str, bytes], verify: Verify
) -> tuple[Signer, Mapping[str, bytes]]:
    """Return what *verify* does, and the *parts* that it was given. Raises ReleaseError as *verify* does."""
    return verify(signed, identity, parts), parts


def alone(_held: Held, signature: Asset, fetch: Fetch) -> bytes:
    """Return what the file of a *signature* holds. Raises ReleaseError if it cannot be had."""
    return fetch(signature)


def any_file(_held: Held, _signature: Asset) -> bool:
    """Return that a file with the name of a signature is one."""
    return True


def no_material(_held: Held, _identity: Identity, _fetch: Fetch) -> Mapping[str, bytes]:
    """Return nothing: the identity says all that a signature is checked against."""
    return {}


def no_text(_content: bytes) -> bytes | None:
    """Return nothing: signatures of this kind are files of their own."""
    return None


@dataclass(frozen=True)
class _SignedSums:
    """A sums file, the *content* that is signed of it, and the signature with the address that it is from."""

    file: Asset
    signed: Signed
    content: bytes
    origin: str


@dataclass(frozen=True)
class Detached:
    """Proves bytes by signatures of one *kind*, in files whose names end in one of *suffixes*.

    verify    knows their format
    material  what *verify* needs beside the signature and the identity
    ask       who is asked for what it still lacks then
    counts    tells by what lies beside a file with the name of a signature whether it is one of this kind
    read      returns what the file of a signature holds, with what lies beside that
    text      returns the text in a file that has its signature around it, unverified; None for other files
    """

    kind: str
    suffixes: tuple[str, ...]
    verify: Verify
    material: Material = no_material
    ask: Asking = ask_nobody
    counts: Callable[[Held, Asset], bool] = any_file
    read: Callable[[Held, Asset, Fetch], bytes] = alone
    text: Callable[[bytes], bytes | None] = no_text

    def prove(self, held: Held, identity: Identity, fetch: Fetch) -> tuple[Proven, ...]:
        """Return the proofs of the bytes that are *held*, checked against *identity*; *fetch* reads small files.

        Raises ReleaseError where there is no signature, and for any that does not hold.
        """
        material = self.material(held, identity, fetch)
        signature = self._signature_of(held.asset, held)
        if signature is None:
            return self._by_sums(held, identity, material, fetch)
        signed = Signed(
            name=held.asset.name,
            version=held.release.version,
            sha256=held.digests["sha256"],
            open_file=partial(open_held, held),
            signature_name=signature.name,
            signature=self.read(held, signature, fetch),
            digests=held.digests,
        )
        return (self._proven(held, signed, signature.url, identity, material),)

    def _by_sums(
        self, held: Held, identity: Identity, material: Mapping[str, bytes], fetch: Fetch
    ) -> tuple[Proven, ...]:
        """Return a proof for each signed sums file that states the digest of the bytes that are held."""
        found: list[Proven] = []
        silent: list[str] = []
        for one in self._signed_sums(held, fetch):
            parts = {**material, "sums": one.content}
            try:
                proven = self._proven(held, one.signed, one.origin, identity, parts)
            except ReleaseError as error:
                raise error.about(held.asset.name) from error
            if states_digest(held.asset, held.digests, Asset(one.signed.name, one.origin), one.content):
                found.append(proven)
            else:
                silent.append(one.file.name)
        if not found:
            raise self._missing(held, identity, silent)
        return tuple(found)

    def _signed_sums(self, held: Held, fetch: Fetch) -> Iterator[_SignedSums]:
        """Yield each sums file that may speak of the asset and has a signature, beside it or around its text."""
        for file in sums.speaking_of(held.asset, held.release):
            signature = self._signature_of(file, held)
            if signature is None and self.text is no_text:
                continue
            # The bytes that are verified here are also the ones that are read: nothing can come in between.
            content = fetch(file)
            if signature is not None:
                signed = _signed_bytes(held, file.name, content, signature.name, self.read(held, signature, fetch))
                yield _SignedSums(file, signed, content, signature.url)
                continue
            try:
                text = self.text(content)
            except ReleaseError as error:
                raise error.about(f"{held.asset.name}: {file.name}") from error
            if text is not None:
                signed = _signed_bytes(held, sums.plain_name(file.name), text, file.name, content)
                yield _SignedSums(file, signed, text, file.url)

    def _signature_of(self, file: Asset, held: Held) -> Asset | None:
        found = (held.release.file(file.name + suffix) for suffix in self.suffixes)
        return next((one for one in found if one and self.counts(held, one)), None)

    def _proven(
        self, held: Held, signed: Signed, origin: str, identity: Identity, parts: Mapping[str, bytes]
    ) -> Proven:
        signer, parts = self.ask(held, signed, identity, parts, self.verify)
        return proven(self.kind, identity, signed, signer, origin, parts=parts)

    def _missing(self, held: Held, identity: Identity, signed: Sequence[str]) -> ReleaseError:
        unsigned = [file.name for file in sums.speaking_of(held.asset, held.release) if file.name not in signed]
        found = [f"{name}, which is signed and does not name it" for name in signed]
        found += [f"{name} without a signature" for name in unsigned]
        wanted = " or ".join(held.asset.name + suffix for suffix in self.suffixes)
        return ReleaseError(
            f"{held.asset.name} has no {self.kind} signature, and the manifest demands one",
            expected=f"{wanted}, or such a signature of a sums file that names it, by {identity}",
            found=", ".join(found[:5]) or "neither, and no sums file",
            fix="choose a version that its publisher has signed; if it is not signed any more, ask the publisher why "
            f"before you take verify.{self.kind} out of the manifest",
        )


def proven(
    kind: str, identity: Identity, signed: Signed, signer: Signer, origin: str, *, parts: Mapping[str, bytes]
) -> Proven:
    """Return the proof that the file *signed* has a signature by *signer*, found at *origin*, and its *parts*."""
    parts = {**parts, "signature": signed.signature}
    if signer.root:
        parts["root"] = signer.root
    kept = tuple(sorted((name, hashlib.sha256(content).hexdigest()) for name, content in parts.items()))
    proof = Proof(kind, identity, signer.name, signed.name, signed.sha256, origin, kept, signer.statement, signed.tag)
    return Proven(proof, parts)


def _signed_bytes(held: Held, name: str, content: bytes, signature_name: str, signature: bytes) -> Signed:
    return Signed(
        name=name,
        version=held.release.version,
        sha256=hashlib.sha256(content).hexdigest(),
        open_file=partial(io.BytesIO, content),
        signature_name=signature_name,
        signature=signature,
    )


def states_digest(asset: Asset, digests: Mapping[str, str], file: Asset, content: bytes) -> bool:
    """Return whether the signed sums *file* with this *content* states a digest of *asset*.

    The address of *file* is that of its signature, which lies beside it. Raises ReleaseError if it states another
    digest than those of the asset's bytes, its *digests* by algorithm.
    """
    stated = sums.digests_of(asset, file, content)
    for algorithm, value in stated.items():
        found = digests.get(algorithm)
        if found != value:
            raise ReleaseError(
                f"{asset.name} is not the file that {file.name}, which is signed, means",
                expected=f"{algorithm} {value}",
                found=f"{algorithm} {found}",
                fix="do not use it; ask its publisher",
            )
    return bool(stated)


def open_held(held: Held) -> BinaryIO:
    """Return the bytes that are *held*, opened. Raises ReleaseError if they cannot be read."""
    try:
        return held.path.open("rb")
    except OSError as error:
        raise ReleaseError(f"{held.asset.name} could not be read from the cache", found=error.strerror) from error
