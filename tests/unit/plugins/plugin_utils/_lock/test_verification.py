# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs are verified again from the folder beside the lock file alone; whatever was changed since is noticed."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import evidence_folder, manifest, verification
from ansible_collections.pinned.release.plugins.plugin_utils._lock.evidence_folder import EvidenceFolder
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verification import Verification
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import proofs
from ansible_collections.pinned.release.plugins.plugin_utils._signature import gpg, sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import shapes
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    STATIC,
    Controller,
    Publisher,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import LittleSigstore, statement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey

KEY, OTHER = SigningKey("publisher"), SigningKey("somebody")
SIGSTORE, FORGER = LittleSigstore(), LittleSigstore("other", ("root", "another sigstore"))
SIGNED = f", verify: {{minisign: {KEY.public}}}"
NAME = "tool-linux-x86_64"
SUMS = f"{hashlib.sha256(STATIC).hexdigest()}  {NAME}\n".encode()


class Kept:
    """A lock file with one tool, and the folder beside it."""

    def __init__(self, publisher: Publisher, controller: Controller, folder: Path, **files: bytes) -> None:
        publisher.publish_files(
            "1.0", {NAME: STATIC, **{name.replace("__", "."): made for name, made in files.items()}}
        )
        resolution = controller.resolve(more=SIGNED)
        self.lock = resolution.lock
        self.folder = EvidenceFolder(folder / "releases.lock.json")
        self.folder.write(self.lock, resolution.kept)

    def verify(self, with_bytes: bool = True, pinned: str | None = None) -> Verification:
        """Return what became of the only proof; what else is told of a lock file comes after that."""
        text = f"platforms: [linux/x86_64]\ntools: {{tool: {{source: {{pypi: tool}}, verify: {{minisign: {pinned}}}}}}}"
        found, *_missing = verification.verify(
            self.lock,
            self.folder.read,
            lambda sha256: io.BytesIO(STATIC) if with_bytes else None,
            manifest.parse(text) if pinned else None,
        )
        return found

    def forge(self, change: Callable[[Proof], Proof]) -> None:
        """Change the only proof in the lock file."""
        tool = self.lock.tools["tool"]
        [asset] = tool.assets
        [proof] = asset.evidence.proofs
        evidence = replace(asset.evidence, proofs=(change(proof),))
        self.lock = replace(self.lock, tools={"tool": replace(tool, assets=(replace(asset, evidence=evidence),))})


@pytest.fixture
def by_sums(publisher: Publisher, controller: Controller, tmp_path: Path) -> Kept:
    return Kept(publisher, controller, tmp_path, SHA256SUMS=SUMS, SHA256SUMS__minisig=KEY.sign(SUMS))


@pytest.fixture
def by_asset(publisher: Publisher, controller: Controller, tmp_path: Path) -> Kept:
    return Kept(publisher, controller, tmp_path, **{f"{NAME}__minisig": KEY.sign(STATIC)})


def test_a_signed_sums_file_is_verified_without_the_asset(by_sums: Kept) -> None:
    assert by_sums.verify(with_bytes=False) == Verification(
        "tool", NAME, "minisign", KEY.key_id[::-1].hex().upper(), "verified", statement="trusted"
    )


def test_a_signature_of_the_asset_needs_its_bytes_and_says_so(by_asset: Kept) -> None:
    assert by_asset.verify().verdict == "verified"
    found = by_asset.verify(with_bytes=False)
    assert (found.verdict, f"the bytes of {NAME} were signed" in found.reason) == ("unverified", True)


def test_a_key_that_the_manifest_no_longer_pins_is_told_and_no_failure(by_sums: Kept) -> None:
    assert by_sums.verify(pinned=KEY.public).reason == ""
    found = by_sums.verify(pinned=OTHER.public)
    assert (found.verdict, found.reason) == ("verified", f"the manifest no longer pins {KEY.public}")


@pytest.mark.parametrize("part", ["signature", "sums"])
def test_a_kept_file_that_was_changed_or_is_gone_is_refused(by_sums: Kept, part: str) -> None:
    [proof] = by_sums.lock.tools["tool"].assets[0].evidence.proofs
    place = by_sums.folder.path / dict(proof.kept)[part]
    place.write_bytes(place.read_bytes() + b"\n")
    assert (by_sums.verify().verdict, "was changed" in by_sums.verify().reason) == ("refused", True)
    place.unlink()
    assert (by_sums.verify().verdict, "No such file" in by_sums.verify().reason) == ("refused", True)


