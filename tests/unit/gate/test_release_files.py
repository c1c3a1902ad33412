# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a release consist of, and when is none made? In a small collection of its own, built by Ansible."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests.gate import release
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ARCHIVE, SBOM = "pinned-release-1.2.3.tar.gz", "pinned-release-1.2.3.cdx.json"
GALAXY = """\
namespace: pinned
name: release
version: 1.2.3
readme: README.md
authors: [somebody]
license: [GPL-3.0-or-later]
build_ignore: [.gitignore]
repository: https://example.org/pinned/release
"""
FILES = {
    "galaxy.yml": GALAXY,
    "README.md": "# pinned.release\n",
    ".gitignore": "*.secret\n",
    "meta/runtime.yml": 'requires_ansible: ">=2.16.0"\n',
    "requirements.txt": '# A comment.\nPyYAML\nsemver >= 3\ntomli ; python_version < "3.11"\n',
    "changelogs/changelog.yaml": "releases:\n  1.2.3: {release_date: '2026-11-29'}\n",
}


def git(clone: Path, *command: str) -> None:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *author, *command], cwd=clone, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(clone: Path) -> None:
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "change")


def test_release_is_an_archive_its_bill_of_materials_and_their_digests(clone: Path) -> None:
    files = release.release(clone)
    assert sorted(files) == ["SHA256SUMS", SBOM, ARCHIVE]
    listed = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert listed == {name: hashlib.sha256(files[name]).hexdigest() for name in (SBOM, ARCHIVE)}


def test_archive_holds_what_is_committed_and_nothing_that_lies_about(clone: Path) -> None:
    (clone / "token.secret").write_text("secret")
    with tarfile.open(fileobj=io.BytesIO(release.release(clone)[ARCHIVE])) as archive:
        names = {member.name for member in archive if member.isfile()}
    assert names == {"MANIFEST.json", "FILES.json", *FILES} - {"galaxy.yml", ".gitignore"}


def test_two_clones_of_a_commit_make_the_same_bytes(clone: Path, tmp_path: Path) -> None:
    again = tmp_path / "another"
    git(tmp_path, "clone", "--quiet", str(clone), str(again))
    for path in again.rglob("*.*"):
        path.chmod(0o700)
    git(again, "config", "core.fileMode", "false")
    assert release.release(again) == release.release(clone)


def test_bill_of_materials_is_valid_and_names_the_archive_and_all_that_it_needs(clone: Path) -> None:
    files = release.release(clone)
    text = files[SBOM].decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    root = document["metadata"]["component"]
    assert root["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(files[ARCHIVE]).hexdigest()}]
    told = {one["name"]: [text["value"] for text in one.get("properties", [])] for one in document["components"]}
    assert told == {
        "ansible-core": [">=2.16.0"],
        "PyYAML": [],
        "semver": [">=3"],
        "tomli": ['python_version < "3.11"'],
    }
    (needs,) = (one["dependsOn"] for one in document["dependencies"] if one["ref"] == root["bom-ref"])
    assert needs == sorted(told)


def test_time_of_a_release_is_that_of_its_commit_or_what_the_user_says(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=clone, check=True, capture_output=True, text=True)
    assert release.moment(clone).timestamp() == int(asked.stdout)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert json.loads(release.release(clone)[SBOM])["metadata"]["timestamp"] == "2001-09-09T01:46:40+00:00"


@pytest.mark.parametrize("path", ["README.md", "new.md"])
def test_what_is_not_committed_is_not_released(clone: Path, path: str) -> None:
    (clone / path).write_text("changed")
    with pytest.raises(release.NotReleasableError, match=path):
        release.release(clone)


def test_release_without_a_change_log_is_not_made(clone: Path) -> None:
    (clone / "galaxy.yml").write_text(GALAXY.replace("1.2.3", "1.2.4"))
    commit(clone)
    with pytest.raises(release.NotReleasableError, match=r"no release 1\.2\.4"):
        release.release(clone)
