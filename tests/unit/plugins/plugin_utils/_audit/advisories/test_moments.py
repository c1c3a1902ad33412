# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of statements are read the same by every Python, and the later one is the greater text."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.moments import in_one_form
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place

#: From the first to the last.
IN_ORDER = (
    "0001-01-01T00:00:00Z",
    "2025-12-31T23:59:59.9-00:00",
    "2026-01-01T00:00:00Z",
    "2026-01-01t00:00:00.123456789z",
    "2026-01-01T00:00:00.2Z",
    "2025-12-31T23:00:01-01:00",
    "2026-01-01T02:00:02+02:00",
)


def read(text: str) -> str:
    return in_one_form(Place(text, Document("said.json")))


def test_later_times_are_greater() -> None:
    assert all(read(before) < read(after) for before, after in itertools.pairwise(IN_ORDER))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-W01-1T00:00:00Z",
        "20260101T000000Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:01Z",
        "0001-01-01T00:00:00+01:00",
        "2026-01-01T00:00:00Z\n",
        "\uff12026-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError):
        read(text)
