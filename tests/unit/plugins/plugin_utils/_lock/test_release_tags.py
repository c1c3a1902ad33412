# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitHub's statement about a release must be about the tag that was locked, when it is locked and ever after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile, manifest, verification
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution, Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verification import Verification
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.identity import RELEASE_SIGNER
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.statement import RELEASE_READ
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import NOW, STATIC
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import LittleSigstore, statement

GITHUBS = LittleSigstore("github", ("Internal Services Root", "GitHub, Inc."))
NAME = "tool-linux-x86_64"
SHA256 = hashlib.sha256(STATIC).hexdigest()
#: Tags of real repositories, the version that each means, and the pattern that a manifest has for it.
TAGS = [
    ("v1.2.3", "1.2.3", ""),
    ("1.2.3", "1.2.3", ""),
    ("go1.21", "1.21", ""),
    ("tool-8_5_0", "8.5.0", ""),
    ("tool-1.7.1", "1.7.1", ""),
    ("cli/v2.0", "2.0", "cli/v{version}"),
    ("build1.0-stable", "1.0", "build{version}-stable"),
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without the tokens and the proxies of the machine; the public trust root is that of the little sigstore."""
    for name in "GITHUB_TOKEN GH_TOKEN GH_HOST GITHUB_API_URL HTTP_PROXY http_proxy".split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(sigstore, "public_good", GITHUBS.trusted_root)


def stated(tag: str) -> dict[str, object]:
    """Return what GitHub states of the release with this *tag*, signed."""
    predicate = {"repository": "owner/tool", "tag": tag, "purl": f"pkg:github/owner/tool@{tag.replace('/', '%2F')}"}
    about = statement(RELEASE_READ, predicate, name=NAME, digest={"sha256": SHA256})
    return dict(GITHUBS.signed_statement(about, san=RELEASE_SIGNER, said={}))


@contextmanager
def github(tag: str, signed_tag: str) -> Iterator[FakeGithub]:
    """Run a GitHub with one release, of which it states that it has *signed_tag*."""
    releases = {"owner/tool": [FakeRelease(tag, [FakeAsset(NAME, STATIC)])]}
    with FakeGithub(releases, attestations={f"sha256:{SHA256}": [stated(signed_tag)]}) as running:
        yield running


def locked(tag: str, signed_tag: str, pattern: str, folder: Path) -> Resolution:
    """Return what comes of locking the release *tag*, for which GitHub signed *signed_tag*."""
    with github(tag, signed_tag) as running:
        source = {"github": "owner/tool", "api_url": running.api_url, **({"tag": pattern} if pattern else {})}
        wanted = {
            "platforms": ["linux/x86_64"],
            "policy": {"minimum_age": "0d"},
            "tools": {"tool": {"source": source, "verify": {"release": "owner/tool"}}},
        }

        def opened(one: manifest.WantedTool) -> Source:
            return open_source(one.source, is_wanted=one.allows)

        resolver = Resolver(opened, Cache(folder), NOW, ProgressReport(lambda line: None))
        return resolver.resolve(manifest.parse(json.dumps(wanted)), LockFile())


def again(resolution: Resolution, lock: LockFile | None = None) -> Verification:
    """Return what became of the only proof, from what is kept alone."""
    written = lockfile.parse(lockfile.emit(lock or resolution.lock))
    [found] = verification.verify(written, resolution.kept.__getitem__, lambda sha256: None)
    return found


def edited(lock: LockFile, tag: str, **changed: str) -> LockFile:
    """Return the lock file of somebody who wrote another *tag* into it, and what else of the tool is *changed*."""
    tool = lock.tools["tool"]
    [asset] = tool.assets
    [proof] = asset.evidence.proofs
    forged = replace(asset, evidence=replace(asset.evidence, proofs=(replace(proof, tag=tag),)))
    return replace(lock, tools={"tool": replace(tool, assets=(forged,), **changed)})


@pytest.mark.parametrize(("tag", "version", "pattern"), TAGS)
def test_a_statement_about_the_tag_proves_the_release_whatever_its_form(
    tmp_path: Path, tag: str, version: str, pattern: str
) -> None:
    resolution = locked(tag, tag, pattern, tmp_path)
    tool = resolution.lock.tools["tool"]
    [proof] = tool.assets[0].evidence.proofs
    assert (tool.version, proof.tag) == (version, tag)
    assert again(resolution).verdict == "verified"


@pytest.mark.parametrize(("tag", "version", "pattern"), TAGS)
def test_a_statement_about_another_tag_is_refused_though_it_means_the_same_version(
    tmp_path: Path, tag: str, version: str, pattern: str
) -> None:
    with pytest.raises(ReleaseError) as caught:
        locked(tag, f"release-{version}", pattern, tmp_path)
    assert caught.value.what.endswith("the statement is about a release with another tag")
    assert (tag in str(caught.value.expected), f"release-{version}" in str(caught.value.found)) == (True, True)


@pytest.mark.parametrize(
    ("tag", "changed", "reason"),
    [
        ("1.2.3", {}, "about a release with another tag"),
        ("v1.2.4", {}, "a tag that is not of version 1.2.3"),
        ("latest", {}, 'is of "no version"'),
        ("v1.2.3", {"version": "9.9.9"}, "a tag that is not of version 9.9.9"),
        ("v9.9.9", {"version": "9.9.9"}, "about a release with another tag"),
        ("", {"version": "9.9.9"}, "about a release with another tag"),
    ],
)
def test_a_tag_or_a_version_that_was_edited_in_the_lock_file_is_refused(
    tmp_path: Path, tag: str, changed: dict[str, str], reason: str
) -> None:
    resolution = locked("v1.2.3", "v1.2.3", "", tmp_path)
    found = again(resolution, edited(resolution.lock, tag, **changed))
    assert (found.verdict, reason in found.reason) == ("refused", True), found.reason
