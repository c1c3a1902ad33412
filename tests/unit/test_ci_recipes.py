# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the recipes for CI propose newer releases, and lock what a bot asks for? Their own steps, in a real repository.

The forge is a repository on this disk, and ``gh`` writes down what it is told. What installs Ansible is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import STATIC

RECIPES = Path(__file__).parents[2] / "docs/ci"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
MISSING = [name for name in ("ansible-playbook", "bash", "git") if not shutil.which(name, path=PATH)]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {', '.join(MISSING)}")

#: Of who tests: where the collection is, and in which words programs speak.
KEPT = ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH", "LANG", "LC_ALL")
MANIFEST = "platforms: [linux/x86_64]\ntools:\n  tool: {source: {directory: ../published}, version: '%s'}\n"
GH = """\
#!/bin/sh
case "$*" in "pr create"*) [ ! -e "$GH_HAS_IT" ] || exit 1 ;; esac
printf '%s\\n' "$*" >> "$GH_TOLD"
while [ $# -gt 1 ]; do [ "$1" != --body-file ] || cat "$2" >> "$GH_TOLD"; shift; done
"""


@dataclass(frozen=True)
class Site:
    """A project with a manifest and a lock file, its clone in CI, and the forge's repository of it."""

    folder: Path

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def forge(self) -> Path:
        return self.folder / "forge.git"

    @property
    def told(self) -> str:
        """What ``gh`` was told."""
        path = self.folder / "told"
        return path.read_text() if path.exists() else ""

    def publish(self, version: str) -> None:
        folder = self.folder / "published" / version
        folder.mkdir(parents=True)
        content = STATIC + version.encode()
        (folder / "tool-linux-amd64").write_bytes(content)
        (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(content).hexdigest()}  tool-linux-amd64\n")

    def ask(self, version: str) -> None:
        (self.clone / "releases.yml").write_text(MANIFEST % version)

    def git(self, *command: str, folder: Path | None = None) -> str:
        finished = self.run(["git", *command], folder=folder)
        return finished.stdout.strip()

    def run(
        self, command: list[str], more: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        variables = {
            **{name: text for name, text in os.environ.items() if name in KEPT},
            "PATH": os.pathsep.join([str(self.folder / "bin"), PATH]),
            "HOME": str(self.folder / "home"),
            "ANSIBLE_HOME": str(self.folder / "home/ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "PINNED_RELEASE_CACHE": str(self.folder / "cache"),
            "GH_TOLD": str(self.folder / "told"),
            "GH_HAS_IT": str(self.folder / "has-it"),
            **(more or {}),
        }
        finished = subprocess.run(
            command, cwd=folder or self.clone, env=variables, capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished

    def job(self, path: str, name: str) -> None:
        """Run a job of a recipe, as its forge would."""
        {"github": self._job_of_github, "gitlab": self._job_of_gitlab}[path.partition("/")[0]](read(path), name)

    def _job_of_github(self, recipe: Mapping[str, Any], name: str) -> None:
        steps = [step for step in recipe["jobs"][name]["steps"] if "run" in step]
        assert steps[0]["name"].startswith("Install")
        for step in steps[1:]:
            given = {"github.head_ref": "bot", "github.event.pull_request.number": "7", "github.token": "secret"}
            variables = {key: given[text[3:-2].strip()] for key, text in step.get("env", {}).items()}
            places = {"RUNNER_TEMP": str(self.folder), "GITHUB_STEP_SUMMARY": str(self.folder / "step-summary")}
            self.run(["bash", "-e", "-c", step["run"]], {**variables, **places})

    def _job_of_gitlab(self, recipe: Mapping[str, Any], name: str) -> None:
        assert "pip install" in recipe[".relock"]["before_script"][0]
        variables = {
            "SUMMARY": str(self.folder / "summary.md"),
            "PROJECT": "https://forge.example.org/site/tools.git",
            "CI_SERVER_HOST": "forge.example.org",
            "CI_DEFAULT_BRANCH": "main",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "bot",
            "RELOCK_TOKEN": "secret",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{self.forge}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://forge.example.org/site/tools.git",
        }
        assert recipe[name]["extends"] == ".relock"
        for line in recipe[name]["script"]:
            self.run(["bash", "-e", "-c", line], variables)

    def locked(self, branch: str) -> str:
        """Return the version that the forge's *branch* pins."""
        text = self.git("show", f"{branch}:releases.lock.json", folder=self.forge)
        return str(json.loads(text)["tools"]["tool"]["version"])

    def message(self, branch: str) -> str:
        return self.git("log", "-1", "--format=%B", branch, folder=self.forge)


def read(path: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load((RECIPES / path).read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def _first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a project lies that has locked 1.0, and asks for 1.*; 1.1 is out."""
    site = Site(tmp_path_factory.mktemp("first"))
    for folder in ("clone", "home", "bin"):
        (site.folder / folder).mkdir()
    (site.folder / "bin/gh").write_text(GH)
    (site.folder / "bin/gh").chmod(0o755)
    site.git("init", "--quiet", "--bare", "--initial-branch=main", str(site.forge), folder=site.folder)
    site.git("config", "receive.advertisePushOptions", "true", folder=site.forge)
    site.git("init", "--quiet", "--initial-branch=main")
    site.git("remote", "add", "origin", "../forge.git")
    site.git("config", "user.name", "a")
    site.git("config", "user.email", "a@example.org")
    site.publish("1.0")
    site.ask("1.*")
    site.run(["ansible-playbook", "pinned.release.lock"])
    commit(site, "main")
    site.publish("1.1")
    return site.folder


@pytest.fixture
def site(_first: Path, tmp_path: Path) -> Site:
    """Return a copy of the project for one test."""
    return Site(shutil.copytree(_first, tmp_path / "site"))


def commit(site: Site, branch: str) -> None:
    site.git("add", "--all")
    site.git("commit", "--quiet", "--message", "Ask for it")
    site.git("push", "--quiet", "origin", f"HEAD:{branch}")


@pytest.mark.parametrize(("recipe", "job"), [("github/relock.yml", "newer"), ("gitlab/relock.yml", "relock-newer")])
def test_schedule_proposes_newer_releases_once(site: Site, recipe: str, job: str) -> None:
    site.job(recipe, job)
    assert (site.locked("main"), site.locked("relock")) == ("1.0", "1.1")
    assert site.message("relock").splitlines()[0] == "Upgrade tool 1.0 → 1.1"
    assert "| tool | 1.0 | 1.1 | minor |" in site.message("relock")
    assert site.git("rev-list", "--count", "main..relock", folder=site.forge) == "1"
    if recipe.startswith("gitlab"):
        assert_token_is_given_to_the_server_and_kept_in_no_file(site)


def assert_token_is_given_to_the_server_and_kept_in_no_file(site: Site) -> None:
    assert "secret" not in (site.clone / ".git/config").read_text()
    filled = subprocess.run(
        ["git", "credential", "fill"],
        cwd=site.clone,
        env={"PATH": PATH, "HOME": str(site.folder / "home"), "RELOCK_TOKEN": "secret"},
        input="protocol=https\nhost=forge.example.org\n\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"username=relock", "password=secret"} <= set(filled.stdout.splitlines())


@pytest.mark.parametrize(("recipe", "job"), [("github/relock.yml", "newer"), ("gitlab/relock.yml", "relock-newer")])
def test_only_what_belongs_into_git_is_proposed(site: Site, recipe: str, job: str) -> None:
    """The cookbook's bundle lies beside the lock file; a signature that nothing names any more is gone after it."""
    signature = site.clone / "releases.evidence" / ("0" * 64)
    signature.parent.mkdir()
    signature.write_text("of a version that is gone")
    commit(site, "main")
    (site.clone / "releases.vsa.jsonl").write_text("{}\n")
    (site.clone / "releases.bundle.tar").write_bytes(b"many bytes")
    site.job(recipe, job)
    changed = site.git("diff", "--no-renames", "--name-status", "main", "relock", folder=site.forge).splitlines()
    assert sorted(changed) == [
        "A\treleases.vsa.jsonl",
        f"D\treleases.evidence/{signature.name}",
        "M\treleases.components.json",
        "M\treleases.lock.json",
    ]


def test_the_guide_adds_to_git_what_the_recipes_do() -> None:
    adding = re.compile(r"git ls-files .*?pathspec-from-file=-", re.DOTALL)
    pages = ("ci/github/relock.yml", "ci/gitlab/relock.yml", "guide/bots.md")
    found = [adding.findall((RECIPES.parent / page).read_text(encoding="utf-8")) for page in pages]
    assert [len(commands) for commands in found] == [2, 2, 1]
    assert len({" ".join(command.replace("\\\n", "").split()) for commands in found for command in commands}) == 1


@pytest.mark.parametrize(("recipe", "job"), [("github/relock.yml", "newer"), ("gitlab/relock.yml", "relock-newer")])
def test_schedule_proposes_nothing_where_nothing_is_newer(site: Site, recipe: str, job: str) -> None:
    shutil.rmtree(site.folder / "published/1.1")
    site.job(recipe, job)
    assert site.git("branch", "--format=%(refname:short)", folder=site.forge) == "main"
    assert site.told == ""


def test_next_schedule_replaces_the_proposal(site: Site) -> None:
    site.job("github/relock.yml", "newer")
    assert site.told.startswith("pr create --head relock --title Upgrade tool 1.0 → 1.1 --body-file")
    assert "| tool | 1.0 | 1.1 | minor |" in site.told
    (site.folder / "has-it").touch()
    site.git("switch", "--quiet", "main")
    site.publish("1.2")
    site.job("github/relock.yml", "newer")
    assert "pr edit relock --title Upgrade tool 1.0 → 1.2 --body-file" in site.told
    assert site.locked("relock") == "1.2"
    assert site.git("rev-list", "--count", "main..relock", folder=site.forge) == "1"


@pytest.mark.parametrize(("recipe", "job"), [("github/relock.yml", "asked"), ("gitlab/relock.yml", "relock-asked")])
def test_what_a_bot_asks_for_is_locked_in_its_own_branch(site: Site, recipe: str, job: str) -> None:
    site.git("switch", "--quiet", "--create", "bot")
    site.ask("1.1")
    commit(site, "bot")
    site.job(recipe, job)
    assert (site.locked("main"), site.locked("bot")) == ("1.0", "1.1")
    assert site.message("bot").splitlines()[0] == "Upgrade tool 1.0 → 1.1"
    if recipe.startswith("github"):
        assert site.told.startswith("pr comment 7 --body-file")
        assert "| tool | 1.0 | 1.1 | minor |" in site.told
    commits = site.git("rev-list", "--count", "main..bot", folder=site.forge)
    site.job(recipe, job)
    assert site.git("rev-list", "--count", "main..bot", folder=site.forge) == commits == "2"
