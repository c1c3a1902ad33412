# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is verified about bytes that are here: which signature is about them, and what is demanded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Held, Kind, Proven, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signer
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey

KEY, OTHER = SigningKey("publisher"), SigningKey("somebody")
PINNED = {"minisign": (Identity.of(key=KEY.public),)}
CONTENT = b"the bytes of a program"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SUMS = f"{SHA256}  tool-1.0\n".encode()


class Publisher:
    """A release of one asset and of other files, whose bytes a test names."""

    def __init__(self, folder: Path, content: bytes = CONTENT, **files: bytes) -> None:
        self.path = folder / "tool-1.0"
        self.path.write_bytes(content)
        self.files = {name.replace("__", "."): content for name, content in files.items()}
        self.read: list[str] = []

    def prove(self, pinned=None) -> tuple[Proof, ...]:
        return tuple(one.proof for one in self.proven(pinned))

    def proven(self, pinned=None) -> tuple[Proven, ...]:
        pinned = PINNED if pinned is None else pinned
        assets = tuple(Asset(name, f"https://example.org/{name}") for name in ("tool-1.0", *self.files))
        release = Release("1.0", assets)
        content = self.path.read_bytes()
        digests = {"sha256": hashlib.sha256(content).hexdigest(), "sha512": hashlib.sha512(content).hexdigest()}
        return proofs.collect(Held(assets[0], release, self.path, digests), pinned, self._fetch)

    def refused(self, pinned=None) -> ReleaseError:
        with pytest.raises(ReleaseError) as caught:
            self.prove(pinned)
        assert caught.value.expected
        assert caught.value.found
        assert caught.value.fix
        return caught.value

    def _fetch(self, asset: Asset) -> bytes:
        self.read.append(asset.name)
        return self.files[asset.name]


@pytest.fixture
def publisher(tmp_path):
    """Return what makes a publisher of files by name; __ in a name stands for a dot."""
    return lambda content=CONTENT, **files: Publisher(
        tmp_path, content, **{name.replace("tool", "tool-1__0"): made for name, made in files.items()}
    )


def test_a_signature_beside_the_asset_proves_its_bytes(publisher):
    signature = KEY.sign(CONTENT, b"built by hand")
    assert publisher(tool__minisig=signature).prove() == (
        Proof(
            kind="minisign",
            identity=Identity.of(key=KEY.public),
            signer=KEY.key_id[::-1].hex().upper(),
            file="tool-1.0",
            sha256=SHA256,
            origin="https://example.org/tool-1.0.minisig",
            kept=(("signature", hashlib.sha256(signature).hexdigest()),),
            statement="built by hand",
        ),
    )


@pytest.mark.parametrize("name", ["SHA256SUMS", "checksums__txt", "tool__sha256"])
def test_a_signature_beside_a_sums_file_proves_that_file_whose_claim_covers_the_asset(publisher, name):
    [proof] = publisher(**{name: SUMS, f"{name}__minisig": KEY.sign(SUMS)}).prove()
    assert proof.file == name.replace("__", ".").replace("tool", "tool-1.0")
    assert proof.sha256 == hashlib.sha256(SUMS).hexdigest()
    assert proof.origin == f"https://example.org/{proof.file}.minisig"


def test_a_signature_of_its_own_counts_before_that_of_a_sums_file(publisher):
    made = publisher(tool__minisig=KEY.sign(CONTENT), SHA256SUMS=SUMS, SHA256SUMS__minisig=KEY.sign(SUMS))
    assert [proof.file for proof in made.prove()] == ["tool-1.0"]
    assert made.read == ["tool-1.0.minisig"]


def test_a_bad_signature_of_its_own_is_not_made_good_by_that_of_a_sums_file(publisher):
    made = publisher(tool__minisig=KEY.sign(b"other"), SHA256SUMS=SUMS, SHA256SUMS__minisig=KEY.sign(SUMS))
    assert "other bytes" in made.refused().what


def test_every_signed_sums_file_is_verified(publisher):
    sha512 = f"{hashlib.sha512(CONTENT).hexdigest()}  tool-1.0\n".encode()
    files = {"SHA256SUMS": SUMS, "SHA256SUMS__minisig": KEY.sign(SUMS), "SHA512SUMS": sha512}
    both = publisher(**files, SHA512SUMS__minisig=KEY.sign(sha512)).prove()
    assert [proof.file for proof in both] == ["SHA256SUMS", "SHA512SUMS"]
    assert "another key" in publisher(**files, SHA512SUMS__minisig=OTHER.sign(sha512)).refused().what
    assert [proof.file for proof in publisher(**files).prove()] == ["SHA256SUMS"]


def test_a_signed_sums_file_of_other_bytes_is_refused(publisher):
    wrong = f"{'0' * 64}  tool-1.0\n".encode()
    error = publisher(SHA256SUMS=wrong, SHA256SUMS__minisig=KEY.sign(wrong)).refused()
    assert error.what == "tool-1.0 is not the file that SHA256SUMS, which is signed, means"
    assert (error.expected, error.found) == (f"sha256 {'0' * 64}", f"sha256 {SHA256}")


