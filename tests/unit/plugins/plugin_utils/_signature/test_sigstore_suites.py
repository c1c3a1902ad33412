# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures that others made: each suite as a whole, without a network, by what ../shared/field/data has of it."""

from __future__ import annotations

import base64
import json
import socket
from collections import Counter

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import (
    TrustRoots,
    UnprovenError,
    public_good,
    require,
    second_opinion,
    shapes,
    verify,
    verify_each,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import signed_by_others
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import as_api_answer, as_cosign

pytestmark = pytest.mark.skipif(not signed_by_others.DATA.is_dir(), reason=signed_by_others.ABSENT)

GENERATOR = "slsa-framework/slsa-github-generator/.github/workflows"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Let nothing be connected: what is verified here is verified offline."""

    def refuse(*arguments, **named):
        raise AssertionError(f"something asks the network: {arguments}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(name="roots", scope="module")
def _roots():
    return TrustRoots.of(public_good(), signed_by_others.trusted_root("trusted_root_github"))


# sigstore-conformance: what every client of sigstore must verify and refuse.

CONFORMANCE = list(signed_by_others.conformance()) if signed_by_others.DATA.is_dir() else []


@pytest.mark.parametrize("case", CONFORMANCE, ids=lambda case: case.name)
def test_conformance(case):
    outcome, about = signed_by_others.outcome(case, TrustRoots.of(public_good()))
    assert (outcome == "verified") == (not case.name.endswith("_fail")), about


def test_conformance_has_all_of_its_cases():
    assert Counter(case.name.endswith("_fail") for case in CONFORMANCE) == {True: 49, False: 21}
    assert sum(case.key is not None for case in CONFORMANCE) == 3


def conformance(name):
    [case] = [case for case in CONFORMANCE if case.name == name]
    return case, json.loads(case.content)


def test_an_entry_beyond_the_end_of_the_log_is_refused():
    """The tree has one entry, so that there are no hashes that could tell."""
    case, bundle = conformance("intoto-with-custom-trust-root")
    bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["logIndex"] = "1"
    with pytest.raises(ReleaseError, match="proof that the entry is in the transparency log does not hold"):
        verify(json.dumps(bundle).encode(), TrustRoots.of(case.root), case.digests)


def test_an_entry_of_a_log_that_states_no_time_is_of_a_log_that_was_trusted_at_the_time_of_the_timestamp():
    case, _bundle = conformance("rekor2-happy-path")
    root = json.loads(case.root)
    for log in root["tlogs"]:
        log["publicKey"]["validFor"]["end"] = "2025-06-12T12:02:19Z"
    with pytest.raises(ReleaseError, match="log was not trusted at the time of signing"):
        verify(case.content, TrustRoots.of(json.dumps(root).encode()), case.digests)


def test_a_timestamp_that_is_given_twice_is_refused():
    case, bundle = conformance("rekor2-happy-path")
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] *= 2
    with pytest.raises(ReleaseError, match="a timestamp stands in the bundle twice"):
        verify(json.dumps(bundle).encode(), TrustRoots.of(case.root), case.digests)


# The page in the docs.


def test_the_page_on_signatures_has_the_numbers_that_are_tested_here():
    page = (signed_by_others.ROOT / "docs" / "signatures.md").read_text(encoding="utf-8")
    for name, expected in signed_by_others.EXPECTED.items():
        counts = [expected.get(outcome, 0) for outcome in signed_by_others.OUTCOMES]
        assert f"| {name} | {sum(counts)} | {' | '.join(map(str, counts))} |" in page


# CPython.


def test_all_files_of_cpython_are_signed_by_the_release_manager_of_their_version(roots):
    outcomes = Counter(signed_by_others.outcome(case, roots)[0] for case in signed_by_others.cpython())
    assert outcomes == signed_by_others.EXPECTED["CPython's releases"] == {"verified": 886}


def test_sigstore_python_is_asked_about_those_files_too():
    public = TrustRoots.of(public_good()).roots[0]
    case = next(signed_by_others.cpython())
    [bundle] = shapes.read_bundles(case.content)
    assert second_opinion.is_for_library(bundle, public)
    second_opinion.refuse_if_library_does(bundle, public, case.digests, case.identity["identity"])
    with pytest.raises(ReleaseError, match="does not hold for sigstore-python"):
        second_opinion.refuse_if_library_does(bundle, public, {"sha256": "0" * 64}, case.identity["identity"])


def test_the_older_bundle_of_cosign_is_verified_by_the_promise_of_the_log_alone(roots):
    for case in list(signed_by_others.cpython())[:20]:
        in_old_shape = json.dumps(as_cosign(json.loads(case.content))).encode()
        certified = verify(in_old_shape, roots, case.digests)
        assert certified.format == "cosign bundle"
        require(certified, case.identity)


# slsa-verifier: provenance of GitHub's builders and of npm.


def test_every_provenance_that_carries_a_proof_is_verified_and_no_other(roots):
    found = [(case.name, *signed_by_others.outcome(case, roots)) for case in signed_by_others.slsa()]
    assert Counter(outcome for _name, outcome, _about in found) == signed_by_others.EXPECTED["slsa-verifier"]
    assert [name for name, outcome, _about in found if outcome == "refused" and "invalidsigprov" not in name] == []
    lacking = Counter(about.lacks for _name, outcome, about in found if outcome == "unproven")
    assert lacking == {"log entry": 106, "key": 8}


def test_a_provenance_whose_artifact_is_not_here_holds_for_what_it_names(roots):
    outcomes = Counter()
    for case in signed_by_others.slsa(artifact=False):
        outcomes[signed_by_others.outcome(case, roots)[0]] += 1
        elsewhere = signed_by_others.Case(case.name, case.content, {"sha256": "0" * 64}, {})
        assert "about other files" in str(signed_by_others.outcome(elsewhere, roots)[1])
    assert outcomes == {"verified": 24, "unproven": 1}


def provenance(name):
    [found] = [case for case in signed_by_others.slsa() if case.name == name]
    return found


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        (
            "gha_go/v2.1.0/binary-linux-amd64-push-v14.2.intoto.jsonl",
            {
                "repository": "slsa-framework/example-package",
                "workflow": f"{GENERATOR}/builder_go_slsa3.yml@refs/tags/v2.1.0",
                "ref": "refs/tags/v{version}",
            },
        ),
        (
            "npm/gha/gundam-visor-cli-v1-tag.tgz.json",
            {
                "repository": "https://github.com/ramonpetgrave64/gundam-visor",
                "workflow": ".github/workflows/npm-publish.yml",
            },
        ),
        (
            "bcr/rules_lint-v1.3.1.tar.gz.intoto.jsonl",
            {
                "repository": "aspect-build/rules_lint",
                "workflow": "bazel-contrib/.github/.github/workflows/release_ruleset.yaml",
            },
        ),
    ],
)
def test_builders_are_known_by_repository_and_workflow(roots, name, identity):
    case = provenance(name)
    require(verify(case.content, roots, case.digests), identity, version="14.2")


def test_a_wrong_signer_is_refused_with_both(roots):
    case = provenance("bcr/MODULE-wrong-signer.bazel.intoto.jsonl")
    certified = verify(case.content, roots, case.digests)
    with pytest.raises(ReleaseError, match="signed by someone else: the repository and the workflow differ") as caught:
        require(
            certified, {"repository": "aspect-build/rules_lint", "workflow": "bazel-contrib/publish-to-bcr/.github"}
        )
    assert '"aspect-build/rules_lint"' in caught.value.expected
    assert '"loosebazooka/aa-test"' in caught.value.found


def test_a_wrong_builder_is_refused(roots):
    case = provenance("gha_delegator/v1.9.0/binary-linux-amd64-push-v14.2.build.slsa")
    certified = verify(case.content, roots, case.digests)
    builder = f"{GENERATOR}/delegator_generic_slsa3.yml"
    require(certified, {"repository": "slsa-framework/example-package", "workflow": builder})
    with pytest.raises(ReleaseError, match="the workflow differs"):
        require(certified, {"repository": "slsa-framework/example-package", "workflow": f"{builder}@refs/tags/v1.9.0"})


@pytest.mark.parametrize("name", ["expired-cert", "no-tlog-upload", "untrusted-builder"])
def test_what_may_be_expired_or_by_an_unknown_builder_is_not_verified_without_the_log(roots, name):
    outcome, about = signed_by_others.outcome(provenance(f"binary-linux-amd64-{name}.intoto.jsonl"), roots)
    assert outcome == "unproven"
    assert "look it up in the transparency log" in about.fix


def test_a_looked_up_entry_of_the_log_proves_a_bare_statement(roots):
    """The statement and the entry of one real bundle, given as the builder and the log's API would give them."""
    case = provenance("gha_gradle/v2.1.0/binary-linux-amd64-push-v14.2.build.slsa")
    bundle = json.loads(case.content)
    [entry] = bundle["verificationMaterial"]["tlogEntries"]
    bare, answer = json.dumps(bundle["dsseEnvelope"]).encode(), as_api_answer(entry)
    with pytest.raises(UnprovenError) as caught:
        verify(bare, roots, case.digests)
    assert caught.value.lacks == "key"
    certified = verify(bare, roots, case.digests, log_entry=answer)
    assert certified.format == "signed statement with its log entry"
    assert certified.workflow == f"{GENERATOR}/delegator_lowperms-generic_slsa3.yml"
    other = provenance("gha_gradle/v2.1.0/binary-linux-amd64-push-v14.build.slsa")
    [entry_of_other] = json.loads(other.content)["verificationMaterial"]["tlogEntries"]
    with pytest.raises(UnprovenError):
        verify(bare, roots, case.digests, log_entry=as_api_answer(entry_of_other))


def npm_key(bundle):
    """Return the key of npm's registry, as the log has it."""
    body = json.loads(base64.b64decode(bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]))
    return base64.b64decode(body["spec"]["content"]["envelope"]["signatures"][0]["publicKey"])


