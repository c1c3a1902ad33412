# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release knows its files by name, and asks its publisher only for what it does not list."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release

ASSET, SUMS, SIGNATURE = (Asset(name, f"https://example.org/{name}") for name in ("uv.tar.gz", "SUMS", "SUMS.minisig"))


def test_a_listed_file_is_known_without_asking() -> None:
    def ask(name: str) -> Asset:
        pytest.fail(f"asked for {name}")

    release = Release("1.0", (ASSET,), sums=(SUMS,), beside=ask)
    assert release.file("uv.tar.gz") is ASSET
    assert release.file("SUMS") is SUMS


def test_another_file_is_asked_for_by_its_name() -> None:
    release = Release("1.0", (ASSET,), beside={"SUMS.minisig": SIGNATURE}.get)
    assert release.file("SUMS.minisig") is SIGNATURE
    assert release.file("uv.tar") is None
    assert Release("1.0", (ASSET,)).file("SUMS") is None


def test_how_the_publisher_is_asked_makes_no_other_release() -> None:
    release = Release("1.0", (ASSET,), beside=lambda name: SUMS)
    assert release == Release("1.0", (ASSET,))
    assert release != Release("1.0", (ASSET,), is_yanked=True)


def test_unless_a_source_says_otherwise_a_release_is_whole_public_and_final() -> None:
    release = Release("1.0", (ASSET,))
    assert not any([release.is_prerelease, release.is_yanked, release.is_partial])
