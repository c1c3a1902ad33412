# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tools are published, by the addresses of their files: forges, registries, and rules of addresses."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import file_labels, published_where
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    file_name,
    platform_of,
)
from hypothesis import given
from hypothesis import strategies as st

PLATFORMS = {"linux-x64": "linux/x86_64", "linux-arm64": "linux/aarch64", "macos-arm64": "macos/aarch64"}


def tool(*urls: str, version: str | None = None, **source: str) -> ForeignTool:
    """Return a tool with files at *urls*; ``linux-x64 https://…`` says the platform."""
    files = []
    for url in urls:
        words, _space, address = url.rpartition(" ")
        files.append(ForeignFile(file_name(address), address, {}, platform_of(words)))
    return ForeignTool("tool", version, tuple(files), source)


@pytest.mark.parametrize(
    ("url", "source", "version"),
    [
        ("https://github.com/o/r/releases/download/v1.2.3/r-linux-amd64", {"github": "o/r"}, "1.2.3"),
        ("https://github.com/o/r/releases/download/1.2.3/r-linux-amd64", {"github": "o/r"}, "1.2.3"),
        (
            "https://github.com/o/r/releases/download/jq-1.7.1/jq-linux-amd64",
            {"github": "o/r", "tag": "jq-{version}"},
            "1.7.1",
        ),
        (
            "https://github.com/o/r/releases/download/kustomize/v5.8.1/kustomize_v5.8.1_linux_amd64.tar.gz",
            {"github": "o/r", "tag": "kustomize/v{version}"},
            "5.8.1",
        ),
        (
            "https://github.com/o/r/releases/download/cli%2Fv2.0/cli-linux-amd64",
            {"github": "o/r", "tag": "cli/v{version}"},
            "2.0",
        ),
        (
            "https://ghe.example.org/o/r/releases/download/v1.0/r",
            {"github": "o/r", "api_url": "https://ghe.example.org/api/v3"},
            "1.0",
        ),
        ("https://codeberg.org/o/r/releases/download/v1.0/r", {"gitea": "o/r"}, "1.0"),
        ("https://gitlab.com/g/s/p/-/releases/v1.0/downloads/bin/p", {"gitlab": "g/s/p"}, "1.0"),
        (
            "https://git.example.org/g/p/-/releases/1.0/downloads/p",
            {"gitlab": "g/p", "api_url": "https://git.example.org/api/v4"},
            "1.0",
        ),
        ("https://npm.example.org/@scope/name/-/name-1.2.3.tgz", {"npm": "@scope/name"}, "1.2.3"),
        ("https://npm.example.org/@scope%2fname/-/name-1.2.3.tgz", {"npm": "@scope/name"}, "1.2.3"),
        (
            "https://files.example.org/packages/ab/cd/ruff-0.17.0-py3-none-manylinux_2_17_x86_64.whl",
            {"pypi": "ruff"},
            "0.17.0",
        ),
    ],
)
def test_addresses_tell_source_and_version(url: str, source: dict[str, str], version: str) -> None:
    found = published_where.published(tool(url))
    assert (found.source, found.version, found.asset) == (source, version, "")


def test_a_forgejo_server_is_known_by_what_the_lock_says() -> None:
    found = published_where.published(tool("https://git.example.org/o/r/releases/download/v1.0/r", gitea="o/r"))
    assert found.source == {"gitea": "o/r", "api_url": "https://git.example.org/api/v1"}


def test_what_is_taken_for_an_enterprise_server_is_told() -> None:
    found = published_where.published(tool("https://git.example.org/o/r/releases/download/v1.0/r"))
    assert found.note.startswith("git.example.org is taken for a GitHub Enterprise server")


def test_a_release_that_has_builds_of_several_versions_gets_its_own_version_and_a_pattern() -> None:
    base = "https://github.com/astral-sh/python-build-standalone/releases/download/20260623/cpython-3.14.6+20260623"
    found = published_where.published(
        tool(f"{base}-x86_64-unknown-linux-gnu.tar.gz", f"{base}-aarch64-apple-darwin.tar.gz", version="3.14.6")
    )
    assert (found.version, found.asset) == ("20260623", "cpython-3.14.6+{version}-*.tar.gz")


def test_a_build_number_behind_the_version_is_part_of_it() -> None:
    url = "https://github.com/jdx/ruby/releases/download/3.3.11-1/ruby-3.3.11.x86_64_linux.tar.gz"
    found = published_where.published(tool(url, version="3.3.11"))
    assert (found.version, found.source, found.asset) == ("3.3.11-1", {"github": "jdx/ruby"}, "")


