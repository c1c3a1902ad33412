# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an asset's bytes are believed on, from manifest to lock: what publishers state, and what they sign."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Mapping
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Kind, Proven, claims, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signer
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import members
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    GNU,
    STATIC,
    Controller,
    Publisher,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAME = "tool-1.0-linux-x86_64"
SHA256 = hashlib.sha256(STATIC).hexdigest()
SHA512 = hashlib.sha512(STATIC).hexdigest()
MD5, SHA1 = "d" * 32, "e" * 40
KEY, OTHER = SigningKey("publisher"), SigningKey("somebody")
SIGNED = f", verify: {{minisign: {KEY.public}}}"
BOTH = "linux/x86_64, linux/aarch64"


def sums(content: bytes = STATIC, name: str = NAME) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()


def only(lock: LockFile) -> LockedAsset:
    [asset] = lock.tools["tool"].assets
    return asset


def refused(controller: Controller, **how) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        controller.resolve(**how)
    error = caught.value
    assert error.what.startswith("tool")
    assert all((error.expected, error.found, error.fix)), error
    return error


# Claims.


def test_a_lock_records_what_the_publisher_states(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    asset = only(controller.resolve().lock)
    assert asset.evidence == Evidence((Claim("sha256", SHA256, "listing"),))
    assert controller.told == ["tool 1.0: 1 asset, 1 kB, as published, from the publisher"]


def test_a_publisher_who_offers_no_digest_at_all_is_said_to(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, "tool-1.0-linux-arm64": ARM, "README.md": b"read me"})
    lock = controller.resolve(platforms=BOTH).lock
    assert {asset.evidence for asset in lock.tools["tool"].assets} == {Evidence()}
    assert "2 assets, 1 kB, whose publisher offers no digest: pinned as downloaded" in controller.told[-1]


UNCOVERED = [
    ({"SHA256SUMS": sums(name="tool-1.0-linux-x86_64.tar.gz")}, "does not name it"),
    ({"SHA256SUMS": sums(name="tool-0.9-linux-x86_64")}, 'but "tool-0.9-linux-x86_64"'),
    ({"SHA256SUMS": f"{MD5}  {NAME}\n{SHA1}  {NAME}\n".encode()}, "has no SHA-256"),
    ({"MD5SUMS": f"{MD5}  {NAME}\n".encode()}, "MD5SUMS is for another algorithm"),
    ({f"{NAME}.md5": MD5.encode()}, ".md5 is for another algorithm"),
    ({f"{NAME}.sha1": SHA1.encode()}, ".sha1 is for another algorithm"),
    ({"SHA256SUMS": b"<!DOCTYPE html><title>Not found</title>"}, "is a web page"),
    ({"SHA256SUMS": sums(name=f"linux/{NAME}") + sums(GNU, name=f"other/{NAME}")}, "in different folders"),
    ({"tool-1.0-linux-arm64": ARM, "tool-1.0-linux-arm64.sha256": sums(ARM)}, "is about another asset"),
    ({"SHA256SUMS": f"{NAME}  {SHA256} {SHA256[::-1]}\n".encode()}, "has no SHA-256"),
    ({"SHA256SUMS": f"{SHA256} {SHA512}  {NAME}\n".encode()}, "has no SHA-256"),
    ({"SHA256SUMS": f"{SHA256[:-1]}  {NAME}\n".encode()}, "has no SHA-256"),
    ({"SHA256SUMS": sums()[:-5]}, "does not name it"),
    ({"SHA256SUMS": sums()[:40]}, "has no SHA-256"),
    ({"SHA256SUMS": b""}, "has no SHA-256"),
    ({"SHA256SUMS": sums().decode().encode("utf-16-le")}, "has no SHA-256"),
    ({"checksums.json": b"{}"}, "in a format that is not read"),
]


@pytest.mark.parametrize(("files", "reason"), UNCOVERED)
def test_digests_that_do_not_cover_the_asset_are_an_error_with_the_line_that_accepts_it(
    publisher: Publisher, controller: Controller, files: Mapping[str, bytes], reason: str
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, **files})
    error = refused(controller)
    assert error.what == f"tool 1.0: its publisher offers digests, but none of {NAME}"
    assert reason in error.found
    line = 'accept: {without_digest: ["tool-{version}-linux-x86_64"]}'
    assert error.fix.endswith(f"write into tools.tool: {line}")

    asset = only(controller.resolve(more=f", {line}").lock)
    assert asset.evidence == Evidence()
    assert "1 asset, 1 kB, 1 of them without a digest, as the manifest accepts" in controller.told[-1]


