# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of what is pinned come once, with the credentials that their publisher asks for, or not at all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Alias, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import (
    Site,
    asset,
    given,
    sha256,
    tool,
)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "/dev/null")
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


def opened(hub: FakeGithub, token: str | None, origin: AssetOrigin) -> Source:
    return open_source({"github": "o/r", "api_url": hub.api_url}, token=token, exact=origin.tool.version)


def pinned(url: str, content: bytes) -> AssetOrigin:
    locked = asset(url, content)
    return AssetOrigin(Path("releases.lock.json"), "tool", tool(locked), locked)


def test_private_asset_comes_with_the_token(tmp_path: Path) -> None:
    releases = [FakeRelease("v1.0", [FakeAsset("t.gz", b"private")])]
    with FakeGithub({"o/r": releases}, private=frozenset(["o/r"]), tokens=frozenset(["good"])) as hub:
        origin = pinned(f"{hub.web.url}/o/r/releases/download/v1.0/t.gz", b"private")
        [listed] = [one for release in opened(hub, "good", origin).releases() for one in release.assets]
        assert listed.api_url is not None
        origin = replace(origin, asset=replace(origin.asset, private_url=listed.api_url))
        assets = AssetBytes(Cache(tmp_path), partial(opened, hub, "good"))
        assert b"".join(assets.chunks(origin)) == b"private"
        asked = len(hub.web.questions)
        assert assets.cached(origin).sha256 == sha256(b"private")
        assert len(hub.web.questions) == asked
        assert not any(question.headers.get("Authorization") for question in hub.storage.questions)


def test_private_asset_without_a_token_is_refused_with_the_tool(tmp_path: Path) -> None:
    releases = [FakeRelease("v1.0", [FakeAsset("t.gz", b"private")])]
    with FakeGithub({"o/r": releases}, private=frozenset(["o/r"]), tokens=frozenset(["good"])) as hub:
        origin = pinned(f"{hub.web.url}/o/r/releases/download/v1.0/t.gz", b"private")
        private = replace(origin, asset=replace(origin.asset, private_url=f"{hub.api_url}/repos/o/r/releases/assets/1"))
        with pytest.raises(
            ReleaseError, match=r"^tool: t\.gz is private, and the controller has no credentials for it"
        ):
            AssetBytes(Cache(tmp_path), partial(opened, hub, None)).fetch([private])


def test_asset_of_several_files_of_a_mirror_is_fetched_once(tmp_path: Path) -> None:
    releases = [FakeRelease("v1.0", [FakeAsset("t.gz", b"public")])]
    with FakeGithub({"o/r": releases}) as hub:
        origin = pinned(f"{hub.web.url}/o/r/releases/download/v1.0/t.gz", b"public")
        AssetBytes(Cache(tmp_path), partial(opened, hub, None)).fetch([origin] * 5)
        assert len(hub.storage.questions) == 1


def test_what_all_assets_lack_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no folder")
    origins = [pinned(f"http://127.0.0.1:9/{name}.gz", name.encode()) for name in ("one", "other", "third")]
    origins = [replace(origin, name=name) for origin, name in zip(origins, ("one", "other", "other"), strict=True)]
    with FakeGithub({}) as hub, pytest.raises(ReleaseError) as refused:
        AssetBytes(Cache(tmp_path / "file"), partial(opened, hub, None)).fetch(origins)
    assert str(refused.value).startswith("3 assets cannot be had: one, other: the cache could not be used")
    assert str(refused.value).count("to fix:") == 1


def test_alias_is_made_of_the_asset_and_must_be_what_is_pinned(tmp_path: Path) -> None:
    """Another collection's writer, or an edited lock file, would show here, and nothing is published."""
    content = made.archive("tar.gz", made.file("musl/tool", b"program", 0o755))
    (tmp_path / "musl.tar.gz").write_bytes(content)
    alias = Alias("gnu.tar.gz", "gnu.tar.gz", "musl.tar.gz", "0" * 64, 5)
    locked = asset((tmp_path / "musl.tar.gz").as_uri(), content)
    site = Site(tmp_path / "site")
    site.folder.mkdir()
    with pytest.raises(ReleaseError, match="would have other bytes than the lock file pins"):
        mirror_of(site, tool(locked, aliases=[alias]))
    assert not list(site.dest.rglob("gnu.tar.gz*"))


def mirror_of(site: Site, pinned: LockedTool) -> None:
    site.mirror(given(site.folder / "releases.lock.json", {"tool": pinned}))
