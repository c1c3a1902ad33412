# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout says once a run that its lock file does not answer the manifest beside it; no manifest makes it fail."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, manifest, stale_lock
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile as lockfiles
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils._lock.test_answers import ASKED, LOCK

SHA256 = hashlib.sha256(lockfiles.emit(LOCK).encode()).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache") / "pinned.release"
    monkeypatch.setenv("PINNED_RELEASE_CACHE", str(folder))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def warning(folder: Path, run: Path, lockfile: str = "releases.lock.json") -> str | None:
    return stale_lock.warning(folder / lockfile, LOCK, SHA256, run)


def test_a_lock_that_answers_its_manifest_is_not_spoken_of(tmp_path: Path, run: Path) -> None:
    (tmp_path / "releases.yml").write_text(ASKED)
    assert warning(tmp_path, run) is None


def test_all_that_differs_is_one_line_with_the_command_that_locks_anew(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ASKED.replace('"0.9.*"', '"0.10.*"').replace("jq:", "fd:", 1)
    (tmp_path / "releases.yml").write_text(asked)
    assert warning(tmp_path, run) == (
        f"{tmp_path}/releases.lock.json does not answer {tmp_path}/releases.yml: fd: asked version 1.7.1, locked "
        "nothing; jq: asked nothing, locked version 1.7.1; uv: asked version 0.10.*, locked version 0.9.*. What is "
        "locked is rolled out. To lock anew: ansible-playbook pinned.release.lock"
    )


def test_it_is_looked_at_once_a_run_until_one_of_the_files_changes(tmp_path: Path, run: Path) -> None:
    beside = tmp_path / "releases.yml"
    beside.write_text(ASKED.replace("0.9", "0.10"))
    assert warning(tmp_path, run)
    assert warning(tmp_path, run) is None
    beside.write_text(ASKED.replace("0.9", "0.11"))
    assert "0.11" in str(warning(tmp_path, run))
    assert stale_lock.warning(tmp_path / "releases.lock.json", LOCK, "0" * 64, run)
    assert warning(tmp_path, another(tmp_path))


def refuse_to_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(text: str, name: str) -> None:
        raise AssertionError("the manifest was taken apart")

    monkeypatch.setattr(manifest, "parse", parse)


def another(tmp_path: Path) -> Path:
    """Return the folder of another run."""
    run = tmp_path / "another"
    run.mkdir()
    return run


@pytest.mark.parametrize("is_first", ["lock", "rollout"])
def test_a_manifest_that_is_known_to_be_answered_is_not_taken_apart(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch, is_first: str
) -> None:
    (tmp_path / "releases.yml").write_text(ASKED)
    if is_first == "lock":
        stale_lock.note_answer(tmp_path / "releases.lock.json", SHA256, ASKED)
    else:
        assert warning(tmp_path, run) is None
    refuse_to_parse(monkeypatch)
    assert warning(tmp_path, another(tmp_path)) is None


def test_a_note_of_other_files_is_not_believed(tmp_path: Path, run: Path) -> None:
    (tmp_path / "releases.yml").write_text(ASKED.replace("0.9", "0.10"))
    stale_lock.note_answer(tmp_path / "releases.lock.json", SHA256, ASKED)
    assert warning(tmp_path, run)
    stale_lock.note_answer(tmp_path / "releases.lock.json", "0" * 64, ASKED.replace("0.9", "0.10"))
    assert warning(tmp_path, another(tmp_path))


def test_where_there_is_no_cache_that_can_be_trusted_the_manifest_is_taken_apart(
    tmp_path: Path, run: Path, cache: Path
) -> None:
    (tmp_path / "releases.yml").write_text(ASKED.replace("0.9", "0.10"))
    stale_lock.note_answer(tmp_path / "releases.lock.json", SHA256, ASKED.replace("0.9", "0.10"))
    assert warning(tmp_path, run) is None
    cache.chmod(0o777)
    assert warning(tmp_path, another(tmp_path))


def test_where_nothing_can_be_noted_it_is_said_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "releases.yml").write_text(ASKED.replace("0.9", "0.10"))
    assert warning(tmp_path, tmp_path / "nowhere")
    assert warning(tmp_path, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("lockfile", "beside", "is_its_manifest"),
    [
        ("releases.lock.json", "releases.yml", True),
        ("releases.lock.json", "releases.yaml", True),
        ("prod.lock.json", "prod.yml", True),
        ("prod.lock.json", "releases.yml", False),
        ("pins.json", "releases.yml", False),
        ("releases.lock.json", "other.yml", False),
    ],
)
def test_the_manifest_is_the_file_of_the_same_name_beside_it(
    tmp_path: Path, run: Path, lockfile: str, beside: str, is_its_manifest: bool
) -> None:
    (tmp_path / beside).write_text(ASKED.replace("0.9", "0.10"))
    assert (warning(tmp_path, run, lockfile) is not None) == is_its_manifest


