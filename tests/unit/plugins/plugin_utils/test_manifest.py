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
from ansible_collections.pinned.release.plugins.plugin_utils import manifest
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils.sources import KINDS
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import schemas
from hypothesis import given, settings
from hypothesis import strategies as st

UV = "tools:\n  uv: {source: {pypi: uv}}\n"
LINUX = "platforms: [linux/x86_64]\n"
EXAMPLE = """\
# What the team uses.
platforms: [linux/x86_64, linux/arm64, darwin/arm64]
policy: {minimum_age: 3d}
tools:
  uv: {source: {github: astral-sh/uv}, version: ">=0.9,<1"}
  ruff:
    source: {pypi: ruff}
    version: "0.17.*"
    executables: [ruff]
    platforms: [linux/x86_64]
  cmake:
    source: {pypi: cmake, index: "https://index.example.org/simple"}
    asset: "cmake-{version}-*"
    executables: {cmake: "cmake/data/bin/cmake"}
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
    assert caught.value.expected or caught.value.found
    assert caught.value.fix
    assert str(caught.value).replace("\n", "").isprintable()
    return caught.value


def test_a_manifest_says_what_people_want():
    found = manifest.parse(EXAMPLE)
    platforms = tuple(map(parse_platform, ("linux/x86_64", "linux/aarch64", "macos/aarch64")))
    assert found.platforms == platforms
    assert found.minimum_age == timedelta(days=3)
    assert dict(found.tools) == {
        "uv": WantedTool("uv", {"github": "astral-sh/uv"}, "<1,>=0.9", platforms=platforms),
        "ruff": WantedTool(
            "ruff", {"pypi": "ruff"}, "==0.17.*", executables={"ruff": "**/ruff"}, platforms=platforms[:1]
        ),
        "cmake": WantedTool(
            "cmake",
            {"pypi": "cmake", "index": "https://index.example.org/simple"},
            asset="cmake-{version}-*",
            executables={"cmake": "cmake/data/bin/cmake"},
            platforms=platforms,
        ),
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


def test_a_plain_whole_number_is_a_version():
    assert tool(with_version("3")).constraint == "==3"


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
        ("newest", manifest.EXAMPLES_OF_VERSIONS),
        ("''", manifest.EXAMPLES_OF_VERSIONS),
        ("", manifest.EXAMPLES_OF_VERSIONS),
        ("'>=one'", manifest.EXAMPLES_OF_VERSIONS),
        ("'1.2 - 1.4'", manifest.EXAMPLES_OF_VERSIONS),
        ("'1.2 || 1.4'", manifest.EXAMPLES_OF_VERSIONS),
        ("'*.1'", manifest.EXAMPLES_OF_VERSIONS),
        ("'==1.2.*.*'", manifest.EXAMPLES_OF_VERSIONS),
        ("[1.2]", manifest.EXAMPLES_OF_VERSIONS),
        ("{min: 1}", manifest.EXAMPLES_OF_VERSIONS),
        ('"1.2\\n"', manifest.EXAMPLES_OF_VERSIONS),
        ("'>=" + "9" * 5000 + "'", manifest.EXAMPLES_OF_VERSIONS),
    ],
)
def test_a_version_that_says_something_else_is_refused_with_what_was_meant(version, expected):
    error = refused(with_version(version))
    assert error.what == "releases.yml: tools.uv.version is not valid"
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
    assert error.what == "releases.yml is not YAML"
    assert error.found.startswith(("line 5", "line 6"))
    assert 'needs quotes: version: ">=0.9,<1"' in error.fix or line == "version: !=1.2"


@pytest.mark.parametrize("indent", ["\t", "    \t"])
def test_a_tab_is_told_to_be_one(indent):
    error = refused(f"{LINUX}tools:\n  uv:\n    source: {{pypi: uv}}\n{indent}asset: uv\n")
    assert error.found.startswith("line 5")
    assert "spaces, never with tabs" in error.fix


# Everything else that people get wrong.


@pytest.mark.parametrize(
    ("text", "what", "expected", "found"),
    [
        ("", "releases.yml is not valid", "a mapping with tools, platforms, policy", "nothing"),
        (
            "- uv\n",
            "releases.yml is not valid",
            "a mapping with tools, platforms, policy",
            'a list that begins with "uv"',
        ),
        (LINUX, "releases.yml is not valid", "the key tools", 'a mapping of "platforms"'),
        (UV, "releases.yml is not valid", "the key platforms", 'a mapping of "tools"'),
        (LINUX + UV + "polcy: {}", "releases.yml: polcy is not valid", "policy", '"polcy"'),
        (LINUX + UV + "x: 1", "releases.yml: x is not valid", "one of tools, platforms, policy", '"x"'),
        (LINUX + UV + "policy:\n", "releases.yml: policy is not valid", "a mapping with minimum_age", "nothing"),
        (LINUX + "tools: {}", "releases.yml: tools is not valid", "a mapping of tools, such as ", "an empty mapping"),
        (LINUX + "tools:\n", "releases.yml: tools is not valid", "a mapping of tools, such as ", "nothing"),
        (LINUX + "tools: [uv]", "releases.yml: tools is not valid", "a mapping of tools, such as ", 'begins with "uv"'),
        (LINUX + "tools: {uv: }", "releases.yml: tools.uv is not valid", "a mapping with source, version, ", "nothing"),
        (
            LINUX + "tools: {uv: '1.2'}",
            "releases.yml: tools.uv is not valid",
            "a mapping with source, version, ",
            '"1.2"',
        ),
        (LINUX + "tools: {uv: {}}", "releases.yml: tools.uv is not valid", "the key source", "an empty mapping"),
        (
            LINUX + "tools: {uv: {github: astral-sh/uv}}",
            "releases.yml: tools.uv is not valid",
            'source: {github: "astral-sh/uv"}',
            'github: "astral-sh/uv"',
        ),
        (LINUX + "tools: {uv: {sorce: {pypi: uv}}}", "releases.yml: tools.uv.sorce is not valid", "source", '"sorce"'),
        (LINUX + "tools: {uv: {versoin: '1'}}", "releases.yml: tools.uv.versoin is not valid", "version", '"versoin"'),
        (
            LINUX + "tools: {uv: {source: uv}}",
            "releases.yml: tools.uv.source is not valid",
            "a mapping, such as ",
            '"uv"',
        ),
        (
            LINUX + "tools: {uv: {source: {}}}",
            "releases.yml: tools.uv.source is not valid",
            "a mapping, such as ",
            "an empty",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: }}}",
            "releases.yml: tools.uv.source.pypi is not valid",
            "text",
            "nothing",
        ),
        (
            LINUX + "tools: {x: {source: {pypi: 7}}}",
            "releases.yml: tools.x.source.pypi is not valid",
            'quotes: "7"',
            "7, which",
        ),
        (
            LINUX + "tools: {x: {source: {pypi: [7]}}}",
            "releases.yml: tools.x.source.pypi is not valid",
            "text",
            "a list",
        ),
        (
            LINUX + "tools: {../uv: {}}",
            'releases.yml: tools."../uv" is not valid',
            "a name of letters, digits",
            '"../uv"',
        ),
        (
            "platforms: linux/x86_64\n" + UV,
            "releases.yml: platforms is not valid",
            "a list such as [",
            '"linux/x86_64"',
        ),
        ("platforms: []\n" + UV, "releases.yml: platforms is not valid", "a list such as [linux/", "an empty list"),
        ("platforms: [1]\n" + UV, "releases.yml: platforms[0] is not valid", 'text in quotes: "1"', "1, which YAML"),
        (
            "platforms: [{linux: x}]\n" + UV,
            "releases.yml: platforms[0] is not valid",
            "a platform such as",
            'of "linux"',
        ),
        (
            "platforms: [linux/x68_64]\n" + UV,
            "releases.yml: platforms[0]: unknown platform 'linux/x68_64'",
            "linux/x86_64",
            "",
        ),
        (
            "platforms: [macos/arm]\n" + UV,
            "releases.yml: platforms[0]: unknown platform",
            "macos/aarch64 macos/x86_64",
            "",
        ),
        ("platforms: [linux]\n" + UV, "releases.yml: platforms[0]: unknown platform 'linux'", "linux/aarch64", ""),
        (
            LINUX + UV + "policy: {minimum_age: 3}",
            "releases.yml: policy.minimum_age is not valid",
            "3d, 12h or 2w",
            '"3"',
        ),
        (
            LINUX + UV + "policy: {minimum_age: 3 days}",
            "releases.yml: policy.minimum_age is not valid",
            "3d",
            '"3 days"',
        ),
        (LINUX + UV + "policy: {minimum_age: -3d}", "releases.yml: policy.minimum_age is not valid", "3d", '"-3d"'),
        (
            LINUX + UV + f"policy: {{minimum_age: {'9' * 5000}d}}",
            "releases.yml: policy.minimum_age is not valid",
            "3d",
            "999",
        ),
        (LINUX + UV + "policy: {max_age: 3d}", "releases.yml: policy.max_age is not valid", "minimum_age", '"max_age"'),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, asset: }}",
            "releases.yml: tools.uv.asset is not valid",
            "",
            "nothing",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, asset: [x]}}",
            "releases.yml: tools.uv.asset is not valid",
            "a pattern",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: uv}, executables: uv}}",
            "releases.yml: tools.uv.executables is not valid",
            "a list of programs' names, or a mapping of them to paths inside the asset",
            '"uv"',
        ),
        (
            LINUX + "tools: {uv: {source: {a: b}, executables: []}}",
            "releases.yml: tools.uv.executables is",
            "",
            "an empty list",
        ),
        (
            LINUX + "tools: {uv: {source: {a: b}, executables: [[]]}}",
            "releases.yml: tools.uv.executables[0] is",
            "name",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {a: b}, executables: [{}]}}",
            "releases.yml: tools.uv.executables[0] is",
            "name",
            "",
        ),
        (
            LINUX + "tools: {uv: {source: {a: b}, executables: [a/b]}}",
            "releases.yml: tools.uv.executables is",
            "names of",
            "a/b",
        ),
        (
            LINUX + "tools: {uv: {source: {a: b}, executables: {a: }}}",
            "releases.yml: tools.uv.executables.a is",
            "a path",
            "noth",
        ),
        (
            '{"lock_version": 1, "tools": {}}',
            "releases.yml: lock_version is not valid",
            "one of tools, platforms",
            "lock_version",
        ),
    ],
)
def test_a_mistake_is_found_where_it_is(text, what, expected, found):
    error = refused(text)
    assert error.what.startswith(what)
    assert expected in error.expected
    assert found in str(error.found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LINUX + UV + "  uv: {source: {pypi: uv}}\n", 'line 4, column 3: the key "uv" stands there twice'),
        (LINUX + UV + LINUX, 'line 4, column 1: the key "platforms" stands there twice'),
        (
            LINUX + 'tools: {uv: {source: {pypi: uv, "pypi": ruff}}}',
            'line 2, column 33: the key "pypi" stands there twice',
        ),
        (
            LINUX + "tools: {uv: {<<: {source: {pypi: uv}}}}",
            "line 2, column 14: merging with << is not possible here; write it out",
        ),
        (
            LINUX + "tools: {uv: {source: {pypi: {{ tool }} }}}",
            "line 2, column 30: a key must be plain text; text with { } or",
        ),
        (
            LINUX + "---\n" + UV,
            "line 2, column 1: but found another document, expected a single document in the stream",
        ),
        ("a: &a [*a]\n", "line 1, column 4: found unconstructable recursive node"),
        ("a: &a {b: *a}\n", "line 1, column 4: found unconstructable recursive node"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "line 1, column 4: could not determine a constructor for the tag",
        ),
        ("a: !vault x\n", "line 1, column 4: could not determine a constructor for the tag"),
        ("a: !!binary x\n", "line 1, column 4: could not determine a constructor for the tag"),
        ("a: !!map x\n", "line 1, column 4: this is not a mapping"),
        ("a: !!seq x\n", "line 1, column 4: expected a sequence node, but found scalar"),
        ('a: "\\UFFFFFFFF"\n', ""),
        ("a: \x00\n", "unacceptable character #x0000"),
        ("[" * 100_000, "lists in lists in lists, without end"),
        ("{a: " * 5_000, "lists in lists in lists, without end"),
    ],
)
def test_yaml_that_says_nothing_certain_is_refused(text, found):
    error = refused(text)
    assert error.what == "releases.yml is not YAML"
    assert error.found.startswith(found)
    assert error.fix.startswith("mend that line")


def test_aliases_that_multiply_cost_nothing():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    began = time.monotonic()
    refused("\n".join(lines))
    refused("platforms: &p [linux/x86_64]\ntools:\n" + "\n".join("  " + line for line in lines))
    assert time.monotonic() - began < 5


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
    assert manifest.parse(f"{LINUX}{UV}policy: {{minimum_age: {text}}}").minimum_age == timedelta(**expected)


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


def is_of_one_kind(source: object) -> bool:
    """Tell what is decided when a source is opened: exactly one kind, and no option but its own."""
    words = source if isinstance(source, dict) else {}
    return len([kind for kind in KINDS if kind in words and words.keys() - {kind} <= KINDS[kind].OPTIONS]) == 1


def is_beyond_a_schema(found: dict) -> bool:
    """Tell whether a version begins like PEP 440's specifiers but is none: their grammar is not the schema's."""
    versions = [wanted["version"] for wanted in found["tools"].values() if "version" in wanted]
    for version in versions:
        if re.match("[<>=!~]", str(version).strip()):
            try:
                packaging.specifiers.SpecifierSet(version)
            except ValueError:
                return True
    return False


JUNK = st.one_of(
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
            "d",
            "linux/x86_64",
            "linux/amd64",
            "linux/riscv",
            "sunos/x64",
        ]
    ),
    st.text(max_size=3),
    st.lists(st.sampled_from(["x", "", 1, "linux/x86_64"]), max_size=2),
    st.dictionaries(st.sampled_from(["x", "", "a b", "pypi", "github"]), st.sampled_from(["x", 1, ""]), max_size=2),
)
KEYS = st.sampled_from(
    ["x", "policy", "version", "asset", "executables", "platforms", "source", "npm", "index", "tag", "sums", "a b"]
)


@given(st.data())
@settings(max_examples=500)
def test_parse_accepts_what_the_schema_does_and_nothing_else(validator, data):
    found = schemas.changed(data, yaml.safe_load(EXAMPLE), JUNK, KEYS)
    try:
        parsed = manifest.parse(yaml.safe_dump(found))
        is_accepted = all(is_of_one_kind(wanted.source) for wanted in parsed.tools.values())
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
    for name in itertools.starmap("{}/{}".format, itertools.product(systems, arches)):
        found = {"platforms": [name], "tools": {"uv": {"source": {"pypi": "uv"}}}}
        try:
            parse_platform(name)
            is_known = True
        except ReleaseError:
            is_known = False
        assert is_known == validator.is_valid(found), name


def spelt_out(pattern: str) -> list[str]:
    """Return the names that a pattern of two lists of words stands for."""
    systems, arches = re.fullmatch(r"\^\(\?:([^()]*)\)/\(\?:([^()]*)\)\$", pattern).groups()
    return [f"{system}/{arch}" for system in systems.split("|") for arch in arches.split("|")]


def test_the_schema_knows_every_kind_of_source_and_its_options():
    source = schemas.schema("releases")["$defs"]["source"]
    options = {option: [kind] for kind in KINDS for option in KINDS[kind].OPTIONS}
    assert set(source["properties"]) == {*KINDS, *options}
    assert source["oneOf"] == [{"required": [kind]} for kind in source["properties"] if kind in KINDS]
    assert source["dependentRequired"] == options


def test_every_field_of_the_schema_is_described():
    assert schemas.undescribed(schemas.schema("releases")) == []
