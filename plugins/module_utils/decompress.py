# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What are the plain bytes of a gzip, xz, bzip2 or zstd file? In bounded memory, on hosts and on the controller.

Follows RFC 1952 (gzip), the .xz file format 1.2, bzip2 and RFC 8878 (Zstandard): several streams in a row are one
file; what follows the last one is ignored, as the programs of these names do. zstd is decoded by Python 3.14 and newer,
elsewhere by the system's own zstd program.
"""

import contextlib
import importlib
import io
import os
import stat
import subprocess
import tempfile
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.file_errors import file_error

#: How a file of each compression begins.
MAGIC = {
    "gz": (b"\x1f\x8b\x08",),
    "xz": (b"\xfd7zXZ\x00",),
    "bz2": (b"BZh",),
    # The second kind is a skippable frame, which pzstd and seekable files begin with.
    "zst": (b"\x28\xb5\x2f\xfd", *(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))),
}
BUFFER_BYTES = 256 * 1024
#: How far back an asset may refer to its own plain bytes, which are held in memory for that. ``xz -9`` asks for this,
#: most for an eighth of it; what asks for more is refused, on the controller when it is to be locked.
MAX_WINDOW_LOG = 26
MAX_WINDOW_BYTES = 1 << MAX_WINDOW_LOG
#: Places of system programs; the PATH of whoever runs us is not trusted.
PROGRAM_FOLDERS = (
    "/usr/bin",
    "/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/opt/local/bin",
    "/run/current-system/sw/bin",
    "/run/current-system/profile/bin",
)

#: The module that decodes each compression, and what people call that.
_CODECS = {
    "gz": ("zlib", "gzip"),
    "deflate": ("zlib", "deflate"),
    "bz2": ("bz2", "bzip2"),
    "xz": ("lzma", "xz"),
    "zst": ("compression.zstd", "zstd"),
}
_INPUT_BYTES = 64 * 1024
_MAGIC_BYTES = 6
#: liblzma's own needs beside the window.
_XZ_MEMORY_BYTES = MAX_WINDOW_BYTES + 1024 * 1024


def decompress(file: io.FileIO, compression: str, name: str) -> t.BinaryIO:
    """Return the plain bytes of *file* as a stream to read once; *name* is what errors call the file.

    *file* is unbuffered, since zstd's program reads its descriptor. Close the stream when done; *file* stays open.
    Raises ReleaseError if no decoder can be found; reading the stream raises it for damage.
    """
    if compression == "zst" and not _has_module("compression.zstd"):
        raw = _run_zstd(file, name)  # type: io.RawIOBase
    else:
        raw = _Plain(file, compression, name)
    return t.cast(t.BinaryIO, io.BufferedReader(raw, BUFFER_BYTES))


def codec_module(compression: str, name: str) -> t.Any:
    """Return the module that decodes *compression*, which *name* has. Raises ReleaseError if this Python lacks it."""
    try:
        return importlib.import_module(_CODECS[compression][0])
    except ImportError as error:
        raise undecodable(name, compression) from error


def undecodable(name: str, compression: str) -> ReleaseError:
    """Return the error for a machine that has nothing to decode *name* with, which has that *compression*."""
    if compression == "zst":
        return ReleaseError(
            "{0} is compressed with zstd, which this machine cannot decode".format(name),
            found="a Python older than 3.14, and no zstd in {0}".format(", ".join(PROGRAM_FOLDERS)),
            fix="install zstd on the host, or pin the .tar.gz asset",
        )
    module, kind = _CODECS[compression]
    return ReleaseError(
        "{0} is compressed with {1}, which this machine's Python cannot decode".format(name, kind),
        found="no module {0}".format(module),
        fix="install the Python package that has it (often called python3-{0}), or pin the .tar.gz asset".format(
            module
        ),
    )


class _Plain(io.RawIOBase):
    """The plain bytes, produced as they are asked for: what a few hostile bytes swell to is never held."""

    def __init__(self, file: io.FileIO, compression: str, name: str) -> None:
        super().__init__()
        self._file = file
        self._compression = compression
        self._name = name
        self._make_decoder, self._errors = _codec(compression, name)
        self._decoder = self._make_decoder()
        self._pending = b""

    def readable(self) -> bool:
        """Always: io.RawIOBase says False unless told otherwise."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Fill *buffer*; return how many bytes came, 0 at the end. Raises ReleaseError for damaged data."""
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        while not self._decoder.eof or self._begins_another_stream():
            data = self._decode(size)
            if data:
                return data
        return b""

    def _decode(self, size: int) -> bytes:
        wants_input = self._decoder.needs_input
        data = b""
        if wants_input:
            data = self._pending or self._file.read(_INPUT_BYTES)
            self._pending = b""
        try:
            plain = self._decoder.decompress(data, size)  # type: bytes
        except self._errors as error:
            raise _damaged(self._name, self._compression, str(error)) from error
        if wants_input and not data and not plain and not self._decoder.eof:
            raise _damaged(self._name, self._compression, "it ends in the middle: it was cut short")
        return plain

    def _begins_another_stream(self) -> bool:
        rest = self._decoder.unused_data.lstrip(b"\0")
        while len(rest) < _MAGIC_BYTES:
            more = self._file.read(_INPUT_BYTES)
            if not more:
                break
            rest = (rest + more).lstrip(b"\0")
        if not rest.startswith(MAGIC[self._compression]):
            return False
        self._decoder = self._make_decoder()
        self._pending = rest
        return True


