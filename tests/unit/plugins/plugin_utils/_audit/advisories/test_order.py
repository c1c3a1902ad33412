# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions are in the order of their ecosystem, and those without a place in it are told apart."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.order import of_toolchain, order_of

ORDERS = {
    "PyPI": "1.0.dev1 1.0a1 1.0rc1 1.0 1.0.post1 1.1 1!0.1",
    "npm": "1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.10.0",
    "crates.io": "0.1.0 0.1.1-pre.1 0.1.1 0.10.0",
    "Bitnami": "1.9.0 1.10.0-rc1 1.10.0 10.0.0",
    "Go": "v0.0.0-20191109021931-daa7c04131f5 v0.0.0-20240102150405-0123456789ab v0.0.1 v1.2.3 "
    "v1.2.4-0.20191109021931-daa7c04131f5 v1.2.4-rc.1 v1.2.4 v2.0.0-20191109021931-daa7c04131f5+incompatible "
    "v2.0.0+incompatible v2.0.1",
}


@pytest.mark.parametrize("ecosystem", ORDERS)
def test_versions_are_ordered_as_their_ecosystem_says(ecosystem: str) -> None:
    for older, newer in itertools.combinations(ORDERS[ecosystem].split(), 2):
        before, after = order_of(ecosystem, older), order_of(ecosystem, newer)
        assert before is not None
        assert after is not None
        assert before < after, (older, newer)


@pytest.mark.parametrize(
    ("ecosystem", "one", "other"),
    [
        ("Go", "v1.2.3", "1.2.3"),
        ("Go", "v2.0.0+incompatible", "2.0.0"),
        ("PyPI", "1.0", "v1.0.0"),
        ("Bitnami", "1.2", "1.2.0"),
        ("crates.io", "1.0.0+zstd.1.5", "1.0.0"),
    ],
)
def test_spellings_of_one_version_are_equal(ecosystem: str, one: str, other: str) -> None:
    assert order_of(ecosystem, one) == order_of(ecosystem, other)


@pytest.mark.parametrize(
    ("ecosystem", "version"),
    [
        ("npm", "1.2.3.4"),
        ("npm", "latest"),
        ("npm", "01.2.3"),
        ("Go", "(devel)"),
        ("PyPI", "2024-01-05x"),
        ("PyPI", ""),
        ("npm", "1" * 5000),
        ("PyPI", "1" * 5000),
        ("npm", "1.0.0-" + "a" * 300),
        ("Maven", "1.0"),
        ("GIT", "v1.0.0"),
    ],
)
def test_a_version_without_a_place_in_the_order_has_none(ecosystem: str, version: str) -> None:
    assert order_of(ecosystem, version) is None


@pytest.mark.parametrize(
    ("toolchain", "version"),
    [
        ("go1.26.8", "1.26.8"),
        ("go1.20", "1.20.0"),
        ("go1.21rc2", "1.21.0-rc.2"),
        ("go1.20.4 X:boringcrypto", "1.20.4"),
        ("devel go1.27-0123abc", ""),
        ("go1.26.8-fips-of-somebody", ""),
        ("go1.26.8\n", ""),
        ("", ""),
    ],
)
def test_version_of_the_standard_library_is_that_of_the_toolchain(toolchain: str, version: str) -> None:
    assert of_toolchain(toolchain) == version
