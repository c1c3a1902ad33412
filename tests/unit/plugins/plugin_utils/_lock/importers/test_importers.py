# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock files of other tools: what each format pins, what of it cannot be taken over, and what is no such file."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import importers
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import Imported
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import foreign_locks
from hypothesis import given, settings
from hypothesis import strategies as st

GITHUB = "https://github.com"
A, B = "a" * 64, "b" * 64


def imported(*names: str, **changed: str) -> Imported:
    """Return what the fixtures of these *names* pin together, with each text *changed* to another one."""
    texts = foreign_locks.texts(*names)
    for old, new in changed.items():
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    [found] = importers.read(texts)
    return found


def pinned(found: Imported) -> dict[str, list[tuple[str, dict[str, str], str]]]:
    """Return name and version of each tool → its files: address, digests, platform."""
    return {
        f"{tool.name} {tool.version}": [
            (file.url.removeprefix(GITHUB), dict(file.digests), str(file.platform)) for file in tool.files
        ]
        for tool in found.tools
    }


def told(found: Imported) -> dict[str, str]:
    return {left.name: left.why for left in found.left}


def test_mise_pins_files_with_their_platforms() -> None:
    found = pinned(imported("mise.lock"))
    release = "/rhysd/actionlint/releases/download/v1.7.12/actionlint_1.7.12_linux"
    assert found["actionlint 1.7.12"] == [
        (
            f"{release}_arm64.tar.gz",
            {"sha256": "325e971b6ba9bfa504672e29be93c24981eeb1c07576d730e9f7c8805afff0c6"},
            "linux/aarch64",
        ),
        (
            f"{release}_amd64.tar.gz",
            {"sha256": "8aca8db96f1b94770f1b0d72b6dddcb1ebb8123cb3712530b08cc387b349a3d8"},
            "linux/x86_64",
        ),
    ]


def test_mise_names_two_versions_of_a_tool_and_musl_builds() -> None:
    found = pinned(imported("mise.lock"))
    assert [set(digests) for _url, digests, _platform in found["uv 0.12.1"]] == [{"blake3"}]
    assert [url.rpartition("/")[2] for url, _digests, _platform in found["uv 0.12.2"]] == [
        "uv-x86_64-unknown-linux-musl.tar.gz",
    ]
    assert [platform for _url, _digests, platform in found["shfmt 3.13.1"]] == ["linux/x86_64", "linux/x86_64"]


def test_what_mise_unpacks_over_a_tool_is_pinned_beside_it() -> None:
    [more] = [tool for tool in imported("mise.lock").tools if tool.over]
    assert (more.name, more.version, more.over, more.source) == ("", "0.12.2", "uv", {"github": "astral-sh/uv"})
    assert [(file.name, set(file.digests), str(file.platform)) for file in more.files] == [
        ("uv-completions.tar.gz", {"sha256"}, "linux/x86_64")
    ]


def test_mise_says_by_the_backend_where_a_tool_without_files_is_published() -> None:
    sources = {tool.name: tool.source for tool in imported("mise.lock").tools if not tool.files}
    assert sources == {"biome": {"npm": "@biomejs/biome"}, "yamllint": {"pypi": "yamllint"}}


@pytest.mark.parametrize(
    ("backend", "source"),
    [
        ("aqua:kubernetes-sigs/controller-runtime/setup-envtest", {"github": "kubernetes-sigs/controller-runtime"}),
        ("ubi:owner/tool[exe=tool]", {"github": "owner/tool"}),
        ("packslip:github.com/jdx/hk", {"github": "jdx/hk"}),
        ("gitlab:group/sub/project", {"gitlab": "group/sub/project"}),
        ("forgejo:owner/tool", {"gitea": "owner/tool"}),
    ],
)
def test_mise_backends_are_sources(backend: str, source: dict[str, str]) -> None:
    text = f'[[tools.tool]]\nversion = "1.0"\nbackend = "{backend}"\n'
    [found] = importers.read({"mise.lock": text})
    assert [dict(tool.source) for tool in found.tools] == [source]


def test_what_mise_builds_or_gets_from_elsewhere_is_told() -> None:
    assert told(imported("mise.lock")) == {
        "ripgrep 15.1.0": "mise.lock names no file of it (cargo:ripgrep)",
        "ruby 3.3.11": "mise builds it from its source",
    }


