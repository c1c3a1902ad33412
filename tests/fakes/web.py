# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server on loopback whose answers a test writes as a function, and which remembers what it was asked.

``with Web(answer) as web: requests.get(web.url + "/x")``, where *answer* takes a Question and returns an Answer.
"""

from __future__ import annotations

import ssl
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Question:
    """One request, as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One response. *body* may be an iterable of parts, which is sent without a length until the connection closes.

    *length* replaces the truthful Content-Length, for servers that break off.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


class Web:
    """The running server. *questions* lists what it was asked, in order of arrival."""

    def __init__(self, answer: Callable[[Question], Answer], tls: ssl.SSLContext | None = None) -> None:
        """Answer every request by calling *answer*, over TLS if its context is given."""
        self.questions: list[Question] = []
        self._server = _Server(("127.0.0.1", 0), _handler(self, answer))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        """Return the paths asked for, in order of arrival."""
        return [question.path for question in self.questions]

    def __enter__(self) -> Web:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FakeForge(ABC):
    """A forge's own server, with its API, and the object storage that holds its files. Both run while it is entered."""

    API_PATH: ClassVar[str]

    def __post_init__(self) -> None:
        """Open both servers."""
        self.web = Web(self._answer)
        self.storage = Web(self._stored)
        self.api_url = self.web.url + self.API_PATH

    def __enter__(self) -> Self:
        self.web.__enter__()
        self.storage.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.web.__exit__(kind, error, trace)
        self.storage.__exit__(kind, error, trace)

    @abstractmethod
    def _answer(self, question: Question) -> Answer:
        """Answer as the forge."""

    @abstractmethod
    def _stored(self, question: Question) -> Answer:
        """Answer as its object storage."""


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up, as tests make them; everything else is worth a traceback."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def files(content: Mapping[str, bytes]) -> Callable[[Question], Answer]:
    """Return an answer function that serves *content* by path, ranges included, and 404 for the rest."""

    def answer(question: Question) -> Answer:
        if question.path not in content:
            return Answer(404)
        body = content[question.path]
        wanted = question.headers.get("Range", "")
        if not wanted.startswith("bytes="):
            return Answer(200, body, {"Accept-Ranges": "bytes"})
        start = int(wanted[len("bytes=") :].split("-")[0])
        if start >= len(body):
            return Answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        return Answer(206, body[start:], {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"})

    return answer


def loopback_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS context for loopback, and the file that a client must trust; both are made in *folder*."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private, public = folder / "key.pem", folder / "certificate.pem"
    as_pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(as_pem, serialization.PrivateFormat.PKCS8, plain))
    public.write_bytes(certificate.public_bytes(as_pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def _handler(web: Web, answer: Callable[[Question], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # one packet for a short answer, else delayed acknowledgements cost 40 ms each

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            question = Question(self.command, parts.path, query, self.headers, body)
            web.questions.append(question)
            try:
                self._send(answer(question))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def _send(self, given: Answer) -> None:
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            parts = [given.body] if isinstance(given.body, bytes) else given.body
            length = len(given.body) if isinstance(given.body, bytes) and given.length is None else given.length
            if not isinstance(given.body, bytes) or given.length is not None:
                self.close_connection = True
                self.send_header("Connection", "close")
            if length is not None and (given.status != 304 or given.length is not None):
                self.send_header("Content-Length", str(length))
            self.end_headers()
            if given.status == 304 or self.command == "HEAD":
                parts = []
            for part in parts:
                self.wfile.write(part)
                self.wfile.flush()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing: a test prints what matters."""

    return Handler
