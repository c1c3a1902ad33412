# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifests of build tools state digests as sums files do, and must agree with them."""

from __future__ import annotations

import json

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Stated, build_manifests, claims
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from hypothesis import given
from hypothesis import strategies as st

A, B, SHA512 = "a" * 64, "b" * 64, "c" * 128
NAME = "tool-x86_64-unknown-linux-musl.tar.gz"


def cargo_dist(**digests: str) -> object:
    """Return a manifest of cargo-dist, in its form of 2026, with the *digests* of one artifact."""
    artifact = {"name": NAME, "kind": "executable-zip", "target_triples": ["x86_64-unknown-linux-musl"]}
    return {
        "dist_version": "0.30.0",
        "announcement_tag": "v1.0",
        "artifacts": {NAME: {**artifact, "checksums": digests}, "source.tar.gz": {"kind": "source-tarball"}},
    }


def goreleaser(checksum: str, name: str = NAME) -> object:
    """Return the list that GoReleaser writes."""
    return [
        {"name": "metadata.json", "path": "dist/metadata.json", "type": "Metadata"},
        {"name": name, "path": f"dist/{name}", "goos": "linux", "type": "Archive", "extra": {"Checksum": checksum}},
    ]


def stated(document: object, name: str, sums: str | None = None) -> Stated:
    """Return what is stated of the asset in a release with a manifest of that *name*, and *sums* if given."""
    files = {name: json.dumps(document), **({"SHA256SUMS": sums} if sums else {})}
    assets = tuple(Asset(one, f"https://example.org/{one}") for one in (NAME, *files))
    return claims.collect(assets[0], Release("1.0", assets), lambda file: files[file.name].encode())


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (cargo_dist(sha256=A), "dist-manifest.json"),
        (cargo_dist(SHA256=A.upper(), md5="d" * 32), "dist-manifest.json"),
        (goreleaser(f"sha256:{A}"), "artifacts.json"),
    ],
)
def test_the_digest_of_a_manifest_is_a_claim(document: object, name: str) -> None:
    assert stated(document, name).claims == (Claim("sha256", A, f"https://example.org/{name}"),)


def test_a_strong_digest_of_another_algorithm_counts_as_well() -> None:
    assert stated(cargo_dist(sha512=SHA512), "dist-manifest.json").claims[0].algorithm == "sha512"


def test_a_manifest_that_disagrees_with_a_sums_file_is_refused() -> None:
    with pytest.raises(ReleaseError, match="contradicts itself about"):
        stated(cargo_dist(sha256=A), "dist-manifest.json", f"{B}  {NAME}\n")


@pytest.mark.parametrize("checksum", ["md5:" + "d" * 32, "crc32:cbf43926", "sha256:abc", "blake3:" + A, "", A])
def test_a_weak_or_unknown_digest_is_no_claim_and_no_gap(checksum: str) -> None:
    assert stated(goreleaser(checksum), "artifacts.json") == Stated()


def test_a_manifest_with_digests_of_others_only_is_a_gap() -> None:
    assert stated(goreleaser(f"sha256:{A}", "other.zip"), "artifacts.json").gaps == (
        "artifacts.json states no digest of it",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([NAME, A, "sha256", f"sha256:{A}", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["artifacts", NAME, "checksums", "sha256", "name", "extra", "Checksum"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON | st.binary(max_size=50))
def test_any_other_file_of_that_name_is_passed_over(document: object) -> None:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    assets = (Asset(NAME, "https://example.org/a"), Asset("dist-manifest.json", "https://example.org/b"))
    found = build_manifests.stated(assets[0], Release("1.0", assets), lambda file: content)
    assert all(claim.value == A for claim in found.claims)