COVERED = [
    {"SHA256SUMS": sums()},
    {"SHA256SUMS": sums().upper().replace(NAME.upper().encode(), NAME.encode())},
    {"SHA256SUMS": sums(name=f"./dist/{NAME}")},
    {"SHA256SUMS": sums(name=f"dist\\{NAME}")},
    {"SHA256SUMS": f"SHA256 ({NAME}) = {SHA256}\n".encode()},
    {"checksums-bsd": f"SHA256 ({NAME}) = {SHA256}\nMD5 ({NAME}) = {MD5}\n".encode()},
    {"SHA256SUMS": codecs.BOM_UTF8 + sums()},
    {"SHA256SUMS": sums().decode().encode("utf-16")},
    {"SHA256SUMS": sums().replace(b"\n", b"\r\n")},
    {f"{NAME}.sha256": SHA256.encode()},
    {f"{NAME}.sha256": sums(name="what it was called there")},
    {"SHA512SUMS": f"{SHA512}  {NAME}\n".encode()},
    {"MD5SUMS": f"{MD5}  {NAME}\n".encode(), "SHA256SUMS": sums()},
    {"SHA256SUMS": sums(name="other"), "checksums.txt": sums()},
]


@pytest.mark.parametrize("files", COVERED)
def test_digests_in_the_shapes_that_publishers_use_cover_the_asset(
    publisher: Publisher, controller: Controller, files: Mapping[str, bytes]
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, **files})
    [claim] = only(controller.resolve().lock).evidence.claims
    assert claim.value in (SHA256, SHA512)
    publisher.publish_files("1.0", {NAME: STATIC + b"evil", **files})
    assert "is not what it should be" in refused(controller).what


@pytest.mark.parametrize(
    "files",
    [
        {"SHA256SUMS": sums(), "checksums.txt": sums(GNU)},
        {"SHA256SUMS": sums() + sums(GNU)},
        {"SHA256SUMS": sums(), f"{NAME}.sha256": sums(GNU)},
    ],
)
def test_statements_that_disagree_are_refused_before_anything_is_downloaded(
    publisher: Publisher, controller: Controller, files: Mapping[str, bytes]
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, **files})
    (publisher.folder / NAME).unlink()
    with pytest.raises(ReleaseError, match="contradicts itself"):
        controller.resolve()


def test_a_sums_file_that_is_listed_and_not_there_is_an_error(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, "SHA256SUMS": b""})
    (publisher.folder / "SHA256SUMS").unlink()
    with pytest.raises(ReleaseError, match="SHA256SUMS could not be read"):
        controller.resolve()


def test_a_listing_with_digests_of_other_assets_does_not_cover_this_one(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64__gnu=GNU, linux__x86_64__musl=STATIC)
    [release] = publisher.releases()
    gnu, static = release.assets
    publisher.republish(replace(release, assets=(gnu, replace(static, digests={}))))
    error = refused(controller)
    assert error.what.endswith("none of tool-1.0-linux-x86_64-musl")
    assert error.found == "the listing has digests of other assets, and none of it"
    publisher.republish(replace(release, assets=(replace(gnu, digests={"sha1": SHA1}), static)))
    assert refused(controller).found == "the listing has only its sha1, which can be forged"


def test_all_assets_that_are_not_covered_are_told_at_once_before_anything_is_downloaded(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {NAME: b"", "tool-1.0-linux-arm64": b"", "SHA256SUMS": b""})
    (publisher.folder / NAME).unlink()
    error = refused(controller, platforms=BOTH)
    assert error.what.endswith(f"none of tool-1.0-linux-arm64, {NAME}")
    assert '["tool-{version}-linux-arm64", "tool-{version}-linux-x86_64"]' in error.fix


def test_what_is_accepted_is_only_what_is_named(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, "tool-1.0-linux-arm64": ARM, "SHA256SUMS": b""})
    accepted = ', accept: {without_digest: ["tool-{version}-linux-arm64"]}'
    assert refused(controller, platforms=BOTH, more=accepted).what.endswith(f"none of {NAME}")
    accepted = ', accept: {without_digest: ["tool-{version}-linux-*"]}'
    lock = controller.resolve(platforms=BOTH, more=accepted).lock
    assert lock.tools["tool"].without_digest == ("tool-{version}-linux-*",)
    assert lockfile.parse(lockfile.emit(lock)) == lock


def test_what_is_no_longer_accepted_is_asked_about_anew(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, "SHA256SUMS": b""})
    locked = controller.resolve(more=', accept: {without_digest: ["*"]}').lock
    assert "but none of" in refused(controller, locked=locked).what


def test_an_accepted_asset_is_compared_with_what_there_is_all_the_same(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC + b"evil", "SHA256SUMS": sums()})
    assert "is not what it should be" in refused(controller, more=', accept: {without_digest: ["*"]}').what


