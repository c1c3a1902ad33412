# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does an install cost a host, in memory and in time? Prints a table; fails where a promise is broken.

Promises: at most 64 MiB of memory beside the window that an asset's compression asks for, and at most 1.5 times as long
as curl, sha256sum and tar with the same asset. Each asset is served on loopback. One Python of its own carries out real
orders, from the download to the seal, and its peak is what the kernel counted; then the shell does its part, in turns.
``ansible_collections`` must be importable (PYTHONPATH).

    python tests/bench/host_install.py [--python /usr/bin/python3.6] [--size-mib 300] [--rounds 5]
"""

import argparse
import functools
import gzip
import hashlib
import http.server
import io
import json
import lzma
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import threading
import time
import typing as t
import zipfile
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils import tree_listing
from ansible_collections.pinned.release.plugins.module_utils.archive import Archive, format_of, open_archive
from ansible_collections.pinned.release.plugins.module_utils.decompress import MAX_WINDOW_BYTES
from ansible_collections.pinned.release.plugins.module_utils.orders import Download, Orders, Program, ToolOrder, to_json
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import look_into

PROMISED_MIB = 64
PROMISED_RATIO = 1.5
MIB = 1024 * 1024
#: As many as an archive may have, the directories on their way included.
MEMBERS = 49990
#: The same modules as the real one imports.
HOST = """
import json, resource, sys, time
from ansible_collections.pinned.release.plugins.module_utils import host_run, orders, store
with open(sys.argv[1]) as file:
    wanted = orders.from_json(json.load(file))
started_s = time.monotonic()
store.obey(wanted)
took_s = time.monotonic() - started_s
try:
    with open("/proc/self/status") as status:
        peak = [int(line.split()[1]) for line in status if line.startswith("VmHWM")][0]
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, took_s)
"""
SHELL = """
set -e
mkdir "$4"
curl -fsS -o asset "$1"
echo "$2  asset" | sha256sum -c --quiet
case $3 in
bare) install -m 755 asset "$4/program" ;;
zip) unzip -q asset -d "$4" ;;
*) tar -xf asset -C "$4" ;;
esac
"""
#: Their times are printed and not judged: hostile, or so small that what each install takes whatever its size decides.
UNUSUAL = ("small.tar.gz", "best.tar.xz", "best.tar.zst", "bomb.tar.gz", "members.tar.gz", "members.zip")


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
    with tarfile.open(os.path.join(folder, "library.tar.gz"), "w:gz") as tar:
        tar.add(sysconfig.get_path("stdlib"), "library", filter=without_tests)
    yield "library.tar.gz"
    with tarfile.open(os.path.join(folder, "library.tar.xz"), "w:xz", preset=1) as tar:
        tar.add(sysconfig.get_path("stdlib"), "library", filter=without_tests)
    yield "library.tar.xz"
    with gzip.open(os.path.join(folder, "noise.tar.gz"), "wb", 1) as tar_gz:
        tarred(tar_gz, [size])
    yield "noise.tar.gz"
    path = os.path.join(folder, "noise.whl")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as wheel, wheel.open("program", "w") as member:
        shutil.copyfileobj(noise(size), member, MIB)
    yield "noise.whl"
    with open(os.path.join(folder, "bare"), "wb") as program:
        shutil.copyfileobj(noise(size), program, MIB)
    yield "bare"
    with gzip.open(os.path.join(folder, "small.tar.gz"), "wb", 1) as tar_gz:
        tarred(tar_gz, [MIB // 4])
    yield "small.tar.gz"
    # What xz -9 asks for, without the minutes that it takes.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": MAX_WINDOW_BYTES}]
    with lzma.open(os.path.join(folder, "best.tar.xz"), "wb", filters=filters) as tar_xz:
        tarred(tar_xz, [2 * size], MIB)
    yield "best.tar.xz"
    if shutil.which("zstd"):
        command = ["zstd", "-q", "-1", "--long=26", "-o", os.path.join(folder, "best.tar.zst")]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as zstd:
            tarred(zstd.stdin, [2 * size], MIB)
        yield "best.tar.zst"
    with gzip.open(os.path.join(folder, "bomb.tar.gz"), "wb", 9) as tar_gz:
        tarred(tar_gz, [3 * size], 1024)
    yield "bomb.tar.gz"
    with gzip.open(os.path.join(folder, "members.tar.gz"), "wb", 1) as tar_gz:
        tarred(tar_gz, [1] * MEMBERS)
    yield "members.tar.gz"
    with zipfile.ZipFile(os.path.join(folder, "members.zip"), "w") as archive:
        for number in range(MEMBERS):
            archive.writestr(f"folder/of/average/length/{number}", b"1")
    yield "members.zip"


def without_tests(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    is_left_out = any(part in ("test", "tests", "site-packages", "__pycache__") for part in member.name.split("/"))
    return None if is_left_out else member


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_message: t.Any) -> None:
        """Say nothing."""


def order(path: str, url: str) -> ToolOrder:
    """Return the order that installs the asset at *path*, whose first file is its program."""
    digest = hashlib.sha256()
    with open(path, "rb") as asset:
        for data in iter(lambda: asset.read(MIB), b""):
            digest.update(data)
    asset_format = format_of(path)
    with open_archive(path, asset_format, "program") as archive:
        program = first_program(archive)
    unpacked = look_into(Path(path), asset_format, "program").unpacked
    return ToolOrder(
        tool="tool",
        tree="1.0",
        tree_sha256=tree_listing.digest(tree_listing.listing(unpacked, {"program": program.path})),
        asset=Download(os.path.basename(path), [url], os.path.getsize(path), digest.hexdigest(), asset_format, 1 << 40),
        programs={"program": program},
    )


def first_program(archive: Archive) -> Program:
    for member, content in archive.walk():
        if content is not None:
            digest = hashlib.sha256()
            for data in iter(functools.partial(content.read, MIB), b""):
                digest.update(data)
            return Program(member.path, digest.hexdigest(), member.size)
    raise ValueError("the archive holds no file")


def ours(python: str, ordered: ToolOrder) -> tuple[float, float]:
    """Install; return the peak of all processes in MiB, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        fingerprint = os.path.join(os.path.dirname(__file__), "../../plugins/plugin_utils/_host/fingerprint.sh")
        with open(fingerprint, encoding="utf-8") as text:
            orders = Orders(f"{folder}/root", f"{folder}/bin", "wanted", text.read(), tools=[ordered])
        path = os.path.join(folder, "orders")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(to_json(orders), file)
        said = subprocess.check_output([python, "-c", HOST, path], universal_newlines=True)
        peak_kib, child_kib, took_s = said.split()
        # A child's peak begins with that of the process that it was forked from, whose memory it shares: not its own.
        own_kib = int(child_kib) if int(child_kib) > int(peak_kib) else 0
        return (int(peak_kib) + own_kib) / 1024, float(took_s)


