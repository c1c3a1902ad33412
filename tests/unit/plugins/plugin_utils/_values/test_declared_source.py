# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources as manifests declare them, and what lock files and receipts take for one."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import (
    read_source,
    sources_in,
    text_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place

KUBECTL = {
    "http": "https://example.org/v{version}/kubectl",
    "versions": {"github": "kubernetes/kubernetes"},
    "arch": {"x86_64": "amd64"},
}


@pytest.mark.parametrize("source", [{"github": "astral-sh/uv"}, KUBECTL])
def test_a_source_is_read_as_it_was_written(source):
    assert read_source(Place(source, Document("the lock file"))) == source


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ({}, "the top"),
        ([], "the top"),
        ({"github": 5}, "github"),
        ({"http": "x", "versions": {}}, "versions"),
        ({"http": "x", "versions": {"github": ["a/b"]}}, "versions.github"),
        ({"http": "x", "versions": {"index": "x", "versions": {"pypi": "uv"}}}, "versions.versions"),
        ({"a b": "x"}, '"a b"'),
    ],
)
def test_any_other_form_is_refused_with_the_way_to_it(source, way):
    with pytest.raises(MisfitError) as failure:
        read_source(Place(source, Document("the lock file")))
    assert failure.value.way == way


def test_a_key_has_its_text_and_nothing_else():
    assert [text_of(KUBECTL, key) for key in ("http", "versions", "github")] == [KUBECTL["http"], "", ""]


def test_the_source_of_the_versions_is_one_of_the_sources():
    assert list(sources_in(KUBECTL)) == [KUBECTL, {"github": "kubernetes/kubernetes"}]
    assert list(sources_in({"index": "x", "versions": "keys(@)"})) == [{"index": "x", "versions": "keys(@)"}]
