# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is alike for all hosts is found out once a run, and what another run or another user kept is not believed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import found_before, lock_reader, lockfile, signers
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Released, locked
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey

TEXT = lockfile.emit(LockFile(platforms=("linux/x86_64",)))
ALICE, BOB = SshKey("alice"), SshKey("bob")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir(0o700)
    return folder


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "releases.lock.json"
    path.write_text(TEXT)
    return path


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were taken apart, one after the other."""
    texts = []
    parse = lock_reader.parse

    def counting(text: str, name: str) -> LockFile:
        texts.append(text)
        return parse(text, name)

    monkeypatch.setattr(lock_reader, "parse", counting)
    return texts


def signed_by(key: SshKey) -> signers.Signers | None:
    return signers.read({"keys": [key.public]})


class Marked:
    """What leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


def test_all_hosts_of_a_run_get_what_the_first_read(lock: Path, run: Path, parsed: list[str]) -> None:
    first = lock_reader.read_for_hosts(lock, None, run)
    assert lock_reader.read_for_hosts(lock, None, run) == first == lock_reader.read_for_hosts(lock)
    assert len(parsed) == 2  # the last one named no run


def test_what_depends_on_other_things_is_found_out_anew(run: Path) -> None:
    def find_out(number: int, run_folder: Path | None, *about: object) -> int:
        return found_before.once(run_folder, int, lambda: number, *about)

    assert find_out(1, run, "one") == 1
    assert find_out(2, run, "one") == 1
    assert find_out(2, run, "two") == 2
    assert find_out(3, None, "one") == 3
    assert found_before.once(run, str, lambda: "of another kind", "one") == "of another kind"


def test_tools_are_read_when_they_are_looked_at(lock: Path, run: Path, tmp_path: Path) -> None:
    lock.write_text(lockfile.emit(LockFile(("linux/x86_64",), {"hello": locked(Released(tmp_path))})))
    whole = lock_reader.read_for_hosts(lock, None, run)[0]
    again = lock_reader.read_for_hosts(lock, None, run)[0]
    [kept] = run.glob("*-dict-*")
    moved = kept.rename(tmp_path / "moved")
    assert list(again.tools) == ["hello"]
    with pytest.raises(ReleaseError, match=f"what this run keeps in {run} is gone"):
        again.tools["hello"]
    moved.rename(kept)
    assert again == whole
    with pytest.raises(KeyError):
        again.tools["hallo"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_where_nothing_can_be_kept_everybody_reads(lock: Path, run: Path, parsed: list[str]) -> None:
    run.chmod(0o500)
    for _host in range(2):
        assert lock_reader.read_for_hosts(lock, None, run)[0].platforms == ("linux/x86_64",)
    assert len(parsed) == 2


def test_what_is_pinned_is_digested_once_a_run(
    lock: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock.write_text(lockfile.emit(LockFile(("linux/x86_64",), {"hello": locked(Released(tmp_path))})))
    first = lock_reader.read_for_hosts(lock, None, run)[0].tools["hello"].assets_sha256
    assert first == lock_reader.read_for_hosts(lock)[0].tools["hello"].assets_sha256
    monkeypatch.setattr(LockedAsset, "__repr__", None)
    assert lock_reader.read_for_hosts(lock, None, run)[0].tools["hello"].assets_sha256 == first


def test_another_text_another_place_and_another_run_are_read(
    lock: Path, run: Path, tmp_path: Path, parsed: list[str]
) -> None:
    lock_reader.read_for_hosts(lock, None, run)
    elsewhere, other_run = tmp_path / "elsewhere", tmp_path / "other"
    elsewhere.mkdir()
    other_run.mkdir(0o700)
    lock_reader.read_for_hosts(Path(lock.rename(elsewhere / lock.name)), None, run)
    lock_reader.read_for_hosts(elsewhere / lock.name, None, other_run)
    (elsewhere / lock.name).write_text(TEXT + "\n")
    lock_reader.read_for_hosts(elsewhere / lock.name, None, run)
    assert len(parsed) == 4


def test_a_lock_that_is_refused_is_refused_for_each_host(lock: Path, run: Path) -> None:
    lock.write_text(TEXT.replace('"lock_version": 1', '"lock_version": 99'))
    for _host in range(2):
        with pytest.raises(ReleaseError, match="has lock_version 99"):
            lock_reader.read_for_hosts(lock, None, run)


def test_a_lock_is_checked_once_and_what_nobody_checked_is_checked(lock: Path, run: Path) -> None:
    checked: list[LockFile] = []
    first = lock_reader.read_for_hosts(lock, None, run)[0]
    for _host in range(2):
        assert lock_reader.read_for_hosts(lock, None, run, checked.append)[0] == first
    assert checked == [first]


def test_a_lock_that_fails_its_check_fails_it_for_each_host(lock: Path, run: Path) -> None:
    def refuse(_lock: LockFile) -> None:
        raise ReleaseError("not to be used")

    for _host in range(2):
        with pytest.raises(ReleaseError, match="not to be used"):
            lock_reader.read_for_hosts(lock, None, run, refuse)


def test_what_was_read_unsigned_or_for_other_signers_counts_for_nobody_else(lock: Path, run: Path) -> None:
    lock_reader.read_for_hosts(lock, None, run)
    lock.with_name(f"{lock.name}.sig").write_bytes(ALICE.sign(TEXT.encode(), b"pinned.release"))
    lock_reader.read_for_hosts(lock, signed_by(ALICE), run)
    with pytest.raises(ReleaseError, match="is not signed by enough of lock_signers"):
        lock_reader.read_for_hosts(lock, signed_by(BOB), run)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o750])
def test_nothing_is_believed_in_a_folder_of_others(
    lock: Path, run: Path, parsed: list[str], tmp_path: Path, mode: int
) -> None:
    lock_reader.read_for_hosts(lock, None, run)
    for kept in run.iterdir():
        kept.write_bytes(pickle.dumps(Marked(tmp_path / "mark")))
    run.chmod(mode)
    assert lock_reader.read_for_hosts(lock, None, run)[0].platforms == ("linux/x86_64",)
    assert len(parsed) == 2
    assert not (tmp_path / "mark").exists()


def test_nothing_is_kept_in_a_folder_of_others_or_where_there_is_none(lock: Path, run: Path) -> None:
    run.chmod(0o777)
    lock_reader.read_for_hosts(lock, None, run)
    assert not list(run.iterdir())
    assert lock_reader.read_for_hosts(lock, None, run / "missing")[0].platforms == ("linux/x86_64",)


def test_a_link_is_not_followed(lock: Path, run: Path, parsed: list[str], tmp_path: Path) -> None:
    lock_reader.read_for_hosts(lock, None, run)
    for kept in list(run.iterdir()):
        kept.rename(tmp_path / kept.name)
        kept.symlink_to(tmp_path / kept.name)
    lock_reader.read_for_hosts(lock, None, run)
    assert len(parsed) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_not_believed(lock: Path, run: Path, parsed: list[str]) -> None:
    lock_reader.read_for_hosts(lock, None, run)
    os.chown(run, 65534, -1)
    lock_reader.read_for_hosts(lock, None, run)
    assert len(parsed) == 2
