# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher and its mirrors, on loopback, until the process is ended: servers.py FOLDER WORK [WEED].

The publisher serves FOLDER. nginx serves it over TLS to the user "reader" with the password "S3CRET-of-nginx", at the
paths of remote repositories of Artifactory and Nexus. A faulty server sends other bytes, half of them, or none. With
WEED, the program of SeaweedFS, its S3 server has each file under HOST/PATH. WORK is for what they write. Where all of
them are is printed as JSON when they are ready.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

FOLDER, WORK = Path(sys.argv[1]), Path(sys.argv[2])
READY_IN_S = 60
NGINX = """\
daemon off;
{user}
pid {work}/nginx.pid;
error_log {work}/nginx.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {work}/body;
  proxy_temp_path {work}/proxied;
  fastcgi_temp_path {work}/fastcgi;
  uwsgi_temp_path {work}/uwsgi;
  scgi_temp_path {work}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {work}/server.pem;
    ssl_certificate_key {work}/server.key;
    auth_basic mirror;
    auth_basic_user_file {work}/users;
    proxy_set_header X-Mirror nginx;
    location /artifactory/releases/ {{ proxy_pass {publisher}/; }}
    location /repository/releases/ {{ proxy_pass {publisher}/; }}
  }}
}}
"""


class Publisher(SimpleHTTPRequestHandler):
    """Serves FOLDER, and notes what was asked."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments, directory=str(FOLDER))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Note the request, unless nginx asks."""
        if "X-Mirror" not in self.headers:
            with (WORK / "asked").open("a") as file:
                file.write(f"{self.path}\n")


class Faulty(BaseHTTPRequestHandler):
    """Sends what /KIND/PATH says of the file PATH."""

    def do_GET(self) -> None:
        _root, kind, path = self.path.split("/", 2)
        file = FOLDER / path
        body = file.read_bytes() if file.is_file() else b""
        self.send_response(200 if kind != "none" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write({"other": bytes(len(body)), "half": body[: len(body) // 2], "none": body}[kind])
        self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


def serving(handler: type[BaseHTTPRequestHandler]) -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _number in range(count)]
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def wait_for(port: int) -> None:
    for _attempt in range(READY_IN_S * 10):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nobody listens on port {port}")


def start(name: str, *command: str) -> None:
    with (WORK / f"{name}.out").open("wb") as log:
        CHILDREN.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))


def make_certificate() -> None:
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject)
    files = ("-keyout", str(WORK / "server.key"), "-out", str(WORK / "server.pem"))
    subprocess.run([*new, *files], check=True, stderr=subprocess.DEVNULL)


def nginx(publisher: str) -> str:
    make_certificate()
    [port] = free_ports(1)
    (WORK / "users").write_text("reader:{PLAIN}S3CRET-of-nginx\n")
    user = "user root;" if os.geteuid() == 0 else ""
    (WORK / "nginx.conf").write_text(NGINX.format(user=user, work=WORK, port=port, publisher=publisher))
    start("nginx", "nginx", "-p", str(WORK), "-c", str(WORK / "nginx.conf"))
    wait_for(port)
    return f"https://localhost:{port}"


def object_store(weed: str, publisher: str) -> str:
    """Return the address of the bucket "mirror", which holds all files of the publisher."""
    kinds = [f"{part}.port{more}" for part in ("master", "volume", "filer", "s3") for more in ("", ".grpc")]
    ports = dict(zip(kinds, free_ports(len(kinds)), strict=True))
    (WORK / "weed").mkdir()
    fixed = ["-dir", str(WORK / "weed"), "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
    fixed += ["-s3", "-s3.iam=false", "-s3.port.iceberg=0", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    start("weed", weed, "server", *fixed, *(f"-{kind}={port}" for kind, port in ports.items()))
    wait_for(ports["s3.port"])
    bucket = f"http://127.0.0.1:{ports['s3.port']}/mirror"
    put(bucket, b"")
    for file in FOLDER.rglob("*"):
        if file.is_file():
            put(f"{bucket}/{publisher.partition('//')[2]}/{file.relative_to(FOLDER)}", file.read_bytes())
    return bucket


def put(url: str, body: bytes) -> None:
    """Store *body*, as soon as the store takes it."""
    for attempt in range(READY_IN_S):
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, method="PUT"), timeout=10).close()
            return
        except URLError:
            if attempt == READY_IN_S - 1:
                raise
            time.sleep(1)


def end(*_signal: object) -> None:
    for child in CHILDREN:
        # SeaweedFS takes minutes to end by itself.
        child.kill() if "nginx" not in str(child.args) else child.terminate()
    os._exit(0)


CHILDREN: list[subprocess.Popen[bytes]] = []
signal.signal(signal.SIGTERM, end)
try:
    place = serving(Publisher)
    store = object_store(sys.argv[3], place) if sys.argv[3:] else ""
    print(
        json.dumps({"publisher": place, "faulty": serving(Faulty), "nginx": nginx(place), "store": store}), flush=True
    )
    signal.pause()
except BaseException:
    import traceback

    traceback.print_exc()
    end()
