# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal evidence is equal text, and is read back as what it was."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import (
    Claim,
    Evidence,
    Proof,
    read_evidence,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity

A, B = "a" * 64, "b" * 64
LISTED, STATED = Claim("sha256", A, "listing"), Claim("sha256", A, "https://example.org/SHA256SUMS")
KEY, OTHER = Identity.of(key="RWQkey"), Identity.of(key="RWQother")
MINISIG = "https://example.org/SHA256SUMS.minisig"
SIGNED = Proof("minisign", KEY, "0123456789ABCDEF", "SHA256SUMS", B, MINISIG, (("signature", A), ("sums", B)))
DATED = Proof("minisign", KEY, "0123456789ABCDEF", "uv", A, MINISIG, (("signature", B),), "timestamp:1", "v1.0")


def read(value: object) -> Evidence:
    return read_evidence(Place(value, Document("releases.lock.json")))


def test_evidence_is_equal_whoever_found_what_first_and_how_often() -> None:
    evidence = Evidence((STATED, LISTED, STATED), (DATED, SIGNED, DATED))
    assert evidence == Evidence((LISTED, STATED), (SIGNED, DATED))
    assert (evidence.claims, evidence.proofs) == ((STATED, LISTED), (SIGNED, DATED))
    assert evidence.kept() == {A, B}


@pytest.mark.parametrize("evidence", [Evidence(), Evidence((LISTED,)), Evidence((LISTED, STATED), (SIGNED, DATED))])
def test_what_is_written_is_read_back(evidence: Evidence) -> None:
    assert read(evidence.as_dict()) == evidence


def test_an_empty_statement_or_tag_is_not_written() -> None:
    written = Evidence(proofs=(SIGNED, DATED)).as_dict()["proofs"]
    assert [("statement" in proof, "tag" in proof) for proof in written] == [(False, False), (True, True)]


def test_a_proof_counts_only_for_the_identity_that_it_was_checked_against() -> None:
    evidence = Evidence((LISTED,), (SIGNED,))
    assert evidence.proves({"minisign": (KEY,)})
    assert evidence.proves({"minisign": (OTHER, KEY)})
    assert evidence.proves({})
    assert not evidence.proves({"minisign": (OTHER,)})
    assert not evidence.proves({"sigstore": (KEY,)})
    assert not evidence.proves({"minisign": (KEY,), "sigstore": (KEY,)})
    assert not Evidence((LISTED,)).proves({"minisign": (KEY,)})


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("claims", {"value": "A" * 64}),
        ("claims", {"algorithm": "SHA-256"}),
        ("claims", {"origin": "a\nb"}),
        ("claims", {"by": "x"}),
        ("proofs", {"sha256": "a"}),
        ("proofs", {"file": "../uv"}),
        ("proofs", {"kind": ""}),
        ("proofs", {"statement": ""}),
        ("proofs", {"tag": ""}),
        ("proofs", {"identity": "RWQkey"}),
        ("proofs", {"identity": {}}),
        ("proofs", {"kept": {}}),
        ("proofs", {"kept": {"signature": "a"}}),
    ],
)
def test_what_is_no_evidence_is_refused(part: str, changes: dict[str, Any]) -> None:
    document = Evidence((LISTED,), (SIGNED,)).as_dict()
    document[part][0].update(changes)
    with pytest.raises(MisfitError):
        read(document)