def test_each_proof_that_does_not_hold_has_a_line_of_its_own(by_sums: Kept) -> None:
    by_sums.folder.tidy(LockFile())
    found = by_sums.verify()
    assert "; expected: " in found.reason
    assert "; found: No such file or directory; to fix: " in found.reason
    with pytest.raises(ReleaseError) as caught:
        verification.refuse_failed([found, found])
    assert caught.value.what == "2 of 2 proofs do not hold"
    assert (caught.value.found or "").split("\n    ") == [f"tool: {NAME}, minisign: {found.reason}"] * 2


def test_a_lock_file_without_proofs_is_not_said_to_be_verified() -> None:
    [note] = verification.notes(verification.verify(LockFile(), lambda sha256: b"", lambda sha256: None))
    assert note.startswith("nothing to verify: the lock file has no proofs")


def test_a_file_where_the_folder_would_be_is_told(by_sums: Kept) -> None:
    kept = {sha256: by_sums.folder.read(sha256) for sha256 in evidence_folder.kept_of(by_sums.lock)}
    by_sums.folder.tidy(LockFile())
    by_sums.folder.path.touch()
    with pytest.raises(ReleaseError) as caught:
        by_sums.folder.write(by_sums.lock, kept)
    assert caught.value.found == "a file"
    assert (caught.value.fix or "").startswith("move it away")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda proof: replace(proof, identity=Identity.of(key=OTHER.public)), "another key than the manifest pins"),
        (lambda proof: replace(proof, signer="Ada"), "the lock file says Ada"),
        (lambda proof: replace(proof, kind="word"), "knows no proof of the kind word"),
        (lambda proof: replace(proof, sha256="0" * 64), "is not SHA256SUMS"),
        (lambda proof: replace(proof, kept=proof.kept[1:]), "names no signature"),
        (lambda proof: replace(proof, kept=proof.kept[:1]), "is not SHA256SUMS"),
        (lambda proof: replace(proof, file=NAME), "other bytes than those that are locked"),
    ],
)
def test_a_proof_that_was_edited_in_the_lock_file_is_refused(
    by_sums: Kept, change: Callable[[Proof], Proof], reason: str
) -> None:
    by_sums.forge(change)
    found = by_sums.verify()
    assert (found.verdict, reason in found.reason) == ("refused", True), found.reason
    with pytest.raises(ReleaseError, match="1 of 1 proofs do not hold"):
        verification.refuse_failed([found])


def test_a_signed_sums_file_with_files_of_one_name_is_about_the_one_at_that_path(
    publisher: Publisher, controller: Controller, tmp_path: Path
) -> None:
    sums = f"{hashlib.sha256(STATIC).hexdigest()}  ../{publisher.folder.name}/{NAME}\n".encode()
    sums += f"{'0' * 64}  elsewhere/{NAME}\n".encode()
    kept = Kept(publisher, controller, tmp_path, SHA256SUMS=sums, SHA256SUMS__minisig=KEY.sign(sums))
    assert kept.verify(with_bytes=False).verdict == "verified"
    kept.forge(lambda proof: replace(proof, origin=proof.origin.replace("SHA256SUMS", "deeper/SHA256SUMS")))
    assert f"SHA256SUMS, which is signed, does not name {NAME}" in kept.verify().reason


def test_a_signed_sums_file_of_another_asset_proves_nothing(by_sums: Kept) -> None:
    tool = by_sums.lock.tools["tool"]
    name = "server-linux-x86_64"
    assets = tuple(replace(asset, name=name, url=asset.url.replace(NAME, name)) for asset in tool.assets)
    by_sums.lock = replace(by_sums.lock, tools={"tool": replace(tool, assets=assets)})
    assert "does not name server-linux-x86_64" in by_sums.verify().reason


# What a lock file says is not believed.


@pytest.fixture
def by_sha512(publisher: Publisher, controller: Controller, tmp_path: Path) -> Kept:
    sums = f"{hashlib.sha512(STATIC).hexdigest()}  {NAME}\n".encode()
    return Kept(publisher, controller, tmp_path, SHA512SUMS=sums, SHA512SUMS__minisig=KEY.sign(sums))


def test_another_digest_than_sha256_counts_only_with_the_bytes(by_sha512: Kept) -> None:
    assert by_sha512.verify().verdict == "verified"
    found = by_sha512.verify(with_bytes=False)
    assert (found.verdict, "not in the cache" in found.reason) == ("unverified", True)


def test_the_digest_of_a_signed_file_does_not_make_other_bytes_good(by_sha512: Kept) -> None:
    """Whoever edits the lock file leaves the SHA-512 that was signed, and puts in the SHA-256 of their own program."""
    lock = edited(by_sha512.lock, b"evil")
    [found] = verification.verify(lock, by_sha512.folder.read, lambda sha256: io.BytesIO(b"evil"))
    assert (found.verdict, "a digest that its bytes do not have" in found.reason) == ("refused", True)
    [found] = verification.verify(lock, by_sha512.folder.read, lambda sha256: None)
    assert found.verdict == "unverified"


