# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal tools are equal whatever was downloaded first, and one file cannot stand in the place of another's folder."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    read_executable,
    read_files,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

A, B = "a" * 64, "b" * 64
ASSET = LockedAsset(
    "uv-x.tar.gz",
    "https://example.org/uv-x.tar.gz",
    1000,
    A,
    "tar.gz",
    "x86_64-unknown-linux-musl",
    Requirement("linux", "x86_64", libc="static"),
    {"uvx": Executable("uv/uvx", A, 1), "uv": Executable("uv/uv", B, 2)},
    Evidence(),
    3000,
    B,
    {"share/man/man1/uv.1": "uv/uv.1"},
)


def place(value: object) -> Place:
    return Place(value, Document("releases.lock.json"))


def test_all_links_are_named_in_order() -> None:
    assert ASSET.links == ("share/man/man1/uv.1", "uv", "uvx")
    assert replace(ASSET, executables={}, files={}).links == ()


def test_assets_are_in_the_order_of_target_name_and_digest() -> None:
    first = replace(ASSET, target="aarch64-apple-darwin", name="z", sha256=B)
    second, third, fourth = replace(ASSET, name="a", sha256=B), ASSET, replace(ASSET, sha256=B)
    tool = LockedTool("1.0", {"pypi": "uv"}, (fourth, second, third, first))
    assert tool.assets == (first, second, third, fourth)
    assert tool == LockedTool("1.0", {"pypi": "uv"}, (first, third, fourth, second))


def test_a_program_is_read_with_the_digest_of_its_own_bytes() -> None:
    assert read_executable(place({"path": "uv/uv", "sha256": A, "size": 0})) == Executable("uv/uv", A, 0)
    for wrong in ({"path": "/uv"}, {"path": "../uv"}, {"sha256": "A" * 64}, {"size": -1}, {"size": True}, {"mode": 1}):
        with pytest.raises(MisfitError):
            read_executable(place({"path": "uv/uv", "sha256": A, "size": 0, **wrong}))


def test_a_file_in_the_place_of_a_folder_is_refused() -> None:
    def read(files: object) -> dict[str, str]:
        return read_files(place(files), lambda path: path.text(forms.PATH))

    assert read({"share/a": "a", "share/b/c": "c"}) == {"share/a": "a", "share/b/c": "c"}
    with pytest.raises(MisfitError, match="share/a") as caught:
        read({"share/a": "a", "share/a/b": "b"})
    assert "no other file goes through" in (caught.value.expected or "")
    for wrong in ({}, {"bin/x": "x"}, {"share/../x": "x"}, ["share/a"]):
        with pytest.raises(MisfitError):
            read(wrong)
