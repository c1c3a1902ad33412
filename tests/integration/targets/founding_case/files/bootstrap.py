# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs uv as programs do that bring a Python application along: PyApp's PYAPP_UV_SOURCE, Metaflow, Pants.

``python bootstrap.py BASE VERSION FOLDER``: the address is spelled out with the target of this machine, and the archive
holds one folder of the same name.
"""

from __future__ import annotations

import io
import platform
import shutil
import sys
import tarfile
from pathlib import Path
from urllib.request import urlopen

base, version, folder = sys.argv[1:]
target = f"{platform.machine()}-unknown-linux-gnu"
source = f"{base}/{version}/uv-{target}.tar.gz"
with urlopen(source, timeout=30) as answer:
    content = io.BytesIO(answer.read())
Path(folder).mkdir(parents=True)
with tarfile.open(fileobj=content, mode="r:gz") as archive:
    program = archive.extractfile(f"uv-{target}/uv")
    assert program is not None
    with (Path(folder) / "uv").open("wb") as file:
        shutil.copyfileobj(program, file)
(Path(folder) / "uv").chmod(0o755)
