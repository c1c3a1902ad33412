# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking over what another tool has pinned: a manifest that is valid, and nothing dropped in silence."""

from __future__ import annotations

import json

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import importers, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.takeover import TakenOver, take_over
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import foreign_locks
from hypothesis import given
from hypothesis import strategies as st

FILES = [
    ["mise.lock"],
    ["aqua.yaml", "aqua-checksums.json"],
    ["hermes"],
    ["multitool.lock.json"],
    ["artifacts.lock.yaml"],
    ["checksums.yml", "download.yml"],
    ["dist-manifest.json"],
]
A, B = "a" * 64, "b" * 64


def taken(*names: str) -> TakenOver:
    return take_over(importers.read(foreign_locks.texts(*names)))


def mise(*tools: str) -> TakenOver:
    """Take over a mise.lock of tools that are written ``NAME VERSION DIGEST [FILE]``."""
    text = ""
    for one in tools:
        name, version, digest, *file = one.split()
        url = f"https://github.com/o/{name}/releases/download/v{version}/{(file or [f'{name}-linux-amd64'])[0]}"
        text += f'[[tools.{name}]]\nversion = "{version}"\n[tools.{name}."platforms.linux-x64"]\n'
        text += f'url = "{url}"\nchecksum = "{digest}"\n'
    return take_over(importers.read({"mise.lock": text}))


@pytest.mark.parametrize("names", FILES, ids=lambda names: names[0])
def test_every_format_becomes_a_valid_manifest_with_exact_versions(names: list[str]) -> None:
    wanted = manifest.parse(taken(*names).text)
    assert wanted.tools
    assert all(tool.exact for tool in wanted.tools.values())


@pytest.mark.parametrize("names", FILES, ids=lambda names: names[0])
def test_every_digest_is_kept_or_its_tool_is_told(names: list[str]) -> None:
    texts = foreign_locks.texts(*names)
    found = taken(*names)
    kept = {value for statement in found.digests.statements for _algorithm, value in statement.digests}
    for imported in importers.read(texts):
        for tool in imported.tools:
            values = {value for file in tool.files for value in file.digests.values()}
            name = tool.name or (tool.files[0].name if tool.files else "")
            assert values <= kept or any(left.name.startswith(name) for left in found.left)


def test_the_manifest_reads_as_a_person_writes_it() -> None:
    assert taken("aqua.yaml", "aqua-checksums.json").text.splitlines() == [
        "# Taken over from aqua-checksums.json. It is yours now: the versions are those that are pinned there.",
        "platforms: [linux/aarch64, linux/x86_64]",
        "tools:",
        '  golangci-lint: {source: {github: "golangci/golangci-lint"}, version: "2.12.2"}',
        '  kustomize: {source: {github: "kubernetes-sigs/kustomize", tag: "kustomize/v{version}"}, version: "5.8.1", '
        "platforms: [linux/x86_64]}",
        '  mdBook: {source: {github: "rust-lang/mdBook"}, version: "0.5.3"}',
        '  yq: {source: {github: "mikefarah/yq"}, version: "4.53.2", platforms: [linux/x86_64]}',
        "# Not taken over:",
        "#   registries/github_content/github.com/aquaproj/aqua-registry/v4.563.0/registry.yaml: it is a registry of "
        "aqua's",
        "#   goreleaser/goreleaser v2.18.1: aqua.yaml names no package that it belongs to",
    ]


def test_of_two_versions_the_newer_is_taken_and_the_other_is_told() -> None:
    found = mise(f"uv 0.9.10 sha256:{A}", f"uv 0.9.9 sha256:{B}")
    assert manifest.parse(found.text).tools["uv"].exact == "0.9.10"
    assert [str(left) for left in found.left] == ["uv 0.9.9: a host has one version of a tool, and 0.9.10 is newer"]
    assert [one.version for one in found.digests.statements] == ["0.9.10"]


def test_variants_of_one_version_are_one_tool_with_all_digests() -> None:
    found = mise(f"swift 6.3.1 sha256:{A} swift-ubuntu", f"swift 6.3.1 sha256:{B} swift-fedora")
    assert [dict(one.digests) for one in found.digests.statements] == [{"sha256": A}, {"sha256": B}]


