# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do a URL's bytes become a verified file? Streamed, hashed on the way, capped at the locked size. Runs on hosts.

Follows RFC 9110 (Range, If-Range, Content-Range). How requests are made, and what of the environment counts (proxies,
certificate authorities), is in http_get.py. The file is not synced: it is an archive to unpack, not what is installed.
"""

import contextlib
import errno
import hashlib
import io
import os
import random
import re
import stat
import time
import typing as t
import urllib.parse

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.file_errors import file_error
from ansible_collections.pinned.release.plugins.module_utils.http_deadline import MIN_BYTES_PER_S
from ansible_collections.pinned.release.plugins.module_utils.http_get import (
    CONNECT_TIMEOUT_S,
    MAX_RETRY_AFTER_S,
    Answer,
    Client,
    SilentError,
    TransientError,
    checked_url,
    url_without_secrets,
)

#: How long connecting and the answer's head may take, and the time in which a minimum of its bytes must come.
TIMEOUT_S = 60.0
ATTEMPTS = 4
#: How long connecting to one address may take where somebody else stands by.
QUICK_CONNECT_TIMEOUT_S = 5.0

_BUFFER_BYTES = 256 * 1024
_FIRST_PAUSE_S = 1.0
_MAX_PAUSE_S = 30.0
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)\Z")
_UNSATISFIED_RANGE = re.compile(r"bytes \*/(\d{1,18})\Z")


class DiskError(ReleaseError):
    """This machine's disk does not take the file, whoever sends it."""


class Patience(t.NamedTuple):
    """How much is borne of one server.

    attempts           how often what may pass is tried
    connect_timeout_s  how long connecting to one address may take
    timeout_s          how long the answer's head may take, and a minimum of its bytes
    min_bytes_per_s    that minimum
    pause_s            the longest pause before another attempt
    bears_silence      whether one that did not answer, or not in time, is tried again
    bears_stalls       whether one that answered, and then sent no more, or too slowly, is
    """

    attempts: int
    connect_timeout_s: float
    timeout_s: float
    min_bytes_per_s: int
    pause_s: float
    bears_silence: bool
    bears_stalls: bool


#: Of a server while there is another one to ask: half a minute, and no more, may be lost with it.
IMPATIENT = Patience(2, CONNECT_TIMEOUT_S, 30.0, 16 * 1024, 5.0, bears_silence=False, bears_stalls=False)


def all_patience() -> Patience:
    """Return how much is borne of the last server that may have the file."""
    return Patience(
        ATTEMPTS,
        CONNECT_TIMEOUT_S,
        TIMEOUT_S,
        MIN_BYTES_PER_S,
        MAX_RETRY_AFTER_S * 1.1,
        bears_silence=True,
        bears_stalls=True,
    )


def patience_while_controller_stands_by() -> Patience:
    """Return how much is borne of the last server where the controller sends the file if nobody answers."""
    return all_patience()._replace(connect_timeout_s=QUICK_CONNECT_TIMEOUT_S, bears_silence=False)


def download(
    url: str,
    path: str,
    sha256: str,
    size: int,
    *,
    secrets: t.Optional[t.Mapping[str, str]] = None,
    patience: t.Optional[Patience] = None,
    came: t.Callable[[int], None] = lambda count: None,
) -> None:
    """Download *url* (http, https, file) to the new file *path*; it is there afterwards only if it is what was locked.

    *sha256* and *size*, in bytes, are what was locked. What may pass is tried again, each time going on where the last
    one stopped, as long as *patience* lasts. *secrets* are headers for this server alone. *came* is told how many bytes
    come. Raises ReleaseError, and leaves nothing behind.
    """
    if not _SHA256.match(sha256 or ""):
        raise ReleaseError(
            "{0} is not downloaded, for there is nothing to verify it by".format(url_without_secrets(url)),
            expected="a sha256 digest, 64 hexadecimal digits",
            found=ascii(sha256),
            fix="make the lock file again with pinned.release.lock",
        )
    address = checked_url(url)
    with _new_file(path) as file:
        partial = _Partial(file, path, size, url_without_secrets(url), came)
        if address.startswith("file:"):
            _copy(address, partial)
        else:
            _Transfer(address, partial, patience or all_patience(), secrets or {}).run(sha256)
        if partial.sha256() != sha256:
            raise ReleaseError(
                "{0} is not the file that was locked".format(partial.source),
                expected="sha256 {0}".format(sha256),
                found="sha256 {0}".format(partial.sha256()),
                fix="find out why it changed before you lock it again: a publisher replaces no released file",
            )


