# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a stranger's JSON or DER read so that nothing but a ReleaseError comes out of it? Pure; controller.

JSON as protobuf writes it (protobuf.dev, "ProtoJSON format"): bytes are base64, numbers of 64 bits are texts, and a
reader ignores keys that it does not know. Whatever counts is signed, so a key that is not known changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Literal

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.refusals import DO_NOT_USE
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z\Z", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WHOLE = re.compile(r"(?:0|[1-9]\d{0,18})\Z", re.ASCII)


#: What would make a signature provable that is not.
Lacking = Literal["log entry", "timestamp", "trust root", "key"]


class UnprovenError(ReleaseError):
    """A signature that was found and that nothing here can prove: the evidence says "found, not verified"."""

    def __init__(self, lacks: Lacking, what: str, expected: str, found: str, fix: str) -> None:
        """Take what it *lacks*, and the parts of the message."""
        super().__init__(what, expected, found, fix)
        self.lacks = lacks


def refused(what: str, expected: str | None = None, found: str | None = None, fix: str = DO_NOT_USE) -> ReleaseError:
    """Return the error for evidence that does not hold."""
    return ReleaseError(what, expected, found, fix)


@contextmanager
def reading(subject: str, problem: str = "cannot be read") -> Iterator[None]:
    """Raise ReleaseError that *subject* has that *problem*, whatever a library raises about a stranger's bytes.

    The libraries name no complete list of what they raise, and a reader of hostile bytes has to fail in one way.
    """
    try:
        yield
    except ReleaseError:
        raise
    except Exception as error:
        found = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise refused(f"{subject} {problem}", found=shown(found)) from error


def read_document(content: bytes, name: str, limit_bytes: int) -> Place:
    """Return the top of the JSON document in *content*, which is called *name* in errors.

    Raises ReleaseError if it is larger than *limit_bytes* or no JSON in UTF-8.
    """
    if len(content) > limit_bytes:
        raise refused(f"{name} is too large", f"at most {limit_bytes} bytes", f"{len(content)} bytes")
    try:
        return Place(read_json(content.decode("utf-8")), Document(name, DO_NOT_USE))
    except ValueError as error:
        raise refused(f"{name} is not JSON", found=shown(str(error))) from error


def items(place: Place | None, most: int) -> tuple[Place, ...]:
    """Return the places of the items of a list, of which an absent one has none.

    Raises MisfitError if it is no list, or has more than *most* items.
    """
    if place is None:
        return ()
    if not isinstance(place.value, list):
        raise place.misfit("a list")
    if len(place.value) > most:
        raise place.misfit(f"at most {most} items", f"{len(place.value)} items")
    return tuple(place.at(index) for index in range(len(place.value)))


def text(place: Place) -> str:
    """Return the text at *place*, of any characters that UTF-8 has. Raises MisfitError for anything else."""
    if not isinstance(place.value, str) or _SURROGATE.search(place.value):
        raise place.misfit("a text")
    return place.value


def line(place: Place) -> str:
    """Return the text at *place*, which people will read. Raises MisfitError if it is empty, or not printable."""
    if not text(place) or not text(place).isprintable():
        raise place.misfit("a line of text that can be printed")
    return text(place)


def octets(place: Place) -> bytes:
    """Return the bytes that stand at *place* in base64. Raises MisfitError for anything else."""
    try:
        return base64.b64decode(text(place), validate=True)
    except (binascii.Error, ValueError) as error:
        raise place.misfit("bytes in base64") from error


def hexadecimal(place: Place) -> bytes:
    """Return the bytes that stand at *place* in hexadecimal. Raises MisfitError for anything else."""
    try:
        return bytes.fromhex(text(place))
    except ValueError as error:
        raise place.misfit("bytes in hexadecimal") from error


def whole(place: Place) -> int:
    """Return the number from 0 to 2^63 at *place*, a number or a text. Raises MisfitError for anything else."""
    value: Any = place.value
    if isinstance(value, str) and _WHOLE.match(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise place.misfit("a whole number, not negative")
    return value


def moment(place: Place) -> datetime:
    """Return the time in UTC at *place*, as in RFC 3339. Raises MisfitError for anything else."""
    match = _MOMENT.match(text(place))
    try:
        if match is None:
            raise ValueError
        whole_seconds = datetime.fromisoformat(match[1]).replace(tzinfo=timezone.utc)
    except ValueError:
        raise place.misfit("a time in UTC, 2024-01-15T09:30:00Z") from None
    return whole_seconds.replace(microsecond=int(float(match[2] or 0) * 1_000_000))


def at_second(seconds: int) -> datetime:
    """Return the time that is *seconds* after 1970. Raises ReleaseError if no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, tz=timezone.utc)
    except (ValueError, OverflowError, OSError) as error:
        raise refused("the transparency log states a time that cannot be", found=str(seconds)) from error