def test_what_is_unpacked_over_a_tool_has_a_line_of_its_own_for_all_its_platforms() -> None:
    base = "https://github.com/ollama/ollama/releases/download/v0.12.0/ollama-linux"
    text = '[[tools.ollama]]\nversion = "0.12.0"\nbackend = "github:ollama/ollama"\n'
    for key, arch in (("x64", "amd64"), ("arm64", "arm64")):
        text += f'[tools.ollama."platforms.linux-{key}"]\nurl = "{base}-{arch}.tar.zst"\nchecksum = "sha256:{A}"\n'
        for name in ("rocm", "jetpack6"):
            text += f'[[tools.ollama."platforms.linux-{key}".additional_artifacts]]\n'
            text += f'url = "{base}-{arch}-{name}.tar.zst"\nchecksum = "sha256:{B}"\n'
    found = take_over(importers.read({"mise.lock": text}))
    note = "mise.lock has it unpacked over ollama; here it is a tool of its own"
    assert found.text.splitlines()[2:] == [
        "tools:",
        '  ollama: {source: {github: "ollama/ollama"}, version: "0.12.0"}',
        *(
            line
            for name in ("jetpack6", "rocm")
            for line in (
                f"  # {note}",
                f'  ollama-{name}: {{source: {{github: "ollama/ollama"}}, version: "0.12.0", '
                f'asset: "ollama-linux-a*64-{name}.tar.zst"}}',
            )
        ),
    ]
    assert len(found.digests.statements) == 6
    before = manifest.parse('platforms: [linux/x86_64]\ntools: {o: {source: {github: "ollama/ollama"}}}')
    assert [note for note in found.notes(before) if "does not have" in note][1].startswith(
        "the manifest does not have ollama-rocm, which mise.lock pins; to add it: ollama-rocm: {"
    )


def test_two_digests_of_one_file_are_a_contradiction() -> None:
    with pytest.raises(ReleaseError, match=r"mise\.lock contradicts itself about uv-linux-amd64") as failure:
        mise(f"uv 0.9.9 sha256:{A}", f"uv 0.9.9 sha256:{B}")
    assert (failure.value.expected, failure.value.found) == (f"sha256 {A}", f"sha256 {B}")


def test_a_file_for_several_platforms_is_stated_once() -> None:
    found = taken("mise.lock")
    names = [one.name for one in found.digests.statements]
    assert names.count("shfmt_v3.13.1_linux_amd64") == 1


def test_no_claim_of_verification_is_taken_over() -> None:
    found = taken("mise.lock")
    assert "slsa" not in repr(found)
    assert "attestation" not in repr(found)


def test_where_nothing_can_be_taken_over_it_is_said_of_each_tool() -> None:
    text = '[[tools.java]]\nversion = "21"\nbackend = "core:java"\n'
    text += '[[tools.rust]]\nversion = "1.9"\nbackend = "core:rust"\n'
    with pytest.raises(ReleaseError, match=r"nothing in mise\.lock can be taken over") as failure:
        take_over(importers.read({"mise.lock": text}))
    assert failure.value.found == (
        "java 21: mise.lock names no file of it (core:java); rust 1.9: mise.lock names no file of it (core:rust)"
    )


def test_a_source_that_a_manifest_cannot_have_is_told() -> None:
    tools = [f'[[tools.{name}]]\nversion = "1.0"\nbackend = "npm:{of}"\n' for name, of in (("ok", "ok"), ("r", "a b"))]
    found = take_over(importers.read({"mise.lock": "".join(tools)}))
    assert [entry.name for entry in found.entries] == ["ok"]
    assert [str(left) for left in found.left] == ['r 1.0: its source is no project: "a b"']


def test_tools_that_the_manifest_lacks_are_told_with_their_line() -> None:
    found = taken("multitool.lock.json")
    before = manifest.parse('platforms: [linux/x86_64]\ntools: {bx: {source: {github: "Docker/buildx"}}}')
    assert list(found.notes(before)) == [
        "not taken over: buildx, buildx-v0.20.1.pkg: it is a package for the installer of macOS",
        "the manifest does not have shellcheck, which multitool.lock.json pins; to add it: shellcheck: "
        '{source: {github: "koalaman/shellcheck"}, version: "0.11.0", platforms: [linux/aarch64, linux/x86_64]}',
    ]


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_of_a_stranger_becomes_another_line_of_the_manifest(name: str, system: str) -> None:
    url = f"https://github.com/o/r/releases/download/v1/{A}"
    lock = {name: {"binaries": [{"kind": "file", "url": url, "os": "linux", "cpu": system}]}}
    try:
        found = take_over(importers.read({"multitool.lock.json": json.dumps(lock)}))
    except ReleaseError:
        return
    assert len(manifest.parse(found.text).tools) == 1
    assert len(found.text.splitlines()) == 4


def test_what_is_taken_for_granted_is_told_in_the_manifest_and_in_the_notes() -> None:
    lock = '[[tools.r]]\nversion = "1.0"\n[tools.r."platforms.linux-x64"]\n'
    lock += 'url = "https://git.example.org/o/r/releases/download/v1.0/r"\n'
    found = take_over(importers.read({"mise.lock": lock}))
    told = "git.example.org is taken for a GitHub Enterprise server; for Gitea or Forgejo, write gitea and its api_url"
    assert f"  # {told}\n" in found.text
    assert list(found.notes(manifest.parse(found.text))) == [f"r: {told}"]
