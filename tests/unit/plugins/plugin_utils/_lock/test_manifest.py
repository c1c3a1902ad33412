# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests: what people write, what they meant, and what they are told when the two differ."""

from __future__ import annotations

import itertools
import re
import time
from datetime import timedelta

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import nested
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import package_of, read_purl
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue import catalogue
from ansible_collections.pinned.release.plugins.plugin_utils._lock import constraint as constraints
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.constraint import CONSTRAINTS
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import KINDS, NAMES, NEEDED
from ansible_collections.pinned.release.plugins.plugin_utils._signature import minisign
from ansible_collections.pinned.release.plugins.plugin_utils._values import package_url
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import schemas
from hypothesis import assume, given, settings
from hypothesis import strategies as st

UV = "tools:\n  uv: {source: {pypi: uv}}\n"
LINUX = "platforms: [linux/x86_64]\n"
EXAMPLE = """\
# What the team uses.
platforms: [linux/x86_64, linux/arm64, darwin/arm64]
policy:
  minimum_age: 3d
  maximum_unpacked_size: 4GiB
  maximum_size: 500MiB
  require: [digest]
  sources: ["github:astral-sh/*", pypi, directory]
  hosts: [github.com, "*.example.org"]
  valid_for: 90d
tools:
  uv: {source: {github: astral-sh/uv}, version: ">=0.9,<1"}
  ruff:
    source: {pypi: ruff}
    version: "0.17.*"
    executables: [ruff]
    files: {share/man/man1/ruff.1: "*/ruff.1", share/zsh/site-functions/_ruff: "complete/_ruff"}
    platforms: [linux/x86_64]
  cmake:
    source: {pypi: cmake, index: "https://index.example.org/simple"}
    asset: "cmake-{version}-*"
    executables: {cmake: "cmake/data/bin/cmake"}
  zig:
    source: {directory: /srv/zig}
    verify: {minisign: RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U}
    require: [minisign, proof]
    accept:
      without_digest: ["zig-{version}-*.zip", "zig.exe"]
      signer: ["0.14.0 D900E7558DAD3A86"]
      downgrade: ["0.13.0"]
  kubectl:
    source:
      http: "https://h/{version}/{arch}/kubectl"
      versions: {github: kubernetes/kubernetes, tag: "v{version}"}
      arch: {x86_64: amd64}
    purl: [pkg:golang/k8s.io/kubernetes, pkg:bitnami/kubectl]
  ripgrep: "15.*"
  biome: "npm:@biomejs/biome"
"""


def with_version(version: str) -> str:
    return f"{LINUX}tools:\n  uv: {{source: {{pypi: uv}}, version: {version}}}\n"


def tool(text: str) -> WantedTool:
    [only] = manifest.parse(text).tools.values()
    return only


def wanted(version: str) -> WantedTool:
    return tool(with_version(f"'{version}'"))


def refused(text: str) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        manifest.parse(text, "releases.yml")
    assert caught.value.what.startswith("releases.yml")
    assert caught.value.expected or caught.value.found or "did you mean" in caught.value.what
    assert caught.value.fix
    return printable(caught.value)


def all_refused(text: str) -> list[str]:
    """Return the lines about all tools that are refused."""
    with pytest.raises(ReleaseError) as caught:
        manifest.parse(text, "releases.yml")
    return str(printable(caught.value)).splitlines()


def printable(error: ReleaseError) -> ReleaseError:
    assert str(error).replace("\n", "").isprintable()
    return error


def test_a_manifest_says_what_people_want():
    found = manifest.parse(EXAMPLE)
    platforms = tuple(map(parse_platform, ("linux/x86_64", "linux/aarch64", "macos/aarch64")))
    assert found.platforms == platforms
    assert found.policy.minimum_age == timedelta(days=3)
    assert found.policy.maximum_unpacked_bytes == 4 * 1024**3
    assert dict(found.tools) == {
        "uv": WantedTool("uv", {"github": "astral-sh/uv"}, "<1,>=0.9", platforms=platforms),
        "ruff": WantedTool(
            "ruff",
            {"pypi": "ruff"},
            "==0.17.*",
            executables={"ruff": "**/ruff"},
            files={"share/man/man1/ruff.1": "*/ruff.1", "share/zsh/site-functions/_ruff": "complete/_ruff"},
            platforms=platforms[:1],
        ),
        "cmake": WantedTool(
            "cmake",
            {"pypi": "cmake", "index": "https://index.example.org/simple"},
            asset="cmake-{version}-*",
            executables={"cmake": "cmake/data/bin/cmake"},
            platforms=platforms,
        ),
        "zig": WantedTool(
            "zig",
            {"directory": "/srv/zig"},
            platforms=platforms,
            verify={"minisign": (Identity.of(key="RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U"),)},
            without_digest=("zig-{version}-*.zip", "zig.exe"),
            require=("minisign", "proof"),
            accepted={"downgrade": ("0.13.0",), "signer": ("0.14.0 D900E7558DAD3A86",)},
        ),
        "kubectl": WantedTool(
            "kubectl",
            {
                "http": "https://h/{version}/{arch}/kubectl",
                "versions": {"github": "kubernetes/kubernetes", "tag": "v{version}"},
                "arch": {"x86_64": "amd64"},
            },
            platforms=platforms,
            purls=("pkg:golang/k8s.io/kubernetes", "pkg:bitnami/kubectl"),
        ),
        "ripgrep": WantedTool(
            "ripgrep", catalogue.own()["ripgrep"].keys.source, "==15.*", platforms=platforms, catalogued=("source",)
        ),
        "biome": WantedTool("biome", {"npm": "@biomejs/biome"}, platforms=platforms),
    }


# Versions.


@pytest.mark.parametrize(
    ("version", "constraint", "exact", "allowed", "not_allowed"),
    [
        ("1.2.3", "==1.2.3", "1.2.3", ["1.2.3", "1.2.3.0", "v1.2.3"], ["1.2.4", "1.2.3rc1", "1.2.3-foo", ""]),
        ("v1.2.3", "==1.2.3", "1.2.3", ["1.2.3"], ["1.2"]),
        ("v1.2.3-rc1", "==1.2.3-rc1", "1.2.3-rc1", ["1.2.3-rc1", "1.2.3rc1"], ["1.2.3", "1.2.3-rc2"]),
        ("2024-01-15", "2024-01-15", "2024-01-15", ["2024-01-15"], ["2024-01-16", "2024-01", "2024"]),
        ("8u392", "8u392", "8u392", ["8u392"], ["8u393", "8"]),
        ("1.0~rc1", "1.0~rc1", "1.0~rc1", ["1.0~rc1"], ["1.0"]),
        ("1!2.0", "==1!2.0", "1!2.0", ["1!2.0"], ["2.0"]),
        ("==1.2", "==1.2", "1.2", ["1.2", "1.2.0"], ["1.2.1"]),
        ("== v1.2", "==v1.2", "1.2", ["1.2"], ["1.3"]),
        ("0.17.*", "==0.17.*", None, ["0.17", "0.17.9"], ["0.18.0", "0.17.1rc1", "0.170"]),
        ("v2.*", "==2.*", None, ["2.0", "2.9.1"], ["3.0"]),
        (">=0.9,<1", "<1,>=0.9", None, ["0.9", "0.99.9"], ["1.0", "0.8", "1.0rc1", "0.10rc1"]),
        (" >= 0.9, < 1 ", "<1,>=0.9", None, ["0.9"], ["1.0"]),
        (">=1.0rc1", ">=1.0rc1", None, ["1.0rc1", "1.0", "2.0b1"], ["1.0b9"]),
        (">=0.9,<1,", "<1,>=0.9", None, ["0.9"], ["1.0"]),
        ("~=1.4", "~=1.4", None, ["1.4", "1.9"], ["2.0", "1.3"]),
        ("!=1.4", "!=1.4", None, ["1.5"], ["1.4", "1.5rc1", "nightly"]),
        ("===1.0", "===1.0", None, ["1.0"], ["1.0.0"]),
        ("latest", "", None, ["1.0", "nightly"], []),
        ("*", "", None, ["1.0"], []),
    ],
)
def test_a_constraint_allows_what_it_says(version, constraint, exact, allowed, not_allowed):
    found = wanted(version)
    assert (found.constraint, found.exact) == (constraint, exact)
    assert [other for other in allowed + not_allowed if found.allows(other)] == allowed