def theirs(asset: Download) -> float:
    """Do what a person would type; return the seconds it took, NaN where this machine lacks a program for it."""
    needed = {"zip": ["curl", "unzip"], "bare": ["curl"]}.get(asset.format, ["curl", "tar", "xz", "gzip"])
    if not all(map(shutil.which, needed)):
        return float("nan")
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.monotonic()
        command = ["sh", "-c", SHELL, "sh", asset.urls[0], asset.sha256, asset.format, "tree"]
        subprocess.run(command, cwd=folder, check=True)
        return time.monotonic() - started_s


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--size-mib", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    broken = []
    with tempfile.TemporaryDirectory() as served:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"{'asset':<16} {'MiB':>8} {'peak MiB':>9} {'ours s':>8} {'shell s':>8} {'ratio':>6}")
        for name in make_assets(served, options.size_mib * MIB):
            path = os.path.join(served, name)
            ordered = order(path, f"http://127.0.0.1:{server.server_port}/{name}")
            assert ordered.asset
            rounds = 1 if name in UNUSUAL else options.rounds
            turns = [(*ours(options.python, ordered), theirs(ordered.asset)) for _turn in range(rounds)]
            peak_mib = max(turn[0] for turn in turns)
            ours_s, theirs_s = (statistics.median(turn[which] for turn in turns) for which in (1, 2))
            window_mib = MAX_WINDOW_BYTES / MIB if name.startswith("best.") else 0
            if peak_mib > PROMISED_MIB + window_mib:
                broken.append(f"{name} takes {peak_mib:.0f} MiB")
            if ours_s > PROMISED_RATIO * theirs_s and name not in UNUSUAL:
                broken.append(f"{name} takes {ours_s / theirs_s:.2f} times as long")
            size_mib = os.path.getsize(path) / MIB
            row = f"{size_mib:>8.1f} {peak_mib:>9.1f} {ours_s:>8.2f} {theirs_s:>8.2f} {ours_s / theirs_s:>6.2f}"
            print(f"{name:<16} {row}", flush=True)
            os.unlink(path)
        server.shutdown()
    print(
        f"promised: {PROMISED_MIB} MiB beside the window, {PROMISED_RATIO} times as long: {'; '.join(broken) or 'kept'}"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