@pytest.mark.parametrize("package", ["gundam-visor-cli-v1-tag", "provenance-npm-test-cli-v02-prega"])
def test_npm_signs_with_its_key_what_its_registry_published(roots, package):
    case = provenance(f"npm/gha/{package}.tgz.json")
    key = npm_key(json.loads(case.content)["attestations"][0]["bundle"])
    published, built = verify_each(case.content, roots, case.digests, key)
    assert published.predicate_type == "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
    assert (published.san, published.key != "", published.signed_at is not None) == ("", True, True)
    assert built.predicate_type.startswith("https://slsa.dev/provenance/")
    assert verify_each(case.content, roots, case.digests) == (built,)
    forged = provenance(f"npm/gha/{package}-invalidsigpub.tgz.json")
    with pytest.raises(ReleaseError, match="the signature does not hold"):
        verify_each(forged.content, roots, forged.digests, key)


# GitHub's attestation of a release.


def test_githubs_attestation_of_a_release_covers_all_of_its_assets(roots):
    found = [signed_by_others.outcome(case, roots) for case in signed_by_others.github_release()]
    assert [outcome for outcome, _about in found] == ["verified"] * 22
    about = found[0][1]
    assert (about.repository, about.ref) == ("cli/cli", "refs/tags/v2.96.0")
    assert about.commit == "b300f2ec7ec9dc9addc39b2ad88c54097ded7ca0"
    assert (about.san, about.workflow) == ("https://dotcom.releases.github.com", "")
    assert about.signed_at.isoformat() == "2026-07-02T21:31:05+00:00"


