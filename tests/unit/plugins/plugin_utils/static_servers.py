# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static web servers on loopback that list folders: Python's own, and nginx. For tests of what they serve."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

NGINX = """
daemon off; master_process off; pid PLACE/nginx.pid; error_log PLACE/error.log;
events {}
http {
    access_log off;
    client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
    uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
    server { listen 127.0.0.1:PORT; root "FOLDER"; autoindex on; }
}
"""
SERVERS = ("python", "nginx")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


def serving(folder: Path, server: str) -> contextlib.AbstractContextManager[str]:
    """Give the address at which a *server* of SERVERS serves *folder*. Skips the test where that is not installed."""
    return _python(folder) if server == "python" else _nginx(folder)


@contextlib.contextmanager
def _python(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def _nginx(folder: Path) -> Iterator[str]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as place:
        text = NGINX.replace("PLACE", place).replace("PORT", str(port)).replace("FOLDER", str(folder))
        Path(place, "nginx.conf").write_text(text)
        with subprocess.Popen([program, "-p", place, "-c", f"{place}/nginx.conf"]) as server:
            try:
                _wait_for(port, server)
                yield f"http://127.0.0.1:{port}"
            finally:
                server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("nginx does not answer")