class _Partial:
    """The file as far as it has come, and the digest of that; *source* is where from, fit to be printed."""

    def __init__(self, file: io.FileIO, path: str, size: int, source: str, came: t.Callable[[int], None]) -> None:
        self.source = source
        self._came = came
        self.size = size
        self.written = 0
        self._digest = hashlib.sha256()
        self._file = file
        self._path = path

    @property
    def missing(self) -> int:
        """How many bytes of the locked size have not come yet."""
        return self.size - self.written

    def append(self, data: bytes) -> None:
        """Write *data* at the end. Raises ReleaseError for more than the locked size, DiskError for a full disk."""
        self._came(len(data))
        if len(data) > self.missing:
            raise self.size_mismatch("more")
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            raise _disk_error("write", self._path, error) from error
        self._digest.update(data)
        self.written += len(data)

    def start_over(self) -> None:
        """Empty the file and begin a new digest. Raises DiskError if the file cannot be truncated."""
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as error:
            raise _disk_error("write", self._path, error) from error
        self._digest = hashlib.sha256()
        self.written = 0

    def sha256(self) -> str:
        """Return the SHA-256 of what has come so far, as hex digits."""
        return self._digest.hexdigest()

    def size_mismatch(self, found: str) -> ReleaseError:
        """Return the error for a size other than the locked one; *found* says in words what came."""
        return ReleaseError(
            "{0} has another size than the file that was locked".format(self.source),
            expected="{0} bytes".format(self.size),
            found=found,
            fix="find out why it changed before you lock it again: a publisher replaces no released file",
        )


class _Transfer:
    """One URL on its way into one file, in as many requests as it takes."""

    def __init__(self, url: str, partial: _Partial, patience: Patience, secrets: t.Mapping[str, str]) -> None:
        self._url = url
        self._patience = patience
        self._client = Client(patience.timeout_s, patience.min_bytes_per_s, secrets, patience.connect_timeout_s)
        self._partial = partial
        #: What the server must still have for the bytes that came to be of use: a strong ETag, or a date.
        self._validator = ""
        self._is_pieced = False

    def run(self, sha256: str) -> None:
        """Request until the file is whole; a mix of answers whose digest is not *sha256* is fetched once more as one.

        Raises ReleaseError when the last attempt has failed, and at once for an error that a repetition cannot change,
        and for silence or stalls that the patience does not bear.
        """
        attempts = self._patience.attempts
        for attempt in range(1, attempts + 1):
            is_last = attempt == attempts
            try:
                self._get()
                if is_last or not self._is_pieced or self._partial.sha256() == sha256:
                    return
                # Pieces of several answers do not make the file; a single answer may.
                self._start_over()
            except TransientError as error:
                pause_s = _pause_s(attempt, error.pause_s)
                if not self._bears(error):
                    raise
                if is_last or pause_s > self._patience.pause_s:
                    tried = " (tried {0} times)".format(attempt) if attempt > 1 else ""
                    given_up = ReleaseError(error.what + tried, error.expected, error.found, error.fix)
                    given_up.is_unanswered = error.is_unanswered
                    raise given_up from error
                time.sleep(pause_s)

    def _bears(self, error: TransientError) -> bool:
        if error.is_unanswered:
            return self._patience.bears_silence
        return self._patience.bears_stalls or not isinstance(error, SilentError)

    def _get(self) -> None:
        headers = {}
        if self._partial.written:
            headers["Range"] = "bytes={0}-".format(self._partial.written)
            if self._validator:
                headers["If-Range"] = self._validator
        with self._client.get(self._url, headers) as answer:
            shown = url_without_secrets(answer.url)
            if shown != url_without_secrets(self._url):
                self._partial.source = "{0} (redirected to {1})".format(url_without_secrets(self._url), shown)
            self._accept(answer)
            self._receive(answer)

    def _accept(self, answer: Answer) -> None:
        """See to it that what follows is what is missing."""
        if answer.status == 200:
            self._start_over()
            etag = answer.header("ETag")
            self._validator = etag if etag.startswith('"') else answer.header("Last-Modified")
            if answer.length not in (None, self._partial.size):
                encoding = answer.header("Content-Encoding")[:20]
                kind = ", encoded as {0}".format(ascii(encoding)[1:-1]) if encoding else ""
                if answer.header("Content-Type").startswith("text/html"):
                    kind = ", a web page"
                raise self._partial.size_mismatch("{0} bytes{1}".format(answer.length, kind))
            return
        pattern = _CONTENT_RANGE if answer.status == 206 else _UNSATISFIED_RANGE
        given = pattern.match(answer.header("Content-Range"))
        if given and given.groups()[-1] not in ("*", str(self._partial.size)):
            raise self._partial.size_mismatch("{0} bytes".format(given.groups()[-1]))
        if answer.status == 206 and given and self._partial.written and int(given.group(1)) == self._partial.written:
            self._is_pieced = True
            return
        self._start_over()
        raise TransientError(
            "cannot download {0}: the server sends another part than it was asked for".format(self._partial.source),
            found="{0}, Content-Range: {1}".format(answer.status, ascii(answer.header("Content-Range")[:100])),
        )

    def _receive(self, answer: Answer) -> None:
        partial = self._partial
        while partial.missing or answer.length is None:
            try:
                data = answer.read(min(_BUFFER_BYTES, partial.missing + 1))
            except TransientError:
                if partial.missing:
                    raise
                # All is here; only how the connection ends is not as it should be.
                return
            if not data:
                break
            partial.append(data)
        if partial.missing:
            raise TransientError(
                "cannot download {0}: the connection was closed too early".format(partial.source),
                expected="{0} bytes".format(partial.size),
                found="{0} bytes".format(partial.written),
            )

    def _start_over(self) -> None:
        self._partial.start_over()
        self._is_pieced = False


