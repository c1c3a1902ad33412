# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GitHub on loopback, and a web server for a mirror: nginx where there is one, else Python's own.

``python site.py RELEASES MIRROR`` prints both ports. RELEASES/TAG/NAME are the assets of the repository acme/uv. Nobody
is told of a file that is not there, as GitHub does not.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

RELEASES, MIRROR = map(Path, sys.argv[1:3])
API = "/api/v3/repos/acme/uv/releases"
DOWNLOADS = "/acme/uv/releases/download/"
NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root "{mirror}";
    }}
}}
"""


class Github(BaseHTTPRequestHandler):
    """Lists the releases, and serves their assets."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        file = RELEASES / path.removeprefix(DOWNLOADS)
        if path == API:
            tags = sorted((folder.name for folder in RELEASES.iterdir()), reverse=True)
            self.answer(200, json.dumps([self.release(tag) for tag in tags]).encode())
        elif path.startswith(DOWNLOADS) and file.is_file():
            self.answer(200, file.read_bytes())
        else:
            self.answer(404, b"Not Found")

    def release(self, tag: str) -> dict[str, object]:
        """Return one release as the API lists it."""
        server = f"http://{self.headers['Host']}"
        assets = [
            {
                "name": file.name,
                "url": f"{server}{API}/assets/{file.name}",
                "browser_download_url": f"{server}{DOWNLOADS}{tag}/{file.name}",
                "size": file.stat().st_size,
                "state": "uploaded",
                "created_at": "2024-05-06T07:08:09Z",
            }
            for file in sorted((RELEASES / tag).iterdir())
        ]
        moment = {"published_at": "2024-05-06T07:08:09Z"}
        return {"tag_name": tag, "draft": False, "prerelease": False, "assets": assets, **moment}

    def answer(self, status: int, body: bytes) -> None:
        """Send *body*, with *status*."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


class Files(SimpleHTTPRequestHandler):
    """Serves the mirror where there is no nginx."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


def serve(handler: Callable[..., BaseHTTPRequestHandler]) -> int:
    """Answer by *handler* in a thread, and return the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def end(*_signal: object) -> None:
    sys.exit()


def main() -> None:
    signal.signal(signal.SIGTERM, end)
    github = serve(Github)
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        print(f"github port {github} mirror port {serve(partial(Files, directory=str(MIRROR)))} by python", flush=True)
        signal.pause()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, port=port, mirror=MIRROR))
        # Its workers may be of another user, who must come to the mirror.
        with subprocess.Popen([str(program), "-c", str(config), "-p", folder, "-g", "user root;"]) as nginx:
            try:
                while nginx.poll() is None and socket.socket().connect_ex(("127.0.0.1", port)):
                    time.sleep(0.05)
                print(f"github port {github} mirror port {port} by nginx", flush=True)
                nginx.wait()
            finally:
                nginx.kill()


main()