@pytest.mark.parametrize("text", ["tools: [", "tools: {}\n", "", "a: b: c\n\tx", "\x00", "{{ vault }}"])
def test_a_manifest_that_cannot_be_read_is_told_and_not_raised(tmp_path: Path, run: Path, text: str) -> None:
    (tmp_path / "releases.yml").write_text(text)
    told = str(warning(tmp_path, run))
    assert told.startswith(f"cannot tell whether {tmp_path}/releases.lock.json answers the manifest beside it: ")
    assert "releases.yml" in told
    assert "\n" not in told


def test_a_manifest_that_is_a_folder_or_no_text_is_told(tmp_path: Path, run: Path) -> None:
    beside = tmp_path / "releases.yml"
    beside.mkdir()
    assert "a folder" in str(warning(tmp_path, run))
    beside.rmdir()
    beside.write_bytes(b"\xff\xfe")
    assert "readable UTF-8" in str(warning(tmp_path, run))


def test_of_many_tools_with_one_difference_it_is_said_once(tmp_path: Path, run: Path) -> None:
    more = "".join(f"  tool{number}: {{source: {{pypi: x}}}}\n" for number in range(12))
    (tmp_path / "releases.yml").write_text(ASKED + more)
    assert "tool7 and 2 more: asked version any, locked nothing." in str(warning(tmp_path, run))


def test_the_refusal_names_the_tools_what_is_asked_and_what_is_locked(tmp_path: Path) -> None:
    found = answers.differences(LOCK, manifest.parse(ASKED.replace("0.9", "0.10")))
    error = stale_lock.refusal(found, tmp_path / "releases.lock.json", tmp_path / "releases.yml")
    assert error.what == f"{tmp_path}/releases.lock.json does not answer {tmp_path}/releases.yml: uv"
    assert (error.expected, error.found) == ("uv: version 0.10.*", "uv: version 0.9.*")
    assert str(error.fix).startswith("lock anew, and commit the lock file: ansible-playbook pinned.release.lock")


@pytest.mark.parametrize(
    ("lockfile", "beside", "more"),
    [
        ("releases.lock.json", "releases.yml", ""),
        ("prod.lock.json", "prod.yml", " -e manifest=prod.yml"),
        ("pins.json", "releases.yml", " -e lockfile=pins.json"),
        ("sub/releases.lock.json", "sub/releases.yml", " -e manifest=sub/releases.yml"),
        ("a b.lock.json", "a b.yml", """ -e '{"manifest": "a b.yml"}'"""),
        ("../releases.lock.json", "../releases.yml", " -e manifest=/{above}/releases.yml"),
    ],
)
def test_the_command_names_only_what_is_not_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lockfile: str, beside: str, more: str
) -> None:
    monkeypatch.chdir(tmp_path)
    places = [(tmp_path / name).resolve() for name in (lockfile, beside)]
    expected = more.replace("/{above}", str(tmp_path.parent))
    assert stale_lock.command(*places) == f"ansible-playbook pinned.release.lock{expected}"


def test_no_library_of_the_sources_is_imported_for_a_lock_that_was_looked_at() -> None:
    """Each import of a worker is paid once a host."""
    look = "import sys; import ansible_collections.pinned.release.plugins.plugin_utils._lock.stale_lock"
    look += "; print([name for name in sys.modules if name.partition('.')[0] in ('requests', 'pypi_simple')])"
    importable = [str(Path(stale_lock.__file__).parents[6]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(importable)}
    done = subprocess.run([sys.executable, "-c", look], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