def test_mise_locks_of_before_2025_have_one_version_and_a_table_of_platforms() -> None:
    text = f"""
        [tools.node]
        version = "20.0.0"
        [tools.node.platforms.linux-x64]
        checksum = "sha256:{A}"
        url = "https://nodejs.org/dist/v20.0.0/node-v20.0.0-linux-x64.tar.gz"
        [tools.node.platforms.linux-arm64]
        size = 100
    """
    [found] = importers.read({"mise.lock": text})
    [[(_url, digests, platform)]] = pinned(found).values()
    assert (digests, platform) == ({"sha256": A}, "linux/x86_64")


def test_a_mise_lock_of_a_future_version_is_refused() -> None:
    with pytest.raises(ReleaseError, match="lockfile_version") as failure:
        imported("mise.lock", **{"lockfile_version = 3": "lockfile_version = 4"})
    assert failure.value.expected == "at most 3; a newer mise wrote this file"


def test_aqua_pins_by_two_files_whose_digests_are_in_capital_letters() -> None:
    found = pinned(imported("aqua.yaml", "aqua-checksums.json"))
    assert found["golangci-lint 2.12.2"][0] == (
        "/golangci/golangci-lint/releases/download/v2.12.2/golangci-lint-2.12.2-linux-amd64.tar.gz",
        {"sha256": "8df580d2670fed8fa984aac0507099af8df275e665215f5c7a2ae3943893a553"},
        "None",
    )
    [(url, _digests, _platform)] = found["kustomize 5.8.1"]
    assert url.startswith("/kubernetes-sigs/kustomize/releases/download/kustomize/v5.8.1/kustomize_v5.8.1")
    assert [digests.keys() for _url, digests, _platform in found["yq 4.53.2"]] == [{"sha512"}]


def test_an_aqua_package_without_a_digest_is_a_tool_all_the_same() -> None:
    [tool] = [tool for tool in imported("aqua.yaml", "aqua-checksums.json").tools if tool.name == "mdBook"]
    assert (tool.version, tool.files, tool.source) == ("0.5.3", (), {"github": "rust-lang/mdBook"})


def test_what_aqua_has_beside_packages_is_told() -> None:
    assert told(imported("aqua.yaml", "aqua-checksums.json")) == {
        "registries/github_content/github.com/aquaproj/aqua-registry/v4.563.0/registry.yaml": "it is a registry of "
        "aqua's",
        "goreleaser/goreleaser v2.18.1": "aqua.yaml names no package that it belongs to",
    }


def test_checksums_of_aqua_alone_are_taken_release_by_release() -> None:
    found = imported("aqua-checksums.json")
    assert len(found.tools) == 4
    assert {len(tool.files) for tool in found.tools} == {1, 2}


def test_aqua_pins_files_that_are_no_releases_by_their_address() -> None:
    packages = "packages: [{name: helm/helm@v4.3.0}]"
    checksums = (
        f'{{"checksums": [{{"id": "http/get.helm.sh/helm-v4.3.0-linux-amd64.tar.gz", "checksum": "{A.upper()}", '
        '"algorithm": "sha256"}]}'
    )
    [found] = importers.read({"aqua.yaml": packages, "aqua-checksums.json": checksums})
    assert pinned(found) == {
        "helm 4.3.0": [("https://get.helm.sh/helm-v4.3.0-linux-amd64.tar.gz", {"sha256": A}, "None")]
    }


def test_dotslash_is_read_with_comments_and_last_commas() -> None:
    [tool] = imported("hermes").tools
    assert (tool.name, tool.version) == ("hermes", None)
    assert [(file.url, str(file.platform), file.size) for file in tool.files] == [
        (
            f"{GITHUB}/facebook/hermes/releases/download/v0.12.0/hermes-cli-darwin-v0.12.0.tar.gz",
            "macos/aarch64",
            10600817,
        ),
        (
            f"{GITHUB}/facebook/hermes/releases/download/v0.12.0/hermes-cli-linux-v0.12.0.tar.gz",
            "linux/x86_64",
            47099598,
        ),
    ]
    assert {name for file in tool.files for name in file.digests} == {"blake3"}


def test_dotslash_files_each_pin_a_tool() -> None:
    text = foreign_locks.text("hermes")
    found = importers.read({"hermes": text, "other": text.replace('"hermes"', '"other-v1.2"')})
    assert [tool.name for one in found for tool in one.tools] == ["hermes", "other"]


