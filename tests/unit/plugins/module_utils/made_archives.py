# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives for tests, honest and hostile, in every format that is unpacked; and a zstd where the machine has none."""

import bz2
import gzip
import io
import lzma
import os
import sys
import tarfile
import typing as t
import zipfile

#: A member and its content.
Made = t.Tuple[tarfile.TarInfo, bytes]

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
#: Decodes what zstd() makes, in the manner of the program of that name.
ZSTD_PROGRAM = """#!{python}
import sys
data = sys.stdin.buffer.read()
sys.exit("damaged") if data[:4] != b"\\x28\\xb5\\x2f\\xfd" else None
position = 6
while True:
    header = int.from_bytes(data[position : position + 3], "little")
    block = data[position + 3 : position + 3 + (header >> 3)]
    sys.exit("cut short") if len(data) < position + 3 or len(block) < header >> 3 else None
    sys.stdout.buffer.write(block)
    position += 3 + len(block)
    if header & 1:
        break
"""


def file(name: str, content: bytes = b"content", mode: int = 0o644, **fields: t.Any) -> Made:
    """Return a member for tar() or zipped()."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = mode
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def directory(name: str, mode: int = 0o755) -> Made:
    return file(name, b"", mode, type=tarfile.DIRTYPE)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Made:
    return file(name, b"", type=kind, linkname=target)


def hard_link(name: str, target: str) -> Made:
    return link(name, target, tarfile.LNKTYPE)


def tar(*members: Made, **options: t.Any) -> bytes:
    """Return a tar archive of *members*."""
    archive_format = options.get("format", tarfile.GNU_FORMAT)
    data = b""
    for info, content in members:
        data += info.tobuf(archive_format, "utf-8", "surrogateescape") + content + bytes(-len(content) % 512)
    return data + bytes(1024)


def zipped(*members: Made, **options: t.Any) -> bytes:
    """Return a zip file of the same kind of *members*."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", options.get("compression", zipfile.ZIP_DEFLATED)) as archive:
        for info, content in members:
            entry = zipfile.ZipInfo("name")
            entry.filename = info.name + ("/" if info.isdir() and not info.name.endswith("/") else "")
            kind = {tarfile.SYMTYPE: 0o120000, tarfile.DIRTYPE: 0o040000, tarfile.FIFOTYPE: 0o010000}
            entry.external_attr = (kind.get(info.type, 0o100000) | info.mode) << 16
            entry.compress_type = options.get("compression", zipfile.ZIP_DEFLATED)
            archive.writestr(entry, info.linkname.encode() if info.issym() else content)
    return buffer.getvalue()


def zstd(data: bytes) -> bytes:
    """Return *data* as a Zstandard frame of raw blocks (RFC 8878, 3.1.1.2), which needs no compressor."""
    blocks = [data[start : start + 65536] for start in range(0, len(data), 65536)] or [b""]
    frame = ZSTD_MAGIC + b"\x00\x58"
    for number, block in enumerate(blocks):
        header = len(block) << 3 | (number == len(blocks) - 1)
        frame += header.to_bytes(3, "little") + block
    return frame


COMPRESSORS: t.Dict[str, t.Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstd,
}


def archive(archive_format: str, *members: Made) -> bytes:
    """Return *members* as an archive of *archive_format*, one that holds names."""
    if archive_format == "zip":
        return zipped(*members)
    compression = archive_format.partition(".")[2]
    return COMPRESSORS[compression](tar(*members)) if compression else tar(*members)


def zstd_program(folder: t.Any) -> str:
    """Put a program zstd into *folder*; return the folder."""
    path = os.path.join(str(folder), "zstd")
    with open(path, "w") as program:
        program.write(ZSTD_PROGRAM.format(python=sys.executable))
    os.chmod(path, 0o755)
    return str(folder)
