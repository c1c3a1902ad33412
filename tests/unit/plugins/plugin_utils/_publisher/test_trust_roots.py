# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trust roots in files, and in a TUF repository on loopback that python-tuf signs."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport, trust_roots
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.authorities import authorities
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Held, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import UnreachableError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.trust_roots import PublishedRoot, TufRepository
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation, Release
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import LittleSigstore
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

pytestmark = pytest.mark.usefixtures("pauses")

ROOT = LittleSigstore("github").trusted_root()
ON_A_LINE = json.dumps(json.loads(ROOT), sort_keys=True, separators=(",", ":")).encode()
TOP = Path(__file__).resolve().parents[5]
DATA = TOP.parent / "shared" / "field" / "data"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without the proxies of the machine, and ask again without a pause."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transport, "ATTEMPTS", 1)


class Repository:
    """A TUF repository of one target, whose root has been exchanged once. *files* may be changed while it is served."""

    def __init__(self, target: bytes = ROOT, days: int = 10) -> None:
        self.expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)
        first, second, self.online = (CryptoSigner.generate_ed25519() for _key in range(3))
        self.root = Root(version=1, expires=self.expires - timedelta(days=30), consistent_snapshot=True)
        self.root.add_key(first.public_key, "root")
        for role in ("timestamp", "snapshot", "targets"):
            self.root.add_key(self.online.public_key, role)
        self.files = {"/1.root.json": self._signed(self.root, first)}
        self.root.version, self.root.expires = 2, self.expires
        self.root.add_key(second.public_key, "root")
        self.root.revoke_key(first.public_key.keyid, "root")
        self.files["/2.root.json"] = self._signed(self.root, first, second)
        self.publish(1, target)

    def publish(self, version: int, target: bytes) -> None:
        """Sign *target* and whatever leads to it."""
        place = TargetFile.from_data("trusted_root.json", target)
        targets = Targets(version=version, expires=self.expires, targets={"trusted_root.json": place})
        snapshot = Snapshot(version=version, expires=self.expires, meta={"targets.json": MetaFile(version)})
        timestamp = Timestamp(version=version, expires=self.expires, snapshot_meta=MetaFile(version))
        self.target = f"/targets/{place.hashes['sha256']}.trusted_root.json"
        self.files |= {
            f"/{version}.targets.json": self._signed(targets, self.online),
            f"/{version}.snapshot.json": self._signed(snapshot, self.online),
            "/timestamp.json": self._signed(timestamp, self.online),
            self.target: target,
        }

    @staticmethod
    def _signed(signed: Root | Targets | Snapshot | Timestamp, *signers: CryptoSigner) -> bytes:
        document = Metadata(signed)
        for signer in signers:
            document.sign(signer, append=True)
        return document.to_bytes()

    def __call__(self, question: Question) -> Answer:
        return Answer(200, self.files[question.path]) if question.path in self.files else Answer(404)

    def at(self, web: Web, sha256: str = "") -> TufRepository:
        """Return the repository as it is served, with its first root pinned, or another."""
        pinned = sha256 or hashlib.sha256(self.files["/1.root.json"]).hexdigest()
        return TufRepository("the little repository", web.url, "1.root.json", pinned)


def test_the_newest_root_is_had_by_way_of_all_roots_since_the_pinned_one(tmp_path: Path) -> None:
    repository = Repository()
    with Web(repository) as web:
        published = PublishedRoot(repository.at(web), tmp_path / "cache")
        assert web.paths == []
        assert published.roots() == (ON_A_LINE,)
        asked = len(web.paths)
        assert published.roots() == (ON_A_LINE,)
    assert web.paths[:3] == ["/1.root.json", "/2.root.json", "/3.root.json"]
    assert web.paths[-1] == repository.target
    assert len(web.paths) == asked


def test_the_next_run_fetches_no_root_and_no_target_again(tmp_path: Path) -> None:
    repository = Repository()
    with Web(repository) as web:
        PublishedRoot(repository.at(web), tmp_path).roots()
        web.questions.clear()
        assert PublishedRoot(repository.at(web), tmp_path).roots() == (ON_A_LINE,)
    assert web.paths == ["/3.root.json", "/timestamp.json"]


def test_a_new_target_is_seen_and_an_old_one_is_not_taken_again(tmp_path: Path) -> None:
    repository = Repository()
    before = dict(repository.files)
    with Web(repository) as web:
        repository.publish(2, LittleSigstore("newer").trusted_root())
        [newer] = PublishedRoot(repository.at(web), tmp_path).roots()
        assert newer != ON_A_LINE
        repository.files = before
        with pytest.raises(ReleaseError, match="cannot be trusted"):
            PublishedRoot(repository.at(web), tmp_path).roots()


