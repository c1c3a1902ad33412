# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question that nothing can answer is refused, before reports are read."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.action import ask
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError


@pytest.mark.parametrize("below", ["abc", "latest", "deadbeef", "<0.9"])
def test_below_what_has_no_order_nothing_is(below: str) -> None:
    given = {**dict.fromkeys(ask._QUESTIONS), "tool": "uv", "below": below, "day": None}
    with pytest.raises(ReleaseError, match="below is no version") as refused:
        ask._kind(given)
    assert refused.value.found == below
    assert ask._kind({**given, "below": "0.9"}) == "tool"
