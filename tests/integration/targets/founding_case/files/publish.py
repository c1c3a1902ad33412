# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts two releases of uv into a folder: one with a build for glibc and a static one, and one with the static alone.

``python publish.py LIBRARY RELEASES``: the static program is made by publish.py in LIBRARY, and it runs. The build for
glibc is a program of this machine; where that is not for glibc, no release has such a build, and its name is all that
is known of it.
"""

from __future__ import annotations

import importlib.util
import io
import platform
import sys
import tarfile
from pathlib import Path
from types import ModuleType

ARCH = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())


def library(folder: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("publish_release", Path(folder, "publish.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def archive(target: str, program: bytes) -> bytes:
    packed = io.BytesIO()
    stem = f"uv-{ARCH}-unknown-linux-{target}"
    with tarfile.open(fileobj=packed, mode="w:gz") as made:
        for name, content, mode in (("uv", program, 0o755), ("README.md", b"Made for a test.\n", 0o644)):
            member = tarfile.TarInfo(f"{stem}/{name}")
            member.size, member.mode = len(content), mode
            made.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def main() -> None:
    publisher, releases = library(sys.argv[1]), Path(sys.argv[2])
    for version in ("0.9.8", "0.9.9"):
        (releases / version).mkdir(parents=True)
        static = publisher.executable(ARCH, "uv", {"version": version})
        (releases / version / f"uv-{ARCH}-unknown-linux-musl.tar.gz").write_bytes(archive("musl", static))
    own = Path("/bin/true").read_bytes()
    if own.startswith(b"\x7fELF") and b"GLIBC_" in own:
        (releases / "0.9.8" / f"uv-{ARCH}-unknown-linux-gnu.tar.gz").write_bytes(archive("gnu", own))


main()
