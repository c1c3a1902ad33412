# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a run of the playbook ``lock`` in the middle of a download, as Ctrl-C and a shutdown do.

end_amid_download.py FOLDER SIGNAL COMMAND…: serves FOLDER, but of its archives only the first half, after which nothing
comes; runs COMMAND with the server's address as its last argument; sends SIGNAL to all processes of it, as a terminal
does, once that half was taken; prints how it ended, and what it said, as JSON.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

half_is_sent = threading.Event()


class Handler(SimpleHTTPRequestHandler):
    """Stops in the middle of archives."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        content = source.read()
        if not self.path.endswith(".tar.gz"):
            outputfile.write(content)
            return
        outputfile.write(content[: len(content) // 2])
        half_is_sent.set()
        self.rfile.read()  # until the other side is gone

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


def main(folder: str, ending: str, *command: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    # COMMAND inherits this. If whoever started the tests ignores the signal (nohup), COMMAND would, too.
    signal.signal(signal.Signals[ending], signal.SIG_DFL)
    process = subprocess.Popen(
        [*command, address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    was_amid = half_is_sent.wait(60)
    os.killpg(process.pid, signal.Signals[ending])
    output = process.communicate(timeout=60)[0]
    print(json.dumps({"was_amid": was_amid, "rc": process.returncode, "output": output}))


if __name__ == "__main__":
    main(*sys.argv[1:])
