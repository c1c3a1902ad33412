# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures that somebody made up are refused in words and soon, or say no more than the real ones."""

from __future__ import annotations

import base64
import copy
import json
import time

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import (
    TrustRoots,
    public_good,
    shapes,
    verify_each,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import signed_by_others
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    DIGESTS,
    SIGNED_AT,
    WORKFLOW,
    LittleSigstore,
    as_api_answer,
    as_cosign,
    as_pep740,
    key,
    public_pem,
    signed_envelope,
    statement,
)
from hypothesis import given, settings
from hypothesis import strategies as st

OURS = LittleSigstore()
ROOTS = TrustRoots.of(OURS.trusted_root())
DOCUMENTS = [
    OURS.signed_file(),
    as_cosign(OURS.signed_file()),
    as_pep740(OURS.signed_statement()),
    OURS.signed_statement(kind="intoto 0.0.2"),
    OURS.signed_statement(kind="hashedrekord 0.0.2"),
    signed_envelope(statement()),
    {"attestations": [{"bundle": OURS.signed_statement()}]},
]
#: What strangers put where something else is expected.
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.binary(max_size=40).map(lambda content: base64.b64encode(content).decode()),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just({"": {}}),
)


def outcome(content, roots=ROOTS, digests=DIGESTS, **named):
    """Return what is certified, or None if that is refused in words."""
    began, refusal, found = time.process_time(), "", None
    try:
        found = verify_each(content, roots, digests, **named)
    except ReleaseError as error:
        refusal = str(error)
    assert refusal.replace("\n", "").isprintable()
    assert len(refusal) < 3000
    assert time.process_time() - began < 20
    return found


def places(document, way=()):
    """Yield the way to every value in *document*."""
    if way:
        yield way
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, inner in pairs:
        yield from places(inner, (*way, step))


@st.composite
def changed_documents(draw):
    """Return a signature and the same with one value replaced, removed, or changed by a bit."""
    document = draw(st.sampled_from(DOCUMENTS))
    *steps, last = draw(st.sampled_from(list(places(document))))
    changed = copy.deepcopy(document)
    place = changed
    for step in steps:
        place = place[step]
    how = draw(st.sampled_from(["replace", "remove", "bit"]))
    if how == "remove":
        del place[last]
    elif how == "bit" and isinstance(place[last], str) and place[last]:
        content = bytearray(place[last].encode())
        content[draw(st.integers(0, 5000)) % len(content)] ^= 1 << draw(st.integers(0, 6))
        place[last] = content.decode("utf-8", errors="replace")
    else:
        place[last] = draw(STRANGE)
    return document, changed


@given(changed_documents())
@settings(max_examples=400)
def test_a_changed_signature_is_refused_or_says_what_it_said_before(both):
    before, after = (outcome(json.dumps(document).encode(), key=public_pem(key("signer"))) for document in both)
    for found in after or ():
        assert found.subjects == before[0].subjects
        assert found.san in ("", before[0].san)
        assert found.statement == before[0].statement


@given(st.integers(0, 5000), st.integers(0, 7))
@settings(max_examples=100)
def test_a_looked_up_entry_that_was_changed_is_refused_or_proves_the_same(place, bit):
    answer = bytearray(as_api_answer(OURS.signed_statement()["verificationMaterial"]["tlogEntries"][0]))
    answer[place % len(answer)] ^= 1 << bit
    for found in outcome(json.dumps(signed_envelope(statement())).encode(), log_entry=bytes(answer)) or ():
        assert (found.san, found.signed_at) == (WORKFLOW, SIGNED_AT)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused(content):
    assert outcome(content) is None
    assert outcome(b"{" + content) is None
    assert outcome(json.dumps(DOCUMENTS[0]).encode(), key=content or b"x") is None or content == b""