def test_a_tool_without_version_takes_any():
    assert tool(LINUX + UV).constraint == ""
    assert tool(LINUX + UV).exact is None
    assert tool(LINUX + UV).allows("whatever")


@given(st.text(max_size=12), st.sampled_from(["1.2.3", ">=1,<2", "0.17.*", "2024-01-15", "===1", "latest", "~=1.4"]))
def test_whatever_a_publisher_calls_a_version_it_is_allowed_or_not(published, version):
    assert wanted(version).allows(published) in (True, False)


def test_a_version_of_ten_thousand_digits_is_not_allowed():
    assert not wanted(">=1").allows("9" * 10_000 + "x")
    assert wanted("!=1").allows("9" * 10_000) in (True, False)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.10", 'text in quotes: "0.10"'),
        ("1.0", 'text in quotes: "1.0"'),
        ("010", 'text in quotes: "010"'),
        ("1_000", 'text in quotes: "1_000"'),
        ("0x10", 'text in quotes: "0x10"'),
        ("12:30", 'text in quotes: "12:30"'),
        ("2024-01-15", 'text in quotes: "2024-01-15"'),
        ("2024-13-45", 'text in quotes: "2024-13-45"'),
        ("yes", 'text in quotes: "yes"'),
        ("-1", 'text in quotes: "-1"'),
        ("0.17.x", '"0.17.*"'),
        ("1.x.x", '"1.*"'),
        ("'^1.2'", '">=1.2,<2"'),
        ("'^0.2.3'", '">=0.2.3,<0.3"'),
        ("'^0.0'", '">=0.0,<0.1"'),
        ("'~1.2'", '"~=1.2"'),
        ("'~> 1.2.3'", '"~=1.2.3"'),
        ("'=1.2'", '"==1.2"'),
        ("'1.2,<2'", '">=1.2,<2"'),
        ("'>=0.9 <1'", '">=0.9,<1"'),
        ("newest", CONSTRAINTS),
        ("''", CONSTRAINTS),
        ("", CONSTRAINTS),
        ("'>=one'", CONSTRAINTS),
        ("'1.2 - 1.4'", CONSTRAINTS),
        ("'1.2 || 1.4'", CONSTRAINTS),
        ("'*.1'", CONSTRAINTS),
        ("'==1.2.*.*'", CONSTRAINTS),
        ("[1.2]", CONSTRAINTS),
        ("{min: 1}", CONSTRAINTS),
        ('"1.2\\n"', CONSTRAINTS),
        ("'>=" + "9" * 5000 + "'", CONSTRAINTS),
    ],
)
def test_a_version_that_says_something_else_is_refused_with_what_was_meant(version, expected):
    error = refused(with_version(version))
    assert error.what == "releases.yml:3: tools.uv.version is not valid"
    assert error.expected == expected
    if error.found.endswith(("a number", "a date", "true or false")):
        assert error.found.startswith(f"{version}, which YAML takes for ")


@pytest.mark.parametrize(
    "line",
    [
        "version: >=0.9,<1",
        "version: *",
        "version: !=1.2",
        "source: {npm: @biomejs/biome}",
        "asset: `uv`",
    ],
)
def test_what_yaml_itself_stumbles_over_is_told_with_its_line_and_how_to_quote(line):
    error = refused(f"{LINUX}tools:\n  uv:\n    source: {{pypi: uv}}\n    {line}\n")
    assert error.what in ("releases.yml:5 is not YAML", "releases.yml:6 is not YAML")
    assert 'needs quotes, such as version: ">=0.9,<1"' in error.fix or line == "version: !=1.2"


@pytest.mark.parametrize("indent", ["\t", "    \t"])
def test_a_tab_is_told_to_be_one(indent):
    error = refused(f"{LINUX}tools:\n  uv:\n    source: {{pypi: uv}}\n{indent}asset: uv\n")
    assert error.what == "releases.yml:5 is not YAML"
    assert "spaces, never with tabs" in error.fix


# Everything else that people get wrong.