WORDS = [SHA256, SHA512, SHA256[::-1], MD5, NAME, "other", "dist/", "<html>"]
SIGNS = ["  ", " *", "\n", "\r\n", "SHA256 (", ") = "]
TEXTS = st.lists(st.sampled_from(WORDS + SIGNS), max_size=12).map("".join)


@given(TEXTS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_sums_file_says_the_bytes_have_what_is_recorded_or_nothing_is_locked(
    publisher: Publisher, controller: Controller, text: str
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, "SHA256SUMS": text.encode()})
    try:
        evidence = only(controller.resolve().lock).evidence
    except ReleaseError:
        return
    assert evidence.claims
    assert {claim.value for claim in evidence.claims} <= {SHA256, SHA512}


# Proofs.


def test_a_signature_by_the_pinned_key_is_recorded_apart_from_the_claims(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.minisig": KEY.sign(STATIC, b"built by hand")})
    lock = controller.resolve(more=SIGNED).lock
    [proof] = only(lock).evidence.proofs
    assert (proof.kind, str(proof.identity), proof.file, proof.sha256) == ("minisign", KEY.public, NAME, SHA256)
    assert proof.statement == "built by hand"
    assert only(lock).evidence.claims == ()
    assert lock.tools["tool"].verify == {"minisign": (Identity.of(key=KEY.public),)}
    assert lockfile.parse(lockfile.emit(lock)) == lock
    assert "whose publisher offers no digest: pinned as downloaded, verified by minisign" in controller.told[-1]


def test_a_signed_sums_file_is_recorded_as_what_was_signed(publisher: Publisher, controller: Controller) -> None:
    files = {NAME: STATIC, "SHA256SUMS": sums(), "SHA256SUMS.minisig": KEY.sign(sums())}
    publisher.publish_files("1.0", files)
    evidence = only(controller.resolve(more=SIGNED).lock).evidence
    assert [claim.origin.rpartition("/")[2] for claim in evidence.claims] == ["SHA256SUMS"]
    assert [proof.file for proof in evidence.proofs] == ["SHA256SUMS"]
    assert "as published, verified by minisign" in controller.told[-1]


def test_a_signature_without_a_pinned_key_is_recorded_nowhere(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.minisig": OTHER.sign(b"whatever")})
    lock = controller.resolve().lock
    assert only(lock).evidence == Evidence()
    assert "minisig" not in lockfile.emit(lock)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({}, f"{NAME} has no minisign signature, and the manifest demands one"),
        ({f"{NAME}.minisig": OTHER.sign(STATIC)}, f"{NAME} is signed with another key"),
        ({f"{NAME}.minisig": KEY.sign(STATIC + b"!")}, f"{NAME}.minisig is a signature of other bytes"),
        ({f"{NAME}.minisig": KEY.sign(STATIC, algorithm=b"XX")}, "an algorithm that is not known"),
        ({f"{NAME}.minisig": b"<html>"}, "is not a signature file of minisign"),
        ({f"{NAME}.minisig": SigningKey("x", KEY.key_id).sign(STATIC)}, "was not made by the key"),
        ({f"{NAME}.minisig": KEY.sign(STATIC, b"one").replace(b": one", b": two")}, "trusted comment"),
        ({f"{NAME}.minisig": KEY.sign(STATIC, b"file:tool-0.9-linux-x86_64")}, "of a file of another version"),
        ({"SHA256SUMS": sums(), "SHA256SUMS.minisig": KEY.sign(sums(GNU))}, "is a signature of other bytes"),
        ({"SHA256SUMS": sums(), "SHA512SUMS.minisig": KEY.sign(sums())}, "has no minisign signature"),
    ],
)
def test_what_is_pinned_is_demanded(
    publisher: Publisher, controller: Controller, files: Mapping[str, bytes], what: str
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, **files})
    error = refused(controller, more=SIGNED)
    assert error.what.startswith("tool: ")
    assert what in error.what
    assert NAME in str(error)


def test_every_asset_is_demanded_of(publisher: Publisher, controller: Controller) -> None:
    files = {NAME: STATIC, f"{NAME}.minisig": KEY.sign(STATIC), "tool-1.0-linux-arm64": ARM}
    publisher.publish_files("1.0", files)
    assert "tool-1.0-linux-arm64 has no minisign signature" in refused(controller, platforms=BOTH, more=SIGNED).what