@given(st.integers(0, 5000), st.integers(0, 7), st.sampled_from([0, 3]))
@settings(max_examples=300)
def test_a_certificate_with_any_bit_changed_is_refused(place, bit, which):
    document = copy.deepcopy(DOCUMENTS[which])
    certificate = document["verificationMaterial"]["certificate"]
    content = bytearray(base64.b64decode(certificate["rawBytes"]))
    content[place % len(content)] ^= 1 << bit
    certificate["rawBytes"] = base64.b64encode(content).decode()
    assert outcome(json.dumps(document).encode()) is None


@pytest.mark.skipif(not signed_by_others.DATA.is_dir(), reason=signed_by_others.ABSENT)
@given(st.integers(0, 5000), st.integers(0, 7))
@settings(max_examples=200)
def test_a_timestamp_with_any_bit_changed_says_nothing_else(place, bit):
    case = next(signed_by_others.github_release())
    roots = TrustRoots.of(signed_by_others.trusted_root("trusted_root_github"))
    document = json.loads(case.content)
    [timestamp] = document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    content = bytearray(base64.b64decode(timestamp["signedTimestamp"]))
    content[place % len(content)] ^= 1 << bit
    timestamp["signedTimestamp"] = base64.b64encode(content).decode()
    for found in outcome(json.dumps(document).encode(), roots, case.digests) or ():
        assert found.signed_at.isoformat() == "2026-07-02T21:31:05+00:00"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n" * 1000,
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"[" * 500 + b"]" * 500,
        b'{"attestations":' * 400 + b"[]" + b"}" * 400,
        b'{"bundle":' * 900 + b"{}" + b"}" * 900,
        b"{}\n" * 300,
        json.dumps([DOCUMENTS[0]] * (shapes.MOST_BUNDLES + 1)).encode(),
        json.dumps([[DOCUMENTS[0]] * shapes.MOST_BUNDLES] * 2).encode(),
        b" " * (shapes.LIMIT_BYTES + 1),
        json.dumps({**DOCUMENTS[0], "mediaType": "\ud800"}).encode(),
        json.dumps({"payloadType": "x", "payload": "", "signatures": [{"sig": ""}], "x": "\ud800"}).encode(),
        json.dumps(DOCUMENTS[0]).replace('"7"', "7" * 5000).encode(),
        json.dumps(DOCUMENTS[0]).replace('"7"', "1e400").encode(),
    ],
    ids=range(17),
)
def test_documents_made_to_exhaust_a_reader_are_refused(content):
    assert outcome(content) is None
    with pytest.raises(ReleaseError):
        shapes.read_log_entries(content + b"x")


@pytest.mark.parametrize("digests", [{}, {"md5": "0" * 32}, {"sha1": "0" * 40}, {"sha256": "x" * 64}, {"sha256": "-"}])
def test_a_digest_that_says_nothing_is_refused(digests):
    with pytest.raises(ReleaseError, match="no digest says which file"):
        verify_each(json.dumps(DOCUMENTS[0]).encode(), ROOTS, digests)


def test_a_weak_digest_in_a_statement_says_nothing():
    signed = OURS.signed_statement(statement(name="tool", digest={"sha1": "ab" * 20, "md5": "ab" * 16}))
    with pytest.raises(ReleaseError, match="about other files"):
        verify_each(json.dumps(signed).encode(), ROOTS, {**DIGESTS, "sha1": "ab" * 20})


def test_a_statement_that_contradicts_one_of_the_digests_is_not_about_the_file():
    digest = {"sha256": DIGESTS["sha256"], "sha512": "0" * 128}
    with pytest.raises(ReleaseError, match="about other files"):
        verify_each(json.dumps(OURS.signed_statement(statement(name="tool", digest=digest))).encode(), ROOTS, DIGESTS)


def test_no_public_key_of_the_public_good_root_makes_ours_believed():
    assert outcome(json.dumps(DOCUMENTS[0]).encode(), TrustRoots.of(public_good())) is None