@pytest.mark.parametrize(
    ("text", "what", "expected", "found"),
    [
        ("", "releases.yml:1 is not valid", "a mapping with tools, platforms, policy", "nothing"),
        (
            "- uv\n",
            "releases.yml:1 is not valid",
            "a mapping with tools, platforms, policy",
            'a list that begins with "uv"',
        ),
        (LINUX, "releases.yml:1 is not valid", "the key tools", 'a mapping of "platforms"'),
        (UV, "releases.yml:1 is not valid", "the key platforms", 'a mapping of "tools"'),
        (LINUX + UV + "polcy: {}", 'releases.yml:4: unknown key "polcy"; did you mean "policy"?', "policy", ""),
        (LINUX + UV + "x: 1", 'releases.yml:4: unknown key "x"', "one of tools, platforms, policy", ""),
        (LINUX + UV + "policy:\n", "releases.yml:4: policy is not valid", "a mapping with minimum_age", "nothing"),
        (LINUX + "tools: {}", "releases.yml:2: tools is not valid", "a mapping of tools, such as ", "an empty mapping"),
        (LINUX + "tools:\n", "releases.yml:2: tools is not valid", "a mapping of tools, such as ", "nothing"),
        (
            LINUX + "tools: [uv]",
            "releases.yml:2: tools is not valid",
            "a mapping of tools, such as ",
            'begins with "uv"',
        ),
        (
            LINUX + "tools: {uv: }",
            "releases.yml:2: tools.uv is not valid",
            'a version in quotes such as "0.9.*", ',
            "nothing",
        ),
        (LINUX + "tools: {uv: 0.9}", "releases.yml:2: tools.uv is not valid", 'text in quotes: "0.9"', "a number"),
        (LINUX + "tools: {uv: 1.x}", "releases.yml:2: tools.uv is not valid", '"1.*"', '"1.x"'),
        (LINUX + "tools: {uv: uv@0.9}", "releases.yml:2: tools.uv is not valid", '"0.9"', '"uv@0.9"'),
        (LINUX + "tools: {uv: 'pypi:uv@0,9'}", "releases.yml:2: tools.uv is not valid", '">=0.9,<1"', '"0,9"'),
        (LINUX + "tools: {uv: 'pypi:'}", "releases.yml:2: tools.uv.pypi is not valid", "a line of text", '""'),
        (LINUX + "tools: {uv: 'npm:@1.0'}", "releases.yml:2: tools.uv.npm is not valid", "a line of text", '""'),
        (
            LINUX + "tools: {uv: 'gihub:a/uv@0.9'}",
            'releases.yml:2: unknown source "gihub"; did you mean "github"?',
            "",
            "",
        ),
        (LINUX + "tools: {uv: 'index:https://h/'}", "releases.yml:2: tools.uv is not valid", "releases", "index"),
        (
            LINUX + "tools:\n  kubctl: '1.34.*'",
            'releases.yml:3: the catalogue has no tool "kubctl"; did you mean "kubectl"?',
            "a tool of the catalogue, or where it is published, such as  kubctl: github:OWNER/NAME",
            "",
        ),
        (
            LINUX + "tools:\n  nodejs: {version: '22.*'}",
            'releases.yml:3: the catalogue has no tool "nodejs"; did you mean "node"?',
            "a tool of the catalogue",
            "",
        ),
        (LINUX + "catalogue: mine.yml\n" + UV, "releases.yml:2: catalogue is not valid", "[catalogue.yml]", "mine.yml"),
        (
            LINUX + "tools: {uv: {github: astral-sh/uv}}",
            "releases.yml:2: tools.uv is not valid",
            'source: {github: "astral-sh/uv"}',
            'github: "astral-sh/uv"',
        ),
        (
            LINUX + "tools: {uv: {sorce: {pypi: uv}}}",
            'releases.yml:2: unknown key "sorce" in uv; did you mean "source"?',
            "source",
            "",
        ),
        (
            LINUX + "tools: {uv: {versoin: '1'}}",
            'releases.yml:2: unknown key "versoin" in uv; did you mean "version"?',
            "version",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: uv}}",
            "releases.yml:2: tools.uv.source is not valid",
            "a mapping, such as ",
            '"uv"',
        ),
        (
            LINUX + "tools: {uv: {source: {}}}",
            "releases.yml:2: tools.uv.source is not valid",
            "a mapping, such as ",
            "an empty",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: }}}",
            "releases.yml:2: tools.uv.source.pypi is not valid",
            "text",
            "nothing",
        ),
        (
            LINUX + "tools: {x: {source: {pypi: 7}}}",
            "releases.yml:2: tools.x.source.pypi is not valid",
            'quotes: "7"',
            "7, which",
        ),
        (
            LINUX + "tools: {x: {source: {pypi: [7]}}}",
            "releases.yml:2: tools.x.source.pypi is not valid",
            "text",
            "a list",
        ),
        (
            LINUX + "tools: {../uv: {}}",
            'releases.yml:2: tools."../uv" is not valid',
            "a name of letters, digits",
            '"../uv"',
        ),
        (
            "platforms: linux/x86_64\n" + UV,
            "releases.yml:1: platforms is not valid",
            "a list such as [",
            '"linux/x86_64"',
        ),
        ("platforms: []\n" + UV, "releases.yml:1: platforms is not valid", "a list such as [linux/", "an empty list"),
        ("platforms: [1]\n" + UV, "releases.yml:1: platforms[0] is not valid", 'text in quotes: "1"', "1, which YAML"),
        (
            "platforms: [{linux: x}]\n" + UV,
            "releases.yml:1: platforms[0] is not valid",
            "a platform such as",
            'of "linux"',
        ),
        (
            "platforms: [linux/x68_64]\n" + UV,
            'releases.yml:1: unknown platform "linux/x68_64"; did you mean "linux/x86_64"?',
            "linux/x86_64",
            "",
        ),
        (
            "platforms: [macos/arm]\n" + UV,
            'releases.yml:1: unknown platform "macos/arm"',
            "one of macos/aarch64, macos/x86_64",
            "",
        ),
        ("platforms: [linux]\n" + UV, 'releases.yml:1: unknown platform "linux"', "linux/aarch64", ""),
        (
            "platforms: [linux/x86_64, linux/x86_64/gnu]\n" + UV,
            "releases.yml:1: platforms[1] is not valid",
            "what all hosts of the platform have, as in linux/x86_64/glibc2.28, linux/x86_64/musl or macos/aarch64/13",
            '"linux/x86_64/gnu"',
        ),
        (
            LINUX + UV + "policy: {minimum_age: 3}",
            "releases.yml:4: policy.minimum_age is not valid",
            "3d, 12h or 2w",
            '"3"',
        ),
        (
            LINUX + UV + "policy: {minimum_age: 3 days}",
            "releases.yml:4: policy.minimum_age is not valid",
            "3d",
            '"3 days"',
        ),
        (LINUX + UV + "policy: {minimum_age: -3d}", "releases.yml:4: policy.minimum_age is not valid", "3d", '"-3d"'),
        (
            LINUX + UV + f"policy: {{minimum_age: {'9' * 5000}d}}",
            "releases.yml:4: policy.minimum_age is not valid",
            "3d",
            "999",
        ),
        (LINUX + UV + "policy: {max_age: 3d}", 'releases.yml:4: unknown key "max_age" in policy', "minimum_age", ""),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, asset: }}",
            "releases.yml:2: tools.uv.asset is not valid",
            "",
            "nothing",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, asset: [x]}}",
            "releases.yml:2: tools.uv.asset is not valid",
            "a pattern",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, executables: uv}}",
            "releases.yml:2: tools.uv.executables is not valid",
            "a list of programs' names, or a mapping of them to paths inside the asset",
            '"uv"',
        ),
        (
            LINUX + "tools: {uv: {source: {npm: b}, executables: []}}",
            "releases.yml:2: tools.uv.executables is not valid",
            "",
            "an empty list",
        ),
        (
            LINUX + "tools: {uv: {source: {npm: b}, executables: [[]]}}",
            "releases.yml:2: tools.uv.executables[0] is not valid",
            "name",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {npm: b}, executables: [{}]}}",
            "releases.yml:2: tools.uv.executables[0] is not valid",
            "name",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {npm: b}, executables: [a/b]}}",
            "releases.yml:2: tools.uv.executables[0] is not valid",
            "a name of letters, digits and . _ + -",
            "a/b",
        ),
        (
            LINUX + "tools: {uv: {source: {npm: b}, executables: {a: }}}",
            "releases.yml:2: tools.uv.executables.a is not valid",
            "a path",
            "noth",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, files: [share/a]}}",
            "releases.yml:2: tools.uv.files is not valid",
            'a mapping such as {share/man/man1/rg.1: "*/doc/rg.1"}',
            "a list",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, files: {}}}",
            "releases.yml:2: tools.uv.files is not valid",
            "a mapping such as",
            "an empty mapping",
        ),
        *(
            (
                f"{LINUX}tools: {{uv: {{source: {{pypi: uv}}, files: {{{path}: uv.1}}}}}}",
                f'releases.yml:2: tools.uv.files."{path}" is not valid',
                "a path below the folder that bin_dir lies in, such as share/man/man1/rg.1",
                path,
            )
            for path in ("/etc/uv", "../uv", "share/../../uv", "bin/uv", "share/.uv", "share//uv")
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, files: {share/a: }}}",
            'releases.yml:2: tools.uv.files."share/a" is not valid',
            "a path",
            "noth",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, files: {share/a: x, share/a/b: y}}}",
            'releases.yml:2: tools.uv.files."share/a" is not valid',
            "a path that no other file goes through",
            "share/a",
        ),
        (
            LINUX + "tools: {a: {source: {pypi: a}, files: {share/x: x}}, b: {source: {pypi: b}, files: {share/x: y}}}",
            'releases.yml:2: tools.b.files."share/x" is not valid',
            "a path that no other tool has or goes through",
            "share/x of a",
        ),
        (
            LINUX + "tools: {a: {source: {pypi: a}, files: {s/x: x}}, b: {source: {pypi: b}, files: {s/x/y: y}}}",
            'releases.yml:2: tools.b.files."s/x/y" is not valid',
            "a path that no other tool has or goes through",
            "s/x of a",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, verify: {}}}",
            "releases.yml:2: tools.uv.verify is not valid",
            "a mapping with cosign, gpg, minisign",
            "an empty mapping",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, verify: {minising: RWQ}}}",
            'releases.yml:2: unknown key "minising" in verify; did you mean "minisign"?',
            "one of cosign, gpg, minisign",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, verify: {minisign: [RWQ]}}}",
            "releases.yml:2: tools.uv.verify.minisign is not valid",
            "a text",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, verify: {minisign: minisign.pub}}}",
            "releases.yml:2: tools.uv.verify.minisign is not valid",
            "the second line of the key's file",
            '"minisign.pub"',
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, accept: {}}}",
            "releases.yml:2: tools.uv.accept is not valid",
            "a mapping with without_digest, downgrade, republished, signer",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, accept: {without_digest: []}}}",
            "releases.yml:2: tools.uv.accept.without_digest is not valid",
            "a list of names of assets",
            "an empty list",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, accept: {without_digest: true}}}",
            "releases.yml:2: tools.uv.accept.without_digest is not valid",
            "a list of names of assets",
            '"true"',
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, accept: {without_digest: [1]}}}",
            "releases.yml:2: tools.uv.accept.without_digest[0] is not valid",
            'text in quotes: "1"',
            "",
        ),
        (
            '{"lock_version": 1, "tools": {}}',
            'releases.yml:1: unknown key "lock_version"',
            "one of tools, platforms",
            "",
        ),
    ],
)
def test_a_mistake_is_found_where_it_is(text, what, expected, found):
    error = refused(text)
    assert error.what.startswith(what)
    assert expected in (error.expected or error.what)
    assert found in str(error.found)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("    sorce: {pypi: uv}", 'releases.yml:6: unknown key "sorce" in uv; did you mean "source"?'),
        ("    source: {githb: a/b}", 'releases.yml:6: unknown key "githb" in source; did you mean "github"?'),
        ("    source: {pypi: uv, npm: uv}", "releases.yml:6: tools.uv.source is not valid"),
        ("    source: {pypi: uv, tag: v1}", "releases.yml:6: tools.uv.source is not valid"),
        ("    source:\n      pypi: 7", "releases.yml:7: tools.uv.source.pypi is not valid"),
        (
            "    source: {pypi: uv}\n    platforms:\n      - linux/x86_64\n      - linux/amr64",
            'releases.yml:9: unknown platform "linux/amr64"; did you mean "linux/arm64"?',
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_nearest_known_word(line, what):
    assert refused(f"# Tools\n\n{LINUX}tools:\n  uv:\n{line}\n").what == what


@pytest.mark.parametrize(
    ("tool", "line", "expected"),
    [
        ("uv: 1", 2, 'text in quotes: "1"'),
        ("uv: {source: {pypi: uv}, version: 1}", 2, 'text in quotes: "1"'),
        ("uv: latst", 2, "latest"),
        ("ruff: {pipy: ruff}", 2, 'source: {pypi: "ruff"}'),
        ("ruff: {gh: astral-sh/ruff}", 2, 'source: {github: "astral-sh/ruff"}'),
        ("ruff: 'ruff@0.14.*'", 2, '"0.14.*"'),
        ("ruff: {source: {pypi: ruff}, version: 'ruff@0.14.*'}", 2, '"0.14.*"'),
        ("own: 'pypi/uv@0.9.*'", 2, '"pypi:uv@0.9.*"'),
        ("own: github/astral-sh/uv", 2, '"github:astral-sh/uv"'),
        ("jq: github:jqlang@1.7.*", 2, "github:owner/repository"),
        ("ruff:\n    source:\n      pypi: -ruff", 4, "pypi: uv"),
        ("jq: {source: {github: 'https://github.com/jqlang/jq'}}", 2, "github: jqlang/jq"),
        ("jq: {source: {gitlab: 'https://github.com/jqlang/jq'}}", 2, "gitlab: group/project"),
        ("jq: github:https://github.com/jqlang/jq", 2, "github:jqlang/jq"),
        ("uv: {source: {pypi: uv}, platforms: [linux/x86_64/glib2.36]}", 2, "linux/x86_64/glibc2.36"),
    ],
)
def test_what_was_meant_is_told_with_its_line(tool, line, expected):
    error = refused(f"{LINUX}tools:\n  {tool}\n")
    assert error.what.startswith(f"releases.yml:{line + 1}:")
    assert error.expected == expected


@pytest.mark.parametrize(
    ("tool", "meant"),
    [
        ("ruff: pipy:ruff", "pypi"),
        ("jq: gh:jqlang/jq", "github"),
        ("jq: {source: {gh: jqlang/jq}}", "github"),
        ("UV: latest", "uv"),
    ],
)
def test_a_source_and_a_tool_that_are_nearly_known_are_asked_for(tool, meant):
    assert f'did you mean "{meant}"?' in refused(f"{LINUX}tools:\n  {tool}\n").what


def test_what_an_alias_stands_for_is_corrected_where_it_is_written():
    text = "tools:\n  uv: {source: &s {pypi: uv}, executables: &e [uv, 7]}\n  b: {source: *s, executables: *e}\n"
    assert "releases.yml:3: tools.uv.executables[1] is not valid" in all_refused(LINUX + text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LINUX + UV + "  uv: {source: {pypi: uv}}\n", '4: column 3: the key "uv" stands there twice'),
        (LINUX + UV + LINUX, '4: column 1: the key "platforms" stands there twice'),
        (
            LINUX + 'tools: {uv: {source: {pypi: uv, "pypi": ruff}}}',
            '2: column 33: the key "pypi" stands there twice',
        ),
        (
            LINUX + "tools: {uv: {<<: {source: {pypi: uv}}}}",
            "2: column 14: merging with << is not possible here; write it out",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: {{ tool }} }}}",
            "2: column 30: a key must be plain text; text with { } or",
        ),
        (
            LINUX + "---\n" + UV,
            "2: column 1: but found another document, expected a single document in the stream",
        ),
        ("a: &a [*a]\n", "1: column 4: found unconstructable recursive node"),
        ("a: &a {b: *a}\n", "1: column 4: found unconstructable recursive node"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "1: column 4: could not determine a constructor for the tag",
        ),
        ("a: !vault x\n", "1: column 4: could not determine a constructor for the tag"),
        ("a: !!binary x\n", "1: column 4: could not determine a constructor for the tag"),
        ("a: !!map x\n", "1: column 4: this is not a mapping"),
        ("a: !!seq x\n", "1: column 4: expected a sequence node, but found scalar"),
        ('a: "\\UFFFFFFFF"\n', ""),
        ("a: \x00\n", "unacceptable character #x0000"),
        ("[" * 100_000, "lists in lists in lists, without end"),
        ("{a: " * 5_000, "lists in lists in lists, without end"),
    ],
)
def test_yaml_that_says_nothing_certain_is_refused(text, found):
    error = refused(text)
    line = error.what.removeprefix("releases.yml").removesuffix(" is not YAML").removeprefix(":")
    assert f"{line}: {error.found}".removeprefix(": ").startswith(found)
    assert error.fix.startswith(f"correct line {line}" if line else "correct releases.yml")


