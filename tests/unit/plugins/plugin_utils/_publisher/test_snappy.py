# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw snappy, as another program packs it, and as nobody should."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.snappy import unpacked
from ansible_collections.pinned.release.tests.fakes.github import snappy
from hypothesis import example, given
from hypothesis import strategies as st

LIMIT_BYTES = 1024
KIND = "application/vnd.dev.sigstore.bundle.v0.3+json"
TEXT = f'{{"mediaType":"{KIND}","mediaType2":"{KIND}","{"a" * 36}":1}}'.encode()
#: As snappy 1.1.6, the library in Rust, packs it: with long and short copies, and one that overlaps itself.
PACKED = bytes.fromhex(
    "a301f03c7b226d6564696154797065223a226170706c69636174696f6e2f766e642e6465762e73696773746f72652e62756e646c652e76302e"
    "332b6a736f6e222c193c0032ca3d0000618a01000c223a317d"
)


def test_what_another_program_packed_is_unpacked() -> None:
    assert unpacked(PACKED, LIMIT_BYTES) == TEXT


@given(st.binary(max_size=200_000))
@example(b"a" * 0x10001)
def test_pieces_of_any_length_are_put_together(text: bytes) -> None:
    assert unpacked(snappy(text), 200_000) == text


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\xff\xff\xff\xff\xff\xff",
        b"\x02\x00a",
        b"\x01\x04ab",
        b"\x04\x00a\x02\x00\x00",
        b"\x04\x00a\x02\x02\x00",
        b"\x04\x00a\x0a\x01",
        b"\x02\xf4\x01",
        PACKED[:-1],
        PACKED + b"\x00a",
    ],
)
def test_what_is_not_packed_like_that_is_refused(packed: bytes) -> None:
    with pytest.raises(ReleaseError, match="is not packed as snappy packs"):
        unpacked(packed, LIMIT_BYTES)


def test_what_would_be_too_large_is_refused_by_its_announcement() -> None:
    with pytest.raises(ReleaseError, match="too large"):
        unpacked(snappy(b"a" * (LIMIT_BYTES + 1))[:4], LIMIT_BYTES)


@given(st.binary(max_size=300).map(lambda pieces: b"\x80\x04" + pieces) | st.binary(max_size=300))
def test_no_bytes_do_more_than_unpack_or_be_refused(packed: bytes) -> None:
    with contextlib.suppress(ReleaseError):
        assert len(unpacked(packed, LIMIT_BYTES)) <= LIMIT_BYTES
