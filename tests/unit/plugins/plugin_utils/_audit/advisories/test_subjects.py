# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisories are asked about a tool by where it is released, by what the manifest calls it, and by what is inside."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import package, repository
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.subjects import (
    of_components,
    of_lock,
    packages_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import mirrored


def subjects(source: dict[str, str], url: str, purls: tuple[str, ...] = (), version: str = "1.7.1") -> list[Subject]:
    tool = mirrored.tool(mirrored.asset(url, b"x"), version=version)
    return list(of_lock(LockFile(tools={"jq": replace(tool, source=source, purls=purls)})))


def test_a_tool_of_pypi_and_one_of_npm_is_asked_about_by_its_package() -> None:
    [uv] = subjects({"pypi": "UV"}, "https://files.example.org/uv-0.9.0-py3-none-linux_x86_64.whl", version="0.9.0")
    assert (packages_of(uv), uv.version) == ((package("PyPI", "uv"),), "0.9.0")
    [biome] = subjects({"npm": "@biomejs/biome"}, "https://npm.example.org/@biomejs/cli-linux-x64/-/x-2.6.8.tgz")
    assert packages_of(biome) == (package("npm", "@biomejs/biome"),)


@pytest.mark.parametrize(
    ("source", "url", "repo"),
    [
        ({"github": "jqlang/jq"}, "https://github.com/jqlang/jq/releases/download/jq-1.7.1/jq", "github.com/jqlang/jq"),
        ({"gitea": "o/r"}, "https://codeberg.org/o/r/releases/download/jq-1.7.1/jq", "codeberg.org/o/r"),
        ({"gitlab": "g/s/p"}, "https://gitlab.com/g/s/p/-/releases/jq-1.7.1/downloads/bin/jq", "gitlab.com/g/s/p"),
        ({"github": "o/r"}, "https://git.example.org/o/r/releases/download/jq-1.7.1/jq", "git.example.org/o/r"),
    ],
)
def test_a_tool_of_a_forge_is_asked_about_by_its_repository_and_tag(
    source: dict[str, str], url: str, repo: str
) -> None:
    [subject] = subjects(source, url)
    assert (packages_of(subject), subject.version) == ((repository(f"https://{repo}"),), "jq-1.7.1")


def test_a_tag_is_read_as_it_is_not_as_an_address_spells_it() -> None:
    [subject] = subjects({"github": "o/r"}, "https://github.com/o/r/releases/download/cli%2Fv1.7.1/jq")
    assert subject.version == "cli/v1.7.1"


def test_a_tool_whose_source_has_no_database_is_asked_about_by_the_manifest_alone() -> None:
    url = "https://releases.example.org/1.7.1/jq"
    own, vault, upstream = subjects({"http": "https://x"}, url, ("pkg:bitnami/vault", "pkg:golang/github.com/o/r"))
    assert packages_of(own) == ()
    assert (vault.purl, packages_of(vault)) == ("pkg:bitnami/vault@1.7.1", (package("Bitnami", "vault"),))
    assert (upstream.purl, upstream.version) == ("pkg:golang/github.com/o/r@1.7.1", "1.7.1")


def test_a_repository_of_the_manifest_has_the_tag_where_that_is_known() -> None:
    url = "https://github.com/fork/jq/releases/download/jq-1.7.1/jq"
    assert [one.version for one in subjects({"github": "fork/jq"}, url, ("pkg:github/jqlang/jq",))] == ["jq-1.7.1"] * 2
    url = "https://releases.example.org/1.7.1/jq"
    assert [one.version for one in subjects({"http": "x"}, url, ("pkg:github/jqlang/jq",))] == ["1.7.1"] * 2


def test_components_are_of_their_program_and_the_toolchain_is_the_standard_library() -> None:
    inside = of_components("caddy", "bin/caddy", ["pkg:golang/golang.org/x/net@v0.20.0"], "go1.26.8")
    assert inside == (
        Subject("caddy", "pkg:golang/golang.org/x/net@v0.20.0", "v0.20.0", where="bin/caddy"),
        Subject("caddy", "pkg:golang/stdlib@1.26.8", "1.26.8", where="bin/caddy"),
    )


def test_a_compiler_of_rust_is_no_component() -> None:
    assert of_components("uv", "uv", [], "rustc 1.90.0") == ()


def test_a_component_that_is_no_package_url_is_refused() -> None:
    with pytest.raises(ReleaseError, match="no package URL"):
        of_components("uv", "uv", ["tar 0.4.44"])
