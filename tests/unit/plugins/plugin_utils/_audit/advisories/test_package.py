# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package is found by the names that databases have for it, whatever its package URL spells otherwise."""

from __future__ import annotations

import json

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import (
    Package,
    package,
    package_of,
    read_purl,
    repository,
    with_version,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import signed_by_others

NAMES = {
    "pkg:golang/github.com/BurntSushi/toml@v1.2.3": ("Go", "github.com/BurntSushi/toml"),
    "pkg:golang/github.com/burntsushi/toml@v1.2.3": ("Go", "github.com/BurntSushi/toml"),
    "pkg:golang/github.com/go-jose/go-jose/v4@v4.0.1": ("Go", "github.com/go-jose/go-jose/v4"),
    "pkg:golang/stdlib@1.26.8": ("Go", "stdlib"),
    "pkg:npm/%40biomejs/biome@2.6.8": ("npm", "@biomejs/biome"),
    "pkg:npm/pnpm@9": ("npm", "pnpm"),
    "pkg:pypi/Ruamel.Yaml@1": ("PyPI", "ruamel_yaml"),
    "pkg:pypi/zope-interface@1": ("PyPI", "zope.interface"),
    "pkg:cargo/tokio@1.0.0": ("crates.io", "tokio"),
    "pkg:bitnami/node": ("Bitnami", "node"),
}


@pytest.mark.parametrize("purl", NAMES)
def test_a_package_url_leads_to_the_name_in_databases(purl: str) -> None:
    assert package_of(read_purl(purl)) == package(*NAMES[purl])


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/curl/curl",
        "https://github.com/curl/curl.git",
        "https://GitHub.com/Curl/curl/",
        "git://github.com/curl/curl",
        "ssh://git@github.com:22/curl/curl.git",
    ],
)
def test_a_repository_is_one_however_its_address_is_spelled(address: str) -> None:
    assert (
        repository(address) == Package("GIT", "github.com/curl/curl") == package_of(read_purl("pkg:github/curl/curl"))
    )


def test_what_follows_a_colon_does_not_name_another_ecosystem() -> None:
    assert package("PyPI:https://mirror.example.org", "x") == package("PyPI", "x")


def test_crates_and_npm_packages_of_different_case_are_different() -> None:
    assert package("npm", "JSONStream") != package("npm", "jsonstream")


@pytest.mark.parametrize("purl", ["pkg:generic/tool@1", "pkg:oci/tool", "pkg:deb/debian/curl@8.5", "pkg:docker/x/y"])
def test_other_types_have_no_database_here(purl: str) -> None:
    assert package_of(read_purl(purl)) is None


@pytest.mark.parametrize("text", ["", "tool", "https://example.org/x", "pkg:", "pkg:pypi", "pkg:pypi/"])
def test_what_is_no_package_url_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="no package URL"):
        read_purl(text)


def test_a_version_is_put_into_a_package_url_as_it_must_be_written_there() -> None:
    assert with_version("pkg:bitnami/node", "1.33.4+k3s1") == "pkg:bitnami/node@1.33.4%2Bk3s1"
    assert read_purl(with_version("pkg:bitnami/node", "1.33.4+k3s1")).version == "1.33.4+k3s1"


@pytest.mark.parametrize("kind", ["bitnami", "cargo", "golang", "npm", "pypi"])
def test_spellings_of_one_package_url_in_its_specification_lead_to_one_name(kind: str) -> None:
    path = signed_by_others.DATA / f"purl-spec/types/{kind}-test.json"
    if not path.exists():
        pytest.skip(signed_by_others.ABSENT)
    vectors = json.loads(path.read_text(encoding="utf-8"))["tests"]
    valid = [one for one in vectors if one["test_type"] == "validate" and not one["expected_failure"]]
    assert valid
    for one in valid:
        found = package_of(read_purl(one["input"]))
        assert found, one
        assert found == package_of(read_purl(one["expected_output"])), one
