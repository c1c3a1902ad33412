# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People are shown what a name says about a platform."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (Label(), "no platform"),
        (Label(os="linux", arch="x86_64", libc="glibc", libc_min="2.17"), "linux x86_64 glibc 2.17"),
        (Label(os="macos", archs=("aarch64", "x86_64")), "macos aarch64 x86_64"),
        (Label(os="linux", arch="arm", abi="eabihf", cpu="armv7"), "linux arm eabihf armv7"),
    ],
)
def test_a_label_is_shown_as_what_it_says(label: Label, text: str) -> None:
    assert str(label) == text
