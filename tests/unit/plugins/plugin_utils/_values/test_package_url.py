# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pinned release has the package URL under which databases of components and advisories know it."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.package_url import package_url

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("source", "version", "url", "expected"),
    [
        ({"pypi": "uv"}, "0.13.9", "https://files.example/uv.whl", "pkg:pypi/uv@0.13.9"),
        ({"pypi": "Rust_Just"}, "1.0", "https://files.example/just.whl", "pkg:pypi/rust-just@1.0"),
        (
            {"pypi": "uv", "index": "https://pip.example/simple"},
            "1.0",
            "https://pip.example/uv.whl",
            "pkg:pypi/uv@1.0?repository_url=https://pip.example/simple",
        ),
        (
            {"npm": "@biomejs/biome"},
            "2.6.8",
            "https://npm.example/cli-linux-x64-2.6.8.tgz",
            "pkg:npm/%40biomejs/biome@2.6.8",
        ),
        ({"npm": "esbuild"}, "0.27.0", "https://npm.example/linux-x64-0.27.0.tgz", "pkg:npm/esbuild@0.27.0"),
        (
            {"github": "Koalaman/ShellCheck"},
            "0.11.0",
            "https://github.com/koalaman/shellcheck/releases/download/v0.11.0/shellcheck-v0.11.0.linux.x86_64.tar.xz",
            "pkg:github/koalaman/shellcheck@v0.11.0",
        ),
        (
            {"github": "kubernetes-sigs/kustomize"},
            "5.7.0",
            "https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.7.0/kustomize.tar.gz",
            "pkg:github/kubernetes-sigs/kustomize@kustomize/v5.7.0",
        ),
        (
            {"oci": "ghcr.example/team/Tool"},
            "1.2.3",
            "https://ghcr.example/v2/team/tool/blobs/sha256:" + DIGEST,
            "pkg:oci/tool?repository_url=ghcr.example/team/Tool&tag=1.2.3",
        ),
    ],
)
def test_kind_of_source_gives_the_type(source: DeclaredSource, version: str, url: str, expected: str) -> None:
    assert package_url("tool", version, source, url, DIGEST) == expected


@pytest.mark.parametrize(
    "source",
    [
        {"index": "https://releases.example/index.json"},
        {"http": "https://get.example/{version}/tool"},
        {"directory": "/srv/releases"},
        # An enterprise server is not the one that the type `github` means.
        {"github": "team/tool", "api_url": "https://git.example/api/v3"},
    ],
)
def test_source_without_a_type_is_generic_with_address_and_digest(source: DeclaredSource) -> None:
    url = "https://git.example/team/tool/releases/download/v1.2.3/tool"
    read = libraries.packageurl.PackageURL.from_string(package_url("tool", "1.2.3", source, url, DIGEST))
    assert (read.type, read.name, read.version) == ("generic", "tool", "1.2.3")
    assert read.qualifiers == {"download_url": url, "checksum": f"sha256:{DIGEST}"}
