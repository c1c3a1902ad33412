# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tools of the catalogue does the configuration of Renovate know? ``make test-renovate`` tries the rest of it."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.tests.gate import renovate

CONFIGURATION = renovate.CONFIGURATION.read_text(encoding="utf-8")


@pytest.mark.skipif(not renovate.CATALOGUE.exists(), reason="this collection has no catalogue")
def test_configuration_has_the_catalogue_as_it_is() -> None:
    """If not: python3 tests/gate/renovate.py writes it."""
    assert renovate.with_catalogue(CONFIGURATION, renovate.entries()) == CONFIGURATION


def test_tool_is_known_by_where_its_versions_are() -> None:
    forge = {"github": "kubernetes-sigs/kustomize", "tag": "kustomize/v{version}"}
    assert renovate.known({"source": forge, "verify": {}, "description": "…"}) == forge
    assert renovate.known({"source": {"http": "https://dl.example.org/{version}", "versions": forge}}) == forge


@pytest.mark.parametrize(
    "source",
    [
        {"http": "https://dl.example.org/{version}", "versions": {"http": "https://dl.example.org"}},
        {"index": "https://e"},
    ],
)
def test_tool_is_not_known_where_renovate_has_nothing_to_ask(source: dict[str, object]) -> None:
    assert renovate.known({"source": source}) is None


def test_writing_twice_changes_nothing_and_a_tool_that_left_is_gone() -> None:
    one = renovate.with_catalogue(
        CONFIGURATION, {"uv": {"source": {"pypi": "uv"}}, "jq": {"source": {"github": "jqlang/jq"}}}
    )
    assert '"jq": {"github": "jqlang/jq"}, \\\n' in one
    assert '"uv": {"pypi": "uv"} \\\n' in one
    assert renovate.with_catalogue(one, {}) == renovate.with_catalogue(CONFIGURATION, {})


def test_what_would_end_the_query_is_refused() -> None:
    with pytest.raises(ValueError, match="ends the query"):
        renovate.with_catalogue(CONFIGURATION, {"x": {"source": {"pypi": "it's"}}})
