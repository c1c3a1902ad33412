# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags as publishers write them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.versions import Tagged
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("tag", "product", "label", "version"),
    [
        ("1.2.3", "uv", "", "1.2.3"),
        ("v1.2.3", "uv", "", "1.2.3"),
        ("V1.2.3", "uv", "", "1.2.3"),
        ("jq-1.7.1", "jq", "jq", "1.7.1"),
        ("jq-1.7rc1", "jq", "jq", "1.7rc1"),
        ("bun-v1.1.0", "bun", "bun", "1.1.0"),
        ("cli/v2.0", "tool", "cli", "2.0"),
        ("release-1.0", "tool", "release", "1.0"),
        ("release/v1.0", "tool", "release", "1.0"),
        ("@biomejs/biome@2.0.0", "biome", "@biomejs/biome", "2.0.0"),
        ("kustomize/v5.3.0", "kustomize", "kustomize", "5.3.0"),
        ("rust-v0.1.0-alpha.1", "codex", "rust", "0.1.0-alpha.1"),
        ("v1.28.2+k3s1", "k3s", "", "1.28.2+k3s1"),
        ("curl-8_5_0", "curl", "curl", "8.5.0"),
        ("go1.21.5", "go", "go", "1.21.5"),
        ("llvmorg-17.0.6", "llvm-project", "llvmorg", "17.0.6"),
        ("b1234", "llama.cpp", "b", "1234"),
        ("jdk8u392-b08", "temurin8-binaries", "jdk", "8u392-b08"),
        ("jdk-17.0.9+9", "temurin17-binaries", "jdk", "17.0.9+9"),
        ("20240107", "python-build-standalone", "", "20240107"),
        ("2024-01-05", "tool", "", "2024-01-05"),
        ("v2ray-5.0", "v2ray-core", "v2ray", "5.0"),
        ("h2o-1.0", "h2o", "h2o", "1.0"),
        ("sqlite3-1.0", "go-sqlite", "sqlite3", "1.0"),
        ("go1.21-1", "golang", "go", "1.21-1"),
        ("x264-164", "x264", "x264", "164"),
        ("wasm-bindgen 0.2.1", "wasm-bindgen", "wasm-bindgen", "0.2.1"),
        ("version1.0", "tool", "version", "1.0"),
        ("swift-5.9-RELEASE", "swift", "swift", "5.9-RELEASE"),
    ],
)
def test_a_tag_is_taken_apart(tag, product, label, version):
    assert versions.read_tag(tag, product) == Tagged(label, version)


@pytest.mark.parametrize(
    "tag", ["nightly", "latest", "", "/", "v", "tip-of-tree", "v1.0/", "1.0 final!", "v" + "1" * 200]
)
def test_a_tag_without_a_version_says_so(tag):
    assert versions.read_tag(tag, "tool") is None


@pytest.mark.parametrize("label", ["", "release", "tool", "vendor/tool", "v"])
def test_a_repositorys_own_product_is_recognised(label):
    assert versions.is_neutral(label, "Tool")


@pytest.mark.parametrize("label", ["cli", "helm-chart", "tool/cli", "tool-core"])
def test_another_product_is_recognised(label):
    assert not versions.is_neutral(label, "tool")


def test_a_template_finds_the_versions_it_makes():
    pattern = versions.version_pattern("cli/v{version}", "tag")
    assert pattern.fullmatch("cli/v2.0-rc.1")["version"] == "2.0-rc.1"
    assert pattern.fullmatch("lsp/v2.0") is None


@pytest.mark.parametrize("template", ["", "v1", "{version}-{version}"])
def test_a_template_needs_the_version_once(template):
    with pytest.raises(ReleaseError, match="cannot be filled in"):
        versions.version_pattern(template, "tag")


@pytest.mark.parametrize("text", ["2024-05-06T07:08:09Z", "2024-05-06T09:08:09+02:00", "2024-05-06T07:08:09.000Z"])
def test_a_moment_is_in_utc(text):
    assert versions.moment_of(text) == datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)


@pytest.mark.parametrize("fraction", ["5", "50", "5000000", "500000000"])
def test_a_moment_is_the_same_on_every_python_however_many_digits_it_has(fraction):
    assert versions.moment_of(f"2024-05-06T07:08:09.{fraction}Z").microsecond == 500_000


@pytest.mark.parametrize("text", ["", "2024-05-06", "20240506T070809Z", "2024-05-06T07:08:09", "2024-13-06T07:08:09Z"])
def test_what_is_no_moment_of_rfc_3339_is_refused(text):
    with pytest.raises(ValueError, match=r"RFC 3339|month"):
        versions.moment_of(text)


numbers = st.lists(st.integers(0, 10**6), min_size=2, max_size=4).map(lambda parts: ".".join(map(str, parts)))
suffixes = st.sampled_from(["", "-rc.1", "rc1", "-beta.2", "+build.5", "-1"])
prefixes = st.sampled_from(["", "v", "release-", "release-v", "tool-", "tool-v", "tool@", "tool/v", "cli/v", "go"])


@given(prefixes, numbers, suffixes)
def test_any_usual_prefix_is_taken_off_and_nothing_else(prefix, number, suffix):
    assert versions.read_tag(prefix + number + suffix, "tool").version == number + suffix


@given(st.text() | st.from_regex(r"[-_/@v0-9a-z. ]{0,200}", fullmatch=True), st.text(max_size=20))
def test_no_tag_raises_and_every_version_found_is_safe_in_a_path(tag, product):
    read = versions.read_tag(tag, product)
    assert read is None or (
        read.version[0].isdigit() and not set(read.version) & set("/\\ \0") and len(read.version) <= 100
    )
