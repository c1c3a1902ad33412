# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What publishers state of assets before their bytes are here: all of it is collected, and all of it must agree."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Stated, claims
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release

A, B = "a" * 64, "b" * 64
MD5, SHA1, SHA512 = "d" * 32, "e" * 40, "c" * 128


def asset(name, **digests):
    return Asset(name, f"https://example.org/{name}", digests=digests)


def collected(tool, *others, **contents):
    """Return what is stated of *tool* in a release with files of these *contents*, by name with _ for a dot."""
    files = {name.replace("_", "."): text for name, text in contents.items()}
    published = Release("1.0", (tool, *others, *map(asset, files)))
    return claims.collect(tool, published, lambda file: files[file.name].encode())


def test_all_kinds_of_claims_are_collected_each_with_its_origin():
    found = collected(asset("tool", sha256=A.upper(), md5=MD5), tool_sha256=A, SHA512SUMS=f"{SHA512}  tool")
    assert set(found.claims) == {
        Claim("sha256", A, "listing"),
        Claim("sha256", A, "https://example.org/tool.sha256"),
        Claim("sha512", SHA512, "https://example.org/SHA512SUMS"),
    }
    assert claims.agreed_digests("tool", found.claims) == {"sha256": A, "sha512": SHA512}


@pytest.mark.parametrize(("listed", "beside", "in_sums"), [(A, A, B), (A, B, A), (B, A, A)])
def test_one_statement_that_disagrees_is_refused_whoever_makes_it(listed, beside, in_sums):
    with pytest.raises(ReleaseError, match="contradicts itself about tool") as failure:
        collected(asset("tool", sha256=listed), tool_sha256=beside, SHA256SUMS=f"{in_sums}  tool")
    assert {A in failure.value.expected, B in failure.value.expected} == {True, False}
    assert {A in failure.value.found, B in failure.value.found} == {True, False}


def test_sums_files_that_disagree_are_refused_with_both():
    with pytest.raises(ReleaseError, match="contradicts itself about tool") as failure:
        collected(asset("tool"), SHA256SUMS=f"{A}  tool", checksums_txt=f"{B}  tool")
    assert failure.value.expected == f"sha256 {A} (from https://example.org/SHA256SUMS)"
    assert failure.value.found == f"sha256 {B} (from https://example.org/checksums.txt)"


def test_upper_case_is_no_disagreement():
    assert len(collected(asset("tool", sha256=A), SHA256SUMS=f"{A.upper()}  tool").claims) == 2


@pytest.mark.parametrize("weak", [{"sha1": SHA1}, {"md5": MD5, "sha1": SHA1}])
def test_a_listing_with_weak_digests_only_is_a_gap(weak):
    [gap] = collected(asset("tool", **weak)).gaps
    assert gap == f"the listing has only its {' and '.join(sorted(weak))}, which can be forged"


def test_a_listing_with_digests_of_others_only_is_a_gap():
    found = collected(asset("tool"), asset("other", sha256=A))
    assert found == Stated((), ("the listing has digests of other assets, and none of it",))


def test_gaps_of_one_kind_do_not_hide_the_claims_of_another():
    found = collected(asset("tool", sha256=A), SHA256SUMS=f"{A}  other")
    assert [claim.origin for claim in found.claims] == ["listing"]
    assert found.gaps == ('SHA256SUMS does not name it, but "other"',)


def test_a_publisher_who_states_nothing_leaves_neither_claims_nor_gaps():
    assert collected(asset("tool"), asset("other")) == Stated()


def test_a_new_kind_is_one_line_in_the_table(monkeypatch):
    """A toy: a publisher who writes the digest into the name, as tool-SHA256."""

    def in_the_name(asset, release, fetch):
        return Stated((Claim("sha256", asset.name.rpartition("-")[2], "name"),))

    monkeypatch.setattr(claims, "KINDS", {**claims.KINDS, "name": in_the_name})
    assert collected(asset(f"tool-{A}")).claims == (Claim("sha256", A, "name"),)
    with pytest.raises(ReleaseError, match="contradicts itself"):
        collected(asset(f"tool-{A}", sha256=B))
