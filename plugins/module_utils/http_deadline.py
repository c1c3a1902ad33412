# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By when must the bytes of an HTTP answer have come? Handlers of urllib that give up a server too slow. On hosts.

Python's own timeout is for each byte: a server that sends one now and then would never be given up.
"""

import http.client
import io
import socket
import ssl
import time
import typing as t
import urllib.request

#: Slower than this for the whole of a timeout is as good as silent; without a floor a trickle would never end.
MIN_BYTES_PER_S = 1024
_BUFFER_BYTES = 64 * 1024


class Deadline:
    """By when what is waited for must have come: an answer's head, then again and again a minimum of bytes."""

    def __init__(self, timeout_s: float, min_bytes_per_s: int = MIN_BYTES_PER_S) -> None:
        self._timeout_s = timeout_s
        self._min_bytes_per_s = min_bytes_per_s
        self._at_s = 0.0
        self._bytes = 0
        self.renew()

    def renew(self) -> None:
        """Give the full time again, from now on."""
        self._at_s = time.monotonic() + self._timeout_s
        self._bytes = 0

    def came(self, count: int) -> None:
        """Note that *count* bytes came. The time is renewed once the minimum was kept over the whole of it."""
        self._bytes += count
        if self._bytes >= self._timeout_s * self._min_bytes_per_s:
            self.renew()

    def remaining_s(self) -> float:
        """Return the seconds that are left, for a socket's own timeout. Raises socket.timeout if there are none."""
        remaining_s = self._at_s - time.monotonic()
        if remaining_s <= 0:
            raise socket.timeout("timed out")
        return remaining_s


class _DeadlineFile(io.RawIOBase):
    """What comes from a socket, each read bounded by the time that is left."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline
        self._raw = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """Always: io.RawIOBase says False unless told otherwise."""
        return True

    def readinto(self, buffer: t.Any) -> t.Optional[int]:
        """Read once into *buffer*; return how many bytes came. Raises socket.timeout when the time is over."""
        self._connection.settimeout(self._deadline.remaining_s())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the socket's file as well: the connection stays open until its last file is closed."""
        self._raw.close()
        super().close()


class _DeadlineSocket:
    """As much of a socket as http.client reads an answer from."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def makefile(self, *_mode: t.Any) -> io.BufferedReader:
        """Return the file from which http.client reads an answer's head and body, each read within the deadline."""
        return io.BufferedReader(_DeadlineFile(self._connection, self._deadline), _BUFFER_BYTES)


def _with_deadline(connection: http.client.HTTPConnection, deadline: Deadline) -> http.client.HTTPConnection:
    class Response(http.client.HTTPResponse):
        """An answer that is read through the deadline from its first byte on, the status line included."""

        def __init__(self, connected: socket.socket, *arguments: t.Any, **options: t.Any) -> None:
            super().__init__(t.cast(socket.socket, _DeadlineSocket(connected, deadline)), *arguments, **options)

    deadline.renew()
    connection.response_class = Response
    return connection


class HttpHandler(urllib.request.HTTPHandler):
    """Opens ``http:`` for urllib, and reads answers within the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open *req* without TLS, as urllib calls it for ``http:``. Raises urllib.error.URLError if that fails."""
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: t.Any) -> http.client.HTTPConnection:
        return _with_deadline(http.client.HTTPConnection(host, **options), self._deadline)


class HttpsHandler(urllib.request.HTTPSHandler):
    """Opens ``https:`` for urllib, with certificates verified, and reads answers within the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        # Verifies certificates and host names, against what the system or SSL_CERT_FILE and SSL_CERT_DIR name.
        self._tls = ssl.create_default_context()
        super().__init__(context=self._tls)
        self._deadline = deadline

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open *req* with verified TLS, as urllib does for ``https:``. Raises urllib.error.URLError if that fails."""
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: t.Any) -> http.client.HTTPConnection:
        return _with_deadline(http.client.HTTPSConnection(host, context=self._tls, **options), self._deadline)
