# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TOML: read whole, and no text raises anything but the one error."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.toml_text import read_toml
from hypothesis import given
from hypothesis import strategies as st


def test_a_document_is_a_mapping_at_a_place() -> None:
    place = read_toml('[[tools.uv]]\nversion = "0.9"\n', "mise.lock")
    assert place.value == {"tools": {"uv": [{"version": "0.9"}]}}
    with pytest.raises(ReleaseError, match=r"mise\.lock is not valid at tools\.uv\[0\]\.version"):
        place.at("tools").at("uv").at(0).at("version").number()


@pytest.mark.parametrize("text", ["a", "a = 1\na = 2", "a = " + "[" * 10_000, "a = 1" + "0" * 5000, "a = \x00"])
def test_what_is_no_toml_is_told(text: str) -> None:
    with pytest.raises(ReleaseError, match=r"mise\.lock is not TOML"):
        read_toml(text, "mise.lock")


@given(st.text("a.=[]{}\"'\n#1-:T_", max_size=30))
def test_no_text_raises_anything_but_the_one_error(text: str) -> None:
    with contextlib.suppress(ReleaseError):
        read_toml(text, "mise.lock")
