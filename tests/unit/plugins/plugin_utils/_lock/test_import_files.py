# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of other tools on disk: which are read, what lies beside them, and when one must be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import import_files, importers
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import foreign_locks


def written(folder: Path, *names: str) -> list[Path]:
    """Return the paths of lock files of these *names*, which are written into *folder*."""
    for name in names:
        (folder / name).write_text(foreign_locks.text(name), encoding="utf-8")
    return [folder / name for name in names]


def test_the_digests_beside_an_aqua_yaml_are_read_with_it(tmp_path: Path) -> None:
    packages, _checksums = written(tmp_path, "aqua.yaml", "aqua-checksums.json")
    found = import_files.take_over_files([packages])
    assert len(found.digests.statements) == 4
    assert {one.origin for one in found.digests.statements} == {"aqua-checksums.json"}


def test_several_files_make_one_manifest(tmp_path: Path) -> None:
    found = import_files.take_over_files(written(tmp_path, "mise.lock", "hermes"))
    assert {entry.origin for entry in found.entries} == {"mise.lock", "hermes"}


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    found = import_files.take_over_files(written(tmp_path, "hermes") * 2)
    assert [entry.name for entry in found.entries] == ["hermes"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot read the lock file of another tool") as failure:
        import_files.take_over_files([tmp_path / "mise.lock"])
    assert (
        failure.value.fix
        == "give its path, or name another in the option import, which is import_from in the playbook lock"
    )


def test_a_file_that_is_too_long_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "mise.lock"
    with path.open("wb") as file:
        file.truncate(importers.LONGEST + 1)
    with pytest.raises(ReleaseError, match="too long to be a lock file"):
        import_files.take_over_files([path])


def test_an_export_is_changed_until_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "artifacts.lock.yaml"
    [new] = import_files.exports(LockFile(), {"hermeto": path})
    assert (new.is_changed, new.diff()["before"], new.diff()["after"]) == (True, "", new.after)
    path.write_text(new.after, encoding="utf-8")
    [same] = import_files.exports(LockFile(), {"hermeto": path})
    assert not same.is_changed


def test_a_file_that_is_written_is_told_and_one_that_stays_is_not(tmp_path: Path) -> None:
    path = tmp_path / "artifacts.lock.yaml"
    told = [
        list(import_files.Export(path, before, "new", ("a: no address",)).notes()) for before in (None, "old", "new")
    ]
    lacks = "not in artifacts.lock.yaml: a: no address"
    assert told == [["artifacts.lock.yaml: written", lacks], ["artifacts.lock.yaml: written anew", lacks], [lacks]]
