# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of proof must do: one table of kinds, and what holds and what is refused for each of them."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Held, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation, Release
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import little_sigstore
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.gpg_home import GpgHome
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    PROVENANCE,
    SIGNED_AT,
    LittleSigstore,
    statement,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAME, CONTENT = "tool-1.0-linux", b"the bytes of a program"
PUBLIC = LittleSigstore()
GITHUB = LittleSigstore("github", ("Internal Services Root", "GitHub, Inc."))
FORGER = LittleSigstore("forger", ("root", "another sigstore"))
GITHUBS_NAME = "https://dotcom.releases.github.com"
RELEASE = "https://in-toto.io/attestation/release/v0.2"

#: Returns a signature of this content: a file beside it, or a statement that names its digest.
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Maker:
    """How one kind of proof is made.

    suffix     of the file beside the asset
    identity   that is pinned, and *wrong_identity* that is not the signer's, though it may have keys of its own
    sign       as the publisher does; *by_other* as somebody else does
    expired    as the publisher did with a key or certificate that was not good any more; None where no key ever ends
    """

    suffix: str
    identity: Identity
    wrong_identity: Identity
    sign: Sign
    by_other: Sign
    expired: Sign | None = None


@functools.cache
def gpg_home() -> GpgHome:
    """Return the keys of the publisher, of somebody else, and one of the publisher's that ended in 2021."""
    home = GpgHome(Path(tempfile.mkdtemp(prefix="gpg")))
    home.key("publisher")
    home.key("somebody")
    home.key("former", "--faked-system-time", "20200101T000000", expires="1y")
    (home.folder / "publisher.asc").write_bytes(home.public("publisher", "former"))
    (home.folder / "somebody.asc").write_bytes(home.public("somebody"))
    return home


@pytest.fixture(scope="module", autouse=True)
def no_agent_is_left() -> Iterator[None]:
    yield
    if gpg_home.cache_info().currsize:
        gpg_home().stop()
        shutil.rmtree(gpg_home().folder)


def minisign() -> Maker:
    key, other = SigningKey("publisher"), SigningKey("somebody")
    return Maker(".minisig", Identity.of(key=key.public), Identity.of(key=other.public), key.sign, other.sign)


def ssh() -> Maker:
    key, other = SshKey("publisher"), SshKey("somebody")
    whole_line = f"{key.public} releases@example.org"
    return Maker(".sig", Identity.of(key=whole_line), Identity.of(key=other.public), key.sign, other.sign)


def cosign() -> Maker:
    def sign(name: str, content: bytes) -> bytes:
        return base64.b64encode(little_sigstore.key(name).sign(content, ec.ECDSA(SHA256())))

    publisher, somebody = (
        Identity.of(key=little_sigstore.public_pem(little_sigstore.key(name)).decode())
        for name in ("publisher", "somebody")
    )
    by_publisher, by_other = (functools.partial(sign, name) for name in ("publisher", "somebody"))
    return Maker(".sig", publisher, somebody, by_publisher, by_other)


def gpg() -> Maker:
    if not shutil.which("gpg") or not shutil.which("gpgv"):
        pytest.skip("needs the programs gpg and gpgv")
    home = gpg_home()

    def sign(name: str, content: bytes, *options: str) -> bytes:
        return home.run(*options, "--armor", "--local-user", f"<{name}@example.org>", "--detach-sign", content=content)

    def expired(content: bytes) -> bytes:
        return sign("former", content, "--faked-system-time", "20200102T000000")

    def identity(name: str) -> Identity:
        return Identity.of(fingerprint=home.fingerprints(name)[0], key=str(home.folder / "publisher.asc"))

    somebody = Identity.of(fingerprint=home.fingerprints("somebody")[0], key=str(home.folder / "somebody.asc"))
    by_publisher, by_other = (functools.partial(sign, name) for name in ("publisher", "somebody"))
    return Maker(".asc", identity("publisher"), somebody, by_publisher, by_other, expired)