def test_a_dotslash_file_without_any_address_is_refused() -> None:
    with pytest.raises(ReleaseError, match="providers") as failure:
        imported("hermes", **{'"url"': '"path"'})
    assert failure.value.expected == "a provider with a url, or one of the type github-release"


def test_multitool_pins_with_or_without_a_digest() -> None:
    found = imported("multitool.lock.json")
    assert [str(file.platform) for file in found.tools[0].files] == ["linux/aarch64", "linux/x86_64"]
    [(_url, digests, _platform)] = pinned(found)["buildx None"]
    assert digests == {}
    assert told(found) == {"buildx, buildx-v0.20.1.pkg": "it is a package for the installer of macOS"}


def test_hermeto_pins_files_and_no_tools() -> None:
    found = imported("artifacts.lock.yaml")
    assert [(tool.name, len(tool.files)) for tool in found.tools] == [("", 1), ("", 1)]
    assert told(found) == {"ant": "it is an artifact of maven"}


def kubespray(checksums: str, urls: str = "", url: str = "") -> Imported:
    """Return what a checksums.yml pins, with a download.yml for the component ``tool`` and whatever *urls* adds."""
    download = f"""
        tool_download_url: "{url or "https://example.org/v{{ tool_version }}/tool-{{ image_arch }}"}"
        tool_binary_checksum: "{{{{ tool_checksums[image_arch][tool_version] }}}}"
        downloads: {{tool: {{checksum: "{{{{ tool_binary_checksum }}}}", url: "{{{{ tool_download_url }}}}"}}}}
    """
    [found] = importers.read({"checksums.yml": checksums, "download.yml": f"{download}\n        {urls}"})
    return found


def test_kubespray_pins_the_first_version_of_amd64_at_the_address_of_its_other_file() -> None:
    found = pinned(imported("checksums.yml", "download.yml"))
    release = "/kubernetes-sigs/cri-tools/releases/download/v1.35.0/crictl-v1.35.0-linux"
    assert found["crictl 1.35.0"] == [
        (
            f"{release}-arm64.tar.gz",
            {"sha256": "519071de89b64c43e2a1661bb5489c6c3fd5e9e5fcef75e50e542b0c891f1118"},
            "linux/aarch64",
        ),
        (
            f"{release}-amd64.tar.gz",
            {"sha256": "2e141e5b22cb189c40365a11807d69b76b9b3caced89fac2f4ec879408ce2177"},
            "linux/x86_64",
        ),
    ]


def test_kubespray_chooses_the_address_by_the_condition_that_chooses_the_digest() -> None:
    found = imported("checksums.yml", "download.yml")
    files = [file for tool in found.tools if tool.name == "containerd" for file in tool.files]
    assert {file.name: file.digests["sha256"][:8] for file in files} == {
        "containerd-2.2.1-linux-amd64.tar.gz": "f5d8e90e",
        "containerd-static-2.2.1-linux-amd64.tar.gz": "0d6a4f2b",
    }


def test_every_digest_of_kubespray_that_is_not_taken_over_is_told() -> None:
    assert told(imported("checksums.yml", "download.yml")) == {
        "crictl": "1.34.0, because a host has one version of a tool, and 1.35.0 is installed",
        "argocd_install": "2.14.5, because it is for no architecture, so it is no program",
    }


@pytest.mark.parametrize(
    ("urls", "version"),
    [
        ('tool_version: "1.0"', "1.0"),
        ("tool_version: 1.0", "1.0"),
        ("tool_version: \"{{ (tool_checksums['amd64'] | dict2items)[0].key }}\"", "2.0"),
        ("tool_version: \"{{ (other_checksums['amd64'] | dict2items)[0].key }}\"", "1.0"),
        ('tool_version: "{{ x_version }}"\n        x_version: "1.0"', "1.0"),
        ('tool_version: "{{ v[kube_major_version] }}"\n        v: {"1.33": "1.0", "1.32": "0.9"}', "1.0"),
        ("tool_version: \"{{ lookup('pipe', 'id') }}\"", "2.0"),
        ("", "2.0"),
    ],
)
def test_kubespray_installs_the_version_that_its_variable_says_or_else_the_first_of_amd64(
    urls: str, version: str
) -> None:
    stated = f"{{2.0: sha256:{A}, 1.0: sha256:{B}}}"
    checksums = f"tool_checksums: {{arm64: {{3.0: 0, 1.0: sha256:{A}}}, amd64: {stated}}}\n"
    found = kubespray(f"{checksums}other_checksums: {{amd64: {{1.0: sha256:{A}}}}}", urls)
    assert [tool.version for tool in found.tools] == [version]


