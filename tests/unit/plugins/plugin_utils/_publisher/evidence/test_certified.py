# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signatures of sigstore are found for an asset, by whom they must be, and who is asked for what they lack."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import (
    Authorities,
    Held,
    Proven,
    certified,
    proofs,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.identity import RELEASE_SIGNER
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation, Release
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    CONTENT,
    DIGESTS,
    PROVENANCE,
    LittleSigstore,
    pem,
    statement,
)

LITTLE, OTHER = LittleSigstore(), LittleSigstore("other", ("root", "another sigstore"))
GITHUBS = LittleSigstore("github", ("Internal Services Root", "GitHub, Inc."))
NAME = "tool-1.0-linux"
OWNER = Identity.of(repository="owner/tool", workflow=".github/workflows/release.yml")
SOMEBODY = Identity.of(repository="somebody/tool")
SUMS = f"{DIGESTS['sha256']}  {NAME}\n".encode()


def file(document: object) -> bytes:
    return json.dumps(document).encode()


class Publisher:
    """A release of one asset and other files, and what a service has about it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.path.write_bytes(CONTENT)
        self.files: dict[str, bytes] = {}
        self.attestations: list[bytes] = []
        self.authorities = Authorities()
        self.tag = ""

    def proven(self, kind: str, *identities: Identity) -> tuple[Proven, ...]:
        assets = tuple(Asset(name, f"https://example.org/{name}") for name in (NAME, *self.files))
        answers = [Attestation("https://api.example.org/1", content) for content in self.attestations]
        release = Release("1.0", assets, tag=self.tag, attestations=lambda asset, digests: answers)
        held = Held(assets[0], release, self.path, DIGESTS, authorities=self.authorities)
        return proofs.collect(held, {kind: identities or (OWNER,)}, lambda asset: self.files[asset.name])

    def refused(self, kind: str, *identities: Identity) -> ReleaseError:
        with pytest.raises(ReleaseError) as caught:
            self.proven(kind, *identities)
        return caught.value


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """Return a publisher; the public trust root is that of the little sigstore."""
    monkeypatch.setattr(sigstore, "public_good", LITTLE.trusted_root)
    return Publisher(tmp_path)


def again(proven: Proven) -> str:
    """Return who made a proof that is verified again from its parts alone."""
    proof = proven.proof
    signed = Signed(proof.file, "1.0", proof.sha256, lambda: pytest.fail("no bytes"), "x", proven.parts["signature"])
    return proofs.KINDS[proof.kind].verify(signed, proof.identity, proven.parts).name


@pytest.mark.parametrize("suffix", certified.BUNDLES)
def test_a_bundle_beside_the_asset_proves_its_bytes(publisher: Publisher, suffix: str) -> None:
    publisher.files = {NAME + suffix: file(LITTLE.signed_file())}
    [proven] = publisher.proven("sigstore")
    assert proven.proof.signer.startswith("https://github.com/owner/tool/.github/workflows/release.yml@")
    assert proven.proof.statement.startswith("repository:owner/tool workflow:.github/workflows/release.yml ref:refs/")
    assert proven.parts["root"] == LITTLE.trusted_root()
    assert again(proven) == proven.proof.signer


def test_a_bundle_beside_a_sums_file_proves_that_file(publisher: Publisher) -> None:
    publisher.files = {"checksums.txt": SUMS, "checksums.txt.sigstore.json": file(LITTLE.signed_file(SUMS))}
    [proven] = publisher.proven("sigstore")
    assert (proven.proof.file, proven.parts["sums"]) == ("checksums.txt", SUMS)
    assert again(proven) == proven.proof.signer


@pytest.mark.parametrize(
    ("bundle", "what"),
    [
        (LITTLE.signed_file(b"other bytes"), ""),
        (OTHER.signed_file(), "an authority that no trust root here knows"),
        (LITTLE.signed_file(san="somebody@example.org"), "signed by someone else"),
        ({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}, ""),
        ([], ""),
    ],
)
def test_a_bundle_of_other_bytes_or_by_others_is_refused(publisher: Publisher, bundle: object, what: str) -> None:
    publisher.files = {f"{NAME}.sigstore.json": file(bundle)}
    assert what in publisher.refused("sigstore").what


def test_a_valid_signature_by_another_repository_is_refused_with_both(publisher: Publisher) -> None:
    publisher.files = {f"{NAME}.sigstore.json": file(LITTLE.signed_file())}
    error = publisher.refused("sigstore", SOMEBODY)
    assert (error.expected, error.found) == ('repository "somebody/tool"', 'repository "owner/tool"')
    [proven] = publisher.proven("sigstore", SOMEBODY, OWNER)
    assert proven.proof.identity == OWNER


@pytest.mark.parametrize(
    "name", ["attestation.jsonl", "multiple.intoto.jsonl", f"{NAME}.intoto.jsonl", "provenance.json"]
)
def test_a_statement_among_the_files_of_a_release_counts(publisher: Publisher, name: str) -> None:
    publisher.files = {name: file(LITTLE.signed_statement())}
    [proven] = publisher.proven("provenance")
    assert f"predicate:{PROVENANCE}" in proven.proof.statement
    assert (proven.proof.file, proven.proof.sha256) == (NAME, DIGESTS["sha256"])
    assert again(proven) == proven.proof.signer


def test_a_statement_of_the_publishers_service_counts_as_well(publisher: Publisher) -> None:
    publisher.attestations = [file(LITTLE.signed_statement())]
    [proven] = publisher.proven("provenance")
    assert proven.proof.origin == "https://api.example.org/1"


@pytest.mark.parametrize(
    "kind", ["https://slsa.dev/provenance/v0.2", "https://docs.index.example/attestations/publish/v1"]
)
def test_what_a_package_index_records_of_an_upload_is_provenance_as_slsas_is(publisher: Publisher, kind: str) -> None:
    publisher.attestations = [file(LITTLE.signed_statement(statement(kind)))]
    assert f"predicate:{kind}" in publisher.proven("provenance")[0].proof.statement


def test_a_statement_by_somebody_else_does_not_hide_the_right_one(publisher: Publisher) -> None:
    by_others = LITTLE.signed_statement(san="somebody@example.org")
    publisher.attestations = [file(by_others), file(LITTLE.signed_statement())]
    assert len(publisher.proven("provenance")) == 1
    publisher.attestations = [file(by_others)]
    assert "signed by someone else" in publisher.refused("provenance").what


def test_a_statement_about_another_file_is_passed_over(publisher: Publisher) -> None:
    digest = {"sha256": hashlib.sha256(b"other").hexdigest()}
    publisher.files = {"attestation.jsonl": file(LITTLE.signed_statement(statement(name="other", digest=digest)))}
    error = publisher.refused("provenance")
    assert error.what == f"{NAME} has no provenance that is signed, and the manifest demands one"
    assert DIGESTS["sha256"] in str(error.expected)


def test_a_shared_file_that_is_no_bundle_is_passed_over(publisher: Publisher) -> None:
    publisher.files = {"provenance.json": b"{}", "attestation.jsonl": file(LITTLE.signed_statement())}
    assert len(publisher.proven("provenance")) == 1


def test_a_file_named_after_the_asset_that_is_no_bundle_is_told(publisher: Publisher) -> None:
    publisher.files = {f"{NAME}.intoto.jsonl": b"{}"}
    assert publisher.refused("provenance").what.startswith(f"{NAME}: {NAME}.intoto.jsonl: ")


def test_a_statement_of_something_else_is_no_provenance(publisher: Publisher) -> None:
    publisher.attestations = [file(LITTLE.signed_statement(statement("https://spdx.dev/Document/v2.3")))]
    error = publisher.refused("provenance")
    assert "says something else than is asked for" in error.what
    assert error.found == "https://spdx.dev/Document/v2.3"


def test_a_statement_that_anybody_signs_is_no_release(publisher: Publisher) -> None:
    """Any workflow can sign a statement that claims to be a release of GitHub."""
    release = statement("https://in-toto.io/attestation/release/v0.2", {"repository": "owner/tool", "tag": "v1.0"})
    publisher.attestations = [file(LITTLE.signed_statement(release))]
    assert "not by GitHub" in publisher.refused("release", Identity.of(repository="owner/tool")).what


@pytest.mark.parametrize(
    ("known", "stated", "is_of_it"),
    [
        *[(tag, tag, True) for tag in ("v1.0", "curl-1_0", "cli/v1.0")],
        *[("v1.0", tag, False) for tag in ("1.0", "V1.0", "tool-v1.0", "v1.0/", "refs/tags/v1.0")],
        *[("", tag, True) for tag in ("1.0", "v1.0")],
        *[("", tag, False) for tag in ("tool-1.0", "v1.0-rc1", "v11.0", "2.0")],
    ],
)
def test_a_statement_is_about_the_tag_of_the_release_or_if_that_is_unknown_about_its_version(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, known: str, stated: str, is_of_it: bool
) -> None:
    """An old release, rightly signed, is not offered as a new one."""
    monkeypatch.setattr(sigstore, "public_good", GITHUBS.trusted_root)
    purl = f"pkg:github/owner/tool@{quote(stated, safe='')}"
    predicate = {"repository": "owner/tool", "tag": stated, "purl": purl}
    about = statement("https://in-toto.io/attestation/release/v0.2", predicate)
    publisher.attestations = [file(GITHUBS.signed_statement(about, san=RELEASE_SIGNER, said={}))]
    publisher.tag = known
    if is_of_it:
        [proven] = publisher.proven("release", Identity.of(repository="owner/tool"))
        assert proven.proof.tag == known
    else:
        error = publisher.refused("release", Identity.of(repository="owner/tool"))
        assert error.what.endswith("the statement is about a release with another tag")
        assert error.found == f'"refs/tags/{stated}"'


# What a signature lacks.


def without_entry(bundle: dict[str, Any]) -> dict[str, Any]:
    return {**bundle, "verificationMaterial": {**bundle["verificationMaterial"], "tlogEntries": []}}


def answer(bundle: Mapping[str, Any]) -> bytes:
    """Return the entry of a bundle as the API of the transparency log answers it."""
    [entry] = bundle["verificationMaterial"]["tlogEntries"]
    proof = entry["inclusionProof"]
    told = {
        "body": entry["canonicalizedBody"],
        "integratedTime": int(entry["integratedTime"]),
        "logID": _hexadecimal(entry["logId"]["keyId"]),
        "logIndex": int(entry["logIndex"]),
        "verification": {
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "inclusionProof": {
                "logIndex": int(proof["logIndex"]),
                "treeSize": int(proof["treeSize"]),
                "rootHash": _hexadecimal(proof["rootHash"]),
                "hashes": [_hexadecimal(one) for one in proof["hashes"]],
                "checkpoint": proof["checkpoint"]["envelope"],
            },
        },
    }
    return file([{"24296fb24b8ad77a": told}])


def _hexadecimal(text: str) -> str:
    return base64.b64decode(text).hex()


def test_an_entry_of_the_log_is_looked_up_once_and_kept(publisher: Publisher) -> None:
    whole = LITTLE.signed_statement()
    asked: list[str] = []

    def look_up(sha256: str) -> bytes:
        asked.append(sha256)
        return answer(whole)

    publisher.authorities = Authorities(log_entries=look_up)
    publisher.attestations = [file(without_entry(whole))]
    [proven] = publisher.proven("provenance")
    assert asked == [DIGESTS["sha256"]]
    assert proven.parts["log"] == answer(whole)
    assert again(proven) == proven.proof.signer


def test_what_no_log_knows_is_found_and_not_verified(publisher: Publisher) -> None:
    publisher.attestations = [file(without_entry(LITTLE.signed_statement()))]
    assert publisher.refused("provenance").what.endswith(
        "nothing proves that the signer's certificate was valid when the signature was made"
    )


def test_a_log_that_is_down_is_told_and_not_taken_for_a_missing_signature(publisher: Publisher) -> None:
    def down(sha256: str) -> bytes:
        raise ReleaseError("the transparency log does not answer")

    publisher.authorities = Authorities(log_entries=down)
    publisher.attestations = [file(without_entry(LITTLE.signed_statement()))]
    assert "the transparency log does not answer" in publisher.refused("provenance").what


@pytest.mark.parametrize("ending", certified.CERTIFICATES)
def test_a_signature_and_its_certificate_in_two_files_are_a_bundle_with_its_entry_of_the_log(
    publisher: Publisher, ending: str
) -> None:
    """As Kubernetes publishes them: ``kubectl.sig``, ``kubectl.cert``, and nothing else."""
    whole = LITTLE.signed_file()
    publisher.authorities = Authorities(log_entries=lambda sha256: answer(whole))
    certificate = base64.b64encode(pem(LITTLE.certificate()).encode())
    publisher.files = {f"{NAME}.sig": whole["messageSignature"]["signature"].encode(), NAME + ending: certificate}
    [proven] = publisher.proven("sigstore")
    assert again(proven) == proven.proof.signer


def test_a_signature_without_its_certificate_is_of_another_kind_and_hides_no_bundle(publisher: Publisher) -> None:
    publisher.files = {f"{NAME}.sig": b"made with a key"}
    assert publisher.refused("sigstore").what == f"{NAME} has no sigstore signature, and the manifest demands one"
    publisher.files |= {"checksums.txt": SUMS, "checksums.txt.sigstore.json": file(LITTLE.signed_file(SUMS))}
    assert publisher.proven("sigstore")[0].proof.file == "checksums.txt"


def test_another_root_is_taken_only_for_what_the_public_one_does_not_know(publisher: Publisher) -> None:
    asked: list[bool] = []

    def more() -> tuple[bytes, ...]:
        asked.append(True)
        return (OTHER.trusted_root(),)

    publisher.authorities = Authorities(trust_roots=more)
    publisher.files = {f"{NAME}.sigstore.json": file(LITTLE.signed_file())}
    [proven] = publisher.proven("sigstore")
    assert (asked, proven.parts["root"]) == ([], LITTLE.trusted_root())
    publisher.files = {f"{NAME}.sigstore.json": file(OTHER.signed_file())}
    [proven] = publisher.proven("sigstore")
    assert (asked, proven.parts["root"]) == ([True], OTHER.trusted_root())


# What a manifest can pin.


@pytest.mark.parametrize(
    ("kind", "identity", "expected"),
    [
        ("sigstore", Identity.of(workflow="release.yml"), "repository: owner/name"),
        ("provenance", Identity.of(issuer="https://accounts.google.com"), "repository: owner/name"),
        ("release", Identity.of(repository="o/n", workflow="w"), "repository: owner/name"),
        ("provenance", Identity.of(repository="uv"), "owner/name of a repository"),
        ("provenance", Identity.of(repository="github.com/astral-sh/uv"), "owner/name of a repository"),
        ("release", Identity.of(repository="uv"), "owner/name of a repository"),
    ],
)
def test_an_identity_that_names_nobody_is_refused_before_anything_is_asked(
    kind: str, identity: Identity, expected: str
) -> None:
    with pytest.raises(ReleaseError) as caught:
        proofs.KINDS[kind].check(identity)
    assert expected in str(caught.value.expected)
