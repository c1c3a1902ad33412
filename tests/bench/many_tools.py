# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes, in the folder named first, as many tools as the second argument says, and a manifest that wants them.

A third argument is the address at which a web server has what is published there; without it, the folder is named. With
a fourth, each tool brings a file of so many megabytes.
"""

import hashlib
import io
import platform
import random
import sys
import tarfile
from pathlib import Path

work, count = Path(sys.argv[1]), int(sys.argv[2])
place = sys.argv[3] if sys.argv[3:] else work / "published"
megabytes = int(sys.argv[4]) if sys.argv[4:] else 0
manifest = [f"platforms: [linux/{platform.machine()}]", "tools:"]
for number in range(count):
    name = f"tool{number:02}"
    folder = work / "published" / name / "1.0"
    folder.mkdir(parents=True, exist_ok=True)
    asset = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(asset, "w:gz") as archive:
        files = {f"bin/{name}": f"#!/bin/sh\necho {name} 1.0\n".encode()}
        if megabytes:
            files["share/data"] = random.Random(number).randbytes(1024) * 1024 * megabytes
        for path, content in files.items():
            member = tarfile.TarInfo(f"{name}-1.0/{path}")
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(asset.read_bytes()).hexdigest()}  {asset.name}\n")
    manifest.append(f"  {name}: {{source: {{directory: {place}/{name}}}}}")
(work / "releases.yml").write_text("\n".join(manifest) + "\n")
(work / "releases.lock.json").unlink(missing_ok=True)
