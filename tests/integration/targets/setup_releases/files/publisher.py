# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher on loopback: the part of GitHub's API that lists releases, and web folders.

``python publisher.py FOLDER`` prints its port and serves the files in FOLDER as the assets of version 2.0 of two
repositories: ``acme/public``, and ``acme/private``, which only the tokens "good" and "good-T0KEN" can see. No other
password or token is right, and each refusal repeats the one that was sent. Nobody may read the folder ``members/``.
Each answer is a line of its output, with status and path.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
API = "/api/v3/repos/acme"
PRIVATE = f"{API}/private"


class Publisher(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        file = FOLDER / path.rpartition("/")[2]
        sent = self.headers["Authorization"] or self.headers["Proxy-Authorization"]
        is_insider = sent in ("Bearer good", "Bearer good-T0KEN")
        if path.startswith("/members/") or (sent is not None and not is_insider):
            self.answer(401, {"message": f"Bad credentials: {sent}"})
        elif path == PRIVATE and is_insider:
            self.answer(200, {"private": True})
        elif path == f"{PRIVATE}/releases" and is_insider:
            self.answer(200, [self.release(f"{PRIVATE}/releases/assets", "/acme/private/releases/download/v2.0")])
        elif path == f"{API}/public/releases":
            self.answer(200, [self.release("/files", "/files")])
        elif file.is_file() and path.startswith(f"{PRIVATE}/releases/assets/" if is_insider else "/files/"):
            self.send(200, file.read_bytes())
        else:
            self.answer(404, {"message": "Not Found"})

    def release(self, assets: str, pages: str) -> dict[str, object]:
        """Return version 2.0 as the API lists it, its files below *assets* for the API and *pages* for people."""
        server = f"http://{self.headers['Host']}"
        moment = "2024-05-06T07:08:09Z"
        listed = [
            {
                "name": file.name,
                "url": f"{server}{assets}/{file.name}",
                "browser_download_url": f"{server}{pages}/{file.name}",
                "size": file.stat().st_size,
                "state": "uploaded",
                "created_at": moment,
            }
            for file in sorted(FOLDER.iterdir())
        ]
        return {"tag_name": "v2.0", "draft": False, "prerelease": False, "published_at": moment, "assets": listed}

    def answer(self, status: int, document: object) -> None:
        """Send *document* as JSON, with *status*."""
        self.send(status, json.dumps(document).encode())

    def send(self, status: int, body: bytes) -> None:
        """Send *body*, with *status*."""
        print(f"{status} {self.path}", flush=True)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing more."""


with ThreadingHTTPServer(("127.0.0.1", 0), Publisher) as server:
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()