@pytest.mark.parametrize(
    ("text", "purls"),
    [
        ("pkg:bitnami/node", ("pkg:bitnami/node",)),
        ("[pkg:bitnami/vault, pkg:golang/github.com/hashicorp/vault]",
         ("pkg:bitnami/vault", "pkg:golang/github.com/hashicorp/vault")),
        ("pkg:npm/%40biomejs/biome", ("pkg:npm/%40biomejs/biome",)),
    ],
)  # fmt: skip
def test_a_tool_has_one_package_url_or_several(text: str, purls: tuple[str, ...]) -> None:
    assert tool(f"{LINUX}tools: {{uv: {{source: {{pypi: uv}}, purl: {text}}}}}").purls == purls


@pytest.mark.parametrize(
    "text",
    [
        "node",
        "[]",
        "{a: pkg:bitnami/node}",
        "pkg:bitnami",
        "pkg:bitnami/",
        "pkg:bitnami/node@20",
        "'pkg:bitnami/node?arch=amd64'",
        "pkg:golang/k8s.io/kubernetes#cmd/kubectl",
        "'pkg:npm/@biomejs/biome'",
        "pkg:deb/debian/curl",
        "pkg:golang/../x",
        "[pkg:bitnami/node, pkg:bitnami/node]",
    ],
)
def test_what_no_advisory_can_be_looked_up_by_is_refused(text: str) -> None:
    error = refused(f"{LINUX}tools: {{uv: {{source: {{pypi: uv}}, purl: {text}}}}}")
    assert "package URL" in str(error.expected) or "pkg:bitnami/node" in str(error.expected)


