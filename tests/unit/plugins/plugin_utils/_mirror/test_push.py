# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry has what lock files pin, and source oci locks the same from it: against Debian's docker-registry."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.artifacts import TITLE, Artifacts, artifacts
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.outcome import pushed
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.push import RegistryMirror, VersionPlan
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci import OciSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.fakes.registry import INDEX, MANIFEST
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web, files
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.docker_registry import (
    Registry,
    needs_registry,
    running,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    STATIC,
    Controller,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import Site, asset, given, sha256, tool

pytestmark = needs_registry
X86_64, AARCH64 = "tool-x86_64-unknown-linux-musl", "tool-aarch64-unknown-linux-musl"
CONTENT = {f"/{X86_64}": STATIC, f"/{AARCH64}": ARM, "/other": b"other"}


@pytest.fixture(autouse=True)
def _no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(files(CONTENT)) as server:
        yield server


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as server:
        yield server


@dataclass(frozen=True)
class Pusher:
    """A controller with an empty cache, and where it pushes to."""

    folder: Path
    url: str

    @property
    def to(self) -> str:
        return f"oci+{self.url}/platform"

    def push(self, *locks: GivenLock) -> Sequence[VersionPlan]:
        return RegistryMirror(self.to, artifacts(locks)).publish(Site(self.folder).assets)

    def foreseen(self, *locks: GivenLock) -> Sequence[VersionPlan]:
        return RegistryMirror(self.to, artifacts(locks)).foreseen()

    def get(self, path: str, kind: str) -> Any:
        headers = {"Accept": kind, "Authorization": "Bearer reader"}
        answer = requests.get(f"{self.url}/v2/platform/{path}", headers=headers, timeout=30)
        answer.raise_for_status()
        return json.loads(answer.content)

    def index(self, tag: str = "1.0") -> Any:
        return self.get(f"tool/manifests/{tag}", INDEX)


@pytest.fixture
def pusher(tmp_path: Path, registry: Registry) -> Pusher:
    return Pusher(tmp_path, registry.url)


def x86_64(web: Web) -> LockedAsset:
    return asset(f"{web.url}/{X86_64}", STATIC)


def aarch64(web: Web) -> LockedAsset:
    arm = asset(f"{web.url}/{AARCH64}", ARM)
    return replace(arm, target="aarch64-unknown-linux-musl", requires=Requirement("linux", "aarch64", libc="static"))


def lock(folder: Path, *assets: LockedAsset, version: str = "1.0", name: str = "releases.lock.json") -> GivenLock:
    pinned = replace(tool(*assets, version=version), published="2026-01-02T03:04:05Z")
    return given(folder / name, {"tool": pinned})


def sent(todo: Sequence[VersionPlan]) -> list[str]:
    return [reference for plan in todo for reference in plan.pushed]


def locked_again(pusher: Pusher, more: str = "") -> Any:
    name = f"{pusher.url}/platform/tool"
    text = f"""
        platforms: [linux/x86_64, linux/aarch64]
        tools: {{tool: {{source: {{oci: "{name}", tag: "{{version}}"}}{more}}}}}
    """
    source = OciSource(Declaration("oci", name, {"tag": "{version}"}))
    return Controller(source, pusher.folder / "another").resolve_text(text).lock.tools["tool"]


def test_source_oci_locks_the_same_bytes_for_the_same_platforms(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    pusher.push(lock(tmp_path, x86_64(web), aarch64(web)))
    locked = locked_again(pusher)
    assert locked.version == "1.0"
    assert locked.published == "2026-01-02T03:04:05Z"
    assert {(one.name, one.sha256, one.target) for one in locked.assets} == {
        (X86_64, sha256(STATIC), "x86_64-unknown-linux-musl"),
        (AARCH64, sha256(ARM), "aarch64-unknown-linux-musl"),
    }


def test_index_tells_platform_target_needs_and_digests(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    arm = aarch64(web)
    pusher.push(lock(tmp_path, x86_64(web), arm))
    index = pusher.index()
    by_name = {part["annotations"]["org.opencontainers.image.title"]: part for part in index["manifests"]}
    part = by_name[AARCH64]
    assert part["platform"] == {"os": "linux", "architecture": "arm64"}
    assert json.loads(part["annotations"]["pinned.release.requires"])["libc"] == "static"
    assert part["annotations"]["pinned.release.sha256"] == sha256(ARM)
    assert part["annotations"]["pinned.release.tree_sha256"] == arm.tree_sha256
    assert part["annotations"]["pinned.release.target"] == "aarch64-unknown-linux-musl"
    manifest = pusher.get(f"tool/manifests/{part['digest']}", MANIFEST)
    assert manifest["annotations"] == part["annotations"]
    assert manifest["artifactType"] == part["artifactType"] == "application/vnd.pinned.release.asset.v1"
    assert index["artifactType"] == "application/vnd.pinned.release.tool.v1"


def test_second_run_pushes_and_downloads_nothing(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    given_lock = lock(tmp_path, x86_64(web), aarch64(web))
    foreseen = pusher.foreseen(given_lock)
    assert web.questions == []
    assert sent(pusher.push(given_lock)) == sent(foreseen)
    asked = len(web.questions)
    again = Pusher(tmp_path / "without_cache", pusher.url).push(given_lock)
    assert (sent(again), len(web.questions)) == ([], asked)


def test_another_controller_pushes_the_same_digests(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    first = sent(pusher.push(lock(tmp_path, x86_64(web), aarch64(web))))
    (tmp_path / "elsewhere").mkdir()
    with running(tmp_path / "elsewhere") as other:
        elsewhere = Pusher(tmp_path / "elsewhere", other.url)
        assert sent(elsewhere.push(lock(tmp_path / "elsewhere", aarch64(web), x86_64(web)))) == first


def test_file_that_the_registry_has_is_not_pushed_again(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    pusher.push(lock(tmp_path, x86_64(web)))
    [plan] = pusher.push(lock(tmp_path, x86_64(web), aarch64(web)))
    assert {entry.sha256 for entry in plan.blobs} == {sha256(ARM)}
    assert len(plan.artifacts) == 1


def test_platforms_of_another_lock_file_stay_in_the_index(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    one, other = lock(tmp_path, x86_64(web)), lock(tmp_path, aarch64(web), name="other.lock.json")
    pusher.push(one)
    pusher.push(other)
    assert {part["annotations"]["pinned.release.target"] for part in pusher.index()["manifests"]} == {
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
    }
    assert sent(pusher.push(one)) == []


@dataclass(frozen=True)
class Interrupted(AssetBytes):
    """Bytes that take so long to come that something *else* happens meanwhile."""

    meanwhile: Callable[[], object] = lambda: None

    def fetch(self, origins: Iterable[AssetOrigin]) -> None:
        """Bring the assets into the cache, after what happens."""
        self.meanwhile()
        super().fetch(origins)


def test_platforms_that_another_run_pushes_meanwhile_stay_in_the_index(
    tmp_path: Path, web: Web, pusher: Pusher
) -> None:
    own, others = lock(tmp_path, x86_64(web)), lock(tmp_path, aarch64(web), name="other.lock.json")
    assets = Site(tmp_path).assets
    slow = Interrupted(assets.cache, assets.open_source, meanwhile=lambda: pusher.push(others))
    [plan] = RegistryMirror(pusher.to, artifacts([own])).publish(slow)
    assert json.loads(plan.index) == pusher.index()
    assert {one["annotations"]["pinned.release.target"] for one in pusher.index()["manifests"]} == {
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
    }


def test_tag_that_becomes_somebody_elses_meanwhile_is_not_moved(
    tmp_path: Path, web: Web, pusher: Pusher, registry: Registry
) -> None:
    assets = Site(tmp_path).assets
    precious = partial(registry.push, "platform/tool", "1.0", {"tool": b"precious"})
    slow = Interrupted(assets.cache, assets.open_source, meanwhile=precious)
    with pytest.raises(ReleaseError, match=r"tool:1\.0 is something that no run of mirror pushed"):
        RegistryMirror(pusher.to, artifacts([lock(tmp_path, x86_64(web))])).publish(slow)
    assert pusher.get("tool/manifests/1.0", MANIFEST)["layers"][0]["annotations"][TITLE] == "tool"


def test_part_that_the_registry_lost_leaves_the_index(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    pusher.push(lock(tmp_path, x86_64(web)))
    [part] = pusher.index()["manifests"]
    digest = part["digest"].partition(":")[2]
    shutil.rmtree(next((tmp_path / "registry/data").rglob(f"_manifests/revisions/sha256/{digest}")))
    pusher.push(lock(tmp_path, aarch64(web)))
    [left] = pusher.index()["manifests"]
    assert left["annotations"]["pinned.release.sha256"] == sha256(ARM)


def test_file_that_the_registry_lost_is_pushed_again(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    given_lock = lock(tmp_path, x86_64(web), aarch64(web))
    pusher.push(given_lock)
    shutil.rmtree(next((tmp_path / "registry/data").rglob(f"_layers/sha256/{sha256(STATIC)}")))
    [plan] = pusher.push(given_lock)
    assert [entry.sha256 for entry in plan.blobs] == [sha256(STATIC)]
    assert sent(pusher.push(given_lock)) == []
    assert sha256(STATIC) in {one.sha256 for one in locked_again(pusher).assets}


def test_tag_of_somebody_else_is_not_moved(tmp_path: Path, web: Web, pusher: Pusher, registry: Registry) -> None:
    registry.push("platform/tool", "1.0", {"tool": b"precious"})
    before = pusher.get("tool/manifests/1.0", MANIFEST)
    with pytest.raises(ReleaseError, match=r"tool:1\.0 is something that no run of mirror pushed"):
        pusher.push(lock(tmp_path, x86_64(web)))
    assert pusher.get("tool/manifests/1.0", MANIFEST) == before


def test_signature_is_pushed_under_its_name_and_found_by_source_oci(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    url, signature = f"{web.url}/{X86_64}", b"signature"
    kept = (("signature", sha256(signature)),)
    proof = Proof("minisign", Identity.of(key="RW"), "id", X86_64, sha256(STATIC), f"{url}.minisig", kept)
    (tmp_path / "releases.evidence").mkdir()
    (tmp_path / "releases.evidence" / sha256(signature)).write_bytes(signature)
    pusher.push(lock(tmp_path, asset(url, STATIC, proofs=[proof])))
    [release] = OciSource(Declaration("oci", f"{pusher.url}/platform/tool")).releases()
    assert {one.name: one.digests["sha256"] for one in release.assets} == {
        X86_64: sha256(STATIC),
        f"{X86_64}.minisig": sha256(signature),
    }


def test_result_tells_what_is_pushed_and_what_a_tag_leads_to(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    given_lock = lock(tmp_path, x86_64(web))
    wanted = artifacts([given_lock])
    [one] = wanted.versions[0].artifacts
    result = pushed(pusher.to, wanted, pusher.push(given_lock))
    assert result["changed"] is True
    assert result["published"] == [f"tool@{one.digest}", "tool:1.0"]
    assert result["tools"] == {"tool": {X86_64: [f"tool@{one.digest}"]}}
    assert result["notes"] == ["pushed 2 manifests, and 1 kB of files"]
    assert result["diff"]["before"] == ""
    assert result["diff"]["after"] == f"tool:1.0 {X86_64} x86_64-unknown-linux-musl {one.digest}\n"
    again = pushed(pusher.to, wanted, pusher.push(given_lock))
    assert (again["changed"], again["published"], again["notes"], again["diff"]) == (False, [], [], {})


@pytest.mark.parametrize("version", ["3.12.1+20240101", "1.33.4+k3s1", "0.43.0+b1"])
@pytest.mark.parametrize("asked", ["", "*", "="])
def test_version_with_a_plus_has_another_tag_and_is_locked_as_it_is(
    tmp_path: Path, web: Web, pusher: Pusher, version: str, asked: str
) -> None:
    pusher.push(lock(tmp_path, x86_64(web), aarch64(web), version=version))
    assert pusher.index(version.replace("+", "_"))["annotations"]["org.opencontainers.image.version"] == version
    more = {"": "", "*": f', version: "{version.split(".")[0]}.*"', "=": f', version: "{version}"'}[asked]
    assert locked_again(pusher, more).version == version


def test_newest_of_several_versions_with_a_plus_is_locked(tmp_path: Path, web: Web, pusher: Pusher) -> None:
    for version in ("1.33.4+k3s9", "1.33.4+k3s10", "1.33.4"):
        pusher.push(lock(tmp_path, x86_64(web), aarch64(web), version=version))
    assert locked_again(pusher).version == "1.33.4+k3s10"


def test_token_for_pushing_is_asked_for_with_the_login_and_goes_to_the_registry_alone(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry's access controller ``silly`` challenges as all do, and believes any token."""
    with Web(lambda question: Answer(200, json.dumps({"token": "good"}).encode())) as service:
        silly = {"silly": {"realm": f"{service.url}/token", "service": "registry"}}
        with running(tmp_path, auth=silly) as registry:
            login(tmp_path, registry.url, monkeypatch)
            pusher = Pusher(tmp_path, registry.url)
            pusher.push(lock(tmp_path, x86_64(web)))
            assert len(pusher.index()["manifests"]) == 1
        scopes = {(question.path, question.query["scope"]) for question in service.questions}
        logins = {question.headers.get("Authorization") for question in service.questions}
    assert scopes == {("/token", "repository:platform/tool:pull,push")}
    assert logins == {"Basic " + base64.b64encode(b"bot:secret").decode()}
    assert {question.headers.get("Authorization") for question in web.questions} == {None}


def test_who_may_not_push_is_told_what_to_do(tmp_path: Path, web: Web) -> None:
    def refuse(question: Question) -> Answer:
        body = json.dumps({"errors": [{"code": "DENIED", "message": "no push for you"}]}).encode()
        return Answer(404) if question.method in ("GET", "HEAD") else Answer(403, body)

    with Web(refuse) as registry, pytest.raises(ReleaseError, match="no push for you") as refused:
        Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))
    assert refused.value.fix == "log in as a user who may push there, with docker login or in netrc"


@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
def test_program_that_keeps_the_login_is_named(tmp_path: Path, web: Web, key: str) -> None:
    """Who has logged in with docker login would be told to do so for ever."""
    with Web(lambda question: Answer(401)) as registry:
        name = registry.url.partition("//")[2]
        value = "desktop" if key == "credsStore" else {name: "desktop"}
        (tmp_path / "docker").mkdir()
        (tmp_path / "docker/config.json").write_text(json.dumps({"auths": {name: {}}, key: value}))
        with pytest.raises(ReleaseError) as refused:
            Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))
    assert "into netrc: docker-credential-desktop keeps" in str(refused.value.fix)


@pytest.mark.parametrize("location", ["https://elsewhere.example/upload", "", "http://[", "//elsewhere.example/x"])
def test_file_is_sent_to_no_other_server(tmp_path: Path, web: Web, location: str) -> None:
    def answer(question: Question) -> Answer:
        return Answer(202, b"", {"Location": location}) if question.method == "POST" else Answer(404)

    with Web(answer) as registry:
        with pytest.raises(ReleaseError, match="sends what is pushed to another server"):
            Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))
        assert {question.method for question in registry.questions} == {"GET", "HEAD", "POST"}


def test_registry_that_says_another_digest_is_refused(tmp_path: Path, web: Web) -> None:
    def answer(question: Question) -> Answer:
        if question.method == "POST":
            return Answer(202, b"", {"Location": "/upload"})
        is_put = question.method == "PUT"
        return Answer(201 if is_put else 404, b"", {"Docker-Content-Digest": "sha256:" + "0" * 64})

    with Web(answer) as registry, pytest.raises(ReleaseError, match="something else than what was pushed"):
        Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))


def test_file_is_sent_again_from_its_beginning_after_an_error_of_the_server(tmp_path: Path, web: Web) -> None:
    """A proxy before the registry may fail once; half of a file must never be taken for the file."""
    got: list[bytes] = []

    def answer(question: Question) -> Answer:
        if question.method == "POST":
            return Answer(202, b"", {"Location": "/upload"})
        if question.method == "PUT":
            got.append(question.body)
            return Answer(503 if got.count(question.body) == 1 else 201)
        kept = {sha256(body): body for body in got}.get(question.path.rpartition(":")[2])
        return Answer(404) if kept is None else Answer(200, kept)

    with Web(answer) as registry:
        Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))
    assert got.count(STATIC) == 2
    assert b"" not in got


def test_registry_that_gives_up_what_is_sent_to_it_is_told(tmp_path: Path, web: Web) -> None:
    """docker-registry with a full disk fails once, and then does not know of the upload."""
    puts: list[str] = []

    def answer(question: Question) -> Answer:
        if question.method == "POST":
            return Answer(202, b"", {"Location": f"/v2/platform/tool/blobs/uploads/{len(puts)}"})
        if question.method == "PUT":
            puts.append(question.path)
            return Answer(500 if puts.count(question.path) == 1 else 404)
        return Answer(404)

    with Web(answer) as registry, pytest.raises(ReleaseError) as refused:
        Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))
    assert "full disk" in str(refused.value.fix)


