# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory does a host need to download and unpack an asset? Prints a table; fails where the promise is broken.

Promise: at most 64 MiB whatever the asset. Each asset is served on loopback and downloaded and unpacked by a Python of
its own, whose peak is what the kernel counted. ``ansible_collections`` must be importable (PYTHONPATH).

    python tests/bench/host_memory.py [--python /usr/bin/python3.6] [--size-mib 300]
"""

import argparse
import functools
import gzip
import hashlib
import http.server
import io
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import typing as t
import zipfile

PROMISED_MIB = 64
MIB = 1024 * 1024
#: As many as an archive may have, the directories on their way included.
MEMBERS = 49990
PACKAGE = "ansible_collections.pinned.release.plugins.module_utils"
HOST = """
import hashlib, os, resource, sys, time
from {0}.archive import format_of, unpack
from {0}.download import download
url, size, sha256, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
asset, tree = os.path.join(folder, "asset"), os.path.join(folder, "tree")
os.mkdir(tree)
started_s = time.monotonic()
download(url, asset, sha256, size)
unpack(asset, format_of(url), "program", tree, 1 << 40)
took_s = time.monotonic() - started_s
try:
    with open("/proc/self/status") as status:
        peak = [int(line.split()[1]) for line in status if line.startswith("VmHWM")][0]
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, took_s)
"""


class Noise(io.RawIOBase):
    """*size* bytes that do not compress, or, of *period* bytes again and again, that do."""

    def __init__(self, size: int, period: int = 0) -> None:
        super().__init__()
        self._left = size
        self._again = os.urandom(period)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        count = min(len(buffer), self._left, len(self._again) or len(buffer))
        buffer[:count] = self._again[:count] if self._again else os.urandom(count)
        self._left -= count
        return count


def noise(size: int, period: int = 0) -> t.IO[bytes]:
    return io.BufferedReader(Noise(size, period), MIB)


def tarred(archive: t.Any, sizes: t.Sequence[int], period: int = 0) -> None:
    """Write a tar of files of these *sizes* into the open file *archive*."""
    with tarfile.open(fileobj=archive, mode="w|") as made:
        for number, size in enumerate(sizes):
            member = tarfile.TarInfo(f"folder/of/average/length/{number}")
            member.size = size
            made.addfile(member, noise(size, period))


def make_assets(folder: str, size: int) -> t.Iterator[str]:
    """Write the assets into *folder*, one after the other; yield the name of each."""
    with gzip.open(os.path.join(folder, "noise.tar.gz"), "wb", 1) as tar_gz:
        tarred(tar_gz, [size])
    yield "noise.tar.gz"
    with gzip.open(os.path.join(folder, "bomb.tar.gz"), "wb", 9) as tar_gz:
        tarred(tar_gz, [3 * size], 1024)
    yield "bomb.tar.gz"
    with lzma.open(os.path.join(folder, "default.tar.xz"), "wb", preset=1) as tar_xz:
        tarred(tar_xz, [size], MIB)
    yield "default.tar.xz"
    path = os.path.join(folder, "noise.whl")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as wheel, wheel.open("program", "w") as member:
        shutil.copyfileobj(noise(size), member, MIB)
    yield "noise.whl"
    with open(os.path.join(folder, "bare"), "wb") as program:
        shutil.copyfileobj(noise(size), program, MIB)
    yield "bare"
    with gzip.open(os.path.join(folder, "members.tar.gz"), "wb", 1) as tar_gz:
        tarred(tar_gz, [1] * MEMBERS)
    yield "members.tar.gz"
    with zipfile.ZipFile(os.path.join(folder, "members.zip"), "w") as archive:
        for number in range(MEMBERS):
            archive.writestr(f"folder/of/average/length/{number}", b"1")
    yield "members.zip"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_message: t.Any) -> None:
        """Say nothing."""


def measured(python: str, url: str, path: str, folder: str) -> tuple[float, float, float]:
    """Return peak of Python and of its children in MiB, and the seconds it took."""
    digest = hashlib.sha256()
    with open(path, "rb") as asset:
        for data in iter(lambda: asset.read(MIB), b""):
            digest.update(data)
    command = [python, "-c", HOST.format(PACKAGE), url, str(os.path.getsize(path)), digest.hexdigest(), folder]
    peak, children, took_s = subprocess.check_output(command, universal_newlines=True).split()
    return int(peak) / 1024, int(children) / 1024, float(took_s)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--size-mib", type=int, default=300)
    options = parser.parse_args()
    is_kept = True
    with tempfile.TemporaryDirectory() as served:
        server = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"{'asset':<16} {'MiB':>10} {'peak MiB':>10} {'s':>8}")
        for name in make_assets(served, options.size_mib * MIB):
            path = os.path.join(served, name)
            url = f"http://127.0.0.1:{server.server_port}/{name}"
            with tempfile.TemporaryDirectory() as folder:
                peak_mib, children_mib, took_s = measured(options.python, url, path, folder)
            total_mib = peak_mib + children_mib
            is_kept = is_kept and total_mib <= PROMISED_MIB
            size_mib = os.path.getsize(path) / MIB
            print(f"{name:<16} {size_mib:>10.1f} {total_mib:>10.1f} {took_s:>8.1f}", flush=True)
            os.unlink(path)
        server.shutdown()
    print(f"promised: at most {PROMISED_MIB} MiB: {'kept' if is_kept else 'BROKEN'}")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
