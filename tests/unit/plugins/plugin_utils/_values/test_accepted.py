# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user accepts is named for one version, and written as it was read."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.accepted import ALARMS, emit_accept, read_accept
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place


def read(said: object) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    return read_accept(Place(said, Document("releases.yml")))


def test_what_is_accepted_is_written_as_it_was_read() -> None:
    said = {
        "without_digest": ["tool.zip"],
        "downgrade": ["1.0"],
        "republished": ["1.0 " + "a" * 64],
        "signer": ["1.0 https://git.example.org/owner/tool/.github/workflows/release.yml@refs/tags/1.0"],
        "vanished_asset": ["1.0 tool linux.tar.gz"],
        "weaker_evidence": ["1.0 minisign", "1.0 sums"],
    }
    assert emit_accept(*read(said)) == said
    assert set(ALARMS) == set(said) - {"without_digest"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        None,
        {"downgrades": ["1.0"]},
        {"downgrade": "1.0"},
        {"downgrade": []},
        {"downgrade": ["*"]},
        {"downgrade": ["1.0 2.0"]},
        {"signer": ["1.0"]},
        {"signer": ["1.0 "]},
        {"signer": ["* E7620F1842B4E81F"]},
        {"vanished_asset": ["1.0 a\nb"]},
    ],
)
def test_what_names_no_version_or_nothing_of_it_is_refused(said: object) -> None:
    with pytest.raises(ReleaseError):
        read(said)
