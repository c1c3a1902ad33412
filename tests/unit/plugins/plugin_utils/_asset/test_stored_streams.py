# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stored instead of compressed is read by every decoder, and is the same bytes everywhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.decompress import decompress
from ansible_collections.pinned.release.plugins.plugin_utils._asset.stored_streams import PACKERS
from hypothesis import given
from hypothesis import strategies as st

SIZES = [0, 1, 65534, 65535, 65536, 65537, 131072, 131073, 300000]
PROGRAMS = {"gz": "gzip", "xz": "xz", "zst": "zstd"}
#: The digests of what each makes of 200,000 bytes: a change of one is a change of every alias.
MADE = {
    "gz": "a46872c2351374c9268a02e413b1f1d906130d21ace2a32168b17366dc092b58",
    "xz": "bf8af7c4eee667644da1c80c84a186482dcd2e24d3cbd4dde4f0d89efc725e31",
    "zst": "998d09fedae9d9824cc9a4343ea226692b734164c70fd0d10608b18f61269038",
}


def content(size: int) -> bytes:
    return hashlib.shake_128(b"content").digest(size)


def packed(kind: str, data: bytes, chunk: int = 100_000) -> bytes:
    return b"".join(PACKERS[kind](data[start : start + chunk] for start in range(0, len(data), chunk)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kind", "decoder"), [("gz", gzip.decompress), ("xz", lzma.decompress)])
def test_decoders_of_the_standard_library_read_it(kind: str, decoder: Callable[[bytes], bytes], size: int) -> None:
    assert decoder(packed(kind, content(size))) == content(size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", PROGRAMS)
def test_programs_read_it(kind: str, size: int) -> None:
    program = shutil.which(PROGRAMS[kind])
    if program is None:
        pytest.skip(f"needs the program {PROGRAMS[kind]}")
    done = subprocess.run([program, "-dc"], input=packed(kind, content(size)), capture_output=True, check=True)
    assert done.stdout == content(size)
    tested = subprocess.run([program, "-t"], input=packed(kind, content(size)), capture_output=True, check=False)
    assert tested.returncode == 0, tested.stderr


@pytest.mark.parametrize("kind", PROGRAMS)
def test_hosts_read_it(kind: str, tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(packed(kind, content(300_000)))
    with io.FileIO(tmp_path / "packed") as file, decompress(file, kind, "packed") as plain:
        assert plain.read() == content(300_000)


@given(st.lists(st.binary(max_size=200), max_size=6), st.sampled_from(sorted(PROGRAMS)))
def test_bytes_do_not_depend_on_how_they_come(chunks: list[bytes], kind: str) -> None:
    assert b"".join(PACKERS[kind](chunks)) == b"".join(PACKERS[kind]([b"".join(chunks)]))


@pytest.mark.parametrize("kind", PROGRAMS)
def test_bytes_are_the_same_on_every_controller(kind: str) -> None:
    assert hashlib.sha256(packed(kind, content(200_000))).hexdigest() == MADE[kind]
