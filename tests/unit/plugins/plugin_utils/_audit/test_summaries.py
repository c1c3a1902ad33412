# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification summaries: what they say of an asset, and which level of SLSA is said when."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import envelope, summaries
from ansible_collections.pinned.release.plugins.plugin_utils._audit.envelope import Signature
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verification import Verification
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

NAME = "tool-1.0-linux.tar.gz"
URL = f"https://github.com/example/tool/releases/download/v1.0/{NAME}"
POLICY = summaries.Policy("releases.yml", "d" * 64)
WHEN, LATER = "2026-11-29T18:33:02Z", "2026-11-30T18:33:02Z"
GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows"
BUILDER = f"{GENERATOR}/generator_generic_slsa3.yml@refs/tags/v2.1.0"
OWN_WORKFLOW = "https://github.com/example/tool/.github/workflows/release.yml@refs/tags/v1.0"
SLSA = "predicate:https://slsa.dev/provenance/v1 repository:example/tool"


def asset(*proofs: Proof, target: str = "x86_64-unknown-linux-musl") -> LockedAsset:
    return LockedAsset(
        name=NAME,
        url=URL,
        size=10,
        sha256="a" * 64,
        format="tar.gz",
        target=target,
        requires=Requirement(os="linux", arch="x86_64"),
        executables={},
        evidence=Evidence(proofs=proofs),
        unpacked_size=10,
        tree_sha256="b" * 64,
    )


def proof(kind: str = "provenance", signer: str = BUILDER) -> Proof:
    identity = Identity.of(repository="example/tool")
    kept = (("root", "e" * 64), ("signature", "f" * 64))
    return Proof(kind, identity, signer, NAME, "a" * 64, f"{URL}.intoto.jsonl", kept)


def lock(*assets: LockedAsset) -> LockFile:
    return LockFile(tools={"tool": LockedTool("1.0", {"github": "example/tool"}, assets)})


def said(*found: Verification, of: LockFile | None = None, when: str = WHEN) -> list[dict[str, Any]]:
    return summaries.statements(of or lock(asset(proof())), found, POLICY, when)


def verified(signer: str = BUILDER, statement: str = SLSA, **changed: Any) -> Verification:
    return replace(Verification("tool", NAME, "provenance", signer, "verified", "", statement), **changed)


def sign(content: bytes) -> Signature:
    return Signature("one", content[:4])


def test_summary_says_what_slsa_asks():
    [summary] = said(verified())
    assert summary["_type"] == "https://in-toto.io/Statement/v1"
    assert summary["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert summary["subject"] == [{"name": NAME, "digest": {"sha256": "a" * 64}}]
    assert summary["predicate"] == {
        "verifier": {"id": "https://pinned.release/attest/v1"},
        "timeVerified": WHEN,
        "resourceUri": URL,
        "policy": {"uri": "releases.yml", "digest": {"sha256": "d" * 64}},
        "inputAttestations": [{"uri": f"{URL}.intoto.jsonl", "digest": {"sha256": "f" * 64}}],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
        "slsaVersion": "1.1",
    }


@pytest.mark.parametrize(
    ("found", "level"),
    [
        ([], 0),
        ([verified()], 3),
        ([verified(OWN_WORKFLOW)], 1),
        ([verified(statement="predicate:https://docs.index.example/attestations/publish/v1")], 0),
        ([verified(statement="")], 0),
        ([verified(kind="release")], 0),
        ([verified(kind="minisign")], 0),
        ([verified(asset="another.tar.gz")], 0),
        ([verified(tool="another")], 0),
        ([verified(reason="it holds by the trust root that is kept with it, and by no other")], 0),
        ([verified(reason="the manifest no longer pins repository example/tool")], 0),
        ([verified(f"{GENERATOR}/builder_go_slsa3.yml@refs/heads/main")], 1),
        ([verified(BUILDER.replace("slsa-framework/", "slsa-framework-evil/"))], 1),
        ([verified(f"https://evil.example.org/?{BUILDER}")], 1),
        ([verified(OWN_WORKFLOW), verified()], 3),
    ],
)
def test_level_is_what_was_measured(found, level):
    assert [one["predicate"]["verifiedLevels"] for one in said(*found)] == [[f"SLSA_BUILD_LEVEL_{level}"]]


@pytest.mark.parametrize("verdict", ["refused", "unverified"])
def test_nothing_is_said_where_a_proof_does_not_hold_now(verdict):
    with pytest.raises(ReleaseError, match="1 of 2 proofs do not hold") as caught:
        said(verified(), verified(verdict=verdict, reason="no such bytes"))
    assert caught.value.found == f"tool: {NAME}, provenance: no such bytes"


def test_asset_of_several_targets_has_one_summary():
    both = lock(asset(), asset(target="x86_64-unknown-linux-gnu"))
    [summary] = said(of=both)
    assert "inputAttestations" not in summary["predicate"]


def test_each_line_is_a_signed_envelope():
    content = summaries.lines(said(verified()), sign, b"")
    [line] = content.splitlines()
    read = envelope.read(line)
    assert read.statement == json.loads(envelope.canonical(said(verified())[0]))
    assert read.signatures == (Signature("one", b"DSSE"),)


def test_file_stays_as_it_is_while_it_says_the_same():
    before = summaries.lines(said(verified()), sign, b"")
    assert summaries.lines(said(verified(), when=LATER), sign, before) == before


@pytest.mark.parametrize("before", [b"", b"{}\n", b"foreign", b"\xff"])
def test_other_file_is_replaced(before):
    assert summaries.lines(said(verified()), sign, before) != before


def test_file_is_written_again_for_other_assets_or_with_another_key():
    before = summaries.lines(said(verified()), sign, b"")
    assert summaries.lines(said(verified(OWN_WORKFLOW), when=LATER), sign, before) != before
    assert summaries.lines(said(verified(), when=LATER), lambda content: Signature("two", content), before) != before
    assert summaries.lines([], sign, before) == b""
    assert summaries.lines([], sign, b"foreign") == b""


def test_file_of_a_key_without_a_name_is_signed_anew_since_any_key_could_be_it():
    def nameless(key: bytes) -> Callable[[bytes], Signature]:
        return lambda content: Signature("", key)

    before = summaries.lines(said(verified()), nameless(b"one"), b"")
    after = summaries.lines(said(verified(), when=LATER), nameless(b"two"), before)
    assert envelope.read(after.splitlines()[0]).signatures == (Signature("", b"two"),)