OWNER = Identity.of(repository="owner/tool", workflow=".github/workflows/release.yml")
SOMEBODY = Identity.of(repository="somebody/tool")


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def sigstore_bundle() -> Maker:
    def sign(by: LittleSigstore, content: bytes) -> bytes:
        return encoded(by.signed_file(content))

    def expired(content: bytes) -> bytes:
        return encoded(PUBLIC.signed_file(content, issued_at=SIGNED_AT - timedelta(days=1)))

    by_publisher, by_other = functools.partial(sign, PUBLIC), functools.partial(sign, FORGER)
    return Maker(".sigstore.json", OWNER, SOMEBODY, by_publisher, by_other, expired)


def stated(content: bytes, predicate_type: str = PROVENANCE, predicate: object = None) -> dict[str, object]:
    digest = {"sha256": hashlib.sha256(content).hexdigest()}
    return statement(predicate_type, predicate, name=NAME, digest=digest)


def provenance() -> Maker:
    def sign(by: LittleSigstore, content: bytes) -> bytes:
        return encoded(by.signed_statement(stated(content)))

    def expired(content: bytes) -> bytes:
        return encoded(PUBLIC.signed_statement(stated(content), issued_at=SIGNED_AT - timedelta(days=1)))

    by_publisher, by_other = functools.partial(sign, PUBLIC), functools.partial(sign, FORGER)
    return Maker(".intoto.jsonl", OWNER, SOMEBODY, by_publisher, by_other, expired)


def release() -> Maker:
    def sign(by: LittleSigstore, content: bytes, **certificate: object) -> bytes:
        predicate = {"repository": "owner/tool", "tag": "v1.0", "purl": "pkg:github/owner/tool@v1.0"}
        about = stated(content, RELEASE, predicate)
        return encoded(by.signed_statement(about, **{"san": GITHUBS_NAME, "said": {}, **certificate}))

    def expired(content: bytes) -> bytes:
        return sign(GITHUB, content, issued_at=SIGNED_AT - timedelta(days=1))

    pinned, wrong = Identity.of(repository="owner/tool"), Identity.of(repository="somebody/tool")
    by_publisher, by_other = functools.partial(sign, GITHUB), functools.partial(sign, PUBLIC)
    return Maker(".sigstore.json", pinned, wrong, by_publisher, by_other, expired)


MAKERS: dict[str, Callable[[], Maker]] = {
    "cosign": cosign,
    "gpg": gpg,
    "minisign": minisign,
    "provenance": provenance,
    "release": release,
    "sigstore": sigstore_bundle,
    "ssh": ssh,
}
#: The kinds that a publisher's service may have, if no file of the release is one.
OF_SERVICES = ("provenance", "release")