def test_kubespray_before_2_28_had_bare_digests_and_systems_above_architectures() -> None:
    checksums = f"""
        tool_checksums: {{linux: {{amd64: {{v1.0: {A}}}, ppc64le: {{v1.0: 0}}}}, darwin: {{arm64: {{v1.0: {B}}}}}}}
        crds_archive_checksums: {{v1.0: {A}}}
    """
    found = kubespray(checksums, url="https://example.org/{{ tool_version }}/tool-{{ host_os }}_{{ image_arch }}")
    assert pinned(found) == {
        "tool v1.0": [
            ("https://example.org/v1.0/tool-linux_amd64", {"sha256": A}, "linux/x86_64"),
            ("https://example.org/v1.0/tool-darwin_arm64", {"sha256": B}, "macos/aarch64"),
        ]
    }
    assert told(found) == {"crds_archive": "v1.0, because it is for no architecture, so it is no program"}


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ("{{ tool_version | regex_replace('\\.', '_') }}", "1_0"),
        ("{{ tool_version | regex_replace('\\\\.', '_') }}", "1_0"),
        ("{{ ansible_system | lower }}", "linux"),
        ("{{ ansible_architecture }}", "x86_64"),
        ("{{ channel }}", "stable"),
    ],
)
def test_the_forms_of_expressions_that_kubespray_has_are_read(expression: str, read: str) -> None:
    url = f"https://example.org/v1.0/{expression}/tool".replace("\\", "\\\\")
    found = kubespray(f"tool_checksums: {{amd64: {{1.0: sha256:{A}}}}}", "channel: stable", url)
    assert [file.url for file in found.tools[0].files] == [f"https://example.org/v1.0/{read}/tool"]


@pytest.mark.parametrize(
    "expression",
    [
        "{{ lookup('pipe', 'touch {there}') }}",
        "{{ 'x' if lookup('pipe', 'touch {there}') }}",
        "{{ cycler.__init__.__globals__.os.system('touch {there}') }}",
        "{% set x = lookup('pipe', 'touch {there}') %}",
        "{{ 'static-' if unknown_condition }}",
        "{{ tool_version | regex_replace('.', '_') }}",
        "{{ tool_version | default(lookup('pipe', 'touch {there}')) }}",
        "{{ first }}",
        "{{ unknown }}",
        "{{ '{{' }} tool_version }}",
        "{{ tool_version }",
    ],
)
def test_no_template_of_kubespray_is_run(expression: str, tmp_path: Path) -> None:
    expression = expression.replace("{there}", str(tmp_path / "there"))
    circle = 'first: "{{ second }}"\n        second: "{{ first }}"'
    found = kubespray(
        f"tool_checksums: {{amd64: {{1.0: sha256:{A}}}}}", circle, f"https://example.org/1.0/{expression}"
    )
    assert found.tools == ()
    assert told(found)["tool"].endswith("in it, and no template is run")
    assert list(tmp_path.iterdir()) == []


def test_a_component_of_which_kubespray_says_no_address_or_no_digest_is_told() -> None:
    checksums = f"""
        lost_checksums: {{amd64: {{1.0: sha256:{A}}}}}
        empty_checksums: {{}}
        tool_checksums: {{amd64: {{2.0: 0, 1.0: sha256:{A}}}}}
    """
    assert told(kubespray(checksums)) == {
        "lost": "1.0, because download.yml does not say where it is",
        "empty": "download.yml does not say where it is",
        "tool": "1.0, because 2.0 is installed, and has no digest",
    }


def test_what_is_told_of_a_strangers_file_steers_no_terminal() -> None:
    found = kubespray(f'tool_checksums: {{amd64: {{1.0: sha256:{A}, "2\\e[31m": sha256:{B}}}}}')
    assert str(found.left[0]) == "tool: 2?[31m, because a host has one version of a tool, and 1.0 is installed"