def edited(lock: LockFile, content: bytes) -> LockFile:
    """Return the lock file of somebody who put another program in, and left all that was signed as it was."""
    tool = lock.tools["tool"]
    sha256 = hashlib.sha256(content).hexdigest()
    [asset] = tool.assets
    made = tuple(replace(proof, sha256=sha256) if proof.file == NAME else proof for proof in asset.evidence.proofs)
    forged = replace(asset, sha256=sha256, evidence=replace(asset.evidence, proofs=made))
    return replace(lock, tools={"tool": replace(tool, assets=(forged,))})


def sha512_only() -> bytes:
    about = statement(name=NAME, digest={"sha512": hashlib.sha512(STATIC).hexdigest()})
    return json.dumps(SIGSTORE.signed_statement(about)).encode()


@pytest.mark.parametrize(
    ("verify", "suffix", "sign"),
    [
        (f"ssh: {SshKey('publisher').public}", ".sig", lambda: SshKey("publisher").sign(STATIC)),
        ("provenance: owner/tool", ".intoto.jsonl", sha512_only),
    ],
    ids=["ssh", "provenance"],
)
def test_a_signed_sha512_of_an_asset_does_not_make_other_bytes_good(
    publisher: Publisher,
    controller: Controller,
    monkeypatch: pytest.MonkeyPatch,
    verify: str,
    suffix: str,
    sign: Callable[[], bytes],
) -> None:
    monkeypatch.setattr(sigstore, "public_good", SIGSTORE.trusted_root)
    sums = f"{hashlib.sha512(STATIC).hexdigest()}  {NAME}\n".encode()
    publisher.publish_files("1.0", {NAME: STATIC, NAME + suffix: sign(), "SHA512SUMS": sums})
    resolution = controller.resolve(more=f", verify: {{{verify}}}")

    def verdict(lock: LockFile, content: bytes | None) -> str:
        found, *_others = verification.verify(
            lock, resolution.kept.__getitem__, lambda sha256: None if content is None else io.BytesIO(content)
        )
        return found.verdict

    assert verdict(resolution.lock, STATIC) == "verified"
    assert verdict(resolution.lock, None) == "unverified"
    assert verdict(edited(resolution.lock, b"evil"), b"evil") == "refused"
    assert verdict(edited(resolution.lock, b"evil"), None) == "unverified"


def test_the_proof_of_each_target_is_verified_though_the_asset_is_one(by_sums: Kept) -> None:
    tool = by_sums.lock.tools["tool"]
    [asset] = tool.assets
    [proof] = asset.evidence.proofs
    forged = replace(asset, target="other", evidence=replace(asset.evidence, proofs=(replace(proof, signer="Ada"),)))
    by_sums.lock = replace(by_sums.lock, tools={"tool": replace(tool, assets=(forged, asset))})
    found = verification.verify(by_sums.lock, by_sums.folder.read, lambda sha256: None)
    assert sorted(one.verdict for one in found) == ["refused", "verified"]


def test_a_proof_that_was_taken_out_is_missed(by_sums: Kept) -> None:
    tool = by_sums.lock.tools["tool"]
    assets = tuple(replace(asset, evidence=replace(asset.evidence, proofs=())) for asset in tool.assets)
    lock = replace(by_sums.lock, tools={"tool": replace(tool, assets=assets)})
    [found] = verification.verify(lock, by_sums.folder.read, lambda sha256: None)
    assert (found.verdict, found.reason) == ("refused", "the lock file demands minisign, and has less")


def test_a_kind_that_the_manifest_demands_and_the_lock_file_does_not_is_told(by_sums: Kept) -> None:
    wanted = manifest.parse(
        "platforms: [linux/x86_64]\ntools: {tool: {source: {pypi: tool}, verify: {release: owner/tool}}}"
    )
    _proof, told = verification.verify(by_sums.lock, by_sums.folder.read, lambda sha256: None, wanted)
    assert (told.kind, told.verdict) == ("release", "unverified")
    assert "demands release" in told.reason
    verification.refuse_failed([told])


@pytest.mark.parametrize(
    ("kind", "identity"),
    [
        ("sigstore", {"repository": "owner/tool"}),
        ("gpg", {"fingerprint": "0" * 40, "key": "key.asc"}),
        ("ssh", {"fingerprint": "0" * 40}),
        ("minisign", {"word": "please"}),
    ],
)
def test_a_proof_without_what_its_kind_needs_is_refused(by_sums: Kept, kind: str, identity: dict[str, str]) -> None:
    by_sums.forge(lambda proof: replace(proof, kind=kind, identity=Identity.of(**identity)))
    assert by_sums.verify().verdict == "refused"


# Trust roots, which are kept beside the lock file as well.


