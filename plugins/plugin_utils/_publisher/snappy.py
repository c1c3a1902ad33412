# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was packed as raw snappy? Pure; controller.

Follows google/snappy, "format_description.txt": the length of the text, then pieces of it, and copies of what came
before. GitHub keeps attestations in this form (``.json.sn``).
"""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

_LITERAL, _NEAR, _FAR = 0, 1, 2
#: From here on, the length of a piece stands in as many bytes more.
_LONG_LITERAL = 60


def unpacked(packed: bytes, limit_bytes: int) -> bytes:
    """Return the text in *packed*. Raises ReleaseError for what is not snappy, or more than *limit_bytes*."""
    size, place = _size(packed)
    if size > limit_bytes:
        raise ReleaseError("an answer packed as snappy is too large", f"at most {limit_bytes} bytes", f"{size} bytes")
    text = bytearray()
    while place < len(packed) and len(text) <= size:
        place = _piece(packed, place, text)
    if len(text) != size or place != len(packed):
        raise _damaged(f"{len(text)} bytes, where it announces {size}")
    return bytes(text)


def _size(packed: bytes) -> tuple[int, int]:
    """Return the length that stands at the beginning, and where the pieces begin."""
    size = 0
    for place, byte in enumerate(packed[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return size, place + 1
    raise _damaged("no length")


def _piece(packed: bytes, place: int, text: bytearray) -> int:
    """Add the piece at *place* to *text*, and return where the next one is."""
    tag = packed[place]
    kind, rest = tag & 3, tag >> 2
    if kind == _LITERAL:
        more = max(0, rest - _LONG_LITERAL + 1)
        length = (_number(packed, place + 1, more) if more else rest) + 1
        start = place + 1 + more
        if start + length > len(packed):
            raise _damaged("a piece that ends early")
        text += packed[start : start + length]
        return start + length
    more = {_NEAR: 1, _FAR: 2}.get(kind, 4)
    offset, length = _number(packed, place + 1, more), rest + 1
    if kind == _NEAR:
        offset, length = offset | (rest >> 3) << 8, (rest & 7) + 4
    if not 0 < offset <= len(text):
        raise _damaged("a copy of what is not there")
    copied = text[len(text) - offset :][:length]
    text += (copied * (length // len(copied) + 1))[:length]
    return place + 1 + more


def _number(packed: bytes, place: int, size: int) -> int:
    if place + size > len(packed):
        raise _damaged("a piece that ends early")
    return int.from_bytes(packed[place : place + size], "little")


def _damaged(found: str) -> ReleaseError:
    return ReleaseError("an answer is not packed as snappy packs", found=found)
