# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An editor is told of a schema that is in the same project as the manifest, and of no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._asset.programs import NoProgramError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import importers, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.editor_line import editor_line
from ansible_collections.pinned.release.plugins.plugin_utils._lock.import_files import Asked, settled
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.takeover import take_over

INSTALLED = "collections/ansible_collections/pinned/release/docs/schema/releases.schema.json"
FIXTURES = Path(__file__).parents[3] / "fixtures/importers"


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / INSTALLED
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    return path


def test_collection_beside_the_manifest_is_named_by_a_path_that_each_clone_has(tmp_path: Path, schema: Path) -> None:
    line = editor_line(tmp_path / "releases.yml", schema)
    assert line == f"# yaml-language-server: $schema={INSTALLED}\n"


def test_manifest_in_a_folder_of_the_repository_names_the_way_up(tmp_path: Path, schema: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "rings/dev").mkdir(parents=True)
    line = editor_line(tmp_path / "rings/dev/releases.yml", schema)
    assert line == f"# yaml-language-server: $schema=../../{INSTALLED}\n"


def test_collection_in_the_home_of_somebody_is_not_named(tmp_path: Path, schema: Path) -> None:
    """Others who clone the manifest have no such path."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    assert editor_line(project / "releases.yml", schema) == ""


def test_collection_in_a_hidden_folder_is_not_named_though_the_whole_home_is_in_git(
    tmp_path: Path, schema: Path
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "collections").rename(tmp_path / ".ansible")
    hidden = tmp_path / ".ansible" / schema.relative_to(tmp_path / "collections")
    assert hidden.is_file()
    assert editor_line(tmp_path / "work/releases.yml", hidden) == ""


def test_collection_without_its_docs_is_not_named(tmp_path: Path, schema: Path) -> None:
    schema.unlink()
    assert editor_line(tmp_path / "releases.yml", schema) == ""


def test_line_stays_when_the_manifest_is_written_again(tmp_path: Path) -> None:
    taken = take_over(importers.read({"mise.lock": (FIXTURES / "mise.lock").read_text(encoding="utf-8")}))
    line = "# yaml-language-server: $schema=x.json\n"
    asked = Asked(tmp_path / "releases.yml", line + taken.text, taken, is_new=True)
    known = settled(asked, manifest.parse(asked.text), no_program)
    assert known.taken is not None
    assert known.taken.text != taken.text
    assert known.text == line + known.taken.text


def no_program(_manifest: Manifest) -> None:
    raise NoProgramError("it holds no program")