def test_another_first_root_is_refused(tmp_path: Path) -> None:
    repository = Repository()
    with Web(repository) as web, pytest.raises(ReleaseError, match=r"1\.root\.json is not the root that is trusted"):
        PublishedRoot(repository.at(web, "0" * 64), tmp_path).roots()
    assert web.paths == ["/1.root.json"]


def test_what_has_expired_is_refused(tmp_path: Path) -> None:
    repository = Repository(days=-1)
    with Web(repository) as web, pytest.raises(ReleaseError) as caught:
        PublishedRoot(repository.at(web), tmp_path).roots()
    assert "Expired" in str(caught.value.found)
    assert not isinstance(caught.value, UnreachableError)


@pytest.mark.parametrize("place", ["/2.root.json", "/timestamp.json", "/1.snapshot.json", "/1.targets.json", "target"])
@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"signed": {"_type": "root"}, "signatures": []}', b"[[" * 9999]
)
def test_what_is_not_signed_is_refused(tmp_path: Path, place: str, content: bytes) -> None:
    repository = Repository()
    repository.files[repository.target if place == "target" else place] = content
    with Web(repository) as web, pytest.raises(ReleaseError) as caught:
        PublishedRoot(repository.at(web), tmp_path).roots()
    assert "trust_root" in str(caught.value.fix)


@pytest.mark.parametrize("content", [ROOT[::-1], ROOT[1:], ROOT + b" "])
def test_a_target_that_was_exchanged_is_refused(tmp_path: Path, content: bytes) -> None:
    repository = Repository()
    repository.files[repository.target] = content
    with Web(repository) as web, pytest.raises(ReleaseError, match="cannot be trusted"):
        PublishedRoot(repository.at(web), tmp_path).roots()


@pytest.mark.parametrize("place", ["/1.root.json", "/2.root.json", "/timestamp.json"])
def test_a_repository_that_is_down_is_said_to_be(tmp_path: Path, place: str) -> None:
    repository = Repository()

    def answer(question: Question) -> Answer:
        return Answer(503) if question.path == place else repository(question)

    with Web(answer) as web, pytest.raises(UnreachableError, match="the little repository does not answer"):
        PublishedRoot(repository.at(web), tmp_path).roots()


def test_a_cache_that_cannot_be_written_is_not_called_a_matter_of_trust(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "cache" / "tuf").write_bytes(b"")
    repository = Repository()
    with Web(repository) as web, pytest.raises(ReleaseError) as caught:
        PublishedRoot(repository.at(web), tmp_path / "cache").roots()
    assert "trusted" not in caught.value.what
    assert web.paths == []


def test_roots_in_files_are_used_and_nobody_is_asked(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.jsonl"
    one.write_text(json.dumps(json.loads(ROOT), indent=4))
    two.write_bytes(LittleSigstore().trusted_root() + b"\n" + ROOT + b"\n")
    with Web(lambda question: Answer(500)) as web:
        nobody = TufRepository("nobody", web.url, "1.root.json", "0" * 64)
        found = authorities([one, two], tmp_path, nobody).trust_roots()
    assert (len(found), found[0], found[2]) == (3, ON_A_LINE, ON_A_LINE)
    assert len(sigstore.TrustRoots.of(b"\n".join(found)).roots) == 2
    assert web.paths == []


@pytest.mark.parametrize("content", [None, b"", b"{}", b"text", b"\xff"])
def test_a_file_that_is_no_trust_root_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "root.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReleaseError) as caught:
        trust_roots.from_files([path])
    assert caught.value.what == f"{path} is no trust root"
    assert caught.value.fix == "correct the option trust_root"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/field/data beside the clone")
def test_githubs_statement_about_a_release_is_proven_by_githubs_root(tmp_path: Path) -> None:
    bundle = (DATA / "github-release-attestation/cli-v2.96.0.sigstore.json").read_bytes()
    payload = json.loads(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
    name, digest = next((one["name"], one["digest"]) for one in payload["subject"] if "sha256" in one["digest"])
    asset = Asset(name, f"https://example.org/{name}")
    statement = Attestation("https://api.example.org/1", bundle)
    release = Release("2.96.0", (asset,), attestations=lambda asset, digests: [statement])
    asked = authorities([DATA / "trusted-roots/trusted_root_github.json"], tmp_path)
    held = Held(asset, release, tmp_path / "nowhere", digest, authorities=asked)
    pins = {"release": (Identity.of(repository="cli/cli"),)}
    [proven] = proofs.collect(held, pins, lambda asset: pytest.fail("no files"))
    assert proven.proof.signer == "https://dotcom.releases.github.com"