@pytest.mark.parametrize(("old", "new"), [(b"cli/cli", b"cli/clj"), (b"v2.96.0", b"v2.96.1"), (b"sha256", b"sha512")])
def test_one_changed_field_of_it_is_refused(roots, old, new):
    case = next(signed_by_others.github_release())
    bundle = json.loads(case.content)
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload.replace(old, new, 1)).decode()
    changed = signed_by_others.Case(case.name, json.dumps(bundle).encode(), case.digests, {})
    assert signed_by_others.outcome(changed, roots)[0] == "refused"


def test_it_is_not_verified_without_githubs_root():
    case = next(signed_by_others.github_release())
    outcome, about = signed_by_others.outcome(case, TrustRoots.of(public_good()))
    assert (outcome, about.lacks) == ("unproven", "trust root")
    assert "gh attestation trusted-root" in about.fix


def test_it_is_not_verified_when_githubs_authorities_were_not_yet_trusted(roots):
    case = next(signed_by_others.github_release())
    root = json.loads(signed_by_others.trusted_root("trusted_root_github"))
    older = json.dumps({**root, "certificateAuthorities": root["certificateAuthorities"][:-2]}).encode()
    assert "no authority of the trust root issued" in signed_by_others.outcome(case, TrustRoots.of(older))[1].what
    older = json.dumps({**root, "timestampAuthorities": root["timestampAuthorities"][:-2]}).encode()
    assert "nothing that holds states when" in signed_by_others.outcome(case, TrustRoots.of(older))[1].what


def test_a_workflow_is_not_taken_for_the_one_that_signs_releases(roots):
    case = next(signed_by_others.github_release())
    with pytest.raises(ReleaseError, match="the workflow differs"):
        require(
            verify(case.content, roots, case.digests), {"repository": "cli/cli", "workflow": ".github/workflows/x.yml"}
        )
