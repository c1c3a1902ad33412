# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what is said of evidence what was verified, and no more?"""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit import evidence_words
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.proofs import KINDS
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING, Claim, Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity

NAME, DIGEST = "tool-1.0.tar.gz", "ab" * 32
LISTED = Claim("sha256", DIGEST, LISTING)
SUMS = Claim("sha512", DIGEST, "https://example.org/SHA512SUMS")
FOREIGN = Claim("sha256", DIGEST, "mise.lock")


def proof(kind: str = "minisign", file: str = NAME) -> Proof:
    identity = Identity.of(key="RWT")
    return Proof(kind, identity, "D900E7558DAD3A86", file, DIGEST, "https://example.org/x", (), tag="v1.0")


def test_nothing_is_told_as_nobody_vouching() -> None:
    assert evidence_words.lines(Evidence(), NAME) == (
        "Nobody vouches for it: its digest was computed when the lock file was made, from what was downloaded then.",
    )
    assert evidence_words.vouched_by(Evidence()) == "nobody"


def test_what_only_a_host_says_is_vouched_for_by_nobody() -> None:
    evidence = Evidence((LISTED,), (proof(),))
    [line] = evidence_words.lines(evidence, NAME, is_pinned=False)
    assert line.startswith("No lock file vouches for it")
    assert evidence_words.vouched_by(evidence, is_pinned=False) == "nobody"


def test_digest_alone_is_said_to_be_unsigned() -> None:
    assert evidence_words.lines(Evidence((LISTED, SUMS, FOREIGN)), NAME) == (
        "The publisher's release listing states its SHA-256; nobody signed that.",
        "The publisher's file https://example.org/SHA512SUMS states its SHA-512; nobody signed that.",
        "mise.lock, the lock file of another tool, has the same SHA-256.",
    )
    assert evidence_words.vouched_by(Evidence((LISTED,))) == "digest by its publisher, unsigned"


def test_lock_file_of_another_tool_is_no_publisher() -> None:
    assert evidence_words.vouched_by(Evidence((FOREIGN,))) == "another tool's lock file"


def test_signature_of_the_asset_comes_first_and_names_its_signer() -> None:
    first, second = evidence_words.lines(Evidence((LISTED,), (proof(),)), NAME)
    assert first == ("The holder of the minisign key D900E7558DAD3A86 signed it; verified when the lock file was made.")
    assert second == "The publisher's release listing states its SHA-256."


def test_signature_of_a_sums_file_is_not_said_to_be_of_the_asset() -> None:
    [line] = evidence_words.lines(Evidence((), (proof(file="SHA256SUMS"),)), NAME)
    assert "signed SHA256SUMS, which states its digest" in line


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_proof_has_words_of_its_own(kind: str) -> None:
    [line] = evidence_words.lines(Evidence((), (proof(kind),)), NAME)
    assert "D900E7558DAD3A86" in line
    assert f"({kind})" not in line
    assert evidence_words.vouched_by(Evidence((), (proof(kind),))) == kind
