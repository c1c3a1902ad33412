# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the controller keeps what it fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PINNED_RELEASE_CACHE": "/srv/cache"}, "/srv/cache"),
        ({"PINNED_RELEASE_CACHE": "~/elsewhere"}, "/home/somebody/elsewhere"),
        ({"XDG_CACHE_HOME": "/var/cache/me"}, "/var/cache/me/pinned.release"),
        ({"XDG_CACHE_HOME": "relative/is/ignored"}, "/home/somebody/.cache/pinned.release"),
        ({}, "/home/somebody/.cache/pinned.release"),
    ],
)
def test_the_cache_lies_where_the_environment_says(monkeypatch, environment, expected):
    for name in ("PINNED_RELEASE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert folders.default_cache_root() == Path(expected)


def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch):
    for name in ("PINNED_RELEASE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def fail(path):
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "expanduser", fail)
    with pytest.raises(ReleaseError, match="PINNED_RELEASE_CACHE"):
        folders.default_cache_root()


def test_every_folder_that_is_created_is_for_this_user_alone(tmp_path):
    made = folders.private_folder(tmp_path / "a" / "b", "c")
    assert made == tmp_path / "a" / "b" / "c"
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b", "a/b/c")] == [0o700] * 3


def test_to_look_for_a_folder_creates_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        folders.private_folder(tmp_path / "a", "b", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_is_written_with_the_permissions_asked_for(tmp_path, mode):
    folders.write_atomically(tmp_path / "file", b"content", mode=mode)
    assert ((tmp_path / "file").read_bytes(), (tmp_path / "file").stat().st_mode & 0o777) == (b"content", mode)


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"before")
    monkeypatch.setattr(folders.os, "replace", lambda *paths: (nothing for nothing in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        folders.write_atomically(tmp_path / "file", b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"before"