@given(st.from_regex(package_url.PURL.pattern, fullmatch=True))
def test_every_package_url_of_the_form_is_one_that_databases_are_searched_by(purl: str) -> None:
    text = yaml.safe_dump({"platforms": ["linux/x86_64"], "tools": {"x": {"source": {"pypi": "x"}, "purl": purl}}})
    assert package_of(read_purl(tool(text).purls[0]))


def test_aliases_that_multiply_cost_nothing():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    began = time.process_time()
    refused("\n".join(lines))
    all_refused("platforms: &p [linux/x86_64]\ntools:\n" + "\n".join("  " + line for line in lines))
    assert time.process_time() - began < 5


def test_what_is_wrong_with_all_tools_is_told_at_once():
    lines = all_refused(f"{LINUX}tools:\n  kubctl: latest\n  uv: latest\n  ruf: latest\n  jq: gh:jqlang/jq\n")
    assert lines[0] == "releases.yml: 3 tools cannot be read:"
    assert [line for line in lines[1:] if not line.startswith("  ")] == [
        'releases.yml:3: the catalogue has no tool "kubctl"; did you mean "kubectl"?',
        'releases.yml:5: the catalogue has no tool "ruf"; did you mean "ruff"?',
        'releases.yml:6: unknown source "gh"; did you mean "github"?',
    ]


@pytest.mark.parametrize("version", [">=0.9, <0.8", ">1,<=0.9", "==1.2,<1", "~=2.0,<1.9"])
def test_version_that_cannot_be_is_told_with_its_line(version):
    error = refused(f"{LINUX}tools:\n  uv: '{version}'\n")
    assert error.what == "releases.yml:3: tools.uv is not valid"
    assert error.found == f'"{version}": none is both'


@pytest.mark.parametrize("version", [">=0.9,<0.9.1", ">1,<2", "==1.*,>=1.5", ">=1,!=1.2", "~=2.0,<3", "===1.0,>=0.9"])
def test_version_that_can_be_is_taken(version):
    assert wanted(version).constraint


def test_kind_of_source_that_a_policy_misspells_is_told_with_its_line():
    error = refused(f"{LINUX}policy:\n  sources: [github, pypy]\n{UV}")
    assert error.what == 'releases.yml:3: unknown source "pypy"; did you mean "pypi"?'


def test_keys_are_what_people_wrote():
    text = LINUX + "tools: {on: {source: {pypi: a}}, 7: {source: {pypi: a}}, null: {source: {pypi: a}}}"
    assert list(manifest.parse(text).tools) == ["on", "7", "null"]


def test_platforms_are_named_once_by_any_of_their_names():
    found = manifest.parse("platforms: [linux/amd64, linux/x86_64, LINUX/X64, darwin/arm64]\n" + UV)
    assert list(map(str, found.platforms)) == ["linux/x86_64", "macos/aarch64"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0d", {}), ("3d", {"days": 3}), ("12 h", {"hours": 12}), ("2w", {"weeks": 2}), ("90m", {"minutes": 90})],
)
def test_an_age_is_a_number_with_its_unit(text, expected):
    assert manifest.parse(f"{LINUX}{UV}policy: {{minimum_age: {text}}}").policy.minimum_age == timedelta(**expected)


@pytest.mark.parametrize(("text", "expected"), [("1MiB", 1024**2), ("500 MiB", 500 * 1024**2), ("4GiB", 4 * 1024**3)])
def test_a_size_is_a_number_with_its_unit(text, expected):
    assert (
        manifest.parse(f"{LINUX}{UV}policy: {{maximum_unpacked_size: {text}}}").policy.maximum_unpacked_bytes
        == expected
    )


def test_without_a_policy_an_asset_may_unpack_to_two_gibibytes():
    assert manifest.parse(LINUX + UV).policy.maximum_unpacked_bytes == 2 * 1024**3


@pytest.mark.parametrize("text", ["4", "4GB", "4 G", "0GiB", "-1GiB", "1.5GiB", "1e3MiB", "9999999GiB", "[4GiB]", "~"])
def test_a_size_of_another_form_is_refused_with_an_example(text):
    with pytest.raises(ReleaseError, match=r"policy\.maximum_unpacked_size is not valid") as failure:
        manifest.parse(f"{LINUX}{UV}policy: {{maximum_unpacked_size: {text}}}")
    assert failure.value.expected == "a size such as 4GiB or 500MiB"


@given(st.text())
def test_any_text_is_one_clear_error(text):
    refused(text)


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_manifest_is_a_manifest_or_one_clear_error(data):
    start = data.draw(st.integers(0, len(EXAMPLE)))
    end = data.draw(st.integers(start, min(len(EXAMPLE), start + 30)))
    junk = st.text(max_size=4) | st.sampled_from(
        [*"{}[]:,*&!|>'\"%@`#-?~\\\t\n", "<<: ", "!!int ", "!!float ", "!!timestamp ", "? "]
    )
    damaged = EXAMPLE[:start] + data.draw(junk) + EXAMPLE[end:]
    try:
        found = manifest.parse(damaged, "releases.yml")
    except ReleaseError:
        refused(damaged)
    else:
        assert found.tools
        assert found.platforms


# What the schema says.


@pytest.fixture(scope="module")
def validator():
    return schemas.validator("releases")


@pytest.mark.parametrize(
    ("tag", "version", "constraint"),
    [
        ("jq-{version}", "jq-1.7.1", "==1.7.1"),
        ("jq-{version}", "1.7.1", "==1.7.1"),
        ("jq-{version}", "jq-1.7.*", "==1.7.*"),
        ("jq-{version}", ">=1.7,<2", "<2,>=1.7"),
        ("jq-{version}", "latest", ""),
        ("kustomize/v{version}", "kustomize/v5.6.0", "==5.6.0"),
        ("kustomize/v{version}", "v5.6.0", "==5.6.0"),
        ("v{version}", "v1.2", "==1.2"),
        ("{version}-release", "1.2.3-release", "==1.2.3"),
        ("@biomejs/biome@{version}", "@biomejs/biome@2.0.0", "==2.0.0"),
        ("curl-{version}", "curl-8_5_0", "8_5_0"),
        ("jdk-{version}", " jdk-21.0.2+13 ", "==21.0.2+13"),
        ("{version}", "1.2", "==1.2"),
    ],
)
def test_a_version_may_be_a_whole_tag_of_the_form_that_the_source_names(
    validator, tag: str, version: str, constraint: str
) -> None:
    source = {"github": "owner/name", "tag": tag}
    found = {"platforms": ["linux/x86_64"], "tools": {"uv": {"source": source, "version": version}}}
    assert tool(yaml.safe_dump(found)).constraint == constraint
    assert validator.is_valid(found)


