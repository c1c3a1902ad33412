# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From another tool's lock file to ours, against a server that is shaped as GitHub: digests are compared, and kept."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    importers,
    lock_diff,
    lockfile,
    manifest,
    policy_check,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.foreign_digests import ForeignDigests
from ansible_collections.pinned.release.plugins.plugin_utils._lock.import_files import Asked, settled
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution, Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._lock.takeover import TakenOver, take_over
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Web, files
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import ARM, NOW, STATIC

AMD64, ARM64 = "tool-linux-amd64", "tool-linux-arm64"
CONTENTS = {AMD64: STATIC, ARM64: ARM}
NAMES = "GITHUB_TOKEN GH_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GITHUB_API_URL GH_HOST HTTP_PROXY http_proxy"

#: Writes one format: from the digest of a file's bytes, as text, and the address of a release's files.
Write = Callable[[Callable[[bytes], str], str], dict[str, str]]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without the tokens, the proxies and the netrc of the machine."""
    for name in NAMES.split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


@pytest.fixture
def github() -> Iterator[FakeGithub]:
    """Run a server with two releases of one tool, of which the listing has no digests."""
    assets = [FakeAsset(name, content, has_digest=False) for name, content in CONTENTS.items()]
    releases = [FakeRelease(tag, assets) for tag in ("v1.3.0", "v1.2.3")]
    with FakeGithub({"owner/tool": releases}) as server:
        yield server


@dataclass
class Fleet:
    """Locks what is taken over, with its cache in *folder*."""

    folder: Path
    api_url: str = ""

    def lock(
        self,
        taken: TakenOver,
        locked: LockFile | None = None,
        text: str | None = None,
        digests: ForeignDigests | None = None,
    ) -> Resolution:
        resolver = self.resolver(taken.digests if digests is None else digests)
        return resolver.resolve(manifest.parse(text or taken.text), locked or LockFile())

    def settle(self, taken: TakenOver, is_new: bool = True) -> TakenOver:
        """Return what is left of *taken* when bytes have told what is a tool."""
        resolver, asked = self.resolver(taken.digests), Asked(Path("releases.yml"), taken.text, taken, is_new)
        found = settled(asked, manifest.parse(taken.text), lambda one: resolver.resolve(one, LockFile()))
        assert found.taken is not None
        return found.taken

    def resolver(self, digests: ForeignDigests) -> Resolver:
        return Resolver(self._open, Cache(self.folder), NOW, ProgressReport(lambda line: None), elsewhere=digests)

    def _open(self, wanted: WantedTool) -> Source:
        api = {"api_url": self.api_url} if self.api_url else {}
        return open_source({**wanted.source, **api}, exact=wanted.exact, platforms=wanted.platforms)


@pytest.fixture
def fleet(tmp_path: Path, github: FakeGithub) -> Fleet:
    return Fleet(tmp_path / "cache", github.api_url)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def mise(digest: Callable[[bytes], str], base: str, algorithm: str = "sha256") -> dict[str, str]:
    text = '[[tools.tool]]\nversion = "1.2.3"\nbackend = "aqua:owner/tool"\n'
    for platform, name in (("linux-x64", AMD64), ("linux-arm64", ARM64)):
        text += f'[tools.tool."platforms.{platform}"]\nchecksum = "{algorithm}:{digest(CONTENTS[name])}"\n'
        text += f'url = "{base}/{name}"\nprovenance = "slsa"\nprovenance_verified = true\n'
    return {"mise.lock": text}


def aqua(digest: Callable[[bytes], str], base: str) -> dict[str, str]:
    checksums = [
        {
            "id": f"github_release/github.com/owner/tool/v1.2.3/{name}",
            "checksum": digest(content).upper(),
            "algorithm": "sha256",
        }
        for name, content in CONTENTS.items()
    ]
    return {
        "aqua.yaml": "packages: [{name: owner/tool@v1.2.3}]",
        "aqua-checksums.json": json.dumps({"checksums": checksums}),
    }


def dotslash(digest: Callable[[bytes], str], base: str, algorithm: str = "sha256") -> dict[str, str]:
    platforms = {
        platform: {
            "size": len(CONTENTS[name]),
            "hash": algorithm,
            "digest": digest(CONTENTS[name]),
            "path": "tool",
            "providers": [{"url": f"{base}/{name}"}],
        }
        for platform, name in (("linux-x86_64", AMD64), ("linux-aarch64", ARM64))
    }
    return {"tool": f"#!/usr/bin/env dotslash\n{json.dumps({'name': 'tool', 'platforms': platforms})}"}


def multitool(digest: Callable[[bytes], str], base: str) -> dict[str, str]:
    binaries = [
        {"kind": "file", "url": f"{base}/{name}", "sha256": digest(CONTENTS[name]), "os": "linux", "cpu": cpu}
        for cpu, name in (("x86_64", AMD64), ("arm64", ARM64))
    ]
    return {"multitool.lock.json": json.dumps({"tool": {"binaries": binaries}})}


def hermeto(digest: Callable[[bytes], str], base: str) -> dict[str, str]:
    artifacts = [
        {"download_url": f"{base}/{name}", "checksum": f"sha256:{digest(content)}"}
        for name, content in CONTENTS.items()
    ]
    return {"artifacts.lock.yaml": json.dumps({"metadata": {"version": "1.0"}, "artifacts": artifacts})}


def kubespray(digest: Callable[[bytes], str], base: str) -> dict[str, str]:
    of_arches = {arch: {"1.2.3": f"sha256:{digest(CONTENTS[f'tool-linux-{arch}'])}"} for arch in ("arm64", "amd64")}
    url = f"{base.replace('1.2.3', '{{ tool_version }}')}/tool-linux-{{{{ image_arch }}}}"
    return {
        "checksums.yml": json.dumps({"tool_checksums": of_arches}),
        "download.yml": json.dumps(
            {
                "tool_download_url": url,
                "tool_checksum": "{{ tool_checksums[image_arch][tool_version] }}",
                "downloads": {"tool": {"checksum": "{{ tool_checksum }}", "url": "{{ tool_download_url }}"}},
            }
        ),
    }


def cargo_dist(digest: Callable[[bytes], str], base: str) -> dict[str, str]:
    artifacts = {
        name: {"kind": "executable-zip", "target_triples": [triple], "checksums": {"sha256": digest(CONTENTS[name])}}
        for triple, name in (("x86_64-unknown-linux-musl", AMD64), ("aarch64-unknown-linux-musl", ARM64))
    }
    hosting = {"github": {"artifact_download_url": base}}
    release = {"app_name": "tool", "app_version": "1.2.3", "artifacts": list(artifacts), "hosting": hosting}
    return {"dist-manifest.json": json.dumps({"releases": [release], "artifacts": artifacts})}


FORMATS = [mise, aqua, dotslash, multitool, hermeto, kubespray, cargo_dist]


def taken(write: Write, github: FakeGithub, digest: Callable[[bytes], str] = sha256) -> TakenOver:
    base = f"{github.web.url}/owner/tool/releases/download/v1.2.3"
    return take_over(importers.read(write(digest, base)))


def blake3_of(content: bytes) -> str:
    blake3: Any = pytest.importorskip("blake3", reason="the library blake3 is not installed")
    return str(blake3.blake3(content).hexdigest())


def with_blake3(digest: Callable[[bytes], str], base: str) -> dict[str, str]:
    return dotslash(digest, base, "blake3")


def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blake3", None)


@pytest.mark.parametrize("write", FORMATS)
def test_every_digest_of_another_lock_file_becomes_evidence_of_ours(
    write: Write, github: FakeGithub, fleet: Fleet
) -> None:
    found = taken(write, github)
    lock = fleet.lock(found).lock
    origin = found.entries[0].origin
    assert lock.tools["tool"].version == "1.2.3"
    assert {asset.name: asset.evidence.claims for asset in lock.tools["tool"].assets} == {
        name: (Claim("sha256", sha256(content), origin),) for name, content in CONTENTS.items()
    }
    assert lockfile.parse(lockfile.emit(lock)) == lock
    assert list(found.digests.notes(lock)) == [f"2 digests of {origin} compared with the bytes, without a difference"]


@pytest.mark.parametrize("write", FORMATS)
def test_a_wrong_digest_in_another_lock_file_refuses_and_shows_both(
    write: Write, github: FakeGithub, fleet: Fleet
) -> None:
    found = taken(write, github, lambda content: sha256(content + b"changed"))
    with pytest.raises(ReleaseError) as failure:
        fleet.lock(found)
    said = str(failure.value)
    assert f"is not what {found.entries[0].origin} pins" in said
    assert f"expected: sha256 {sha256(STATIC + b'changed')} (from {found.entries[0].origin})" in said
    assert f"found: sha256 {sha256(STATIC)} of what is published" in said


def test_files_on_a_plain_web_server_are_taken_over_by_a_template_of_their_addresses(tmp_path: Path) -> None:
    at = {"amd64": "/v1.2.3/linux/amd64/tool", "arm64": "/v1.2.3/linux/arm64/tool"}
    with Web(files({at["amd64"]: STATIC, at["arm64"]: ARM})) as web:
        text = '[[tools.tool]]\nversion = "1.2.3"\n'
        for arch, content in (("amd64", STATIC), ("arm64", ARM)):
            text += f'[tools.tool."platforms.linux-{arch}"]\nchecksum = "sha256:{sha256(content)}"\n'
            text += f'url = "{web.url}{at[arch]}"\n'
        found = take_over(importers.read({"mise.lock": text}))
        lock = Fleet(tmp_path / "cache").lock(found).lock
    assert lock.tools["tool"].source["http"] == f"{web.url}/v{{version}}/{{os}}/{{arch}}/tool"
    assert {asset.sha256 for asset in lock.tools["tool"].assets} == {sha256(STATIC), sha256(ARM)}
    claims = [claim.origin for asset in lock.tools["tool"].assets for claim in asset.evidence.claims]
    assert claims == ["mise.lock", "mise.lock"]
    assert list(found.digests.notes(lock)) == ["2 digests of mise.lock compared with the bytes, without a difference"]


def test_a_publisher_that_disagrees_is_told_before_anything_is_downloaded(github: FakeGithub, fleet: Fleet) -> None:
    github.releases = {"owner/tool": [FakeRelease("v1.2.3", [FakeAsset(name, CONTENTS[name]) for name in CONTENTS])]}
    found = taken(mise, github, lambda content: sha256(content + b"changed"))
    with pytest.raises(ReleaseError) as failure:
        fleet.lock(found)
    assert f"sha256 {sha256(STATIC)} (from listing)" in str(failure.value)
    assert f"sha256 {sha256(STATIC + b'changed')} (from mise.lock)" in str(failure.value)
    assert github.storage.questions == []


def test_blake3_is_compared_and_sha256_is_pinned_in_its_place(github: FakeGithub, fleet: Fleet) -> None:
    found = taken(with_blake3, github, blake3_of)
    lock = fleet.lock(found).lock
    assert {asset.sha256 for asset in lock.tools["tool"].assets} == {sha256(STATIC), sha256(ARM)}
    assert "blake3" not in lockfile.emit(lock)
    assert list(found.digests.notes(lock)) == ["2 digests of tool compared with the bytes, without a difference"]


def test_a_wrong_blake3_digest_refuses_and_shows_both(github: FakeGithub, fleet: Fleet) -> None:
    found = taken(with_blake3, github, lambda content: blake3_of(content + b"changed"))
    with pytest.raises(ReleaseError) as failure:
        fleet.lock(found)
    assert f"blake3 {blake3_of(STATIC + b'changed')} (from tool)" in str(failure.value)
    assert f"blake3 {blake3_of(STATIC)} of what is published" in str(failure.value)


def test_without_the_library_blake3_is_told_not_to_be_compared_and_the_lock_is_the_same(
    github: FakeGithub, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = taken(with_blake3, github, blake3_of)
    with_library = lockfile.emit(fleet.lock(found).lock)
    without_library(monkeypatch)
    lock = fleet.lock(found).lock
    assert lockfile.emit(lock) == with_library
    [note] = found.digests.notes(lock)
    assert note.startswith(
        f"tool: the BLAKE3 digests that tool states of {AMD64}, {ARM64} were not compared, because the library blake3 "
        "is not installed; their SHA-256 is pinned as it was downloaded."
    )


def test_the_size_that_dotslash_states_is_compared_as_well(
    github: FakeGithub, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = with_blake3(blake3_of, f"{github.web.url}/owner/tool/releases/download/v1.2.3")
    without_library(monkeypatch)
    texts = {name: text.replace(f'"size": {len(ARM)}', '"size": 7') for name, text in texts.items()}
    with pytest.raises(ReleaseError, match="is not what tool pins") as failure:
        fleet.lock(take_over(importers.read(texts)))
    assert "7 bytes (from tool)" in str(failure.value)


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_what_can_be_forged_is_compared_and_is_no_evidence(algorithm: str, github: FakeGithub, fleet: Fleet) -> None:
    def digest(content: bytes) -> str:
        return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()

    found = taken(lambda make, base: mise(make, base, algorithm), github, digest)
    lock = fleet.lock(found).lock
    assert [asset.evidence.claims for asset in lock.tools["tool"].assets] == [(), ()]
    wrong = taken(lambda make, base: mise(make, base, algorithm), github, lambda content: digest(content + b"changed"))
    with pytest.raises(ReleaseError, match=r"is not what mise\.lock pins"):
        fleet.lock(wrong)


def test_what_is_locked_already_is_compared_once_and_then_stays_without_a_question(
    github: FakeGithub, fleet: Fleet
) -> None:
    found = taken(mise, github)
    before = fleet.lock(found, digests=ForeignDigests()).lock
    assert [asset.evidence.claims for asset in before.tools["tool"].assets] == [(), ()]
    after = fleet.lock(found, before).lock
    assert all(asset.evidence.claims for asset in after.tools["tool"].assets)
    asked = len(github.web.questions)
    assert fleet.lock(found, after).lock == after
    assert len(github.web.questions) == asked


def test_what_is_locked_already_is_compared_with_blake3_as_well(github: FakeGithub, fleet: Fleet) -> None:
    found = taken(with_blake3, github, blake3_of)
    before = fleet.lock(found).lock
    wrong = taken(with_blake3, github, lambda content: blake3_of(content + b"changed"))
    with pytest.raises(ReleaseError, match="is not what tool pins"):
        fleet.lock(wrong, before)


def test_a_manifest_that_allows_another_version_is_told(github: FakeGithub, fleet: Fleet) -> None:
    found = taken(mise, github)
    lock = fleet.lock(found, text=found.text.replace('"1.2.3"', '"1.*"')).lock
    assert lock.tools["tool"].version == "1.3.0"
    assert list(found.digests.notes(lock)) == [
        "tool: mise.lock pins 1.2.3, and 1.3.0 is locked: none of its digests was compared"
    ]


def test_digests_of_files_that_no_platform_needs_are_told(github: FakeGithub, fleet: Fleet) -> None:
    found = taken(mise, github)
    lock = fleet.lock(found, text=found.text.replace("linux/aarch64, ", "")).lock
    assert list(found.digests.notes(lock)) == [
        f"tool: not compared, because none of its platforms needs them: {ARM64}",
        "1 digest of mise.lock compared with the bytes, without a difference",
    ]


def test_a_tool_is_known_by_its_source_whatever_the_manifest_calls_it(github: FakeGithub, fleet: Fleet) -> None:
    found = taken(aqua, github)
    lock = fleet.lock(found, text=found.text.replace("  tool:", "  other:")).lock
    assert all(asset.evidence.claims for asset in lock.tools["other"].assets)


def test_a_digest_elsewhere_does_not_stand_in_for_one_that_the_publisher_should_state(
    github: FakeGithub, fleet: Fleet
) -> None:
    assets = [FakeAsset(AMD64, STATIC), FakeAsset(ARM64, ARM, has_digest=False)]
    github.releases = {"owner/tool": [FakeRelease("v1.2.3", assets)]}
    with pytest.raises(ReleaseError, match="its publisher offers digests, but none of tool-linux-arm64"):
        fleet.lock(taken(mise, github))


def test_a_digest_elsewhere_is_none_of_the_publisher_for_policy_and_alarms(github: FakeGithub, fleet: Fleet) -> None:
    before = fleet.lock(taken(mise, github)).lock
    assert [policy_check.kinds_of(asset) for asset in before.tools["tool"].assets] == [set(), set()]
    newer = taken(mise, github).text.replace('"1.2.3"', '"1.3.0"')
    after = fleet.lock(taken(mise, github), before, newer, ForeignDigests()).lock
    assert after.tools["tool"].version == "1.3.0"
    new = lock_diff.text(lock_diff.Seen(LockFile(), {}), lock_diff.Seen(before, {}))
    assert new.endswith(", no evidence\n")


def archive(**files: bytes) -> bytes:
    """Return a tar file of *files*, which may be run."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            tar.addfile(entry, io.BytesIO(data))
    return content.getvalue()