def test_a_root_that_is_only_kept_is_told(
    publisher: Publisher, controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sigstore, "public_good", SIGSTORE.trusted_root)
    publisher.publish_files(
        "1.0", {NAME: STATIC, f"{NAME}.sigstore.json": json.dumps(SIGSTORE.signed_file(STATIC)).encode()}
    )
    resolution = controller.resolve(more=", verify: {sigstore: owner/tool}")

    def again() -> Verification:
        [found] = verification.verify(resolution.lock, resolution.kept.__getitem__, lambda sha256: None)
        return found

    assert (again().verdict, again().reason) == ("verified", "")
    monkeypatch.setattr(sigstore, "public_good", FORGER.trusted_root)
    sha256 = hashlib.sha256(SIGSTORE.trusted_root()).hexdigest()
    assert (again().verdict, f"the trust root that is kept with it, with sha256 {sha256}" in again().reason) == (
        "verified",
        True,
    )


def test_it_is_told_until_when_a_trust_root_is_good(
    publisher: Publisher, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = datetime(2027, 6, 12, tzinfo=timezone.utc)
    root = SIGSTORE.trusted_root(end)
    monkeypatch.setattr(sigstore, "public_good", lambda: root)
    signed = json.dumps(SIGSTORE.signed_file(STATIC)).encode()
    publisher.publish_files("1.0", {NAME: STATIC, f"{NAME}.sigstore.json": signed})
    resolution = controller.resolve(more=", verify: {sigstore: owner/tool}")
    name = f"trust root {hashlib.sha256(root).hexdigest()[:12]}…"
    before, after = (end + timedelta(days=days) for days in (-1, 1))
    told = [verification.root_notes(resolution.lock, resolution.kept.__getitem__, now) for now in (before, after)]
    assert told == [
        [f"{name} is good until 2027-06-12"],
        [f"{name} was good until 2027-06-12: what was signed before then stays verified"],
    ]


def test_an_expired_key_is_told_and_no_failure(by_sums: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def expired(signed: object, identity: object, parts: object) -> None:
        raise gpg.OutdatedError("it was made by a key that has expired")

    monkeypatch.setattr(proofs, "KINDS", {"gpg": replace(proofs.KINDS["gpg"], verify=expired)})
    monkeypatch.setattr(verification, "KINDS", proofs.KINDS)
    identity = Identity.of(fingerprint="ABC", key="key.asc")
    by_sums.forge(lambda proof: replace(proof, kind="gpg", identity=identity, signer="ABC"))
    assert (by_sums.verify().verdict, by_sums.verify().reason) == ("verified", "it was made by a key that has expired")


# The folder.


def test_the_folder_is_named_as_the_lock_file_is(tmp_path: Path) -> None:
    assert EvidenceFolder(tmp_path / "releases.lock.json").path == tmp_path / "releases.evidence"
    assert EvidenceFolder(tmp_path / "mine.json").path == tmp_path / "mine.evidence"


def test_the_folder_holds_what_the_lock_file_names_and_nothing_else_of_ours(by_sums: Kept) -> None:
    assert not by_sums.folder.differs(by_sums.lock)
    (by_sums.folder.path / ("0" * 64)).write_bytes(b"of an older lock file")
    (by_sums.folder.path / "README").write_text("somebody's own")
    assert by_sums.folder.differs(by_sums.lock)
    by_sums.folder.tidy(by_sums.lock)
    assert not by_sums.folder.differs(by_sums.lock)
    assert (by_sums.folder.path / "README").exists()


def test_whatever_a_reader_of_signatures_takes_can_be_kept(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path / "releases.lock.json")
    folder.path.mkdir()
    content = bytes(shapes.LIMIT_BYTES)
    sha256 = hashlib.sha256(content).hexdigest()
    (folder.path / sha256).write_bytes(content)
    assert folder.has(sha256)


def test_a_lock_without_proofs_has_no_folder(by_sums: Kept) -> None:
    by_sums.folder.tidy(LockFile())
    assert not by_sums.folder.path.exists()
    EvidenceFolder(by_sums.folder.path.with_name("other.lock.json")).write(LockFile(), {})
    assert sorted(path.name for path in by_sums.folder.path.parent.glob("*.evidence")) == []


def test_what_is_no_longer_kept_is_fetched_again(publisher: Publisher, controller: Controller, by_sums: Kept) -> None:
    kept = controller.resolve(more=SIGNED, locked=by_sums.lock).kept
    assert kept == {}
    controller.has_kept = lambda sha256: False
    again = controller.resolve(more=SIGNED, locked=by_sums.lock)
    assert (again.lock, sorted(again.kept)) == (
        by_sums.lock,
        sorted(path.name for path in by_sums.folder.path.iterdir()),
    )
