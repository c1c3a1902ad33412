# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trust roots: what of them is read, which one is taken, and until when it is good."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import datetime, timezone

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import (
    TrustRoots,
    public_good,
    roots,
    second_opinion,
    verify,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import signed_by_others
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    ACTIONS,
    DIGESTS,
    LittleSigstore,
)

OURS, OTHERS = LittleSigstore(), LittleSigstore("other")


def test_the_public_good_root_comes_with_the_package():
    [root] = TrustRoots.of(public_good()).roots
    assert root.sha256 == hashlib.sha256(public_good()).hexdigest()
    assert {authority.anchor_name for authority in root.authorities} == {"CN=sigstore,O=sigstore.dev"}
    assert (len(root.logs) >= 2, len(root.ct_logs) >= 2) == (True, True)
    assert root.good_until > datetime(2031, 1, 1, tzinfo=timezone.utc)


def test_finding_it_does_not_import_the_package(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "sigstore"]:
        monkeypatch.delitem(sys.modules, name)
    assert public_good()
    assert "sigstore" not in sys.modules


def test_a_controller_without_the_package_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(roots.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ReleaseError) as caught:
        public_good()
    assert "pip install sigstore" in caught.value.fix
    assert "trust_root" in caught.value.fix


def test_sigstore_python_takes_the_public_good_root_and_ours():
    for content in (public_good(), OURS.trusted_root()):
        assert second_opinion._verifier(TrustRoots.of(content).roots[0]) is not None


@pytest.mark.skipif(not signed_by_others.DATA.is_dir(), reason=signed_by_others.ABSENT)
def test_githubs_root_is_good_as_long_as_its_newest_authority():
    public, github = TrustRoots.of(
        signed_by_others.trusted_root("trusted_root"), signed_by_others.trusted_root("trusted_root_github")
    ).roots
    assert {authority.anchor_name for authority in github.authorities} == {r"CN=Internal Services Root,O=GitHub\, Inc."}
    assert (len(github.authorities), github.logs, github.ct_logs) == (6, (), ())
    assert github.good_until.date().isoformat() == "2027-06-12"
    assert public.good_until.date().isoformat() == "2031-10-05"


def test_roots_one_a_line_are_read_as_gh_prints_them():
    printed = OURS.trusted_root() + b"\n" + OTHERS.trusted_root() + b"\n"
    assert [root.sha256 for root in TrustRoots.of(printed).roots] == [
        hashlib.sha256(services.trusted_root()).hexdigest() for services in (OURS, OTHERS)
    ]


def test_the_same_root_twice_is_one():
    assert len(TrustRoots.of(OURS.trusted_root(), OURS.trusted_root()).roots) == 1


@pytest.mark.parametrize("order", [(OURS, OTHERS), (OTHERS, OURS)])
def test_the_root_is_taken_that_issued_the_certificate(order):
    """Both authorities have one name: their keys tell them apart."""
    trusted = TrustRoots.of(*(services.trusted_root() for services in order))
    for services in order:
        found = verify(json.dumps(services.signed_file()).encode(), trusted, DIGESTS)
        assert found.root_sha256 == hashlib.sha256(services.trusted_root()).hexdigest()
        assert found.issuer == ACTIONS


def test_an_older_root_beside_a_newer_one_of_the_same_authority_is_no_obstacle():
    older = OURS.trusted_root(tlogs=json.loads(OTHERS.trusted_root())["tlogs"])
    found = verify(json.dumps(OURS.signed_file()).encode(), TrustRoots.of(older, OURS.trusted_root()), DIGESTS)
    assert found.root_sha256 == hashlib.sha256(OURS.trusted_root()).hexdigest()


def test_a_log_with_a_kind_of_key_that_is_not_known_does_not_make_the_others_useless():
    document = json.loads(OURS.trusted_root())
    ed448 = "MEMwBQYDK2VxAzoAX9dEm1m0Yf0s54fsYWrUah2hNCSFpw4fig6nXYDpZ3jt8SR2m0bHBhvWeD3x5Q9s0foavq/oJWGA"
    newer = {**document["tlogs"][0], "publicKey": {**document["tlogs"][0]["publicKey"], "rawBytes": ed448}}
    content = OURS.trusted_root(tlogs=[newer, *document["tlogs"]])
    [root] = TrustRoots.of(content).roots
    assert len(root.logs) == 1
    assert verify(json.dumps(OURS.signed_file()).encode(), TrustRoots.of(content), DIGESTS)


def without(*way):
    document = json.loads(OURS.trusted_root())
    *steps, last = way
    place = document
    for step in steps:
        place = place[step]
    del place[last]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"{}", "mediaType"),
        (b"[]", "a mapping"),
        (b"{" * 100_000, "not JSON"),
        (b"x" * (roots.LIMIT_BYTES + 1), "too large"),
        (OURS.trusted_root(mediaType="application/json"), "trustedroot"),
        (OURS.trusted_root(certificateAuthorities=[]), "at least one certificate authority"),
        (OURS.trusted_root(certificateAuthorities="all"), "a list"),
        (OURS.trusted_root(tlogs=[1]), "a mapping"),
        (without("tlogs", 0, "publicKey", "validFor", "start"), "the key start"),
        (without("certificateAuthorities", 0, "validFor"), "the key validFor"),
        (without("certificateAuthorities", 0, "certChain", "certificates", 0, "rawBytes"), "the key rawBytes"),
    ],
)
def test_what_is_no_trust_root_is_refused(content, said):
    with pytest.raises(ReleaseError) as caught:
        TrustRoots.of(content)
    assert said in str(caught.value)
