# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible cannot divide hosts by is refused before it ends with a traceback, or takes all of them at once."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._playbook import batches


@pytest.mark.parametrize("batch", [1, "5", "10%", "100%", [1, "20%"], ["1", "5", "100%"]])
def test_numbers_and_shares_and_lists_of_them_are_batches(batch: object) -> None:
    batches.refuse_unusable(batch)


@pytest.mark.parametrize(
    ("batch", "named"),
    [
        ("fast", "fast"),
        (0, "0"),
        ("0", "0"),
        (-1, "-1"),
        ("0%", "0%"),
        ("110%", "110%"),
        (1.5, "1.5"),
        (True, "true"),
        ("", ""),
        ([], "an empty list"),
        ([1, "20 pct"], "20 pct"),
        ("1,20%", "1,20%"),
        ({"a": 1}, "a mapping"),
        (None, "null"),
    ],
)
def test_anything_else_is_refused_by_name(batch: object, named: str) -> None:
    with pytest.raises(ReleaseError) as refused:
        batches.refuse_unusable(batch)
    assert refused.value.what.startswith(f"batch={named}")
    assert "10%" in str(refused.value.fix)
