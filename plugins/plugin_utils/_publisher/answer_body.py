# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What are the bytes of an answer? Read within bounds of size and time, whatever the server does. On the controller.

Follows RFC 9112 (a body that ends early is incomplete) and RFC 1952 (gzip, the only encoding that is asked for).
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import (
    TRANSPORT_ERRORS,
    InterruptedAnswerError,
    SilentError,
    TooLargeError,
    failure,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown

if TYPE_CHECKING:
    import requests

CHUNK_BYTES = 256 * 1024
#: After the grace time an answer must have come at least at this pace, or it is given up.
GRACE_S = 60.0
SLOWEST_BYTES_PER_S = 10 * 1024
#: What zlib calls gzip with the largest window.
_GZIP = 31


def read_chunks(response: requests.Response) -> Iterator[bytes]:
    """Yield a streamed answer's bytes as they arrive, and as they were sent.

    Raises InterruptedAnswerError when the connection breaks, ReleaseError when it is so slow that it would never end.
    """
    url = response.url
    started = time.monotonic()
    received = 0
    # urllib3 before 2.0 can only wait for chunks of a given size, so a server could draw small ones out for long.
    read: Callable[..., bytes] = getattr(response.raw, "read1", response.raw.read)
    size = CHUNK_BYTES if hasattr(response.raw, "read1") else 4096
    while True:
        try:
            chunk = read(size, decode_content=False)
        except TRANSPORT_ERRORS as error:
            broken = failure(error, url)
            raise InterruptedAnswerError(f"{redacted(url)} broke off", found=broken.found, fix=broken.fix) from None
        if not chunk:
            break
        received += len(chunk)
        seconds = time.monotonic() - started
        if seconds > GRACE_S and received < seconds * SLOWEST_BYTES_PER_S:
            raise SilentError(
                f"{redacted(url)} is sent too slowly to ever arrive",
                expected=f"at least {SLOWEST_BYTES_PER_S} bytes a second",
                found=f"{received} bytes in {seconds:.0f} seconds",
            )
        yield chunk
    # urllib3 before 2.0 takes a connection that closes early for the end.
    announced = response.headers.get("Content-Length", "") if response.status_code not in (204, 304) else ""
    if announced.isdecimal() and response.raw.tell() < int(announced[:18]):
        raise InterruptedAnswerError(
            f"{redacted(url)} broke off", expected=f"{announced[:18]} bytes", found=f"{response.raw.tell()} bytes"
        )


def read_whole(response: requests.Response, limit_bytes: int) -> None:
    """Read the body of *response* into it, as requests would, but no more than *limit_bytes*, sent or decoded."""
    body = bytearray()
    try:
        for chunk in _bounded(_decoded(response, limit_bytes), response, limit_bytes):
            body += chunk
    finally:
        response.close()
    # What requests itself notes when it has read a body; it has no public way to say so.
    response.__dict__.update(_content=bytes(body), _content_consumed=True)


def _bounded(chunks: Iterator[bytes], response: requests.Response, limit_bytes: int) -> Iterator[bytes]:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > limit_bytes:
            raise TooLargeError(
                f"{redacted(response.url)} answers with more than a listing can be",
                expected=f"at most {limit_bytes} bytes",
            )
        yield chunk


def _decoded(response: requests.Response, limit_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of *response* in small steps, after undoing gzip (RFC 1952), the only encoding asked for."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    # What is sent may decode to nothing, and still never end.
    sent = _bounded(read_chunks(response), response, limit_bytes)
    if encoding in ("", "identity"):
        yield from sent
    elif encoding in ("gzip", "x-gzip"):
        yield from _gunzipped(sent, redacted(response.url))
    else:
        raise ReleaseError(
            f"{redacted(response.url)} is sent in an encoding that was not asked for",
            expected="gzip, or none",
            found=shown(encoding),
        )


def _gunzipped(chunks: Iterator[bytes], place: str) -> Iterator[bytes]:
    """Yield the plain bytes of gzip data, which may be of several members, in steps of CHUNK_BYTES at most."""
    decoder = zlib.decompressobj(_GZIP)
    is_open = False
    for chunk in chunks:
        waiting = chunk
        while waiting:
            try:
                yield decoder.decompress(waiting, CHUNK_BYTES)
            except zlib.error as error:
                raise ReleaseError(f"{place} is damaged: not gzip data", found=str(error)) from None
            is_open = not decoder.eof
            waiting = decoder.unconsumed_tail
            if decoder.eof:
                waiting = decoder.unused_data
                decoder = zlib.decompressobj(_GZIP)
    if is_open:
        raise InterruptedAnswerError(f"{place} broke off", found="gzip data without its end")
