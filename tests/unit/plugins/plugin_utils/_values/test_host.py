# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user assumes of a host fills in what is unknown, and never replaces what is known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed, Host, assuming

KNOWN = Host("linux", "x86_64", libc="glibc", libraries=frozenset(["libz.so.1"]), emulates=("aarch64",))


@pytest.mark.parametrize(
    ("assumed", "changed"),
    [
        ({}, {}),
        ({"libc_version": "2.36"}, {"libc_version": "2.36"}),
        ({"libc": "musl"}, {}),
        ({"libc_version": None, "cpu": "x86-64-v2"}, {"cpu": "x86-64-v2"}),
        ({"libraries": ("libssl.so.3",)}, {"libraries": frozenset(["libz.so.1", "libssl.so.3"])}),
        ({"libraries": ()}, {}),
        ({"emulates": ("arm",)}, {"emulates": ("aarch64", "arm")}),
        ({"loaders": ("/lib/ld-musl-x86_64.so.1",)}, {"loaders": ("/lib/ld-musl-x86_64.so.1",)}),
    ],
)
def test_only_what_is_unknown_is_assumed(assumed: dict[str, Any], changed: dict[str, Any]) -> None:
    assert vars(assuming(KNOWN, Assumed(**assumed))) == {**vars(KNOWN), **changed}


def test_libraries_may_be_assumed_of_a_host_where_none_were_looked_for() -> None:
    assert assuming(Host("linux", "x86_64"), Assumed(libraries=("libz.so.1",))).libraries == frozenset(["libz.so.1"])
