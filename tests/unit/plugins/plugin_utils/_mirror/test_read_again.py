# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in releases/ of a mirror can be locked from there, with the digests that the mirror states."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import claims
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import Site, asset, given, sha256, tool
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.static_servers import SERVERS, serving


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture(params=SERVERS)
def served(site: Site, request: pytest.FixtureRequest) -> Iterator[str]:
    site.dest.mkdir()
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(serving(site.dest, request.param))


def test_mirror_is_a_source_of_its_own(site: Site, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name, content in (("tool-linux-x86_64.gz", b"x"), ("tool-linux-aarch64.gz", b"y")):
        (site.folder / name).write_bytes(content)
    assets = [
        asset((site.folder / name).as_uri(), (site.folder / name).read_bytes())
        for name in ("tool-linux-x86_64.gz", "tool-linux-aarch64.gz")
    ]
    site.mirror(given(site.folder / "releases.lock.json", {"tool": tool(*assets, version="1.2.3")}))
    source = open_source({"directory": f"{served}/releases/tool/"}, cache_root=site.folder / "listings")
    [release] = source.releases()
    release = release.completed()
    assert release.version == "1.2.3"
    reader = Cache(site.folder / "other").reader(source.session)
    stated = {
        one.name: claims.collect(one, release, reader).claims[0].value
        for one in release.assets
        if one.name.endswith(".gz")
    }
    assert stated == {"tool-linux-x86_64.gz": sha256(b"x"), "tool-linux-aarch64.gz": sha256(b"y")}
