# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy is read from what people write, and written so that equal policies are equal text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy, read_policy
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 99_999)


def read(**said: object) -> Policy:
    return read_policy(Place(said, Document("releases.yml")))


@given(NUMBERS, st.sampled_from("mhdw"), st.integers(1, 999_999), st.sampled_from(["MiB", "GiB"]))
def test_what_is_written_is_read_back_and_stays(age: int, unit: str, size: int, size_unit: str) -> None:
    policy = read(minimum_age=f"{age}{unit}", maximum_unpacked_size=f"{size} {size_unit}")
    assert read(**policy.as_dict()) == policy


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ({}, {}),
        ({"minimum_age": "0d"}, {}),
        ({"maximum_unpacked_size": "2048MiB"}, {}),
        ({"minimum_age": "72h"}, {"minimum_age": "3d"}),
        ({"minimum_age": "14 d"}, {"minimum_age": "2w"}),
        ({"minimum_age": "90m"}, {"minimum_age": "90m"}),
        ({"maximum_unpacked_size": "4096 MiB"}, {"maximum_unpacked_size": "4GiB"}),
        ({"maximum_unpacked_size": "500MiB"}, {"maximum_unpacked_size": "500MiB"}),
    ],
)
def test_only_what_differs_from_the_defaults_is_written_in_the_largest_unit(said: dict, written: dict) -> None:
    assert read(**said).as_dict() == written


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ({"require": ["minisign", "digest", "digest"]}, {"require": ["digest", "minisign"]}),
        ({"sources": ["pypi", "github:astral-sh/*"]}, {"sources": ["github:astral-sh/*", "pypi"]}),
        ({"hosts": ["github.com", "*.example.org", "::1"]}, {"hosts": ["*.example.org", "::1", "github.com"]}),
        ({"maximum_size": "2048 MiB"}, {"maximum_size": "2GiB"}),
        ({"valid_for": "14d"}, {"valid_for": "2w"}),
    ],
)
def test_lists_and_bounds_are_written_so_that_equal_ones_are_equal_text(said: dict, written: dict) -> None:
    assert read(**said).as_dict() == written
    assert read(**written) == read(**said)


def test_a_manifest_names_only_kinds_of_evidence_that_there_are_and_a_lock_file_may_know_others() -> None:
    place = Place({"require": ["minsign"]}, Document("releases.yml"))
    with pytest.raises(ReleaseError, match='did you mean "minisign"'):
        read_policy(place, ["minisign"])
    assert read_policy(place).require == ("minsign",)


@pytest.mark.parametrize(
    "said",
    [
        *({"hosts": [host]} for host in ("GitHub.com", "https://h", "*", "github.com/x", "a..b", "*.*.org", "")),
        *({"sources": [source]} for source in ("", "github:", "GitHub", ":x", "github astral", "github:a\nb")),
        *({"valid_for": time} for time in ("0d", "90m", "1h", "90", 90, "90d\n")),
        *({"require": words} for words in ("digest", ["Digest"], [["digest"]], [""])),
        *({key: []} for key in ("hosts", "sources", "require")),
        {"maximum_size": "1KiB"},
    ],
)
def test_what_says_nothing_certain_is_refused(said: dict) -> None:
    with pytest.raises(ReleaseError):
        read(**said)


def test_an_age_of_years_is_an_age() -> None:
    assert read(minimum_age="99999w").minimum_age == timedelta(weeks=99_999)


@pytest.mark.parametrize("said", [{"minimum_age": "3 months"}, {"maximum_unpacked_size": "0GiB"}, {"require": []}])
def test_what_is_no_policy_is_refused(said: dict) -> None:
    with pytest.raises(ReleaseError):
        read(**said)
