# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commit of a lock file is told if the file is as committed, and asking for it runs nothing of its repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.git_commit import commit_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
NAME = "releases.lock.json"


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgSign=false"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(["git", *who, *words], cwd=folder, env=environment, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a lock file, and a later commit of another file."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    for name in (NAME, "other"):
        (folder / name).write_text(f"{name}\n")
        git(folder, "add", name)
        git(folder, "commit", "-q", "-m", name)
    return folder


def commit(path: Path) -> str:
    return commit_of(path, path.read_bytes())


def test_it_is_the_last_commit_that_changed_the_file(repository: Path) -> None:
    assert commit(repository / NAME) == git(repository, "rev-parse", "HEAD~1")


@pytest.mark.parametrize("folder", ["", "rings/dev"])
def test_a_file_that_differs_from_its_commit_has_none(repository: Path, folder: str) -> None:
    path = repository / folder / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed\n")
    assert commit(path) == ""
    git(repository, "add", str(path))
    assert commit(path) == ""
    git(repository, "commit", "-q", "-m", "change")
    assert commit(path) == git(repository, "rev-parse", "HEAD")


def test_a_file_outside_of_a_repository_and_one_without_a_commit_have_none(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("x")
    assert commit(tmp_path / NAME) == ""
    git(tmp_path, "init", "-q")
    assert commit(tmp_path / NAME) == ""


def test_the_environment_of_another_repository_does_not_count(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert commit(repository / NAME) != ""


@pytest.mark.parametrize("name", [":(top)x", "-x", "*", "a b"])
def test_any_name_is_that_of_a_file(repository: Path, name: str) -> None:
    (repository / name).write_text("named\n")
    git(repository, "add", "--", f":(literal){name}")
    git(repository, "commit", "-q", "-m", "name")
    assert commit(repository / name) == git(repository, "rev-parse", "HEAD")


def test_nothing_that_the_repository_names_is_run(repository: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {canary}\n')
    program.chmod(0o755)
    hooks = repository / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(program, hooks / hook)
    (repository / ".gitattributes").write_text("* filter=evil diff=evil\n")
    expected = git(repository, "rev-parse", "HEAD~1")
    for key, value in {
        "core.fsmonitor": program,
        "core.pager": program,
        "core.sshCommand": program,
        "core.hooksPath": hooks,
        "filter.evil.clean": program,
        "filter.evil.smudge": program,
        "diff.evil.textconv": program,
        "diff.external": program,
        "log.showSignature": "true",
        "gpg.program": program,
        "alias.rev-parse": f"!{program}",
        "remote.origin.url": f"ext::{program}",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "protocol.ext.allow": "always",
        "credential.helper": f"!{program}",
    }.items():
        git(repository, "config", key, str(value))
    # The last command of these ran what the configuration names, as it does for everybody.
    canary.unlink(missing_ok=True)
    assert commit(repository / NAME) == expected
    # An object that lacks would be fetched from the promisor.
    head = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / ".git/objects" / head[:2] / head[2:]).unlink()
    canary.unlink(missing_ok=True)
    assert commit(repository / NAME) == ""
    assert not canary.exists()