@pytest.mark.parametrize("tag", ["nightly", "latest"])
def test_a_release_whose_name_is_no_version_cannot_be_pinned(tag: str) -> None:
    with pytest.raises(ReleaseError, match=f'called "{tag}", which is no version'):
        published_where.published(tool(f"https://github.com/o/r/releases/download/{tag}/r"))


def test_files_of_two_projects_are_of_no_source() -> None:
    urls = [f"https://github.com/o/{name}/releases/download/v1.0/r" for name in ("r", "q")]
    with pytest.raises(ReleaseError, match=r"no source .* on github\.com"):
        published_where.published(tool(*urls))


def test_a_tool_without_files_and_source_is_nowhere() -> None:
    with pytest.raises(ReleaseError, match="no file of it is named"):
        published_where.published(tool(version="1.0"))


def test_a_template_has_the_publishers_words_for_systems_and_processors() -> None:
    base = "https://dl.example.org/release/v1.34.2/bin"
    found = published_where.by_template(
        tool(f"linux-x64 {base}/linux/amd64/kubectl", f"macos-arm64 {base}/darwin/arm64/kubectl", version="1.34.2")
    )
    assert found == published_where.Published(
        {
            "http": "https://dl.example.org/release/v{version}/bin/{os}/{arch}/kubectl",
            "os": {"macos": "darwin"},
            "arch": {"aarch64": "arm64", "x86_64": "amd64"},
        },
        "1.34.2",
    )


def test_a_template_needs_no_version_if_each_address_has_the_same_one() -> None:
    urls = [f"https://get.example.org/helm-v4.3.0-linux-{arch}.tar.gz" for arch in ("amd64", "arm64")]
    found = published_where.by_template(tool(*urls))
    assert found is not None
    assert (found.version, found.source["http"]) == (
        "4.3.0",
        "https://get.example.org/helm-v{version}-{os}-{arch}.tar.gz",
    )


def test_addresses_of_another_form_than_most_are_told() -> None:
    base = "https://nodejs.example.org/dist/v26.5.0/node-v26.5.0"
    found = published_where.by_template(
        tool(
            f"linux-x64 {base}-linux-x64.tar.gz",
            f"macos-arm64 {base}-darwin-arm64.tar.gz",
            f"windows-x64 {base}-win-x64.zip",
        )
    )
    assert found is not None
    assert found.source["http"] == "https://nodejs.example.org/dist/v{version}/node-v{version}-{os}-{arch}.tar.gz"
    assert found.note == "other addresses, not in the template: node-v26.5.0-win-x64.zip"
    assert [str(file.platform) for file in found.others] == ["windows/x86_64"]


def test_addresses_without_a_version_cannot_be_pinned() -> None:
    with pytest.raises(ReleaseError, match="do not tell its version"):
        published_where.by_template(tool("https://example.org/ip-ranges.json"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["pushgateway-1.6.0.linux-amd64.tar.gz"], "pushgateway"),
        (["setup-envtest-linux-amd64", "setup-envtest-darwin-arm64"], "setup-envtest"),
        (["goreleaser_Linux_x86_64.tar.gz", "goreleaser_Darwin_all.tar.gz"], "goreleaser"),
        (["yq_linux_amd64", "yq_linux_arm64"], "yq"),
        (["k3s", "k3s-arm64"], "k3s"),
        (["one-linux-amd64", "other-linux-amd64"], ""),
    ],
)
def test_files_are_called_as_their_names_begin(names: list[str], expected: str) -> None:
    assert file_labels.common_name(names) == expected


def test_a_name_says_the_platform_where_the_lock_does_not() -> None:
    file = ForeignFile("tool-darwin-arm64.tar.gz", "https://example.org/tool-darwin-arm64.tar.gz")
    assert [str(platform) for platform in file_labels.platforms_of(file)] == ["macos/aarch64"]
    assert file_labels.platforms_of(ForeignFile("tool.tar.gz", "https://example.org/tool.tar.gz")) == ()


PATHS = st.lists(st.text("ab1.-_v/%{}", max_size=12), min_size=1, max_size=6).map("/".join)


@given(st.lists(PATHS, min_size=1, max_size=3), st.none() | st.text("0123.v-", max_size=6))
def test_no_address_raises_anything_but_the_one_error(paths: list[str], version: str | None) -> None:
    for guess in (published_where.published, published_where.by_template):
        for path in (*paths, f"o/r/releases/download/{paths[0]}/x", f"o/r/-/releases/{paths[0]}/downloads/x"):
            try:
                guess(tool(f"https://example.org/{path}", version=version))
            except ReleaseError:
                continue