class _Gunzip:
    """One gzip member's decoder, with the manners of those of bz2 and lzma."""

    def __init__(self, inflate: t.Any) -> None:
        self._inflate = inflate

    @property
    def eof(self) -> bool:
        """Whether the member has ended. What follows it is in ``unused_data``."""
        return bool(self._inflate.eof)

    @property
    def needs_input(self) -> bool:
        """Whether nothing is left of the last input, so that the next call of ``decompress`` must bring more."""
        return not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """The bytes behind the member's end: padding, or another member. Empty before the end."""
        return bytes(self._inflate.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most *max_length* plain bytes of the input left, then *data*. Raises zlib.error for damage."""
        return bytes(self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length))


class _ZstdProgram(io.RawIOBase):
    """The output of the system's zstd, for Pythons that cannot decode it themselves."""

    def __init__(self, process: t.Any, complaints: t.Any, name: str) -> None:
        super().__init__()
        self._process = process
        self._complaints = complaints
        self._name = name

    def readable(self) -> bool:
        """Always: io.RawIOBase says False unless told otherwise."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Fill *buffer*; return how many bytes came, 0 at the end. Raises ReleaseError if zstd failed, and why."""
        length = self._process.stdout.readinto(buffer)  # type: int
        if length == 0 and self._process.wait() != 0:
            self._complaints.seek(0)
            complaint = self._complaints.read(200).decode("ascii", "replace").strip()
            raise _damaged(self._name, "zst", complaint)
        return length

    def close(self) -> None:
        """End the program, whether or not it is done, and wait for it, so that no process stays behind."""
        if not self.closed:
            self._process.stdout.close()
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            self._complaints.close()
        super().close()


def _run_zstd(file: io.FileIO, name: str) -> _ZstdProgram:
    program = _zstd_program(name)
    try:
        with contextlib.ExitStack() as on_error:
            # A file, since nobody would read a pipe while zstd's output is read.
            complaints = on_error.enter_context(tempfile.TemporaryFile())
            process = on_error.enter_context(
                subprocess.Popen(  # pylint: disable=ansible-bad-function
                    [program, "-d", "-c", "-q", "--memory={0}".format(MAX_WINDOW_BYTES)],
                    stdin=file,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    bufsize=BUFFER_BYTES,
                    env={"LC_ALL": "C"},
                )
            )
            on_error.pop_all()
            return _ZstdProgram(process, complaints, name)
    except OSError as error:
        raise file_error("run", program, error) from error


def _codec(compression: str, name: str) -> t.Tuple[t.Callable[[], t.Any], t.Tuple[t.Type[Exception], ...]]:
    """Return what makes a decoder, and the errors it raises for damaged input."""
    if compression == "gz":
        zlib = codec_module(compression, name)
        return lambda: _Gunzip(zlib.decompressobj(31)), (zlib.error,)
    if compression == "bz2":
        bz2 = codec_module(compression, name)
        return bz2.BZ2Decompressor, (OSError, ValueError)
    if compression == "xz":
        lzma = codec_module(compression, name)
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY_BYTES), (lzma.LZMAError,)
    zstd = codec_module(compression, name)
    limits = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG}
    return lambda: zstd.ZstdDecompressor(options=limits), (zstd.ZstdError,)


def _has_module(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _zstd_program(name: str) -> str:
    for program in ("zstd", "unzstd"):
        for folder in PROGRAM_FOLDERS:
            path = os.path.join(folder, program)
            if _is_trusted_program(path):
                return path
    raise undecodable(name, "zst")


def _is_trusted_program(path: str) -> bool:
    """Tell whether *path* is a program that only root or we ourselves can have put there."""
    try:
        found = os.stat(path)
    except OSError:
        return False
    is_ours = found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return is_ours and stat.S_ISREG(found.st_mode) and os.access(path, os.X_OK)


def _damaged(name: str, compression: str, reason: str) -> ReleaseError:
    if "emory" in reason:
        return ReleaseError(
            "{0} asks for more memory to be unpacked than a host is made to give".format(name),
            expected="a window of at most {0} MiB".format(MAX_WINDOW_BYTES >> 20),
            found=reason,
            fix="pin another asset, such as the .tar.gz, or publish it anew in a folder of your own",
        )
    return ReleaseError(
        "{0} is damaged: not whole {1} data".format(name, compression),
        found=reason,
        fix="the publisher's file itself is broken, since its digest is as locked: pin another asset or version",
    )
