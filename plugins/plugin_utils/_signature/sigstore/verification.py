# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this file signed without a key that anyone keeps, or with a pinned one, and what does that say? Pure; controller.

The order is that of sigstore/docs, "client-spec": the signature itself; when it was made, by transparency logs and
timestamp authorities; that the signer's certificate was good then; that log and bundle are about the same. All of it
is offline: what a bundle lacks has to be given with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import (
    certificate,
    identity,
    keys,
    log,
    log_body,
    second_opinion,
    shapes,
    timestamp,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.bundle import (
    Bundle,
    Envelope,
    LogEntry,
    MessageSignature,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.identity import Certified
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.roots import TrustRoot, TrustRoots
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.statement import (
    RELEASE,
    STRONG,
    Statement,
    read_release,
    read_statement,
    refuse_other_file,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import UnprovenError, refused
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: From SHA-256 to SHA-512.
_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})\Z")


@dataclass(frozen=True)
class _Given:
    """What a bundle is verified with: *key* is a pinned public key, if there is one."""

    roots: TrustRoots
    digests: Mapping[str, str]
    key: keys.PublicKey | None
    log_entries: tuple[LogEntry, ...]


@dataclass(frozen=True)
class _Signer:
    """Who signed: the holder of *certificate* (DER), or of the pinned key if that is b""."""

    key: keys.PublicKey
    certificate: bytes


def verify(
    content: bytes,
    roots: TrustRoots,
    digests: Mapping[str, str],
    key: bytes | None = None,
    log_entry: bytes | None = None,
) -> Certified:
    """Return what the first of verify_each() says."""
    return verify_each(content, roots, digests, key, log_entry)[0]


def verify_each(
    content: bytes,
    roots: TrustRoots,
    digests: Mapping[str, str],
    key: bytes | None = None,
    log_entry: bytes | None = None,
) -> tuple[Certified, ...]:
    """Return what each signature in *content* says that is of the file with these *digests* and that holds.

    content    a file of signatures, in any shape of shapes.py
    digests    of the file, in hexadecimal by algorithm: sha256, and sha512 for npm
    key        a pinned public key, PEM or DER, for bundles without a certificate
    log_entry  what the transparency log's API answers, for signed statements that lack their entry

    Raises ReleaseError if one of them does not hold, or none is of this file; and UnprovenError if none can be proven
    with what is given, though nothing speaks against them.
    """
    given = _Given(
        roots,
        _strong(digests),
        keys.public_key(key) if key else None,
        shapes.read_log_entries(log_entry) if log_entry else (),
    )
    certified, unproven = [], []
    for bundle, statement in _about(shapes.read_bundles(content), given.digests):
        try:
            certified.append(_verify_one(bundle, statement, given))
        except UnprovenError as error:
            unproven.append(error)
    if not certified:
        raise unproven[0]
    return tuple(certified)


def is_about(content: bytes, digests: Mapping[str, str]) -> bool:
    """Return whether a file of signatures holds a statement about the file with these *digests*. Verifies nothing.

    Raises ReleaseError if it cannot be read.
    """
    signed = [bundle.signed for bundle in shapes.read_bundles(content)]
    return any(read_statement(one).is_about(_strong(digests)) for one in signed if isinstance(one, Envelope))


def _strong(digests: Mapping[str, str]) -> dict[str, str]:
    """Return those of *digests* that say which file is meant. Raises ReleaseError if there is none."""
    strong = {name: digests[name].lower() for name in STRONG if name in digests}
    if not strong or any(not _HEXADECIMAL.match(value) for value in strong.values()):
        raise ReleaseError("no digest says which file was signed", " or ".join(STRONG), ", ".join(digests) or "none")
    return strong


def _about(bundles: tuple[Bundle, ...], digests: Mapping[str, str]) -> list[tuple[Bundle, Statement | None]]:
    """Return the bundles that may be of the file, with what they state. Raises ReleaseError if there is none."""
    read = [
        (bundle, read_statement(bundle.signed) if isinstance(bundle.signed, Envelope) else None) for bundle in bundles
    ]
    about = [(bundle, statement) for bundle, statement in read if statement is None or statement.is_about(digests)]
    if not about and read[0][1]:
        refuse_other_file(read[0][1], digests)
    return about


def _verify_one(bundle: Bundle, statement: Statement | None, given: _Given) -> Certified:
    bundle = _with_log_entry(bundle, given)
    signer = _signer(bundle, given)
    _verify_signature(bundle.signed, signer.key, given.digests)
    if not signer.certificate:
        return _certified_by_key(bundle, statement, signer, given)
    holding = certificate.read_certificate(signer.certificate)
    refusals = []
    for root in certificate.roots_for(holding, given.roots):
        try:
            return _certified_by_root(bundle, statement, signer, given, root)
        except ReleaseError as error:
            refusals.append(error)
    raise refusals[0]


def _certified_by_root(
    bundle: Bundle, statement: Statement | None, signer: _Signer, given: _Given, root: TrustRoot
) -> Certified:
    holding = certificate.read_certificate(signer.certificate)
    _refuse_without_witness(bundle, root)
    times = _verified_times(bundle, signer, root, given)
    authority = certificate.verify_certificate(holding, root, times)
    holder = identity.holder(holding)
    if second_opinion.is_for_library(bundle, root):
        second_opinion.refuse_if_library_does(bundle, root, given.digests, holder.san)
    found = Certified(
        **asdict(holder),
        signed_at=min(times),
        root_sha256=root.sha256,
        format=bundle.format,
        authority=authority.anchor_name,
    )
    return _with_statement(found, statement)


def _with_log_entry(bundle: Bundle, given: _Given) -> Bundle:
    """Return *bundle* with the entry of the log that was looked up for it, if it has none of its own."""
    if bundle.entries or not given.log_entries:
        return bundle
    for entry in given.log_entries:
        signer = bundle.certificate or log_body.certificate_of(entry)
        found = replace(bundle, certificate=signer, entries=(entry,), format=f"{bundle.format} with its log entry")
        try:
            log_body.refuse_other_signature(entry, _as_logged(found, _signer(found, given), given))
        except ReleaseError:
            continue
        return found
    return bundle


def _signer(bundle: Bundle, given: _Given) -> _Signer:
    if bundle.certificate:
        read = certificate.read_certificate(bundle.certificate)
        return _Signer(certificate.key_of(read), bundle.certificate)
    if given.key:
        return _Signer(given.key, b"")
    raise UnprovenError(
        "key",
        "the signature has no certificate, and no key is pinned that could have made it",
        expected="a certificate beside the signature, its entry of the transparency log, or a pinned key",
        found=f"a {bundle.format} by a key" + (f" called {shown(bundle.key_hint)}" if bundle.key_hint else ""),
        fix="pin the publisher's key, if it has one; or look the statement up in the transparency log",
    )


def _verify_signature(signed: Envelope | MessageSignature, key: keys.PublicKey, digests: Mapping[str, str]) -> None:
    if isinstance(signed, Envelope):
        holds = keys.is_signed(key, signed.signature, signed.signed_bytes)
    else:
        if signed.stated_sha256 and signed.stated_sha256.hex() != digests.get("sha256"):
            raise refused(
                "the signature is of another file than this one",
                expected=f"sha256:{digests.get('sha256')}",
                found=f"sha256:{signed.stated_sha256.hex()[:128]}",
            )
        holds = keys.is_signed_digest(key, signed.signature, digests)
    if not holds:
        raise refused("the signature does not hold: it is of other bytes, or by another signer than stated")


def _refuse_without_witness(bundle: Bundle, root: TrustRoot) -> None:
    """Raise UnprovenError if nothing tells when the signature was made, as *root* wants it told."""
    if root.logs and not bundle.entries:
        raise UnprovenError(
            "log entry",
            "nothing proves that the signer's certificate was valid when the signature was made",
            expected="its entry of the transparency log",
            found=f"a {bundle.format} without one",
            fix="look it up in the transparency log, which needs a network once; the answer is kept",
        )
    if not bundle.entries and not bundle.timestamps:
        raise UnprovenError(
            "timestamp",
            "nothing proves when the signature was made",
            expected="an entry of a transparency log, or a timestamp",
            found=f"a {bundle.format} without either",
            fix="ask the publisher for a signature with a timestamp",
        )


def _verified_times(bundle: Bundle, signer: _Signer, root: TrustRoot, given: _Given) -> list[datetime]:
    """Return all times at which the signature is known to have been there, at least one. Raises ReleaseError if not."""
    times = timestamp.verified_times(bundle.timestamps, bundle.signed.signature, root)
    logged = _as_logged(bundle, signer, given)
    for entry in bundle.entries:
        taken = log.verified_time(entry, bundle.version, root)
        log_body.refuse_other_signature(entry, logged)
        times += [taken] if taken else []
    if not times:
        raise refused(
            "nothing that holds states when the signature was made",
            expected="a timestamp of this signature by an authority of the trust root, while that was good; or a time"
            " that the log signed",
            found="timestamps that do not hold" if bundle.timestamps else "neither",
        )
    for entry in bundle.entries:
        log.refuse_outside_period(entry, root, times)
    return times


def _as_logged(bundle: Bundle, signer: _Signer, given: _Given) -> log_body.Signature:
    return log_body.Signature(
        signature=bundle.signed.signature,
        certificate=signer.certificate,
        spki=keys.spki(signer.key),
        digests=given.digests,
        envelope=bundle.signed if isinstance(bundle.signed, Envelope) else None,
    )


def _certified_by_key(bundle: Bundle, statement: Statement | None, signer: _Signer, given: _Given) -> Certified:
    """Return what a signature by the pinned key says. It needs no log, but one that it has must know it."""
    times: list[datetime] = []
    root_sha256 = ""
    if bundle.entries:
        root = _root_with_log(bundle.entries[0], given.roots)
        with_known = bundle if root.timestamp_authorities else replace(bundle, timestamps=())
        times, root_sha256 = _verified_times(with_known, signer, root, given), root.sha256
    found = Certified(
        *("",) * 6,
        signed_at=min(times) if times else None,
        root_sha256=root_sha256,
        format=bundle.format,
        key=hashlib.sha256(keys.spki(signer.key)).hexdigest(),
    )
    return _with_statement(found, statement)


def _root_with_log(entry: LogEntry, roots: TrustRoots) -> TrustRoot:
    for root in roots.roots:
        if any(known.log_id == entry.log_id for known in root.logs):
            return root
    raise refused(
        "the entry of the transparency log is from a log that no trust root here knows",
        found=f"the log {entry.log_id.hex()[:16]}…",
        fix="give the trust root that has it as trust_root",
    )


def _with_statement(found: Certified, statement: Statement | None) -> Certified:
    """Return *found* with what was stated. What GitHub states of a release says which repository it is of.

    Raises ReleaseError if somebody else makes such a statement: any workflow can sign one.
    """
    if statement is None:
        return found
    found = replace(
        found,
        predicate_type=statement.predicate_type,
        statement=statement.document,
        subjects=statement.subjects,
    )
    is_by_github = (found.san, found.authority) == (identity.RELEASE_SIGNER, identity.GITHUB_AUTHORITY)
    if statement.predicate_type.startswith(RELEASE):
        if not is_by_github:
            raise refused(
                "a statement about a release of GitHub is not by GitHub",
                expected=f"{identity.RELEASE_SIGNER}, certified by {identity.GITHUB_AUTHORITY}",
                found=f"{shown(found.san) if found.san else 'a key'}, certified by {found.authority or 'nobody'}",
            )
        release = read_release(statement)
        return replace(found, repository=release.repository, ref=f"refs/tags/{release.tag}", commit=release.commit)
    return found
