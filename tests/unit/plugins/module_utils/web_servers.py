# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web servers on loopback for tests: they answer as told, with all faults of a network, and remember what was asked."""

import http.server
import os
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import typing as t

Answer = t.Callable[["Handler"], None]

CERTIFICATE_SETTINGS = """
[req]
distinguished_name = name
prompt = no
[name]
CN = made for a test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost
"""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Answers each path by ``answers[path]``, a function that gets the handler, or several to be used in turn."""

    daemon_threads = True

    def __init__(self, certificate: t.Optional[str] = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: t.Dict[str, t.Union[Answer, t.List[Answer]]] = {}
        self.requests: t.List[t.Tuple[str, t.Dict[str, str]]] = []
        self.stopping = threading.Event()
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_exception: t.Any) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def url(self, path: str = "/asset", host: str = "localhost") -> str:
        return f"{self.scheme}://{host}:{self.server_port}{path}"

    def next_answer(self, path: str) -> "Answer":
        answer = self.answers[path]
        if not isinstance(answer, list):
            return answer
        return answer.pop(0) if len(answer) > 1 else answer[0]

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Say nothing: most clients here hang up on purpose."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers.items())))
        self.close_connection = True
        self.server.next_answer(self.path.partition("?")[0])(self)

    def do_CONNECT(self) -> None:
        self.server.requests.append((self.path, dict(self.headers.items())))
        self.close_connection = True
        if "CONNECT" in self.server.answers:
            self.server.next_answer("CONNECT")(self)
            return
        # Whatever name was asked for, it lives here.
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as upstream:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pour, args=(upstream, self.connection))
            back.start()
            pour(self.connection, upstream)
            back.join()

    def log_message(self, *_message: t.Any) -> None:
        """Say nothing."""

    def reply(self, status: int, headers: t.Mapping[str, str], *bodies: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for body in bodies:
            self.wfile.write(body)

    def cut(self) -> None:
        """Reset the connection, as a network that breaks does."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close(self.connection)


def pour(source: socket.socket, target: socket.socket) -> None:
    try:
        for data in iter(lambda: source.recv(65536), b""):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def publish(data: bytes, has_ranges: bool = True, headers: t.Optional[t.Dict[str, str]] = None) -> Answer:
    """Return an answer like a good web server's: *data*, or the part of it that is asked for."""

    def answer(handler: Handler) -> None:
        start = re.match(r"bytes=(\d+)-\Z", handler.headers.get("Range", ""))
        is_current = handler.headers.get("If-Range") in (None, (headers or {}).get("ETag", '"1"'))
        given = dict({"ETag": '"1"'}, **(headers or {}))
        if not (has_ranges and start and is_current):
            handler.reply(200, dict(given, **{"Content-Length": str(len(data))}), data)
            return
        first = int(start.group(1))
        if first >= len(data):
            handler.reply(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"})
            return
        given["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        given["Content-Length"] = str(len(data) - first)
        handler.reply(206, given, data[first:])

    return answer


def drop_after(data: bytes, count: int, headers: t.Optional[t.Dict[str, str]] = None, is_reset: bool = False) -> Answer:
    """Return an answer that breaks off after *count* bytes."""

    def answer(handler: Handler) -> None:
        given = dict({"Content-Length": str(len(data)), "ETag": '"1"'}, **(headers or {}))
        handler.reply(200, given, data[:count])
        if is_reset:
            handler.cut()

    return answer


def say(status: int, headers: t.Optional[t.Dict[str, str]] = None, body: bytes = b"") -> Answer:
    """Return an answer of just this."""
    return lambda handler: handler.reply(status, dict({"Content-Length": str(len(body))}, **(headers or {})), body)


def redirect(location: str, status: int = 302) -> Answer:
    return say(status, {"Location": location})


def send_raw(*pieces: bytes, is_endless: bool = False, pause_s: float = 0) -> Answer:
    """Return an answer of these bytes, *pause_s* apart; the last is repeated for ever with *is_endless*."""

    def answer(handler: Handler) -> None:
        number = 0
        while not handler.server.stopping.is_set() and (number < len(pieces) or is_endless):
            try:
                handler.wfile.write(pieces[min(number, len(pieces) - 1)])
            except OSError:
                return
            number += 1
            handler.server.stopping.wait(pause_s)

    return answer


def make_certificates(folder: t.Any) -> t.Tuple[str, str]:
    """Make an authority and a server's certificate for ``localhost``; return both paths, the latter's with the key."""

    def path(name: str) -> str:
        return os.path.join(str(folder), name)

    def openssl(*arguments: str) -> None:
        subprocess.check_output(("openssl", *arguments), stderr=subprocess.STDOUT)

    with open(path("settings"), "w") as settings:
        settings.write(CERTIFICATE_SETTINGS)
    new = ("req", "-config", path("settings"), "-newkey", "rsa:2048", "-nodes")
    openssl(*new, "-x509", "-extensions", "authority", "-days", "2", "-keyout", path("ca.key"), "-out", path("ca.pem"))
    openssl(*new, "-keyout", path("server.key"), "-out", path("server.csr"))
    sign = ("x509", "-req", "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-set_serial", "2", "-days", "2")
    extensions = ("-extfile", path("settings"), "-extensions", "server")
    openssl(*sign, *extensions, "-in", path("server.csr"), "-out", path("server.crt"))
    with open(path("server.pem"), "w") as both:
        for name in ("server.crt", "server.key"):
            with open(path(name)) as part:
                both.write(part.read())
    return path("ca.pem"), path("server.pem")