def test_kubespray_without_addresses_pins_nothing() -> None:
    with pytest.raises(ReleaseError, match="one of them is missing") as failure:
        imported("checksums.yml")
    assert failure.value.fix == "name both in the option import"


def test_cargo_dist_states_programs_and_no_installers() -> None:
    found = imported("dist-manifest.json")
    assert pinned(found) == {
        "feeling 0.2.0": [
            (
                "/Squirreljetpack/feeling/releases/download/v0.2.0/feeling-x86_64-unknown-linux-gnu.tar.xz",
                {"sha256": "f5970fe46a6364e39a3ec2bc47b18717e26e74e27d4defeb9a1f3f006b817331"},
                "linux/x86_64",
            )
        ]
    }
    assert told(found) == {"feeling-lib 0.2.0": "it is not said where it is hosted"}


def test_older_cargo_dist_has_the_whole_address_and_no_digests() -> None:
    whole = '"artifact_download_url": "https://github.com/Squirreljetpack/feeling/releases/download/v0.2.0",\n"x"'
    found = imported("dist-manifest.json", **{'"artifact_base_url"': whole, '"checksums"': '"was"'})
    [[(url, digests, _platform)]] = pinned(found).values()
    assert url.endswith("/v0.2.0/feeling-x86_64-unknown-linux-gnu.tar.xz")
    assert digests == {}


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [("sha256", "sha256"), ("SHA-512", "sha512"), ("sha1", "sha1"), ("md5", "md5"), ("blake3", "blake3")],
)
def test_every_algorithm_of_aqua_is_kept(text: str, algorithm: str) -> None:
    digits = {"sha256": 64, "sha512": 128, "sha1": 40, "md5": 32, "blake3": 64}[algorithm]
    checksums = (
        '{"checksums": [{"id": "github_release/github.com/o/r/v1.0/r-linux-amd64", '
        f'"checksum": "{"AB" * (digits // 2)}", "algorithm": "{text}"}}]}}'
    )
    [found] = importers.read({"aqua-checksums.json": checksums})
    assert dict(found.tools[0].files[0].digests) == {algorithm: "ab" * (digits // 2)}


@pytest.mark.parametrize("stated", ["crc32:abcdef01", "sha256:abcd", f"whirlpool:{A}", "sha256:" + "g" * 64])
def test_a_digest_that_cannot_be_compared_is_refused_and_never_dropped(stated: str) -> None:
    text = (
        f'[[tools.t]]\nversion = "1"\n[tools.t."platforms.linux-x64"]\nchecksum = "{stated}"\nurl = "https://a/b/c"\n'
    )
    with pytest.raises(ReleaseError, match=r"not valid at .*checksum"):
        importers.read({"mise.lock": text})


@pytest.mark.parametrize(
    "url",
    ["ftp://a/b", "https://user:secret@a/b", "https://a/", "javascript:alert(1)", "https://a:99999/b", "https://a/.."],
)
def test_an_address_that_is_none_of_a_file_is_refused(url: str) -> None:
    text = f'[[tools.t]]\nversion = "1"\n[tools.t."platforms.linux-x64"]\nurl = "{url}"\n'
    with pytest.raises(ReleaseError, match=r"not valid at .*url") as failure:
        importers.read({"mise.lock": text})
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("package-lock.json", '{"lockfileVersion": 3, "packages": {}}', "no lock file of another tool"),
        ("uv.lock", "version = 1", "no lock file of another tool"),
        ("list.yml", "- a", "no lock file of another tool"),
        ("mise.lock", "[tools", "mise.lock is not TOML"),
        ("aqua.yaml", "packages: {", "is not YAML"),
        ("multitool.lock.json", '{"a": ', "is not JSON"),
        ("tool", "#!/usr/bin/env dotslash\n{", "is not a DotSlash file"),
        ("tool", "#!/usr/bin/env dotslash\n{/* without end", "is not a DotSlash file"),
        ("mise.lock", "a = " + "[" * 100_000, "is not TOML"),
    ],
)
def test_what_is_no_such_file_is_told(name: str, text: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        importers.read({name: text})


def test_what_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(ReleaseError, match="too long"):
        importers.read({"mise.lock": "#" * (importers.LONGEST + 1)})


def test_a_part_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"a\.yaml and b\.yaml are both checksums\.yml"):
        importers.read({"a.yaml": "a_checksums: {}", "b.yaml": "a_checksums: {}"})