def test_a_key_that_is_pinned_later_is_asked_of_what_is_locked(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC})
    locked = controller.resolve().lock
    assert "has no minisign signature" in refused(controller, locked=locked, more=SIGNED).what
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.minisig": KEY.sign(STATIC)})
    verified = controller.resolve(locked=locked, more=SIGNED)
    assert verified.outcomes["tool"].action == "relocked"
    assert verified.outcomes["tool"].notes == (f"is now verified by minisign: {KEY.public}",)
    asked = publisher.asked
    assert controller.resolve(locked=verified.lock, more=SIGNED).lock == verified.lock
    assert publisher.asked == asked


def test_another_pinned_key_is_asked_of_what_is_locked(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.minisig": KEY.sign(STATIC)})
    locked = controller.resolve(more=SIGNED).lock
    other = f", verify: {{minisign: {OTHER.public}}}"
    assert "is signed with another key" in refused(controller, locked=locked, more=other).what
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.minisig": OTHER.sign(STATIC)})
    [note] = controller.resolve(locked=locked, more=other).outcomes["tool"].notes
    assert note == f"is now verified by another minisign identity: {KEY.public} → {OTHER.public}"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_proof_that_was_there_does_not_vanish_unless_the_manifest_says_so(
    publisher: Publisher, controller: Controller, version: str
) -> None:
    name = f"tool-{version}-linux-x86_64"
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.minisig": KEY.sign(STATIC)})
    locked = controller.resolve(more=SIGNED).lock
    publisher.publish_files(version, {name: STATIC})
    assert "has no minisign signature" in refused(controller, locked=locked, more=SIGNED, upgrade=["all"]).what
    moved = controller.resolve(locked=locked, upgrade=["all"])
    assert only(moved.lock).evidence.proofs == ()
    assert "is no longer verified by minisign: the manifest does not ask for it" in moved.outcomes["tool"].notes


def test_a_lock_that_says_verified_and_holds_no_proof_is_not_believed(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.minisig": KEY.sign(STATIC)})
    honest = controller.resolve(more=SIGNED).lock
    tool = honest.tools["tool"]
    [asset] = tool.assets
    [proof] = asset.evidence.proofs
    for proof_of_another in ((), (replace(proof, identity=OTHER.public),)):
        forged = replace(asset, evidence=replace(asset.evidence, proofs=proof_of_another))
        lock = replace(honest, tools={"tool": replace(tool, assets=(forged,))})
        assert controller.resolve(locked=lock, more=SIGNED).lock == honest


def test_a_product_that_is_opened_only_to_see_what_it_is_need_not_be_signed(
    publisher: Publisher, controller: Controller
) -> None:
    mine, theirs = "tool-cli-1.0-linux-x86_64.tar.gz", "tool-server-1.0-linux-x86_64.tar.gz"
    publisher.publish_files("1.0", {mine: archive("tool"), theirs: archive("server")})
    assert f"{mine} has no minisign signature" in refused(controller, more=SIGNED).what
    publisher.publish_files(
        "1.0", {mine: archive("tool"), theirs: archive("server"), f"{mine}.minisig": KEY.sign(archive("tool"))}
    )
    assert only(controller.resolve(more=SIGNED).lock).name == mine


def archive(program: str) -> bytes:
    return made.archive("tar.gz", *members({program: STATIC}))


# New kinds.


def test_a_claim_and_a_proof_of_new_kinds_reach_the_lock_file(
    publisher: Publisher, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A toy of each: nothing but its table knows of it."""

    def state(asset: Asset, *_others: object) -> claims.Stated:
        return claims.Stated((Claim("sha512", SHA512, "a toy"),))

    def prove(held: proofs.Held, identity: Identity, *_others: object) -> tuple[Proven, ...]:
        kept = (("signature", hashlib.sha256(b"").hexdigest()),)
        proof = Proof("toy", identity, "a toy", held.asset.name, held.digests["sha256"], "toy:", kept)
        return (Proven(proof, {"signature": b""}),)

    toy = Kind(("name",), lambda identity: None, prove, lambda signed, identity, parts: Signer("a toy"))
    monkeypatch.setattr(claims, "KINDS", {**claims.KINDS, "toy": state})
    monkeypatch.setattr(proofs, "KINDS", {**proofs.KINDS, "toy": toy})
    publisher.publish("1.0", linux__x86_64=STATIC)
    lock = controller.resolve(more=", verify: {toy: somebody}").lock
    assert [claim.origin for claim in only(lock).evidence.claims] == ["listing", "a toy"]
    assert [proof.kind for proof in only(lock).evidence.proofs] == ["toy"]
    assert lockfile.parse(lockfile.emit(lock)) == lock
    publisher.republish()
    publisher.publish("1.1", linux__x86_64=GNU)
    assert "sha512" in refused(controller, more=", verify: {toy: somebody}").expected