def test_file_is_sent_whole_with_a_new_token_when_the_old_one_has_expired(tmp_path: Path, web: Web) -> None:
    """Tokens live for minutes, and a large file takes longer."""
    got: list[bytes] = []
    expired: set[str] = set()

    def answer(question: Question) -> Answer:
        token = question.headers.get("Authorization", "")
        if question.path == "/token":
            return Answer(200, json.dumps({"token": str(len(registry.questions))}).encode())
        if not token or token in expired:
            return Answer(401, b"", {"WWW-Authenticate": f'Bearer realm="{registry.url}/token",service="r"'})
        if question.method == "POST":
            return Answer(202, b"", {"Location": "/upload"})
        if question.body == STATIC and not expired:
            expired.add(token)
            return answer(question)
        if question.method == "PUT":
            got.append(question.body)
            return Answer(201)
        kept = {sha256(body): body for body in got}.get(question.path.rpartition(":")[2])
        return Answer(404) if kept is None else Answer(200, kept)

    with Web(answer) as registry:
        Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))
    assert expired
    assert got.count(STATIC) == 1
    assert b"" not in got


@pytest.mark.parametrize("index", [b"[]", b"{}", b'{"manifests": [1]}', b"\xff", b"[" * 100_000])
def test_index_that_is_none_is_refused(tmp_path: Path, web: Web, index: bytes) -> None:
    with Web(lambda question: Answer(200, index, {"Content-Type": INDEX})) as registry, pytest.raises(ReleaseError):
        Pusher(tmp_path, registry.url).push(lock(tmp_path, x86_64(web)))


@pytest.mark.parametrize(
    "to", ["oci://h", "h/x", "https://h/x", "oci://u:p@h/x", "oci://h/X", "oci://h/x/", "oci://h/x:1", "oci://h/../x"]
)
def test_what_is_no_repository_is_refused(to: str) -> None:
    with pytest.raises(ReleaseError, match="to is not the address of a repository") as refused:
        RegistryMirror(to, Artifacts(()))
    assert "u:p" not in str(refused.value)


def login(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log in as ``docker login`` does."""
    (folder / "docker").mkdir()
    auth = base64.b64encode(b"bot:secret").decode()
    text = json.dumps({"auths": {url.partition("://")[2]: {"auth": auth}}})
    (folder / "docker/config.json").write_text(text)
