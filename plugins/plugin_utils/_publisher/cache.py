# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where does the controller keep an asset's bytes, once fetched, so that they are fetched once and believed rightly?

A file lies under its own SHA-256, so what a place holds can be checked by reading it, and it *is* checked on every
use: a damaged file is fetched again. Bytes are looked for by the digests that their publisher, or the lock file, gives;
then no network is needed. No note of a file's size and times spares the hashing. It takes a second for 1.1 GB, and such
a note would be believed of a cache that was restored or copied by a build service.

An asset that no digest speaks of is fetched again by every run, because its publisher may have put other bytes at the
same address since, and that must be seen. Within a run it is fetched once.

Any number of processes and threads may share a cache: a file lock makes them fetch each asset once. A transfer that
breaks off is resumed (RFC 9110, "Range Requests"). The folder may be deleted at any time. Runs on the controller.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import (
    answer_body,
    failures,
    folders,
    kept_files,
    redaction,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.routes import Routes, nobody_serves
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

if TYPE_CHECKING:
    import requests

LOG = logging.getLogger("pinned.release")
LIMIT_BYTES = 4 * 1024**3
SMALL_FILE_LIMIT_BYTES = 4 * 1024**2
#: The latter while there is another server to ask.
ATTEMPTS, IMPATIENT_ATTEMPTS = 5, 2
INDEX_LIMIT_BYTES = 1024
PARTIAL_KEPT_DAYS = 7
#: Digests of these identify bytes; those of other algorithms are compared, but could be forged.
STRONG = ("sha256", "sha512", "sha384")

#: Called with the number of the asset's bytes that are here so far.
Progress = Callable[[int], None]


class Cache:
    """A folder of assets by their content."""

    def __init__(self, root: Path, mirrors: Mirrors | None = None) -> None:
        """Keep assets below *root*, which is created with the first. *mirrors* are asked first, as routes.py says."""
        self.root = root
        self._routes = Routes(mirrors or Mirrors())
        self._fetched: dict[str, str] = {}

    def fetch(
        self,
        asset: Asset,
        session: requests.Session,
        *,
        progress: Progress = lambda received: None,
        limit_bytes: int = LIMIT_BYTES,
        is_statement: bool = False,
    ) -> CachedFile:
        """Return the bytes of *asset*, from here or by *session*, compared with its size and every digest it has.

        What the publisher states, *is_statement*, may be asked of him whatever the rules of mirrors say.
        Raises ReleaseError: unreachable, refused, too large, not what the publisher lists, disk full.
        """
        wanted = _Wanted(asset, limit_bytes)
        try:
            with self._locked(wanted.key):
                found = self._find_any(wanted)
                LOG.debug("%s: %s", asset.name, f"in the cache, sha256 {found.sha256}" if found else "not in the cache")
                found = found or self._download(wanted, session, progress, is_statement)
                # Under the lock: whoever waits for the same file must find it.
                self._fetched[asset.url] = found.sha256
        except OSError as error:
            raise kept_files.disk_failure(error, self.root) from error
        progress(found.size)
        return found

    def find(self, asset: Asset) -> CachedFile | None:
        """Return the bytes of *asset* if they are here; None if not. Raises ReleaseError on a bad disk."""
        try:
            return self._find_any(_Wanted(asset, LIMIT_BYTES))
        except OSError as error:
            raise kept_files.disk_failure(error, self.root) from error

    def keep(self, asset: Asset, content: Iterable[bytes]) -> CachedFile:
        """Take *content* in as the bytes of *asset*, unless they are here. Raises ReleaseError if it is other bytes."""
        wanted = _Wanted(asset, LIMIT_BYTES)
        try:
            with self._locked(wanted.key):
                return self._find_any(wanted) or self._take(wanted, content)
        except OSError as error:
            raise kept_files.disk_failure(error, self.root) from error

    def _take(self, wanted: _Wanted, content: Iterable[bytes]) -> CachedFile:
        path = folders.private_folder(self.root, "partial") / wanted.key
        with _Partial(path, wanted) as partial:
            partial.restart()
            _receive(iter(content), partial, wanted, lambda received: None)
            try:
                wanted.compare(partial.digests(), partial.received)
            except ReleaseError:
                partial.restart()
                raise
            partial.flush()
            return self._keep(path, wanted, partial.digests(), partial.received)

    def open_kept(self, sha256: str) -> BinaryIO | None:
        """Return the bytes with this digest, opened; None if they are not here. Raises ReleaseError on a bad disk."""
        try:
            found = self._read(sha256, ("sha256",))
            return found.path.open("rb") if found else None
        except OSError as error:
            raise kept_files.disk_failure(error, self.root) from error

    def reader(self, session: requests.Session) -> Fetch:
        """Return what reads a release's own small files, as evidence is made of. It raises ReleaseError as fetch()."""
        small = partial(self.fetch, session=session, limit_bytes=SMALL_FILE_LIMIT_BYTES, is_statement=True)
        return lambda asset: small(asset).path.read_bytes()

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Hold the lock on *key* against every other process and thread. Some keys share one, so that locks are few."""
        with folders.open_to_write(folders.private_folder(self.root, "locks") / key[:3]) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _find_any(self, wanted: _Wanted) -> CachedFile | None:
        """Return the wanted bytes if they are here, by whichever strong digest is known of them."""
        sha256 = wanted.digests.get("sha256")
        for algorithm in STRONG[1:]:
            if sha256 is None and algorithm in wanted.digests:
                sha256 = self._indexed(f"{algorithm}-{wanted.digests[algorithm]}")
        if not wanted.is_identified:
            sha256 = self._fetched.get(wanted.asset.url)
        found = self._read(sha256, wanted.algorithms) if sha256 else None
        if found is not None:
            wanted.compare(found.digests, found.size)
        return found

    def _indexed(self, name: str) -> str | None:
        """Return the SHA-256 of what is known by a digest of another algorithm, None where that is not noted."""
        with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
            folder = folders.private_folder(self.root, "index", create=False)
            with folders.open_to_read(folder / name) as file:
                return file.read(INDEX_LIMIT_BYTES).decode("ascii")
        return None

    def _read(self, sha256: str, algorithms: tuple[str, ...]) -> CachedFile | None:
        """Return the file kept under *sha256* after hashing it; one that has been damaged is removed."""
        found = kept_files.look(self.root, sha256, algorithms)
        if found is not None and found.sha256 != sha256:
            LOG.warning("%s in the cache was damaged; it is removed, and to be downloaded again", found.path)
            found.path.unlink(missing_ok=True)
            return None
        return found

    def _download(
        self, wanted: _Wanted, session: requests.Session, progress: Progress, is_statement: bool
    ) -> CachedFile:
        """Transfer, compare and keep the wanted bytes; what an earlier run left of them is not taken for granted."""
        path = folders.private_folder(self.root, "partial") / wanted.key
        folders.forget_unused(path.parent, PARTIAL_KEPT_DAYS)
        earlier: list[ReleaseError] = []
        with _Partial(path, wanted) as arriving:
            for route in self._routes.of(wanted.asset, session, wanted.is_identified, is_statement):
                try:
                    attempts = ATTEMPTS if route.is_last else IMPATIENT_ATTEMPTS
                    _fill(arriving, _Wanted(route.asset, wanted.limit_bytes), route.session, progress, attempts)
                    break
                except ReleaseError as error:
                    if route.is_last:
                        if not arriving.received:
                            path.unlink(missing_ok=True)
                        if earlier:
                            raise nobody_serves(wanted.asset, [*earlier, error]) from error
                        raise
                    earlier.append(error)
                    self._routes.failed(route, error)
                    # Another server may go on where this one broke off: the digest tells whether it did.
                    arriving.validator = None
            arriving.flush()
            digests, size = arriving.digests(), arriving.received
        return self._keep(path, wanted, digests, size)

    def _keep(self, partial: Path, wanted: _Wanted, digests: Mapping[str, str], size: int) -> CachedFile:
        sha256 = digests["sha256"]
        place = folders.private_folder(self.root, "sha256", sha256[:2]) / sha256
        os.replace(partial, place)
        place.chmod(0o444)
        index = folders.private_folder(self.root, "index")
        for algorithm in STRONG[1:]:
            if algorithm in wanted.digests:
                folders.write_atomically(index / f"{algorithm}-{digests[algorithm]}", sha256.encode())
        return CachedFile(place, sha256, size, digests)


class _Wanted:
    """What is known of an asset's bytes before they are here, and the comparison with what came."""

    def __init__(self, asset: Asset, limit_bytes: int) -> None:
        """Take what *asset* says of itself. Raises ReleaseError if a digest cannot be one or the size is too large."""
        for algorithm, value in asset.digests.items():
            if not kept_files.is_digest(algorithm, value):
                raise ReleaseError(
                    f"a digest of {asset.name} cannot be compared",
                    expected="sha256, sha512 or another algorithm of Python's hashlib, and as many hexadecimal digits",
                    found=redaction.shown(f"{algorithm} {value}"),
                )
        if asset.size is not None and asset.size > limit_bytes:
            raise _too_large(asset, limit_bytes, asset.size)
        self.asset = asset
        self.limit_bytes = limit_bytes if asset.size is None else asset.size
        self.digests = {algorithm: value.lower() for algorithm, value in asset.digests.items()}
        self.algorithms = tuple(sorted({"sha256", *self.digests}))
        self.is_identified = any(algorithm in self.digests for algorithm in STRONG)
        identity = sorted(self.digests.items()) if self.is_identified else asset.url
        self.key = hashlib.sha256(repr(identity).encode()).hexdigest()

    def mismatch(self, digests: Mapping[str, str], size: int) -> tuple[str, str] | None:
        """Return what was expected and what was found if *size* (bytes) or one of *digests* is another, else None."""
        if self.asset.size is not None and size != self.asset.size:
            return f"{self.asset.size} bytes", f"{size} bytes"
        for algorithm, expected in sorted(self.digests.items()):
            if digests[algorithm] != expected:
                return f"{algorithm} {expected}", f"{algorithm} {digests[algorithm]}"
        return None

    def compare(self, digests: Mapping[str, str], size: int) -> None:
        """Raise ReleaseError unless *size* (bytes) and all *digests* are the expected ones."""
        differing = self.mismatch(digests, size)
        if differing is not None:
            raise _another(self.asset, *differing)


class _Partial:
    """The bytes of an asset that have arrived so far, in a file, and their digests."""

    def __init__(self, path: Path, wanted: _Wanted) -> None:
        """Go on with the bytes in *path*, if a digest can tell later whether they belong to the rest."""
        self.validator: str | None = None
        self._algorithms = wanted.algorithms
        self._file = folders.open_to_write(path)
        self.restart(0 if not wanted.is_identified else None)

    def __enter__(self) -> _Partial:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def restart(self, size: int | None = 0) -> None:
        """Begin anew with the first *size* bytes, all of them if that is None."""
        if size is not None:
            self._file.truncate(size)
        self._file.seek(0)
        self._hashes = kept_files.hashes(self._algorithms)
        self.received = kept_files.hash_all(self._file, self._hashes)

    def append(self, chunk: bytes) -> None:
        """Add *chunk*."""
        self._file.write(chunk)
        self.received += len(chunk)
        for made in self._hashes.values():
            made.update(chunk)

    def flush(self) -> None:
        """Bring everything to the disk, so that a file under its final name is whole even after a power cut."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def digests(self) -> dict[str, str]:
        """Return the digests of all bytes so far."""
        return {algorithm: made.hexdigest() for algorithm, made in self._hashes.items()}


def _fill(
    partial: _Partial, wanted: _Wanted, session: requests.Session, progress: Progress, attempts: int = ATTEMPTS
) -> None:
    """Bring the wanted bytes into *partial* and compare them. Raises ReleaseError, and keeps none, if they differ."""
    has_earlier_bytes = partial.received > 0
    _transfer(partial, wanted, session, progress, attempts)
    if has_earlier_bytes and wanted.mismatch(partial.digests(), partial.received):
        partial.restart()
        _transfer(partial, wanted, session, progress, attempts)
    try:
        wanted.compare(partial.digests(), partial.received)
    except ReleaseError:
        partial.restart()
        raise


def _transfer(partial: _Partial, wanted: _Wanted, session: requests.Session, progress: Progress, attempts: int) -> None:
    """Bring the rest of the wanted bytes into *partial*, resuming what breaks off in at most so many *attempts*."""
    if urlsplit(wanted.asset.url).scheme == "file":
        _copy(partial, wanted, progress)
        return
    for attempt in range(attempts):
        try:
            _request_rest(partial, wanted, session, progress)
        except failures.InterruptedAnswerError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.5 * 2**attempt)
        else:
            return


def _copy(partial: _Partial, wanted: _Wanted, progress: Progress) -> None:
    """Bring a local file into *partial*. Only a source or lock file that the user wrote names one: no listing may."""
    with open_local(wanted.asset.url) as file:
        partial.restart()
        _receive(iter(lambda: file.read(answer_body.CHUNK_BYTES), b""), partial, wanted, progress)


def open_local(url: str) -> BinaryIO:
    """Open the file of this machine that *url* names. Raises ReleaseError where there is none that can be read."""
    path = Path(url2pathname(urlsplit(url).path))
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for ever, and every other run for the lock that is held.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        fix = (
            "if the option mirrors leads there, mount it on this controller; else the source is a folder of the "
            "controller: this one needs the same files as the one that made the lock"
        )
        raise ReleaseError(f"{path} could not be read", found=error.strerror, fix=fix) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ReleaseError(f"{path} is no regular file", fix="see who can write in its folder")
    return open(descriptor, "rb")


def _request_rest(partial: _Partial, wanted: _Wanted, session: requests.Session, progress: Progress) -> None:
    """Ask once for what *partial* lacks. Raises InterruptedAnswerError when asking again may bring more."""
    if wanted.asset.size is not None and partial.received == wanted.asset.size:
        return
    # Without a digest, only the server can tell that the rest belongs to the bytes that are here.
    if not wanted.is_identified and partial.validator is None:
        partial.restart()
    # The bytes as published are wanted, so no encoding on the way.
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if wanted.asset.api_url:
        headers["Accept"] = "application/octet-stream"
    if partial.received:
        headers["Range"] = f"bytes={partial.received}-"
        headers.update({"If-Range": partial.validator} if partial.validator else {})
    response = session.get(wanted.asset.api_url or wanted.asset.url, headers=headers, stream=True)
    with contextlib.closing(response):
        _go_on(response, session, partial)
        _refuse_another(response, wanted.asset)
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and partial.received + int(announced[:18]) > wanted.limit_bytes:
            raise _too_large(wanted.asset, wanted.limit_bytes, partial.received + int(announced[:18]))
        _receive(answer_body.read_chunks(response), partial, wanted, progress)
    if wanted.asset.size is not None and partial.received < wanted.asset.size:
        raise failures.InterruptedAnswerError(
            f"{redaction.redacted(wanted.asset.url)} broke off",
            expected=f"{wanted.asset.size} bytes",
            found=f"{partial.received} bytes",
            fix="run it again; if it ends there each time, somebody exchanged it: ask its publisher",
        )


def _go_on(response: requests.Response, session: requests.Session, partial: _Partial) -> None:
    """Make *partial* ready for the body of *response*, which is its rest or begins anew.

    Raises InterruptedAnswerError if it is another part, and ReleaseError if the server refuses.
    """
    if partial.received and response.status_code in (206, 416):
        is_rest = response.headers.get("Content-Range", "").startswith(f"bytes {partial.received}-")
        is_same = partial.validator in (None, response.headers.get("ETag"))
        if response.status_code == 206 and is_rest and is_same:
            return
        partial.restart()
        raise failures.InterruptedAnswerError(
            f"{redaction.redacted(response.url)} does not resume", found="another part of it"
        )
    if response.status_code != 200:
        raise failures.refused(response, session)
    partial.restart()
    etag = response.headers.get("ETag", "")
    partial.validator = etag if etag.startswith('"') else None


def _refuse_another(response: requests.Response, asset: Asset) -> None:
    """Raise ReleaseError for what is whole and not the *asset*: a login page, or a file that is encoded on its way."""
    announced = response.headers.get("Content-Length", "")[:18]
    if response.status_code != 200 or not announced.isdecimal() or asset.size in (None, int(announced)):
        return
    encoding = redaction.shown(response.headers.get("Content-Encoding", ""), 20)
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    kind = "a web page" if is_page else f"encoded as {encoding}" if encoding else None
    if kind:
        raise ReleaseError(
            f"{redaction.redacted(response.url)} is another file",
            expected=f"{asset.size} bytes",
            found=f"{announced} bytes, {kind}",
            fix="see what that address sends: a login or a proxy may answer in place of the server",
        )


def _receive(chunks: Iterator[bytes], partial: _Partial, wanted: _Wanted, progress: Progress) -> None:
    for chunk in chunks:
        if partial.received + len(chunk) > wanted.limit_bytes:
            partial.restart()
            raise _too_large(wanted.asset, wanted.limit_bytes, None)
        partial.append(chunk)
        progress(partial.received)


def _too_large(asset: Asset, limit_bytes: int, found: int | None) -> ReleaseError:
    shown = f"{found} bytes" if found is not None else "more"
    if asset.size == limit_bytes:
        return _another(asset, f"{limit_bytes} bytes", shown)
    return ReleaseError(
        f"{asset.name} from {redaction.redacted(asset.url)} is larger than it may be",
        expected=f"at most {limit_bytes} bytes",
        found=shown,
    )


def _another(asset: Asset, expected: str, found: str) -> ReleaseError:
    """Return the error for bytes that are not those of *asset*, as a listing or a lock file says."""
    return ReleaseError(
        f"{asset.name} from {redaction.redacted(asset.url)} is not what it should be",
        expected=expected,
        found=found,
        fix="do not use it: it was damaged on its way, or somebody exchanged it; ask its publisher",
    )
