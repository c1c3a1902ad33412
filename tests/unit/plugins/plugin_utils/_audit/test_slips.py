# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A misspelled variable must not be ignored, and one of somebody else's must not be refused."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import slips

KNOWN = ("dest", "lockfile", "target", "strict", "below", "log", "log_key", "host")


@pytest.mark.parametrize(
    ("given", "meant"),
    [("desst", "dest"), ("dst", "dest"), ("bellow", "below"), ("stric", "strict"), ("lock_file", "lockfile")],
)
def test_a_misspelled_variable_is_refused_with_the_one_that_was_meant(given: str, meant: str) -> None:
    with pytest.raises(ReleaseError, match=f'"{given}"; did you mean {meant}'):
        slips.refuse([given], KNOWN)


@pytest.mark.parametrize("given", [*KNOWN, "tools_lockfile", "ansible_host", "log_level", "region", "x"])
def test_other_variables_are_no_concern_of_ours(given: str) -> None:
    slips.refuse([given], KNOWN)