@contextlib.contextmanager
def _new_file(path: str) -> t.Iterator[io.FileIO]:
    """Make the file *path*, readable by us alone, where nothing is; take it away again if the block fails."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _disk_error("create", path, error) from error
    try:
        with io.FileIO(descriptor, "wb") as file:
            yield file
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(path)
        if isinstance(error, OSError):
            # Of closing: network file systems say only then that the disk is full.
            raise _disk_error("write", path, error) from error
        raise


def _disk_error(action: str, path: str, error: OSError) -> DiskError:
    told = file_error(action, path, error)
    return DiskError(told.what, told.expected, told.found, told.fix)


def _copy(url: str, partial: _Partial) -> None:
    """Copy a file URL's file."""
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.unquote_to_bytes(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith(b"/") or b"\0" in path:
        raise ReleaseError("{0} is no file of this machine".format(partial.source), expected="file:///PATH")
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for ever.
        with io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ReleaseError("{0} is not a regular file".format(partial.source))
            if found.st_size != partial.size:
                raise partial.size_mismatch("{0} bytes".format(found.st_size))
            for data in iter(lambda: file.read(_BUFFER_BYTES), b""):
                partial.append(data or b"")
    except OSError as error:
        failed = file_error("read", path.decode("utf-8", "replace"), error)
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            # The orders do not tell a mirror's folder from the manifest's, which is one of the controller.
            failed.fix = (
                "if the option mirrors leads there, mount it on this machine; else the lock file names a folder of the "
                "controller: put it back there if it is gone, and let the controller send it to other hosts (leave out "
                "fetch_from); or serve it over the web, name its address in the manifest (source: {directory: "
                "https://...}), and lock again"
            )
        raise failed from error


def _pause_s(attempt: int, asked_s: t.Optional[float]) -> float:
    """Return how long to wait after *attempt* failed: apart from other hosts, which failed at the same time."""
    if asked_s is not None:
        return asked_s * random.uniform(1.0, 1.1)
    return min(_MAX_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)
