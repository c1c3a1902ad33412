# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the hosts of the bench install, from which server, and how much did it send?"""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANY_TOOLS = Path(__file__).parents[1] / "many_tools.py"
MIB = 1024 * 1024


@dataclass
class Server:
    """A web server over *folder* that notes when it sent how much of which file."""

    folder: Path
    address: str = ""
    sent: list[tuple[float, int, str]] = field(default_factory=list)

    def start(self, bind: str) -> None:
        server = self

        class Counting(http.server.SimpleHTTPRequestHandler):
            def copyfile(self, source: Any, outputfile: Any) -> None:
                while piece := source.read(MIB):
                    outputfile.write(piece)
                    server.sent.append((time.monotonic(), len(piece), self.path))

            def log_message(self, *_message: Any) -> None:
                """Say nothing."""

        class Patient(http.server.ThreadingHTTPServer):
            request_queue_size = 1024

        serving = Patient((bind, 0), functools.partial(Counting, directory=str(self.folder)))
        self.address = f"http://{bind}:{serving.server_port}"
        threading.Thread(target=serving.serve_forever, daemon=True).start()

    def sent_bytes(self, from_s: float, until_s: float) -> int:
        """Return how many bytes of assets were sent in that time."""
        return sum(size for at_s, size, path in self.sent if from_s <= at_s <= until_s and path.endswith(".tar.gz"))


def publish_small(work: Path, count: int, server: Server, megabytes: int = 0) -> Path:
    """Publish *count* tools of a short program and a file of so many MiB; return the path of their lock file."""
    folder = work / str(count)
    folder.mkdir(parents=True, exist_ok=True)
    address = f"{server.address}/{folder.relative_to(server.folder)}/published"
    subprocess.run([sys.executable, str(MANY_TOOLS), str(folder), str(count), address, str(megabytes)], check=True)
    return lock(folder)


def publish_large(work: Path, name: str, size_mib: int, server: Server) -> Path:
    """Publish one tool whose file of so many MiB does not compress; return the path of its lock file."""
    folder = work / name
    release = folder / "published/large/1.0"
    release.mkdir(parents=True, exist_ok=True)
    asset = release / "large-1.0.tar.gz"
    with tarfile.open(asset, "w:gz", compresslevel=1) as archive:
        program = b"#!/bin/sh\necho large 1.0\n"
        member = tarfile.TarInfo("large-1.0/bin/large")
        member.size, member.mode = len(program), 0o755
        archive.addfile(member, io.BytesIO(program))
        for number in range(size_mib):
            member = tarfile.TarInfo(f"large-1.0/share/{number}")
            member.size = MIB
            archive.addfile(member, io.BytesIO(os.urandom(MIB)))
    made = hashlib.sha256()
    with asset.open("rb") as file:
        for data in iter(lambda: file.read(MIB), b""):
            made.update(data)
    digest = made.hexdigest()
    (release / "SHA256SUMS").write_text(f"{digest}  {asset.name}\n")
    source = f"{{source: {{directory: {server.address}/{name}/published/large}}}}"
    (folder / "releases.yml").write_text(f"platforms: [linux/{platform.machine()}]\ntools:\n  large: {source}\n")
    (folder / "releases.lock.json").unlink(missing_ok=True)
    return lock(folder)


def lock(folder: Path) -> Path:
    command = ["ansible-playbook", "pinned.release.lock", "-e", f"manifest={folder}/releases.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return folder / "releases.lock.json"


def asset_sizes(lockfile: Path) -> dict[str, int]:
    """Return the size in bytes of each asset of a lock file, by its address."""
    tools = json.loads(lockfile.read_text())["tools"]
    return {asset["url"]: asset["size"] for tool in tools.values() for asset in tool["assets"]}


def asset_of(server: Server, count: int) -> dict[str, str]:
    """Describe the first tool for those who need to be told all of it."""
    release = f"{count}/published/tool00/1.0"
    path = server.folder / release / "tool00-1.0.tar.gz"
    return {
        "name": path.name,
        "program": "tool00-1.0/bin/tool00",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "sums_url": f"{server.address}/{release}/SHA256SUMS",
        "url": f"{server.address}/{release}/{path.name}",
    }
