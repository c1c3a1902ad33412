# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signatures of sigstore are about an asset's bytes, and are they by the pinned identity? On the controller.

``sigstore`` is the signature of a file, beside it. ``provenance`` is a signed statement about a file: SLSA provenance
(slsa.dev/spec), or what a package index recorded of its upload (PEP 740). ``release`` is GitHub's statement of what it
hosts for a tag. A statement may lie among the files of a release or be had from the publisher's service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Held, Proven
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.detached import (
    Detached,
    open_held,
    proven,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import first_unreachable
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.transparency_log import each_entry
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer, sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: What the names of bundles end in, after the name of the file that was signed.
BUNDLES = (".sigstore.json", ".sigstore", ".bundle", ".cosign.bundle", ".cosign-bundle")
#: Some publishers write signature and certificate into two files, as Kubernetes does.
SIGNATURE, CERTIFICATES = ".sig", (".cert", ".pem", ".crt")
#: What the names of files with statements about one file end in, after its name.
STATEMENTS = (".intoto.jsonl", ".intoto.json", ".sigstore.json", ".sigstore", ".attestation.jsonl", ".provenance.json")
#: What the names of files with statements end in or have in them, beside a file or for all files of a release.
_STATEMENTS = re.compile(
    r"(?:^|[-._])(?:attestations?|provenance)\b.*\.(?:jsonl?|sigstore)$|\.intoto\.jsonl?$|\.sigstore(?:\.json)?$",
    re.IGNORECASE,
)
#: Of files with statements in one release, so many are read: a larger release has one a file, named after it.
MOST_FILES = 40
#: Types of statements: SLSA's, and that of package indexes (PEP 740), which each name the address of an index.
PROVENANCE = re.compile(r"https://(?:slsa\.dev/provenance/|[^/]+/attestations/publish/)v[0-9.]+")
RELEASE = "https://in-toto.io/attestation/release/"
PARTS = ("repository", "workflow", "ref", "issuer", "identity")
#: What a repository is called in a certificate: on GitHub without its address, elsewhere with it.
_REPOSITORY = re.compile(r"[^/\s]+/[^/\s]+|(?:https?:)?//[^/\s]+/\S+")
#: What errors call a statement of a kind.
_CALLED = {"provenance": "provenance", "release": "release attestation"}


def check(identity: Identity) -> None:
    """Raise ReleaseError unless *identity* can be that of a certificate."""
    if not identity.get("repository") and not identity.get("identity"):
        raise ReleaseError(
            "an identity must name who signs",
            expected="repository: owner/name, and workflow, ref, issuer if you know them; or identity and issuer",
            found=str(identity),
        )
    _check_repository(identity)


def check_release(identity: Identity) -> None:
    """Raise ReleaseError unless *identity* is a repository alone: GitHub's statement has nothing else."""
    if set(identity.as_dict()) != {"repository"}:
        raise ReleaseError(
            "GitHub signs releases itself, and says of which repository", "repository: owner/name", str(identity)
        )
    _check_repository(identity)


def _check_repository(identity: Identity) -> None:
    repository = identity.get("repository")
    if repository and not _REPOSITORY.fullmatch(repository):
        raise ReleaseError(
            "this is not the name of a repository",
            expected="owner/name of a repository on GitHub, or an address such as https://gitlab.com/group/project",
            found=shown(repository),
        )


def roots(_held: Held, _identity: Identity, _fetch: Fetch) -> Mapping[str, bytes]:
    """Return the public trust root, which comes with the library. Raises ReleaseError if it is not installed."""
    return {"root": sigstore.public_good()}


def is_certified(held: Held, signature: Asset) -> bool:
    """Return whether a file is a bundle, or a bare signature whose certificate lies beside it.

    A bare signature without one is of another kind, made with a key.
    """
    return not signature.name.endswith(SIGNATURE) or _certificate(held, signature) is not None


def with_certificate(held: Held, signature: Asset, fetch: Fetch) -> bytes:
    """Return the bundle that a file holds; of a bare signature, the one that it makes with its certificate.

    Raises ReleaseError if one of them cannot be had.
    """
    content = fetch(signature)
    certificate = _certificate(held, signature) if signature.name.endswith(SIGNATURE) else None
    if certificate is None:
        return content
    parts = {"base64Signature": content, "cert": fetch(certificate)}
    return json.dumps({name: part.decode(errors="replace").strip() for name, part in parts.items()}).encode()


def _certificate(held: Held, signature: Asset) -> Asset | None:
    subject = signature.name.removesuffix(SIGNATURE)
    return next(filter(None, (held.release.file(subject + ending) for ending in CERTIFICATES)), None)


def verify_file(signed: Signed, identity: Identity, parts: Mapping[str, bytes]) -> Signer:
    """Return who is certified to have signed the file. Raises ReleaseError unless that is *identity*."""
    return _signer(signed, identity, parts, lambda found: not found.predicate_type)


def verify_provenance(signed: Signed, identity: Identity, parts: Mapping[str, bytes]) -> Signer:
    """Return who is certified to state where the file is from. Raises ReleaseError unless that is *identity*."""
    return _signer(signed, identity, parts, lambda found: bool(PROVENANCE.match(found.predicate_type)))


def verify_release(signed: Signed, identity: Identity, parts: Mapping[str, bytes]) -> Signer:
    """Return GitHub, if it states that the file belongs to the release. Raises ReleaseError if it does not."""
    return _signer(signed, identity, parts, lambda found: found.predicate_type.startswith(RELEASE))


def prove_provenance(held: Held, identity: Identity, fetch: Fetch) -> tuple[Proven, ...]:
    """Return the proof by the first statement about the bytes that are *held* that is by *identity*.

    Raises ReleaseError if there is none, with what is wrong with those that are there.
    """
    return (_by_statement("provenance", held, identity, _statements(held, fetch), verify_provenance),)


def prove_release(held: Held, identity: Identity, fetch: Fetch) -> tuple[Proven, ...]:
    """Return the proof by GitHub's statement about the release of the bytes that are *held*.

    Raises ReleaseError if there is none, with what is wrong with those that are there.
    """
    tag = held.release.tag
    return (_by_statement("release", held, identity, _statements(held, fetch), verify_release, tag),)


def _by_statement(
    kind: str,
    held: Held,
    identity: Identity,
    statements: Iterator[Attestation],
    verify: Callable[[Signed, Identity, Mapping[str, bytes]], Signer],
    tag: str = "",
) -> Proven:
    failures: list[ReleaseError] = []
    unproven: list[ReleaseError] = []
    for statement in statements:
        signed = Signed(
            name=held.asset.name,
            version=held.release.version,
            sha256=held.digests["sha256"],
            open_file=partial(open_held, held),
            signature_name=_shown_name(statement.origin),
            signature=statement.content,
            tag=tag,
            digests=held.digests,
        )
        try:
            signer, parts = with_authorities(held, signed, identity, {"root": sigstore.public_good()}, verify)
        except ReleaseError as error:
            told = unproven if isinstance(error, sigstore.UnprovenError) else failures
            told.append(error.about(f"{held.asset.name}: {signed.signature_name}"))
            continue
        return proven(kind, identity, signed, signer, statement.origin, parts=parts)
    if failures or unproven:
        raise first_unreachable(failures) or (failures or unproven)[0]
    raise ReleaseError(
        f"{held.asset.name} has no {_CALLED[kind]} that is signed, and the manifest demands one",
        expected=f"a statement about sha256:{held.digests['sha256']}, signed by {identity}",
        found="none among the files of the release, and none by its publisher's service",
        fix="choose a version that has one; if its publisher makes none any more, ask why before you take "
        f"verify.{kind} out of the manifest",
    )


def with_authorities(
    held: Held,
    signed: Signed,
    identity: Identity,
    parts: Mapping[str, bytes],
    verify: Callable[[Signed, Identity, Mapping[str, bytes]], Signer],
) -> tuple[Signer, Mapping[str, bytes]]:
    """Return what *verify* does, and the parts that it took; what it lacks is asked of the authorities of *held*.

    A trust root is, if no root that is here knows the certificate's issuer, and the entry of the transparency log, if
    the signature lacks it: once each. Raises ReleaseError if it does not hold, or still lacks something.
    """
    for _attempt in range(3):
        try:
            return verify(signed, identity, parts), _needed(signed, identity, parts, verify)
        except sigstore.UnprovenError as error:
            more = _lacking(error, held, signed, parts)
            if not more:
                raise
            parts = {**parts, **more}
    return verify(signed, identity, parts), _needed(signed, identity, parts, verify)


def _needed(
    signed: Signed,
    identity: Identity,
    parts: Mapping[str, bytes],
    verify: Callable[[Signed, Identity, Mapping[str, bytes]], Signer],
) -> Mapping[str, bytes]:
    """Return *parts* with that entry of the log alone that the signature needs: anybody may have added the others."""
    entries = list(each_entry(parts["log"])) if "log" in parts else []
    for entry in entries if len(entries) > 1 else ():
        alone = {**parts, "log": entry}
        with suppress(ReleaseError):
            verify(signed, identity, alone)
            return alone
    return parts


def _lacking(
    error: sigstore.UnprovenError, held: Held, signed: Signed, parts: Mapping[str, bytes]
) -> Mapping[str, bytes]:
    """Return the part that would remove the *error*; none if it was asked for before, or nobody has it."""
    if error.lacks == "trust root":
        roots = b"\n".join(held.authorities.trust_roots())
        return {"root": roots} if roots and roots != parts["root"] else {}
    if error.lacks in ("log entry", "key") and "log" not in parts:
        return {"log": held.authorities.log_entries(signed.sha256)}
    return {}


def _signer(
    signed: Signed,
    identity: Identity,
    parts: Mapping[str, bytes],
    is_meant: Callable[[sigstore.Certified], bool],
) -> Signer:
    """Return who made the first signature that *is_meant* and is by *identity*. Raises ReleaseError if none is."""
    trusted = sigstore.TrustRoots.of(parts["root"])
    digests = {**signed.digests, "sha256": signed.sha256}
    found = sigstore.verify_each(signed.signature, trusted, digests, log_entry=parts.get("log"))
    failures: list[ReleaseError] = []
    for certified in filter(is_meant, found):
        try:
            sigstore.require(certified, identity.as_dict(), signed.version)
            _refuse_other_release(signed, certified)
        except ReleaseError as error:
            failures.append(error)
            continue
        root = next((one.content for one in trusted.roots if one.sha256 == certified.root_sha256), b"")
        return Signer(certified.san or certified.key, _said(certified), root)
    if failures:
        raise failures[0]
    said = ", ".join(sorted({one.predicate_type or "a signature of the file" for one in found}))
    raise ReleaseError("the signature holds, and says something else than is asked for", found=said)


def _said(certified: sigstore.Certified) -> str:
    """Return in a line what the signer states beside the bytes, and when."""
    moment = certified.signed_at.strftime("%Y-%m-%dT%H:%M:%SZ") if certified.signed_at else ""
    told = {
        "predicate": certified.predicate_type,
        "repository": certified.repository,
        "workflow": certified.workflow,
        "ref": certified.ref,
        "commit": certified.commit,
        "signed": moment,
    }
    return " ".join(f"{name}:{value}" for name, value in told.items() if value)


def _refuse_other_release(signed: Signed, certified: sigstore.Certified) -> None:
    """Raise ReleaseError if GitHub states it of another tag: an old release is not offered as a new one.

    Where no tag is known, it must be the version: a mirror keeps what GitHub stated, and not what the tag was.
    """
    tags = [signed.tag] if signed.tag else [signed.version, f"v{signed.version}"]
    if certified.predicate_type.startswith(RELEASE) and certified.ref not in [f"refs/tags/{tag}" for tag in tags]:
        raise ReleaseError(
            "the statement is about a release with another tag",
            expected=f"the tag {' or '.join(map(shown, tags))}",
            found=shown(certified.ref),
            fix="do not use it: what is offered as this release may be another one; ask its publisher",
        )


def _statements(held: Held, fetch: Fetch) -> Iterator[Attestation]:
    """Yield what may hold statements about the asset: files of the release first, then what the service has."""
    for file in _own_files(held):
        content = fetch(file)
        if _may_be_about(held, content, if_unreadable=True):
            yield Attestation(file.url, content)
    for file in _shared_files(held)[:MOST_FILES]:
        content = fetch(file)
        if _may_be_about(held, content, if_unreadable=False):
            yield Attestation(file.url, content)
    yield from held.release.attestations(held.asset, held.digests)


def _own_files(held: Held) -> list[Asset]:
    """Return the files with statements that are named after the asset, also those that no listing has."""
    found = [held.release.file(held.asset.name + suffix) for suffix in STATEMENTS]
    return list(filter(None, found))


def _shared_files(held: Held) -> list[Asset]:
    """Return the files with statements of the release that are named after no file of it."""
    files = [file for file in held.release.assets if _STATEMENTS.search(file.name)]
    others = [file.name for file in held.release.assets if file not in files]
    return [file for file in files if not file.name.startswith(tuple(others))]


def _may_be_about(held: Held, content: bytes, *, if_unreadable: bool) -> bool:
    try:
        return sigstore.is_about(content, held.digests)
    except ReleaseError:
        return if_unreadable


def _shown_name(origin: str) -> str:
    return urlsplit(origin).path.rpartition("/")[2] or origin


#: Signatures of files, which lie beside them or beside their sums file.
FILES = Detached(
    "sigstore", (*BUNDLES, SIGNATURE), verify_file, roots, with_authorities, is_certified, with_certificate
)