@pytest.mark.parametrize("place", ["/srv/jq/jq-{version}", "rel/jq-{version}/linux", "https://h/jq-{version}/"])
def test_a_version_may_be_the_name_of_a_folder_of_the_form_that_the_source_names(validator, place: str) -> None:
    found = {"platforms": ["linux/x86_64"], "tools": {"uv": {"source": {"directory": place}, "version": "jq-1.7.1"}}}
    assert tool(yaml.safe_dump(found)).constraint == "==1.7.1"
    assert validator.is_valid(found)


@pytest.mark.parametrize(
    ("tag", "version"),
    [("jq-{version}", "jq-"), ("jq-{version}", "jp-1.7"), ("jq-{version}", "jq-latest"), ("a{version}b", "ab")],
)
def test_a_version_that_is_no_tag_of_that_form_is_refused(tag: str, version: str) -> None:
    source = {"github": "owner/name", "tag": tag}
    found = {"platforms": ["linux/x86_64"], "tools": {"uv": {"source": source, "version": version}}}
    with pytest.raises(ReleaseError, match=r"tools\.uv\.version is not valid"):
        manifest.parse(yaml.safe_dump(found))


@pytest.mark.parametrize(
    ("version", "source", "expected"),
    [
        ("jq-1.7.1", "{github: o/n}", '"1.7.1", or beside github: tag: "jq-{version}"'),
        ("kustomize/v5.6.0", "{github: o/n}", '"5.6.0", or beside github: tag: "kustomize/v{version}"'),
        ("@biomejs/biome@2.0.0", "{github: o/n}", '"2.0.0", or beside github: tag: "@biomejs/biome@{version}"'),
        ("jp-1.7", '{github: o/n, tag: "jq-{version}"}', '"1.7", or beside github: tag: "jp-{version}"'),
        ("jq-1.7.1", "{pypi: jq}", '"1.7.1"'),
    ],
)
def test_a_whole_tag_is_refused_without_its_form_and_both_lines_that_work_are_told(
    version: str, source: str, expected: str
) -> None:
    with pytest.raises(ReleaseError, match=r"tools\.uv\.version is not valid") as raised:
        tool(f"{LINUX}tools:\n  uv: {{source: {source}, version: '{version}'}}\n")
    assert raised.value.expected == expected


@given(st.text(max_size=5), st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}", fullmatch=True), st.text(max_size=5))
def test_whatever_is_around_the_version_in_a_tag_is_cut_off(before: str, version: str, after: str) -> None:
    assume("{version}" not in before + after and (before + after).strip(" ") == before + after)
    whole = before + version + after
    assert constraints.without_tag(whole, f"{before}{{version}}{after}") == version


def is_beyond_a_schema(found: dict) -> bool:
    """Tell what is not the schema's: whether a version begins like PEP 440's specifiers but is none, whether one place
    is named for two files, and whether a tool is not in the catalogue, or a catalogue is none.
    """
    long = {name: wanted for name, wanted in found["tools"].items() if isinstance(wanted, dict)}
    paths = [path for wanted in long.values() for path in wanted.get("files", ())]
    if len(set(paths)) < len(paths) or nested(paths):
        return True
    if any(map(is_not_found, found["tools"], found["tools"].values())) or "catalogue" in found:
        return True
    if any(map(has_an_impossible_name, found["tools"].values())):
        return True
    versions = [wanted["version"] for wanted in long.values() if "version" in wanted]
    versions += [str(wanted).rpartition("@")[2] for name, wanted in found["tools"].items() if name not in long]
    for version in versions:
        if re.match("[<>=!~]", str(version).strip()):
            try:
                specifiers = packaging.specifiers.SpecifierSet(version)
            except ValueError:
                return True
            if constraints.is_impossible(str(specifiers)):
                return True
    return False


def has_an_impossible_name(wanted: object) -> bool:
    """Tell whether the form of a name, which each kind of source has for itself, is not kept."""
    if isinstance(wanted, str):
        kind, _colon, published = wanted.partition(":")
        name, at, version = published.rpartition("@")
        source = {kind: published if not at or "/" in version else name}
    else:
        source = wanted.get("source", {})
    return any(not re.fullmatch(NAMES[kind][0], source[kind]) for kind in source.keys() & NAMES.keys())


def is_not_found(name: str, wanted: object) -> bool:
    is_short = ":" not in str(wanted) if isinstance(wanted, str) else isinstance(wanted, int)
    is_looked_up = "source" not in wanted if isinstance(wanted, dict) else is_short
    return is_looked_up and name not in catalogue.own()


JUNK = st.one_of(
    st.sampled_from(
        ["pypi:a", "npm:@a/b", "npm:@a/b@1.*", "npm:@1", "pypi:@", "pypi:a@", "x:a@1", "index:a", "pypi:a@1.x"]
    ),
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([0.1, 1.0, 10**15, 10**15 - 1]),
    st.sampled_from(
        [[], {}, "", "x", "1.x", "1.2", "1.2.*", "v1", "latest", "*", ">=1", "~=x", " 1 ", "1 2", "a" * 129, "9" * 129]
    ),
    st.sampled_from(
        [
            "a\n",
            "a\x00",
            "\ud800",
            "\u2028",
            "3d",
            "3 w",
            "4GiB",
            "0GiB",
            "7 MiB",
            "d",
            "0w",
            "digest",
            "proof",
            "pypi",
            "github:a b",
            "github:",
            "*.example.org",
            "*",
            "::1",
            "1.0 x",
            "1.0 ",
            "linux/x86_64",
            "linux/amd64",
            "linux/riscv",
            "sunos/x64",
        ]
    ),
    st.sampled_from(["pkg:npm/%40a/b", "pkg:npm/@a/b", "pkg:npm/a@1", "pkg:pypi/..", "pkg:deb/a", "pkg:pypi/a\n"]),
    st.text(max_size=3),
    st.sampled_from(["RW" + "Q" * 54, "RWU" + "Q" * 53, "RWQ" + "=" * 53, "RW" + "Q" * 54 + "\n"]),
    st.lists(st.sampled_from(["x", "", 1, "linux/x86_64"]), max_size=2),
    st.dictionaries(
        st.sampled_from(["x", "", "a b", "pypi", "github", "minisign"]), st.sampled_from(["x", 1, ""]), max_size=2
    ),
)
KEYS = st.sampled_from(
    [
        *(
            "x",
            "policy",
            "catalogue",
            "uv",
            "maximum_unpacked_size",
            "version",
            "asset",
            "executables",
            "files",
            "share/a",
            "../a",
            "platforms",
            "source",
            "npm",
            "index",
            "tag",
            "sums",
            "http",
            "versions",
            "arch",
            "x86_64",
        ),
        *("a b", "verify", "accept", "minisign", "without_digest", "key", "successors"),
        *("require", "sources", "hosts", "maximum_size", "purl"),
        *("valid_for", "downgrade", "republished", "signer", "vanished_asset", "weaker_evidence"),
    ]
)


@given(st.data())
@settings(max_examples=500)
def test_parse_accepts_what_the_schema_does_and_nothing_else(validator, data):
    found = schemas.changed(data, yaml.safe_load(EXAMPLE), JUNK, KEYS)
    try:
        manifest.parse(yaml.safe_dump(found))
        is_accepted = True
    except ReleaseError:
        is_accepted = False
    errors = list(validator.iter_errors(found))
    assert is_accepted == (not errors and not is_beyond_a_schema(found)), errors