def test_a_sums_file_that_was_changed_after_it_was_signed_is_refused(publisher):
    error = publisher(SHA256SUMS=SUMS + b"\n", SHA256SUMS__minisig=KEY.sign(SUMS)).refused()
    assert error.what == "tool-1.0: SHA256SUMS.minisig is a signature of other bytes than those of SHA256SUMS"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, "neither, and no sums file"),
        ({"SHA256SUMS": SUMS}, "SHA256SUMS without a signature"),
        ({"other__minisig": KEY.sign(CONTENT)}, "neither, and no sums file"),
        ({"SHA256SUMS": b"", "SHA256SUMS__minisig": KEY.sign(b"")}, "SHA256SUMS, which is signed and does not name it"),
        ({"other": b"", "other__sha256": SUMS, "other__sha256__minisig": KEY.sign(SUMS)}, "neither, and no sums file"),
        ({"MD5SUMS": SUMS, "MD5SUMS__minisig": KEY.sign(SUMS)}, "neither, and no sums file"),
    ],
)
def test_a_missing_signature_is_refused_with_what_there_is(publisher, files, found):
    error = publisher(**files).refused()
    assert error.what == "tool-1.0 has no minisign signature, and the manifest demands one"
    assert error.expected.startswith("tool-1.0.minisig, or such a signature of a sums file that names it, by RW")
    assert error.found == found
    assert "take verify.minisign out of the manifest" in error.fix


def test_a_signature_that_nobody_asked_for_proves_nothing_and_is_not_read(publisher):
    made = publisher(tool__minisig=OTHER.sign(b"whatever"))
    assert made.prove({}) == ()
    assert made.read == []


def test_a_signature_that_is_listed_and_cannot_be_read_is_an_error(publisher):
    made = publisher(tool__minisig=b"")

    def fail(asset):
        raise ReleaseError(f"{asset.url} answered 404")

    made._fetch = fail
    with pytest.raises(ReleaseError, match="answered 404"):
        made.prove()


def test_bytes_that_are_gone_from_the_cache_are_a_clear_error(publisher):
    made = publisher(tool__minisig=KEY.sign(CONTENT))
    gone = Held(
        Asset("tool-1.0", ""), Release("1.0", (Asset("tool-1.0.minisig", ""),)), made.path / "gone", {"sha256": ""}
    )
    with pytest.raises(ReleaseError, match="could not be read from the cache"):
        proofs.collect(gone, PINNED, made._fetch)


# Successors.


def test_the_signature_of_a_successor_counts_as_that_of_the_first_key(publisher):
    pinned = {"minisign": (Identity.of(key=OTHER.public), Identity.of(key=KEY.public))}
    [proof] = publisher(tool__minisig=KEY.sign(CONTENT)).prove(pinned)
    assert proof.identity == Identity.of(key=KEY.public)


def test_a_signature_by_neither_is_refused_with_what_is_wrong_for_each(publisher):
    pinned = {"minisign": (Identity.of(key=OTHER.public), Identity.of(key=KEY.public))}
    made = publisher(tool__minisig=SigningKey("stranger").sign(CONTENT))
    assert made.refused(pinned).found.count("another key") == 1
    assert "for its successors" in made.refused(pinned).found


# What is kept.


def test_all_that_a_proof_was_made_of_is_kept_under_its_digest(publisher):
    signature = KEY.sign(SUMS)
    [proven] = publisher(SHA256SUMS=SUMS, SHA256SUMS__minisig=signature).proven()
    assert proven.parts == {"signature": signature, "sums": SUMS}
    assert [proven.contents()[sha256] for _part, sha256 in proven.proof.kept] == [signature, SUMS]


# The table.

PLEASE = Identity.of(word="please")


def kind_of(prove):
    return Kind(("word",), lambda identity: None, prove, lambda signed, identity, parts: Signer("anybody"))


def test_a_new_kind_is_one_line_in_the_table(publisher, monkeypatch):
    """A toy: a publisher whose releases are proven by a word in a file of their own."""

    def prove(held, identity, fetch):
        file = held.release.file(f"{held.asset.name}.word")
        if file is None or fetch(file).decode() != identity["word"]:
            raise ReleaseError(f"{held.asset.name} is without the word")
        proof = Proof("word", identity, "anybody", held.asset.name, held.digests["sha256"], file.url, ())
        return (Proven(proof, {}),)

    monkeypatch.setattr(proofs, "KINDS", {**proofs.KINDS, "word": kind_of(prove)})
    pinned = {**PINNED, "word": (PLEASE,)}
    made = publisher(tool__minisig=KEY.sign(CONTENT), tool__word=b"please")
    assert [proof.kind for proof in made.prove(pinned)] == ["minisign", "word"]
    with pytest.raises(ReleaseError, match="without the word"):
        made.prove({"word": (Identity.of(word="now"),)})


BY_ANOTHER = Proof("word", Identity.of(word="another identity"), "", "tool-1.0", SHA256, "", ())


@pytest.mark.parametrize("made", [(), (Proven(BY_ANOTHER, {}),)])
def test_a_kind_that_returns_no_proof_by_what_is_pinned_has_none(publisher, monkeypatch, made):
    monkeypatch.setattr(proofs, "KINDS", {"word": kind_of(lambda held, identity, fetch: made)})
    with pytest.raises(ReleaseError, match=r"tool-1\.0 has no proof of the kind word") as caught:
        publisher().prove({"word": (PLEASE,)})
    assert caught.value.expected == "one by please"
