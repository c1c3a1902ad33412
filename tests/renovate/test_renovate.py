# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does Renovate find the tools of a manifest, and raise their versions? Its own package, on a manifest of each form.

``make test-renovate`` installs Renovate and runs this. Nothing is asked outside of this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from ansible_collections.pinned.release.tests.gate import renovate

NODE, PACKAGE = os.environ.get("RENOVATE_NODE", ""), os.environ.get("RENOVATE_PACKAGE", "")
pytestmark = pytest.mark.skipif(not NODE or not PACKAGE, reason="it takes Renovate: make test-renovate")

APPLY = Path(__file__).with_name("apply.mjs")
CATALOGUE = {
    "uv": {"source": {"pypi": "uv"}, "description": "…"},
    "kubectl": {
        "source": {
            "http": "https://dl.example.org/v{version}/{os}/{arch}",
            "versions": {"github": "kubernetes/kubernetes"},
        }
    },
    "terraform": {
        "source": {"http": "https://dl.example.org/{version}", "versions": {"http": "https://dl.example.org"}}
    },
}
MANIFEST = """\
# A note about 0.9.*, which is no version.
platforms: [linux/x86_64]
policy: {minimum_age: 3d}
tools:
  other: "pypi:other@0.9.*"
  uv: "0.9.*"
  kubectl: {version: "1.34.*", executables: [kubectl]}
  ruff: "pypi:ruff@0.17.*"
  biome: "npm:@biomejs/biome@2.6.8"
  jq: "github:jqlang/jq@1.7.*"
  flow: {source: {github: owner/flow}, version: "1.7.*"}
  block:
    source:
      github: owner/block
      tag: "cli/v{version}"
    version: ">=1.2,<2"
  enterprise: {source: {github: a/b, api_url: "https://ghe.example.org/api/v3"}, version: "1.0"}
  terraform: "1.13.*"
  folder: {source: {directory: releases}, version: "1.0.0"}
  any: "pypi:any"
"""
GITHUB, PYPI, NPM = "github-releases", "pypi", "npm"
FOUND = {
    "other": (PYPI, "other", "0.9.*"),
    "uv": (PYPI, "uv", "0.9.*"),
    "kubectl": (GITHUB, "kubernetes/kubernetes", "1.34.*"),
    "ruff": (PYPI, "ruff", "0.17.*"),
    "biome": (NPM, "@biomejs/biome", "2.6.8"),
    "jq": (GITHUB, "jqlang/jq", "1.7.*"),
    "flow": (GITHUB, "owner/flow", "1.7.*"),
    "block": (GITHUB, "owner/block", ">=1.2,<2"),
    "enterprise": (GITHUB, "a/b", "1.0"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with a manifest and the configuration, as somebody copies it."""
    configuration = renovate.CONFIGURATION.read_text(encoding="utf-8")
    (tmp_path / "renovate.json5").write_text(renovate.with_catalogue(configuration, CATALOGUE), encoding="utf-8")
    (tmp_path / "releases.yml").write_text(MANIFEST)
    return tmp_path


def apply(project: Path, newer: dict[str, tuple[str, str]]) -> Any:
    """Return what Renovate does where these tools have a newer version than what they have now."""
    command = [NODE, APPLY, PACKAGE, project / "renovate.json5", project / "releases.yml", json.dumps(newer)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def log(project: Path, *options: str) -> list[dict[str, Any]]:
    """Return what Renovate logs of a dry run in the folder *project*."""
    for command in ("init --quiet", "add --all", "-c user.name=a -c user.email=a@example.org commit --quiet -m all"):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    # re2 is compiled when it is installed, which make test-renovate leaves out.
    variables = {"LOG_LEVEL": "debug", "LOG_FORMAT": "json", "RENOVATE_X_IGNORE_RE2": "true", "HOME": str(project)}
    command = [NODE, f"{PACKAGE}/dist/renovate.js", "--platform=local", "--onboarding=false", *options]
    environment = {"PATH": os.environ["PATH"], "RENOVATE_BASE_DIR": str(project / ".base"), **variables}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_renovate_takes_the_configuration(project: Path) -> None:
    command = [NODE, f"{PACKAGE}/dist/config-validator.js", "--strict", "--no-global", "renovate.json5"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_renovate_finds_each_tool_whose_releases_it_can_ask_for(project: Path) -> None:
    (told,) = [line for line in log(project, "--dry-run=extract") if line["msg"] == "Extracted dependencies"]
    (file,) = told["packageFiles"]["jsonata"]
    assert file["packageFile"] == "releases.yml"
    found = {dep["depName"]: (dep["datasource"], dep["packageName"], dep["currentValue"]) for dep in file["deps"]}
    assert found == FOUND
    enterprise = next(dep for dep in file["deps"] if dep["depName"] == "enterprise")
    assert enterprise["registryUrls"] == ["https://ghe.example.org/"]
    block = next(dep for dep in file["deps"] if dep["depName"] == "block")
    assert block["extractVersion"] == "^cli/v(?<version>.+)$"


@pytest.mark.parametrize(
    ("tool", "now", "newest", "line"),
    [
        ("uv", "0.9.8", "0.10.1", '  uv: "0.10.*"'),
        ("kubectl", "1.34.2", "1.35.0", '  kubectl: {version: "1.35.*", executables: [kubectl]}'),
        ("ruff", "0.17.6", "0.18.0", '  ruff: "pypi:ruff@0.18.*"'),
        ("biome", "2.6.8", "2.7.0", '  biome: "npm:@biomejs/biome@2.7.0"'),
        ("jq", "1.7.1", "1.8.1", '  jq: "github:jqlang/jq@1.8.*"'),
        ("flow", "1.7.1", "1.8.0", '  flow: {source: {github: owner/flow}, version: "1.8.*"}'),
        ("block", "1.9.9", "2.1.0", '    version: ">=1.2,<3"'),
        (
            "enterprise",
            "1.0",
            "1.1",
            '  enterprise: {source: {github: a/b, api_url: "https://ghe.example.org/api/v3"}, version: "1.1"}',
        ),
    ],
)
def test_renovate_raises_the_version_of_one_tool_and_changes_nothing_else(
    project: Path, tool: str, now: str, newest: str, line: str
) -> None:
    written = apply(project, {tool: (now, newest)})["content"]
    changed = [
        after for before, after in zip(MANIFEST.splitlines(), written.splitlines(), strict=True) if before != after
    ]
    assert changed == [line]
    assert yaml.safe_load(written)


def test_renovate_raises_several_tools_with_the_same_version_one_by_one(project: Path) -> None:
    written = apply(project, {"uv": ("0.9.8", "0.11.0"), "other": ("0.9.1", "0.10.0")})["content"]
    tools = yaml.safe_load(written)["tools"]
    assert (tools["uv"], tools["other"]) == ("0.11.*", "pypi:other@0.10.*")


def test_pattern_waits_for_a_release_with_three_numbers(project: Path) -> None:
    assert apply(project, {"jq": ("1.7.1", "1.8")})["values"] == {"jq": "1.7.*"}


@pytest.fixture
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a Python index with three releases of ruff; yield its address."""
    folder = tmp_path_factory.mktemp("index")
    names = [f"ruff-{version}-py3-none-any.whl" for version in ("0.17.6", "0.17.7", "0.18.1")]
    page = folder / "simple/ruff/index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<html><body>" + "".join(f'<a href="{name}">{name}</a>' for name in names) + "</body></html>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple/"
    server.shutdown()
    server.server_close()


def test_renovate_asks_the_index_of_a_tool_and_proposes_what_the_manifest_does_not_allow(
    project: Path, index: str
) -> None:
    (project / "releases.yml").write_text(
        f'tools:\n  ruff: {{source: {{pypi: ruff, index: "{index}"}}, version: "0.17.*"}}\n'
        f'  range: {{source: {{pypi: ruff, index: "{index}"}}, version: ">=0.17,<1"}}\n'
    )
    lines = log(project, "--dry-run=lookup")
    (told,) = [line for line in lines if line["msg"] == "packageFiles with updates"]
    deps = {dep["depName"]: dep for dep in told["config"]["jsonata"][0]["deps"]}
    assert [update["newValue"] for update in deps["ruff"]["updates"]] == ["0.18.*"]
    assert deps["range"]["updates"] == []