@given(st.text(max_size=8) | st.from_regex(r"[vV]?[0-9]{0,2}[.x*!~-]?[0-9]?[.xX]?[*x]? ?", fullmatch=True))
@settings(max_examples=500)
def test_parse_and_schema_agree_on_what_versions_are(validator, version):
    found = {"platforms": ["linux/x86_64"], "tools": {"uv": {"source": {"pypi": "uv"}, "version": version}}}
    try:
        manifest.parse(yaml.safe_dump(found))
        is_accepted = True
    except ReleaseError:
        is_accepted = False
    assert is_accepted == (validator.is_valid(found) and not is_beyond_a_schema(found))


def test_parse_and_schema_agree_on_what_platforms_are(validator):
    words = schemas.schema("releases")["$defs"]["platform"]["anyOf"]
    names = {name for one in words for name in one.get("enum", ())}
    names |= {name for one in words if "pattern" in one for name in spelt_out(one["pattern"])}
    systems = {name.partition("/")[0] for name in names} | {
        "linux32",
        "macosx",
        "windows64",
        "",
        "solaris",
        "ios",
        "wasm",
    }
    arches = {name.partition("/")[2] for name in names} | {
        "riscv",
        "riscv32",
        "arm64v8",
        "powerpc",
        "universal",
        "",
        "any",
        "i486",
    }
    floors = ["", *FLOORS, *NO_FLOORS]
    names = map("/".join, itertools.product(systems, arches))
    of_some = map("".join, itertools.product(SOME_PLATFORMS, floors))
    for name in itertools.chain(names, of_some):
        found = {"platforms": [name], "tools": {"uv": {"source": {"pypi": "uv"}}}}
        try:
            parse_platform(name)
            is_known = True
        except ReleaseError:
            is_known = False
        assert is_known == validator.is_valid(found), name


SOME_PLATFORMS = ("linux/x86_64", "linux/arm/v7", "darwin/arm64", "windows/x64", "android/aarch64", "freebsd/x86_64")
FLOORS = "/glibc2.28 /glibc2.2.5 /musl /musl1.2.5 /musl1.2 /13 /10.15 /13.0 /13.0.1 /13.0.0.0".split()
NO_FLOORS = "/ /glibc /glibc2 /glibc2.x /glibc2.28.1.1 /glibc02.28 /gnu /musl1 /musl1.2.3.4".split()
NO_FLOORS += "/0 /013 /13. /13.0.0.1 /v2".split()


def spelt_out(pattern: str) -> list[str]:
    """Return the names that a pattern of two lists of words stands for, without floors."""
    systems, arches = re.match(r"\^\(\?:([^()]*)\)/\(\?:([^()]*)\)(?:\$|\(\?:/)", pattern).groups()
    return [f"{system}/{arch}" for system in systems.split("|") for arch in arches.split("|")]


def test_the_schema_knows_every_kind_of_source_and_its_options():
    source = schemas.schema("releases")["$defs"]["source"]
    kinds = {kind: [kind, *NEEDED.get(kind, ())] for kind in source["properties"] if kind in KINDS}
    takers = {option: [kind for kind in kinds if option in KINDS[kind].OPTIONS] for option in source["properties"]}
    options = {option: takers[option] for option in takers if takers[option]}
    assert {*kinds, *options} == set(source["properties"]) == {*KINDS, *(o for k in KINDS.values() for o in k.OPTIONS)}
    assert source["oneOf"] == [{"required": needed} for needed in kinds.values()]
    for option in options.keys() & kinds.keys():  # index is a kind, and an option of pypi
        options[option].append(option)
    assert source["dependentRequired"] == {
        option: kinds[takers[0]] for option, takers in options.items() if len(takers) == 1
    }
    assert source["dependentSchemas"] == {
        option: {"anyOf": [{"required": kinds[taker]} for taker in takers]}
        for option, takers in options.items()
        if len(takers) > 1
    }


@pytest.mark.parametrize(
    ("source", "is_valid"),
    [
        ({"index": "x", "releases": "@"}, True),
        ({"index": "x", "releases": "@", "base": "y/", "tag": "v{version}"}, True),
        ({"pypi": "x", "index": "y"}, True),
        ({"index": "x"}, False),
        ({"index": "x", "base": "y/"}, False),
        ({"releases": "@"}, False),
        ({"pypi": "x", "releases": "@"}, False),
        ({"pypi": "x", "index": "y", "releases": "@"}, False),
        ({"pypi": "x", "index": "y", "base": "z/"}, False),
        ({"pypi": "x", "index": "y", "tag": "v{version}"}, False),
        ({"npm": "x", "index": "y"}, False),
        ({"github": "a/b", "index": "y", "releases": "@"}, False),
        ({"index": "x", "releases": "a" * 2001}, False),
    ],
)
def test_parse_and_schema_agree_on_which_index_is_meant(validator, source, is_valid):
    found = {"platforms": ["linux/x86_64"], "tools": {"uv": {"source": source}}}
    assert validator.is_valid(found) is is_valid
    if is_valid:
        assert tool(yaml.safe_dump(found)).source == source
    else:
        refused(yaml.safe_dump(found))


RULE = "https://h/{version}"


@pytest.mark.parametrize(
    ("source", "is_valid"),
    [
        ({"http": RULE}, True),
        ({"http": RULE, "sums": "x", "arch": {"x86_64": "amd64"}, "os": {"macos": "darwin", "linux": "Linux"}}, True),
        ({"http": RULE, "versions": {"github": "a/b", "tag": "v{version}"}}, True),
        ({"http": RULE, "versions": {"index": "x", "releases": "@", "versions": "keys(@)"}}, True),
        ({"http": RULE, "versions": {"pypi": "x", "index": "y"}}, True),
        ({"index": "x", "releases": "@", "versions": "keys(@)"}, True),
        ({"index": "x", "releases": "@", "versions": {"directory": "x"}}, True),
        ({"http": RULE, "versions": "keys(@)"}, False),
        ({"http": RULE, "versions": {"http": RULE}}, False),
        ({"http": RULE, "versions": {}}, False),
        ({"http": RULE, "versions": {"github": "a/b", "branch": "x"}}, False),
        ({"http": RULE, "versions": {"github": "a/b", "sums": "x"}}, False),
        ({"http": RULE, "versions": {"github": 5}}, False),
        ({"http": RULE, "versions": {"index": "x", "releases": "@", "versions": {"pypi": "x"}}}, False),
        ({"http": RULE, "versions": {"index": "x"}}, False),
        ({"http": RULE, "versions": None}, False),
        ({"http": RULE, "versions": ["x"]}, False),
        ({"http": {"github": "a/b"}}, False),
        ({"github": {"github": "a/b"}}, False),
        ({"github": "a/b", "versions": {"github": "a/b"}}, False),
        ({"github": "a/b", "arch": {"x86_64": "amd64"}}, False),
        ({"http": RULE, "arch": {}}, False),
        ({"http": RULE, "arch": "amd64"}, False),
        ({"http": RULE, "arch": {"amd64": "amd64"}}, False),
        ({"http": RULE, "os": {"x86_64": "amd64"}}, False),
        ({"http": RULE, "arch": {"i686": 386}}, False),
        ({"index": "x", "releases": "@", "versions": "a" * 2001}, False),
    ],
)
def test_parse_and_schema_agree_on_what_stands_inside_of_a_source(validator, source, is_valid):
    found = {"platforms": ["linux/x86_64"], "tools": {"uv": {"source": source}}}
    assert validator.is_valid(found) is is_valid
    if is_valid:
        assert tool(yaml.safe_dump(found)).source == source
    else:
        refused(yaml.safe_dump(found))


def test_sources_in_sources_are_refused_however_deep_they_are():
    deep = "{http: 'https://x/{version}', versions: " * 250 + "{pypi: uv}" + "}" * 250
    error = refused(f"platforms: [linux/x86_64]\ntools: {{uv: {{source: {deep}}}}}\n")
    assert "a source that lists versions itself" in str(error)


