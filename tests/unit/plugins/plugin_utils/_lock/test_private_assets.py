# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock file says of each asset whether strangers are refused it, and that is asked once."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import STATIC, Controller

NAME = "tool-1.0-linux-x86_64"
RELEASES = {"owner/tool": [FakeRelease("v1.0", [FakeAsset(NAME, STATIC)])]}
PRIVATE = frozenset({"owner/tool"})


def resolve(github: FakeGithub, folder: Path, token: str | None, locked: LockFile | None = None, upgrade=()):
    source = {"github": "owner/tool", "api_url": github.api_url}
    text = f"""
        platforms: [linux/x86_64]
        tools: {{tool: {{source: {{github: owner/tool, api_url: "{github.api_url}"}}}}}}
    """
    controller = Controller(open_source(source, token=token), folder)
    return controller.resolve_text(text, locked, upgrade)


def pages(github: FakeGithub) -> list[str]:
    """Return what was asked of the pages, which is how hosts download."""
    return [path for path in github.web.paths if "/releases/download/" in path]


def test_a_private_asset_is_locked_with_the_address_that_takes_the_token(tmp_path):
    with FakeGithub(RELEASES, private=PRIVATE, tokens=frozenset({"good"})) as github:
        resolution = resolve(github, tmp_path, "good")
    [asset] = resolution.lock.tools["tool"].assets
    assert asset.url == f"{github.web.url}/owner/tool/releases/download/v1.0/{NAME}"
    assert asset.private_url.startswith(f"{github.api_url}/repos/owner/tool/releases/assets/")
    [note] = resolution.outcomes["tool"].notes
    assert note.startswith(f"{NAME} is private (")


@pytest.mark.parametrize("token", ["good", None])
def test_a_token_makes_nothing_private_that_is_public(tmp_path, token):
    with FakeGithub(RELEASES, tokens=frozenset({"good"})) as github:
        resolution = resolve(github, tmp_path, token)
    [asset] = resolution.lock.tools["tool"].assets
    assert asset.private_url == ""
    assert resolution.outcomes["tool"].notes == ()


def test_what_is_locked_is_not_asked_about_again(tmp_path):
    with FakeGithub(RELEASES, private=PRIVATE, tokens=frozenset({"good"})) as github:
        first = resolve(github, tmp_path, "good").lock
        assert len(pages(github)) == 1
        again = resolve(github, tmp_path, "good", first, ["all"])
        assert len(pages(github)) == 1
    assert again.lock == first
    assert again.outcomes["tool"].notes == ()