#: What mise unpacks over the tool: one archive has a program, and the other has none.
MORE = {
    "tool-linux-amd64-helper.tar.gz": archive(helper=STATIC),
    "tool-linux-amd64-data.tar.gz": archive(table=b"1, 2, 3"),
}


def with_more(github: FakeGithub, digest: Callable[[bytes], str] = sha256) -> TakenOver:
    """Take over a mise.lock of the tool with all that is unpacked over it, which *github* has, too."""
    github.releases = {"owner/tool": [FakeRelease("v1.2.3", [FakeAsset(*one) for one in {**CONTENTS, **MORE}.items()])]}
    base = f"{github.web.url}/owner/tool/releases/download/v1.2.3"
    more = "".join(
        f'[[tools.tool."platforms.linux-x64".additional_artifacts]]\nurl = "{base}/{name}"\n'
        f'checksum = "sha256:{digest(content)}"\nprovenance = "slsa"\n'
        for name, content in MORE.items()
    )
    return take_over(importers.read({"mise.lock": mise(sha256, base)["mise.lock"] + more}))


def test_what_mise_unpacks_over_a_tool_is_a_tool_of_its_own_if_it_holds_a_program(
    github: FakeGithub, fleet: Fleet
) -> None:
    found = fleet.settle(with_more(github))
    lock = fleet.lock(found).lock
    assert {name: [asset.name for asset in tool.assets] for name, tool in lock.tools.items()} == {
        "tool": [ARM64, AMD64],
        "tool-helper": ["tool-linux-amd64-helper.tar.gz"],
    }
    [helper] = lock.tools["tool-helper"].assets
    value = sha256(MORE["tool-linux-amd64-helper.tar.gz"])
    assert Claim("sha256", value, "mise.lock") in helper.evidence.claims
    assert list(found.digests.notes(lock)) == ["3 digests of mise.lock compared with the bytes, without a difference"]


def test_what_mise_unpacks_over_a_tool_and_holds_no_program_is_told(github: FakeGithub, fleet: Fleet) -> None:
    found = fleet.settle(with_more(github))
    told = "tool-data 1.2.3: mise.lock has it unpacked over tool, and it holds no program"
    assert [str(left) for left in found.left] == [f"{told}; its bytes have the digest that is stated"]
    assert found.text.endswith(f"# Not taken over:\n#   {found.left[0]}\n")
    assert sorted(manifest.parse(found.text).tools) == ["tool", "tool-helper"]


def test_a_wrong_digest_of_what_mise_unpacks_over_a_tool_refuses_whatever_it_holds(
    github: FakeGithub, fleet: Fleet
) -> None:
    found = fleet.settle(with_more(github, lambda content: sha256(content + b"changed")))
    assert sorted(manifest.parse(found.text).tools) == ["tool", "tool-data", "tool-helper"]
    with pytest.raises(ReleaseError, match=r"is not what mise\.lock pins"):
        fleet.lock(found)


def test_a_manifest_that_was_there_is_not_settled(github: FakeGithub, fleet: Fleet) -> None:
    found = with_more(github)
    assert fleet.settle(found, is_new=False) == found
