# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path that leads nowhere is answered with the name nearest to it, in whichever folder that is."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._values.near_files import beside, beside_one


def test_a_folder_is_named_as_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "rel").mkdir()
    assert beside(tmp_path / "re") == "; did you mean rel?"


def test_of_several_places_the_first_with_a_near_name_tells(tmp_path: Path) -> None:
    (tmp_path / "role/files").mkdir(parents=True)
    (tmp_path / "role/files/pins.lock.json").touch()
    (tmp_path / "other.lock.json").touch()
    places = [str(tmp_path / folder / "pinz.lock.json") for folder in ("", "role/files", "role")]
    assert beside_one(tmp_path / "pinz.lock.json", places) == "; did you mean pins.lock.json?"


def test_a_folder_that_is_looked_into_where_it_is_there_is_not_misspelled(tmp_path: Path) -> None:
    (tmp_path / "roles").mkdir()
    places = [str(tmp_path / "files/x.json"), str(tmp_path / "x.json")]
    assert beside_one(tmp_path / "x.json", places) == ""
    (tmp_path / "locks").mkdir()
    places = [str(tmp_path / "files/lock/x.json"), str(tmp_path / "lock/x.json")]
    assert beside_one(tmp_path / "lock/x.json", places) == "; did you mean locks?"