@pytest.fixture(autouse=True)
def trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the little sigstore and the little GitHub."""
    monkeypatch.setattr(sigstore, "public_good", lambda: PUBLIC.trusted_root() + b"\n" + GITHUB.trusted_root())


@dataclass(frozen=True)
class Kind:
    """A kind, how it is made, and a folder for the asset."""

    name: str
    maker: Maker
    folder: Path

    def prove(self, signature: bytes | None, identity: Identity | None = None, content: bytes = CONTENT) -> Proof:
        """Return the proof of *content* by the *signature* beside it."""
        return self.prove_files({} if signature is None else {NAME + self.maker.suffix: signature}, identity, content)

    def prove_files(
        self,
        files: dict[str, bytes],
        identity: Identity | None = None,
        content: bytes = CONTENT,
        attestations: Callable[..., list[Attestation]] = lambda asset, digests: [],
    ) -> Proof:
        path = self.folder / NAME
        path.write_bytes(content)
        assets = tuple(Asset(name, f"https://example.org/{name}") for name in (NAME, *files))
        digests = {"sha256": hashlib.sha256(content).hexdigest()}
        held = Held(assets[0], Release("1.0", assets, attestations=attestations), path, digests)
        pins = {self.name: (identity or self.maker.identity,)}
        [proven] = proofs.collect(held, pins, lambda asset: files[asset.name])
        return proven.proof

    def refused(self, signature: bytes | None, identity: Identity | None = None, content: bytes = CONTENT) -> str:
        with pytest.raises(ReleaseError) as caught:
            self.prove(signature, identity, content)
        assert str(caught.value).replace("\n", "").isprintable()
        return str(caught.value)


@pytest.fixture(params=sorted(MAKERS))
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    return Kind(request.param, MAKERS[request.param](), tmp_path)


def test_the_table_has_every_kind() -> None:
    assert sorted(MAKERS) == sorted(proofs.KINDS)


def test_good(kind: Kind) -> None:
    proof = kind.prove(kind.maker.sign(CONTENT))
    assert (proof.kind, proof.identity, proof.file) == (kind.name, kind.maker.identity, NAME)
    assert proof.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert proof.signer


def test_wrong_key(kind: Kind) -> None:
    assert kind.refused(kind.maker.by_other(CONTENT))


def test_wrong_identity(kind: Kind) -> None:
    assert kind.refused(kind.maker.sign(CONTENT), kind.maker.wrong_identity)


def test_changed_byte(kind: Kind) -> None:
    assert kind.refused(kind.maker.sign(CONTENT), content=CONTENT + b"x")


def test_signature_of_another_file(kind: Kind) -> None:
    assert kind.refused(kind.maker.sign(b"another file"))


def test_expired(kind: Kind) -> None:
    if kind.maker.expired is None:
        pytest.skip(f"a key of {kind.name} never expires")
    identity = kind.maker.identity
    if kind.name == "gpg":
        identity = Identity.of(fingerprint=gpg_home().fingerprints("former")[0], key=identity["key"])
    told = kind.refused(kind.maker.expired(CONTENT), identity)
    assert "expired" in told or "was not valid" in told, told


def test_missing(kind: Kind) -> None:
    told = kind.refused(None)
    assert told.startswith(f"{NAME} has no {kind.name} ")
    assert f"take verify.{kind.name} out of the manifest" in told


def test_a_file_that_cannot_be_fetched_is_not_a_missing_one(kind: Kind) -> None:
    class Down(dict[str, bytes]):
        def __getitem__(self, name: str) -> bytes:
            raise ReleaseError(f"{name} answered 503")

    with pytest.raises(ReleaseError, match="answered 503"):
        kind.prove_files(Down({NAME + kind.maker.suffix: b""}))


@pytest.mark.parametrize("name", OF_SERVICES)
def test_a_service_that_is_down_is_not_one_that_has_nothing(name: str, tmp_path: Path) -> None:
    def down(asset: Asset, digests: object) -> list[Attestation]:
        raise ReleaseError("the service answered 503")

    with pytest.raises(ReleaseError, match="the service answered 503"):
        Kind(name, MAKERS[name](), tmp_path).prove_files({}, attestations=down)


# What only some kinds state.


def test_provenance_by_the_same_publisher_is_no_release(tmp_path: Path) -> None:
    """It names repository and tag as well, but GitHub does not state it."""
    kind = Kind("release", release(), tmp_path)
    assert "says something else than is asked for" in kind.refused(provenance().sign(CONTENT))


def test_a_release_is_no_provenance(tmp_path: Path) -> None:
    kind = Kind("provenance", provenance(), tmp_path)
    assert "says something else than is asked for" in kind.refused(release().sign(CONTENT))


@pytest.mark.parametrize("tag", ["v1.0.1", "v11.0", "v1.0-rc1", "nightly", "v0.9"])
def test_the_statement_about_another_tag_does_not_make_its_asset_a_new_version(tmp_path: Path, tag: str) -> None:
    predicate = {"repository": "owner/tool", "tag": tag, "purl": f"pkg:github/owner/tool@{tag}"}
    about = stated(CONTENT, RELEASE, predicate)
    signature = encoded(GITHUB.signed_statement(about, san=GITHUBS_NAME, said={}))
    assert Kind("release", release(), tmp_path).refused(signature)


# Hostile bytes.


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_bytes_that_are_no_signature_are_refused(kind: Kind, content: bytes) -> None:
    assert kind.refused(content)


@functools.cache
def good(name: str) -> bytes:
    return MAKERS[name]().sign(CONTENT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_signature_that_was_changed_proves_the_same_or_is_refused(kind: Kind, data: st.DataObject) -> None:
    signature = bytearray(good(kind.name))
    for _change in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(signature) - 1))
        signature[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        proof = kind.prove(bytes(signature))
    except ReleaseError:
        return
    assert (proof.signer, proof.sha256) == (kind.prove(good(kind.name)).signer, hashlib.sha256(CONTENT).hexdigest())
