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


def test_an_age_of_years_is_an_age() -> None:
    assert read(minimum_age="99999w").minimum_age == timedelta(weeks=99_999)


@pytest.mark.parametrize("said", [{"minimum_age": "3 months"}, {"maximum_unpacked_size": "0GiB"}, {"require": []}])
def test_what_is_no_policy_is_refused(said: dict) -> None:
    with pytest.raises(ReleaseError):
        read(**said)