@pytest.mark.parametrize(
    ("line", "what", "expected"),
    [
        ("versions: {githb: a/b}", 'releases.yml:6: unknown key "githb" in versions; did you mean "github"?', ""),
        (
            "versions: {http: x}",
            "releases.yml:6: tools.uv.source.versions is not valid",
            "a source that lists versions itself",
        ),
        ("arch: {x86-64: x}", 'releases.yml:6: unknown word "x86-64"; did you mean "x86_64"?', ""),
        ("arch: {i686: 386}", "releases.yml:6: tools.uv.source.arch.i686 is not valid", 'text in quotes: "386"'),
        ("versions: {index: x, releases: '('}", "releases.yml:6: tools.uv.source.versions.releases is not valid", ""),
    ],
)
def test_a_mistake_inside_of_a_source_is_told_with_its_line(line, what, expected):
    error = refused(f"{LINUX}tools:\n  uv:\n    source:\n      http: https://h/{{version}}\n      {line}\n")
    assert error.what == what
    assert expected in (error.expected or error.what)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("[].{version version}", "Expecting: colon, got: unquoted_identifier at character 13: version}"),
        ("[].{version: replace(@)}", "replace(), which is no function of JMESPath at character 14: replace(@)}"),
    ],
)
def test_an_expression_that_is_none_is_refused_with_its_line_and_the_position_in_it(expression, found):
    error = refused(f"{LINUX}tools:\n  go:\n    source:\n      index: https://h/\n      releases: '{expression}'\n")
    assert error.what == "releases.yml:6: tools.go.source.releases is not valid"
    assert error.expected == "an expression of JMESPath (jmespath.org)"
    assert error.found == found


def test_the_schema_knows_every_kind_of_proof():
    verify = schemas.schema("releases")["$defs"]["tool"]["properties"]["verify"]
    assert set(verify["properties"]) == set(proofs.KINDS)
    key = schemas.schema("releases")["$defs"]["minisign_key"]
    assert key["pattern"] == "^" + minisign.KEY.pattern.replace("\\Z", "$")
    assert schemas.schema("releases")["$defs"]["kind_of_evidence"]["enum"] == ["digest", "proof", *proofs.KINDS]


def test_every_field_of_the_schema_is_described():
    assert schemas.undescribed(schemas.schema("releases")) == []


@given(
    st.from_regex(r"(pypi|npm|github|index|pip|)(:|)[@a/ ]{0,4}@?[0-9=>~vx*.,@/]{0,5}", fullmatch=True)
    | st.text(max_size=8)
)
@settings(max_examples=500)
def test_parse_and_schema_agree_on_what_short_forms_are(validator, text):
    found = {"platforms": ["linux/x86_64"], "tools": {"uv": text}}
    try:
        manifest.parse(yaml.safe_dump(found))
        is_accepted = True
    except ReleaseError:
        is_accepted = False
    assert is_accepted == (validator.is_valid(found) and not is_beyond_a_schema(found))


# Short forms.


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("pypi:ruff@0.17.*", '{source: {pypi: ruff}, version: "0.17.*"}'),
        ("github:jqlang/jq@>=1.7,<2", '{source: {github: jqlang/jq}, version: ">=1.7,<2"}'),
        ("npm:@biomejs/biome@1.*", '{source: {npm: "@biomejs/biome"}, version: "1.*"}'),
        ("npm:@biomejs/biome", '{source: {npm: "@biomejs/biome"}}'),
        ("gitlab:gitlab-org/cli@latest", "{source: {gitlab: gitlab-org/cli}}"),
        ("gitea:forgejo/runner@v6.0.0", '{source: {gitea: forgejo/runner}, version: "6.0.0"}'),
        ("oci:registry.example.org:5000/a/b@1.*", '{source: {oci: "registry.example.org:5000/a/b"}, version: "1.*"}'),
        ("http:https://h/{version}/x@1.2", '{source: {http: "https://h/{version}/x"}, version: "1.2"}'),
        ("directory:/srv/@team/uv", "{source: {directory: /srv/@team/uv}}"),
        ("directory:jq-{version}@jq-1.7", '{source: {directory: "jq-{version}"}, version: "1.7"}'),
    ],
)
def test_a_short_form_means_what_the_long_one_does(short, long):
    assert tool(f"{LINUX}tools: {{tool: '{short}'}}") == tool(f"{LINUX}tools: {{tool: {long}}}")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://github.com/jqlang/jq", "github:jqlang/jq"),
        ("https://www.github.com/jqlang/jq.git", "github:jqlang/jq"),
        ("http://github.com/jqlang/jq/releases/tag/jq-1.7", "github:jqlang/jq"),
        ("https://github.com/nodejs/node.js/?tab=readme#a", "github:nodejs/node.js"),
        ("https://gitlab.com/gitlab-org/cli@1.*", "gitlab:gitlab-org/cli"),
        ("https://gitlab.com/group/sub/project/-/releases/v1.0", "gitlab:group/sub/project"),
        ("https://gitlab.com/group/sub/project.git", "gitlab:group/sub/project"),
        ("https://gitlab.com/group/project/-/releases", "gitlab:group/project"),
        ("https://github.com/owner/repository/releases", "github:owner/repository"),
        ("https://codeberg.org/forgejo/runner", "gitea:forgejo/runner"),
        ("https://github.com/jqlang", "http:https://"),
        ("https://dl.example.org/1.2/x", "http:https://"),
        ("https://github.com.example.org/a/b", "http:https://"),
        ("https://[x/a", "http:https://"),
        ("pypi: ruff", "pypi:ruff"),
        ("pypi:ruff @0.17.*", "pypi:ruff"),
    ],
)
def test_what_is_pasted_in_place_of_a_short_form_is_refused_with_the_short_form(written, meant):
    error = refused(f'{LINUX}tools: {{tool: "{written}"}}\n')
    assert error.what == "releases.yml:2: tools.tool is not valid"
    assert meant in error.expected


def test_a_password_in_a_pasted_address_is_not_shown():
    for address in ("https://me:s3cret@h.example.org/x", "https://me:s3/cret@h/x", "http:https://me:s3cret@h/x"):
        assert "cret" not in str(refused(f"{LINUX}tools: {{tool: '{address}'}}"))


@given(
    st.sampled_from(sorted(set(KINDS) - set(NEEDED) - set(NAMES))),
    st.from_regex(r"[@A-Za-z0-9/._{}:+-]{1,20}[A-Za-z0-9]", fullmatch=True),
    st.sampled_from(["", "1.2.3", "0.9.*", ">=1,<2", "latest"]),
)
def test_any_source_and_version_have_a_short_form(kind, published, version):
    short = f"{kind}:{published}@{version}" if version else f"{kind}:{published}"
    assume(version or "@" not in published or "/" in published.rpartition("@")[2])
    assume("{version}" not in published)
    found = tool(yaml.safe_dump({"platforms": ["linux/x86_64"], "tools": {"tool": short}}))
    long = {"source": {kind: published}, **({"version": version} if version else {})}
    assert found == tool(yaml.safe_dump({"platforms": ["linux/x86_64"], "tools": {"tool": long}}))


def test_what_the_manifest_says_counts_more_than_the_catalogue():
    found = tool(LINUX + "tools: {ripgrep: {version: '15.*', executables: [rg], asset: '*musl*'}}")
    assert found.source == catalogue.own()["ripgrep"].keys.source
    assert (found.executables, found.asset, found.catalogued) == ({"rg": "**/rg"}, "*musl*", ("source",))
