# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of a collection is one that ansible-galaxy installs, and the same from a clone and once installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import collection_archive, python_packages

GALAXY = """\
namespace: little
name: thing
version: 1.2.3
readme: README.md
authors: [somebody]
description: A collection for a test.
license: [GPL-3.0-or-later]
repository: https://example.org/little
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    (folder / "plugins/filter").mkdir(parents=True)
    (folder / "galaxy.yml").write_text(GALAXY)
    (folder / "README.md").write_text("# Little\n")
    (folder / "docs").mkdir()
    (folder / "docs/readme.md").symlink_to("../README.md")
    (folder / "plugins/filter/twice.py").write_text("# nothing\n")
    return folder


def install(archive: collection_archive.CollectionArchive, folder: Path) -> Path:
    """Return where ansible-galaxy installs the archive. It asks nobody."""
    folder.mkdir()
    (folder / archive.name).write_bytes(archive.content)
    command = [
        sys.executable,
        "-m",
        "ansible.cli.galaxy",
        "collection",
        "install",
        "--offline",
        archive.name,
        "-p",
        ".",
    ]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder / "ansible_collections/little/thing"


def test_archive_of_a_clone_installs_and_is_the_same_from_there(clone: Path, tmp_path: Path) -> None:
    archive = collection_archive.archive(clone)
    assert archive.name == "little-thing-1.2.3.tar.gz"
    installed = install(archive, tmp_path / "there")
    assert (installed / "plugins/filter/twice.py").read_text() == "# nothing\n"
    assert (installed / "docs/readme.md").read_text() == "# Little\n"
    assert collection_archive.archive(installed) == archive


def test_installed_file_that_was_changed_is_told(clone: Path, tmp_path: Path) -> None:
    installed = install(collection_archive.archive(clone), tmp_path / "there")
    (installed / "README.md").write_text("changed")
    with pytest.raises(ReleaseError, match=r"README\.md of this collection is not as it was built"):
        collection_archive.archive(installed)


@pytest.mark.parametrize("files", ["[]", "no JSON", '{"files": [{"name": "../x", "ftype": "file"}]}', '{"files": 3}'])
def test_listing_that_says_nothing_is_told(clone: Path, tmp_path: Path, files: str) -> None:
    (clone / "MANIFEST.json").write_text(json.dumps({"collection_info": {}, "file_manifest_file": {}}))
    (clone / "FILES.json").write_text(files)
    with pytest.raises(ReleaseError, match="does not say what it consists of"):
        collection_archive.archive(clone)


def test_clone_that_cannot_be_built_is_told(clone: Path) -> None:
    (clone / "galaxy.yml").write_text("namespace: little\n")
    with pytest.raises(ReleaseError, match="cannot build the collection"):
        collection_archive.archive(clone)


def test_requirements_name_packages_and_no_server() -> None:
    lines = python_packages.requirements().splitlines()
    assert lines[0].startswith("# The wheels beside this file are for ")
    assert lines[1].startswith("ansible-core==2.")
    assert "requests" in lines
    assert not any("://" in line for line in lines)
