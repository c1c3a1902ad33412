# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy knows each source by one text, and no source by that of another."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import KINDS, kind_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.source_name import source_name


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_kind_is_told_as_sources_tell_it_whatever_options_stand_beside_it(kind: str) -> None:
    options = {option: {"github": "o/r"} if option == "versions" else "x" for option in KINDS[kind].OPTIONS}
    source = {**options, kind: "name"}
    assert kind_of(source) == kind
    assert source_name(source) == f"{kind}:name"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ({"github": "astral-sh/uv"}, "github:astral-sh/uv"),
        ({"github": "astral-sh/uv", "tag": "https://{version}"}, "github:astral-sh/uv"),
        (
            {"github": "astral-sh/uv", "api_url": "https://Git.example.org:8443/api"},
            "github:git.example.org:8443/astral-sh/uv",
        ),
        ({"pypi": "uv", "index": "https://me@index.example.org/simple"}, "pypi:index.example.org/uv"),
        ({"npm": "@a/b", "registry": "https://r.example.org/"}, "npm:r.example.org/@a/b"),
        (
            {"index": "https://releases.example.org/index.json", "releases": "join('://', [a])", "base": "https://b/"},
            "index:https://releases.example.org/index.json",
        ),
        ({"directory": "releases/uv"}, "directory:releases/uv"),
        (
            {"http": "https://dl.k8s.io/v{version}", "versions": {"github": "o/n"}, "arch": {"x86_64": "amd64"}},
            "http:https://dl.k8s.io/v{version}",
        ),
        ({"pypi": "uv", "index": "https://[::1"}, "pypi:unknown/uv"),
        ({"pypi": "uv", "npm": "uv"}, None),
        ({"tag": "v{version}"}, None),
        ({}, None),
    ],
)
def test_a_source_that_names_a_server_has_another_name_than_the_one_at_the_usual_server(source, name) -> None:
    assert source_name(source) == name