def test_several_aqua_yaml_each_with_digests_of_its_own_are_taken_over_together() -> None:
    """As from two projects, which have some packages in common."""
    checksums = json.loads(foreign_locks.texts("aqua-checksums.json")["aqua-checksums.json"])["checksums"]
    both = foreign_locks.texts("aqua.yaml", "aqua-checksums.json")
    apart = {
        "aqua.yaml": both["aqua.yaml"],
        "a/aqua-checksums.json": json.dumps({"checksums": checksums[: len(checksums) // 2 + 1]}),
        "b/aqua-checksums.json": json.dumps({"checksums": checksums[len(checksums) // 2 - 1 :]}),
    }
    [together], [found] = importers.read(both), importers.read(apart)
    assert len(checksums) > 4
    assert found.tools == together.tools


def test_digests_of_two_files_that_contradict_each_other_are_refused() -> None:
    [entry, *_others] = json.loads(foreign_locks.texts("aqua-checksums.json")["aqua-checksums.json"])["checksums"]
    other = {**entry, "checksum": entry["checksum"].translate(str.maketrans("0123456789", "9876543210"))}
    texts = {name: json.dumps({"checksums": [one]}) for name, one in (("a.json", entry), ("b.json", other))}
    with pytest.raises(ReleaseError, match=r"b\.json") as failure:
        importers.read(texts)
    assert failure.value.expected == f"{entry['checksum'].lower()}, as in a.json"


def test_several_aqua_yaml_are_taken_over_with_the_digests_that_they_share() -> None:
    texts = {**foreign_locks.texts("aqua.yaml", "aqua-checksums.json"), "more.yaml": PACKAGES}
    [found] = importers.read(texts)
    assert "goreleaser 2.18.1" in pinned(found)
    assert "goreleaser/goreleaser v2.18.1" not in told(found)


PACKAGES = "packages: [{name: goreleaser/goreleaser@v2.18.1}]"


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("packages: [{import: aqua/*.yaml}, {name: a/b@v1}]", ("aqua/*.yaml",)),
        ("registries: [{type: standard}, {import: aqua/*.yaml}]", ("aqua/*.yaml",)),
        ("registries: []\nimport_dir: imports", ("imports/*.yml", "imports/*.yaml")),
        (PACKAGES, ()),
        ("checksums: []", None),
        ("[a, b]", None),
    ],
)
def test_an_aqua_yaml_says_what_it_imports(text: str, patterns: tuple[str, ...] | None) -> None:
    assert importers.imports_of("aqua.yaml", text) == patterns


#: What hostile text may put in the place of a value of each format.
PIECES = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        '"',
        "\n",
        ":",
        ",",
        "=",
        "null",
        "0",
        "-1",
        "1e999",
        '""',
        "*a",
        "&a ",
        "<<",
        "\x00",
        "\ud800",
    ]
)


@given(name=st.sampled_from(foreign_locks.NAMES), data=st.data())
@settings(max_examples=200)
def test_no_change_of_a_file_raises_anything_but_the_one_error(name: str, data: st.DataObject) -> None:
    text = foreign_locks.text(name)
    for _change in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = begin + data.draw(st.integers(0, 12))
        text = text[:begin] + data.draw(PIECES | st.text(max_size=4)) + text[end:]
    others = {"checksums.yml": "download.yml", "download.yml": "checksums.yml", "aqua.yaml": "aqua-checksums.json"}
    texts = {name: text}
    if name in others:
        texts[others[name]] = foreign_locks.text(others[name])
    with contextlib.suppress(ReleaseError):
        importers.imports_of(name, text)
        importers.read(texts)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)
KEYS = [
    "tools",
    "registries",
    "import_dir",
    "downloads",
    "artifacts",
    "releases",
    "metadata",
    "checksums",
    "packages",
    "a_checksums",
    "b_download_url",
    "binaries",
]


@given(st.dictionaries(st.sampled_from(KEYS), VALUES | st.fixed_dictionaries({"binaries": VALUES}), max_size=4))
@settings(max_examples=200)
def test_no_document_of_any_shape_raises_anything_but_the_one_error(document: dict[str, object]) -> None:
    for name in ("a.json", "a.yaml"):
        with contextlib.suppress(ReleaseError):
            importers.imports_of(name, json.dumps(document))
            importers.read({name: json.dumps(document)})
